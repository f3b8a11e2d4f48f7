package paypalsim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/money"
)

func TestRefundsReturnTheMoneyOnce(t *testing.T) {
	w := newTown()
	capture := w.bought(t, "a")
	w.kinds()
	body := `{"amount":{"currency_code":"JPY","value":"980"},"invoice_id":"r1","note_to_payer":"sorry"}`
	got := w.refund(capture, body, "r1.r")
	want(t, got, 201, "status", "COMPLETED", "amount.value", "980", "invoice_id", "r1", "seller_payable_breakdown.total_refunded_amount.value", "980")
	id := got.str("id")
	want(t, w.refund(capture, body, "r1.r"), 201, "id", id)
	refused(t, w.refund(capture, yen("979"), "r1.r"), 422, "PAYPAL_REQUEST_ID_PREVIOUSLY_USED")
	refused(t, w.refund(capture, body, "other"), 422, "DUPLICATE_INVOICE_ID")
	want(t, w.get("/v2/payments/refunds/"+id), 200, "status", "COMPLETED")
	want(t, w.get("/v2/payments/captures/"+capture), 200, "status", "PARTIALLY_REFUNDED")
	refused(t, w.refund(capture, yen("1001"), "too much"), 422, "REFUND_AMOUNT_EXCEEDED")
	if got := w.sim.Refunded("a"); got != money.Of(980, "JPY") {
		t.Errorf("refunded %v", got)
	}
	want(t, w.refund(capture, "{}", "rest"), 201, "amount.value", "1000")
	refused(t, w.refund(capture, yen("1"), "more"), 422, "CAPTURE_FULLY_REFUNDED")
	order := w.get(orderPath + "/" + w.get("/v2/payments/captures/"+capture).str("supplementary_data.related_ids.order_id"))
	want(t, order, 200, "status", "COMPLETED", "purchase_units.0.payments.captures.0.status", "REFUNDED",
		"purchase_units.0.payments.refunds.0.invoice_id", "r1", "purchase_units.0.payments.refunds.1.amount.value", "1000")
	if diff := cmp.Diff([]string{"PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REFUNDED"}, w.kinds()); diff != "" {
		t.Error(diff)
	}
	w.now = w.now.Add(45*24*time.Hour - time.Second)
	w.login()
	want(t, w.refund(capture, body, "r1.r"), 201, "id", id)
	w.now = w.now.Add(time.Second)
	refused(t, w.refund(capture, body, "r1.r"), 422, "CAPTURE_FULLY_REFUNDED")
}

func TestRefundsThatPayPalWouldNotMake(t *testing.T) {
	w := newTown()
	capture := w.bought(t, "a")
	for body, issue := range map[string]string{
		yen("1.5"): "DECIMALS_NOT_SUPPORTED", yen("0"): "CANNOT_BE_ZERO_OR_NEGATIVE", yen("1981"): "REFUND_AMOUNT_EXCEEDED",
		`{"amount":{"currency_code":"USD","value":"1.00"}}`: "REFUND_CAPTURE_CURRENCY_MISMATCH",
		`{"amount":{"currency_code":"ZZZ","value":"1.00"}}`: "INVALID_CURRENCY_CODE",
	} {
		refused(t, w.refund(capture, body, ""), 422, issue)
	}
	refused(t, w.refund(capture, `{"amount":{"value":"1"}}`, ""), 400, "MISSING_REQUIRED_PARAMETER")
	refused(t, w.refund(capture, `{"total":1}`, ""), 400, "NOT_SUPPORTED")
	refused(t, w.refund("NONE", "", ""), 404, "INVALID_RESOURCE_ID")
	if got := w.sim.Refunded("a"); !got.IsZero() {
		t.Errorf("refunded %v", got)
	}
	for range 10 {
		want(t, w.refund(capture, yen("1"), ""), 201)
	}
	refused(t, w.refund(capture, yen("1"), ""), 422, "MAX_NUMBER_OF_REFUNDS_EXCEEDED")

	capture = w.bought(t, "b")
	w.now = w.now.Add(180 * 24 * time.Hour)
	w.login()
	want(t, w.refund(capture, yen("1"), ""), 201)
	w.now = w.now.Add(time.Second)
	refused(t, w.refund(capture, yen("1"), ""), 422, "REFUND_TIME_LIMIT_EXCEEDED")
}

func TestAHeldRefundArrivesOrComesBack(t *testing.T) {
	for _, arrived := range []bool{true, false} {
		w := newTown()
		capture := w.bought(t, "a")
		w.kinds()
		w.sim.HoldRefunds(true)
		got := w.refund(capture, "", "r1")
		want(t, got, 201, "status", "PENDING")
		if got := w.sim.Refunded("a"); got != money.Of(1980, "JPY") {
			t.Errorf("on its way: %v", got)
		}
		if err := w.sim.SettleRefund("r1", arrived); err != nil {
			t.Fatal(err)
		}
		if err := w.sim.SettleRefund("r1", arrived); err == nil {
			t.Error("settled twice")
		}
		status, kind, left := "COMPLETED", "PAYMENT.CAPTURE.REFUNDED", int64(1980)
		if !arrived {
			status, kind, left = "FAILED", "PAYMENT.REFUND.FAILED", 0
		}
		want(t, w.refund(capture, "", "r1"), 201, "id", got.str("id"), "status", status)
		want(t, w.get("/v2/payments/refunds/"+got.str("id")), 200, "status", status)
		if got := w.sim.Refunded("a").Minor; got != left {
			t.Errorf("refunded %d, want %d", got, left)
		}
		if diff := cmp.Diff(sorted([]string{"PAYMENT.REFUND.PENDING", kind}), sorted(w.kinds())); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTheDeskRefundsToo(t *testing.T) {
	w := newTown()
	capture := w.bought(t, "a")
	if err := w.sim.RefundByHand("a", 1981); err == nil {
		t.Error("more than was paid came back")
	}
	if err := w.sim.RefundByHand("a", 980); err != nil {
		t.Fatal(err)
	}
	want(t, w.get("/v2/payments/captures/"+capture), 200, "status", "PARTIALLY_REFUNDED")
	if got := w.sim.Refunded("a"); got != money.Of(980, "JPY") {
		t.Errorf("refunded %v", got)
	}
}

func TestDisputes(t *testing.T) {
	for _, wins := range []bool{true, false} {
		w := newTown()
		capture := w.bought(t, "a")
		list := "/v1/customer/disputes?disputed_transaction_id=" + capture
		if got := w.get(list); got.status != 200 || got.at("items.0") != nil {
			t.Errorf("before: %d %s", got.status, got.raw)
		}
		_ = w.sim.RefundByHand("a", 980)
		w.kinds()
		if err := w.sim.Dispute("a"); err != nil {
			t.Fatal(err)
		}
		want(t, w.get(list), 200, "items.0.status", "WAITING_FOR_SELLER_RESPONSE", "items.0.dispute_amount.value", "1000")
		if got := w.sim.Disputed("a"); got != money.Of(1000, "JPY") {
			t.Errorf("disputed %v", got)
		}
		refused(t, w.refund(capture, yen("1"), ""), 422, "TRANSACTION_DISPUTED")
		if err := w.sim.ResolveDispute("a", wins); err != nil {
			t.Fatal(err)
		}
		want(t, w.get(list), 200, "items.0.status", "RESOLVED")
		kinds, back, status := []string{"CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.RESOLVED"}, int64(980), "PARTIALLY_REFUNDED"
		if !wins {
			kinds, back, status = append(kinds, "PAYMENT.CAPTURE.REVERSED"), 1980, "REFUNDED"
		}
		if diff := cmp.Diff(kinds, sorted(w.kinds())); diff != "" {
			t.Error(diff)
		}
		want(t, w.get("/v2/payments/captures/"+capture), 200, "status", status)
		if got := w.sim.Refunded("a").Minor; got != back {
			t.Errorf("refunded %d, want %d", got, back)
		}
		if got := w.sim.Disputed("a").Minor; got != 0 {
			t.Errorf("still disputed: %d", got)
		}
	}
	w := newTown()
	refused(t, w.get("/v1/customer/disputes"), 400, "INVALID_PARAMETER_VALUE")
	refused(t, w.get("/v1/customer/disputes?disputed_transaction_id=a-b"), 400, "INVALID_PARAMETER_VALUE")
}

func TestRefundingAllEndsADispute(t *testing.T) {
	w := newTown()
	capture := w.bought(t, "a")
	_ = w.sim.Dispute("a")
	want(t, w.refund(capture, "", "r"), 201)
	want(t, w.get(fmt.Sprintf("/v1/customer/disputes?disputed_transaction_id=%s", capture)), 200, "items.0.status", "RESOLVED")
}
