package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"modernc.org/sqlite"
)

// statementsMax bounds a connection's prepared statements. The program has
// fewer texts than this; multi-row statements of many lengths add to them.
const statementsMax = 512

// sqliteConn is one connection with its prepared statements by text. Preparing
// costs several times what a small statement costs to run.
//
// It is the driver's own: package database/sql would guard it against use by
// several at once, which this package does already, and looks at every value
// once more.
type sqliteConn struct {
	driver.Conn
	prepared map[string]*prepared
	writes   bool // what is being prepared: see watch
	closed   bool // the driver must not be given anything more
}

func newSQLiteConn(dsn string) (*sqliteConn, error) {
	c, err := (&sqlite.Driver{}).Open(dsn)
	if err != nil {
		return nil, err
	}
	return &sqliteConn{Conn: c, prepared: map[string]*prepared{}}, nil
}

// take returns a prepared statement for the caller's use alone; give it back.
// A statement whose rows are still being read is not in the map.
func (c *sqliteConn) take(ctx context.Context, query string) (*prepared, error) {
	if p, ok := c.prepared[query]; ok {
		delete(c.prepared, query)
		return p, nil
	}
	if c.closed {
		return nil, driver.ErrBadConn
	}
	preparer, ok := c.Conn.(driver.ConnPrepareContext)
	if !ok {
		return nil, fmt.Errorf("db: %T prepares nothing", c.Conn)
	}
	text, order := questions(query)
	c.writes = false
	s, err := preparer.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	stmt, ok := s.(sqliteStmt)
	if !ok {
		return nil, errors.Join(fmt.Errorf("db: %T has no context", s), s.Close())
	}
	return &prepared{sqliteStmt: stmt, order: order, writes: c.writes}, nil
}

// watch lets c know of every statement that it prepares whether it writes, so that
// it can be used for both.
func (c *sqliteConn) watch() error {
	a, ok := c.Conn.(sqlite.AuthorizerRegisterer)
	if !ok {
		return fmt.Errorf("db: %T has no authorizer", c.Conn)
	}
	return a.RegisterAuthorizer(func(action sqlite.AuthorizerActionCode, _, _, _, _ string) sqlite.AuthorizerReturnCode {
		reads := action == sqlite.AuthRead || action == sqlite.AuthSelect || action == sqlite.AuthFunction || action == sqlite.AuthRecursive
		c.writes = c.writes || !reads
		return sqlite.AuthorizerOK
	})
}

// sqliteStmt is what the driver's statements can do.
type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// prepared is a statement as the driver has it: with plain question marks. The
// driver asks SQLite for the name of every parameter each time it binds them,
// and SQLite walks through all names for each; where there are none it does not.
type prepared struct {
	sqliteStmt
	order  []int          // which argument each question mark stands for
	row    []driver.Value // for the rows of its result, one after another
	writes bool           // of a connection that watches
}

var parameter = regexp.MustCompile(`'[^']*'|\$[0-9]+`)

// skipLocked is how PostgreSQL is told to take rows that nobody else is taking.
// SQLite, where a writer is alone, neither has nor needs it.
const skipLocked = " FOR UPDATE SKIP LOCKED"

// questions puts a question mark in place of every $n outside of quotes.
func questions(query string) (text string, order []int) {
	query = strings.ReplaceAll(query, skipLocked, "")
	text = parameter.ReplaceAllStringFunc(query, func(p string) string {
		n, err := strconv.Atoi(p[1:])
		if p[0] == '\'' || err != nil {
			return p
		}
		order = append(order, n-1)
		return "?"
	})
	return text, order
}

// arguments are args in the order of the question marks.
func (p *prepared) arguments(args []any) ([]driver.NamedValue, error) {
	out := make([]driver.NamedValue, len(p.order))
	most := 0
	for i, n := range p.order {
		if n < 0 || n >= len(args) {
			return nil, fmt.Errorf("db: the statement has a parameter $%d and %d arguments", n+1, len(args))
		}
		out[i], most = driver.NamedValue{Ordinal: i + 1, Value: args[n]}, max(most, n+1)
	}
	if most != len(args) {
		return nil, fmt.Errorf("db: the statement has %d parameters and %d arguments", most, len(args))
	}
	return out, nil
}

func (c *sqliteConn) give(query string, s *prepared) {
	if len(c.prepared) >= statementsMax {
		for _, old := range c.prepared {
			_ = old.Close()
		}
		clear(c.prepared)
	}
	c.prepared[query] = s
}

// command runs a statement without arguments and results.
func (c *sqliteConn) command(ctx context.Context, query string) error {
	s, err := c.take(ctx, query)
	if err != nil {
		return err
	}
	defer c.give(query, s)
	_, err = s.ExecContext(ctx, nil)
	return err
}

func (c *sqliteConn) close() error {
	for _, s := range c.prepared {
		_ = s.Close()
	}
	clear(c.prepared)
	c.closed = true
	return c.Close()
}

// sqliteSession is a transaction's access to a connection.
type sqliteSession struct {
	conn     *sqliteConn
	ctx      context.Context // if not nil, statements run with it, whatever the caller passes
	readOnly bool            // refuses what writes, which a connection that watches knows
}

var errReadOnly = errors.New("db: a read cannot write")

// prepare returns a statement ready to run, its arguments, and the context to
// run it with.
func (s *sqliteSession) prepare(ctx context.Context, query string, args []any) (context.Context, *prepared, []driver.NamedValue, error) {
	if s.ctx != nil {
		ctx = s.ctx
	}
	stmt, err := s.conn.take(ctx, query)
	if err != nil {
		return ctx, nil, nil, err
	}
	values, err := stmt.arguments(args)
	if err == nil && s.readOnly && stmt.writes {
		err = errReadOnly
	}
	if err != nil {
		s.conn.give(query, stmt)
	}
	return ctx, stmt, values, err
}

func (s *sqliteSession) exec(ctx context.Context, query string, args []any) (int64, error) {
	ctx, stmt, values, err := s.prepare(ctx, query, args)
	if err != nil {
		return 0, err
	}
	defer s.conn.give(query, stmt)
	res, err := stmt.ExecContext(ctx, values)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (s *sqliteSession) query(ctx context.Context, query string, args []any) (cursor, error) {
	ctx, stmt, values, err := s.prepare(ctx, query, args)
	if err != nil {
		return nil, err
	}
	r, err := stmt.QueryContext(ctx, values)
	if err != nil {
		s.conn.give(query, stmt)
		return nil, err
	}
	stmt.row = slices.Grow(stmt.row[:0], len(r.Columns()))[:len(r.Columns())]
	return &sqliteRows{ctx: ctx, rows: r, row: stmt.row, done: func() { s.conn.give(query, stmt) }}, nil
}

func (s *sqliteSession) batch(ctx context.Context, b *Batch) error {
	for _, st := range b.statements {
		n, err := s.exec(ctx, st.query, st.args)
		if err != nil {
			return err
		}
		if st.guarded && n != int64(st.rows) {
			return ErrGuard
		}
	}
	return nil
}

// sqliteRows gives its statement back when it is closed.
type sqliteRows struct {
	ctx  context.Context // ends the reading, too
	rows driver.Rows
	row  []driver.Value
	err  error
	done func()
}

func (r *sqliteRows) Next() bool {
	if r.err != nil {
		return false
	}
	if r.err = r.ctx.Err(); r.err == nil {
		r.err = r.rows.Next(r.row)
	}
	return r.err == nil
}

func (r *sqliteRows) Scan(dest ...any) error {
	if len(dest) != len(r.row) {
		return fmt.Errorf("db: %d columns for %d variables", len(r.row), len(dest))
	}
	for i, d := range dest {
		if err := assign(d, r.row[i]); err != nil {
			return fmt.Errorf("db: column %d: %w", i+1, err)
		}
	}
	return nil
}

func (r *sqliteRows) Err() error {
	if errors.Is(r.err, io.EOF) {
		return nil
	}
	return r.err
}

func (r *sqliteRows) Close() error {
	err := r.rows.Close()
	r.done()
	return errors.Join(err, r.Err())
}
