package paypaysim

import (
	"fmt"
	"testing"
	"time"
)

func (w *town) refundOf(id, paymentID string) result {
	return w.call("GET", "/v2/refunds/"+id+"?paymentId="+paymentID, "")
}

func TestRefundInParts(t *testing.T) {
	w := newTown()
	id := w.paid(t, "ref1")
	r := w.call("POST", "/v2/refunds", refundBody("r1", id, 980))
	at := fmt.Sprint(w.clock().Unix())
	want(t, r, 200, "SUCCESS", "data.status", "CREATED", "data.acceptedAt", at, "data.merchantRefundId", "r1", "data.paymentId", id,
		"data.amount.amount", "980", "data.amount.currency", "JPY", "data.requestedAt", "1936000000", "data.reason", "test")
	w.wantMoney(t, "ref1", 1980, 980)
	want(t, w.get("ref1"), 200, "SUCCESS", "data.status", "COMPLETED", "data.refunds.data.0.status", "CREATED", "data.refunds.data.0.amount.amount", "980")

	w.pass(refundTakes)
	want(t, w.refundOf("r1", id), 200, "SUCCESS", "data.status", "REFUNDED", "data.acceptedAt", fmt.Sprint(w.clock().Unix()))
	want(t, w.get("ref1"), 200, "SUCCESS", "data.status", "REFUNDED", "data.amount.amount", "1980", "data.refunds.data.0.status", "REFUNDED")

	w.pass(throttle)
	want(t, w.call("POST", "/v2/refunds", refundBody("r2", id, 1000)), 200, "SUCCESS")
	want(t, w.get("ref1"), 200, "SUCCESS", "data.refunds.data.1.merchantRefundId", "r2", "data.refunds.data.1.status", "CREATED")
	w.wantMoney(t, "ref1", 1980, 1980)
	w.pass(throttle)
	want(t, w.call("POST", "/v2/refunds", refundBody("r3", id, 1)), 400, "INVALID_PARAMS", "resultInfo.codeId", "00200015")
	w.wantMoney(t, "ref1", 1980, 1980)
}

// A known refund gets its former result, even with another amount; the same
// identifier for another payment is another refund.
func TestSameRefundAgain(t *testing.T) {
	w := newTown()
	one, two := w.paid(t, "ref1"), w.paid(t, "ref2")
	for _, yen := range []int{980, 980, 500} {
		want(t, w.call("POST", "/v2/refunds", refundBody("r1", one, yen)), 200, "SUCCESS", "data.amount.amount", "980", "data.status", "CREATED")
		w.wantMoney(t, "ref1", 1980, 980)
	}
	w.pass(refundTakes)
	want(t, w.call("POST", "/v2/refunds", refundBody("r1", one, 980)), 200, "SUCCESS", "data.status", "REFUNDED")
	want(t, w.call("POST", "/v2/refunds", refundBody("r1", two, 7)), 200, "SUCCESS", "data.amount.amount", "7", "data.paymentId", two)
	w.wantMoney(t, "ref2", 1980, 7)
	want(t, w.refundOf("r1", two), 200, "SUCCESS", "data.amount.amount", "7")
}

func TestRefundsThatAreRefused(t *testing.T) {
	w := newTown(func(c *Config) { c.MaxRefunds = 2 })
	id := w.paid(t, "ref1")
	ask := func(body string) result { return w.call("POST", "/v2/refunds", body) }
	want(t, ask(refundBody("r1", id, 1981)), 400, "INVALID_PARAMS", "resultInfo.codeId", "00200015")
	want(t, ask(refundBody("r1", id, 0)), 400, "INVALID_REQUEST_PARAMS")
	want(t, ask(refundBody("r 1", id, 1)), 400, "INVALID_REQUEST_PARAMS")
	want(t, ask(`{"merchantRefundId":"r1","paymentId":`+id[1:]+`,"amount":{"amount":1,"currency":"JPY"},"requestedAt":1}`), 400, "INVALID_REQUEST_PARAMS")
	want(t, ask(`{"merchantRefundId":"r1","paymentId":"`+id+`","amount":{"amount":1,"currency":"JPY"}}`), 400, "MISSING_REQUEST_PARAMS")
	want(t, ask(refundBody("r1", "04739111111111111111", 1)), 404, "RESOURCE_NOT_FOUND", "resultInfo.codeId", "00200001")
	want(t, ask(refundBody("r1", "ref1", 1)), 500, "INTERNAL_SERVER_ERROR")
	want(t, w.refundOf("r1", id), 404, "NO_SUCH_REFUND_ORDER", "resultInfo.codeId", "00200018")
	want(t, w.call("GET", "/v2/refunds/r1", ""), 400, "MISSING_REQUEST_PARAMS")
	want(t, w.call("GET", "/v2/refunds/r.1?paymentId="+id, ""), 400, "INVALID_PARAMS")
	w.wantMoney(t, "ref1", 1980, 0)

	want(t, ask(refundBody("r1", id, 100)), 200, "SUCCESS")
	w.pass(throttle - time.Second)
	want(t, ask(refundBody("r2", id, 100)), 400, "THROTTLED_MULTIPLE_REFUND_REJECTED")
	want(t, w.refundOf("r2", id), 404, "NO_SUCH_REFUND_ORDER")
	w.pass(time.Second)
	want(t, ask(refundBody("r2", id, 100)), 200, "SUCCESS")
	w.pass(throttle)
	want(t, ask(refundBody("r3", id, 100)), 400, "REFUND_LIMIT_EXCEEDED")
	w.wantMoney(t, "ref1", 1980, 200)
}

func TestMerchantWhoMayRefundOnce(t *testing.T) {
	w := newTown(func(c *Config) { c.SingleRefund = true })
	id := w.paid(t, "ref1")
	want(t, w.call("POST", "/v2/refunds", refundBody("r1", id, 100)), 200, "SUCCESS")
	w.pass(throttle)
	want(t, w.call("POST", "/v2/refunds", refundBody("r2", id, 100)), 403, "MERCHANT_MULTIPLE_REFUND_REJECTED")
	want(t, w.call("POST", "/v2/refunds", refundBody("r1", id, 100)), 200, "SUCCESS")
}

// Refunds are taken until the end of the 365th day after the payment's, in
// Japan: the payment was on 6 May 2031, and 2032 has a 29 February.
func TestRefundWindow(t *testing.T) {
	w := newTown()
	id := w.paid(t, "ref1")
	last := time.Date(2032, 5, 5, 14, 59, 59, 0, time.UTC)
	w.pass(last.Sub(w.clock()))
	want(t, w.call("POST", "/v2/refunds", refundBody("r1", id, 100)), 200, "SUCCESS")
	w.pass(time.Second)
	want(t, w.call("POST", "/v2/refunds", refundBody("r2", id, 100)), 400, "REFUND_WINDOW_EXCEED")
	want(t, w.call("POST", "/v2/refunds", refundBody("r1", id, 100)), 200, "SUCCESS")
}

func TestHeldRefunds(t *testing.T) {
	w := newTown()
	one, two := w.paid(t, "ref1"), w.paid(t, "ref2")
	w.HoldRefunds(true)
	want(t, w.call("POST", "/v2/refunds", refundBody("r1", one, 100)), 200, "SUCCESS")
	want(t, w.call("POST", "/v2/refunds", refundBody("r2", two, 100)), 200, "SUCCESS")
	w.pass(48 * time.Hour)
	want(t, w.refundOf("r1", one), 200, "SUCCESS", "data.status", "CREATED")
	w.wantStatus(t, "ref1", "COMPLETED")
	w.wantMoney(t, "ref1", 1980, 100)
	if err := w.SettleRefund("r1"); err != nil {
		t.Fatal(err)
	}
	want(t, w.refundOf("r1", one), 200, "SUCCESS", "data.status", "REFUNDED")
	want(t, w.refundOf("r2", two), 200, "SUCCESS", "data.status", "CREATED")
	if w.SettleRefund("r1") == nil {
		t.Error("a refund is settled twice")
	}
	done := fmt.Sprint(w.clock().Unix())
	w.pass(time.Hour)
	w.HoldRefunds(false)
	want(t, w.refundOf("r1", one), 200, "SUCCESS", "data.acceptedAt", done)
	want(t, w.refundOf("r2", two), 200, "SUCCESS", "data.status", "REFUNDED")
}

func TestRefundByHand(t *testing.T) {
	w := newTown()
	id := w.paid(t, "ref1")
	want(t, w.call("POST", "/v2/refunds", refundBody("r1", id, 100)), 200, "SUCCESS")
	if err := w.RefundByHand("ref1", 500); err != nil {
		t.Fatal(err)
	}
	w.wantMoney(t, "ref1", 1980, 600)
	want(t, w.get("ref1"), 200, "SUCCESS", "data.status", "REFUNDED", "data.refunds.data.1.amount.amount", "500", "data.refunds.data.1.status", "REFUNDED")
	for _, n := range []int64{0, -5, 1381} {
		if w.RefundByHand("ref1", n) == nil {
			t.Errorf("%d yen of 1380 are refunded by hand", n)
		}
	}
	if w.RefundByHand("unheard", 1) == nil {
		t.Error("a payment that never was is refunded")
	}
	w.wantMoney(t, "ref1", 1980, 600)
}

func TestCancelAfterPayment(t *testing.T) {
	w := newTown()
	id := w.paid(t, "ref1")
	_ = w.Notifications()
	want(t, w.call("DELETE", "/v2/payments/ref1", ""), 202, "REQUEST_ACCEPTED", "resultInfo.codeId", "08100001", "data", "<nil>")
	w.wantStatus(t, "ref1", "COMPLETED")
	want(t, w.call("POST", "/v2/refunds", refundBody("r1", id, 1)), 400, "UNACCEPTABLE_OP")
	w.pass(cancelTakes)
	want(t, w.get("ref1"), 200, "SUCCESS", "data.status", "FAILED", "data.canceledAt", fmt.Sprint(w.clock().Unix()))
	w.wantMoney(t, "ref1", 0, 0)
	want(t, w.call("DELETE", "/v2/payments/ref1", ""), 202, "REQUEST_ACCEPTED")
	want(t, w.call("POST", "/v2/refunds", refundBody("r1", id, 1)), 400, "UNACCEPTABLE_OP", "resultInfo.codeId", "00200013")
	if told := w.Notifications(); len(told) != 0 {
		t.Errorf("our own cancellation is notified: %+v", told)
	}
}

// Cancelling does not keep the customer from paying; the money goes back then.
func TestCancelBeforePayment(t *testing.T) {
	w := newTown()
	w.offer(t, "ref1")
	want(t, w.call("DELETE", "/v2/payments/ref1", ""), 202, "REQUEST_ACCEPTED")
	w.wantStatus(t, "ref1", "CREATED")
	w.pay(t, "ref1")
	w.wantStatus(t, "ref1", "COMPLETED")
	w.wantMoney(t, "ref1", 1980, 0)
	w.pass(cancelTakes)
	w.wantStatus(t, "ref1", "FAILED")
	w.wantMoney(t, "ref1", 0, 0)
}

func TestCancelOfWhatNobodyKnows(t *testing.T) {
	w := newTown()
	want(t, w.call("DELETE", "/v2/payments/ref1", ""), 202, "REQUEST_ACCEPTED")
	w.wantStatus(t, "ref1", "")
	want(t, w.call("POST", "/v2/codes", codeBody("ref1", 1980)), 400, "DUPLICATE_DYNAMIC_QR_REQUEST")
	if _, err := w.Pay("ref1"); err == nil {
		t.Error("a cancelled reference is paid")
	}
}

func TestCancelTooLate(t *testing.T) {
	w := newTown() // 22:30 on 6 May in Japan
	w.paid(t, "early")
	w.pass(45 * time.Minute)
	w.paid(t, "ref1")
	w.paid(t, "ref2")
	w.pass(time.Date(2031, 5, 6, 15, 14, 59, 0, time.UTC).Sub(w.clock()))
	want(t, w.call("DELETE", "/v2/payments/ref1", ""), 202, "REQUEST_ACCEPTED")
	w.paid(t, "after_midnight")
	w.pass(time.Second)
	want(t, w.call("DELETE", "/v2/payments/ref2", ""), 400, "ORDER_NOT_REVERSIBLE", "resultInfo.codeId", "00200044")
	want(t, w.call("DELETE", "/v2/payments/early", ""), 400, "ORDER_NOT_REVERSIBLE")
	want(t, w.call("DELETE", "/v2/payments/ref1", ""), 202, "REQUEST_ACCEPTED") // already promised
	w.pass(time.Hour)
	w.wantStatus(t, "ref1", "FAILED")
	w.wantStatus(t, "ref2", "COMPLETED")
	w.wantMoney(t, "ref2", 1980, 0)
}

func TestCancelAfterRefund(t *testing.T) {
	w := newTown()
	id := w.paid(t, "ref1")
	want(t, w.call("POST", "/v2/refunds", refundBody("r1", id, 100)), 200, "SUCCESS")
	want(t, w.call("DELETE", "/v2/payments/ref1", ""), 400, "ORDER_NOT_REVERSIBLE")
	w.pass(refundTakes)
	want(t, w.call("DELETE", "/v2/payments/ref1", ""), 400, "ORDER_NOT_REVERSIBLE")
	w.wantMoney(t, "ref1", 1980, 100)
}
