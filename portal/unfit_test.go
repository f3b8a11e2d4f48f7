package portal

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/ui"
)

// picky is the town's bank for one more rail, with limits of its own.
type picky struct {
	*bank
	limits payment.Limits
}

func (p picky) Limits() payment.Limits { return p.limits }

// manyTools lets the town's shop have a rail for most of the reasons that there
// are.
func (w *town) manyTools() {
	add := func(rail payment.Rail, l payment.Limits, currencies ...money.Currency) {
		l.Rails, l.Currencies, l.Keyed = []payment.Rail{rail}, map[payment.Rail][]money.Currency{rail: currencies}, true
		w.server.Desk.Providers[string(rail)], w.server.Desk.Rails[rail] = picky{w.bank, l}, string(rail)
	}
	add(payment.Alipay, payment.Limits{Partial: true}, "CNY")
	add(payment.WeChatPay, payment.Limits{Partial: true}, "CNY", "JPY")
	add(payment.LINEPay, payment.Limits{Partial: true, Max: map[money.Currency]int64{"JPY": 100}}, "JPY")
	add(payment.PayPay, payment.Limits{Partial: true, Min: map[money.Currency]int64{"JPY": 100_000}}, "JPY")
	add(payment.Konbini, payment.Limits{Partial: true, Slow: map[payment.Rail]time.Duration{payment.Konbini: day}}, "JPY")
	add(payment.PayPal, payment.Limits{Multiple: map[money.Currency]int64{"JPY": 1000}}, "JPY")
}

// The review names every way to pay of the shop that cannot pay, with its reason
// and what can, in the customer's language; those can be chosen no longer.
func TestReviewExplainsUnfitTools(t *testing.T) {
	w := newTown(t)
	w.manyTools()
	said := map[locale.Language][]string{
		locale.En: {
			"It takes only Chinese yuan (CNY); this price is in Japanese yen (JPY).<br>What works instead: WeChat Pay.",
			"It takes at most ¥100; this is more.<br>What works instead: Card.", "It takes ¥100,000 or more; this is less.<br>What works instead: Card.",
			"Its money may arrive 24 hours later, and this price is not held that long.", "It takes only multiples of ¥1,000.",
		},
		locale.ZhHans: {"仅支持人民币（CNY），而此价格的币种是日元（JPY）。<br>可改用微信支付。", "款项可能在24小时后才到账"},
		locale.ZhHant: {"僅支援人民幣（CNY），而此價格的幣別是日圓（JPY）。<br>可改用微信支付。", "款項可能在24小時後才入帳"},
		locale.Ja:     {"対応しているのは人民元（CNY）だけで、この価格は日本円（JPY）です。<br>代わりにWeChat Pay（微信支付）をご利用ください。", "入金までに最長24時間かかり"},
		locale.Ko:     {"지원하는 통화는 중국 위안(CNY)뿐이고, 이 가격의 통화는 일본 엔(JPY)입니다.<br>대신 쓸 수 있는 수단: WeChat Pay.", "입금까지 최대 24시간이 걸려"},
	}
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/30d")
	for l, words := range said {
		b.get("/?lang=" + string(l))
		html := b.see("/quotes/" + quote).html
		has(t, html, words...)
		has(t, html, `<a href="/lines/`+w.lines["fresh"]+`/renew?currency=CNY">`)
		if n := strings.Count(html, `<li><b>`); n != 5 {
			t.Errorf("%s: %d ways to pay are explained", l, n)
		}
		for rail, offered := range map[string]bool{"card": true, "wechat_pay": true, "alipay": false, "line_pay": false, "paypay": false, "konbini": false, "paypal": false} {
			if strings.Contains(html, `name="tool" value="`+rail+`"`) != offered {
				t.Errorf("%s: %s is offered: %t", l, rail, !offered)
			}
		}
	}
}

// A form of an old page, or of nobody's, is told the same, charges nothing and
// leaves the offer as it was.
func TestUnfitToolIsRefused(t *testing.T) {
	w := newTown(t)
	w.manyTools()
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/30d")
	for rail, why := range map[string]string{
		"alipay":   "Alipay: It takes only Chinese yuan (CNY); this price is in Japanese yen (JPY). What works instead: WeChat Pay. Nothing was charged.",
		"line_pay": "It takes at most ¥100", "paypay": "It takes ¥100,000 or more", "konbini": "this price is not held that long", "paypal": "only multiples of ¥1,000",
	} {
		p := b.do("POST", "/quotes/"+quote, b.confirm(quote, rail))
		if p.status != http.StatusBadRequest && p.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", rail, p.status)
		}
		has(t, p.html, why, "Pay ¥7,980", `role="alert"`)
	}
	if len(w.orders()) != 0 || w.bank.asked != 0 {
		t.Fatalf("orders %v, the bank was asked %d times", w.orders(), w.bank.asked)
	}

	// Accepted after all; then another tool is wished for the rest.
	b.post("/quotes/"+quote, b.confirm(quote, "card"))
	o := w.orders()[0]
	has(t, b.see("/orders/"+o.ID).html, "Ways to pay not available here", "It takes only Chinese yuan (CNY)")
	p := b.do("POST", "/orders/"+o.ID+"/pay", map[string][]string{"tool": {"alipay"}})
	has(t, p.html, "Alipay: It takes only Chinese yuan (CNY)", "Nothing was charged.")
	if w.bank.asked != 1 || w.orders()[0].State != order.Placed {
		t.Errorf("the bank was asked %d times, the order is %s", w.bank.asked, w.orders()[0].State)
	}
}

// Several lines are told too, also of tools that can pay for only one.
func TestTogetherExplainsUnfitTools(t *testing.T) {
	w := newTown(t)
	w.manyTools()
	w.server.Desk.Providers["wechat_pay"] = picky{w.bank, payment.Limits{Currencies: map[payment.Rail][]money.Currency{payment.WeChatPay: {"JPY"}}}}
	b := w.browser(locale.En).signIn("aiko@example.com")
	review := b.several(map[string]string{"fresh": "term/machi-5gb/10d", "packs": "term/yokocho-base/1gb-30d"})
	html := b.see(review).html
	has(t, html, "It can pay for only one line at a time.<br>What works instead: Card.", "It takes only Chinese yuan (CNY)")
	form := b.confirmTogether(review, "card")
	form.Set("tool", "wechat_pay")
	has(t, b.do("POST", "/together/review", form).html, "WeChat Pay: It can pay for only one line at a time.")
	if len(w.orders()) != 0 {
		t.Errorf("placed %v", w.orders())
	}
}

// Where a tool works in one country only, a line for another is told so, unless
// the customer is at home there.
func TestTellsWhereAToolWorks(t *testing.T) {
	w := newTown(t)
	w.manyTools()
	w.server.Desk.Providers["paypay"] = picky{w.bank, payment.Limits{
		Currencies: map[payment.Rail][]money.Currency{payment.PayPay: {"JPY"}}, Places: map[payment.Rail][]string{payment.PayPay: {"JP"}},
	}}
	korea := catalogue.Demo()
	for i := range korea.Networks {
		korea.Networks[i].PLMNs = []string{"450-05"}
	}
	q := order.Quote{Kind: order.Term, Price: money.Of(1980, "JPY"), ExpiresAt: w.env.Clock.Now().Add(time.Hour)}
	for _, tt := range []struct {
		home    calendar.Zone
		cat     *catalogue.Catalogue
		offered bool
	}{
		{"Asia/Shanghai", catalogue.Demo(), true}, {"Asia/Shanghai", korea, false}, {"Asia/Tokyo", korea, true}, {"", korea, false},
	} {
		v := &visit{server: w.server, r: httptest.NewRequest("GET", "/", nil), voice: ui.NewVoice(locale.En, nil, w.env.Clock.Now())}
		v.account.Zone = tt.home
		a := v.asking(q, tt.cat, "machi-5gb")
		tools := v.tools(keyhole{}, a, nil, purse{})
		offered := slices.ContainsFunc(tools, func(t tool) bool { return t.Value == "paypay" })
		if offered != tt.offered {
			t.Errorf("at home in %q: offered %t", tt.home, offered)
		}
		if i := slices.IndexFunc(v.unfits(a, tools, elsewise{}), func(u unfit) bool { return u.Why == "It can be used only in Japan." }); (i >= 0) == offered {
			t.Errorf("at home in %q: explained %t", tt.home, i >= 0)
		}
	}
}
