package antomsim_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment/antom/antomsim"
)

const (
	client    = "5Y00000000000000"
	payments  = "/ams/api/v1/payments/"
	notifyURL = "https://shop.test/hooks/antom?shop=1"
	dashboard = "https://shop.test/hooks/dashboard"
)

type keys struct{ merchant, antom *rsa.PrivateKey }

// made are the keys of all tests: making them takes a while.
var made = sync.OnceValue(func() (k keys) {
	for _, p := range []**rsa.PrivateKey{&k.merchant, &k.antom} {
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
	*antomsim.Sim
	client string
	mu     sync.Mutex
	now    time.Time
}

func newTown(change ...func(*antomsim.Config)) *town {
	w := &town{now: time.Date(2033, 1, 1, 3, 2, 1, 0, time.UTC)}
	cfg := antomsim.Config{
		ClientID: client, MerchantKey: &made().merchant.PublicKey, AntomKey: made().antom, NotifyURL: dashboard,
		Now: w.clock, PageBase: "https://pages.test",
	}
	for _, f := range change {
		f(&cfg)
	}
	w.Sim, w.client = antomsim.New(cfg), cfg.ClientID
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

type body = map[string]any

// order is a good pay request over 19.80 yuan; more are pairs of a path, with
// dots, and a value. A nil value takes the member away.
func order(ref string, more ...any) body {
	b := body{
		"productCode": "CASHIER_PAYMENT", "paymentRequestId": ref,
		"order":         body{"referenceOrderId": "order-1", "orderDescription": "30 天 30 days", "orderAmount": body{"currency": "CNY", "value": "1980"}},
		"paymentAmount": body{"currency": "CNY", "value": "1980"},
		"paymentMethod": body{"paymentMethodType": "ALIPAY_CN"}, "env": body{"terminalType": "WEB"},
		"paymentRedirectUrl": "https://shop.test/back?from=1", "paymentNotifyUrl": notifyURL,
	}
	return with(b, more...)
}

func with(b body, more ...any) body {
	for i := 0; i < len(more); i += 2 {
		in, path := b, strings.Split(more[i].(string), ".")
		for _, name := range path[:len(path)-1] {
			in = in[name].(body)
		}
		if last := path[len(path)-1]; more[i+1] == nil {
			delete(in, last)
		} else {
			in[last] = more[i+1]
		}
	}
	return b
}

func priced(ref, method, currency, value string) body {
	return order(ref, "paymentMethod.paymentMethodType", method, "paymentAmount", body{"currency": currency, "value": value},
		"order.orderAmount", body{"currency": currency, "value": value})
}

func signed(key *rsa.PrivateKey, text string) string {
	sum := sha256.Sum256([]byte(text))
	b, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return url.QueryEscape(base64.StdEncoding.EncodeToString(b))
}

// isAntoms reports whether a message is signed by Antom: uri is the path that
// was called, time the header that says when.
func isAntoms(h http.Header, time, uri string, body []byte) bool {
	_, escaped, _ := strings.Cut(h.Get("Signature"), "signature=")
	plain, err := url.QueryUnescape(escaped)
	b, err2 := base64.StdEncoding.DecodeString(plain)
	sum := sha256.Sum256([]byte("POST " + uri + "\n" + h.Get("Client-Id") + "." + h.Get(time) + "." + string(body)))
	return err == nil && err2 == nil && rsa.VerifyPKCS1v15(&made().antom.PublicKey, crypto.SHA256, sum[:], b) == nil
}

// answer is what Antom said.
type answer struct {
	status int
	header http.Header
	raw    []byte
	signed bool
	body   body
}

// at reads a string by its path.
func (a answer) at(path string) string {
	var in any = a.body
	for _, name := range strings.Split(path, ".") {
		switch v := in.(type) {
		case body:
			in = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(v) {
				return ""
			}
			in = v[i]
		default:
			return ""
		}
	}
	s, _ := in.(string)
	return s
}

// said is the result: its status and code.
func (a answer) said() string { return a.at("result.resultStatus") + " " + a.at("result.resultCode") }

// request is a request as the document wants it.
func (w *town) request(method string, b any) *http.Request {
	text, isText := b.(string)
	if !isText {
		raw, err := json.Marshal(b)
		if err != nil {
			panic(err)
		}
		text = string(raw)
	}
	r := httptest.NewRequest(http.MethodPost, "https://antom.test"+w.path(method), strings.NewReader(text))
	at := strconv.FormatInt(w.clock().UnixMilli(), 10)
	r.Header.Set("Content-Type", "application/json; charset=UTF-8")
	r.Header.Set("Client-Id", w.client)
	r.Header.Set("Request-Time", at)
	r.Header.Set("Signature", "algorithm=RSA256,keyVersion=1,signature="+signed(made().merchant, "POST "+w.path(method)+"\n"+w.client+"."+at+"."+text))
	return r
}

func (w *town) path(method string) string {
	if strings.HasPrefix(w.client, "SANDBOX_") {
		return "/ams/sandbox/api/v1/payments/" + method
	}
	return payments + method
}

func (w *town) do(r *http.Request) answer {
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	a := answer{status: rec.Code, header: rec.Result().Header, raw: rec.Body.Bytes()}
	a.signed = isAntoms(a.header, "Response-Time", r.URL.RequestURI(), a.raw)
	_ = json.Unmarshal(a.raw, &a.body)
	return a
}

func (w *town) call(method string, b any) answer { return w.do(w.request(method, b)) }

func (w *town) want(t *testing.T, a answer, said string) answer {
	t.Helper()
	if a.said() != said || a.status != http.StatusOK {
		t.Fatalf("%d %s, want %s", a.status, a.raw, said)
	}
	if !a.signed || a.header.Get("Client-Id") != w.client {
		t.Fatalf("%s: %v is not signed by Antom", a.raw, a.header)
	}
	return a
}

// open starts a payment and returns its paymentId.
func (w *town) open(t *testing.T, ref string, more ...any) string {
	t.Helper()
	return w.want(t, w.call("pay", order(ref, more...)), "U PAYMENT_IN_PROCESS").at("paymentId")
}

// bought is a payment that was made.
func (w *town) bought(t *testing.T, ref string, more ...any) string {
	t.Helper()
	id := w.open(t, ref, more...)
	if _, err := w.Pay(ref); err != nil {
		t.Fatal(err)
	}
	return id
}

// status is what an inquiry says.
func (w *town) status(ref string) string {
	a := w.call("inquiryPayment", body{"paymentRequestId": ref})
	if a.said() != "S SUCCESS" {
		return a.said()
	}
	return a.at("paymentStatus") + " " + a.at("paymentResultCode")
}

func cny(value string) body { return body{"currency": "CNY", "value": value} }

func (w *town) refund(id, request, value string) answer {
	return w.call("refund", body{"paymentId": id, "refundRequestId": request, "refundAmount": cny(value), "refundNotifyUrl": notifyURL})
}

// told is what the merchant reads of all notifications, which must be Antom's.
func (w *town) told(t *testing.T) (all []string) {
	t.Helper()
	for _, n := range w.Notifications() {
		u, err := url.Parse(n.URL)
		if err != nil || !isAntoms(n.Header, "Request-Time", u.RequestURI(), n.Body) || n.Header.Get("Client-Id") != w.client {
			t.Errorf("%+v is not Antom's", n)
		}
		var a answer
		_ = json.Unmarshal(n.Body, &a.body)
		all = append(all, strings.Join([]string{
			n.Kind, a.at("notifyType") + a.at("disputeNotificationType"), a.said(),
			a.at("paymentRequestId") + a.at("refundRequestId"), a.at("refundStatus") + a.at("disputeJudgedResult"),
		}, " "))
	}
	return all
}

// get is a phone or browser at a page.
func (w *town) visit(address, do string) (status int, to, text string) {
	method, form := http.MethodGet, ""
	if do != "" {
		method, form = http.MethodPost, "do="+do
	}
	r := httptest.NewRequest(method, address, bytes.NewReader([]byte(form)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	w.Pages().ServeHTTP(rec, r)
	return rec.Code, rec.Header().Get("Location"), rec.Body.String()
}
