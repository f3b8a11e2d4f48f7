package identity

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
)

// Erase takes everything personal out of a check. That there was one, when, and how
// it was decided, stays. It fails with [fault.Conflict] for a check that is erased.
func Erase(ctx context.Context, tx db.Tx, c Check) (Check, error) {
	c, err := move(ctx, tx, c, Erased, func(c *Check) { c.papers, c.ErasedAt, c.DueAt = "", tx.Now(), time.Time{} })
	if err != nil {
		return c, err
	}
	_, err = tx.Exec(ctx, `DELETE FROM identity_photos WHERE account_id = $1 AND check_id = $2`, c.Account, c.ID)
	return c, err
}

// Due finds a check whose time to be erased has come, the longest due first.
func Due(ctx context.Context, tx db.Tx) (c Check, found bool, err error) {
	c, err = scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM identity_checks WHERE due_at <= $1 ORDER BY due_at LIMIT 1`, db.At(tx.Now())))
	if errors.Is(err, db.ErrNoRows) {
		return Check{}, false, nil
	}
	return c, err == nil, err
}

// PutOff keeps a check until another instant.
func PutOff(ctx context.Context, tx db.Tx, c Check, until time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE identity_checks SET due_at = $3 WHERE account_id = $1 AND id = $2 AND state = $4 AND due_at IS NOT NULL`,
		c.Account, c.ID, db.At(until), c.State)
	return err
}

// begunBy is after how many years a line that nobody has used is taken for ended.
const begunBy = 1

// NeededUntil is until when an approved check must be kept because of a customer's
// lines, by the policies that count from a line's end; zero where none does.
func NeededUntil(ctx context.Context, tx db.Tx, cat *catalogue.Catalogue, c Check) (until time.Time, err error) {
	if c.State != Approved {
		return until, nil
	}
	lines, err := line.List(ctx, tx, c.Account)
	for _, l := range lines {
		plan, _ := cat.Plan(l.Plan)
		if _, from := plan.Policy.Kept(); !plan.Policy.Identity || from != catalogue.FromEnd {
			continue
		}
		end := l.EndsAt
		if end.IsZero() {
			end = l.CreatedAt.AddDate(begunBy, 0, 0)
		}
		if at := KeptUntil(cat, l.Plan, end); at.After(until) {
			until = at
		}
	}
	return until, err
}
