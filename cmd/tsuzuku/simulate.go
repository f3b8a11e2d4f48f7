package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/bench"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/world"
)

// simulateCmd runs a town of customers, providers and operators around the real
// code, with an auditor who keeps books of their own.
type simulateCmd struct {
	Seed    uint64       `default:"1" help:"Decides every choice and every fault."`
	Orders  int          `default:"2000" help:"How many orders customers want."`
	Engine  db.Engine    `default:"sqlite" enum:"sqlite,postgres" help:"sqlite, in memory, or postgres, a server that is started for it."`
	First   int          `default:"0" help:"Only so many of them come, the first ones, of the same story; 0: all. It is how a replay is shortened." placeholder:"N"`
	Faults  world.Faults `default:"some" enum:"none,some,wild" help:"How much goes wrong: none, some or wild."`
	Shorten bool         `default:"true" negatable:"" help:"Where a promise was broken, look for a shorter run that breaks one."`
	Log     string       `help:"Write what happens to this file, a line an event. The same seed writes the same file." placeholder:"FILE"`
}

// simulated is what is printed.
type simulated struct {
	world.Result
	Engine          db.Engine `json:"engine"`
	Seconds         float64   `json:"seconds"`
	OrdersPerSecond int       `json:"orders_per_second"`
	Replay          string    `json:"replay,omitempty"` // the shortest run found that breaks a promise
}

// garbage is how much a town may leave lying about before it is collected, in percent
// of what it needs: it lives for minutes, and is there to be fast.
const garbage = 1600

// Run prints a JSON summary. Where a promise was broken it looks for a shorter
// run that breaks one, says how to see it again, and ends with 1.
func (c *simulateCmd) Run(ctx context.Context, s std) error {
	debug.SetGCPercent(garbage)
	if c.Engine == db.SQLite {
		runtime.GOMAXPROCS(1) // one thing happens after another: a second core would only be woken and sent to sleep
		if err := db.Alone(); err != nil {
			return err
		}
	}
	began := time.Now()
	r, err := c.once(ctx, c.First, c.Log, c.progress(s.err))
	if err != nil {
		return err
	}
	took := time.Since(began).Seconds()
	out := simulated{Result: r, Engine: c.Engine, Seconds: took, OrdersPerSecond: int(float64(r.Orders) / took)}
	if len(r.Violations) > 0 && c.Shorten {
		fmt.Fprintf(s.err, "%d violations; looking for a shorter run\n", len(r.Violations))
		shortest, err := c.shortest(ctx, s.err)
		if err != nil {
			return err
		}
		out.Replay = fmt.Sprintf("tsuzuku simulate --seed %d --faults %s --orders %d --first %d --engine %s", c.Seed, c.Faults, c.Orders, shortest, c.Engine)
	}
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	if err := e.Encode(out); err != nil {
		return err
	}
	if len(r.Violations) > 0 {
		return quietExit(1)
	}
	return nil
}

// tellEvery is how often somebody who waits hears how far a town is.
const tellEvery = 5 * time.Second

// progress tells now and then how far a town is.
func (c *simulateCmd) progress(to io.Writer) func(int, time.Duration) {
	next := time.Now().Add(tellEvery)
	return func(wanted int, since time.Duration) {
		if now := time.Now(); !now.Before(next) {
			next = now.Add(tellEvery)
			fmt.Fprintf(to, "%d of about %d orders wanted, %v of the town's time\n", wanted, cmp.Or(c.First, c.Orders), since.Round(time.Second))
		}
	}
}

// shortest is with how few of the orders, from the first on, the same story breaks a
// promise: half of what is left is looked at, until one order less breaks none.
func (c *simulateCmd) shortest(ctx context.Context, to io.Writer) (int, error) {
	good, bad := 0, cmp.Or(c.First, c.Orders)
	for bad-good > 1 {
		half := (good + bad) / 2
		r, err := c.once(ctx, half, "", nil)
		if err != nil {
			return 0, err
		}
		if len(r.Violations) > 0 {
			bad = half
		} else {
			good = half
		}
		fmt.Fprintf(to, "the first %d orders: %d violations\n", half, len(r.Violations))
	}
	return bad, nil
}

// once runs the town on a database of its own: in memory, or on a new server.
func (c *simulateCmd) once(ctx context.Context, first int, log string, watch func(int, time.Duration)) (r world.Result, err error) {
	database := fmt.Sprintf("memory:town-%d", time.Now().UnixNano())
	if c.Engine == db.PostgreSQL {
		address, stop, err := bench.StartPostgres(ctx)
		if err != nil {
			return r, err
		}
		defer func() { err = errors.Join(err, stop()) }()
		database = address
	}
	town := app.NewTown(database)
	defer func() { err = errors.Join(err, town.Close()) }()
	keys, err := world.NewKeys()
	if err != nil {
		return r, err
	}
	p := world.Plan{Seed: c.Seed, Orders: c.Orders, First: first, Faults: c.Faults, Keys: keys, Watch: watch, Open: town.House}
	if log != "" {
		file, err := os.Create(log) //nolint:gosec // the engineer chooses the file
		if err != nil {
			return r, err
		}
		w := bufio.NewWriter(file)
		defer func() { err = errors.Join(err, w.Flush(), file.Close()) }()
		p.Log = io.Writer(w)
	}
	return world.Simulate(ctx, p)
}
