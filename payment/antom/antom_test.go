package antom

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

var t0 = time.Date(2031, 5, 6, 17, 8, 9, 987654321, time.UTC)

const (
	testClient = "SANDBOX_5Y0000000000000000"
	testHook   = "https://shop.test/hooks/payment/antom"
	testID     = "20310506194010800100188000000000001"
	apiRoot    = "/ams/sandbox/api/v1/payments/"
)

// file is one of the vectors', made by testdata/vectors.sh.
func file(name string) string {
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		panic(err)
	}
	return string(b)
}

// antomKey is the key with which tests speak for Antom.
var antomKey = sync.OnceValue(func() *rsa.PrivateKey { return must(privateKey(file("antom-key.pem"))) })

func config() Config {
	return Config{ClientID: testClient, NotifyURL: testHook, PrivateKey: file("merchant-key.pem"), AntomKeys: []string{file("antom-pub.pem")}}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// desk is an adapter over a gateway that says what the test wants, and
// remembers what it was asked.
type desk struct {
	*Adapter
	now   time.Time
	mu    sync.Mutex
	asked []asked
}

type asked struct {
	path   string
	header http.Header
	body   string
}

func newDesk(t testing.TB, change func(*Config), answer http.HandlerFunc) *desk {
	t.Helper()
	d := &desk{now: t0}
	stranger := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		d.mu.Lock()
		d.asked = append(d.asked, asked{r.URL.Path, r.Header, string(body)})
		d.mu.Unlock()
		answer(w, r)
	})
	c := config()
	if change != nil {
		change(&c)
	}
	a, err := New(c, outbound.New(outbound.Options{Transport: &outboundsim.Wire{Stranger: stranger}}), func() time.Time { return d.now })
	if err != nil {
		t.Fatal(err)
	}
	d.Adapter = a
	return d
}

// answering is a gateway that answers each call with what is there for it, in
// turn, signed; the last is repeated.
func answering(bodies map[string][]string) http.HandlerFunc {
	turn := map[string]int{}
	return func(w http.ResponseWriter, r *http.Request) {
		end := strings.TrimPrefix(r.URL.Path, apiRoot)
		all := bodies[end]
		if len(all) == 0 {
			panic("nothing to say to " + r.URL.Path)
		}
		body := all[min(turn[end], len(all)-1)]
		turn[end]++
		maps.Copy(w.Header(), signed("Response-Time", r.URL.Path, body))
		_, _ = io.WriteString(w, body)
	}
}

// signed are the headers of something that Antom says.
func signed(timed, path, body string) http.Header {
	const stamp = "2031-05-06T17:08:10+08:00"
	sum := sha256.Sum256([]byte("POST " + path + "\n" + testClient + "." + stamp + "." + body))
	sig := must(rsa.SignPKCS1v15(rand.Reader, antomKey(), crypto.SHA256, sum[:]))
	return http.Header{
		"Client-Id": {testClient}, timed: {stamp},
		"Signature": {"algorithm=RSA256,keyVersion=1,signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(sig))},
	}
}

func attempt() payment.Attempt {
	return payment.Attempt{
		Ref: "abcdefghij0123456789klmnop", Rail: payment.Alipay, Amount: money.Of(1980, "CNY"),
		Description: "日本 10天 5G\u0007 & 4G", ReturnURL: "https://shop.test/back?o=1&p=2", CancelURL: "https://shop.test/quit",
		Tags:      map[string]string{"order": "ord_1", "account": "ac_1"},
		CreatedAt: t0, ExpiresAt: t0.Add(2 * time.Hour), Device: payment.Phone, ClientIP: "203.0.113.7", ProviderID: testID,
	}
}

// fields is an answer in JSON: a result, and what is given.
func fields(status status, code string, members map[string]any) string {
	all := map[string]any{"result": map[string]string{
		"resultStatus": string(status), "resultCode": code, "resultMessage": "王先生 13800000000",
	}}
	maps.Copy(all, members)
	return string(must(json.Marshal(all)))
}

func result(status status, code string) string { return fields(status, code, nil) }

// only reports whether err wraps one of the port's two errors, and not the other.
func only(err, kind error) bool {
	return errors.Is(err, kind) && errors.Is(err, payment.ErrUnknown) != errors.Is(err, payment.ErrNotSent)
}

func TestConfigIsChecked(t *testing.T) {
	client := outbound.New(outbound.Options{})
	for _, tt := range []struct {
		want  string
		spoil func(*Config)
	}{
		{"client ID", func(c *Config) { c.ClientID = "" }},
		{"client ID", func(c *Config) { c.ClientID = "a.b" }}, // it would move a border in what is signed
		{"webhook", func(c *Config) { c.NotifyURL = "/hooks/payment/antom" }},
		{"without a query", func(c *Config) { c.NotifyURL += "?id=1" }},
		{"gateway", func(c *Config) { c.Gateway = "open-sea-global.alipay.com" }},
		{"gateway", func(c *Config) { c.Gateway = "https://open-sea-global.alipay.com/ams" }},
		{"key version", func(c *Config) { c.KeyVersion = -1 }},
		{"card is not taken", func(c *Config) { c.Rails = []payment.Rail{payment.Card} }},
		{"twice", func(c *Config) { c.Rails = []payment.Rail{payment.Alipay, payment.Alipay} }},
		{"settlement", func(c *Config) { c.Settle = "yen" }},
		{"private key is missing", func(c *Config) { c.PrivateKey = "" }},
		{"private key is neither", func(c *Config) { c.PrivateKey = file("merchant-pub.pem") }},
		{"public key is missing", func(c *Config) { c.AntomKeys = nil }},
		{"public key 2 is neither", func(c *Config) { c.AntomKeys = append(c.AntomKeys, "my key, please") }},
		{"is our own", func(c *Config) { c.AntomKeys[0] = file("merchant-pub.pem") }},
	} {
		c := config()
		tt.spoil(&c)
		if _, err := New(c, client, time.Now); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %q", err, tt.want)
		}
	}
	if _, err := New(Config{}, client, time.Now); err == nil || strings.Count(err.Error(), "\n") < 3 {
		t.Errorf("nothing at all: %v", err)
	}
	c := config()
	for _, s := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c)} {
		if strings.Contains(s, c.PrivateKey[40:60]) {
			t.Errorf("the configuration shows itself as %s", s)
		}
	}
}

// Each way to pay has its one currency and limits, and no other is taken.
func TestLimits(t *testing.T) {
	l := Everything().Limits()
	for _, tt := range []struct {
		rail  payment.Rail
		m     money.Money
		takes bool
	}{
		{payment.Alipay, money.Of(9, "CNY"), false},
		{payment.Alipay, money.Of(10, "CNY"), true},
		{payment.Alipay, money.Of(30_000_000, "CNY"), true},
		{payment.Alipay, money.Of(30_000_001, "CNY"), false},
		{payment.Alipay, money.Of(1980, "JPY"), false},
		{payment.PayPay, money.Of(1, "JPY"), true},
		{payment.PayPay, money.Of(1980, "CNY"), false},
		{payment.LINEPay, money.Of(5_000_000, "THB"), true},
		{payment.LINEPay, money.Of(5_000_001, "THB"), false},
		{payment.LINEPay, money.Of(100, "TWD"), false},
		{payment.Card, money.Of(1980, "JPY"), false},
	} {
		if l.Takes(tt.rail, tt.m) != tt.takes {
			t.Errorf("%s %v: %v", tt.rail, tt.m, !tt.takes)
		}
	}
	a := must(New(config(), outbound.New(outbound.Options{}), time.Now))
	if l := a.Limits(); len(l.Rails) != 1 || l.Rails[0] != payment.Alipay || len(l.Currencies) != 1 {
		t.Errorf("without a choice: %+v", l)
	}
}

func TestKeysInAllTheirForms(t *testing.T) {
	k := must(privateKey(file("merchant-key.pem")))
	block := func(label string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
	}
	p1, p8 := x509.MarshalPKCS1PrivateKey(k), must(x509.MarshalPKCS8PrivateKey(k))
	for name, text := range map[string]string{
		"PKCS#1 PEM": block("RSA PRIVATE KEY", p1), "PKCS#8 PEM": block("PRIVATE KEY", p8),
		"PKCS#1": base64.StdEncoding.EncodeToString(p1), "PKCS#8": " " + base64.StdEncoding.EncodeToString(p8)[:64] + "\r\n" + base64.StdEncoding.EncodeToString(p8)[64:],
	} {
		if got, err := privateKey(text); err != nil || !got.Equal(k) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, der := range map[string][]byte{"X.509": must(x509.MarshalPKIXPublicKey(&k.PublicKey)), "PKCS#1": x509.MarshalPKCS1PublicKey(&k.PublicKey)} {
		for _, text := range []string{block("PUBLIC KEY", der), base64.StdEncoding.EncodeToString(der)} {
			if got, err := publicKey(text); err != nil || !got.Equal(&k.PublicKey) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	short := must(rsa.GenerateKey(rand.Reader, 1024))
	curve := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	for want, texts := range map[string][2]string{
		"1024 bits":     {block("", x509.MarshalPKCS1PrivateKey(short)), block("", x509.MarshalPKCS1PublicKey(&short.PublicKey))},
		"not an RSA":    {block("", must(x509.MarshalPKCS8PrivateKey(curve))), block("", must(x509.MarshalPKIXPublicKey(&curve.PublicKey)))},
		"broken PEM":    {block("X", p8)[:100], block("X", p8)[:100]},
		"after its PEM": {block("X", p8) + block("X", p8), block("X", p8) + "x"},
		"missing":       {" \n", ""},
	} {
		if _, err := privateKey(texts[0]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("private: %v, want %q", err, want)
		}
		if _, err := publicKey(texts[1]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("public: %v, want %q", err, want)
		}
	}
}
