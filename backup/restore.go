package backup

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// Restore puts a backup into an empty database: an SQLite file that does not
// exist, or a database of PostgreSQL without tables. What is there is never
// written over, and nothing is there before all of the backup was examined. It
// does not migrate. Every error is a sentence that says what to do, or one of the
// disk or the server.
func Restore(ctx context.Context, file, url string) (r Report, err error) {
	r.File = file
	remote := isPostgres(url)
	beside := os.TempDir()
	if !remote {
		if err := vacant(url); err != nil {
			return r, err
		}
		beside = filepath.Dir(url)
	}
	scratch, err := os.MkdirTemp(beside, dirPrefix)
	if err != nil {
		return r, fault.Wrap(fault.Invalid, err, "Nothing can be written to %s. Create that directory, or give this user the permission.", beside)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	facts, data, err := unpack(file, scratch)
	if err != nil {
		return r, err
	}
	r.Facts = facts
	if err := fits(facts, remote); err != nil {
		return r, err
	}
	if remote {
		err = restorePostgres(ctx, url, data, &r)
	} else {
		err = restoreSQLite(ctx, url, data, &r)
	}
	return r, err
}

func isPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

// fits refuses what this program, or the target, cannot take.
func fits(facts Facts, remote bool) error {
	needs, err := db.Needs(facts.Engine)
	if err != nil {
		return err
	}
	switch {
	case remote != (facts.Engine == db.PostgreSQL):
		return fault.New(fault.Invalid, "This is a backup of %s, and the target is another engine. Name a target of the same engine; there is no way from one to the other.", facts.Engine)
	case facts.Schema > needs:
		return db.Newer(facts.Schema, needs)
	}
	return nil
}

// vacant refuses a target that holds something, or beside which lies a log that
// SQLite would take for the restored file's own.
func vacant(path string) error {
	if path == ":memory:" {
		return fault.New(fault.Invalid, "Name a file to restore into, with --database.")
	}
	for _, name := range []string{path, path + "-wal", path + "-shm", path + "-journal"} {
		_, err := os.Lstat(name)
		switch {
		case err == nil:
			return fault.New(fault.Conflict, "There is a file %s already, and a restore never writes over one. "+
				"Name another file, or, when the shop does not run, move %s and the files beside it that begin with its name away.", name, path)
		case !errors.Is(err, fs.ErrNotExist):
			return fault.Wrap(fault.Invalid, err, "The file %s cannot be looked at. Give this user the permission, or name another.", name)
		}
	}
	return nil
}

// restoreSQLite examines the file in its scratch directory and then gives it its
// name.
func restoreSQLite(ctx context.Context, path, data string, r *Report) error {
	if err := inspect(ctx, data, r.Facts, nil, r); err != nil {
		return err
	}
	if _, err := os.Lstat(data + "-wal"); err == nil {
		return fault.New(fault.Internal, "The restored file could not be closed. Nothing was put at %s; try again.", path)
	}
	f, err := os.OpenFile(data, os.O_RDWR, 0) //nolint:gosec // a scratch directory of ours
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return full(filepath.Dir(path), err)
	}
	if err := vacant(path); err != nil { // it took a while
		return err
	}
	return publish(data, path)
}
