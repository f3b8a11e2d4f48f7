package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os/user"
	"text/tabwriter"
	"time"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/settlement"
)

// reconcileCmd holds a provider's report against our books.
type reconcileCmd struct {
	app.Config `embed:""`
	Provider   string `required:"" help:"The adapter: stripe, paypal, alipay or wechatpay." placeholder:"NAME"`
	Day        string `help:"One day, as 2026-11-20, in the provider's own zone." xor:"days" placeholder:"DAY"`
	From       string `help:"The first of several days." xor:"days" placeholder:"DAY"`
	To         string `help:"The last of several days; by default yesterday." placeholder:"DAY"`
	JSON       bool   `name:"json" help:"Print one JSON object instead of a table."`
}

// Run reads and compares, and ends with 1 while something differs or could not
// be compared.
func (c *reconcileCmd) Run(ctx context.Context, s std) error {
	a, err := app.Open(ctx, c.Config, app.Env{Now: time.Now, Random: rand.Reader, Log: logger(s.err, c.LogLevel)}, app.Real)
	if err != nil {
		return err
	}
	from, to, err := c.span(a)
	var r settlement.Report
	if err == nil {
		r, err = a.Settlement.Reconcile(ctx, c.Provider, from, to)
	}
	if err = errors.Join(err, a.Close()); err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		err = e.Encode(r)
	} else {
		err = printReport(s, r)
	}
	if err == nil && !r.Agrees() {
		err = quietExit(1)
	}
	return err
}

// span is the days that were asked for. Which day was yesterday is decided by
// the provider's zone.
func (c *reconcileCmd) span(a *app.App) (from, to payment.Day, err error) {
	if c.Day != "" && c.To != "" {
		return "", "", fault.New(fault.Invalid, "Give --day for one day, or --from and --to for several.")
	}
	zone, err := a.Settlement.Zone(c.Provider)
	if err != nil {
		return "", "", err
	}
	yesterday := payment.DayOf(a.DB.Now(), zone).Before()
	from, to = yesterday, yesterday
	for _, f := range []struct {
		text string
		into []*payment.Day
	}{{c.Day, []*payment.Day{&from, &to}}, {c.From, []*payment.Day{&from}}, {c.To, []*payment.Day{&to}}} {
		if f.text == "" {
			continue
		}
		day, err := payment.ParseDay(f.text)
		if err != nil {
			return "", "", err
		}
		for _, d := range f.into {
			*d = day
		}
	}
	if c.To != "" && c.From == "" {
		return "", "", fault.New(fault.Invalid, "Give --from too: the first of the days.")
	}
	return from, to, nil
}

// printReport prints the differences to out, and everything about the days to
// people.
func printReport(s std, r settlement.Report) error {
	t := tabwriter.NewWriter(s.err, 0, 0, 2, ' ', 0)
	for _, d := range r.Days {
		fmt.Fprintf(t, "%s\t%s\t%s\n", r.Provider, d.Day, dayInWords(d))
	}
	for _, sum := range r.Totals {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\tfees %s\n", r.Provider, sum.Kind, sum.Count, amount(sum.Gross), amount(sum.Fee))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	t = tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	if len(r.Differences) > 0 {
		fmt.Fprintln(t, "DAY\tDIFFERENCE\tSUBJECT\tORDER\tOURS\tTHEIRS\tDETAIL\tACCEPTED")
	}
	for _, d := range r.Differences {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.Day, d.Kind, d.Subject, d.Order, amount(d.Ours), amount(d.Theirs), d.Detail, d.Accepted)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if r.Unsure > 0 {
		fmt.Fprintf(s.err, "%d of ours cannot be compared before the days before are read whole\n", r.Unsure)
	}
	if r.Agrees() {
		fmt.Fprintln(s.err, "everything agrees")
	}
	return nil
}

func dayInWords(d settlement.DayState) string {
	switch {
	case d.Trouble != "":
		return fmt.Sprintf("could not be read: %s. It should be there from %s", d.Trouble, d.ReadyAt.UTC().Format(time.RFC3339))
	case !d.Whole:
		return fmt.Sprintf("movements so far: %d; whole from %s", d.Counted, d.ReadyAt.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("movements: %d", d.Counted)
}

func amount(m money.Money) string {
	if m == (money.Money{}) {
		return "-"
	}
	return m.Decimal() + " " + string(m.Currency)
}

// acceptCmd is a person's decision about one difference.
type acceptCmd struct {
	database
	Provider string `required:"" help:"The adapter." placeholder:"NAME"`
	Day      string `required:"" help:"The day of the difference." placeholder:"DAY"`
	Kind     string `arg:"" help:"The difference, as reconcile prints it."`
	Subject  string `arg:"" help:"Its subject, as reconcile prints it."`
	Why      string `required:"" help:"Why, for the trail." placeholder:"TEXT"`
	Staff    string `help:"Who decides; by default the user's name." placeholder:"NAME"`
}

// Run prints what was accepted.
func (c *acceptCmd) Run(ctx context.Context, s std) error {
	day, err := payment.ParseDay(c.Day)
	if err != nil {
		return err
	}
	who := c.Staff
	if u, err := user.Current(); who == "" && err == nil {
		who = u.Username
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	room := settlement.Room{DB: base, IDs: id.NewSource(time.Now, rand.Reader)}
	d, err := room.Accept(ctx, c.Provider, day, settlement.Kind(c.Kind), c.Subject, order.Act{Staff: who, Reason: c.Why})
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s\naccepted by %s\n", d, d.Accepted)
	return err
}
