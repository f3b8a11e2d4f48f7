package order

import (
	"context"
	"slices"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/payment"
)

// What a provider refuses to give back can go into the customer's wallet.

// inWallet stands for the provider of a refund that its provider refused, and that was
// given into the wallet.
const inWallet = "wallet"

// RefundAgainToWallet gives the refunds of an order that their provider refuses into the
// customer's wallet. The customer must have agreed, and the reason must say so. It fails
// with [fault.Conflict] when there is none, while nothing clear was heard of one, and
// while the customer's bank may give the same money back, or has.
func (d *Desk) RefundAgainToWallet(ctx context.Context, k Key, a Act) (Order, error) {
	if d.Wallet == WalletOff {
		return Order{}, fault.New(fault.Invalid, "This shop has no wallets.")
	}
	return d.act(ctx, k, a, "refund again, into the wallet", func(ctx context.Context, b *db.Batch, tx db.Tx, o Order) (Order, error) {
		all, err := Refunds(ctx, tx, k)
		if err != nil {
			return o, err
		}
		before := b.Len()
		for _, r := range all {
			if !r.rests() {
				continue
			}
			if o, err = d.addIntoWallet(ctx, b, tx, o, r); err != nil {
				return o, err
			}
		}
		if b.Len() == before {
			return o, fault.New(fault.Conflict, "No refund of order %s waits for a person.", o.ID)
		}
		return o, nil
	})
}

func (d *Desk) addIntoWallet(ctx context.Context, b *db.Batch, tx db.Tx, o Order, r Refund) (Order, error) {
	if r.State != payment.RefundFailed {
		return o, fault.New(fault.Conflict, "Nobody knows whether refund %s has gone. Look for %s at the provider first.", r.ID, r.Ref)
	}
	p, err := GetPayment(ctx, tx, Key{r.Account, r.Payment})
	if err != nil {
		return o, err
	}
	about, err := disputesOf(ctx, tx, p)
	if err != nil {
		return o, err
	}
	if i := slices.IndexFunc(about, func(d Dispute) bool { return d.State == payment.DisputeOpen }); i >= 0 {
		return o, errDisputed(about[i])
	}
	_, part, err := takenBack(ctx, tx, p, r.Amount)
	switch {
	case err != nil:
		return o, err
	case !part.IsZero():
		return o, fault.New(fault.Conflict, "The customer's bank has given back %s of refund %s. Send it again first: what is left is known then.", part, r.ID)
	}
	booked, err := r.booked(ctx, tx, p, o)
	if err != nil {
		return o, err
	}
	out := reversed(booked)
	for i := range out {
		if out[i].To == ledger.Provider(p.Provider) {
			out[i].To = ledger.Wallet
		}
	}
	b.Guard(`UPDATE refunds SET state = 'done', provider = $3, provider_id = '', code = '', done_at = $4
		WHERE account_id = $1 AND id = $2 AND state = 'failed' AND due_at IS NULL`, r.Account, r.ID, inWallet, db.At(tx.Now()))
	ledger.Posting{Account: r.Account, Subject: r.ID, Step: r.step("refunded"), Transfers: out}.AddTo(b, tx.Now())
	if r.Why == "not_served" {
		o = addRefunded(b, tx, o)
	}
	p.Rail = inWallet
	return o, d.addRefundNews(b, tx, o, p, r, r.reason(o))
}
