package backup

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// Rehearsal is what a migration did to a copy.
type Rehearsal struct {
	From, To   int64
	Before     Facts
	After      Facts
	Violations []audit.Violation
}

// Rehearse migrates a copy of the database d, which was opened at url, and
// leaves the database itself alone. The copy lies in the directory for temporary
// files or, on PostgreSQL, in a database of its own on the same server; both are
// removed again.
func Rehearse(ctx context.Context, d *db.DB, url string) (r Rehearsal, err error) {
	scratch, err := os.MkdirTemp("", dirPrefix)
	if err != nil {
		return r, fault.Wrap(fault.Invalid, err, "There is no room for the copy. Check TMPDIR and its permissions.")
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	data := filepath.Join(scratch, nameOf(d.Engine()))
	if r.Before, err = copyData(ctx, d, url, data); err != nil {
		return r, err
	}
	trial := data
	if d.Engine() == db.PostgreSQL {
		var drop func() error
		trial, drop, err = sideBySide(ctx, url)
		if errors.Is(err, errMayNot) {
			return r, fault.Wrap(fault.Invalid, err, "This user may not create databases, so there is no place to rehearse. Let it (ALTER ROLE … CREATEDB), or restore a backup elsewhere and migrate that.")
		}
		if err != nil {
			return r, err
		}
		defer func() { err = errors.Join(err, drop()) }()
		if err := load(ctx, trial, data); err != nil {
			return r, err
		}
	}
	err = r.on(ctx, trial)
	return r, err
}

// on migrates the copy and looks at it.
func (r *Rehearsal) on(ctx context.Context, url string) (err error) {
	d, err := db.Open(ctx, url, db.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if r.From, r.To, err = d.Migrate(ctx); err != nil {
		return err
	}
	err = d.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		r.After, err = factsOf(ctx, d, tx)
		return err
	})
	if err != nil {
		return err
	}
	r.Violations, err = audit.Run(ctx, d)
	return err
}
