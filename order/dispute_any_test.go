package order_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Whatever a customer buys at two providers and disputes there, and whatever staff
// refund, hold and let go meanwhile, heard or unheard: when all is decided the sellers
// have what they gave, the customer got it or has their money, once, and the books say so.
func TestAnyDisputes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		start, told := env.Clock.Now(), 0
		rapid.Check(t, func(t *rapid.T) {
			if told++; told > stories(t) {
				return
			}
			env.Clock.Set(start)
			tellOfDisputes(t, env)
		})
	})
}

// disputable is something that was paid at a provider that knows disputes.
type disputable struct {
	quarrel
	order order.Order
	ref   string
}

// litigant is a customer who disputes.
type litigant struct {
	*cashier
	t        *rapid.T
	at       []quarrel
	account  string
	lines    []string
	mine     []disputable
	credited int64 // what staff gave back of renewals that were served
}

func tellOfDisputes(t *rapid.T, env dbtest.Env) {
	c := newCashier(t, env)
	s := &litigant{cashier: c, t: t, at: []quarrel{c.atStripe(t), c.atPayPal(t)}}
	var first string
	s.account, first = c.customer(t, extendable, 20*day, 0)
	s.lines = []string{first, c.another(t, s.account, extendable, 15*day)}
	c.Desk.IDs = id.NewSource(env.Clock.Now, rand.NewChaCha8([32]byte{3})) // the account is new; the rest is the same each time
	acts := s.acts()
	s.buy()
	for range 1 + s.pick(14, "length") {
		a := acts[s.pick(len(acts), "act")]
		t.Log(a.name)
		a.do()
	}
	s.end()
	s.judge()
}

func (s *litigant) pick(n int, what string) int { return rapid.IntRange(0, n-1).Draw(s.t, what) }

// act is something that may happen.
type act struct {
	name string
	do   func()
}

// paid is something that the customer does about one of their payments. That it cannot
// be done now is a story, too.
func (s *litigant) paid(do func(disputable) error) func() {
	return func() {
		if len(s.mine) > 0 {
			_ = do(s.mine[s.pick(len(s.mine), "which")])
		}
	}
}

func (s *litigant) acts() []act {
	dispute := act{"dispute", s.paid(func(d disputable) error { return d.dispute(d.ref) })}
	lose := act{"lose", s.paid(func(d disputable) error { return d.lose(d.ref) })}
	look, refund := act{"look", s.look}, act{"refund", s.refunds(s.Desk.RefundCompleted)}
	return []act{
		dispute, lose,
		{"win", s.paid(func(d disputable) error { return d.win(d.ref) })},
		refund, look,
		dispute,
		{"buy", s.buy},
		{"top up", s.topUp},
		{"hold", s.hold},
		lose,
		{"dispute a part", s.paid(func(d disputable) error { return d.part(d.ref, int64(1+s.pick(1500, "part"))) })},
		{"ask", s.paid(func(d disputable) error { return d.ask(d.ref) })},
		{"insist", s.paid(func(d disputable) error { return d.insist(d.ref) })},
		{"recant", s.paid(func(d disputable) error { return d.recant(d.ref) })},
		{"late", s.late},
		{"give back", s.decides(s.Desk.GiveBack)},
		{"confirm", s.decides(s.confirms)},
		{"write off", s.decides(s.Desk.WriteOff)},
		{"refund to wallet", s.refunds(s.Desk.RefundToWallet)},
		{"refund again", s.decides(s.Desk.RefundAgain)},
		{"refund again to wallet", s.decides(s.Desk.RefundAgainToWallet)},
		{"spend", s.spend},
		{"tell", s.tell},
		{"deafen", s.deafen},
		{"disturb", s.disturb},
		{"refuse", s.refuse},
		{"hour", s.hour},
		{"day", s.day},
		refund, look,
	}
}

// quoted fixes the prices of renewals; nothing is sold where a line is not there any
// more.
func (s *litigant) quoted(lines ...string) (all []order.Quote) {
	p, _ := demo().Plan(extendable)
	for _, ln := range lines {
		q, err := s.Desk.Quote(s.t.Context(), s.account, ln, renewal.Item{Kind: renewal.Term, Plan: extendable, ID: p.Terms[0].ID}, "JPY")
		if err != nil {
			return nil
		}
		all = append(all, q)
	}
	return all
}

// renews begins to pay a renewal at one of the two, in part from the wallet where that
// holds something, or those of both lines together.
func (s *litigant) renews() (d disputable, ok bool) {
	how := s.pick(4, "how")
	if how == 3 {
		all := s.quoted(s.lines...)
		if all == nil {
			return d, false
		}
		d.quarrel = s.at[s.pick(len(s.at), "provider")]
		placed, err := s.Desk.PlaceTogether(s.t.Context(), order.Together{
			Account: s.account, Quotes: []string{all[0].ID, all[1].ID}, Amount: money.Of(all[0].Price.Minor+all[1].Price.Minor, "JPY"), Tool: catalogue.Tool(d.rail),
		})
		if err != nil {
			return d, false
		}
		return s.begins(d, placed[0])
	}
	all := s.quoted(s.lines[s.pick(2, "line")])
	if all == nil {
		return d, false
	}
	var parts order.Parts
	if from := min(s.wallet(s.t, s.account), 700); how == 2 && from > 0 {
		parts = order.Parts{Wallet: from, Rest: all[0].Price.Minor - from}
	}
	return s.places(all[0], parts)
}

// places places an order that is to be paid at one of the two.
func (s *litigant) places(q order.Quote, parts order.Parts) (d disputable, ok bool) {
	d.quarrel = s.at[s.pick(len(s.at), "provider")]
	o, err := s.Desk.Place(s.t.Context(), order.Acceptance{Account: s.account, Quote: q.ID, Amount: q.Price, Tool: catalogue.Tool(d.rail), Parts: parts})
	if err != nil {
		return d, false
	}
	return s.begins(d, o)
}

func (s *litigant) begins(d disputable, o order.Order) (disputable, bool) {
	p, err := s.Desk.Pay(s.t.Context(), o.Ref(), d.rail, ways)
	d.order, d.ref = o, p.Ref
	return d, err == nil
}

func (s *litigant) pays(d disputable) {
	if d.pay(d.ref) == nil {
		s.come(s.t, d.order)
		s.mine = append(s.mine, d)
	}
}

func (s *litigant) buy() {
	if d, ok := s.renews(); ok {
		s.pays(d)
		s.pass(s.t, time.Minute)
	}
}

func (s *litigant) topUp() {
	q, err := s.Desk.QuoteTopUp(s.t.Context(), s.account, money.Of(int64(1000+100*s.pick(50, "hundreds")), "JPY"))
	if err != nil {
		s.t.Fatal(err)
	}
	if d, ok := s.places(q, order.Parts{}); ok {
		s.pays(d)
		s.pass(s.t, time.Minute)
	}
}

// hold is an order that staff hold before anything was asked for.
func (s *litigant) hold() {
	if d, ok := s.renews(); ok {
		s.pays(d)
		_, _ = s.Desk.Hold(s.t.Context(), d.order.Ref(), mika)
		s.work(s.t)
	}
}

// late is money that comes for an order that is cancelled, since its provider cannot
// be asked for hours.
func (s *litigant) late() {
	d, ok := s.renews()
	if !ok {
		return
	}
	muted, away := s.card.mute, d.name == "stripe"
	s.card.mute = true
	d.wire.Choose = func(r *http.Request) outboundsim.Fault {
		switch {
		case away:
			return outboundsim.Refuse
		case strings.HasSuffix(r.URL.Path, "/capture"):
			away = true
			return outboundsim.LoseAnswer
		}
		return outboundsim.None
	}
	s.pays(d)
	s.pass(s.t, 3*time.Hour)
	if s.pick(2, "at once") == 1 {
		_ = d.dispute(d.ref)
	}
	d.wire.Choose, s.card.mute = nil, muted
}

// spend renews with what the wallet holds.
func (s *litigant) spend() {
	if all := s.quoted(s.lines[0]); all != nil {
		_, _ = s.place(s.t, all[0])
		s.work(s.t)
	}
}

// staffed is what staff try with one of the orders. That it is refused is a story,
// that it fails is not.
func (s *litigant) staffed(do func(order.Order) error) {
	all := s.orders(s.t, s.account)
	if len(all) == 0 {
		return
	}
	refused := []fault.Kind{fault.Invalid, fault.Conflict, fault.Denied, fault.Unavailable}
	if err := do(all[s.pick(len(all), "order")]); !slices.Contains(refused, fault.KindOf(err)) {
		done(s.t, err)
	}
	if s.pick(2, "at once") == 1 {
		s.work(s.t)
	}
}

// refunds gives back a part of what was served, or all of it.
func (s *litigant) refunds(by func(context.Context, order.Key, money.Money, order.Act) (order.Order, error)) func() {
	return func() {
		s.staffed(func(o order.Order) error {
			amount := o.Charged()
			if s.pick(2, "part") == 1 {
				amount.Minor = int64(1 + s.pick(1680, "yen"))
			}
			_, err := by(s.t.Context(), o.Ref(), amount, mika)
			if err == nil && o.Kind != order.TopUp {
				s.credited += amount.Minor
			}
			return err
		})
	}
}

// decides is a member of staff who decides about an order.
func (s *litigant) decides(what func(context.Context, order.Key, order.Act) (order.Order, error)) func() {
	return func() {
		s.staffed(func(o order.Order) error {
			_, err := what(s.t.Context(), o.Ref(), mika)
			return err
		})
	}
}

func (s *litigant) confirms(ctx context.Context, k order.Key, a order.Act) (order.Order, error) {
	return s.Desk.Confirm(ctx, k, "op-proof", a)
}

func (s *litigant) look() {
	if len(s.mine) > 0 {
		s.cashier.look(s.t, s.mine[0].order)
	}
}

// tell posts what PayPal has to tell, once or twice; or it is lost.
func (s *litigant) tell() {
	q := s.at[1]
	all := q.fetch()
	for range s.pick(3, "times") {
		for _, n := range all {
			_, _ = s.Desk.Notify(s.t.Context(), q.name, n.header, n.body) // its certificate may be out of reach
			s.work(s.t)
		}
	}
}

// deafen loses what Stripe tells from now on, or no more.
func (s *litigant) deafen() { s.card.mute = !s.card.mute }

// disturb lets a few of the next calls to one provider suffer a fault.
func (s *litigant) disturb() {
	f, n := outboundsim.Faults[s.pick(len(outboundsim.Faults), "fault")], 1+s.pick(3, "calls")
	wire := s.at[s.pick(len(s.at), "provider")].wire
	wire.Choose = func(*http.Request) outboundsim.Fault {
		if n--; n >= 0 {
			return f
		}
		return outboundsim.None
	}
}

// refuse lets the operator refuse the next extension.
func (s *litigant) refuse() {
	left := 1
	s.Sim.Choose = func(carrier.Extension) carriersim.Fault {
		if left--; left >= 0 {
			return carriersim.Refuse
		}
		return carriersim.None
	}
}

func (s *litigant) hour() { s.pass(s.t, time.Hour) }
func (s *litigant) day()  { s.pass(s.t, day) }

// end decides all that is disputed and held, and lets everything come to rest.
func (s *litigant) end() {
	s.card.mute = false
	for _, q := range s.at {
		q.wire.Choose = nil
		q.wire.Deliver()
	}
	for range 3 {
		for _, d := range s.mine {
			if s.pick(2, "wins") == 1 {
				_ = d.win(d.ref)
			}
			_ = d.lose(d.ref)
		}
		s.post(s.t, s.at[1], s.at[1].fetch()...)
		s.look()
		for _, o := range s.orders(s.t, s.account) {
			if o.State == order.Held {
				_, _ = s.Desk.GiveBack(s.t.Context(), o.Ref(), mika)
			}
			_, _ = s.Desk.RefundAgain(s.t.Context(), o.Ref(), mika)
		}
		s.pass(s.t, 3*day)
	}
	for _, o := range s.orders(s.t, s.account) { // Stripe refuses refunds of what was charged back in part
		_, _ = s.Desk.RefundAgainToWallet(s.t.Context(), o.Ref(), mika)
	}
}

// judge compares what is left with what the providers know.
func (s *litigant) judge() {
	kept, withheld := int64(0), int64(0)
	for _, d := range s.mine {
		kept += d.kept(d.ref)
		withheld += d.taken(d.ref)
	}
	book := func(b ledger.Book) int64 { return s.book(s.t, s.account, b) }
	sold, wallet, owes := book(ledger.Revenue)+book(ledger.Tax), s.wallet(s.t, s.account), s.owes(s.t, s.account)
	if had, gave := kept+owes-book(ledger.Loss), sold+wallet; had != gave {
		s.t.Errorf("the providers keep %d, the customer owes %d and %d was let go; what is sold is %d and the wallet holds %d",
			kept, owes, -book(ledger.Loss), sold, wallet)
	}
	if got := book(ledger.Withheld); got != withheld {
		s.t.Errorf("the books say that %d are withheld, and the providers %d", got, withheld)
	}
	if due := book(ledger.Due); due != 0 {
		s.t.Errorf("%d are due to the customer in the end", due)
	}
	if got := -book(ledger.Receivable); got != owes {
		s.t.Errorf("receivable is %d, and the customer owes %d", got, owes)
	}
	worth := -s.credited
	for _, o := range s.orders(s.t, s.account) {
		served := s.Sim.Extended(o.ID)
		if o.Kind != order.TopUp && o.State == order.Completed {
			worth += o.Price.Minor
		}
		if !o.State.Final() {
			s.t.Errorf("order %s is %s (%s) in the end: %s", o.ID, o.State, o.Reason, o.Evidence)
		}
		if served > 1 || served == 1 && o.State != order.Completed {
			s.t.Errorf("order %s is %s, and was served %d times", o.ID, o.State, served)
		}
	}
	if sold != worth {
		s.t.Errorf("the books say that %d are sold, and what was served and not given back is worth %d", sold, worth)
	}
	s.clean(s.t, s.account)
}
