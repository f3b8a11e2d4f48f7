package portal

import (
	"net/url"
	"strings"
	"testing"
)

// Whatever an address says of where to go on, it is a place in the portal: what a
// browser makes of it beside the shop's own address stays at the shop.
func FuzzSafeNext(f *testing.F) {
	for _, next := range []string{"/", "/lines/ln_1?x=1", "//evil.example", "https://evil.example/", "/\\evil.example", "\\/evil", "/%2f/evil", "/a/../..//evil", "javascript:alert(1)", "/\tx", "/ok#//x", ""} {
		f.Add(next)
	}
	shop, err := url.Parse("https://shop.example/sign-in")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, next string) {
		to := safeNext(next)
		at, err := shop.Parse(to)
		if err != nil || at.Host != shop.Host || at.Scheme != shop.Scheme || at.User != nil {
			t.Fatalf("%q leads to %v, %v", next, at, err)
		}
		if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t\x00") || len(to) > maxNext {
			t.Errorf("%q leads to %q", next, to)
		}
		if again := safeNext(to); again != to {
			t.Errorf("%q leads to %q, and that to %q", next, to, again)
		}
	})
}
