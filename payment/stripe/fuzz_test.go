package stripe

import (
	"errors"
	"slices"
	"testing"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// Whatever Stripe answers: silence is of one kind, paid is only what names the
// money and an amount, and no amount is below nothing.
func FuzzAnswer(f *testing.F) {
	f.Add(200, session(nil))
	f.Add(200, session(map[string]any{"status": "complete", "payment_status": "paid", "payment_intent": intent("succeeded", nil)}))
	f.Add(200, session(map[string]any{"status": "complete", "payment_status": "unpaid", "payment_intent": intent("processing", nil)}))
	f.Add(200, session(map[string]any{"status": "expired"}))
	f.Add(402, `{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","message":"no"}}`)
	f.Add(200, `{"object":"list","has_more":false,"data":[{"id":"re_1","object":"refund","amount":500,"currency":"jpy","status":"succeeded"}]}`)
	f.Add(200, `{"object":"list","has_more":true,"data":[]}`) // for these the SDK would ask again and again
	f.Add(200, `{"object":"list","has_more":true,"data":[{"object":"refund","id":""}]}`)
	f.Add(200, `{"id":"re_1","object":"refund","amount":-500,"currency":"jpy","status":"pending"}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if !slices.Contains([]int{200, 400, 401, 402, 404, 409, 429, 500}, status) {
			return
		}
		d := newDesk(t, func(_ *desk, q asked) (int, string) {
			if _, more := q.form["starting_after"]; more {
				return 200, `{"object":"list","has_more":false,"data":[]}`
			}
			return status, body
		})
		silent := func(what string, err error, reads bool) {
			unknown, unsent := errors.Is(err, payment.ErrUnknown), errors.Is(err, payment.ErrNotSent)
			if err != nil && (unknown == unsent || reads && !unsent) {
				t.Errorf("%s: %v", what, err)
			}
		}
		obs, err := d.Query(t.Context(), attempt())
		if silent("Query", err, true); err == nil {
			sane(t, obs)
		}
		fresh := attempt()
		fresh.ProviderID = ""
		if obs, err = d.Start(t.Context(), fresh); err == nil && obs.State != payment.Dead {
			sane(t, obs)
		}
		silent("Start", err, false)
		r := payment.Refund{Ref: "zzzzzzzzzz0123456789zzzzzz", Attempt: attempt(), Amount: money.Of(500, "JPY")}
		r.Attempt.MoneyID = "pi_1"
		back, err := d.Refund(t.Context(), r)
		if silent("Refund", err, false); err == nil && (back.State == "" || back.Amount.Minor < 0) {
			t.Errorf("Refund: %+v", back)
		}
		back, err = d.QueryRefund(t.Context(), r)
		if silent("QueryRefund", err, true); err == nil && back.Found && (back.State == "" || back.Amount.Minor < 0) {
			t.Errorf("QueryRefund: %+v", back)
		}
	})
}

// sane fails the test for an observation that no books could be moved by.
func sane(t *testing.T, obs payment.Observation) {
	t.Helper()
	switch {
	case obs.State == payment.Paid && (obs.MoneyID == "" || obs.Amount.Minor <= 0),
		obs.Amount.Minor < 0, obs.Refunded.Minor < 0, obs.Disputed.Minor < 0,
		obs.State == "", obs.AsOf.IsZero():
		t.Errorf("read as %+v", obs)
	}
}
