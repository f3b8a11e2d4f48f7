package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/upstream"
)

type carrierBalanceCmd struct {
	database
	asking
	Balance app.Balance `embed:"" prefix:"balance-"`
	Stored  bool        `help:"Ask nobody: print what the running shop read last."`
}

// balanceRow is what is left with one operator.
type balanceRow struct {
	Carrier  string    `json:"carrier"`
	Balance  string    `json:"balance,omitempty"` // a decimal number; empty: it is not known
	Currency string    `json:"currency,omitempty"`
	AsOf     time.Time `json:"as_of,omitzero"`
	Floor    string    `json:"floor,omitempty"`      // a decimal number
	FloorBy  string    `json:"floor_from,omitempty"` // "setting" or "spending"
	Low      bool      `json:"low"`
	Text     string    `json:"text,omitempty"` // why it is not known, or not newer
}

// Run prints what is left with each operator, and ends with 1 if that is low or one
// did not answer.
func (c *carrierBalanceCmd) Run(ctx context.Context, s std) error {
	floors, err := c.Balance.Floors()
	if err != nil {
		return err
	}
	standings, err := c.standings(ctx)
	if err != nil {
		return err
	}
	rows, bad := []balanceRow{}, false
	if c.Stored {
		for _, st := range standings {
			r := balanceOf(st, floors, time.Now())
			r.Text = st.Trouble
			rows, bad = append(rows, r), bad || r.Low
		}
	} else {
		carriers, err := c.connect()
		if err != nil {
			return err
		}
		for _, a := range upstream.Balances(ctx, carriers, time.Now) {
			r := liveBalance(a, standings, floors)
			rows, bad = append(rows, r), bad || r.Low || a.Err != nil && !a.Untold()
		}
	}
	err = c.print(s.out, rows, "CARRIER\tBALANCE\tFLOOR\tLOW\tAS OF\tNOTE", func(w io.Writer) {
		for _, r := range rows {
			floor := r.Floor
			if r.FloorBy == "spending" {
				floor += " (by spending)"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Carrier, cmp.Or(strings.TrimSpace(r.Balance+" "+r.Currency), "-"), cmp.Or(floor, "-"),
				map[bool]string{true: "LOW", false: "-"}[r.Low], stampOr(r.AsOf, "-"), r.Text)
		}
	})
	if err == nil && bad {
		return quietExit(1)
	}
	return err
}

// standings are what a shop has stored. Without a database nothing is, which matters
// only to who wants what is stored.
func (c *carrierBalanceCmd) standings(ctx context.Context) ([]upstream.Standing, error) {
	if !strings.Contains(c.Database, "://") && !c.Stored {
		if _, err := os.Stat(c.Database); errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
	}
	base, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	all, err := db.Seen(ctx, base, upstream.Standings)
	return all, errors.Join(err, base.Close())
}

// liveBalance is an operator's answer beside what is stored of it.
func liveBalance(a upstream.Answer[carrier.Cost], standings []upstream.Standing, floors upstream.Floors) balanceRow {
	if a.Err != nil {
		return balanceRow{Carrier: a.Carrier, Text: a.Said()}
	}
	now := upstream.Standing{Carrier: a.Carrier}
	for _, s := range standings {
		if s.Carrier == a.Carrier {
			now = s
		}
	}
	return balanceOf(now.With(a.Value, a.AsOf), floors, a.AsOf)
}

func balanceOf(s upstream.Standing, floors upstream.Floors, now time.Time) balanceRow {
	r := balanceRow{Carrier: s.Carrier}
	if s.AsOf.IsZero() {
		return r
	}
	floor := floors.Of(s, now)
	r.Balance, r.Currency, r.AsOf = s.Balance.Decimal(), s.Balance.Currency, s.AsOf
	r.Floor, r.FloorBy = carrier.Cost{Units: floor.Units, Scale: s.Balance.Scale}.Decimal(), "spending"
	if floor.Set {
		r.FloorBy = "setting"
	}
	r.Low = s.Below(floor)
	return r
}

type carrierAlarmsCmd struct {
	database
	JSON bool `name:"json" help:"Print one JSON array instead of a table."`
}

// Run prints the alarms that are not over.
func (c *carrierAlarmsCmd) Run(ctx context.Context, s std) error {
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	all, err := db.Seen(ctx, base, upstream.Alarms)
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	if all == nil {
		all = []upstream.Alarm{}
	}
	err = asking{JSON: c.JSON}.print(s.out, all, "SINCE\tCARRIER\tKIND\tWHAT", func(w io.Writer) {
		for _, a := range all {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", stampOr(a.OpenedAt, "-"), a.Carrier, a.Kind, a.Told)
		}
	})
	if err == nil && len(all) > 0 {
		return quietExit(1)
	}
	return err
}
