package world

import (
	"context"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/support"
)

// The seller's staff, as far as a town has them: every half hour somebody decides
// the orders that wait for a person, as a person can who looks at the operator's
// console, and gives back what customers are sorry to have bought.

const (
	clerkEvery = 30 * time.Minute
	clerkLooks = 50 // orders at a time
	clerkReads = 10_000
	clerkWaits = 20 * time.Minute

	// refundTakes is how long the house is awake for a refund that staff asked for: until
	// it is done, or found to be late.
	refundTakes = 30 * time.Minute

	// lastResend is how long into the time without faults a refund is sent again that
	// its provider says nothing clear of: it is tried for a day.
	lastResend = 3 * time.Hour
)

func (s *Simulation) clerk(ctx context.Context) {
	s.after(clerkEvery, s.clerk)
	s.auditor.lookAgain(ctx)
	var held []order.Order
	_, _ = s.in(ctx, "the clerk's list", func(ctx context.Context, h *House) (err error) {
		held, err = db.Seen(ctx, h.DB, func(ctx context.Context, tx db.Tx) ([]order.Order, error) {
			return order.Newest(ctx, tx, order.Held, clerkLooks)
		})
		return err
	})
	for _, o := range held {
		if s.clock.Now().Sub(o.UpdatedAt) < clerkWaits {
			continue
		}
		s.decide(ctx, o)
	}
	for range 1 + len(s.auditor.tickets)/200 {
		s.regret(ctx)
	}
	failed := s.failedRefunds(ctx)
	for _, t := range s.auditor.tickets {
		if t.order != "" && (t.contested || t.back || failed[t.order]) {
			s.sendAgain(ctx, t)
		}
	}
}

// failedRefunds are the orders of which a refund waits for a person, by the cases about
// it. Before the weather is fine they would fail again.
func (s *Simulation) failedRefunds(ctx context.Context) map[string]bool {
	if sunny := s.clock.Now().Sub(s.end()); sunny < 0 || sunny > lastResend {
		return nil
	}
	orders := map[string]bool{}
	_, _ = s.in(ctx, "the clerk's cases", func(ctx context.Context, h *House) error {
		return h.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
			open, err := support.OpenOnes(ctx, tx, clerkReads)
			for _, c := range open {
				if c.Title == "refund_failed" {
					orders[c.Order] = true
				}
			}
			return err
		})
	})
	return orders
}

// sendAgain is what a person does with the case of a refund that a bank refused, say,
// because the customer's own bank was about to give the money back, or of which it said
// nothing clear for a day.
func (s *Simulation) sendAgain(ctx context.Context, t *ticket) {
	k := order.Key{Account: t.who.account, ID: t.order}
	_, _ = s.in(ctx, "a refund that failed", func(ctx context.Context, h *House) error {
		all, err := db.Seen(ctx, h.DB, func(ctx context.Context, tx db.Tx) ([]order.Refund, error) { return order.Refunds(ctx, tx, k) })
		for _, r := range all {
			if r.State != payment.RefundDone && r.DueAt.IsZero() {
				s.auditor.decided[t.order] = s.clock.Now()
				_, err = h.Desk.RefundAgain(ctx, k, order.Act{Staff: "mika", Reason: "the dispute is over"})
				s.log("clerk sends the refund of %s again: %s", t.order, said(err))
				s.alert = s.clock.Now().Add(refundTakes)
				break
			}
		}
		return err
	})
}

// decide is what a person does with a held order: what the operator's console
// shows is the truth.
func (s *Simulation) decide(ctx context.Context, o order.Order) {
	sunny := s.clock.Now().Sub(s.end())
	if o.Reason == "refund_failed" && sunny > lastResend {
		return // what is still unclear a day after would be no nearer to its end when the town ends
	}
	s.auditor.decided[o.ID] = s.clock.Now()
	act := order.Act{Staff: "mika", Reason: "looked at the operator's console"}
	what := "gives back"
	_, err := s.in(ctx, "the clerk", func(ctx context.Context, h *House) (err error) {
		switch {
		case o.Reason == "refund_failed":
			what = "sends the refund again"
			_, err = h.Desk.RefundAgain(ctx, o.Ref(), act)
		case o.Kind == order.NewLine && s.served(o.ID) > 0:
			made, ok := s.town.Simple.Made(o.ID)
			if ok {
				what = "says which line was made for"
				_, err = h.Desk.ConfirmLine(ctx, o.Ref(), made, act)
				break
			}
			what = "lets look again"
			_, err = h.Desk.LookAgain(ctx, o.Ref(), act)
		case o.Kind != order.TopUp && s.served(o.ID) > 0:
			what = "confirms"
			_, err = h.Desk.Confirm(ctx, o.Ref(), "op-"+o.ID, act)
		case s.rand.IntN(2) == 0 && o.Reason != "amount_differs":
			what = "lets look again"
			_, err = h.Desk.LookAgain(ctx, o.Ref(), act)
		default:
			_, err = h.Desk.GiveBack(ctx, o.Ref(), act)
		}
		return err
	})
	s.log("clerk %s %s (%s): %s", what, o.ID, o.Reason, said(err))
}

// regret is a customer who asks for money back after the service was sold, and
// staff that gives all of it or a part.
func (s *Simulation) regret(ctx context.Context) {
	all := s.auditor.tickets
	if len(all) == 0 {
		return
	}
	t := all[s.rand.IntN(len(all))]
	if t.order == "" || t.back || s.rand.IntN(3) > 0 {
		return
	}
	amount, charged := money.Money{}, t.charged()
	if s.rand.IntN(2) == 0 && charged.Minor > 0 {
		amount = money.Of(1+s.rand.Int64N(charged.Minor), charged.Currency)
		amount.Minor -= amount.Minor % wholeUnits[amount.Currency]
	}
	s.giveBack(ctx, t, amount)
}

func (s *Simulation) giveBack(ctx context.Context, t *ticket, amount money.Money) {
	k := order.Key{Account: t.who.account, ID: t.order}
	alive, err := s.in(ctx, "a refund by staff", func(ctx context.Context, h *House) error {
		_, err := h.Desk.RefundCompleted(ctx, k, amount, order.Act{Staff: "mika", Reason: "the customer asked for it"})
		return err
	})
	s.log("clerk gives %s of %s back: %s", amount, t.order, said(err))
	s.alert = s.clock.Now().Add(refundTakes)
	switch {
	case !alive, fault.KindOf(err) == fault.Unavailable: // it is tried again, and may have been done
		s.after(time.Minute, func(ctx context.Context) { s.giveBack(ctx, t, amount) })
	case err == nil && amount.IsZero():
		t.back, t.given = true, t.charged()
	case err == nil:
		t.back, t.given = true, amount
	}
}

// wholeUnits are the smallest amounts that every bank of the town can give back.
var wholeUnits = map[money.Currency]int64{"JPY": 1, "USD": 1, "CNY": 1, "TWD": 100}
