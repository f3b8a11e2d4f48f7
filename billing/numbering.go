package billing

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/tsuzuku/tsuzuku/db"
)

// Numbering gives documents their numbers: gap-free within a series, in the
// order of issue as far as one batch sees it, each exactly once.
type Numbering struct{ DB *db.DB }

const numberingBatch = 500

// Step numbers one batch. Two processes may run it at once: the counter of a
// series moves by a guarded update, and the loser's batch is rolled back.
func (n *Numbering) Step(ctx context.Context) (worked bool, err error) {
	count, err := db.Written(ctx, n.DB, numberBatch)
	if errors.Is(err, db.ErrGuard) {
		return true, nil // somebody else numbered; look again
	}
	return count > 0, err
}

type unnumbered struct{ account, id, series string }

func numberBatch(ctx context.Context, tx db.Tx) (int, error) {
	waiting, err := waiting(ctx, tx)
	if err != nil || len(waiting) == 0 {
		return 0, err
	}
	count := map[string]int64{}
	for _, w := range waiting {
		count[w.series]++
	}
	// The counters move first and in one order: of two that number at once the
	// second waits here, and then sees that it has lost.
	var b db.Batch
	next := map[string]int64{}
	for _, series := range slices.Sorted(maps.Keys(count)) {
		last, err := lastOf(ctx, tx, series)
		if err != nil {
			return 0, err
		}
		b.Guard(`UPDATE bill_series SET last = $3 WHERE series = $1 AND last = $2`, series, last, last+count[series])
		next[series] = last
	}
	for _, w := range waiting {
		next[w.series]++
		b.Guard(`UPDATE bills SET number = $3 WHERE account_id = $1 AND id = $2 AND number IS NULL`, w.account, w.id, next[w.series])
		b.Add(`INSERT INTO bill_numbers (series, number, account_id, bill_id) VALUES ($1,$2,$3,$4)`, w.series, next[w.series], w.account, w.id)
	}
	return len(waiting), tx.Batch(ctx, &b)
}

func waiting(ctx context.Context, tx db.Tx) (all []unnumbered, err error) {
	rows, err := tx.Query(ctx, `SELECT account_id, id, series FROM bills
		WHERE number IS NULL ORDER BY issued_at, account_id, id LIMIT $1`, numberingBatch)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var u unnumbered
		if err := rows.Scan(&u.account, &u.id, &u.series); err != nil {
			return nil, err
		}
		all = append(all, u)
	}
	return all, rows.Err()
}

// lastOf is the last number given in a series, which begins with 1.
func lastOf(ctx context.Context, tx db.Tx, series string) (int64, error) {
	if _, err := tx.Exec(ctx, `INSERT INTO bill_series (series, last) VALUES ($1, 0) ON CONFLICT (series) DO NOTHING`, series); err != nil {
		return 0, err
	}
	var last int64
	err := tx.QueryRow(ctx, `SELECT last FROM bill_series WHERE series = $1`, series).Scan(&last)
	return last, err
}
