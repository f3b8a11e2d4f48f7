package catalogue

import (
	"slices"
	"strings"

	"github.com/tsuzuku/tsuzuku/calendar"
)

// countries are those that we can tell by a network's code or a clock's zone:
// where lines of our sellers' are used, and where their customers come from.
// Mobile country codes are ITU-T E.212's, zones the IANA database's (zone1970.tab).
var countries = []struct {
	code  string // ISO 3166
	mcc   []string
	zones []calendar.Zone
}{
	{"JP", []string{"440", "441"}, []calendar.Zone{"Asia/Tokyo", "Japan"}},
	{"KR", []string{"450"}, []calendar.Zone{"Asia/Seoul", "ROK"}},
	{"CN", []string{"460", "461"}, []calendar.Zone{"Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Harbin", "PRC"}},
	{"HK", []string{"454"}, []calendar.Zone{"Asia/Hong_Kong", "Hongkong"}},
	{"MO", []string{"455"}, []calendar.Zone{"Asia/Macau", "Asia/Macao"}},
	{"TW", []string{"466"}, []calendar.Zone{"Asia/Taipei", "ROC"}},
	{"TH", []string{"520"}, []calendar.Zone{"Asia/Bangkok"}},
	{"SG", []string{"525"}, []calendar.Zone{"Asia/Singapore", "Singapore"}},
}

// Country is where a plan's lines are used (ISO 3166), by its host network; ""
// where that cannot be told.
func (c *Catalogue) Country(plan string) string {
	p, ok := c.Plan(plan)
	i := slices.IndexFunc(c.Networks, func(n Network) bool { return n.ID == p.Network })
	if !ok || i < 0 {
		return ""
	}
	for _, plmn := range c.Networks[i].PLMNs {
		mcc, _, _ := strings.Cut(plmn, "-")
		for _, known := range countries {
			if slices.Contains(known.mcc, mcc) {
				return known.code
			}
		}
	}
	return ""
}

// CountryOf is the country in which clocks are a zone's; "" where that cannot be
// told.
func CountryOf(zone calendar.Zone) string {
	for _, known := range countries {
		if slices.Contains(known.zones, zone) {
			return known.code
		}
	}
	return ""
}
