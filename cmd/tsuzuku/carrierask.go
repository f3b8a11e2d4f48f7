package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/upstream"
)

// asking is a command that puts a question to operators now.
type asking struct {
	app.Operators
	Carrier []string `help:"Only this adapter; can be given several times. By default every one that is configured." placeholder:"NAME"`
	JSON    bool     `name:"json" help:"Print one JSON array instead of a table."`
}

func (a asking) connect() (map[string]carrier.Carrier, error) {
	return a.Connect(fromHere(), a.Carrier...)
}

// print writes rows as JSON, or a table with a head.
func (a asking) print(out io.Writer, rows any, head string, table func(io.Writer)) error {
	if a.JSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(rows)
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, head)
	table(w)
	return w.Flush()
}

type carrierHealthCmd struct{ asking }

// healthRow is one operator's answer, as of now.
type healthRow struct {
	Carrier string `json:"carrier"`
	State   string `json:"state"` // well, unwell, refuses, silent, by_hand
	TookMS  int64  `json:"took_ms"`
	SkewMS  int64  `json:"skew_ms"`
	Text    string `json:"text"`
}

// Run asks each operator one cheap question, and ends with 1 if one is not well.
func (c *carrierHealthCmd) Run(ctx context.Context, s std) error {
	carriers, err := c.connect()
	if err != nil {
		return err
	}
	var rows []healthRow
	bad := false
	for _, a := range upstream.Health(ctx, carriers, time.Now) {
		r := healthRow{a.Carrier, "well", a.Took.Milliseconds(), a.Value.Skew.Milliseconds(), a.Value.Text}
		switch {
		case a.Untold():
			r.State, r.Text = "by_hand", a.Said()
		case a.Refused():
			r.State, r.Text = "refuses", a.Said()
		case a.Err != nil:
			r.State, r.Text = "silent", a.Said()
		case !a.Value.OK:
			r.State = "unwell"
		}
		bad = bad || r.State != "well" && r.State != "by_hand"
		rows = append(rows, r)
	}
	err = c.print(s.out, rows, "CARRIER\tSTATE\tTOOK\tWHAT IT SAID", func(w io.Writer) {
		for _, r := range rows {
			fmt.Fprintf(w, "%s\t%s\t%d ms\t%s\n", r.Carrier, r.State, r.TookMS, r.Text)
		}
	})
	if err == nil && bad {
		return quietExit(1)
	}
	return err
}

type carrierPackagesCmd struct{ asking }

type packageRow struct {
	Carrier  string `json:"carrier"`
	Code     string `json:"code"`
	Alias    string `json:"alias,omitempty"`
	Name     string `json:"name"`
	For      string `json:"for"` // line: one that exists; new_line; both
	Cost     string `json:"cost"`
	Currency string `json:"currency"`
	PerDay   bool   `json:"per_day"`
	Days     int    `json:"days"`
	Bytes    int64  `json:"bytes"` // 0: unlimited, or not told
}

// Run prints everything that operators sell, and ends with 1 if one did not answer.
func (c *carrierPackagesCmd) Run(ctx context.Context, s std) error {
	carriers, err := c.connect()
	if err != nil {
		return err
	}
	rows := []packageRow{}
	bad := false
	for _, a := range upstream.Listings(ctx, carriers, time.Now) {
		if a.Err != nil {
			fmt.Fprintf(s.err, "%s: %s\n", a.Carrier, a.Said())
			bad = bad || !a.Untold()
		}
		for _, p := range a.Value {
			r := packageRow{a.Carrier, p.Code, p.Alias, p.Name, "line", p.Cost.Decimal(), p.Cost.Currency, p.PerDay, p.Days, p.Bytes}
			if p.New {
				r.For = map[bool]string{true: "both", false: "new_line"}[p.TopUp]
			}
			rows = append(rows, r)
		}
	}
	err = c.print(s.out, rows, "CARRIER\tCODE\tFOR\tDAYS\tBYTES\tCOST\tNAME", func(w io.Writer) {
		for _, r := range rows {
			cost := r.Cost + " " + r.Currency
			if r.PerDay {
				cost += " a day"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%s\n", r.Carrier, r.Code, r.For, r.Days, r.Bytes, cost, r.Name)
		}
	})
	if err == nil && bad {
		return quietExit(1)
	}
	return err
}
