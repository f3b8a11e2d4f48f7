package alipay

import (
	"crypto/rsa"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/payment"
)

// vectorNotice is AL-1 as it was posted, and the adapter that it was for.
func vectorNotice(t testing.TB) (*Adapter, url.Values) {
	a := verifier(t, al1Key)
	a.appID, a.seller = "2019073166072302", "2088531891668739"
	form := url.Values{"sign": {al1Sign}}
	for k, v := range lines(al1Params) {
		form.Set(k, v)
	}
	return a, form
}

func TestNotificationVector(t *testing.T) {
	a, form := vectorNotice(t)
	want := payment.Doorbell{
		EventID: "2019081500222155624068450559358070", Kind: "TRADE_SUCCESS", Ref: "20190815155618536-564-57",
		ProviderID: "20190815155618536-564-57", MoneyID: "2019081522001468450512505578",
		Answer: "success", AnswerType: "text/plain; charset=utf-8",
	}
	for range 2 { // the same event sent twice is the same event
		got, err := a.Notification(t.Context(), http.Header{}, []byte(form.Encode()))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("error %v (-want +got):\n%s", err, diff)
		}
	}
}

func TestForgedNotifications(t *testing.T) {
	a, form := vectorNotice(t)
	body := form.Encode()
	other := verifier(t, al2Key)
	other.appID, other.seller = a.appID, a.seller
	with := func(f func(b *Adapter)) *Adapter {
		b := *a
		f(&b)
		return &b
	}
	for name, tt := range map[string]struct {
		a    *Adapter
		body string
	}{
		"another key":         {other, body},
		"no key":              {with(func(b *Adapter) { b.theirs = nil }), body},
		"another application": {with(func(b *Adapter) { b.appID = "2019073166072303" }), body},
		"another seller":      {with(func(b *Adapter) { b.seller = "2088531891668730" }), body},
		"nothing":             {a, ""},
		"half":                {a, body[:len(body)/2]},
		"one more parameter":  {a, body + "&x=1"},
		"one of them twice":   {a, body + "&total_amount=0.10"},
		"twice, the first":    {a, "total_amount=9.99&" + body},
		"not a form":          {a, "%zz"},
		"semicolons":          {a, strings.ReplaceAll(body, "&", ";")},
		"another amount":      {a, strings.Replace(body, "total_amount=0.10", "total_amount=9.10", 1)},
		"JSON":                {a, `{"app_id":"2019073166072302"}`},
	} {
		if bell, err := tt.a.Notification(t.Context(), http.Header{}, []byte(tt.body)); !errors.Is(err, payment.ErrForged) {
			t.Errorf("%s: %+v, %v", name, bell, err)
		}
	}
	if _, err := a.Notification(t.Context(), http.Header{}, []byte(body)); err != nil {
		t.Errorf("the genuine one: %v", err)
	}
}

// One that is longer than any real one is not even read, whoever signed it.
func TestHugeNotification(t *testing.T) {
	k := testKeys()
	a := &Adapter{theirs: []*rsa.PublicKey{&k.theirs.PublicKey}, appID: testApp, seller: testSeller}
	for size, ok := range map[int]bool{1000: true, maxNotice: false} {
		params := map[string]string{"app_id": testApp, "body": strings.Repeat("x", size)}
		params["sign"] = signature(k.theirs, textOf(params))
		if _, err := a.Notification(t.Context(), nil, []byte(formOf(params).Encode())); (err == nil) != ok || err != nil && !errors.Is(err, payment.ErrForged) {
			t.Errorf("with %d bytes: %v", size, err)
		}
	}
}

// A notification of the service market is signed with its sign_type, and is
// about nothing of ours.
func TestNotificationOfAnotherFamily(t *testing.T) {
	a := verifier(t, al2Key)
	a.appID, a.seller = "2017122801303261", "2088000000000001"
	form := url.Values{"sign": {al2Sign}}
	for k, v := range lines(al2Params) {
		form.Set(k, v)
	}
	bell, err := a.Notification(t.Context(), http.Header{}, []byte(form.Encode()))
	if err != nil || bell.Ref != "" || bell.MoneyID != "" || bell.Kind != "servicemarket_order_notify" || bell.EventID != "2019030800222102023008121054923345" {
		t.Errorf("%+v, %v", bell, err)
	}
}

// Without an identifier the contents are the event's; the time of sending is
// not part of them.
func TestEventWithoutIdentifier(t *testing.T) {
	k := testKeys()
	a := &Adapter{theirs: []*rsa.PublicKey{&k.theirs.PublicKey}, appID: testApp, seller: testSeller}
	ring := func(params map[string]string) payment.Doorbell {
		t.Helper()
		params["app_id"], params["sign"] = testApp, ""
		params["sign"] = signature(k.theirs, textOf(params, "sign"))
		bell, err := a.Notification(t.Context(), nil, []byte(formOf(params).Encode()))
		if err != nil {
			t.Fatal(err)
		}
		return bell
	}
	first := ring(map[string]string{"trade_no": "1", "notify_time": "2031-05-06 00:00:00"})
	again := ring(map[string]string{"trade_no": "1", "notify_time": "2031-05-06 00:04:00"})
	another := ring(map[string]string{"trade_no": "2", "notify_time": "2031-05-06 00:00:00"})
	if first.EventID == "" || first.Kind == "" || first != again || first.EventID == another.EventID {
		t.Errorf("%+v, %+v, %+v", first, again, another)
	}
}

// Whatever is posted: no panic, and nothing but the genuine contents is believed.
func FuzzNotification(f *testing.F) {
	a, form := vectorNotice(f)
	genuine, err := a.Notification(f.Context(), nil, []byte(form.Encode()))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{form.Encode(), "", "sign=", "a=1&a=2", "%", form.Encode() + "&x=", "app_id=2019073166072302&sign=AAAA"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		bell, err := a.Notification(t.Context(), nil, body)
		if err == nil && bell != genuine || err != nil && !errors.Is(err, payment.ErrForged) {
			t.Errorf("%q: %+v, %v", body, bell, err)
		}
	})
}

// Whatever the gateway answers: no panic, a yes or no only with its signature,
// and a payment only where the signed text says so.
func FuzzAnswer(f *testing.F) {
	k := testKeys()
	a := &Adapter{theirs: []*rsa.PublicKey{&k.theirs.PublicKey}, key: k.ours, gateway: live}
	const method = "alipay.trade.query"
	for _, status := range []string{"WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_CLOSED", "TRADE_FINISHED"} {
		f.Add([]byte(envelope(method, trading(status, nil))), []byte(trading(status, nil)))
	}
	f.Add([]byte(`{"alipay_trade_query_response":`+al4Text+`,"sign":"`+al4Sign+`"}`), []byte(al4Text))
	f.Add([]byte(`{"error_response":{},"sign":null}`), []byte(`{}`))
	f.Add([]byte(``), []byte(`{"refund_amount":1e9,"refund_status":"REFUND_SUCCESS"}`))
	f.Fuzz(func(t *testing.T, body, text []byte) {
		r, kind, cause := a.judge(method, body)
		if (kind == nil) != (cause == nil) || cause == nil && len(r.body) == 0 {
			t.Errorf("%q: %+v, %v, %v", body, r, kind, cause)
		}
		if obs, why := a.observed(attempt(), text, t0); why == "" && (obs.State == "" || obs.MoneyID == "" || obs.Amount.Minor < 0) {
			t.Errorf("%q: %+v", text, obs)
		}
		if obs, why := observeRefund(text, refund(), t0); why == "" && obs.Found && (obs.State == "" || obs.Amount.Minor < 0) {
			t.Errorf("%q: %+v", text, obs)
		}
	})
}
