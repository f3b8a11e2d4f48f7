package order_test

import (
	"context"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// taking is a provider whose money must be taken: what its customer paid counts
// as agreed to until somebody calls Resume.
type taking struct {
	payment.Provider

	mu    sync.Mutex
	taken []string // by Ref, once for each Resume that found agreement
}

func (p *taking) Query(ctx context.Context, a payment.Attempt) (payment.Observation, error) {
	seen, err := p.Provider.Query(ctx, a)
	p.mu.Lock()
	defer p.mu.Unlock()
	if seen.State == payment.Paid && !slices.Contains(p.taken, a.Ref) {
		seen.State, seen.MoneyID = payment.Approved, ""
	}
	return seen, err
}

func (p *taking) Abandon(ctx context.Context, a payment.Attempt) (payment.Observation, error) {
	return p.Query(ctx, a) // nothing can be closed here
}

func (p *taking) Resume(ctx context.Context, a payment.Attempt, returned url.Values) (payment.Observation, error) {
	seen, err := p.Provider.Resume(ctx, a, returned)
	p.mu.Lock()
	defer p.mu.Unlock()
	if seen.State == payment.Paid {
		p.taken = append(p.taken, a.Ref)
	}
	return seen, err
}

// A customer agrees and never comes back: the money is taken all the same. Once
// the price has ended, nobody takes it.
func TestWhoAgreedIsServed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, late := range []bool{false, true} {
			c := newCashier(t, env)
			p := &taking{Provider: c.Desk.Providers["stripe"]}
			c.Desk.Providers["stripe"] = p
			account, ln := c.customer(t, extendable, 48*time.Hour, 0)
			o, paying := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
			if late {
				env.Clock.Add(o.ExpiresAt.Sub(env.Clock.Now()))
			}
			must(t)(c.card.Pay(paying.Ref))
			c.card.mute = true
			c.pass(t, 15*time.Minute)
			want := order.Completed
			if late {
				want = order.Cancelled
			}
			if got := c.get(t, o.Ref()); got.State != want || late != (len(p.taken) == 0) {
				t.Errorf("late %t: order is %s, want %s; the money was taken %d times", late, got.State, want, len(p.taken))
			}
		}
	})
}

// oneReceipt is a provider that answers about every attempt with the same money.
type oneReceipt struct{ payment.Provider }

func (p oneReceipt) Query(ctx context.Context, a payment.Attempt) (payment.Observation, error) {
	seen, err := p.Provider.Query(ctx, a)
	if seen.State == payment.Paid {
		seen.MoneyID = "the_one"
	}
	return seen, err
}

func (p oneReceipt) Resume(ctx context.Context, a payment.Attempt, _ url.Values) (payment.Observation, error) {
	return p.Query(ctx, a)
}

// One receipt of money pays for one order, whatever a provider says.
func TestOneReceiptPaysOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		c.Desk.Providers["stripe"] = oneReceipt{c.Desk.Providers["stripe"]}
		var states []order.State
		for range 2 {
			account, ln := c.customer(t, extendable, 48*time.Hour, 0)
			o, paying := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
			must(t)(c.card.Pay(paying.Ref))
			c.come(t, o)
			c.work(t)
			states = append(states, c.get(t, o.Ref()).State)
		}
		if states[0] != order.Completed || states[1] != order.Placed {
			t.Errorf("the orders are %v, want one completed and one waiting", states)
		}
	})
}

// Somebody at the provider gave the money back before we first saw that it had
// come: nothing is granted for it, and a person looks.
func TestMoneyThatWentBackBeforeWeSawIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		o, paying := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
		must(t)(c.card.Pay(paying.Ref))
		if err := c.card.Dispute(paying.Ref); err != nil {
			t.Fatal(err)
		}
		c.come(t, o)
		c.work(t)
		c.want(t, o, order.Held, "refunded_elsewhere")
		if n := c.cases(t, account, "refunded_elsewhere"); n != 1 {
			t.Errorf("%d cases", n)
		}
		if n := c.Sim.Extended(o.ID); n != 0 {
			t.Errorf("the line was extended %d times", n)
		}
	})
}
