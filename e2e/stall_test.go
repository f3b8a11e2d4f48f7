package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/billing"
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

// stall is the smallest shop there is: a desk, a simulated operator in the same
// process, and customers who have a line and yen in the wallet. It is for faults
// of the database, where nobody else may be the reason.
type stall struct {
	db        *db.DB
	clock     *dbtest.Clock
	desk      *order.Desk
	numbering *billing.Numbering
	sim       *carriersim.Sim
}

const stallWallet = 10_000

func newStall(d *db.DB, clock *dbtest.Clock) *stall {
	s := &stall{db: d, clock: clock, sim: &carriersim.Sim{Title: "simple", Now: clock.Now}, numbering: &billing.Numbering{DB: d}}
	s.desk = &order.Desk{
		DB: d, IDs: id.NewSource(clock.Now, rand.Reader), Shelf: &catalogue.Shelf{},
		Carriers: map[string]carrier.Carrier{"simple": s.sim},
		Wallet:   order.WalletFull, QuoteTTL: 24 * time.Hour, Log: slog.New(slog.DiscardHandler),
	}
	return s
}

// stock opens the catalogue and makes n customers, each with a quote.
func (s *stall) stock(ctx context.Context, n int) ([]order.Quote, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, _, err := catalogue.Apply(ctx, tx, catalogue.DemoFile(), "e2e")
		return err
	})
	if err != nil {
		return nil, err
	}
	plan, ok := catalogue.Demo().Plan(simplePlan)
	if !ok {
		return nil, errors.New("no plan " + simplePlan)
	}
	quotes := make([]order.Quote, n)
	for i := range quotes {
		account := s.desk.IDs.Account()
		ln := s.desk.IDs.Under("ln", account)
		err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return addCustomer(ctx, tx, plan, account, ln) })
		if err != nil {
			return nil, err
		}
		item := renewal.Item{Kind: renewal.Term, Plan: simplePlan, ID: plan.Terms[0].ID}
		if quotes[i], err = s.desk.Quote(ctx, account, ln, item, "JPY"); err != nil {
			return nil, err
		}
	}
	return quotes, nil
}

func addCustomer(ctx context.Context, tx db.Tx, plan catalogue.Plan, account, ln string) error {
	began, ends := tx.Now().Add(-72*time.Hour), tx.Now().Add(48*time.Hour)
	err := line.Add(ctx, tx, line.Line{
		Account: account, ID: ln, Operator: plan.Operator, Plan: plan.ID, ProfileID: "pf_" + ln,
		State: line.Active, StartedAt: began, EndsAt: ends, GraceEnds: ends, Periods: 1,
		Usage: line.Usage{Unlimited: true, Total: 5 << 30, Used: 1 << 30, AsOf: tx.Now().Add(-time.Hour)},
	})
	if err != nil {
		return err
	}
	var b db.Batch
	line.AddPeriod(&b, line.Period{
		Account: account, Line: ln, Number: 1, Plan: plan.ID, Term: plan.Terms[0].ID, Effect: string(catalogue.Append),
		StartsAt: began, EndsAt: ends, State: line.PeriodActive,
	}, tx.Now())
	ledger.Posting{Account: account, Subject: "opening", Step: "opening", Transfers: []ledger.Transfer{
		{From: ledger.Opening, To: ledger.Wallet, Amount: money.Of(stallWallet, "JPY")},
	}}.AddTo(&b, tx.Now())
	return tx.Batch(ctx, &b)
}

func (s *stall) place(ctx context.Context, q order.Quote) (order.Order, error) {
	return s.desk.Place(ctx, order.Acceptance{Account: q.Account, Quote: q.ID, Amount: q.Price, Tool: order.ToolWallet})
}

// settle works and lets time pass until every order has ended.
func (s *stall) settle(ctx context.Context) error {
	for range 100 {
		for worked := true; worked; {
			w, err := s.desk.Step(ctx)
			if err != nil {
				return err
			}
			n, err := s.numbering.Step(ctx)
			if err != nil {
				return err
			}
			worked = w || n
		}
		open, err := db.Seen(ctx, s.db, func(ctx context.Context, tx db.Tx) (n int, err error) {
			err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM orders WHERE state NOT IN ('completed', 'refunded', 'cancelled')`).Scan(&n)
			return n, err
		})
		if err != nil || open == 0 {
			return err
		}
		s.clock.Add(20 * time.Second)
	}
	return errors.New("some orders never end")
}

// judge compares the books with what the operator did, customer by customer, and
// says everything that is wrong. Nobody sends letters here, so those that wait
// are nothing wrong.
func (s *stall) judge(ctx context.Context, quotes []order.Quote) (ends map[string]int, wrong []error) {
	ends = map[string]int{}
	for _, q := range quotes {
		end, err := s.judgeOne(ctx, q)
		ends[end]++
		if err != nil {
			wrong = append(wrong, err)
		}
	}
	found, err := audit.Run(ctx, s.db)
	if err != nil {
		wrong = append(wrong, err)
	}
	for _, v := range found {
		if v.Check != "message_late" {
			wrong = append(wrong, fmt.Errorf("audit: %s", v))
		}
	}
	return ends, wrong
}

func (s *stall) judgeOne(ctx context.Context, q order.Quote) (end string, err error) {
	var o order.Order
	var placed bool
	var wallet money.Money
	var l line.Line
	err = s.db.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if o, placed, err = order.ByQuote(ctx, tx, q.Account, q.ID); err != nil {
			return err
		}
		if wallet, err = ledger.Balance(ctx, tx, q.Account, ledger.Wallet, "JPY"); err != nil {
			return err
		}
		l, err = line.Get(ctx, tx, q.Account, q.Line)
		return err
	})
	if err != nil {
		return "", err
	}
	type outcome struct {
		extended, periods int
		wallet            int64
	}
	want := outcome{0, 1, stallWallet}
	if o.State == order.Completed {
		want = outcome{1, 2, stallWallet - q.Price.Minor}
	}
	end = string(o.State)
	if !placed {
		end = "not placed"
	}
	if got := (outcome{s.sim.Extended(o.ID), l.Periods, wallet.Minor}); got != want || l.Extending != "" {
		err = fmt.Errorf("%s, %s: %+v, want %+v; reserved for %q", q.ID, end, got, want, l.Extending)
	}
	return end, err
}
