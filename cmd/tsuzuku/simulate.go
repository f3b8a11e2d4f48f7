package main

import (
	"bufio"
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
	r, err := c.once(ctx, c.Orders, c.Log)
	if err != nil {
		return err
	}
	took := time.Since(began).Seconds()
	out := simulated{Result: r, Engine: c.Engine, Seconds: took, OrdersPerSecond: int(float64(r.Orders) / took)}
	if len(r.Violations) > 0 && c.Shorten {
		fmt.Fprintf(s.err, "%d violations; looking for a shorter run\n", len(r.Violations))
		shortest, err := c.shortest(ctx)
		if err != nil {
			return err
		}
		out.Replay = fmt.Sprintf("tsuzuku simulate --seed %d --faults %s --orders %d --engine %s", c.Seed, c.Faults, shortest, c.Engine)
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

// shortest is the least number of orders, by halves, with which the run breaks a
// promise.
func (c *simulateCmd) shortest(ctx context.Context) (int, error) {
	good, bad := 0, c.Orders
	for bad-good > max(1, bad/50) {
		half := (good + bad) / 2
		r, err := c.once(ctx, half, "")
		if err != nil {
			return 0, err
		}
		if len(r.Violations) > 0 {
			bad = half
		} else {
			good = half
		}
	}
	return bad, nil
}

// once runs the town on a database of its own: in memory, or on a new server.
func (c *simulateCmd) once(ctx context.Context, orders int, log string) (r world.Result, err error) {
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
	p := world.Plan{Seed: c.Seed, Orders: orders, Faults: c.Faults, Keys: keys, Open: town.House}
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
