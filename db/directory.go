package db

import (
	"context"
	"errors"

	"github.com/tsuzuku/tsuzuku/fault"
)

// Claim records that the thing a stranger calls value (an ICCID, a mail
// address, a provider's event) belongs to id of account, so that [Locate] finds
// it. kind says what sort of value it is. Claiming again for the same account
// and id changes nothing; for any other it fails with [fault.Conflict].
func Claim(ctx context.Context, tx Tx, kind, value, account, id string) error {
	n, err := tx.Exec(ctx, `
		INSERT INTO directory (kind, value, account_id, id)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (kind, value) DO NOTHING`,
		kind, value, account, id)
	if err != nil || n == 1 {
		return err
	}
	gotAccount, gotID, err := Locate(ctx, tx, kind, value)
	if err == nil && gotAccount == account && gotID == id {
		return nil
	}
	if err != nil && fault.KindOf(err) != fault.NotFound { // released a moment ago: still not ours
		return err
	}
	return fault.Because(fault.Conflict, "already_taken", "This is already in use.", nil)
}

// Locate returns the account and id that claimed value. It fails with
// [fault.NotFound] if nobody did.
func Locate(ctx context.Context, tx Tx, kind, value string) (account, id string, err error) {
	err = tx.QueryRow(ctx, `
		SELECT account_id, id
		  FROM directory
		 WHERE kind = $1 AND value = $2`,
		kind, value).Scan(&account, &id)
	if errors.Is(err, ErrNoRows) {
		err = fault.Because(fault.NotFound, "not_in_directory", "We do not know this.", nil)
	}
	return account, id, err
}

// Release gives value up, if it was account's. Releasing what was never
// claimed, or is someone else's, changes nothing.
func Release(ctx context.Context, tx Tx, kind, value, account string) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM directory
		 WHERE kind = $1 AND value = $2 AND account_id = $3`,
		kind, value, account)
	return err
}

// Entry is one value in the directory, and whose it is.
type Entry struct{ Account, ID string }

// LocateAll is [Locate] for many values of one kind. Those that nobody claimed are
// not in the result.
func LocateAll(ctx context.Context, tx Tx, kind string, values []string) (map[string]Entry, error) {
	found := make(map[string]Entry, len(values))
	rows := make([][]any, len(values))
	for i, v := range values {
		rows[i] = []any{kind, v}
	}
	err := tx.Several(ctx, `SELECT value, account_id, id FROM (VALUES ($1,$2)) AS v JOIN directory ON kind = column1 AND value = column2`, rows,
		func(row Row) error {
			var value string
			var e Entry
			err := row.Scan(&value, &e.Account, &e.ID)
			found[value] = e
			return err
		})
	return found, err
}

// AddClaim appends what [Claim] writes for a value that nobody has; one that
// somebody has violates a unique key.
func AddClaim(b *Batch, kind, value, account, id string) {
	b.Row(`INSERT INTO directory (kind, value, account_id, id) VALUES ($1,$2,$3,$4)`, kind, value, account, id)
}
