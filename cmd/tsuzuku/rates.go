package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/user"
	"slices"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/exchange"
)

// ratesCmd is what prices are converted with where the catalogue allows it.
type ratesCmd struct {
	Import ratesImportCmd `cmd:"" help:"Read a file of the European Central Bank's reference rates; its newest day is in force from then on."`
	Show   ratesShowCmd   `cmd:"" help:"Print the rates that are in force."`
}

type ratesImportCmd struct {
	database
	File       string `arg:"" help:"eurofxref-daily.xml, eurofxref-hist.xml or the unzipped CSV; - reads standard input."`
	AllowJumps bool   `help:"Take rates that moved by more than 25 percent since the last import."`
	By         string `help:"Who imports; by default the user's name." placeholder:"NAME"`
}

// Run prints the day that is in force.
func (c *ratesImportCmd) Run(ctx context.Context, s std) error {
	sheet, err := readRates(c.File)
	if err != nil {
		return err
	}
	by := c.By
	if u, err := user.Current(); by == "" && err == nil {
		by = u.Username
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	changed, err := db.Written(ctx, base, func(ctx context.Context, tx db.Tx) (bool, error) {
		return exchange.Import(ctx, tx, sheet, by, c.AllowJumps)
	})
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	if !changed {
		fmt.Fprintln(s.err, "nothing changed")
	}
	_, err = fmt.Fprintln(s.out, sheet)
	return err
}

func readRates(name string) (exchange.Sheet, error) {
	if name == "-" {
		return exchange.ReadECB(os.Stdin)
	}
	file, err := os.Open(name) //nolint:gosec // the engineer chooses the file
	if err != nil {
		return exchange.Sheet{}, err
	}
	defer file.Close() //nolint:errcheck // a read
	return exchange.ReadECB(file)
}

type ratesShowCmd struct{ database }

// Run prints a line for each currency: units of it for one of the base.
func (c *ratesShowCmd) Run(ctx context.Context, s std) error {
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	sheet, err := db.Seen(ctx, base, func(ctx context.Context, tx db.Tx) (exchange.Sheet, error) {
		return exchange.Current(ctx, tx, exchange.ECB)
	})
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	fmt.Fprintln(s.err, sheet)
	for _, currency := range slices.Sorted(maps.Keys(sheet.Units)) {
		fmt.Fprintf(s.out, "1 %s = %s %s\n", sheet.Base, sheet.Units[currency], currency)
	}
	return nil
}
