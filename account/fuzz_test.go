package account

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/fault"
)

// Whatever is typed as a mail address is refused in a sentence, or has one form,
// which fits into a letter's head and stands for itself.
func FuzzNormalise(f *testing.F) {
	for _, text := range []string{"Aiko@Example.com", " ａｉｋｏ＠ｅｘａｍｐｌｅ．ｃｏｍ ", "a@b。jp", "a@[127.0.0.1]", "a\r\nBcc: x@y.z", "\"a b\"@c.d", "İ@x.y", "ß@ẞ.de", "a@b@c.de", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		email, err := Normalise(text)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid || email != "" {
				t.Errorf("%q: %q, %v", text, email, err)
			}
			return
		}
		if len(email) > maxEmail || !utf8.ValidString(email) || strings.Count(email, "@") != 1 || strings.ContainsAny(email, " \t\r\n<>,;:\"") {
			t.Errorf("%q is %q", text, email)
		}
		if again, err := Normalise(email); err != nil || again != email {
			t.Errorf("%q is %q, and that %q, %v", text, email, again, err)
		}
	})
}
