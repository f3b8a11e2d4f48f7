package order_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// tester is a test, or one case of a property.
type tester interface {
	rapid.TB
	Context() context.Context
}

// shop is a desk with the demo catalogue, one simulated operator and customers
// that are made on demand.
type shop struct {
	dbtest.Env
	Desk *order.Desk
	Sim  *carriersim.Sim
}

func newShop(t tester, env dbtest.Env) *shop {
	t.Helper()
	s := &shop{Env: env, Sim: &carriersim.Sim{Title: "simple", Now: env.Clock.Now}}
	s.Desk = &order.Desk{
		DB: env.DB, IDs: id.NewSource(env.Clock.Now, rand.Reader), Shelf: shelfOf(t, env.DB),
		Carriers: map[string]carrier.Carrier{"simple": s.Sim},
		Wallet:   order.WalletFull, Log: slog.New(slog.DiscardHandler),
	}
	return s
}

// Reading the demo catalogue takes longer than most of what is tested here, so
// it is read once, and once for each database.
var (
	demo    = sync.OnceValue(catalogue.Demo)
	shelves sync.Map // by *db.DB
)

func shelfOf(t tester, d *db.DB) *catalogue.Shelf {
	t.Helper()
	shelf, known := shelves.LoadOrStore(d, &catalogue.Shelf{})
	if !known {
		err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			_, _, err := catalogue.Apply(ctx, tx, catalogue.DemoFile(), "test")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return shelf.(*catalogue.Shelf)
}

func (s *shop) write(t tester, fn func(context.Context, db.Tx) error) {
	t.Helper()
	if err := s.DB.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// customer makes an account with a line of a plan that ends after so long, and
// yen in the wallet.
func (s *shop) customer(t tester, plan string, endsIn time.Duration, yen int64) (account, lineID string) {
	t.Helper()
	account = s.Desk.IDs.Account()
	if yen > 0 {
		s.write(t, func(ctx context.Context, tx db.Tx) error {
			return ledger.Post(ctx, tx, ledger.Posting{Account: account, Subject: "opening", Step: "opening", Transfers: []ledger.Transfer{
				{From: ledger.Opening, To: ledger.Wallet, Amount: money.Of(yen, "JPY")},
			}})
		})
	}
	return account, s.another(t, account, plan, endsIn)
}

// another gives an account another line.
func (s *shop) another(t tester, account, plan string, endsIn time.Duration) (lineID string) {
	t.Helper()
	lineID = s.Desk.IDs.Under("ln", account)
	cat := demo()
	p, ok := cat.Plan(plan)
	if !ok {
		t.Fatalf("no plan %s", plan)
	}
	op, _ := cat.Operator(p.Operator)
	loc, err := op.Zone.Location()
	if err != nil {
		t.Fatal(err)
	}
	now := s.Clock.Now()
	ends := now.Add(endsIn)
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		if err := line.Add(ctx, tx, line.Line{
			Account: account, ID: lineID, Operator: op.ID, Plan: plan, ProfileID: "pf_" + lineID, ICCID: "",
			State: line.Active, StartedAt: now.Add(-72 * time.Hour), EndsAt: ends, GraceEnds: renewal.GraceEnd(p, ends, loc), Periods: 1,
			Usage: line.Usage{Unlimited: p.Kind != catalogue.Volume, Total: 3 << 30, Used: 1 << 30, AsOf: now.Add(-time.Hour)},
		}); err != nil {
			return err
		}
		var b db.Batch
		line.AddPeriod(&b, line.Period{
			Account: account, Line: lineID, Number: 1, Plan: plan, Term: p.Terms[0].ID, Effect: "append",
			StartsAt: now.Add(-72 * time.Hour), EndsAt: ends, State: line.PeriodActive,
		}, tx.Now())
		return tx.Batch(ctx, &b)
	})
	return lineID
}

// quote fixes the first term of the line's plan in yen.
func (s *shop) quote(t tester, account, lineID, plan string) order.Quote {
	t.Helper()
	p, _ := demo().Plan(plan)
	q, err := s.Desk.Quote(t.Context(), account, lineID, renewal.Item{Kind: renewal.Term, Plan: plan, ID: p.Terms[0].ID}, "JPY")
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func (s *shop) place(t tester, q order.Quote) (order.Order, error) {
	t.Helper()
	return s.Desk.Place(t.Context(), order.Acceptance{Account: q.Account, Quote: q.ID, Amount: q.Price, Tool: order.ToolWallet})
}

func (s *shop) get(t tester, k order.Key) order.Order {
	t.Helper()
	o, err := db.Seen(t.Context(), s.DB, func(ctx context.Context, tx db.Tx) (order.Order, error) { return order.Get(ctx, tx, k) })
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (s *shop) wallet(t tester, account string) int64 {
	t.Helper()
	m, err := db.Seen(t.Context(), s.DB, func(ctx context.Context, tx db.Tx) (money.Money, error) {
		return ledger.Balance(ctx, tx, account, ledger.Wallet, "JPY")
	})
	if err != nil {
		t.Fatal(err)
	}
	return m.Minor
}

func (s *shop) line(t tester, account, id string) line.Line {
	t.Helper()
	l, err := db.Seen(t.Context(), s.DB, func(ctx context.Context, tx db.Tx) (line.Line, error) { return line.Get(ctx, tx, account, id) })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// work runs every step until nothing is due at this instant.
func (s *shop) work(t tester) {
	t.Helper()
	for range 100 {
		worked := false
		for _, step := range []func(context.Context) (bool, error){s.Desk.Step, s.Desk.PaymentStep, s.Desk.RefundStep} {
			w, err := step(t.Context())
			if err != nil {
				t.Error(err)
			}
			worked = worked || w
		}
		if !worked {
			return
		}
	}
	t.Error("the work never ends")
}

// settle lets time pass in small steps until the order is final or held.
func (s *shop) settle(t tester, k order.Key) order.Order {
	t.Helper()
	for range 200 {
		s.work(t)
		if o := s.get(t, k); o.State.Final() || o.State == order.Held {
			return o
		}
		s.Clock.Add(20 * time.Second)
	}
	t.Fatalf("order %s is still %s", k.ID, s.get(t, k).State)
	return order.Order{}
}
