package stripe

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

func aRefund() payment.Refund {
	return payment.Refund{Ref: "zzzzzzzzzz0123456789zzzzzz", Attempt: attempt(), Amount: money.Of(500, "JPY"), Note: "too slow"}
}

func stripeRefund(ref, status string) string {
	return fmt.Sprintf(`{"id":"re_1","object":"refund","amount":500,"currency":"jpy","status":%q,"metadata":{"ref":%q}}`, status, ref)
}

// refunds is a Stripe with one paid session and the given refunds.
func refunds(list, made string, status int) func(*desk, asked) (int, string) {
	return func(_ *desk, q asked) (int, string) {
		switch q.line {
		case "GET /v1/refunds":
			return 200, `{"object":"list","has_more":false,"data":[` + list + `]}`
		case "POST /v1/refunds":
			return status, made
		}
		return 200, session(map[string]any{"status": "complete", "payment_status": "paid", "payment_intent": intent("succeeded", nil)})
	}
}

func TestRefundSends(t *testing.T) {
	r := aRefund()
	d := newDesk(t, refunds(stripeRefund("", "succeeded"), stripeRefund(r.Ref, "pending"), 200))
	got, err := d.Refund(t.Context(), r)
	want := payment.RefundObservation{State: payment.RefundSent, Found: true, ProviderID: "re_1", Amount: r.Amount, AsOf: t0}
	if err != nil || got != want {
		t.Errorf("Refund says %+v, %v; want %+v", got, err, want)
	}
	q := d.asked[len(d.asked)-1]
	if q.line != "POST /v1/refunds" || q.h.Get("Idempotency-Key") != r.Ref+".r" {
		t.Errorf("asked %s with key %q", q.line, q.h.Get("Idempotency-Key"))
	}
	for k, v := range map[string]string{
		"payment_intent": "pi_1", "amount": "500", "metadata[ref]": r.Ref,
		"metadata[attempt]": r.Attempt.Ref, "metadata[note]": "too slow",
	} {
		if q.form.Get(k) != v {
			t.Errorf("%s = %q, want %q", k, q.form.Get(k), v)
		}
	}
}

// A refund that is there already is not asked for again, however long ago its
// key was forgotten; not even when it failed: that takes a new decision.
func TestRefundLooksBeforeItAsks(t *testing.T) {
	for status, want := range map[string]payment.RefundState{
		"pending": payment.RefundSent, "requires_action": payment.RefundSent, "succeeded": payment.RefundDone,
		"failed": payment.RefundFailed, "canceled": payment.RefundFailed,
	} {
		r := aRefund()
		d := newDesk(t, refunds(stripeRefund("", "succeeded")+","+stripeRefund(r.Ref, status), "", 500))
		for _, call := range []func() (payment.RefundObservation, error){
			func() (payment.RefundObservation, error) { return d.Refund(t.Context(), r) },
			func() (payment.RefundObservation, error) { return d.QueryRefund(t.Context(), r) },
		} {
			got, err := call()
			if err != nil || !got.Found || got.State != want || want == payment.RefundFailed && got.Code == "" {
				t.Errorf("a refund that is %s is %+v, %v; want %s", status, got, err, want)
			}
		}
		if strings.Contains(d.lines(), "POST") {
			t.Errorf("asked again:\n%s", d.lines())
		}
	}
}

func TestRefundRefused(t *testing.T) {
	r := aRefund()
	no := `{"error":{"type":"invalid_request_error","code":"charge_already_refunded","message":"x"}}`
	d := newDesk(t, refunds("", no, 400))
	got, err := d.Refund(t.Context(), r)
	if err != nil || got.State != payment.RefundFailed || got.Code != "charge_already_refunded" {
		t.Errorf("Refund says %+v, %v; want failed", got, err)
	}
}

// What was never paid cannot be refunded, and Stripe is not asked to.
func TestRefundOfTheUnpaid(t *testing.T) {
	for _, pi := range []any{nil, intent("processing", nil), intent("canceled", nil)} {
		d := newDesk(t, always(200, session(map[string]any{"payment_intent": pi})))
		got, err := d.Refund(t.Context(), aRefund())
		if err != nil || got.State != payment.RefundFailed || len(d.asked) != 1 {
			t.Errorf("Refund says %+v, %v after\n%s", got, err, d.lines())
		}
		found, err := d.QueryRefund(t.Context(), aRefund())
		if err != nil || found.Found {
			t.Errorf("QueryRefund says %+v, %v; want not found", found, err)
		}
	}
}

func TestQueryRefundByIdentifier(t *testing.T) {
	r := aRefund()
	r.ProviderID = "re_1"
	d := newDesk(t, always(200, stripeRefund(r.Ref, "succeeded")))
	if got, err := d.QueryRefund(t.Context(), r); err != nil || !got.Found || got.State != payment.RefundDone {
		t.Errorf("QueryRefund says %+v, %v; want done", got, err)
	}
	if d.lines() != "GET /v1/refunds/re_1" {
		t.Errorf("asked\n%s", d.lines())
	}
	d = newDesk(t, always(404, `{"error":{"type":"invalid_request_error","code":"resource_missing"}}`))
	if got, err := d.QueryRefund(t.Context(), r); err != nil || got.Found || got.AsOf != t0 {
		t.Errorf("QueryRefund of nothing says %+v, %v; want not found", got, err)
	}
	d = newDesk(t, always(200, stripeRefund("another's", "succeeded")))
	if got, err := d.QueryRefund(t.Context(), r); err == nil {
		t.Errorf("another's refund is taken for ours: %+v", got)
	}
}
