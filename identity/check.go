// Package identity is the check of who buys a plan whose policy asks for it: a form
// and photos from the customer, a decision of staff, and the erasing afterwards.
//
// A customer has one check at a time, for all their lines. What is personal in it is
// sealed with the shop's secret, see package seal; what is left after the erasing is
// that there was a check, and how it ended. docs/identity.md says it in sentences.
//
// Errors for customers carry a reason; their texts are in package ui.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package identity

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
)

// State is how far a check has come. The values are stored; do not rename.
type State string

// The states of a check.
const (
	Wanted   State = "wanted"   // begun; the customer has not given everything
	Given    State = "given"    // staff decide next
	Approved State = "approved" // the customer may buy
	Refused  State = "refused"  // the customer may give it again
	Erased   State = "erased"   // nothing personal is left. Final.
)

// moves is every change of state there is.
var moves = map[State][]State{
	Wanted:   {Given, Erased},
	Given:    {Approved, Refused, Erased},
	Refused:  {Given, Erased},
	Approved: {Erased},
	Erased:   nil,
}

// Check is one check of a customer.
type Check struct {
	Account   string
	ID        string
	State     State
	Plan      string // for which it was begun
	Sends     int    // how often it was given to staff
	Uploads   int    // how many photos were sent
	Reason    Reason // why it was refused; empty: it was not
	Staff     string // who decided; not for customers
	CreatedAt time.Time
	UpdatedAt time.Time
	GivenAt   time.Time // zero: never
	DecidedAt time.Time // zero: never
	ErasedAt  time.Time // zero: not yet
	DueAt     time.Time // when it is erased; zero: it waits for staff, or is erased

	papers string // sealed
}

// Key names a check.
type Key struct{ Account, ID string }

// Key is what c is named by.
func (c Check) Key() Key { return Key{c.Account, c.ID} }

// Open reports whether the customer may change what is in c.
func (c Check) Open() bool { return c.State == Wanted || c.State == Refused }

// KeyOf is the key of a check by its identifier alone. It fails with
// [fault.NotFound] for what cannot be one.
func KeyOf(check string) (Key, error) {
	account, err := id.AccountOf(check)
	return Key{account, check}, err
}

// move changes the state of c in the database, with whatever else changes, and
// returns the changed check. It is the only way in which a check changes. It fails
// with [fault.Conflict] where that cannot be, or where somebody was faster.
func move(ctx context.Context, tx db.Tx, c Check, to State, change func(*Check)) (Check, error) {
	stays := to == c.State && c.Open()
	if !stays && !slices.Contains(moves[c.State], to) {
		return c, errNotNow(c)
	}
	next := c
	if change != nil {
		change(&next)
	}
	next.State, next.UpdatedAt = to, tx.Now()
	n, err := tx.Exec(ctx, `UPDATE identity_checks
		SET state = $3, plan_id = $4, papers = $5, sends = $6, uploads = $7, reason = $8, staff = $9, updated_at = $10,
		    given_at = $11, decided_at = $12, erased_at = $13, due_at = $14
		WHERE account_id = $1 AND id = $2 AND state = $15 AND sends = $16 AND uploads = $17`,
		c.Account, c.ID, next.State, next.Plan, next.papers, next.Sends, next.Uploads, next.Reason, next.Staff, db.At(next.UpdatedAt),
		db.At(next.GivenAt), db.At(next.DecidedAt), db.At(next.ErasedAt), db.At(next.DueAt), c.State, c.Sends, c.Uploads)
	if err == nil && n == 0 {
		err = errNotNow(c)
	}
	if err != nil {
		return c, err
	}
	return next, nil
}

// errNotNow says that a check is not in a state for that.
func errNotNow(c Check) error {
	switch c.State {
	case Given:
		return fault.Because(fault.Conflict, "identity_given", "This is with us for review now and cannot be changed. We write to you when it is decided.", nil)
	case Approved:
		return fault.Because(fault.Conflict, "identity_approved", "Your identity has been checked already. You can buy now.", nil)
	case Wanted, Refused, Erased:
	}
	return fault.Because(fault.Conflict, "identity_moved", "This has changed meanwhile. Please open the page again.", nil)
}

const columns = `account_id, id, state, plan_id, papers, sends, uploads, reason, staff, created_at, updated_at,
	given_at, decided_at, erased_at, due_at`

func scan(row db.Row) (Check, error) {
	var c Check
	var made, changed, given, decided, erased, due db.Instant
	err := row.Scan(&c.Account, &c.ID, &c.State, &c.Plan, &c.papers, &c.Sends, &c.Uploads, &c.Reason, &c.Staff, &made, &changed,
		&given, &decided, &erased, &due)
	c.CreatedAt, c.UpdatedAt, c.GivenAt = made.Time, changed.Time, given.Time
	c.DecidedAt, c.ErasedAt, c.DueAt = decided.Time, erased.Time, due.Time
	return c, err
}

// Get reads a check. It fails with [fault.NotFound].
func Get(ctx context.Context, tx db.Tx, k Key) (Check, error) {
	c, err := scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM identity_checks WHERE account_id = $1 AND id = $2`, k.Account, k.ID))
	if errors.Is(err, db.ErrNoRows) {
		return c, fault.Because(fault.NotFound, "no_such_check", "There is no such identity check.", nil)
	}
	return c, err
}

// Current reads the check of a customer that has not been erased, if there is one.
func Current(ctx context.Context, tx db.Tx, account string) (c Check, found bool, err error) {
	c, err = scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM identity_checks WHERE account_id = $1 AND state <> 'erased'`, account))
	if errors.Is(err, db.ErrNoRows) {
		return Check{}, false, nil
	}
	return c, err == nil, err
}

// Passed reports whether staff have approved who a customer is, and it has not been
// erased since.
func Passed(ctx context.Context, tx db.Tx, account string) (bool, error) {
	c, found, err := Current(ctx, tx, account)
	return found && c.State == Approved, err
}

// MostListed is the longest list of checks.
const MostListed = 1000

// Of lists a customer's checks, the newest first.
func Of(ctx context.Context, tx db.Tx, account string, limit int) ([]Check, error) {
	return list(ctx, tx, `SELECT `+columns+` FROM identity_checks WHERE account_id = $1 ORDER BY id DESC LIMIT $2`, account, limit)
}

// Waiting lists the checks of all customers that staff must decide, the longest
// waiting first.
func Waiting(ctx context.Context, tx db.Tx, limit int) ([]Check, error) {
	return list(ctx, tx, `SELECT `+columns+` FROM identity_checks WHERE state = 'given' ORDER BY given_at, account_id, id LIMIT $1`, limit)
}

// Newest lists the checks of all customers whatever their state, the newest first.
func Newest(ctx context.Context, tx db.Tx, limit int) ([]Check, error) {
	return list(ctx, tx, `SELECT `+columns+` FROM identity_checks ORDER BY created_at DESC, account_id, id LIMIT $1`, limit)
}

func list(ctx context.Context, tx db.Tx, query string, args ...any) (all []Check, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		c, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}
