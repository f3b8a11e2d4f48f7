package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/renewal"
)

type adviseLineCmd struct {
	database
	Currency string `help:"Of the offers; the seller's own by default." placeholder:"JPY"`
	Attitude string `help:"Another than the account's: cheapest, balanced or carefree." placeholder:"ATTITUDE"`
	Line     string `required:"" help:"Line ID, as its page's address has it." placeholder:"LINE"`
}

// Run prints the forecast, every way that was weighed, what is advised and why.
func (c *adviseLineCmd) Run(ctx context.Context, s std) error {
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	err = c.print(ctx, base, s)
	return errors.Join(err, base.Close())
}

// lineFacts are what advice about a line is made from.
type lineFacts struct {
	situation renewal.Situation
	facts     advice.Facts
}

func (c *adviseLineCmd) print(ctx context.Context, base *db.DB, s std) error {
	if c.Attitude != "" && !slices.Contains(advice.Attitudes, advice.Attitude(c.Attitude)) {
		return fault.New(fault.Invalid, "There is no attitude %q; there are cheapest, balanced and carefree.", c.Attitude)
	}
	account, err := id.AccountOf(c.Line)
	if err != nil {
		return fault.New(fault.Invalid, "%q is no line ID. The address of the line's page has it.", c.Line)
	}
	shelf := &catalogue.Shelf{}
	f, err := db.Seen(ctx, base, func(ctx context.Context, tx db.Tx) (f lineFacts, err error) {
		return c.read(ctx, tx, shelf, account)
	})
	if err != nil {
		return err
	}
	if c.Attitude != "" {
		f.facts.Attitude = advice.Attitude(c.Attitude)
	}
	a := &advice.Adviser{DB: base, Shelf: shelf, Log: logger(s.err, slog.LevelWarn)}
	if err := a.Ready(ctx, f.situation); err != nil {
		return err
	}
	forecast, trip, ok := a.Forecast(ctx, f.situation, f.facts)
	if !ok {
		return fault.New(fault.Invalid, "Nothing can be said of this line: it has not begun, or its plan is not in the catalogue.")
	}
	out := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	printForecast(out, &forecast, &trip)
	answer, ok := a.Ask(ctx, f.situation, f.facts)
	if !ok {
		fmt.Fprintf(out, "\nnothing is advised: nothing is priced in %s\n", f.situation.Currency)
		return out.Flush()
	}
	if err := printAnswer(out, f.situation, &answer); err != nil {
		return err
	}
	return out.Flush()
}

func (c *adviseLineCmd) read(ctx context.Context, tx db.Tx, shelf *catalogue.Shelf, account string) (f lineFacts, err error) {
	cat, err := shelf.Current(ctx, tx)
	if err != nil {
		return f, err
	}
	f.situation = renewal.Situation{Now: tx.Now(), Catalogue: cat, Currency: money.Currency(cmp.Or(c.Currency, string(cat.Seller.BaseCurrency)))}
	if f.situation.Line, err = line.Get(ctx, tx, account, c.Line); err != nil {
		return f, err
	}
	if f.situation.Periods, err = line.Periods(ctx, tx, account, c.Line); err != nil {
		return f, err
	}
	f.facts, err = advice.FactsOf(ctx, tx, account, c.Line)
	return f, err
}

func printForecast(out io.Writer, f *advice.Forecast, t *advice.Trip) {
	fmt.Fprintf(out, "trip\tsince %s, today is %s, leaves %s\n", t.Arrival, t.Today, told(t.Told))
	fmt.Fprintf(out, "segment\t%q %q %q\n", t.Segment.Group, t.Segment.Purpose, t.Segment.Use)
	fmt.Fprintf(out, "basis\t%d days of its own, %d of them cut off; %d similar trips of %d\n", f.Basis.Days, f.Basis.Capped, f.Basis.Similar, f.Basis.Trips)
	if f.Basis.Changed != 0 {
		fmt.Fprintf(out, "change\tsince %s %.1f times as much\n", f.Basis.Changed, f.Basis.ChangeFactor)
	}
	for _, d := range t.Days {
		fmt.Fprintf(out, "day\t%s\t%d bytes\tcapped %t\t%d minutes\n", d.Date, d.Bytes, d.Capped, d.Minutes)
	}
	head := []string{"\nprobability"}
	for _, p := range advice.Levels {
		head = append(head, fmt.Sprintf("%.3f", p))
	}
	fmt.Fprintln(out, strings.Join(head, "\t"))
	amounts := func(name string, q advice.Quantiles) {
		row := []string{name}
		for _, n := range q.At {
			row = append(row, locale.Data(locale.En, n, 1e9))
		}
		fmt.Fprintln(out, strings.Join(row, "\t"))
	}
	days := func(name string, q advice.Quantiles) {
		row := []string{name}
		for _, n := range q.At {
			row = append(row, advice.Date(n).String())
		}
		fmt.Fprintln(out, strings.Join(row, "\t"))
	}
	amounts("need", f.Need)
	amounts("per day", f.PerDay)
	days("last day", f.LastDay)
	days("runs out", f.RunsOut)
	fmt.Fprintf(out, "lasts\t%.2f\n", f.Lasts)
}

func told(d advice.Date) string {
	if d == 0 {
		return "nobody knows when"
	}
	return "on " + d.String()
}

func printAnswer(out io.Writer, s renewal.Situation, a *advice.Answer) error {
	all, err := a.Tables.Candidates(a.Question)
	if err != nil {
		return err
	}
	name := func(i int) string { return a.Items[i].Plan + "/" + a.Items[i].ID }
	amount := func(minor int64) string { return locale.Money(locale.En, money.Of(minor, s.Currency)) }
	fmt.Fprintf(out, "\ncandidate\tprice now\texpected to pay\texpected cost\tsuffices while it runs\tto the end\n")
	for i := range all {
		c := &all[i]
		what := "nothing now"
		if c.Action == advice.Buy {
			what = name(c.Steps.At[0].Offer)
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%.2f\t%.2f\n", what, amount(c.First), amount(c.Paid), amount(c.Cost), c.Enough, c.Lasts)
	}
	fmt.Fprintf(out, "\nmodel\t%d\nattitude\t%s\nadvised\t%s\n", a.Version, a.Question.Attitude, a.Best.Action)
	for _, step := range a.Best.Steps.All() {
		fmt.Fprintf(out, "step\t%s\ton %s\n", name(step.Offer), step.On)
	}
	if a.Close {
		fmt.Fprintf(out, "as good\t%s\n", name(a.Second.Steps.At[0].Offer))
	}
	if a.Carefree.Offer >= 0 {
		fmt.Fprintf(out, "carefree\t%s\t%s more, needed in %.0f of 100\n", name(a.Carefree.Offer), amount(a.CarefreeMore), 100*a.CarefreeNeed)
	}
	for _, r := range a.Reasons.All() {
		fmt.Fprintf(out, "reason\t%s\n", r)
	}
	w := advice.Words{Language: locale.En, Currency: s.Currency, GB: 1e9, Name: name}
	fmt.Fprintf(out, "said\t%s\n", strings.Join(append([]string{a.Sentence(w)}, a.Notes(w)...), " "))
	return nil
}
