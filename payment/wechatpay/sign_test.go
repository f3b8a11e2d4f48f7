package wechatpay

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"strings"
	"testing"
)

// vectors are WeChat Pay's own: the requests from its pages 4012365334, -36 and
// -37, the others from the tests of wechatpay-go and wechatpay-java
// (Apache-2.0), with their keys and certificates.
type vectors struct {
	Requests     []struct{ Name, Text, Signature string }
	Raw          []struct{ Name, Key, Cert, Text, Signature string }
	Notification struct{ Serial, Timestamp, Nonce, Key, Signature, Body, Plain string }
	Sealed       []struct {
		Name, Key, Nonce, Ciphertext, Plain string
		AssociatedData                      string `json:"associated_data"`
	}
}

func published(t *testing.T) (v vectors) {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Requests) != 3 || len(v.Raw) != 2 || len(v.Sealed) != 2 || v.Notification.Body == "" {
		t.Fatalf("not all vectors are there: %+v", v)
	}
	return v
}

func certificateKey(t *testing.T, file string) *rsa.PublicKey {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c.PublicKey.(*rsa.PublicKey)
}

func TestPublishedRequestSignatures(t *testing.T) {
	key := privateKey(t, "merchant-key.pem")
	for _, v := range published(t).Requests {
		// The file has them without the last line feed, which lines adds.
		parts := strings.SplitN(v.Text, "\n", 5)
		got, err := sign(key, lines(parts...))
		if err != nil || got != v.Signature {
			t.Errorf("%s: %s, %v", v.Name, got, err)
		}
		parts[3] += "x"
		if other, _ := sign(key, lines(parts...)); other == v.Signature {
			t.Errorf("%s: another nonce has the same signature", v.Name)
		}
	}
}

func TestPublishedRawSignatures(t *testing.T) {
	for _, v := range published(t).Raw {
		if got, err := sign(privateKey(t, v.Key), []byte(v.Text)); err != nil || got != v.Signature {
			t.Errorf("%s: %s, %v", v.Name, got, err)
		}
		if key := certificateKey(t, v.Cert); !key.Equal(&privateKey(t, v.Key).PublicKey) {
			t.Errorf("%s: the certificate has another key", v.Name)
		}
	}
}

// The layout of the header, from wechatpay-go's tests: there the signature is
// the text that is signed.
func TestPublishedHeader(t *testing.T) {
	for _, tt := range []struct{ method, body, want string }{
		{"GET", "", "Sign:GET\n/v3/certificates\n1624523846\nA1B2C3D4E5F6G7\n\n"},
		{"POST", "Hello World!\n", "Sign:POST\n/v3/certificates\n1624523846\nA1B2C3D4E5F6G7\nHello World!\n\n"},
	} {
		sig := "Sign:" + string(lines(tt.method, "/v3/certificates", "1624523846", "A1B2C3D4E5F6G7", tt.body))
		got := credentials("1234567890", "A1B2C3D4E5F6G7", "1624523846", "0123456789ABC", sig)
		want := `WECHATPAY2-SHA256-RSA2048 mchid="1234567890",nonce_str="A1B2C3D4E5F6G7",timestamp="1624523846",` +
			`serial_no="0123456789ABC",signature="` + tt.want + `"`
		if got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

func TestPublishedNotificationSignature(t *testing.T) {
	v := published(t).Notification
	sig, err := base64.StdEncoding.DecodeString(v.Signature)
	if err != nil {
		t.Fatal(err)
	}
	s := signature{stamp: v.Timestamp, nonce: v.Nonce, serial: v.Serial, sig: sig}
	key := certificateKey(t, "platform-cert.pem")
	if !s.fits(key, []byte(v.Body)) {
		t.Error("the published signature does not fit")
	}
	for i := range v.Body {
		if i%37 != 0 {
			continue
		}
		changed := []byte(v.Body)
		changed[i] ^= 1
		if s.fits(key, changed) {
			t.Fatalf("it fits a body whose byte %d was changed", i)
		}
	}
	for _, other := range []signature{
		{stamp: "1624523847", nonce: s.nonce, sig: sig},
		{stamp: s.stamp, nonce: s.nonce[1:], sig: sig},
		{stamp: s.stamp, nonce: s.nonce, sig: append(bytes.Clone(sig[:255]), sig[255]^1)},
		{stamp: s.stamp, nonce: s.nonce, sig: sig[:255]},
		{stamp: s.stamp, nonce: s.nonce},
	} {
		if other.fits(key, []byte(v.Body)) {
			t.Errorf("%s %s also fits", other.stamp, other.nonce)
		}
	}
	if s.fits(certificateKey(t, "expired-cert.pem"), []byte(v.Body)) {
		t.Error("it fits another key")
	}
}

func TestPublishedEncryption(t *testing.T) {
	all := published(t)
	open := func(key, nonce, associated, ciphertext string) (string, error) {
		plain, err := sealed{"AEAD_AES_256_GCM", ciphertext, associated, nonce}.open(key)
		return string(plain), err
	}
	for _, v := range all.Sealed {
		if got, err := open(v.Key, v.Nonce, v.AssociatedData, v.Ciphertext); err != nil || got != v.Plain {
			t.Errorf("%s: %q, %v", v.Name, got, err)
		}
		for name, try := range map[string][4]string{
			"another key":         {strings.ToUpper(v.Key), v.Nonce, v.AssociatedData, v.Ciphertext},
			"no key":              {"not a aes key", v.Nonce, v.AssociatedData, v.Ciphertext},
			"another nonce":       {v.Key, "xxxxxxxxxxxx", v.AssociatedData, v.Ciphertext},
			"a short nonce":       {v.Key, v.Nonce[1:], v.AssociatedData, v.Ciphertext},
			"other data":          {v.Key, v.Nonce, v.AssociatedData + "x", v.Ciphertext},
			"a changed byte":      {v.Key, v.Nonce, v.AssociatedData, "A" + v.Ciphertext[1:]},
			"no base64":           {v.Key, v.Nonce, v.AssociatedData, "invalid cipher"},
			"too short":           {v.Key, v.Nonce, v.AssociatedData, "SGVsbG8gV29ybGQK"},
			"nothing":             {v.Key, v.Nonce, v.AssociatedData, ""},
			"shorter than a tag":  {v.Key, v.Nonce, v.AssociatedData, "SGVs"},
			"another test's text": {v.Key, v.Nonce, v.AssociatedData, all.Sealed[0].Ciphertext[:8] + all.Sealed[1].Ciphertext[8:]},
		} {
			if got, err := open(try[0], try[1], try[2], try[3]); err == nil {
				t.Errorf("%s: %s: %q", v.Name, name, got)
			}
		}
	}
	var n notification
	if err := json.Unmarshal([]byte(all.Notification.Body), &n); err != nil {
		t.Fatal(err)
	}
	if plain, err := n.Resource.open(all.Notification.Key); err != nil || string(plain) != all.Notification.Plain {
		t.Errorf("the published notification: %q, %v", plain, err)
	}
	n.Resource.Algorithm = "AES"
	if _, err := n.Resource.open(all.Notification.Key); err == nil {
		t.Error("another algorithm is taken for this one")
	}
}
