package order_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// meanwhile is an operator that is slow to say what must be remembered: something
// else happens between an order's check and its commit.
type meanwhile struct {
	carrier.Carrier
	happens func()
}

func (m *meanwhile) Prepare(ctx context.Context, e carrier.Extension) (carrier.Snapshot, error) {
	if m.happens != nil {
		happens := m.happens
		m.happens = nil
		happens()
	}
	return m.Carrier.Prepare(ctx, e)
}

// A dispute that is seen between the check of an order and its commit stops it:
// nothing is spent, no line is reserved, and once the dispute is won the same offer
// can be accepted.
func TestDisputeBetweenCheckAndCommit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for name, points := range map[string]int64{"from the wallet": 0, "with points": 300} {
			t.Run(name, func(t *testing.T) {
				c := newCashier(t, env)
				account, ln, o := c.bought(t)
				c.grantYen(t, account, 50_000)
				c.grant(t, account, 90_000)
				slow := &meanwhile{Carrier: c.Desk.Carriers["simple"], happens: func() {
					done(t, c.card.Dispute(o.ID))
					c.look(t, o)
				}}
				c.Desk.Carriers["simple"] = slow
				q := c.quote(t, account, ln, extendable)
				a := order.Acceptance{Account: account, Quote: q.ID, Amount: q.Price, Tool: order.ToolWallet}
				if points > 0 {
					a.Parts = order.Parts{Points: points, Discount: points, Wallet: q.Price.Minor - points}
				}
				before := c.wallet(t, account)
				if _, err := c.Desk.Place(t.Context(), a); reasonOf(err) != "owes" {
					t.Fatalf("placed although something is owed: %v", err)
				}
				if slow.happens != nil {
					t.Fatal("nothing happened meanwhile")
				}
				if got := c.wallet(t, account); got != before || len(c.orders(t, account)) != 1 {
					t.Errorf("the wallet holds %d of %d; %d orders", got, before, len(c.orders(t, account)))
				}
				c.clean(t, account)
				done(t, c.card.CloseDispute(o.ID, true))
				c.look(t, o)
				if _, err := c.Desk.Place(t.Context(), a); err != nil {
					t.Error(err)
				}
				c.clean(t, account)
			})
		}
	})
}

// The same holds for several lines that are paid together, and where the seller
// keeps lines going a card is taken all the same.
func TestDisputeBetweenCheckAndCommitTogether(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		f := newFamily(t, env, 50_000)
		o, p := f.checkout(t, f.quote(t, f.account, f.another(t, f.account, extendable, 48*time.Hour), extendable), payment.Card)
		must(t)(f.card.Pay(p.Ref))
		f.pass(t, 5*time.Minute)
		slow := &meanwhile{Carrier: f.Desk.Carriers["simple"], happens: func() {
			done(t, f.card.Dispute(o.ID))
			f.look(t, o)
		}}
		f.Desk.Carriers["simple"] = slow
		if _, err := f.Desk.PlaceTogether(t.Context(), f.wish(order.ToolWallet)); reasonOf(err) != "owes" {
			t.Errorf("placed although something is owed: %v", err)
		}
		f.Desk.Disputed = order.DisputeKeep
		if _, err := f.Desk.PlaceTogether(t.Context(), f.wish(order.ToolWallet)); reasonOf(err) != "owes" {
			t.Errorf("from the wallet: %v", err)
		}
		if _, err := f.Desk.PlaceTogether(t.Context(), f.wish(catalogue.Tool(payment.Card))); err != nil {
			t.Errorf("by card: %v", err)
		}
		f.clean(t, f.account)
	})
}

// A payment begins no more once something is owed, also for an order that was
// placed before.
func TestDisputeBeforePaying(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, mode := range []order.DisputeMode{order.DisputeKeep, order.DisputeEndRenewals} {
			c := newCashier(t, env)
			c.Desk.Disputed = mode
			account, ln, o := c.bought(t)
			q := c.quote(t, account, ln, extendable)
			next, err := c.Desk.Place(t.Context(), order.Acceptance{Account: account, Quote: q.ID, Amount: q.Price, Tool: "card"})
			done(t, err)
			done(t, c.card.Dispute(o.ID))
			c.look(t, o)
			_, err = c.Desk.Pay(t.Context(), next.Ref(), payment.Card, ways)
			if kept := err == nil; kept != (mode == order.DisputeKeep) || err != nil && reasonOf(err) != "owes" {
				t.Errorf("%s: %v", mode, err)
			}
			c.clean(t, account)
		}
	})
}

// closing is a provider during whose answer to Abandon something else happens.
type closing struct {
	payment.Provider
	happens func()
}

func (c *closing) Abandon(ctx context.Context, a payment.Attempt) (payment.Observation, error) {
	if c.happens != nil {
		happens := c.happens
		c.happens = nil
		happens()
	}
	return c.Provider.Abandon(ctx, a)
}

// A dispute that is seen between the check of a payment and its beginning stops it:
// no provider hears of it.
func TestDisputeBetweenCheckAndPayment(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln, o := c.bought(t)
		next, _ := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
		slow := &closing{Provider: c.Desk.Providers["stripe"], happens: func() {
			done(t, c.card.Dispute(o.ID))
			c.look(t, o)
		}}
		c.Desk.Providers["stripe"] = slow
		if _, err := c.Desk.Pay(t.Context(), next.Ref(), payment.LINEPay, ways); reasonOf(err) != "owes" {
			t.Errorf("a payment began although something is owed: %v", err)
		}
		if slow.happens != nil || len(c.payments(t, next)) != 1 || len(c.linePay.Sessions()) != 0 {
			t.Errorf("%d attempts, %d at the other provider", len(c.payments(t, next)), len(c.linePay.Sessions()))
		}
		c.clean(t, account)
	})
}

// Two who write at the same moment, one an order and one a dispute, come to an end
// that is the same as if one had come after the other.
func TestOrderAndDisputeAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		placed, refused := 0, 0
		for range 12 {
			c := newCashier(t, env)
			account, ln, o := c.bought(t)
			c.grantYen(t, account, 50_000)
			done(t, c.card.Dispute(o.ID))
			c.Clock.Add(time.Second)
			c.write(t, func(ctx context.Context, tx db.Tx) error {
				_, err := tx.Exec(ctx, `UPDATE payments SET due_at = $2 WHERE account_id = $1`, account, db.At(tx.Now()))
				return err
			})
			q := c.quote(t, account, ln, extendable)
			var wait sync.WaitGroup
			var placing, looking error
			wait.Go(func() { _, looking = c.Desk.PaymentStep(t.Context()) })
			wait.Go(func() { _, placing = c.place(t, q) })
			wait.Wait()
			done(t, looking)
			switch {
			case placing == nil:
				placed++
			case reasonOf(placing) == "owes":
				refused++
			default:
				t.Errorf("neither placed nor refused because of the debt: %v", placing)
			}
			want := int64(50_000)
			if placing == nil {
				want -= q.Price.Minor
			}
			if got := c.wallet(t, account); got != want || c.owes(t, account) != o.Price.Minor {
				t.Errorf("the wallet holds %d, want %d; %d is owed", got, want, c.owes(t, account))
			}
			c.work(t)
			c.refusedForDebt(t, account, c.another(t, account, extendable, 48*time.Hour))
			c.clean(t, account)
		}
		t.Logf("%d placed before the dispute, %d refused after it", placed, refused)
	})
}

// A disputed top-up and an order that spends it at the same moment do not spend the
// same money twice.
func TestSpendingAndDisputeAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for range 12 {
			c := newCashier(t, env)
			account, ln := c.customer(t, extendable, 48*time.Hour, 0)
			top := c.topsUp(t, account, 5000)
			done(t, c.card.Dispute(top.ID))
			c.Clock.Add(time.Second)
			c.write(t, func(ctx context.Context, tx db.Tx) error {
				_, err := tx.Exec(ctx, `UPDATE payments SET due_at = $2 WHERE account_id = $1`, account, db.At(tx.Now()))
				return err
			})
			q := c.quote(t, account, ln, extendable)
			var wait sync.WaitGroup
			var placing, looking error
			wait.Go(func() { _, looking = c.Desk.PaymentStep(t.Context()) })
			wait.Go(func() { _, placing = c.place(t, q) })
			wait.Wait()
			done(t, looking)
			c.work(t)
			spent := int64(0)
			if placing == nil {
				spent = q.Price.Minor
			} else if r := reasonOf(placing); r != "owes" && r != "wallet_short" {
				t.Errorf("refused for another reason: %v", placing)
			}
			if has, owes := c.wallet(t, account), c.owes(t, account); has != 0 || owes != spent {
				t.Errorf("%d was spent, %d is owed, the wallet holds %d", spent, owes, has)
			}
			c.clean(t, account)
		}
	})
}
