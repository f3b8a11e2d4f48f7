package db_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// Of two writes that lock the same rows in opposite order PostgreSQL ends one,
// which then runs again.
func TestDeadlockedWriteRunsAgain(t *testing.T) {
	env := dbtest.Postgres(t)
	d := openURL(t, with(env.URL, "deadlock_timeout", "5ms"))
	write(t, d, `INSERT INTO directory (kind, value, account_id, id) VALUES ('n', 'a', '', ''), ('n', 'b', '', '')`)
	const update = `UPDATE directory SET id = id || $1 WHERE value = $2`
	var runs atomic.Int64
	var all, locked sync.WaitGroup
	locked.Add(2)
	for who, order := range map[string][2]string{"x": {"a", "b"}, "y": {"b", "a"}} {
		all.Go(func() {
			var once sync.Once
			err := d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
				runs.Add(1)
				if _, err := tx.Exec(ctx, update, who, order[0]); err != nil {
					return err
				}
				once.Do(func() { locked.Done(); locked.Wait() }) // each has its first row now
				if _, err := tx.Exec(ctx, update, who, order[1]); err != nil {
					return errors.New("an error that hides the cause")
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if runs.Load() < 3 {
		t.Errorf("%d runs: there was no deadlock", runs.Load())
	}
	if n := numbers(t, d, `SELECT count(*) FROM directory WHERE length(id) = 2`); n[0] != 2 {
		t.Errorf("%d of 2 rows carry both updates", n[0])
	}
}

// A connection that is cut before COMMIT leaves nothing, so the write runs again
// on another one.
func TestWriteSurvivesLostConnection(t *testing.T) {
	env := dbtest.Postgres(t)
	d := openURL(t, env.URL)
	runs := 0
	err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		runs++
		if err := db.Claim(ctx, tx, "k", "v", "ac_1", "1"); err != nil {
			return err
		}
		if runs < 3 {
			pid, err := scanNumbers(ctx, tx, `SELECT pg_backend_pid()`)
			if err != nil {
				return err
			}
			terminate(t, env.URL, pid[0])
		}
		_, err := tx.Exec(ctx, `UPDATE directory SET id = id || '+'`)
		return err
	})
	if err != nil || runs != 3 {
		t.Errorf("%d runs, err %v; want 3", runs, err)
	}
	if n := numbers(t, d, `SELECT count(*) FROM directory WHERE id = '1+'`); n[0] != 1 {
		t.Errorf("%d rows as written once, want 1", n[0])
	}
}

// Who waits for a database that is gone reads when to come back, and not where it is.
func TestDatabaseThatIsGoneIsNotTheCallersFault(t *testing.T) {
	p := &proxy{target: dbtest.Postgres(t).URL}
	d := openURL(t, p.listen(t))
	p.gone.Store(true)
	ask := func(ctx context.Context, tx db.Tx) error { _, err := tx.Exec(ctx, `SELECT 1`); return err }
	for name, err := range map[string]error{
		"a read":  d.Read(t.Context(), ask),
		"a write": d.Write(t.Context(), ask),
	} {
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Unavailable || f.Reason != "database_away" {
			t.Errorf("%s: %v", name, err)
		}
		if told := fault.Message(err); strings.Contains(told, "127.0.0.1") || strings.Contains(told, "PostgreSQL") {
			t.Errorf("%s: %q is not the customer's business", name, told)
		}
	}
}

// Connections that died in the pool are no reason to fail.
func TestReadSurvivesServersForgetting(t *testing.T) {
	env := dbtest.Postgres(t)
	d := openURL(t, with(env.URL, "pool_max_conns", "1"))
	for range 3 {
		pid := numbers(t, d, `SELECT pg_backend_pid()`)
		terminate(t, env.URL, pid[0])
	}
}

// When the answer to COMMIT is lost, the write is not run again: it may have
// been committed.
func TestLostCommitIsUnknown(t *testing.T) {
	for _, arrives := range []bool{false, true} {
		env := dbtest.Postgres(t)
		p := &proxy{target: env.URL, arrives: arrives}
		d := openURL(t, p.listen(t))
		runs := 0
		p.armed.Store(true)
		err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			runs++
			return db.Claim(ctx, tx, "k", "v", "ac_1", "1")
		})
		if !errors.Is(err, db.ErrCommitUnknown) || runs != 1 || fault.KindOf(err) != fault.Unavailable {
			t.Errorf("arrives=%t: err %v after %d runs, want unknown after one", arrives, err, runs)
		}
		want := int64(0)
		if arrives {
			want = 1
		}
		if n := numbers(t, env.DB, `SELECT count(*) FROM directory`); n[0] != want {
			t.Errorf("arrives=%t: %d rows, want %d: the test does not test what it says", arrives, n[0], want)
		}
	}
}

// An error that PostgreSQL reports at COMMIT is certain.
func TestRefusedCommitIsNotUnknown(t *testing.T) {
	env := dbtest.Postgres(t)
	write(t, env.DB, `CREATE TABLE child (parent bigint UNIQUE, id bigint REFERENCES child (parent) DEFERRABLE INITIALLY DEFERRED)`)
	err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO child VALUES (1, 2)`)
		return err
	})
	if err == nil || errors.Is(err, db.ErrCommitUnknown) {
		t.Errorf("err = %v, want the broken key", err)
	}
}

// proxy stands between the database and its client, and hangs up at COMMIT, or always.
type proxy struct {
	target  string
	arrives bool // the COMMIT reaches the server first, and is answered
	armed   atomic.Bool
	gone    atomic.Bool // nothing passes
}

// listen returns the URL of the database through the proxy.
func (p *proxy) listen(t *testing.T) string {
	c, err := pgx.ParseConfig(p.target)
	if err != nil {
		t.Fatal(err)
	}
	network, address := pgconn.NetworkAddress(c.Host, c.Port)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				return
			}
			go p.answers(client, server)
			go p.requests(client, server)
		}
	}()
	u := url.URL{Scheme: "postgres", User: url.UserPassword(c.User, c.Password), Host: l.Addr().String(), Path: c.Database, RawQuery: "sslmode=disable"}
	return u.String()
}

func (p *proxy) requests(client, server net.Conn) {
	defer func() { _ = server.Close() }()
	buf := make([]byte, 1<<16)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		if p.gone.Load() {
			_ = client.Close()
			return
		}
		if p.armed.Load() && bytes.Contains(buf[:n], []byte("commit")) && !p.arrives {
			_ = client.Close()
			return
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) answers(client, server net.Conn) {
	defer func() { _ = client.Close() }()
	buf := make([]byte, 1<<16)
	for {
		n, err := server.Read(buf)
		if err != nil || p.armed.Load() && bytes.Contains(buf[:n], []byte("COMMIT")) {
			return
		}
		if _, err := io.Copy(client, bytes.NewReader(buf[:n])); err != nil {
			return
		}
	}
}

func openURL(t *testing.T, url string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), url, db.Options{})
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

// with adds a parameter to a database URL.
func with(text, key, value string) string {
	u, err := url.Parse(text)
	if err != nil {
		panic(err)
	}
	q := u.Query()
	q.Set(key, value)
	u.RawQuery = q.Encode()
	return u.String()
}

func terminate(t *testing.T, url string, pid int64) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	// The second argument: wait until it is gone.
	if _, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend($1, 5000)`, pid); err != nil {
		t.Fatal(err)
	}
}
