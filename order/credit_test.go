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
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

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
func (c *cashier) book(t tester, account string, b ledger.Book) (sum int64) {
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

// Data that a cancelled period had brought along is gone with it, unless the
// operator has said something newer.
func TestFiguresOfACancelledPeriod(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		const carried = "machi-10gb"
		for _, reported := range []bool{false, true} {
			c := newCashier(t, env)
			account, ln := c.customer(t, carried, 48*time.Hour, 50_000)
			want := c.line(t, account, ln).Usage.Total
			o, err := c.place(t, c.quote(t, account, ln, carried))
			if err != nil || o.State != order.Completed {
				t.Fatal(o.State, err)
			}
			if got := c.line(t, account, ln).Usage.Total; got != want+o.Bytes {
				t.Fatalf("renewed: %d bytes, want %d more than %d", got, o.Bytes, want)
			}
			c.pass(t, time.Minute)
			if reported {
				want = 7 << 30
				c.write(t, func(ctx context.Context, tx db.Tx) error {
					_, err := line.Report(ctx, tx, account, ln, line.Usage{Total: want, AsOf: tx.Now()})
					return err
				})
			}
			if _, err := c.Desk.RefundCompleted(t.Context(), o.Ref(), money.Money{}, mika); err != nil {
				t.Fatal(err)
			}
			if got := c.line(t, account, ln).Usage.Total; got != want {
				t.Errorf("reported %t: %d bytes, want %d", reported, got, want)
			}
			c.pass(t, time.Minute)
			c.clean(t, account)
		}
	})
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
