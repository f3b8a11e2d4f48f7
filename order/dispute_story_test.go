package order_test

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/paypal"
	"github.com/tsuzuku/tsuzuku/payment/paypal/paypalsim"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
)

// quarrel is a provider at which a customer disputes: the real adapter over a
// simulated provider, whose notifications the test posts itself.
type quarrel struct {
	name    string
	rail    payment.Rail
	pay     func(ref string) error
	dispute func(ref string) error
	part    func(ref string, minor int64) error
	ask     func(ref string) error // first, before anything is taken
	insist  func(ref string) error // who only asked
	recant  func(ref string) error // what the customer, or their bank, has said
	win     func(ref string) error // by the seller
	lose    func(ref string) error
	taken   func(ref string) int64 // by disputes, in minor units
	kept    func(ref string) int64 // by the seller
	fetch   func() []posted
	forge   func() []posted
	wire    *outboundsim.Wire
}

type posted struct {
	header http.Header
	body   []byte
}

// paypalKey takes a while to make.
var paypalKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// atPayPal adds PayPal to the shop.
func (c *cashier) atPayPal(t tester) quarrel {
	t.Helper()
	sim := paypalsim.New(paypalsim.Config{
		ClientID: "client", Secret: "secret", WebhookID: "4JH86294D6297924G", MerchantID: "QUARREL123456", Now: c.Clock.Now, Key: paypalKey(),
		Rand: mathrand.New(mathrand.NewPCG(banks.Add(1), 0)),
	})
	wire := &outboundsim.Wire{Stranger: sim}
	a, err := paypal.New(paypal.Config{
		ClientID: "client", ClientSecret: "secret", WebhookID: "4JH86294D6297924G", MerchantID: "QUARREL123456", Disputes: true,
		BaseURL: "https://api-m.sandbox.paypal.com", Roots: sim.Roots(),
	}, outbound.New(outbound.Options{Transport: wire}), c.Clock.Now)
	done(t, err)
	c.Desk.Providers["paypal"], c.Desk.Rails[payment.PayPal] = a, "paypal"
	posts := func(all []paypalsim.Notification) (out []posted) {
		for _, n := range all {
			out = append(out, posted{n.Header, n.Body})
		}
		return out
	}
	return quarrel{
		name: "paypal", rail: payment.PayPal, dispute: sim.Dispute, wire: wire,
		pay:    func(ref string) error { _, err := sim.Pay(ref); return err },
		part:   func(ref string, minor int64) error { return sim.DisputeAs(ref, paypalsim.Claim{Minor: minor}) },
		ask:    func(ref string) error { return sim.DisputeAs(ref, paypalsim.Claim{Inquiry: true}) },
		insist: sim.Escalate, recant: sim.CancelDispute,
		win:   func(ref string) error { return sim.ResolveDispute(ref, true) },
		lose:  func(ref string) error { return sim.ResolveDispute(ref, false) },
		taken: func(ref string) int64 { return sim.Disputed(ref).Minor + sim.Reversed(ref).Minor },
		kept: func(ref string) int64 {
			return sim.Captured(ref).Minor - sim.Refunded(ref).Minor - sim.Disputed(ref).Minor
		},
		fetch: func() []posted { return posts(sim.Notifications()) },
		forge: func() []posted { return posts(sim.Forge()) },
	}
}

// atStripe is the shop's own bank, whose notifications come only by hand.
func (c *cashier) atStripe(t tester) quarrel {
	t.Helper()
	var kept []posted
	fetch := func() []posted {
		out := kept
		for _, n := range c.card.Notifications() {
			out = append(out, posted{n.Header, n.Body})
		}
		kept = nil
		return out
	}
	return quarrel{
		name: "stripe", rail: payment.Card, dispute: c.card.Dispute, wire: c.card.wire,
		pay:    func(ref string) error { _, err := c.card.Pay(ref); return err },
		part:   func(ref string, minor int64) error { return c.card.DisputeAs(ref, stripesim.Claim{Minor: minor}) },
		ask:    func(ref string) error { return c.card.DisputeAs(ref, stripesim.Claim{Inquiry: true}) },
		insist: c.card.Escalate, recant: c.card.ReopenDispute,
		win:   func(ref string) error { return c.card.CloseDispute(ref, true) },
		lose:  func(ref string) error { return c.card.CloseDispute(ref, false) },
		taken: func(ref string) int64 { return c.card.Disputed(ref).Minor },
		kept: func(ref string) int64 {
			return c.card.Captured(ref).Minor - c.card.Refunded(ref).Minor - c.card.Disputed(ref).Minor
		},
		fetch: fetch,
		forge: func() (out []posted) {
			kept = fetch()
			for _, n := range kept { // signed for something else
				out = append(out, posted{n.header, []byte(strings.Replace(string(n.body), "dispute", "Dispute", 1))})
			}
			return out
		},
	}
}

// post gives notifications to the shop, and lets it do what it does then.
func (c *cashier) post(t tester, q quarrel, all ...posted) {
	t.Helper()
	for _, n := range all {
		c.Clock.Add(time.Second)
		if _, err := c.Desk.Notify(t.Context(), q.name, n.header, n.body); err != nil {
			t.Errorf("%s: %v", q.name, err)
		}
		c.work(t)
	}
}

// A dispute at a provider, told forged, twice, backwards or not at all to its end:
// it is opened once with its evidence, blocks until it is won, stays a debt when it is
// lost, and the customer hears of each step once.
func TestDisputeStory(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, at := range []func(*cashier, tester) quarrel{(*cashier).atStripe, (*cashier).atPayPal} {
			for _, told := range []string{"forged", "twice", "backwards", "lost"} {
				for _, won := range []bool{true, false} {
					c := newCashier(t, env)
					q := at(c, t)
					t.Run(fmt.Sprintf("%s/%s/won=%t", q.name, told, won), func(t *testing.T) { c.quarrels(t, q, told, won) })
				}
			}
		}
	})
}

// A refund ends a dispute at PayPal of which nobody has heard, and PayPal says that the
// customer has won. What went back is our refund, and nobody owes it.
func TestOurRefundEndsADispute(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, heard := range []bool{false, true} {
			t.Run(fmt.Sprintf("heard=%t", heard), func(t *testing.T) {
				c := newCashier(t, env)
				q := c.atPayPal(t)
				account, ln := c.customer(t, extendable, 48*time.Hour, 0)
				o, p := c.checkout(t, c.quote(t, account, ln, extendable), q.rail)
				done(t, q.pay(p.Ref))
				c.come(t, o)
				c.pass(t, 10*time.Minute)
				o = c.want(t, o, order.Completed, "")
				q.fetch()
				done(t, q.dispute(p.Ref))
				opening := q.fetch()
				_, err := c.Desk.RefundCompleted(t.Context(), o.Ref(), money.Money{}, order.Act{Staff: "mika", Reason: "asked for it"})
				done(t, err)
				c.work(t)
				c.pass(t, 10*time.Minute)
				if heard {
					c.post(t, q, append(opening, q.fetch()...)...)
				}
				c.look(t, o)
				if all := c.disputed(t, o); len(all) != 1 || all[0].State != payment.DisputeWon || all[0].Amount != o.Price {
					t.Errorf("%+v", all)
				}
				if owes, out := c.owes(t, account), c.book(t, account, ledger.Withheld); owes != 0 || out != 0 {
					t.Errorf("owes %d, and %d are withheld", owes, out)
				}
				if n := c.told(t, account, message.DisputeLost) + c.told(t, account, message.PaymentDisputed); n != 0 {
					t.Errorf("told %d times of a dispute that took nothing", n)
				}
				c.clean(t, account)
			})
		}
	})
}

// What a lost dispute takes stands among the refunds at PayPal. Of money that no order
// waited for nobody owes anything then, as elsewhere.
func TestLostLateMoneyAtPayPal(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		q := c.atPayPal(t)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		o, p := c.checkout(t, c.quote(t, account, ln, extendable), q.rail)
		done(t, q.pay(p.Ref))
		captured := false
		q.wire.Choose = func(r *http.Request) outboundsim.Fault {
			switch {
			case captured:
				return outboundsim.Refuse
			case strings.HasSuffix(r.URL.Path, "/capture"):
				captured = true
				return outboundsim.LoseAnswer // and it is away since
			}
			return outboundsim.None
		}
		c.come(t, o)
		c.pass(t, 3*time.Hour)
		c.want(t, o, order.Cancelled, "expired")
		done(t, q.dispute(p.Ref))
		q.wire.Choose = nil
		c.look(t, o)
		if all := c.disputed(t, o); len(all) != 1 || all[0].State != payment.DisputeOpen {
			t.Fatalf("%+v", all)
		}
		c.clean(t, account)
		done(t, q.lose(p.Ref))
		c.pass(t, 48*time.Hour)
		if owes, due, out := c.owes(t, account), c.book(t, account, ledger.Due), c.book(t, account, ledger.Receivable); owes != 0 || due != 0 || out != 0 {
			t.Errorf("owes %d; due %d, receivable %d", owes, due, out)
		}
		c.clean(t, account)
	})
}

func (c *cashier) quarrels(t *testing.T, q quarrel, told string, won bool) {
	account, ln := c.customer(t, extendable, 48*time.Hour, 0)
	o, p := c.checkout(t, c.quote(t, account, ln, extendable), q.rail)
	done(t, q.pay(p.Ref))
	c.come(t, o)
	c.pass(t, 10*time.Minute)
	o = c.want(t, o, order.Completed, "")
	c.grantYen(t, account, 50_000)
	q.fetch() // whatever told of the payment

	done(t, q.dispute(p.Ref))
	if told == "forged" {
		for i, n := range q.forge() {
			if _, err := c.Desk.Notify(t.Context(), q.name, n.header, n.body); !errors.Is(err, payment.ErrForged) {
				t.Errorf("forgery %d: %v", i, err)
			}
		}
		c.work(t)
		if all := c.disputed(t, o); len(all) > 0 || c.owes(t, account) > 0 {
			t.Fatalf("a forgery opened %+v", all)
		}
	}
	opening := q.fetch()
	seen := 1
	switch told {
	case "twice":
		c.post(t, q, append(opening, opening...)...)
	case "backwards":
		seen = 0 // it was over before we heard of it
	default:
		c.post(t, q, opening...)
	}
	c.work(t)
	if seen > 0 {
		c.isOpen(t, account, ln, o)
	}
	end := q.lose
	if won {
		end = q.win
	}
	done(t, end(p.Ref))
	closing := q.fetch()
	switch told {
	case "twice":
		c.post(t, q, append(closing, closing...)...)
	case "backwards":
		all := append(opening, closing...)
		slices.Reverse(all)
		c.post(t, q, all...)
	case "lost": // and it is asked about once a day
	default:
		c.post(t, q, closing...)
	}
	c.pass(t, 25*time.Hour)
	c.isOver(t, account, ln, o, won, seen)
}

func (c *cashier) isOpen(t *testing.T, account, ln string, o order.Order) {
	t.Helper()
	all := c.disputed(t, o)
	if len(all) != 1 {
		t.Fatalf("%d disputes", len(all))
	}
	d := all[0]
	if d.State != payment.DisputeOpen || d.Amount != o.Price || d.ProviderID == "" || d.Reason == "" || d.AnswerBy.Before(c.Clock.Now()) {
		t.Errorf("%+v", d)
	}
	for _, want := range []string{o.ID, "accepted: ", "paid: ", "operator's reference: ", "period: "} {
		if !strings.Contains(d.Evidence, want) {
			t.Errorf("the evidence lacks %q:\n%s", want, d.Evidence)
		}
	}
	if got := c.owes(t, account); got != o.Price.Minor {
		t.Errorf("owes %d, want %d", got, o.Price.Minor)
	}
	c.refusedForDebt(t, account, ln)
	c.clean(t, account)
}

func (c *cashier) isOver(t *testing.T, account, ln string, o order.Order, won bool, seen int) {
	t.Helper()
	state, owed := payment.DisputeLost, o.Price.Minor
	told := map[message.Kind]int{message.PaymentDisputed: seen, message.DisputeLost: 1}
	if won {
		state, owed = payment.DisputeWon, 0
		told = map[message.Kind]int{message.PaymentDisputed: seen, message.DisputeWon: seen}
	}
	all := c.disputed(t, o)
	if len(all) != 1 || all[0].State != state || all[0].Amount != o.Price {
		t.Fatalf("%+v, want one that is %s", all, state)
	}
	if got := c.owes(t, account); got != owed || c.book(t, account, ledger.Withheld) != owed || c.book(t, account, ledger.Receivable) != -owed {
		t.Errorf("owes %d, want %d; withheld %d, receivable %d", got, owed, c.book(t, account, ledger.Withheld), c.book(t, account, ledger.Receivable))
	}
	for _, kind := range []message.Kind{message.PaymentDisputed, message.DisputeWon, message.DisputeLost} {
		if got := c.told(t, account, kind); got != told[kind] {
			t.Errorf("told %d times of %s, want %d", got, kind, told[kind])
		}
	}
	if n := c.cases(t, account, "refunded_elsewhere"); n != 0 {
		t.Error("what the customer got by winning is taken for a refund that nobody made")
	}
	if won {
		if _, err := c.place(t, c.quote(t, account, ln, extendable)); err != nil {
			t.Error(err)
		}
	} else {
		c.refusedForDebt(t, account, ln)
	}
	c.clean(t, account)
}

// Stripe's notifications that come in whatever way it has, and those of others, end
// the same.
func TestDisputeHoweverStripeTells(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, how := range append([]stripesim.Delivery{stripesim.Prompt}, stripesim.Deliveries...) {
			if how == stripesim.Never {
				continue // nobody asks about a payment of which nothing is told; the report shows it
			}
			t.Run("notified="+string(how), func(t *testing.T) {
				c := newCashier(t, env)
				account, ln, o := c.bought(t)
				c.card.Tell(how, how)
				done(t, c.card.Dispute(o.ID))
				c.pass(t, 2*time.Hour)
				c.isOpen(t, account, ln, o)
				c.card.Tell(how, how)
				done(t, c.card.CloseDispute(o.ID, false))
				c.pass(t, 2*time.Hour)
				c.isOver(t, account, ln, o, false, 1)
			})
		}
	})
}
