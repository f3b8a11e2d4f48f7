package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/intake"
)

// importCmd brings in what the seller had before.
type importCmd struct {
	Check  importCheckCmd  `cmd:"" help:"Read a CSV file, and tell every mistake with its place; writes nothing. Ends with 1 if there is any."`
	Apply  importApplyCmd  `cmd:"" help:"Import what is new in a CSV file. A file with mistakes is refused, unless --skip-bad says where to put the rows that have one."`
	Sample importSampleCmd `cmd:"" help:"Print a file of the kind with one row, and what each column holds."`
}

type importFile struct {
	staffed
	Kind string `arg:"" help:"customers, sims, esims, lines or balances." enum:"customers,sims,esims,lines,balances"`
	File string `arg:"" help:"The CSV file; - reads standard input."`
}

// open reads the file.
func (c *importFile) open() (intake.Kind, *intake.Table, error) {
	k, err := intake.KindOf(c.Kind)
	if err != nil {
		return k, nil, err
	}
	if c.File == "-" {
		t, err := intake.ReadTable(k, os.Stdin)
		return k, t, err
	}
	file, err := os.Open(c.File)
	if err != nil {
		return k, nil, err
	}
	defer file.Close() //nolint:errcheck // a read
	t, err := intake.ReadTable(k, file)
	return k, t, err
}

// toldMistakes is how many mistakes are printed; a file has one of a kind in every row,
// or a few.
const toldMistakes = 1000

// tell prints the mistakes, and what there is.
func (c *importFile) tell(out io.Writer, r intake.Result) error {
	for i, m := range r.Mistakes {
		if i == toldMistakes {
			fmt.Fprintf(out, "… and %d more.\n", len(r.Mistakes)-i)
			break
		}
		fmt.Fprintln(out, m.Says(c.File))
	}
	_, err := fmt.Fprintf(out, "%s: %d rows, %d new, %d there already, %d with mistakes\n", c.Kind, r.Rows, r.New, r.There, len(r.Bad))
	return err
}

type importCheckCmd struct{ importFile }

// Run prints the mistakes and a line of counts.
func (c *importCheckCmd) Run(ctx context.Context, s std) error {
	k, t, err := c.open()
	if err != nil {
		return err
	}
	return c.with(ctx, s, func(a *app.App) error {
		r, err := (&intake.Desk{Orders: a.Desk}).Check(ctx, k, t)
		if err != nil {
			return err
		}
		if err := c.tell(s.out, r); err != nil || len(r.Mistakes) == 0 {
			return err
		}
		return quietExit(1)
	})
}

type importApplyCmd struct {
	importFile
	SkipBad string `help:"Import what is right, and write the other rows to this file." placeholder:"FILE"`
	Why     string `default:"import" help:"Why, for the trail." placeholder:"TEXT"`
}

// Run prints what [importCheckCmd.Run] prints.
func (c *importApplyCmd) Run(ctx context.Context, s std) error {
	k, t, err := c.open()
	if err != nil {
		return err
	}
	return c.with(ctx, s, func(a *app.App) error {
		desk := &intake.Desk{Orders: a.Desk, Staff: c.who(), Reason: c.Why}
		found, err := desk.Check(ctx, k, t)
		if err != nil {
			return err
		}
		if err := c.refused(found); err != nil {
			return errors.Join(c.tell(s.out, found), err)
		}
		if len(found.Bad) > 0 {
			if err := writeBad(c.SkipBad, found); err != nil {
				return err
			}
		}
		done, err := desk.Apply(ctx, k, t)
		if err != nil {
			return fmt.Errorf("%w; what was imported until then stays: run it again", err)
		}
		return c.tell(s.out, done)
	})
}

// refused says why a file is not imported as it is. Rows that are no CSV are on no list
// of bad ones: a quotation mark that is not closed swallows all rows after it.
func (c *importApplyCmd) refused(r intake.Result) error {
	switch {
	case r.Broken > 0:
		return fault.New(fault.Invalid, "Nothing was imported. Correct what is told above first: it is of the file itself, and of no row that could be left out.")
	case len(r.Mistakes) > 0 && c.SkipBad == "":
		return fault.New(fault.Invalid, "Nothing was imported. Correct the file, or use --skip-bad to import the other rows.")
	}
	return nil
}

func writeBad(path string, r intake.Result) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // staff choose the file
	if err != nil {
		return err
	}
	return errors.Join(intake.WriteBad(f, r), f.Close())
}

type importSampleCmd struct {
	Kind string `arg:"" help:"customers, sims, esims, lines or balances." enum:"customers,sims,esims,lines,balances"`
}

// Run prints the file to out, and the columns for people beside it.
func (c *importSampleCmd) Run(s std) error {
	k, err := intake.KindOf(c.Kind)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.err, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "%s: %s\n", k.Name, k.Says)
	for _, col := range k.Columns {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", col.Name, cmp.Or(map[bool]string{true: "needed"}[col.Need], "may be missing"), col.Says)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return intake.Sample(s.out, k)
}
