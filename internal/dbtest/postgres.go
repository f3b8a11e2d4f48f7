package dbtest

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/tsuzuku/tsuzuku/internal/dbtest/cluster"
)

// testServer is found or started once in a process; this is why it is a variable.
var testServer = sync.OnceValues(findServer)

// Postgres opens an empty PostgreSQL database for the test. It skips the test on
// a machine without PostgreSQL, unless the variable CI is set.
func Postgres(t testing.TB) Env {
	t.Helper()
	s, err := testServer()
	if errors.Is(err, cluster.ErrNotInstalled) && os.Getenv("CI") == "" {
		t.Skipf("NOT TESTED ON POSTGRESQL: %v, and TSUZUKU_TEST_POSTGRES is not set", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	name, err := s.take(context.Background()) // the test's context must not cut the connection that holds the locks
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.giveBack(name) })
	return open(t, s.database(name))
}

// findServer returns the server that the environment names, or starts one that
// ends with this process.
func findServer() (*server, error) {
	ctx := context.Background()
	s := &server{url: os.Getenv("TSUZUKU_TEST_POSTGRES")}
	if s.url == "" {
		c, err := cluster.Start(ctx)
		if err != nil {
			return nil, err
		}
		s.url, s.cluster = c.URL, c
	}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	return s, nil
}
