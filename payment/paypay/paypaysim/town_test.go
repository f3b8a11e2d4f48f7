package paypaysim

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testKey      = "a_key"
	testSecret   = "a_secret"
	testMerchant = "123456789"
)

// town is a simulator with a clock that the test moves.
type town struct {
	*Sim
	mu    sync.Mutex
	at    time.Time
	calls int
}

// newTown begins at half past ten in the evening of 6 May 2031 in Japan.
func newTown(change ...func(*Config)) *town {
	w := &town{at: time.Date(2031, 5, 6, 13, 30, 0, 500e6, time.UTC)}
	cfg := Config{APIKey: testKey, APISecret: testSecret, MerchantID: testMerchant, Now: w.clock, PageBase: "https://shop.test/sim"}
	for _, f := range change {
		f(&cfg)
	}
	w.Sim = New(cfg)
	return w
}

func (w *town) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *town) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

// sign is the document's recipe, written a second time.
func sign(r *http.Request, secret, key, nonce string, at time.Time, body string) {
	kind, hash := "empty", "empty"
	if body != "" {
		kind = r.Header.Get("Content-Type")
		sum := md5.Sum([]byte(kind + body))
		hash = base64.StdEncoding.EncodeToString(sum[:])
	}
	epoch := fmt.Sprint(at.Unix())
	m := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(m, "%s\n%s\n%s\n%s\n%s\n%s", r.URL.EscapedPath(), r.Method, nonce, epoch, kind, hash)
	r.Header.Set("Authorization", strings.Join([]string{"hmac OPA-Auth", key, base64.StdEncoding.EncodeToString(m.Sum(nil)), nonce, epoch, hash}, ":"))
}

func (w *town) request(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("X-ASSUME-MERCHANT", testMerchant)
	if body != "" {
		r.Header.Set("Content-Type", "application/json;charset=UTF-8;")
	}
	w.mu.Lock()
	w.calls++
	nonce := fmt.Sprintf("%06x", w.calls)
	at := w.at
	w.mu.Unlock()
	sign(r, testSecret, testKey, nonce, at, body)
	return r
}

// result is an answer of the API.
type result struct {
	status int
	raw    string
	body   map[string]any
}

func (w *town) send(r *http.Request) result {
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	got := result{status: rec.Code, raw: rec.Body.String()}
	d := json.NewDecoder(rec.Body)
	d.UseNumber()
	if err := d.Decode(&got.body); err != nil || rec.Header().Get("X-REQUEST-ID") == "" {
		panic("the answer is not JSON, or has no identifier: " + got.raw)
	}
	return got
}

func (w *town) call(method, target, body string) result {
	return w.send(w.request(method, target, body))
}

// at reads a value by its path: "resultInfo.code", "data.refunds.data.0.status".
func (r result) at(path string) string {
	var v any = r.body
	for p := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[p]
		case []any:
			i := int(p[0] - '0')
			if i >= len(in) {
				return "absent"
			}
			v = in[i]
		default:
			return "absent"
		}
	}
	return fmt.Sprint(v)
}

// want checks the status and code of an answer, and pairs of path and value.
func want(t *testing.T, r result, status int, code string, pairs ...string) {
	t.Helper()
	if r.status != status || r.at("resultInfo.code") != code {
		t.Fatalf("%d %s, want %d %s: %s", r.status, r.at("resultInfo.code"), status, code, r.raw)
	}
	if status >= 400 && r.at("data") != "<nil>" {
		t.Errorf("a refusal carries data: %s", r.raw)
	}
	for i := 0; i < len(pairs); i += 2 {
		if got := r.at(pairs[i]); got != pairs[i+1] {
			t.Errorf("%s is %s, want %s: %s", pairs[i], got, pairs[i+1], r.raw)
		}
	}
}

func codeBody(ref string, yen int) string {
	return fmt.Sprintf(`{"merchantPaymentId":%q,"amount":{"amount":%d,"currency":"JPY"},"codeType":"ORDER_QR","orderDescription":"30 days","redirectUrl":"https://shop.test/back?order=7","redirectType":"WEB_LINK","isAuthorization":false}`, ref, yen)
}

func refundBody(id, paymentID string, yen int) string {
	return fmt.Sprintf(`{"merchantRefundId":%q,"paymentId":%q,"amount":{"amount":%d,"currency":"JPY"},"requestedAt":1936000000,"reason":"test"}`, id, paymentID, yen)
}

// offer makes a code of 1980 yen and returns its codeId.
func (w *town) offer(t *testing.T, ref string) string {
	t.Helper()
	r := w.call("POST", "/v2/codes", codeBody(ref, 1980))
	want(t, r, 201, "SUCCESS")
	return r.at("data.codeId")
}

func (w *town) pay(t *testing.T, ref string) {
	t.Helper()
	if back, err := w.Pay(ref); err != nil || len(back) != 0 {
		t.Fatalf("Pay returns %v, %v; want nothing added and no error", back, err)
	}
}

// paid makes a code of 1980 yen that a customer paid and returns the paymentId.
func (w *town) paid(t *testing.T, ref string) string {
	t.Helper()
	w.offer(t, ref)
	w.pay(t, ref)
	return w.get(ref).at("data.paymentId")
}

func (w *town) get(ref string) result { return w.call("GET", "/v2/codes/payments/"+ref, "") }

// wantStatus checks what the API says of a payment; "" for not found.
func (w *town) wantStatus(t *testing.T, ref, status string) {
	t.Helper()
	r := w.get(ref)
	if status == "" {
		want(t, r, 400, "DYNAMIC_QR_PAYMENT_NOT_FOUND")
		return
	}
	want(t, r, 200, "SUCCESS", "data.status", status)
}

// wantMoney checks the truth about a payment, in yen.
func (w *town) wantMoney(t *testing.T, ref string, captured, refunded int64) {
	t.Helper()
	if got := w.Captured(ref); got != jpy(captured) {
		t.Errorf("captured %v, want %d", got, captured)
	}
	if got := w.Refunded(ref); got != jpy(refunded) {
		t.Errorf("refunded %v, want %d", got, refunded)
	}
}
