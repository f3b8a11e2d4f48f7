package order

import (
	"context"
	"fmt"
	"slices"
	"strings"

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
	d.addByBank(b, tx, by, o.ID, "not_served", o.Rest())
	o.addRestoring(b, tx.Now())
	done := addRefunded(b, tx, due)
	return done, d.addNews(b, tx, message.OrderRefunded, done)
}

// addStrayEnd ends what is in the books for money that no order waited for, and that was
// disputed when it was first seen, now that all is decided: what is the seller's goes
// back, and what the customer's bank has given back is not owed any more, on either
// side. For the rest there is the case that was opened then.
func (d *Desk) addStrayEnd(ctx context.Context, b *db.Batch, tx db.Tx, all basket, p Payment, decided []Dispute) error {
	if len(decided) == 0 {
		return nil
	}
	var had int64
	err := tx.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM allocations WHERE account_id = $1 AND payment_id = $2)
		+ (SELECT COUNT(*) FROM refunds WHERE account_id = $1 AND payment_id = $2)`, p.Account, p.ID).Scan(&had)
	if err != nil || had > 0 {
		return err
	}
	lost := slices.DeleteFunc(decided, func(d Dispute) bool { return d.State != payment.DisputeLost })
	switch {
	case len(lost) == 0:
		d.addRefund(b, tx, p, all.first().ID, p.Amount, "late")
	case len(lost) == 1 && lost[0].Wallet == 0 && lost[0].Owed-lost[0].Paid == p.Amount.Minor:
		d.addByBank(b, tx, lost[0], p.Order, "late", p.Amount)
	}
	return nil
}

// byDispute begins the code of a refund that a customer's bank has made.
const byDispute = "by dispute "

// ByBank reports whether the customer's bank gave this back by a dispute: its provider
// knows of no such refund.
func (r Refund) ByBank() bool {
	return r.State == payment.RefundDone && strings.HasPrefix(r.Code, byDispute)
}

// addByBank appends that a lost dispute has given back what we owed a customer for an
// order: neither owes the other that any more.
func (d *Desk) addByBank(b *db.Batch, tx db.Tx, by Dispute, order, why string, part money.Money) {
	b.Guard(`UPDATE disputes SET paid_minor = paid_minor + $5, moves = moves + 1
		WHERE account_id = $1 AND id = $2 AND state = 'lost' AND moves = $3 AND paid_minor = $4`, by.Account, by.ID, by.moves, by.Paid, part.Minor)
	ledger.Posting{Account: by.Account, Subject: by.ID, Step: fmt.Sprintf("disputed:%d", by.moves+1), Transfers: []ledger.Transfer{
		{From: ledger.Due, To: ledger.Receivable, Amount: part},
	}}.AddTo(b, tx.Now())
	b.Guard(`INSERT INTO refunds (account_id, id, order_id, payment_id, ref, provider, minor, currency, state, why, code, created_at, asked_at, done_at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,'done',$9,$10,$11,$11,$11)
		ON CONFLICT (account_id, payment_id, order_id, why) DO UPDATE SET state = 'done', code = excluded.code, done_at = excluded.done_at
		WHERE refunds.state IN ('due', 'failed') AND refunds.due_at IS NULL`,
		by.Account, d.IDs.Under("rf", by.Account), order, by.Payment, reference(by.Payment+order+why), by.Provider, part.Minor, part.Currency, why,
		clip(byDispute+by.ProviderID), db.At(tx.Now()))
}
