package order

import (
	"context"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/payment"
)

// Cancel ends an order that waits for money and that the customer does not want
// any more, with all that are paid together with it: what was set aside for them
// returns at once. An open attempt is closed at its provider first. While money may
// be on its way, or a provider cannot close its attempt, it fails with
// [fault.Conflict], and the order ends with its offer. One that turns out to be
// paid is returned as it is.
func (d *Desk) Cancel(ctx context.Context, k Key) (Order, error) {
	live, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Payment, error) {
		all, err := basketOf(ctx, tx, k)
		if err == nil && !all.are(Placed) {
			err = errNotPayable()
		}
		if err != nil {
			return Payment{}, err
		}
		return livePayment(ctx, tx, all.first().Ref())
	})
	if err != nil {
		return Order{}, err
	}
	if live.ID != "" {
		p, err := d.close(ctx, live)
		if err != nil {
			return Order{}, err
		}
		if p.State == payment.Paid {
			return db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Order, error) { return Get(ctx, tx, k) })
		}
	}
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Order, error) { return cancel(ctx, tx, k) })
}

// cancel ends a basket whose attempts are all over. An attempt that is opened
// meanwhile touches the first order, and so does this.
func cancel(ctx context.Context, tx db.Tx, k Key) (done Order, err error) {
	all, err := basketOf(ctx, tx, k)
	if err == nil && !all.are(Placed) {
		err = errNotPayable()
	}
	if err != nil {
		return Order{}, err
	}
	first := all.first()
	tried, err := Payments(ctx, tx, first.Ref())
	if err != nil {
		return first, err
	}
	if slices.ContainsFunc(tried, func(p Payment) bool { return !p.State.Final() }) {
		return first, fault.Because(fault.Conflict, "payment_not_closed",
			"The payment that you began cannot be closed at the moment. The order ends by itself; nothing is charged unless you pay there.", nil)
	}
	var b db.Batch
	b.Guard(`UPDATE orders SET updated_at = $4 WHERE account_id = $1 AND id = $2 AND state = 'placed' AND updated_at = $3`,
		first.Account, first.ID, db.At(first.UpdatedAt), db.At(tx.Now()))
	for _, o := range all {
		o = addMove(&b, tx, o, Cancelled, func(o *Order) { o.DueAt, o.Reason, o.CompletedAt = time.Time{}, "given_up", tx.Now() })
		o.addReturn(&b, tx.Now())
		if o.ID == k.ID {
			done = o
		}
	}
	return done, conflict(tx.Batch(ctx, &b), first.ID)
}
