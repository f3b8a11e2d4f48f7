// Package bench measures how many renewals a second this machine carries, and
// beside it the limit: what the database alone could do with the same rows.
//
// A renewal here is a complete one, paid from the wallet, as a customer would
// make it: [order.Desk.Place] until the order is completed, on a line of its
// own, with every row and durable commits. The operator is simulated in process
// and answers at once. The limit, in limit.go, writes the same rows in the same
// two transactions by the leanest statements that we could write by hand; a
// test compares what both leave. The two take turns of about a second on one
// database, so that whatever else the machine does hits both.
//
// Beside that it measures what payments' notifications cost, see payment.go.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/order"
)

// Options say what is measured.
type Options struct {
	Engine db.Engine

	// Seconds is how long renewing is measured at each number of clients, at
	// least 1; the limit takes as long again, and making customers and quotes
	// before each turn about as long as both.
	Seconds int

	// Clients is how many renew at the same time; 0: 1, then 8, then 64. With
	// Sets it is how many workers step; 0: as many as a server has.
	Clients int

	// Sets above 0 measures what happens at midnight instead: orders that are
	// paid and due are driven by [order.Desk.Step], so many at once.
	Sets int

	// URL is an empty database: a postgres:// URL, or the path of a new SQLite
	// file. Empty: a throw-away one with the engine's own durable defaults.
	URL string

	Progress io.Writer        // what is going on, for people; nil: nobody looks
	Now      func() time.Time // the clock; nil: the database's
}

// Limits of what can be asked for. A set is what one statement can carry.
const (
	secondsMax = 3600
	clientsMax = 1000
	setsMax    = 500
)

func (o Options) validate() error {
	switch {
	case o.Engine != db.SQLite && o.Engine != db.PostgreSQL:
		return fault.New(fault.Invalid, "There is no engine %q. There are sqlite and postgres.", o.Engine)
	case o.URL == ":memory:":
		return fault.New(fault.Invalid, "A commit to memory says nothing. Name a file, or leave the database out for a throw-away one.")
	case o.Seconds < 1 || o.Seconds > secondsMax:
		return fault.New(fault.Invalid, "Measure for 1 to %d seconds.", secondsMax)
	case o.Clients < 0 || o.Clients > clientsMax:
		return fault.New(fault.Invalid, "Use 1 to %d clients, or 0 for 1, 8 and 64.", clientsMax)
	case o.Sets < 0 || o.Sets > setsMax:
		return fault.New(fault.Invalid, "Use sets of 1 to %d orders, or 0 for customers one by one.", setsMax)
	}
	return nil
}

func (o Options) clients() []int {
	switch {
	case o.Clients > 0:
		return []int{o.Clients}
	case o.Sets > 0:
		return []int{order.Workers}
	}
	return []int{1, 8, 64}
}

// Renew measures renewals. It fails with [fault.Invalid] for options that make
// no sense and for a database that is in use: it fills what it is given with
// invented customers.
func Renew(ctx context.Context, o Options) (result Result, err error) {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	s, end, err := begin(ctx, o)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, end()) }()
	result = Result{Engine: o.Engine, Seconds: o.Seconds, Sets: o.Sets, CPUs: runtime.GOMAXPROCS(0)}
	for _, n := range o.clients() {
		run, err := s.measure(ctx, o, n)
		if err != nil {
			return Result{}, err
		}
		result.Runs = append(result.Runs, run)
	}
	return result, s.check(ctx)
}

// begin checks the options and opens a shop, in a throw-away database if none is
// named. end closes it, and removes what was made for it.
func begin(ctx context.Context, o Options) (s *shop, end func() error, err error) {
	if err := o.validate(); err != nil {
		return nil, nil, err
	}
	remove := func() error { return nil }
	if o.URL == "" {
		if o.URL, remove, err = throwAway(ctx, o.Engine); err != nil {
			return nil, nil, err
		}
	}
	if s, err = open(ctx, o); err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	return s, func() error { return errors.Join(s.close(), remove()) }, nil
}

// throwAway makes a database that remove removes.
func throwAway(ctx context.Context, e db.Engine) (url string, remove func() error, err error) {
	if e == db.PostgreSQL {
		return StartPostgres(ctx)
	}
	dir, err := os.MkdirTemp("", "tsuzuku-bench-")
	if err != nil {
		return "", nil, fmt.Errorf("bench: %w", err)
	}
	return filepath.Join(dir, "bench.db"), func() error { return os.RemoveAll(dir) }, nil
}
