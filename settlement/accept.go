package settlement

import (
	"context"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// Accept is a person's decision that a difference stays as it is: it counts no
// more, and what of it moved the provider's balance and is not in our books is
// booked as an adjustment, so that the provider's book is what it owes us. It
// changes no order, payment or refund. It fails with [fault.NotFound] where there
// is no such difference, with [fault.Conflict] where it was accepted already or
// asking the provider decides it.
func (r *Room) Accept(ctx context.Context, provider string, day payment.Day, kind Kind, subject string, a order.Act) (Difference, error) {
	return db.Written(ctx, r.DB, func(ctx context.Context, tx db.Tx) (Difference, error) {
		all, err := list(ctx, tx, scanDifference, `SELECT `+differenceColumns+` FROM differences
			WHERE provider = $1 AND day = $2 AND kind = $3 AND subject = $4`, provider, day, kind, subject)
		switch {
		case err != nil:
			return Difference{}, err
		case len(all) == 0:
			return Difference{}, fault.New(fault.NotFound, "There is no such difference. Run tsuzuku payment reconcile and copy its words.")
		case all[0].Accepted != "":
			return all[0], fault.New(fault.Conflict, "This was accepted already, by %s.", all[0].Accepted)
		case askedAbout(kind):
			return all[0], fault.New(fault.Conflict, "The provider is asked about this, and what it says is booked then. It cannot be accepted.")
		}
		d := all[0]
		d.Accepted = a.Staff + ": " + a.Reason
		var b db.Batch
		if err := order.AddTrail(&b, tx, r.IDs, d.Account, a, "accept difference", d.subject()); err != nil {
			return d, err
		}
		b.Guard(`UPDATE differences SET accepted = $6 WHERE account_id = $1 AND provider = $2 AND day = $3 AND kind = $4 AND subject = $5 AND accepted = ''`,
			d.Account, d.Provider, d.Day, d.Kind, d.Subject, d.Accepted)
		ledger.Posting{Account: d.Account, Subject: d.subject(), Step: "accepted", Transfers: d.adjustment()}.AddTo(&b, tx.Now())
		return d, tx.Batch(ctx, &b)
	})
}

// askedAbout reports whether a difference goes away when the provider is asked:
// accepted, it would be booked twice.
func askedAbout(k Kind) bool {
	return k == NotPaidHere || k == RefundNotDoneHere || k == RefundCameBack
}

// subject names a difference in the trail and in the books.
func (d Difference) subject() string {
	return d.Provider + ":" + string(d.Day) + ":" + string(d.Kind) + ":" + d.Subject
}

// adjustment is what of a difference moved the provider's balance and is not in
// our books, or is in our books and did not move it.
func (d Difference) adjustment() []ledger.Transfer {
	switch d.Kind {
	case NotHere, ChargedTwice, ChargeReversed, RefundNotHere, RefundedTwice, OtherMovement:
		return []ledger.Transfer{owed(d.Provider, ledger.Adjustment, d.Theirs)}
	case NotThere, RefundNotThere:
		return []ledger.Transfer{owed(d.Provider, ledger.Adjustment, d.Ours.Neg())}
	case OtherAmount, OtherCurrency, RefundOtherAmount:
		return []ledger.Transfer{owed(d.Provider, ledger.Adjustment, d.Theirs), owed(d.Provider, ledger.Adjustment, d.Ours.Neg())}
	case NotPaidHere, RefundNotDoneHere, RefundCameBack, DisputeNotHere, FeeDiffers, FeeUntold, StatedTwice, Restated:
	}
	return nil
}
