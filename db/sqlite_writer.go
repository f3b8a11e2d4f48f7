package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	lib "modernc.org/sqlite/lib"

	"github.com/tsuzuku/tsuzuku/fault"
)

const (
	// groupMax is how many writes share one COMMIT at most.
	groupMax = 100

	// turnLimit is how long one write may take once it is its turn, since
	// everyone else waits.
	turnLimit = 10 * time.Second
)

var errClosed = errors.New("db: the database is closed")

// writer commits concurrent writes in groups: whoever waits when the writer is
// free joins, each in a savepoint of its own, and one COMMIT is for all. Its
// loop owns the connection; the functions themselves run in their callers'
// goroutines, one at a time, see member.
//
// When SQLite rolls back the whole transaction under one member (disk full, an
// interrupted statement) or refuses the COMMIT, nothing more runs on it, and
// every member runs again, alone. Nobody is answered before that is settled.
type writer struct {
	dsn     string
	conn    *sqliteConn
	guard   *guard
	max     int           // members of a group
	limit   time.Duration // of one turn
	enter   chan *member
	closing chan struct{} // closed when nobody may enter any more
	closed  chan struct{} // closed when the loop has ended
}

func newWriter(dsn string) (*writer, error) {
	w := &writer{
		dsn: dsn, max: groupMax, limit: turnLimit,
		enter: make(chan *member), closing: make(chan struct{}), closed: make(chan struct{}),
	}
	if err := w.connect(); err != nil {
		return nil, err
	}
	go w.loop()
	return w, nil
}

func (w *writer) connect() error {
	c, err := newSQLiteConn(w.dsn)
	if err != nil {
		return err
	}
	g, err := guarded(c)
	if err != nil {
		return errors.Join(err, c.close())
	}
	w.conn, w.guard = c, g
	return nil
}

// write waits for a place in a group, and then for the group's commit. While it
// waits for a place the caller may give up.
func (w *writer) write(ctx context.Context, j job) error {
	m := &member{job: j, ctx: ctx, turns: make(chan turn), back: make(chan struct{})}
	select {
	case w.enter <- m:
		return m.attend()
	case <-ctx.Done():
		return ctx.Err()
	case <-w.closing:
		return errClosed
	}
}

func (w *writer) close() error {
	close(w.closing)
	<-w.closed
	return w.conn.close()
}

func (w *writer) loop() {
	defer close(w.closed)
	for {
		select {
		case m := <-w.enter:
			w.group(m)
		case <-w.closing:
			return
		}
	}
}

// waiting returns the next caller in the queue, if there is one.
func (w *writer) waiting() (*member, bool) {
	select {
	case m := <-w.enter:
		return m, true
	default:
		return nil, false
	}
}

func (w *writer) group(first *member) {
	if err := w.begin(); err != nil {
		w.refuse(first, err)
		return
	}
	members, more := []*member{first}, true
	for i := 0; more; i++ {
		if lost := w.join(members[i]); lost {
			w.rollback()
			w.alone(members)
			return
		}
		if more = len(members) < w.max; more {
			var m *member
			if m, more = w.waiting(); more {
				members = append(members, m)
			}
		}
	}
	if err := w.commit(members); err != nil {
		w.rollback()
		w.alone(members)
		return
	}
	for _, m := range members {
		m.answer()
	}
}

// join gives m its turn within the group's transaction. It reports whether that
// transaction is lost.
func (w *writer) join(m *member) (lost bool) {
	if m.err = m.ctx.Err(); m.err != nil {
		return false // it gave up while it waited
	}
	if w.run("SAVEPOINT member") != nil {
		return true
	}
	if m.rehearse {
		w.turn(m)
		if w.guard.ended || w.run("ROLLBACK TO member") != nil {
			return true
		}
	}
	w.turn(m)
	if w.guard.ended {
		return true
	}
	if m.err != nil && w.run("ROLLBACK TO member") != nil {
		return true
	}
	return w.run("RELEASE member") != nil
}

// alone gives each member a transaction of its own, and its answer.
func (w *writer) alone(members []*member) {
	for _, m := range members {
		if m.rehearse && m.ctx.Err() == nil && w.begin() == nil {
			w.turn(m)
			w.rollback()
		}
		if m.err = m.ctx.Err(); m.err == nil {
			m.err = w.begin()
		}
		if m.err == nil {
			w.turn(m)
			if m.err == nil {
				m.err = w.commit([]*member{m})
			}
			if m.err != nil {
				w.rollback()
			}
		}
		m.answer()
	}
}

// turn lets m's function run, in its caller's goroutine, and waits for it. The
// caller's impatience does not reach SQLite, where a statement that is
// interrupted takes the whole group with it; it is looked at afterwards.
func (w *writer) turn(m *member) {
	ctx, cancel := context.WithTimeout(inside(context.WithoutCancel(m.ctx)), w.limit)
	defer cancel()
	s := &sqliteSession{conn: w.conn, ctx: ctx}
	m.turns <- turn{ctx, &tx{session: s, now: m.now(), texts: m.texts}}
	<-m.back
	if m.err == nil {
		m.err = m.ctx.Err()
	}
}

// begin opens the group's transaction, on a new connection if this one does not
// do any more.
func (w *writer) begin() error {
	w.guard.ended = false
	err := w.run("BEGIN IMMEDIATE")
	if err == nil {
		return nil
	}
	if sqliteCode(err)&0xff != lib.SQLITE_BUSY {
		_ = w.conn.close()
		if err = w.connect(); err == nil {
			err = w.run("BEGIN IMMEDIATE")
		}
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "The database cannot be written to at the moment. Please try again in a minute.")
	}
	return nil
}

// commit commits, unless every member failed.
func (w *writer) commit(members []*member) (err error) {
	if failed(members) {
		w.rollback()
		return nil
	}
	if err := observe(members, BeforeCommit); err != nil {
		w.rollback()
		return nil //nolint:nilerr // the observer's panic is every member's answer
	}
	w.guard.committing = true
	err = w.run("COMMIT")
	w.guard.committing = false
	if sqliteCode(err)&0xff == lib.SQLITE_IOERR {
		return fmt.Errorf("%w: %w", ErrCommitUnknown, err)
	}
	if err == nil {
		_ = observe(members, AfterCommit)
	}
	return err
}

// rollback ends the transaction if SQLite has not done so itself. A connection
// that cannot is replaced by begin.
func (w *writer) rollback() {
	if !w.guard.ended {
		_ = w.run("ROLLBACK")
	}
}

// refuse answers everyone who waits, since they would all wait for the same.
func (w *writer) refuse(m *member, err error) {
	for more := true; more; m, more = w.waiting() {
		m.err = err
		m.answer()
	}
}

// run runs one of the writer's own commands. It has no time limit but SQLite's
// busy_timeout.
func (w *writer) run(command string) error {
	return w.conn.command(context.Background(), command)
}

func failed(members []*member) bool {
	for _, m := range members {
		if m.err == nil {
			return false
		}
	}
	return true
}
