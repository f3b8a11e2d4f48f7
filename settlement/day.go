package settlement

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/payment"
)

// DayState is how far the reading of a provider's day has come. The row is the
// work.
type DayState struct {
	Provider string      `json:"-"`
	Day      payment.Day `json:"day"`
	Whole    bool        `json:"whole"`             // its report was read and nothing will be added to it
	Readings int         `json:"-"`                 // how often it was read whole
	Counted  int         `json:"movements"`         // in the last reading
	Attempts int         `json:"-"`                 // since it was last read
	Trouble  string      `json:"trouble,omitempty"` // why it could not be read
	DueAt    time.Time   `json:"-"`
	ReadyAt  time.Time   `json:"ready_at"` // when it should be there
	ReadAt   time.Time   `json:"-"`
}

const dayColumns = `provider, day, whole, readings, counted, attempts, trouble, due_at, ready_at, read_at`

func scanDay(row db.Row) (d DayState, err error) {
	var due, ready, read db.Instant
	err = row.Scan(&d.Provider, &d.Day, &d.Whole, &d.Readings, &d.Counted, &d.Attempts, &d.Trouble, &due, &ready, &read)
	d.DueAt, d.ReadyAt, d.ReadAt = due.Time, ready.Time, read.Time
	return d, err
}

const (
	// lease is how long a worker has for reading a day: a large one has many
	// pages.
	lease = 20 * time.Minute

	// lookAgain is how long after it should be there a report that agreed is read
	// once more: providers add late.
	lookAgain = 3 * 24 * time.Hour

	// patience is how long after it should be there a report is asked for that
	// cannot be read.
	patience = 14 * 24 * time.Hour

	// maxReadings is how often a day that differs is read by itself.
	maxReadings = 8

	// catchUp is how many days at most are read by themselves after a rest.
	catchUp = 31
)

// day reads the row of a day; the zero DayState without one.
func (r *Room) day(ctx context.Context, provider string, day payment.Day) (DayState, error) {
	return db.Seen(ctx, r.DB, func(ctx context.Context, tx db.Tx) (DayState, error) {
		d, err := scanDay(tx.QueryRow(ctx, `SELECT `+dayColumns+` FROM settlement_days WHERE provider = $1 AND day = $2`, provider, day))
		if errors.Is(err, db.ErrNoRows) {
			return DayState{}, nil
		}
		return d, err
	})
}

// wasRead notes a reading. When it is done again is decided after comparing.
func (r *Room) wasRead(ctx context.Context, provider string, day payment.Day, counted int, whole bool, f payment.ReportFacts) (DayState, error) {
	once := 0
	if whole {
		once = 1
	}
	return db.Written(ctx, r.DB, func(ctx context.Context, tx db.Tx) (DayState, error) {
		return scanDay(tx.QueryRow(ctx, `INSERT INTO settlement_days (provider, day, whole, readings, counted, ready_at, read_at)
			VALUES ($1,$2,$3,$4,$5,$6,$7)
			ON CONFLICT (provider, day) DO UPDATE SET whole = settlement_days.whole OR excluded.whole,
				readings = settlement_days.readings + excluded.readings, counted = excluded.counted, attempts = 0, trouble = '', read_at = excluded.read_at
			RETURNING `+dayColumns, provider, day, whole, once, counted, db.At(f.ReadyAt(day)), db.At(tx.Now())))
	})
}

// wasNotRead notes why a day could not be read, and sees to it that it is tried
// again while that makes sense.
func (r *Room) wasNotRead(ctx context.Context, provider string, day payment.Day, f payment.ReportFacts, why error) (DayState, error) {
	return db.Written(ctx, r.DB, func(ctx context.Context, tx db.Tx) (DayState, error) {
		return scanDay(tx.QueryRow(ctx, `INSERT INTO settlement_days (provider, day, attempts, trouble, ready_at, due_at)
			VALUES ($1,$2,1,$3,$4,$5)
			ON CONFLICT (provider, day) DO UPDATE SET attempts = settlement_days.attempts + 1, trouble = excluded.trouble,
				due_at = COALESCE(settlement_days.due_at, excluded.due_at)
			RETURNING `+dayColumns, provider, day, trouble(why), db.At(f.ReadyAt(day)), db.At(retryAt(tx.Now(), f.ReadyAt(day)))))
	})
}

// retryAt is when a day that could not be read is tried again; zero: never by
// itself.
func retryAt(now, ready time.Time) time.Time {
	next := now.Add(time.Hour)
	switch {
	case next.Before(ready):
		return ready
	case next.After(ready.Add(patience)):
		return time.Time{}
	}
	return next
}

// Step reads one report that is due, and compares. It plans by itself: of every
// provider that has reports the first day is the one on which it is asked first,
// and whoever takes a day up plans those after it.
func (r *Room) Step(ctx context.Context) (worked bool, err error) {
	reporters := r.reporters()
	if !r.planned.Load() {
		if err := r.plan(ctx, reporters); err != nil {
			return false, err
		}
		r.planned.Store(true)
	}
	if any, err := r.DB.Finds(ctx, `SELECT 1 FROM settlement_days WHERE due_at <= $1 LIMIT 1`, db.At(r.DB.Now())); err != nil || !any {
		return false, err
	}
	due, err := db.Written(ctx, r.DB, func(ctx context.Context, tx db.Tx) ([]DayState, error) {
		due, err := list(ctx, tx, scanDay, `WITH due AS MATERIALIZED (
				SELECT provider AS p, day AS d FROM settlement_days WHERE due_at <= $1 ORDER BY due_at, provider, day LIMIT 1 FOR UPDATE SKIP LOCKED)
			UPDATE settlement_days SET due_at = $2 FROM due WHERE provider = p AND day = d
			RETURNING `+dayColumns, db.At(tx.Now()), db.At(tx.Now().Add(lease)))
		if err != nil || len(due) == 0 || reporters[due[0].Provider] == nil {
			return due, err
		}
		return due, planAfter(ctx, tx, due[0].Provider, due[0].Day, reporters[due[0].Provider].ReportFacts())
	})
	if err != nil || len(due) == 0 {
		return false, err
	}
	return true, r.work(ctx, due[0], reporters[due[0].Provider])
}

// plan sees to it that every provider has a day that is still to come.
func (r *Room) plan(ctx context.Context, reporters map[string]payment.Reporter) error {
	return r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		for _, name := range slices.Sorted(maps.Keys(reporters)) {
			f := reporters[name].ReportFacts()
			last, err := scanDay(tx.QueryRow(ctx, `SELECT `+dayColumns+` FROM settlement_days WHERE provider = $1 ORDER BY day DESC LIMIT 1`, name))
			if errors.Is(err, db.ErrNoRows) {
				last.Day, err = payment.DayOf(tx.Now(), f.Zone), nil
			}
			if err != nil {
				return err
			}
			if err := planAfter(ctx, tx, name, last.Day.Before(), f); err != nil {
				return err
			}
		}
		return nil
	})
}

// planAfter plans the days after one, up to the first whose report cannot be
// there yet; after a long rest only the last of them. Days that are planned or
// were read are left alone.
func planAfter(ctx context.Context, tx db.Tx, provider string, after payment.Day, f payment.ReportFacts) error {
	earliest := payment.DayOf(tx.Now().AddDate(0, 0, -catchUp), f.Zone)
	for d := max(after.Next(), earliest); ; d = d.Next() {
		_, err := tx.Exec(ctx, `INSERT INTO settlement_days (provider, day, due_at, ready_at) VALUES ($1,$2,$3,$3)
			ON CONFLICT (provider, day) DO UPDATE SET due_at = excluded.due_at WHERE settlement_days.due_at IS NULL AND settlement_days.readings = 0`,
			provider, d, db.At(f.ReadyAt(d)))
		if err != nil || f.ReadyAt(d).After(tx.Now()) {
			return err
		}
	}
}

// reporters are those whose reports are read by themselves.
func (r *Room) reporters() map[string]payment.Reporter {
	all := map[string]payment.Reporter{}
	for name, p := range r.Providers {
		if reporter, ok := p.(payment.Reporter); ok && (r.Daily == nil || r.Daily(name)) {
			all[name] = reporter
		}
	}
	return all
}

// work reads a day that is due, compares the days that it may be about, and says
// when it is looked at again.
func (r *Room) work(ctx context.Context, d DayState, reporter payment.Reporter) error {
	if reporter == nil { // of a provider that is not read by itself any more
		return r.again(ctx, d, time.Time{})
	}
	now, err := r.read(ctx, d.Provider, d.Day)
	if err != nil {
		return err // its lease ends
	}
	if now.Trouble != "" {
		return r.again(ctx, now, retryAt(r.DB.Now(), now.ReadyAt))
	}
	last := min(d.Day.Next().Next(), payment.DayOf(r.DB.Now(), reporter.ReportFacts().Zone)) // what was unsure may be sure now
	c, _, err := r.compare(ctx, d.Provider, d.Day, max(last, d.Day))
	if err != nil {
		return err
	}
	standing := 0
	for _, found := range c.Differences {
		if found.Day == d.Day && found.Accepted == "" {
			standing++
		}
	}
	if standing > 0 {
		r.Log.WarnContext(ctx, "a provider's report and our books differ", "provider", d.Provider, "day", string(d.Day), "differences", standing)
	}
	return r.again(ctx, now, now.next(r.DB.Now(), standing > 0))
}

// next is when a day that could be read is read again; zero: never by itself.
func (d DayState) next(now time.Time, differs bool) time.Time {
	switch {
	case !d.Whole:
		if d.ReadyAt.After(now) {
			return d.ReadyAt
		}
		return now.Add(time.Hour)
	case differs && d.Readings <= 1:
		return now.Add(time.Hour) // those who were asked have answered by then
	case differs && d.Readings < maxReadings:
		return now.Add(24 * time.Hour)
	case !differs && now.Before(d.ReadyAt.Add(lookAgain)):
		return d.ReadyAt.Add(lookAgain)
	}
	return time.Time{}
}

func (r *Room) again(ctx context.Context, d DayState, at time.Time) error {
	return r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE settlement_days SET due_at = $3 WHERE provider = $1 AND day = $2`, d.Provider, d.Day, db.At(at))
		return err
	})
}
