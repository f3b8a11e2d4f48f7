package order

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// Refund is one return of money from one payment.
type Refund struct {
	Account    string
	ID         string
	Order      string
	Payment    string
	Ref        string
	Provider   string
	Amount     money.Money
	State      payment.RefundState
	Why        string // "not_served", "double", "late", "staff"
	ProviderID string
	Code       string
	Attempts   int
	DueAt      time.Time
	CreatedAt  time.Time
	AskedAt    time.Time // when the provider may first have been called
	DoneAt     time.Time
}

// giveUp turns an order that certainly was not served into one whose money goes
// back. From the wallet the money is back in the same transaction.
func (d *Desk) giveUp(ctx context.Context, o Order, reason, evidence string) (Order, error) {
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Order, error) {
		var b db.Batch
		due := addMove(&b, tx, o, RefundDue, func(o *Order) {
			o.Reason, o.Evidence, o.DueAt = reason, clip(evidence), tx.Now()
		})
		line.Free(&b, o.Account, o.Line, o.ID)
		if o.Tool == ToolWallet || o.Price.IsZero() {
			due = d.addWalletRefund(&b, tx, due)
			return due, conflict(tx.Batch(ctx, &b), o.ID)
		}
		if err := d.addRefunds(ctx, &b, tx, due, "not_served"); err != nil {
			return o, err
		}
		if err := d.addNews(&b, tx, message.OrderRefundDue, due); err != nil {
			return o, err
		}
		return due, conflict(tx.Batch(ctx, &b), o.ID)
	})
}

// addWalletRefund puts the price back into the wallet and ends the order.
func (d *Desk) addWalletRefund(b *db.Batch, tx db.Tx, o Order) Order {
	done := addMove(b, tx, o, Refunded, func(o *Order) { o.DueAt, o.CompletedAt = time.Time{}, tx.Now() })
	ledger.Posting{Account: o.Account, Subject: o.ID, Step: "refunded", Transfers: []ledger.Transfer{
		{From: ledger.Due, To: ledger.Wallet, Amount: o.Price},
	}}.AddTo(b, tx.Now())
	if err := d.addNews(b, tx, message.OrderRefunded, done); err != nil {
		panic("order: news do not encode: " + err.Error()) // amounts and instants always do
	}
	return done
}

// addNews queues one message about an order's money.
func (d *Desk) addNews(b *db.Batch, tx db.Tx, kind message.Kind, o Order) error {
	return message.AddTo(b, tx.Now(), d.IDs.Under("msg", o.Account), message.Draft{
		Account: o.Account, Key: string(kind) + "/" + o.ID, Kind: kind, Order: o.ID, Line: o.Line,
		Facts: message.Facts{Amount: o.Price, Order: o.ID, Method: string(o.Tool), Tool: string(o.Tool), RefundReason: o.Reason},
	})
}

// addRefunds appends a refund of everything that was allocated to the order.
func (d *Desk) addRefunds(ctx context.Context, b *db.Batch, tx db.Tx, o Order, why string) error {
	paid, err := paymentsFor(ctx, tx, o)
	if err != nil {
		return err
	}
	for _, p := range paid {
		if err := d.addRefund(ctx, b, tx, p, o.ID, p.Amount, why); err != nil {
			return err
		}
	}
	return nil
}

func (d *Desk) addRefund(ctx context.Context, b *db.Batch, tx db.Tx, p Payment, order string, amount money.Money, why string) error {
	r := Refund{ID: d.IDs.Under("rf", p.Account), Ref: reference(p.ID + order + why)}
	b.Add(`INSERT INTO refunds (account_id, id, order_id, payment_id, ref, provider, minor, currency, state, why, due_at, created_at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,'due',$9,$10,$10)
		ON CONFLICT (account_id, payment_id, order_id, why) DO NOTHING`,
		p.Account, r.ID, order, p.ID, r.Ref, p.Provider, amount.Minor, amount.Currency, why, db.At(tx.Now()))
	return ctx.Err()
}

const refundColumns = `account_id, id, order_id, payment_id, ref, provider, minor, currency, state, why,
	provider_id, code, attempts, due_at, created_at, asked_at, done_at`

func scanRefund(row db.Row) (Refund, error) {
	var r Refund
	var due, created, asked, done db.Instant
	err := row.Scan(&r.Account, &r.ID, &r.Order, &r.Payment, &r.Ref, &r.Provider, &r.Amount.Minor, &r.Amount.Currency, &r.State, &r.Why,
		&r.ProviderID, &r.Code, &r.Attempts, &due, &created, &asked, &done)
	r.DueAt, r.CreatedAt, r.AskedAt, r.DoneAt = due.Time, created.Time, asked.Time, done.Time
	return r, err
}

func refunds(ctx context.Context, tx db.Tx, query string, args ...any) (out []Refund, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		r, err := scanRefund(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// Refunds reads the refunds of an order, oldest first.
func Refunds(ctx context.Context, tx db.Tx, k Key) ([]Refund, error) {
	return refunds(ctx, tx, `SELECT `+refundColumns+` FROM refunds WHERE account_id = $1 AND order_id = $2 ORDER BY id`, k.Account, k.ID)
}

// RefundStep sends refunds that are due, and asks what became of those sent.
func (d *Desk) RefundStep(ctx context.Context) (worked bool, err error) {
	due, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]Refund, error) {
		return refunds(ctx, tx, `UPDATE refunds SET due_at = $2, attempts = attempts + 1, asked_at = COALESCE(asked_at, $1)
			WHERE due_at <= $1 AND (account_id, id) IN (
				SELECT account_id, id FROM refunds WHERE due_at <= $1 ORDER BY due_at LIMIT $3)
			RETURNING `+refundColumns, db.At(tx.Now()), db.At(tx.Now().Add(lease)), d.set())
	})
	if err != nil || len(due) == 0 {
		return false, err
	}
	errs := make([]error, len(due))
	d.sideBySide(len(due), func(i int) { errs[i] = quiet(d.refund(ctx, due[i])) })
	return true, errors.Join(errs...)
}

// maxRefundTries bounds what a worker does by itself, about a day; then a
// person looks.
const maxRefundTries = 80

// refund takes one step of one refund.
func (d *Desk) refund(ctx context.Context, r Refund) error {
	provider, ok := d.Providers[r.Provider]
	if !ok {
		return fault.New(fault.Internal, "refund %s needs the adapter %q, which is not configured", r.ID, r.Provider)
	}
	p, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Payment, error) {
		return GetPayment(ctx, tx, Key{r.Account, r.Payment})
	})
	if err != nil {
		return err
	}
	call, cancel := d.callLimit(ctx)
	defer cancel()
	ask := payment.Refund{Ref: r.Ref, Attempt: p.attempt(), Amount: r.Amount, ProviderID: r.ProviderID, Note: r.Why}
	seen, err := sendRefund(call, provider, r, ask)
	switch {
	case errors.Is(err, payment.ErrNotSent):
		return d.refundLater(ctx, r, err.Error())
	case err != nil:
		r.State = payment.RefundUnknown
		return d.refundLater(ctx, r, err.Error())
	case seen.State == payment.RefundDone:
		return d.refundDone(ctx, r, seen)
	case seen.State == payment.RefundFailed:
		return d.refundFailed(ctx, r, seen)
	}
	r.State, r.ProviderID, r.Code = seen.State, seen.ProviderID, seen.Code
	return d.refundLater(ctx, r, seen.Code)
}

// sendRefund asks for a refund, once. Whoever may have asked before reads first:
// a provider's memory of our key ends, and some have none.
func sendRefund(ctx context.Context, provider payment.Provider, r Refund, ask payment.Refund) (payment.RefundObservation, error) {
	if r.Attempts <= 1 {
		return provider.Refund(ctx, ask)
	}
	seen, err := provider.QueryRefund(ctx, ask)
	if err != nil || seen.Found {
		return seen, err
	}
	limits := provider.Limits()
	if !limits.Keyed && seen.AsOf.Before(r.AskedAt.Add(lease+limits.SettlesWithin)) {
		return payment.RefundObservation{State: payment.RefundUnknown, Code: "not seen yet"}, nil
	}
	return provider.Refund(ctx, ask)
}

func (d *Desk) refundLater(ctx context.Context, r Refund, code string) error {
	if r.Attempts >= maxRefundTries {
		return d.refundFailed(ctx, r, payment.RefundObservation{State: payment.RefundFailed, Code: code})
	}
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE refunds SET state = $3, provider_id = $4, code = $5, due_at = $6
			WHERE account_id = $1 AND id = $2 AND state IN ('due','sent','unknown')`,
			r.Account, r.ID, r.State, r.ProviderID, clip(code), db.At(tx.Now().Add(pause(r.Attempts))))
		return err
	})
}

// refundDone books a refund, and ends the order when it was waiting for it.
func (d *Desk) refundDone(ctx context.Context, r Refund, seen payment.RefundObservation) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		b.Guard(`UPDATE refunds SET state = 'done', provider_id = $3, code = $4, done_at = $5, due_at = NULL
			WHERE account_id = $1 AND id = $2 AND state IN ('due','sent','unknown')`,
			r.Account, r.ID, seen.ProviderID, clip(seen.Code), db.At(tx.Now()))
		b.Add(`UPDATE payments SET refunded_minor = refunded_minor + $3 WHERE account_id = $1 AND id = $2`, r.Account, r.Payment, r.Amount.Minor)
		ledger.Posting{Account: r.Account, Subject: r.ID, Step: "refunded", Transfers: []ledger.Transfer{
			{From: ledger.Due, To: ledger.Provider(r.Provider), Amount: r.Amount},
		}}.AddTo(&b, tx.Now())
		o, err := Get(ctx, tx, Key{r.Account, r.Order})
		if err != nil {
			return err
		}
		if o.State == RefundDue && r.Why == "not_served" {
			o = addMove(&b, tx, o, Refunded, func(o *Order) { o.DueAt, o.CompletedAt = time.Time{}, tx.Now() })
		}
		o.Price = r.Amount
		if err := d.addRefundNews(&b, tx, o, r); err != nil {
			return err
		}
		return conflict(tx.Batch(ctx, &b), r.ID)
	})
}

func (d *Desk) addRefundNews(b *db.Batch, tx db.Tx, o Order, r Refund) error {
	reason := o.Reason
	if r.Why != "not_served" {
		reason = r.Why
	}
	return message.AddTo(b, tx.Now(), d.IDs.Under("msg", o.Account), message.Draft{
		Account: o.Account, Key: string(message.OrderRefunded) + "/" + r.ID, Kind: message.OrderRefunded, Order: o.ID, Line: o.Line,
		Facts: message.Facts{Amount: r.Amount, Order: o.ID, Method: string(o.Tool), RefundReason: reason},
	})
}

// refundFailed leaves a refund to a person: the provider says no, or nothing
// clear for a day.
func (d *Desk) refundFailed(ctx context.Context, r Refund, seen payment.RefundObservation) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		b.Guard(`UPDATE refunds SET state = 'failed', provider_id = $3, code = $4, due_at = NULL
			WHERE account_id = $1 AND id = $2 AND state IN ('due','sent','unknown')`,
			r.Account, r.ID, seen.ProviderID, clip(seen.Code))
		o, err := Get(ctx, tx, Key{r.Account, r.Order})
		if err != nil {
			return err
		}
		if o.State == RefundDue {
			o = addMove(&b, tx, o, Held, func(o *Order) { o.DueAt, o.Reason = time.Time{}, "refund_failed" })
		}
		addCase(&b, tx, d.IDs, o, "refund_failed", "refund "+r.ID+": "+seen.Code)
		return conflict(tx.Batch(ctx, &b), r.ID)
	})
}

// settleRefund looks after an order in refund_due whose own row is due: the
// refund's row does the work, so there is nothing left to wait for here unless
// the refund was never written.
func (d *Desk) settleRefund(ctx context.Context, o Order) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		if o.Tool == ToolWallet || o.Price.IsZero() {
			d.addWalletRefund(&b, tx, o)
			return conflict(tx.Batch(ctx, &b), o.ID)
		}
		if err := d.addRefunds(ctx, &b, tx, o, "not_served"); err != nil {
			return err
		}
		b.Add(`UPDATE orders SET due_at = NULL WHERE account_id = $1 AND id = $2 AND state = 'refund_due'`, o.Account, o.ID)
		return tx.Batch(ctx, &b)
	})
}
