package world

import (
	"context"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
)

// togetherers is one in how many of those with several lines renews them all at once.
const togetherers = 4

// quoteTogether is a customer who chooses for every line, and pays for all of them
// with one payment. first is the ticket of one of them.
func (s *Simulation) quoteTogether(ctx context.Context, first *ticket, c money.Currency) {
	all := []*ticket{first}
	for _, l := range first.who.lines {
		if l != first.line {
			t := &ticket{n: len(s.auditor.tickets) + 1, who: first.who, line: l, kind: order.Term, tool: first.tool}
			s.auditor.tickets = append(s.auditor.tickets, t)
			all = append(all, t)
		}
	}
	for _, t := range all {
		alive, err := s.in(ctx, "a quote", func(ctx context.Context, h *House) (err error) {
			t.quote, err = h.Desk.Quote(ctx, t.who.account, t.line.id, s.item(t), c)
			return err
		})
		if !alive || err != nil {
			s.log("%d no quote: %v", t.n, said(err))
			return
		}
		t.price = t.quote.Price
		if t.parts = (order.Parts{Rest: t.price.Minor}); t.tool == order.ToolWallet {
			t.parts = order.Parts{Wallet: t.price.Minor}
		}
	}
	for _, t := range all {
		t.together = all
	}
	s.after(s.hesitation(), func(ctx context.Context) { s.placeTogether(ctx, all) })
}

// placeTogether is the customer who confirms them all, or, now and then, another sum.
func (s *Simulation) placeTogether(ctx context.Context, all []*ticket) {
	first := all[0]
	a := order.Together{Account: first.who.account, Amount: money.Of(0, first.price.Currency), Tool: first.tool}
	for _, t := range all {
		a.Quotes = append(a.Quotes, t.quote.ID)
		a.Amount.Minor += t.price.Minor
	}
	if s.rand.IntN(100) == 0 {
		wrong := a
		wrong.Amount.Minor--
		alive, err := s.in(ctx, "a wrong sum", func(ctx context.Context, h *House) error {
			_, err := h.Desk.PlaceTogether(ctx, wrong)
			return err
		})
		if alive && err == nil {
			s.note("the orders with %d were placed with a sum that is not theirs", first.n)
		}
	}
	var placed []order.Order
	alive, err := s.in(ctx, "placing together", func(ctx context.Context, h *House) (err error) {
		placed, err = h.Desk.PlaceTogether(ctx, a)
		return err
	})
	s.log("%d and %d more placed: %v", first.n, len(all)-1, said(err))
	switch {
	case !alive && first.patience > 0:
		first.patience--
		s.after(s.hesitation(), func(ctx context.Context) { s.placeTogether(ctx, all) })
	case alive && err == nil:
		s.knowAll(ctx, all, placed)
	}
}

// knowAll is the customer who reads which order is of which line, and pays.
func (s *Simulation) knowAll(ctx context.Context, all []*ticket, placed []order.Order) {
	for _, o := range placed {
		for _, t := range all {
			if t.quote.ID == o.Quote {
				t.know(o.ID, s)
			}
		}
	}
	for _, t := range all {
		if t.order == "" {
			s.note("order %d is not among those that were placed together", t.n)
			return
		}
	}
	s.auditor.outcomes["together"]++
	if all[0].parts.Rest > 0 {
		payer := *all[0] // pays for all of them, under the first order
		payer.order = placed[0].ID
		s.pay(ctx, &payer)
	}
}

// judgeTogether adds up what the banks took and gave back for orders that were paid
// at once: what is kept is what those of them cost that were carried out.
func (a *auditor) judgeTogether() {
	for _, t := range a.tickets {
		if len(t.together) == 0 || t.together[0] != t {
			continue
		}
		var sum reckoning
		for _, each := range t.together {
			sum.kept += each.money.kept
			sum.want += each.money.want
			sum.disputed += each.money.disputed
			sum.held = sum.held || each.money.held
		}
		if !sum.right() {
			a.wrong("of the orders paid with %s the banks keep %d instead of %d", t.order, sum.kept, sum.want)
		}
	}
}

// reckoning is what the banks have of an order, and should have.
type reckoning struct {
	kept, want int64
	disputed   int64 // of what they kept, what customers' banks hold back
	held       bool  // it waits for a person
}

// right reports whether the banks have what they should. Where a customer's bank was
// faster than we with giving back, they have more, and their bank holds it.
func (r reckoning) right() bool {
	return r.held || r.want <= r.kept && r.kept <= r.want+r.disputed
}

// debts are what a customer owes because of disputes that the shop knows of, by
// currency, and what of that is not paid.
func debts(ctx context.Context, tx db.Tx, orders []order.Order) (map[money.Currency]int64, error) {
	owes, seen := map[money.Currency]int64{}, map[string]bool{}
	for _, o := range orders {
		all, err := order.Disputes(ctx, tx, o)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return nil, err
		}
		for _, d := range all {
			if !seen[d.ID] {
				seen[d.ID] = true
				owes[d.Amount.Currency] += d.Owed - d.Paid
			}
		}
	}
	return owes, nil
}
