package alipay

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

var t0 = time.Date(2031, 5, 6, 17, 8, 9, 987654321, time.UTC) // the next day in China

const (
	testApp    = "2021000000000001"
	testSeller = "2088000000000001"
	testHook   = "https://shop.test/hooks/payment/alipay"
)

func config() Config {
	k := testKeys()
	return Config{
		AppID: testApp, SellerID: testSeller, NotifyURL: testHook,
		PrivateKey: bare(x509.MarshalPKCS1PrivateKey(k.ours)),
		AlipayKeys: []string{bare(must(x509.MarshalPKIXPublicKey(&k.theirs.PublicKey)))},
	}
}

// desk is an adapter over a gateway that says what the test wants, and
// remembers what it was asked.
type desk struct {
	*Adapter
	now   time.Time
	mu    sync.Mutex
	asked []url.Values // address and body together
}

func newDesk(t testing.TB, qr bool, answer func(method string) (status int, body string)) *desk {
	t.Helper()
	d := &desk{now: t0}
	stranger := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		d.mu.Lock()
		d.asked = append(d.asked, r.Form)
		d.mu.Unlock()
		status, body := answer(r.Form.Get("method"))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	c := config()
	c.QR = qr
	a, err := New(c, outbound.New(outbound.Options{Transport: &outboundsim.Wire{Stranger: stranger}}), func() time.Time { return d.now })
	if err != nil {
		t.Fatal(err)
	}
	d.Adapter = a
	return d
}

// answering is a gateway that answers each method with a signed member.
func answering(members map[string]string) func(string) (int, string) {
	return func(method string) (int, string) { return 200, envelope(method, members[method]) }
}

func envelope(method, text string) string {
	sign := must(json.Marshal(signature(testKeys().theirs, []byte(text))))
	return `{"` + strings.ReplaceAll(method, ".", "_") + `_response":` + text + `,"sign":` + string(sign) + `}`
}

func signature(k *rsa.PrivateKey, text []byte) string {
	sum := sha256.Sum256(text)
	return base64.StdEncoding.EncodeToString(must(rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])))
}

func attempt() payment.Attempt {
	return payment.Attempt{
		Ref: "abcdefghij0123456789klmnop", Rail: payment.Alipay, Amount: money.Of(1980, "CNY"),
		Description: "日本/10天 = 5G & 4G", ReturnURL: "https://shop.test/back?o=1&p=2", CancelURL: "https://shop.test/quit",
		Tags:      map[string]string{"order": "ord_1", "account": "ac_1"},
		CreatedAt: t0, ExpiresAt: t0.Add(2 * time.Hour), Device: payment.Phone, ProviderID: "abcdefghij0123456789klmnop",
	}
}

// member is an answer's member in JSON: code 10000 and what is given.
func said(members map[string]any) string {
	all := map[string]any{"code": "10000", "msg": "Success"}
	for k, v := range members {
		all[k] = v
	}
	return string(must(json.Marshal(all)))
}

func no(code, sub string) string {
	return said(map[string]any{"code": code, "msg": "Business Failed", "sub_code": sub, "sub_msg": "王先生 13800000000"})
}

func TestConfigIsChecked(t *testing.T) {
	k := testKeys()
	client := outbound.New(outbound.Options{})
	for _, tt := range []struct {
		want  string
		spoil func(*Config)
	}{
		{"application's identifier", func(c *Config) { c.AppID = "app" }},
		{"the seller", func(c *Config) { c.SellerID = "208800000000000" }},
		{"the seller", func(c *Config) { c.SellerID = "1088000000000001" }},
		{"webhook", func(c *Config) { c.NotifyURL = "/hooks/payment/alipay" }},
		{"without a query", func(c *Config) { c.NotifyURL += "?id=1" }},
		{"gateway", func(c *Config) { c.Gateway = "openapi.alipay.com" }},
		{"private key is missing", func(c *Config) { c.PrivateKey = "" }},
		{"public key is missing", func(c *Config) { c.AlipayKeys = nil }},
		{"public key 2 is neither", func(c *Config) { c.AlipayKeys = append(c.AlipayKeys, "x") }},
		{"is the application's own", func(c *Config) {
			c.AlipayKeys[0] = bare(must(x509.MarshalPKIXPublicKey(&k.ours.PublicKey)))
		}},
	} {
		c := config()
		tt.spoil(&c)
		if _, err := New(c, client, time.Now); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %q", err, tt.want)
		}
	}
	if _, err := New(Config{}, client, time.Now); err == nil || strings.Count(err.Error(), "\n") < 4 {
		t.Errorf("nothing at all: %v", err)
	}
	c := config()
	for _, s := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c)} {
		if strings.Contains(s, c.PrivateKey[:20]) {
			t.Errorf("the configuration shows itself as %s", s)
		}
	}
}

// Any of Alipay's keys will do while one is being replaced.
func TestSecondKey(t *testing.T) {
	c := config()
	c.AlipayKeys = []string{al1Key, c.AlipayKeys[0]}
	a := must(New(c, outbound.New(outbound.Options{}), time.Now))
	if !a.signed([]byte("x"), signature(testKeys().theirs, []byte("x"))) {
		t.Error("the second key is not tried")
	}
}

// What becomes of a call, by status and code. A no counts only when it is
// signed and the business's; everything else is unknown, or was not taken.
func TestAnswersAreSorted(t *testing.T) {
	const method = "alipay.trade.refund"
	key := testKeys().theirs
	unsigned := func(text string) string { return `{"alipay_trade_refund_response":` + text + `}` }
	missigned := func(text string) string { return strings.Replace(envelope(method, text), `"code"`, `"Code"`, 1) }
	unknown, notSent := payment.ErrUnknown, payment.ErrNotSent
	for _, tt := range []struct {
		name   string
		status int
		body   string
		no     string
		kind   error
	}{
		{"yes", 200, envelope(method, said(nil)), "", nil},
		{"no", 200, envelope(method, no("40004", "ACQ.TRADE_NOT_EXIST")), "ACQ.TRADE_NOT_EXIST", nil},
		{"a no we never heard of", 200, envelope(method, no("40004", "ACQ.NEW")), "ACQ.NEW", nil},
		{"no, by error_response", 200, `{"error_response":` + no("40004", "ACQ.X") + `,"sign":"` + signature(key, []byte(no("40004", "ACQ.X"))) + `"}`, "ACQ.X", nil},
		{"system error", 200, envelope(method, no("40004", "ACQ.SYSTEM_ERROR")), "", unknown},
		{"system error, misspelt", 200, envelope(method, no("40004", "AQC.SYSTEM_ERROR")), "", unknown},
		{"a service behind the gateway", 200, envelope(method, no("40004", "isp.some-service-timeout")), "", unknown},
		{"a failure that says nothing", 200, envelope(method, no("40004", "")), "", unknown},
		{"unavailable", 200, envelope(method, no("20000", "isp.unknow-error")), "", unknown},
		{"in process", 200, envelope(method, no("10003", "")), "", unknown},
		{"a code we never heard of", 200, envelope(method, no("50000", "ACQ.X")), "", unknown},
		{"no code", 200, envelope(method, `{}`), "", unknown},
		{"no permission", 200, envelope(method, no("40006", "isv.insufficient-isv-permissions")), "", notSent},
		{"wrong parameter", 200, envelope(method, no("40002", "isv.invalid-parameter")), "", notSent},
		{"too fast", 200, envelope(method, no("40005", "isv.app-call-limited")), "", notSent},
		{"an unsigned no", 200, unsigned(no("40004", "ACQ.TRADE_NOT_EXIST")), "", unknown},
		{"an unsigned yes", 200, unsigned(said(nil)), "", unknown},
		{"unsigned, turned away", 200, unsigned(no("40002", "isv.invalid-signature")), "", unknown},
		{"a signature of something else", 200, missigned(no("40004", "ACQ.X")), "", unknown},
		{"an answer to another call", 200, envelope("alipay.trade.query", said(nil)), "", unknown},
		{"half an answer", 200, envelope(method, said(nil))[:80], "", unknown},
		{"a page", 200, "<html>maintenance</html>", "", unknown},
		{"broken", 500, envelope(method, said(nil)), "", unknown},
		{"elsewhere", 302, "", "", unknown},
		{"busy", 429, "", "", notSent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, false, func(string) (int, string) { return tt.status, tt.body })
			r, err := d.act(t.Context(), method, named{"x"})
			if tt.kind == nil && (err != nil || r.no != tt.no) || tt.kind != nil && !only(err, tt.kind) {
				t.Errorf("act: no %q, error %v; want no %q, error %v", r.no, err, tt.no, tt.kind)
			}
			_, err = d.read(t.Context(), method, named{"x"})
			if (err == nil) != (tt.kind == nil) || err != nil && !only(err, notSent) {
				t.Errorf("read: error %v", err)
			}
			if errors.Is(err, payment.ErrUnproven) != (tt.name == "an unsigned no") {
				t.Errorf("read: whether Alipay is there: error %v", err)
			}
			if err != nil && (strings.Contains(err.Error(), "王") || strings.Contains(err.Error(), "138")) {
				t.Errorf("the error quotes the answer: %v", err)
			}
		})
	}
}

// only reports whether err wraps one of the port's two errors, and not the other.
func only(err, kind error) bool {
	return errors.Is(err, kind) && errors.Is(err, payment.ErrUnknown) != errors.Is(err, payment.ErrNotSent)
}

// The address says how to read the body, each parameter comes once, and times
// are Alipay's.
func TestCallsAsTheGatewayWantsThem(t *testing.T) {
	d := newDesk(t, true, answering(map[string]string{
		precreate: said(map[string]any{"out_trade_no": attempt().Ref, "qr_code": "https://qr.alipay.com/x"}),
	}))
	at := attempt()
	at.Device = payment.Computer
	obs, err := d.Start(t.Context(), at)
	if err != nil || obs.Next.QR != "https://qr.alipay.com/x" || obs.Next.RedirectURL != "" || obs.ProviderID != at.Ref {
		t.Errorf("Start says %+v, %v", obs, err)
	}
	form := d.asked[0]
	for name, want := range map[string]string{
		"app_id": testApp, "method": precreate, "charset": "utf-8", "format": "JSON", "sign_type": "RSA2", "version": "1.0",
		"timestamp": "2031-05-07 01:08:09", "notify_url": testHook,
		"biz_content": `{"out_trade_no":"abcdefghij0123456789klmnop","total_amount":"19.80","subject":"日本 10天 5G 4G",` +
			`"body":"account ac_1, order ord_1","time_expire":"2031-05-07 03:08:09"}`,
	} {
		if got := form[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if _, err := d.Abandon(t.Context(), at); !only(err, payment.ErrUnknown) {
		t.Errorf("Abandon: %v", err)
	}
	if _, ok := d.asked[1]["notify_url"]; ok {
		t.Error("a close is told to the webhook")
	}
}
