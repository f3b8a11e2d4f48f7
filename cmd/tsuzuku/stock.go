package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/stock"
)

// stockCmd is what the seller has and nobody else yet.
type stockCmd struct {
	List     stockListCmd     `cmd:"" help:"Count cards, eSIMs and codes to redeem, by plan."`
	Codes    stockCodesCmd    `cmd:"" help:"Make codes to redeem, for lines that are sold elsewhere, and print them: this once."`
	Withdraw stockWithdrawCmd `cmd:"" help:"Take what is free of a batch out of stock."`
}

type stockListCmd struct {
	database
	Low bool `help:"Only what is low by the catalogue's stock_low; ends with 1 if anything is, for a warning by cron."`
}

// Run prints a table of items, and one of codes.
func (c *stockListCmd) Run(ctx context.Context, s std) error {
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	type seen struct {
		items []stock.Count
		codes []stock.CodeCount
		cat   *catalogue.Catalogue
	}
	got, err := db.Seen(ctx, base, func(ctx context.Context, tx db.Tx) (got seen, err error) {
		if got.items, err = stock.Counts(ctx, tx); err != nil {
			return got, err
		}
		if got.codes, err = stock.CodeCounts(ctx, tx); err != nil {
			return got, err
		}
		got.cat, err = (&catalogue.Shelf{}).Current(ctx, tx)
		return got, err
	})
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	low := 0
	for i, n := range withSold(got.cat, got.items) {
		plan, _ := got.cat.Plan(n.Plan)
		warn := "-"
		if n.Kind == stock.ESIM && plan.StockLow > 0 && n.Free <= int64(plan.StockLow) {
			warn = fmt.Sprintf("LOW (%d)", plan.StockLow)
			low++
		} else if c.Low {
			continue
		}
		if i == 0 || c.Low && low == 1 {
			fmt.Fprintln(w, "KIND\tPLAN\tTERM\tFREE\tRESERVED\tGIVEN\tEXPIRED\tNEXT EXPIRY\tWARNING")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\n", n.Kind, n.Plan, n.Term, n.Free, n.Reserved, n.Given, n.Expired, stampOr(n.NextExpiry, "-"), warn)
	}
	if !c.Low {
		for i, n := range got.codes {
			if i == 0 {
				fmt.Fprintln(w, "CODES\tPLAN\tTERM\tFREE\tREDEEMED\tWITHDRAWN")
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\n", n.Batch, n.Plan, n.Term, n.Free, n.Redeemed, n.Withdrawn)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if c.Low && low > 0 {
		return quietExit(1)
	}
	return nil
}

// withSold adds what is sold from stock and of which there is nothing at all.
func withSold(cat *catalogue.Catalogue, counts []stock.Count) []stock.Count {
	there := map[[2]string]bool{}
	for _, n := range counts {
		if n.Kind == stock.ESIM {
			there[[2]string{n.Plan, n.Term}] = true
		}
	}
	for _, p := range cat.Plans {
		for _, t := range p.Sold() {
			if t.FromStock && !there[[2]string{p.ID, t.ID}] {
				counts = append(counts, stock.Count{Kind: stock.ESIM, Plan: p.ID, Term: t.ID})
			}
		}
	}
	return counts
}

type stockCodesCmd struct {
	staffed
	Plan    string    `required:"" help:"The plan of the new lines." placeholder:"ID"`
	Term    string    `required:"" help:"The term that each comes with." placeholder:"ID"`
	Count   int       `required:"" help:"How many." placeholder:"N"`
	Batch   string    `required:"" help:"Your own name for them, as the marketplace and the month." placeholder:"NAME"`
	Expires time.Time `help:"From when on they cannot be redeemed, 2027-03-31T00:00:00+09:00." placeholder:"TIME"`
	Why     string    `default:"to be sold elsewhere" help:"Why, for the trail." placeholder:"TEXT"`
}

// Run prints one code a line.
func (c *stockCodesCmd) Run(ctx context.Context, s std) error {
	return c.with(ctx, s, func(a *app.App) error {
		k := stock.Code{Plan: c.Plan, Term: c.Term, Batch: c.Batch}
		if !c.Expires.IsZero() {
			k.ExpiresAt = c.Expires.UTC()
		}
		codes, err := a.Desk.MakeCodes(ctx, k, c.Count, order.Act{Staff: c.who(), Reason: c.Why})
		if err != nil {
			return err
		}
		for _, code := range codes {
			if _, err := fmt.Fprintln(s.out, code); err != nil {
				return err
			}
		}
		return nil
	})
}

type stockWithdrawCmd struct {
	staffed
	Batch string `arg:"" help:"The batch, as it was imported or made."`
	Why   string `required:"" help:"Why, for the trail." placeholder:"TEXT"`
}

// Run prints how many there were.
func (c *stockWithdrawCmd) Run(ctx context.Context, s std) error {
	return c.with(ctx, s, func(a *app.App) error {
		items, codes, err := a.Desk.WithdrawStock(ctx, c.Batch, order.Act{Staff: c.who(), Reason: c.Why})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "%d items and %d codes\n", items, codes)
		return err
	})
}

// lineCmd is about single lines.
type lineCmd struct {
	Claim lineClaimCmd `cmd:"" help:"Give a customer the line of a card in stock."`
}

type lineClaimCmd struct {
	staffed
	ICCID string `arg:"" name:"iccid" help:"The number of the card."`
	Email string `xor:"who" required:"" help:"The customer's mail address." placeholder:"ADDRESS"`
	Phone string `xor:"who" required:"" help:"The customer's telephone number, with the country's calling code." placeholder:"NUMBER"`
	Why   string `required:"" help:"What shows that the card is theirs, for the trail." placeholder:"TEXT"`
}

// Run prints the line.
func (c *lineClaimCmd) Run(ctx context.Context, s std) error {
	iccid, err := line.ParseICCID(c.ICCID)
	if err != nil {
		return err
	}
	return c.with(ctx, s, func(a *app.App) error {
		owner, err := db.Seen(ctx, a.DB, func(ctx context.Context, tx db.Tx) (account.Account, error) {
			if c.Phone != "" {
				return account.ByPhone(ctx, tx, c.Phone)
			}
			return account.ByEmail(ctx, tx, c.Email)
		})
		if err != nil {
			return err
		}
		id, err := a.Desk.GiveCard(ctx, owner.ID, iccid, order.Act{Staff: c.who(), Reason: c.Why})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(s.out, id)
		return err
	})
}
