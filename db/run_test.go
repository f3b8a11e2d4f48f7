package db_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// A function that remembers something from its first run is found out: the
// rehearsal is rolled back, and only the second run counts.
func TestRehearsalRunsTwiceAndLeavesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		runs := 0
		err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			runs++
			_, err := tx.Exec(ctx, `INSERT INTO directory (kind, value, account_id, id) VALUES ('run', $1, '', '')`, fmt.Sprint(runs))
			return err
		})
		if err != nil || runs != 2 {
			t.Fatalf("%d runs, err %v", runs, err)
		}
		if got := numbers(t, env.DB, `SELECT count(*) FROM directory WHERE value = '1'`); got[0] != 0 {
			t.Error("the rehearsal was stored")
		}
	})
}

// Only the real run's error or panic counts.
func TestRehearsalsFailuresDoNotCount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, fail := range []func() error{
			func() error { return errTest },
			func() error { panic(errTest) },
		} {
			runs := 0
			err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				if runs++; runs == 1 {
					return fail()
				}
				return db.Claim(ctx, tx, "k", "v", "ac_1", "1")
			})
			if err != nil || runs != 2 {
				t.Errorf("%d runs, err %v", runs, err)
			}
		}
	})
}

func TestPanicRollsBackAndTheDatabaseGoesOn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for range 20 { // more than there are connections
			var o outcome
			o.of(func() error {
				return env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
					if _, err := tx.Query(ctx, `SELECT 1`); err != nil { // left open
						return err
					}
					panic(errTest)
				})
			})
			if o.panicked != any(errTest) {
				t.Fatalf("panic = %v, err = %v", o.panicked, o.err)
			}
		}
		write(t, env.DB, `DELETE FROM directory`)
	})
}

func TestTransactionInsideTransactionPanics(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for name, run := range map[string]func(context.Context, func(context.Context, db.Tx) error) error{
			"read": env.DB.Read, "write": env.DB.Write,
		} {
			var o outcome
			o.of(func() error {
				return env.DB.Read(t.Context(), func(ctx context.Context, _ db.Tx) error {
					if !db.Forbidden(ctx) || db.Forbidden(t.Context()) {
						t.Error("Forbidden does not know a transaction's context")
					}
					return run(ctx, func(context.Context, db.Tx) error { return nil })
				})
			})
			if o.panicked == nil {
				t.Errorf("a %s inside a read: err %v, want a panic", name, o.err)
			}
		}
	})
}

func TestReadCannotWrite(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		err := env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			return db.Claim(ctx, tx, "k", "v", "ac_1", "1")
		})
		if err == nil {
			t.Error("a read wrote")
		}
		if n := numbers(t, env.DB, `SELECT count(*) FROM directory`); n[0] != 0 {
			t.Errorf("%d rows stored", n[0])
		}
	})
}

func TestReadSeesOneSnapshot(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		const count = `SELECT count(*) FROM directory`
		err := env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			before, err := scanNumbers(ctx, tx, count)
			if err != nil {
				return err
			}
			write(t, env.DB, `INSERT INTO directory (kind, value, account_id, id) VALUES ('k', 'v', '', '')`)
			after, err := scanNumbers(ctx, tx, count)
			if err == nil && after[0] != before[0] {
				t.Errorf("the count went from %d to %d within a read", before[0], after[0])
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if n := numbers(t, env.DB, count); n[0] != 1 {
			t.Errorf("the next read counts %d, want 1", n[0])
		}
	})
}

func TestTimeStandsStillInATransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		env.Clock.Set(time.Date(2026, 3, 2, 12, 0, 0, 123456789, time.FixedZone("", 3600)))
		want := time.Date(2026, 3, 2, 11, 0, 0, 123456000, time.UTC)
		at, err := db.Written(t.Context(), env.DB, func(context.Context, db.Tx) (time.Time, error) { return time.Time{}, nil })
		if err != nil || !at.IsZero() {
			t.Fatal(at, err)
		}
		var first time.Time
		err = env.DB.Read(t.Context(), func(_ context.Context, tx db.Tx) error {
			first = tx.Now()
			env.Clock.Add(time.Hour)
			if !tx.Now().Equal(first) {
				t.Error("tx.Now moved")
			}
			return nil
		})
		if err != nil || first != want {
			t.Errorf("Now = %v, want %v (err %v)", first, want, err)
		}
	})
}

func TestCancelledCallerStoresNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		ctx, cancel := context.WithCancel(t.Context())
		err := env.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			defer cancel()
			return db.Claim(ctx, tx, "k", "v", "ac_1", "1")
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v, want canceled", err)
		}
		for _, run := range []func(context.Context, func(context.Context, db.Tx) error) error{env.DB.Read, env.DB.Write} {
			err := run(ctx, func(context.Context, db.Tx) error { t.Error("it ran"); return nil })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("err = %v, want canceled", err)
			}
		}
		if n := numbers(t, env.DB, `SELECT count(*) FROM directory`); n[0] != 0 {
			t.Errorf("%d rows stored", n[0])
		}
	})
}

// Guarded updates carry correctness: of many who take the same thing, one gets it.
func TestGuardedUpdateIsWonOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		write(t, env.DB, `INSERT INTO directory (kind, value, account_id, id) VALUES ('k', 'v', '', 'free')`)
		var all sync.WaitGroup
		errs := make([]error, 20)
		for i := range errs {
			all.Go(func() {
				errs[i] = env.DB.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
					var b db.Batch
					b.Guard(`UPDATE directory SET id = $1 WHERE value = 'v' AND id = 'free'`, fmt.Sprint("worker ", i))
					return tx.Batch(ctx, &b)
				})
			})
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, db.ErrGuard):
				t.Error(err)
			}
		}
		if won != 1 {
			t.Errorf("%d workers won, want 1", won)
		}
	})
}

func TestClosedDatabaseRefuses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		if err := env.DB.Close(); err != nil {
			t.Fatal(err)
		}
		nothing := func(context.Context, db.Tx) error { return nil }
		if env.DB.Write(t.Context(), nothing) == nil || env.DB.Read(t.Context(), nothing) == nil {
			t.Error("a closed database works")
		}
		if err := env.DB.Close(); err != nil {
			t.Errorf("closing again: %v", err)
		}
	})
}

func TestBellWakesListenersOfItsTopic(t *testing.T) {
	d := openSQLite(t, db.Options{})
	orders, stop := d.Listen("orders")
	others, _ := d.Listen("others")
	d.Ring("orders")
	d.Ring("orders") // becomes one with the first
	if len(orders) != 1 || len(others) != 0 {
		t.Errorf("%d rings for orders, %d for others; want 1 and 0", len(orders), len(others))
	}
	<-orders
	stop()
	d.Ring("orders")
	if len(orders) != 0 {
		t.Error("rung after it stopped listening")
	}
}

// Who gives up while rows are read reads no further.
func TestCancelledReaderStops(t *testing.T) {
	env := dbtest.SQLite(t)
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err := env.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		rows, err := tx.Query(ctx, `SELECT column1 FROM (VALUES (1), (2), (3), (4), (5)) AS v`)
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // Err says more
		for rows.Next() {
			n++
			cancel()
		}
		return rows.Err()
	})
	if n != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d rows were read, err %v", n, err)
	}
}
