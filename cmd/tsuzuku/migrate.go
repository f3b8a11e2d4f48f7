package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
)

// migrateCmd brings the database to this version; an empty one is made.
type migrateCmd struct{ database }

// Run prints the version before and after.
func (c *migrateCmd) Run(ctx context.Context, s std) error {
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
