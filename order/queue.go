package order

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/calls"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
)

// This file decides which of the rows that are due are taken. The rows stay the
// queue: what finds no room is left as it is, and nothing is kept beside them.

const (
	// sight is how many rows of each operator a plan knows one by one: those whose
	// lines go dark first, and those that wait longest.
	sight = 500

	// queueMost bounds how many due rows are looked at; 50 ms or so.
	queueMost = 10_000
)

// Workers is how many loops of [Desk.Step] one operator may keep busy: while one
// waits for it the other keeps the database busy.
const Workers = 2

// Loops is how many loops of [Desk.Step] a server runs: were all operators slow but
// one, it would still have its workers, and so would orders that ask nobody.
func (d *Desk) Loops() int {
	if !d.planned() {
		return Workers
	}
	return Workers*len(d.Carriers) + 1
}

// planned reports whether there is a plan for the calls to some operator.
func (d *Desk) planned() bool {
	for _, c := range d.Carriers {
		if _, ok := c.(*calls.Operator); ok {
			return true
		}
	}
	return false
}

// hands counts which operators workers of this process are busy with.
type hands struct {
	mu   sync.Mutex
	busy map[string]int
}

// take reports whether another worker may turn to an adapter's operator, which at
// most so many may be busy with.
func (h *hands) take(adapter string, most int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if adapter != "" && h.busy[adapter] >= most {
		return false
	}
	if h.busy == nil {
		h.busy = map[string]int{}
	}
	h.busy[adapter]++
	return true
}

func (h *hands) free(adapter string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.busy[adapter]--
}

// claimed is a set of orders that one worker has.
type claimed struct {
	worked bool // there was something to claim, whoever got it
	orders []Order
	grant  *calls.Grant // for the operator that they ask; nil: its calls are not planned
	end    func()       // always to be called
}

// claim takes a set of due orders for the length of a lease.
func (d *Desk) claim(ctx context.Context) (claimed, error) {
	none := claimed{end: func() {}}
	if !d.planned() {
		due, err := d.firstDue(ctx)
		return claimed{worked: len(due) > 0, orders: due, end: none.end}, err
	}
	lines, err := d.queues(ctx)
	if err != nil {
		return none, err
	}
	for _, q := range lines {
		if !d.hands.take(q.adapter, Workers) {
			continue
		}
		grant, picked := d.plan(q)
		c := claimed{worked: len(picked) > 0, grant: grant, end: func() { grant.Return(); d.hands.free(q.adapter) }}
		if !c.worked {
			c.end()
			continue
		}
		c.orders, err = d.take(ctx, picked)
		return c, err
	}
	return none, nil
}

// place is a due row's place in the queue of its operator.
type place struct {
	Key
	due   time.Time
	dark  time.Time
	waits time.Time
	asked bool
	partition
	darks int // how many of its partition go dark, listed or not
}

// partition is what a row asks, as far as its operator is concerned: nothing,
// "operator" of a line, or the operator of a "plan".
type partition struct{ asks, whom string }

// queued are the due rows that ask one adapter; "" those that ask none.
type queued struct {
	adapter string
	places  []place
	unseen  int // further rows, whose lines go dark after those of places
}

// queues reads what is due, by the adapter that is asked for it. The one in which
// somebody waits longest is first; before it are those who ask nobody.
func (d *Desk) queues(ctx context.Context) ([]queued, error) {
	all, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (map[string]queued, error) {
		places, err := waiting(ctx, tx)
		if err != nil || len(places) == 0 {
			return nil, err
		}
		cat, err := d.Shelf.Current(ctx, tx)
		if err != nil {
			return nil, err
		}
		all, darks := map[string]queued{}, map[partition]bool{}
		for _, p := range places {
			q := all[adapter(cat, p.partition)]
			q.adapter, q.places = adapter(cat, p.partition), append(q.places, p)
			if !darks[p.partition] {
				darks[p.partition] = true
				q.unseen += p.darks
			}
			if !p.dark.IsZero() {
				q.unseen--
			}
			all[q.adapter] = q
		}
		return all, nil
	})
	sorted := slices.Collect(maps.Values(all))
	slices.SortFunc(sorted, func(a, b queued) int {
		return cmp.Or(cmp.Compare(min(1, len(a.adapter)), min(1, len(b.adapter))), a.places[0].waits.Compare(b.places[0].waits), cmp.Compare(a.adapter, b.adapter))
	})
	return sorted, err
}

// waiting reads the places of due rows: of each operator those whose lines go dark
// first, and those that wait longest.
func waiting(ctx context.Context, tx db.Tx) (places []place, err error) {
	rows, err := tx.Query(ctx, `WITH waiting AS MATERIALIZED (
				SELECT account_id AS account, id AS row, line_id AS line, state, kind, plan_id, due_at, paid_at, asked_at
				  FROM orders WHERE due_at <= $1 ORDER BY due_at LIMIT $3),
			due AS (
				SELECT account, row, due_at AS due, COALESCE(paid_at, due_at) AS waits, asked_at IS NOT NULL AS asked,
				       CASE WHEN w.state NOT IN ('paid','fulfilling') OR kind = 'topup' THEN '' WHEN kind = 'line' THEN 'plan' ELSE 'operator' END AS asks,
				       CASE WHEN w.state NOT IN ('paid','fulfilling') OR kind = 'topup' THEN '' WHEN kind = 'line' THEN w.plan_id ELSE COALESCE(operator, '') END AS whom,
				       CASE WHEN ends_at > $1 THEN ends_at END AS dark
				  FROM waiting AS w LEFT JOIN lines ON account_id = account AND id = line),
			ranked AS (
				SELECT due.*, COUNT(dark) OVER (PARTITION BY asks, whom) AS darks,
				       ROW_NUMBER() OVER (PARTITION BY asks, whom ORDER BY dark IS NULL, dark, waits, row) AS by_dark,
				       ROW_NUMBER() OVER (PARTITION BY asks, whom ORDER BY waits, row) AS by_wait
				  FROM due)
			SELECT account, row, due, waits, asked, dark, asks, whom, darks FROM ranked WHERE by_dark <= $2 OR by_wait <= $2 ORDER BY waits, row`,
		db.At(tx.Now()), sight, queueMost)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var p place
		var due, waits, dark db.Instant
		if err := rows.Scan(&p.Account, &p.ID, &due, &waits, &p.asked, &dark, &p.asks, &p.whom, &p.darks); err != nil {
			return nil, err
		}
		p.due, p.waits, p.dark = due.Time, waits.Time, dark.Time
		places = append(places, p)
	}
	return places, rows.Err()
}

// firstDue claims what is due first, where no plan chooses.
func (d *Desk) firstDue(ctx context.Context) ([]Order, error) {
	due, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]Order, error) {
		return all(ctx, tx, `WITH due AS MATERIALIZED (
				SELECT account_id AS account, id AS row FROM orders WHERE due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
			UPDATE orders SET due_at = $2, attempts = attempts + 1 FROM due WHERE account_id = account AND id = row
			RETURNING `+columns, db.At(tx.Now()), db.At(tx.Now().Add(lease)), d.set())
	})
	slices.SortFunc(due, func(a, b Order) int { return cmp.Compare(a.ID, b.ID) })
	return due, err
}

// nobodys stands for the adapter of what the catalogue has no more.
const nobodys = "?"

// adapter is that of an operator, or of the operator of a plan, as of now: an order
// whose own catalogue names another one is planned with the wrong ones, and asks the
// right one where that has room.
func adapter(cat *catalogue.Catalogue, p partition) string {
	whom := p.whom
	switch p.asks {
	case "":
		return ""
	case "plan":
		plan, _ := cat.Plan(whom)
		whom = plan.Operator
	}
	op, _ := cat.Operator(whom)
	return cmp.Or(op.Carrier, nobodys)
}

// plan picks the rows of a queue that are taken now.
func (d *Desk) plan(q queued) (*calls.Grant, []place) {
	o, planned := d.Carriers[q.adapter].(*calls.Operator)
	if !planned {
		return nil, q.places[:min(len(q.places), d.set())]
	}
	costs := o.Budget().Costs
	jobs := make([]calls.Job, len(q.places))
	for i, p := range q.places {
		jobs[i] = calls.Job{ID: p.ID, Cost: costs.Prepare + costs.Extend, Dark: p.dark, Waits: p.waits}
		if p.asked {
			jobs[i].Cost = costs.LookUp
		}
	}
	grant, chosen := o.Plan(jobs, q.unseen*(costs.Prepare+costs.Extend), d.set())
	picked := make([]place, len(chosen))
	for i, n := range chosen {
		picked[i] = q.places[n]
	}
	return grant, picked
}

// take claims rows, those of them that nobody has taken or changed meanwhile.
func (d *Desk) take(ctx context.Context, picked []place) ([]Order, error) {
	slices.SortFunc(picked, func(a, b place) int { return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.ID, b.ID)) })
	taken, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]Order, error) {
		rows := make([][]any, len(picked))
		for i, p := range picked {
			rows[i] = []any{p.Account, p.ID, db.At(p.due), db.At(tx.Now().Add(lease))}
		}
		var taken []Order
		err := tx.Several(ctx, `UPDATE orders SET due_at = column4, attempts = attempts + 1
			FROM (VALUES ($1,$2,CAST($3 AS bigint),CAST($4 AS bigint))) AS v
			WHERE account_id = column1 AND id = column2 AND due_at = column3
			RETURNING `+columns, rows, func(row db.Row) error {
			o, err := scan(row)
			taken = append(taken, o)
			return err
		})
		return taken, err
	})
	slices.SortFunc(taken, func(a, b Order) int { return cmp.Compare(a.ID, b.ID) })
	return taken, err
}
