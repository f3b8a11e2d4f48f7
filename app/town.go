package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/world"
)

// Town opens houses for a simulation, one after another, on one database.
type Town struct {
	url  string
	base *db.DB // open as long as the town is there: a database in memory lives no longer than who has it open

	shelf *catalogue.Shelf // of the house that was opened last: catalogues are read once, and not by every house again
}

// NewTown is a town of one database, which must be empty; see [db.Open].
func NewTown(database string) *Town { return &Town{url: database, shelf: &catalogue.Shelf{}} }

// Close lets go of the database.
func (t *Town) Close() error {
	if t.base == nil {
		return nil
	}
	return t.base.Close()
}

// House opens a house. The first one finds the database migrated.
func (t *Town) House(
	ctx context.Context, s *world.Strangers, mail *world.Postbox, m world.Machine,
) (*world.House, error) {
	if err := t.found(ctx, m.Now); err != nil {
		return nil, err
	}
	c := TownConfig("http://shop.invalid", s)
	c.Database, c.Secret = t.url, "the town's secret, which is known to everybody"
	env := Env{Now: m.Now, Random: m.Random, Transport: s.Transport, Point: m.Point, Reach: func(p db.Point) error { return m.Reach(string(p)) }, Log: slog.New(slog.DiscardHandler), Timeless: true, Shelf: t.shelf.Anew()}
	a, err := Open(ctx, c, env, func(c Config, env Env, ids *id.Source) (Adapters, error) {
		all, err := Real(c, env, ids)
		if err == nil {
			all.Carriers[simple] = s.Simple
			all.Deliverers[message.Email] = mail
		}
		return all, err
	})
	if err != nil {
		return nil, err
	}
	t.shelf = a.Shelf
	a.Repairer.Slice = 8                                 // all orders of a town are passed several times
	a.Desk.Side, a.Desk.Set, a.Sender.AtOnce = 1, 100, 1 // one goroutine: the seed decides who is first
	notice := func(do func(what string, since time.Time)) {
		a.Repairer.Notice = func(f audit.Finding, since time.Time) { do(f.Sign+" "+f.Subject, since) }
	}
	h := &world.House{Notice: notice, DB: a.DB, Books: t.base, IDs: a.IDs, Shelf: a.Shelf, Desk: a.Desk, Door: a.doors(), Close: a.Close}
	for _, step := range a.Steps() {
		switch step.Name {
		case "advice", "learning":
			continue // a town examines money and service; package advice has an examination of its own
		case "balances with operators", "operators' prices":
			continue // they touch no order, and a town's operators ask for no money
		}
		h.Steps = append(h.Steps, world.Step{Name: step.Name, Do: step.Do})
	}
	return h, nil
}

// found migrates the database, once.
func (t *Town) found(ctx context.Context, now func() time.Time) (err error) {
	if t.base != nil {
		return nil
	}
	if t.base, err = db.Open(ctx, t.url, db.Options{Now: now}); err != nil {
		return err
	}
	_, _, err = t.base.Migrate(ctx)
	return err
}
