// Package db opens the database, SQLite or PostgreSQL, and runs functions in
// transactions on it. Both engines get the same SQL text with $1 placeholders;
// only the migrations exist twice.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package db

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// Engine names a database engine.
type Engine string

// The engines.
const (
	SQLite     Engine = "sqlite"
	PostgreSQL Engine = "postgres"
)

// DB is an open database.
type DB struct {
	now      func() time.Time
	rehearse bool
	engine   engine
	observe  func(Point)
	reach    func(Point) error
	bell     bell
	texts    texts
	once     sync.Once // for Close
}

// Options are what a database is opened with.
type Options struct {
	// Now is the clock; nil means time.Now. Everything stored takes its time
	// from [Tx.Now], and so from here.
	Now func() time.Time

	// Rehearse runs every write twice: once rolled back, once for good. Tests
	// set it, because a write that does more than read and write through its
	// transaction breaks only when PostgreSQL makes it run again.
	Rehearse bool

	// Observe is called at every commit boundary; nil means nobody looks. The
	// crash harness ends the process in it.
	Observe func(Point)

	// Reach is asked before a transaction begins and after one was committed; an error
	// is a way to the database that is cut there. nil means it never is. The simulated
	// town cuts it.
	Reach func(Point) error
}

// Point is a place where a crash, or a way to the database that is cut, would hurt most.
type Point string

// The boundaries of a transaction.
const (
	BeforeBegin  Point = "before begin"
	BeforeCommit Point = "before commit"
	AfterCommit  Point = "after commit"
)

// Tx is a transaction. It lives only inside the function given to [DB.Write]
// or [DB.Read] and must not escape it.
//
// Arguments and results are int64, string, bool, []byte, [Instant] and types
// based on them; a nil []byte is NULL, an empty one may come back as nil. SQL is
// one text for both engines; where it ends a subquery with FOR UPDATE SKIP
// LOCKED, SQLite, whose writers are alone, does not get to see that.
//
// A statement that fails leaves nothing to do but to return: no other runs, and
// the transaction is rolled back even if the error is swallowed. The rows of one
// query are closed before the next statement.
type Tx interface {
	// Now is the instant the transaction began: UTC, microsecond precision.
	// Every row written by one transaction carries the same instant.
	Now() time.Time

	// ReadOnly reports whether this is a transaction of [DB.Read]. It sees only
	// what is committed; a write sees its own work and, on SQLite, that of the
	// others in its group.
	ReadOnly() bool

	Exec(ctx context.Context, query string, args ...any) (rows int64, err error)
	Query(ctx context.Context, query string, args ...any) (Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) Row

	// Several runs a query for many rows of arguments, in a tuple as for
	// [Batch.Row], and gives scan every row of the result:
	//
	//	SELECT a, b FROM (VALUES ($1, CAST($2 AS bigint))) AS v JOIN t ON a = column1 AND b > column2
	Several(ctx context.Context, query string, rows [][]any, scan func(Row) error) error

	// Batch sends statements whose answers are not needed one by one: a single
	// round trip on PostgreSQL. It fails with [ErrGuard] if a guarded statement
	// did not change exactly one row.
	Batch(ctx context.Context, b *Batch) error
}

// Rows is the result of a query. Close it; Err after Next returned false.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// Row is the first row of a query. Scan fails with [ErrNoRows] without one.
type Row interface {
	Scan(dest ...any) error
}

// ErrNoRows is returned by [Row.Scan] when the query found nothing, on both engines.
var ErrNoRows = errors.New("db: no rows")

// ErrGuard is returned by [Tx.Batch] when a guarded statement did not change
// exactly one row: somebody else was faster.
var ErrGuard = errors.New("db: a guarded statement changed no row")

// Batch is a list of statements for [Tx.Batch], in order.
type Batch struct{ statements []statement }

type statement struct {
	query   string
	args    []any
	guarded bool
	tuple   bool // its tuple can be repeated
	rows    int  // how often it is
	reduced bool // its arguments are what the drivers know
}

// Add appends a statement that may change any number of rows.
func (b *Batch) Add(query string, args ...any) {
	b.statements = append(b.statements, statement{query: query, args: args, rows: 1})
}

// Guard appends a statement that must change exactly one row.
func (b *Batch) Guard(query string, args ...any) {
	b.statements = append(b.statements, statement{query: query, args: args, guarded: true, rows: 1})
}

// Row is [Batch.Add] for a statement that can be sent once for many rows: for
// those that are given directly one after the other, and by [Batch.Join]. It has
// one tuple after VALUES, and all its parameters are in that tuple:
//
//	INSERT INTO t (a, b) VALUES ($1, $2)
//	UPDATE t SET b = column2 FROM (VALUES ($1, CAST($2 AS bigint))) AS v WHERE a = column1
//
// Rows that follow one another must not be the same row of the table.
func (b *Batch) Row(query string, args ...any) {
	if last := len(b.statements) - 1; last >= 0 && b.statements[last].tuple && b.statements[last].query == query {
		s := &b.statements[last]
		s.args, s.rows = append(s.args, args...), s.rows+1
		return
	}
	b.statements = append(b.statements, statement{query: query, args: args, tuple: true, rows: 1})
}

// GuardRow is [Batch.Row] for a statement that must change exactly one row, and
// joined with others one for each.
func (b *Batch) GuardRow(query string, args ...any) {
	b.statements = append(b.statements, statement{query: query, args: args, guarded: true, tuple: true, rows: 1})
}

// Join appends the batches of a set whose members change different rows. Those
// that consist of the same statements go side by side: the first statement of
// them all, then the second of them all, each sent once where it can be. So
// every member's statements keep their order.
func (b *Batch) Join(members ...*Batch) {
	for len(members) > 0 {
		var same, others []*Batch
		for _, m := range members {
			if m.alike(members[0]) {
				same = append(same, m)
			} else {
				others = append(others, m)
			}
		}
		for i := range members[0].statements {
			b.abreast(same, i)
		}
		members = others
	}
}

// abreast appends the i-th statements of members that consist of the same ones.
func (b *Batch) abreast(members []*Batch, i int) {
	s := members[0].statements[i]
	if !s.tuple {
		for _, m := range members {
			b.statements = append(b.statements, m.statements[i])
		}
		return
	}
	s.rows, s.args = s.rows*len(members), make([]any, 0, len(members)*len(s.args))
	for _, m := range members {
		s.args = append(s.args, m.statements[i].args...)
	}
	b.statements = append(b.statements, s)
}

// alike reports whether two batches consist of the same statements.
func (b *Batch) alike(c *Batch) bool {
	return slices.EqualFunc(b.statements, c.statements, func(s, t statement) bool {
		return s.query == t.query && s.guarded == t.guarded && s.tuple == t.tuple && s.rows == t.rows && s.reduced == t.reduced
	})
}

// Len is the number of statements.
func (b *Batch) Len() int { return len(b.statements) }

type txKey struct{}

// Forbidden reports whether ctx belongs to a transaction, in which nothing may
// be done that a rollback does not undo: no call to a stranger, no other
// transaction.
func Forbidden(ctx context.Context) bool { return ctx.Value(txKey{}) != nil }

// Open opens the database at url: postgres://… for PostgreSQL, anything else is
// the path of an SQLite file, which is created if it is missing. ":memory:" is a
// file in a temporary directory that [DB.Close] removes. "memory:NAME" is a database
// in this process's memory, the same for everybody who names it until the last one
// closes it: for simulations, of which one thing happens after another.
//
// Open does not migrate. It fails with [fault.Unavailable] when trying again
// later may help and with [fault.Invalid] when the url or the file's
// permissions must be changed; the message says which.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	d := &DB{now: o.Now, rehearse: o.Rehearse, observe: o.Observe, reach: o.Reach}
	if d.now == nil {
		d.now = time.Now
	}
	if d.observe == nil {
		d.observe = func(Point) {}
	}
	if d.reach == nil {
		d.reach = func(Point) error { return nil }
	}
	var err error
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		d.engine, err = openPostgres(ctx, url)
	} else if name, ok := strings.CutPrefix(url, inMemory); ok {
		d.engine, err = openMemory(name)
	} else {
		d.engine, err = openSQLite(url)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Engine says which engine this is.
func (d *DB) Engine() Engine { return d.engine.name() }

// Now is the clock the database was opened with, in UTC with microseconds.
func (d *DB) Now() time.Time { return d.now().UTC().Truncate(time.Microsecond) }

// Close closes the database. Transactions that have begun are waited for.
// Closing again does nothing.
func (d *DB) Close() (err error) {
	d.once.Do(func() { err = d.engine.close() })
	return err
}

// Write runs fn in a transaction and commits if fn returns nil.
//
// The transaction may be refused when it raced with another, and fn is then
// run again; it must therefore do nothing but read and write through tx, and
// take and return values: a captured variable is assigned once, from the
// result.
//
// On SQLite concurrent writes share a COMMIT, and one may take ten seconds. An
// error means that nothing was stored, except [ErrCommitUnknown].
func (d *DB) Write(ctx context.Context, fn func(context.Context, Tx) error) error {
	return d.run(ctx, false, fn)
}

// Read runs fn in a read-only transaction with a stable snapshot.
func (d *DB) Read(ctx context.Context, fn func(context.Context, Tx) error) error {
	return d.run(ctx, true, fn)
}

// Written is [DB.Write] for a function with a result.
func Written[T any](ctx context.Context, d *DB, fn func(context.Context, Tx) (T, error)) (T, error) {
	return result(ctx, d.Write, fn)
}

// Seen is [DB.Read] for a function with a result.
func Seen[T any](ctx context.Context, d *DB, fn func(context.Context, Tx) (T, error)) (T, error) {
	return result(ctx, d.Read, fn)
}

// Finds reports whether query finds a row, in a transaction of its own. Work that is
// rarely due looks so before it claims: on SQLite a claim would wait for every
// other write, and on PostgreSQL it would lock. What it finds somebody else may take
// first.
func (d *DB) Finds(ctx context.Context, query string, args ...any) (bool, error) {
	return Seen(ctx, d, func(ctx context.Context, tx Tx) (bool, error) {
		var one int64
		err := tx.QueryRow(ctx, query, args...).Scan(&one)
		if errors.Is(err, ErrNoRows) {
			return false, nil
		}
		return err == nil, err
	})
}

func result[T any](
	ctx context.Context,
	run func(context.Context, func(context.Context, Tx) error) error,
	fn func(context.Context, Tx) (T, error),
) (T, error) {
	var out T
	err := run(ctx, func(ctx context.Context, tx Tx) error {
		got, err := fn(ctx, tx)
		if err == nil {
			out = got
		}
		return err
	})
	if err != nil {
		var zero T
		return zero, err
	}
	return out, nil
}
