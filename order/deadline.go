package order

import (
	"context"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/payment"
)

// This file says how long every step may last, and it is the only place that does.
// Where a stranger's own time is longer than ours, theirs counts: nothing can be
// known sooner.

const (
	// SettleWithin is how long money may be with us while nobody knows what became of
	// what it paid for, or of a refund that was asked for.
	SettleWithin = 5 * time.Minute

	// settleAfter is how long we may take once a stranger's settling time is over.
	settleAfter = time.Minute

	// DecideWithin is how long something may wait for a person.
	DecideWithin = 24 * time.Hour

	// RefundWithin is how long a provider may carry out a refund that it has, until a
	// person should know.
	RefundWithin = 48 * time.Hour

	// WorkWithin is how long a row may be due before nobody seems to work.
	WorkWithin = 5 * time.Minute

	// NumberWithin is how long a bill may wait for its number.
	NumberWithin = time.Minute
)

// Limit is how long one step may last, in words.
type Limit struct {
	Thing string // order, payment or refund
	Step  string // its state
	For   string // what it waits for
	Says  string // until when
}

// Limits are all steps that wait, as [Patience] knows them.
var Limits = []Limit{
	{"order", string(Placed), "its money", "the offer's end, and 16 minutes in which its provider is asked whether it was paid"},
	{"order", string(Paid), "its operator to be asked", "5 minutes after the payment, or the operator's settling time and 100 seconds where that is longer"},
	{"order", string(Fulfilling), "its operator's answer", "5 minutes after the payment, or the operator's settling time and 100 seconds after it was asked where that is longer"},
	{"order", string(RefundDue), "its refund to be written", "5 minutes"},
	{"order", string(Held), "a person", "24 hours"},
	{"payment", string(payment.Created), "its provider to hear of it", "5 minutes, or the provider's settling time and 100 seconds where that is longer"},
	{"payment", string(payment.Unknown), "its provider's answer", "5 minutes, or the provider's settling time and 100 seconds where that is longer"},
	{"payment", string(payment.Open), "the customer", "the offer's end and 16 minutes"},
	{"payment", string(payment.NeedsCustomer), "the customer", "the offer's end and 16 minutes"},
	{"payment", string(payment.Approved), "its money to be taken", "the offer's end and 16 minutes"},
	{"payment", string(payment.Pending), "its money", "7 days after the offer's end"},
	{"refund", string(payment.RefundDue), "its provider to be asked", "5 minutes"},
	{"refund", string(payment.RefundUnknown), "its provider's answer", "5 minutes, or the provider's settling time and 100 seconds after it was asked where that is longer"},
	{"refund", string(payment.RefundSent), "its provider to carry it out", "48 hours after it was asked"},
	{"refund", string(payment.RefundFailed), "a person", "24 hours"},
}

// Wait is one thing that waits, since when, and until when at the latest.
type Wait struct {
	Thing    string    `json:"thing"` // order, payment or refund
	ID       string    `json:"id"`
	Step     string    `json:"step"` // its state
	For      string    `json:"for"`  // in words
	Since    time.Time `json:"since"`
	Deadline time.Time `json:"deadline"`
}

// Late is for how long the deadline has been over at an instant; 0 before it.
func (w Wait) Late(now time.Time) time.Duration {
	if w.Deadline.IsZero() || !now.After(w.Deadline) {
		return 0
	}
	return now.Sub(w.Deadline)
}

// Patience knows how long strangers may take to settle, by the names of their
// adapters; 0 where it does not know one.
type Patience struct {
	Operator func(adapter string) time.Duration
	Provider func(adapter string) time.Duration
}

// Patience is that of the desk's own strangers.
func (d *Desk) Patience() Patience {
	return Patience{
		Operator: func(adapter string) time.Duration {
			if c, ok := d.Carriers[adapter]; ok {
				return c.Abilities().SettlesWithin
			}
			return 0
		},
		Provider: func(adapter string) time.Duration {
			if p, ok := d.Providers[adapter]; ok {
				return p.Limits().SettlesWithin
			}
			return 0
		},
	}
}

// settled is when something must be settled that began at one instant and was asked
// for at another, which may be zero: not yet.
func settled(began, asked time.Time, settles time.Duration) time.Time {
	if asked.IsZero() {
		asked = began
	}
	return later(began.Add(SettleWithin), asked.Add(lease+settles+settleAfter))
}

// wait is a [Wait] in the words of [Limits].
func wait(thing, id, step string, since, deadline time.Time) Wait {
	for _, l := range Limits {
		if l.Thing == thing && l.Step == step {
			return Wait{thing, id, step, l.For, since, deadline}
		}
	}
	return Wait{}
}

// Order is what an order waits for; ok is false where it waits for nothing. cat is
// the catalogue under which it was accepted; nil: its operator is not known.
func (p Patience) Order(cat *catalogue.Catalogue, o Order) (w Wait, ok bool) {
	var since, deadline time.Time
	switch o.State {
	case Placed:
		since, deadline = o.PlacedAt, o.ExpiresAt.Add(letGoAfter+settleAfter)
	case Paid, Fulfilling:
		since, deadline = o.PaidAt, settled(o.PaidAt, o.AskedAt, p.operator(cat, o))
	case RefundDue:
		since, deadline = o.UpdatedAt, o.UpdatedAt.Add(SettleWithin)
	case Held:
		since, deadline = o.UpdatedAt, o.UpdatedAt.Add(DecideWithin)
	case Completed, Cancelled, Refunded:
		return Wait{}, false
	}
	return wait("order", o.ID, string(o.State), since, deadline), true
}

// operator is how long the slowest operator of an order's plan takes.
func (p Patience) operator(cat *catalogue.Catalogue, o Order) time.Duration {
	if cat == nil || p.Operator == nil {
		return 0
	}
	plan, _ := cat.Plan(o.Plan)
	slowest := time.Duration(0)
	for _, id := range plan.Operators() {
		op, _ := cat.Operator(id)
		slowest = max(slowest, p.Operator(op.Carrier))
	}
	return slowest
}

// Payment is what an attempt waits for.
func (p Patience) Payment(a Payment) (w Wait, ok bool) {
	var deadline time.Time
	switch a.State {
	case payment.Created, payment.Unknown:
		deadline = settled(a.CreatedAt, time.Time{}, p.provider(a.Provider))
	case payment.Open, payment.NeedsCustomer, payment.Approved:
		deadline = a.ExpiresAt.Add(letGoAfter + settleAfter)
	case payment.Pending:
		deadline = a.ExpiresAt.Add(unclearFor)
	case payment.Paid, payment.Dead:
		return Wait{}, false
	}
	return wait("payment", a.ID, string(a.State), a.CreatedAt, deadline), true
}

// Refund is what a refund waits for.
func (p Patience) Refund(r Refund) (w Wait, ok bool) {
	asked := r.AskedAt
	if asked.IsZero() {
		asked = r.DueAt // from then on it is asked for: staff may have sent it again
	}
	var deadline time.Time
	switch r.State {
	case payment.RefundDue:
		deadline = later(r.CreatedAt, asked).Add(SettleWithin)
	case payment.RefundUnknown:
		deadline = settled(r.CreatedAt, asked, p.provider(r.Provider))
	case payment.RefundSent:
		deadline = later(r.CreatedAt, asked).Add(RefundWithin)
	case payment.RefundFailed:
		deadline = later(r.CreatedAt, asked).Add(DecideWithin)
	case payment.RefundDone:
		return Wait{}, false
	}
	return wait("refund", r.ID, string(r.State), r.CreatedAt, deadline), true
}

func (p Patience) provider(adapter string) time.Duration {
	if p.Provider == nil {
		return 0
	}
	return p.Provider(adapter)
}

// Waits are what an order waits for, and what its payments and refunds wait for. An
// order whose refund is written waits for that alone.
func (p Patience) Waits(ctx context.Context, tx db.Tx, shelf *catalogue.Shelf, k Key) (all []Wait, err error) {
	o, err := Get(ctx, tx, k)
	if err != nil {
		return nil, err
	}
	tried, err := Payments(ctx, tx, k)
	if err != nil {
		return nil, err
	}
	back, err := Refunds(ctx, tx, k)
	if err != nil {
		return nil, err
	}
	cat, err := known(ctx, tx, shelf, o.Catalogue)
	if err != nil {
		return nil, err
	}
	if w, ok := p.Order(cat, o); ok && (o.State != RefundDue || len(back) == 0) {
		all = append(all, w)
	}
	for _, a := range tried {
		if w, ok := p.Payment(a); ok {
			all = append(all, w)
		}
	}
	for _, r := range back {
		if w, ok := p.Refund(r); ok {
			all = append(all, w)
		}
	}
	return all, nil
}

// Of is what one thing waits for, by its identifier: an order, payment or refund; ok
// is false for what waits for nothing, is none of these, or is not there.
func (p Patience) Of(ctx context.Context, tx db.Tx, shelf *catalogue.Shelf, account, thing string) (w Wait, ok bool, err error) {
	switch kind, _, _ := strings.Cut(thing, "_"); kind {
	case "ord":
		o, err := Get(ctx, tx, Key{account, thing})
		if err != nil {
			return w, false, unlessGone(err)
		}
		cat, err := known(ctx, tx, shelf, o.Catalogue)
		if err != nil {
			return w, false, err
		}
		w, ok = p.Order(cat, o)
	case "py":
		a, err := GetPayment(ctx, tx, Key{account, thing})
		if err != nil {
			return w, false, unlessGone(err)
		}
		w, ok = p.Payment(a)
	case "rf":
		all, err := refunds(ctx, tx, `SELECT `+refundColumns+` FROM refunds WHERE account_id = $1 AND id = $2`, account, thing)
		if err != nil || len(all) == 0 {
			return w, false, err
		}
		w, ok = p.Refund(all[0])
	}
	return w, ok, nil
}

func unlessGone(err error) error {
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	return err
}

// known is a version of the catalogue; nil where there is none.
func known(ctx context.Context, tx db.Tx, shelf *catalogue.Shelf, version int64) (*catalogue.Catalogue, error) {
	cat, err := shelf.At(ctx, tx, version)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	return cat, err
}
