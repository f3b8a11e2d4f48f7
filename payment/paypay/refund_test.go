package paypay

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

const refundRef = "refundrefundrefundrefund00"

func refundOf(at payment.Attempt) payment.Refund {
	return payment.Refund{Ref: refundRef, Attempt: at, Amount: money.Of(700, "JPY"), Note: "not served"}
}

// paidFor is an attempt whose money has a name.
func paidFor() payment.Attempt {
	at := begun()
	at.MoneyID = moneyID
	return at
}

// The refund names PayPay's payment, which is looked up where we do not know it.
func TestRefundAsksOnce(t *testing.T) {
	for _, at := range []payment.Attempt{paidFor(), begun(), attempt()} {
		d := newDesk(t, t0, func(q asked) (int, string) {
			switch {
			case strings.HasPrefix(q.path, codes+"/payments/"):
				return 200, yes(paid("COMPLETED", ""))
			case q.method == "GET":
				return 404, no(noRefund)
			}
			return 200, yes(refundSaid(refundRef, "CREATED", 700))
		})
		got, err := d.Refund(t.Context(), refundOf(at))
		want := payment.RefundObservation{State: payment.RefundSent, Found: true, Amount: money.Of(700, "JPY"), AsOf: t0}
		if err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
		last := d.asked[len(d.asked)-1]
		look := d.asked[len(d.asked)-2]
		if look.path != "/v2/refunds/"+refundRef || look.query != "paymentId="+moneyID || last.method != "POST" || last.path != "/v2/refunds" {
			t.Errorf("asked %s?%s", d.methods(), look.query)
		}
		var said map[string]any
		if err := json.Unmarshal([]byte(last.body), &said); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]any{
			"merchantRefundId": refundRef, "paymentId": moneyID, "amount": map[string]any{"amount": 700., "currency": "JPY"},
			"requestedAt": float64(t0.Unix()), "reason": "not served",
		}, said); diff != "" {
			t.Error(diff)
		}
	}
}

func TestRefundThatIsThereIsNotAskedForAgain(t *testing.T) {
	for status, want := range map[string]payment.RefundState{
		"CREATED": payment.RefundSent, "REFUND_FAILED": payment.RefundSent, "REFUNDED": payment.RefundDone,
	} {
		d := newDesk(t, t0, always(200, yes(refundSaid(refundRef, status, 500))))
		for _, ask := range []func() (payment.RefundObservation, error){
			func() (payment.RefundObservation, error) { return d.Refund(t.Context(), refundOf(paidFor())) },
			func() (payment.RefundObservation, error) { return d.QueryRefund(t.Context(), refundOf(paidFor())) },
		} {
			got, err := ask()
			if err != nil || got.State != want || !got.Found || got.Amount != money.Of(500, "JPY") {
				t.Errorf("%s: %+v, %v; want %s of what was refunded", status, got, err, want)
			}
		}
		if strings.Contains(d.methods(), "POST") {
			t.Errorf("asked %s", d.methods())
		}
	}
}

// What is refused is looked for before it is called failed.
func TestRefusedRefund(t *testing.T) {
	for _, code := range []string{
		"INVALID_PARAMS", "UNACCEPTABLE_OP", "CANCELED_USER", "REFUND_LIMIT_EXCEEDED", "REFUND_WINDOW_EXCEED", "ORDER_NO_LONGER_AVAILABLE",
		"USER_STATE_IS_NOT_ACTIVE", "MERCHANT_MULTIPLE_REFUND_REJECTED", "RESOURCE_NOT_FOUND",
	} {
		for _, meanwhile := range []bool{false, true} {
			sent := false
			d := newDesk(t, t0, func(q asked) (int, string) {
				switch {
				case q.method == "POST" && code == userInactive:
					sent = true
					return 401, no(code)
				case q.method == "POST":
					sent = true
					return 400, no(code)
				case sent && meanwhile:
					return 200, yes(refundSaid(refundRef, "CREATED", 700))
				}
				return 404, no(noRefund)
			})
			got, err := d.Refund(t.Context(), refundOf(paidFor()))
			want := payment.RefundObservation{State: payment.RefundFailed, Amount: money.Of(700, "JPY"), Code: code, AsOf: t0}
			if meanwhile {
				want = payment.RefundObservation{State: payment.RefundSent, Found: true, Amount: money.Of(700, "JPY"), AsOf: t0}
			}
			if err != nil || got != want {
				t.Errorf("%s, there meanwhile %t: %+v, %v; want %+v", code, meanwhile, got, err, want)
			}
		}
	}
}

func TestNothingToRefund(t *testing.T) {
	for _, tt := range []struct {
		status int
		body   string
	}{{400, no(noPayment)}, {200, yes(paid("FAILED", ""))}, {200, yes(paid("CREATED", ""))}} {
		d := newDesk(t, t0, always(tt.status, tt.body))
		if got, err := d.Refund(t.Context(), refundOf(begun())); err != nil || got.State != payment.RefundFailed || got.Code != "not_paid" {
			t.Errorf("%+v, %v; want failed", got, err)
		}
		if got, err := d.QueryRefund(t.Context(), refundOf(begun())); err != nil || got.Found || got.AsOf != t0 {
			t.Errorf("%+v, %v; want not found", got, err)
		}
	}
	d := newDesk(t, t0, always(500, ""))
	r := refundOf(paidFor())
	r.Amount.Currency = "USD"
	if got, err := d.Refund(t.Context(), r); err != nil || got.State != payment.RefundFailed || len(d.asked) > 0 {
		t.Errorf("dollars: %+v, %v, asked %s", got, err, d.methods())
	}
}

// An answer about another refund is no answer, and money may have moved.
func TestRefundBelievesOnlyItsOwn(t *testing.T) {
	for what, data := range map[string]string{
		"another refund":     refundSaid("other", "REFUNDED", 700),
		"another payment":    strings.Replace(refundSaid(refundRef, "REFUNDED", 700), moneyID, "7", 1),
		"no amount":          strings.Replace(refundSaid(refundRef, "REFUNDED", 700), "amount", "x", 1),
		"an unknown state":   refundSaid(refundRef, "LOST", 700),
		"nothing":            "null",
		"something else":     `"REFUNDED"`,
		"half of the amount": strings.Replace(refundSaid(refundRef, "REFUNDED", 700), "700", "350.5", 1),
	} {
		d := newDesk(t, t0, func(q asked) (int, string) {
			if q.method == "GET" {
				return 404, no(noRefund)
			}
			return 200, yes(data)
		})
		if got, err := d.Refund(t.Context(), refundOf(paidFor())); !errors.Is(err, payment.ErrUnknown) || errors.Is(err, payment.ErrNotSent) {
			t.Errorf("Refund, %s: %+v, %v; want ErrUnknown", what, got, err)
		}
		d = newDesk(t, t0, always(200, yes(data)))
		if got, err := d.QueryRefund(t.Context(), refundOf(paidFor())); !errors.Is(err, payment.ErrNotSent) || errors.Is(err, payment.ErrUnknown) {
			t.Errorf("QueryRefund, %s: %+v, %v; want ErrNotSent", what, got, err)
		}
	}
}
