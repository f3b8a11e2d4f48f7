// Package backup makes whole copies of the shop's data while it runs, proves
// each by restoring it, and puts one back. A backup is one file: a ZIP archive of
// the database (an SQLite file, or a dump of pg_dump in its custom format) and of
// what it must hold (manifest.json), so that neither needs this program to be
// read.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// Options are what a test needs; the zero value is right.
type Options struct {
	// Observe is called before the file gets its name; nil means nobody looks. A
	// test ends the process in it.
	Observe func()
}

// Report is what was done.
type Report struct {
	File       string
	Bytes      int64
	Facts      Facts
	Violations []audit.Violation // of the shop's promises, in the restored copy
	Audited    bool              // false: the schema is not this program's
	Notes      []string          // sentences about what was not done, and why
}

// dirPrefix is what scratch directories begin with. One that a killed backup
// left behind may be deleted.
const dirPrefix = ".tsuzuku-backup-"

// Make copies the database d, which was opened at url, to a file or into a
// directory, while others go on using it. The copy is restored in a scratch place
// and examined before the file gets its name; a file that is there already is
// left alone. Every error is a sentence that says what to do, or one of the disk
// or the server.
func Make(ctx context.Context, d *db.DB, url, to string, o Options) (r Report, err error) {
	r.File, err = destination(d, to)
	if err != nil {
		return r, err
	}
	scratch, err := os.MkdirTemp(filepath.Dir(r.File), dirPrefix)
	if err != nil {
		return r, fault.Wrap(fault.Invalid, err, "The backup cannot be written to %s. Give this user the permission, or name another directory.", filepath.Dir(r.File))
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }() //nolint:gosec // a directory of ours

	data := filepath.Join(scratch, nameOf(d.Engine()))
	if r.Facts, err = copyData(ctx, d, url, data); err != nil {
		return r, err
	}
	archive := filepath.Join(scratch, "archive")
	if err := pack(archive, data, r.Facts); err != nil {
		return r, full(filepath.Dir(r.File), err)
	}
	if err := os.Remove(data); err != nil { //nolint:gosec // a file of ours: what is proved is what was packed
		return r, err
	}
	if err := prove(ctx, d, url, archive, scratch, &r); err != nil {
		return r, err
	}
	if o.Observe != nil {
		o.Observe()
	}
	if err := publish(archive, r.File); err != nil {
		return r, err
	}
	info, err := os.Stat(r.File) //nolint:gosec // the engineer chooses the file
	if err != nil {
		return r, err
	}
	r.Bytes = info.Size()
	return r, nil
}

// destination is the file that a backup becomes.
func destination(d *db.DB, to string) (string, error) {
	info, err := os.Stat(to) //nolint:gosec // staff name the file
	switch {
	case err == nil && info.IsDir():
		to = filepath.Join(to, "tsuzuku-"+d.Now().Format("20060102T150405Z")+".backup")
	case strings.HasSuffix(to, string(filepath.Separator)):
		return "", fault.New(fault.Invalid, "There is no directory %s. Create it, or name another.", to)
	}
	if _, err := os.Lstat(to); err == nil { //nolint:gosec // the same
		return "", exists(to)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return to, nil
}

func exists(file string) error {
	return fault.New(fault.Conflict, "There is a file %s already, and a backup never takes its place. Name another file, or a directory.", file)
}

// publish gives a complete, synchronised file its name, unless there is a file
// of that name.
func publish(from, to string) error {
	if err := os.Link(from, to); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return exists(to)
		}
		// A file system without links: between the look and the renaming somebody
		// else might be faster.
		if _, missing := os.Lstat(to); missing == nil { //nolint:gosec // the same
			return exists(to)
		}
		if err := os.Rename(from, to); err != nil { //nolint:gosec // the same
			return err
		}
	}
	return syncDir(filepath.Dir(to))
}

// syncDir makes sure that a name in a directory survives a power cut.
func syncDir(dir string) error {
	f, err := os.Open(dir) //nolint:gosec // the engineer chooses the directory
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// full says what to do about a disk that takes no more.
func full(dir string, err error) error {
	return fault.Wrap(fault.Unavailable, err, "Nothing more can be written to %s: the disk is full or broken. Make room, or name another directory.", dir)
}

// copyData writes the database into a file, and returns what the same instant
// of it holds.
func copyData(ctx context.Context, d *db.DB, url, file string) (facts Facts, err error) {
	look := func(ctx context.Context, tx db.Tx) (err error) {
		facts, err = factsOf(ctx, d, tx)
		return err
	}
	if d.Engine() == db.PostgreSQL {
		err = dump(ctx, d, url, file, look)
	} else {
		err = d.CopyTo(ctx, file, look)
	}
	return facts, err
}

// prove restores an archive in a scratch place and compares.
func prove(ctx context.Context, d *db.DB, url, archive, scratch string, r *Report) (err error) {
	facts, data, err := unpack(archive, scratch)
	if err != nil {
		return fmt.Errorf("the backup just written cannot be read: %w", err)
	}
	trial := data
	if d.Engine() == db.PostgreSQL {
		var drop func() error
		trial, drop, err = sideBySide(ctx, url)
		if errors.Is(err, errMayNot) {
			r.Notes = append(r.Notes, "It was read through, and not restored on trial: this user may not create databases. "+
				"To have that done, let it: ALTER ROLE … CREATEDB.")
			return readThrough(ctx, data)
		}
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, drop()) }()
		if err := load(ctx, trial, data); err != nil {
			return err
		}
	}
	return inspect(ctx, trial, facts, d.Now, r)
}

// inspect opens a restored database, by the clock that is given, and compares it
// with what it must hold.
func inspect(ctx context.Context, url string, facts Facts, now func() time.Time, r *Report) (err error) {
	d, err := db.Open(ctx, url, db.Options{Now: now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.Examine(ctx); err != nil {
		return err
	}
	var got Facts
	err = d.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		got, err = factsOf(ctx, d, tx)
		return err
	})
	if err != nil {
		return err
	}
	if difference := facts.differs(got); difference != "" {
		return fault.New(fault.Internal, "What was restored is not what was backed up: %s. Do not use this backup; make another.", difference)
	}
	if got.Schema != got.Needs {
		return nil
	}
	r.Audited = true
	r.Violations, err = audit.Run(ctx, d)
	return err
}
