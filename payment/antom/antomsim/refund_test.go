package antomsim_test

import (
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment/antom/antomsim"
)

func TestRefund(t *testing.T) {
	w := newTown()
	id := w.bought(t, "a")
	w.told(t)
	w.pass(time.Hour)
	a := w.want(t, w.refund(id, "r1", "500"), "S SUCCESS")
	if a.at("refundRequestId") != "r1" || a.at("refundId") == "" || a.at("paymentId") != id || a.at("refundAmount.value") != "500" || a.at("refundTime") != "2032-12-31T21:02:01-07:00" {
		t.Errorf("%s", a.raw)
	}
	w.pass(time.Minute)
	if again := w.want(t, w.refund(id, "r1", "500"), "S SUCCESS"); string(again.raw) != string(a.raw) {
		t.Errorf("%s, was %s", again.raw, a.raw)
	}
	w.want(t, w.refund(id, "r1", "501"), "F REPEAT_REQ_INCONSISTENT")
	w.want(t, w.refund(id, "r2", "1481"), "F REFUND_AMOUNT_EXCEED")
	w.want(t, w.refund(id, "r2", "1480"), "F REPEAT_REQ_INCONSISTENT") // refused once, refused for ever
	w.want(t, w.refund(id, "r2", "1481"), "F REFUND_AMOUNT_EXCEED")
	w.want(t, w.refund(id, "r3", "1480"), "S SUCCESS")
	if got := w.Refunded("a"); got.Minor != 1980 || w.status("a") != "SUCCESS SUCCESS" {
		t.Errorf("refunded %v, %s", got, w.status("a"))
	}
	q := w.want(t, w.call("inquiryRefund", body{"refundRequestId": "r1"}), "S SUCCESS")
	if q.at("refundId") != a.at("refundId") || q.at("refundStatus") != "SUCCESS" || q.at("refundTime") != a.at("refundTime") || q.at("refundAmount.value") != "500" {
		t.Errorf("%s", q.raw)
	}
	if q := w.want(t, w.call("inquiryRefund", body{"refundRequestId": "nobody", "refundId": a.at("refundId")}), "S SUCCESS"); q.at("refundRequestId") != "r1" {
		t.Errorf("%s", q.raw)
	}
	w.want(t, w.call("inquiryRefund", body{"refundRequestId": "nobody"}), "F ORDER_NOT_EXIST")
	if q := w.want(t, w.call("inquiryRefund", body{"refundRequestId": "r2"}), "S SUCCESS"); q.at("refundStatus") != "FAIL" || q.at("refundTime") != "" {
		t.Errorf("%s", q.raw)
	}
	p := w.call("inquiryPayment", body{"paymentRequestId": "a"})
	for i, want := range []string{"REFUND r1 SUCCESS 500", "REFUND r2 FAIL 1481", "REFUND r3 SUCCESS 1480"} {
		at := "transactions." + string(rune('0'+i)) + "."
		if got := p.at(at+"transactionType") + " " + p.at(at+"transactionRequestId") + " " + p.at(at+"transactionStatus") + " " + p.at(at+"transactionAmount.value"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := w.told(t); len(got) != 2 || got[0] != "refunded REFUND_RESULT S SUCCESS r1 SUCCESS" || got[1] != "refunded REFUND_RESULT S SUCCESS r3 SUCCESS" {
		t.Errorf("told %q", got)
	}
}

func TestRefundsThatAreRefused(t *testing.T) {
	w := newTown()
	w.want(t, w.refund("1", "r0", "1"), "F ORDER_NOT_EXIST")
	open := w.open(t, "a")
	w.want(t, w.refund(open, "r1", "1"), "F ORDER_STATUS_INVALID")
	id := w.bought(t, "b")
	if a := w.call("refund", body{"paymentId": id, "refundRequestId": "r2", "refundAmount": body{"currency": "JPY", "value": "1"}}); a.said() != "F CURRENCY_NOT_SUPPORT" {
		t.Errorf("%s", a.raw)
	}
	w.Upset(antomsim.Poor)
	w.want(t, w.refund(id, "r3", "1"), "F MERCHANT_BALANCE_NOT_ENOUGH")
	w.want(t, w.refund(id, "r3", "1"), "F MERCHANT_BALANCE_NOT_ENOUGH")
	w.want(t, w.refund(id, "r4", "1"), "S SUCCESS")
	w.pass(365 * 24 * time.Hour)
	w.want(t, w.refund(id, "r5", "1"), "S SUCCESS")
	w.pass(time.Second)
	w.want(t, w.refund(id, "r6", "1"), "F REFUND_WINDOW_EXCEED")
	if got := w.Refunded("b"); got.Minor != 2 {
		t.Errorf("refunded %v", got)
	}
}

// A refund that is in process says U, counts, and ends one way or the other.
func TestRefundsThatTakeTime(t *testing.T) {
	for trouble, c := range map[antomsim.Trouble]struct{ said, status, told string }{
		antomsim.Slow:    {"S SUCCESS", "SUCCESS", "refunded REFUND_RESULT S SUCCESS r SUCCESS"},
		antomsim.Bounced: {"F PROCESS_FAIL", "FAIL", "refund_failed REFUND_RESULT F PROCESS_FAIL r FAIL"},
		antomsim.Stuck:   {"U REFUND_IN_PROCESS", "PROCESSING", ""},
	} {
		w := newTown()
		id := w.bought(t, "a")
		w.told(t)
		w.Upset(trouble)
		w.want(t, w.refund(id, "r", "1480"), "U REFUND_IN_PROCESS")
		w.want(t, w.refund(id, "r", "1480"), "U REFUND_IN_PROCESS")
		w.want(t, w.refund(id, "r2", "501"), "F REFUND_AMOUNT_EXCEED")
		if q := w.call("inquiryRefund", body{"refundRequestId": "r"}); q.at("refundStatus") != "PROCESSING" || w.Refunded("a").Minor != 1480 {
			t.Errorf("%s: %s, refunded %v", trouble, q.raw, w.Refunded("a"))
		}
		w.pass(5 * time.Minute)
		w.want(t, w.refund(id, "r", "1480"), c.said)
		if q := w.call("inquiryRefund", body{"refundRequestId": "r"}); q.at("refundStatus") != c.status {
			t.Errorf("%s: %s", trouble, q.raw)
		}
		if got := w.told(t); len(got) > 1 || len(got) == 1 && got[0] != c.told || (len(got) == 1) != (c.told != "") {
			t.Errorf("%s: told %q", trouble, got)
		}
		if trouble == antomsim.Bounced && !w.Refunded("a").IsZero() {
			t.Errorf("bounced, and refunded %v", w.Refunded("a"))
		}
	}
}

func TestARefundMayBeFinishedByHand(t *testing.T) {
	for _, done := range []bool{true, false} {
		w := newTown()
		id := w.bought(t, "a")
		w.Upset(antomsim.Slow)
		w.refund(id, "r", "100")
		if err := w.FinishRefund("r", done); err != nil {
			t.Fatal(err)
		}
		if w.FinishRefund("r", done) == nil {
			t.Error("finished twice")
		}
		said := map[bool]string{true: "S SUCCESS", false: "F PROCESS_FAIL"}[done]
		w.want(t, w.refund(id, "r", "100"), said)
		w.pass(time.Hour) // it does not end again
		w.want(t, w.refund(id, "r", "100"), said)
		if got := len(w.told(t)); got != 2 {
			t.Errorf("%d notifications", got)
		}
	}
}

func TestTheDashboardRefunds(t *testing.T) {
	w := newTown()
	w.bought(t, "a")
	w.Notifications()
	if err := w.RefundByHand("a", 980); err != nil {
		t.Fatal(err)
	}
	if err := w.RefundByHand("a", 1001); err == nil || w.Refunded("a").Minor != 980 {
		t.Errorf("%v, refunded %v", err, w.Refunded("a"))
	}
	all := w.Notifications()
	if len(all) != 1 || all[0].URL != dashboard {
		t.Errorf("%+v", all)
	}
	if p := w.call("inquiryPayment", body{"paymentRequestId": "a"}); p.at("transactions.0.transactionAmount.value") != "980" {
		t.Errorf("%s", p.raw)
	}
}
