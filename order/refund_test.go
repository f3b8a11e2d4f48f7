package order_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
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

// What staff do with orders, whatever their state: every command either does
// what it says, with its line in the trail, or changes nothing.
func TestStaffCommandsOnHeldOrders(t *testing.T) {
	unclear := func(t *testing.T, c *cashier, served bool) (account, ln string, o order.Order) {
		t.Helper()
		f := carriersim.LoseRequest
		if served {
			f = carriersim.LoseAnswer
		}
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
		return account, ln, c.want(t, o, order.Held, "staff")
	}
	neverAsked := func(t *testing.T, c *cashier, _ bool) (account, ln string, o order.Order) {
		t.Helper()
		account, ln, o = c.paid(t)
		if _, err := c.Desk.Hold(t.Context(), o.Ref(), mika); err != nil {
			t.Fatal(err)
		}
		return account, ln, o
	}
	type command func(*testing.T, *cashier, order.Order) error
	lookAgain := func(t *testing.T, c *cashier, o order.Order) error {
		_, err := c.Desk.LookAgain(t.Context(), o.Ref(), mika)
		return err
	}
	confirm := func(t *testing.T, c *cashier, o order.Order) error {
		got, err := c.Desk.Confirm(t.Context(), o.Ref(), "op-proof", mika)
		if err == nil && (got.State != order.Completed || got.OperatorRef != "op-proof") {
			t.Errorf("confirmed: %s with %q", got.State, got.OperatorRef)
		}
		return err
	}
	giveBack := func(t *testing.T, c *cashier, o order.Order) error {
		_, err := c.Desk.GiveBack(t.Context(), o.Ref(), mika)
		return err
	}
	tests := []struct {
		name   string
		held   func(*testing.T, *cashier, bool) (account, ln string, o order.Order)
		served bool
		do     command
		want   order.State
		proof  bool // the operator has no record under our name; staff saw it elsewhere
	}{
		{"unclear, served, look again", unclear, true, lookAgain, order.Completed, false},
		{"unclear, not served, look again", unclear, false, lookAgain, order.Refunded, false},
		{"unclear, served, confirm", unclear, true, confirm, order.Completed, false},
		{"unclear, not served, give back", unclear, false, giveBack, order.Refunded, false},
		{"never asked, look again", neverAsked, false, lookAgain, order.Completed, false},
		{"never asked, confirm", neverAsked, false, confirm, order.Completed, true},
		{"never asked, give back", neverAsked, false, giveBack, order.Refunded, false},
	}
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				c := newCashier(t, env)
				account, ln, o := tt.held(t, c, tt.served)
				c.Sim.Choose = nil
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
				if tt.proof {
					c.clean(t, account)
					return
				}
				c.fair(t, account, 0)
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

// Words of strangers that are cut in the middle of a character, or hold bytes
// that no database takes, do not keep an order from going on.
func TestStrangeWords(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		o, p := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
		must(t)(c.card.Pay(p.Ref))
		c.come(t, o)
		c.Desk.Carriers["simple"] = babbler{c.Sim}
		c.pass(t, rest)
		if got := c.get(t, o.Ref()); got.State != order.Refunded || len(got.Evidence) < 900 {
			t.Errorf("order is %s, and %d bytes are kept of what the operator said", got.State, len(got.Evidence))
		}
		c.fair(t, account, 0)
	})
}

type babbler struct{ *carriersim.Sim }

func (babbler) Extend(context.Context, carrier.Extension) (carrier.Receipt, error) {
	return carrier.Receipt{}, &carrier.Refusal{Reason: carrier.OperatorRefuses, Text: "x\x00" + strings.Repeat("断", 1000)}
}

// A worker that had to wait for the others of its set does not call any more
// when its lease is over: somebody else has decided by then.
func TestWorkerThatWaitedTooLong(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		var orders []order.Order
		for range 5 {
			_, _, o := c.paid(t)
			orders = append(orders, o)
		}
		alone := true
		c.Sim.Meanwhile = func(carrier.Extension) {
			if alone {
				alone = false
				c.pass(t, 19*time.Second) // the operator is slow, and other workers go on
				alone = true
			}
		}
		c.pass(t, rest)
		for _, o := range orders {
			c.fair(t, o.Account, 0)
		}
	})
}

// A customer who leaves while the operator works is served at once all the same.
func TestCustomerLeavesDuringTheCall(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 50_000)
		q := c.quote(t, account, ln, extendable)
		ctx, leave := context.WithCancel(t.Context())
		c.Sim.Meanwhile = func(carrier.Extension) { leave() }
		o, err := c.Desk.Place(ctx, order.Acceptance{Account: account, Quote: q.ID, Amount: q.Price, Tool: order.ToolWallet})
		if err != nil {
			t.Fatal(err)
		}
		c.want(t, o, order.Completed, "")
		c.pass(t, rest)
		c.fair(t, account, 50_000)
	})
}

// What staff give back of a completed order, in whole or in part, is taken out of
// every book, goes where it came from, and takes the period with it that has not
// begun.
func TestRefundOfACompletedOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, tool := range []catalogue.Tool{"card", order.ToolWallet} {
			for _, part := range []int64{0, 500} {
				t.Run(fmt.Sprintf("%s/%d", tool, part), func(t *testing.T) {
					c := newCashier(t, env)
					account, ln := c.customer(t, extendable, 48*time.Hour, 50_000)
					before := c.line(t, account, ln)
					o := c.buys(t, account, ln, tool)
					amount := money.Money{}
					if part > 0 {
						amount = money.Of(part, "JPY")
					}
					if _, err := c.Desk.RefundCompleted(t.Context(), o.Ref(), amount, mika); err != nil {
						t.Fatal(err)
					}
					if _, err := c.Desk.RefundCompleted(t.Context(), o.Ref(), amount, mika); !isConflict(err) {
						t.Errorf("giving it back twice: %v", err)
					}
					c.pass(t, time.Hour)
					back := o.Price.Minor
					if part > 0 {
						back = part
					}
					c.wantBack(t, o, back)
					l := c.line(t, account, ln)
					if part == 0 && (!l.EndsAt.Equal(before.EndsAt) || !l.GraceEnds.Equal(before.GraceEnds) || l.Extending != "" || c.Sim.Extended(o.ID) != 0) {
						t.Errorf("the period was not taken back: %+v; the operator has it %d times", l, c.Sim.Extended(o.ID))
					}
					if part > 0 && (!l.EndsAt.Equal(o.EndsAt) || c.Sim.Extended(o.ID) != 1) {
						t.Errorf("the period was taken back for a part of its price: %+v", l)
					}
					c.clean(t, account)
					// Life goes on.
					next := c.buys(t, account, ln, order.ToolWallet)
					if next.StartsAt != l.EndsAt {
						t.Errorf("the next period starts %v, the line ended %v", next.StartsAt, l.EndsAt)
					}
					c.pass(t, time.Hour)
					c.clean(t, account)
				})
			}
		}
	})
}

// buys renews a line and lets it complete.
func (c *cashier) buys(t *testing.T, account, ln string, tool catalogue.Tool) order.Order {
	t.Helper()
	q := c.quote(t, account, ln, extendable)
	if tool == order.ToolWallet {
		o, err := c.place(t, q)
		if err != nil {
			t.Fatal(err)
		}
		return c.want(t, o, order.Completed, "")
	}
	o, p := c.checkout(t, q, payment.Rail(tool))
	must(t)(c.card.Pay(p.Ref))
	c.come(t, o)
	c.pass(t, time.Minute)
	return c.want(t, o, order.Completed, "")
}

// wantBack checks where the money of a completed order went.
func (c *cashier) wantBack(t *testing.T, o order.Order, back int64) {
	t.Helper()
	got, wallet := c.card.Refunded(o.ID).Minor, c.wallet(t, o.Account)-50_000
	if o.Tool == order.ToolWallet {
		got, wallet = wallet+o.Price.Minor, 0
	}
	if got != back || wallet != 0 {
		t.Errorf("%d went back, and the wallet gained %d; want %d", got, wallet, back)
	}
	bills, points := c.documents(t, o.Account, o.ID)
	var note billing.Bill
	for _, b := range bills {
		if b.Kind == billing.CreditNote {
			note = b
		}
	}
	if len(bills) != 2 || note.Total.Minor != back || note.RefersTo == "" || note.Tax != billing.TaxIn(note.Total, note.Rate) || !strings.HasPrefix(note.Series, "C") || note.Number == 0 {
		t.Errorf("credit note %+v among %d documents", note, len(bills))
	}
	if want := (o.Price.Minor - back) / 100; points != want {
		t.Errorf("%d points are left, want %d", points, want)
	}
	if revenue := c.book(t, o.Account, ledger.Revenue) + c.book(t, o.Account, ledger.Tax); revenue != o.Price.Minor-back || c.owed(t, o.Account, "JPY") != 0 {
		t.Errorf("the books show %d sold and %d owed, want %d and nothing", revenue, c.owed(t, o.Account, "JPY"), o.Price.Minor-back)
	}
	if n := c.told(t, o.Account, message.OrderRefunded); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// book is what one book holds of an account, in yen.
func (c *cashier) book(t *testing.T, account string, b ledger.Book) (sum int64) {
	t.Helper()
	all, err := db.Seen(t.Context(), c.DB, func(ctx context.Context, tx db.Tx) ([]ledger.Entry, error) {
		return ledger.Entries(ctx, tx, account, b, 1000)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.To == b {
			sum += e.Amount.Minor
		} else {
			sum -= e.Amount.Minor
		}
	}
	return sum
}

// Points that were spent cannot be taken back; the rest is, and the trail says
// how many are missing.
func TestPointsThatWereSpent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 50_000)
		o := c.buys(t, account, ln, order.ToolWallet)
		c.write(t, func(ctx context.Context, tx db.Tx) error {
			return ledger.Post(ctx, tx, ledger.Posting{Account: account, Subject: "spent", Step: "spent", Transfers: []ledger.Transfer{
				{From: ledger.Points, To: ledger.PointsIssued, Amount: money.Of(10, money.Points)},
			}})
		})
		if _, err := c.Desk.RefundCompleted(t.Context(), o.Ref(), money.Money{}, mika); err != nil {
			t.Fatal(err)
		}
		if _, points := c.documents(t, account, o.ID); points != 0 {
			t.Errorf("%d points are left", points)
		}
		if n := c.count(t, `SELECT COUNT(*) FROM trail WHERE account_id = $1 AND reason LIKE '10 points%'`, account); n != 1 {
			t.Errorf("the trail says %d times that 10 points are missing", n)
		}
		c.pass(t, time.Minute)
		c.clean(t, account)
	})
}

// A period that cannot be cancelled safely is not paid back in full; nothing is
// changed by trying.
func TestRefundThatIsNotSafe(t *testing.T) {
	tests := []struct {
		name   string
		change func(*testing.T, *cashier, order.Order)
		kind   fault.Kind
	}{
		{"a later period was bought upon it", func(t *testing.T, c *cashier, o order.Order) {
			c.buys(t, o.Account, o.Line, order.ToolWallet)
		}, fault.Conflict},
		{"the operator takes nothing back", func(_ *testing.T, c *cashier, _ order.Order) {
			c.Desk.Carriers["simple"] = stubborn{Sim: c.Sim, never: true}
		}, fault.Conflict},
		{"the operator refuses", func(_ *testing.T, c *cashier, _ order.Order) {
			c.Desk.Carriers["simple"] = stubborn{Sim: c.Sim, err: &carrier.Refusal{Reason: carrier.OperatorRefuses}}
		}, fault.Conflict},
		{"the operator cannot be reached", func(_ *testing.T, c *cashier, _ order.Order) {
			c.Desk.Carriers["simple"] = stubborn{Sim: c.Sim, err: fmt.Errorf("away: %w", carrier.ErrNotSent)}
		}, fault.Unavailable},
	}
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				c := newCashier(t, env)
				account, ln := c.customer(t, extendable, 48*time.Hour, 50_000)
				o := c.buys(t, account, ln, order.ToolWallet)
				tt.change(t, c, o)
				if _, err := c.Desk.RefundCompleted(t.Context(), o.Ref(), money.Money{}, mika); fault.KindOf(err) != tt.kind {
					t.Errorf("refunding: %v, want %s", err, tt.kind)
				}
				c.pass(t, time.Hour)
				c.fair(t, account, 50_000)
				if l := c.line(t, account, ln); l.Extending != "" {
					t.Errorf("the line is still reserved for %s", l.Extending)
				}
			})
		}
	})
}

// stubborn is an operator that does not take things back.
type stubborn struct {
	*carriersim.Sim
	never bool
	acts  bool
	err   error
}

func (s stubborn) Abilities() carrier.Abilities {
	a := s.Sim.Abilities()
	a.Cancel = !s.never
	return a
}

func (s stubborn) Cancel(ctx context.Context, e carrier.Extension) error {
	if s.acts {
		_ = s.Sim.Cancel(ctx, e) // the answer is lost
	}
	return s.err
}

// The operator's answer to a cancellation is lost: nothing is refunded yet,
// nobody builds upon the period, and trying again finds out.
func TestCancellationWithALostAnswer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, acted := range []bool{true, false} {
			c := newCashier(t, env)
			account, ln := c.customer(t, extendable, 48*time.Hour, 50_000)
			o := c.buys(t, account, ln, order.ToolWallet)
			c.Desk.Carriers["simple"] = stubborn{Sim: c.Sim, acts: acted, err: fmt.Errorf("silence: %w", carrier.ErrUnknown)}
			if _, err := c.Desk.RefundCompleted(t.Context(), o.Ref(), money.Money{}, mika); fault.KindOf(err) != fault.Unavailable {
				t.Errorf("refunding: %v", err)
			}
			if c.wallet(t, account) != 50_000-o.Price.Minor || c.cases(t, account, "cancel_unclear") != 1 || c.line(t, account, ln).Extending != o.ID {
				t.Error("something was refunded, there is no case, or the line is free")
			}
			c.pass(t, time.Minute)
			c.clean(t, account, "line_reserved_for_nothing") // until it is tried again
			c.Desk.Carriers["simple"] = c.Sim
			if _, err := c.Desk.RefundCompleted(t.Context(), o.Ref(), money.Money{}, mika); err != nil {
				t.Fatal(err)
			}
			if c.wallet(t, account) != 50_000 || c.line(t, account, ln).Extending != "" || c.Sim.Extended(o.ID) != 0 {
				t.Errorf("wallet %d, line %+v", c.wallet(t, account), c.line(t, account, ln))
			}
			c.pass(t, time.Minute)
			c.clean(t, account)
		}
	})
}

// Service that has begun is left to the customer, and the money goes back by
// decision of staff.
func TestRefundOfRunningService(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 50_000)
		o := c.buys(t, account, ln, "card")
		c.pass(t, 49*time.Hour)
		if _, err := c.Desk.RefundCompleted(t.Context(), o.Ref(), money.Money{}, mika); err != nil {
			t.Fatal(err)
		}
		c.pass(t, rest)
		c.wantBack(t, o, o.Price.Minor)
		if l := c.line(t, account, ln); !l.EndsAt.Equal(o.EndsAt) || c.Sim.Extended(o.ID) != 1 {
			t.Errorf("the service was taken away: %+v", l)
		}
		c.clean(t, account)
	})
}

// A top-up is given back as long as the wallet still holds it.
func TestRefundOfATopUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		q, err := c.Desk.QuoteTopUp(t.Context(), account, money.Of(5000, "JPY"))
		if err != nil {
			t.Fatal(err)
		}
		o, p := c.checkout(t, q, payment.Card)
		must(t)(c.card.Pay(p.Ref))
		c.come(t, o)
		c.pass(t, time.Minute)
		spent := c.buys(t, account, ln, order.ToolWallet)
		if _, err := c.Desk.RefundCompleted(t.Context(), o.Ref(), money.Money{}, mika); !isConflict(err) {
			t.Errorf("giving back what was spent: %v", err)
		}
		left := money.Of(5000-spent.Price.Minor, "JPY")
		if _, err := c.Desk.RefundCompleted(t.Context(), o.Ref(), left, mika); err != nil {
			t.Fatal(err)
		}
		c.pass(t, rest)
		if got := c.card.Refunded(o.ID); got != left || c.wallet(t, account) != 0 {
			t.Errorf("%v went back, the wallet holds %d; want %v and nothing", got, c.wallet(t, account), left)
		}
		c.clean(t, account)
	})
}

// What is not completed, or not that much, is not given back.
func TestRefundCompletedRefuses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, _, o := c.paid(t)
		for name, call := range map[string]func() error{
			"not completed": func() error { return c.refundCompleted(t, o, money.Money{}, mika) },
			"nobody":        func() error { return c.refundCompleted(t, o, money.Money{}, order.Act{}) },
		} {
			if err := call(); err == nil {
				t.Errorf("%s: refunded", name)
			}
		}
		c.pass(t, time.Hour)
		for _, amount := range []money.Money{money.Of(o.Price.Minor+1, "JPY"), money.Of(-1, "JPY"), money.Of(0, "JPY"), money.Of(5, "USD")} {
			if err := c.refundCompleted(t, o, amount, mika); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%v: %v, want invalid", amount, err)
			}
		}
		c.pass(t, rest)
		c.fair(t, account, 0)
	})
}

func (c *cashier) refundCompleted(t *testing.T, o order.Order, amount money.Money, a order.Act) error {
	t.Helper()
	_, err := c.Desk.RefundCompleted(t.Context(), o.Ref(), amount, a)
	return err
}
