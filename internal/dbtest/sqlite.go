package dbtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tsuzuku/tsuzuku/db"
)

// migratedFile is an empty migrated database. Migrating takes a hundred times
// longer than copying, so it is done once in a process; this is why it is a
// variable.
var migratedFile = sync.OnceValues(migrateFile)

// SQLite opens a fresh SQLite database for the test.
func SQLite(t testing.TB) Env {
	t.Helper()
	file, err := migratedFile()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(scratch(t), "test.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, path)
}

func migrateFile() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "tsuzuku-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "template.db")
	if err := migrate(context.Background(), path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

func migrate(ctx context.Context, url string) error {
	d, err := db.Open(ctx, url, db.Options{})
	if err != nil {
		return err
	}
	_, _, err = d.Migrate(ctx)
	return errors.Join(err, d.Close())
}
