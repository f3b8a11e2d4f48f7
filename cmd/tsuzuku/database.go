package main

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// database is the flag of every command that works on the shop's data without
// being the shop.
type database struct {
	Database string `default:"tsuzuku.db" help:"SQLite file, or a postgres:// address."`
}

// existing opens a database that is there, of whatever version. A file that is
// missing is not made.
func (d database) existing(ctx context.Context) (*db.DB, error) {
	if !strings.Contains(d.Database, "://") {
		if _, err := os.Stat(d.Database); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "There is no database file %s. Name the shop's with --database.", d.Database)
		}
	}
	return db.Open(ctx, d.Database, db.Options{Now: time.Now})
}

// open opens the database; a version that this program may not work on is refused.
func (d database) open(ctx context.Context) (*db.DB, error) {
	base, err := db.Open(ctx, d.Database, db.Options{Now: time.Now})
	if err != nil {
		return nil, err
	}
	if _, err := base.CheckSchema(ctx); err != nil {
		_ = base.Close() // the schema's error is the one to see
		return nil, err
	}
	return base, nil
}
