package order_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// takes are the limits of a provider with one rail in one currency.
func takes(rail payment.Rail, c money.Currency) payment.Limits {
	return payment.Limits{Rails: []payment.Rail{rail}, Currencies: map[payment.Rail][]money.Currency{rail: {c}}, Partial: true}
}

// street is a shop with a provider for each of several rails, each with limits of
// its own.
func street(t tester, env dbtest.Env) *cashier {
	t.Helper()
	c := newCashier(t, env)
	real := c.Desk.Providers["stripe"]
	small, slow, coarse, whole := takes(payment.LINEPay, "JPY"), takes(payment.Konbini, "JPY"), takes(payment.PayPal, "JPY"), takes(payment.Card, "JPY")
	small.Max, small.Min = map[money.Currency]int64{"JPY": 1000}, map[money.Currency]int64{"JPY": 100}
	slow.Slow, slow.Places = map[payment.Rail]time.Duration{payment.Konbini: 24 * time.Hour}, map[payment.Rail][]string{payment.Konbini: {"JP"}}
	coarse.Multiple = map[money.Currency]int64{"JPY": 10}
	whole.Partial = false
	c.Desk.Rails = map[payment.Rail]string{}
	for _, l := range []payment.Limits{small, slow, coarse, whole, takes(payment.Alipay, "CNY"), takes(payment.WeChatPay, "JPY")} {
		name := "of " + string(l.Rails[0])
		c.Desk.Providers[name], c.Desk.Rails[l.Rails[0]] = limited{real, l}, name
	}
	return c
}

// Whatever cannot pay now is named with the first reason there is and what can pay
// instead.
func TestUnoffered(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := street(t, env)
		now := env.Clock.Now()
		price := func(minor int64, stands time.Duration) order.Quote {
			return order.Quote{Kind: order.Term, Price: money.Of(minor, "JPY"), CreatedAt: now, ExpiresAt: now.Add(stands)}
		}
		for name, tt := range map[string]struct {
			ask  order.Asking
			want string // rail, why, instead
		}{
			"a price of ¥1,000": {
				order.Asking{Quote: price(1000, 30*time.Minute), Countries: []string{"JP"}},
				"[alipay: currency, wechat_pay] [konbini: too_slow, card]",
			},
			"too much for one, not round enough for another": {
				order.Asking{Quote: price(1985, 30*time.Minute)},
				"[alipay: currency, wechat_pay] [konbini: too_slow, card] [line_pay: too_much, card] [paypal: not_whole, card]",
			},
			"too little": {
				order.Asking{Quote: price(90, 30*time.Minute)},
				"[alipay: currency, wechat_pay] [konbini: too_slow, card] [line_pay: too_little, card]",
			},
			"a line that ends sooner than prices do": {
				order.Asking{Quote: price(1000, 20*time.Minute)},
				"[alipay: currency, wechat_pay] [konbini: too_slow_for_line, card]",
			},
			"a line of another country": {
				order.Asking{Quote: price(1000, 30*time.Minute), Countries: []string{"KR"}},
				"[alipay: currency, wechat_pay] [konbini: elsewhere, card]",
			},
			"several lines": {
				order.Asking{Quote: price(1000, 30*time.Minute), Lines: 2},
				"[alipay: currency, wechat_pay] [card: one_line_only, paypal] [konbini: too_slow, paypal]",
			},
			"a policy": {
				order.Asking{Quote: price(1000, 30*time.Minute), Accepted: []catalogue.Tool{"line_pay", "alipay"}},
				"[alipay: currency, line_pay] [card: policy, line_pay] [konbini: policy, line_pay] [paypal: policy, line_pay] [wechat_pay: policy, line_pay]",
			},
			"nothing can": {
				order.Asking{Quote: order.Quote{Price: money.Of(1000, "KRW"), ExpiresAt: now.Add(time.Hour)}, Accepted: []catalogue.Tool{"card"}},
				"[alipay: policy, ] [card: currency, ] [konbini: policy, ] [line_pay: policy, ] [paypal: policy, ] [wechat_pay: policy, ]",
			},
		} {
			got := ""
			for _, u := range c.Desk.Unoffered(tt.ask) {
				got += fmt.Sprintf(" [%s: %s, %s]", u.Rail, u.Why, u.Instead)
			}
			if got != " "+tt.want {
				t.Errorf("%s:\ngot  %s\nwant  %s", name, got, tt.want)
			}
		}
		all := c.Desk.Unoffered(order.Asking{Quote: price(1985, 30*time.Minute), Countries: []string{"KR"}})
		want := []order.Unoffered{
			{Rail: "alipay", Why: order.WrongCurrency, Currencies: []money.Currency{"CNY"}, Instead: "wechat_pay"},
			{Rail: "konbini", Why: order.Elsewhere, Countries: []string{"JP"}, Instead: "card"},
			{Rail: "line_pay", Why: order.TooMuch, Limit: money.Of(1000, "JPY"), Instead: "card"},
			{Rail: "paypal", Why: order.NotWhole, Limit: money.Of(10, "JPY"), Instead: "card"},
		}
		if fmt.Sprint(all) != fmt.Sprint(want) {
			t.Errorf("facts:\ngot  %+v\nwant %+v", all, want)
		}
	})
}

// Of a tool for another currency those are named that help: in which the shop sells.
func TestCurrenciesThatHelp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := street(t, env)
		l := takes(payment.PayPal, "AUD")
		l.Currencies[payment.PayPal] = append(l.Currencies[payment.PayPal], "EUR", "USD", "JPY", "HKD", "TWD")
		c.Desk.Providers["wide"], c.Desk.Rails = limited{c.Desk.Providers["stripe"], l}, map[payment.Rail]string{payment.PayPal: "wide"}
		cat := &catalogue.Catalogue{
			Plans: []catalogue.Plan{
				{Terms: []catalogue.Term{{Prices: []money.Money{money.Of(1, "JPY"), money.Of(1, "USD")}}}, Packs: []catalogue.Pack{{Prices: []money.Money{money.Of(1, "TWD")}}}},
			},
			Seller: catalogue.Seller{Exchange: catalogue.Exchange{To: []money.Currency{"HKD", "CNY"}}},
		}
		named := func(cat *catalogue.Catalogue) (named []money.Currency) {
			q := order.Quote{Price: money.Of(100, "CNY"), ExpiresAt: env.Clock.Now().Add(time.Hour)}
			for _, u := range c.Desk.Unoffered(order.AskingFor(q, cat, "", "")) {
				named = append(named, u.Currencies...)
			}
			return named
		}
		if got := fmt.Sprint(named(cat)); got != "[USD JPY HKD TWD]" {
			t.Errorf("named: %s", got)
		}
		if got := fmt.Sprint(named(&catalogue.Catalogue{})); got != "[AUD EUR USD JPY HKD TWD]" {
			t.Errorf("of a shop that sells in none of them: %s", got)
		}
	})
}

// Every rail of the shop is either offered or explained, never both; what is
// explained with a tool instead leads to one that is offered.
func TestOfferedOrExplained(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := street(t, env)
		now := env.Clock.Now()
		rapid.Check(t, func(t *rapid.T) {
			q := order.Quote{
				Kind: order.Term, CreatedAt: now, ExpiresAt: now.Add(rapid.SampledFrom([]time.Duration{0, time.Minute, 30 * time.Minute, 25 * time.Hour}).Draw(t, "stands")),
				Price: money.Of(rapid.Int64Range(0, 3000).Draw(t, "price"), rapid.SampledFrom([]money.Currency{"JPY", "CNY", "KRW"}).Draw(t, "currency")),
			}
			offered := slices.DeleteFunc(c.Desk.Tools(q), func(r payment.Rail) bool { return r == payment.Wallet })
			var explained []payment.Rail
			for _, u := range c.Desk.Unoffered(order.Asking{Quote: q}) {
				explained = append(explained, u.Rail)
				if u.Instead != "" && !slices.Contains(offered, u.Instead) || u.Instead == "" && len(offered) > 0 {
					t.Fatalf("instead of %s there is %q, and %v can pay", u.Rail, u.Instead, offered)
				}
			}
			if both := slices.Sorted(slices.Values(append(offered, explained...))); len(both) != len(c.Desk.Rails) || len(slices.Compact(both)) != len(c.Desk.Rails) {
				t.Fatalf("offered %v, explained %v", offered, explained)
			}
		})
	})
}

// mute is a provider that never answers.
type mute struct{ payment.Provider }

func (m mute) Start(context.Context, payment.Attempt) (payment.Observation, error) {
	return payment.Observation{}, payment.ErrNotSent
}

// A provider that is silent several times is not offered for two minutes, or until
// it answers; an order is not refused for that.
func TestSilentProviders(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, rest, 0)
		honest := c.Desk.Providers["stripe"]
		c.Desk.Providers["stripe"] = mute{honest}
		q := c.quote(t, account, ln, extendable)
		o := c.placed(t, q)
		silent := func() string {
			why := ""
			for _, u := range c.Desk.Unoffered(order.Asking{Quote: q}) {
				why += fmt.Sprint(u.Rail, " ", u.Why, " ", u.Instead)
			}
			return why
		}
		for i := range 3 {
			if got := silent(); got != "" {
				t.Fatalf("after %d calls: %s", i, got)
			}
			if _, err := c.Desk.Pay(t.Context(), o.Ref(), payment.Card, ways); err == nil {
				t.Fatal("a silent provider let itself be paid with")
			}
		}
		if got := silent(); got != "card silent line_pay" {
			t.Fatalf("after three calls: %q", got)
		}
		c.Clock.Add(2 * time.Minute)
		if got := silent(); got != "" {
			t.Errorf("two minutes later: %s", got)
		}
		if _, err := c.Desk.Pay(t.Context(), o.Ref(), payment.Card, ways); err == nil || silent() == "" {
			t.Errorf("still silent: %v, %q", err, silent())
		}
		c.Desk.Providers["stripe"] = honest
		if _, err := c.Desk.Pay(t.Context(), o.Ref(), payment.Card, ways); err != nil || silent() != "" {
			t.Errorf("it answers again: %v, %q", err, silent())
		}
	})
}

// An attempt of which its provider certainly never heard is not asked about again: each
// look would be a search through all of that time.
func TestUnsentAttemptRests(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, rest, 0)
		c.Desk.Providers["stripe"] = mute{c.Desk.Providers["stripe"]}
		o := c.placed(t, c.quote(t, account, ln, extendable))
		if _, err := c.Desk.Pay(t.Context(), o.Ref(), payment.Card, ways); err == nil {
			t.Fatal("nobody said that the provider cannot be reached")
		}
		all := c.payments(t, o)
		if len(all) != 1 || all[0].State != payment.Dead || !all[0].DueAt.IsZero() {
			t.Errorf("the attempt is %s, and due at %v", all[0].State, all[0].DueAt)
		}
	})
}
