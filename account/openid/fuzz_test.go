package openid

import (
	"encoding/base64"
	"testing"

	"github.com/tsuzuku/tsuzuku/account"
)

// No token is believed that somebody wrote who has neither key nor secret.
func FuzzToken(f *testing.F) {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	claims := part(`{"iss":"` + at + `","aud":"a client:of ours","sub":"1","nonce":"n","exp":9999999999,"iat":1772452800}`)
	for _, head := range []string{`{"alg":"none"}`, `{"alg":"HS256"}`, `{"alg":"RS256","kid":"1"}`, `{"alg":"HS256","crit":["x"]}`, `{`} {
		f.Add(part(head) + "." + claims + "." + part("signature"))
	}
	f.Add("..")
	i, _ := pair(nil)
	k, err := i.discover(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if who, err := i.read(t.Context(), k, account.Question{Nonce: "n"}, raw); err == nil || who != (account.Identity{}) {
			t.Errorf("%q is believed to be of %+v", raw, who)
		}
		if _, err := secretKey("a secret of thirty-two characters").VerifySignature(t.Context(), raw); err == nil {
			t.Errorf("%q is taken for signed", raw)
		}
	})
}
