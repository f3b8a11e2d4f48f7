package order

import (
	"cmp"
	"context"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

const (
	// lateFor is how long after its end a dead attempt is still asked about:
	// money may come late.
	lateFor = 24 * time.Hour

	// lateAgain is how soon and how often that is done at first. Money that comes late
	// was mostly on its way when the attempt died, and after its end the pauses
	// become as long as what has passed since.
	lateAgain = 15 * time.Minute

	// unclearFor is how long after its end an attempt is asked about whose
	// provider says neither paid nor dead, before a person looks.
	unclearFor = 7 * 24 * time.Hour

	// endAgain is how often a provider is asked, at least, that did not answer when an
	// attempt's time was over, and endFor for how long: the order waits for its end, and
	// the customer cannot choose again.
	endAgain = 3 * time.Minute
	endFor   = time.Hour

	// disputeLook is how often a payment is asked about whose dispute is not decided:
	// a notification may be lost, and there is a date until which the seller is heard.
	disputeLook = 24 * time.Hour

	// disputeEnds is for how long that is done where the provider does not name the
	// dispute any more: banks have decided by then.
	disputeEnds = 180 * 24 * time.Hour

	// declineSettles is how long a customer may try another card in the open
	// session before hearing from us that the first one was declined.
	declineSettles = 2 * time.Minute
)

// observe records what a provider says about an attempt. It is the one reducer:
// Paid never regresses, money moves the books here and nowhere else, and money
// that nobody waits for goes back.
//
// Where somebody else changed the attempt or its order meanwhile, what was seen
// is held against what they left: an observation is never dropped.
func (d *Desk) observe(ctx context.Context, p Payment, seen payment.Observation) (now Payment, err error) {
	for range 3 {
		now, err = db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Payment, error) {
			return d.reduce(ctx, tx, Key{p.Account, p.ID}, seen)
		})
		if !isConflict(err) && !db.IsUnique(err) {
			break
		}
	}
	if err == nil && now.State == payment.Paid {
		d.DB.Ring(OrdersDue)
	}
	return now, err
}

func (d *Desk) reduce(ctx context.Context, tx db.Tx, k Key, seen payment.Observation) (Payment, error) {
	was, err := GetPayment(ctx, tx, k)
	if err != nil {
		return was, err
	}
	if seen.State == payment.Paid && seen.Amount.Minor <= 0 {
		seen.State, seen.Code = payment.Unknown, "paid, without an amount" // not even the books can say what it is
	}
	if seen, err = d.owned(ctx, tx, was, seen); err != nil {
		return was, err
	}
	var b db.Batch
	now := was.after(seen, tx.Now())
	unclear := !now.State.Final() && now.DueAt.IsZero()
	var all basket
	var o Order
	if now.State == payment.Paid || unclear || was.declined(now) { // mostly there is nothing new
		if all, err = basketOf(ctx, tx, Key{was.Account, was.Order}); err != nil {
			return was, err
		}
		o = all.first()
	}
	waits := false // for a dispute to be decided
	switch {
	case now.State == payment.Paid && was.State != payment.Paid:
		now.PaidAt, now.Amount = tx.Now(), seen.Amount
		if back := seen.Refunded.Minor + seen.Disputed.Minor; back > 0 {
			if err = d.addMoneyGone(&b, tx, all, now, seen); err == nil {
				_, _, err = d.addDisputes(ctx, &b, tx, all, now, seen)
			}
			waits = true // it is looked at again in any case
		} else {
			err = d.addMoney(ctx, &b, tx, all, was, now)
		}
	case was.State == payment.Paid && seen.State == payment.Paid:
		err = d.addAfterwards(ctx, &b, tx, o, was, seen)
		var about []Dispute
		if err == nil {
			about, waits, err = d.addDisputes(ctx, &b, tx, all, now, seen)
		}
		if err == nil && !waits && seen.Refunded.Minor <= among(seen) {
			err = d.addStrayEnd(ctx, &b, tx, all, now, about)
		}
	case unclear:
		now.Live = false
		addCase(&b, tx, d.IDs, o, "payment_unclear", "payment "+now.ID+": the provider says "+string(now.State)+" "+now.Code)
	case was.declined(now):
		err = d.addPaymentFailed(&b, tx, o, now)
	}
	if err == nil {
		now, err = d.addKept(ctx, &b, tx, was, now, seen)
	}
	if err != nil {
		return was, err
	}
	if waits && now.DueAt.IsZero() {
		now.DueAt = tx.Now().Add(disputeLook)
	}
	b.Guard(`UPDATE payments SET state = $6, live = $7, provider_id = $8, next_url = $9, reason = $10, code = $11,
			fee_minor = $12, minor = $13, currency = $14, due_at = $15, paid_at = $16, updated_at = $17,
			money_id = $18, next_app = $19, next_qr = $20, next_at = $21
		WHERE account_id = $1 AND id = $2 AND state = $3 AND live = $4 AND provider_id = $5`,
		was.Account, was.ID, was.State, was.Live, was.ProviderID, now.State, now.Live, now.ProviderID, now.Next.RedirectURL, now.Reason, now.Code,
		now.Fee, now.Amount.Minor, now.Amount.Currency, db.At(now.DueAt), db.At(now.PaidAt), db.At(tx.Now()),
		now.MoneyID, now.Next.AppURL, now.Next.QR, db.At(now.NextAt))
	return now, conflict(tx.Batch(ctx, &b), was.Order)
}

// owned keeps the provider's identifier of the money in the directory, so that
// what is told without our reference is found, and so that one receipt of money
// pays for one attempt: what belongs to another one says nothing about this.
func (d *Desk) owned(ctx context.Context, tx db.Tx, p Payment, seen payment.Observation) (payment.Observation, error) {
	if seen.MoneyID == "" || seen.MoneyID == p.MoneyID {
		return seen, nil
	}
	err := db.Claim(ctx, tx, directoryMoney, moneyAt(p.Provider, seen.MoneyID), p.Account, p.ID)
	if isConflict(err) {
		return payment.Observation{State: payment.Unknown, Code: clip("another payment has the provider's " + seen.MoneyID)}, nil
	}
	return seen, err
}

// moneyAt is a provider's identifier of money as the directory knows it.
func moneyAt(provider, id string) string { return provider + ":" + id }

// after is the attempt as it stands once seen is known.
func (p Payment) after(seen payment.Observation, now time.Time) Payment {
	if seen.ProviderID != "" {
		p.ProviderID = seen.ProviderID
	}
	if seen.MoneyID != "" {
		p.MoneyID = seen.MoneyID
	}
	if seen.Fee.Minor != 0 {
		p.Fee = seen.Fee.Minor
	}
	if seen.Code != "" {
		p.Code = seen.Code
	}
	switch {
	case p.State == payment.Paid: // never regresses
	case p.State == payment.Dead && seen.State != payment.Paid: // only late money wakes it
	case seen.State == payment.Unknown && p.State != payment.Created: // we know no less than before
	default:
		p.State, p.Reason = seen.State, seen.Reason
		if seen.Next != (payment.Next{}) && seen.Next != p.Next {
			p.Next, p.NextAt = seen.Next, now
		}
	}
	p.DueAt = p.nextLook(now, seen.State != payment.Unknown)
	if p.State == payment.Dead && seen.Closed {
		p.DueAt = time.Time{} // a notification would still wake it
	}
	if p.State.Final() {
		p.Live = false
	}
	return p
}

// nextLook is when the provider is asked again: soon at first, then less often, and
// the less often the longer ago its end was; a dead attempt until a day after that,
// since money may still come late. A paid one is asked about only for a reason, such
// as a dispute that was told, and then until the provider has been heard, and so is
// one whose time is over, for an hour.
func (p Payment) nextLook(now time.Time, heard bool) time.Time {
	last := p.ExpiresAt.Add(lateFor)
	switch {
	case p.State == payment.Paid && !heard && now.Before(p.PaidAt.Add(disputeEnds)):
		return now.Add(p.pause())
	case p.State == payment.Paid,
		p.State == payment.Dead && !now.Before(last),
		now.After(p.ExpiresAt.Add(unclearFor)):
		return time.Time{}
	case p.State == payment.Dead:
		if next := now.Add(max(lateAgain, now.Sub(p.ExpiresAt))); next.Before(last) {
			return next
		}
		return last
	}
	if !heard && !now.Before(p.ExpiresAt) && now.Before(p.ExpiresAt.Add(endFor)) {
		return now.Add(min(p.pause(), endAgain))
	}
	next := now.Add(max(p.pause(), now.Sub(p.ExpiresAt)/4))
	if now.Before(p.ExpiresAt) && next.After(p.ExpiresAt) {
		return p.ExpiresAt
	}
	return next
}

// pause is how long a provider is left alone that was asked and has decided nothing.
func (p Payment) pause() time.Duration {
	pauses := []time.Duration{5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 3 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour}
	return pauses[min(max(p.Attempts-1, 0), len(pauses)-1)]
}

// declined reports whether what is seen now is a debit that failed and that the
// customer has not been told of: one they tried, not one that we gave up.
func (p Payment) declined(now Payment) bool {
	if p.State == payment.Dead || now.State == payment.Paid || now.Reason == "" || now.Reason == p.Reason {
		return false
	}
	return p.State != payment.Created && now.Reason != payment.Abandoned && now.Reason != payment.TooLate
}

// addPaymentFailed queues, once for an attempt, why nothing was charged. It is
// withdrawn if another card in the same session pays meanwhile.
func (d *Desk) addPaymentFailed(b *db.Batch, tx db.Tx, o Order, p Payment) error {
	draft := message.Draft{
		Account: p.Account, Key: string(message.PaymentFailed) + "/" + p.ID, Kind: message.PaymentFailed, Order: o.ID, Line: o.Line,
		Facts: message.Facts{Amount: p.Amount, Order: o.ID, Tool: string(p.Rail), DebitReason: string(p.Reason), PayBy: p.ExpiresAt},
	}
	if p.State != payment.Dead && o.Line != "" {
		draft.DueAt, draft.ExpiresAt = tx.Now().Add(declineSettles), p.ExpiresAt
	}
	return message.AddTo(b, tx.Now(), d.IDs.Under("msg", p.Account), draft)
}

// addMoney books money that has arrived, and gives it to the orders that wait
// for it or sends it back. was is the attempt as it was asked for, p as it was
// paid.
func (d *Desk) addMoney(ctx context.Context, b *db.Batch, tx db.Tx, all basket, was, p Payment) error {
	o := all.first()
	if p.Amount != was.Amount {
		addCase(b, tx, d.IDs, o, "amount_differs", "payment "+p.ID+": asked for "+was.Amount.String()+", the provider took "+p.Amount.String())
	}
	switch {
	case all.are(Placed) && p.Amount == all.rest():
		d.addPaid(b, tx, all, p)
		return nil
	case all.are(Placed) && len(all) > 1:
		// What each of them would get of it, nobody can say.
		d.addUnwanted(b, tx, o, p, "amount_differs")
		return nil
	case o.State == Placed:
		// Never grant, never guess: a person compares.
		paid := d.addPaid(b, tx, all, p)[0]
		held := addMove(b, tx, paid, Held, func(o *Order) { o.DueAt, o.Reason = time.Time{}, "amount_differs" })
		return d.addNews(b, tx, message.OrderHeld, held)
	case all.are(Cancelled) && p.Amount == all.rest():
		_, honoured, err := byKey(ctx, tx, o.Account, lateKey(o))
		if err != nil {
			return err
		}
		if !honoured {
			return d.addLate(ctx, b, tx, all, p)
		}
	}
	d.addUnwanted(b, tx, o, p, "double")
	return nil
}

// addUnwanted books money that no order waits for, and sends it back.
func (d *Desk) addUnwanted(b *db.Batch, tx db.Tx, o Order, p Payment, why string) {
	addReceipt(b, tx, p, p.Amount)
	d.addRefund(b, tx, p, o.ID, p.Amount, why)
}

// addMoneyGone books money that was there and had gone back, or was held back by
// the customer's bank, before we first saw it. Nothing is granted for it: a
// person looks.
func (d *Desk) addMoneyGone(b *db.Batch, tx db.Tx, all basket, p Payment, seen payment.Observation) error {
	o := all.first()
	addCase(b, tx, d.IDs, o, "refunded_elsewhere",
		"payment "+p.ID+": when we first saw it, "+seen.Refunded.String()+" had gone back, not by us, and "+seen.Disputed.String()+" was disputed")
	if o.State != Placed || len(all) > 1 {
		addReceipt(b, tx, p, p.Amount)
		return nil
	}
	held := addMove(b, tx, d.addPaid(b, tx, all, p)[0], Held, func(o *Order) { o.DueAt, o.Reason = time.Time{}, "refunded_elsewhere" })
	return d.addNews(b, tx, message.OrderHeld, held)
}

// addPaid gives a payment to the orders that wait for it. Another attempt of them
// is no longer wanted and will be closed.
func (d *Desk) addPaid(b *db.Batch, tx db.Tx, all basket, p Payment) basket {
	addReceipt(b, tx, p, all.rest())
	b.Add(`UPDATE payments SET live = false, due_at = $4 WHERE account_id = $1 AND order_id = $2 AND id <> $3 AND live`,
		p.Account, all.first().ID, p.ID, db.At(tx.Now()))
	paid := make(basket, len(all))
	for i, o := range all {
		addAllocation(b, p, all, o)
		o.addTaking(b, tx.Now())
		b.Add(`UPDATE orders SET tool = $3 WHERE account_id = $1 AND id = $2`, o.Account, o.ID, p.Rail)
		if o.Line != "" {
			message.AddWithdrawalTo(b, tx.Now(), o.Account, o.Line, message.PaymentFailed)
		}
		o.Tool = catalogue.Tool(p.Rail)
		paid[i] = addMove(b, tx, o, Paid, func(o *Order) { o.PaidAt, o.DueAt = tx.Now(), tx.Now() })
	}
	return paid
}

// addReceipt books that a provider took money for something of that price.
func addReceipt(b *db.Batch, tx db.Tx, p Payment, price money.Money) {
	ledger.Posting{Account: p.Account, Subject: p.ID, Step: "paid", Transfers: received(p.Provider, p.Amount, price)}.AddTo(b, tx.Now())
}

// received is how money enters the books that came for something of that price.
// We owe what was ordered; if that is not what came, the difference stands open
// with the customer until a person has decided.
func received(provider string, came, price money.Money) []ledger.Transfer {
	from := ledger.Provider(provider)
	if came == price {
		return []ledger.Transfer{{From: from, To: ledger.Due, Amount: price}}
	}
	return []ledger.Transfer{
		{From: from, To: ledger.Receivable, Amount: came},
		{From: ledger.Receivable, To: ledger.Due, Amount: price},
	}
}

func reversed(all []ledger.Transfer) []ledger.Transfer {
	back := make([]ledger.Transfer, len(all))
	for i, t := range all {
		back[i] = ledger.Transfer{From: t.To, To: t.From, Amount: t.Amount}
	}
	return back
}

// addAllocation notes how much of a payment serves an order: all of it, or of a
// basket's each its own. Money that goes back serves none.
func addAllocation(b *db.Batch, p Payment, all basket, o Order) {
	minor := p.Amount.Minor
	if len(all) > 1 {
		minor = o.Parts.Rest
	}
	b.Add(`INSERT INTO allocations (account_id, payment_id, order_id, minor) VALUES ($1,$2,$3,$4)`, p.Account, p.ID, o.ID, minor)
}

// lateKey is the key of the order that late money for o makes: there is one,
// however often the customer paid.
func lateKey(o Order) string { return "late:" + o.ID }

// addLate deals with money for orders that were cancelled: new orders with the
// same contents are paid by it, and by what wallet and points paid of the former,
// if that is still there; else the money goes back. Whether the rules still allow
// what was quoted is decided where every paid order is decided, in begin.go; of
// those for which they do not, all of it goes back.
func (d *Desk) addLate(ctx context.Context, b *db.Batch, tx db.Tx, all basket, p Payment) error {
	for _, o := range all {
		missing, err := o.short(ctx, tx)
		if err != nil {
			return err
		}
		owes := d.unowed(ctx, tx, o, false)
		if err := unlessSaid(owes); err != nil {
			return err
		}
		if missing != nil || owes != nil || o.Parts.Wallet > 0 && d.Wallet == WalletOff {
			d.addUnwanted(b, tx, all.first(), p, "late")
			return nil
		}
	}
	addReceipt(b, tx, p, all.rest())
	first := ""
	for _, o := range all {
		late := o
		late.ID, late.State, late.Key, late.Quote, late.Reason = d.IDs.Under("ord", o.Account), Paid, lateKey(o), "", "late_money"
		if late.Basket != "" {
			first = cmp.Or(first, late.ID)
			late.Basket = first
		}
		late.Tool = catalogue.Tool(p.Rail)
		late.PlacedAt, late.PaidAt, late.UpdatedAt, late.DueAt = tx.Now(), tx.Now(), tx.Now(), tx.Now()
		late.CompletedAt, late.Attempts = time.Time{}, 0
		insert(b, late)
		addAllocation(b, p, all, late)
		late.addSpending(b, tx.Now())
	}
	return nil
}

// Successor reads the order that late money for a cancelled one made, if it did.
func Successor(ctx context.Context, tx db.Tx, o Order) (Order, bool, error) {
	return byKey(ctx, tx, o.Account, lateKey(o))
}

// addAfterwards deals with what becomes of a payment once it is paid: refunds
// that came back, refunds that were not ours, and the customer's bank.
func (d *Desk) addAfterwards(ctx context.Context, b *db.Batch, tx db.Tx, o Order, p Payment, seen payment.Observation) error {
	if seen.Refunded.Minor < p.Refunded {
		b.Add(`UPDATE refunds SET due_at = $3 WHERE account_id = $1 AND payment_id = $2 AND state = 'done'`, p.Account, p.ID, db.At(tx.Now()))
	}
	if seen.Refunded.Minor <= p.Refunded {
		return nil
	}
	back, err := refundsOf(ctx, tx, p)
	if err != nil {
		return err
	}
	for _, r := range back {
		if r.State != payment.RefundFailed && !r.elsewhere() {
			seen.Refunded.Minor -= r.Amount.Minor
		}
	}
	seen.Refunded.Minor -= among(seen)
	if seen.Refunded.Minor > 0 {
		addCase(b, tx, d.IDs, o, "refunded_elsewhere", "payment "+p.ID+": "+seen.Refunded.String()+" went back, and not by us")
	}
	return nil
}
