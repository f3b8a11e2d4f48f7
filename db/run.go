package db

import (
	"context"
	"errors"
	"time"
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
		return d.engine.read(ctx, j)
	}
	return d.engine.write(ctx, j)
}

func (d *DB) job(ctx context.Context, fn func(context.Context, Tx) error) (job, error) {
	if Forbidden(ctx) {
		panic("db: transaction inside a transaction") // would wait for itself on SQLite
	}
	return job{fn: fn, now: d.Now, rehearse: d.rehearse, observe: d.observe, texts: &d.texts}, ctx.Err()
}
