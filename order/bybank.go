package order

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// What a customer's bank gave back by a dispute need not be given back by us.

// reasonByBank is why an order ended for which nothing was sent back: its money
// came from the customer's bank.
const reasonByBank = "by_bank"

// givenBackByBank finds the dispute by which a customer got everything back for
// good that a provider had for an order, and for those paid together with it.
func givenBackByBank(all []Dispute, o Order) (Dispute, bool) {
	i := slices.IndexFunc(all, func(d Dispute) bool {
		part := o.Rest().Minor
		return d.State == payment.DisputeLost && d.Amount.Minor >= d.Kept && d.Wallet == 0 && part > 0 && d.Unserved >= part && d.Owed-d.Paid >= part
	})
	if i < 0 {
		return Dispute{}, false
	}
	return all[i], true
}

// addGivenBack ends an order that was not served and whose money the customer's bank
// has given back: what we owed for it and what the dispute let them owe cancel each
// other out, wallet and points are restored, and nothing is sent.
func (d *Desk) addGivenBack(ctx context.Context, b *db.Batch, tx db.Tx, o Order, by Dispute) (Order, error) {
	tried, err := Refunds(ctx, tx, o.Ref())
	if err != nil {
		return o, err
	}
	for _, r := range tried {
		if r.State == payment.RefundUnknown || r.State == payment.RefundSent {
			return o, fault.New(fault.Conflict, "Nobody knows whether refund %s has gone as well. Look for %s at the provider first.", r.ID, r.Ref)
		}
	}
	due := addMove(b, tx, o, RefundDue, func(o *Order) { o.Reason = reasonByBank })
	line.Free(b, o.Account, o.Line, o.ID)
	d.addByBank(b, tx, by, o.ID, "not_served", o.Rest(), time.Time{})
	o.addRestoring(b, tx.Now())
	done := addRefunded(b, tx, due)
	return done, d.addNews(b, tx, message.OrderRefunded, done)
}

// addStrayEnd gives back money that no order waited for, and that was disputed when it
// was first seen, now that all is decided. Of what the customer's bank has given back
// nothing is sent.
func (d *Desk) addStrayEnd(ctx context.Context, b *db.Batch, tx db.Tx, all basket, p Payment, decided []Dispute) error {
	if len(decided) == 0 {
		return nil
	}
	var had int64
	err := tx.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM allocations WHERE account_id = $1 AND payment_id = $2)
		+ (SELECT COUNT(*) FROM refunds WHERE account_id = $1 AND payment_id = $2)`, p.Account, p.ID).Scan(&had)
	if err == nil && had == 0 {
		d.addRefund(b, tx, p, all.first().ID, p.Amount, "late")
	}
	return err
}

// byDispute begins the code of a refund that a customer's bank has made.
const byDispute = "by dispute "

// ByBank reports whether the customer's bank gave this back by a dispute: its provider
// knows of no such refund.
func (r Refund) ByBank() bool {
	return r.State == payment.RefundDone && strings.HasPrefix(r.Code, byDispute)
}

// whyByBank is why there is a refund for what a customer's bank gave back of a refund
// of which we send the rest.
const whyByBank = "by_bank"

// addByBank appends that a lost dispute has given back what we owed a customer for an
// order: neither owes the other that any more. A refund of that which nobody works on
// any more, or whose lease the caller has, is done by that.
func (d *Desk) addByBank(b *db.Batch, tx db.Tx, by Dispute, order, why string, part money.Money, lease time.Time) {
	by.addEvened(b, tx, part)
	b.Guard(`INSERT INTO refunds (account_id, id, order_id, payment_id, ref, provider, minor, currency, state, why, code, created_at, asked_at, done_at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,'done',$9,$10,$11,$11,$11)
		ON CONFLICT (account_id, payment_id, order_id, why) DO UPDATE SET state = 'done', provider_id = '', code = excluded.code,
			minor = excluded.minor + CASE WHEN refunds.state = 'done' THEN refunds.minor ELSE 0 END, done_at = excluded.done_at, due_at = NULL
		WHERE refunds.state IN ('due', 'failed') AND (refunds.due_at IS NULL OR refunds.due_at = $12) OR refunds.why = 'by_bank'`,
		by.Account, d.IDs.Under("rf", by.Account), order, by.Payment, reference(by.Payment+order+why), by.Provider, part.Minor, part.Currency, why,
		clip(byDispute+by.ProviderID), db.At(tx.Now()), db.At(lease))
}

// addEvened appends that part of what a lost dispute took is what we owed the customer.
// It lessens what they owe; where they do not owe it any more, staff let it go, which
// was no loss then, or they have paid it: that is theirs, in the wallet.
func (d Dispute) addEvened(b *db.Batch, tx db.Tx, part money.Money) {
	owed := min(part.Minor, d.Owed-d.Paid)
	letGo := min(part.Minor-owed, d.LetGo)
	b.Guard(`UPDATE disputes SET paid_minor = paid_minor + $5, let_go_minor = let_go_minor - $6, moves = moves + 1
		WHERE account_id = $1 AND id = $2 AND state = 'lost' AND moves = $3 AND paid_minor = $4`, d.Account, d.ID, d.moves, d.Paid, owed, letGo)
	from := func(to ledger.Book, minor int64) ledger.Transfer {
		return ledger.Transfer{From: ledger.Due, To: to, Amount: money.Of(minor, part.Currency)}
	}
	ledger.Posting{Account: d.Account, Subject: d.ID, Step: fmt.Sprintf("disputed:%d", d.moves+1), Transfers: []ledger.Transfer{
		from(ledger.Receivable, owed), from(ledger.Loss, letGo), from(ledger.Wallet, part.Minor-owed-letGo),
	}}.AddTo(b, tx.Now())
}

// refundByBank ends a refund that was decided before a dispute took its money, or so
// much of it as its provider has not got any more: the customer's bank has given that
// back. It reports false where that is not so, or not decided.
func (d *Desk) refundByBank(ctx context.Context, r Refund) (ended bool, err error) {
	err = d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		o, p, err := aboutRefund(ctx, tx, r)
		if err != nil {
			return err
		}
		by, part, err := takenBack(ctx, tx, p, r.Amount)
		if ended = err == nil && !part.IsZero(); !ended {
			return err
		}
		var b db.Batch
		if part != r.Amount {
			b.Guard(`UPDATE refunds SET minor = minor - $4, due_at = $6 WHERE account_id = $1 AND id = $2 AND state = 'due' AND minor = $3 AND due_at = $5`,
				r.Account, r.ID, r.Amount.Minor, part.Minor, db.At(r.DueAt), db.At(tx.Now()))
			d.addByBank(&b, tx, by, r.Order, whyByBank, part, time.Time{})
			return conflict(tx.Batch(ctx, &b), r.ID)
		}
		d.addByBank(&b, tx, by, r.Order, r.Why, part, r.DueAt)
		if r.Why == "not_served" {
			o = addRefunded(&b, tx, o)
		}
		if err := d.addRefundNews(&b, tx, o, p, r, reasonByBank); err != nil {
			return err
		}
		return conflict(tx.Batch(ctx, &b), r.ID)
	})
	return ended, err
}

// takenBack finds the lost dispute that has taken money of a payment that its provider
// would need for a refund, and how much of it. It is nothing while another one is open.
func takenBack(ctx context.Context, tx db.Tx, p Payment, refund money.Money) (by Dispute, part money.Money, err error) {
	part = money.Of(0, refund.Currency)
	about, err := disputesOf(ctx, tx, p)
	if err != nil {
		return by, part, err
	}
	back, err := refundsOf(ctx, tx, p)
	if err != nil {
		return by, part, err
	}
	taken := int64(0)
	for _, d := range about {
		switch d.State {
		case payment.DisputeOpen:
			return by, part, nil
		case payment.DisputeLost:
			by, taken = d, taken+d.Amount.Minor
		case payment.DisputeWon, payment.DisputeAsked: // take nothing
		}
	}
	short := refund.Minor - max(0, p.Amount.Minor-p.Refunded-taken)
	for _, r := range back {
		if r.ByBank() {
			taken -= r.Amount.Minor
		}
	}
	part.Minor = max(0, min(short, refund.Minor, taken, by.Amount.Minor))
	return by, part, nil
}

// refundsOf reads the refunds of a payment.
func refundsOf(ctx context.Context, tx db.Tx, p Payment) ([]Refund, error) {
	return refunds(ctx, tx, `SELECT `+refundColumns+` FROM refunds WHERE account_id = $1 AND payment_id = $2 ORDER BY id`, p.Account, p.ID)
}

// addDecided appends that refunds of a payment are tried again that could not be made
// while a dispute was open. Of an order that is not served, staff decide.
func addDecided(ctx context.Context, b *db.Batch, tx db.Tx, p Payment) error {
	all, err := refundsOf(ctx, tx, p)
	for _, r := range all {
		if r.State == payment.RefundFailed && r.Why != "not_served" {
			addRefundAgain(b, tx, r)
		}
	}
	return err
}
