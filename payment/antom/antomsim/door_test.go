package antomsim_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment/antom/antomsim"
)

// Whatever fails before its signature was found good is answered without one.
func TestTheDoorRefuses(t *testing.T) {
	for _, c := range []struct {
		name, said string
		change     func(*http.Request)
	}{
		{"another method", "F METHOD_NOT_SUPPORTED", func(r *http.Request) { r.Method = http.MethodGet }},
		{"another path", "F NO_INTERFACE_DEF", func(r *http.Request) { r.URL.Path += "s" }},
		{"a query", "F NO_INTERFACE_DEF", func(r *http.Request) { r.URL.RawQuery = "a=b" }},
		{"the sandbox", "F NO_INTERFACE_DEF", func(r *http.Request) { r.URL.Path = "/ams/sandbox/api/v1/payments/pay" }},
		{"a form", "F MEDIA_TYPE_NOT_ACCEPTABLE", func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }},
		{"another client", "F CLIENT_INVALID", func(r *http.Request) { r.Header.Set("Client-Id", "5Y11111111111111") }},
		{"no client", "F CLIENT_INVALID", func(r *http.Request) { r.Header.Del("Client-Id") }},
		{"no signature", "F INVALID_SIGNATURE", func(r *http.Request) { r.Header.Del("Signature") }},
		{"another time", "F INVALID_SIGNATURE", func(r *http.Request) {
			r.Header.Set("Request-Time", strconv.FormatInt(time.Date(2033, 1, 1, 3, 2, 2, 0, time.UTC).UnixMilli(), 10))
		}},
		{"another algorithm", "F INVALID_SIGNATURE", func(r *http.Request) {
			r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), "RSA256", "ECC224", 1))
		}},
		{"an unknown key", "F KEY_NOT_FOUND", func(r *http.Request) {
			r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), "keyVersion=1", "keyVersion=2", 1))
		}},
		{"a bare signature", "F INVALID_SIGNATURE", func(r *http.Request) {
			_, v, _ := strings.Cut(r.Header.Get("Signature"), "signature=")
			r.Header.Set("Signature", v)
		}},
		{"a stranger's signature", "F INVALID_SIGNATURE", func(r *http.Request) {
			r.Header.Set("Signature", "algorithm=RSA256,keyVersion=1,signature="+signed(made().antom, "x"))
		}},
	} {
		w := newTown()
		r := w.request("pay", order("a"))
		c.change(r)
		a := w.do(r)
		if a.said() != c.said || a.status != http.StatusOK || a.header.Get("Signature") != "" {
			t.Errorf("%s: %d %s, %q; want %s without a signature", c.name, a.status, a.raw, a.header.Get("Signature"), c.said)
		}
		if got := w.status("a"); got != "F ORDER_NOT_EXIST" {
			t.Errorf("%s: the payment is %s", c.name, got)
		}
	}
}

// The header's parts may stand apart, and the first two be left out.
func TestTheSignatureHeaderMayBeWrittenInSeveralWays(t *testing.T) {
	for _, before := range []string{"algorithm=RSA256, keyVersion=1, signature=", "algorithm=rsa256,signature=", "signature=", "keyVersion=1,signature="} {
		w := newTown()
		r := w.request("pay", order("a"))
		_, v, _ := strings.Cut(r.Header.Get("Signature"), "signature=")
		r.Header.Set("Signature", before+v)
		w.want(t, w.do(r), "U PAYMENT_IN_PROCESS")
	}
}

func TestTheClocksMayDiffer(t *testing.T) {
	for _, c := range []struct {
		off  time.Duration
		said string
	}{
		{10 * time.Minute, "U PAYMENT_IN_PROCESS"},
		{-10 * time.Minute, "U PAYMENT_IN_PROCESS"},
		{10*time.Minute + time.Second, "F PARAM_ILLEGAL"},
		{-10*time.Minute - time.Second, "F PARAM_ILLEGAL"},
	} {
		w := newTown()
		r := w.request("pay", order("a"))
		w.pass(c.off)
		w.want(t, w.do(r), c.said)
	}
	w := newTown()
	r := w.request("inquiryPayment", `{"paymentRequestId":"a"}`)
	at := "2033-01-01T11:02:01+08:00"
	r.Header.Set("Request-Time", at)
	r.Header.Set("Signature", "signature="+signed(made().merchant, "POST "+payments+"inquiryPayment\n"+client+"."+at+`.{"paymentRequestId":"a"}`))
	w.want(t, w.do(r), "F ORDER_NOT_EXIST")
}

func TestTheSandboxHasItsOwnPath(t *testing.T) {
	w := newTown(func(c *antomsim.Config) { c.ClientID = "SANDBOX_5Y00000000000000" })
	w.want(t, w.call("pay", order("a")), "U PAYMENT_IN_PROCESS")
}

func TestWrongRequestsAreRefused(t *testing.T) {
	for _, b := range []any{
		"", "[]", "null", `{"a"`, `{"paymentRequestId":"a"} {}`, `{"paymentRequestId":"a","paymentRequestId":"b"}`, "{\"a\":\"\xff\"}",
		strings.Repeat(`{"a":`, 9) + `"b"` + strings.Repeat("}", 9),
		order("a", "productCode", "IN_STORE_PAYMENT"), order("a", "productCode", nil),
		order(""), order("a b"), order(strings.Repeat("a", 65)), order("a", "paymentRequestId", nil),
		order("a", "paymentAmount.value", 1980), order("a", "paymentAmount.value", "19.80"), order("a", "paymentAmount.value", "0"),
		order("a", "paymentAmount.value", "-1"), order("a", "paymentAmount.value", "01980"), order("a", "paymentAmount.value", "+1980"),
		order("a", "paymentAmount.value", "99999999999999999999"), order("a", "paymentAmount.currency", "cny"), order("a", "paymentAmount.currency", "CNYX"),
		order("a", "paymentAmount", nil), order("a", "paymentAmount", "1980"), order("a", "paymentAmount.cents", "1"),
		order("a", "order.orderAmount.value", "1981"), order("a", "order", nil), order("a", "order.referenceOrderId", nil), order("a", "order.orderDescription", ""),
		order("a", "order.orderDescription", strings.Repeat("天", 257)),
		order("a", "paymentMethod", nil), order("a", "paymentMethod.paymentMethodType", ""),
		order("a", "env", nil), order("a", "env.terminalType", nil), order("a", "env.terminalType", "TV"), order("a", "env.terminalType", "WAP"),
		order("a", "env.terminalType", "APP", "env.osType", "WINDOWS"),
		order("a", "paymentRedirectUrl", nil), order("a", "paymentRedirectUrl", "/back"), order("a", "paymentNotifyUrl", "ftp://shop.test/"),
		order("a", "paymentExpiryTime", "2033-01-01 11:30:00"), order("a", "paymentExpiryTime", "2033-01-01T03:02:01Z"),
		order("a", "settlementStrategy", body{"settlementCurrency": ""}), order("a", "isAuthorization", true), order("a", "paymentFactor", body{}),
	} {
		w := newTown()
		w.want(t, w.call("pay", b), "F PARAM_ILLEGAL")
		if got := w.status("a"); got != "F ORDER_NOT_EXIST" {
			t.Errorf("%v: the payment is %s", b, got)
		}
	}
	w := newTown()
	w.bought(t, "a")
	for _, c := range []struct {
		method string
		b      any
	}{
		{"inquiryPayment", body{}},
		{"inquiryPayment", body{"paymentRequestId": "a", "more": "b"}},
		{"cancel", body{}},
		{"cancel", body{"paymentRequestId": 7}},
		{"inquiryRefund", body{}},
		{"refund", body{"refundRequestId": "r", "refundAmount": cny("1")}},
		{"refund", body{"paymentId": "1", "refundAmount": cny("1")}},
		{"refund", body{"paymentId": "1", "refundRequestId": "r"}},
		{"refund", body{"paymentId": "1", "refundRequestId": "r", "refundAmount": cny("0")}},
		{"refund", body{"paymentId": "1", "refundRequestId": "r", "refundAmount": cny("1"), "isAsyncRefund": "true"}},
	} {
		w.want(t, w.call(c.method, c.b), "F PARAM_ILLEGAL")
	}
}

func TestWhatTheContractDoesNotAllow(t *testing.T) {
	for _, c := range []struct{ method, currency, value, said string }{
		{"ALIPAY_CN", "JPY", "1980", "F CURRENCY_NOT_SUPPORT"},
		{"SOFORT", "EUR", "1980", "F UNAVAILABLE_PAYMENT_METHOD"},
		{"ALIPAY_CN", "CNY", "9", "F PARAM_ILLEGAL"},
		{"ALIPAY_CN", "CNY", "10", "U PAYMENT_IN_PROCESS"},
		{"ALIPAY_CN", "CNY", "30000000", "U PAYMENT_IN_PROCESS"},
		{"ALIPAY_CN", "CNY", "30000001", "F PAYMENT_AMOUNT_EXCEED_LIMIT"},
		{"KAKAOPAY", "KRW", "50000", "U PAYMENT_IN_PROCESS"},
		{"PAYPAY", "JPY", "1980", "U PAYMENT_IN_PROCESS"},
	} {
		w := newTown()
		w.want(t, w.call("pay", priced("a", c.method, c.currency, c.value)), c.said)
	}
	w := newTown(func(c *antomsim.Config) {
		c.Methods = antomsim.DefaultMethods()
		c.Methods["ALIPAY_CN"] = append(c.Methods["ALIPAY_CN"], "JPY")
	})
	w.want(t, w.call("pay", priced("a", "ALIPAY_CN", "JPY", "1980")), "U PAYMENT_IN_PROCESS")
}

// Each trouble does what its comment says, and to one call only.
func TestTroubles(t *testing.T) {
	type seen struct {
		status int
		said   string
		signed bool
		after  string // status of the payment
	}
	for trouble, want := range map[antomsim.Trouble]seen{
		antomsim.BreaksAfter:   {500, " ", false, "PROCESSING PAYMENT_IN_PROCESS"},
		antomsim.BreaksBefore:  {500, " ", false, "F ORDER_NOT_EXIST"},
		antomsim.UnknownAfter:  {200, "U UNKNOWN_EXCEPTION", true, "PROCESSING PAYMENT_IN_PROCESS"},
		antomsim.UnknownBefore: {200, "U UNKNOWN_EXCEPTION", true, "F ORDER_NOT_EXIST"},
		antomsim.Limited:       {200, "U REQUEST_TRAFFIC_EXCEED_LIMIT", true, "F ORDER_NOT_EXIST"},
		antomsim.Missigned:     {200, "U PAYMENT_IN_PROCESS", false, "PROCESSING PAYMENT_IN_PROCESS"},
		antomsim.Unsigned:      {200, "U PAYMENT_IN_PROCESS", false, "PROCESSING PAYMENT_IN_PROCESS"},
		antomsim.Truncated:     {200, " ", false, "PROCESSING PAYMENT_IN_PROCESS"},
		antomsim.Linkless:      {200, "U PAYMENT_IN_PROCESS", true, "F ORDER_NOT_EXIST"},
		antomsim.Rejected:      {200, "F RISK_REJECT", true, "FAIL RISK_REJECT"},
		antomsim.Poor:          {200, "U PAYMENT_IN_PROCESS", true, "PROCESSING PAYMENT_IN_PROCESS"},
		antomsim.Slow:          {200, "U PAYMENT_IN_PROCESS", true, "PROCESSING PAYMENT_IN_PROCESS"},
		antomsim.Bounced:       {200, "U PAYMENT_IN_PROCESS", true, "PROCESSING PAYMENT_IN_PROCESS"},
		antomsim.Stuck:         {200, "U PAYMENT_IN_PROCESS", true, "PROCESSING PAYMENT_IN_PROCESS"},
	} {
		w := newTown()
		w.Upset(trouble)
		a := w.call("pay", order("a"))
		if got := (seen{a.status, a.said(), a.signed, w.status("a")}); got != want {
			t.Errorf("%s: %+v, want %+v", trouble, got, want)
		}
		if trouble == antomsim.Linkless && a.at("normalUrl")+a.at("paymentId") != "" {
			t.Errorf("%s: %s", trouble, a.raw)
		}
		again := "U PAYMENT_IN_PROCESS"
		if trouble == antomsim.Rejected {
			again = "F RISK_REJECT"
		}
		w.want(t, w.call("pay", order("a")), again)
	}
	if len(antomsim.Troubles) != 14 {
		t.Errorf("%d troubles are listed", len(antomsim.Troubles))
	}
}
