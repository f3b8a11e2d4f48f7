package db_test

import (
	"context"
	"errors"
	"testing"

	"github.com/tsuzuku/tsuzuku/db"
)

// memoryOf opens the database in memory of a name, migrated, until the test ends.
func memoryOf(t *testing.T, name string, o db.Options) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), "memory:"+name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if _, _, err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

const addKey = `INSERT INTO directory (kind, value, account_id, id) VALUES ('k', $1, '', '')`

func countKeys(t *testing.T, d *db.DB) int64 {
	t.Helper()
	return numbers(t, d, `SELECT count(*) FROM directory`)[0]
}

// Who names the same database in memory has the same one, until nobody has it open.
func TestMemoryIsSharedByName(t *testing.T) {
	one, other := memoryOf(t, t.Name(), db.Options{}), memoryOf(t, t.Name(), db.Options{})
	elsewhere := memoryOf(t, t.Name()+" 2", db.Options{})
	write(t, one, `INSERT INTO directory (kind, value, account_id, id) VALUES ('k', 'v', '', '')`)
	if countKeys(t, other) != 1 || countKeys(t, elsewhere) != 0 {
		t.Error("a name is not a database")
	}
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	if err := one.Read(t.Context(), func(context.Context, db.Tx) error { return nil }); err == nil {
		t.Error("what is closed can be read")
	}
	if countKeys(t, other) != 1 {
		t.Error("one closed it for all")
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if countKeys(t, memoryOf(t, t.Name(), db.Options{})) != 0 {
		t.Error("something is left when all have closed it")
	}
}

// A read of a database in memory cannot write, also what a write has prepared before.
func TestMemoryReadCannotWrite(t *testing.T) {
	d := memoryOf(t, t.Name(), db.Options{})
	add := func(value string) func(context.Context, db.Tx) error {
		return func(ctx context.Context, tx db.Tx) error {
			_, err := tx.Exec(ctx, addKey, value)
			return err
		}
	}
	if d.Read(t.Context(), add("first")) == nil {
		t.Error("a read wrote")
	}
	if err := d.Write(t.Context(), add("second")); err != nil {
		t.Error(err)
	}
	if d.Read(t.Context(), add("third")) == nil {
		t.Error("a read wrote what was prepared for a write")
	}
	if n := countKeys(t, d); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

// What fails, panics or dies before its commit leaves nothing in memory, and what is
// rehearsed counts once; the database goes on.
func TestMemoryKeepsWhatIsCommitted(t *testing.T) {
	dies := false
	d := memoryOf(t, t.Name(), db.Options{Rehearse: true, Observe: func(p db.Point) {
		if dies && p == db.BeforeCommit {
			panic(errTest)
		}
	}})
	add := func(end func() error) error {
		var o outcome
		o.of(func() error {
			return d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				if _, err := tx.Exec(ctx, addKey, "v"); err != nil {
					return err
				}
				return end()
			})
		})
		if o.panicked != nil {
			return errTest
		}
		return o.err
	}
	if err := add(func() error { return errTest }); !errors.Is(err, errTest) {
		t.Errorf("a failure: %v", err)
	}
	if err := add(func() error { panic(errTest) }); !errors.Is(err, errTest) {
		t.Errorf("a panic: %v", err)
	}
	dies = true
	if err := add(func() error { return nil }); !errors.Is(err, errTest) {
		t.Errorf("a death before the commit: %v", err)
	}
	dies = false
	if n := countKeys(t, d); n != 0 {
		t.Errorf("%d rows are left of what failed", n)
	}
	if err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.Exec(ctx, addKey, "v"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "COMMIT")
		return err
	}); err == nil {
		t.Error("a write committed by itself")
	}
	if err := add(func() error { return nil }); err != nil {
		t.Error(err)
	}
	if n := countKeys(t, d); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}
