package e2e

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/order"
)

// faultTrial is one way in which PostgreSQL, or the way to it, misbehaves while
// customers renew.
type faultTrial struct {
	name   string
	before func(*cable) // from the first renewal on

	// during is what happens at every tenth renewal, while the operator is asked.
	// It says how many connections it broke, but for those that the cable counts.
	during func(t *testing.T, k *cable, url string) int64
}

func faultTrials() []faultTrial {
	return []faultTrial{
		{name: "torn", before: func(k *cable) { k.tearBy = 40_000 }},
		{name: "slow", before: func(k *cable) { k.delay = 2 * time.Millisecond }},
		{name: "cut", during: func(_ *testing.T, k *cable, _ string) int64 { k.cut(); return 0 }},
		{name: "refused for a while", during: func(_ *testing.T, k *cable, _ string) int64 {
			k.set(func(k *cable) { k.refuse = 30 })
			k.cut()
			return 0
		}},
		{name: "ended by the server", during: func(t *testing.T, _ *cable, url string) int64 { return endBackends(t, url) }},
	}
}

// Whatever happens between us and PostgreSQL: who renewed once is served once
// and pays once, or is not served and has the money.
func TestPostgresFaultsLoseAndDoubleNothing(t *testing.T) {
	for _, trial := range faultTrials() {
		t.Run(trial.name, func(t *testing.T) { trial.run(t, dbtest.Postgres(t)) })
	}
}

const (
	faultCustomers = 40
	faultClients   = 6
)

func (f faultTrial) run(t *testing.T, env dbtest.Env) {
	t.Helper()
	k := layCable(t, env.URL)
	d, err := db.Open(t.Context(), k.url, db.Options{Now: env.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	s := newStall(d, env.Clock)
	quotes, err := s.stock(t.Context(), faultCustomers)
	if err != nil {
		t.Fatal(err)
	}
	var asked, happened atomic.Int64
	s.sim.Meanwhile = func(carrier.Extension) {
		if asked.Add(1)%10 == 5 && f.during != nil {
			happened.Add(f.during(t, k, env.URL))
		}
	}
	if f.before != nil {
		k.set(f.before)
		k.cut()
	}
	k.set(func(k *cable) { k.faults = 0 })
	said := s.rush(t, quotes)
	k.set(func(k *cable) { happened.Add(int64(k.faults)) })
	k.set(func(k *cable) { k.tearBy, k.delay, k.refuse = 0, 0, 0 })
	k.cut()
	if err := eventually(func() error { return s.settle(t.Context()) }); err != nil {
		t.Fatal(err)
	}
	ends, wrong := s.judge(t.Context(), quotes)
	for _, err := range wrong {
		t.Error(err)
	}
	if ends["not placed"] > 0 {
		t.Errorf("%d customers could not renew at all", ends["not placed"])
	}
	t.Logf("%d customers saw %d errors from %d faults; the orders ended: %s", len(quotes), said, happened.Load(), say(ends))
	if happened.Load() == 0 {
		t.Error("nothing went wrong: the fault did not happen")
	}
}

// rush lets the customers renew, several at a time, while workers work. Who sees
// an error presses again. It says how many errors were seen.
func (s *stall) rush(t *testing.T, quotes []order.Quote) (errors int64) {
	t.Helper()
	next := make(chan order.Quote, len(quotes))
	for _, q := range quotes {
		next <- q
	}
	close(next)
	var seen atomic.Int64
	var clients, workers sync.WaitGroup
	for range faultClients {
		clients.Go(func() {
			for q := range next {
				err := eventually(func() error {
					_, err := s.place(t.Context(), q)
					if err != nil {
						seen.Add(1)
					}
					return err
				})
				if err != nil {
					t.Errorf("%s: %v", q.ID, err)
				}
			}
		})
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	workers.Go(func() {
		for ctx.Err() == nil {
			_, _ = s.desk.Step(ctx) // it fails as the customers' clicks do, and is taken again
			_, _ = s.numbering.Step(ctx)
		}
	})
	clients.Wait()
	stop()
	workers.Wait()
	return seen.Load()
}

// eventually does again what fails, as a customer would, but not for ever.
func eventually(do func() error) (err error) {
	for range 200 {
		if err = do(); err == nil {
			return nil
		}
	}
	return err
}

// endBackends ends every connection of the database at the server, and says how
// many there were.
func endBackends(t *testing.T, url string) int64 {
	ctx := context.WithoutCancel(t.Context())
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer c.Close(ctx) //nolint:errcheck // it may have ended itself
	ended, err := c.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'tsuzuku'`)
	if err != nil {
		t.Error(err)
	}
	return ended.RowsAffected()
}
