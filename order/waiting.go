package order

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/support"
)

// Waiting is what waits for the answer of strangers, counted over all accounts. It
// names nobody.
type Waiting struct {
	Plans     map[string]Queue // orders, by the plan whose operator was asked
	Providers map[string]Queue // payments, by the provider that was asked
	Held      map[string]int   // orders with which a person helps because of the operator, by plan
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
	if w.Plans, err = queues(ctx, tx, `SELECT plan_id, COUNT(*), MIN(asked_at) FROM orders
		WHERE due_at IS NOT NULL AND state = 'fulfilling' AND asked_at <= $1 GROUP BY plan_id`, late); err != nil {
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
	w.Held = map[string]int{}
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
			w.Held[o.Plan]++
		}
	}
	return w, nil
}

// DueNow counts the orders that could be taken to their operators now and are not yet,
// by plan, and says since when the longest is due.
func DueNow(ctx context.Context, tx db.Tx) (map[string]Queue, error) {
	return queues(ctx, tx, `SELECT plan_id, COUNT(*), MIN(due_at) FROM orders
		WHERE due_at <= $1 AND state IN ('paid', 'fulfilling') AND plan_id <> '' GROUP BY plan_id`, db.At(tx.Now()))
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
