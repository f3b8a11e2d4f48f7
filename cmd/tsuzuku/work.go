package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/order"
)

// workCmd is the work list of staff who extend lines, and order new ones, by hand.
type workCmd struct {
	List   workListCmd   `cmd:"" help:"List what is to be done by hand, the oldest first."`
	Export workExportCmd `cmd:"" help:"Print it as CSV, and remember that it was exported."`
	Done   workDoneCmd   `cmd:"" help:"Write down that an order was carried out, with the proof: it is completed."`
	Refuse workRefuseCmd `cmd:"" help:"Write down that an order was certainly not carried out, and why: the money goes back."`
	Show   workShowCmd   `cmd:"" help:"Print how an order was answered, by whom and when, or the file that proves it."`
	Status workStatusCmd `cmd:"" help:"Write down what the operator shows of a line: data left, and its state."`
}

// staffed is what every command of staff needs.
type staffed struct {
	app.Config `embed:""`
	Staff      string `help:"Who you are; by default the user's name." placeholder:"NAME"`
}

func (c *staffed) who() string {
	if c.Staff != "" {
		return c.Staff
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// with opens the house with its adapters for one piece of work.
func (c *staffed) with(ctx context.Context, s std, do func(*app.App) error) error {
	a, err := app.Open(ctx, c.Config, app.Env{Now: time.Now, Random: rand.Reader, Log: logger(s.err, c.LogLevel)}, app.Real)
	if err != nil {
		return err
	}
	return errors.Join(do(a), a.Close())
}

type workListCmd struct {
	staffed
	Overdue bool `help:"Only what has waited for more than half of its time; ends with 1 if there is any, for a reminder by cron."`
}

// Run prints a table; nothing where there is nothing.
func (c *workListCmd) Run(ctx context.Context, s std) error {
	late := 0
	err := c.with(ctx, s, func(a *app.App) error {
		all, err := a.Desk.Works(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
		for i, k := range all {
			waits := waiting(k, a.DB.Now())
			if waits != "" {
				late++
			} else if c.Overdue {
				continue
			}
			if i == 0 {
				fmt.Fprintln(w, "DO BY\tWAITS\tORDER\tOPERATOR\tLINE\tICCID\tPACKAGE\tDAYS\tEXPORTED")
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.By.Format(time.RFC3339), cmp.Or(waits, "-"), k.Order.ID, k.Operator,
				lineOf(k), cmp.Or(k.Line.ICCID, "-"), k.Package, orDash(k.Days), stampOr(k.Exported, "-"))
		}
		return w.Flush()
	})
	if err == nil && c.Overdue && late > 0 {
		return quietExit(1)
	}
	return err
}

// waiting says in a word how urgent a work is; "" where it is not.
func waiting(w order.Work, now time.Time) string {
	switch asked := w.Order.AskedAt; {
	case !now.Before(w.By):
		return "LATE"
	case !now.Before(asked.Add(w.By.Sub(asked) / 2)):
		return "soon"
	}
	return ""
}

// lineOf is how the operator calls the line of a work; "new": it is to be made.
func lineOf(w order.Work) string {
	if w.Order.Kind == order.NewLine {
		return "new"
	}
	return cmp.Or(w.Line.ProfileID, "-")
}

func orDash(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

func stampOr(t time.Time, other string) string {
	if t.IsZero() {
		return other
	}
	return t.Format(time.RFC3339)
}

type workExportCmd struct {
	staffed
	New bool `help:"Only what was never exported before."`
}

// Run prints CSV with a head, times in UTC.
func (c *workExportCmd) Run(ctx context.Context, s std) error {
	return c.with(ctx, s, func(a *app.App) error {
		all, err := a.Desk.Export(ctx, c.who(), c.New)
		if err != nil {
			return err
		}
		return writeWorks(s.out, all)
	})
}

func writeWorks(out io.Writer, all []order.Work) error {
	w := csv.NewWriter(out)
	rows := [][]string{{"order", "do_by", "asked_at", "state", "operator", "line", "iccid", "msisdn", "package", "days", "starts_at", "ends_at", "exported_before"}}
	for _, k := range all {
		days := ""
		if k.Days > 0 {
			days = strconv.Itoa(k.Days)
		}
		rows = append(rows, []string{
			k.Order.ID, k.By.Format(time.RFC3339), k.Order.AskedAt.Format(time.RFC3339), string(k.Order.State), k.Operator, strings.Trim(lineOf(k), "-"),
			k.Line.ICCID, k.Line.MSISDN, k.Package, days, stampOr(k.Order.StartsAt, ""), stampOr(k.Order.EndsAt, ""), stampOr(k.Exported, ""),
		})
	}
	for _, r := range rows {
		for i := range r {
			r[i] = harmless(r[i])
		}
	}
	return w.WriteAll(rows)
}

// harmless keeps a spreadsheet from taking a cell for a formula.
func harmless(cell string) string {
	if strings.IndexAny(cell, "=+-@\t\r") == 0 {
		return "'" + cell
	}
	return cell
}

type workDoneCmd struct {
	staffed
	Order string    `arg:"" help:"The order, ord_…"`
	Ref   string    `required:"" help:"The operator's reference: the proof." placeholder:"TEXT"`
	File  string    `type:"existingfile" help:"A file that proves it, at most 2 MiB: it is kept with its SHA-256." placeholder:"FILE"`
	Ends  time.Time `help:"The line's end as the operator shows it, 2026-05-03T23:59:59+09:00." placeholder:"TIME"`
	ICCID string    `name:"iccid" help:"Of a new line: its ICCID." placeholder:"ICCID"`
	Code  string    `help:"Of a new line: what a phone installs it with, LPA:1$$address$$matching identifier." placeholder:"CODE"`
	Known string    `name:"profile" help:"Of a new line: what the operator calls it. Unset: its ICCID." placeholder:"ID"`
	Why   string    `default:"carried out by hand" help:"A note for the trail." placeholder:"TEXT"`
}

// Run prints the state the order is in now.
func (c *workDoneCmd) Run(ctx context.Context, s std) error {
	k, err := order.KeyOf(c.Order)
	if err != nil {
		return err
	}
	p := order.Proof{Reference: c.Ref, EndsAt: c.Ends.UTC()}
	if c.Ends.IsZero() {
		p.EndsAt = time.Time{}
	}
	if c.ICCID != "" || c.Code != "" || c.Known != "" {
		p.Line = carrier.Issued{Ref: c.Ref, Profile: carrier.Profile{ID: c.Known, ICCID: c.ICCID}, Code: c.Code}
	}
	if c.File != "" {
		if p.File, err = readProof(c.File); err != nil {
			return err
		}
	}
	return c.with(ctx, s, func(a *app.App) error {
		o, err := a.Desk.Done(ctx, k, p, order.Act{Staff: c.who(), Reason: c.Why})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(s.out, o.State)
		return err
	})
}

// readProof reads a file, and no more than a proof may have and a byte.
func readProof(path string) (order.File, error) {
	f, err := os.Open(path) //nolint:gosec // staff choose the file
	if err != nil {
		return order.File{}, err
	}
	content, err := io.ReadAll(io.LimitReader(f, order.MostFile+1))
	return order.File{Name: filepath.Base(path), Content: content}, errors.Join(err, f.Close())
}

type workRefuseCmd struct {
	staffed
	Order string `arg:"" help:"The order, ord_…"`
	Why   string `required:"" help:"Why it was not carried out, for the trail." placeholder:"TEXT"`
}

// Run prints the state the order is in now; the running shop sends the refund.
func (c *workRefuseCmd) Run(ctx context.Context, s std) error {
	k, err := order.KeyOf(c.Order)
	if err != nil {
		return err
	}
	return c.with(ctx, s, func(a *app.App) error {
		o, err := a.Desk.NotDone(ctx, k, order.Act{Staff: c.who(), Reason: c.Why})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(s.out, o.State)
		return err
	})
}

type workShowCmd struct {
	staffed
	Order string `arg:"" help:"The order, ord_…"`
	File  bool   `help:"Print the file that proves it instead."`
}

// Run prints a few lines, or the file's bytes.
func (c *workShowCmd) Run(ctx context.Context, s std) error {
	k, err := order.KeyOf(c.Order)
	if err != nil {
		return err
	}
	return c.with(ctx, s, func(a *app.App) error {
		w, err := a.Desk.GetWork(ctx, k)
		if err != nil {
			return err
		}
		got := w.Answer
		switch {
		case c.File && got.File.Name == "":
			return fault.New(fault.NotFound, "There is no file with order %s.", c.Order)
		case c.File:
			_, err = s.out.Write(got.File.Content)
			return err
		}
		t := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
		fmt.Fprintf(t, "do by\t%s\nexported\t%s (%d times)\nanswer\t%s\n", w.By.Format(time.RFC3339), stampOr(w.Exported, "-"), w.Exports, cmp.Or(string(got.Said), "-"))
		if got.Said != "" {
			fmt.Fprintf(t, "by\t%s at %s\nreference\t%s\nnote\t%s\n", got.Staff, got.At.Format(time.RFC3339), cmp.Or(got.Reference, "-"), got.Reason)
		}
		if got.File.Name != "" {
			fmt.Fprintf(t, "file\t%s, %d bytes, SHA-256 %s\n", got.File.Name, got.File.Bytes, got.File.SHA256)
		}
		return t.Flush()
	})
}

type workStatusCmd struct {
	staffed
	Line      string    `arg:"" help:"The line, ln_…"`
	AsOf      time.Time `required:"" help:"When the operator measured, 2026-05-03T12:00:00+09:00." placeholder:"TIME"`
	Total     int64     `help:"What the line may use in all, in bytes; with --unlimited: at full speed today." placeholder:"BYTES"`
	Used      int64     `help:"What of it is used, in bytes." placeholder:"BYTES"`
	Unlimited bool      `help:"The plan has no end of data."`
	Throttled bool      `help:"The line is slowed down now."`
	State     string    `enum:",active,suspended,terminal" default:"" help:"active, suspended or terminal; unset: as it was." placeholder:"STATE"`
	Why       string    `default:"as the operator shows it" help:"A note for the trail." placeholder:"TEXT"`
}

// Run prints nothing.
func (c *workStatusCmd) Run(ctx context.Context, s std) error {
	return c.with(ctx, s, func(a *app.App) error {
		return a.Desk.EnterStatus(ctx, c.Line, carrier.Status{
			State: carrier.LineState(c.State), Unlimited: c.Unlimited, Total: c.Total, Used: c.Used, Throttled: c.Throttled, AsOf: c.AsOf.UTC(),
		}, order.Act{Staff: c.who(), Reason: c.Why})
	})
}
