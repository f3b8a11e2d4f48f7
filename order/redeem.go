package order

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/identity"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/stock"
)

// Redeem turns a code that was sold elsewhere into an order of a new line that costs
// nothing here. The order is stored paid, with the code as its source, and goes the
// way of every other; a worker carries it on. A code is redeemed once: whoever did
// gets the same order again.
//
// It fails with [fault.Denied], and says no more, for a code that there is not, that
// somebody else redeemed, or that is too old; and with reason identity_first for a plan
// that asks for an identity check which the customer has not passed. The attempt is counted in every case.
func (d *Desk) Redeem(ctx context.Context, account, code string, try Attempt) (Order, error) {
	if d.Codes == nil {
		return Order{}, errNoCode()
	}
	if err := d.DB.Write(ctx, try); err != nil {
		return Order{}, err
	}
	o, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Order, error) {
		c, found, err := stock.FindCode(ctx, tx, d.Codes, code)
		switch {
		case err != nil:
			return Order{}, err
		case found && c.State == stock.CodeRedeemed && c.Account == account:
			return Get(ctx, tx, Key{account, c.Order})
		case !found || c.State != stock.CodeFree || !c.ExpiresAt.IsZero() && !tx.Now().Before(c.ExpiresAt):
			return Order{}, nil
		}
		cat, err := d.Shelf.Current(ctx, tx)
		if err != nil {
			return Order{}, err
		}
		if err := unlessIdentified(ctx, tx, cat, account, c.Plan); err != nil {
			return Order{}, err
		}
		o, err := d.granted(cat, tx, account, c)
		if err != nil {
			return Order{}, err
		}
		var b db.Batch
		stock.AddRedeemed(&b, c.Mark, account, o.ID, tx.Now())
		insert(&b, o)
		return o, conflict(tx.Batch(ctx, &b), o.ID)
	})
	if err == nil && o.ID == "" {
		err = errNoCode()
	}
	return o, err
}

// unlessIdentified fails for a plan that asks for an identity check of somebody who
// has not passed one. The code stays good.
func unlessIdentified(ctx context.Context, tx db.Tx, cat *catalogue.Catalogue, account, plan string) error {
	if p, _ := cat.Plan(plan); !p.Policy.Identity {
		return nil
	}
	passed, err := identity.Passed(ctx, tx, account)
	if err == nil && !passed {
		err = fault.Because(fault.Denied, "identity_first", "This plan needs an identity check first. Open “Identity check” in your account; the code can be redeemed after it.", nil)
	}
	return err
}

func errNoCode() error {
	return fault.Because(fault.Denied, "redeem_no_match",
		"This code cannot be redeemed. Compare every character with what you were sent; if it is right, contact us.", nil)
}

// granted is the order that a code becomes.
func (d *Desk) granted(cat *catalogue.Catalogue, tx db.Tx, account string, c stock.Code) (Order, error) {
	id := d.IDs.Under("ord", account)
	sum := sha256.Sum256([]byte(c.Mark))
	o := Order{
		Account: account, ID: id, State: Paid, Key: "redeem/" + id, Digest: hex.EncodeToString(sum[:16]), Kind: NewLine,
		Line: d.IDs.Under("ln", account), Plan: c.Plan, Item: c.Term, Catalogue: cat.Version,
		Price: money.Of(0, cat.Seller.BaseCurrency), Tool: ToolCode, Evidence: "redeemed a code of batch " + c.Batch,
		DueAt: tx.Now(), ExpiresAt: tx.Now(), PlacedAt: tx.Now(), PaidAt: tx.Now(), UpdatedAt: tx.Now(),
	}
	gives, err := given(cat, tx, o)
	o.StartsAt, o.EndsAt, o.Anchor, o.Bytes = gives.StartsAt, gives.EndsAt, gives.Anchor, gives.Bytes
	return o, err
}

// given is what a granted order brings, if it is asked for now. No rule of selling is
// asked: it was sold.
func given(cat *catalogue.Catalogue, tx db.Tx, o Order) (renewal.Offer, error) {
	plan, ok := cat.Plan(o.Plan)
	term, ok2 := plan.Term(o.Item)
	op, ok3 := cat.Operator(plan.Operator)
	if !ok || !ok2 || !ok3 {
		return renewal.Offer{}, fault.New(fault.Internal, "catalogue %d lacks plan %s, its term %s or its operator", cat.Version, o.Plan, o.Item)
	}
	loc, err := op.Zone.Location()
	if err != nil {
		return renewal.Offer{}, err
	}
	out := renewal.Offer{Item: renewal.Item{Kind: renewal.NewLine, Plan: o.Plan, ID: o.Item}, Price: o.Price, Bytes: term.Volume}
	if plan.Activation.Start == renewal.AtPurchase {
		out.Anchor = calendar.Anchor(tx.Now(), loc)
		out.StartsAt, out.EndsAt = tx.Now(), renewal.TermEnd(term, tx.Now(), loc, out.Anchor)
	}
	return out, nil
}

// MakeCodes makes n codes to redeem, each for one new line of a plan's term, and
// returns them: they are not stored and cannot be had a second time. It fails with
// [fault.Invalid] for a term that comes with no new line.
func (d *Desk) MakeCodes(ctx context.Context, c stock.Code, n int, a Act) ([]string, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	if n < 1 || n > mostCodes || c.Batch == "" || d.Codes == nil {
		return nil, fault.New(fault.Invalid, "Make 1 to %d codes at once, name their batch, and give --secret, the same that the shop runs with.", mostCodes)
	}
	codes := make([]string, n)
	for i := range codes {
		codes[i] = stock.NewCode(d.IDs.Bytes(16))
	}
	return codes, d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		cat, err := d.Shelf.Current(ctx, tx)
		if err != nil {
			return err
		}
		plan, _ := cat.Plan(c.Plan)
		term, ok := plan.Term(c.Term)
		if !ok || !term.ComesNew() {
			return fault.New(fault.Invalid, "Plan %q has no term %q that comes with a new eSIM (new_package or from_stock in the catalogue).", c.Plan, c.Term)
		}
		var b db.Batch
		for _, code := range codes {
			stock.AddCode(&b, d.Codes, code, c, tx.Now())
		}
		if err := AddTrail(&b, tx, d.IDs, "", a, "stock codes", c.Batch); err != nil {
			return err
		}
		return tx.Batch(ctx, &b)
	})
}

// mostCodes is how many codes are made at once.
const mostCodes = 100_000
