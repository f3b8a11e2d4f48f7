package order_test

import (
	"context"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/identity"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/seal"
	"github.com/tsuzuku/tsuzuku/stock"
)

// asksIdentity is a plan of the demo whose policy asks for an identity check.
const asksIdentity = "kaisha-month"

// identify lets a customer pass an identity check.
func (c *cashier) identify(t *testing.T, account string) (check identity.Check) {
	t.Helper()
	box := seal.New(identity.Purpose, "a secret of the tests", nil, nil)
	c.write(t, func(ctx context.Context, tx db.Tx) error {
		one, err := identity.Write(ctx, tx, box, c.Desk.IDs, account, asksIdentity, identity.Papers{
			Name: "Aiko", Nationality: "TW", Born: "1990-02-28", Document: "passport", Number: "XK1234567", Expires: "2031-05-01",
		})
		for _, kind := range identity.Photos {
			if err == nil {
				_, err = identity.AddPhoto(ctx, tx, box, one.Key(), kind, identity.Picture("p"))
			}
		}
		if err == nil {
			_, err = identity.Send(ctx, tx, box, one.Key())
		}
		if err == nil {
			check, err = identity.Decide(ctx, tx, c.Desk.IDs, demo(), one.Key(), identity.Decision{Staff: "mika"})
		}
		return err
	})
	return check
}

// A plan that asks for it is sold by no door before a check was passed. After it, a
// line can be bought and renewed; money that came late is kept although what was given
// has been erased in between, and so is the line's own mark.
func TestIdentityIsCheckedBeforeBuying(t *testing.T) {
	c := stockroom(t, dbtest.SQLite(t))
	account := c.visitor(t, 0)
	codes, err := c.Desk.MakeCodes(t.Context(), stock.Code{Plan: asksIdentity, Term: "1mo", Batch: "made"}, 1, mika)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Desk.QuoteNew(t.Context(), account, asksIdentity, "1mo", "JPY")
	if fault.KindOf(err) != fault.Invalid || reasonOf(err) != "renewal.identity_missing" {
		t.Errorf("quoted without a check: %v", err)
	}
	if _, err := c.Desk.Redeem(t.Context(), account, codes[0], free); reasonOf(err) != "identity_first" {
		t.Errorf("redeemed without a check: %v", err)
	}
	check := c.identify(t, account)
	o, p := c.checkout(t, c.fresh(t, account, asksIdentity), payment.Card)
	c.write(t, func(ctx context.Context, tx db.Tx) error {
		_, err := identity.Erase(ctx, tx, check)
		return err
	})
	must(t)(c.card.Pay(p.Ref))
	c.come(t, o)
	c.pass(t, time.Minute)
	c.want(t, o, order.Completed, "")
	ln := c.line(t, account, o.Line)
	if !ln.Identity {
		t.Error("the line does not know that its owner was checked")
	}
	if _, err := c.Desk.QuoteNew(t.Context(), account, asksIdentity, "1mo", "JPY"); reasonOf(err) != "renewal.identity_missing" {
		t.Errorf("quoted although it is erased: %v", err)
	}
	if _, err := c.Desk.Redeem(t.Context(), account, codes[0], free); reasonOf(err) != "identity_first" {
		t.Errorf("redeemed although it is erased: %v", err)
	}
	c.identify(t, account)
	redeemed, err := c.Desk.Redeem(t.Context(), account, codes[0], free)
	if err != nil {
		t.Fatal(err)
	}
	c.pass(t, time.Minute)
	c.want(t, redeemed, order.Completed, "")
	c.audited(t)
}

// A line that does not know it, as one that was claimed, is renewed by an owner who
// has passed, and by no other.
func TestIdentityOfAnOlderLine(t *testing.T) {
	c := newCashier(t, dbtest.SQLite(t))
	account, ln := c.rich(t, 20_000, 0)
	c.write(t, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE lines SET identity = FALSE, plan_id = $3, operator = 'kumohashi' WHERE account_id = $1 AND id = $2`, account, ln, asksIdentity)
		return err
	})
	quote := func() error {
		_, err := c.Desk.Quote(t.Context(), account, ln, renewal.Item{Kind: renewal.Term, Plan: asksIdentity, ID: "1mo"}, "JPY")
		return err
	}
	if err := quote(); reasonOf(err) != "renewal.identity_missing" {
		t.Errorf("quoted without a check: %v", err)
	}
	c.identify(t, account)
	c.write(t, func(ctx context.Context, tx db.Tx) error { // as one that is claimed after it
		_, err := tx.Exec(ctx, `UPDATE lines SET identity = FALSE WHERE account_id = $1 AND id = $2`, account, ln)
		return err
	})
	if err := quote(); err != nil {
		t.Errorf("refused after the check: %v", err)
	}
}
