package main

import (
	"context"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
)

// database is the flag of every command that works on the shop's data without
// being the shop.
type database struct {
	Database string `default:"tsuzuku.db" help:"SQLite file, or a postgres:// address."`
}

// open opens the database; a version that this program does not know is refused.
func (d database) open(ctx context.Context) (*db.DB, error) {
	base, err := db.Open(ctx, d.Database, db.Options{Now: time.Now})
	if err != nil {
		return nil, err
	}
	if err := base.CheckSchema(ctx); err != nil {
		_ = base.Close() // the schema's error is the one to see
		return nil, err
	}
	return base, nil
}
