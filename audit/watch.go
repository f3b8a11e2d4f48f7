package audit

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
)

// What is something that becomes of a finding.
type What string

// What can become of one.
const (
	Found    What = "found"
	Repaired What = "repaired" // the repairer did what a rule could decide
	Called   What = "called"   // a person was called
	Overdue  What = "overdue"  // it is older than its deadline
	Settled  What = "settled"  // it is no longer true
)

// whats are those that a process counts.
var whats = []What{Found, Repaired, Called, Settled}

// Event is one thing that became of a finding.
type Event struct {
	What    What      `json:"what"`
	At      time.Time `json:"at"`
	Finding Finding   `json:"finding"`
}

// Watcher tells what becomes of findings, whoever sees to them.
type Watcher struct {
	DB *db.DB

	seen   map[name]Finding
	told   map[name]time.Time // which deadlines were told to be over
	closed time.Time          // up to when closed ones were told
}

// mostWatched is how many open findings are watched, and how many closed ones are
// told at once.
const mostWatched = 10_000

// Look tells what became of findings since the last Look. The first one tells what is
// open.
func (w *Watcher) Look(ctx context.Context) (events []Event, err error) {
	type state struct {
		open, closed []Finding
		now          time.Time
	}
	s, err := db.Seen(ctx, w.DB, func(ctx context.Context, tx db.Tx) (s state, err error) {
		s.now = tx.Now()
		if s.open, err = OpenFindings(ctx, tx, mostWatched); err != nil || w.closed.IsZero() {
			return s, err
		}
		s.closed, err = ClosedFindings(ctx, tx, w.closed, mostWatched)
		return s, err
	})
	if err != nil {
		return nil, err
	}
	if w.seen == nil {
		w.seen, w.told = map[name]Finding{}, map[name]time.Time{}
	}
	w.closed = s.now.Add(-overlap)
	for _, f := range s.open {
		events = append(events, w.became(f, s.now)...)
	}
	for _, f := range s.closed {
		if was, known := w.seen[f.name()]; known && was.ClosedAt.Equal(f.ClosedAt) {
			continue
		}
		events = append(events, w.became(f, s.now)...)
		events = append(events, Event{Settled, f.ClosedAt, f})
		delete(w.told, f.name())
	}
	return events, nil
}

// became is what is new about one finding.
func (w *Watcher) became(f Finding, now time.Time) (events []Event) {
	was, known := w.seen[f.name()]
	w.seen[f.name()] = f
	if !known || !was.FirstSeen.Equal(f.FirstSeen) {
		was = Finding{}
		events = append(events, Event{Found, f.FirstSeen, f})
	}
	if f.RepairedBy != "" && !f.RepairedAt.Equal(was.RepairedAt) {
		events = append(events, Event{Repaired, f.RepairedAt, f})
	}
	if !f.CaseAt.IsZero() && !f.CaseAt.Equal(was.CaseAt) {
		events = append(events, Event{Called, f.CaseAt, f})
	}
	if f.Late(now) > 0 && !w.told[f.name()].Equal(f.Deadline) {
		w.told[f.name()] = f.Deadline
		events = append(events, Event{Overdue, f.Deadline, f})
	}
	return events
}

// Standing is how the findings of one kind stand.
type Standing struct {
	Open    int64
	Overdue int64
	Late    time.Duration // for how long the first of them has been overdue
}

const standing = `SELECT kind, COUNT(*), SUM(CASE WHEN deadline < $1 THEN 1 ELSE 0 END), MIN(deadline)
	FROM findings WHERE look_at IS NOT NULL GROUP BY kind`

// Stand counts what is open, by kind.
func Stand(ctx context.Context, tx db.Tx) (all map[Kind]Standing, err error) {
	rows, err := tx.Query(ctx, standing, db.At(tx.Now()))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	all = map[Kind]Standing{}
	for rows.Next() {
		var k Kind
		var s Standing
		var first db.Instant
		if err := rows.Scan(&k, &s.Open, &s.Overdue, &first); err != nil {
			return nil, err
		}
		s.Late = max(0, tx.Now().Sub(first.Time))
		all[k] = s
	}
	return all, rows.Err()
}

// LastTurn is when a turn of the repairer ended last; zero: none ever did, or one is
// under way for the first time.
func LastTurn(ctx context.Context, tx db.Tx) (time.Time, error) {
	var ended db.Instant
	err := tx.QueryRow(ctx, `SELECT ended_at FROM audit_turns WHERE name = $1`, turnName).Scan(&ended)
	if errors.Is(err, db.ErrNoRows) {
		return time.Time{}, nil
	}
	return ended.Time, err
}

// Counted is how often something became of findings of a kind, in this process.
type Counted struct {
	Kind  Kind
	What  What
	Times int64
}

// tally counts what became of findings.
type tally struct {
	mu    sync.Mutex
	times map[Counted]int64 // Times is 0 in the key
}

func (t *tally) note(k Kind, w What) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.times == nil {
		t.times = map[Counted]int64{}
	}
	t.times[Counted{Kind: k, What: w}]++
}

// Counted is what this process did, of every kind.
func (r *Repairer) Counted() (all []Counted) {
	r.tally.mu.Lock()
	defer r.tally.mu.Unlock()
	for _, k := range Kinds {
		for _, w := range whats {
			all = append(all, Counted{k, w, r.tally.times[Counted{Kind: k, What: w}]})
		}
	}
	return all
}
