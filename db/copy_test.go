package db_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// put writes two rows that belong together.
func put(ctx context.Context, d *db.DB, n int) error {
	return d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		for _, kind := range []string{"a", "b"} {
			if _, err := tx.Exec(ctx, `INSERT INTO directory (kind, value, account_id, id) VALUES ($1, $2, 'acc', 'x')`, kind, fmt.Sprint(n)); err != nil {
				return err
			}
		}
		return nil
	})
}

func rowsOf(ctx context.Context, tx db.Tx, kind string) (n int, err error) {
	err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM directory WHERE kind = $1`, kind).Scan(&n)
	return n, err
}

// A copy made while others write holds exactly what was seen when it began, and
// nothing of a transaction by halves.
func TestCopyWhileOthersWrite(t *testing.T) {
	env := dbtest.SQLite(t)
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	first := make(chan struct{})
	writers.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			if err := put(ctx, env.DB, n); err != nil && ctx.Err() == nil {
				t.Error(err)
				return
			}
			if n == 0 {
				close(first)
			}
		}
	})
	<-first
	last := 0
	for i := range 5 {
		file := filepath.Join(t.TempDir(), "copy.db")
		var seen int
		err := env.DB.CopyTo(t.Context(), file, func(ctx context.Context, tx db.Tx) (err error) {
			seen, err = rowsOf(ctx, tx, "a")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		c, err := db.Open(t.Context(), file, db.Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(c.Examine(t.Context()), c.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			a, err := rowsOf(ctx, tx, "a")
			if err != nil {
				return err
			}
			b, err := rowsOf(ctx, tx, "b")
			if a != seen || b != seen || seen < last {
				t.Errorf("copy %d: %d and %d rows, %d seen, %d before", i, a, b, seen, last)
			}
			return err
		}), c.Close())
		if err != nil {
			t.Error(err)
		}
		last = seen
	}
	stop()
	writers.Wait()
	if err := env.DB.CopyTo(t.Context(), env.URL, func(context.Context, db.Tx) error { return nil }); !errors.Is(err, os.ErrExist) {
		t.Errorf("a copy over a file: %v", err)
	}
}

// Damage is found and said in words; what cannot be seen in time is not called
// sound.
func TestGlance(t *testing.T) {
	env := dbtest.SQLite(t)
	if whole, err := env.DB.Glance(t.Context(), time.Minute); err != nil || !whole {
		t.Errorf("a sound file: %v %v", whole, err)
	}
	if whole, err := env.DB.Glance(t.Context(), time.Nanosecond); err != nil || whole {
		t.Errorf("no time: %v %v", whole, err)
	}
	file := filepath.Join(t.TempDir(), "broken.db")
	if err := env.DB.CopyTo(t.Context(), file, func(context.Context, db.Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4096 {
		text[len(text)/2+i] ^= 0x55
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(t.Context(), file, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close() //nolint:errcheck // it is broken
	if _, err := d.Glance(t.Context(), time.Minute); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), "tsuzuku restore") {
		t.Errorf("a damaged file: %v", err)
	}
	if err := d.Examine(t.Context()); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a damaged file: %v", err)
	}
}
