package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tsuzuku/tsuzuku/fault"
)

// errRehearsal ends a rehearsal. It never leaves this package.
var errRehearsal = errors.New("db: rehearsal, always rolled back")

// engine is what SQLite and PostgreSQL do differently.
type engine interface {
	name() Engine

	// write runs the job in a transaction, again if need be, and answers after
	// the commit.
	write(ctx context.Context, j job) error

	// send is write for a job that reads nothing; the engine may run it together
	// with others.
	send(ctx context.Context, j job) error

	// read runs the job in a read-only transaction.
	read(ctx context.Context, j job) error

	// migrator opens what goose needs; the caller closes it.
	migrator(ctx context.Context) (*migrator, error)

	close() error
}

// job is a function to be run in a transaction, and what it needs.
type job struct {
	fn       func(context.Context, Tx) error
	now      func() time.Time
	rehearse bool
	observe  func(Point)
	texts    *texts
}

// inside marks ctx as belonging to a transaction.
func inside(ctx context.Context) context.Context { return context.WithValue(ctx, txKey{}, true) }

func (d *DB) run(ctx context.Context, readOnly bool, fn func(context.Context, Tx) error) error {
	j, err := d.job(ctx, fn)
	if err != nil {
		return err
	}
	if readOnly {
		return d.reached(false, func() error { return d.engine.read(ctx, j) })
	}
	return d.reached(true, func() error { return d.engine.write(ctx, j) })
}

// reached does what needs the database, unless the way there is cut. Of a write the
// answer can be lost, too.
func (d *DB) reached(write bool, do func() error) error {
	if err := d.reach(BeforeBegin); err != nil {
		return away(err)
	}
	if err := do(); err != nil || !write {
		return err
	}
	if err := d.reach(AfterCommit); err != nil {
		return fmt.Errorf("%w: %w", ErrCommitUnknown, err)
	}
	return nil
}

// away is for a database that cannot be reached at the moment, as customers may read it.
func away(cause error) error {
	return &fault.Error{
		Kind: fault.Unavailable, Reason: "database_away", Err: cause,
		Message: "Our database does not answer at the moment. Nothing was changed; please try again in a minute.",
	}
}

func (d *DB) job(ctx context.Context, fn func(context.Context, Tx) error) (job, error) {
	if Forbidden(ctx) {
		panic("db: transaction inside a transaction") // would wait for itself on SQLite
	}
	return job{fn: fn, now: d.Now, rehearse: d.rehearse, observe: d.observe, texts: &d.texts}, ctx.Err()
}
