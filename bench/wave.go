package bench

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/tsuzuku/tsuzuku/calls"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// This file is a night on which many lines end at the same instant: how many of
// those that were paid in time go dark, by the plan of calls that a server has, and
// by the order of arrival. The desk, the plan and the database are the shop's; the
// clock is moved, the operator is simulated and answers at once, and nothing is
// measured in real time.

// WaveOptions say which night.
type WaveOptions struct {
	Lines int    // that end at midnight
	RPS   int    // requests that the operator allows in a second
	Seed  uint64 // decides who comes when

	Progress io.Writer // nil: nobody looks
}

// The night. Of the lines that end, renewers of 100 are renewed: half of these at
// any time of the last hour, half in its last tenth, where the reminder of the end
// reaches people. Beside them come others, of 100 lines that end, whose own lines
// have days left. Each order is two requests. Every line that ends is looked at each
// half hour, as in the last hours of a line.
const (
	renewers  = 40
	others    = 10
	waveLasts = time.Hour
	rush      = waveLasts / 10
	waveAfter = 20 * time.Minute // how long the shop goes on
	lookEvery = 30 * time.Minute
	linesMost = 100_000
)

var midnight = time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC) // in Japan

// WaveResult is what came of a night.
type WaveResult struct {
	Lines         int    `json:"lines"`
	RPS           int    `json:"rps"`
	Seed          uint64 `json:"seed"`
	Orders        int    `json:"orders"` // paid before midnight for lines that end then
	Others        int    `json:"others"` // for lines with days left
	Dark          int    `json:"dark"`   // of Orders: the line ended before it was extended
	DarkFirstCome int    `json:"dark_first_come"`

	Calls          int `json:"calls"`
	CallsFirstCome int `json:"calls_first_come"`
	Looks          int `json:"looks"`
	LooksFirstCome int `json:"looks_first_come"`

	// How long people waited for their order, from payment.
	P50          Thousandth `json:"wait_p50_ms"`
	P99          Thousandth `json:"wait_p99_ms"`
	P50FirstCome Thousandth `json:"wait_p50_ms_first_come"`
	P99FirstCome Thousandth `json:"wait_p99_ms_first_come"`
}

// buyer is somebody who renews a line.
type buyer struct {
	account, line string
	at            time.Time
	ends          bool // their line ends at midnight
	order         string
}

// wave is one night in one shop.
type wave struct {
	WaveOptions
	shop   *shop
	plan   *calls.Operator
	clock  time.Time
	lines  []line.Ref  // that end at midnight
	looks  []time.Time // when each of them is first looked at
	buyers []buyer     // by the time at which they come
}

// Wave lets a night pass. It fails with [fault.Invalid] for options that make no
// sense.
func Wave(ctx context.Context, o WaveOptions) (WaveResult, error) {
	if o.Lines < 1 || o.Lines > linesMost || o.RPS < 1 || o.RPS > 1000 {
		return WaveResult{}, fault.New(fault.Invalid, "Let 1 to %d lines end, at an operator that takes 1 to 1000 calls a second.", linesMost)
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	w := &wave{WaveOptions: o, clock: midnight.Add(-waveLasts)}
	if err := w.open(ctx); err != nil {
		return WaveResult{}, err
	}
	r, err := w.run(ctx)
	return r, errors.Join(err, w.shop.db.Close())
}

func (w *wave) open(ctx context.Context) (err error) {
	now := func() time.Time { return w.clock }
	d, err := db.Open(ctx, ":memory:", db.Options{Now: now})
	if err != nil {
		return err
	}
	s := &shop{db: d, sim: &carriersim.Sim{Title: "simple", Now: now}}
	w.shop = s
	w.plan = calls.New(s.sim, calls.Budget{Rules: []calls.Rule{{Most: w.RPS, Within: time.Second}}}, now)
	random := rand.NewChaCha8(sha256.Sum256(fmt.Appendf(nil, "wave %d", w.Seed)))
	s.desk = &order.Desk{
		DB: d, IDs: id.NewSource(now, random), Shelf: &catalogue.Shelf{}, Carriers: map[string]carrier.Carrier{s.sim.Name(): w.plan},
		Wallet: order.WalletFull, Log: slog.New(slog.DiscardHandler), Side: 1, Set: 100,
	}
	if _, _, err := d.Migrate(ctx); err != nil {
		return errors.Join(err, d.Close())
	}
	cat, err := db.Written(ctx, d, openShop)
	if err != nil {
		return errors.Join(err, d.Close())
	}
	s.plan, _ = cat.Plan(planID)
	if err := w.draw(ctx, rand.New(random)); err != nil { //nolint:gosec // a night that can be drawn again
		return errors.Join(err, d.Close())
	}
	return nil
}

// draw makes the lines, and decides who comes when.
func (w *wave) draw(ctx context.Context, r *rand.Rand) error {
	lots := make([]lot, w.Lines+w.Lines*others/100)
	for first := 0; first < len(lots); first += stockSet {
		if err := w.shop.customers(ctx, lots[first:min(first+stockSet, len(lots))]); err != nil {
			return err
		}
	}
	begins := midnight.Add(-waveLasts)
	for i, l := range lots {
		b := buyer{account: l.quote.Account, line: l.quote.Line, ends: i < w.Lines}
		b.at = begins.Add(time.Duration(r.Int64N(int64(waveLasts))))
		if b.ends && r.IntN(2) == 0 {
			b.at = midnight.Add(-time.Duration(r.Int64N(int64(rush)) + 1))
		}
		b.at = b.at.Truncate(time.Millisecond)
		if b.ends {
			w.lines = append(w.lines, line.Ref{Account: b.account, ID: b.line})
			w.looks = append(w.looks, begins.Add(time.Duration(r.Int64N(int64(lookEvery)))).Truncate(time.Millisecond))
		}
		if !b.ends || r.IntN(100) < renewers {
			w.buyers = append(w.buyers, b)
		}
	}
	slices.SortFunc(w.buyers, func(a, b buyer) int { return a.at.Compare(b.at) })
	return w.shop.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		for i, l := range w.lines {
			b.Row(`UPDATE lines SET ends_at = column3, grace_ends_at = column3, look_at = column4
				FROM (VALUES ($1,$2,CAST($3 AS bigint),CAST($4 AS bigint))) AS v WHERE account_id = column1 AND id = column2`,
				l.Account, l.ID, db.At(midnight), db.At(w.looks[i]))
			w.shop.sim.Set("pf_"+l.ID, carrier.Status{State: carrier.LineActive})
		}
		return tx.Batch(ctx, &b)
	})
}

// run lets the night pass, second by second.
func (w *wave) run(ctx context.Context) (WaveResult, error) {
	next := 0
	for at := w.clock; at.Before(midnight.Add(waveAfter)); at = at.Add(time.Second) {
		for ; next < len(w.buyers) && w.buyers[next].at.Before(at); next++ {
			w.clock = w.buyers[next].at
			if err := w.comes(ctx, &w.buyers[next]); err != nil {
				return WaveResult{}, err
			}
		}
		w.clock = at
		for _, step := range []func(context.Context) (bool, error){w.shop.desk.Step, w.shop.desk.LookStep} {
			for worked := true; worked; {
				var err error
				if worked, err = step(ctx); err != nil {
					return WaveResult{}, err
				}
			}
		}
		if minutes := midnight.Sub(at) / time.Minute; at.Second() == 0 && minutes%10 == 0 {
			fmt.Fprintf(w.Progress, "%d min %s midnight\n", max(minutes, -minutes), map[bool]string{false: "before", true: "after"}[minutes < 0])
		}
	}
	return w.judge(ctx)
}

// comes is one customer who renews, from the wallet.
func (w *wave) comes(ctx context.Context, b *buyer) error {
	item := renewal.Item{Kind: renewal.Term, Plan: planID, ID: w.shop.plan.Terms[0].ID}
	q, err := w.shop.desk.Quote(ctx, b.account, b.line, item, "JPY")
	if err != nil {
		return err
	}
	o, err := w.shop.desk.Place(ctx, acceptance(q))
	b.order = o.ID
	return err
}

// judge compares what came of it with the order of arrival.
func (w *wave) judge(ctx context.Context) (WaveResult, error) {
	r := WaveResult{Lines: w.Lines, RPS: w.RPS, Seed: w.Seed, Calls: w.plan.Look().Totals.Calls}
	var waits []time.Duration
	served := 0
	for _, b := range w.buyers {
		o, err := db.Seen(ctx, w.shop.db, func(ctx context.Context, tx db.Tx) (order.Order, error) {
			return order.Get(ctx, tx, order.Key{Account: b.account, ID: b.order})
		})
		if err != nil {
			return r, err
		}
		done := o.CompletedAt
		if o.State != order.Completed {
			done = w.clock
		} else {
			served += 2
		}
		waits = append(waits, done.Sub(o.PaidAt))
		switch {
		case !b.ends:
			r.Others++
		case !done.Before(midnight):
			r.Orders, r.Dark = r.Orders+1, r.Dark+1
		default:
			r.Orders++
		}
	}
	r.Looks = r.Calls - served
	r.P50, r.P99 = percentile(waits, 50), percentile(waits, 99)
	w.firstCome(&r)
	return r, nil
}

// firstCome serves the same people and the same looks in the order in which they
// come, with as many requests in each second.
func (w *wave) firstCome(r *WaveResult) {
	type asker struct {
		at   time.Time
		b    *buyer // nil: a look
		ends bool
	}
	var queue []asker
	for i, b := range w.buyers {
		queue = append(queue, asker{b.at, &w.buyers[i], b.ends})
	}
	for _, at := range w.looks {
		queue = append(queue, asker{at: at})
	}
	less := func(a, b asker) int { return a.at.Compare(b.at) }
	slices.SortStableFunc(queue, less)
	var waits []time.Duration
	rule := w.plan.Budget().Rules[0]
	for at := midnight.Add(-waveLasts); at.Before(midnight.Add(waveAfter)); at = at.Add(rule.Within) {
		for room := rule.Most; len(queue) > 0 && queue[0].at.Before(at); {
			q := queue[0]
			cost := 1
			if q.b != nil {
				cost = 2
			}
			if cost > room {
				break
			}
			queue, room, r.CallsFirstCome = queue[1:], room-cost, r.CallsFirstCome+cost
			switch again := at.Add(lookEvery); {
			case q.b != nil:
				waits = append(waits, at.Sub(q.at))
				if q.ends && !at.Before(midnight) {
					r.DarkFirstCome++
				}
			case again.Before(midnight):
				r.LooksFirstCome++
				place, _ := slices.BinarySearchFunc(queue, asker{at: again}, less)
				queue = slices.Insert(queue, place, asker{at: again})
			default:
				r.LooksFirstCome++
			}
		}
	}
	r.P50FirstCome, r.P99FirstCome = percentile(waits, 50), percentile(waits, 99)
}

// Report prints the result: one JSON object for programs, a table for people.
func (r WaveResult) Report(programs, people io.Writer) error {
	out, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(programs, "%s\n", out); err != nil {
		return err
	}
	t := tabwriter.NewWriter(people, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, err = fmt.Fprintf(t, `%d lines end at midnight, %d calls/s, %d of them renewed, %d others
	dark	calls	looks	wait p50 ms	wait p99 ms	
planned	%d	%d	%d	%s	%s	
first come	%d	%d	%d	%s	%s	
`, r.Lines, r.RPS, r.Orders, r.Others, r.Dark, r.Calls, r.Looks, r.P50, r.P99,
		r.DarkFirstCome, r.CallsFirstCome, r.LooksFirstCome, r.P50FirstCome, r.P99FirstCome)
	if err != nil {
		return err
	}
	return t.Flush()
}
