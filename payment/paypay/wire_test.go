package paypay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

// After a failure the caller knows whether PayPay may have acted; a question
// that failed can always be asked again; and nothing PayPay wrote gets into an
// error.
func TestFailuresAreSorted(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		body   string
		want   error // of what may change something
	}{
		{"broken", 500, no("INTERNAL_SERVER_ERROR"), payment.ErrUnknown},
		{"maintenance", 503, no("MAINTENANCE_MODE"), payment.ErrUnknown},
		{"a no with the status of a failure", 500, no(throttled), payment.ErrUnknown},
		{"load balancer", 502, "<html>", payment.ErrUnknown},
		{"half an answer", 200, `{"resultInfo":{"co`, payment.ErrUnknown},
		{"half a no", 400, no("INVALID_PARAMS")[:40], payment.ErrUnknown},
		{"an answer about nothing", 200, `{}`, payment.ErrUnknown},
		{"accepted, whatever that means", 202, `{"resultInfo":{"code":"REQUEST_ACCEPTED"},"data":null}`, payment.ErrUnknown},
		{"a code that is a sentence", 400, no("Anna Schmidt"), payment.ErrUnknown},
		{"redirect", 302, "", payment.ErrUnknown},
		{"captive portal", 404, "<html>", payment.ErrUnknown},
		{"too fast", 429, no("RATE_LIMIT"), payment.ErrNotSent},
		{"too fast, bare", 429, "", payment.ErrNotSent},
		{"wrong key", 401, no("UNAUTHORIZED"), payment.ErrNotSent},
		{"may not", 401, no("OP_OUT_OF_SCOPE"), payment.ErrNotSent},
		{"a refund a minute", 400, no(throttled), payment.ErrNotSent},
	} {
		d := newDesk(t, t0, func(q asked) (int, string) {
			if strings.HasPrefix(q.path, refunds+"/") && q.method == "GET" {
				return 404, no(noRefund) // Refund looks first
			}
			return tt.status, tt.body
		})
		at := begun()
		at.MoneyID = moneyID
		for call, do := range map[string]func() error{
			"Start":   func() error { _, err := d.Start(t.Context(), attempt()); return err },
			"Abandon": func() error { _, err := d.Abandon(t.Context(), begun()); return err },
			"Refund": func() error {
				_, err := d.Refund(t.Context(), payment.Refund{Ref: ref, Attempt: at, Amount: money.Of(1, "JPY")})
				return err
			},
			"Query": func() error { _, err := d.Query(t.Context(), attempt()); return err },
		} {
			want := tt.want
			if call == "Query" {
				want = payment.ErrNotSent
			}
			err := do()
			if !errors.Is(err, want) || errors.Is(err, payment.ErrNotSent) != (want == payment.ErrNotSent) { //nolint:errorlint // want is one of two constants
				t.Errorf("%s: %s error %v, want %v", tt.name, call, err, want)
			}
			if s := fmt.Sprint(err); strings.Contains(s, "secret") || strings.Contains(s, "Anna") || !strings.Contains(s, "OPA45F681001AEF4605B2A50939F611F4B8") {
				t.Errorf("%s: %s error tells too much, or too little: %s", tt.name, call, s)
			}
		}
	}
}

// A no to a question says nothing about what was asked for.
func TestNoToAQuestionIsNoAnswer(t *testing.T) {
	for _, code := range []string{"ORDER_NO_LONGER_AVAILABLE", "DYNAMIC_QR_BAD_REQUEST", "RESOURCE_NOT_FOUND"} {
		d := newDesk(t, t0.Add(48*time.Hour), always(400, no(code)))
		if obs, err := d.Query(t.Context(), begun()); !errors.Is(err, payment.ErrNotSent) || !strings.Contains(fmt.Sprint(err), code) {
			t.Errorf("%s: Query says %+v, %v; want ErrNotSent", code, obs, err)
		}
		at := begun()
		at.MoneyID = moneyID
		r := payment.Refund{Ref: ref, Attempt: at, Amount: money.Of(1, "JPY")}
		if got, err := d.QueryRefund(t.Context(), r); !errors.Is(err, payment.ErrNotSent) {
			t.Errorf("%s: QueryRefund says %+v, %v; want ErrNotSent", code, got, err)
		}
		if got, err := d.Refund(t.Context(), r); !errors.Is(err, payment.ErrNotSent) || strings.Contains(d.methods(), "POST") {
			t.Errorf("%s: Refund says %+v, %v; want ErrNotSent, and nothing asked for", code, got, err)
		}
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
	a, err := New(Config{APIKey: "k", APISecret: "s", MerchantID: merchant}, client, func() time.Time { return t0 }, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Start(context.WithValue(t.Context(), callerKey{}, "caller"), attempt()); !errors.Is(err, payment.ErrUnknown) || !errors.Is(err, outbound.ErrSilent) {
		t.Errorf("Start error %v", err)
	}
	if wire.Calls() != 1 || len(points) != 2 {
		t.Errorf("%d calls, points %v; want one call and its two boundaries", wire.Calls(), points)
	}
}

// Behind a prefix, as a simulator may be, the API's own path is signed.
func TestBaseAddressMayHaveAPath(t *testing.T) {
	d := newDesk(t, t0, always(400, no(noPayment)))
	d.config.BaseURL = "https://town.test/sim/paypay"
	if _, err := d.Query(t.Context(), attempt()); err != nil {
		t.Fatal(err)
	}
	mac := macOf("secret", "/v2/codes/payments/"+ref, "GET", "n0nce", fmt.Sprint(t0.Unix()), "empty", "empty")
	if q := d.asked[0]; q.path != "/sim/paypay/v2/codes/payments/"+ref || !strings.Contains(q.header.Get("Authorization"), ":"+mac+":") {
		t.Errorf("asked %+v", q)
	}
}

// Whatever a stranger answers, the adapter neither panics nor makes money of
// what is not there.
func FuzzAnswer(f *testing.F) {
	for _, data := range []string{madeCode, paid("COMPLETED", refunded(refundSaid(ref, "CREATED", 7))), refundSaid(ref, "REFUNDED", 7), `{"qrStatus":"DELETED"}`, "null"} {
		f.Add(200, []byte(yes(data)))
	}
	for _, code := range []string{noPayment, duplicate, noRefund, throttled, "x"} {
		f.Add(400, []byte(no(code)))
	}
	f.Add(502, []byte("<html>"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		status = 200 + (status%400+400)%400
		d := newDesk(t, t0, always(status, string(body)))
		check := func(obs payment.Observation, err error) {
			if err != nil && errors.Is(err, payment.ErrNotSent) == errors.Is(err, payment.ErrUnknown) {
				t.Errorf("error %v is neither ErrNotSent nor ErrUnknown, or both", err)
			}
			if err == nil && obs.State == payment.Paid && (obs.MoneyID == "" || obs.Amount.Minor < 1 || obs.Amount.Currency != "JPY" || obs.Refunded.Minor > obs.Amount.Minor) {
				t.Errorf("paid: %+v", obs)
			}
		}
		for _, at := range []payment.Attempt{attempt(), begun()} {
			check(d.Start(t.Context(), at))
			check(d.Query(t.Context(), at))
			check(d.Abandon(t.Context(), at))
		}
		r := payment.Refund{Ref: ref, Attempt: begun(), Amount: money.Of(7, "JPY")}
		r.Attempt.MoneyID = moneyID
		for _, ask := range []func(context.Context, payment.Refund) (payment.RefundObservation, error){d.Refund, d.QueryRefund} {
			got, err := ask(t.Context(), r)
			if err == nil && got.Found && (got.Amount.Minor < 1 || got.State == "") {
				t.Errorf("refund: %+v", got)
			}
		}
	})
}
