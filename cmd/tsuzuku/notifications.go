package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/hooks"
)

// notificationsCmd shows what came to our webhooks and was not believed.
type notificationsCmd struct {
	database
	From string `help:"Only what claims to be from this provider or operator, such as payment/stripe or carrier/esimaccess." placeholder:"STRANGER"`
	Most int    `default:"50" help:"How many, newest first."`
	JSON bool   `name:"json" help:"Print one JSON array, with headers and bodies, instead of a table."`
}

// Run prints a table or JSON.
func (c *notificationsCmd) Run(ctx context.Context, s std) error {
	if c.Most < 1 {
		return fault.New(fault.Invalid, "--most is at least 1.")
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	all, err := db.Seen(ctx, base, func(ctx context.Context, tx db.Tx) ([]hooks.Refusal, error) {
		return hooks.Refused(ctx, tx, c.From, c.Most)
	})
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		return e.Encode(all)
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(s.err, "No notification was refused in the last 30 days.")
		return err
	}
	t := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "LAST\tCLAIMS TO BE\tREASON\tTIMES\tBYTES\tFROM\tWHY")
	for _, r := range all {
		why := r.Why
		if r.Others {
			why = "all others of that day"
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%s\t%s\n", r.Last.UTC().Format(time.RFC3339), r.Stranger, r.Reason, r.Times, r.Bytes, r.Client, why)
	}
	return t.Flush()
}
