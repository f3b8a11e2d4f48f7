package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// RefundCompleted gives back what was paid for a completed order, or part of it,
// by decision of staff; the zero amount means all of it. It is done once for an
// order: the credit note is issued, the sale is taken out of the books, its
// points are taken back as far as they are there, and the money goes to where it
// came from, into the wallet at once.
//
// A period that has not begun is cancelled when all of the money goes back. The
// operator is asked first; where it cannot take the period back, or does not
// answer, nothing is refunded and the [fault.Conflict] or [fault.Unavailable]
// says why. Service that has begun is left to the customer.
func (d *Desk) RefundCompleted(ctx context.Context, k Key, amount money.Money, a Act) (Order, error) {
	if err := a.check(); err != nil {
		return Order{}, err
	}
	c, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (crediting, error) { return d.crediting(ctx, tx, k, amount) })
	if err != nil {
		return c.order, err
	}
	if c.cancels {
		if err := d.takeBack(ctx, c, a); err != nil {
			return c.order, err
		}
	}
	o, err := d.act(ctx, k, a, "refund completed", func(ctx context.Context, b *db.Batch, tx db.Tx, o Order) (Order, error) {
		now, err := d.crediting(ctx, tx, k, amount)
		if err != nil {
			return o, err
		}
		if c.cancels {
			if err := addCancellation(b, tx, now); err != nil {
				return o, err
			}
		}
		return o, d.addCredited(b, tx, now, a)
	})
	if db.IsUnique(err) {
		err = fault.Wrap(fault.Conflict, err, "Of order %s something was given back just now.", o.ID)
	}
	return o, err
}

// crediting is a refund of a completed order that is about to be decided.
type crediting struct {
	order     Order
	amount    money.Money
	catalogue *catalogue.Catalogue
	bill      billing.Bill
	payment   Payment // the zero Payment where the wallet paid
	line      line.Line
	periods   []line.Period
	cancels   bool  // the period has not begun, and goes
	points    int64 // to be taken back
	spent     int64 // points that should be, and are not there any more
}

// crediting reads and decides; it changes nothing.
func (d *Desk) crediting(ctx context.Context, tx db.Tx, k Key, amount money.Money) (c crediting, err error) {
	if c.order, err = Get(ctx, tx, k); err != nil {
		return c, err
	}
	o := c.order
	if c.amount = amount; amount == (money.Money{}) {
		c.amount = o.Price
	}
	switch {
	case o.State != Completed:
		return c, errNotNow(o)
	case c.amount.Currency != o.Price.Currency || c.amount.Minor <= 0 || c.amount.Minor > o.Price.Minor:
		return c, fault.New(fault.Invalid, "Order %s was paid with %s. Give back a part of that, or all of it.", o.ID, o.Price)
	}
	if c.catalogue, err = d.Shelf.At(ctx, tx, o.Catalogue); err != nil {
		return c, err
	}
	if err = c.readBill(ctx, tx); err != nil {
		return c, err
	}
	if err = c.readPayment(ctx, tx, d.Providers); err != nil {
		return c, err
	}
	if o.Kind == TopUp {
		return c, c.checkWallet(ctx, tx)
	}
	if err = c.readPoints(ctx, tx); err != nil {
		return c, err
	}
	return c, c.readPeriod(ctx, tx)
}

func (c *crediting) readBill(ctx context.Context, tx db.Tx) error {
	bills, err := billing.OfOrder(ctx, tx, c.order.Account, c.order.ID)
	for _, b := range bills {
		if b.Kind == billing.CreditNote {
			return fault.New(fault.Conflict, "Of order %s %s was given back already.", c.order.ID, b.Total)
		}
		c.bill = b
	}
	return err
}

func (c *crediting) readPayment(ctx context.Context, tx db.Tx, providers map[string]payment.Provider) error {
	o := c.order
	if o.Tool == ToolWallet {
		return nil
	}
	paid, err := paymentsFor(ctx, tx, o)
	if err != nil {
		return err
	}
	if len(paid) != 1 {
		return fault.New(fault.Internal, "order %s is completed and has %d payments", o.ID, len(paid))
	}
	c.payment = paid[0]
	provider, ok := providers[c.payment.Provider]
	if !ok {
		return fault.New(fault.Internal, "payment %s needs the adapter %q, which is not configured", c.payment.ID, c.payment.Provider)
	}
	l := provider.Limits()
	switch {
	case !l.Partial && c.amount != o.Price:
		return fault.New(fault.Invalid, "This provider gives back all of a payment or nothing.")
	case l.RefundWithin > 0 && tx.Now().After(c.payment.PaidAt.Add(l.RefundWithin)):
		return fault.New(fault.Conflict, "This provider gives back no payment that is so old.")
	}
	return nil
}

// checkWallet is for a top-up: what was spent cannot be given back.
func (c *crediting) checkWallet(ctx context.Context, tx db.Tx) error {
	has, err := ledger.Balance(ctx, tx, c.order.Account, ledger.Wallet, c.amount.Currency)
	if err == nil && has.Minor < c.amount.Minor {
		err = fault.New(fault.Conflict, "The wallet holds only %s of what is to be given back.", has)
	}
	return err
}

func (c *crediting) readPoints(ctx context.Context, tx db.Tx) error {
	has, err := ledger.Balance(ctx, tx, c.order.Account, ledger.Points, money.Points)
	if err != nil {
		return err
	}
	price := c.order.Price
	all := earned(c.catalogue.Seller, price) - earned(c.catalogue.Seller, money.Of(price.Minor-c.amount.Minor, price.Currency))
	c.points = min(all, has.Minor)
	c.spent = all - c.points
	return nil
}

func (c *crediting) readPeriod(ctx context.Context, tx db.Tx) (err error) {
	o := c.order
	if c.line, err = line.Get(ctx, tx, o.Account, o.Line); err != nil {
		return err
	}
	if c.periods, err = line.Periods(ctx, tx, o.Account, o.Line); err != nil {
		return err
	}
	for _, p := range c.periods {
		if p.Order == o.ID && c.amount == o.Price && p.StateAt(tx.Now()) == line.PeriodQueued {
			c.cancels = true
		}
	}
	return nil
}

// takeBack asks the operator to take back a period that has not begun. The line
// is reserved first, so that nobody builds upon the period meanwhile; it stays
// so while nobody knows what the operator did.
func (d *Desk) takeBack(ctx context.Context, c crediting, a Act) error {
	o := c.order
	operator, extension, err := d.extension(c.catalogue, c.line, o)
	if err != nil {
		return err
	}
	before := c.line.Extending == o.ID // somebody began this already
	switch {
	case !operator.Abilities().Cancel:
		return errNotCancelled(o, nil, "its operator takes nothing back")
	case c.line.Periods != o.Periods+1:
		return errNotCancelled(o, nil, "a later one was bought upon it")
	case !before && c.line.Extending != "":
		return errNotCancelled(o, nil, "another order is at the operator for this line")
	}
	if err := d.reserve(ctx, c, a, before); err != nil {
		return err
	}
	call, cancel := d.callLimit(ctx)
	defer cancel()
	err = cancelled(call, operator, extension, before)
	ctx = context.WithoutCancel(ctx)
	no, refused := errors.AsType[*carrier.Refusal](err)
	switch {
	case err == nil:
		return nil
	case refused:
		return errors.Join(d.release(ctx, o), errNotCancelled(o, err, "the operator refuses: "+string(no.Reason)))
	case errors.Is(err, carrier.ErrNotSent):
		return errors.Join(d.release(ctx, o),
			fault.Wrap(fault.Unavailable, err, "The operator cannot be reached. Nothing was refunded. Try again later."))
	}
	return errors.Join(d.unclear(ctx, o, err), fault.Wrap(fault.Unavailable, err,
		"The operator did not answer. Nothing was refunded, and line %s waits until this is tried again.", o.Line))
}

func errNotCancelled(o Order, cause error, why string) error {
	return fault.Wrap(fault.Conflict, cause,
		"The period of order %s has not begun and cannot be cancelled: %s. Nothing was refunded. Give back a part, or wait until it has begun.", o.ID, why)
}

// cancelled asks the operator to take an extension back. Where that was asked
// before and the operator keeps our names, it is looked up first.
func cancelled(ctx context.Context, operator carrier.Carrier, e carrier.Extension, before bool) error {
	if before && operator.Abilities().KeepsRef {
		seen, err := operator.LookUp(ctx, e)
		if err != nil || seen.Found == carrier.FoundAbsent {
			return err
		}
	}
	return operator.Cancel(ctx, e)
}

func (d *Desk) reserve(ctx context.Context, c crediting, a Act, before bool) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		if !before {
			line.Take(&b, c.order.Account, c.order.Line, c.order.ID, c.line.Periods)
		}
		d.addTrail(&b, tx, a, "take back", c.order)
		return conflict(tx.Batch(ctx, &b), c.order.ID)
	})
}

func (d *Desk) release(ctx context.Context, o Order) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		line.Free(&b, o.Account, o.Line, o.ID)
		return tx.Batch(ctx, &b)
	})
}

func (d *Desk) unclear(ctx context.Context, o Order, cause error) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		addCase(&b, tx, d.IDs, o, "cancel_unclear", cause.Error())
		return tx.Batch(ctx, &b)
	})
}

// addCancellation takes the period that has not begun off the line: its end, its
// plan and its figures are those of what remains. The period keeps its number.
func addCancellation(b *db.Batch, tx db.Tx, c crediting) error {
	o := c.order
	var last line.Period
	var ends time.Time
	for _, p := range c.periods {
		if p.Order == o.ID || p.State == line.PeriodCancelled {
			continue
		}
		if last = p; p.EndsAt.After(ends) {
			ends = p.EndsAt
		}
	}
	plan, ok := c.catalogue.Plan(last.Plan)
	op, ok2 := c.catalogue.Operator(plan.Operator)
	if !ok || !ok2 {
		return errNotCancelled(o, nil, "nothing is known of what was before it")
	}
	loc, err := op.Zone.Location()
	if err != nil {
		return err
	}
	bytes := int64(0)
	if bought, ok := c.catalogue.Plan(o.Plan); ok && allowance(bought, o, o.CompletedAt) == line.AddFigures {
		bytes = o.Bytes
	}
	line.Cancel(b, o.Account, o.Line, o.ID, o.Periods+1, line.Cancelled{
		Plan: last.Plan, EndsAt: ends, GraceEnds: renewal.GraceEnd(plan, ends, loc), Bytes: bytes, AsOf: o.CompletedAt,
	}, tx.Now())
	return nil
}

// addCredited appends the credit note, the books, and the way of the money.
func (d *Desk) addCredited(b *db.Batch, tx db.Tx, c crediting, a Act) error {
	o := c.order
	tax := billing.TaxIn(c.amount, c.bill.Rate)
	if c.amount == o.Price {
		tax = c.bill.Tax
	}
	out := []ledger.Transfer{
		{From: ledger.Revenue, To: ledger.Due, Amount: money.Of(c.amount.Minor-tax.Minor, c.amount.Currency)},
		{From: ledger.Tax, To: ledger.Due, Amount: tax},
		{From: ledger.Points, To: ledger.PointsIssued, Amount: money.Of(c.points, money.Points)},
	}
	if o.Kind == TopUp {
		out = []ledger.Transfer{{From: ledger.Wallet, To: ledger.Due, Amount: c.amount}}
	}
	news := message.OrderRefundDue
	if o.Tool == ToolWallet {
		out = append(out, ledger.Transfer{From: ledger.Due, To: ledger.Wallet, Amount: c.amount})
		news = message.OrderRefunded
	} else {
		d.addRefund(b, tx, c.payment, o.ID, c.amount, "staff")
	}
	ledger.Posting{Account: o.Account, Subject: o.ID, Step: "credited", Transfers: out}.AddTo(b, tx.Now())
	creditNote(c, tax, d.IDs.Under("bl", o.Account), tx.Now()).AddTo(b, tx.Now())
	if c.spent > 0 {
		a.Reason = fmt.Sprintf("%d points of this order were spent already and stay", c.spent)
		d.addTrail(b, tx, a, "points not taken back", o)
	}
	return message.AddTo(b, tx.Now(), d.IDs.Under("msg", o.Account), message.Draft{
		Account: o.Account, Key: string(news) + "/" + o.ID, Kind: news, Order: o.ID, Line: o.Line,
		Facts: message.Facts{Amount: c.amount, Order: o.ID, Method: string(o.Tool), Tool: string(o.Tool)},
	})
}

// creditNote is the document of a refund. Its amounts are positive: its kind
// says in which direction they count.
func creditNote(c crediting, tax money.Money, id string, now time.Time) billing.Bill {
	shop, err := c.catalogue.Seller.Zone.Location()
	if err != nil {
		shop = time.UTC
	}
	note := c.bill
	note.ID, note.Kind, note.RefersTo, note.Number = id, billing.CreditNote, c.bill.ID, 0
	note.Series, note.Total, note.Tax = billing.Series(billing.CreditNote, now, shop), c.amount, tax
	return note
}
