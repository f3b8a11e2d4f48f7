package order_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

// mixed is a price of 1,680 yen in three parts.
var mixed = order.Parts{Points: 300, Discount: 300, Wallet: 500, Rest: 880}

// parted places an order with parts.
func (s *shop) parted(t tester, q order.Quote, tool catalogue.Tool, p order.Parts) (order.Order, error) {
	t.Helper()
	return s.Desk.Place(t.Context(), order.Acceptance{Account: q.Account, Quote: q.ID, Amount: q.Price, Tool: tool, Parts: p})
}

// rich makes a customer with a line, yen in the wallet and points.
func (c *cashier) rich(t tester, yen, points int64) (account, ln string) {
	t.Helper()
	account, ln = c.customer(t, extendable, 48*time.Hour, yen)
	c.grant(t, account, points)
	return account, ln
}

// has checks what wallet and points hold, and what is set aside.
func (c *cashier) has(t *testing.T, account string, yen, points, aside int64) {
	t.Helper()
	_, p := c.documents(t, account, "")
	if w := c.wallet(t, account); w != yen || p != points {
		t.Errorf("the wallet holds %d and there are %d points, want %d and %d", w, p, yen, points)
	}
	if a := c.book(t, account, ledger.Aside); a != aside {
		t.Errorf("%d are set aside, want %d", a, aside)
	}
}

// A price in three parts: wallet and points are set aside, the provider takes the
// rest, and the bill, its tax and the points are of what was paid in money.
func TestThreeParts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.rich(t, 700, 400)
		o, err := c.parted(t, c.quote(t, account, ln, extendable), "card", mixed)
		if err != nil || o.State != order.Placed {
			t.Fatal(o.State, err)
		}
		c.has(t, account, 200, 100, 800)
		p := c.pay(t, o, payment.Card)
		if p.Amount != money.Of(880, "JPY") {
			t.Fatalf("%v are to be collected", p.Amount)
		}
		c.fair(t, account, 700)
		must(t)(c.card.Pay(p.Ref))
		c.come(t, o)
		c.pass(t, time.Minute)
		o = c.want(t, o, order.Completed, "")
		c.has(t, account, 200, 100+13, 0)
		bills, _ := c.documents(t, account, o.ID)
		if len(bills) != 1 || bills[0].Total.Minor != 1380 || bills[0].Tax != billing.TaxIn(bills[0].Total, bills[0].Rate) ||
			bills[0].Content.Points != 300 || bills[0].Content.Discount != 300 || bills[0].Content.FromWallet != 500 {
			t.Errorf("bills %+v", bills)
		}
		letter := c.letter(t, account)
		for _, want := range []string{"¥1,380", "card ¥880", "From your wallet: ¥500", "Points used: 300", "Points earned: 13"} {
			if !strings.Contains(letter, want) {
				t.Errorf("the confirmation does not say %q:\n%s", want, letter)
			}
		}
		c.pass(t, rest)
		c.fair(t, account, 700)
	})
}

// letter is the text of the last letter to a customer.
func (c *cashier) letter(t tester, account string) string {
	t.Helper()
	all := c.inbox.To(account + "@traveller.test")
	if len(all) == 0 {
		t.Fatal("no letter")
	}
	return all[len(all)-1].Text
}

// Where wallet and points pay everything, the order completes at once, as from
// the wallet alone.
func TestPartsWithoutATool(t *testing.T) {
	tests := []struct {
		name  string
		tool  catalogue.Tool
		parts order.Parts
	}{
		{"wallet and points", order.ToolWallet, order.Parts{Points: 840, Discount: 840, Wallet: 840}},
		{"a named wallet", order.ToolWallet, order.Parts{Wallet: 1680}},
	}
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				c := newCashier(t, env)
				account, ln := c.rich(t, 2000, 1000)
				o, err := c.parted(t, c.quote(t, account, ln, extendable), tt.tool, tt.parts)
				if err != nil || o.State != order.Completed {
					t.Fatal(o.State, err)
				}
				c.has(t, account, 2000-tt.parts.Wallet, 1000-tt.parts.Points+o.Charged().Minor/100, 0)
				c.pass(t, time.Hour)
				c.fair(t, account, 2000)
			})
		}
	})
}

// The parts are the customer's word: what does not sum to the price, is not what
// the shop gives for points, or is more than there is, charges nothing.
func TestPartsThatWereNotAgreed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.rich(t, 700, 400)
		tests := map[string]struct {
			tool  catalogue.Tool
			parts order.Parts
			kind  fault.Kind
		}{
			"less than the price":           {"card", order.Parts{Wallet: 500, Rest: 1179}, fault.Conflict},
			"more than the price":           {"card", order.Parts{Wallet: 500, Rest: 1181}, fault.Conflict},
			"a negative part":               {"card", order.Parts{Wallet: -1, Rest: 1681}, fault.Conflict},
			"negative points":               {"card", order.Parts{Points: -1, Discount: -1, Rest: 1681}, fault.Conflict},
			"a discount without points":     {"card", order.Parts{Discount: 300, Rest: 1380}, fault.Conflict},
			"points without a discount":     {"card", order.Parts{Points: 300, Rest: 1680}, fault.Conflict},
			"points worth more than said":   {"card", order.Parts{Points: 300, Discount: 301, Rest: 1379}, fault.Invalid},
			"more points than the rule":     {"card", order.Parts{Points: 841, Discount: 841, Rest: 839}, fault.Invalid},
			"points that are not there":     {"card", order.Parts{Points: 401, Discount: 401, Rest: 1279}, fault.Invalid},
			"a wallet with too little":      {"card", order.Parts{Wallet: 701, Rest: 979}, fault.Invalid},
			"a rest that the wallet pays":   {order.ToolWallet, order.Parts{Wallet: 500, Rest: 1180}, fault.Invalid},
			"a tool for nothing":            {"card", order.Parts{Wallet: 1680}, fault.Invalid},
			"points alone, more than may":   {order.ToolPoints, order.Parts{Points: 1680, Discount: 1680}, fault.Invalid},
			"points alone, with the wallet": {order.ToolPoints, order.Parts{Points: 840, Discount: 840, Wallet: 840}, fault.Invalid},
			"too little for the provider":   {"card", order.Parts{Points: 300, Discount: 300, Wallet: 1340, Rest: 40}, fault.Invalid},
		}
		for name, tt := range tests {
			q := c.quote(t, account, ln, extendable)
			if o, err := c.parted(t, q, tt.tool, tt.parts); fault.KindOf(err) != tt.kind {
				t.Errorf("%s: %s, %v; want %s", name, o.State, err, tt.kind)
			}
		}
		c.Desk.Wallet = order.WalletOff
		if _, err := c.parted(t, c.quote(t, account, ln, extendable), "card", mixed); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a wallet that is off: %v", err)
		}
		c.has(t, account, 700, 400, 0)
		c.clean(t, account)
	})
}

// The parts are part of what was accepted under a key.
func TestPartsOfTheSameKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.rich(t, 700, 400)
		q := c.quote(t, account, ln, extendable)
		first, err := c.parted(t, q, "card", mixed)
		if err != nil {
			t.Fatal(err)
		}
		again, err := c.parted(t, q, "card", mixed)
		if err != nil || again.ID != first.ID {
			t.Errorf("the same again: %s, %v", again.ID, err)
		}
		if _, err := c.parted(t, q, "card", order.Parts{Points: 300, Discount: 300, Wallet: 501, Rest: 879}); !isConflict(err) {
			t.Errorf("other parts under the same key: %v", err)
		}
		c.has(t, account, 200, 100, 800)
		c.pass(t, rest)
		c.fair(t, account, 700)
	})
}

// What is set aside cannot be spent by another order, from however many tabs.
func TestSetAsideIsNotSpentTwice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.rich(t, 700, 400)
		second := c.another(t, account, extendable, 48*time.Hour)
		quotes := []order.Quote{c.quote(t, account, ln, extendable), c.quote(t, account, second, extendable), c.quote(t, account, ln, extendable)}
		var orders [3]order.Order
		atOnce(3, func(i int) {
			o, err := c.parted(t, quotes[i], "card", mixed)
			if k := fault.KindOf(err); err != nil && k != fault.Invalid {
				t.Error(err)
			}
			orders[i] = o
		})
		placed := 0
		for _, o := range orders {
			if o.ID != "" {
				placed++
			}
		}
		if placed != 1 {
			t.Errorf("%d orders were placed, and there was enough for one", placed)
		}
		c.has(t, account, 200, 100, 800)
		c.pass(t, rest)
		c.has(t, account, 700, 400, 0)
		c.fair(t, account, 700)
	})
}

// A card that is declined, an offer that ends, another tool that pays: what was
// set aside returns with the order's end, or goes with it.
func TestPartsOfAnUnpaidOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, other := range []bool{false, true} {
			c := newCashier(t, env)
			account, ln := c.rich(t, 700, 400)
			o, err := c.parted(t, c.quote(t, account, ln, extendable), "card", mixed)
			if err != nil {
				t.Fatal(err)
			}
			p := c.pay(t, o, payment.Card)
			must(t)(c.card.Decline(p.Ref))
			c.pass(t, time.Minute)
			c.has(t, account, 200, 100, 800)
			if other {
				p = c.pay(t, o, payment.LINEPay)
				must(t)(c.linePay.Pay(p.Ref))
			}
			c.pass(t, rest)
			if other {
				c.want(t, o, order.Completed, "")
				c.has(t, account, 200, 113, 0)
			} else {
				c.want(t, o, order.Cancelled, "expired")
				c.has(t, account, 700, 400, 0)
			}
			c.fair(t, account, 700)
		}
	})
}

// Late money for an order in parts is honoured when its parts can be set aside
// again, and goes back in full when they cannot.
func TestLateMoneyForParts(t *testing.T) {
	tests := map[string]struct {
		spend  func(*testing.T, *cashier, string, string) // what the customer does with what came back
		served bool
	}{
		"everything is there": {func(*testing.T, *cashier, string, string) {}, true},
		"the wallet was spent": {func(t *testing.T, c *cashier, account, _ string) {
			other := c.another(t, account, extendable, 48*time.Hour)
			if _, err := c.parted(t, c.quote(t, account, other, extendable), order.ToolWallet, order.Parts{Points: 300, Discount: 300, Wallet: 1380}); err != nil {
				t.Fatal(err)
			}
		}, false},
		"it is set aside for another": {func(t *testing.T, c *cashier, account, _ string) {
			other := c.another(t, account, extendable, 48*time.Hour)
			if _, err := c.parted(t, c.quote(t, account, other, extendable), "card", order.Parts{Wallet: 1600, Rest: 80}); err != nil {
				t.Fatal(err)
			}
		}, false},
		"the wallet was switched off": {func(_ *testing.T, c *cashier, _, _ string) { c.Desk.Wallet = order.WalletOff }, false},
		"the line was renewed": {func(t *testing.T, c *cashier, account, ln string) {
			if _, err := c.parted(t, c.quote(t, account, ln, extendable), order.ToolWallet, order.Parts{Points: 840, Discount: 840, Wallet: 840}); err != nil {
				t.Fatal(err)
			}
		}, false},
	}
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				c := newCashier(t, env)
				account, ln := c.rich(t, 1700, 1200)
				o, err := c.parted(t, c.quote(t, account, ln, extendable), "card", mixed)
				if err != nil {
					t.Fatal(err)
				}
				p := c.pay(t, o, payment.Card)
				c.card.wire.Stranger = lies{c.card.Sim} // it is not really closed
				c.pass(t, 40*time.Minute)
				c.want(t, o, order.Cancelled, "expired")
				c.has(t, account, 1700, 1200, 0)
				tt.spend(t, c, account, ln)
				c.card.wire.Stranger = c.card.Sim
				must(t)(c.card.Pay(p.Ref))
				c.pass(t, 26*time.Hour)
				served := false
				for _, x := range c.orders(t, account) {
					served = served || x.Key == "late:"+o.ID && x.State == order.Completed
				}
				if served != tt.served {
					t.Errorf("served %t, want %t", served, tt.served)
				}
				c.Desk.Wallet = order.WalletFull
				c.pass(t, rest)
				c.fair(t, account, 1700)
			})
		}
	})
}

// An order that is not served gives each part back the way it came: wallet and
// points with the decision, the rest by its provider, after which it is refunded.
func TestPartsOfARefusedOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		c.refuse()
		account, ln := c.rich(t, 700, 400)
		o, err := c.parted(t, c.quote(t, account, ln, extendable), "card", mixed)
		if err != nil {
			t.Fatal(err)
		}
		p := c.pay(t, o, payment.Card)
		must(t)(c.card.Pay(p.Ref))
		c.card.always("POST", outboundsim.Refuse) // no refund yet
		c.come(t, o)
		c.pass(t, time.Minute)
		if got := c.get(t, o.Ref()); got.State != order.RefundDue {
			t.Fatalf("order is %s", got.State)
		}
		c.has(t, account, 700, 400, 0)
		if got := c.owed(t, account, "JPY"); got != 880 {
			t.Errorf("%d are owed, want the provider's part", got)
		}
		if letter := c.letter(t, account); !strings.Contains(letter, "¥880") || !strings.Contains(letter, "¥500, is back in it") || !strings.Contains(letter, "300 points that you used are back in your account") {
			t.Errorf("the letter says\n%s", letter)
		}
		c.clean(t, account)
		c.card.works()
		c.pass(t, rest)
		if got := c.get(t, o.Ref()); got.State != order.Refunded || c.card.Refunded(o.ID).Minor != 880 {
			t.Errorf("order is %s, %v went back", got.State, c.card.Refunded(o.ID))
		}
		c.has(t, account, 700, 400, 0)
		c.fair(t, account, 700)
	})
}

// A refund that fails is sent again by staff; wallet and points came back once.
func TestPartsComeBackOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		c.refuse()
		account, ln := c.rich(t, 700, 400)
		o, err := c.parted(t, c.quote(t, account, ln, extendable), "card", mixed)
		if err != nil {
			t.Fatal(err)
		}
		p := c.pay(t, o, payment.Card)
		must(t)(c.card.Pay(p.Ref))
		c.card.HoldRefunds(true)
		c.pass(t, time.Hour)
		if err := c.card.SettleRefund(c.refunds(t, o)[0].Ref, false); err != nil {
			t.Fatal(err)
		}
		c.pass(t, 5*24*time.Hour)
		if got := c.get(t, o.Ref()); got.State != order.Held {
			t.Fatalf("order is %s", got.State)
		}
		c.has(t, account, 700, 400, 0)
		c.clean(t, account)
		c.card.HoldRefunds(false)
		if _, err := c.Desk.GiveBack(t.Context(), o.Ref(), mika); err != nil {
			t.Fatal(err)
		}
		c.pass(t, rest)
		c.has(t, account, 700, 400, 0)
		if got := c.get(t, o.Ref()); got.State != order.Refunded {
			t.Errorf("order is %s", got.State)
		}
	})
}

// Parts are not lost or doubled however the operator misbehaves.
func TestPartsAndAMisbehavingOperator(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, f := range carriersim.Faults {
			for _, tool := range []catalogue.Tool{"card", order.ToolWallet} {
				t.Run(fmt.Sprintf("%s/%s", f, tool), func(t *testing.T) {
					c := newCashier(t, env)
					account, ln := c.rich(t, 2000, 400)
					n := 2
					c.Sim.Choose = func(carrier.Extension) carriersim.Fault {
						if n--; n >= 0 {
							return f
						}
						return carriersim.None
					}
					parts := mixed
					if tool == order.ToolWallet {
						parts = order.Parts{Points: 300, Discount: 300, Wallet: 1380}
					}
					o, err := c.parted(t, c.quote(t, account, ln, extendable), tool, parts)
					if err != nil {
						t.Fatal(err)
					}
					if tool == "card" {
						must(t)(c.card.Pay(c.pay(t, o, payment.Card).Ref))
					}
					c.pass(t, rest)
					if got := c.get(t, o.Ref()); !got.State.Final() {
						t.Errorf("order is %s", got.State)
					}
					c.fair(t, account, 2000)
				})
			}
		}
	})
}

// What staff give back of a completed order in parts goes first to the tool, then
// into the wallet; points in proportion.
func TestRefundOfCompletedParts(t *testing.T) {
	tests := []struct {
		amount                  int64 // 0: everything
		toWallet                bool
		card, wallet, given     int64
		left                    int64 // of the points earned
		letter                  message.Kind
		document, noteFrom, old int64
	}{
		{amount: 0, card: 880, wallet: 500, given: 300, left: 0, letter: message.OrderRefundDue, document: 1380, noteFrom: 500},
		{amount: 600, card: 600, wallet: 0, given: 130, left: 7, letter: message.OrderRefundDue, document: 600},
		{amount: 1000, card: 880, wallet: 120, given: 217, left: 3, letter: message.OrderRefundDue, document: 1000, noteFrom: 120},
		{amount: 0, toWallet: true, card: 0, wallet: 1380, given: 300, left: 0, letter: message.OrderRefunded, document: 1380},
		{amount: 900, toWallet: true, card: 0, wallet: 900, given: 195, left: 4, letter: message.OrderRefunded, document: 900},
	}
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, tt := range tests {
			t.Run(fmt.Sprintf("%d/wallet=%t", tt.amount, tt.toWallet), func(t *testing.T) {
				c := newCashier(t, env)
				account, ln := c.rich(t, 700, 400)
				o, err := c.parted(t, c.quote(t, account, ln, extendable), "card", mixed)
				if err != nil {
					t.Fatal(err)
				}
				must(t)(c.card.Pay(c.pay(t, o, payment.Card).Ref))
				c.pass(t, time.Minute)
				c.want(t, o, order.Completed, "")
				amount, give := money.Money{}, c.Desk.RefundCompleted
				if tt.amount > 0 {
					amount = money.Of(tt.amount, "JPY")
				}
				if tt.toWallet {
					give = c.Desk.RefundToWallet
				}
				if _, err := give(t.Context(), o.Ref(), amount, mika); err != nil {
					t.Fatal(err)
				}
				if _, err := give(t.Context(), o.Ref(), amount, mika); !isConflict(err) {
					t.Errorf("twice: %v", err)
				}
				c.has(t, account, 200+tt.wallet, 100+tt.given+tt.left, 0)
				c.pass(t, rest)
				if got := c.card.Refunded(o.ID).Minor; got != tt.card || c.owed(t, account, "JPY") != 0 {
					t.Errorf("%d went back by card, want %d; %d are owed", got, tt.card, c.owed(t, account, "JPY"))
				}
				bills, _ := c.documents(t, account, o.ID)
				note := bills[len(bills)-1]
				if note.Kind != billing.CreditNote || note.Total.Minor != tt.document || note.Content.Points != tt.given ||
					note.Content.Discount != tt.given || note.Content.FromWallet != tt.noteFrom {
					t.Errorf("credit note %+v", note)
				}
				if n := c.told(t, account, tt.letter); n != 1 {
					t.Errorf("told %d times with %s", n, tt.letter)
				}
				c.clean(t, account)
			})
		}
	})
}

// A provider that gives back no more is not the end: staff are told what can be
// done instead.
func TestRefundAfterTheProvidersWindow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.rich(t, 700, 400)
		o, err := c.parted(t, c.quote(t, account, ln, extendable), "card", mixed)
		if err != nil {
			t.Fatal(err)
		}
		must(t)(c.card.Pay(c.pay(t, o, payment.Card).Ref))
		c.pass(t, time.Hour)
		c.Desk.Providers["stripe"] = forgetful{c.Desk.Providers["stripe"]}
		_, err = c.Desk.RefundCompleted(t.Context(), o.Ref(), money.Money{}, mika)
		if !isConflict(err) || !strings.Contains(err.Error(), "--to wallet") {
			t.Errorf("after the window: %v", err)
		}
		if _, err := c.Desk.RefundToWallet(t.Context(), o.Ref(), money.Money{}, mika); err != nil {
			t.Fatal(err)
		}
		c.has(t, account, 700+880, 400, 0)
		c.pass(t, rest)
		c.clean(t, account)
	})
}

// forgetful is a provider that gives nothing back after a minute.
type forgetful struct{ payment.Provider }

func (f forgetful) Limits() payment.Limits {
	l := f.Provider.Limits()
	l.RefundWithin = time.Minute
	return l
}

// However much a customer has and wants to use: what is proposed sums to the
// price, is not more than there is or may be used, leaves a rest that a tool takes
// where there is one, and is accepted as it stands.
func TestDivide(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.rich(t, 100_000, 100_000)
		q := c.quote(t, account, ln, extendable)
		rapid.Check(t, func(t *rapid.T) {
			l := c.Desk.Providers["stripe"].Limits()
			least, multiple := rapid.Int64Range(1, 2000).Draw(t, "least"), rapid.SampledFrom([]int64{1, 100, 500}).Draw(t, "multiple")
			l.Min, l.Multiple = map[money.Currency]int64{"JPY": least}, map[money.Currency]int64{"JPY": multiple}
			c.Desk.Providers["other"] = limited{c.Desk.Providers["stripe"], l}
			c.Desk.Rails = map[payment.Rail]string{payment.Card: "other"}
			rule := catalogue.PointsRule{
				Worth:       map[money.Currency]int64{"JPY": rapid.SampledFrom([]int64{0, 1, 7}).Draw(t, "worth")},
				MostPercent: rapid.SampledFrom([]int64{0, 50, 100}).Draw(t, "most"),
			}
			accepted := rapid.SampledFrom([][]catalogue.Tool{nil, {"card"}, {"card", "wallet"}, {"card", "points"}}).Draw(t, "accepted")
			purse := order.Purse{
				Points: rapid.Int64Range(0, 3000).Draw(t, "points"), Wallet: money.Of(rapid.Int64Range(0, 3000).Draw(t, "wallet"), "JPY"),
				UsePoints: rapid.Bool().Draw(t, "use points"), UseWallet: rapid.Bool().Draw(t, "use wallet"),
			}
			p := c.Desk.Divide(q, rule, accepted, purse)
			most, discount := rule.Spendable(purse.Points, q.Price)
			if p.Points < 0 || p.Points > most || p.Discount != p.Points*rule.Worth["JPY"] || p.Discount > discount.Minor ||
				p.Wallet < 0 || p.Wallet > purse.Wallet.Minor || p.Rest < 0 || p.Discount+p.Wallet+p.Rest != q.Price.Minor {
				t.Fatalf("%+v of %v with %+v", p, q.Price, purse)
			}
			may := func(tool catalogue.Tool) bool { return accepted == nil || slices.Contains(accepted, tool) }
			if p.Points > 0 && (!purse.UsePoints || !may("points")) || p.Wallet > 0 && (!purse.UseWallet || !may("wallet")) {
				t.Fatalf("%+v uses what may not be used: %+v, %v", p, purse, accepted)
			}
			if takes := l.Takes(payment.Card, q.Price); takes && p.Rest > 0 && !l.Takes(payment.Card, money.Of(p.Rest, "JPY")) && rule.Worth["JPY"] <= 1 {
				t.Fatalf("no tool takes the rest of %+v: at least %d, multiples of %d", p, least, multiple)
			}
		})
	})
}

// limited is a provider with other limits.
type limited struct {
	payment.Provider
	limits payment.Limits
}

func (l limited) Limits() payment.Limits { return l.limits }

// A provider that took another amount than the rest: a person compares, and gives
// back each part as it came.
func TestAnotherAmountThanTheRest(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.rich(t, 700, 400)
		o, err := c.parted(t, c.quote(t, account, ln, extendable), "card", mixed)
		if err != nil {
			t.Fatal(err)
		}
		p := c.pay(t, o, payment.Card)
		must(t)(c.card.Pay(p.Ref))
		honest := c.Desk.Providers["stripe"]
		c.Desk.Providers["stripe"] = greedy{honest}
		c.pass(t, time.Hour)
		c.want(t, o, order.Held, "amount_differs")
		c.has(t, account, 200, 100, 0)
		c.clean(t, account, "charged_another_amount")
		c.Desk.Providers["stripe"] = honest
		if _, err := c.Desk.LookAgain(t.Context(), o.Ref(), mika); !isConflict(err) {
			t.Errorf("serving it: %v", err)
		}
		if _, err := c.Desk.GiveBack(t.Context(), o.Ref(), mika); err != nil {
			t.Fatal(err)
		}
		c.has(t, account, 700, 400, 0)
	})
}
