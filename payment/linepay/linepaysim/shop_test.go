package linepaysim_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment/linepay/linepaysim"
)

const (
	channel = "2011100170"
	secret  = "8f3c1e0d9b7a65544332211000ffeedd"
	asked   = `{"amount":300,"currency":"TWD","orderId":"ORDER","packages":[{"id":"1","amount":300,"name":"Japan 10 GB",` +
		`"products":[{"id":"p1","name":"Japan 10 GB, 30 days","quantity":2,"price":150}]}],` +
		`"redirectUrls":{"confirmUrl":"https://shop.example/back?a=1","cancelUrl":"https://shop.example/cancel#top"},` +
		`"options":{"payment":{"capture":true},"display":{"locale":"zh_TW","checkConfirmUrlBrowser":false}}}`
)

// shop is a merchant with a clock. Its signer is written from LINE Pay's page
// of prerequisites and shares nothing with the simulator.
type shop struct {
	t      fataler
	sim    *linepaysim.Sim
	now    time.Time
	nonces int
}

type fataler interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

func newShop(t fataler, changes ...func(*linepaysim.Config)) *shop {
	w := &shop{t: t, now: time.Date(2026, 11, 23, 3, 4, 5, 600, time.UTC)}
	cfg := linepaysim.Config{ChannelID: channel, ChannelSecret: secret, Now: func() time.Time { return w.now }}
	for _, change := range changes {
		change(&cfg)
	}
	w.sim = linepaysim.New(cfg)
	return w
}

// info is what stands in an answer, by the names of the wire.
type info struct {
	TransactionID      json.Number
	PaymentURL         struct{ Web, App string }
	PaymentAccessToken string

	OrderID                 string
	AuthorizationExpireDate string
	PayInfo                 []struct {
		Method string
		Amount json.Number
	}
	Packages []struct {
		ID            string
		Amount        json.Number
		UserFeeAmount json.Number
	}
	RefundTransactionID   json.Number
	RefundTransactionDate string

	TransactionDate, TransactionType, PayStatus, ProductName, Currency string
	OriginalTransactionID                                              json.Number
	RefundList                                                         []listed
}

type listed struct {
	RefundTransactionID   json.Number
	TransactionType       string
	RefundAmount          json.Number
	RefundTransactionDate string
}

type answer struct {
	status       int
	Code         string            `json:"returnCode"`
	Message      string            `json:"returnMessage"`
	Info         json.RawMessage   `json:"info"`
	Wrong        map[string]string `json:"errorDetailMap"`
	one          info
	transactions []info
}

func sign(key, path, payload, nonce string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(key + path + payload + nonce))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// signed is a request in order, to be spoilt by whoever wants to.
func (w *shop) signed(method, path, payload string) *http.Request {
	w.nonces++
	nonce := fmt.Sprintf("%08d-0000-4000-8000-000000000000", w.nonces)
	target, body := path, payload
	if method == http.MethodGet && payload != "" {
		target, body = path+"?"+payload, ""
	}
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json; charset=UTF-8")
	r.Header.Set("X-LINE-ChannelId", channel)
	r.Header.Set("X-LINE-Authorization-Nonce", nonce)
	r.Header.Set("X-LINE-Authorization", sign(secret, path, payload, nonce))
	return r
}

func (w *shop) send(r *http.Request) (a answer) {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.sim.ServeHTTP(rec, r)
	a.status = rec.Code
	if rec.Code != http.StatusOK {
		return a
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil {
		w.t.Fatalf("answer %q: %v", rec.Body, err)
	}
	if len(a.Info) == 0 {
		return a
	}
	into := any(&a.one)
	if a.Info[0] == '[' {
		into = &a.transactions
	}
	if err := json.Unmarshal(a.Info, into); err != nil {
		w.t.Fatalf("info %s: %v", a.Info, err)
	}
	return a
}

func (w *shop) post(path, body string) answer {
	w.t.Helper()
	return w.send(w.signed(http.MethodPost, "/v3/payments"+path, body))
}

func (w *shop) get(path, query string) answer {
	w.t.Helper()
	return w.send(w.signed(http.MethodGet, "/v3/payments"+path, query))
}

// want fails unless the answer has that code.
func (w *shop) want(what string, a answer, code string) answer {
	w.t.Helper()
	if a.status != http.StatusOK || a.Code != code {
		w.t.Fatalf("%s: %d %s %s %v, want %s", what, a.status, a.Code, a.Message, a.Wrong, code)
	}
	if a.Message == "" || a.Code != "0000" && len(a.Info) > 0 {
		w.t.Errorf("%s: message %q, info %s", what, a.Message, a.Info)
	}
	return a
}

// order requests ref and returns its transaction.
func (w *shop) order(ref string, changes ...string) string {
	w.t.Helper()
	body := strings.NewReplacer(append(changes, "ORDER", ref)...).Replace(asked)
	return w.want("request", w.post("/request", body), "0000").one.TransactionID.String()
}

const (
	twd300      = `{"amount":300,"currency":"TWD"}`
	holdInstead = `"capture":false`
	hold        = `"capture":true`
)

// bought is an order that was paid and confirmed.
func (w *shop) bought(ref string) string {
	w.t.Helper()
	id := w.order(ref)
	w.pay(ref)
	w.want("confirm", w.post("/"+id+"/confirm", twd300), "0000")
	return id
}

func (w *shop) pay(ref string) {
	w.t.Helper()
	got, err := w.sim.Pay(ref)
	if err != nil {
		w.t.Fatalf("Pay: %v", err)
	}
	if got.Get("orderId") != ref || len(got.Get("transactionId")) != 19 || len(got) != 2 {
		w.t.Errorf("the customer comes back with %v", got)
	}
}

func (w *shop) check(id, code string) {
	w.t.Helper()
	w.want("check", w.get("/requests/"+id+"/check", ""), code)
}

// took compares the truth, in the house's minor units of TWD.
func (w *shop) took(ref string, captured, refunded int64) {
	w.t.Helper()
	if c, r := w.sim.Captured(ref).Minor, w.sim.Refunded(ref).Minor; c != captured || r != refunded {
		w.t.Errorf("%s: captured %d and refunded %d, want %d and %d", ref, c, r, captured, refunded)
	}
}

func (w *shop) later(d time.Duration) { w.now = w.now.Add(d) }

var _ fataler = (*testing.T)(nil)
