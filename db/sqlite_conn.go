package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// statementsMax bounds a connection's prepared statements. The program has
// fewer texts than this; multi-row statements of many lengths add to them.
const statementsMax = 512

// sqliteConn is one connection with its prepared statements by text. Preparing
// costs several times what a small statement costs to run.
type sqliteConn struct {
	*sql.Conn
	prepared map[string]*prepared
}

func newSQLiteConn(ctx context.Context, pool *sql.DB) (*sqliteConn, error) {
	c, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &sqliteConn{c, map[string]*prepared{}}, nil
}

// take returns a prepared statement for the caller's use alone; give it back.
// A statement whose rows are still being read is not in the map.
func (c *sqliteConn) take(ctx context.Context, query string) (*prepared, error) {
	if p, ok := c.prepared[query]; ok {
		delete(c.prepared, query)
		return p, nil
	}
	text, order := questions(query)
	s, err := c.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	return &prepared{s, order}, nil
}

// prepared is a statement as the driver has it: with plain question marks. The
// driver asks SQLite for the name of every parameter each time it binds them,
// and SQLite walks through all names for each; where there are none it does not.
type prepared struct {
	*sql.Stmt
	order []int // which argument each question mark stands for
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
func (p *prepared) arguments(args []any) ([]any, error) {
	out := make([]any, len(p.order))
	most := 0
	for i, n := range p.order {
		if n < 0 || n >= len(args) {
			return nil, fmt.Errorf("db: the statement has a parameter $%d and %d arguments", n+1, len(args))
		}
		out[i], most = args[n], max(most, n+1)
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
	_, err = s.ExecContext(ctx)
	return err
}

func (c *sqliteConn) close() error {
	for _, s := range c.prepared {
		_ = s.Close()
	}
	return c.Close()
}

// sqliteSession is a transaction's access to a connection.
type sqliteSession struct {
	conn *sqliteConn
	ctx  context.Context // if not nil, statements run with it, whatever the caller passes
}

// prepare returns a statement ready to run, its arguments, and the context to
// run it with.
func (s *sqliteSession) prepare(ctx context.Context, query string, args []any) (context.Context, *prepared, []any, error) {
	if s.ctx != nil {
		ctx = s.ctx
	}
	stmt, err := s.conn.take(ctx, query)
	if err != nil {
		return ctx, nil, nil, err
	}
	if args, err = stmt.arguments(args); err != nil {
		s.conn.give(query, stmt)
	}
	return ctx, stmt, args, err
}

func (s *sqliteSession) exec(ctx context.Context, query string, args []any) (int64, error) {
	ctx, stmt, args, err := s.prepare(ctx, query, args)
	if err != nil {
		return 0, err
	}
	defer s.conn.give(query, stmt)
	res, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (s *sqliteSession) query(ctx context.Context, query string, args []any) (cursor, error) {
	ctx, stmt, args, err := s.prepare(ctx, query, args)
	if err != nil {
		return nil, err
	}
	r, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		s.conn.give(query, stmt)
		return nil, err
	}
	return &sqliteRows{Rows: r, done: func() { s.conn.give(query, stmt) }}, nil
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
	*sql.Rows
	done func()
}

func (r *sqliteRows) Close() error {
	err := r.Rows.Close()
	r.done()
	return errors.Join(err, r.Err())
}
