package identity

import (
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"
)

// near are where most customers come from: they stand first in a list.
var near = []string{"CN", "TW", "HK", "KR", "JP", "MO", "SG", "TH", "US"}

const (
	// noStates are codes that the library takes for countries and that ISO 3166-1 has
	// withdrawn, or keeps for something else: islands, unions, parts of a country.
	noStates = "AC AN CP CQ CS DG EA EU EZ FQ FX IC NT PC SU TA UN YU"

	// kosovo has no code of ISO's own, and passports.
	kosovo = "XK"
)

// Countries are all that somebody can be a national of (ISO 3166), those first that
// are asked for most; the others by their code.
var Countries = sync.OnceValue(func() []string {
	all := slices.Clone(near)
	var rest []string
	for code := range twoLetters {
		r, err := language.ParseRegion(code)
		is := err == nil && r.IsCountry() && !r.IsPrivateUse() && r.Canonicalize() == r && r.String() == code && !strings.Contains(noStates, code)
		if (is || code == kosovo) && !slices.Contains(all, code) {
			rest = append(rest, code)
		}
	}
	slices.Sort(rest)
	return append(all, rest...)
})

// twoLetters are all codes that there could be.
func twoLetters(yield func(string) bool) {
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if !yield(string([]rune{a, b})) {
				return
			}
		}
	}
}
