package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/exchange"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/upstream"
)

// live compares a catalogue, or the one in force, with what operators sell now.
func (c *catalogueCheckCmd) live(ctx context.Context, s std, cat *catalogue.Catalogue) error {
	carriers, err := c.connect()
	if err != nil {
		return err
	}
	cat, sheet, err := c.known(ctx, cat)
	if err != nil {
		return err
	}
	report := upstream.Check(cat, upstream.Listings(ctx, carriers, time.Now), upstream.Rates{Sheet: sheet, Now: time.Now()})
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		err = e.Encode(report)
	} else {
		err = printLive(s, report)
	}
	if err == nil && report.Count(upstream.Bad) > 0 {
		return quietExit(1)
	}
	return err
}

// known reads the rates, and the catalogue in force where cat is nil. A file can be
// compared where there is no database; then there are no rates.
func (c *catalogueCheckCmd) known(ctx context.Context, cat *catalogue.Catalogue) (*catalogue.Catalogue, exchange.Sheet, error) {
	if !strings.Contains(c.Database, "://") && cat != nil {
		if _, err := os.Stat(c.Database); errors.Is(err, os.ErrNotExist) {
			return cat, exchange.Sheet{}, nil
		}
	}
	base, err := c.open(ctx)
	if err != nil {
		return nil, exchange.Sheet{}, err
	}
	sheet, err := db.Seen(ctx, base, func(ctx context.Context, tx db.Tx) (exchange.Sheet, error) {
		if cat == nil {
			var err error
			if cat, err = catalogue.Current(ctx, tx); err != nil {
				return exchange.Sheet{}, err
			}
		}
		return exchange.Current(ctx, tx, exchange.ECB)
	})
	if fault.KindOf(err) == fault.NotFound && cat != nil {
		sheet, err = exchange.Sheet{}, nil
	}
	return cat, sheet, errors.Join(err, base.Close())
}

// printLive writes the margins as a table to out, and what was found to err.
func printLive(s std, r upstream.Report) error {
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "PLAN\tTERM OR PACK\tFOR\tPRICE\tWITHOUT TAX\tCOST\tMARGIN\t\tCOST FROM")
	for _, m := range r.Margins {
		from := m.From
		if m.Rate != "" {
			from += ", " + m.Rate
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s %s\t%s\t%s\t%s\t%s\t%s\n", m.Item.Plan, m.Item.ID, m.Item.For, m.Price.Decimal(), m.Price.Currency,
			m.Net.Decimal(), m.Cost.Decimal(), m.Margin.Decimal(), upstream.Percent(m.BasisPoints), from)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, f := range r.Findings {
		fmt.Fprintf(s.err, "%s: %s\n", f.Severity, f.Text)
	}
	_, err := fmt.Fprintf(s.err, "%d errors, %d warnings\n", r.Count(upstream.Bad), r.Count(upstream.Warn))
	return err
}
