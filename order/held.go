package order

import (
	"context"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
)

// hold stops an order that no rule can decide, opens a case with the evidence,
// and tells the customer that a person is looking.
func (d *Desk) hold(ctx context.Context, o Order, reason, evidence string) (Order, error) {
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Order, error) {
		var b db.Batch
		held := addMove(&b, tx, o, Held, func(o *Order) { o.DueAt, o.Reason, o.Evidence = time.Time{}, reason, clip(evidence) })
		addCase(&b, tx, d.IDs, held, reason, evidence)
		if err := d.addNews(&b, tx, message.OrderHeld, held); err != nil {
			return o, err
		}
		return held, conflict(tx.Batch(ctx, &b), o.ID)
	})
}

// addCase appends the opening of a case with evidence, once per order and title.
func addCase(b *db.Batch, tx db.Tx, ids *id.Source, o Order, title, evidence string) {
	b.Add(`INSERT INTO cases (account_id, id, order_id, line_id, state, title, evidence, created_at, updated_at)
		VALUES ($1,$2,$3,$4,'open',$5,$6,$7,$7) ON CONFLICT (account_id, order_id, title) DO NOTHING`,
		o.Account, ids.Under("cs", o.Account), o.ID, o.Line, title, clip(evidence), db.At(tx.Now()))
}

// Act is what a member of staff does with an order that waits for a person.
type Act struct {
	Staff  string // who
	Reason string // why, for the trail; never empty
}

func (a Act) check() error {
	if a.Staff == "" || a.Reason == "" {
		return fault.New(fault.Invalid, "Say who you are and why: both are kept in the trail.")
	}
	return nil
}

// LookAgain lets the system ask the operator once more what became of a held
// order that was asked for, or to ask for one that certainly was not.
func (d *Desk) LookAgain(ctx context.Context, k Key, a Act) (Order, error) {
	return d.act(ctx, k, a, "look-up", func(o Order) (State, error) {
		if o.AskedAt.IsZero() {
			return Paid, nil
		}
		return Fulfilling, nil
	}, func(o *Order, now time.Time) { o.DueAt, o.Attempts = now, 1 })
}

// Hold stops a paid or fulfilling order, so that a person decides about it.
func (d *Desk) Hold(ctx context.Context, k Key, a Act) (Order, error) {
	return d.act(ctx, k, a, "hold", func(Order) (State, error) { return Held, nil },
		func(o *Order, _ time.Time) { o.DueAt, o.Reason = time.Time{}, "staff" })
}

// GiveBack decides that a paid, fulfilling or held order is not served: the
// money goes back.
func (d *Desk) GiveBack(ctx context.Context, k Key, a Act) (Order, error) {
	o, err := d.act(ctx, k, a, "refund", func(Order) (State, error) { return RefundDue, nil },
		func(o *Order, now time.Time) { o.DueAt, o.Reason = now, "staff" })
	if err != nil {
		return o, err
	}
	return o, d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		line.Free(&b, o.Account, o.Line, o.ID)
		return tx.Batch(ctx, &b)
	})
}

// Confirm decides that the operator did serve a held order, with the operator's
// reference as proof.
func (d *Desk) Confirm(ctx context.Context, k Key, operatorRef string, a Act) (Order, error) {
	if operatorRef == "" {
		return Order{}, fault.New(fault.Invalid, "Give the operator's reference: it is the proof.")
	}
	o, err := d.act(ctx, k, a, "confirm", func(Order) (State, error) { return Fulfilling, nil },
		func(o *Order, now time.Time) { o.DueAt = now.Add(lease) })
	if err != nil {
		return o, err
	}
	if o.Kind == TopUp {
		return d.credit(ctx, o)
	}
	done, err := d.books(ctx, finished{o, carrier.Receipt{Ref: operatorRef}})
	if err != nil {
		return o, err
	}
	return done[0], nil
}

// act makes one move by staff, and writes it into the trail.
func (d *Desk) act(ctx context.Context, k Key, a Act, action string, to func(Order) (State, error), change func(*Order, time.Time)) (Order, error) {
	if err := a.check(); err != nil {
		return Order{}, err
	}
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Order, error) {
		o, err := Get(ctx, tx, k)
		if err != nil {
			return o, err
		}
		state, err := to(o)
		if err != nil {
			return o, err
		}
		if !o.State.allows(state) {
			return o, fault.New(fault.Conflict, "Order %s is %s; that cannot be done with it now.", o.ID, o.State)
		}
		var b db.Batch
		moved := addMove(&b, tx, o, state, func(o *Order) { change(o, tx.Now()) })
		b.Add(`INSERT INTO trail (account_id, id, staff, action, subject, reason, at) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
			o.Account, d.IDs.Under("tr", o.Account), a.Staff, action, o.ID, a.Reason, db.At(tx.Now()))
		return moved, conflict(tx.Batch(ctx, &b), o.ID)
	})
}
