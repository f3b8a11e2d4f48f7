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

// Due is a line that somebody should look at.
type Due struct {
	Ref
	Operator string
	At       time.Time // since when
}

// DueLooks reads which lines somebody should look at, up to each of every operator,
// those that have been due longest first. Nobody has claimed them. It sees most lines
// at most, and says how many it saw.
func DueLooks(ctx context.Context, tx db.Tx, each, most int) (lines []Due, seen int, err error) {
	rows, err := tx.Query(ctx, `WITH due AS MATERIALIZED (
			SELECT account_id AS account, id AS row, operator, look_at FROM lines WHERE look_at <= $1 ORDER BY look_at LIMIT $3),
		ranked AS (SELECT due.*, COUNT(*) OVER () AS seen, ROW_NUMBER() OVER (PARTITION BY operator ORDER BY look_at, row) AS place FROM due)
		SELECT account, row, operator, look_at, seen FROM ranked WHERE place <= $2 ORDER BY look_at, row`, db.At(tx.Now()), each, most)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var l Due
		var at db.Instant
		if err := rows.Scan(&l.Account, &l.ID, &l.Operator, &at, &seen); err != nil {
			return nil, 0, err
		}
		l.At = at.Time
		lines = append(lines, l)
	}
	return lines, seen, rows.Err()
}

// TakeThese claims those of lines that still are due as they were read, for the
// length of a lease.
func TakeThese(ctx context.Context, tx db.Tx, lease time.Duration, due []Due) (lines []Line, err error) {
	rows := make([][]any, len(due))
	for i, l := range due {
		rows[i] = []any{l.Account, l.ID, db.At(l.At), db.At(tx.Now().Add(lease))}
	}
	err = tx.Several(ctx, `UPDATE lines SET look_at = column4
		FROM (VALUES ($1,$2,CAST($3 AS bigint),CAST($4 AS bigint))) AS v
		WHERE account_id = column1 AND id = column2 AND look_at = column3
		RETURNING `+lineColumns, rows, func(row db.Row) error {
		l, err := scanLine(row)
		lines = append(lines, l)
		return err
	})
	return lines, err
}

// Looked ends what [TakeThese] began. again is when to look next; zero: when
// somebody asks. Somebody who asked while we looked is not forgotten: the lease
// lies in the future, and what they asked for does not.
func Looked(ctx context.Context, tx db.Tx, account, id string, again time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE lines SET look_at = $3 WHERE account_id = $1 AND id = $2 AND look_at > $4`,
		account, id, db.At(again), db.At(tx.Now()))
	return err
}
