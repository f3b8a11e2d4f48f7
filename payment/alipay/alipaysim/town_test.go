package alipaysim_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment/alipay/alipaysim"
)

const (
	appID    = "2031000000000001"
	sellerID = "2088000000000001"
	gateway  = "https://pages.test/gateway.do"
	page     = "alipay.trade.page.pay"
	wap      = "alipay.trade.wap.pay"
	code     = "alipay.trade.precreate"
	query    = "alipay.trade.query"
	closing  = "alipay.trade.close"
	cancel   = "alipay.trade.cancel"
	refund   = "alipay.trade.refund"
	refunded = "alipay.trade.fastpay.refund.query"
)

var zone = time.FixedZone("", 8*3600)

type keys struct{ merchant, alipay, stranger *rsa.PrivateKey }

// made are the keys of all tests: making them takes a while.
var made = sync.OnceValue(func() (k keys) {
	for _, p := range []**rsa.PrivateKey{&k.merchant, &k.alipay, &k.stranger} {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		*p = key
	}
	return k
})

// town is a simulator with a clock that the test moves, and the merchant.
type town struct {
	*alipaysim.Sim
	mu  sync.Mutex
	now time.Time
}

func newTown(change ...func(*alipaysim.Config)) *town {
	w := &town{now: time.Date(2031, 5, 4, 3, 2, 1, 0, time.UTC)}
	cfg := alipaysim.Config{
		AppID: appID, SellerID: sellerID, MerchantKey: &made().merchant.PublicKey, AlipayKey: made().alipay,
		Now: w.clock, PageBase: "https://pages.test",
	}
	for _, f := range change {
		f(&cfg)
	}
	w.Sim = alipaysim.New(cfg)
	return w
}

func (w *town) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *town) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// at writes an instant from now as Alipay reads it.
func (w *town) at(d time.Duration) string {
	return w.clock().Add(d).In(zone).Format("2006-01-02 15:04:05")
}

// signText is the document's text to be signed.
func signText(p url.Values, without ...string) string {
	var names []string
	for name := range p {
		if !slices.Contains(without, name) && p.Get(name) != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = name + "=" + p.Get(name)
	}
	return strings.Join(names, "&")
}

func signed(key *rsa.PrivateKey, text string) string {
	sum := sha256.Sum256([]byte(text))
	b, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(b)
}

func isAlipays(text, signature string) bool {
	sum := sha256.Sum256([]byte(text))
	b, err := base64.StdEncoding.DecodeString(signature)
	return err == nil && rsa.VerifyPKCS1v15(&made().alipay.PublicKey, crypto.SHA256, sum[:], b) == nil
}

// request makes a signed request; more are pairs of public parameters, set
// before signing. An empty value leaves the parameter out.
func (w *town) request(method string, biz any, more ...string) url.Values {
	content, ok := biz.(string)
	if !ok {
		b, err := json.Marshal(biz)
		if err != nil {
			panic(err)
		}
		content = string(b)
	}
	p := url.Values{
		"app_id": {appID}, "method": {method}, "format": {"JSON"}, "charset": {"utf-8"}, "sign_type": {"RSA2"},
		"timestamp": {w.at(0)}, "version": {"1.0"}, "biz_content": {content},
	}
	for i := 0; i < len(more); i += 2 {
		if p.Set(more[i], more[i+1]); more[i+1] == "" {
			p.Del(more[i])
		}
	}
	p.Set("sign", signed(made().merchant, signText(p, "sign")))
	return p
}

// answer is what the gateway said.
type answer struct {
	status int
	name   string // of the member
	raw    string // the member
	sign   string
	body   map[string]any
}

func (a answer) at(name string) string { s, _ := a.body[name].(string); return s }

// said is the code, or the sub_code if there is one.
func (a answer) said() string {
	if s := a.at("sub_code"); s != "" {
		return s
	}
	return a.at("code")
}

// send posts a request as the document wants it: biz_content in the body, all
// else in the address.
func (w *town) send(p url.Values) answer {
	address, body := url.Values{}, url.Values{}
	for name, values := range p {
		if name == "biz_content" {
			body[name] = values
		} else {
			address[name] = values
		}
	}
	return w.post("/gateway.do?"+address.Encode(), body.Encode())
}

func (w *town) post(target, body string) (a answer) {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.do(r)
}

func (w *town) do(r *http.Request) (a answer) {
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	a.status = rec.Code
	var members map[string]json.RawMessage
	if json.Unmarshal(rec.Body.Bytes(), &members) != nil {
		return a
	}
	for name, raw := range members {
		if name == "sign" {
			_ = json.Unmarshal(raw, &a.sign)
			continue
		}
		a.name, a.raw = name, string(raw)
		_ = json.Unmarshal(raw, &a.body)
	}
	return a
}

type biz = map[string]any

// call is send for a call without public parameters of its own.
func (w *town) call(method string, b any, more ...string) answer {
	return w.send(w.request(method, b, more...))
}

// order is a good biz_content for an order over 19.80 yuan.
func order(method, ref string, more ...string) biz {
	products := map[string]string{page: "FAST_INSTANT_TRADE_PAY", wap: "QUICK_WAP_WAY", code: "QR_CODE_OFFLINE"}
	b := biz{"out_trade_no": ref, "total_amount": "19.80", "subject": "30 天 30 days", "product_code": products[method]}
	for i := 0; i < len(more); i += 2 {
		if b[more[i]] = more[i+1]; more[i+1] == "" {
			delete(b, more[i])
		}
	}
	return b
}

// link is what the merchant gives the customer's browser.
func (w *town) link(method string, b any) string {
	return gateway + "?" + w.request(method, b, "notify_url", "https://shop.test/notify", "return_url", "https://shop.test/back?from=1").Encode()
}

// opened lets the customer open a link; bought lets them pay, too.
func (w *town) opened(t *testing.T, method, ref string, more ...string) {
	t.Helper()
	if got, err := w.Open(w.link(method, order(method, ref, more...))); err != nil || got != ref {
		t.Fatalf("opened %q: %v", got, err)
	}
}

func (w *town) bought(t *testing.T, method, ref string) {
	t.Helper()
	if method == code {
		w.want(t, w.call(code, order(code, ref), "notify_url", "https://shop.test/notify"), "10000")
	} else {
		w.opened(t, method, ref)
	}
	if _, err := w.Pay(ref); err != nil {
		t.Fatal(err)
	}
}

func (w *town) want(t *testing.T, a answer, said string) {
	t.Helper()
	if a.said() != said {
		t.Fatalf("%s %s, want %s", a.name, a.raw, said)
	}
	if said == "10000" && !isAlipays(a.raw, a.sign) {
		t.Fatalf("%s: signature %q is not Alipay's", a.raw, a.sign)
	}
}

// status is what a query says: trade_status, or the sub_code.
func (w *town) status(ref string) string {
	a := w.call(query, biz{"out_trade_no": ref})
	if s := a.at("trade_status"); s != "" {
		return s
	}
	return a.said()
}
