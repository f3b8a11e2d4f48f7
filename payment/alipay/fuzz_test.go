package alipay

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"testing"
)

// Whatever is pasted as a key, a key that is taken is long enough, and is the same
// when it is written as PEM or as bare base64 and read again.
func FuzzKeys(f *testing.F) {
	f.Add(al3Key)
	f.Add(al4Key)
	f.Add("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
	f.Add("MIIB")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if k, err := publicKey(text); err == nil {
			if k.N.BitLen() < minBits {
				t.Errorf("a key of %d bits is taken", k.N.BitLen())
			}
			der, err := x509.MarshalPKIXPublicKey(k)
			if err != nil {
				t.Fatal(err)
			}
			for _, form := range []string{base64.StdEncoding.EncodeToString(der), string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))} {
				if again, err := publicKey(form); err != nil || !again.Equal(k) {
					t.Errorf("read again: %v", err)
				}
			}
		}
		if k, err := privateKey(text); err == nil {
			if k.N.BitLen() < minBits {
				t.Errorf("a key of %d bits is taken", k.N.BitLen())
			}
			if again, err := privateKey(base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(k))); err != nil || !again.Equal(k) {
				t.Errorf("read again: %v", err)
			}
		}
	})
}
