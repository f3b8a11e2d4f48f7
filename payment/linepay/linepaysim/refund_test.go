package linepaysim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Nothing tells one refund from another: the same again is a second one, until
// nothing is left. Only one refund of everything is called a full one.
func TestRefundsHaveNoKey(t *testing.T) {
	w := newShop(t)
	id := w.bought("a")
	part := w.want("refund", w.post("/"+id+"/refund", `{"refundAmount":100}`), "0000").one
	w.later(time.Second)
	w.want("the same again", w.post("/"+id+"/refund", `{"refundAmount":100}`), "0000")
	w.took("a", 30000, 20000)
	w.want("all of it", w.post("/"+id+"/refund", ``), "1164")
	w.want("too much", w.post("/"+id+"/refund", `{"refundAmount":101}`), "1164")
	if err := w.sim.RefundByHand("a", 10000); err != nil {
		t.Errorf("RefundByHand: %v", err)
	}
	w.want("after the last of it", w.post("/"+id+"/refund", `{"refundAmount":1}`), "1165")
	w.want("all after the last of it", w.post("/"+id+"/refund", ``), "1165")
	w.took("a", 30000, 30000)

	d := w.want("details", w.get("", "orderId=a"), "0000").transactions[0]
	if len(d.RefundList) != 3 || d.TransactionType != "PAYMENT" || d.PayStatus != "CAPTURE" || d.PayInfo[0].Amount != "300" {
		t.Fatalf("details %+v", d)
	}
	want := listed{part.RefundTransactionID, "PARTIAL_REFUND", "-100", part.RefundTransactionDate}
	if diff := cmp.Diff(want, d.RefundList[0]); diff != "" {
		t.Errorf("refund (-want +got):\n%s", diff)
	}
	if last := d.RefundList[2]; last.TransactionType != "PARTIAL_REFUND" || last.RefundAmount != "-100" {
		t.Errorf("the last part is %+v", last)
	}
	rid := part.RefundTransactionID.String()
	if one := w.want("details", w.get("", "transactionId="+rid), "0000").transactions; len(one) != 1 ||
		one[0].OriginalTransactionID.String() != id || one[0].TransactionType != "PARTIAL_REFUND" || one[0].PayInfo[0].Amount != "-100" {
		t.Errorf("details of the refund: %+v", one)
	}
	w.want("refund of a refund", w.post("/"+rid+"/refund", `{}`), "1155")
}

func TestFullRefundsAndTheirLimits(t *testing.T) {
	w := newShop(t)
	id := w.bought("a")
	for body, code := range map[string]string{
		`{"refundAmount":0}`:      "1124",
		`{"refundAmount":-1}`:     "1124",
		`{"refundAmount":1.5}`:    "1124",
		`{"refundAmount":"100"}`:  "2101",
		`{"refundAmount":null}`:   "2101",
		`{"amount":100}`:          "2101",
		`[]`:                      "2102",
		`{"refundAmount":301}`:    "1164",
		`{"refundAmount":100}{}`:  "2102",
		`{"refundAmount":100000}`: "1164",
	} {
		w.want("refund "+body, w.post("/"+id+"/refund", body), code)
	}
	w.want("refund of nothing we know", w.post("/2021113000697317610/refund", `{}`), "1150")
	if a := w.want("refund beyond int64", w.post("/9999999999999999999/refund", `{}`), "2101"); a.Wrong["unrecognizedPathVariable"] != "transactionId" {
		t.Errorf("errorDetailMap %v", a.Wrong)
	}
	for _, minor := range []int64{0, -100, 150, 40000} {
		if w.sim.RefundByHand("a", minor) == nil {
			t.Errorf("%d could be given back by hand", minor)
		}
	}
	w.took("a", 30000, 0)
	w.later(60*24*time.Hour - 1)
	if got := w.want("refund", w.post("/"+id+"/refund", ``), "0000").one; !strings.HasSuffix(got.RefundTransactionID.String(), "11") {
		t.Errorf("a full refund is %s", got.RefundTransactionID)
	}
	d := w.want("details", w.get("", "orderId=a"), "0000").transactions[0]
	if len(d.RefundList) != 1 || d.RefundList[0].TransactionType != "PAYMENT_REFUND" || d.RefundList[0].RefundAmount != "-300" {
		t.Errorf("refunds %+v", d.RefundList)
	}
	late := w.bought("b")
	w.later(60 * 24 * time.Hour)
	w.want("late refund", w.post("/"+late+"/refund", ``), "1163")
}

// Confirm only reserves where the request says so.
func TestAuthorisations(t *testing.T) {
	w := newShop(t)
	reserve := func(ref string) string {
		id := w.order(ref, hold, holdInstead)
		w.pay(ref)
		a := w.want("confirm", w.post("/"+id+"/confirm", twd300), "0000")
		if want := w.now.Add(5 * 24 * time.Hour).Format("2006-01-02T15:04:05Z"); a.one.AuthorizationExpireDate != want {
			t.Errorf("authorised until %q, want %s", a.one.AuthorizationExpireDate, want)
		}
		w.took(ref, 0, 0)
		return id
	}
	status := func(ref, want string) {
		t.Helper()
		if d := w.want("details", w.get("", "orderId="+ref), "0000").transactions[0]; d.PayStatus != want {
			t.Errorf("%s is %s, want %s", ref, d.PayStatus, want)
		}
	}
	gone, part, lapsed := reserve("gone"), reserve("part"), reserve("lapsed")
	status("gone", "AUTHORIZATION")
	w.want("refund", w.post("/"+gone+"/refund", ``), "1155")
	w.want("void", w.post("/authorizations/"+gone+"/void", ``), "0000")
	w.want("void again", w.post("/authorizations/"+gone+"/void", `{}`), "1165")
	w.want("capture", w.post("/authorizations/"+gone+"/capture", twd300), "1179")
	w.want("confirm", w.post("/"+gone+"/confirm", twd300), "1152")
	status("gone", "VOIDED_AUTHORIZATION")

	w.want("capture of more", w.post("/authorizations/"+part+"/capture", `{"amount":301,"currency":"TWD"}`), "1184")
	w.want("capture", w.post("/authorizations/"+part+"/capture", `{"amount":200,"currency":"TWD"}`), "0000")
	w.want("capture again", w.post("/authorizations/"+part+"/capture", `{"amount":100,"currency":"TWD"}`), "1179")
	w.want("void", w.post("/authorizations/"+part+"/void", ``), "1155")
	w.want("refund of more", w.post("/"+part+"/refund", `{"refundAmount":201}`), "1164")
	w.want("refund", w.post("/"+part+"/refund", ``), "0000")
	w.took("part", 20000, 20000)
	if d := w.get("", "orderId=part").transactions[0]; d.PayInfo[0].Amount != "200" || d.RefundList[0].TransactionType != "PAYMENT_REFUND" {
		t.Errorf("after a partial capture details are %+v", d)
	}

	w.later(5*24*time.Hour - 1)
	status("lapsed", "AUTHORIZATION")
	w.later(1)
	status("lapsed", "EXPIRED_AUTHORIZATION")
	w.want("capture", w.post("/authorizations/"+lapsed+"/capture", twd300), "1179")
	w.want("void", w.post("/authorizations/"+lapsed+"/void", ``), "1165")
	w.took("lapsed", 0, 0)
	if got := len(w.sim.Charges()); got != 1 {
		t.Errorf("%d charges, want 1", got)
	}
	w.want("void of nothing confirmed", w.post("/authorizations/"+w.order("new")+"/void", ``), "1150")
}
