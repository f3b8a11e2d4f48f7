package app

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/world"
)

// HouseInTown opens houses for a simulation, on a database that is migrated
// here once: the first house of a run finds it empty.
func HouseInTown(database string) func(context.Context, *world.Strangers, *world.Postbox, func() time.Time, io.Reader, func(string)) (*world.House, error) {
	migrated := false
	return func(ctx context.Context, s *world.Strangers, mail *world.Postbox, now func() time.Time, random io.Reader, point func(string)) (*world.House, error) {
		if !migrated {
			if err := migrateDemo(ctx, database, now); err != nil {
				return nil, err
			}
			migrated = true
		}
		c := TownConfig("http://shop.invalid", s)
		c.Database, c.Secret = database, "the town's secret, which is known to everybody"
		env := Env{Now: now, Random: random, Transport: s.Transport, Point: point, Log: slog.New(slog.DiscardHandler)}
		a, err := Open(ctx, c, env, func(c Config, env Env, ids *id.Source) (Adapters, error) {
			all, err := Real(c, env, ids)
			if err == nil {
				all.Carriers["simple"] = s.Simple
				all.Deliverers[message.Email] = mail
			}
			return all, err
		})
		if err != nil {
			return nil, err
		}
		a.Desk.Side, a.Desk.Set, a.Sender.AtOnce = 1, 100, 1 // one goroutine: the seed decides who is first
		h := &world.House{DB: a.DB, IDs: a.IDs, Shelf: a.Shelf, Desk: a.Desk, Door: a.Handler(), Close: a.Close}
		for _, step := range a.Steps() {
			switch step.Name {
			case "advice", "learning":
				continue // a town examines money and service; package advice has an examination of its own
			case "balances with operators", "operators' prices":
				continue // they touch no order, and a town's operators ask for no money
			}
			h.Steps = append(h.Steps, step.Do)
		}
		return h, nil
	}
}
