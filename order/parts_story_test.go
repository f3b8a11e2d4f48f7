package order_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
)

const openingPoints = 2_000

// Whatever customers do with wallet, points and tools, in whatever parts, while
// wires and operators fail and staff give money back: every part of every order is
// spent once or returned.
func TestAnyStoryInParts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		start, told := env.Clock.Now(), 0
		rapid.Check(t, func(t *rapid.T) {
			if told++; told > stories(t) {
				return
			}
			env.Clock.Set(start)
			tellInParts(t, env)
		})
	})
}

func tellInParts(t *rapid.T, env dbtest.Env) {
	c := newCashier(t, env)
	c.credited = map[string]credited{}
	s := &tale{cashier: c, t: t, pick: func(n int, what string) int { return rapid.IntRange(0, n-1).Draw(t, what) }}
	s.purse = s.randomParts
	var first string
	s.account, first = c.customer(t, extendable, 50*time.Hour, opening)
	c.grant(t, s.account, openingPoints)
	s.lines = []string{first, c.another(t, s.account, extendable, 20*time.Minute), c.another(t, s.account, extendable, 90*time.Hour)}
	c.Desk.IDs = id.NewSource(env.Clock.Now, rand.NewChaCha8([32]byte{2}))
	acts := append(s.acts(), s.giveBack, s.giveBack, s.checkout, s.together, s.together)
	for range 8 + s.pick(30, "length") {
		acts[s.pick(len(acts), "act")]()
	}
	s.end()
}

// randomParts divides a price anyhow; now and then it is more than there is, or
// not the price.
func (s *tale) randomParts(q order.Quote) (catalogue.Tool, order.Parts) {
	tool := []catalogue.Tool{"card", "line_pay", order.ToolWallet}[s.pick(3, "tool")]
	if q.Kind == order.TopUp {
		return tool, order.Parts{}
	}
	var p order.Parts
	p.Points = []int64{0, 0, 100, 333, 840, 841}[s.pick(6, "points")]
	p.Discount = p.Points
	left := q.Price.Minor - p.Discount
	p.Wallet = []int64{0, left / 3, left / 2, left - 100, left}[s.pick(5, "wallet")]
	if tool == order.ToolWallet {
		p.Wallet = left
	}
	if p.Rest = left - p.Wallet; p.Rest == 0 {
		tool = order.ToolWallet
	}
	if s.pick(20, "slip") == 19 {
		p.Rest++
	}
	return tool, p
}

// giveBack is a member of staff who refunds a completed order, or one that waits,
// in whole or in part.
func (s *tale) giveBack() {
	all := s.cashier.orders(s.t, s.account)
	if len(all) == 0 {
		return
	}
	o := all[s.pick(len(all), "refunded")]
	if o.State != order.Completed {
		_, err := s.Desk.GiveBack(s.t.Context(), o.Ref(), mika)
		s.allow(err)
		return
	}
	if o.Kind == order.TopUp {
		return
	}
	charged := o.Charged().Minor
	amount := []int64{charged, charged / 2, 1, charged - 1}[s.pick(4, "amount")]
	want := credited{card: min(amount, o.Parts.Rest)}
	want.wallet = amount - want.card
	give := s.Desk.RefundCompleted
	if s.pick(3, "to wallet") == 2 {
		give, want = s.Desk.RefundToWallet, credited{wallet: amount}
	}
	_, has := s.documents(s.t, s.account, "")
	if _, err := give(s.t.Context(), o.Ref(), money.Of(amount, "JPY"), mika); err != nil {
		if k := fault.KindOf(err); k == fault.Internal {
			s.t.Fatal(err)
		}
		return
	}
	given := o.Parts.Points * amount / charged
	taken := charged/100 - (charged-amount)/100
	want.points = given - min(taken, has+given)
	s.credited[o.ID] = want
}

// together renews several lines at once.
func (s *tale) together() {
	w := order.Together{Account: s.account, Amount: money.Of(0, "JPY"), Tool: []catalogue.Tool{"card", "line_pay", order.ToolWallet}[s.pick(3, "tool")]}
	for _, ln := range s.lines[s.pick(2, "from"):] {
		q, err := s.Desk.Quote(s.t.Context(), s.account, ln, renewal.Item{Kind: renewal.Term, Plan: extendable, ID: "3d"}, "JPY")
		if err != nil {
			s.allow(err)
			return
		}
		w.Quotes, w.Amount.Minor = append(w.Quotes, q.ID), w.Amount.Minor+q.Price.Minor
	}
	all, err := s.Desk.PlaceTogether(s.t.Context(), w)
	s.allow(err)
	if err == nil && all[0].State == order.Placed {
		s.orders = append(s.orders, all...)
		s.pay()
	}
}
