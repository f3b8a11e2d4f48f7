package world

import (
	"context"
	"slices"

	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// What the auditor judges while a town is under way, when much of it may still change: an
// order that says that it has ended must be right at that moment, and stay what it is. At
// the end of the town it could have become right meanwhile.

// end is how an order was seen to have ended.
type end struct {
	key   order.Key
	state order.State
}

// ended judges an order that is seen for the first time to have ended: the operator has
// acted, or the money is on its way back.
func (a *auditor) ended(ctx context.Context, o order.Order) {
	if _, seen := a.ends[o.ID]; seen {
		return
	}
	a.ends[o.ID] = end{o.Ref(), o.State}
	a.inOrder = append(a.inOrder, o.ID)
	served := a.s.town.Simple.Extended(o.ID) + a.s.town.Simple.Issues(o.ID)
	right := o.State == order.Cancelled || o.State == order.Completed && (o.Kind == order.TopUp || o.Plan == plansAbroad || served == 1)
	books := a.s.books()
	if right || books == nil {
		return
	}
	p, err := a.read(ctx, books, o.Ref())
	if err != nil {
		a.s.note("reading order %s on the way: %v", o.ID, err)
		return
	}
	if o.State == order.Refunded {
		a.backNow(o, p)
		return
	}
	credited := slices.ContainsFunc(p.bills, func(b billing.Bill) bool { return b.Kind == billing.CreditNote })
	if served > 1 || !credited { // the operator may have taken back what had not begun
		a.wrong("order %s was seen to be completed when its operator had acted %d times", o.ID, served)
	}
}

// backNow wants the money of an order to be back, as far as we have seen that it came. Of
// a second payment we may not have heard yet, and it goes back by itself.
func (a *auditor) backNow(o order.Order, p page) {
	for _, r := range p.refunds {
		if r.State != payment.RefundDone && r.Why == "not_served" {
			a.wrong("order %s was seen to be refunded when %s of it was %s", o.ID, r.Amount, r.State)
		}
	}
	for _, pay := range p.payments {
		other := slices.ContainsFunc(p.refunds, func(r order.Refund) bool { return r.Payment == pay.ID && r.Why != "not_served" })
		if b := a.s.bankOf(pay.Provider); pay.State == payment.Paid && o.Basket == "" && b.Disputed == nil && !other && b.Captured(pay.Ref).Minor > b.Refunded(pay.Ref).Minor {
			a.wrong("order %s was seen to be refunded when %s had taken %s and given back %s", o.ID, b.Name, b.Captured(pay.Ref), b.Refunded(pay.Ref))
		}
	}
}

// stays wants an order to be what it was seen to have ended as.
func (a *auditor) stays(o order.Order) {
	if was, seen := a.ends[o.ID]; seen && was.state != o.State {
		a.wrong("order %s was seen to be %s, and is %s", o.ID, was.state, o.State)
	}
}

// againMost is how many orders that have ended the auditor looks at again each time.
const againMost = 50

// lookAgain looks at some of the orders that have ended, in turn.
func (a *auditor) lookAgain(ctx context.Context) {
	books := a.s.books()
	if books == nil || len(a.inOrder) == 0 {
		return
	}
	err := books.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		for range min(againMost, len(a.inOrder)) {
			o, err := order.Get(ctx, tx, a.ends[a.inOrder[a.again%len(a.inOrder)]].key)
			if err != nil {
				return err
			}
			a.stays(o)
			a.again++
		}
		return nil
	})
	if err != nil {
		a.s.note("looking again on the way: %v", err)
	}
}

// onTheWay has the shop ask itself when most of what customers wanted is under way.
func (a *auditor) onTheWay(ctx context.Context) {
	books := a.s.books()
	if books == nil {
		return
	}
	if err := a.judgeBooks(ctx, books); err != nil {
		a.s.note("the books on the way: %v", err)
	}
}
