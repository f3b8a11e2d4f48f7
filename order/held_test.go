package order_test

import (
	"context"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
)

// unclear is an order of which the operator gives no reading, and that staff
// hold; whether it was served only the operator knows.
func (c *cashier) unclear(t *testing.T, f carriersim.Fault) (account, ln string, o order.Order) {
	t.Helper()
	c.Sim.Choose = func(carrier.Extension) carriersim.Fault { return f }
	account, ln, o = c.paid(t)
	if _, err := c.Desk.Step(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := c.Desk.Hold(t.Context(), o.Ref(), mika); !isConflict(err) {
		t.Errorf("held while the operator is asked: %v", err)
	}
	if _, err := c.Desk.GiveBack(t.Context(), o.Ref(), mika); !isConflict(err) {
		t.Errorf("given back while the operator is asked: %v", err)
	}
	c.Sim.Silence(true)
	c.pass(t, time.Minute)
	if _, err := c.Desk.Hold(t.Context(), o.Ref(), mika); err != nil {
		t.Fatal(err)
	}
	c.Sim.Silence(false)
	c.Sim.Choose = nil
	return account, ln, c.want(t, o, order.Held, "staff")
}

// neverAsked is an order that staff hold before anything was asked for.
func (c *cashier) neverAsked(t *testing.T) (account, ln string, o order.Order) {
	t.Helper()
	account, ln, o = c.paid(t)
	if _, err := c.Desk.Hold(t.Context(), o.Ref(), mika); err != nil {
		t.Fatal(err)
	}
	return account, ln, o
}

// command is one thing that staff do with an order.
type command func(*testing.T, *cashier, order.Order) error

func lookAgain(t *testing.T, c *cashier, o order.Order) error {
	t.Helper()
	_, err := c.Desk.LookAgain(t.Context(), o.Ref(), mika)
	return err
}

func confirm(t *testing.T, c *cashier, o order.Order) error {
	t.Helper()
	got, err := c.Desk.Confirm(t.Context(), o.Ref(), "op-proof", mika)
	if err == nil && (got.State != order.Completed || got.OperatorRef != "op-proof") {
		t.Errorf("confirmed: %s with %q", got.State, got.OperatorRef)
	}
	return err
}

func giveBack(t *testing.T, c *cashier, o order.Order) error {
	t.Helper()
	_, err := c.Desk.GiveBack(t.Context(), o.Ref(), mika)
	return err
}

// Every command does what it says, with its line in the trail, and nothing to an
// order that is over.
func TestStaffCommandsOnHeldOrders(t *testing.T) {
	const never = carriersim.None
	tests := []struct {
		name  string
		fault carriersim.Fault // what happened at the operator; never: nothing was asked
		do    command
		want  order.State
	}{
		{"unclear, served, look again", carriersim.LoseAnswer, lookAgain, order.Completed},
		{"unclear, not served, look again", carriersim.LoseRequest, lookAgain, order.Refunded},
		{"unclear, served, confirm", carriersim.LoseAnswer, confirm, order.Completed},
		{"unclear, not served, give back", carriersim.LoseRequest, giveBack, order.Refunded},
		{"never asked, look again", never, lookAgain, order.Completed},
		{"never asked, confirm", never, confirm, order.Completed},
		{"never asked, give back", never, giveBack, order.Refunded},
	}
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				c := newCashier(t, env)
				account, ln, o := "", "", order.Order{}
				if tt.fault == never {
					account, ln, o = c.neverAsked(t)
				} else {
					account, ln, o = c.unclear(t, tt.fault)
				}
				if err := tt.do(t, c, o); err != nil {
					t.Fatal(err)
				}
				c.pass(t, rest)
				if got := c.get(t, o.Ref()); got.State != tt.want {
					t.Errorf("order is %s (%s), want %s", got.State, got.Reason, tt.want)
				}
				if l := c.line(t, account, ln); l.Extending != "" || (l.Periods == 2) != (tt.want == order.Completed) {
					t.Errorf("line has %d periods and is reserved for %q", l.Periods, l.Extending)
				}
				if n := c.count(t, `SELECT COUNT(*) FROM trail WHERE account_id = $1`, account); n != 2 {
					t.Errorf("%d lines in the trail, want two", n)
				}
				for name, again := range map[string]command{"looked for": lookAgain, "confirmed": confirm, "given back": giveBack} {
					if err := again(t, c, o); !isConflict(err) {
						t.Errorf("a final order was %s: %v", name, err)
					}
				}
				c.clean(t, account)
				if tt.name != "never asked, confirm" { // there staff saw it elsewhere
					c.fair(t, account, 0)
				}
			})
		}
	})
}

// A confirmation that cannot be booked leaves the order held: the operator is
// not asked for what a person says it has done.
func TestConfirmIsAllOrNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln, o := c.paid(t)
		if _, err := c.Desk.Hold(t.Context(), o.Ref(), mika); err != nil {
			t.Fatal(err)
		}
		c.write(t, func(ctx context.Context, tx db.Tx) error { // money for another renewal
			return ledger.Post(ctx, tx, ledger.Posting{Account: account, Subject: "opening", Step: "opening", Transfers: []ledger.Transfer{
				{From: ledger.Opening, To: ledger.Wallet, Amount: money.Of(50_000, "JPY")},
			}})
		})
		if _, err := c.place(t, c.quote(t, account, ln, extendable)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Desk.Confirm(t.Context(), o.Ref(), "op-1", mika); !isConflict(err) {
			t.Errorf("confirming an order whose line was extended meanwhile: %v", err)
		}
		c.pass(t, time.Hour)
		c.want(t, o, order.Held, "staff")
		if n := c.Sim.Asked(o.ID); n != 0 {
			t.Errorf("the operator was asked %d times", n)
		}
		if _, err := c.Desk.GiveBack(t.Context(), o.Ref(), mika); err != nil {
			t.Fatal(err)
		}
		c.pass(t, rest)
		c.fair(t, account, 50_000)
	})
}

// What happens again in a case is added to it, and opens it again.
func TestCaseIsOpenedAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		c.refuse()
		account, _, o := c.paid(t)
		c.card.HoldRefunds(true)
		for range 2 {
			c.pass(t, time.Hour)
			if err := c.card.SettleRefund(c.refunds(t, o)[0].Ref, false); err != nil {
				t.Fatal(err)
			}
			c.pass(t, time.Hour)
			if n := c.cases(t, account, "refund_failed"); n != 1 {
				t.Fatalf("%d open cases", n)
			}
			c.write(t, func(ctx context.Context, tx db.Tx) error {
				_, err := tx.Exec(ctx, `UPDATE cases SET state = 'closed' WHERE account_id = $1`, account)
				return err
			})
			if _, err := c.Desk.GiveBack(t.Context(), o.Ref(), mika); err != nil {
				t.Fatal(err)
			}
		}
		c.pass(t, time.Minute)
		if err := c.card.SettleRefund(c.refunds(t, o)[0].Ref, true); err != nil {
			t.Fatal(err)
		}
		c.pass(t, rest)
		c.want(t, o, order.Refunded, "staff")
		c.fair(t, account, 0)
	})
}
