package order_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
)

// extendable is a demo plan that the simple operator carries and that appends.
const extendable = "machi-5gb"

// A renewal from the wallet is done when Place returns: extended once at the
// operator, one period more, a bill, points, the price and nothing else gone.
func TestWalletRenewalCompletesAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		account, ln := s.customer(t, extendable, 48*time.Hour, 50_000)
		before := s.line(t, account, ln)
		q := s.quote(t, account, ln, extendable)
		o, err := s.place(t, q)
		if err != nil {
			t.Fatal(err)
		}
		if o.State != order.Completed {
			t.Fatalf("order is %s, want completed", o.State)
		}
		after := s.line(t, account, ln)
		if after.Periods != 2 || !after.EndsAt.Equal(q.EndsAt) || !after.EndsAt.After(before.EndsAt) || after.Extending != "" {
			t.Errorf("line after renewal: %+v; quoted end %v", after, q.EndsAt)
		}
		if got := s.Sim.Extended(o.ID); got != 1 {
			t.Errorf("operator extended %d times, want once", got)
		}
		if got := s.wallet(t, account); got != 50_000-q.Price.Minor {
			t.Errorf("wallet holds %d, want %d", got, 50_000-q.Price.Minor)
		}
		bills, points := s.documents(t, account, o.ID)
		if len(bills) != 1 || bills[0].Total != q.Price || bills[0].Tax != billing.TaxIn(q.Price, bills[0].Rate) {
			t.Errorf("bills: %+v", bills)
		}
		if points != q.Price.Minor/100 {
			t.Errorf("%d points, want %d", points, q.Price.Minor/100)
		}
	})
}

func (s *shop) documents(t tester, account, id string) (bills []billing.Bill, points int64) {
	t.Helper()
	err := s.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		if bills, err = billing.OfOrder(ctx, tx, account, id); err != nil {
			return err
		}
		m, err := ledger.Balance(ctx, tx, account, ledger.Points, money.Points)
		points = m.Minor
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bills, points
}

// However the operator misbehaves, and whatever other workers do while it
// thinks, it is asked once for what it may have heard, the customer who got
// service paid for it, and the customer who got none has the money back.
func TestMisbehavingOperator(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, fault := range append([]carriersim.Fault{carriersim.None}, carriersim.Faults...) {
			t.Run(string("fault="+fault), func(t *testing.T) {
				s := newShop(t, env)
				account, ln := s.customer(t, extendable, 48*time.Hour, 50_000)
				heard := 0
				s.Sim.Choose = func(carrier.Extension) carriersim.Fault {
					if fault != carriersim.NotSent || heard == 0 {
						heard++
						return fault
					}
					return carriersim.None // the connection works again
				}
				s.Sim.Meanwhile = func(carrier.Extension) { s.work(t) } // another worker, at the worst moment
				q := s.quote(t, account, ln, extendable)
				o, err := s.place(t, q)
				if err != nil {
					t.Fatal(err)
				}
				if fault == carriersim.ActLater {
					s.Clock.Add(25 * time.Second)
					s.Sim.Deliver()
				}
				o = s.settle(t, o.Ref())
				s.judge(t, o, ln, 50_000)
				want := order.Completed
				if fault == carriersim.Refuse || fault == carriersim.LoseRequest {
					want = order.Refunded
				}
				if o.State != want {
					t.Errorf("order ends %s (%s), want %s", o.State, o.Reason, want)
				}
			})
		}
	})
}

// judge compares our story with the operator's and the customer's.
func (s *shop) judge(t tester, o order.Order, ln string, had int64) {
	t.Helper()
	served := s.Sim.Extended(o.ID)
	l := s.line(t, o.Account, ln)
	paid := had - s.wallet(t, o.Account)
	bills, points := s.documents(t, o.Account, o.ID)
	switch {
	case served > 1:
		t.Errorf("%s: the operator extended it %d times", o.ID, served)
	case served == 1 != (o.State == order.Completed):
		t.Errorf("%s is %s but the operator extended it %d times", o.ID, o.State, served)
	case served == 1 && (paid != o.Price.Minor || l.Periods != 2 || len(bills) != 1 || points == 0):
		t.Errorf("%s: served; paid %d of %d, %d periods, %d bills, %d points", o.ID, paid, o.Price.Minor, l.Periods, len(bills), points)
	case served == 0 && (paid != 0 || l.Periods != 1 || len(bills) != 0 || points != 0):
		t.Errorf("%s: not served; paid %d, %d periods, %d bills, %d points", o.ID, paid, l.Periods, len(bills), points)
	case l.Extending != "":
		t.Errorf("%s: the line is still reserved for %s", o.ID, l.Extending)
	}
}

// Two tabs, a double tap, a form sent again: one order, one charge, one period.
func TestSameQuoteManyTimesIsOneOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		account, ln := s.customer(t, extendable, 48*time.Hour, 50_000)
		q := s.quote(t, account, ln, extendable)
		var wg sync.WaitGroup
		ids := make([]string, 8)
		for i := range ids {
			wg.Go(func() {
				o, err := s.place(t, q)
				if err != nil {
					t.Error(err)
				}
				ids[i] = o.ID
			})
		}
		wg.Wait()
		for _, id := range ids {
			if id != ids[0] {
				t.Fatalf("orders %v, want the same one", ids)
			}
		}
		if got := s.Sim.Asked(ids[0]); got != 1 {
			t.Errorf("operator asked %d times, want once", got)
		}
		s.judge(t, s.settle(t, order.Key{Account: account, ID: ids[0]}), ln, 50_000)
	})
}

// Two quotes for one line, both accepted: the second no longer gives what it
// promised, and is refused before anything is charged.
func TestSecondQuoteForARenewedLineIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		account, ln := s.customer(t, extendable, 48*time.Hour, 50_000)
		first, second := s.quote(t, account, ln, extendable), s.quote(t, account, ln, extendable)
		if _, err := s.place(t, first); err != nil {
			t.Fatal(err)
		}
		_, err := s.place(t, second)
		if fault.KindOf(err) != fault.Conflict {
			t.Fatalf("second order: %v, want a conflict", err)
		}
		if got := s.wallet(t, account); got != 50_000-first.Price.Minor {
			t.Errorf("wallet holds %d: charged for the refused order", got)
		}
	})
}

// What was not agreed is not charged.
func TestPlaceRefusesWhatWasNotAgreed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		account, ln := s.customer(t, extendable, 48*time.Hour, 1)
		q := s.quote(t, account, ln, extendable)
		tests := []struct {
			name   string
			change func(*order.Acceptance)
			after  time.Duration
			kind   fault.Kind
		}{
			{name: "another amount", change: func(a *order.Acceptance) { a.Amount.Minor-- }, kind: fault.Conflict},
			{name: "another currency", change: func(a *order.Acceptance) { a.Amount.Currency = "USD" }, kind: fault.Conflict},
			{name: "a wallet with too little", change: func(*order.Acceptance) {}, kind: fault.Invalid},
			{name: "a tool the shop does not have", change: func(a *order.Acceptance) { a.Tool = "paypal" }, kind: fault.Invalid},
			{name: "another customer's quote", change: func(a *order.Acceptance) { a.Account = s.Desk.IDs.Account() }, kind: fault.NotFound},
			{name: "an expired quote", change: func(*order.Acceptance) {}, after: 31 * time.Minute, kind: fault.Invalid},
		}
		for _, tt := range tests {
			s.Clock.Add(tt.after)
			a := order.Acceptance{Account: account, Quote: q.ID, Amount: q.Price, Tool: order.ToolWallet}
			tt.change(&a)
			if o, err := s.Desk.Place(t.Context(), a); fault.KindOf(err) != tt.kind {
				t.Errorf("%s: %+v, %v; want %s", tt.name, o, err, tt.kind)
			}
		}
		if l := s.line(t, account, ln); l.Extending != "" || l.Periods != 1 || s.wallet(t, account) != 1 {
			t.Errorf("something was changed: %+v", l)
		}
	})
}

// An operator that is silent for hours ends with a person or with the money
// back, never with a lost order; the customer hears within two minutes.
func TestSilentOperator(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		account, ln := s.customer(t, extendable, 48*time.Hour, 50_000)
		q := s.quote(t, account, ln, extendable)
		s.Sim.Choose = func(carrier.Extension) carriersim.Fault { return carriersim.LoseAnswer }
		o, err := s.place(t, q)
		if err != nil {
			t.Fatal(err)
		}
		s.Sim.Silence(true)
		for range 30 {
			s.work(t)
			s.Clock.Add(10 * time.Second)
		}
		if o = s.get(t, o.Ref()); o.State != order.Fulfilling || !o.Told {
			t.Fatalf("after five silent minutes: %s, told %t; want fulfilling and told", o.State, o.Told)
		}
		s.Sim.Silence(false)
		s.judge(t, s.settle(t, o.Ref()), ln, 50_000)
	})
}

// The states of an order's line never let it be renewed twice at once.
func TestLineIsReservedWhileTheOperatorThinks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		account, ln := s.customer(t, extendable, 48*time.Hour, 50_000)
		first, second := s.quote(t, account, ln, extendable), s.quote(t, account, ln, extendable)
		var during error
		s.Sim.Meanwhile = func(carrier.Extension) {
			if during == nil {
				_, during = s.place(t, second)
			}
		}
		if _, err := s.place(t, first); err != nil {
			t.Fatal(err)
		}
		if fault.KindOf(during) != fault.Conflict {
			t.Errorf("order placed during another: %v, want a conflict", during)
		}
		if l := s.line(t, account, ln); l.Periods != 2 || l.State != line.Active {
			t.Errorf("line: %+v", l)
		}
	})
}
