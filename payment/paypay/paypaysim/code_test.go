package paypaysim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCodeIsMadeAndPaid(t *testing.T) {
	w := newTown()
	body := `{"merchantPaymentId":"ref1","amount":{"amount":1980,"currency":"JPY"},"codeType":"ORDER_QR","orderDescription":"30 days",` +
		`"orderItems":[{"name":"30 days","category":"data","quantity":2,"productId":"p1","unitPrice":{"amount":990,"currency":"JPY"}}],` +
		`"storeId":"s1","terminalId":"t1","requestedAt":1936000000,"redirectUrl":"https://shop.test/back","redirectType":"WEB_LINK",` +
		`"userAgent":"Mozilla/5.0","isAuthorization":false,"ipAddress":"2001:db8::ff00:42:8329"}`
	r := w.call("POST", "/v2/codes", body)
	codeID := r.at("data.codeId")
	page := "https://shop.test/sim/pay/" + codeID
	want(
		t, r, 201, "SUCCESS", "resultInfo.codeId", "08100001", "data.url", page, "data.deeplink", page,
		"data.expiryDate", fmt.Sprint(w.clock().Add(5*time.Minute).Unix()), "data.merchantPaymentId", "ref1",
		"data.amount.amount", "1980", "data.amount.currency", "JPY", "data.codeType", "ORDER_QR", "data.isAuthorization", "false",
		"data.requestedAt", "1936000000", "data.redirectUrl", "https://shop.test/back", "data.redirectType", "WEB_LINK",
		"data.orderDescription", "30 days", "data.storeId", "s1", "data.terminalId", "t1",
		"data.orderItems.0.unit_price.amount", "990", "data.orderItems.0.unitPrice", "<nil>", "data.orderItems.0.quantity", "2",
	)
	if len(codeID) != 19 || !strings.HasPrefix(codeID, "04-") {
		t.Errorf("codeId %q does not look like PayPay's", codeID)
	}
	const untouched = `{"data":{"acceptedAt":0,"requestedAt":0,"status":"CREATED"},"resultInfo":{"code":"SUCCESS","codeId":"08100001","message":"Success"}}`
	if diff := cmp.Diff(untouched, w.get("ref1").raw); diff != "" {
		t.Errorf("before anybody paid (-want +got):\n%s", diff)
	}
	w.wantMoney(t, "ref1", 0, 0)

	w.pass(time.Minute)
	w.pay(t, "ref1")
	w.pass(time.Hour) // the code's time is over, the payment's is not
	r = w.get("ref1")
	want(
		t, r, 200, "SUCCESS", "data.status", "COMPLETED", "data.merchantPaymentId", "ref1", "data.amount.amount", "1980",
		"data.amount.currency", "JPY", "data.acceptedAt", fmt.Sprint(w.clock().Add(-time.Hour).Unix()), "data.requestedAt", "1936000000",
		"data.refunds", "<nil>", "data.captures", "<nil>", "data.revert", "<nil>", "data.canceledAt", "<nil>", "data.storeId", "s1",
		"data.paymentMethods.0.type", "WALLET", "data.paymentMethods.0.amount.amount", "1980", "data.orderItems.0.unitPrice.amount", "990",
	)
	if id := r.at("data.paymentId"); len(id) != 20 || id[0] != '0' {
		t.Errorf("paymentId %q does not look like PayPay's", id)
	}
	w.wantMoney(t, "ref1", 1980, 0)
	if _, err := w.Pay("ref1"); err == nil {
		t.Error("a code is paid twice")
	}
	charge := w.Charges()
	if len(charge) != 1 || charge[0].ID != r.at("data.paymentId") || charge[0].Ref != "ref1" || charge[0].Captured != jpy(1980) || !charge[0].At.Equal(w.clock().Add(-time.Hour)) {
		t.Errorf("charges are %+v", charge)
	}
}

func TestLinksOfTheApp(t *testing.T) {
	w := newTown(func(c *Config) { c.AppLinks = true })
	r := w.call("POST", "/v2/codes", codeBody("ref1", 1))
	if want := "paypay://payment?link_key=https%3A%2F%2Fshop.test%2Fsim%2Fpay%2F" + r.at("data.codeId"); r.at("data.deeplink") != want {
		t.Errorf("deeplink is %s, want %s", r.at("data.deeplink"), want)
	}
}

// What is wrong with an order is refused, and the reference stays free.
func TestOrdersThatAreRefused(t *testing.T) {
	good := codeBody("ref1", 1980)
	swap := func(old, now string) string {
		changed := strings.Replace(good, old, now, 1)
		if changed == good {
			t.Fatalf("%q is not in the order", old)
		}
		return changed
	}
	add := func(member string) string { return swap(`"isAuthorization"`, member+`,"isAuthorization"`) }
	const invalid, missing = "INVALID_REQUEST_PARAMS", "MISSING_REQUEST_PARAMS"
	w := newTown()
	for _, tt := range []struct{ body, code string }{
		{`[]`, invalid},
		{`null`, invalid},
		{`{"merchantPaymentId":`, invalid},
		{good + good, invalid},
		{swap(`"merchantPaymentId":"ref1",`, ""), missing},
		{swap(`"ref1"`, `null`), missing},
		{swap(`"ref1"`, `17`), invalid},
		{swap(`"ref1"`, `""`), invalid},
		{swap(`"ref1"`, `"ref.1"`), invalid},
		{swap(`"ref1"`, `"`+strings.Repeat("r", 65)+`"`), invalid},
		{swap(`"merchantPaymentId"`, `"MerchantPaymentId"`), missing},
		{swap(`{"amount":1980,"currency":"JPY"}`, `1980`), invalid},
		{swap(`1980`, `"1980"`), invalid},
		{swap(`1980`, `1980.0`), invalid},
		{swap(`1980`, `1.98e3`), invalid},
		{swap(`1980`, `19.8`), invalid},
		{swap(`1980`, `0`), invalid},
		{swap(`1980`, `-1980`), invalid},
		{swap(`1980`, `198000000000`), invalid},
		{swap(`"amount":1980,`, ``), missing},
		{swap(`,"currency":"JPY"`, ``), missing},
		{swap(`"JPY"`, `"USD"`), invalid},
		{swap(`"JPY"`, `"jpy"`), invalid},
		{swap(`"JPY"`, `"JPY","value":1`), invalid},
		{swap(`,"codeType":"ORDER_QR"`, ``), missing},
		{swap(`ORDER_QR`, `OTHER_QR`), invalid},
		{swap(`30 days`, strings.Repeat("日", 256)), invalid},
		{swap(`WEB_LINK`, `POPUP`), invalid},
		{swap(`https://shop.test/back`, `/back`), invalid},
		{swap(`https://shop.test/back`, `shop://back`), invalid},
		{swap(`false`, `"false"`), invalid},
		{swap(`false`, `true`), "PRE_AUTH_CAPTURE_UNSUPPORTED_MERCHANT"},
		{add(`"metadata":{}`), invalid},
		{add(`"requestedAt":"1936000000"`), invalid},
		{add(`"productType":"OTHER"`), invalid},
		{add(`"ipAddress":"localhost"`), invalid},
		{add(`"orderItems":{}`), invalid},
		{add(`"orderItems":[{"name":"a","quantity":1}]`), missing},
		{add(`"orderItems":[{"name":"a","quantity":1,"unit_price":{"amount":1,"currency":"JPY"}}]`), missing},
	} {
		want(t, w.call("POST", "/v2/codes", tt.body), 400, tt.code)
	}
	w.wantStatus(t, "ref1", "")
	for i, body := range []string{
		good,
		strings.ReplaceAll(swap(`30 days`, strings.Repeat("日", 255)), "ref1", "ref2"),
		strings.ReplaceAll(swap(`1980`, `99999999999`), "ref1", "ref3"),
		strings.ReplaceAll(strings.ReplaceAll(swap(`https://shop.test/back`, `shop://back`), "WEB_LINK", "APP_DEEP_LINK"), "ref1", "ref4"),
		`{"merchantPaymentId":"A-Za_z09","amount":{"amount":1,"currency":"JPY"},"codeType":"ORDER_QR","orderDescription":null}`,
	} {
		if r := w.call("POST", "/v2/codes", body); r.status != 201 {
			t.Errorf("order %d is refused: %s", i, r.raw)
		}
	}
}

// The same order again gets the same code for as long as it can be paid;
// another order under the same reference never does.
func TestSameReferenceAgain(t *testing.T) {
	const duplicate = "DUPLICATE_DYNAMIC_QR_REQUEST"
	again := func(w *town) result { return w.call("POST", "/v2/codes", codeBody("ref1", 1980)) }

	w := newTown()
	codeID := w.offer(t, "ref1")
	w.pass(time.Minute)
	want(t, w.call("POST", "/v2/codes", strings.Replace(codeBody("ref1", 1980), "{", `{"requestedAt":1936000001,"userAgent":"x",`, 1)), 201, "SUCCESS", "data.codeId", codeID)
	want(t, w.call("POST", "/v2/codes", codeBody("ref1", 1981)), 400, duplicate, "resultInfo.codeId", "01652073")
	want(t, w.call("POST", "/v2/codes", strings.Replace(codeBody("ref1", 1980), "order=7", "order=8", 1)), 400, duplicate)
	w.wantStatus(t, "ref1", "CREATED")
	w.pay(t, "ref1")
	w.wantMoney(t, "ref1", 1980, 0)
	want(t, again(w), 400, duplicate)

	for name, end := range map[string]func(*town, string){
		"expired":   func(w *town, _ string) { w.pass(5 * time.Minute) },
		"deleted":   func(w *town, codeID string) { w.call("DELETE", "/v2/codes/"+codeID, "") },
		"cancelled": func(w *town, _ string) { w.call("DELETE", "/v2/payments/ref1", "") },
	} {
		w := newTown()
		end(w, w.offer(t, "ref1"))
		if r := again(w); r.at("resultInfo.code") != duplicate {
			t.Errorf("%s, and made again: %s", name, r.raw)
		}
	}
	w = newTown(func(c *Config) { c.NeverReplays = true })
	w.offer(t, "ref1")
	want(t, again(w), 400, duplicate)
}

func TestCodeThatIsGone(t *testing.T) {
	w := newTown()
	w.offer(t, "expired")
	w.pass(5*time.Minute - 600*time.Millisecond)
	w.wantStatus(t, "expired", "CREATED")
	w.pass(200 * time.Millisecond)
	w.wantStatus(t, "expired", "")

	codeID := w.offer(t, "deleted")
	want(t, w.call("DELETE", "/v2/codes/"+codeID, ""), 200, "SUCCESS", "data.qrStatus", "DELETED")
	want(t, w.call("DELETE", "/v2/codes/"+codeID, ""), 404, "DYNAMIC_QR_NOT_FOUND", "resultInfo.codeId", "01652072")
	w.wantStatus(t, "deleted", "")

	for _, ref := range []string{"expired", "deleted", "unheard"} {
		if _, err := w.Pay(ref); err == nil {
			t.Errorf("the %s code is paid", ref)
		}
		if _, err := w.Decline(ref); err == nil {
			t.Errorf("the %s code is tried", ref)
		}
		w.wantMoney(t, ref, 0, 0)
	}
	codeID = w.offer(t, "paid")
	w.pay(t, "paid")
	want(t, w.call("DELETE", "/v2/codes/"+codeID, ""), 400, "DYNAMIC_QR_ALREADY_PAID")
	w.wantStatus(t, "paid", "COMPLETED")
}

func TestRefusedCustomerTriesAgain(t *testing.T) {
	w := newTown()
	w.offer(t, "ref1")
	if back, err := w.Decline("ref1"); err != nil || len(back) != 0 {
		t.Errorf("Decline returns %v, %v", back, err)
	}
	w.DeclineNext(1)
	w.pay(t, "ref1")
	w.wantStatus(t, "ref1", "CREATED")
	w.wantMoney(t, "ref1", 0, 0)
	if back, err := w.GiveUp("ref1"); err != nil || len(back) != 0 {
		t.Errorf("GiveUp returns %v, %v", back, err)
	}
	w.pay(t, "ref1")
	w.wantStatus(t, "ref1", "COMPLETED")
	if _, err := w.GiveUp("unheard"); err == nil {
		t.Error("a customer gives up what never was")
	}
}

// A payment under way outlives its code, deleted or expired.
func TestPaymentThatWaits(t *testing.T) {
	for _, paid := range []bool{true, false} {
		w := newTown()
		codeID := w.offer(t, "ref1")
		w.PendNext(1)
		w.pay(t, "ref1")
		want(t, w.call("DELETE", "/v2/codes/"+codeID, ""), 200, "SUCCESS")
		w.pass(time.Hour)
		want(t, w.get("ref1"), 200, "SUCCESS", "data.status", "CREATED", "data.acceptedAt", "0", "data.amount.amount", "1980")
		if _, err := w.Pay("ref1"); err == nil {
			t.Error("a code under way is paid again")
		}
		want(t, w.call("POST", "/v2/refunds", refundBody("r1", w.get("ref1").at("data.paymentId"), 1)), 400, "UNACCEPTABLE_OP")
		w.wantMoney(t, "ref1", 0, 0)
		if err := w.Settle("ref1", paid); err != nil {
			t.Fatal(err)
		}
		if paid {
			w.wantStatus(t, "ref1", "COMPLETED")
			w.wantMoney(t, "ref1", 1980, 0)
		} else {
			want(t, w.get("ref1"), 200, "SUCCESS", "data.status", "FAILED", "data.canceledAt", fmt.Sprint(w.clock().Unix()))
			w.wantMoney(t, "ref1", 0, 0)
		}
		if w.Settle("ref1", true) == nil {
			t.Error("a payment is settled twice")
		}
	}
}

// Queries lag behind the truth, and nothing else does.
func TestLaggingReads(t *testing.T) {
	w := newTown()
	w.LagReads(10 * time.Second)
	codeID := w.offer(t, "ref1")
	w.wantStatus(t, "ref1", "")
	w.pass(10 * time.Second)
	w.wantStatus(t, "ref1", "CREATED")
	w.pay(t, "ref1")
	w.wantStatus(t, "ref1", "CREATED")
	w.wantMoney(t, "ref1", 1980, 0)
	want(t, w.call("DELETE", "/v2/codes/"+codeID, ""), 400, "DYNAMIC_QR_ALREADY_PAID")
	w.pass(10 * time.Second)
	w.wantStatus(t, "ref1", "COMPLETED")
	id := w.get("ref1").at("data.paymentId")
	want(t, w.call("POST", "/v2/refunds", refundBody("r1", id, 80)), 200, "SUCCESS")
	want(t, w.call("GET", "/v2/refunds/r1?paymentId="+id, ""), 404, "NO_SUCH_REFUND_ORDER")
	want(t, w.get("ref1"), 200, "SUCCESS", "data.refunds", "<nil>")
	w.pass(10 * time.Second)
	want(t, w.call("GET", "/v2/refunds/r1?paymentId="+id, ""), 200, "SUCCESS", "data.status", "CREATED")
}
