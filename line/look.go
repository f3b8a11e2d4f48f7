package line

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
)

// LookSoon asks for a look at the operator: its figures are old, or it rang.
func LookSoon(ctx context.Context, tx db.Tx, account, id string) error {
	var b db.Batch
	AddLookSoon(&b, account, id, tx.Now())
	return tx.Batch(ctx, &b)
}

// AddLookSoon appends what [LookSoon] writes.
func AddLookSoon(b *db.Batch, account, id string, now time.Time) {
	b.Add(`UPDATE lines SET look_at = $3 WHERE account_id = $1 AND id = $2 AND (look_at IS NULL OR look_at > $3)`, account, id, db.At(now))
}

// Stale is how old figures may be before somebody who looks at them makes us
// ask the operator anew.
const Stale = 10 * time.Minute

// Refresh asks for a look at the operator when a running line's figures are
// old. Whoever looks now still sees these, with their age; the next one newer.
func Refresh(ctx context.Context, base *db.DB, l Line, now time.Time) error {
	if l.At(now) != Active || now.Sub(l.Usage.AsOf) < Stale {
		return nil
	}
	return base.Write(ctx, func(ctx context.Context, tx db.Tx) error { return LookSoon(ctx, tx, l.Account, l.ID) })
}

// TakeLooks claims up to limit lines that somebody should look at, for the
// length of a lease. Two workers never get the same one.
func TakeLooks(ctx context.Context, tx db.Tx, lease time.Duration, limit int) (lines []Line, err error) {
	rows, err := tx.Query(ctx, `WITH due AS MATERIALIZED (
			SELECT account_id AS account, id AS row FROM lines WHERE look_at <= $1 ORDER BY look_at LIMIT $3 FOR UPDATE SKIP LOCKED)
		UPDATE lines SET look_at = $2 FROM due WHERE account_id = account AND id = row
		RETURNING `+lineColumns, db.At(tx.Now()), db.At(tx.Now().Add(lease)), limit)
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

// Looked ends what [TakeLooks] began. again is when to look next; zero: when
// somebody asks. Somebody who asked while we looked is not forgotten: the lease
// lies in the future, and what they asked for does not.
func Looked(ctx context.Context, tx db.Tx, account, id string, again time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE lines SET look_at = $3 WHERE account_id = $1 AND id = $2 AND look_at > $4`,
		account, id, db.At(again), db.At(tx.Now()))
	return err
}
