package order_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
)

// backs is when the customer comes back from the provider's page, before or
// after the notification. Where it says nothing new, one is enough.
var backs = map[stripesim.Delivery][]string{
	stripesim.Prompt: {"before", "after", "never"}, stripesim.Early: {"before", "never"}, stripesim.Late: {"before", "never"},
	stripesim.Never: {"before", "never"}, stripesim.Behind: {"after"}, stripesim.Twice: {"before"}, stripesim.Doubled: {"never"},
	stripesim.Replayed: {"after"}, stripesim.Forged: {"never"},
}

// However and whenever the provider tells of the money, and whether or not the
// customer comes back: charged once, served once, told once.
func TestCardRenewal(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, how := range append([]stripesim.Delivery{stripesim.Prompt}, stripesim.Deliveries...) {
			for _, back := range backs[how] {
				t.Run(fmt.Sprintf("notified=%s/back=%s", how, back), func(t *testing.T) {
					c := newCashier(t, env)
					account, ln := c.customer(t, extendable, 48*time.Hour, 0)
					o, p := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
					if p.State != payment.NeedsCustomer || p.Next.RedirectURL == "" {
						t.Fatalf("payment %+v, want a page to go to", p)
					}
					c.card.Tell(how, how, how, how)
					must(t)(c.card.Pay(p.Ref))
					if back == "before" {
						c.come(t, o)
					}
					c.deliver(t)
					if back == "after" {
						c.come(t, o)
					}
					c.pass(t, 11*time.Minute) // the longest pause of an open attempt
					c.want(t, o, order.Completed, "")
					if got := c.card.Captured(o.ID); got != o.Price {
						t.Errorf("captured %v, want %v", got, o.Price)
					}
					c.pass(t, rest)
					c.fair(t, account, 0)
					if n := c.told(t, account, message.OrderCompleted); n != 1 {
						t.Errorf("%d confirmations", n)
					}
					if n := c.told(t, account, message.PaymentFailed); n != 0 {
						t.Errorf("the customer was told %d times that nothing was charged", n)
					}
				})
			}
		}
	})
}

// What a provider tells, and that money has come, is rung for: nobody waits until the
// loops look again.
func TestMoneyIsRungFor(t *testing.T) {
	c := newCashier(t, dbtest.SQLite(t))
	account, ln := c.customer(t, extendable, 48*time.Hour, 0)
	_, p := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
	payments, stop := c.DB.Listen(order.PaymentsDue)
	defer stop()
	orders, stop := c.DB.Listen(order.OrdersDue)
	defer stop()
	heard := func(bell <-chan struct{}) bool {
		select {
		case <-bell:
			return true
		default:
			return false
		}
	}
	must(t)(c.card.Pay(p.Ref))
	if heard(payments) || heard(orders) {
		t.Error("rung before anything was told")
	}
	c.Clock.Add(5 * time.Second)
	c.deliver(t)
	if !heard(payments) || heard(orders) {
		t.Error("the notification was not rung for, or for more than it says")
	}
	if worked, err := c.Desk.PaymentStep(t.Context()); !worked || err != nil || !heard(orders) {
		t.Errorf("money came, and nobody was rung for: %t %v", worked, err)
	}
}

// A declined card charges nothing and the same page takes another one; the
// customer hears of the decline only who leaves it at that.
func TestDecline(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, again := range []bool{true, false} {
			t.Run(fmt.Sprintf("again=%t", again), func(t *testing.T) {
				c := newCashier(t, env)
				account, ln := c.customer(t, extendable, 48*time.Hour, 0)
				o, p := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
				must(t)(c.card.PayWith(p.Ref, "pm_card_chargeDeclinedInsufficientFunds"))
				c.pass(t, 30*time.Second)
				live := c.payments(t, o)[0]
				if live.State != payment.NeedsCustomer || live.Reason != payment.NoFunds || c.pay(t, o, payment.Card).ID != p.ID {
					t.Fatalf("after a decline: %s because of %q", live.State, live.Reason)
				}
				if again {
					must(t)(c.card.Pay(p.Ref))
				}
				c.pass(t, rest)
				want, state, reason := 1, order.Cancelled, "expired"
				if again {
					want, state, reason = 0, order.Completed, ""
				}
				c.want(t, o, state, reason)
				if n := c.told(t, account, message.PaymentFailed); n != want {
					t.Errorf("the customer was told %d times of the decline, want %d", n, want)
				}
				c.fair(t, account, 0)
			})
		}
	})
}

// The customer's bank asks; the answer decides.
func TestAuthentication(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, yes := range []bool{true, false} {
			c := newCashier(t, env)
			account, ln := c.customer(t, extendable, 48*time.Hour, 0)
			o, p := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
			must(t)(c.card.PayWith(p.Ref, "pm_card_authenticationRequired"))
			c.come(t, o)
			c.want(t, o, order.Placed, "")
			must(t)(stripesim.Shown{}, authenticate(c.card, p.Ref, yes))
			c.pass(t, rest)
			want := order.Cancelled
			if yes {
				want = order.Completed
			}
			if got := c.get(t, o.Ref()); got.State != want {
				t.Errorf("authenticated %t: order is %s", yes, got.State)
			}
			c.fair(t, account, 0)
		}
	})
}

func authenticate(b *bank, name string, yes bool) error {
	_, err := b.Authenticate(name, yes)
	return err
}

// Who gives up comes back and goes on in the same session; after the offer's
// end the session is closed at the provider before the order is cancelled, and
// cannot be paid any more.
func TestGiveUpAndExpiry(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		o, p := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
		must(t)(c.card.GiveUp(p.Ref))
		c.come(t, o)
		if again := c.pay(t, o, payment.Card); again.ID != p.ID || again.Next.RedirectURL != p.Next.RedirectURL {
			t.Errorf("came back to another attempt: %+v", again)
		}
		c.Clock.Set(o.ExpiresAt)
		c.work(t)
		if s, _ := c.card.Session(p.Ref); s.Status != "expired" {
			t.Errorf("at the offer's end the session is %s", s.Status)
		}
		c.pass(t, time.Minute)
		c.want(t, o, order.Cancelled, "expired")
		if _, err := c.card.Pay(p.Ref); err == nil {
			t.Error("the closed session could be paid")
		}
		if _, err := c.Desk.Pay(t.Context(), o.Ref(), payment.Card, ways); !isConflict(err) {
			t.Errorf("paying a cancelled order: %v", err)
		}
		c.pass(t, rest)
		c.fair(t, account, 0)
	})
}

// story is one renewal by card in which a wire fails at one place.
type story struct {
	name  string
	call  string // which call fails: method and end of its path
	tell  bool   // notifications arrive
	act   func(t *testing.T, c *cashier, o order.Order, ref string)
	begin bool // the call that fails is the first one
}

// Wherever and however the wire to the provider fails, with other workers at the
// worst moment: charged the confirmed amount once, or nothing; served if and
// only if paid and not given back; nothing is forgotten.
func TestEveryFaultAtEveryCall(t *testing.T) {
	pays := func(t *testing.T, c *cashier, o order.Order, ref string) {
		t.Helper()
		if _, err := c.card.Pay(ref); err != nil {
			if _, found := c.card.Session(ref); found {
				t.Fatal(err)
			}
		}
		c.come(t, o)
	}
	refuses := func(t *testing.T, c *cashier, o order.Order, ref string) {
		t.Helper()
		c.refuse()
		pays(t, c, o, ref)
	}
	lets := func(t *testing.T, c *cashier, o order.Order, _ string) {
		t.Helper()
		c.come(t, o)
	}
	stories := []story{
		{name: "start", call: "POST /checkout/sessions", act: pays, begin: true},
		{name: "query", call: "GET", act: pays},
		{name: "query, notified", call: "GET", act: pays, tell: true},
		{name: "abandon", call: "POST /expire", act: lets},
		{name: "refund", call: "POST /refunds", act: refuses},
		{name: "look before refund", call: "GET /refunds", act: refuses},
	}
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, s := range stories {
			for _, f := range outboundsim.Faults {
				t.Run(s.name+"/"+string(f), func(t *testing.T) { s.run(t, env, f) })
			}
		}
	})
}

func (s story) run(t *testing.T, env dbtest.Env, f outboundsim.Fault) {
	c := newCashier(t, env)
	c.card.mute = !s.tell
	account, ln := c.customer(t, extendable, 48*time.Hour, 0)
	q := c.quote(t, account, ln, extendable)
	o, err := c.Desk.Place(t.Context(), order.Acceptance{Account: account, Quote: q.ID, Amount: q.Price, Tool: "card"})
	if err != nil {
		t.Fatal(err)
	}
	inside := false
	c.card.wire.Meanwhile = func(*http.Request) {
		if !inside { // another worker, at the worst moment
			inside = true
			c.work(t)
			inside = false
		}
	}
	if s.begin {
		c.card.next(s.call, f, f)
	}
	p, err := c.Desk.Pay(t.Context(), o.Ref(), payment.Card, ways)
	if k := fault.KindOf(err); err != nil && k != fault.Unavailable && k != fault.Conflict {
		t.Fatal(err)
	}
	for range 3 {
		if p.Next.RedirectURL == "" { // the customer tries again
			c.Clock.Add(25 * time.Second)
			p, err = c.Desk.Pay(t.Context(), o.Ref(), payment.Card, ways)
		}
	}
	if p.Next.RedirectURL == "" {
		t.Fatalf("the last try got %+v, %v", p, err)
	}
	if !s.begin {
		c.card.next(s.call, f, f, f)
	}
	s.act(t, c, o, p.Ref)
	c.pass(t, time.Minute)
	c.card.wire.Deliver()
	c.pass(t, rest)
	c.fair(t, account, 0)
	if got := c.card.Captured(o.ID); !got.IsZero() && got != o.Price {
		t.Errorf("captured %v, confirmed was %v", got, o.Price)
	}
	if got := c.get(t, o.Ref()); !got.State.Final() {
		t.Errorf("order is %s (%s)", got.State, got.Reason)
	}
}

// refuse makes the operator refuse everything.
func (c *cashier) refuse() { c.Sim.Choose = refused }

// A provider that cannot be reached charges nothing, and says so at once; the
// customer tries again when it can.
func TestProviderCannotBeReached(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		q := c.quote(t, account, ln, extendable)
		o, err := c.Desk.Place(t.Context(), order.Acceptance{Account: account, Quote: q.ID, Amount: q.Price, Tool: "card"})
		if err != nil {
			t.Fatal(err)
		}
		c.card.always("POST", outboundsim.Refuse)
		for range 2 {
			if _, err := c.Desk.Pay(t.Context(), o.Ref(), payment.Card, ways); fault.KindOf(err) != fault.Unavailable {
				t.Errorf("paying: %v, want unavailable", err)
			}
		}
		c.card.works()
		p := c.pay(t, o, payment.Card)
		must(t)(c.card.Pay(p.Ref))
		c.come(t, o)
		c.pass(t, rest)
		c.want(t, o, order.Completed, "")
		c.fair(t, account, 0)
		if n := c.told(t, account, message.PaymentFailed); n != 0 {
			t.Errorf("%d letters about what the page has said already", n)
		}
	})
}

// Stripe keeps even a 500 under the key, so the same attempt can never begin.
// The customer gets another one.
func TestStoredFailureIsNotTheEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, trouble := range stripesim.Troubles {
			t.Run(string(trouble), func(t *testing.T) {
				c := newCashier(t, env)
				account, ln := c.customer(t, extendable, 48*time.Hour, 0)
				q := c.quote(t, account, ln, extendable)
				o, err := c.Desk.Place(t.Context(), order.Acceptance{Account: account, Quote: q.ID, Amount: q.Price, Tool: "card"})
				if err != nil {
					t.Fatal(err)
				}
				c.card.Upset(trouble)
				p, err := c.Desk.Pay(t.Context(), o.Ref(), payment.Card, ways)
				if err != nil || p.Next.RedirectURL == "" {
					c.Clock.Add(time.Second)
					p = c.pay(t, o, payment.Card)
				}
				must(t)(c.card.Pay(p.Ref))
				c.come(t, o)
				c.pass(t, rest)
				c.want(t, o, order.Completed, "")
				c.fair(t, account, 0)
			})
		}
	})
}

// Money that the bank still thinks about is waited for, beyond the end of the
// offer, and no second tool is offered meanwhile.
func TestMoneyUnderWay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, yes := range []bool{true, false} {
			c := newCashier(t, env)
			account, ln := c.customer(t, extendable, 48*time.Hour, 0)
			o, p := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
			c.card.PendNext(1)
			must(t)(c.card.Pay(p.Ref))
			c.come(t, o)
			if _, err := c.Desk.Pay(t.Context(), o.Ref(), payment.LINEPay, ways); !isConflict(err) {
				t.Errorf("a second tool while the first pays: %v", err)
			}
			c.pass(t, 2*time.Hour)
			c.want(t, o, order.Placed, "")
			if err := c.card.Settle(p.Ref, yes); err != nil {
				t.Fatal(err)
			}
			c.pass(t, rest)
			want := order.Cancelled
			if yes {
				want = order.Completed
			}
			if got := c.get(t, o.Ref()); got.State != want {
				t.Errorf("the bank said %t, the order is %s", yes, got.State)
			}
			c.fair(t, account, 0)
		}
	})
}

// The amount that the customer confirmed is the amount that is taken, in its
// currency's own unit.
func TestAmountsAsQuoted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		var got []money.Money
		for _, currency := range []money.Currency{"JPY", "USD", "CNY", "KRW"} {
			c := newCashier(t, env)
			account, ln := c.customer(t, extendable, 48*time.Hour, 0)
			o, p := c.checkout(t, c.priced(t, account, ln, extendable, currency), payment.Card)
			must(t)(c.card.Pay(p.Ref))
			c.come(t, o)
			c.pass(t, time.Minute)
			c.want(t, o, order.Completed, "")
			got = append(got, c.card.Captured(o.ID))
			c.clean(t, account)
		}
		// The prices of machi-5gb's first term in the demo catalogue.
		want := []money.Money{money.Of(1680, "JPY"), money.Of(1100, "USD"), money.Of(8100, "CNY"), money.Of(15700, "KRW")}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("captured (-want +got):\n%s", diff)
		}
	})
}

// Many browsers and many bells at once make one charge and one period.
func TestTabsAndBellsAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		q := c.quote(t, account, ln, extendable)
		o, err := c.Desk.Place(t.Context(), order.Acceptance{Account: account, Quote: q.ID, Amount: q.Price, Tool: "card"})
		if err != nil {
			t.Fatal(err)
		}
		atOnce(8, func(int) {
			if _, err := c.Desk.Pay(t.Context(), o.Ref(), payment.Card, ways); err != nil && !isConflict(err) {
				t.Error(err)
			}
		})
		all := c.payments(t, o)
		if len(all) != 1 {
			t.Fatalf("%d attempts", len(all))
		}
		must(t)(c.card.Pay(all[0].Ref))
		bells := c.card.Notifications()
		c.Clock.Add(5 * time.Second)
		atOnce(12, func(i int) {
			switch {
			case i < 4:
				c.come(t, o)
			case i < 8:
				c.steps(t)
			default:
				n := bells[i%len(bells)]
				if _, err := c.Desk.Notify(t.Context(), "stripe", n.Header, n.Body); err != nil {
					t.Error(err)
				}
			}
		})
		c.pass(t, rest)
		c.want(t, o, order.Completed, "")
		c.fair(t, account, 0)
	})
}

// What is not the provider's changes nothing, and says so; what is cut off or
// holds strange bytes is not lost.
func TestForgedNotification(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		o, p := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
		body := fmt.Appendf(nil, `{"id":"evt_1","type":"checkout.session.completed","livemode":false,
			"data":{"object":{"id":%q,"object":"checkout.session","client_reference_id":%q,"payment_status":"paid"}}}`, p.ProviderID, p.Ref)
		sign := func(secret string, body []byte) http.Header {
			return http.Header{"Stripe-Signature": {stripesim.Sign(c.Clock.Now(), body, secret)}}
		}
		for name, h := range map[string]http.Header{"nobody's": {}, "a stranger's": sign("whsec_stranger", body)} {
			if _, err := c.Desk.Notify(t.Context(), "stripe", h, body); err == nil {
				t.Errorf("%s notification was taken", name)
			}
		}
		if _, err := c.Desk.Notify(t.Context(), "nobody", sign(stripeSecret, body), body); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a notification of no provider: %v", err)
		}
		// Signed well and untrue: a bell, no more. Long ones are kept in part, and
		// never end in the middle of a character.
		for _, pad := range []string{"", "x", "xx"} {
			long := fmt.Appendf(nil, `%s,"note":"%s%s"}`, body[:len(body)-1], pad, strings.Repeat("日本", 12_000))
			if _, err := c.Desk.Notify(t.Context(), "stripe", sign(stripeSecret, long), long); err != nil {
				t.Error(err)
			}
		}
		c.pass(t, time.Minute)
		c.want(t, o, order.Placed, "")
		c.pass(t, rest)
		c.want(t, o, order.Cancelled, "expired")
		c.fair(t, account, 0)
	})
}

// An order may be tried often, and not without end.
func TestAttemptsAreBounded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		o, _ := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
		var last error
		for i := range 30 {
			rail := []payment.Rail{payment.LINEPay, payment.Card}[i%2]
			if _, last = c.Desk.Pay(t.Context(), o.Ref(), rail, ways); last != nil {
				break
			}
		}
		if fault.KindOf(last) != fault.TooMany {
			t.Errorf("the last attempt: %v, want too many", last)
		}
		c.pass(t, time.Hour)
		c.fair(t, account, 0)
	})
}

// A plan that takes cards only is not paid with anything else, even by who
// placed the order with a card.
func TestAnotherToolMustBeAllowed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		const cardsOnly = "hinode-visitor-5"
		c := newCashier(t, env)
		account, ln := c.customer(t, cardsOnly, 48*time.Hour, 0)
		o, p := c.checkout(t, c.quote(t, account, ln, cardsOnly), payment.Card)
		if _, err := c.Desk.Pay(t.Context(), o.Ref(), payment.LINEPay, ways); fault.KindOf(err) != fault.Invalid {
			t.Errorf("another tool: %v, want a refusal", err)
		}
		must(t)(c.card.Pay(p.Ref))
		c.pass(t, rest)
		c.want(t, o, order.Completed, "")
		c.fair(t, account, 0)
	})
}

// Without any notification, and with the customer gone, an attempt that was
// stored and never sent is not paid and not forgotten.
func TestAttemptStoredBeforeACrash(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		q := c.quote(t, account, ln, extendable)
		o, err := c.Desk.Place(t.Context(), order.Acceptance{Account: account, Quote: q.ID, Amount: q.Price, Tool: "card"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, crash := context.WithCancel(t.Context())
		c.card.wire.Choose = func(*http.Request) outboundsim.Fault { crash(); return outboundsim.LoseAnswer }
		_, _ = c.Desk.Pay(ctx, o.Ref(), payment.Card, ways) // what it says reaches nobody
		c.card.works()
		c.pass(t, time.Minute)
		again := c.pay(t, o, payment.Card)
		if all := c.payments(t, o); len(all) != 1 || again.Next.RedirectURL == "" {
			t.Errorf("%d attempts; after the crash %+v", len(all), again)
		}
		c.pass(t, rest)
		c.want(t, o, order.Cancelled, "expired")
		c.fair(t, account, 0)
	})
}
