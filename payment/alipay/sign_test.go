package alipay

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// verifier is an adapter that knows one key of Alipay's.
func verifier(t testing.TB, key string) *Adapter {
	t.Helper()
	k, err := publicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return &Adapter{theirs: []*rsa.PublicKey{k}}
}

// lines are parameters of a vector as a map.
func lines(text string) map[string]string {
	params := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		k, v, _ := strings.Cut(line, "=")
		params[k] = v
	}
	return params
}

func TestNoticeVectors(t *testing.T) {
	for _, tt := range []struct {
		name, key, params, sign string
		without                 []string // what the text must lack to fit
	}{
		{"AL-1", al1Key, al1Params, al1Sign, []string{"sign", "sign_type"}},
		{"AL-2", al2Key, al2Params, al2Sign, []string{"sign"}},
	} {
		a := verifier(t, tt.key)
		params := lines(tt.params)
		params["sign"] = tt.sign
		if !a.signed(textOf(params, tt.without...), tt.sign) || !a.signedNotice(params) {
			t.Errorf("%s does not verify", tt.name)
		}
		params["empty"] = "" // left out of the text
		if !a.signedNotice(params) {
			t.Errorf("%s does not verify with an empty parameter", tt.name)
		}
		for name := range lines(tt.params) {
			if name == "sign_type" {
				continue // dropped from one of the two texts
			}
			changed := lines(tt.params)
			changed["sign"] = tt.sign
			changed[name] = flipped(changed[name])
			if a.signedNotice(changed) {
				t.Errorf("%s verifies with another %s", tt.name, name)
			}
			delete(changed, name)
			if a.signedNotice(changed) {
				t.Errorf("%s verifies without %s", tt.name, name)
			}
		}
		params["sign"] = flipped(tt.sign)
		if a.signedNotice(params) {
			t.Errorf("%s verifies with another signature", tt.name)
		}
		delete(params, "sign")
		if a.signedNotice(params) {
			t.Errorf("%s verifies without signature", tt.name)
		}
	}
}

// flipped is s with its first byte changed.
func flipped(s string) string { return string(s[0]^1) + s[1:] }

func TestAnswerVectors(t *testing.T) {
	for _, tt := range []struct{ name, key, text, sign string }{
		{"AL-3", al3Key, al3Text, al3Sign},
		{"AL-4", al4Key, al4Text, al4Sign},
	} {
		a := verifier(t, tt.key)
		if !a.signedAnswer([]byte(tt.text), tt.sign) {
			t.Errorf("%s does not verify", tt.name)
		}
		for i := range tt.text {
			changed := []byte(tt.text)
			changed[i] ^= 1
			if a.signedAnswer(changed, tt.sign) {
				t.Fatalf("%s verifies with byte %d changed", tt.name, i)
			}
		}
		if a.signedAnswer([]byte(tt.text), flipped(tt.sign)) || a.signedAnswer([]byte(tt.text), "") {
			t.Errorf("%s verifies with another signature or none", tt.name)
		}
	}
	if verifier(t, al4Key).signedAnswer([]byte(al3Text), al3Sign) {
		t.Error("AL-3 verifies with the key of AL-4")
	}
}

// The signed text is the member as it came, whatever stands around it (AL-5).
func TestMember(t *testing.T) {
	const method = "alipay.offline.material.image.upload"
	const name = `"alipay_offline_material_image_upload_response"`
	inner := strings.Replace(al5Text, `"msg"`, `"sign":"xxx","msg"`, 1)
	for what, tt := range map[string]struct{ body, text string }{
		"compact":        {`{` + name + `:` + al5Text + `,"sign":"yyy"}`, al5Text},
		"spaced":         {"{\n  " + name + " : \n" + al5Text + "  ,\n \"sign\" :\t\"yyy\" \n}\n", al5Text},
		"inner sign":     {`{` + name + `:` + inner + `,"sign":"yyy"}`, inner},
		"sign first":     {`{"sign":"yyy",` + name + `:` + al5Text + `}`, al5Text},
		"with a serial":  {`{` + name + `:` + al5Text + `,"alipay_cert_sn":"1","sign":"yyy"}`, al5Text},
		"error_response": {`{"error_response":` + al5Text + `,"sign":"yyy"}`, al5Text},
	} {
		text, sign, err := member(method, []byte(tt.body))
		if err != nil || string(text) != tt.text || sign != "yyy" {
			t.Errorf("%s: %s, sign %q, %v", what, text, sign, err)
		}
	}
	for what, body := range map[string]string{
		"half":             `{` + name + `:` + al5Text,
		"another answer":   `{"alipay_trade_query_response":` + al5Text + `,"sign":"yyy"}`,
		"nothing":          ``,
		"a list":           `[]`,
		"sign is a number": `{` + name + `:` + al5Text + `,"sign":1}`,
		"two answers":      `{` + name + `:` + al5Text + `}{}`,
	} {
		if text, _, err := member(method, []byte(body)); err == nil {
			t.Errorf("%s: %s", what, text)
		}
	}
}

// An answer whose slashes were escaped after it was signed is Alipay's; one that
// was changed otherwise is not.
func TestSlashesEscapedAfterSigning(t *testing.T) {
	k := testKeys()
	a := &Adapter{theirs: []*rsa.PublicKey{&k.theirs.PublicKey}}
	plain := []byte(`{"code":"10000","qr_code":"https://qr.alipay.com/x"}`)
	escaped := bytes.ReplaceAll(plain, []byte("/"), []byte(`\/`))
	sign := signature(k.theirs, plain)
	if !a.signedAnswer(plain, sign) || !a.signedAnswer(escaped, sign) {
		t.Error("the signature is not accepted")
	}
	if a.signedAnswer(bytes.ReplaceAll(escaped, []byte("qr.ali"), []byte("qr.all")), sign) {
		t.Error("a changed answer is accepted")
	}
	if a.signedAnswer(plain, signature(k.theirs, escaped)) {
		t.Error("slashes are invented")
	}
}

// What is signed does not depend on the order of parameters and says everything
// that is sent: other parameters are another text, as long as no value contains
// the separators.
func TestTextOf(t *testing.T) {
	got := string(textOf(map[string]string{"b": "2=3&c", "sign": "x", "a": "1", "Z": "é 中", "empty": "", "sign_type": "RSA2"}, "sign"))
	if want := "Z=é 中&a=1&b=2=3&c&sign_type=RSA2"; got != want {
		t.Errorf("textOf = %q, want %q", got, want)
	}
	rapid.Check(t, func(t *rapid.T) {
		params := rapid.MapOf(rapid.StringMatching(`[a-z_]{1,8}`), rapid.StringMatching(`[^&=]{1,8}`)).Draw(t, "params")
		back := map[string]string{}
		for _, p := range strings.Split(string(textOf(params)), "&") {
			if k, v, ok := strings.Cut(p, "="); ok {
				back[k] = v
			}
		}
		if diff := cmp.Diff(params, back); diff != "" {
			t.Fatalf("the text lost something:\n%s", diff)
		}
	})
}

// keyPair are two RSA pairs, made once.
type keyPair struct{ ours, theirs *rsa.PrivateKey }

var testKeys = sync.OnceValue(func() keyPair { return keyPair{newKey(2048), newKey(2048)} })

func newKey(bits int) *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return k
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func wrapped(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

func bare(der []byte) string { return base64.StdEncoding.EncodeToString(der) }

func TestKeysInAllTheirForms(t *testing.T) {
	k := testKeys().ours
	p1, p8 := x509.MarshalPKCS1PrivateKey(k), must(x509.MarshalPKCS8PrivateKey(k))
	for name, text := range map[string]string{
		"PKCS#1 PEM":    wrapped("RSA PRIVATE KEY", p1),
		"PKCS#8 PEM":    wrapped("PRIVATE KEY", p8),
		"PKCS#1 base64": bare(p1),
		"PKCS#8 base64": bare(p8),
		"in lines":      " " + bare(p8)[:64] + "\r\n" + bare(p8)[64:] + "\n",
		"wrong label":   wrapped("PRIVATE KEY", p1), // some tools do
	} {
		got, err := privateKey(text)
		if err != nil || !got.Equal(k) {
			t.Errorf("%s: %v", name, err)
		}
	}
	spki, pub1 := must(x509.MarshalPKIXPublicKey(&k.PublicKey)), x509.MarshalPKCS1PublicKey(&k.PublicKey)
	for name, text := range map[string]string{
		"X.509 PEM":     wrapped("PUBLIC KEY", spki),
		"PKCS#1 PEM":    wrapped("RSA PUBLIC KEY", pub1),
		"X.509 base64":  bare(spki),
		"PKCS#1 base64": bare(pub1),
	} {
		got, err := publicKey(text)
		if err != nil || !got.Equal(&k.PublicKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWrongKeysAreNamed(t *testing.T) {
	k := testKeys().ours
	curve := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	short := newKey(1024)
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotAfter: time.Unix(1, 0)}
	p8, spki := must(x509.MarshalPKCS8PrivateKey(k)), must(x509.MarshalPKIXPublicKey(&k.PublicKey))
	for _, tt := range []struct{ name, text, private, public string }{
		{"nothing", "  \n", "missing", "missing"},
		{"prose", "my key, please", "neither PEM nor base64", "neither PEM nor base64"},
		{"half a PEM", wrapped("PRIVATE KEY", p8)[:100], "broken PEM", "broken PEM"},
		{"two keys", wrapped("PRIVATE KEY", p8) + wrapped("PRIVATE KEY", p8), "after its PEM", "after its PEM"},
		{"a locked key", wrapped("ENCRYPTED PRIVATE KEY", p8), "password", "password"},
		{"half the base64", bare(p8[:len(p8)/2]), "neither PKCS#8 nor PKCS#1", "neither an X.509"},
		{"the wrong half", bare(spki), "is a public key", ""},
		{"the wrong other half", bare(p8), "", "is a private key"},
		{"the wrong other half, PKCS#1", bare(x509.MarshalPKCS1PrivateKey(k)), "", "is a private key"},
		{"a curve", bare(must(x509.MarshalPKCS8PrivateKey(curve))), "not an RSA key", "is a private key"},
		{"a curve's public half", bare(must(x509.MarshalPKIXPublicKey(&curve.PublicKey))), "neither PKCS#8", "not an RSA key"},
		{"a short key", bare(x509.MarshalPKCS1PrivateKey(short)), "1024 bits", "is a private key"},
		{"a short public key", bare(x509.MarshalPKCS1PublicKey(&short.PublicKey)), "is a public key", "1024 bits"},
		{"a certificate", wrapped("CERTIFICATE", must(x509.CreateCertificate(rand.Reader, cert, cert, &k.PublicKey, k))), "neither PKCS#8", "certificate"},
	} {
		for _, half := range []struct {
			name, want string
			parse      func(string) error
		}{
			{"private", tt.private, func(s string) error { _, err := privateKey(s); return err }},
			{"public", tt.public, func(s string) error { _, err := publicKey(s); return err }},
		} {
			err := half.parse(tt.text)
			switch {
			case half.want == "" && err != nil:
				t.Errorf("%s as %s key: %v", tt.name, half.name, err)
			case half.want != "" && (err == nil || !strings.Contains(err.Error(), half.want)):
				t.Errorf("%s as %s key: error %v, want %q", tt.name, half.name, err, half.want)
			case err != nil && strings.Contains(err.Error(), bare(p8)[:20]):
				t.Errorf("%s: the error shows the key", tt.name)
			}
		}
	}
}

// What is sent is what was signed: the gateway's side of our signature.
func TestRequestSignature(t *testing.T) {
	k := testKeys()
	a := &Adapter{key: k.ours, appID: "1", gateway: live, notify: testHook}
	link := must(a.link(attempt()))
	u := must(url.Parse(link))
	params := map[string]string{}
	for name, v := range u.Query() {
		params[name] = v[0]
	}
	gate := &Adapter{theirs: []*rsa.PublicKey{&k.ours.PublicKey}}
	if params["sign_type"] != "RSA2" || !gate.signed(textOf(params, "sign"), params["sign"]) {
		t.Error("the signature does not fit")
	}
	for name := range params {
		if name == "sign" {
			continue
		}
		was := params[name]
		params[name] = flipped(was)
		if gate.signed(textOf(params, "sign"), params["sign"]) {
			t.Errorf("the signature does not cover %s", name)
		}
		params[name] = was
	}
}
