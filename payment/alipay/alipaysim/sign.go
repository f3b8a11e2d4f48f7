package alipaysim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// signedText is what is signed of a set of parameters: those with a value,
// sorted by name, as name=value, joined by &, not escaped. The names in without
// are left out: sign from a request, sign and sign_type from what Alipay tells.
func signedText(params url.Values, without ...string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if v := params.Get(name); v != "" && !slices.Contains(without, name) {
			parts = append(parts, name+"="+v)
		}
	}
	return strings.Join(parts, "&")
}

// sign is RSA2: RSA PKCS #1 v1.5 over SHA-256, in base64. The same text always
// has the same signature.
func sign(key *rsa.PrivateKey, text string) string {
	sum := sha256.Sum256([]byte(text))
	b, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic("alipaysim: sign: " + err.Error()) // the key is too short for SHA-256
	}
	return base64.StdEncoding.EncodeToString(b)
}

func verifies(key *rsa.PublicKey, text, signature string) bool {
	b, err := base64.StdEncoding.Strict().DecodeString(signature)
	if err != nil || base64.StdEncoding.EncodeToString(b) != signature { // the decoder skips line ends
		return false
	}
	sum := sha256.Sum256([]byte(text))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], b) == nil
}

// strangersSign looks like a signature by a key that nobody here knows.
func (s *Sim) strangersSign() string {
	b := make([]byte, s.cfg.AlipayKey.Size())
	for i := range b {
		b[i] = byte(s.rand.Uint32())
	}
	return base64.StdEncoding.EncodeToString(b)
}

// toldBy signs what Alipay tells, in a notification or a return address.
func (s *Sim) toldBy(params url.Values) {
	params.Set("sign_type", "RSA2")
	params.Set("sign", sign(s.cfg.AlipayKey, signedText(params, "sign", "sign_type")))
}

// object is a JSON object in the order in which it is written.
type object []member

type member struct {
	name  string
	value any // a string, or what json.Marshal writes
}

func (o object) with(name string, value any) object { return append(o, member{name, value}) }

// text writes the object as Alipay does: no white space, slashes escaped.
func (o object) text() string {
	var b strings.Builder
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quoted(m.name) + ":" + quoted(m.value))
	}
	return "{" + b.String() + "}"
}

func quoted(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("alipaysim: " + err.Error()) // only strings and maps of strings come here
	}
	return strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "/", `\/`)
}
