package db

import (
	"context"
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
	*handle
	prepared map[string]*prepared
}

func newSQLiteConn(dsn string) (*sqliteConn, error) {
	h, err := openHandle(dsn)
	if err != nil {
		return nil, err
	}
	return &sqliteConn{h, map[string]*prepared{}}, nil
}

// take returns a prepared statement for the caller's use alone; give it back.
// A statement whose rows are still being read is not in the map.
func (c *sqliteConn) take(query string) (*prepared, error) {
	if p, ok := c.prepared[query]; ok {
		delete(c.prepared, query)
		return p, nil
	}
	text, order := questions(query)
	p, err := c.prepare(text)
	if err != nil {
		return nil, err
	}
	return &prepared{p, order, make([]any, len(order))}, nil
}

// prepared is a statement with plain question marks: to SQLite $1 is a name, and a
// statement with more than one use of it has fewer parameters than places.
type prepared struct {
	*program
	order []int // which argument each question mark stands for
	args  []any // in the order of the question marks, for one run
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

// arguments are args in the order of the question marks, until the next run.
func (p *prepared) arguments(args []any) ([]any, error) {
	out := p.args
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
			old.Close()
		}
		clear(c.prepared)
	}
	c.prepared[query] = s
}

// command runs a statement without arguments and results.
func (c *sqliteConn) command(ctx context.Context, query string) error {
	s, err := c.take(query)
	if err != nil {
		return err
	}
	defer c.give(query, s)
	_, err = s.exec(ctx, nil)
	return err
}

func (c *sqliteConn) close() error {
	for _, s := range c.prepared {
		s.Close()
	}
	clear(c.prepared)
	return c.handle.close()
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
	if err := ctx.Err(); err != nil {
		return ctx, nil, nil, err
	}
	stmt, err := s.conn.take(query)
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
	return stmt.exec(ctx, args)
}

func (s *sqliteSession) query(ctx context.Context, query string, args []any) (cursor, error) {
	ctx, stmt, args, err := s.prepare(ctx, query, args)
	if err != nil {
		return nil, err
	}
	r, err := stmt.query(ctx, args)
	if err != nil {
		s.conn.give(query, stmt)
		return nil, err
	}
	return &sqliteRows{programRows: r, conn: s.conn, query: query, stmt: stmt}, nil
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
	*programRows
	conn  *sqliteConn
	query string
	stmt  *prepared
}

func (r *sqliteRows) Close() error {
	r.stmt.reset()
	r.conn.give(r.query, r.stmt)
	return r.Err()
}
