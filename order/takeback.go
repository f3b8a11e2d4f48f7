package order

import (
	"context"
	"errors"
	"slices"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
)

// A period that waits for its turn can be cancelled by its customer, where its plan
// gives the money back and its operator takes it back. It is done as staff do it.

// Returning is what goes back, by each way.
type Returning struct {
	Tool   money.Money    // to the tool that paid
	Method catalogue.Tool // which that is
	Wallet money.Money
	Points int64
}

// Returning is what giving a new line back would come to.
func (w Withdrawing) Returning() Returning { return Returning{w.Tool, w.Method, w.Wallet, w.Points} }

// Cancelling reads what cancelling the period that an order brought would come to, by
// what we know. It fails with [fault.Conflict], and the reason why it cannot be. Of an
// order whose service has begun nothing is read.
func (d *Desk) Cancelling(ctx context.Context, tx db.Tx, o Order) (Returning, error) {
	begun := cannot("period_begun", "This period does not wait any more.", nil)
	if o.Kind != Term || o.State != Completed || !o.StartsAt.After(tx.Now()) {
		return Returning{}, begun
	}
	periods, err := line.Periods(ctx, tx, o.Account, o.Line)
	if err != nil {
		return Returning{}, err
	}
	waits := func(p line.Period) bool { return p.Order == o.ID && p.State != line.PeriodCancelled }
	if !slices.ContainsFunc(periods, waits) {
		return Returning{}, begun
	}
	cat, err := d.Shelf.At(ctx, tx, o.Catalogue)
	if err != nil {
		return Returning{}, err
	}
	plan, err := fedBy(cat, o)
	if err != nil {
		return Returning{}, err
	}
	op, _ := cat.Operator(plan.Operator)
	operator, ok := d.Carriers[op.Carrier]
	l, err := line.Get(ctx, tx, o.Account, o.Line)
	switch {
	case err != nil:
		return Returning{}, err
	case plan.Policy.Refund == catalogue.RefundNever || o.Granted():
		return Returning{}, cannot("period_policy", "By the rules of this plan the money for a period is not given back.", nil)
	case !ok || !operator.Abilities().Cancel:
		return Returning{}, cannot("period_operator", "The operator of this line takes no period back.", nil)
	case l.Periods != o.Periods+1:
		return Returning{}, cannot("period_under", "Another period was bought after this one, and only the last one can be cancelled here. Write to us about this one.", nil)
	case l.Extending != "" && l.Extending != o.ID:
		return Returning{}, cannot("period_busy", "An order is at the operator for this line just now. Try again in a few minutes.", nil)
	}
	c, err := d.crediting(ctx, tx, o.Ref(), money.Money{}, false)
	if kind := fault.KindOf(err); kind == fault.Conflict || kind == fault.Invalid {
		return Returning{}, cannot("period_money", "The money for this period cannot go back by itself any more. Write to us.", err)
	}
	return Returning{
		money.Of(c.byTool, c.amount.Currency), o.Tool, money.Of(c.toWallet, c.amount.Currency), c.given,
	}, err
}

// PeriodCancelled reports whether the period that an order brought was cancelled, by its
// customer or by staff.
func PeriodCancelled(ctx context.Context, tx db.Tx, o Order) (bool, error) {
	if o.Kind != Term || o.State != Completed {
		return false, nil
	}
	periods, err := line.Periods(ctx, tx, o.Account, o.Line)
	return slices.ContainsFunc(periods, func(p line.Period) bool { return p.Order == o.ID && p.State == line.PeriodCancelled }), err
}

// CancelPeriod takes the period back that an order brought, for its customer, and gives
// back all that was paid. It fails with [fault.Conflict], and why, where it cannot be; and
// with [fault.Unavailable] where the operator cannot be reached, or does not answer: then
// it can be tried again, and staff have a case.
func (d *Desk) CancelPeriod(ctx context.Context, k Key) error {
	err := d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		o, err := Get(ctx, tx, k)
		if err == nil {
			_, err = d.Cancelling(ctx, tx, o)
		}
		return err
	})
	if err != nil {
		return err
	}
	_, err = d.RefundCompleted(ctx, k, money.Money{}, Act{Staff: "customer", Reason: "cancelled before it began"})
	kind := fault.KindOf(err)
	switch {
	case errors.Is(err, carrier.ErrNotSent):
		return fault.Because(fault.Unavailable, "cancel_away", "The operator cannot be reached. Nothing has changed; try again later.", nil)
	case kind == fault.Unavailable:
		return fault.Because(fault.Unavailable, "period_unclear", "The operator has not answered. Try again in a few minutes.", nil)
	case isRefusal(err):
		return cannot("period_refused", "The operator does not take this period back.", err)
	case kind == fault.Conflict && !isGuard(err):
		return cannot("period_begun", "This period does not wait any more.", err)
	}
	return err
}
