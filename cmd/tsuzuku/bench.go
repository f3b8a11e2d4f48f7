package main

import (
	"context"
	"crypto/rand"
	"log/slog"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/bench"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/world"
)

// benchCmd is every measurement. Each prints one JSON object on standard output
// and its table for people on standard error.
type benchCmd struct {
	Renew   benchRenewCmd   `cmd:"" help:"Renewals a second, beside the engine's own limit in the same run."`
	Weight  benchWeightCmd  `cmd:"" help:"Bytes of each page of a renewal, in every language, of a shop that runs."`
	Pages   benchPagesCmd   `cmd:"" help:"Status pages a second, beside a small file from the same server in the same run."`
	Payment benchPaymentCmd `cmd:"" help:"Notifications and confirmed payments a second by each adapter, beside its bare cryptography."`
	Wave    benchWaveCmd    `cmd:"" help:"A simulated night on which many lines end at midnight: how many go dark although they were paid in time."`
}

type benchWaveCmd struct {
	Lines int    `default:"2000" help:"How many lines end." placeholder:"N"`
	RPS   int    `name:"rps" default:"2" help:"How many requests the operator allows in a second." placeholder:"N"`
	Seed  uint64 `default:"1" help:"Decides who comes when."`
}

// Run prints the result.
func (c *benchWaveCmd) Run(ctx context.Context, s std) error {
	r, err := bench.Wave(ctx, bench.WaveOptions{Lines: c.Lines, RPS: c.RPS, Seed: c.Seed, Progress: s.err})
	if err != nil {
		return err
	}
	return r.Report(s.out, s.err)
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

type benchWeightCmd struct {
	URL     string     `name:"url" default:"http://127.0.0.1:8080" help:"Where the shop is reached; by default the demo." placeholder:"URL"`
	Session app.Secret `help:"A signed-in customer's session cookie, or @ and the file that holds it; without it the shop must be a demo." placeholder:"TOKEN"`
}

// Run prints the result.
func (c *benchWeightCmd) Run(ctx context.Context, s std) error {
	r, err := bench.Weight(ctx, bench.WeightOptions{URL: c.URL, Session: string(c.Session), Traveller: world.Traveller})
	if err != nil {
		return err
	}
	return r.Report(s.out, s.err)
}

type benchPagesCmd struct {
	Engine   db.Engine `default:"sqlite" enum:"sqlite,postgres" help:"sqlite or postgres."`
	Seconds  int       `default:"5" help:"How long each measurement takes."`
	Clients  int       `default:"8" help:"How many browsers at once." placeholder:"N"`
	Database string    `help:"An empty PostgreSQL database to measure on; by default a throw-away cluster." placeholder:"URL"`
}

// Run prints the result.
func (c *benchPagesCmd) Run(ctx context.Context, s std) error {
	r, err := bench.Pages(ctx, bench.Options{Engine: c.Engine, Seconds: c.Seconds, Clients: c.Clients, URL: c.Database, Progress: s.err})
	if err != nil {
		return err
	}
	return r.Report(s.out, s.err)
}

type benchPaymentCmd struct {
	Engine   db.Engine `default:"sqlite" enum:"sqlite,postgres" help:"sqlite or postgres."`
	Seconds  int       `default:"2" help:"How long each measurement takes, for each adapter; preparing takes about ten times as long."`
	Clients  int       `default:"8" help:"How many notifications at once." placeholder:"N"`
	Database string    `help:"An empty PostgreSQL database to measure on; by default a throw-away cluster." placeholder:"URL"`
}

// Run prints the result.
func (c *benchPaymentCmd) Run(ctx context.Context, s std) error {
	r, err := bench.Payment(ctx, bench.PaymentOptions{
		Engine: c.Engine, Adapters: townAdapters, Seconds: c.Seconds, Clients: c.Clients, URL: c.Database, Progress: s.err,
	})
	if err != nil {
		return err
	}
	return r.Report(s.out, s.err)
}

// townAdapters are a shop's real adapters, connected with a simulated town.
func townAdapters(url string, town *world.Strangers, ids *id.Source) (map[string]payment.Provider, error) {
	env := app.Env{Now: town.Clock.Now, Random: rand.Reader, Transport: town.Transport, Log: slog.New(slog.DiscardHandler)}
	all, err := app.Real(app.TownConfig(url, town), env, ids)
	return all.Providers, err
}
