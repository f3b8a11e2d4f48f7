package ui

import (
	"testing"

	"github.com/tsuzuku/tsuzuku/fault"
)

// Whatever a form sends as an item is refused in a sentence, or is written back
// letter by letter.
func FuzzItemOf(f *testing.F) {
	for _, value := range []string{"term/machi-5gb/30d", "pack/yokocho-base/500mb", "topup/a/b", "term//x", "term/a/b/c", "", "term/a/\x00"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		item, err := ItemOf(value)
		switch {
		case err != nil && fault.KindOf(err) != fault.Invalid:
			t.Errorf("%q: %v", value, err)
		case err == nil && ValueOf(item) != value:
			t.Errorf("%q is %+v, which is %q", value, item, ValueOf(item))
		}
	})
}
