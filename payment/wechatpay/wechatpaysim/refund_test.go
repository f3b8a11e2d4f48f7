package wechatpaysim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	sim "github.com/tsuzuku/tsuzuku/payment/wechatpay/wechatpaysim"
)

func TestRefundIsProcessedThenSucceedsOnce(t *testing.T) {
	w := newTown(t)
	id := w.paid("order00001", 1990)
	first := w.refund("order00001", "refund1", 990, 1990)
	want(t, first, 200, "status", "PROCESSING", "transaction_id", id, "out_refund_no", "refund1", "amount.refund", "990", "amount.total", "1990", "success_time", nil)
	want(t, w.query("order00001"), 200, "trade_state", "REFUND", "amount.total", "1990")
	w.pass(3 * time.Second)
	again := w.refund("order00001", "refund1", 990, 1990)
	want(t, again, 200, "status", "SUCCESS", "refund_id", first.at("refund_id"), "success_time", "2031-05-04T11:02:04+08:00")
	want(t, w.call("GET", refunds+"/refund1", ""), 200, "status", "SUCCESS", "amount.refund", "990", "create_time", "2031-05-04T11:02:01+08:00")
	if got := w.Refunded("order00001"); got != money.Of(990, "CNY") {
		t.Errorf("refunded %v", got)
	}
	want(t, w.refund("order00001", "refund1", 991, 1990), 400, "code", "INVALID_REQUEST")
	if _, err := w.Pay("order00001"); err == nil {
		t.Error("a refunded order was paid again")
	}
	w.pass(time.Minute)
	byID := fmt.Sprintf(`{"transaction_id":"%s","out_refund_no":"refund2","reason":"x","funds_account":"AVAILABLE","amount":{"refund":1000,"total":1990,"currency":"CNY"}}`, id)
	want(t, w.call("POST", refunds, byID), 200, "status", "PROCESSING")
	if got := w.Refunded("order00001").Minor; got != 1990 {
		t.Errorf("refunded %d", got)
	}
}

func TestRefundsThatBreakARuleAreRefused(t *testing.T) {
	w := newTown(t)
	w.paid("order00001", 1990)
	w.place("order00002", 1990)
	good := refundOf("order00001", "refund1", 1990, 1990)
	for body, code := range map[string]string{
		refundOf("order00001", "refund1", 1991, 1990):                                       "INVALID_REQUEST",
		refundOf("order00001", "refund1", 990, 1991):                                        "INVALID_REQUEST",
		refundOf("order00002", "refund1", 990, 1990):                                        "RESOURCE_NOT_EXISTS",
		refundOf("order00003", "refund1", 990, 1990):                                        "RESOURCE_NOT_EXISTS",
		refundOf("order00001", "refund1", 0, 1990):                                          "PARAM_ERROR",
		refundOf("order00001", strings.Repeat("r", 65), 1, 1990):                            "PARAM_ERROR",
		refundOf("order00001", "refund 1", 1, 1990):                                         "PARAM_ERROR",
		strings.Replace(good, "CNY", "USD", 1):                                              "PARAM_ERROR",
		strings.Replace(good, `,"currency":"CNY"`, "", 1):                                   "PARAM_ERROR",
		strings.Replace(good, `"out_trade_no":"order00001",`, "", 1):                        "PARAM_ERROR",
		strings.Replace(good, `{"out_trade_no"`, `{"transaction_id":"1","out_trade_no"`, 1): "PARAM_ERROR",
		strings.Replace(good, `"refund":1990`, `"refund":19.90`, 1):                         "PARAM_ERROR",
		strings.Replace(good, `"amount":`, `"sub_mchid":"1","amount":`, 1):                  "PARAM_ERROR",
		strings.Replace(good, notifyURL, "ftp://shop.test/x", 1):                            "PARAM_ERROR",
	} {
		if r := w.call("POST", refunds, body); r.at("code") != code {
			t.Errorf("%s: %s, want %s", body, r.raw, code)
		}
	}
	if got := w.Refunded("order00001"); !got.IsZero() {
		t.Errorf("refunded %v", got)
	}
	want(t, w.query("order00001"), 200, "trade_state", "SUCCESS")
}

func TestRefundsKeepAMinuteApart(t *testing.T) {
	w := newTown(t)
	w.paid("order00001", 1990)
	w.paid("order00002", 1990)
	want(t, w.refund("order00001", "refund1", 100, 1990), 200)
	want(t, w.refund("order00002", "refund2", 100, 1990), 200) // of another payment
	w.pass(time.Minute - time.Millisecond)
	want(t, w.refund("order00001", "refund3", 100, 1990), 429, "code", "FREQUENCY_LIMITED")
	want(t, w.refund("order00001", "refund1", 100, 1990), 200) // no new one
	w.pass(time.Millisecond)
	want(t, w.refund("order00001", "refund3", 100, 1990), 200)
	if got := w.Refunded("order00001").Minor; got != 200 {
		t.Errorf("refunded %d", got)
	}
}

func TestRefundsAreAtMostFiftyWithinAYear(t *testing.T) {
	w := newTown(t)
	w.paid("order00001", 1990)
	w.paid("order00002", 1990)
	w.paid("order00003", 1990)
	for i := range 50 {
		want(t, w.refund("order00001", fmt.Sprintf("refund%d", i), 1, 1990), 200)
		w.pass(time.Minute)
	}
	want(t, w.refund("order00001", "refund50", 1, 1990), 400, "code", "INVALID_REQUEST")
	w.pass(365*24*time.Hour - 50*time.Minute)
	want(t, w.refund("order00002", "late", 1, 1990), 200)
	w.pass(time.Second)
	want(t, w.refund("order00003", "later", 1, 1990), 400, "code", "INVALID_REQUEST")
	want(t, w.refund("order00002", "late", 1, 1990), 200) // known by its number
	if err := w.RefundByHand("order00003", 1); err == nil {
		t.Error("the desk refunds after a year")
	}
}

func TestHeldRefundsEndAsDecided(t *testing.T) {
	for _, tt := range []struct {
		ends     []sim.RefundStatus
		refunded int64
		left     int64 // what can still be refunded
	}{
		{nil, 500, 500},
		{[]sim.RefundStatus{sim.Success}, 500, 500},
		{[]sim.RefundStatus{sim.Abnormal}, 0, 500},
		{[]sim.RefundStatus{sim.Closed}, 0, 1000},
		{[]sim.RefundStatus{sim.Abnormal, sim.Success}, 500, 500},
		{[]sim.RefundStatus{sim.Abnormal, sim.Closed}, 0, 1000},
	} {
		w := newTown(t)
		w.paid("order00001", 1000)
		w.HoldRefunds(true)
		want(t, w.refund("order00001", "refund1", 500, 1000), 200, "status", "PROCESSING")
		w.pass(72 * time.Hour)
		want(t, w.call("GET", refunds+"/refund1", ""), 200, "status", "PROCESSING")
		status := sim.Processing
		for _, status = range tt.ends {
			if err := w.SettleRefund("refund1", status); err != nil {
				t.Fatal(err)
			}
		}
		want(t, w.call("GET", refunds+"/refund1", ""), 200, "status", string(status))
		want(t, w.query("order00001"), 200, "trade_state", "REFUND")
		if got := w.Refunded("order00001").Minor; got != tt.refunded {
			t.Errorf("%v: refunded %d, want %d", tt.ends, got, tt.refunded)
		}
		want(t, w.refund("order00001", "refund2", tt.left+1, 1000), 400)
		want(t, w.refund("order00001", "refund2", tt.left, 1000), 200)
	}
	w := newTown(t)
	w.paid("order00001", 1000)
	want(t, w.refund("order00001", "refund1", 500, 1000), 200)
	if w.SettleRefund("refund1", sim.Abnormal) == nil || w.SettleRefund("none", sim.Success) == nil {
		t.Error("a refund that nobody holds was settled")
	}
	w.HoldRefunds(true)
	w.pass(time.Minute)
	want(t, w.refund("order00001", "refund2", 500, 1000), 200)
	if w.SettleRefund("refund2", sim.Processing) == nil || w.SettleRefund("refund2", "odd") == nil {
		t.Error("a refund ended in no end")
	}
}

func TestRefundByHandIsCountedAndUnknown(t *testing.T) {
	w := newTown(t)
	w.paid("order00001", 1000)
	if w.RefundByHand("order00001", 1001) == nil || w.RefundByHand("order00002", 1) == nil || w.RefundByHand("order00001", 0) == nil {
		t.Error("the desk gave what was not there")
	}
	if err := w.RefundByHand("order00001", 400); err != nil {
		t.Fatal(err)
	}
	if w.RefundByHand("order00001", 601) == nil {
		t.Error("the desk gave more than was left")
	}
	want(t, w.query("order00001"), 200, "trade_state", "REFUND")
	want(t, w.refund("order00001", "refund1", 601, 1000), 400)
	want(t, w.refund("order00001", "refund1", 600, 1000), 200)
	if got := w.Charges()[0]; got.Refunded.Minor != 1000 || got.Captured.Minor != 1000 || got.Ref != "order00001" {
		t.Errorf("charge %+v", got)
	}
}
