package world

import (
	"context"

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
	if o.Kind != order.TopUp && o.Plan != plansAbroad && o.State == order.Completed {
		if n := a.s.town.Simple.Extended(o.ID) + a.s.town.Simple.Issues(o.ID); n > 1 || n == 0 && !a.takenBack(o.ID) {
			a.wrong("order %s was seen to be completed when its operator had acted %d times", o.ID, n)
		}
	}
	books := a.s.books()
	if o.State != order.Refunded || books == nil {
		return
	}
	p, err := a.read(ctx, books, o.Ref())
	if err != nil {
		a.s.note("reading order %s on the way: %v", o.ID, err)
		return
	}
	for _, r := range p.refunds {
		if r.State != payment.RefundDone {
			a.wrong("order %s was seen to be refunded when %s of it was %s", o.ID, r.Amount, r.State)
		}
	}
	for _, pay := range p.payments {
		if b := a.s.bankOf(pay.Provider); o.Basket == "" && b.Disputed == nil && b.Captured(pay.Ref).Minor > b.Refunded(pay.Ref).Minor {
			a.wrong("order %s was seen to be refunded when %s had taken %s and given back %s", o.ID, b.Name, b.Captured(pay.Ref), b.Refunded(pay.Ref))
		}
	}
}

// takenBack reports whether staff gave back what an order costs: then the operator may
// have taken back what had not begun.
func (a *auditor) takenBack(id string) bool {
	for _, t := range a.tickets {
		if t.order == id {
			return t.back
		}
	}
	return false
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
