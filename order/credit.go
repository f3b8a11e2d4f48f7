package order

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
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
	"github.com/tsuzuku/tsuzuku/renewal"
)

// RefundCompleted gives back what was paid for a completed order, or part of it,
// by decision of staff; the zero amount means all of it. It is done once for an
// order: the credit note is issued, the sale is taken out of the books, its
// points are taken back as far as they are there, and the money goes to where it
// came from: first to the tool, up to what it brought, then into the wallet, at
// once. Points that paid are given back, all of them with all of the money, else
// in proportion.
//
// A period that has not begun is cancelled when all of the money goes back. The
// operator is asked first; where it cannot take the period back, or does not
// answer, nothing is refunded and the [fault.Conflict] or [fault.Unavailable]
// says why. Service that has begun is left to the customer. A new line that nobody
// has used is over with all of its money, and a case asks staff to cancel it at its
// operator.
func (d *Desk) RefundCompleted(ctx context.Context, k Key, amount money.Money, a Act) (Order, error) {
	return d.refundCompleted(ctx, k, amount, false, a)
}

// RefundToWallet is [Desk.RefundCompleted] into the wallet, also of what a tool
// brought: where its provider gives nothing back any more. The customer must have
// agreed, and the reason must say so.
func (d *Desk) RefundToWallet(ctx context.Context, k Key, amount money.Money, a Act) (Order, error) {
	if d.Wallet == WalletOff {
		return Order{}, fault.New(fault.Invalid, "This shop has no wallets.")
	}
	return d.refundCompleted(ctx, k, amount, true, a)
}

func (d *Desk) refundCompleted(ctx context.Context, k Key, amount money.Money, toWallet bool, a Act) (Order, error) {
	if err := a.check(); err != nil {
		return Order{}, err
	}
	c, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (crediting, error) {
		return d.crediting(ctx, tx, k, amount, toWallet)
	})
	if err != nil {
		return c.order, err
	}
	if c.cancels {
		if err := d.takeBack(ctx, c, a); err != nil {
			return c.order, err
		}
	}
	o, err := d.act(ctx, k, a, "refund completed", func(ctx context.Context, b *db.Batch, tx db.Tx, o Order) (Order, error) {
		now, err := d.crediting(ctx, tx, k, amount, toWallet)
		if err != nil {
			return o, err
		}
		if c.cancels {
			if err := addCancellation(b, tx, now); err != nil {
				return o, err
			}
		}
		d.addDiscarded(b, tx, now)
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
	amount    money.Money // all that goes back in money
	byTool    int64       // of it, minor units
	toWallet  int64       // what the wallet had paid
	anew      int64       // what a tool had brought, and goes into the wallet
	given     int64       // points that paid, and are given back
	catalogue *catalogue.Catalogue
	bill      billing.Bill
	payment   Payment // the zero Payment where no provider took anything
	line      line.Line
	periods   []line.Period
	cancels   bool  // the period has not begun, and goes
	points    int64 // earned, to be taken back
	spent     int64 // points that should be, and are not there any more
}

// crediting reads and decides; it changes nothing.
func (d *Desk) crediting(ctx context.Context, tx db.Tx, k Key, amount money.Money, toWallet bool) (c crediting, err error) {
	if c.order, err = Get(ctx, tx, k); err != nil {
		return c, err
	}
	o, charged := c.order, c.order.Charged()
	if c.amount = amount; amount == (money.Money{}) {
		c.amount = charged
	}
	switch {
	case o.State != Completed:
		return c, errNotNow(o)
	case c.amount.Currency != charged.Currency || c.amount.Minor <= 0 && c.amount != charged || c.amount.Minor > charged.Minor:
		return c, fault.New(fault.Invalid, "Order %s was paid with %s. Give back a part of that, or all of it.", o.ID, charged)
	case toWallet && (o.Kind == TopUp || o.Rest().IsZero()):
		return c, fault.New(fault.Invalid, "Nothing that a provider took can go into the wallet here. Leave --to out.")
	}
	c.divide(toWallet)
	if c.catalogue, err = d.Shelf.At(ctx, tx, o.Catalogue); err != nil {
		return c, err
	}
	if err = c.readBill(ctx, tx); err != nil {
		return c, err
	}
	if err = c.readPayment(ctx, tx, d); err != nil {
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

// divide says which way how much goes back: to the tool first, since that is
// money, and the wallet is with us.
func (c *crediting) divide(toWallet bool) {
	p, charged := c.order.Parts, c.order.Charged().Minor
	c.byTool = min(c.amount.Minor, p.Rest)
	c.toWallet = c.amount.Minor - c.byTool
	if toWallet {
		c.byTool, c.anew = 0, c.byTool
	}
	if c.given = p.Points; c.amount.Minor < charged {
		c.given = shareOf(p.Points, c.amount.Minor, charged)
	}
}

// shareOf is n × part / whole, rounded down. All are at least 0, part < whole.
func shareOf(n, part, whole int64) int64 {
	high, low := bits.Mul64(uint64(n), uint64(part))
	quotient, _ := bits.Div64(high, low, uint64(whole))
	return int64(quotient)
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

func (c *crediting) readPayment(ctx context.Context, tx db.Tx, d *Desk) error {
	o := c.order
	if o.Rest().IsZero() {
		return nil
	}
	paid, err := paymentsFor(ctx, tx, o)
	if err != nil {
		return err
	}
	if len(paid) != 1 {
		return fault.New(fault.Internal, "order %s is completed and has %d payments", o.ID, len(paid))
	}
	c.payment = paid[0].Payment
	if err := returnable(ctx, tx, c.payment, money.Of(c.byTool+c.anew, c.amount.Currency)); err != nil || c.byTool == 0 {
		return err
	}
	provider, ok := d.Providers[c.payment.Provider]
	if !ok {
		return fault.New(fault.Internal, "payment %s needs the adapter %q, which is not configured", c.payment.ID, c.payment.Provider)
	}
	instead := ""
	if d.Wallet != WalletOff && o.Kind != TopUp {
		instead = " If the customer agrees, give it into the wallet: --to wallet, and say in the reason that they agreed."
	}
	l, multiple := provider.Limits(), int64(1)
	if n := l.Multiple[o.Price.Currency]; n > 0 {
		multiple = n
	}
	switch {
	case !l.Partial && c.byTool != c.payment.Amount.Minor:
		return fault.New(fault.Invalid, "This provider gives back all of a payment or nothing.%s", instead)
	case c.byTool%multiple != 0:
		return fault.New(fault.Invalid, "This provider gives back only multiples of %s.%s", money.Of(multiple, o.Price.Currency), instead)
	case l.RefundWithin > 0 && tx.Now().After(c.payment.PaidAt.Add(l.RefundWithin)):
		return fault.New(fault.Conflict, "This provider gives back no payment that is so old.%s", instead)
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
	charged, rule := c.order.Charged(), c.catalogue.Seller.Points
	all := rule.Earned(charged) - rule.Earned(money.Of(charged.Minor-c.amount.Minor, charged.Currency))
	c.points = min(all, has.Minor+c.given)
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
		if p.Order == o.ID && c.amount == o.Charged() && p.StateAt(tx.Now()) == line.PeriodQueued {
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

// addDiscarded appends the end of a new line whose money goes back before anybody used it: it is
// not shown for installing any more, and staff cancel it at its operator.
func (d *Desk) addDiscarded(b *db.Batch, tx db.Tx, c crediting) {
	o, l := c.order, c.line
	if o.Kind != NewLine || !l.StartedAt.IsZero() || c.amount != o.Charged() {
		return
	}
	addCase(b, tx, d.IDs, o, CaseCancelESIM,
		"the money for line "+l.ID+" goes back and nobody has used it: cancel profile "+l.ProfileID+" (ICCID "+l.ICCID+") at operator "+l.Operator)
	line.Free(b, l.Account, l.ID, o.ID) // where it was to be given back, and nobody knew
	line.AddState(b, l.Account, l.ID, line.Terminal, tx.Now())
	b.Add(`UPDATE withdrawals SET state = 'done', ended_at = $3 WHERE account_id = $1 AND order_id = $2 AND state = 'unclear'`, o.Account, o.ID, db.At(tx.Now()))
}

// addCredited appends the credit note, the books, and the way of the money.
func (d *Desk) addCredited(b *db.Batch, tx db.Tx, c crediting, a Act) error {
	o, currency := c.order, c.amount.Currency
	tax := billing.TaxIn(c.amount, c.bill.Rate)
	if c.amount == o.Charged() {
		tax = c.bill.Tax
	}
	out := []ledger.Transfer{
		{From: ledger.Revenue, To: ledger.Due, Amount: money.Of(c.amount.Minor-tax.Minor, currency)},
		{From: ledger.Tax, To: ledger.Due, Amount: tax},
		{From: ledger.Due, To: ledger.Wallet, Amount: money.Of(c.toWallet, currency)},
		{From: ledger.PointsIssued, To: ledger.Points, Amount: money.Of(c.given, money.Points)},
		{From: ledger.Points, To: ledger.PointsIssued, Amount: money.Of(c.points, money.Points)},
	}
	if o.Kind == TopUp {
		out = []ledger.Transfer{{From: ledger.Wallet, To: ledger.Due, Amount: c.amount}}
	}
	ledger.Posting{Account: o.Account, Subject: o.ID, Step: "credited", Transfers: out}.AddTo(b, tx.Now())
	if c.byTool > 0 {
		d.addRefund(b, tx, c.payment, o.ID, money.Of(c.byTool, currency), "staff")
	}
	if c.anew > 0 { // not the age of anything that was in the wallet before
		ledger.Posting{Account: o.Account, Subject: o.ID, Step: "credited_anew", Transfers: []ledger.Transfer{
			{From: ledger.Due, To: ledger.Wallet, Amount: money.Of(c.anew, currency)},
		}}.AddTo(b, tx.Now())
	}
	creditNote(c, tax, d.IDs.Under("bl", o.Account), tx.Now()).AddTo(b, tx.Now())
	if c.spent > 0 {
		a.Reason = fmt.Sprintf("%d points of this order were spent already and stay", c.spent)
		d.addTrail(b, tx, a, "points not taken back", o)
	}
	return d.addCreditNews(b, tx, c)
}

// addCreditNews tells what is under way to the tool, and what is back.
func (d *Desk) addCreditNews(b *db.Batch, tx db.Tx, c crediting) error {
	o, kind := c.order, message.OrderRefunded
	f := message.Facts{Order: o.ID, PointsBack: c.given, Credited: true}
	wallet := money.Of(c.toWallet+c.anew, c.amount.Currency)
	switch {
	case c.byTool > 0:
		kind = message.OrderRefundDue
		f.Amount, f.Method = money.Of(c.byTool, c.amount.Currency), string(o.Tool)
		if !wallet.IsZero() {
			f.WalletBack = wallet
		}
	case !wallet.IsZero():
		f.Amount, f.Method = wallet, string(ToolWallet)
	default:
		f.Method = string(ToolPoints)
	}
	f.Tool = f.Method
	return message.AddTo(b, tx.Now(), d.IDs.Under("msg", o.Account), message.Draft{
		Account: o.Account, Key: string(kind) + "/" + o.ID, Kind: kind, Order: o.ID, Line: o.Line, Facts: f,
	})
}

// creditNote is the document of a refund. Its amounts are positive: its kind
// says in which direction they count.
func creditNote(c crediting, tax money.Money, id string, now time.Time) billing.Bill {
	shop, err := c.catalogue.Seller.Zone.Location()
	if err != nil {
		shop = time.UTC
	}
	note, p := c.bill, c.order.Parts
	note.ID, note.Kind, note.RefersTo, note.Number = id, billing.CreditNote, c.bill.ID, 0
	note.Series, note.Total, note.Tax = billing.Series(billing.CreditNote, now, shop), c.amount, tax
	note.Content.Points, note.Content.Discount, note.Content.FromWallet = c.given, 0, 0
	if p.Points > 0 {
		note.Content.Discount = c.given * (p.Discount / p.Points)
	}
	switch {
	case c.byTool > 0:
		note.Content.FromWallet = c.toWallet
	case c.anew+c.toWallet > 0:
		note.Content.Tool = string(ToolWallet)
	}
	return note
}
