package antomsim

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func vector(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func vectorKey(t *testing.T, name string) *rsa.PublicKey {
	t.Helper()
	block, _ := pem.Decode(vector(t, name))
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PublicKey)
}

// An answer of Antom's own: see testdata.
func TestThePublishedAnswerVerifies(t *testing.T) {
	key, body := vectorKey(t, "published-key.pem"), vector(t, "published-body.json")
	signature := strings.TrimSpace(string(vector(t, "published-signature.txt")))
	text := signedText("/ams/sandbox/api/v1/payments/pay", "SANDBOX_5YEV2N2ZV8LC00920", "2025-05-19T01:52:32Z", body)
	if !verifies(key, text, signature) {
		t.Error("it does not verify")
	}
	if verifies(key, strings.Replace(text, "1000", "1001", 1), signature) {
		t.Error("a changed amount verifies, too")
	}
	for _, wrong := range []string{"", "%", signature + "%0A", strings.Replace(signature, "%2B", "+", 1), strings.ToLower(signature)} {
		if verifies(key, text, wrong) {
			t.Errorf("%q verifies, too", wrong)
		}
	}
	// We write what we read the same way.
	var m members
	if err := json.Unmarshal(body, &m); err != nil || !bytes.Equal(m.text(), body) {
		t.Errorf("%v: written as %s", err, m.text())
	}
}

// A request that OpenSSL signed: see testdata.
func TestARequestByOpenSSLIsTaken(t *testing.T) {
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := New(Config{
		ClientID: "5Y00000000000000", MerchantKey: vectorKey(t, "openssl-key.pem"), AntomKey: own,
		Now: func() time.Time { return time.UnixMilli(1988161321000) },
	})
	post := func(body []byte) string {
		r := httptest.NewRequest(http.MethodPost, "/ams/api/v1/payments/pay", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Client-Id", "5Y00000000000000")
		r.Header.Set("Request-Time", "1988161321000")
		r.Header.Set("Signature", "algorithm=RSA256, keyVersion=1, signature="+url.QueryEscape(string(vector(t, "openssl-signature.txt"))))
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		return rec.Body.String()
	}
	body := vector(t, "openssl-body.json")
	if got := post(bytes.Replace(body, []byte("1980"), []byte("1981"), 2)); !strings.Contains(got, "INVALID_SIGNATURE") {
		t.Errorf("changed: %s", got)
	}
	if got := post(body); !strings.Contains(got, "PAYMENT_IN_PROCESS") {
		t.Errorf("%s", got)
	}
}

// OpenSSL believes what we sign.
func TestOpenSSLVerifiesWhatWeSign(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("SKIPPED: there is no openssl here; nobody but ourselves has checked our signatures")
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := signedText("/hooks?a=b", "5Y", "2033-01-01T03:02:01Z", []byte(`{"a":"天"}`))
	plain, err := url.QueryUnescape(sign(key, text))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(plain)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, b := range map[string][]byte{"key": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "signature": raw, "text": []byte(text)} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.CommandContext(t.Context(), openssl, "dgst", "-sha256", "-verify", "key", "-signature", "signature", "text")
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "Verified OK") {
		t.Errorf("%v: %s", err, out)
	}
}

// Whatever comes, nothing breaks, and only strings get in.
func FuzzReadObject(f *testing.F) {
	f.Add([]byte(`{"a":"b","c":{"d":["e"]}}`))
	f.Add([]byte(`{"a":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := readObject(b)
		if err != nil {
			return
		}
		var check func(v any)
		check = func(v any) {
			switch v := v.(type) {
			case string:
			case object:
				for _, m := range v {
					check(m)
				}
			case []any:
				for _, m := range v {
					check(m)
				}
			default:
				t.Fatalf("%T got in", v)
			}
		}
		check(o)
	})
}
