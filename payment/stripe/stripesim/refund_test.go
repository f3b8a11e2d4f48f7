package stripesim_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
)

func TestARefundReturnsNoMoreThanIsLeft(t *testing.T) {
	w := newTown()
	pi := w.paid(t, "a")
	refund := func(params ...string) reply { return w.call("POST", "/v1/refunds", "", params...) }
	want(t, refund("payment_intent="+pi, "amount=1981"), 400, "error.param", "amount")
	want(t, refund("payment_intent="+pi, "amount=980", "metadata[refund]=r1", "reason=requested_by_customer"), 200, "status", "succeeded", "amount", "980", "payment_intent", pi)
	want(t, refund("payment_intent="+pi, "amount=1001"), 400, "error.param", "amount")
	rest := refund("payment_intent=" + pi)
	want(t, rest, 200, "amount", "1000")
	want(t, refund("payment_intent="+pi), 400, "error.code", "charge_already_refunded")
	want(t, refund("payment_intent="+pi, "amount=1"), 400, "error.code", "charge_already_refunded")
	want(t, refund("payment_intent="+pi, "amount=0"), 400, "error.param", "amount")
	want(t, refund("payment_intent=pi_none"), 400, "error.code", "resource_missing")
	want(t, refund(), 400, "error.code", "parameter_missing")
	want(t, w.call("GET", "/v1/refunds/"+rest.id(), "", "expand[]=charge"), 200, "charge.refunded", true, "charge.amount_refunded", "1980")
	want(t, w.call("GET", "/v1/refunds", "", "payment_intent="+pi), 200, "data.0.id", rest.id(), "data.1.metadata.refund", "r1")
	if w.Refunded("a") != money.Of(1980, "JPY") || w.Captured("a") != money.Of(1980, "JPY") {
		t.Errorf("captured %v, refunded %v", w.Captured("a"), w.Refunded("a"))
	}
}

func TestUnpaidIntentsCannotBeRefunded(t *testing.T) {
	w := newTown()
	w.offer(t, "a")
	_, _ = w.Decline("a")
	cs, _ := w.Session("a")
	want(t, w.call("POST", "/v1/refunds", "", "payment_intent="+cs.PaymentIntent), 400, "error.type", "invalid_request_error")
}

func TestARefundMayEndLaterAndFailEvenAfterSuccess(t *testing.T) {
	w := newTown()
	pi := w.paid(t, "a")
	w.HoldRefunds(true)
	r := w.call("POST", "/v1/refunds", "", "payment_intent="+pi, "metadata[refund]=r1")
	want(t, r, 200, "status", "pending")
	get := func() reply { return w.call("GET", "/v1/refunds/"+r.id(), "") }
	if err := w.SettleRefund("r1", true); err != nil {
		t.Fatal(err)
	}
	want(t, get(), 200, "status", "succeeded")
	w.pass(72 * time.Hour)
	if err := w.SettleRefund("r1", false); err != nil {
		t.Fatal(err)
	}
	want(t, get(), 200, "status", "failed")
	if !w.Refunded("a").IsZero() {
		t.Errorf("refunded %v", w.Refunded("a"))
	}
	if err := w.SettleRefund("r1", true); err == nil {
		t.Error("a failed refund succeeded")
	}
	want(t, w.call("POST", "/v1/refunds", "", "payment_intent="+pi), 200) // it is refundable again
	if told := w.told(); !strings.Contains(told, "refund.failed refund.updated charge.refund.updated") {
		t.Errorf("told: %s", told)
	}
}

// Whatever is asked, repeated, settled and disputed: what goes back is never
// more than what came, and Stripe's own figures agree with the auditor's.
func TestRefundsNeverExceedWhatWasCaptured(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newTown()
		pi := w.paid(t, "a")
		t := rt
		key := 0
		t.Repeat(map[string]func(*rapid.T){
			"refund": func(t *rapid.T) {
				params := []string{"payment_intent=" + pi, "metadata[ref]=r"}
				if rapid.Bool().Draw(t, "part") {
					params = append(params, "amount="+itoa(rapid.Int64Range(1, 2500).Draw(t, "amount")))
				}
				key++
				for range rapid.IntRange(1, 2).Draw(t, "times") {
					w.call("POST", "/v1/refunds", "k"+itoa(int64(key)), params...)
				}
			},
			"hold":   func(t *rapid.T) { w.HoldRefunds(rapid.Bool().Draw(t, "hold")) },
			"settle": func(t *rapid.T) { _ = w.SettleRefund("r", rapid.Bool().Draw(t, "ok")) },
			"": func(t *rapid.T) {
				refunded := w.Refunded("a").Minor
				if refunded < 0 || refunded > 1980 {
					t.Fatalf("refunded %d of 1980", refunded)
				}
				var sum int64
				for _, r := range w.Refunds() {
					if r.Status != "failed" {
						sum += r.Amount.Minor
					}
				}
				shown := w.call("GET", "/v1/payment_intents/"+pi, "", "expand[]=latest_charge").at("latest_charge.amount_refunded")
				if sum != refunded || shown != itoa(sum) {
					t.Fatalf("the refunds add up to %d, the auditor sees %d, the charge shows %v", sum, refunded, shown)
				}
			},
		})
	})
}

func TestADisputeWithholdsTheMoneyUntilWon(t *testing.T) {
	for _, won := range []bool{true, false} {
		w := newTown()
		pi := w.paid(t, "a")
		want(t, w.call("POST", "/v1/refunds", "", "payment_intent="+pi, "amount=80"), 200)
		if err := w.Dispute("a"); err != nil {
			t.Fatal(err)
		}
		if w.Dispute("a") == nil {
			t.Error("disputed twice")
		}
		if got := w.Disputed("a"); got != money.Of(1900, "JPY") {
			t.Errorf("withheld %v", got)
		}
		want(t, w.call("GET", "/v1/disputes", "", "payment_intent="+pi), 200, "data.0.status", "needs_response", "data.0.amount", "1900")
		want(t, w.call("POST", "/v1/refunds", "", "payment_intent="+pi), 400, "error.code", "charge_disputed")
		if err := w.CloseDispute("a", won); err != nil {
			t.Fatal(err)
		}
		if got := w.Disputed("a").IsZero(); got != won {
			t.Errorf("won %v: withheld %v", won, w.Disputed("a"))
		}
		wanted := "charge.dispute.created charge.dispute.funds_withdrawn charge.dispute.closed"
		if won {
			wanted = "charge.dispute.created charge.dispute.funds_withdrawn charge.dispute.funds_reinstated charge.dispute.closed"
		}
		if told := w.told(); !strings.HasSuffix(told, wanted) {
			t.Errorf("told: %s", told)
		}
	}
}
