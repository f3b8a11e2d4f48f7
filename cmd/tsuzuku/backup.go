package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/backup"
)

// backupCmd copies the database while the shop runs.
type backupCmd struct {
	database
	To string `required:"" help:"The file to make, or a directory, where the file is named by the time. A file that is there is left alone." placeholder:"FILE|DIR"`
}

// Run prints the file's name, and for people what is in it. Promises that the
// shop itself broke are printed, and end the command with 1; the backup is made
// all the same.
func (c *backupCmd) Run(ctx context.Context, s std) error {
	base, err := c.existing(ctx)
	if err != nil {
		return err
	}
	r, err := backup.Make(ctx, base, c.Database, c.To, backup.Options{})
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	fmt.Fprintln(s.out, r.File)
	return printCopy(r, s)
}

// restoreCmd puts a backup into an empty database.
type restoreCmd struct {
	database
	File string `arg:"" help:"The backup." placeholder:"FILE"`
}

// Run says for people what was restored, and what to do next.
func (c *restoreCmd) Run(ctx context.Context, s std) error {
	r, err := backup.Restore(ctx, c.File, c.Database)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.err, "restored what %s held at %s\n", c.File, r.Facts.TakenAt.Format("2006-01-02 15:04:05 UTC"))
	if !r.Audited {
		fmt.Fprintln(s.err, "Its schema is older than this program's. Run: tsuzuku migrate, then tsuzuku audit.")
	}
	fmt.Fprintln(s.err, "Before the shop opens, read in docs/backup.md what happened since, outside.")
	return printCopy(r, s)
}

// printCopy says what a copy holds and how that is known.
func printCopy(r backup.Report, s std) error {
	fmt.Fprintf(s.err, "schema %d, %d tables, %d rows", r.Facts.Schema, len(r.Facts.Rows), r.Facts.Total())
	switch {
	case r.Bytes > 0 && len(r.Notes) == 0:
		fmt.Fprintf(s.err, ", %d bytes; restored on trial and compared", r.Bytes)
	case r.Bytes > 0:
		fmt.Fprintf(s.err, ", %d bytes", r.Bytes)
	}
	if r.Audited {
		fmt.Fprintf(s.err, "; %d checks, %d violations", len(audit.Checks), len(r.Violations))
	}
	fmt.Fprintln(s.err)
	for _, note := range r.Notes {
		fmt.Fprintln(s.err, note)
	}
	for _, v := range r.Violations {
		fmt.Fprintln(s.err, v)
	}
	if len(r.Violations) > 0 {
		fmt.Fprintln(s.err, "The copy is true to the shop; it is the shop's data that break these promises.")
		return quietExit(1)
	}
	return nil
}
