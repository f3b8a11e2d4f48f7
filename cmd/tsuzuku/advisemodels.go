package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"text/tabwriter"
	"time"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/db"
)

type adviseModelsCmd struct{ database }

// Run prints a line for each version, newest first.
func (c *adviseModelsCmd) Run(ctx context.Context, s std) error {
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	all, err := db.Seen(ctx, base, advice.Versions)
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	out := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "version\tmade\tfrom\tto\ttrips\tchecked\tloss\t50 %\t80 %\t95 %\t")
	for _, m := range all {
		state := m.Withdrawn
		if m.InForce {
			state = "in force"
		}
		if m.Version == 0 {
			fmt.Fprintf(out, "0\tpublished figures\t\t\t\t\t\t\t\t\t%s\n", state)
			continue
		}
		fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%d\t%d\t%.3f\t%.1f\t%.1f\t%.1f\t%s\n", m.Version, m.MadeAt.Format(time.RFC3339), m.From, m.To,
			m.Trips, m.Scores.Checked, m.Scores.Pinball, 100*m.Scores.Cover50, 100*m.Scores.Cover80, 100*m.Scores.Cover95, state)
	}
	return out.Flush()
}

type adviseRollbackCmd struct {
	database
	Reason  string `help:"Why, for those who come after." default:"rolled back"`
	By      string `help:"Who decides; by default the user's name." placeholder:"NAME"`
	Version int64  `arg:"" help:"The version to go back to, as tsuzuku advise models lists it."`
}

// Run says what is in force afterwards. Running houses take it within a minute.
func (c *adviseRollbackCmd) Run(ctx context.Context, s std) error {
	by := c.By
	if u, err := user.Current(); by == "" && err == nil {
		by = u.Username
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	err = base.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return advice.RollBack(ctx, tx, c.Version, c.Reason+" ("+by+")")
	})
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "version %d is in force\n", c.Version)
	return err
}
