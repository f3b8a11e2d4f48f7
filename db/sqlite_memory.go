package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"modernc.org/sqlite"
)

// inMemory begins the name of a database that lives in this process.
const inMemory = "memory:"

// memories are those that somebody has open. It is a variable because a name means
// the same database to everybody in the process.
var memories struct {
	sync.Mutex
	open map[string]*memory
}

// memory is a database without a file. It has one connection for all who have it
// open, and so one set of prepared statements and of pages: one transaction runs at
// a time, whether it reads or writes.
type memory struct {
	name  string
	users int
	turn  chan struct{} // holds one token: who has it may use what follows
	conn  *sqliteConn
	guard *guard
}

// memoryEngine is one user of a [memory].
type memoryEngine struct {
	*memory
	closed atomic.Bool
}

func openMemory(name string) (engine, error) {
	memories.Lock()
	defer memories.Unlock()
	m := memories.open[name]
	if m == nil {
		m = &memory{name: name, turn: make(chan struct{}, 1)}
		if err := m.connect(); err != nil {
			return nil, err
		}
		if memories.open == nil {
			memories.open = map[string]*memory{}
		}
		memories.open[name] = m
		m.turn <- struct{}{}
	}
	m.users++
	return &memoryEngine{memory: m}, nil
}

// memoryDSN is for the one connection: a database of its own, whose pages are changed
// where they are. Pages of 8 KiB are the fastest for a town.
const memoryDSN = ":memory:?_txlock=immediate&_dqs=0" +
	"&_pragma=page_size(8192)" +
	"&_pragma=temp_store(MEMORY)" +
	"&_pragma=foreign_keys(ON)"

func (m *memory) connect() (err error) {
	if m.conn, err = newSQLiteConn(memoryDSN); err != nil {
		return err
	}
	if m.guard, err = guarded(m.conn); err == nil {
		err = m.conn.watch()
	}
	if err != nil {
		return errors.Join(err, m.conn.close())
	}
	return nil
}

func (m *memoryEngine) name() Engine { return SQLite }

// enter waits for the turn.
func (m *memoryEngine) enter(ctx context.Context) error {
	select {
	case <-m.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	if m.closed.Load() {
		m.leave()
		return errClosed
	}
	return nil
}

func (m *memoryEngine) leave() { m.turn <- struct{}{} }

func (m *memoryEngine) write(ctx context.Context, j job) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.leave()
	if j.rehearse {
		m.rehearse(ctx, j)
	}
	return m.transact(ctx, j, true)
}

func (m *memoryEngine) send(ctx context.Context, j job) error { return m.write(ctx, j.byItself()) }

// rehearse runs the job and forgets what came of it.
func (m *memoryEngine) rehearse(ctx context.Context, j job) {
	defer func() { _ = recover() }() // the run that counts panics, too, or need not
	_ = m.transact(ctx, j, false)
}

// transact runs the job in a transaction, in the caller's goroutine, and commits it
// if it is to be kept and nothing failed.
func (m *memoryEngine) transact(ctx context.Context, j job, keep bool) (err error) {
	m.guard.ended = false
	if err := m.run("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed && !m.guard.ended {
			err = errors.Join(err, m.run("ROLLBACK"))
		}
	}()
	t := &tx{session: &sqliteSession{conn: m.conn, ctx: context.Background()}, now: j.now(), texts: j.texts}
	if err := t.run(inside(ctx), j.fn); err != nil || !keep {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	j.observe(BeforeCommit)
	m.guard.committing = true
	err = m.run("COMMIT")
	m.guard.committing = false
	if committed = err == nil; committed {
		j.observe(AfterCommit)
	}
	return err
}

// read needs no transaction: nobody writes while it has the turn.
func (m *memoryEngine) read(ctx context.Context, j job) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.leave()
	s := &sqliteSession{conn: m.conn, ctx: context.Background(), readOnly: true}
	t := &tx{session: s, now: j.now(), readOnly: true, texts: j.texts}
	return t.run(inside(ctx), j.fn)
}

// run runs a statement of our own.
func (m *memory) run(command string) error { return m.conn.command(context.Background(), command) }

// migrator has the turn, and the connection, until its pool is closed.
func (m *memoryEngine) migrator(ctx context.Context) (*migrator, error) {
	conn, ok := m.conn.Conn.(sqliteDriverConn)
	if !ok {
		return nil, fmt.Errorf("db: %T runs nothing", m.conn.Conn)
	}
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	m.guard.committing = true
	pool := sql.OpenDB(loan{m, conn})
	pool.SetMaxOpenConns(1)
	return sqliteMigrator(pool), nil
}

// loan lends the one connection to a pool.
type loan struct {
	m    *memoryEngine
	conn sqliteDriverConn
}

// sqliteDriverConn is what the driver's connections can do.
type sqliteDriverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
}

// Connect implements [driver.Connector].
func (l loan) Connect(context.Context) (driver.Conn, error) { return lent{l.conn}, nil }

// Driver implements [driver.Connector].
func (l loan) Driver() driver.Driver { return &sqlite.Driver{} }

// Close gives back the turn. A pool calls it when it is closed.
func (l loan) Close() error {
	l.m.guard.committing = false
	l.m.leave()
	return nil
}

// lent is the connection as a pool has it, which may not close it.
type lent struct{ sqliteDriverConn }

func (lent) Close() error { return nil }

// close waits for the turn. The last who closes it takes the database away.
func (m *memoryEngine) close() error {
	memories.Lock()
	defer memories.Unlock()
	<-m.turn
	m.closed.Store(true)
	if m.users--; m.users == 0 {
		delete(memories.open, m.memory.name)
		return m.conn.close() // nobody can have the turn any more
	}
	m.leave()
	return nil
}
