package order_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/calls"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/order"
)

// two is a shop with two operators whose calls are planned. A line of one plan is
// fed by the one, of the other by the other.
func two(t tester, env dbtest.Env, b calls.Budget) (s *shop, near, far *calls.Operator, other *carriersim.Sim) {
	t.Helper()
	s = newShop(t, env)
	other = &carriersim.Sim{Title: "esimaccess", Now: env.Clock.Now}
	near, far = calls.New(s.Sim, b, env.Clock.Now), calls.New(other, b, env.Clock.Now)
	s.Desk.Carriers = map[string]carrier.Carrier{"simple": near, "esimaccess": far}
	return s, near, far, other
}

// waiting is a paid order that its operator has not been asked for: it could not be
// reached when the customer paid.
func (s *shop) waiting(t tester, sim *carriersim.Sim, plan string, endsIn time.Duration) order.Order {
	t.Helper()
	account, ln := s.customer(t, plan, endsIn, 10_000)
	q := s.quote(t, account, ln, plan)
	sim.Silence(true)
	o, err := s.place(t, q)
	sim.Silence(false)
	if err != nil || o.State != order.Paid {
		t.Fatalf("%s %v", o.State, err)
	}
	return o
}

// step takes one Step of orders.
func (s *shop) step(t tester) bool {
	t.Helper()
	worked, err := s.Desk.Step(t.Context())
	if err != nil {
		t.Error(err)
	}
	return worked
}

// An operator lets us do one order in two seconds. Orders that came later are begun
// first where their lines would go dark otherwise, and none goes dark; of the others
// who came first is first. The rows that find no room are left as they are.
func TestOrdersAreBegunByTheirDeadline(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s, _, _, _ := two(t, env, calls.Budget{Rules: []calls.Rule{{Most: 2, Within: 2 * time.Second}}})
		var all []order.Order
		names := map[string]string{}
		for _, one := range []struct {
			name   string
			endsIn time.Duration
		}{{"days", 72 * time.Hour}, {"weeks", 700 * time.Hour}, {"far", 14 * time.Second}, {"near", 6 * time.Second}, {"next", 4 * time.Second}} {
			o := s.waiting(t, s.Sim, extendable, one.endsIn)
			names[o.ID], all = one.name, append(all, o)
			env.Clock.Add(time.Millisecond)
		}
		var order []string
		s.Sim.Meanwhile = func(e carrier.Extension) { order = append(order, names[e.Ref]) }
		for range 30 {
			for s.step(t) {
			}
			env.Clock.Add(time.Second)
		}
		want := "next near"
		if got := strings.Join(order, " "); !strings.HasPrefix(got, want) || len(order) != len(all) || slices.Index(order, "days") > slices.Index(order, "weeks") {
			t.Errorf("begun: %s, want %s, the far one in time, and days before weeks", got, want)
		}
		for _, o := range all {
			o = s.get(t, o.Ref())
			if o.State != "completed" || o.Attempts > 1 {
				t.Errorf("%s is %s after %d attempts", names[o.ID], o.State, o.Attempts)
			}
			if ends := s.line(t, o.Account, o.Line).EndsAt; !ends.After(env.Clock.Now()) {
				t.Errorf("%s ended at %v", names[o.ID], ends)
			}
		}
	})
}

// One operator is silent. Its customers are told after two minutes and get their
// money back in the end, by the rules that there are without a brake; meanwhile it is
// left alone but for a question now and then. The other one's orders are done within
// the second, all the time. When it answers again, what waits is done.
func TestASilentOperatorCostsTheOtherNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s, near, far, other := two(t, env, calls.Budget{Rules: []calls.Rule{{Most: 8, Within: time.Second}}})
		var stuck []order.Order
		for range 6 {
			stuck = append(stuck, s.waiting(t, other, othersPlan, 48*time.Hour))
		}
		other.Silence(true)
		probes := 0
		for minute := range 150 {
			o := s.waiting(t, s.Sim, extendable, 48*time.Hour)
			for range 3 {
				for s.step(t) {
				}
				env.Clock.Add(20 * time.Second)
			}
			if asked, err := s.Desk.OperatorStep(t.Context()); err != nil {
				t.Fatal(err)
			} else if asked {
				probes++
			}
			if got := s.get(t, o.Ref()); got.State != order.Completed || got.CompletedAt.Sub(o.PaidAt) > time.Second {
				t.Fatalf("minute %d: the other operator's order is %s since %v", minute, got.State, got.CompletedAt.Sub(o.PaidAt))
			}
			if minute == 3 {
				for _, o := range stuck {
					if n := s.letters(t, o, message.OrderStillWorking); n != 1 {
						t.Errorf("told %d times after %d minutes", n, minute+1)
					}
				}
				if far.Look().State != calls.Braked || near.Look().State != calls.Well {
					t.Errorf("silent %+v, other %+v", far.Look(), near.Look())
				}
			}
			if minute == 9 { // one more, for later
				stuck = append(stuck, s.waiting(t, other, othersPlan, 48*time.Hour))
				other.Silence(true)
			}
			if minute == 12 {
				break
			}
		}
		if asked := far.Look().Totals.Calls; probes == 0 || asked > 5*12 {
			t.Errorf("%d questions, %d calls to a silent operator", probes, asked)
		}
		other.Silence(false)
		env.Clock.Set(far.Look().Until)
		far.Probe(t.Context())
		for _, o := range stuck {
			if got := s.settle(t, o.Ref()); got.State != order.Completed {
				t.Errorf("%s: %s", got.State, got.Evidence)
			}
		}
	})
}

// It never answers: within some two hours all money is back, although no call was
// made to it for most of that time.
func TestABrakeKeepsTheRefundsRules(t *testing.T) {
	env := dbtest.SQLite(t)
	s, _, far, other := two(t, env, calls.Budget{})
	var stuck []order.Order
	for range 6 {
		stuck = append(stuck, s.waiting(t, other, othersPlan, 48*time.Hour))
	}
	other.Silence(true)
	for range 2 * 60 * 3 {
		s.work(t)
		env.Clock.Add(20 * time.Second)
	}
	for _, o := range stuck {
		if got := s.get(t, o.Ref()); got.State != order.Refunded || got.Reason != "operator_away" {
			t.Errorf("%s (%s): %s", got.State, got.Reason, got.Evidence)
		}
	}
	if far.Look().State != calls.Braked {
		t.Errorf("%+v", far.Look())
	}
}

// letters is how many letters of a kind were queued about an order.
func (s *shop) letters(t tester, o order.Order, k message.Kind) (n int) {
	t.Helper()
	err := s.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM messages WHERE account_id = $1 AND order_id = $2 AND kind = $3`, o.Account, o.ID, k).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// One operator hangs, and holds every call until it is let go. As many workers as a
// may be busy with it carry on with the other's orders.
func TestAHangingOperatorLeavesWorkers(t *testing.T) {
	env := dbtest.SQLite(t)
	s, _, _, other := two(t, env, calls.Budget{})
	planned := s.Desk.Carriers
	s.Desk.Carriers = map[string]carrier.Carrier{"simple": s.Sim, "esimaccess": other} // so many in a row would brake them
	var stuck, well []order.Order
	for range 30 {
		stuck = append(stuck, s.waiting(t, other, othersPlan, 48*time.Hour))
	}
	env.Clock.Add(time.Second) // the others have come later
	for range 10 {
		well = append(well, s.waiting(t, s.Sim, extendable, 48*time.Hour))
	}
	s.Desk.Carriers = planned
	const side = 4
	letGo, hangs := make(chan struct{}), make(chan struct{}, len(stuck))
	other.Meanwhile = func(carrier.Extension) {
		hangs <- struct{}{}
		<-letGo
	}
	s.Desk.Side, s.Desk.Set = side, 10
	var wg sync.WaitGroup
	for range order.Workers {
		wg.Go(func() {
			for worked := true; worked; { // one may be faster with the same rows
				var err error
				if worked, err = s.Desk.Step(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range order.Workers * side {
		<-hangs
	}
	for s.step(t) {
	}
	for _, o := range well {
		if got := s.get(t, o.Ref()); got.State != order.Completed {
			t.Errorf("an order of the operator that answers is %s", got.State)
		}
	}
	close(letGo)
	wg.Wait()
}

// Looks leave room for orders, are made in the order in which they became due, and
// what finds no room stays due.
func TestLooksArePlanned(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s, _, _, _ := two(t, env, calls.Budget{Rules: []calls.Rule{{Most: 4, Within: time.Second}}})
		for range 9 {
			account, ln := s.customer(t, extendable, 48*time.Hour, 0)
			s.write(t, func(ctx context.Context, tx db.Tx) error { return line.LookSoon(ctx, tx, account, ln) })
		}
		for second, want := range []int{6, 3, 0} {
			for range 5 {
				if _, err := s.Desk.LookStep(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			var due int
			if err := s.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
				return tx.QueryRow(ctx, `SELECT COUNT(*) FROM lines WHERE look_at <= $1`, db.At(tx.Now())).Scan(&due)
			}); err != nil {
				t.Fatal(err)
			}
			if due != want {
				t.Errorf("second %d: %d still due, want %d", second, due, want)
			}
			env.Clock.Add(time.Second)
		}
	})
}

// So many orders wait for an operator without room that a worker's first look at the
// queue shows no others: it looks further, and the other operator's order is done.
func TestALongQueueHidesNobody(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s, _, _, other := two(t, env, calls.Budget{Rules: []calls.Rule{{Most: 2, Within: time.Minute}}})
		last := s.waiting(t, other, othersPlan, 48*time.Hour)
		env.Clock.Add(40 * time.Second)
		long := s.waiting(t, s.Sim, extendable, 48*time.Hour) // this spent the room of a minute
		const more = 500
		s.write(t, func(ctx context.Context, tx db.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO orders (account_id, id, state, customer_key, input_digest, kind, line_id, plan_id, item_id, catalogue_version,
					minor, currency, tool, effect, bytes, periods, anchor, due_at, expires_at, placed_at, paid_at, updated_at)
				WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $3)
				SELECT account_id, id || i, state, customer_key || i, input_digest, kind, line_id, plan_id, item_id, catalogue_version,
					minor, currency, tool, effect, bytes, periods, anchor, placed_at - 3600000000, expires_at, placed_at, paid_at, updated_at
				  FROM orders, n WHERE account_id = $1 AND id = $2`, long.Account, long.ID, more)
			return err
		})
		env.Clock.Add(21 * time.Second)
		for s.step(t) {
		}
		if got := s.get(t, last.Ref()); got.State != order.Completed {
			t.Errorf("behind %d orders of another operator, an order is %s", more, got.State)
		}
		if got := s.get(t, long.Ref()); got.State != order.Paid || got.Attempts != long.Attempts {
			t.Errorf("an order without room is %s after %d attempts", got.State, got.Attempts)
		}
	})
}

// An operator was away for eighteen minutes, so that its orders are tried every few
// minutes only. When it answers again they are begun at once, and those of the operator
// that is still away are left as they are.
func TestOrdersAreBegunWhenTheirOperatorIsBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s, near, _, other := two(t, env, calls.Budget{})
		back, away := s.waiting(t, s.Sim, extendable, 48*time.Hour), s.waiting(t, other, othersPlan, 48*time.Hour)
		s.Sim.Silence(true)
		other.Silence(true)
		for range 18 * 3 {
			for s.step(t) {
			}
			for range 5 { // enough for the brake
				_, _ = near.Balance(t.Context())
			}
			if _, err := s.Desk.OperatorStep(t.Context()); err != nil {
				t.Fatal(err)
			}
			env.Clock.Add(20 * time.Second)
		}
		env.Clock.Set(near.Look().Until)
		before := s.get(t, away.Ref())
		if o := s.get(t, back.Ref()); o.DueAt.Sub(env.Clock.Now()) < time.Minute || before.DueAt.Sub(env.Clock.Now()) < time.Minute {
			t.Fatalf("tried at %v and %v, and it is %v: nothing is shown", o.DueAt, before.DueAt, env.Clock.Now())
		}
		s.Sim.Silence(false)
		if _, err := s.Desk.OperatorStep(t.Context()); err != nil {
			t.Fatal(err)
		}
		for s.step(t) {
		}
		if o := s.get(t, back.Ref()); o.State != order.Completed {
			t.Errorf("its operator is back, and it is %s until %v", o.State, o.DueAt)
		}
		if o := s.get(t, away.Ref()); o.DueAt != before.DueAt || o.Attempts != before.Attempts {
			t.Errorf("its operator is away, and it was tried again: due %v, was %v", o.DueAt, before.DueAt)
		}
	})
}
