package db_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/db"
)

// A member is one of several concurrent writes, and what it does once its row
// is in: number i writes row i.
type behaviour string

const (
	good     behaviour = "good"
	fails    behaviour = "returns an error"
	swallows behaviour = "swallows a duplicate key"
	panics   behaviour = "panics"
	exits    behaviour = "ends its goroutine"
	cancels  behaviour = "is cancelled during its turn"
	fills    behaviour = "fills the disk and goes on"
	fillsBit behaviour = "fills the disk in a statement that can be undone"
	ends     behaviour = "makes SQLite roll back and goes on"
	dangles  behaviour = "breaks a key that is checked at COMMIT"
)

var errTest = errors.New("test")

// The proofs of grouped commits, each in the middle of a group of eight: the
// others are committed exactly once, the odd one not at all, and nobody is
// answered before a commit.
func TestOddMemberHarmsNobodyInItsGroup(t *testing.T) {
	for _, odd := range []behaviour{good, fails, swallows, panics, exits, cancels, fills, fillsBit, ends, dangles} {
		for _, rehearse := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, rehearse=%t", odd, rehearse), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newGroup(t, rehearse)
					g.members = []behaviour{good, good, good, good, odd, good, good, good}
					g.run(t)
					if n := g.early.Load(); n > 0 {
						t.Errorf("%d members were answered before the first commit", n)
					}
					want := map[behaviour]int{
						fills: 5, ends: 5, // four alone, and the three that came later
						dangles: 9, // together, then each alone
					}[odd]
					if want == 0 {
						want = 1
					}
					if got := int(g.commits.Load()); got != want {
						t.Errorf("%d commits tried, want %d", got, want)
					}
				})
			})
		}
	}
}

// Whatever mixture of members comes together, and in groups of whatever size.
func TestMixedGroups(t *testing.T) {
	all := []behaviour{good, good, good, good, fails, swallows, panics, exits, cancels, fills, fillsBit, ends, dangles}
	rapid.Check(t, func(r *rapid.T) {
		members := rapid.SliceOfN(rapid.SampledFrom(all), 1, 10).Draw(r, "members")
		rehearse := rapid.Bool().Draw(r, "rehearse")
		synctest.Test(t, func(t *testing.T) {
			g := newGroup(t, rehearse)
			g.members = members
			g.run(r)
		})
	})
}

// group runs writes that are all waiting when the writer becomes free.
type group struct {
	db      *db.DB
	members []behaviour
	base    int // rows of this run have numbers from here

	answered atomic.Int64 // members that have returned in this run
	commits  atomic.Int64
	early    atomic.Int64 // answers seen before the run's first commit
}

func newGroup(t *testing.T, rehearse bool) *group {
	g := &group{}
	d := openSQLite(t, db.Options{Rehearse: rehearse, Observe: func(p db.Point) {
		if p == db.BeforeCommit && g.commits.Add(1) == 1 {
			synctest.Wait() // whoever could return has returned
			g.early.Store(g.answered.Load())
		}
	}})
	write(t, d, `CREATE TABLE parent (id INTEGER PRIMARY KEY) STRICT`)
	write(t, d, `CREATE TABLE child (
		id     INTEGER PRIMARY KEY,
		parent INTEGER NOT NULL REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED,
		body   BLOB) STRICT`)
	write(t, d, `INSERT INTO parent (id) VALUES (1)`)
	write(t, d, `PRAGMA max_page_count = 400`)
	g.db = d
	return g
}

// failer is a *testing.T or a *rapid.T.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

func (g *group) run(t failer) {
	t.Helper()
	g.base += 1000
	g.answered.Store(0)
	g.commits.Store(0)
	g.early.Store(0)
	gate := make(chan struct{})
	outcomes := make([]outcome, len(g.members))
	var callers sync.WaitGroup
	for i, b := range g.members {
		ctx, cancel := context.WithCancel(context.Background())
		callers.Go(func() {
			defer g.answered.Add(1)
			defer cancel()
			outcomes[i].of(func() error {
				return g.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
					if i == 0 {
						<-gate
					}
					outcomes[i].runs.Add(1)
					return b.act(ctx, tx, int64(g.base+i), cancel)
				})
			})
			// Readers see only what is committed.
			outcomes[i].stored = len(numbers(t, g.db, `SELECT id FROM child WHERE id = $1`, g.base+i))
		})
		synctest.Wait() // it has begun, or waits for the writer
	}
	close(gate)
	callers.Wait()
	g.check(t, outcomes)
}

func (g *group) check(t failer, outcomes []outcome) {
	t.Helper()
	var want []int64
	for i, b := range g.members {
		if err := outcomes[i].matches(b); err != nil {
			t.Errorf("member %d, which %s: %v", i, b, err)
		}
		if b == good {
			want = append(want, int64(g.base+i))
		}
	}
	if got := numbers(t, g.db, `SELECT id FROM child WHERE id >= $1 ORDER BY id`, g.base); !slices.Equal(want, got) {
		t.Errorf("rows %v are stored, want %v", got, want)
	}
}

func (b behaviour) act(ctx context.Context, tx db.Tx, id int64, cancel func()) error {
	const insert = `INSERT INTO child (id, parent) VALUES ($1, $2)`
	parent := 1
	if b == dangles {
		parent = 999
	}
	if _, err := tx.Exec(ctx, insert, id, parent); err != nil {
		return err
	}
	switch b {
	case good, dangles:
	case fails:
		return errTest
	case swallows:
		_, _ = tx.Exec(ctx, insert, id, parent)
	case panics:
		panic(errTest)
	case exits:
		runtime.Goexit()
	case cancels:
		cancel()
		if _, err := tx.Exec(ctx, insert, id+500, parent); err != nil {
			return errTest // its turn is not cut short
		}
	case fills:
		_, _ = tx.Exec(ctx, `INSERT INTO child (id, parent, body) VALUES ($1, 1, zeroblob(10000000))`, id+500)
		_, _ = tx.Exec(ctx, insert, id+501, parent)
	case fillsBit:
		_, _ = tx.Exec(ctx, `INSERT INTO child (id, parent, body)
			SELECT $1 + id, 1, zeroblob(10000000) FROM parent UNION ALL SELECT $1 + id + 1, 1, zeroblob(10000000) FROM parent`, id+500)
		_, _ = tx.Exec(ctx, insert, id+501, parent)
	case ends:
		_, _ = tx.Exec(ctx, `INSERT OR ROLLBACK INTO parent (id) VALUES (1)`)
		_, _ = tx.Exec(ctx, insert, id+501, parent)
	}
	return nil
}

// outcome is how a call of Write ended, as its caller sees it.
type outcome struct {
	runs     atomic.Int64
	err      error
	panicked any
	returned bool
	stored   int // rows of its own that were committed when it was answered
}

func (o *outcome) of(f func() error) {
	defer func() { o.panicked = recover() }()
	o.err = f()
	o.returned = true
}

func (o *outcome) matches(b behaviour) error {
	ok := false
	switch b {
	case good:
		ok = o.returned && o.err == nil
	case fails:
		ok = errors.Is(o.err, errTest)
	case swallows, ends:
		ok = db.IsUnique(o.err)
	case panics:
		ok = !o.returned && o.panicked == any(errTest)
	case exits:
		ok = !o.returned && o.panicked == nil
	case cancels:
		ok = errors.Is(o.err, context.Canceled)
	case fills, fillsBit, dangles:
		ok = o.returned && o.err != nil && !db.IsUnique(o.err)
	}
	want := 0
	if b == good {
		want = 1
	}
	if !ok || o.stored != want && b != exits {
		return fmt.Errorf("returned=%t, panic=%v after %d runs, with %d rows stored, err=%w", o.returned, o.panicked, o.runs.Load(), o.stored, o.err)
	}
	return nil
}

// What a member saw of another that was not committed in the end is no reason to
// panic: it runs again.
func TestPanicInLostGroupIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, false)
		gate := make(chan struct{})
		var outcomes [2]outcome
		go outcomes[0].of(func() error {
			return g.db.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
				<-gate
				return dangles.act(ctx, tx, 1, nil)
			})
		})
		synctest.Wait()
		var all sync.WaitGroup
		all.Go(func() {
			outcomes[1].of(func() error {
				return g.db.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
					outcomes[1].runs.Add(1)
					if seen, err := scanNumbers(ctx, tx, `SELECT id FROM child`); err != nil || len(seen) > 0 {
						panic(fmt.Sprintf("saw %v, err %v", seen, err))
					}
					return good.act(ctx, tx, 2, nil)
				})
			})
		})
		synctest.Wait()
		close(gate)
		all.Wait()
		if o := &outcomes[1]; o.err != nil || o.panicked != nil || o.runs.Load() != 2 {
			t.Errorf("err %v, panic %v after %d runs; want success in the second", o.err, o.panicked, o.runs.Load())
		}
	})
}

// Everyone who waits shares a commit, up to the limit.
func TestGroupsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, false)
		g.members = slices.Repeat([]behaviour{good}, 201)
		g.run(t)
		if got := g.commits.Load(); got != 3 {
			t.Errorf("201 writes took %d commits, want 3", got)
		}
	})
}

// A caller that gives up while it waits returns at once and never runs.
func TestWaitingCallerMayGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openSQLite(t, db.Options{})
		gate := make(chan struct{})
		go func() {
			_ = d.Write(context.Background(), func(context.Context, db.Tx) error { <-gate; return nil })
		}()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		var err error
		go func() {
			err = d.Write(ctx, func(context.Context, db.Tx) error { t.Error("it ran"); return nil })
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v, want canceled, while the writer is still busy", err)
		}
		close(gate)
	})
}

// A simulated crash at a commit boundary is everybody's crash.
func TestObserversPanicReachesEveryMember(t *testing.T) {
	for _, at := range []db.Point{db.BeforeCommit, db.AfterCommit} {
		t.Run(string(at), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				armed := false
				d := openSQLite(t, db.Options{Observe: func(p db.Point) {
					if armed && p == at {
						panic(errTest)
					}
				}})
				write(t, d, `CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT`)
				armed = true
				var outcomes [3]outcome
				gate := make(chan struct{})
				for i := range outcomes {
					go outcomes[i].of(func() error {
						return d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
							<-gate
							_, err := tx.Exec(ctx, `INSERT INTO t VALUES ($1)`, i)
							return err
						})
					})
				}
				synctest.Wait()
				close(gate)
				synctest.Wait()
				for i := range outcomes {
					if outcomes[i].panicked != any(errTest) {
						t.Errorf("member %d: panic %v, want the observer's", i, outcomes[i].panicked)
					}
				}
				want := 3
				if at == db.BeforeCommit {
					want = 0
				}
				if got := len(numbers(t, d, `SELECT id FROM t`)); got != want {
					t.Errorf("%d rows after a crash %s, want %d", got, at, want)
				}
			})
		})
	}
}

// A statement that takes too long is interrupted, which makes SQLite roll back
// everything; the writer goes on.
func TestSlowWriteIsEnded(t *testing.T) {
	d := openSQLite(t, db.Options{})
	db.SetTurnLimit(d, 20*time.Millisecond) // of real time: SQLite does not know another
	write(t, d, `CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT`)
	err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		_, _ = tx.Exec(ctx, `INSERT INTO t
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT i FROM n`)
		_, err := tx.Exec(context.Background(), `INSERT INTO t VALUES (-1)`)
		return err
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v, want deadline exceeded", err)
	}
	write(t, d, `INSERT INTO t VALUES (-2)`)
	if got := numbers(t, d, `SELECT id FROM t`); !slices.Equal(got, []int64{-2}) {
		t.Errorf("stored %v, want only what came afterwards", got)
	}
}

// Even if nobody noticed that the transaction is gone, nothing is committed by
// a statement of its own.
func TestNothingIsCommittedWithoutCommit(t *testing.T) {
	d := openSQLite(t, db.Options{})
	write(t, d, `CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT`)
	if err := db.LoseTransaction(d, `INSERT INTO t VALUES (1)`); err == nil {
		t.Error("a statement outside any transaction succeeded")
	}
	if got := numbers(t, d, `SELECT id FROM t`); len(got) != 0 {
		t.Errorf("stored %v", got)
	}
	write(t, d, `INSERT INTO t VALUES (2)`)
}

// A connection that has become useless is replaced.
func TestBrokenConnectionsAreReplaced(t *testing.T) {
	d := openSQLite(t, db.Options{})
	write(t, d, `CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT`)
	numbers(t, d, `SELECT id FROM t`)
	db.BreakConnections(d)
	write(t, d, `INSERT INTO t VALUES (1)`)
	failed := 0
	for range 20 {
		err := d.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			_, err := scanNumbers(ctx, tx, `SELECT id FROM t`)
			return err
		})
		if err != nil {
			failed++
		}
	}
	if failed > 1 {
		t.Errorf("%d reads failed because of one broken connection", failed)
	}
	write(t, d, `INSERT INTO t VALUES (2)`)
	if got := numbers(t, d, `SELECT id FROM t`); !slices.Equal(got, []int64{1, 2}) {
		t.Errorf("stored %v, want 1 and 2", got)
	}
}

// openSQLite opens an empty file.
func openSQLite(t testing.TB, o db.Options) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), filepath.Join(t.TempDir(), "test.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func write(t failer, d *db.DB, query string, args ...any) {
	t.Helper()
	err := d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// numbers returns the first column of a query's result.
func numbers(t failer, d *db.DB, query string, args ...any) []int64 {
	t.Helper()
	got, err := db.Seen(context.Background(), d, func(ctx context.Context, tx db.Tx) (out []int64, err error) {
		return scanNumbers(ctx, tx, query, args...)
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return got
}

func scanNumbers(ctx context.Context, tx db.Tx, query string, args ...any) (out []int64, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, rows.Err()
}
