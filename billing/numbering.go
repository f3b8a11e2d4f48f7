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
	if any, err := n.DB.Finds(ctx, `SELECT 1 FROM bills WHERE number IS NULL LIMIT 1`); err != nil || !any {
		return false, err
	}
	count, err := db.Written(ctx, n.DB, numberBatch)
	if errors.Is(err, db.ErrGuard) {
		return true, nil // somebody else numbered; look again
	}
	return count > 0, err
}

// unnumbered is a document without a number; content is empty where it is made out
// to nobody by name.
type unnumbered struct {
	account, id, series, content string
	to                           Recipient
}

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
		if err := w.addNumber(&b, next[w.series]); err != nil {
			return 0, err
		}
		b.Add(`INSERT INTO bill_numbers (series, number, account_id, bill_id) VALUES ($1,$2,$3,$4)`, w.series, next[w.series], w.account, w.id)
	}
	return len(waiting), tx.Batch(ctx, &b)
}

// addNumber gives a document its number, and its recipient: what it says is complete
// from then on.
func (w unnumbered) addNumber(b *db.Batch, number int64) error {
	if w.content == "" {
		b.Guard(`UPDATE bills SET number = $3 WHERE account_id = $1 AND id = $2 AND number IS NULL`, w.account, w.id, number)
		return nil
	}
	content, err := addressed(w.content, w.to)
	if err == nil {
		b.Guard(`UPDATE bills SET number = $3, content = $4 WHERE account_id = $1 AND id = $2 AND number IS NULL`, w.account, w.id, number, content)
	}
	return err
}

func waiting(ctx context.Context, tx db.Tx) (all []unnumbered, err error) {
	rows, err := tx.Query(ctx, `SELECT b.account_id, b.id, b.series, COALESCE(r.name, ''), COALESCE(r.address, ''),
		       CASE WHEN COALESCE(r.name, '') = '' THEN '' ELSE b.content END
		  FROM bills b LEFT JOIN bill_recipients r ON r.account_id = b.account_id
		 WHERE b.number IS NULL ORDER BY b.issued_at, b.account_id, b.id LIMIT $1`, numberingBatch)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var u unnumbered
		if err := rows.Scan(&u.account, &u.id, &u.series, &u.to.Name, &u.to.Address, &u.content); err != nil {
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
