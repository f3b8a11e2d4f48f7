package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/money"
)

// paymentCmd is what the seller asks about payment providers, and of them.
type paymentCmd struct {
	Rails     railsCmd     `cmd:"" help:"Print which ways to pay there are through which adapter, with currencies, limits and sources."`
	Reconcile reconcileCmd `cmd:"" help:"Read a provider's report of some days and list every difference with our books. Ends with 1 while there is one."`
	Accept    acceptCmd    `cmd:"" help:"Decide that a difference stays as it is."`
}

type railsCmd struct{}

// Run prints JSON, and a table for people.
func (railsCmd) Run(io std) error {
	facts := app.RailFacts()
	t := tabwriter.NewWriter(io.err, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "RAIL\tADAPTER\tSELLERS IN\tCUSTOMERS\tCURRENCIES\tLEAST\tMOST\tHOURS\tAS OF\tSOURCE")
	for _, f := range facts {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Rail, f.Adapter, f.Sellers, f.Customers,
			currencies(f.Currencies), bounds(f.Least, f.Currencies), bounds(f.Most, f.Currencies), hours(f.SlowHours), f.AsOf, f.Source)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return json.NewEncoder(io.out).Encode(facts)
}

func currencies(all []money.Currency) string {
	words := make([]string, len(all))
	for i, c := range all {
		words[i] = string(c)
	}
	return strings.Join(words, " ")
}

// hours is how late money may come; nothing where it comes within minutes.
func hours(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// bounds writes limits as people do: the first few, in the order of currencies.
func bounds(limits map[money.Currency]int64, order []money.Currency) string {
	const few = 2
	var words []string
	for _, c := range order {
		if n, ok := limits[c]; ok && len(words) < few {
			words = append(words, money.Of(n, c).Decimal()+" "+string(c))
		}
	}
	if len(limits) > few {
		words = append(words, "…")
	}
	return strings.Join(words, ", ")
}
