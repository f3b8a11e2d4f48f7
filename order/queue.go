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
	// glance is how many due rows are looked at first. Where there are more, and some
	// operator cannot take all of its own at once, queueMost are: 50 ms or so.
	glance    = 400
	queueMost = 10_000

	// sight is how many rows of each operator a plan knows one by one: those whose
	// lines go dark first, and those that wait longest.
	sight = 500

	// kept is how long a survey that did not see all is planned with: somebody who
	// comes in between is seen by the next one.
	kept = time.Second
)

// Workers is how many sets of one operator may be under way in a process: while one
// waits for it the other keeps the database busy.
const Workers = 2

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

// Take claims a set of due orders for the length of a lease: of those that ask one
// operator, or of those that ask none. Which are begun before others, and how many,
// the plan of the operator's calls says. What it returns does the work, and is to be
// called once; meanwhile other sets may be claimed. It returns nil where nothing is
// due that may be begun now.
func (d *Desk) Take(ctx context.Context) (do func(context.Context) error, err error) {
	p, err := d.pick(ctx)
	if err != nil || len(p.places) == 0 {
		return nil, err
	}
	orders, err := d.claim(ctx, p.places)
	if err != nil {
		p.end()
		return nil, err
	}
	return func(ctx context.Context) error {
		defer p.end()
		return d.work(p.grant.With(ctx), orders)
	}, nil
}

// picked are the rows of one adapter that are taken now.
type picked struct {
	places []place
	grant  *calls.Grant // for the operator that they ask; nil: its calls are not planned
	end    func()       // gives back the worker, and what is left of the grant
}

// pick chooses what is taken next. All workers of a process share one survey of what
// is due: the first plans with it, and the others with what is left of it.
func (d *Desk) pick(ctx context.Context) (picked, error) {
	d.due.mu.Lock()
	defer d.due.mu.Unlock()
	r := d.due.survey
	d.due.survey = survey{}
	var p picked
	if now := d.DB.Now(); r.more && !now.Before(r.at) && now.Before(r.at.Add(kept)) {
		p = d.pickOf(r)
	}
	for _, most := range [...]int{glance, queueMost} {
		if len(p.places) > 0 || most == queueMost && !r.more {
			break
		}
		var err error
		if r, err = d.read(ctx, most); err != nil {
			return picked{}, err
		}
		if !r.more || most == queueMost || d.allAtOnce(r) {
			p = d.pickOf(r)
		}
	}
	if r.more {
		d.due.survey = r
	}
	return p, nil
}

// pickOf picks rows of the first queue that has a worker, and room, and takes them
// out of the survey.
func (d *Desk) pickOf(r survey) picked {
	for i, q := range r.queues {
		if len(q.places) == 0 || !d.hands.take(q.adapter, Workers) {
			continue
		}
		grant, chosen := d.plan(q)
		end := func() { grant.Return(); d.hands.free(q.adapter) }
		if len(chosen) == 0 {
			end()
			continue
		}
		p := picked{grant: grant, end: end}
		rest := make([]place, 0, len(q.places)-len(chosen))
		next := 0
		slices.Sort(chosen)
		for n, at := range q.places {
			if next < len(chosen) && chosen[next] == n {
				p.places, next = append(p.places, at), next+1
				continue
			}
			rest = append(rest, at)
		}
		r.queues[i].places = rest
		return p
	}
	return picked{}
}

// allAtOnce reports whether every operator has room for all that was read for it, so
// that it does not matter what else is due.
func (d *Desk) allAtOnce(r survey) bool {
	for _, q := range r.queues {
		o := d.planner(q.adapter)
		if o == nil {
			continue
		}
		need := 0
		for _, p := range q.places {
			need += p.cost(o.Budget().Costs)
		}
		if o.Room() < need {
			return false
		}
	}
	return true
}

// planner plans the calls of an adapter; nil: nobody does, it may be asked at any
// time.
func (d *Desk) planner(adapter string) *calls.Operator {
	o, _ := d.Carriers[adapter].(*calls.Operator)
	return o
}

// backlog is what workers of this process share.
type backlog struct {
	mu     sync.Mutex
	survey survey // of which something may be left
}

// survey is what was due at an instant, by the adapter that is asked for it.
type survey struct {
	at     time.Time
	most   int  // how many rows were looked at, at most
	more   bool // there were as many
	queues []queued
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

// cost is how many requests the next step of an order takes.
func (p place) cost(c calls.Costs) int {
	if p.asked {
		return c.LookUp
	}
	return c.Prepare + c.Extend
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

// read reads up to so many rows that are due. The queue in which somebody waits
// longest is first; before it are those who ask nobody.
func (d *Desk) read(ctx context.Context, most int) (survey, error) {
	return db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (survey, error) {
		r := survey{at: tx.Now(), most: most}
		places, seen, err := waiting(ctx, tx, most)
		if err != nil || len(places) == 0 {
			return r, err
		}
		r.more = seen == most
		cat, err := d.Shelf.Current(ctx, tx)
		if err != nil {
			return r, err
		}
		r.queues = byAdapter(cat, places)
		return r, nil
	})
}

// byAdapter puts places into the queues of their adapters.
func byAdapter(cat *catalogue.Catalogue, places []place) []queued {
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
	sorted := slices.Collect(maps.Values(all))
	slices.SortFunc(sorted, func(a, b queued) int {
		return cmp.Or(cmp.Compare(min(1, len(a.adapter)), min(1, len(b.adapter))), a.places[0].waits.Compare(b.places[0].waits), cmp.Compare(a.adapter, b.adapter))
	})
	return sorted
}

// waiting reads the places of up to so many due rows: of each operator those whose
// lines go dark first, and those that wait longest. seen is how many rows were due.
func waiting(ctx context.Context, tx db.Tx, most int) (places []place, seen int, err error) {
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
				SELECT due.*, COUNT(*) OVER () AS seen, COUNT(dark) OVER (PARTITION BY asks, whom) AS darks,
				       ROW_NUMBER() OVER (PARTITION BY asks, whom ORDER BY dark IS NULL, dark, waits, row) AS by_dark,
				       ROW_NUMBER() OVER (PARTITION BY asks, whom ORDER BY waits, row) AS by_wait
				  FROM due)
			SELECT account, row, due, waits, asked, dark, asks, whom, darks, seen FROM ranked WHERE by_dark <= $2 OR by_wait <= $2 ORDER BY waits, row`,
		db.At(tx.Now()), sight, most)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var p place
		var due, waits, dark db.Instant
		if err := rows.Scan(&p.Account, &p.ID, &due, &waits, &p.asked, &dark, &p.asks, &p.whom, &p.darks, &seen); err != nil {
			return nil, 0, err
		}
		p.due, p.waits, p.dark = due.Time, waits.Time, dark.Time
		places = append(places, p)
	}
	return places, seen, rows.Err()
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

// plan chooses the rows of a queue that are taken now, by their numbers.
func (d *Desk) plan(q queued) (*calls.Grant, []int) {
	o := d.planner(q.adapter)
	if o == nil {
		first := make([]int, min(len(q.places), d.set()))
		for i := range first {
			first[i] = i
		}
		return nil, first
	}
	costs := o.Budget().Costs
	jobs := make([]calls.Job, len(q.places))
	for i, p := range q.places {
		jobs[i] = calls.Job{ID: p.ID, Cost: p.cost(costs), Dark: p.dark, Waits: p.waits}
	}
	return o.Plan(jobs, q.unseen*(costs.Prepare+costs.Extend), d.set())
}

// claim takes rows, those of them that nobody has taken or changed meanwhile.
func (d *Desk) claim(ctx context.Context, places []place) ([]Order, error) {
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.ID, b.ID)) })
	taken, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]Order, error) {
		rows := make([][]any, len(places))
		for i, p := range places {
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
