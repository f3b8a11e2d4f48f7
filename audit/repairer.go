package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/order"
)

// Repairer finds by itself what must not be, repairs what a rule can decide, and
// calls a person for the rest. It moves no order: it wakes, writes and calls through
// the functions of package order that may run twice.
//
// It never reads a whole table. A turn looks at what waits, at what was just paid or
// billed, at what was found before, and at the next slice of all orders.
type Repairer struct {
	DB   *db.DB
	Desk *order.Desk
	Log  *slog.Logger

	// Slice is how many orders of all a turn passes; 0: 512.
	Slice int

	// Notice is told of what was found, and from when it had been true; nil: nobody is.
	Notice func(f Finding, since time.Time)

	next  atomic.Int64 // of this process: no turn before, in microseconds since 1970
	tally tally
}

const (
	// every is the time from one turn to the next.
	every = 5 * time.Second

	// turnLease is how long a turn may take before another process takes one beside it,
	// which harms nothing. What is wrong waits so long where the process died that had it.
	turnLease = 15 * time.Second

	// page is how many of each kind of row a turn looks at.
	page = 200

	// waitingPage is how many orders that are under way a turn looks at.
	waitingPage = 1000

	// mostReports is how many differences of providers' reports are findings.
	mostReports = 500

	// overlap is for how long after its instant a row may become visible.
	overlap = 30 * time.Second

	defaultSlice = 512
)

// turnName is the row that says where the repairer is.
const turnName = "repairer"

// places is how far the repairer has come with each kind of row.
type places struct {
	Waiting   place            `json:"waiting"`   // of orders by when they are due
	Forgotten place            `json:"forgotten"` // of those that are not
	Refunds   place            `json:"refunds"`
	Paid      int64            `json:"paid"`  // of payments by when they were paid
	Bills     map[string]int64 `json:"bills"` // of each series, by number
	Sweep     place            `json:"sweep"` // of all orders
	Round     int64            `json:"round"` // how often all were passed
	RoundAt   int64            `json:"round_at"`
}

// place is the last row that was looked at.
type place struct {
	At      int64  `json:"at,omitempty"`
	Account string `json:"account,omitempty"`
	ID      string `json:"id,omitempty"`
}

// Step takes a turn, if it is time for one and no other process has it. A simulation
// calls it like any other Step.
func (r *Repairer) Step(ctx context.Context) (worked bool, err error) {
	if r.DB.Now().UnixMicro() < r.next.Load() {
		return false, nil
	}
	p, mine, err := r.take(ctx)
	r.next.Store(r.DB.Now().Add(every).UnixMicro())
	if err != nil || !mine {
		return false, err
	}
	seen, err := r.look(ctx, p)
	if err != nil {
		return false, err // its lease ends
	}
	if err := r.end(ctx, seen); err != nil {
		return false, err
	}
	return false, r.mend(ctx) // what is left of it the next turn mends
}

// take claims the turn; mine is false where another process has it.
func (r *Repairer) take(ctx context.Context) (p places, mine bool, err error) {
	var text string
	err = r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		mine = false
		err := tx.QueryRow(ctx, `INSERT INTO audit_turns (name, places, due_at) VALUES ($1, '{}', $2)
			ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at WHERE audit_turns.due_at <= $3 RETURNING places`,
			turnName, db.At(tx.Now().Add(turnLease)), db.At(tx.Now())).Scan(&text)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		mine = err == nil
		return err
	})
	if err != nil || !mine {
		return p, false, err
	}
	return p, true, json.Unmarshal([]byte(text), &p)
}

// sight is what a turn has seen.
type sight struct {
	places  places
	looked  map[order.Key]bool // whose findings are those that are found, and no others
	found   []Finding
	reports bool // so are those of reports
	before  map[name]Finding
}

// look reads everything that a turn is about, in one transaction.
func (r *Repairer) look(ctx context.Context, p places) (sight, error) {
	return db.Seen(ctx, r.DB, func(ctx context.Context, tx db.Tx) (sight, error) {
		s := sight{places: p, looked: map[order.Key]bool{}}
		s.places.Bills = maps.Clone(p.Bills)
		known, err := OpenFindings(ctx, tx, page)
		if err != nil {
			return s, err
		}
		for _, f := range known {
			if f.Order != "" && !f.LookAt.After(tx.Now()) {
				s.looked[order.Key{Account: f.Account, ID: f.Order}] = true
			}
		}
		if err := r.gather(ctx, tx, &s); err != nil {
			return s, err
		}
		keys := slices.SortedFunc(maps.Keys(s.looked), func(a, b order.Key) int { return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.ID, b.ID)) })
		if s.found, err = r.examine(ctx, tx, keys); err != nil {
			return s, err
		}
		told, whole, err := reports(ctx, tx)
		if err != nil {
			return s, err
		}
		s.reports, s.found = whole, append(s.found, told...)
		s.before, err = of(ctx, tx, accounts(keys, told))
		return s, err
	})
}

func accounts(keys []order.Key, told []Finding) []string {
	all := map[string]bool{"": true}
	for _, k := range keys {
		all[k.Account] = true
	}
	for _, f := range told {
		all[f.Account] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// Examine asks every sign about orders of one account, and changes nothing.
func (r *Repairer) Examine(ctx context.Context, account string, orders ...string) ([]Finding, error) {
	keys := make([]order.Key, len(orders))
	for i, o := range orders {
		keys[i] = order.Key{Account: account, ID: o}
	}
	return db.Seen(ctx, r.DB, func(ctx context.Context, tx db.Tx) ([]Finding, error) { return r.examine(ctx, tx, keys) })
}

// examine asks every sign about some orders.
func (r *Repairer) examine(ctx context.Context, tx db.Tx, keys []order.Key) (all []Finding, err error) {
	if len(keys) == 0 {
		return nil, nil
	}
	rows := make([][]any, len(keys))
	for i, k := range keys {
		rows[i] = []any{k.Account, k.ID}
	}
	if all, err = r.waiting(ctx, tx, rows); err != nil {
		return nil, err
	}
	found, err := shown(ctx, tx, rows)
	if err != nil {
		return nil, err
	}
	all = append(all, found...)
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject))
	})
	// Of two signs of one kind about one thing the first is kept.
	return slices.CompactFunc(all, func(a, b Finding) bool { return a.name() == b.name() }), nil
}

// end keeps what is new and where the turn came to, closes what is no longer true, and lets
// go what is old. Whoever dies after it leaves nothing that others wait for.
func (r *Repairer) end(ctx context.Context, s sight) error {
	text, err := json.Marshal(s.places)
	if err != nil {
		return err
	}
	now := r.DB.Now()
	var b db.Batch
	b.Add(`UPDATE audit_turns SET places = $2, due_at = $3, ended_at = $4 WHERE name = $1`, turnName, string(text), db.At(now.Add(every)), db.At(now))
	addForgotten(&b, now)
	holds := map[name]bool{}
	for _, f := range s.found {
		holds[f.name()] = true
		was, known := s.before[f.name()]
		switch {
		case !known || !was.Open():
			r.tally.note(f.Kind, Found)
			r.Log.WarnContext(ctx, "found", "kind", f.Kind, "sign", f.Sign, "subject", f.Subject, "order", f.Order)
			if r.Notice != nil {
				r.Notice(f, later(f.since, was.ClosedAt)) // what was closed was not true then
			}
			addOpened(&b, f, now)
		case !was.LookAt.After(now) || was.Sign != f.Sign:
			if was.Sign == f.Sign && signNamed[f.Sign].within > 0 {
				f.Deadline = was.Deadline
			}
			addSeen(&b, f, now, later(was.LookAt, now))
		}
	}
	for _, f := range sorted(s.before) {
		examined := s.looked[order.Key{Account: f.Account, ID: f.Order}] && f.Sign != signReport.name || f.Sign == signReport.name && s.reports
		if !f.Open() || holds[f.name()] || !examined {
			continue
		}
		r.tally.note(f.Kind, Settled)
		r.Log.InfoContext(ctx, "settled", "kind", f.Kind, "sign", f.Sign, "subject", f.Subject, "order", f.Order, "repaired by", f.RepairedBy)
		addClosed(&b, f, now)
		if !f.CaseAt.IsZero() && !signNamed[f.Sign].stays {
			order.AddSettled(&b, now, order.Key{Account: f.Account, ID: f.Order}, string(f.Kind))
		}
	}
	return r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return tx.Batch(ctx, &b) })
}

func sorted(all map[name]Finding) []Finding {
	return slices.SortedFunc(maps.Values(all), func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject))
	})
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
