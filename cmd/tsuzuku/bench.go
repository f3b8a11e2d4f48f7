package main

import (
	"context"

	"github.com/tsuzuku/tsuzuku/bench"
	"github.com/tsuzuku/tsuzuku/db"
)

// benchCmd is every measurement. Each prints one JSON object on standard output
// and its table for people on standard error.
type benchCmd struct {
	Renew benchRenewCmd `cmd:"" help:"Renewals a second, beside the engine's own limit in the same run."`
}

type benchRenewCmd struct {
	Engine   db.Engine `default:"sqlite" enum:"sqlite,postgres" help:"sqlite or postgres."`
	Seconds  int       `default:"10" help:"How long each measurement takes."`
	Clients  int       `help:"How many customers at once; by default 1, 8 and 64, one after the other." placeholder:"N"`
	Sets     int       `help:"Renew due orders in sets of this many instead, as at midnight." placeholder:"N"`
	Database string    `help:"An empty PostgreSQL database to measure on; by default a throw-away cluster." placeholder:"URL"`
}

// Run prints the result.
func (c *benchRenewCmd) Run(ctx context.Context, s std) error {
	r, err := bench.Renew(ctx, bench.Options{
		Engine: c.Engine, Seconds: c.Seconds, Clients: c.Clients, Sets: c.Sets, URL: c.Database, Progress: s.err,
	})
	if err != nil {
		return err
	}
	return r.Report(s.out, s.err)
}
