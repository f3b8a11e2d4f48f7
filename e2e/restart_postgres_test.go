package e2e

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/internal/dbtest/cluster"
)

// PostgreSQL dies and comes back in the middle of the work, several times: a
// killed backend makes the server drop every connection, recover from its log
// and start anew. It has a server of its own, which nobody else uses.
func TestPostgresRestartLosesAndDoublesNothing(t *testing.T) {
	c, err := cluster.Start(t.Context())
	if errors.Is(err, cluster.ErrNotInstalled) && os.Getenv("CI") == "" {
		t.Skip("NOT TESTED: " + err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Log(err) // the keeper says how the server ended
		}
	})
	env := dbtest.Env{URL: c.URL, Clock: dbtest.NewClock()}
	d, err := db.Open(t.Context(), env.URL, db.Options{Now: env.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	trial := faultTrial{name: "restarted", during: func(t *testing.T, _ *cable, url string) int64 { return killServer(t, url) }}
	trial.run(t, env)
}

// killServer kills one backend the hard way, after which PostgreSQL restarts
// itself, and says how many it killed.
func killServer(t *testing.T, url string) int64 {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0 // it is just coming back from the last time
	}
	defer func() { _ = conn.Close(ctx) }() // it is dead
	if err := syscall.Kill(int(conn.PgConn().PID()), syscall.SIGKILL); err != nil {
		t.Errorf("kill a backend: %v", err)
		return 0
	}
	return 1
}
