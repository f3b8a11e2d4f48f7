package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// auditCmd asks the promises as queries, and shows what the repairer of the running
// shop finds and does.
type auditCmd struct {
	Check    auditCheckCmd    `cmd:"" default:"withargs" help:"Ask everything at once, or watch what the running shop finds."`
	Findings auditFindingsCmd `cmd:"" help:"List what the repairer found: what is wrong now, since when, and until when it must be settled."`
}

type auditCheckCmd struct {
	database
	Watch bool          `help:"Print what is found, repaired, overdue and settled as it happens, until interrupted."`
	For   time.Duration `help:"With --watch: end after this long, with 1 if something is overdue then." placeholder:"DURATION"`
	JSON  bool          `name:"json" help:"With --watch: print one JSON object a line."`
}

// auditReport is what the command prints as JSON.
type auditReport struct {
	Checks     int               `json:"checks"`
	Violations []audit.Violation `json:"violations"`
}

// Run prints one JSON object, each violation for people, and ends with 1 if
// there was any.
func (c *auditCheckCmd) Run(ctx context.Context, s std) error {
	if !c.Watch && (c.For != 0 || c.JSON) || c.For < 0 {
		return fault.New(fault.Invalid, "--for and --json belong to --watch; --for is not negative.")
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	if c.Watch {
		return errors.Join(c.watch(ctx, base, s), base.Close())
	}
	found, err := audit.Run(ctx, base)
	if err == nil {
		found, err = audit.Explain(ctx, base, app.Patience(), found)
	}
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	for _, v := range found {
		fmt.Fprintln(s.err, v)
	}
	if found == nil {
		found = []audit.Violation{}
	}
	if err := json.NewEncoder(s.out).Encode(auditReport{len(audit.Checks), found}); err != nil {
		return err
	}
	if len(found) > 0 {
		return quietExit(1)
	}
	fmt.Fprintf(s.err, "%d checks, nothing found\n", len(audit.Checks))
	return nil
}

// watchEvery is how often the database is asked what is new.
const watchEvery = time.Second

// watch prints what becomes of findings until it is interrupted or its time is over.
func (c *auditCheckCmd) watch(ctx context.Context, base *db.DB, s std) error {
	w := &audit.Watcher{DB: base}
	var end <-chan time.Time
	if c.For > 0 {
		end = time.After(c.For)
	}
	for {
		events, err := w.Look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := c.print(s.out, e); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-end:
			return overdue(ctx, base)
		case <-time.After(watchEvery):
		}
	}
}

func (c *auditCheckCmd) print(out io.Writer, e audit.Event) error {
	if c.JSON {
		return json.NewEncoder(out).Encode(e)
	}
	_, err := fmt.Fprintln(out, eventWords(e))
	return err
}

// eventWords is an event for people.
func eventWords(e audit.Event) string {
	f := e.Finding
	text := fmt.Sprintf("%s %-8s %s %s (%s)", e.At.Format(time.RFC3339), e.What, f.Kind, f.Subject, f.Sign)
	switch e.What {
	case audit.Found:
		text += ": " + oneLine(f.Evidence) + ", deadline " + f.Deadline.Format(time.RFC3339)
	case audit.Repaired:
		text += ": " + f.RepairedBy
	case audit.Called:
		text += ": tsuzuku case list"
	case audit.Overdue:
		text += ": first seen " + f.FirstSeen.Format(time.RFC3339)
	case audit.Settled:
		text += " after " + f.ClosedAt.Sub(f.FirstSeen).Round(time.Second).String()
	}
	return text
}

// overdue ends the program with 1 if something is older than its deadline.
func overdue(ctx context.Context, base *db.DB) error {
	standing, err := db.Seen(ctx, base, audit.Stand)
	for _, s := range standing {
		if s.Overdue > 0 {
			return quietExit(1)
		}
	}
	return err
}

type auditFindingsCmd struct {
	database
	All   bool `help:"Also what was settled in the last 30 days."`
	Limit int  `default:"200" help:"How many at most, from 1 to 1000."`
	JSON  bool `name:"json" help:"Print JSON instead of a table."`
}

// Run prints a table, or one JSON array. It ends with 1 while something is older than
// its deadline.
func (c *auditFindingsCmd) Run(ctx context.Context, s std) error {
	if c.Limit < 1 || c.Limit > 1000 {
		return fault.New(fault.Invalid, "--limit: give a number from 1 to 1000, not %d", c.Limit)
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	all, err := db.Seen(ctx, base, func(ctx context.Context, tx db.Tx) ([]audit.Finding, error) {
		all, err := audit.OpenFindings(ctx, tx, c.Limit)
		if err != nil || !c.All {
			return all, err
		}
		closed, err := audit.ClosedFindings(ctx, tx, tx.Now().AddDate(0, 0, -30), c.Limit)
		return append(all, closed...), err
	})
	now := base.Now()
	var turn time.Time
	if err == nil {
		turn, err = db.Seen(ctx, base, audit.LastTurn)
	}
	if err == nil {
		err = overdue(ctx, base)
	}
	exit, late := errors.AsType[quietExit](err)
	if late {
		err = nil
	}
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	if err := c.list(s, all, now); err != nil {
		return err
	}
	if turn.IsZero() || now.Sub(turn) > time.Minute {
		fmt.Fprintf(s.err, "The repairer took its last turn at %s. Does the shop run?\n", when(turn))
	}
	if late {
		return exit
	}
	return nil
}

func (c *auditFindingsCmd) list(s std, all []audit.Finding, now time.Time) error {
	if c.JSON {
		if all == nil {
			all = []audit.Finding{}
		}
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		return e.Encode(all)
	}
	if len(all) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "KIND\tSIGN\tSUBJECT\tSINCE\tDEADLINE\tLATE BY\tREPAIRED\tCASE\tSETTLED")
	for _, f := range all {
		late := "-"
		if d := f.Late(now); d > 0 {
			late = d.Round(time.Second).String()
		}
		did := "-"
		if f.RepairedBy != "" {
			did = f.RepairedBy
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Kind, f.Sign, f.Subject, when(f.FirstSeen), when(f.Deadline), late, did, when(f.CaseAt), when(f.ClosedAt))
	}
	return w.Flush()
}

// when is an instant in a table; "-" for none.
func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
