package identity

import (
	"slices"
	"testing"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Everybody finds their country, once, and with a name; who comes most often first.
func TestCountries(t *testing.T) {
	all := Countries()
	if len(all) != 249+1 { // ISO 3166-1, and Kosovo
		t.Errorf("%d countries", len(all))
	}
	for _, code := range []string{"CN", "DE", "GB", "FR", "AU", "CA", "IN", "BR", "ID", "VN", "PH", "MY", "NZ", "UA", "ZA", "XK"} {
		if !slices.Contains(all, code) {
			t.Errorf("nobody is from %s", code)
		}
	}
	seen := map[string]bool{}
	for _, code := range all {
		name := display.English.Regions().Name(language.MustParseRegion(code))
		if seen[code] || name == "" || name == "Unknown Region" {
			t.Errorf("%s, %q: twice, or without a name", code, name)
		}
		seen[code] = true
	}
	if all[0] != "CN" || slices.Contains(all, "ZZ") || slices.Contains(all, "EU") || slices.Contains(all, "SU") || slices.Contains(all, "AN") {
		t.Errorf("%v", all)
	}
}
