package db_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

const (
	makeCounts = `CREATE TABLE counts (name text PRIMARY KEY, n bigint NOT NULL, at bigint)`
	insert     = `INSERT INTO counts (name, n) VALUES ($1, $2)`
	count      = `INSERT INTO counts (name, n) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET n = counts.n + excluded.n`
	double     = `UPDATE counts SET n = 2 * n + column2, at = column3
		FROM (VALUES ($1, CAST($2 AS bigint), CAST($3 AS bigint))) AS v WHERE name = column1`
	halve = `UPDATE counts SET n = n / 2 WHERE name = $1`
)

// Joined batches leave what they leave one after the other, whatever their
// members do to their own rows, and however many there are.
func TestJoinedBatchesAreTheSameAsOneByOne(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		write(t, env.DB, makeCounts)
		rapid.Check(t, func(r *rapid.T) {
			members := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, 4), 0, 5), 0, 12).Draw(r, "members")
			many := rapid.IntRange(1, 20).Draw(r, "of each")
			var left [2][]string
			for i, join := range []bool{false, true} {
				err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
					if _, err := tx.Exec(ctx, `DELETE FROM counts`); err != nil {
						return err
					}
					return tx.Batch(ctx, batchOf(members, many, join))
				})
				if err != nil {
					r.Fatalf("joined %t: %v", join, err)
				}
				left[i] = counts(r, env.DB)
			}
			if d := cmp.Diff(left[0], left[1]); d != "" {
				r.Errorf("one by one (-) and joined (+): %s", d)
			}
		})
	})
}

// batchOf makes many members of each kind; every one works on its own row.
func batchOf(members [][]int, many int, join bool) *db.Batch {
	var all db.Batch
	var batches []*db.Batch
	for i, steps := range members {
		for j := range many {
			name := fmt.Sprintf("%d/%d", i, j)
			b := &all
			if join {
				b = &db.Batch{}
				batches = append(batches, b)
			}
			b.Row(insert, name, 1)
			for k, s := range steps {
				switch s {
				case 0:
					b.Row(count, name, j)
					b.Guard(halve, name) // so that no two rows of one statement are the same
				case 1:
					b.GuardRow(double, name, j, nil)
				case 2:
					b.Guard(halve, name)
				case 3:
					b.Row(insert, fmt.Sprint(name, "+", k), j)
					b.Row(insert, fmt.Sprint(name, "-", k), j)
				case 4:
					b.GuardRow(double, name, 1, j)
				}
			}
		}
	}
	all.Join(batches...)
	return &all
}

func counts(t failer, d *db.DB) (all []string) {
	err := d.Read(context.Background(), func(ctx context.Context, tx db.Tx) error {
		all = nil
		rows, err := tx.Query(ctx, `SELECT name || '=' || n || ' ' || COALESCE(at, -1) FROM counts ORDER BY name`)
		if err != nil {
			return err
		}
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				return err
			}
			all = append(all, s)
		}
		return rows.Close()
	})
	if err != nil {
		t.Errorf("counts: %v", err)
	}
	return all
}

// A guard counts every row of its statement.
func TestJoinedGuardMissesOneRow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		write(t, env.DB, makeCounts)
		for _, missing := range []int{0, 50, 99} {
			batches := make([]*db.Batch, 100)
			for i := range batches {
				batches[i] = &db.Batch{}
				if i != missing {
					batches[i].Add(insert, fmt.Sprint(missing, "/", i), 1)
				} else {
					batches[i].Add(insert, fmt.Sprint(missing, "/another"), 1)
				}
				batches[i].GuardRow(double, fmt.Sprint(missing, "/", i), 1, nil)
			}
			err := env.DB.Send(t.Context(), func(ctx context.Context, tx db.Tx) error {
				var b db.Batch
				b.Join(batches...)
				return tx.Batch(ctx, &b)
			})
			if !errors.Is(err, db.ErrGuard) {
				t.Errorf("without row %d: err %v, want the guard's", missing, err)
			}
		}
		if n := numbers(t, env.DB, `SELECT count(*) FROM counts`); n[0] != 0 {
			t.Errorf("%d rows of failed batches", n[0])
		}
	})
}

func TestSeveralReadsEveryRow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		write(t, env.DB, makeCounts)
		for _, n := range []int{0, 1, 2, 63, 64, 65, 131} {
			var want, got int64
			err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				want, got = 0, 0
				var rows [][]any
				for i := range n {
					if _, err := tx.Exec(ctx, count, fmt.Sprint(i), i); err != nil {
						return err
					}
					rows = append(rows, []any{fmt.Sprint(i), i})
				}
				const query = `SELECT n - column2 + column2 FROM (VALUES ($1, CAST($2 AS bigint))) AS v JOIN counts ON name = column1`
				for i := range n {
					want += int64(i)
				}
				_, err := tx.Exec(ctx, `UPDATE counts SET n = CAST(name AS bigint)`)
				return errors.Join(err, tx.Several(ctx, query, rows, func(row db.Row) error {
					var m int64
					err := row.Scan(&m)
					got += m
					return err
				}))
			})
			if err != nil || got != want {
				t.Errorf("%d rows: sum %d, err %v; want %d", n, got, err, want)
			}
		}
	})
}

// What a sender may not do, and how it hears of what went wrong.
func TestSendersErrors(t *testing.T) {
	never := errors.New("never mind")
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		plain := openWith(t, env.URL, db.Options{})
		write(t, env.DB, makeCounts)
		write(t, env.DB, insert, "taken", int64(1))
		tests := map[string]struct {
			fn   func(context.Context, db.Tx) error
			want func(error) bool
		}{
			"reads":  {func(ctx context.Context, tx db.Tx) error { _, err := tx.Exec(ctx, halve, "taken"); return err }, isOther},
			"unique": {sends(insert, "taken", 1), db.IsUnique},
			"guard":  {guards(halve, "nobody"), func(err error) bool { return errors.Is(err, db.ErrGuard) }},
			"gives up": {func(ctx context.Context, tx db.Tx) error {
				return errors.Join(sends(insert, "new", 1)(ctx, tx), never)
			}, func(err error) bool { return errors.Is(err, never) }},
			"nothing": {func(context.Context, db.Tx) error { return nil }, func(err error) bool { return err == nil }},
		}
		for name, tt := range tests {
			for _, d := range []*db.DB{env.DB, plain} {
				if err := d.Send(t.Context(), tt.fn); !tt.want(err) {
					t.Errorf("%s: err %v", name, err)
				}
			}
		}
		if d := cmp.Diff([]string{"taken=1 -1"}, counts(t, plain)); d != "" {
			t.Error(d)
		}
	})
}

func isOther(err error) bool { return err != nil && !db.IsUnique(err) && !errors.Is(err, db.ErrGuard) }

func sends(query string, args ...any) func(context.Context, db.Tx) error {
	return func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		b.Row(query, args...)
		return tx.Batch(ctx, &b)
	}
}

func guards(query string, args ...any) func(context.Context, db.Tx) error {
	return func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		b.Guard(query, args...)
		return tx.Batch(ctx, &b)
	}
}

// jam is a database on PostgreSQL on which the first senders stop before their
// COMMIT until all others wait.
type jam struct {
	*db.DB
	commits atomic.Int64
	release chan struct{}
	crash   bool // every commit after the jam panics
}

func newJam(t *testing.T) *jam {
	env := dbtest.Postgres(t)
	write(t, env.DB, makeCounts)
	j := &jam{release: make(chan struct{})}
	j.DB = openWith(t, env.URL, db.Options{Observe: func(p db.Point) {
		if p == db.AfterCommit {
			return
		}
		if j.commits.Add(1) <= db.SendLanes {
			<-j.release
		} else if j.crash {
			panic("crash")
		}
	}})
	return j
}

// fill occupies all lanes and has n more send what fn gives them; when all of
// them wait it calls then, and lets them go.
func (j *jam) fill(t *testing.T, n int, fn func(i int) func(context.Context, db.Tx) error, then func()) []error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range db.SendLanes {
		all.Go(func() { _ = j.Send(context.Background(), sends(insert, fmt.Sprint("lane ", i), 1)) })
	}
	for j.commits.Load() < db.SendLanes {
		runtime.Gosched()
	}
	for i := range n {
		all.Go(func() {
			defer func() {
				if crash := recover(); crash != nil {
					errs[i] = fmt.Errorf("panic: %v", crash)
				}
			}()
			errs[i] = j.Send(t.Context(), fn(i))
		})
	}
	for db.Waiting(j.DB) < n {
		runtime.Gosched()
	}
	then()
	close(j.release)
	all.Wait()
	return errs
}

// Those who wait share a transaction; one whose batch fails harms nobody.
func TestSendersShareATransaction(t *testing.T) {
	for _, bad := range []string{"nobody", "unique", "guard"} {
		t.Run("bad="+bad, func(t *testing.T) {
			j := newJam(t)
			const n = 40
			errs := j.fill(t, n, func(i int) func(context.Context, db.Tx) error {
				switch {
				case i == 7 && bad == "unique":
					return sends(insert, "lane 0", 1)
				case i == 7 && bad == "guard":
					return guards(halve, "nobody")
				}
				return sends(insert, fmt.Sprint(i), i)
			}, func() {})
			for i, err := range errs {
				switch {
				case i != 7 || bad == "nobody":
					if err != nil {
						t.Errorf("sender %d: %v", i, err)
					}
				case !db.IsUnique(err) && !errors.Is(err, db.ErrGuard):
					t.Errorf("the bad one: %v", err)
				}
			}
			stored, want := len(counts(t, j.DB)), n+db.SendLanes
			if bad != "nobody" {
				want--
			}
			if stored != want {
				t.Errorf("%d rows, want %d", stored, want)
			}
			if c := j.commits.Load(); bad == "nobody" && c > 2*db.SendLanes {
				t.Errorf("%d commits for %d senders", c, n+db.SendLanes)
			}
		})
	}
}

// Who waits may give up, and then nothing of theirs is stored.
func TestWaitingSenderMayGiveUp(t *testing.T) {
	j := newJam(t)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	errs := j.fill(t, 1, func(int) func(context.Context, db.Tx) error { return sends(insert, "stays", 1) }, func() {
		go func() { gone <- j.Send(ctx, sends(insert, "gone", 1)) }()
		for db.Waiting(j.DB) < 2 {
			runtime.Gosched()
		}
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("err %v, want cancelled", err)
		}
	})
	if errs[0] != nil {
		t.Error(errs[0])
	}
	if n := numbers(t, j.DB, `SELECT count(*) FROM counts WHERE name IN ('gone', 'stays')`); n[0] != 1 {
		t.Errorf("%d rows, want the one of who stayed", n[0])
	}
}

// A simulated crash before a shared COMMIT is a crash for all who share it.
func TestCrashReachesEverySender(t *testing.T) {
	j := newJam(t)
	j.crash = true
	for i, err := range j.fill(t, 5, func(i int) func(context.Context, db.Tx) error { return sends(insert, fmt.Sprint(i), 1) }, func() {}) {
		if err == nil || err.Error() != "panic: crash" {
			t.Errorf("sender %d: %v, want a panic", i, err)
		}
	}
	if got := len(counts(t, j.DB)); got != db.SendLanes {
		t.Errorf("%d rows, want those of before the crash", got)
	}
}

func openWith(t *testing.T, url string, o db.Options) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), url, o)
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
