package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// catalogueCmd is the seller's reviewable file.
type catalogueCmd struct {
	Check   catalogueCheckCmd   `cmd:"" help:"Say everything that is wrong with a file, with its lines; with --live, compare it with what operators sell now."`
	Diff    catalogueDiffCmd    `cmd:"" help:"Say what a file would change."`
	Apply   catalogueApplyCmd   `cmd:"" help:"Make a file the shop's catalogue. What was sold keeps its old rules."`
	Roaming catalogueRoamingCmd `cmd:"" help:"Print the roaming of a catalogue file, made of a CSV with the columns home, country, currency, per_day, as_of, source, confidence."`
	Demo    catalogueDemoCmd    `cmd:"" help:"Print the demo's catalogue file, to begin with."`
}

// adapters is what the commands know about operators' adapters besides those that
// need no configuration.
type adapters struct {
	Remote app.Remote `embed:"" prefix:"remote-"`
	Manual app.Manual `embed:"" prefix:"manual-"`
	renews
}

// renews is who renews the lines of the seller's own SM-DP+.
type renews struct {
	Renews string `name:"smdp-renews" help:"Who renews the lines of your own SM-DP+: a remote operator. Unset: manual." placeholder:"ADAPTER"`
}

func (a adapters) able() (map[string]catalogue.Able, error) {
	return app.Able(a.Remote, a.Manual, a.Renews)
}

type catalogueCheckCmd struct {
	database
	asking
	renews
	Live bool   `help:"Ask operators what they sell: say which packages were withdrawn, which prices changed, and what every term leaves you. Ends with 1 on an error."`
	File string `arg:"" optional:"" type:"existingfile" help:"The catalogue file. Without one, --live compares the catalogue in force."`
}

// Run prints nothing but mistakes, and what is found live.
func (c *catalogueCheckCmd) Run(ctx context.Context, s std) error {
	if c.File == "" && !c.Live {
		return fault.New(fault.Invalid, "Name the file to check; only with --live can the catalogue in force be compared.")
	}
	if c.File == "" {
		return c.live(ctx, s, nil)
	}
	text, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	able, err := app.Able(c.Remote, c.Manual, c.Renews)
	if err != nil {
		return err
	}
	cat, warnings, err := catalogue.CheckWith(c.File, text, able)
	for _, w := range warnings {
		fmt.Fprintln(s.err, "warning:", w)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.err, "%s: %d operators, %d plans, no mistake\n", c.File, len(cat.Operators), len(cat.Plans))
	if err == nil && c.Live {
		return c.live(ctx, s, cat)
	}
	return err
}

type catalogueDiffCmd struct {
	database
	File string `arg:"" type:"existingfile" help:"The catalogue file."`
}

// Run prints one line for each change.
func (c *catalogueDiffCmd) Run(ctx context.Context, s std) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	next, err := catalogue.Read(c.File, text)
	if err != nil {
		return err
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	now, err := db.Seen(ctx, base, func(ctx context.Context, tx db.Tx) (*catalogue.Catalogue, error) { return catalogue.Current(ctx, tx) })
	if fault.KindOf(err) == fault.NotFound {
		now, err = &catalogue.Catalogue{}, nil
	}
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	for _, change := range catalogue.Diff(now, next) {
		fmt.Fprintln(s.out, change)
	}
	return nil
}

type catalogueApplyCmd struct {
	database
	adapters
	File string `arg:"" type:"existingfile" help:"The catalogue file."`
	By   string `help:"Who applies it; by default the user's name." placeholder:"NAME"`
}

// Run prints the version that is in force.
func (c *catalogueApplyCmd) Run(ctx context.Context, s std) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	able, err := c.able()
	if err != nil {
		return err
	}
	if _, _, err := catalogue.CheckWith(c.File, text, able); err != nil {
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
	type applied struct {
		cat     *catalogue.Catalogue
		changed bool
	}
	a, err := db.Written(ctx, base, func(ctx context.Context, tx db.Tx) (applied, error) {
		cat, changed, err := catalogue.Apply(ctx, tx, text, by)
		return applied{cat, changed}, err
	})
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	if !a.changed {
		fmt.Fprintln(s.err, "nothing changed")
	}
	_, err = fmt.Fprintln(s.out, a.cat.Version)
	return err
}

type catalogueDemoCmd struct{}

// Run prints the file.
func (c *catalogueDemoCmd) Run(s std) error {
	_, err := s.out.Write(catalogue.DemoFile())
	return err
}

type catalogueRoamingCmd struct {
	File string `arg:"" type:"existingfile" help:"The CSV."`
}

// Run prints what belongs into the catalogue file, which is checked there.
func (c *catalogueRoamingCmd) Run(s std) error {
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	block, err := catalogue.RoamingBlock(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	_, err = s.out.Write(block)
	return err
}
