// Package line keeps SIM and eSIM lines, the periods of service on them, and
// their usage as the operator reported it.
//
// States are not moved by a clock. What is stored of a line or a period is what
// the last purchase, report or person made of it: a period stays "queued" after
// it began. Whoever decides or shows something asks [Line.At] and
// [Period.StateAt], which are exact at any instant.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package line

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// State is what a line is. The values are stored; do not rename.
type State string

// The states of a line.
const (
	New       State = "new"       // not activated yet
	Active    State = "active"    // a period is running
	Grace     State = "grace"     // ended, can still be renewed
	Ended     State = "ended"     // ended, cannot be renewed any more
	Terminal  State = "terminal"  // dead at the operator for ever
	Suspended State = "suspended" // stopped by the operator or by staff
	Recycled  State = "recycled"  // the operator gave the number to somebody else
)

// Line is one SIM or eSIM.
type Line struct {
	Account   string
	ID        string
	Operator  string // catalogue.Operator.ID
	Plan      string // catalogue.Plan.ID of the newest period
	ProfileID string // the operator's own identifier
	ICCID     string
	MSISDN    string // empty for a data-only line
	Name      string // the customer's nickname for it
	State     State
	Anchor    int       // day of month that monthly terms return to; see calendar.Anchor
	StartedAt time.Time // zero until activated
	EndsAt    time.Time // end of the last period bought; zero until activated
	GraceEnds time.Time // first instant at which it cannot be renewed any more; EndsAt where there is no grace
	Periods   int       // how many there are: the number of the newest
	Extending string    // the order that is at the operator now; one at a time
	Identity  bool      // an identity check was passed
	Usage     Usage
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Usage is what the operator last said about consumption.
type Usage struct {
	Unlimited bool  // Total and Used are then today's full speed; Total 0: no cap
	Total     int64 // bytes
	Used      int64 // bytes
	Throttled bool
	AsOf      time.Time // when the operator measured; zero: never reported
}

// Left is the unused part of a limited allowance, never negative. It says
// nothing about a line that was never reported or that is Unlimited.
func (u Usage) Left() int64 { return max(0, u.Total-u.Used) }

// Empty reports whether a limited allowance is used up. It is false where no
// allowance is known.
func (u Usage) Empty() bool { return !u.Unlimited && u.Total > 0 && u.Used >= u.Total }

// AlmostEmpty reports whether four fifths of a limited allowance are used, or more.
func (u Usage) AlmostEmpty() bool {
	return !u.Unlimited && u.Total > 0 && u.Used >= u.Total-u.Total/5
}

// LastFour is the end of the ICCID, by which people recognise a line.
func (l Line) LastFour() string { return l.ICCID[max(0, len(l.ICCID)-4):] }

// At is the line's state at an instant, from what is stored. Service and grace
// are half-open: at EndsAt it has ended, at GraceEnds it cannot be renewed.
func (l Line) At(now time.Time) State {
	switch l.State {
	case Terminal, Suspended, Recycled:
		return l.State
	case New, Active, Grace, Ended:
	}
	switch {
	case l.StartedAt.IsZero() || now.Before(l.StartedAt):
		return New
	case now.Before(l.EndsAt):
		return Active
	case now.Before(l.GraceEnds):
		return Grace
	}
	return Ended
}

// PeriodState is what a period is. The values are stored; do not rename.
type PeriodState string

// The states of a period.
const (
	PeriodQueued    PeriodState = "queued"
	PeriodActive    PeriodState = "active"
	PeriodEnded     PeriodState = "ended"
	PeriodCancelled PeriodState = "cancelled"
)

// Period is one stretch of service on a line: [StartsAt, EndsAt).
type Period struct {
	Account        string
	Line           string
	Number         int // 1, 2, 3 … on its line
	Plan           string
	Term           string
	Order          string // empty: imported, or given by staff
	Effect         string // catalogue.Effect by which it came
	StartsAt       time.Time
	EndsAt         time.Time
	Allowance      int64 // bytes, packs included; 0: unlimited
	State          PeriodState
	OperatorRef    string
	OperatorEndsAt time.Time // what the operator said; zero where it did not
	CreatedAt      time.Time
}

// StateAt is the period's state at an instant.
func (p Period) StateAt(now time.Time) PeriodState {
	switch {
	case p.State == PeriodCancelled:
		return PeriodCancelled
	case now.Before(p.StartsAt):
		return PeriodQueued
	case now.Before(p.EndsAt):
		return PeriodActive
	}
	return PeriodEnded
}

const lineColumns = `account_id, id, operator, plan_id, profile_id, iccid, msisdn, name, state, anchor,
	started_at, ends_at, grace_ends_at, periods, extending, identity,
	unlimited, total_bytes, used_bytes, throttled, as_of, created_at, updated_at`

func scanLine(row db.Row) (Line, error) {
	var l Line
	var started, ends, grace, asOf, created, updated db.Instant
	err := row.Scan(&l.Account, &l.ID, &l.Operator, &l.Plan, &l.ProfileID, &l.ICCID, &l.MSISDN, &l.Name, &l.State, &l.Anchor,
		&started, &ends, &grace, &l.Periods, &l.Extending, &l.Identity,
		&l.Usage.Unlimited, &l.Usage.Total, &l.Usage.Used, &l.Usage.Throttled, &asOf, &created, &updated)
	l.StartedAt, l.EndsAt, l.GraceEnds = started.Time, ends.Time, grace.Time
	l.Usage.AsOf, l.CreatedAt, l.UpdatedAt = asOf.Time, created.Time, updated.Time
	return l, err
}

// Get reads one line. It fails with [fault.NotFound].
func Get(ctx context.Context, tx db.Tx, account, id string) (Line, error) {
	l, err := scanLine(tx.QueryRow(ctx, `SELECT `+lineColumns+` FROM lines WHERE account_id = $1 AND id = $2`, account, id))
	if errors.Is(err, db.ErrNoRows) {
		return Line{}, NotFound()
	}
	return l, err
}

// NotFound is the error for a line that the account does not have.
func NotFound() error {
	return fault.Because(fault.NotFound, "no_such_line", "There is no such line in this account.", nil)
}

// MaxLines is how many lines of one account are listed.
const MaxLines = 200

// List reads the lines of an account, those that end first first and those that
// have not begun last.
func List(ctx context.Context, tx db.Tx, account string) (lines []Line, err error) {
	rows, err := tx.Query(ctx, `SELECT `+lineColumns+` FROM lines WHERE account_id = $1 ORDER BY ends_at IS NULL, ends_at, id LIMIT $2`,
		account, MaxLines) // the engines disagree about where NULL sorts
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		l, err := scanLine(rows)
		if err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	return lines, rows.Err()
}

// SortByUrgency puts lines that can be kept going first, and those that are over
// last.
func SortByUrgency(lines []Line, now time.Time) {
	rank := func(l Line) int {
		switch l.At(now) {
		case Active, Grace:
			return 0
		case New, Suspended:
			return 1
		case Ended, Terminal, Recycled:
		}
		return 2
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return rank(a) - rank(b) })
}

// MaxPeriods is how many periods of a line are read: the newest.
const MaxPeriods = 100

// Periods reads the newest periods of a line, oldest first.
func Periods(ctx context.Context, tx db.Tx, account, line string) ([]Period, error) {
	periods, err := periodsOf(ctx, tx, `
		SELECT `+periodColumns+`
		  FROM periods p
		 WHERE account_id = $1 AND line_id = $2
		 ORDER BY number DESC LIMIT $3`, account, line, MaxPeriods)
	slices.Reverse(periods)
	return periods, err
}

// Coming reads the periods of all lines of an account that have not begun, the first to
// begin first.
func Coming(ctx context.Context, tx db.Tx, account string) ([]Period, error) {
	return periodsOf(ctx, tx, `
		SELECT `+periodColumns+`
		  FROM periods p
		 WHERE account_id = $1 AND state <> 'cancelled' AND starts_at > $2
		 ORDER BY starts_at LIMIT $3`, account, db.At(tx.Now()), MaxPeriods)
}

func periodsOf(ctx context.Context, tx db.Tx, query string, args ...any) (periods []Period, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		p, err := scanPeriod(rows)
		if err != nil {
			return nil, err
		}
		periods = append(periods, p)
	}
	return periods, rows.Err()
}

const periodColumns = `p.account_id, p.line_id, p.number, p.plan_id, p.term_id, p.order_id, p.effect, p.starts_at, p.ends_at,
	p.allowance_bytes, p.state, p.operator_ref, p.operator_ends_at, p.created_at`

func scanPeriod(row db.Row) (Period, error) {
	var p Period
	var starts, ends, operatorEnds, created db.Instant
	var order db.Text
	err := row.Scan(&p.Account, &p.Line, &p.Number, &p.Plan, &p.Term, &order, &p.Effect, &starts, &ends,
		&p.Allowance, &p.State, &p.OperatorRef, &operatorEnds, &created)
	p.Order, p.StartsAt, p.EndsAt = string(order), starts.Time, ends.Time
	p.OperatorEndsAt, p.CreatedAt = operatorEnds.Time, created.Time
	return p, err
}

// Ref names a line.
type Ref struct{ Account, ID string }

// Known is a line with its newest periods, oldest first.
type Known struct {
	Line    Line
	Periods []Period
}

// Bare is [Get] for many lines at once. Those that do not exist are not in the
// result.
func Bare(ctx context.Context, tx db.Tx, refs []Ref) (map[Ref]Line, error) {
	lines := make(map[Ref]Line, len(refs))
	rows := make([][]any, len(refs))
	for i, r := range refs {
		rows[i] = []any{r.Account, r.ID}
	}
	err := tx.Several(ctx, `SELECT `+lineColumns+`
		FROM (VALUES ($1,$2)) AS v JOIN lines ON account_id = column1 AND id = column2`, rows, func(row db.Row) error {
		l, err := scanLine(row)
		lines[Ref{l.Account, l.ID}] = l
		return err
	})
	return lines, err
}

// Several is [Get] and [Periods] for many lines at once. Those that do not exist
// are not in the result.
func Several(ctx context.Context, tx db.Tx, refs []Ref) (map[Ref]Known, error) {
	known := make(map[Ref]Known, len(refs))
	rows := make([][]any, len(refs))
	for i, r := range refs {
		rows[i] = []any{r.Account, r.ID, MaxPeriods}
	}
	err := tx.Several(ctx, `SELECT `+lineColumns+`
		FROM (VALUES ($1,$2,CAST($3 AS bigint))) AS v JOIN lines ON account_id = column1 AND id = column2`, rows, func(row db.Row) error {
		l, err := scanLine(row)
		known[Ref{l.Account, l.ID}] = Known{Line: l}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = tx.Several(ctx, `SELECT `+periodColumns+`
		FROM (VALUES ($1,$2,CAST($3 AS bigint))) AS v
		JOIN lines l ON l.account_id = column1 AND l.id = column2
		JOIN periods p ON p.account_id = l.account_id AND p.line_id = l.id AND p.number > l.periods - column3
		ORDER BY p.account_id, p.line_id, p.number`, rows, func(row db.Row) error {
		p, err := scanPeriod(row)
		ref := Ref{p.Account, p.Line}
		k := known[ref]
		k.Periods = append(k.Periods, p)
		known[ref] = k
		return err
	})
	return known, err
}
