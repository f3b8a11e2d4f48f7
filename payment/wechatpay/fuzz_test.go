package wechatpay

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"testing"
)

// Whatever a download of certificates holds, sealed as WeChat Pay seals it or not
// at all: each key that is read is the one of a certificate by that number, and
// can be written down and read again.
func FuzzCertificates(f *testing.F) {
	file, err := os.ReadFile("testdata/platform-cert.pem")
	if err != nil {
		f.Fatal(err)
	}
	block, _ := pem.Decode(file)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		f.Fatal(err)
	}
	serial := fmt.Sprintf("%X", c.SerialNumber)
	f.Add(true, serial, string(file))
	f.Add(true, "00"+serial, string(file)+string(file))
	f.Add(true, "AB01", string(file))
	f.Add(true, "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	f.Add(false, serial, certList(f, "platform-cert.pem", serial))
	f.Add(false, "", `{"data":[{"serial_no":"1","encrypt_certificate":{"algorithm":"AEAD_AES_256_GCM","nonce":"x"}}]}`)
	f.Fuzz(func(t *testing.T, seal bool, serial, text string) {
		body := text
		if seal {
			body = encode(t, map[string]any{"data": []any{map[string]any{"serial_no": serial, "encrypt_certificate": sealText(t, testKey, text)}}})
		}
		known, err := openCertificates([]byte(body), testKey)
		if err != nil {
			if len(known) > 0 {
				t.Errorf("a refused list has %d certificates", len(known))
			}
			return
		}
		for name, c := range known {
			if c.key == nil || !c.until.After(c.from) || c.covers(c.until) || name != canonical(name) {
				t.Errorf("%s: %+v", name, c)
			}
			der, err := x509.MarshalPKIXPublicKey(c.key)
			if err != nil {
				t.Fatal(err)
			}
			again, err := parsePublicKey(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
			if err != nil || !again.Equal(c.key) {
				t.Errorf("%s: written and read again it is %v, %v", name, again, err)
			}
		}
		if seal && len(known) > 0 && known[canonical(serial)].key == nil {
			t.Errorf("%q is not among %v", serial, known)
		}
	})
}
