package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// accountCmd is where staff look at accounts until there is a console.
type accountCmd struct {
	SignIns accountSignInsCmd `cmd:"" name:"sign-ins" help:"Print who came into an account in the last 90 days and who did not: when, how, from where."`
}

type accountSignInsCmd struct {
	database
	Of    string `arg:"" optional:"" help:"The account, ac_…, or a mail address that is on it. Unset: wishes to come in that belong to no account." placeholder:"ACCOUNT"`
	Limit int    `default:"100" help:"How many at most, the newest first; from 1 to 5000."`
}

// Run prints a table, times in UTC.
func (c *accountSignInsCmd) Run(ctx context.Context, s std) error {
	if c.Limit < 1 || c.Limit > 5000 {
		return fault.New(fault.Invalid, "--limit: give a number from 1 to 5000, not %d", c.Limit)
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	all, err := db.Seen(ctx, base, func(ctx context.Context, tx db.Tx) ([]account.SignIn, error) {
		id := c.Of
		if strings.Contains(id, "@") {
			a, err := account.ByEmail(ctx, tx, id)
			if err != nil {
				return nil, err
			}
			id = a.ID
		}
		return account.SignIns(ctx, tx, id, c.Limit)
	})
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(s.err, "Nobody came in or tried to in the last 90 days.")
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "AT\tWAY\tOUTCOME\tBROWSER KNOWN\tFROM\tBROWSER")
	for _, one := range all {
		outcome, known := one.Reason, "no"
		if outcome == "" {
			outcome = "in"
		}
		if one.Known {
			known = "yes"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", one.At.UTC().Format(time.RFC3339), one.Way, outcome, known, one.Client, one.Agent)
	}
	return w.Flush()
}
