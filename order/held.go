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
	"github.com/tsuzuku/tsuzuku/support"
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

// addCase appends the opening of a case with evidence. There is one for an order
// and title: what happens again is added to it, and opens it again.
func addCase(b *db.Batch, tx db.Tx, ids *id.Source, o Order, title, evidence string) {
	support.Opened{Account: o.Account, Order: o.ID, Line: o.Line, Title: title, Evidence: clip(evidence)}.
		AddTo(b, tx.Now(), ids.Under("cs", o.Account))
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
// order that was asked for, or ask for one that certainly was not. It fails
// with [fault.Conflict] for an order that is not held, and for one that can
// only be given back.
func (d *Desk) LookAgain(ctx context.Context, k Key, a Act) (Order, error) {
	return d.act(ctx, k, a, "look-up", func(ctx context.Context, b *db.Batch, tx db.Tx, o Order) (Order, error) {
		if err := o.servable(ctx, tx); err != nil {
			return o, err
		}
		to := Fulfilling
		if o.AskedAt.IsZero() {
			to = Paid
		}
		return addMove(b, tx, o, to, func(o *Order) { o.DueAt, o.Attempts = tx.Now(), 1 }), nil
	})
}

// Hold stops a paid or fulfilling order, so that a person decides about it. It
// fails with [fault.Conflict] while the operator is being asked.
func (d *Desk) Hold(ctx context.Context, k Key, a Act) (Order, error) {
	return d.act(ctx, k, a, "hold", func(_ context.Context, b *db.Batch, tx db.Tx, o Order) (Order, error) {
		if o.State != Paid && o.State != Fulfilling {
			return o, errNotNow(o)
		}
		if o.asking(tx.Now()) {
			return o, errAsking()
		}
		return addMove(b, tx, o, Held, func(o *Order) { o.DueAt, o.Reason = time.Time{}, "staff" }), nil
	})
}

// GiveBack decides that a paid or held order is not served: the money goes
// back. A refund that failed is sent again. One that the operator may be
// carrying out must be held first, so that nobody works on it any more. Of money
// that the customer's bank has given back for good nothing is sent a second time;
// while a dispute of it is open it fails with [fault.Conflict].
func (d *Desk) GiveBack(ctx context.Context, k Key, a Act) (Order, error) {
	return d.act(ctx, k, a, "refund", func(ctx context.Context, b *db.Batch, tx db.Tx, o Order) (Order, error) {
		if err := d.oneDoor(ctx, tx, o); err != nil {
			return o, err
		}
		switch {
		case o.State == Fulfilling:
			return o, fault.New(fault.Conflict, "Order %s may be at the operator. Hold it first, and look there.", o.ID)
		case o.State != Paid && o.State != Held:
			return o, errNotNow(o)
		}
		return d.addGiveBack(ctx, b, tx, o, "staff", o.Evidence)
	})
}

// Confirm decides that the operator did serve a held order, with the operator's
// reference as proof: it is completed. It fails with [fault.Conflict] for an
// order that is not held, that can only be given back, or whose line was
// changed by another order meanwhile.
func (d *Desk) Confirm(ctx context.Context, k Key, operatorRef string, a Act) (Order, error) {
	if operatorRef == "" {
		return Order{}, fault.New(fault.Invalid, "Give the operator's reference: it is the proof.")
	}
	return d.act(ctx, k, a, "confirm", func(ctx context.Context, b *db.Batch, tx db.Tx, o Order) (Order, error) {
		if err := o.servable(ctx, tx); err != nil {
			return o, err
		}
		if err := d.oneDoor(ctx, tx, o); err != nil {
			return o, err
		}
		cat, err := d.Shelf.At(ctx, tx, o.Catalogue)
		if err != nil {
			return o, err
		}
		o = addMove(b, tx, o, Fulfilling, nil)
		if o.Kind == TopUp {
			return d.addCredit(ctx, b, tx, cat, o)
		}
		if o.Kind == NewLine {
			return o, fault.New(fault.Conflict, "Order %s is of a new line. Say which one the operator made.", o.ID)
		}
		if err := addReservation(ctx, b, tx, o); err != nil {
			return o, err
		}
		return d.addBooks(b, tx, cat, finished{order: o, receipt: carrier.Receipt{Ref: operatorRef}})
	})
}

// ConfirmLine decides that the operator did make the line of a held order, with
// what it made as proof: the order is completed, and the customer has it. It fails
// like [Desk.Confirm], with [fault.Invalid] unless all of what was made is said, and
// with [fault.Conflict] for a profile that is another line's.
func (d *Desk) ConfirmLine(ctx context.Context, k Key, made carrier.Issued, a Act) (Order, error) {
	if made.Ref == "" || made.Profile.ID == "" || made.Profile.ICCID == "" || !carrier.IsCode(made.Code) {
		return Order{}, fault.New(fault.Invalid, "Give the operator's number of the order, of the profile, its ICCID and its code (LPA:1$…): they are the proof.")
	}
	o, err := d.act(ctx, k, a, "confirm", func(ctx context.Context, b *db.Batch, tx db.Tx, o Order) (Order, error) {
		if o.Kind != NewLine {
			return o, fault.New(fault.Conflict, "Order %s is of no new line.", o.ID)
		}
		if err := o.servable(ctx, tx); err != nil {
			return o, err
		}
		if err := d.oneDoor(ctx, tx, o); err != nil {
			return o, err
		}
		cat, err := d.Shelf.At(ctx, tx, o.Catalogue)
		if err != nil {
			return o, err
		}
		return d.addBooks(b, tx, cat, finished{addMove(b, tx, o, Fulfilling, nil), carrier.Receipt{Ref: made.Ref}, made})
	})
	if db.IsUnique(err) {
		err = fault.Wrap(fault.Conflict, err, "This profile is a line already.")
	}
	return o, err
}

// addReservation takes the line for an order that may hold it already.
func addReservation(ctx context.Context, b *db.Batch, tx db.Tx, o Order) error {
	l, err := line.Get(ctx, tx, o.Account, o.Line)
	switch {
	case err != nil:
		return err
	case l.Extending == o.ID:
		return nil
	case l.Extending != "" || l.Periods != o.Periods:
		return fault.New(fault.Conflict, "Line %s was extended by another order meanwhile. Order %s can only be given back.", o.Line, o.ID)
	}
	line.Take(b, o.Account, o.Line, o.ID, o.Periods)
	return nil
}

// servable fails where an order is not held, or can only be given back: its
// money is on the way back already, or is not what was agreed.
func (o Order) servable(ctx context.Context, tx db.Tx) error {
	if o.State != Held {
		return errNotNow(o)
	}
	if o.Rest().IsZero() {
		return nil
	}
	back, err := Refunds(ctx, tx, o.Ref())
	if err != nil {
		return err
	}
	for _, r := range back {
		if r.Why == "not_served" {
			return fault.New(fault.Conflict, "The money of order %s is on its way back. It can only be given back.", o.ID)
		}
	}
	paid, err := paymentsFor(ctx, tx, o)
	if err == nil && (len(paid) != 1 || paid[0].given != o.Rest()) {
		err = fault.New(fault.Conflict, "Order %s was not paid with %s. It can only be given back.", o.ID, o.Rest())
	}
	return err
}

// asking reports whether a worker may be calling the operator at this moment.
func (o Order) asking(now time.Time) bool {
	return o.State == Fulfilling && !o.AskedAt.IsZero() && now.Before(o.AskedAt.Add(lease))
}

func errNotNow(o Order) error {
	return fault.New(fault.Conflict, "Order %s is %s; that cannot be done with it now.", o.ID, o.State)
}

func errAsking() error {
	return fault.New(fault.Conflict, "The operator is being asked at this moment. Try again in a minute.")
}

// act does one thing for staff, in one transaction with its line in the trail.
func (d *Desk) act(ctx context.Context, k Key, a Act, action string, do func(context.Context, *db.Batch, db.Tx, Order) (Order, error)) (Order, error) {
	if err := a.check(); err != nil {
		return Order{}, err
	}
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Order, error) {
		o, err := Get(ctx, tx, k)
		if err != nil {
			return o, err
		}
		var b db.Batch
		done, err := do(ctx, &b, tx, o)
		if err != nil {
			return o, err
		}
		d.addTrail(&b, tx, a, action, o)
		return done, conflict(tx.Batch(ctx, &b), o.ID)
	})
}

func (d *Desk) addTrail(b *db.Batch, tx db.Tx, a Act, action string, o Order) {
	b.Add(`INSERT INTO trail (account_id, id, staff, action, subject, reason, at) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
		o.Account, d.IDs.Under("tr", o.Account), a.Staff, action, o.ID, a.Reason, db.At(tx.Now()))
}

// RefundAgain sends the refunds of an order once more that failed, or of which
// nothing clear was heard. It fails with [fault.Conflict] when there is none.
func (d *Desk) RefundAgain(ctx context.Context, k Key, a Act) (Order, error) {
	return d.act(ctx, k, a, "refund again", func(ctx context.Context, b *db.Batch, tx db.Tx, o Order) (Order, error) {
		all, err := Refunds(ctx, tx, k)
		if err != nil {
			return o, err
		}
		before := b.Len()
		for _, r := range all {
			addRefundAgain(b, tx, r)
			if r.rests() && r.Why == "not_served" && o.State == Held {
				o = addMove(b, tx, o, RefundDue, nil)
			}
		}
		if b.Len() == before {
			return o, fault.New(fault.Conflict, "No refund of order %s waits for a person.", o.ID)
		}
		return o, nil
	})
}
