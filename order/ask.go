package order

import (
	"context"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/payment"
)

// FindPayment finds the attempt that a provider speaks of, by our reference or
// by its own identifier of the money; the zero Key where we have none.
func FindPayment(ctx context.Context, tx db.Tx, provider, ref, money string) (Key, error) {
	account, found, err := rungFor(ctx, tx, provider, payment.Doorbell{Ref: ref, MoneyID: money})
	if err != nil || found == "" {
		return Key{}, err
	}
	p, err := GetPayment(ctx, tx, Key{account, found})
	if err != nil || p.Provider != provider {
		return Key{}, err
	}
	return Key{account, found}, nil
}

// AskSoon makes an attempt due, with those of its refunds that the provider knows
// of or may know of, because somebody says what we do not: as a notification
// does, it moves no money, it only makes us ask.
func AskSoon(ctx context.Context, tx db.Tx, k Key) error {
	_, err := tx.Exec(ctx, `UPDATE refunds SET due_at = $3 WHERE account_id = $1 AND payment_id = $2 AND state = 'unknown' AND due_at IS NULL`,
		k.Account, k.ID, db.At(tx.Now()))
	if err != nil {
		return err
	}
	if err := wakeRefunds(ctx, tx, k.Account, k.ID); err != nil {
		return err
	}
	return wake(ctx, tx, k.Account, k.ID)
}

// The titles of cases that a provider's report opens.
const (
	CaseDisputed          = "disputed"
	CaseDisputeAsked      = "dispute_asked" // the customer's bank asks first, and has taken nothing
	CaseSuspendLine       = "suspend_line"  // see DisputeSuspend
	CaseResumeLine        = "resume_line"   // nothing is owed any more because of that order
	CaseCancelESIM        = "cancel_esim"   // its money went back, and nobody has used it
	CaseRefundedElsewhere = "refunded_elsewhere"
	CaseReportDiffers     = "report_differs"
)

// AddCase appends the opening of a case about a payment's order. What is told
// again is added to it, and opens it again.
func AddCase(ctx context.Context, b *db.Batch, tx db.Tx, ids *id.Source, payment Key, title, evidence string) error {
	p, err := GetPayment(ctx, tx, payment)
	if err != nil {
		return err
	}
	o, err := Get(ctx, tx, Key{p.Account, p.Order})
	if err != nil {
		return err
	}
	addCase(b, tx, ids, o, title, evidence)
	return nil
}

// AddTrail appends what a member of staff did outside of orders. account is ""
// where it is nobody's.
func AddTrail(b *db.Batch, tx db.Tx, ids *id.Source, account string, a Act, action, subject string) error {
	if err := a.check(); err != nil {
		return err
	}
	row := ids.Free("tr")
	if account != "" {
		row = ids.Under("tr", account)
	}
	b.Row(`INSERT INTO trail (account_id, id, staff, action, subject, reason, at) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
		account, row, a.Staff, action, subject, a.Reason, db.At(tx.Now()))
	return nil
}
