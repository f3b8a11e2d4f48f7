package order_test

import (
	"context"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

var mika = order.Act{Staff: "mika", Reason: "the customer called"}

// paid is an order that was paid by card, and not worked on any further.
func (c *cashier) paid(t *testing.T) (account, ln string, o order.Order) {
	t.Helper()
	account, ln = c.customer(t, extendable, 48*time.Hour, 0)
	o, p := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
	must(t)(c.card.Pay(p.Ref))
	c.come(t, o)
	return account, ln, c.want(t, o, order.Paid, "")
}

// The operator refuses after the card was charged: all of it goes back, once,
// although the provider's answers are lost again and again.
func TestRefusedOrderIsRefunded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		c.refuse()
		account, _, o := c.paid(t)
		c.card.next("POST /refunds", outboundsim.LoseAnswer, outboundsim.LoseAnswer, outboundsim.LoseAnswer)
		c.pass(t, rest)
		c.want(t, o, order.Refunded, "operator_refuses")
		if got := c.card.Refunds(); len(got) != 1 || got[0].Amount != o.Price {
			t.Errorf("refunds at the provider: %+v", got)
		}
		if c.told(t, account, message.OrderRefundDue) != 1 || c.told(t, account, message.OrderRefunded) != 1 {
			t.Error("the customer was not told, or not once")
		}
		c.fair(t, account, 0)
	})
}

// A refund that the provider has not finished is waited for, for days, and is
// not a failure.
func TestRefundTakesDays(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		c.refuse()
		account, _, o := c.paid(t)
		c.card.HoldRefunds(true)
		c.pass(t, 5*24*time.Hour)
		c.want(t, o, order.RefundDue, "operator_refuses")
		c.clean(t, account, "refund_late") // after 48 hours a person should know
		c.card.HoldRefunds(false)
		if err := c.card.SettleRefund(c.refunds(t, o)[0].Ref, true); err != nil {
			t.Fatal(err)
		}
		c.pass(t, rest)
		c.want(t, o, order.Refunded, "operator_refuses")
		c.fair(t, account, 0)
	})
}

// How long a provider could not be reached says nothing about how long a refund takes
// that it then takes: it is looked at soon. (Found by chaos: the customer heard a quarter
// of an hour later.)
func TestRefundSentAfterAnOutageIsLookedAtSoon(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		c.refuse()
		account, _, o := c.paid(t)
		c.card.mute = true // or a notification would make us look
		c.card.always("POST /refunds", outboundsim.LoseRequest)
		c.card.HoldRefunds(true)
		c.pass(t, 10*time.Minute)
		c.card.works()
		for range 12 { // until it is the refund's turn again
			if c.refunds(t, o)[0].State == payment.RefundSent {
				break
			}
			c.pass(t, time.Minute)
		}
		c.card.HoldRefunds(false)
		if err := c.card.SettleRefund(c.refunds(t, o)[0].Ref, true); err != nil {
			t.Fatal(err)
		}
		c.pass(t, 2*time.Minute)
		c.want(t, o, order.Refunded, "operator_refuses")
		c.fair(t, account, 0)
	})
}

// A provider that has the refund and then cannot be asked about it has not said that it
// takes long. (Found by a town: after two hours of it the next question came two hours
// later.)
func TestRefundOnItsWayIsLookedAtSoonAfterAnOutage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		c.refuse()
		account, _, o := c.paid(t)
		c.card.mute = true // or a notification would make us look
		c.card.HoldRefunds(true)
		c.pass(t, time.Minute)
		if got := c.refunds(t, o)[0].State; got != payment.RefundSent {
			t.Fatalf("the refund is %s", got)
		}
		c.card.always("GET", outboundsim.Refuse)
		c.pass(t, 70*time.Minute)
		c.card.works()
		c.card.HoldRefunds(false)
		if err := c.card.SettleRefund(c.refunds(t, o)[0].Ref, true); err != nil {
			t.Fatal(err)
		}
		c.pass(t, 6*time.Minute)
		c.want(t, o, order.Refunded, "operator_refuses")
		c.fair(t, account, 0)
	})
}

// A refund that fails, at once or days after it was done, whether or not the
// provider tells: a case, the customer hears, the books owe the money again, and
// staff send it once more.
func TestRefundFails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, tt := range []struct {
			name  string
			done  bool // before it fails
			mute  bool
			state order.State
		}{
			{"pending", false, false, order.Held},
			{"days later", true, false, order.Refunded},
			{"days later, and nobody tells", true, true, order.Refunded},
		} {
			t.Run(tt.name, func(t *testing.T) {
				c := newCashier(t, env)
				c.refuse()
				account, _, o := c.paid(t)
				c.card.HoldRefunds(!tt.done)
				c.pass(t, time.Hour)
				c.card.mute = tt.mute
				c.Clock.Add(3 * 24 * time.Hour)
				r := c.refunds(t, o)[0]
				if err := c.card.SettleRefund(r.Ref, false); err != nil {
					t.Fatal(err)
				}
				c.pass(t, 5*24*time.Hour)
				r = c.refunds(t, o)[0]
				if got := c.get(t, o.Ref()); got.State != tt.state || r.State != payment.RefundFailed {
					t.Fatalf("order is %s, its refund %s", got.State, r.State)
				}
				if c.cases(t, account, "refund_failed") != 1 || c.told(t, account, message.OrderHeld) != 1 {
					t.Error("no case, or the customer was not told")
				}
				if owed := c.owed(t, account, "JPY"); owed != o.Price.Minor {
					t.Errorf("the books owe %d, want %v", owed, o.Price)
				}
				c.card.HoldRefunds(false)
				if _, err := c.Desk.RefundAgain(t.Context(), o.Ref(), mika); err != nil {
					t.Fatal(err)
				}
				if _, err := c.Desk.RefundAgain(t.Context(), o.Ref(), mika); !isConflict(err) {
					t.Errorf("sending it a third time: %v", err)
				}
				c.pass(t, rest)
				if got := c.get(t, o.Ref()); got.State != order.Refunded {
					t.Errorf("order is %s", got.State)
				}
				if owed := c.owed(t, account, "JPY"); owed != 0 {
					t.Errorf("the books still owe %d", owed)
				}
				c.fair(t, account, 0)
			})
		}
	})
}

// A provider that is silent for longer than we try by ourselves: a person looks,
// and what is then sent again is still one refund.
func TestRefundProviderSilentForDays(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		c.refuse()
		account, _, o := c.paid(t)
		c.card.next("POST /refunds", outboundsim.LoseAnswer)
		c.pass(t, time.Second)
		c.card.always("GET", outboundsim.LoseRequest)
		c.pass(t, 2*24*time.Hour)
		c.want(t, o, order.Held, "refund_failed")
		if r := c.refunds(t, o)[0]; r.State != payment.RefundUnknown {
			t.Errorf("silence is recorded as %s", r.State)
		}
		for name, act := range map[string]func() (order.Order, error){
			"asked the operator again": func() (order.Order, error) { return c.Desk.LookAgain(t.Context(), o.Ref(), mika) },
			"confirmed":                func() (order.Order, error) { return c.Desk.Confirm(t.Context(), o.Ref(), "op-1", mika) },
		} {
			if got, err := act(); !isConflict(err) {
				t.Errorf("an order whose money may be on its way back was %s: %s, %v", name, got.State, err)
			}
		}
		c.card.works()
		if _, err := c.Desk.GiveBack(t.Context(), o.Ref(), mika); err != nil {
			t.Fatal(err)
		}
		c.pass(t, rest)
		if got := c.get(t, o.Ref()); got.State != order.Refunded || len(c.card.Refunds()) != 1 {
			t.Errorf("order is %s after %d refunds", got.State, len(c.card.Refunds()))
		}
		c.fair(t, account, 0)
	})
}

// A refund by hand at the provider, and a dispute, are shown to staff.
func TestMoneyThatGoesBackWithoutUs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, _, o := c.paid(t)
		c.pass(t, time.Hour)
		c.want(t, o, order.Completed, "")
		if err := c.card.Dispute(o.ID); err != nil {
			t.Fatal(err)
		}
		// Stripe names only the intent of a dispute; the next bell of the payment brings it.
		c.ring(t, o)
		if n := c.cases(t, account, "disputed"); n != 1 {
			t.Errorf("%d cases about a dispute", n)
		}
		c.pass(t, rest)
		c.fair(t, account, 0)
	})
}

// ring makes the payment of an order be looked at, as a notification does.
func (c *cashier) ring(t *testing.T, o order.Order) {
	t.Helper()
	c.write(t, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE payments SET due_at = $2 WHERE account_id = $1`, o.Account, db.At(tx.Now()))
		return err
	})
	c.work(t)
}
