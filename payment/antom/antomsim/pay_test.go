package antomsim_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment/antom/antomsim"
)

func TestATerminalGetsItsLinks(t *testing.T) {
	for _, c := range []struct {
		terminal, system          string
		normal, app, scheme, code bool
	}{
		{"WEB", "", true, false, false, true},
		{"WAP", "IOS", true, true, true, false},
		{"APP", "ANDROID", false, true, true, false},
	} {
		w := newTown()
		b := order("a", "env.terminalType", c.terminal)
		if c.system != "" {
			b = with(b, "env.osType", c.system)
		}
		a := w.want(t, w.call("pay", b), "U PAYMENT_IN_PROCESS")
		normal, code := a.at("normalUrl"), a.at("orderCodeForm.codeDetails.0.codeValue")
		if (normal != "") != c.normal || (a.at("applinkUrl") != "") != c.app || (a.at("schemeUrl") != "") != c.scheme || (code != "") != c.code {
			t.Errorf("%s: %s", c.terminal, a.raw)
		}
		if a.at("redirectActionForm.redirectUrl") != normal {
			t.Errorf("%s: redirectActionForm leads elsewhere: %s", c.terminal, a.raw)
		}
		if c.scheme && w.PageOf(a.at("schemeUrl")) != a.at("applinkUrl") || w.PageOf(normal) != "" {
			t.Errorf("%s: PageOf(%q) is %q", c.terminal, a.at("schemeUrl"), w.PageOf(a.at("schemeUrl")))
		}
		if c.code && a.at("orderCodeForm.expireTime") != "2032-12-31T20:16:01-07:00" {
			t.Errorf("%s: %s", c.terminal, a.raw)
		}
		for _, address := range []string{normal, a.at("applinkUrl"), code} {
			if address == "" {
				continue
			}
			if status, _, text := w.visit(address, ""); status != 200 || !strings.Contains(text, "CNY 19.80") {
				t.Errorf("%s: %d %s", address, status, text)
			}
		}
	}
	w := newTown() // the environment may stand in the order, as in the SDK's sample
	w.want(t, w.call("pay", order("a", "env", nil, "order.env", body{"terminalType": "WEB"})), "U PAYMENT_IN_PROCESS")
}

func TestAnswersAreWrittenAsAntomDoes(t *testing.T) {
	w := newTown()
	a := w.call("pay", order("a", "paymentRedirectUrl", "https://shop.test/?a=1&b=<2>", "order.orderDescription", "5 < 6 & 7"))
	if strings.Contains(string(a.raw), `\u00`) || strings.ContainsAny(string(a.raw), "\n") || a.header.Get("Response-Time") != "2033-01-01T03:02:01Z" {
		t.Errorf("%s %v", a.raw, a.header)
	}
	if !strings.HasPrefix(string(a.raw), `{"normalUrl":"https://pages.test/cashier/`) || !strings.HasSuffix(string(a.raw), `"result":{"resultCode":"PAYMENT_IN_PROCESS","resultMessage":"payment in process","resultStatus":"U"}}`) {
		t.Errorf("%s", a.raw)
	}
	if a.header.Get("Content-Type") != "application/json;charset=UTF-8" || !strings.HasPrefix(a.header.Get("Signature"), "algorithm=RSA256,keyVersion=1,signature=") {
		t.Errorf("%v", a.header)
	}
}

// One paymentRequestId is one payment, whatever becomes of it.
func TestPayIsKeyed(t *testing.T) {
	w := newTown()
	first := w.want(t, w.call("pay", order("a")), "U PAYMENT_IN_PROCESS")
	w.pass(time.Minute)
	if again := w.want(t, w.call("pay", order("a", "paymentExpiryTime", "2033-01-01T03:02:30Z")), "U PAYMENT_IN_PROCESS"); string(again.raw) != string(first.raw) {
		t.Errorf("%s, was %s", again.raw, first.raw)
	}
	w.want(t, w.call("pay", order("a", "paymentAmount.value", "1981", "order.orderAmount.value", "1981")), "F REPEAT_REQ_INCONSISTENT")
	w.want(t, w.call("pay", priced("a", "ALIPAY_HK", "HKD", "1980")), "F REPEAT_REQ_INCONSISTENT")
	if _, err := w.Pay("a"); err != nil {
		t.Fatal(err)
	}
	paid := w.want(t, w.call("pay", order("a")), "S SUCCESS")
	if paid.at("paymentId") != first.at("paymentId") || paid.at("paymentTime") != "2032-12-31T20:03:01-07:00" || paid.at("paymentAmount.value") != "1980" {
		t.Errorf("%s", paid.raw)
	}
	w.want(t, w.call("pay", order("a", "paymentAmount.value", "1981", "order.orderAmount.value", "1981")), "F REPEAT_REQ_INCONSISTENT")

	for ref, c := range map[string]struct {
		said string
		do   func(*town) error
	}{
		"declined":  {"F USER_BALANCE_NOT_ENOUGH", func(w *town) error { _, err := w.Decline("x"); return err }},
		"stumbled":  {"U PAYMENT_IN_PROCESS", func(w *town) error { _, err := w.Stumble("x"); return err }},
		"given up":  {"U PAYMENT_IN_PROCESS", func(w *town) error { _, err := w.GiveUp("x"); return err }},
		"expired":   {"F ORDER_IS_CLOSED", func(w *town) error { return w.Expire("x") }},
		"later":     {"U PAYMENT_IN_PROCESS", func(w *town) error { _, err := w.PayLater("x"); return err }},
		"cancelled": {"F ORDER_IS_CLOSED", func(w *town) error { w.call("cancel", body{"paymentRequestId": "x"}); return nil }},
		"undone": {"F ORDER_IS_CANCELED", func(w *town) error {
			_, err := w.Pay("x")
			w.call("cancel", body{"paymentRequestId": "x"})
			return err
		}},
	} {
		w := newTown()
		w.open(t, "x")
		if err := c.do(w); err != nil {
			t.Errorf("%s: %v", ref, err)
		}
		w.want(t, w.call("pay", order("x")), c.said)
	}
}

func TestAPaymentExpires(t *testing.T) {
	for _, c := range []struct {
		at    string
		after time.Duration
	}{
		{"", 14 * time.Minute},
		{"2033-01-01T11:03:01+08:00", time.Minute},
		{"2033-01-02T03:02:01Z", 24 * time.Hour},
	} {
		w := newTown()
		b := order("a")
		if c.at != "" {
			b = with(b, "paymentExpiryTime", c.at)
		}
		w.want(t, w.call("pay", b), "U PAYMENT_IN_PROCESS")
		w.pass(c.after - time.Second)
		if got := w.status("a"); got != "PROCESSING PAYMENT_IN_PROCESS" {
			t.Errorf("%q: too soon %s", c.at, got)
		}
		w.pass(time.Second)
		if got := w.status("a"); got != "FAIL ORDER_IS_CLOSED" {
			t.Errorf("%q: %s", c.at, got)
		}
		if _, err := w.Pay("a"); err == nil || !w.Captured("a").IsZero() {
			t.Errorf("%q: paid after its end", c.at)
		}
		if got := w.told(t); len(got) != 1 || got[0] != "failed PAYMENT_RESULT F ORDER_IS_CLOSED a " {
			t.Errorf("%q: told %q", c.at, got)
		}
	}
}

// Money that comes later ends a payment either way, and time does not.
func TestAPaymentMayBePending(t *testing.T) {
	for _, paid := range []bool{true, false} {
		w := newTown()
		w.open(t, "a")
		if err := w.Settle("a", paid); err == nil {
			t.Error("settled before anybody paid")
		}
		if _, err := w.PayLater("a"); err != nil {
			t.Fatal(err)
		}
		w.pass(3 * 24 * time.Hour)
		if got := w.status("a"); got != "PENDING PAYMENT_IN_PROCESS" || !w.Captured("a").IsZero() {
			t.Errorf("%s, captured %v", got, w.Captured("a"))
		}
		if err := w.Settle("a", paid); err != nil {
			t.Fatal(err)
		}
		want, told := "FAIL PROCESS_FAIL", "failed PAYMENT_RESULT F PROCESS_FAIL a "
		if paid {
			want, told = "SUCCESS SUCCESS", "paid PAYMENT_RESULT S SUCCESS a "
		}
		if got := w.status("a"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if got := w.told(t); len(got) != 2 || got[0] != "pending PAYMENT_PENDING S SUCCESS a " || got[1] != told {
			t.Errorf("told %q", got)
		}
	}
}

func TestAnInquirySaysWhatIsTrue(t *testing.T) {
	w := newTown()
	id := w.open(t, "a")
	a := w.want(t, w.call("inquiryPayment", body{"paymentRequestId": "a"}), "S SUCCESS")
	if a.at("paymentTime") != "" || a.at("normalUrl") != "" || a.at("paymentId") != id || a.at("paymentCreateTime") != "2032-12-31T20:02:01-07:00" {
		t.Errorf("%s", a.raw)
	}
	w.pass(time.Minute)
	if _, err := w.Pay("a"); err != nil {
		t.Fatal(err)
	}
	w.open(t, "b")
	a = w.want(t, w.call("inquiryPayment", body{"paymentRequestId": "b", "paymentId": id}), "S SUCCESS") // paymentId wins
	if a.at("paymentRequestId") != "a" || a.at("paymentStatus") != "SUCCESS" || a.at("paymentTime") != "2032-12-31T20:03:01-07:00" || a.at("paymentAmount.value") != "1980" {
		t.Errorf("%s", a.raw)
	}
	w.want(t, w.call("inquiryPayment", body{"paymentId": "1"}), "F ORDER_NOT_EXIST")
	w.LagReads(30 * time.Second)
	if got := w.status("a"); got != "PROCESSING PAYMENT_IN_PROCESS" {
		t.Errorf("half a minute ago: %s", got)
	}
	if got := w.status("b"); got != "F ORDER_NOT_EXIST" {
		t.Errorf("half a minute ago: %s", got)
	}
}

func TestTheNextIsDeclined(t *testing.T) {
	w := newTown()
	w.open(t, "a")
	w.open(t, "b")
	w.DeclineNext(1)
	if _, err := w.Pay("a"); !errors.Is(err, antomsim.ErrDeclined) {
		t.Errorf("%v", err)
	}
	if _, err := w.Pay("b"); err != nil {
		t.Errorf("%v", err)
	}
	if a, b := w.status("a"), w.status("b"); a != "FAIL USER_BALANCE_NOT_ENOUGH" || b != "SUCCESS SUCCESS" {
		t.Errorf("%s, %s", a, b)
	}
}

// The same seed and clock give the same bytes.
func TestTwoTownsAreOne(t *testing.T) {
	said := func() (all string) {
		w := newTown()
		id := w.bought(t, "a")
		all += string(w.call("inquiryPayment", body{"paymentRequestId": "a"}).raw)
		all += string(w.refund(id, "r", "100").raw)
		_ = w.Dispute("a")
		for _, n := range w.Notifications() {
			all += n.DueAt.String() + n.Header.Get("Signature") + string(n.Body)
		}
		return all
	}
	if a, b := said(), said(); a != b {
		t.Errorf("%s\n%s", a, b)
	}
}
