package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tsuzuku/tsuzuku/calls"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
)

const (
	// planID is a plan of the demo catalogue whose operator is the simulated
	// one and whose policy appends the new period.
	planID = "machi-5gb"

	// wallet is what each customer has, in yen: enough for one renewal.
	wallet = 10_000

	// stockSide is how many make quotes at the same time.
	stockSide = 32

	// stockSet is how many customers are made in one transaction.
	stockSet = 100

	// quoteTTL outlasts every measurement.
	quoteTTL = 24 * time.Hour
)

// shop is a desk with the demo catalogue, an operator that answers at once, and
// as many customers as a measurement needs.
type shop struct {
	db    *db.DB
	desk  *order.Desk
	sim   *carriersim.Sim
	plan  catalogue.Plan
	limit *limit

	sets    int // 0: customers one by one
	made    int // lots so far
	counted int // lots when the engine last counted its rows
	renewed int // lots that a turn used up
}

// lot is one customer with one line, ready to be renewed.
type lot struct {
	quote order.Quote
	order string // paid from the wallet and due; with sets only
}

// boundless is the budget of an operator that is never full: its calls are planned as
// those of every operator are, and never put off.
var boundless = calls.Budget{Rules: []calls.Rule{{Most: 1 << 20, Within: time.Second}}, AtOnce: 1 << 20}

func open(ctx context.Context, o Options) (_ *shop, err error) {
	d, err := db.Open(ctx, o.URL, db.Options{Now: o.Now})
	if err != nil {
		return nil, err
	}
	s := &shop{db: d, sets: o.Sets, sim: &carriersim.Sim{Title: "simple", Now: d.Now}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if d.Engine() != o.Engine {
		return nil, fault.New(fault.Invalid, "The database is %s and not %s. Name another one, or another engine.", d.Engine(), o.Engine)
	}
	if _, _, err := d.Migrate(ctx); err != nil {
		return nil, err
	}
	s.desk = &order.Desk{
		DB: d, IDs: id.NewSource(d.Now, rand.Reader), Shelf: &catalogue.Shelf{},
		Carriers: map[string]carrier.Carrier{s.sim.Name(): calls.New(s.sim, boundless, d.Now)},
		Wallet:   order.WalletFull, Log: slog.New(slog.DiscardHandler), QuoteTTL: quoteTTL, Set: o.Sets, Side: 1,
	}
	cat, err := db.Written(ctx, d, openShop)
	if err != nil {
		return nil, err
	}
	plan, ok := cat.Plan(planID)
	if !ok {
		return nil, fmt.Errorf("bench: the demo catalogue has no plan %s", planID)
	}
	s.plan = plan
	s.limit, err = openLimit(ctx, o.URL, s.desk.IDs, d.Now, cat)
	return s, err
}

// openShop puts the demo catalogue on sale in a database that nobody uses.
func openShop(ctx context.Context, tx db.Tx) (*catalogue.Catalogue, error) {
	var used bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM lines) OR EXISTS (SELECT 1 FROM catalogue_versions)`).Scan(&used)
	if err != nil {
		return nil, err
	}
	if used {
		return nil, fault.New(fault.Invalid, "This database is in use. Name an empty one: bench fills it with invented customers.")
	}
	cat, _, err := catalogue.Apply(ctx, tx, catalogue.DemoFile(), "bench")
	return cat, err
}

func (s *shop) close() error {
	var err error
	if s.limit != nil {
		err = s.limit.close()
	}
	return errors.Join(err, s.db.Close())
}

// byDesk is what is measured: the customers place their orders, which come back
// completed.
func (s *shop) byDesk(ctx context.Context, clients int, lots []lot) ([]time.Duration, error) {
	return s.race(ctx, clients, each(lots, s.place))
}

func (s *shop) place(ctx context.Context, l lot) error {
	o, err := s.desk.Place(ctx, acceptance(l.quote))
	if err == nil && o.State != order.Completed {
		err = fmt.Errorf("bench: order %s is %s and not completed", o.ID, o.State)
	}
	return err
}

func acceptance(q order.Quote) order.Acceptance {
	return order.Acceptance{Account: q.Account, Quote: q.ID, Amount: q.Price, Tool: order.ToolWallet}
}

// bySteps is what is measured with sets: workers step until nothing is due.
func (s *shop) bySteps(ctx context.Context, clients int, _ []lot) ([]time.Duration, error) {
	return s.race(ctx, clients, s.desk.Step)
}

func (s *shop) byLimit(ctx context.Context, clients int, lots []lot) ([]time.Duration, error) {
	return s.race(ctx, clients, each(lots, s.limit.renew))
}

func (s *shop) byLimitSets(ctx context.Context, clients int, lots []lot) ([]time.Duration, error) {
	sets := slices.Collect(slices.Chunk(lots, s.sets))
	next := make(chan []lot, len(sets))
	for _, set := range sets {
		next <- set
	}
	close(next)
	return s.race(ctx, clients, func(ctx context.Context) (bool, error) {
		set, more := <-next
		if !more {
			return false, nil
		}
		return true, s.limit.renewSet(ctx, set)
	})
}

// stock makes n customers, each with a running line, money in the wallet and a
// quote; with sets the quote is accepted too, and the order paid and due.
func (s *shop) stock(ctx context.Context, n int) ([]lot, error) {
	lots := make([]lot, n)
	for first := 0; first < n; first += stockSet {
		if err := s.customers(ctx, lots[first:min(first+stockSet, n)]); err != nil {
			return nil, err
		}
	}
	// An operator that cannot be reached leaves a placed order to the workers; its brake
	// does not get to see that.
	if s.sets > 0 {
		planned := s.desk.Carriers
		s.desk.Carriers = map[string]carrier.Carrier{s.sim.Name(): s.sim}
		s.sim.Silence(true)
		defer func() { s.sim.Silence(false); s.desk.Carriers = planned }()
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(stockSide)
	for i := range lots {
		g.Go(func() error { return s.offer(gctx, &lots[i]) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return lots, s.count(ctx, n)
}

// count has the engine count its rows whenever there are twice as many. The
// plans that PostgreSQL makes for an empty shop read whole tables, and it keeps
// them until its autovacuum has come round; it would not be the limit.
func (s *shop) count(ctx context.Context, more int) error {
	if s.made += more; s.made < 2*s.counted {
		return nil
	}
	s.counted = s.made
	return s.limit.analyse(ctx)
}

func (s *shop) customers(ctx context.Context, lots []lot) error {
	for i := range lots {
		account := s.desk.IDs.Account()
		lots[i].quote.Account, lots[i].quote.Line = account, s.desk.IDs.Under("ln", account)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		for _, l := range lots {
			if err := s.customer(ctx, tx, &b, l.quote.Account, l.quote.Line); err != nil {
				return err
			}
		}
		return tx.Batch(ctx, &b)
	})
}

func (s *shop) customer(ctx context.Context, tx db.Tx, b *db.Batch, account, ln string) error {
	started, ends := tx.Now().Add(-72*time.Hour), tx.Now().Add(48*time.Hour)
	err := line.Add(ctx, tx, line.Line{
		Account: account, ID: ln, Operator: s.plan.Operator, Plan: planID, ProfileID: "pf_" + ln,
		State: line.Active, StartedAt: started, EndsAt: ends, GraceEnds: ends, Periods: 1,
		Usage: line.Usage{Unlimited: true, Total: 5 << 30, Used: 1 << 30, AsOf: tx.Now().Add(-time.Hour)},
	})
	if err != nil {
		return err
	}
	line.AddPeriod(b, line.Period{
		Account: account, Line: ln, Number: 1, Plan: planID, Term: s.plan.Terms[0].ID, Effect: string(catalogue.Append),
		StartsAt: started, EndsAt: ends, State: line.PeriodActive,
	}, tx.Now())
	ledger.Posting{Account: account, Subject: "opening", Step: "opening", Transfers: []ledger.Transfer{
		{From: ledger.Opening, To: ledger.Wallet, Amount: money.Of(wallet, "JPY")},
	}}.AddTo(b, tx.Now())
	return nil
}

// offer makes a lot's quote, and with sets its paid order.
func (s *shop) offer(ctx context.Context, l *lot) (err error) {
	item := renewal.Item{Kind: renewal.Term, Plan: planID, ID: s.plan.Terms[0].ID}
	l.quote, err = s.desk.Quote(ctx, l.quote.Account, l.quote.Line, item, "JPY")
	if err != nil || s.sets == 0 {
		return err
	}
	o, err := s.desk.Place(ctx, acceptance(l.quote))
	if err == nil && o.State != order.Paid {
		err = fmt.Errorf("bench: order %s is %s and not paid", o.ID, o.State)
	}
	l.order = o.ID
	return err
}

// check fails unless everything that was counted is completed, and nothing else.
func (s *shop) check(ctx context.Context) error {
	done, err := db.Seen(ctx, s.db, func(ctx context.Context, tx db.Tx) (n int, err error) {
		err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM orders WHERE state = 'completed'`).Scan(&n)
		return n, err
	})
	if err == nil && done != s.renewed {
		err = fmt.Errorf("bench: %d renewals were counted and %d orders are completed", s.renewed, done)
	}
	return err
}
