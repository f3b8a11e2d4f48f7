package id

import (
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/fault"
)

// Whatever stands in an address where an identifier should be: it names nothing,
// or the account whose letters it carries.
func FuzzAccountOf(f *testing.F) {
	for _, text := range []string{"qt_01kjp7t0w0a442wgks01kjp7t1v8wt14mj", "ac_01kjp7t0w0a442wgks", "_", "", "qt_01KJP7T0W0A442WGKS01KJP7T1V8WT14MJ", "a_b_c"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		account, err := AccountOf(text)
		if err != nil {
			if fault.KindOf(err) != fault.NotFound || account != "" {
				t.Errorf("%q: %q, %v", text, account, err)
			}
			return
		}
		_, rest, _ := strings.Cut(text, "_")
		if letters, ok := strings.CutPrefix(account, "ac_"); !ok || len(letters) != accountLen || !strings.HasPrefix(rest, letters) || strings.Trim(letters, alphabet) != "" {
			t.Errorf("%q belongs to %q", text, account)
		}
	})
}
