package order

import (
	"context"
	"fmt"
	"time"

	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/support"
)

// This file is what the repairer of package audit may do with an order. It moves no
// state: it wakes the rows that those who do wait for, writes a document that is
// missing, gives back money that nobody waits for, and calls a person. All of it may
// be done twice at the same time, and is done once.

// Several reads orders, those of them that are there, in no order.
func Several(ctx context.Context, tx db.Tx, keys []Key) (orders []Order, err error) {
	rows := make([][]any, len(keys))
	for i, k := range keys {
		rows[i] = []any{k.Account, k.ID}
	}
	err = tx.Several(ctx, `SELECT `+columns+` FROM (VALUES ($1,$2)) AS v JOIN orders ON account_id = column1 AND id = column2`, rows, func(row db.Row) error {
		o, err := scan(row)
		orders = append(orders, o)
		return err
	})
	return orders, err
}

// Wake makes an unfinished order due that nobody would look at: one without a time,
// or whose time is later than any worker's lease. It reports whether it did.
func (d *Desk) Wake(ctx context.Context, k Key) (bool, error) {
	n, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (int64, error) {
		return tx.Exec(ctx, `UPDATE orders SET due_at = $3 WHERE account_id = $1 AND id = $2
			AND state IN ('placed','paid','fulfilling','refund_due') AND (due_at IS NULL OR due_at > $4)`,
			k.Account, k.ID, db.At(tx.Now()), db.At(tx.Now().Add(lease)))
	})
	return n > 0, err
}

// WakeRefund makes a refund due that is not done, has not failed, and that nobody
// would look at. It reports whether it did. What waits for a person is not for it.
func (d *Desk) WakeRefund(ctx context.Context, k Key) (bool, error) {
	n, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (int64, error) {
		return tx.Exec(ctx, `UPDATE refunds SET due_at = $3 WHERE account_id = $1 AND id = $2
			AND state IN ('due','sent','unknown') AND (due_at IS NULL OR due_at > $4)`,
			k.Account, k.ID, db.At(tx.Now()), db.At(tx.Now().Add(lease)))
	})
	return n > 0, err
}

// WriteBill writes the document of a completed sale that has none. It fails with
// [fault.Conflict] where there is one, or none is due.
func (d *Desk) WriteBill(ctx context.Context, k Key) error {
	err := d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		o, err := Get(ctx, tx, k)
		if err != nil {
			return err
		}
		has, err := billing.OfOrder(ctx, tx, k.Account, k.ID)
		if err != nil {
			return err
		}
		for _, b := range has {
			if b.Kind != billing.CreditNote {
				return fault.New(fault.Conflict, "Order %s has its document: %s.", o.ID, b.ID)
			}
		}
		if o.State != Completed || o.Price.IsZero() {
			return errNotNow(o)
		}
		document, err := d.document(ctx, tx, o)
		if err != nil {
			return err
		}
		var b db.Batch
		document.AddTo(&b, tx.Now())
		return tx.Batch(ctx, &b)
	})
	if db.IsUnique(err) {
		return fault.Wrap(fault.Conflict, err, "Order %s has its document.", k.ID)
	}
	return err
}

// document is what [Desk.addBooks] or [Desk.addCredit] would have written, as of now.
func (d *Desk) document(ctx context.Context, tx db.Tx, o Order) (billing.Bill, error) {
	cat, err := d.Shelf.At(ctx, tx, o.Catalogue)
	if err != nil {
		return billing.Bill{}, err
	}
	id := d.IDs.Under("bl", o.Account)
	if o.Kind == TopUp {
		owed, err := ledger.Moved(ctx, tx, o.Account, o.ID, "completed", ledger.Receivable, o.Price.Currency)
		return receipt(cat.Seller, o, owed, id, tx.Now()), err
	}
	plan, err := fedBy(cat, o)
	if err != nil {
		return billing.Bill{}, err
	}
	op, ok := cat.Operator(plan.Operator)
	if !ok {
		return billing.Bill{}, fault.New(fault.Internal, "catalogue %d lacks the operator of plan %s", cat.Version, o.Plan)
	}
	rate, err := rateOf(cat.Seller, plan.TaxClass)
	if err != nil {
		return billing.Bill{}, err
	}
	return bill(cat.Seller, op, plan, o, rate, billing.TaxIn(o.Charged(), rate), id, tx.Now()), nil
}

// ReturnStray gives back a payment that arrived and that no order has, as it would
// have been given back on its arrival. It fails with [fault.Conflict] where an order
// has it or waits for it, or it was given back.
func (d *Desk) ReturnStray(ctx context.Context, k Key) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		p, err := GetPayment(ctx, tx, k)
		if err != nil {
			return err
		}
		o, err := Get(ctx, tx, Key{k.Account, p.Order})
		if err != nil {
			return err
		}
		var given, back int
		if err := tx.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM allocations WHERE account_id = $1 AND payment_id = $2),
				(SELECT COUNT(*) FROM refunds WHERE account_id = $1 AND payment_id = $2)`, k.Account, k.ID).Scan(&given, &back); err != nil {
			return err
		}
		if p.State != payment.Paid || o.State == Placed || given+back > 0 {
			return fault.New(fault.Conflict, "Payment %s is not without an order.", p.ID)
		}
		booked, err := ledger.Moved(ctx, tx, p.Account, p.ID, "paid", ledger.Due, p.Amount.Currency)
		if err != nil {
			return err
		}
		var b db.Batch
		if booked.IsZero() {
			addReceipt(&b, tx, p, p.Amount)
		}
		d.addRefund(&b, tx, p, o.ID, p.Amount, "double")
		return tx.Batch(ctx, &b)
	})
}

// Trouble is why a person is called about an order.
type Trouble struct {
	Title    string // of the case: one word that the guide for staff explains
	Evidence string // for staff
	Tell     bool   // the customer hears that a person is looking
	Word     string // a word that package message has a sentence for; "": the usual one
}

// AddTrouble appends the opening of a case about an order, and what its customer is
// told, once for an order and word.
func (d *Desk) AddTrouble(b *db.Batch, tx db.Tx, o Order, t Trouble) error {
	support.Opened{Account: o.Account, Order: o.ID, Line: o.Line, Title: t.Title, Evidence: storable(t.Evidence, mostTrace)}.
		AddTo(b, tx.Now(), d.IDs.Under("cs", o.Account))
	if !t.Tell {
		return nil
	}
	key := string(message.OrderHeld) + "/" + o.ID
	if t.Word != "" {
		key += "/" + t.Word
	}
	return message.AddTo(b, tx.Now(), d.IDs.Under("msg", o.Account), message.Draft{
		Account: o.Account, Key: key, Kind: message.OrderHeld, Order: o.ID, Line: o.Line,
		Facts: message.Facts{Amount: o.Charged(), Order: o.ID, Trouble: t.Word},
	})
}

// AddSettled appends the end of a case that [Desk.AddTrouble] opened, where what it
// was about is settled and nobody has written in it.
func AddSettled(b *db.Batch, now time.Time, k Key, title string) {
	support.AddSettled(b, now, k.Account, k.ID, title)
}

const (
	mostTrace  = 3500 // bytes of evidence
	mostEvents = 20   // notifications that it names
)

// Trace is what is known of an order's way: what was asked, what was answered, and
// when, in plain text for staff. Nothing in it opens a door.
func (p Patience) Trace(ctx context.Context, tx db.Tx, o Order, waits []Wait) (string, error) {
	var w report
	now := tx.Now()
	w.say("order", fmt.Sprintf("%s, %s, %s of %s", o.ID, o.State, o.WhatFor(), o.Price))
	w.at("accepted", o.PlacedAt)
	w.at("paid", o.PaidAt)
	w.at("operator first asked", o.AskedAt)
	w.say("operator's reference", o.OperatorRef)
	w.say("its last answer", carrier.Quote(o.Evidence))
	w.say("reason", o.Reason)
	w.say("taken up", fmt.Sprintf("%d times", o.Attempts))
	w.at("next", o.DueAt)
	w.at("ended", o.CompletedAt)
	tried, err := Payments(ctx, tx, o.Ref())
	if err != nil {
		return "", err
	}
	for _, a := range tried {
		w.say("payment", fmt.Sprintf("%s, %s, %s at %s (%s), asked for %s, last answer %s %s", a.ID, a.State, a.Amount, a.Provider,
			a.MoneyID, stamp(a.CreatedAt), stamp(a.UpdatedAt), carrier.Quote(a.Code)))
		if err := w.events(ctx, tx, a); err != nil {
			return "", err
		}
	}
	back, err := Refunds(ctx, tx, o.Ref())
	if err != nil {
		return "", err
	}
	for _, r := range back {
		w.say("refund", fmt.Sprintf("%s, %s, %s because %s, decided %s, first sent %s, done %s, %s", r.ID, r.State, r.Amount, r.Why,
			stamp(r.CreatedAt), stamp(r.AskedAt), stamp(r.DoneAt), carrier.Quote(r.Code)))
	}
	for _, x := range waits {
		w.say("waits", fmt.Sprintf("%s %s for %s since %s, until %s, late by %s", x.Thing, x.ID, x.For, stamp(x.Since), stamp(x.Deadline), x.Late(now).Round(time.Second)))
	}
	return w.String(), nil
}

// events are the notifications about a payment, without their bodies.
func (w *report) events(ctx context.Context, tx db.Tx, p Payment) error {
	rows, err := tx.Query(ctx, `SELECT kind, at FROM provider_events WHERE account_id = $1 AND provider = $2 AND subject = $3 ORDER BY at DESC LIMIT $4`,
		p.Account, p.Provider, p.ID, mostEvents)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // a read; Err says what went wrong
	for rows.Next() {
		var kind string
		var at db.Instant
		if err := rows.Scan(&kind, &at); err != nil {
			return err
		}
		w.say("notification", carrier.Clip(kind)+" "+stamp(at.Time))
	}
	return rows.Err()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}
