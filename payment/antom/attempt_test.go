package antom

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

func unreachable(http.ResponseWriter, *http.Request) { panic("a request was made") }

const page = "https://open-sea.alipayplus.com/api/open/v1/ac/cashier/self/codevalue/checkout.htm?codeValue=x"

// open is the answer with which a payment is made, with changes.
func open(changes map[string]any) string {
	m := map[string]any{
		"paymentRequestId": attempt().Ref, "paymentId": testID, "paymentAmount": amount{"CNY", "1980"}, "normalUrl": page,
		"applinkUrl": "https://render.alipay.com/link", "schemeUrl": "alipays://platformapi/startApp",
		"redirectActionForm": map[string]string{"method": "GET", "redirectUrl": "https://elsewhere.test"},
	}
	for k, v := range changes {
		m[k] = v
	}
	return fields(perhaps, inProcess, m)
}

// shown is the answer to a question, with changes.
func shown(state string, changes map[string]any) string {
	m := map[string]any{
		"paymentStatus": state, "paymentResultCode": "SUCCESS", "paymentRequestId": attempt().Ref, "paymentId": testID,
		"paymentAmount": amount{"CNY", "1980"},
	}
	if state == "SUCCESS" {
		m["paymentTime"] = "2031-05-06T10:10:00-07:00"
	}
	for k, v := range changes {
		m[k] = v
	}
	return fields(yes, "SUCCESS", m)
}

func went(kind, status, value string) map[string]any {
	return map[string]any{"transactionType": kind, "transactionStatus": status, "transactionAmount": amount{"CNY", value}}
}

// What is asked for, field by field, for each device; it follows from the attempt
// alone, so a second call is the same one.
func TestRequests(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*payment.Attempt, *Config)
		want   map[string]any // over the common ones; nil: absent
	}{
		{"a phone", func(*payment.Attempt, *Config) {}, map[string]any{"env": map[string]any{"terminalType": "WAP", "osType": "ANDROID", "clientIp": "203.0.113.7"}}},
		{"a computer", func(at *payment.Attempt, _ *Config) { at.Device, at.ClientIP = payment.Computer, "::ffff:203.0.113.7" }, nil},
		{"nobody knows", func(at *payment.Attempt, _ *Config) { at.Device, at.ClientIP = "", "fe80::1%eth0" }, map[string]any{"env": map[string]any{"terminalType": "WEB"}}},
		{"soon over", func(at *payment.Attempt, _ *Config) {
			at.Device, at.ExpiresAt = payment.Computer, t0.Add(5*time.Minute)
		}, map[string]any{"paymentExpiryTime": "2031-05-06T17:13:09Z"}},
		{"paid out in yen", func(at *payment.Attempt, c *Config) { at.Device, c.Settle = payment.Computer, "JPY" }, map[string]any{"settlementStrategy": map[string]any{"settlementCurrency": "JPY"}}},
		{"a long way back", func(at *payment.Attempt, _ *Config) {
			at.Device, at.ReturnURL = payment.Computer, "https://shop.test/"+strings.Repeat("x", 1024)
		}, map[string]any{"paymentRedirectUrl": nil}},
		{"PayPay", func(at *payment.Attempt, c *Config) {
			c.Rails = []payment.Rail{payment.PayPay}
			at.Device, at.Rail, at.Amount, at.Description = payment.Computer, payment.PayPay, money.Of(1980, "JPY"), "\n"
		}, map[string]any{
			"paymentMethod": map[string]any{"paymentMethodType": "PAYPAY"}, "paymentAmount": map[string]any{"currency": "JPY", "value": "1980"},
			"order": map[string]any{"referenceOrderId": attempt().Ref, "orderDescription": attempt().Ref, "orderAmount": map[string]any{"currency": "JPY", "value": "1980"}},
		}},
	} {
		at, c := attempt(), config()
		tt.change(&at, &c)
		d := newDesk(t, func(into *Config) { *into = c }, answering(map[string][]string{"pay": {open(map[string]any{"paymentAmount": nil})}}))
		obs, err := d.Start(t.Context(), at)
		want := payment.Observation{State: payment.NeedsCustomer, ProviderID: testID, Amount: at.Amount, Next: payment.Next{RedirectURL: page}, AsOf: t0}
		if diff := cmp.Diff(want, obs); err != nil || diff != "" {
			t.Errorf("%s: error %v (-want +got):\n%s", tt.name, err, diff)
		}
		body := map[string]any{
			"productCode": "CASHIER_PAYMENT", "paymentRequestId": at.Ref,
			"order":         map[string]any{"referenceOrderId": at.Ref, "orderDescription": "日本 10天 5G & 4G", "orderAmount": map[string]any{"currency": "CNY", "value": "1980"}},
			"paymentAmount": map[string]any{"currency": "CNY", "value": "1980"}, "paymentMethod": map[string]any{"paymentMethodType": "ALIPAY_CN"},
			"paymentExpiryTime": "2031-05-06T17:22:09Z", "paymentRedirectUrl": at.ReturnURL, "paymentNotifyUrl": testHook,
			"env": map[string]any{"terminalType": "WEB", "clientIp": "203.0.113.7"},
		}
		for k, v := range tt.want {
			if body[k] = v; v == nil {
				delete(body, k)
			}
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(d.asked[0].body), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(body, got); diff != "" {
			t.Errorf("%s: asked (-want +got):\n%s", tt.name, diff)
		}
		d.now = d.now.Add(time.Minute)
		if _, err := d.Start(t.Context(), at); err != nil || d.asked[1].body != d.asked[0].body {
			t.Errorf("%s: again: %s, %v", tt.name, d.asked[1].body, err)
		}
	}
}

func TestStart(t *testing.T) {
	gone := result(no, noOrder)
	for _, tt := range []struct {
		name, pay, query string
		want             payment.State // "" for an unknown outcome
		reason           payment.Reason
		next             string
	}{
		{"made", open(nil), "", payment.NeedsCustomer, "", page},
		{"only a link that leads to a page, too", open(map[string]any{"normalUrl": ""}), "", payment.NeedsCustomer, "", "https://render.alipay.com/link"},
		{"no page", open(map[string]any{"normalUrl": "", "applinkUrl": ""}), "", "", "", ""},
		{"a page that is a script", open(map[string]any{"normalUrl": "javascript:alert(1)"}), "", "", "", ""},
		{"a page for an app alone", open(map[string]any{"normalUrl": "alipays://platformapi/startApp"}), "", "", "", ""},
		{"another's", open(map[string]any{"paymentRequestId": "other"}), "", "", "", ""},
		{"another than before", open(map[string]any{"paymentId": "other"}), "", "", "", ""},
		{"without a name", open(map[string]any{"paymentId": ""}), "", "", "", ""},
		{"a hundred times as much", open(map[string]any{"paymentAmount": amount{"CNY", "198000"}}), "", "", "", ""},
		{"in yen", open(map[string]any{"paymentAmount": amount{"JPY", "1980"}}), "", "", "", ""},
		{"perhaps", result(perhaps, "UNKNOWN_EXCEPTION"), "", "", "", ""},
		{"too many", result(perhaps, "REQUEST_TRAFFIC_EXCEED_LIMIT"), "", "", "", ""},
		{"paid before", result(yes, "SUCCESS"), shown("SUCCESS", nil), payment.Paid, "", ""},
		{"made, says yes", fields(yes, "SUCCESS", map[string]any{"paymentRequestId": attempt().Ref, "paymentId": testID, "normalUrl": page}), shown("PROCESSING", nil), payment.NeedsCustomer, "", page},
		{"says yes, and knows nothing", result(yes, "SUCCESS"), gone, payment.Unknown, "", ""},
		{"refused", result(no, "RISK_REJECT"), gone, payment.Dead, payment.Declined, ""},
		{"refused for good", result(no, "CURRENCY_NOT_SUPPORT"), gone, payment.Dead, payment.NotAccepted, ""},
		{"refused, nobody knows why", result(no, "PARAM_ILLEGAL"), gone, payment.Dead, payment.ProviderTrouble, ""},
		{"refused, and cannot be asked about", result(no, "RISK_REJECT"), result(perhaps, "UNKNOWN_EXCEPTION"), "", "", ""},
		{"refused, but there from before", result(no, "PROCESS_FAIL"), shown("PROCESSING", nil), payment.NeedsCustomer, "", ""},
		{"the name is taken, not seen yet", result(no, "REPEAT_REQ_INCONSISTENT"), gone, payment.Unknown, "", ""},
		{"cancelled before", result(no, "ORDER_IS_CANCELED"), shown("CANCELLED", nil), payment.Dead, payment.Abandoned, ""},
	} {
		d := newDesk(t, nil, answering(map[string][]string{"pay": {tt.pay}, "inquiryPayment": {tt.query}}))
		obs, err := d.Start(t.Context(), attempt())
		switch {
		case tt.want == "" && !only(err, payment.ErrUnknown), tt.want != "" && err != nil:
			t.Errorf("%s: %+v, %v", tt.name, obs, err)
		case obs.State != tt.want || obs.Reason != tt.reason || obs.Next.RedirectURL != tt.next || obs.Next.AppURL != "":
			t.Errorf("%s: %+v", tt.name, obs)
		}
	}
	d := newDesk(t, nil, answering(map[string][]string{"pay": {result(no, "ACCESS_DENIED")}}))
	if obs, err := d.Start(t.Context(), attempt()); !only(err, payment.ErrNotSent) {
		t.Errorf("turned away: %+v, %v", obs, err)
	}
}

// What cannot be taken is not asked for; what is over is only looked at.
func TestStartWithoutACall(t *testing.T) {
	d := newDesk(t, nil, unreachable)
	for _, change := range []func(*payment.Attempt){
		func(at *payment.Attempt) { at.Amount = money.Of(1980, "JPY") },
		func(at *payment.Attempt) { at.Amount = money.Of(9, "CNY") },
		func(at *payment.Attempt) { at.Amount = money.Of(-1980, "CNY") },
		func(at *payment.Attempt) { at.Rail = payment.Card },
		func(at *payment.Attempt) { at.Rail, at.Amount = payment.PayPay, money.Of(1980, "JPY") }, // not in this contract
	} {
		at := attempt()
		change(&at)
		if obs, err := d.Start(t.Context(), at); err != nil || obs.State != payment.Dead || obs.Reason != payment.NotAccepted {
			t.Errorf("%v by %s: %+v, %v", at.Amount, at.Rail, obs, err)
		}
	}
	d = newDesk(t, nil, answering(map[string][]string{"inquiryPayment": {shown("FAIL", map[string]any{"paymentResultCode": "ORDER_IS_CLOSED"})}}))
	d.now = t0.Add(14 * time.Minute)
	if obs, err := d.Start(t.Context(), attempt()); err != nil || obs.State != payment.Dead || obs.Reason != payment.TooLate {
		t.Errorf("after its end: %+v, %v", obs, err)
	}
}

func TestStates(t *testing.T) {
	cny := func(n int64) money.Money { return money.Of(n, "CNY") }
	for _, tt := range []struct {
		name, state string
		changes     map[string]any
		after       time.Duration
		want        payment.Observation
	}{
		{"waiting", "PROCESSING", map[string]any{"paymentResultCode": inProcess}, time.Minute, payment.Observation{State: payment.NeedsCustomer}},
		{"waiting long", "PROCESSING", nil, time.Hour, payment.Observation{State: payment.NeedsCustomer}},
		{"done by the customer", "PENDING", nil, time.Minute, payment.Observation{State: payment.Pending, Code: "PENDING"}},
		{"paid", "SUCCESS", nil, time.Minute, payment.Observation{State: payment.Paid}},
		{"paid less", "SUCCESS", map[string]any{"paymentAmount": amount{"CNY", "1"}}, time.Minute, payment.Observation{State: payment.Paid, Amount: cny(1)}},
		{"refunded in parts", "SUCCESS", map[string]any{"transactions": []any{
			went("REFUND", "SUCCESS", "700"), went("REFUND", "FAIL", "900"), went("REFUND", "PROCESSING", "300"), went("CAPTURE", "SUCCESS", "1980"),
		}}, time.Minute, payment.Observation{State: payment.Paid, Refunded: cny(1000)}},
		{"declined", "FAIL", map[string]any{"paymentResultCode": "PROCESS_FAIL"}, time.Minute, payment.Observation{State: payment.Dead, Reason: payment.Declined, Code: "FAIL PROCESS_FAIL"}},
		{"too poor", "FAIL", map[string]any{"paymentResultCode": "USER_BALANCE_NOT_ENOUGH"}, time.Minute, payment.Observation{State: payment.Dead, Reason: payment.NoFunds, Code: "FAIL USER_BALANCE_NOT_ENOUGH"}},
		{"not who they said", "FAIL", map[string]any{"paymentResultCode": "USER_PAYMENT_VERIFICATION_FAILED"}, time.Minute, payment.Observation{State: payment.Dead, Reason: payment.NotAuthenticated, Code: "FAIL USER_PAYMENT_VERIFICATION_FAILED"}},
		{"closed early", "FAIL", map[string]any{"paymentResultCode": "ORDER_IS_CLOSED"}, time.Minute, payment.Observation{State: payment.Dead, Reason: payment.Abandoned, Code: "FAIL ORDER_IS_CLOSED"}},
		{"lapsed", "FAIL", map[string]any{"paymentResultCode": "ORDER_IS_CLOSED"}, 14 * time.Minute, payment.Observation{State: payment.Dead, Reason: payment.TooLate, Code: "FAIL ORDER_IS_CLOSED"}},
		{"cancelled", "CANCELLED", nil, time.Minute, payment.Observation{State: payment.Dead, Reason: payment.Abandoned, Code: "CANCELLED"}},
		{"cancelled, a sentence for a code", "CANCELLED", map[string]any{"paymentResultCode": "by 王先生"}, time.Hour, payment.Observation{State: payment.Dead, Reason: payment.TooLate, Code: "CANCELLED"}},
		{"cancelled after it was paid", "CANCELLED", map[string]any{"paymentTime": "2031-05-06T10:10:00-07:00"}, time.Hour, payment.Observation{State: payment.Paid, Refunded: cny(1980)}},
	} {
		d := newDesk(t, nil, answering(map[string][]string{"inquiryPayment": {shown(tt.state, tt.changes)}}))
		d.now = t0.Add(tt.after)
		for _, id := range []string{"", testID} {
			at := attempt()
			at.ProviderID = id // the answer to Start may have been lost
			got, err := d.Query(t.Context(), at)
			want := tt.want
			want.ProviderID, want.AsOf = testID, d.now
			if want.State == payment.Paid {
				want.MoneyID = testID
			}
			if want.Amount.IsZero() {
				want.Amount = at.Amount
			}
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%s: error %v (-want +got):\n%s", tt.name, err, diff)
			}
		}
	}
}

// A payment that was seen paid stays so, whatever became of it: what was
// cancelled afterwards went back, and anything else is no answer.
func TestPaidStaysPaid(t *testing.T) {
	at := attempt()
	at.MoneyID = testID
	for state, want := range map[string]payment.State{
		"SUCCESS": payment.Paid, "CANCELLED": payment.Paid, "FAIL": payment.Paid, "PROCESSING": "", "PENDING": "",
	} {
		d := newDesk(t, nil, answering(map[string][]string{"inquiryPayment": {shown(state, nil)}}))
		obs, err := d.Query(t.Context(), at)
		if obs.State != want || want == "" && !only(err, payment.ErrNotSent) || (obs.Refunded == at.Amount) != (state == "CANCELLED" || state == "FAIL") {
			t.Errorf("%s: %+v, %v", state, obs, err)
		}
	}
	d := newDesk(t, nil, answering(map[string][]string{"inquiryPayment": {result(no, noOrder)}}))
	if obs, err := d.Query(t.Context(), at); !only(err, payment.ErrNotSent) {
		t.Errorf("gone: %+v, %v", obs, err)
	}
}

// What is about something else, or cannot be read, is no answer.
func TestStrangeAnswers(t *testing.T) {
	for name, changes := range map[string]map[string]any{
		"another attempt":   {"paymentRequestId": "other"},
		"no attempt":        {"paymentRequestId": nil},
		"another payment":   {"paymentId": "20310506194010800100188000000000002"},
		"no payment":        {"paymentId": ""},
		"an odd state":      {"paymentStatus": "success"},
		"no state":          {"paymentStatus": nil},
		"no amount":         {"paymentAmount": nil},
		"an odd amount":     {"paymentAmount": amount{"CNY", "19.80"}},
		"a number":          {"paymentAmount": map[string]any{"currency": "CNY", "value": 1980}},
		"another currency":  {"paymentAmount": amount{"JPY", "1980"}},
		"unknown currency":  {"paymentAmount": amount{"HKD", "1980"}},
		"less than nothing": {"paymentAmount": amount{"CNY", "-1980"}},
		"a list":            {"paymentStatus": []string{"SUCCESS"}},
		"an odd refund":     {"transactions": []any{went("REFUND", "SUCCESS", "x")}},
		"too much refunded": {"transactions": []any{went("REFUND", "SUCCESS", "1980"), went("REFUND", "SUCCESS", "1")}},
		"refunded in yen":   {"transactions": []any{went("REFUND", "SUCCESS", "1"), map[string]any{"transactionType": "REFUND", "transactionAmount": amount{"JPY", "1"}}}},
	} {
		d := newDesk(t, nil, answering(map[string][]string{"inquiryPayment": {shown("SUCCESS", changes)}}))
		if obs, err := d.Query(t.Context(), attempt()); !only(err, payment.ErrNotSent) {
			t.Errorf("%s: %+v, %v", name, obs, err)
		}
	}
	for _, r := range []string{result(perhaps, "UNKNOWN_EXCEPTION"), result(no, "PARAM_ILLEGAL"), result(no, "PROCESS_FAIL")} {
		d := newDesk(t, nil, answering(map[string][]string{"inquiryPayment": {r}}))
		if obs, err := d.Query(t.Context(), attempt()); !only(err, payment.ErrNotSent) {
			t.Errorf("%s: %+v, %v", r, obs, err)
		}
	}
}

// A payment that is not there is not dead before its page is over for long.
func TestNoPaymentYet(t *testing.T) {
	for after, want := range map[time.Duration]payment.State{
		0: payment.Unknown, 14 * time.Minute: payment.Unknown, 19*time.Minute - time.Second: payment.Unknown, 19*time.Minute + time.Second: payment.Dead,
	} {
		d := newDesk(t, nil, answering(map[string][]string{"inquiryPayment": {result(no, noOrder)}}))
		d.now = t0.Add(after)
		for _, id := range []string{"", testID} {
			at := attempt()
			at.ProviderID = id
			if obs, err := d.Query(t.Context(), at); err != nil || obs.State != want || (obs.Reason != "") != (want == payment.Dead) {
				t.Errorf("after %v: %+v, %v", after, obs, err)
			}
		}
	}
}

func TestAbandon(t *testing.T) {
	gone, waiting := result(no, noOrder), shown("PROCESSING", nil)
	done := fields(yes, "SUCCESS", map[string]any{"paymentRequestId": attempt().Ref, "paymentId": testID, "cancelTime": "2031-05-06T10:10:00-07:00"})
	for _, tt := range []struct {
		name   string
		says   map[string][]string
		want   payment.State // "" for an error
		kind   error
		called string
	}{
		{"open", map[string][]string{"inquiryPayment": {waiting}, "cancel": {done}}, payment.Dead, nil, "inquiryPayment cancel"},
		{"on its way", map[string][]string{"inquiryPayment": {shown("PENDING", nil)}, "cancel": {done}}, payment.Dead, nil, "inquiryPayment cancel"},
		{"paid", map[string][]string{"inquiryPayment": {shown("SUCCESS", nil)}}, payment.Paid, nil, "inquiryPayment"},
		{"cancelled before", map[string][]string{"inquiryPayment": {shown("CANCELLED", nil)}}, payment.Dead, nil, "inquiryPayment"},
		{"nobody says", map[string][]string{"inquiryPayment": {result(perhaps, "UNKNOWN_EXCEPTION")}}, "", payment.ErrNotSent, "inquiryPayment"},
		{"never arrived", map[string][]string{"inquiryPayment": {gone}, "pay": {open(nil)}, "cancel": {done}}, payment.Dead, nil, "inquiryPayment pay cancel"},
		{"not there, and refused", map[string][]string{"inquiryPayment": {gone}, "pay": {result(no, "RISK_REJECT")}}, payment.Dead, nil, "inquiryPayment pay inquiryPayment"},
		{"not there, and nobody knows", map[string][]string{"inquiryPayment": {gone}, "pay": {result(perhaps, "UNKNOWN_EXCEPTION")}}, "", payment.ErrUnknown, "inquiryPayment pay"},
		{"perhaps cancelled", map[string][]string{"inquiryPayment": {waiting}, "cancel": {result(perhaps, "UNKNOWN_EXCEPTION")}}, "", payment.ErrUnknown, "inquiryPayment cancel"},
		{"paid just now", map[string][]string{"inquiryPayment": {waiting, shown("SUCCESS", nil)}, "cancel": {result(no, "ORDER_STATUS_INVALID")}}, payment.Paid, nil, "inquiryPayment cancel inquiryPayment"},
		{"not cancelled", map[string][]string{"inquiryPayment": {waiting}, "cancel": {result(no, "CANCEL_WINDOW_EXCEED")}}, payment.NeedsCustomer, nil, "inquiryPayment cancel inquiryPayment"},
		{"not cancelled, and then silent", map[string][]string{"inquiryPayment": {waiting, result(perhaps, "X")}, "cancel": {result(no, "PROCESS_FAIL")}}, "", payment.ErrUnknown, "inquiryPayment cancel inquiryPayment"},
		{"cancelled another", map[string][]string{"inquiryPayment": {waiting}, "cancel": {strings.Replace(done, testID, "other", 1)}}, "", payment.ErrUnknown, "inquiryPayment cancel"},
		{"cancelled another attempt", map[string][]string{"inquiryPayment": {waiting}, "cancel": {strings.Replace(done, attempt().Ref, "other", 1)}}, "", payment.ErrUnknown, "inquiryPayment cancel"},
		{"turned away", map[string][]string{"inquiryPayment": {waiting}, "cancel": {result(no, "ACCESS_DENIED")}}, "", payment.ErrNotSent, "inquiryPayment cancel"},
	} {
		for _, id := range []string{testID, ""} {
			d := newDesk(t, nil, answering(tt.says))
			at := attempt()
			at.ProviderID = id
			obs, err := d.Abandon(t.Context(), at)
			if obs.State != tt.want || tt.kind == nil && err != nil || tt.kind != nil && !only(err, tt.kind) {
				t.Errorf("%s: %+v, %v", tt.name, obs, err)
			}
			var called []string
			for _, c := range d.asked {
				called = append(called, strings.TrimPrefix(c.path, apiRoot))
				if !strings.HasSuffix(c.path, "/pay") && c.body != `{"paymentRequestId":"abcdefghij0123456789klmnop"}` {
					t.Errorf("%s: asked %s", tt.name, c.body)
				}
			}
			if got := strings.Join(called, " "); got != tt.called {
				t.Errorf("%s: called %s, want %s", tt.name, got, tt.called)
			}
		}
	}
	d := newDesk(t, nil, answering(map[string][]string{"inquiryPayment": {gone}}))
	d.now = t0.Add(15 * time.Minute)
	if obs, err := d.Abandon(t.Context(), attempt()); err != nil || obs.State != payment.Unknown {
		t.Errorf("over, and not there: %+v, %v", obs, err)
	}
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{" \n\t": "", "日本 10 日 — 5G/4G": "日本 10 日 — 5G/4G", "5G 🎌 eSIM": "5G eSIM", "\xff\xfe x": "x"} {
		if got := plain(in, 256); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		got := plain(rapid.String().Draw(t, "s"), n)
		if utf8.RuneCountInString(got) > n || strings.ContainsAny(got, "\n\r\t\x00") || got != plain(got, n) {
			t.Fatalf("%q", got)
		}
	})
}

// Whatever Antom answers: no panic, a word only with its signature, and a payment
// only where the signed text says so, of this attempt, in this currency.
func FuzzAnswer(f *testing.F) {
	a := vectorAdapter(f)
	for _, s := range []string{
		file("answer.json"), shown("SUCCESS", nil), shown("CANCELLED", nil), open(nil), seen("SUCCESS", nil), result(perhaps, "X"), `{"result":null}`, ``, `[]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if r, f := wordOf(body); (f == nil) != (r.status == yes || r.status == no || r.status == perhaps) {
			t.Errorf("%q: %+v, %+v", body, r, f)
		}
		h := vectorHeader("answer", "Response-Time", "2031-05-06T17:08:10+08:00")
		if r, f := a.judge(apiRoot+"inquiryPayment", answerOf(200, h, body)); f == nil && string(body) != file("answer.json") {
			t.Errorf("under another's signature: %q: %+v", body, r)
		}
		if obs, why := observe(attempt(), body, t0); why == "" && (obs.State == "" || obs.ProviderID != testID || obs.Amount.Currency != "CNY" || obs.Amount.Minor < 0 || obs.Refunded.Minor > obs.Amount.Minor) {
			t.Errorf("%q: %+v", body, obs)
		}
		if obs, why := opened(attempt(), body, t0); why == "" && (obs.ProviderID != testID || !strings.HasPrefix(obs.Next.RedirectURL, "http")) {
			t.Errorf("%q: %+v", body, obs)
		}
		if obs, why := observeRefund(refundAsked(), body, "SUCCESS", t0); why == "" && obs.Found && (obs.State == "" || obs.ProviderID == "" || obs.Amount.Currency != "CNY" || obs.Amount.Minor < 0) {
			t.Errorf("%q: %+v", body, obs)
		}
	})
}
