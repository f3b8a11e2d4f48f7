package db_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// The engineer is told what to do, in a sentence, and never shown a password.
func TestOpenSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "letter.txt")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("Dear seller, ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, url string
		kind      fault.Kind
		says      string
	}{
		{"no such directory", filepath.Join(dir, "none", "t.db"), fault.Invalid, "there is no directory"},
		{"a directory", dir, fault.Invalid, "permission"},
		{"another kind of file", garbage, fault.Invalid, "is not a database"},
		{"nobody listens", "postgres://u:hunter2@127.0.0.1:1/shop?connect_timeout=5", fault.Unavailable, "cannot be reached"},
		{"not a URL", "postgres://u:hunter2@[::1/shop", fault.Invalid, "cannot be read"},
		{"strange parameter", "postgres://u:hunter2@127.0.0.1/shop?sslmode=perhaps", fault.Invalid, "question mark"},
		{"wrong password", fakeServer(t, "28P01"), fault.Invalid, "its password"},
		{"wrong user", fakeServer(t, "28000"), fault.Invalid, "user"},
		{"no such database", fakeServer(t, "3D000"), fault.Invalid, "createdb shop"},
		{"too many clients", fakeServer(t, "53300"), fault.Unavailable, "max_connections"},
		{"starting up", fakeServer(t, "57P03"), fault.Unavailable, "Its log"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := db.Open(t.Context(), test.url, db.Options{})
			if err == nil {
				t.Fatal("it opened", d.Close())
			}
			if got := fault.KindOf(err); got != test.kind {
				t.Errorf("kind %s, want %s: %v", got, test.kind, err)
			}
			if msg := fault.Message(err); !strings.Contains(msg, test.says) {
				t.Errorf("message %q does not say %q", msg, test.says)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is in %q", err)
			}
		})
	}
}

// fakeServer refuses every client with an error code and returns its URL.
func fakeServer(t *testing.T, code string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b := pgproto3.NewBackend(c, c)
			if _, err := b.ReceiveStartupMessage(); err == nil {
				b.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: code, Message: "refused"})
				_ = b.Flush()
			}
			_ = c.Close()
		}
	}()
	return "postgres://u:hunter2@" + l.Addr().String() + "/shop?sslmode=disable"
}

func TestOpenUnwritableFile(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere")
	}
	path := filepath.Join(t.TempDir(), "t.db")
	if err := os.WriteFile(path, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	_, err := db.Open(t.Context(), path, db.Options{})
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), "permission") {
		t.Errorf("err = %v", err)
	}
}

// File names are not URLs.
func TestOpenStrangeFileNames(t *testing.T) {
	for _, name := range []string{"a b.db", "50%.db", "what?.db", "#1.db", "a&b=c.db", "日本.db"} {
		path := filepath.Join(t.TempDir(), name)
		d, err := db.Open(t.Context(), path, db.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		write(t, d, `CREATE TABLE t (id INTEGER) STRICT`)
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestInMemoryDatabaseLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	d, err := db.Open(t.Context(), ":memory:", db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := numbers(t, d, `SELECT count(*) FROM directory`); n[0] != 0 {
		t.Error("not empty")
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left %v, err %v", left, err)
	}
}

func TestSchemaIsCheckedAndMigrated(t *testing.T) {
	check := func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		_, err := d.CheckSchema(ctx)
		if fault.KindOf(err) != fault.Invalid || !strings.HasSuffix(fault.Message(err), "run: tsuzuku migrate") {
			t.Errorf("an empty database: %v", err)
		}
		from, to, err := d.Migrate(ctx)
		if err != nil || from != 0 || to < 1 {
			t.Fatalf("Migrate = %d, %d, %v", from, to, err)
		}
		if ahead, err := d.CheckSchema(ctx); err != nil || ahead {
			t.Errorf("after Migrate: %v", err)
		}
		if from, again, err := d.Migrate(ctx); err != nil || from != to || again != to {
			t.Errorf("Migrate again = %d, %d, %v; want %d twice", from, again, err, to)
		}
		write(t, d, `INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, $2)`, to+1, true)
		if ahead, err := d.CheckSchema(ctx); err != nil || !ahead {
			t.Errorf("a database from the future that took nothing away: %t, %v", ahead, err)
		}
		if from, stays, err := d.Migrate(ctx); err != nil || from != to+1 || stays != to+1 {
			t.Errorf("Migrate of such a one = %d, %d, %v", from, stays, err)
		}
		write(t, d, `UPDATE schema_floor SET oldest = $1`, to+1)
		_, err = d.CheckSchema(ctx)
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), "newer version") {
			t.Errorf("a database from the future: %v", err)
		}
		if _, _, err = d.Migrate(ctx); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Migrate of a database from the future: %v", err)
		}
	}
	t.Run("sqlite", func(t *testing.T) { check(t, openSQLite(t, db.Options{})) })
	t.Run("postgres", func(t *testing.T) {
		env := dbtest.Postgres(t)
		dropAll(t, env.DB)
		check(t, env.DB)
	})
}

func dropAll(t *testing.T, d *db.DB) {
	t.Helper()
	write(t, d, `DROP SCHEMA public CASCADE`)
	write(t, d, `CREATE SCHEMA public`)
}

// On PostgreSQL one process migrates and the others wait for it.
func TestMigrateFromSeveralProcesses(t *testing.T) {
	env := dbtest.Postgres(t)
	dropAll(t, env.DB)
	var all sync.WaitGroup
	for range 3 {
		d := openURL(t, env.URL)
		all.Go(func() {
			if _, _, err := d.Migrate(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if _, err := env.DB.CheckSchema(t.Context()); err != nil {
		t.Error(err)
	}
}
