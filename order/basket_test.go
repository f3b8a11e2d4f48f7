package order_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

// family is a customer with three lines and an offer for each.
type family struct {
	*cashier
	account string
	lines   []string
	quotes  []order.Quote
	sum     money.Money
}

func newFamily(t tester, env dbtest.Env, yen int64) *family {
	t.Helper()
	f := &family{cashier: newCashier(t, env)}
	var first string
	f.account, first = f.customer(t, extendable, 48*time.Hour, yen)
	f.lines = []string{first, f.another(t, f.account, extendable, 40*time.Hour), f.another(t, f.account, extendable, 30*time.Hour)}
	for _, ln := range f.lines {
		f.quotes = append(f.quotes, f.quote(t, f.account, ln, extendable))
	}
	f.sum = money.Of(3*f.quotes[0].Price.Minor, "JPY")
	return f
}

func (f *family) wish(tool catalogue.Tool) order.Together {
	w := order.Together{Account: f.account, Amount: f.sum, Tool: tool}
	for _, q := range f.quotes {
		w.Quotes = append(w.Quotes, q.ID)
	}
	return w
}

// together places the family's orders.
func (f *family) together(t tester, tool catalogue.Tool) []order.Order {
	t.Helper()
	all, err := f.Desk.PlaceTogether(t.Context(), f.wish(tool))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// states are those of orders, in their order.
func (f *family) states(t tester, all []order.Order) string {
	t.Helper()
	var out []string
	for _, o := range all {
		out = append(out, string(f.get(t, o.Ref()).State))
	}
	return strings.Join(out, " ")
}

func (f *family) wantStates(t *testing.T, all []order.Order, want string) {
	t.Helper()
	if got := f.states(t, all); got != want {
		t.Errorf("orders are %s, want %s", got, want)
	}
}

// refuseLine makes the operator refuse one line.
func (f *family) refuseLine(line string) {
	f.Sim.Choose = func(e carrier.Extension) carriersim.Fault {
		if strings.HasSuffix(e.Profile.ID, line) {
			return carriersim.Refuse
		}
		return carriersim.None
	}
}

// One payment pays several orders, whichever of them is asked to be paid; each is
// served, or gets its own part back, alone.
func TestBasketByCard(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for refused := -1; refused < 3; refused++ {
			for payer := range min(3, 2+refused) {
				t.Run(fmt.Sprintf("refused=%d/payer=%d", refused, payer), func(t *testing.T) {
					f := newFamily(t, env, 0)
					want := []string{"completed", "completed", "completed"}
					if refused >= 0 {
						f.refuseLine(f.lines[refused])
						want[refused] = "refunded"
					}
					all := f.together(t, "card")
					p := f.pay(t, all[payer], payment.Card)
					if p.Amount != f.sum {
						t.Fatalf("%v are to be collected, want %v", p.Amount, f.sum)
					}
					if again := f.pay(t, all[(payer+1)%3], payment.Card); again.ID != p.ID {
						t.Error("another order of the basket opened another attempt")
					}
					must(t)(f.card.Pay(p.Ref))
					f.come(t, all[payer])
					f.pass(t, rest)
					f.wantStates(t, all, strings.Join(want, " "))
					f.fair(t, f.account, 0)
					if n := f.count(t, `SELECT COUNT(*) FROM payments WHERE account_id = $1`, f.account); n != 1 {
						t.Errorf("%d payments", n)
					}
					if refused >= 0 && len(f.card.Refunds()) != 1 {
						t.Errorf("refunds %+v", f.card.Refunds())
					}
				})
			}
		}
	})
}

// From the wallet the whole basket is paid at once, or not at all.
func TestBasketFromTheWallet(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		f := newFamily(t, env, 6_000)
		f.refuseLine(f.lines[1])
		all := f.together(t, order.ToolWallet)
		f.wantStates(t, all, "completed refunded completed")
		f.pass(t, time.Hour)
		f.fair(t, f.account, 6_000)

		f = newFamily(t, env, f.sum.Minor-1)
		if _, err := f.Desk.PlaceTogether(t.Context(), f.wish(order.ToolWallet)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a wallet with too little: %v", err)
		}
		f.pass(t, time.Hour)
		f.fair(t, f.account, f.sum.Minor-1)
		if n := len(f.orders(t, f.account)); n != 0 {
			t.Errorf("%d orders were placed", n)
		}
	})
}

// While one of the lines is at the operator nothing of a basket is placed.
func TestBasketWithABusyLine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		f := newFamily(t, env, 10_000)
		var during error
		once := true
		f.Sim.Meanwhile = func(carrier.Extension) {
			if once {
				once = false
				_, during = f.Desk.PlaceTogether(t.Context(), f.wish(order.ToolWallet))
			}
		}
		if _, err := f.place(t, f.quote(t, f.account, f.lines[2], extendable)); err != nil {
			t.Fatal(err)
		}
		if !isConflict(during) {
			t.Errorf("a basket with a line that is busy: %v", during)
		}
		f.pass(t, time.Hour)
		if n := len(f.orders(t, f.account)); n != 1 {
			t.Errorf("%d orders", n)
		}
		f.fair(t, f.account, 10_000)
	})
}

// The same basket from many tabs is one basket; its offers cannot be accepted
// again alone or in another basket.
func TestSameBasketManyTimes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, tool := range []catalogue.Tool{"card", order.ToolWallet} {
			f := newFamily(t, env, 6_000)
			var mu sync.Mutex
			ids := map[string]bool{}
			atOnce(6, func(int) {
				all, err := f.Desk.PlaceTogether(t.Context(), f.wish(tool))
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				for _, o := range all {
					ids[o.ID] = true
				}
			})
			if len(ids) != 3 {
				t.Errorf("%s: %d orders, want 3", tool, len(ids))
			}
			for id := range ids {
				if n := f.Sim.Asked(id); n > 1 {
					t.Errorf("%s: the operator was asked %d times", tool, n)
				}
			}
			if _, err := f.place(t, f.quotes[0]); !isConflict(err) {
				t.Errorf("%s: an offer of a basket was accepted alone: %v", tool, err)
			}
			other := f.wish(tool)
			other.Quotes, other.Amount = other.Quotes[:2], money.Of(2*f.quotes[0].Price.Minor, "JPY")
			if _, err := f.Desk.PlaceTogether(t.Context(), other); !isConflict(err) {
				t.Errorf("%s: offers in another basket: %v", tool, err)
			}
			f.pass(t, rest)
			f.fair(t, f.account, 6_000)
		}
	})
}

// What was not agreed is not placed.
func TestBasketRefusesWhatWasNotAgreed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		tests := map[string]struct {
			change func(*family, *order.Together)
			kind   fault.Kind
		}{
			"another amount":    {func(_ *family, w *order.Together) { w.Amount.Minor-- }, fault.Conflict},
			"another currency":  {func(_ *family, w *order.Together) { w.Amount.Currency = "USD" }, fault.Invalid},
			"one line":          {func(_ *family, w *order.Together) { w.Quotes = w.Quotes[:1] }, fault.Invalid},
			"one line twice":    {func(_ *family, w *order.Together) { w.Quotes[1] = w.Quotes[0] }, fault.Invalid},
			"an unknown tool":   {func(_ *family, w *order.Together) { w.Tool = "paypal" }, fault.Invalid},
			"points alone":      {func(_ *family, w *order.Together) { w.Tool = order.ToolPoints }, fault.Invalid},
			"a lost quote":      {func(_ *family, w *order.Together) { w.Quotes[2] = "qt_none" }, fault.NotFound},
			"an expired quote":  {func(f *family, _ *order.Together) { f.Clock.Add(time.Hour) }, fault.Invalid},
			"a stubborn bank":   {func(f *family, _ *order.Together) { f.Desk.Providers["stripe"] = whole{f.Desk.Providers["stripe"]} }, fault.Invalid},
			"two on one line":   {func(f *family, w *order.Together) { w.Quotes[1] = f.quote(t, f.account, f.lines[0], extendable).ID }, fault.Invalid},
			"a stranger's line": {func(f *family, w *order.Together) { w.Account = f.Desk.IDs.Account() }, fault.NotFound},
		}
		for name, tt := range tests {
			f := newFamily(t, env, 0)
			w := f.wish("card")
			tt.change(f, &w)
			if all, err := f.Desk.PlaceTogether(t.Context(), w); fault.KindOf(err) != tt.kind {
				t.Errorf("%s: %v, %v; want %s", name, all, err, tt.kind)
			}
			if n := len(f.orders(t, f.account)); n != 0 {
				t.Errorf("%s: %d orders", name, n)
			}
		}
	})
}

// whole is a provider that gives back all of a payment or nothing.
type whole struct{ payment.Provider }

func (w whole) Limits() payment.Limits {
	l := w.Provider.Limits()
	l.Partial = false
	return l
}

// A tool whose provider cannot give back parts is not offered for several, nor
// may a basket change to it.
func TestBasketNeedsPartialRefunds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		f := newFamily(t, env, 0)
		f.Desk.Providers["other"] = whole{f.Desk.Providers["other"]}
		if tools := fmt.Sprint(f.Desk.ToolsTogether(f.quotes)); tools != "[wallet card]" {
			t.Errorf("offered are %s", tools)
		}
		if tools := fmt.Sprint(f.Desk.ToolsTogether(f.quotes[:1])); tools != "[wallet card line_pay]" {
			t.Errorf("for one are offered %s", tools)
		}
		all := f.together(t, "card")
		if _, err := f.Desk.Pay(t.Context(), all[1].Ref(), payment.LINEPay, ways); fault.KindOf(err) != fault.Invalid {
			t.Errorf("changing to it: %v", err)
		}
		f.pass(t, rest)
		f.wantStates(t, all, "cancelled cancelled cancelled")
		f.fair(t, f.account, 0)
	})
}

// A basket expires as a whole; its session is closed at the provider first.
func TestBasketExpires(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		f := newFamily(t, env, 0)
		all := f.together(t, "card")
		p := f.pay(t, all[2], payment.Card)
		must(t)(f.card.Decline(p.Ref))
		f.pass(t, 29*time.Minute)
		f.wantStates(t, all, "placed placed placed")
		f.pass(t, 3*time.Minute)
		f.wantStates(t, all, "cancelled cancelled cancelled")
		if s, _ := f.card.Session(p.Ref); s.Status != "expired" {
			t.Errorf("the session is %s", s.Status)
		}
		f.pass(t, rest)
		f.fair(t, f.account, 0)
		if n := f.told(t, f.account, message.PaymentFailed); n > 1 {
			t.Errorf("told %d times of one decline", n)
		}
	})
}

// The customer changes the tool of a basket; both sessions pay, in either order:
// one pays all of it, the other goes back in full.
func TestBasketPaidTwice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, firstFirst := range []bool{true, false} {
			f := newFamily(t, env, 0)
			f.refuseLine(f.lines[0])
			all := f.together(t, "card")
			first := f.pay(t, all[0], payment.Card)
			f.card.always("POST", outboundsim.LoseRequest)
			second := f.pay(t, all[1], payment.LINEPay)
			must(t)(f.card.Pay(first.Ref))
			must(t)(f.linePay.Pay(second.Ref))
			f.card.works()
			if f.card.mute, f.linePay.mute = !firstFirst, firstFirst; !firstFirst {
				f.come(t, all[2])
			}
			f.pass(t, rest)
			f.wantStates(t, all, "refunded completed completed")
			f.fair(t, f.account, 0)
		}
	})
}

// Late money for a basket is honoured for each order for which the rules still
// allow it, and goes back for the others.
func TestLateMoneyForABasket(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, meanwhile := range []bool{false, true} {
			f := newFamily(t, env, 2_000)
			all := f.together(t, "card")
			p := f.pay(t, all[0], payment.Card)
			f.card.wire.Stranger = lies{f.card.Sim}
			f.pass(t, 40*time.Minute)
			f.wantStates(t, all, "cancelled cancelled cancelled")
			if meanwhile {
				f.buys(t, f.account, f.lines[1], order.ToolWallet)
			}
			f.card.wire.Stranger = f.card.Sim
			must(t)(f.card.Pay(p.Ref))
			f.pass(t, rest)
			for i, o := range all {
				next, found, err := f.successor(t, o)
				want := order.Completed
				if meanwhile && i == 1 {
					want = order.Refunded
				}
				if err != nil || !found || next.State != want {
					t.Errorf("the successor of order %d is %s (%t, %v), want %s", i, next.State, found, err, want)
				}
			}
			f.fair(t, f.account, 2_000)
		}
	})
}

// A provider that takes another amount for a basket gives all of it back: nobody
// can say whose it is.
func TestBasketWithAnotherAmount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		f := newFamily(t, env, 0)
		all := f.together(t, "card")
		p := f.pay(t, all[0], payment.Card)
		f.Desk.Providers["stripe"] = greedy{f.Desk.Providers["stripe"]}
		must(t)(f.card.Pay(p.Ref))
		f.come(t, all[0])
		f.pass(t, time.Minute)
		f.wantStates(t, all, "placed placed placed")
		if n := f.cases(t, f.account, "amount_differs"); n != 1 {
			t.Errorf("%d cases", n)
		}
		f.pass(t, time.Hour)
		f.wantStates(t, all, "cancelled cancelled cancelled")
	})
}

// greedy says that it took one more.
type greedy struct{ payment.Provider }

func (g greedy) Query(ctx context.Context, a payment.Attempt) (payment.Observation, error) {
	seen, err := g.Provider.Query(ctx, a)
	if seen.State == payment.Paid {
		seen.Amount.Minor++
	}
	return seen, err
}

func (g greedy) Resume(ctx context.Context, a payment.Attempt, _ url.Values) (payment.Observation, error) {
	return g.Query(ctx, a)
}

// Staff give back one order of a basket, in part or in whole.
func TestRefundOfOneOfABasket(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		f := newFamily(t, env, 0)
		all := f.together(t, "card")
		must(t)(f.card.Pay(f.pay(t, all[0], payment.Card).Ref))
		f.pass(t, time.Hour)
		f.wantStates(t, all, "completed completed completed")
		if _, err := f.Desk.RefundCompleted(t.Context(), all[1].Ref(), money.Money{}, mika); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Desk.RefundCompleted(t.Context(), all[2].Ref(), money.Of(500, "JPY"), mika); err != nil {
			t.Fatal(err)
		}
		f.pass(t, rest)
		if got, want := f.kept(t, f.account), f.sum.Minor-all[1].Price.Minor-500; got != want {
			t.Errorf("the provider keeps %d, want %d", got, want)
		}
		f.clean(t, f.account)
	})
}

// Wherever the wire fails while a basket is paid or given back: paid once as a
// whole or not at all.
func TestEveryFaultOfABasket(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, call := range []string{"POST /checkout/sessions", "GET", "POST /expire", "POST /refunds", "GET /refunds"} {
			for _, fault := range outboundsim.Faults {
				t.Run(call+"/"+string(fault), func(t *testing.T) {
					f := newFamily(t, env, 0)
					all := f.together(t, "card")
					f.refuseLine(f.lines[1])
					inside := false
					f.card.wire.Meanwhile = func(*http.Request) {
						if !inside {
							inside = true
							f.work(t)
							inside = false
						}
					}
					f.card.next(call, fault, fault)
					p, _ := f.Desk.Pay(t.Context(), all[1].Ref(), payment.Card, ways)
					for range 3 {
						if p.Next.RedirectURL == "" {
							f.Clock.Add(25 * time.Second)
							p, _ = f.Desk.Pay(t.Context(), all[2].Ref(), payment.Card, ways)
						}
					}
					f.card.next(call, fault, fault, fault)
					_, _ = f.card.Pay(p.Ref)
					f.come(t, all[0])
					f.pass(t, time.Minute)
					f.card.wire.Deliver()
					f.pass(t, rest)
					if s := f.states(t, all); s != "completed refunded completed" && s != "cancelled cancelled cancelled" {
						t.Errorf("orders are %s", s)
					}
					f.fair(t, f.account, 0)
				})
			}
		}
	})
}

// The rows of a basket's orders name it, wherever they are read.
func TestBasketIsRead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		f := newFamily(t, env, 0)
		all := f.together(t, "card")
		for _, o := range all {
			read := f.get(t, o.Ref())
			found, err := db.Seen(t.Context(), f.DB, func(ctx context.Context, tx db.Tx) ([]order.Order, error) {
				return order.Basket(ctx, tx, read)
			})
			if err != nil || len(found) != 3 || found[0].ID != all[0].ID || o.Basket != all[0].ID {
				t.Errorf("basket of %s: %d orders, %v", o.ID, len(found), err)
			}
		}
	})
}

// Two baskets of the same lines at once, each the other way round: one is paid.
func TestBasketsOfTheSameLinesAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		f := newFamily(t, env, 50_000)
		wishes := make([]order.Together, 4)
		for i := range wishes {
			wishes[i] = order.Together{Account: f.account, Amount: f.sum, Tool: order.ToolWallet}
			for _, ln := range f.lines {
				wishes[i].Quotes = append(wishes[i].Quotes, f.quote(t, f.account, ln, extendable).ID)
			}
			if i%2 == 1 {
				slices.Reverse(wishes[i].Quotes)
			}
		}
		var paid atomic.Int64
		atOnce(len(wishes), func(i int) {
			all, err := f.Desk.PlaceTogether(t.Context(), wishes[i])
			switch k := fault.KindOf(err); {
			case err == nil:
				paid.Add(1)
				if all[0].Quote != wishes[i].Quotes[0] {
					t.Error("the orders are not as the offers were")
				}
			case k != fault.Conflict && k != fault.Invalid:
				t.Error(err)
			}
		})
		if n := paid.Load(); n != 1 {
			t.Errorf("%d baskets were paid", n)
		}
		f.pass(t, time.Hour)
		f.fair(t, f.account, 50_000)
	})
}
