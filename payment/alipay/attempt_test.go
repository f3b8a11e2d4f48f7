package alipay

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

func unreachable(string) (int, string) { panic("a request was made") }

// query is the query of a link, and its business part.
func query(t testing.TB, link string) (url.Values, map[string]string) {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	if got := u.Scheme + "://" + u.Host + u.Path; got != live {
		t.Errorf("the link leads to %s", got)
	}
	biz := map[string]string{}
	if err := json.Unmarshal([]byte(u.Query().Get("biz_content")), &biz); err != nil {
		t.Fatal(err)
	}
	return u.Query(), biz
}

func TestLinks(t *testing.T) {
	d := newDesk(t, false, unreachable)
	base := map[string]string{
		"out_trade_no": attempt().Ref, "total_amount": "19.80", "subject": "日本 10天 5G 4G",
		"body": "account ac_1, order ord_1", "time_expire": "2031-05-07 03:08:09",
	}
	with := func(k, v string) map[string]string {
		m := map[string]string{"product_code": v}
		for k, v := range base {
			m[k] = v
		}
		if k != "" {
			m["quit_url"] = k
		}
		return m
	}
	for _, tt := range []struct {
		device payment.Device
		method string
		biz    map[string]string
	}{
		{payment.Computer, pagePay, with("", "FAST_INSTANT_TRADE_PAY")},
		{payment.Phone, wapPay, with("https://shop.test/quit", "QUICK_WAP_WAY")},
		{payment.AnyDevice, wapPay, with("https://shop.test/quit", "QUICK_WAP_WAY")},
	} {
		at := attempt()
		at.Device = tt.device
		obs, err := d.Start(t.Context(), at)
		if err != nil || obs.State != payment.NeedsCustomer || obs.ProviderID != at.Ref || obs.Next.QR != "" {
			t.Errorf("%s: %+v, %v", tt.method, obs, err)
		}
		params, biz := query(t, obs.Next.RedirectURL)
		if diff := cmp.Diff(tt.biz, biz); diff != "" {
			t.Errorf("%s: biz_content (-want +got):\n%s", tt.method, diff)
		}
		for name, want := range map[string]string{
			"method": tt.method, "app_id": testApp, "notify_url": testHook, "return_url": at.ReturnURL, "timestamp": "2031-05-07 01:08:09",
		} {
			if got := params.Get(name); got != want {
				t.Errorf("%s: %s = %q, want %q", tt.method, name, got, want)
			}
		}
	}
}

// A repeated Start is the same link, whenever it is made; after its end Start
// only looks, since the customer may have paid meanwhile.
func TestStartAgain(t *testing.T) {
	d := newDesk(t, false, answering(map[string]string{"alipay.trade.query": trading("TRADE_SUCCESS", nil)}))
	first, err := d.Start(t.Context(), attempt())
	if err != nil {
		t.Fatal(err)
	}
	d.now = t0.Add(2*time.Hour - 2*time.Second)
	if again, err := d.Start(t.Context(), attempt()); err != nil || again.Next != first.Next {
		t.Errorf("Start again: %+v, %v", again, err)
	}
	if len(d.asked) != 0 {
		t.Error("Start made a request")
	}
	d.now = t0.Add(2 * time.Hour)
	if late, err := d.Start(t.Context(), attempt()); err != nil || late.State != payment.Paid {
		t.Errorf("Start after the end: %+v, %v", late, err)
	}
}

func TestStartOfWhatIsNotTaken(t *testing.T) {
	d := newDesk(t, true, unreachable)
	for _, spoil := range []func(*payment.Attempt){
		func(a *payment.Attempt) { a.Amount = money.Of(1980, "JPY") },
		func(a *payment.Attempt) { a.Amount.Minor = 0 },
		func(a *payment.Attempt) { a.Amount.Minor = 100_000_000_01 },
		func(a *payment.Attempt) { a.Rail = payment.Card },
	} {
		at := attempt()
		spoil(&at)
		if obs, err := d.Start(t.Context(), at); err != nil || obs.State != payment.Dead || obs.Reason != payment.NotAccepted {
			t.Errorf("Start of %v by %s: %+v, %v", at.Amount, at.Rail, obs, err)
		}
	}
}

// A link lives as long as the attempt, within what Alipay allows.
func TestLinkEnd(t *testing.T) {
	for life, want := range map[time.Duration]time.Duration{
		-time.Hour: 2 * time.Minute, 0: 2 * time.Minute, time.Minute: 2 * time.Minute, time.Hour: time.Hour, 20 * 24 * time.Hour: 15 * 24 * time.Hour,
	} {
		at := attempt()
		at.ExpiresAt = at.CreatedAt.Add(life)
		if got := linkEnd(at); !got.Equal(at.CreatedAt.Add(want).Truncate(time.Second)) {
			t.Errorf("with %v to live it ends after %v, want %v", life, got.Sub(at.CreatedAt), want)
		}
	}
}

// What customers typed never breaks a request, and long addresses are left out
// rather than cut.
func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"a/b=c&d": "a b c d", " \n\t": "", "Ünlimited — 10 日": "Ünlimited — 10 日", "5G 🎌 eSIM": "5G eSIM", "\xff\xfe x": "x", "{\"a\":1}": "{ a :1}",
	} {
		if got := plain(in, 128); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		got := plain(rapid.String().Draw(t, "s"), n)
		if utf8.RuneCountInString(got) > n || strings.ContainsAny(got, "/=&\n") || got != plain(got, n) {
			t.Fatalf("%q", got)
		}
	})
	at := attempt()
	at.Description, at.Tags = "&&&", nil
	at.ReturnURL = "https://shop.test/" + strings.Repeat("x", 256)
	at.CancelURL = at.ReturnURL
	d := newDesk(t, false, unreachable)
	obs, err := d.Start(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	params, biz := query(t, obs.Next.RedirectURL)
	_, returns := params["return_url"]
	_, quits := biz["quit_url"]
	_, body := biz["body"]
	if returns || quits || body || biz["subject"] != at.Ref {
		t.Errorf("%v", params)
	}
}

// trading is the member of an answer to a query, with changes.
func trading(status string, changes map[string]any) string {
	m := map[string]any{
		"out_trade_no": attempt().Ref, "trade_no": "2031050722001400000000000001", "trade_status": status, "total_amount": "19.80",
		"buyer_logon_id": "138****0000", "buyer_pay_amount": "0.00",
	}
	if status == "TRADE_SUCCESS" || status == "TRADE_FINISHED" {
		m["send_pay_date"] = "2031-05-07 01:10:00"
	}
	for k, v := range changes {
		m[k] = v
	}
	return said(m)
}

func TestStates(t *testing.T) {
	const tradeNo = "2031050722001400000000000001"
	end := attempt().ExpiresAt
	for _, tt := range []struct {
		name, status string
		changes      map[string]any
		after        time.Duration // since the attempt's end
		want         payment.Observation
	}{
		{"waiting", "WAIT_BUYER_PAY", nil, -time.Hour, payment.Observation{State: payment.NeedsCustomer}},
		{"waiting long", "WAIT_BUYER_PAY", nil, time.Hour, payment.Observation{State: payment.NeedsCustomer}},
		{"paid", "TRADE_SUCCESS", nil, -time.Hour, payment.Observation{State: payment.Paid}},
		{"paid, a number", "TRADE_SUCCESS", map[string]any{"total_amount": json.Number("19.8")}, -time.Hour, payment.Observation{State: payment.Paid}},
		{"paid long ago", "TRADE_FINISHED", nil, 2400 * time.Hour, payment.Observation{State: payment.Paid}},
		{"refunded", "TRADE_CLOSED", map[string]any{"send_pay_date": "2031-05-07 01:10:00"}, time.Hour, payment.Observation{State: payment.Paid, Refunded: money.Of(1980, "CNY")}},
		{"closed", "TRADE_CLOSED", nil, -time.Hour, payment.Observation{State: payment.Dead, Reason: payment.Abandoned, Code: "TRADE_CLOSED", Closed: true}},
		{"lapsed", "TRADE_CLOSED", nil, time.Hour, payment.Observation{State: payment.Dead, Reason: payment.TooLate, Code: "TRADE_CLOSED", Closed: true}},
		{"on its way", "TRADE_SUCCESS", map[string]any{"additional_status": "SELLER_NOT_RECEIVED"}, -time.Hour, payment.Observation{State: payment.Pending, Code: "TRADE_SUCCESS SELLER_NOT_RECEIVED"}},
		{"to be paid after use", "TRADE_SUCCESS", map[string]any{"credit_pay_mode": "creditAdvanceV2"}, -time.Hour, payment.Observation{State: payment.Pending, Code: "TRADE_SUCCESS creditAdvanceV2"}},
		{"never paid after use", "TRADE_CLOSED", map[string]any{"credit_pay_mode": "creditAdvanceV2", "send_pay_date": "x"}, time.Hour, payment.Observation{State: payment.Dead, Reason: payment.TooLate, Code: "TRADE_CLOSED", Closed: true}},
	} {
		d := newDesk(t, false, answering(map[string]string{"alipay.trade.query": trading(tt.status, tt.changes)}))
		d.now = end.Add(tt.after)
		for _, id := range []string{"", tradeNo} {
			at := attempt()
			at.ProviderID, at.MoneyID = "", id // the answer to Start may have been lost
			got, err := d.Query(t.Context(), at)
			if got.Next != (payment.Next{}) != (got.State == payment.NeedsCustomer) {
				t.Errorf("%s: next %+v", tt.name, got.Next)
			}
			got.Next = payment.Next{}
			want := tt.want
			want.ProviderID, want.MoneyID, want.Amount, want.AsOf = at.Ref, tradeNo, at.Amount, d.now
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%s: error %v (-want +got):\n%s", tt.name, err, diff)
			}
		}
	}
}

// What is about something else, or cannot be read, is no answer.
func TestStrangeAnswers(t *testing.T) {
	for name, changes := range map[string]map[string]any{
		"another order":     {"out_trade_no": "other"},
		"another trade":     {"trade_no": "2031050722001400000000000002"},
		"no trade":          {"trade_no": ""},
		"no order":          {"out_trade_no": nil},
		"an odd state":      {"trade_status": "TRADE_PENDING"},
		"no state":          {"trade_status": ""},
		"an odd amount":     {"total_amount": "19.805"},
		"no amount":         {"total_amount": nil},
		"less than nothing": {"total_amount": "-19.80"},
		"another price":     {"trans_currency": "USD"},
		"another currency":  {"pay_currency": "HKD"},
		"a list":            {"trade_status": []string{"TRADE_SUCCESS"}},
	} {
		d := newDesk(t, false, answering(map[string]string{"alipay.trade.query": trading("TRADE_SUCCESS", changes)}))
		at := attempt()
		at.MoneyID = "2031050722001400000000000001"
		if obs, err := d.Query(t.Context(), at); !only(err, payment.ErrNotSent) {
			t.Errorf("%s: %+v, %v", name, obs, err)
		}
	}
}

// The captured amount is what Alipay says, not what was asked for.
func TestAnotherAmountIsTold(t *testing.T) {
	d := newDesk(t, false, answering(map[string]string{"alipay.trade.query": trading("TRADE_SUCCESS", map[string]any{"total_amount": "0.01"})}))
	if obs, err := d.Query(t.Context(), attempt()); err != nil || obs.Amount != money.Of(1, "CNY") {
		t.Errorf("Query says %v, %v", obs.Amount, err)
	}
}

// No trade yet is no failure: the link is good to its end, and whether there is
// one nobody knows where the answer to Start was lost.
func TestNoTradeYet(t *testing.T) {
	ref := attempt().Ref
	for _, tt := range []struct {
		id    string
		after time.Duration // since the attempt's end
		want  payment.State
	}{
		{ref, -2 * time.Hour, payment.NeedsCustomer},
		{ref, 0, payment.NeedsCustomer},
		{ref, 5*time.Minute - 2*time.Second, payment.NeedsCustomer},
		{ref, 5 * time.Minute, payment.Dead},
		{"", -2 * time.Hour, payment.Unknown},
		{"", 5*time.Minute - 2*time.Second, payment.Unknown},
		{"", 5 * time.Minute, payment.Dead},
	} {
		none := no("40004", "ACQ.TRADE_NOT_EXIST")
		d := newDesk(t, false, answering(map[string]string{"alipay.trade.query": none, "alipay.trade.close": none}))
		at := attempt()
		d.now, at.ProviderID = at.ExpiresAt.Add(tt.after), tt.id
		asked, err := d.Query(t.Context(), at)
		closed, err2 := d.Abandon(t.Context(), at)
		if err != nil || err2 != nil || asked.State != tt.want || !reflect.DeepEqual(asked, closed) || (asked.Next.RedirectURL != "") != (tt.want == payment.NeedsCustomer) {
			t.Errorf("%v after the end, id %q: %+v, %+v, %v %v; want %s", tt.after, tt.id, asked, closed, err, err2, tt.want)
		}
	}
}

func TestAbandon(t *testing.T) {
	shut := said(map[string]any{"out_trade_no": attempt().Ref, "trade_no": "2031050722001400000000000001"})
	for _, tt := range []struct {
		name, close, query string
		want               payment.State // "" for an unknown outcome
	}{
		{"closed", shut, "", payment.Dead},
		{"paid before", no("40004", "ACQ.TRADE_STATUS_ERROR"), trading("TRADE_SUCCESS", nil), payment.Paid},
		{"closed before", no("40004", "ACQ.REASON_TRADE_STATUS_INVALID"), trading("TRADE_CLOSED", nil), payment.Dead},
		{"closed another", said(map[string]any{"out_trade_no": "other", "trade_no": "1"}), "", ""},
		{"system error", no("40004", "ACQ.SYSTEM_ERROR"), "", ""},
	} {
		d := newDesk(t, false, answering(map[string]string{"alipay.trade.close": tt.close, "alipay.trade.query": tt.query}))
		obs, err := d.Abandon(t.Context(), attempt())
		if obs.State != tt.want || tt.want == "" && !only(err, payment.ErrUnknown) || tt.want != "" && err != nil {
			t.Errorf("%s: %+v, %v", tt.name, obs, err)
		}
	}
}

// A refused code is the end only where the same request can never have been
// taken; else there is a trade to look at.
func TestRefusedCode(t *testing.T) {
	for code, want := range map[string]payment.Reason{
		"ACQ.TOTAL_FEE_EXCEED": payment.NotAccepted, "ACQ.INVALID_PARAMETER": payment.ProviderTrouble, "ACQ.ACCESS_FORBIDDEN": payment.ProviderTrouble,
		"ACQ.TRADE_HAS_SUCCESS": "", "ACQ.TRADE_HAS_CLOSE": "", "ACQ.CONTEXT_INCONSISTENT": "", "ACQ.NEW": "",
	} {
		d := newDesk(t, true, answering(map[string]string{precreate: no("40004", code), "alipay.trade.query": trading("TRADE_SUCCESS", nil)}))
		at := attempt()
		at.Device = payment.Computer
		obs, err := d.Start(t.Context(), at)
		if err != nil || obs.Reason != want || (obs.State == payment.Dead) != (want != "") || (obs.State == payment.Paid) != (want == "") {
			t.Errorf("%s: %+v, %v", code, obs, err)
		}
	}
	for _, made := range []string{`{"code":"10000"}`, said(map[string]any{"out_trade_no": "other", "qr_code": "x"}), said(map[string]any{"out_trade_no": attempt().Ref})} {
		d := newDesk(t, true, answering(map[string]string{precreate: made}))
		at := attempt()
		at.Device = payment.Computer
		if obs, err := d.Start(t.Context(), at); !only(err, payment.ErrUnknown) {
			t.Errorf("%s: %+v, %v", made, obs, err)
		}
	}
}
