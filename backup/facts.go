package backup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
)

// Facts are what a database held at one instant, as far as it can be counted.
type Facts struct {
	Engine  db.Engine        `json:"engine"`
	Schema  int64            `json:"schema"`
	TakenAt time.Time        `json:"taken_at"`
	Rows    map[string]int64 `json:"rows"`  // by table
	Books   []Book           `json:"books"` // nil: the schema is not this program's

	// Needs is the schema that the program which counted needs.
	Needs int64 `json:"program_needs"`
}

// Book is the sum of all transfers between two books of the ledger.
type Book struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Currency string `json:"currency"`
	Count    int64  `json:"count"`
	Minor    int64  `json:"minor"`
}

// Total is the number of all rows.
func (f Facts) Total() (n int64) {
	for _, rows := range f.Rows {
		n += rows
	}
	return n
}

// factsOf counts what tx sees.
func factsOf(ctx context.Context, d *db.DB, tx db.Tx) (Facts, error) {
	f := Facts{Engine: d.Engine(), TakenAt: tx.Now(), Rows: map[string]int64{}}
	tables, err := d.Tables(ctx, tx) // the snapshot begins here
	if err != nil {
		return f, err
	}
	if f.Schema, err = d.Version(ctx, tx); err != nil {
		return f, err
	}
	if f.Needs, err = db.Needs(f.Engine); err != nil {
		return f, err
	}
	for _, table := range tables {
		if f.Rows[table], err = db.CountRows(ctx, tx, table); err != nil {
			return f, fmt.Errorf("count %s: %w", table, err)
		}
	}
	if f.Schema == f.Needs {
		f.Books, err = books(ctx, tx)
	}
	return f, err
}

func books(ctx context.Context, tx db.Tx) (all []Book, err error) {
	all = []Book{}
	rows, err := tx.Query(ctx, `SELECT from_book, to_book, currency, COUNT(*), CAST(SUM(minor) AS bigint) FROM audit_transfers
		GROUP BY from_book, to_book, currency`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var b Book
		if err := rows.Scan(&b.From, &b.To, &b.Currency, &b.Count, &b.Minor); err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b Book) int {
		return slices.Compare([]string{a.From, a.To, a.Currency}, []string{b.From, b.To, b.Currency})
	})
	return all, rows.Err()
}

// differs says in what a restored database differs; empty: in nothing.
func (f Facts) differs(got Facts) string {
	switch {
	case f.Engine != got.Engine:
		return fmt.Sprintf("it is %s, not %s", got.Engine, f.Engine)
	case f.Schema != got.Schema:
		return fmt.Sprintf("its schema is version %d, not %d", got.Schema, f.Schema)
	}
	for _, table := range slices.Sorted(maps.Keys(f.Rows)) {
		if n, there := got.Rows[table]; !there || n != f.Rows[table] {
			return fmt.Sprintf("the table %s has %d rows, not %d", table, n, f.Rows[table])
		}
	}
	if len(f.Rows) != len(got.Rows) {
		return fmt.Sprintf("it has %d tables, not %d", len(got.Rows), len(f.Rows))
	}
	if f.Books != nil && got.Books != nil && !slices.Equal(f.Books, got.Books) {
		return "the sums of the ledger are others"
	}
	return ""
}
