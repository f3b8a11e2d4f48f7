package wechatpaysim_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	sim "github.com/tsuzuku/tsuzuku/payment/wechatpay/wechatpaysim"
)

// The files in testdata are published: WX-K1, WX-1…3 and WX-P1…2 in WeChat
// Pay's documents on signing (4012365334, 4012365336, 4012365337 and
// wechatpay-skills); WX-R1, WX-C1 and WX-N1 in wechatpay-go, WX-R2 in
// wechatpay-java (both Apache-2.0). The keys are throw-away keys.
func vector(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(b), "\n")
}

func privateKey(t testing.TB, name string) *rsa.PrivateKey {
	t.Helper()
	block, _ := pem.Decode([]byte(vector(t, name) + "\n"))
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PrivateKey)
}

func publicKeyOf(t testing.TB, pemText string) *rsa.PublicKey {
	t.Helper()
	block, _ := pem.Decode([]byte(pemText + "\n"))
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c.PublicKey.(*rsa.PublicKey)
}

// flipped changes one letter or digit in the middle.
func flipped(s string) string {
	b := []byte(s)
	i := len(b) / 2
	if b[i] == 'a' {
		b[i] = 'b'
	} else {
		b[i] = 'a'
	}
	return string(b)
}

// agrees checks a signature: it is the one we make, it verifies, and it does
// not with a byte changed in it or in the text.
func agrees(t *testing.T, private *rsa.PrivateKey, public *rsa.PublicKey, text, signature string) {
	t.Helper()
	if private != nil {
		if got := sim.SignText(private, text); got != signature {
			t.Errorf("we sign %q as %s, published is %s", text, got, signature)
		}
	}
	if err := sim.VerifyText(public, text, signature); err != nil {
		t.Errorf("the published signature of %q does not verify: %v", text, err)
	}
	if sim.VerifyText(public, flipped(text), signature) == nil {
		t.Error("it verifies with a byte of the text changed")
	}
	if sim.VerifyText(public, text, flipped(signature)) == nil {
		t.Error("it verifies with a byte of the signature changed")
	}
}

func TestPublishedRequestsVerify(t *testing.T) {
	key := privateKey(t, "WX-K1")
	for _, id := range []string{"WX-1", "WX-2", "WX-3"} {
		part := strings.SplitN(vector(t, id+"-text"), "\n", 5)
		if len(part) == 4 {
			part = append(part, "") // the trailing line feed went with the file's own
		}
		agrees(t, key, &key.PublicKey, sim.RequestText(part[0], part[1], part[2], part[3], part[4]), vector(t, id+"-sig"))
	}
}

func TestPublishedPaymentSheetsVerify(t *testing.T) {
	key := privateKey(t, "WX-K1")
	for _, id := range []string{"WX-P1", "WX-P2"} {
		agrees(t, key, &key.PublicKey, sim.Lines(strings.Split(vector(t, id+"-text"), "\n")...), vector(t, id+"-sig"))
	}
}

func TestPublishedRawSignaturesVerify(t *testing.T) {
	r1, r2 := privateKey(t, "WX-R1-key"), privateKey(t, "WX-R2-key")
	agrees(t, r1, publicKeyOf(t, vector(t, "WX-C1")), "source", vector(t, "WX-R1-sig"))
	agrees(t, r2, publicKeyOf(t, vector(t, "WX-R2-cert")), "message", vector(t, "WX-R2-sig"))
	if sim.VerifyText(&r1.PublicKey, "message", vector(t, "WX-R2-sig")) == nil {
		t.Error("a signature verifies with another's key")
	}
}

func TestPublishedNotificationIsOneOfOurs(t *testing.T) {
	body := vector(t, "WX-N1-body")
	agrees(t, privateKey(t, "WX-R1-key"), publicKeyOf(t, vector(t, "WX-C1")),
		sim.AnswerText("1624523846", "EcZ9Cmy4Xyx1i6RlJQzLcCyEqDa26NBz", body), vector(t, "WX-N1-sig"))
	var n envelope
	if err := json.Unmarshal([]byte(body), &n); err != nil {
		t.Fatal(err)
	}
	r := n.Resource
	got := sim.Encrypt("testMchAPIv3Key0", r.Nonce, r.AssociatedData, vector(t, "WX-N1-plain"))
	if got != r.Ciphertext {
		t.Errorf("we seal it as %s", got)
	}
	if plain, err := unseal("testMchAPIv3Key0", r); err != nil || plain != vector(t, "WX-N1-plain") {
		t.Errorf("the test's own opener reads %q, %v", plain, err)
	}
	r.Ciphertext = flipped(r.Ciphertext)
	if _, err := unseal("testMchAPIv3Key0", r); err == nil {
		t.Error("it opens with a byte changed")
	}
}

func TestPublishedSealsAreOurs(t *testing.T) {
	for _, v := range []struct{ key, nonce, associated, ciphertext, plain string }{
		{"testAPIv3Key0000", "wCq51qZv4Yfg", "Dl56FrqWQJF1t9LtC3vEUsniZKvbqdR8", "FsdXzxryWfKwvLJKf8LG/ToRPTRh8RN9wROC", "Hello World"},
		{"a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb", "uluk4a9R25RW", "associatedData", "ulwSiIajGClcvcOYvOQ7+l+0PAbzzwI=", "message"},
	} {
		if got := sim.Encrypt(v.key, v.nonce, v.associated, v.plain); got != v.ciphertext {
			t.Errorf("%q is sealed as %s, want %s", v.plain, got, v.ciphertext)
		}
		if got := sim.Encrypt(v.key, v.nonce, flipped(v.associated), v.plain); got == v.ciphertext {
			t.Error("associated data has no part in the seal")
		}
		if raw, _ := base64.StdEncoding.DecodeString(v.ciphertext); len(raw) != len(v.plain)+16 {
			t.Errorf("the tag of %q is not 16 bytes at the end", v.plain)
		}
	}
}

func TestAuthorizationIsReadAsPublished(t *testing.T) {
	const published = `mchid="1234567890",nonce_str="A1B2C3D4E5F6G7",timestamp="1624523846",serial_no="0123456789ABC",signature="c2ln"`
	a, err := sim.ParseAuthorization("WECHATPAY2-SHA256-RSA2048 " + published)
	if diff := cmp.Diff([]string{"1234567890", "A1B2C3D4E5F6G7", "1624523846", "0123456789ABC", "c2ln"}, a.Parts()); diff != "" || err != nil {
		t.Error(err, diff)
	}
	// As in wechatpay-go: the body ends in a line feed and still gets its own.
	if got, want := sim.RequestText("POST", "/v3/certificates", "1624523846", "A1B2C3D4E5F6G7", "Hello World!\n"),
		"POST\n/v3/certificates\n1624523846\nA1B2C3D4E5F6G7\nHello World!\n\n"; got != want {
		t.Errorf("signed text %q, want %q", got, want)
	}
	for _, wrong := range []string{
		"", published, "WECHATPAY2-Mock " + published, "WECHATPAY2-SHA256-RSA2048", "WECHATPAY2-SHA256-RSA2048  ",
		"WECHATPAY2-SHA256-RSA2048 " + strings.Replace(published, `"`, "", 2), "WECHATPAY2-SHA256-RSA2048 " + published + `,mchid="1"`,
		"WECHATPAY2-SHA256-RSA2048 " + strings.Replace(published, "nonce_str", "mchid", 1), "WECHATPAY2-SHA256-RSA2048 " + strings.Replace(published, "serial_no", "serial", 1),
		"WECHATPAY2-SHA256-RSA2048 " + strings.Replace(published, "c2ln", "", 1),
	} {
		if _, err := sim.ParseAuthorization(wrong); err == nil {
			t.Errorf("taken: %s", wrong)
		}
	}
}
