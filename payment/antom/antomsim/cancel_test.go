package antomsim_test

import (
	"testing"
	"time"
)

func TestCancel(t *testing.T) {
	cancel := func(w *town) answer { return w.call("cancel", body{"paymentRequestId": "a"}) }
	w := newTown()
	w.want(t, cancel(w), "F ORDER_NOT_EXIST")
	id := w.open(t, "a")
	a := w.want(t, cancel(w), "S SUCCESS")
	if a.at("paymentId") != id || a.at("paymentRequestId") != "a" || a.at("cancelTime") != "2032-12-31T20:02:01-07:00" {
		t.Errorf("%s", a.raw)
	}
	w.pass(time.Hour)
	if again := w.want(t, cancel(w), "S SUCCESS"); again.at("cancelTime") != a.at("cancelTime") {
		t.Errorf("%s", again.raw)
	}
	if _, err := w.Pay("a"); err == nil || w.status("a") != "CANCELLED ORDER_IS_CANCELED" || len(w.Notifications()) != 0 {
		t.Errorf("after cancel: %v, %s", err, w.status("a"))
	}
}

// A payment that is cancelled gives everything back, and takes no refund.
func TestCancelOfAPaidPayment(t *testing.T) {
	w := newTown()
	id := w.bought(t, "a")
	if w.Captured("a").Minor != 1980 {
		t.Fatalf("captured %v", w.Captured("a"))
	}
	w.want(t, w.call("cancel", body{"paymentId": id}), "S SUCCESS")
	a := w.call("inquiryPayment", body{"paymentRequestId": "a"})
	if a.at("paymentStatus") != "CANCELLED" || a.at("transactions.0.transactionType") != "CANCEL" || a.at("paymentTime") != "" {
		t.Errorf("%s", a.raw)
	}
	if !w.Captured("a").IsZero() || !w.Refunded("a").IsZero() || len(w.Charges()) != 1 || !w.Charges()[0].Captured.IsZero() {
		t.Errorf("captured %v, refunded %v, %+v", w.Captured("a"), w.Refunded("a"), w.Charges())
	}
	w.want(t, w.refund(id, "r", "1980"), "F ORDER_STATUS_INVALID")
}

// The day of the payment ends at 00:15 of the next, in UTC+8.
func TestCancelHasItsTime(t *testing.T) {
	w := newTown() // 11:02:01 in Beijing
	w.bought(t, "a")
	w.bought(t, "b")
	w.pass(13*time.Hour + 12*time.Minute + 58*time.Second)
	w.want(t, w.call("cancel", body{"paymentRequestId": "a"}), "S SUCCESS")
	w.pass(time.Second)
	w.want(t, w.call("cancel", body{"paymentRequestId": "b"}), "F CANCEL_WINDOW_EXCEED")
	if got := w.status("b"); got != "SUCCESS SUCCESS" || w.Captured("b").Minor != 1980 {
		t.Errorf("%s", got)
	}
	w.want(t, w.call("cancel", body{"paymentRequestId": "a"}), "S SUCCESS") // it was, and remains so
}

func TestWhatCancelDoesNotChange(t *testing.T) {
	w := newTown()
	w.open(t, "a")
	_, _ = w.Decline("a")
	w.want(t, w.call("cancel", body{"paymentRequestId": "a"}), "S SUCCESS")
	if got := w.status("a"); got != "FAIL USER_BALANCE_NOT_ENOUGH" {
		t.Errorf("%s", got)
	}
	id := w.bought(t, "b")
	w.want(t, w.refund(id, "r", "1"), "S SUCCESS")
	w.want(t, w.call("cancel", body{"paymentRequestId": "b"}), "F PROCESS_FAIL")
	if got := w.status("b"); got != "SUCCESS SUCCESS" || w.Captured("b").Minor != 1980 {
		t.Errorf("%s", got)
	}
}

// The customer had said yes when the payment was cancelled.
func TestMoneyAfterCancelGoesBack(t *testing.T) {
	w := newTown()
	w.open(t, "a")
	if w.PayAnyway("a") == nil {
		t.Error("paid anyway before it was cancelled")
	}
	w.call("cancel", body{"paymentRequestId": "a"})
	if err := w.PayAnyway("a"); err != nil {
		t.Fatal(err)
	}
	if got := w.status("a"); got != "CANCELLED ORDER_IS_CANCELED" || !w.Captured("a").IsZero() || len(w.Charges()) != 0 {
		t.Errorf("%s, captured %v", got, w.Captured("a"))
	}
	if got := w.told(t); len(got) != 1 || got[0] != "paid PAYMENT_RESULT S SUCCESS a " {
		t.Errorf("told %q", got)
	}
	if w.PayAnyway("a") == nil {
		t.Error("paid anyway twice")
	}
}
