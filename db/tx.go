package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

var (
	errDone     = errors.New("db: the transaction has ended")
	errOpenRows = errors.New("db: rows of an earlier query are still open")
)

// session is one engine's side of a transaction.
type session interface {
	exec(ctx context.Context, query string, args []any) (rows int64, err error)
	query(ctx context.Context, query string, args []any) (cursor, error)
	batch(ctx context.Context, b *Batch) error
}

// cursor is what both drivers' rows have in common.
type cursor interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// tx is a [Tx]. It makes both engines as strict as the stricter of the two, so
// that a test on SQLite finds what would break on PostgreSQL: after a failed
// statement nothing but a rollback is possible, and an open result blocks the
// next statement.
type tx struct {
	session
	now      time.Time
	readOnly bool
	texts    *texts
	open     *rows // the result being read; nil if none
	err      error // the first error of a statement: the transaction cannot be committed
	done     bool
}

func (t *tx) Now() time.Time { return t.now }

func (t *tx) ReadOnly() bool { return t.readOnly }

func (t *tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	args, err := t.ready(ctx, args)
	if err != nil {
		return 0, err
	}
	n, err := t.exec(ctx, query, args)
	return n, t.failed(err)
}

func (t *tx) Query(ctx context.Context, query string, args ...any) (Rows, error) {
	r, err := t.rows(ctx, query, args)
	if err != nil {
		return nil, err // not a typed nil
	}
	return r, nil
}

func (t *tx) QueryRow(ctx context.Context, query string, args ...any) Row {
	r, err := t.rows(ctx, query, args)
	return row{r, err}
}

func (t *tx) Several(ctx context.Context, query string, rows [][]any, scan func(Row) error) error {
	if len(rows) == 0 {
		return nil
	}
	for _, s := range t.texts.split(statement{query: query, args: slices.Concat(rows...), rows: len(rows)}) {
		if err := t.each(ctx, s, scan); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) each(ctx context.Context, s statement, scan func(Row) error) (err error) {
	rows, err := t.Query(ctx, s.query, s.args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (t *tx) Batch(ctx context.Context, b *Batch) error {
	ready := &Batch{statements: make([]statement, 0, len(b.statements))}
	for _, s := range b.statements {
		if err := t.usable(ctx); err != nil {
			return err
		}
		if err := s.reduce(); err != nil {
			return err
		}
		if _, kept := t.session.(*parcel); kept || s.rows == 1 {
			ready.statements = append(ready.statements, s)
		} else {
			ready.statements = append(ready.statements, t.texts.split(s)...)
		}
	}
	if b.Len() == 0 {
		return nil
	}
	return t.failed(t.batch(ctx, ready))
}

func (t *tx) rows(ctx context.Context, query string, args []any) (*rows, error) {
	args, err := t.ready(ctx, args)
	if err != nil {
		return nil, err
	}
	c, err := t.query(ctx, query, args)
	if err != nil {
		return nil, t.failed(err)
	}
	t.open = &rows{cursor: c, tx: t}
	return t.open, nil
}

// ready says whether another statement may run, and makes its arguments fit
// for both engines.
func (t *tx) ready(ctx context.Context, args []any) ([]any, error) {
	if err := t.usable(ctx); err != nil {
		return nil, err
	}
	s := statement{args: args}
	err := s.reduce()
	return s.args, err
}

// usable says whether another statement may run.
func (t *tx) usable(ctx context.Context) error {
	switch {
	case t.done:
		return errDone
	case t.err != nil:
		return fmt.Errorf("db: the transaction has failed already: %w", t.err)
	case t.open != nil:
		return errOpenRows
	}
	return ctx.Err()
}

// reduce makes a statement's arguments fit for both engines.
func (s *statement) reduce() error {
	if s.reduced {
		return nil
	}
	out := make([]any, len(s.args))
	for i, a := range s.args {
		v, err := argument(a)
		if err != nil {
			return fmt.Errorf("db: argument $%d: %w", i+1, err)
		}
		out[i] = v
	}
	s.args, s.reduced = out, true
	return nil
}

func (t *tx) failed(err error) error {
	if err != nil && t.err == nil {
		t.err = err
	}
	return err
}

// run calls fn and returns why the transaction must not be committed, if so. A
// function that swallows the error of a statement does not get away with it.
func (t *tx) run(ctx context.Context, fn func(context.Context, Tx) error) error {
	defer t.end() // also when fn panics
	err := fn(ctx, t)
	if err == nil && t.open != nil {
		err = errOpenRows
	}
	if err == nil {
		err = t.err
	}
	return err
}

func (t *tx) end() {
	if t.open != nil {
		_ = t.open.Close()
	}
	t.done = true
}

// rows is a [Rows] that tells its transaction when it is closed.
type rows struct {
	cursor
	tx     *tx
	closed bool
}

func (r *rows) Next() bool {
	if r.closed {
		return false
	}
	if r.cursor.Next() {
		return true
	}
	_ = r.Close() // Err has it
	return false
}

func (r *rows) Scan(dest ...any) error {
	if r.closed {
		return errDone
	}
	return r.cursor.Scan(destinations(dest)...)
}

func (r *rows) Err() error { return r.tx.failed(r.cursor.Err()) }

func (r *rows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	if r.tx.open == r {
		r.tx.open = nil
	}
	err := r.cursor.Close()
	if e := r.cursor.Err(); e != nil {
		err = e
	}
	return r.tx.failed(err)
}

type row struct {
	rows *rows
	err  error
}

func (r row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return ErrNoRows
	}
	return errors.Join(r.rows.Scan(dest...), r.rows.Close())
}
