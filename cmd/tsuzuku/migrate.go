package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/backup"
	"github.com/tsuzuku/tsuzuku/db"
)

// migrateCmd brings the database to this version; an empty one is made.
type migrateCmd struct {
	database
	Rehearse bool `help:"Migrate a copy first, say what that did and how long it took, and leave the database alone."`
}

// Run prints the version before and after.
func (c *migrateCmd) Run(ctx context.Context, s std) error {
	if c.Rehearse {
		return c.rehearse(ctx, s)
	}
	base, err := db.Open(ctx, c.Database, db.Options{Now: time.Now})
	if err != nil {
		return err
	}
	from, to, err := base.Migrate(ctx)
	if err == nil {
		_, err = fmt.Fprintf(s.out, "%d -> %d\n", from, to)
	}
	return errors.Join(err, base.Close())
}

// rehearse prints what a migration would do; it ends with 1 if the copy then
// breaks a promise.
func (c *migrateCmd) rehearse(ctx context.Context, s std) error {
	base, err := c.existing(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	r, err := backup.Rehearse(ctx, base, c.Database)
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%d -> %d\n", r.From, r.To)
	fmt.Fprintf(s.err, "on a copy, in %v with copying; the database itself was not changed\n", time.Since(began).Round(time.Millisecond))
	tables := maps.Clone(r.Before.Rows)
	maps.Copy(tables, r.After.Rows)
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		before, was := r.Before.Rows[table]
		after, is := r.After.Rows[table]
		switch {
		case !was:
			fmt.Fprintf(s.err, "  %s: new, %d rows\n", table, after)
		case !is:
			fmt.Fprintf(s.err, "  %s: gone, with %d rows\n", table, before)
		case before != after:
			fmt.Fprintf(s.err, "  %s: %d rows, before %d\n", table, after, before)
		}
	}
	for _, v := range r.Violations {
		fmt.Fprintln(s.err, v)
	}
	if len(r.Violations) > 0 {
		fmt.Fprintln(s.err, "After it the copy breaks promises. Run tsuzuku audit on the database: what it finds, too, is not of the migration.")
		return quietExit(1)
	}
	return nil
}
