package alipaysim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment/alipay/alipaysim"
)

// believable reports whether a merchant may believe a notification: signed by
// Alipay, about this merchant.
func believable(v url.Values) bool {
	return isAlipays(signText(v, "sign", "sign_type"), v.Get("sign")) && v.Get("app_id") == appID && v.Get("seller_id") == sellerID
}

func TestAPaymentIsTold(t *testing.T) {
	w := newTown()
	w.opened(t, page, "a", "body", "order 7", "passback_params", "x%3Dy")
	_ = w.Login("a")
	w.pass(time.Minute)
	if n := w.Notifications(); len(n) != 0 {
		t.Errorf("told before payment: %v", n)
	}
	_, _ = w.Pay("a")
	all := w.Notifications()
	if len(all) != 1 || len(w.Notifications()) != 0 {
		t.Fatalf("%d notifications, or some twice", len(all))
	}
	n, v := all[0], values(t, all[0].Body)
	if n.Kind != alipaysim.Paid || n.Attempt != 1 || n.URL != "https://shop.test/notify" || n.DueAt.Before(w.clock()) || n.DueAt.After(w.clock().Add(5*time.Second)) {
		t.Errorf("%+v", n)
	}
	if n.Header.Get("Content-Type") != "application/x-www-form-urlencoded; charset=utf-8" || !believable(v) {
		t.Errorf("%v %v", n.Header, v)
	}
	a := w.call(query, biz{"out_trade_no": "a"})
	for name, want := range map[string]string{
		"notify_type": "trade_status_sync", "notify_time": n.DueAt.In(zone).Format("2006-01-02 15:04:05"), "sign_type": "RSA2", "charset": "utf-8",
		"version": "1.0", "auth_app_id": appID, "out_trade_no": "a", "trade_no": a.at("trade_no"), "trade_status": "TRADE_SUCCESS",
		"total_amount": "19.80", "receipt_amount": "19.80", "buyer_pay_amount": "19.80", "invoice_amount": "19.80", "point_amount": "0.00",
		"subject": "30 天 30 days", "body": "order 7", "passback_params": "x%3Dy", "buyer_id": a.at("buyer_user_id"),
		"gmt_create": "2031-05-04 11:02:01", "gmt_payment": "2031-05-04 11:03:01",
		"fund_bill_list": `[{"amount":"19.80","fundChannel":"ALIPAYACCOUNT"}]`, "refund_fee": "", "gmt_refund": "", "gmt_close": "",
	} {
		if v.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, v.Get(name), want)
		}
	}
	for name := range v {
		if v.Get(name) == "" {
			t.Errorf("%s is empty", name)
		}
	}
}

func TestRefundsAreToldWithTheirSum(t *testing.T) {
	w := newTown()
	w.bought(t, page, "a")
	first := values(t, w.Notifications()[0].Body)
	w.pass(time.Hour)
	w.want(t, w.call(refund, biz{"out_trade_no": "a", "refund_amount": "5.00", "out_request_no": "r1"}), "10000")
	w.want(t, w.call(refund, biz{"out_trade_no": "a", "refund_amount": "5.00", "out_request_no": "r1"}), "10000") // moves nothing
	w.want(t, w.call(refund, biz{"out_trade_no": "a", "refund_amount": "14.80", "out_request_no": "r2"}), "10000")
	var got []string
	for _, n := range w.Notifications() {
		v := values(t, n.Body)
		if !believable(v) || v.Get("gmt_payment") != first.Get("gmt_payment") || v.Get("notify_id") == first.Get("notify_id") {
			t.Errorf("%v", v)
		}
		got = append(got, strings.Join([]string{n.Kind, v.Get("trade_status"), v.Get("refund_fee"), v.Get("out_biz_no"), v.Get("gmt_refund")}, " "))
	}
	slices.Sort(got)
	if want := []string{
		"refunded TRADE_CLOSED 19.80 r2 2031-05-04 12:02:01.000", "refunded TRADE_SUCCESS 5.00 r1 2031-05-04 12:02:01.000",
	}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWhatElseIsTold(t *testing.T) {
	for _, c := range []struct{ method, closed, finished string }{{page, "", ""}, {wap, "closed TRADE_CLOSED", "finished TRADE_FINISHED"}, {code, "", ""}} {
		w := newTown()
		told := func() (s string) {
			for _, n := range w.Notifications() {
				v := values(t, n.Body)
				if s += n.Kind + " " + v.Get("trade_status"); v.Get("gmt_payment") != "" && n.Kind == alipaysim.Closed {
					t.Errorf("an unpaid close has a payment: %v", v)
				}
			}
			return s
		}
		if c.method == code {
			w.want(t, w.call(code, order(code, "a"), "notify_url", "https://shop.test/notify"), "10000")
		} else {
			w.opened(t, c.method, "a")
		}
		_ = w.Login("a")
		w.pass(16 * 24 * time.Hour)
		if s := told(); s != c.closed {
			t.Errorf("%s expired: told %q, want %q", c.method, s, c.closed)
		}
		w.bought(t, c.method, "b")
		if s := told(); s != "paid TRADE_SUCCESS" {
			t.Errorf("%s paid: told %q", c.method, s)
		}
		w.pass(90 * 24 * time.Hour)
		if s := told(); s != c.finished {
			t.Errorf("%s finished: told %q, want %q", c.method, s, c.finished)
		}
	}
	w := newTown()
	if _, err := w.Open(gateway + "?" + w.request(page, order(page, "a")).Encode()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Pay("a"); err != nil || len(w.Notifications()) != 0 {
		t.Errorf("told without a notify_url: %v", err)
	}
}

func TestDeliveries(t *testing.T) {
	type one struct {
		from, to time.Duration // of DueAt, from the payment
		forged   bool
	}
	soon, hour, minute := one{time.Second, 4 * time.Second, false}, one{time.Hour, time.Hour + 4*time.Second, false}, one{time.Minute, time.Minute + 4*time.Second, false}
	want := map[alipaysim.Delivery][]one{
		alipaysim.Prompt: {soon},
		alipaysim.Early:  {{}},
		alipaysim.Late:   {hour},
		alipaysim.Behind: {minute},
		alipaysim.Twice:  {soon, {2 * time.Second, 5 * time.Second, false}},
		alipaysim.Never:  {},
		alipaysim.Forged: {{0, 0, true}, soon},
	}
	for _, how := range append(alipaysim.Deliveries, alipaysim.Prompt) {
		var kinds []string
		w := newTown(func(c *alipaysim.Config) {
			c.Deliver = func(kind string) alipaysim.Delivery { kinds = append(kinds, kind); return how }
		})
		w.bought(t, page, "a")
		all := w.Notifications()
		if len(all) != len(want[how]) || !slices.Equal(kinds, []string{"paid"}) {
			t.Errorf("%q: %d notifications, asked about %v", how, len(all), kinds)
			continue
		}
		for i, o := range want[how] {
			n := all[i]
			after, v := n.DueAt.Sub(w.clock()), values(t, n.Body)
			if after < o.from || after > o.to || believable(v) == o.forged || (n.Attempt == 0) != o.forged {
				t.Errorf("%q: number %d after %v, believable %v, attempt %d", how, i, after, believable(v), n.Attempt)
			}
		}
		if how == alipaysim.Twice && values(t, all[0].Body).Get("notify_id") != values(t, all[1].Body).Get("notify_id") {
			t.Error("the second has another notify_id")
		}
	}
}

func TestWhatIsNotAcknowledgedIsToldAgainEightTimesInAll(t *testing.T) {
	w := newTown()
	w.bought(t, page, "a")
	first := w.Notifications()[0]
	n, gaps := first, []string{}
	for range 20 {
		w.pass(n.DueAt.Sub(w.clock()))
		w.Failed(n)
		next := w.Notifications()
		if len(next) == 0 {
			break
		}
		gaps = append(gaps, next[0].DueAt.Sub(n.DueAt).String())
		v, v0 := values(t, next[0].Body), values(t, first.Body)
		if !believable(v) || next[0].Attempt != n.Attempt+1 || next[0].Kind != n.Kind || next[0].URL != n.URL ||
			v.Get("notify_id") != v0.Get("notify_id") || v.Get("notify_time") != next[0].DueAt.In(zone).Format("2006-01-02 15:04:05") {
			t.Errorf("%+v %v", next[0], v)
		}
		n = next[0]
	}
	if got := strings.Join(gaps, " "); got != "4m0s 10m0s 10m0s 1h0m0s 2h0m0s 6h0m0s 15h0m0s" {
		t.Errorf("gaps %s", got)
	}
	w.pass(time.Hour)
	w.Failed(first) // heard of late
	if n := w.Notifications(); len(n) != 1 || n[0].DueAt != w.clock().Add(4*time.Minute) {
		t.Errorf("%+v", n)
	}
	w.Failed(alipaysim.Notification{Attempt: 1, Body: []byte("notify_id=1")})
	for _, f := range w.Forge() {
		w.Failed(f)
	}
	if n := w.Notifications(); len(n) != 0 {
		t.Errorf("told what was never Alipay's: %v", n)
	}
}

func TestOnlySevenBytesAcknowledge(t *testing.T) {
	w := newTown()
	if !w.Accepts(http.StatusOK, []byte("success")) {
		t.Error("success is refused")
	}
	for _, bad := range []string{"", "Success", "SUCCESS", "success\n", " success", `"success"`, "ok", "fail", "<html>success</html>"} {
		if w.Accepts(http.StatusOK, []byte(bad)) {
			t.Errorf("%q is accepted", bad)
		}
	}
	for _, status := range []int{201, 204, 302, 400, 500} {
		if w.Accepts(status, []byte("success")) {
			t.Errorf("%d is accepted", status)
		}
	}
}

func TestForgedNotificationsAreWellMadeAndNotToBeBelieved(t *testing.T) {
	w := newTown()
	if len(w.Forge()) == 0 {
		t.Error("nothing forged in an empty town")
	}
	w.opened(t, page, "a")
	why := map[string]bool{}
	for _, n := range w.Forge() {
		v := values(t, n.Body)
		genuine := isAlipays(signText(v, "sign", "sign_type"), v.Get("sign"))
		if believable(v) || n.Attempt != 0 || v.Get("out_trade_no") != "a" || v.Get("trade_status") != "TRADE_SUCCESS" || n.URL != "https://shop.test/notify" {
			t.Errorf("%+v %v", n, v)
		}
		why[fmt.Sprintf("%v %v %v %s %d", genuine, v.Get("app_id") == appID, v.Get("seller_id") == sellerID, v.Get("total_amount"), len(v.Get("sign")))] = true
	}
	for _, want := range []string{
		"false true true 19.80 344", "true false false 19.80 344", "true true false 19.80 344", "false true true 119.80 344", "false true true 19.80 0",
	} {
		if !why[want] {
			t.Errorf("no forgery is %q: %v", want, why)
		}
	}
	if s := w.status("a"); s != "ACQ.TRADE_NOT_EXIST" || len(w.Notifications()) != 0 {
		t.Errorf("forging changed something: %s", s)
	}
}
