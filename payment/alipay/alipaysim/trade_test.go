package alipaysim_test

import (
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment/alipay/alipaysim"
)

func TestALinkMakesNoTradeBeforeTheCustomerLogsIn(t *testing.T) {
	for _, method := range []string{page, wap} {
		w := newTown()
		if _, err := w.Pay("a"); !errors.Is(err, alipaysim.ErrNotPayable) {
			t.Errorf("paid what nobody opened: %v", err)
		}
		w.opened(t, method, "a")
		for _, m := range []string{query, closing} {
			w.want(t, w.call(m, biz{"out_trade_no": "a"}), "ACQ.TRADE_NOT_EXIST")
		}
		if _, err := w.GiveUp("a"); err != nil || w.status("a") != "ACQ.TRADE_NOT_EXIST" {
			t.Errorf("gave up: %v, %s", err, w.status("a"))
		}
		if err := w.Login("a"); err != nil || w.status("a") != "WAIT_BUYER_PAY" {
			t.Errorf("logged in: %v, %s", err, w.status("a"))
		}
		if _, err := w.Decline("a"); err != nil || w.status("a") != "WAIT_BUYER_PAY" {
			t.Errorf("declined: %v, %s", err, w.status("a"))
		}
		w.DeclineNext(1)
		if _, err := w.Pay("a"); !errors.Is(err, alipaysim.ErrDeclined) || !w.Captured("a").IsZero() {
			t.Errorf("declined: %v, captured %v", err, w.Captured("a"))
		}
		back, err := w.Pay("a")
		if err != nil || w.status("a") != "TRADE_SUCCESS" {
			t.Fatalf("paid: %v, %s", err, w.status("a"))
		}
		if text := signText(back, "sign", "sign_type"); !isAlipays(text, back.Get("sign")) {
			t.Errorf("the return address is not signed: %s", text)
		}
		a := w.call(query, biz{"out_trade_no": "a"})
		for name, want := range map[string]string{
			"app_id": appID, "auth_app_id": appID, "seller_id": sellerID, "charset": "utf-8", "version": "1.0", "sign_type": "RSA2",
			"method": method + ".return", "timestamp": "2031-05-04 11:02:01", "out_trade_no": "a", "trade_no": a.at("trade_no"), "total_amount": "19.80",
		} {
			if back.Get(name) != want || want == "" {
				t.Errorf("returned %s=%q, want %q", name, back.Get(name), want)
			}
		}
		if len(back) != 12 {
			t.Errorf("returned %v", back)
		}
		if _, err := w.Pay("a"); !errors.Is(err, alipaysim.ErrNotPayable) {
			t.Errorf("paid twice: %v", err)
		}
		if c := w.Charges(); len(c) != 1 || c[0] != (alipaysim.Charge{Ref: "a", ID: a.at("trade_no"), Captured: money.Of(1980, "CNY"), At: w.clock()}) {
			t.Errorf("charges %+v", c)
		}
	}
}

func TestQueryShowsMoneyOnlyOncePaid(t *testing.T) {
	w := newTown()
	w.opened(t, page, "a")
	_ = w.Login("a")
	a := w.call(query, biz{"out_trade_no": "a", "query_options": []string{"fund_bill_list"}})
	if a.at("total_amount") != "19.80" || a.at("receipt_amount") != "0.00" || strings.Contains(a.raw, "send_pay_date") || strings.Contains(a.raw, "fund_bill") {
		t.Errorf("before payment: %s", a.raw)
	}
	w.pass(time.Minute)
	_, _ = w.Pay("a")
	w.pass(time.Minute)
	a = w.call(query, biz{"trade_no": a.at("trade_no"), "out_trade_no": "ignored", "query_options": []string{"fund_bill_list"}})
	if a.at("receipt_amount") != "19.80" || a.at("send_pay_date") != "2031-05-04 11:03:01" || !strings.Contains(a.raw, `"fund_bill_list":[{"amount":"19.80","fund_channel":"ALIPAYACCOUNT"}]`) {
		t.Errorf("after payment: %s", a.raw)
	}
	w.want(t, w.call(query, biz{"trade_no": "1", "out_trade_no": "a"}), "ACQ.TRADE_NOT_EXIST")
}

func TestOneReferenceIsOneOrder(t *testing.T) {
	fails := func(w *town, want, method string, more ...string) {
		t.Helper()
		if _, err := w.Open(w.link(method, order(method, "a", more...))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s %v: %v, want %s", method, more, err, want)
		}
	}
	w := newTown()
	old := w.link(page, order(page, "a", "total_amount", "5.00"))
	w.opened(t, page, "a")
	_ = w.Login("a")
	w.opened(t, page, "a") // the same again
	fails(w, "CONTEXT_INCONSISTENT", page, "total_amount", "19.81")
	fails(w, "CONTEXT_INCONSISTENT", page, "subject", "other")
	fails(w, "CONTEXT_INCONSISTENT", wap)
	w.want(t, w.call(code, order(code, "a")), "ACQ.CONTEXT_INCONSISTENT")
	if _, err := w.Open(old); err == nil {
		t.Error("an older link with another amount opens")
	}
	_, _ = w.Pay("a")
	fails(w, "TRADE_HAS_SUCCESS", page)
	if got := w.Captured("a"); got != money.Of(1980, "CNY") {
		t.Errorf("captured %v", got)
	}
	w = newTown()
	w.opened(t, page, "a")
	_ = w.Login("a")
	w.want(t, w.call(closing, biz{"out_trade_no": "a"}), "10000")
	fails(w, "TRADE_HAS_CLOSE", page)
	if _, err := w.Pay("a"); err == nil || !w.Captured("a").IsZero() {
		t.Errorf("paid a closed trade: %v", err)
	}
}

func TestAnOrderIsPayableUntilItsDeadline(t *testing.T) {
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		method     string
		more       []string
		page, last time.Duration // payable until, without login from the start, and with it
	}{
		"page by default":     {page, nil, 15 * day, 15 * day},
		"page, timeout":       {page, []string{"timeout_express", "90m"}, 90 * time.Minute, 90 * time.Minute},
		"page, expiry":        {page, []string{"time_expire", "2031-05-04 12:00:00"}, 57*time.Minute + 59*time.Second, 57*time.Minute + 59*time.Second},
		"expiry wins":         {page, []string{"time_expire", "2031-05-04 11:03:01", "timeout_express", "2h"}, time.Minute, time.Minute},
		"page, end of day":    {page, []string{"timeout_express", "1c"}, 12*time.Hour + 57*time.Minute + 59*time.Second, 12*time.Hour + 57*time.Minute + 59*time.Second},
		"wap by default":      {wap, nil, 0, 15 * day},
		"wap, timeout":        {wap, []string{"timeout_express", "5m"}, 0, 5 * time.Minute},
		"wap, expiry":         {wap, []string{"time_expire", "2031-05-05 11:02:01"}, day, day},
		"code by default":     {code, nil, 2 * time.Hour, 3 * time.Hour},
		"code, long timeout":  {code, []string{"timeout_express", "1d"}, 2 * time.Hour, day},
		"code, short expiry":  {code, []string{"time_expire", "2031-05-04 11:32:01"}, 30 * time.Minute, 30 * time.Minute},
		"code, short timeout": {code, []string{"timeout_express", "1m"}, 2 * time.Hour, time.Minute},
	} {
		try := func(login bool, after time.Duration) error {
			w := newTown()
			if c.method == code {
				w.want(t, w.call(code, order(code, "a", c.more...)), "10000")
			} else {
				w.opened(t, c.method, "a", c.more...)
			}
			if login {
				if err := w.Login("a"); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			w.pass(after)
			_, err := w.Pay("a")
			if paid := err == nil; login && !paid && w.status("a") != "TRADE_CLOSED" {
				t.Errorf("%s: %s", name, w.status("a"))
			} else if paid == w.Captured("a").IsZero() {
				t.Errorf("%s: %v, captured %v", name, err, w.Captured("a"))
			}
			return err
		}
		for _, l := range []struct {
			login bool
			until time.Duration
		}{{false, c.page}, {true, c.last}} {
			if l.until == 0 {
				l.until = 400 * day // only a trade has a timeout
				if err := try(l.login, l.until); err != nil {
					t.Errorf("%s: the page ends: %v", name, err)
				}
				continue
			}
			if err := try(l.login, l.until-time.Second); err != nil {
				t.Errorf("%s, login %v: not payable a second before the end: %v", name, l.login, err)
			}
			if err := try(l.login, l.until); !errors.Is(err, alipaysim.ErrNotPayable) {
				t.Errorf("%s, login %v: payable at the end: %v", name, l.login, err)
			}
		}
	}
}

func TestALinkIsGoodUntilItsExpiryHoweverOldItIs(t *testing.T) {
	w := newTown()
	l := w.link(page, order(page, "a", "time_expire", w.at(24*time.Hour)))
	w.pass(24*time.Hour - time.Second)
	if _, err := w.Open(l); err != nil {
		t.Error(err)
	}
	w.pass(time.Second)
	if _, err := w.Open(l); err == nil || !strings.Contains(err.Error(), "NOW_TIME_AFTER_EXPIRE_TIME") {
		t.Errorf("opened after its expiry: %v", err)
	}
}

func TestACodeIsATradeOnceScanned(t *testing.T) {
	w := newTown()
	a := w.call(code, order(code, "a"))
	w.want(t, a, "10000")
	qr := a.at("qr_code")
	if !strings.HasPrefix(qr, "https://pages.test/qr/") || !strings.Contains(a.raw, `https:\/\/pages.test\/qr\/`) || a.at("out_trade_no") != "a" {
		t.Errorf("%s", a.raw)
	}
	if s := w.status("a"); s != "ACQ.TRADE_NOT_EXIST" {
		t.Errorf("before the scan: %s", s)
	}
	if ref, err := w.Open(qr); ref != "a" || err != nil || w.status("a") != "WAIT_BUYER_PAY" {
		t.Errorf("scanned %q: %v, %s", ref, err, w.status("a"))
	}
	for range 19 {
		if again := w.call(code, order(code, "a")); again.at("qr_code") != qr {
			t.Fatalf("again: %s", again.raw)
		}
	}
	w.want(t, w.call(code, order(code, "a")), "ACQ.APPLY_PC_MERCHANT_CODE_ERROR")
	w.want(t, w.call(code, order(code, "a", "total_amount", "1.00")), "ACQ.CONTEXT_INCONSISTENT")
	if back, err := w.Pay("a"); err != nil || back != nil {
		t.Errorf("paid: %v, %v", back, err)
	}
	w.want(t, w.call(code, order(code, "a")), "ACQ.TRADE_HAS_SUCCESS")
	w.want(t, w.call(code, order(code, "b")), "10000")
	w.want(t, w.call(code, order(code, "b", "total_amount", "1.00")), "ACQ.CONTEXT_INCONSISTENT") // not even scanned
	for _, bad := range []string{qr + "x", gateway, gateway + "?" + w.request(query, biz{"out_trade_no": "a"}).Encode(), "%"} {
		if _, err := w.Open(bad); err == nil {
			t.Errorf("opened %s", bad)
		}
	}
}

func TestCloseEndsOnlyATradeThatWaits(t *testing.T) {
	w := newTown()
	w.opened(t, page, "a")
	_ = w.Login("a")
	a := w.call(closing, biz{"out_trade_no": "a", "operator_id": "x"})
	w.want(t, a, "10000")
	if a.at("out_trade_no") != "a" || a.at("trade_no") == "" || w.status("a") != "TRADE_CLOSED" {
		t.Errorf("%s, %s", a.raw, w.status("a"))
	}
	w.want(t, w.call(closing, biz{"out_trade_no": "a"}), "ACQ.TRADE_STATUS_ERROR")
	w.bought(t, page, "b")
	w.want(t, w.call(closing, biz{"out_trade_no": "b"}), "ACQ.TRADE_STATUS_ERROR")
	if s := w.status("b"); s != "TRADE_SUCCESS" {
		t.Errorf("b is %s", s)
	}

	// What has no trade is not closed by it: the customer can still pay.
	w.opened(t, page, "c")
	w.want(t, w.call(closing, biz{"out_trade_no": "c"}), "ACQ.TRADE_NOT_EXIST")
	if _, err := w.Pay("c"); err != nil {
		t.Error(err)
	}
}

func TestCancelClosesOrGivesBack(t *testing.T) {
	w := newTown()
	do := func(ref, said, action string) {
		t.Helper()
		a := w.call(cancel, biz{"out_trade_no": ref})
		w.want(t, a, said)
		if a.at("action") != action || said == "10000" && (a.at("retry_flag") != "N" || a.at("out_trade_no") != ref) {
			t.Errorf("%s, want action %q", a.raw, action)
		}
	}
	do("none", "10000", "")
	w.want(t, w.call(cancel, biz{"trade_no": "1"}), "ACQ.TRADE_NOT_EXIST")
	w.want(t, w.call(code, order(code, "a")), "10000")
	_ = w.Login("a")
	do("a", "10000", "close")
	do("a", "10000", "close")
	if s := w.status("a"); s != "TRADE_CLOSED" || !w.Refunded("a").IsZero() {
		t.Errorf("a is %s, %v", s, w.Refunded("a"))
	}
	w.bought(t, code, "b")
	do("b", "10000", "refund")
	do("b", "10000", "refund")
	if s := w.status("b"); s != "TRADE_CLOSED" || w.Refunded("b") != money.Of(1980, "CNY") {
		t.Errorf("b is %s, %v", s, w.Refunded("b"))
	}
	w.bought(t, code, "c")
	w.want(t, w.call(refund, biz{"out_trade_no": "c", "refund_amount": "1.00", "out_request_no": "r"}), "10000")
	do("c", "ACQ.REASON_TRADE_REFUND_FEE_ERR", "")
	w.bought(t, code, "d")
	w.pass(24*time.Hour + time.Second)
	do("d", "ACQ.TRADE_CANCEL_TIME_OUT", "")
	w.pass(90 * 24 * time.Hour)
	do("d", "ACQ.TRADE_HAS_FINISHED", "")
	w.bought(t, page, "e")
	do("e", "ACQ.CANCEL_NOT_ALLOWED", "")
	if !w.Refunded("d").IsZero() || !w.Refunded("e").IsZero() {
		t.Error("a refused cancel gave money back")
	}
}

func TestATradeIsGivenBackInParts(t *testing.T) {
	w := newTown()
	give := func(ref, amount, no, said string) answer {
		t.Helper()
		b := biz{"out_trade_no": ref, "refund_amount": amount}
		if no != "" {
			b["out_request_no"] = no
		}
		a := w.call(refund, b)
		w.want(t, a, said)
		return a
	}
	changed := func(a answer, change, fee string) {
		t.Helper()
		if a.at("fund_change") != change || a.at("refund_fee") != fee || a.at("gmt_refund_pay") == "" {
			t.Errorf("%s, want %s and %s in all", a.raw, change, fee)
		}
	}
	give("a", "1.00", "1", "ACQ.TRADE_NOT_EXIST")
	w.opened(t, page, "a")
	_ = w.Login("a")
	give("a", "1.00", "1", "ACQ.TRADE_STATUS_ERROR")
	_, _ = w.Pay("a")
	for _, bad := range []string{"0.00", "-1.00", "1.001", "1,00", ""} {
		give("a", bad, "1", "ACQ.INVALID_PARAMETER")
	}
	give("a", "5.00", "", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
	give("a", "19.81", "1", "ACQ.REASON_TRADE_REFUND_FEE_ERR")
	changed(give("a", "5", "1", "10000"), "Y", "5.00")
	changed(give("a", "5.00", "1", "10000"), "N", "5.00")
	give("a", "5.01", "1", "ACQ.DISCORDANT_REPEAT_REQUEST")
	give("a", "14.81", "2", "ACQ.REASON_TRADE_REFUND_FEE_ERR")
	give("a", "19.80", "", "ACQ.REASON_TRADE_REFUND_FEE_ERR")
	if s := w.status("a"); s != "TRADE_SUCCESS" {
		t.Errorf("after a part: %s", s)
	}
	changed(give("a", "14.80", "2", "10000"), "Y", "19.80")
	if s := w.status("a"); s != "TRADE_CLOSED" || w.Refunded("a") != money.Of(1980, "CNY") || w.Captured("a") != w.Refunded("a") {
		t.Errorf("after all: %s, %v of %v", s, w.Refunded("a"), w.Captured("a"))
	}
	changed(give("a", "14.80", "2", "10000"), "N", "19.80") // however late
	give("a", "0.01", "3", "ACQ.TRADE_HAS_CLOSE")

	w.bought(t, page, "b")
	changed(give("b", "19.80", "", "10000"), "Y", "19.80")
	changed(give("b", "19.80", "", "10000"), "N", "19.80")
	a := w.call(refunded, biz{"out_trade_no": "b", "out_request_no": "b"})
	if a.at("refund_status") != "REFUND_SUCCESS" {
		t.Errorf("a refund without a number is found by the order's: %s", a.raw)
	}
}

func TestARefundIsFoundByItsNumber(t *testing.T) {
	w := newTown()
	w.bought(t, page, "a")
	ask := func(ref, no string) answer {
		return w.call(refunded, biz{"out_trade_no": ref, "out_request_no": no, "query_options": []string{"gmt_refund_pay"}})
	}
	w.want(t, ask("b", "1"), "ACQ.TRADE_NOT_EXIST")
	w.want(t, w.call(refunded, biz{"out_trade_no": "a"}), "ACQ.INVALID_PARAMETER")
	if a := ask("a", "1"); a.raw != `{"code":"10000","msg":"Success"}` || !isAlipays(a.raw, a.sign) {
		t.Errorf("nothing there: %s", a.raw)
	}
	got := w.call(refund, biz{"out_trade_no": "a", "refund_amount": "5.00", "out_request_no": "1", "refund_reason": "x", "query_options": []string{"refund_detail_item_list"}})
	if got.at("send_back_fee") != "5.00" {
		t.Errorf("%s", got.raw)
	}
	a := ask("a", "1")
	for name, want := range map[string]string{
		"refund_status": "REFUND_SUCCESS", "refund_amount": "5.00", "total_amount": "19.80", "out_request_no": "1", "out_trade_no": "a",
		"gmt_refund_pay": "2031-05-04 11:02:01",
	} {
		if a.at(name) != want {
			t.Errorf("%s is %q, want %q", name, a.at(name), want)
		}
	}
}

func TestAFinishedTradeIsNotGivenBack(t *testing.T) {
	for _, c := range []struct{ set, want time.Duration }{{0, 90 * 24 * time.Hour}, {time.Hour, time.Hour}} {
		w := newTown(func(cfg *alipaysim.Config) { cfg.FinishAfter = c.set })
		w.bought(t, page, "a")
		b := biz{"out_trade_no": "a", "refund_amount": "5.00", "out_request_no": "1"}
		w.pass(c.want - time.Second)
		w.want(t, w.call(refund, b), "10000")
		w.pass(time.Second)
		if s := w.status("a"); s != "TRADE_FINISHED" {
			t.Errorf("after %v: %s", c.want, s)
		}
		w.want(t, w.call(refund, b), "10000") // said again
		b["out_request_no"] = "2"
		w.want(t, w.call(refund, b), "ACQ.TRADE_HAS_FINISHED")
		if err := w.RefundByHand("a", 100); err == nil || w.Refunded("a") != money.Of(500, "CNY") {
			t.Errorf("by hand: %v, %v", err, w.Refunded("a"))
		}
	}
}

func TestRefundByHand(t *testing.T) {
	w := newTown()
	w.bought(t, page, "a")
	for _, bad := range []int64{0, -1, 1981} {
		if err := w.RefundByHand("a", bad); err == nil {
			t.Errorf("%d given back", bad)
		}
	}
	if err := w.RefundByHand("b", 1); err == nil {
		t.Error("given back what was never bought")
	}
	if err := w.RefundByHand("a", 500); err != nil || w.Refunded("a") != money.Of(500, "CNY") {
		t.Errorf("%v, %v", err, w.Refunded("a"))
	}
	a := w.call(refund, biz{"out_trade_no": "a", "refund_amount": "1.00", "out_request_no": "1"})
	if a.at("refund_fee") != "6.00" {
		t.Errorf("the sum does not count it: %s", a.raw)
	}
	if c := w.Charges(); len(c) != 1 || c[0].Refunded != money.Of(600, "CNY") {
		t.Errorf("%+v", c)
	}
}

func TestReadsLagBehindTheTruth(t *testing.T) {
	w := newTown()
	w.LagReads(time.Minute)
	w.bought(t, page, "a")
	w.want(t, w.call(query, biz{"out_trade_no": "a"}), "ACQ.TRADE_NOT_EXIST")
	if got := w.Captured("a"); got != money.Of(1980, "CNY") {
		t.Errorf("captured %v", got)
	}
	w.pass(time.Minute)
	w.want(t, w.call(refund, biz{"out_trade_no": "a", "refund_amount": "19.80", "out_request_no": "1"}), "10000")
	seen := func() string {
		return w.status("a") + w.call(refunded, biz{"out_trade_no": "a", "out_request_no": "1"}).at("refund_status")
	}
	if s := seen(); s != "TRADE_SUCCESS" {
		t.Errorf("%s", s)
	}
	w.pass(time.Minute)
	if s := seen(); s != "TRADE_CLOSED"+"REFUND_SUCCESS" {
		t.Errorf("%s", s)
	}
}

func TestManyAtOncePayOnce(t *testing.T) {
	w := newTown()
	w.opened(t, page, "a")
	p := w.request(refund, biz{"out_trade_no": "a", "refund_amount": "5.00", "out_request_no": "1"})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, _ = w.Pay("a")
			_ = w.send(p)
			_, _ = w.Charges(), w.Notifications()
		})
	}
	wg.Wait()
	if len(w.Charges()) != 1 || w.Refunded("a") != money.Of(500, "CNY") {
		t.Errorf("%+v", w.Charges())
	}
}

func TestTheSameSeedMakesTheSameTown(t *testing.T) {
	run := func() (all []string) {
		w := newTown()
		w.bought(t, page, "a")
		w.want(t, w.call(code, order(code, "b")), "10000")
		for _, n := range append(w.Notifications(), w.Forge()...) {
			all = append(all, string(n.Body))
		}
		return append(all, w.call(query, biz{"out_trade_no": "a"}).raw, w.call(code, order(code, "b")).raw, w.Charges()[0].ID)
	}
	if a, b := strings.Join(run(), "\n"), strings.Join(run(), "\n"); a != b {
		t.Errorf("%s\n\n%s", a, b)
	}
}

// values reads a body.
func values(t *testing.T, body []byte) url.Values {
	t.Helper()
	v, err := url.ParseQuery(string(body))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
