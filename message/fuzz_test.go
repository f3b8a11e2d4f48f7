package message

import (
	"net/url"
	"strings"
	"testing"
)

// What a browser says of itself is read or refused, and leads to a public https address
// alone; what was read is read again.
func FuzzParseSubscription(f *testing.F) {
	f.Add("https://push.example/x BPlKY0xFsQZ1PUDGCR-NN3xAiUSrGzMJzRDGl9Vp5DgsVSyBGYJNfPWrAR2Sx5zQGi_k0a3r4YUAnDZxwJ8vVQw AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("https://127.0.0.1/ a b")
	f.Add("https://push.example:8443/x a b")
	f.Add("http://[::1]/x\r\n a b")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSubscription(text)
		if err != nil {
			return
		}
		at, err := url.Parse(s.Endpoint)
		if err != nil || at.Scheme != "https" || at.Port() != "" && at.Port() != "443" || at.User != nil || !strings.Contains(at.Hostname(), ".") {
			t.Errorf("%q leads to %q", text, s.Endpoint)
		}
		if again, err := ParseSubscription(s.String()); err != nil || again != s {
			t.Errorf("%q is %+v, then %+v, %v", text, s, again, err)
		}
	})
}
