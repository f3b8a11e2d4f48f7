package order_test

import (
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/order"
)

// At midnight orders of one account and orders of one line are in one set: the
// lines of an account are renewed together, and of two orders for one line
// first is, and the second gets its money back.
func TestSetWithSeveralOrdersOfOneAccount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		account, first := s.customer(t, extendable, 48*time.Hour, 50_000)
		lines := []string{first, s.another(t, account, extendable, 48*time.Hour), s.another(t, account, extendable, 48*time.Hour)}
		quotes := []order.Quote{}
		for _, ln := range append(lines, first) {
			quotes = append(quotes, s.quote(t, account, ln, extendable))
		}
		s.Sim.Silence(true)
		orders := []order.Order{}
		for _, q := range quotes {
			o, err := s.place(t, q)
			if err != nil || o.State != order.Paid {
				t.Fatalf("order %+v, %v; want it paid and waiting", o, err)
			}
			orders = append(orders, o)
		}
		s.Sim.Silence(false)
		if worked, err := s.Desk.Step(t.Context()); !worked || err != nil {
			t.Fatalf("worked %t, err %v", worked, err)
		}
		ends := map[order.State]int{}
		for _, o := range orders[1:3] {
			if o = s.get(t, o.Ref()); o.State != order.Completed {
				t.Errorf("order of another line is %s (%s) after the step, want completed", o.State, o.Reason)
			}
		}
		for _, o := range []order.Order{orders[0], orders[3]} {
			ends[s.settle(t, o.Ref()).State]++
		}
		if ends[order.Completed] != 1 || ends[order.Refunded] != 1 {
			t.Errorf("two orders of one line end %v, want one completed and one refunded", ends)
		}
		price, points := quotes[0].Price.Minor, int64(0)
		for _, ln := range lines {
			if l := s.line(t, account, ln); l.Periods != 2 || l.Extending != "" {
				t.Errorf("line after the set: %+v", l)
			}
		}
		if _, points = s.documents(t, account, orders[0].ID); points != 3*(price/100) {
			t.Errorf("%d points for three renewals, want %d", points, 3*(price/100))
		}
		if got := s.wallet(t, account); got != 50_000-3*price {
			t.Errorf("wallet holds %d, want %d", got, 50_000-3*price)
		}
	})
}
