// Package dbtest opens throw-away databases on both engines, fully migrated, in
// which every write is rehearsed.
//
// PostgreSQL is the server that TSUZUKU_TEST_POSTGRES names (see its command
// pgserver), or one that the test process starts for itself. Without PostgreSQL
// on the machine those tests are skipped, except in CI, where they fail.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package dbtest

import (
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
)

// Env is what a test gets.
type Env struct {
	DB    *db.DB
	Clock *Clock // the database's clock
	URL   string // to open the same database again
}

// Each runs test on both engines, as subtests "sqlite" and "postgres".
func Each(t *testing.T, test func(t *testing.T, env Env)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
}

// open opens the migrated database at url until the test ends.
func open(t testing.TB, url string) Env {
	t.Helper()
	env := Env{Clock: NewClock(), URL: url}
	d, err := db.Open(t.Context(), url, db.Options{Now: env.Clock.Now, Rehearse: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	env.DB = d
	return env
}

// Clock is a clock that moves only when told to. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands at 2026-03-02 03:00 UTC.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)}
}

// Now is what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Add moves the clock by d, which may be negative.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Set moves the clock to t.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}
