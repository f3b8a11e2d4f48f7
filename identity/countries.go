package identity

import (
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language/display"
)

// near are where most customers come from: they stand first in a list.
var near = []string{"CN", "TW", "HK", "KR", "JP", "MO", "SG", "TH", "US"}

// Countries are all that somebody can be a national of (ISO 3166), those first that
// are asked for most; the others by their code.
var Countries = sync.OnceValue(func() []string {
	all := slices.Clone(near)
	var rest []string
	for _, r := range display.Supported.Regions() {
		code := r.String()
		if r.IsCountry() && !r.IsPrivateUse() && len(code) == 2 && r.Canonicalize() == r && !slices.Contains(all, code) && !strings.HasPrefix(code, "X") {
			rest = append(rest, code)
		}
	}
	slices.Sort(rest)
	return append(all, slices.Compact(rest)...)
})
