package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/line"
)

// radiusCmd is what staff see of gateways that count what lines use.
type radiusCmd struct {
	Numbers radiusNumbersCmd `cmd:"" help:"Read a CSV that says which card has which IMSI and MSISDN (columns iccid, imsi, msisdn)."`
	Line    radiusLineCmd    `cmd:"" help:"Print the newest sessions of a line, with what was counted and when."`
}

type radiusNumbersCmd struct {
	database
	File string `arg:"" help:"The CSV; - reads standard input."`
}

// numbersAtOnce is how many rows one transaction takes.
const numbersAtOnce = 1000

// Run takes the whole file or, where a row is wrong, nothing. To read it again changes nothing.
func (c *radiusNumbersCmd) Run(ctx context.Context, s std) error {
	file := os.Stdin
	if c.File != "-" {
		opened, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer func() { _ = opened.Close() }()
		file = opened
	}
	all, err := line.ReadCardNumbers(file)
	if err != nil {
		return err
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(all, numbersAtOnce) {
		err := base.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			var b db.Batch
			for _, r := range some {
				line.AddCardRow(&b, r)
			}
			return tx.Batch(ctx, &b)
		})
		if err != nil {
			return errors.Join(err, base.Close())
		}
	}
	fmt.Fprintf(s.out, "%d cards\n", len(all))
	return base.Close()
}

type radiusLineCmd struct {
	database
	Line  string `arg:"" help:"The line, by its identifier or ICCID." placeholder:"LINE"`
	Limit int    `default:"20" help:"How many sessions at most, from 1 to 1000."`
}

// Run prints what the line is told to have used, and a table of sessions.
func (c *radiusLineCmd) Run(ctx context.Context, s std) error {
	if c.Limit < 1 || c.Limit > 1000 {
		return fault.New(fault.Invalid, "--limit: give a number from 1 to 1000, not %d", c.Limit)
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	var l line.Line
	sessions, err := db.Seen(ctx, base, func(ctx context.Context, tx db.Tx) (all []line.Session, err error) {
		if l, err = lineBy(ctx, tx, c.Line); err != nil {
			return nil, err
		}
		return line.Sessions(ctx, tx, l.Account, l.ID, c.Limit)
	})
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s uses %d of %d bytes as of %s\n", l.ID, l.Usage.Used, l.Usage.Total, stampOr(l.Usage.AsOf, "never"))
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	if len(sessions) > 0 {
		fmt.Fprintln(w, "GATEWAY\tSESSION\tBEGAN\tENDED\tDOWN\tUP\tAS OF\tHEARD")
	}
	for _, x := range sessions {
		name := x.Name
		if x.Number > 1 {
			name = fmt.Sprintf("%s (%d)", name, x.Number)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", x.Gateway, name, stampOr(x.BegunAt, "-"), stampOr(x.StoppedAt, "-"), x.Down, x.Up,
			stampOr(x.AsOf, "-"), stampOr(x.HeardAt, "-"))
	}
	return w.Flush()
}

// lineBy finds a line by what staff have of it.
func lineBy(ctx context.Context, tx db.Tx, text string) (line.Line, error) {
	if account, err := id.AccountOf(text); err == nil {
		return line.Get(ctx, tx, account, text)
	}
	iccid, _, err := line.ReadICCID(text)
	if err != nil {
		return line.Line{}, fault.New(fault.Invalid, "%q is neither a line nor an ICCID.", text)
	}
	return line.ByICCID(ctx, tx, iccid)
}
