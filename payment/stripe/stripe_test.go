package stripe

import (
	"context"
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

var t0 = time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)

const (
	testKey    = "sk_test_secretpart"
	testSecret = "whsec_secretpart"
)

// desk is an adapter over a Stripe that says what the test wants, and remembers
// what it was asked.
type desk struct {
	*Adapter
	now   time.Time
	asked []asked
	mu    sync.Mutex
}

type asked struct {
	line string // method and path
	form url.Values
	h    http.Header
}

func newDesk(t *testing.T, answer func(d *desk, q asked) (status int, body string)) *desk {
	t.Helper()
	d := &desk{now: t0}
	stranger := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := asked{r.Method + " " + r.URL.Path, r.URL.Query(), r.Header}
		if r.Method == http.MethodPost {
			body, _ := io.ReadAll(r.Body)
			q.form, _ = url.ParseQuery(string(body))
		}
		d.mu.Lock()
		d.asked = append(d.asked, q)
		d.mu.Unlock()
		status, body := answer(d, q)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	client := outbound.New(outbound.Options{Transport: &outboundsim.Wire{Stranger: stranger}})
	a, err := New(Config{Key: testKey, WebhookSecrets: []string{testSecret}}, client, func() time.Time { return d.now })
	if err != nil {
		t.Fatal(err)
	}
	d.Adapter = a
	return d
}

func always(status int, body string) func(*desk, asked) (int, string) {
	return func(*desk, asked) (int, string) { return status, body }
}

func (d *desk) lines() string {
	var lines []string
	for _, q := range d.asked {
		lines = append(lines, q.line)
	}
	return strings.Join(lines, "\n")
}

func attempt() payment.Attempt {
	return payment.Attempt{
		Ref: "abcdefghij0123456789klmnop", Rail: payment.Card, Amount: money.Of(1980, "JPY"),
		Description: "Japan unlimited, 10 days", Language: "ja-JP",
		ReturnURL: "https://shop.test/back?o=1", CancelURL: "https://shop.test/quit",
		Tags:      map[string]string{"order": "ord_1", "account": "ac_1", "bad[name]": "x", "empty": ""},
		CreatedAt: t0, ExpiresAt: t0.Add(2 * time.Hour), ProviderID: "cs_1",
	}
}

// session is a session of attempt(), in JSON, with changes.
func session(changes map[string]any) string {
	s := map[string]any{
		"id": "cs_1", "object": "checkout.session", "client_reference_id": attempt().Ref, "livemode": false,
		"status": "open", "payment_status": "unpaid", "amount_total": 1980, "currency": "jpy",
		"url": "https://checkout.stripe.com/c/pay/cs_1", "expires_at": t0.Add(2 * time.Hour).Unix(),
	}
	for k, v := range changes {
		s[k] = v
	}
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func intent(status string, changes map[string]any) map[string]any {
	pi := map[string]any{"id": "pi_1", "object": "payment_intent", "status": status, "amount": 1980, "currency": "jpy"}
	if status == "succeeded" {
		pi["amount_received"] = 1980
		pi["latest_charge"] = map[string]any{
			"id": "ch_1", "object": "charge", "currency": "jpy", "amount": 1980,
			"balance_transaction": map[string]any{"id": "txn_1", "object": "balance_transaction", "fee": 71, "currency": "jpy"},
		}
	}
	for k, v := range changes {
		pi[k] = v
	}
	return pi
}

func TestConfigIsChecked(t *testing.T) {
	client := outbound.New(outbound.Options{})
	for _, c := range []Config{
		{},
		{Key: "pk_test_1"},
		{Key: testKey, WebhookSecrets: []string{""}},
		{Key: testKey, BaseURL: "api.stripe.com"},
		{Key: testKey, Account: "someone"},
	} {
		if _, err := New(c, client, time.Now); err == nil {
			t.Errorf("New(%#v) is content", c.Key)
		}
	}
	c := Config{Key: testKey, WebhookSecrets: []string{testSecret}}
	for _, s := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c)} {
		if strings.Contains(s, "secretpart") {
			t.Errorf("the configuration shows itself as %s", s)
		}
	}
}

// What Start sends is what the customer confirmed, in Stripe's words, and it is
// the same whenever it is sent again.
func TestStartSends(t *testing.T) {
	d := newDesk(t, always(200, session(nil)))
	for range 2 {
		if _, err := d.Start(t.Context(), attempt()); err != nil {
			t.Fatal(err)
		}
		d.now = d.now.Add(11 * time.Hour)
	}
	q := d.asked[0]
	want := map[string]string{
		"mode": "payment", "payment_method_types[0]": "card", "locale": "ja",
		"client_reference_id":                           attempt().Ref,
		"line_items[0][quantity]":                       "1",
		"line_items[0][price_data][currency]":           "jpy",
		"line_items[0][price_data][unit_amount]":        "1980",
		"line_items[0][price_data][product_data][name]": "Japan unlimited, 10 days",
		"adaptive_pricing[enabled]":                     "false",
		"success_url":                                   "https://shop.test/back?o=1",
		"cancel_url":                                    "https://shop.test/quit",
		"expires_at":                                    fmt.Sprint(t0.Add(2 * time.Hour).Unix()),
		"metadata[ref]":                                 attempt().Ref,
		"metadata[order]":                               "ord_1",
		"metadata[account]":                             "ac_1",
		"payment_intent_data[metadata][ref]":            attempt().Ref,
		"payment_intent_data[metadata][order]":          "ord_1",
		"payment_intent_data[metadata][account]":        "ac_1",
	}
	for k, v := range want {
		if got := q.form.Get(k); got != v {
			t.Errorf("%s = %q, want %q", k, got, v)
		}
	}
	if len(q.form) != len(want) {
		t.Errorf("%d parameters sent, want %d: %v", len(q.form), len(want), q.form)
	}
	if q.line != "POST /v1/checkout/sessions" || q.h.Get("Idempotency-Key") != attempt().Ref+".c" {
		t.Errorf("%s with key %q", q.line, q.h.Get("Idempotency-Key"))
	}
	if q.h.Get("Authorization") != "Bearer "+testKey || q.h.Get("X-Stripe-Client-User-Agent") != "" || q.h.Get("X-Stripe-Client-Telemetry") != "" {
		t.Errorf("headers %v", q.h)
	}
	if again := d.asked[1]; again.form.Encode() != q.form.Encode() || again.h.Get("Idempotency-Key") != q.h.Get("Idempotency-Key") {
		t.Errorf("sent again it differs:\n%v\n%v", again.form, q.form)
	}
}

// A session stands as long as the attempt, within what Stripe allows.
func TestSessionEnd(t *testing.T) {
	for _, tt := range []struct{ wanted, slow, want time.Duration }{
		{-time.Hour, 0, shortest},
		{30 * time.Minute, 0, shortest},
		{2 * time.Hour, 0, 2 * time.Hour},
		{24 * time.Hour, 0, longest},
		{72 * time.Hour, 0, longest},
		{50 * time.Hour, konbiniSlow, 2 * time.Hour}, // a slip made at its end is paid before the attempt's
		{48 * time.Hour, konbiniSlow, shortest},
	} {
		got := sessionEnd(payment.Attempt{CreatedAt: t0, ExpiresAt: t0.Add(tt.wanted)}, method{slow: tt.slow})
		if got != t0.Add(tt.want) {
			t.Errorf("an attempt of %v gets a session of %v, want %v", tt.wanted, got.Sub(t0), tt.want)
		}
	}
	if shortest < 30*time.Minute || longest > 24*time.Hour {
		t.Errorf("Stripe takes 30 minutes to 24 hours, not %v to %v", shortest, longest)
	}
}

func TestPageLanguage(t *testing.T) {
	for tag, want := range map[string]string{
		"en": "en", "en-GB": "en", "ja": "ja", "ja-JP": "ja", "ko": "ko", "zh": "zh", "zh-Hans": "zh", "zh-CN": "zh",
		"zh-Hant": "zh-TW", "zh-TW": "zh-TW", "zh-HK": "zh-HK", "zh-Hant-HK": "zh-HK", "zh_TW": "zh-TW", "": "auto", "xx": "auto",
	} {
		if got := pageLanguage(tag); got != want {
			t.Errorf("pageLanguage(%q) = %q, want %q", tag, got, want)
		}
	}
}

// The ways a call can fail, and what may be said about it. Reads are never
// in doubt: they can simply be made again.
func TestFailuresAreSorted(t *testing.T) {
	e := func(typ, code string) string {
		return fmt.Sprintf(`{"error":{"type":%q,"code":%q,"message":"told you: sk_test_secretpart, Anna Schmidt","request_log_url":"https://x"}}`, typ, code)
	}
	tests := []struct {
		name   string
		status int
		body   string
		start  error // nil: Stripe's no
		reason payment.Reason
	}{
		{name: "stored failure", status: 500, body: e("api_error", ""), start: payment.ErrUnknown},
		{name: "a failure of another type", status: 503, body: e("invalid_request_error", ""), start: payment.ErrUnknown},
		{name: "load balancer", status: 502, body: "<html>", start: payment.ErrUnknown},
		{name: "half an answer", status: 200, body: `{"id":"cs_`, start: payment.ErrUnknown},
		{name: "an answer about nothing", status: 200, body: `{}`, start: payment.ErrUnknown},
		{name: "redirect", status: 302, body: "", start: payment.ErrUnknown},
		{name: "captive portal", status: 404, body: "<html>", start: payment.ErrUnknown},
		{name: "key in use", status: 409, body: e("idempotency_error", "idempotency_key_in_use"), start: payment.ErrUnknown},
		{name: "lock timeout", status: 429, body: e("invalid_request_error", "lock_timeout"), start: payment.ErrUnknown},
		{name: "key with other parameters", status: 400, body: e("idempotency_error", ""), start: payment.ErrUnknown},
		{name: "too fast", status: 429, body: e("invalid_request_error", "rate_limit"), start: payment.ErrNotSent},
		{name: "too fast, bare", status: 429, body: "", start: payment.ErrNotSent},
		{name: "wrong key", status: 401, body: e("invalid_request_error", "api_key_expired"), start: payment.ErrNotSent},
		{name: "key may not", status: 403, body: e("invalid_request_error", ""), start: payment.ErrNotSent},
		{name: "too little", status: 400, body: e("invalid_request_error", "amount_too_small"), reason: payment.NotAccepted},
		{name: "bad parameter", status: 400, body: e("invalid_request_error", "parameter_missing"), reason: payment.ProviderTrouble},
		{name: "declined", status: 402, body: e("card_error", "card_declined"), reason: payment.Declined},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, always(tt.status, tt.body))
			obs, err := d.Start(t.Context(), attempt())
			if !errors.Is(err, tt.start) {
				t.Errorf("Start error %v, want %v", err, tt.start)
			}
			if tt.start == nil && (obs.State != payment.Dead || obs.Reason != tt.reason || obs.Code == "" || obs.Amount != attempt().Amount) {
				t.Errorf("Start says %+v, want dead because %s", obs, tt.reason)
			}
			_, errQuery := d.Query(t.Context(), attempt())
			if !errors.Is(errQuery, payment.ErrNotSent) || errors.Is(errQuery, payment.ErrUnknown) {
				t.Errorf("Query error %v, want ErrNotSent", errQuery)
			}
			_, errAbandon := d.Abandon(t.Context(), attempt())
			for _, err := range []error{err, errQuery, errAbandon} {
				if s := fmt.Sprint(err); strings.Contains(s, "secretpart") || strings.Contains(s, "Anna") {
					t.Errorf("the error tells too much: %s", s)
				}
			}
		})
	}
}

// Every call goes through the house's client: once, with both crash points.
func TestCallsGoThroughOutbound(t *testing.T) {
	var points []outbound.Point
	type callerKey struct{}
	wire := &outboundsim.Wire{Choose: func(r *http.Request) outboundsim.Fault {
		if r.Context().Value(callerKey{}) != "caller" {
			t.Errorf("the caller's context is lost on the way, and with it whether a transaction is open")
		}
		return outboundsim.LoseRequest
	}}
	client := outbound.New(outbound.Options{Transport: wire, Observe: func(p outbound.Point) { points = append(points, p) }})
	a, err := New(Config{Key: testKey}, client, func() time.Time { return t0 })
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithValue(t.Context(), callerKey{}, "caller")
	if _, err := a.Start(ctx, attempt()); !errors.Is(err, payment.ErrUnknown) || !errors.Is(err, outbound.ErrSilent) {
		t.Errorf("Start error %v", err)
	}
	if wire.Calls() != 1 || len(points) != 2 {
		t.Errorf("%d calls, points %v; want one call and its two boundaries", wire.Calls(), points)
	}
}

func TestAccountIsNamedInEachRequest(t *testing.T) {
	var got []string
	wire := &outboundsim.Wire{
		Stranger: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = append(got, r.Header.Get("Stripe-Account"))
			_, _ = io.WriteString(w, session(nil))
		}),
	}
	a, err := New(Config{Key: testKey, Account: "acct_7"}, outbound.New(outbound.Options{Transport: wire}), func() time.Time { return t0 })
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range []func() error{
		func() error { _, err := a.Start(t.Context(), attempt()); return err },
		func() error { _, err := a.Query(t.Context(), attempt()); return err },
	} {
		if err := call(); err != nil {
			t.Error(err)
		}
	}
	if len(got) != 2 || got[0] != "acct_7" || got[1] != "acct_7" {
		t.Errorf("accounts named: %q", got)
	}
}
