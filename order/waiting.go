package order

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/support"
)

// Waiting is what waits for the answer of strangers, counted over all accounts. It
// names nobody.
type Waiting struct {
	Orders    map[Asked]Queue  // orders, by whom they are asked of
	Providers map[string]Queue // payments, by the provider that was asked
	Held      map[Asked]int    // orders with which a person helps because of the operator
}

// Asked is whom orders are asked of: the operator of a plan, or another one that feeds
// the line, or was chosen to make it.
type Asked struct{ Plan, Operator string }

// Of is the operator, in a catalogue.
func (a Asked) Of(cat *catalogue.Catalogue) string {
	plan, _ := cat.Plan(a.Plan)
	return cmp.Or(a.Operator, plan.Operator)
}

// Queue is how many wait, and since when.
type Queue struct {
	Count int
	Since time.Time // the longest
}

// answersWithin is how long an answer may take before something is said to wait
// for it.
const answersWithin = 2 * time.Minute

// unclear are the titles of cases that are the operator's doing.
var unclear = []string{"no_reading", "unclear_reading", "still_made"}

// mostUnclear is how many open cases are looked at.
const mostUnclear = 200

// WaitingNow counts what waits. It reads only rows that are under way, whatever
// the shop has sold before.
func WaitingNow(ctx context.Context, tx db.Tx) (w Waiting, err error) {
	late := db.At(tx.Now().Add(-answersWithin))
	if w.Orders, err = askedFor(ctx, tx, `SELECT o.plan_id, COALESCE(l.operator, ''), CASE WHEN o.kind = 'line' THEN o.snapshot ELSE '' END, COUNT(*), MIN(asked_at)
		  FROM orders AS o LEFT JOIN lines AS l ON l.account_id = o.account_id AND l.id = o.line_id
		 WHERE due_at IS NOT NULL AND o.state = 'fulfilling' AND asked_at <= $1 GROUP BY 1, 2, 3`, late); err != nil {
		return w, err
	}
	if w.Providers, err = queues(ctx, tx, `SELECT provider, COUNT(*), MIN(updated_at) FROM payments
		WHERE due_at IS NOT NULL AND state IN ('created', 'unknown') AND updated_at <= $1 GROUP BY provider`, late); err != nil {
		return w, err
	}
	open, err := support.OpenOnes(ctx, tx, mostUnclear)
	if err != nil {
		return w, err
	}
	w.Held = map[Asked]int{}
	for _, c := range open {
		if c.OpenedBy != support.System || !slices.Contains(unclear, c.Title) || c.Order == "" {
			continue
		}
		o, err := Get(ctx, tx, Key{c.Account, c.Order})
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return w, err
		}
		if o.State == Held {
			a, err := askedOf(ctx, tx, o)
			if err != nil {
				return w, err
			}
			w.Held[a]++
		}
	}
	return w, nil
}

// DueNow counts the orders that could be taken to their operators now and are not yet,
// and says since when the longest is due.
func DueNow(ctx context.Context, tx db.Tx) (map[Asked]Queue, error) {
	return askedFor(ctx, tx, `SELECT o.plan_id, COALESCE(l.operator, ''), CASE WHEN o.kind = 'line' THEN o.snapshot ELSE '' END, COUNT(*), MIN(due_at)
		  FROM orders AS o LEFT JOIN lines AS l ON l.account_id = o.account_id AND l.id = o.line_id
		 WHERE due_at <= $1 AND o.state IN ('paid', 'fulfilling') AND o.plan_id <> '' GROUP BY 1, 2, 3`, db.At(tx.Now()))
}

// askedFor counts orders by whom they are asked of: a query gives plan, operator of the
// line, what is remembered of who makes it, how many, and the first of their instants.
func askedFor(ctx context.Context, tx db.Tx, query string, args ...any) (out map[Asked]Queue, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	out = map[Asked]Queue{}
	for rows.Next() {
		var a Asked
		var snapshot string
		var q Queue
		var first db.Instant
		if err := rows.Scan(&a.Plan, &a.Operator, &snapshot, &q.Count, &first); err != nil {
			return nil, err
		}
		s, err := sourcingOf(Order{Kind: NewLine, Snapshot: carrier.Snapshot(snapshot)})
		if err != nil {
			return nil, err
		}
		a.Operator = cmp.Or(a.Operator, s.Operator)
		all := out[a]
		q.Since = first.Time
		out[a] = all.With(q)
	}
	return out, rows.Err()
}

// askedOf is whom one order is asked of.
func askedOf(ctx context.Context, tx db.Tx, o Order) (Asked, error) {
	if o.Kind == NewLine {
		s, err := sourcingOf(o)
		return Asked{o.Plan, s.Operator}, err
	}
	l, err := line.Get(ctx, tx, o.Account, o.Line)
	if fault.KindOf(err) == fault.NotFound {
		err = nil
	}
	return Asked{o.Plan, l.Operator}, err
}

// With is both queues together.
func (q Queue) With(more Queue) Queue {
	if q.Count == 0 || more.Count > 0 && more.Since.Before(q.Since) {
		q.Since = more.Since
	}
	q.Count += more.Count
	return q
}

func queues(ctx context.Context, tx db.Tx, query string, args ...any) (out map[string]Queue, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	out = map[string]Queue{}
	for rows.Next() {
		var of string
		var q Queue
		var since db.Instant
		if err := rows.Scan(&of, &q.Count, &since); err != nil {
			return nil, err
		}
		q.Since = since.Time
		out[of] = q
	}
	return out, rows.Err()
}
