package catalogue

import (
	"testing"

	"github.com/tsuzuku/tsuzuku/calendar"
)

// Every line of the demo is used in Japan, whatever zone its operator counts in;
// what is not known is not guessed.
func TestCountry(t *testing.T) {
	c := Demo()
	for _, p := range c.Plans {
		if got := c.Country(p.ID); got != "JP" {
			t.Errorf("%s is used in %q", p.ID, got)
		}
	}
	if got := c.Country("none"); got != "" {
		t.Errorf("a plan that there is not is used in %q", got)
	}
	for i := range c.Networks {
		c.Networks[i].PLMNs = []string{"901-01"} // no country's
	}
	if got := c.Country(c.Plans[0].ID); got != "" {
		t.Errorf("a network of no country is in %q", got)
	}
	for zone, want := range map[calendar.Zone]string{"Asia/Tokyo": "JP", "Asia/Taipei": "TW", "UTC": "", "": ""} {
		if got := CountryOf(zone); got != want {
			t.Errorf("%s is in %q, want %q", zone, got, want)
		}
	}
}
