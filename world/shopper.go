package world

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// customer is one person with an account, and what they remember.
type customer struct {
	account string
	lines   []*served
	opening money.Money // put into the wallet when they came
	points  int64       // and what they had earned before
}

// served is one line as its owner knows it.
type served struct {
	id    string
	began int // periods that it had when it came to the shop
	plan  catalogue.Plan

	profile, iccid string    // at its operator
	ends           time.Time // when it came
}

// ticket is one order as its customer knows it.
type ticket struct {
	n         int
	who       *customer
	line      *served // nil: a top-up; of a new line, one whose plan they want another of
	kind      order.Kind
	tool      catalogue.Tool
	quote     order.Quote
	price     money.Money // what they confirmed
	parts     order.Parts // and what they said should pay it
	order     string      // "" while they do not know of one
	together  []*ticket   // the orders that are paid at once, this one among them; nil: it is paid alone
	refs      []string    // under which they paid somewhere
	bank      *Bank
	patience  int       // how often they still try
	money     reckoning // of an order that is paid together with others
	paidAt    time.Time
	contested bool        // the customer's bank took the money back, or said that it would
	back      bool        // staff said that they gave back, of the completed order, …
	given     money.Money // … so much
}

// ways are the tools of this town, each with a currency that its bank takes.
var ways = []struct {
	rail     payment.Rail
	currency money.Currency
	share    int
}{
	{payment.Wallet, "JPY", 42},
	{payment.Card, "JPY", 24},
	{payment.Card, "USD", 4},
	{payment.PayPay, "JPY", 14},
	{payment.LINEPay, "TWD", 9},
	{payment.PayPal, "USD", 3},
	{payment.Alipay, "CNY", 2},
	{payment.WeChatPay, "CNY", 2},
}

// plansOfTown are those that customers have lines of: every effect of a renewal.
var plansOfTown = []string{"machi-5gb", "machi-10gb", "kaigan-500", "kaigan-2gb", "shirakaba-steady", plansAbroad}

// perCustomer is how many orders a customer makes, about.
const perCustomer = 2

// wish is a customer who wants something.
func (s *Simulation) wish(ctx context.Context) {
	who := s.somebody(ctx)
	if who == nil {
		return // our process died while they signed up; they go elsewhere
	}
	t := &ticket{n: len(s.auditor.tickets) + 1, who: who, kind: order.Term, patience: 1 + s.rand.IntN(4)}
	way := ways[s.weighed()]
	t.tool = catalogue.Tool(way.rail)
	switch n := s.rand.IntN(100); {
	case n < 8 && way.rail != payment.Wallet:
		t.kind = order.TopUp
	case n < 14:
		t.kind = order.Pack
	case n < 22:
		t.kind = order.NewLine
	}
	if t.kind != order.TopUp {
		t.line = who.lines[s.rand.IntN(len(who.lines))]
	}
	s.auditor.tickets = append(s.auditor.tickets, t)
	if t.kind == order.Term && len(who.lines) > 1 && s.rand.IntN(togetherers) == 0 {
		s.quoteTogether(ctx, t, way.currency)
		return
	}
	s.quote(ctx, t, way.currency)
}

func (s *Simulation) weighed() int {
	n := s.rand.IntN(100)
	for i, w := range ways {
		if n -= w.share; n < 0 {
			return i
		}
	}
	return 0
}

// somebody is a customer who was here before, or a new one.
func (s *Simulation) somebody(ctx context.Context) *customer {
	if len(s.people) > 20 && s.rand.IntN(perCustomer) > 0 {
		recent := len(s.people)
		return s.people[len(s.people)-1-s.rand.IntN(recent)]
	}
	c := &customer{opening: money.Of(int64(s.rand.IntN(8))*2_000, "JPY"), points: int64(s.rand.IntN(4)) * 150}
	s.comers++
	n := s.comers // also of those whom we lost: their address is taken, perhaps
	alive, err := s.in(ctx, "signing up", func(ctx context.Context, h *House) error { return s.signUp(ctx, h, c, n) })
	if !alive || err != nil {
		return nil
	}
	s.people = append(s.people, c)
	return c
}

func (s *Simulation) signUp(ctx context.Context, h *House, c *customer, n int) error {
	lines := make([]catalogue.Plan, 1+s.rand.IntN(2))
	for i := range lines {
		lines[i], _ = s.first.Plan(plansOfTown[s.rand.IntN(len(plansOfTown))])
	}
	left := time.Duration(1+s.rand.IntN(200)) * time.Hour
	made, err := db.Written(ctx, h.DB, func(ctx context.Context, tx db.Tx) (customer, error) {
		made := customer{opening: c.opening, points: c.points}
		a, err := account.Create(ctx, tx, h.IDs, account.New{Language: locale.En, Email: fmt.Sprintf("customer%d@example.com", n)})
		if err != nil {
			return made, err
		}
		made.account = a.ID
		if !c.opening.IsZero() || c.points > 0 {
			if err := ledger.Post(ctx, tx, ledger.Posting{Account: a.ID, Subject: "opening", Step: "opening", Transfers: []ledger.Transfer{
				{From: ledger.Opening, To: ledger.Wallet, Amount: c.opening},
				{From: ledger.Opening, To: ledger.Points, Amount: money.Of(c.points, money.Points)},
			}}); err != nil {
				return made, err
			}
		}
		for i, p := range lines {
			l, err := s.addLine(ctx, tx, h, a.ID, &served{plan: p, profile: profileOf(n, i), iccid: cardOf(n, i), ends: tx.Now().Add(left)})
			if err != nil {
				return made, err
			}
			made.lines = append(made.lines, l)
		}
		return made, nil
	})
	*c = made
	for _, l := range c.lines {
		s.joins(l)
	}
	return err
}

func (s *Simulation) addLine(ctx context.Context, tx db.Tx, h *House, account string, owned *served) (*served, error) {
	p := owned.plan
	op, _ := s.cat.Operator(p.Operator)
	loc, err := op.Zone.Location()
	if err != nil {
		return nil, err
	}
	now := tx.Now()
	ends := owned.ends
	began := ends.Add(-30 * day)
	l := line.Line{
		Account: account, ID: h.IDs.Under("ln", account), Operator: op.ID, Plan: p.ID, State: line.Active, ProfileID: owned.profile, ICCID: owned.iccid,
		Anchor: calendar.Anchor(began, loc), StartedAt: began, EndsAt: ends, GraceEnds: renewal.GraceEnd(p, ends, loc), Periods: 1, Identity: true,
		Usage: line.Usage{Unlimited: p.Kind != catalogue.Volume, Total: 5 << 30, Used: 1 << 30, AsOf: now.Add(-time.Hour)},
	}
	if err := line.Add(ctx, tx, l); err != nil {
		return nil, err
	}
	var b db.Batch
	line.AddPeriod(&b, line.Period{
		Account: account, Line: l.ID, Number: 1, Plan: p.ID, Term: p.Terms[0].ID, Effect: string(catalogue.Append),
		StartsAt: began, EndsAt: ends, Allowance: 5 << 30, State: line.PeriodActive,
	}, now)
	owned.id, owned.began = l.ID, 1
	return owned, tx.Batch(ctx, &b)
}

// amounts that customers put into their wallets, in minor units.
var topUps = map[money.Currency]int64{"JPY": 3_000, "USD": 3_000, "CNY": 10_000, "TWD": 50_000}

// quote is the customer choosing.
func (s *Simulation) quote(ctx context.Context, t *ticket, c money.Currency) {
	alive, err := s.in(ctx, "a quote", func(ctx context.Context, h *House) (err error) {
		if t.kind == order.TopUp {
			t.quote, err = h.Desk.QuoteTopUp(ctx, t.who.account, money.Of(topUps[c], c))
			return err
		}
		if t.kind == order.NewLine {
			sold := t.line.plan.Sold()
			t.quote, err = h.Desk.QuoteNew(ctx, t.who.account, t.line.plan.ID, sold[s.rand.IntN(len(sold))].ID, c)
			return err
		}
		t.quote, err = h.Desk.Quote(ctx, t.who.account, t.line.id, s.item(t), c)
		return err
	})
	if !alive || err != nil {
		s.log("%d no quote: %v", t.n, said(err))
		return // refused by a rule, or our process died: they leave
	}
	t.price = t.quote.Price
	s.after(s.hesitation(), func(ctx context.Context) {
		s.divide(ctx, t)
		s.place(ctx, t)
	})
}

// divide is the customer who looks at the review and says what should pay: mostly one
// tool, sometimes points or the wallet first.
func (s *Simulation) divide(ctx context.Context, t *ticket) {
	t.parts = order.Parts{Rest: t.price.Minor}
	if t.tool == order.ToolWallet {
		t.parts = order.Parts{Wallet: t.price.Minor}
	}
	if t.kind == order.TopUp || s.rand.IntN(3) > 0 {
		return
	}
	purse := order.Purse{UsePoints: s.rand.IntN(3) > 0, UseWallet: t.tool == order.ToolWallet || s.rand.IntN(2) == 0}
	var p order.Parts
	alive, err := s.in(ctx, "the review", func(ctx context.Context, h *House) error {
		return h.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
			points, err := ledger.Balance(ctx, tx, t.who.account, ledger.Points, money.Points)
			if err != nil {
				return err
			}
			purse.Points = points.Minor
			purse.Wallet, err = ledger.Balance(ctx, tx, t.who.account, ledger.Wallet, t.price.Currency)
			p = h.Desk.Divide(t.quote, s.cat.Seller.Points, nil, purse)
			return err
		})
	})
	if !alive || err != nil || p.Rest > 0 && t.tool == order.ToolWallet {
		return // they pay with one thing, if they can
	}
	switch t.parts = p; {
	case p.Rest > 0:
	case p.Wallet > 0:
		t.tool = order.ToolWallet
	default:
		t.tool = order.ToolPoints
	}
	s.log("%d wants to pay %+v", t.n, p)
}

// charged is what an order costs in money.
func (t *ticket) charged() money.Money {
	return money.Of(t.price.Minor-t.parts.Discount, t.price.Currency)
}

func (s *Simulation) item(t *ticket) renewal.Item {
	p := t.line.plan
	if t.kind == order.Pack && len(p.Packs) > 0 {
		return renewal.Item{Kind: renewal.Pack, Plan: p.ID, ID: p.Packs[s.rand.IntN(len(p.Packs))].ID}
	}
	t.kind = order.Term
	return renewal.Item{Kind: renewal.Term, Plan: p.ID, ID: p.Terms[s.rand.IntN(len(p.Terms))].ID}
}

// hesitation is mostly seconds, sometimes longer than a price stands.
func (s *Simulation) hesitation() time.Duration {
	if s.rand.IntN(40) == 0 {
		return time.Duration(s.rand.IntN(50)) * time.Minute
	}
	return time.Duration(500+s.rand.IntN(20_000)) * time.Millisecond
}

// place is the customer who confirms: once, twice, or with an amount, or more for their
// points, than the offer says, which must be refused.
func (s *Simulation) place(ctx context.Context, t *ticket) {
	a := order.Acceptance{Account: t.who.account, Quote: t.quote.ID, Amount: t.price, Tool: t.tool}
	if t.parts.Points > 0 || t.parts.Wallet > 0 && t.parts.Rest > 0 {
		a.Parts = t.parts
	}
	if s.rand.IntN(200) == 0 {
		wrong := a
		if wrong.Amount.Minor = a.Amount.Minor/100 + 1; t.parts.Points > 0 && t.parts.Rest > 0 {
			wrong.Amount = a.Amount
			wrong.Parts.Discount, wrong.Parts.Rest = t.parts.Discount+1, t.parts.Rest-1
		}
		_, err := s.in(ctx, "a wrong amount", func(ctx context.Context, h *House) error {
			_, err := h.Desk.Place(ctx, wrong)
			return err
		})
		if err == nil && s.hostsAlive() {
			s.note("order %d was placed with an amount that is not the offer's", t.n)
		}
	}
	taps := 1
	if s.rand.IntN(20) == 0 {
		taps = 2
	}
	for range taps {
		alive, err := s.in(ctx, "placing", func(ctx context.Context, h *House) error {
			o, err := h.Desk.Place(ctx, a)
			if err == nil {
				t.know(o.ID, s)
				s.log("%d placed %s", t.n, o.State)
			}
			return err
		})
		if !alive && t.patience > 0 {
			t.patience--
			s.after(s.hesitation(), func(ctx context.Context) { s.place(ctx, t) })
			return
		}
		if err != nil {
			s.log("%d not placed: %v", t.n, said(err))
		}
	}
	if t.order != "" && t.parts.Rest > 0 {
		s.pay(ctx, t)
	}
}

// know is the customer who hears of their order. There is one for a quote.
func (t *ticket) know(id string, s *Simulation) {
	if t.order != "" && t.order != id {
		s.note("quote of order %d became two orders", t.n)
	}
	if t.order == "" {
		s.known = append(s.known, t)
	}
	t.order = id
}

func (s *Simulation) hostsAlive() bool {
	for _, h := range s.hosts {
		if h.house == nil {
			return false
		}
	}
	return true
}

// pay is the customer who goes to pay, perhaps with something else after all.
func (s *Simulation) pay(ctx context.Context, t *ticket) {
	var p order.Payment
	k := order.Key{Account: t.who.account, ID: t.order}
	keep, oneTap := s.rand.IntN(keepers) == 0, s.rand.IntN(4) > 0
	alive, err := s.in(ctx, "paying", func(ctx context.Context, h *House) (err error) {
		back := "http://shop.invalid/orders/" + t.order
		w := order.Ways{
			Return: back + "?back=1", Cancel: back + "?back=0", Language: "en", Device: payment.Computer, ClientIP: "203.0.113.7", Keep: keep,
		}
		if oneTap {
			if w.Saved, err = savedFor(ctx, h, t); err != nil {
				return err
			}
		}
		p, err = h.Desk.Pay(ctx, k, payment.Rail(t.tool), w)
		return err
	})
	s.log("%d pays with %s: %s %v", t.n, t.tool, p.State, said(err))
	again := func(ctx context.Context) { s.pay(ctx, t) }
	switch {
	case alive && err == nil && p.Tool != "" && p.Next == (payment.Next{}):
		s.auditor.outcomes["charged with one tap: "+string(p.State)]++
		if t.bank = s.bankOf(p.Provider); p.State == payment.Paid {
			s.dispute(t, p.Ref)
		} else if t.patience > 0 && p.State == payment.Dead {
			t.patience--
			s.after(s.hesitation(), again)
		}
	case alive && err == nil && p.Next != (payment.Next{}):
		t.bank = s.bankOf(p.Provider)
		if !contains(t.refs, p.Ref) {
			t.refs = append(t.refs, p.Ref)
		}
		if t.bank.Arrive != nil && p.Next.RedirectURL != "" {
			t.bank.Arrive(p.Next.RedirectURL)
		}
		s.after(s.hesitation(), func(context.Context) { s.atBank(t, p.Ref) })
	case t.patience > 0 && (!alive || fault.KindOf(err) == fault.Unavailable || fault.KindOf(err) == fault.Conflict):
		t.patience--
		s.after(25*time.Second+s.hesitation(), again)
	}
}

// keepers is one in how many lets us keep what they pay with.
const keepers = 2

// savedFor is a tool that a customer let us keep and that pays this order with one
// tap; "" without one.
func savedFor(ctx context.Context, h *House, t *ticket) (tool string, err error) {
	all, err := db.Seen(ctx, h.DB, func(ctx context.Context, tx db.Tx) ([]order.SavedTool, error) {
		return order.SavedTools(ctx, tx, t.who.account)
	})
	for _, kept := range h.Desk.Chargeable(all) {
		if kept.Rail == payment.Rail(t.tool) {
			tool = kept.ID
		}
	}
	return tool, err
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}

func (s *Simulation) bankOf(provider string) *Bank {
	for _, b := range s.town.Banks {
		if b.Name == provider {
			return b
		}
	}
	panic("world: no bank " + provider)
}

// atBank is the customer at the bank's page.
func (s *Simulation) atBank(t *ticket, ref string) {
	var back url.Values
	var err error
	what := "paid"
	switch n := s.rand.IntN(100); {
	case n < 82:
		back, err = t.bank.Pay(ref)
		if err == nil && t.paidAt.IsZero() {
			t.paidAt = s.clock.Now()
		}
		if err == nil {
			s.dispute(t, ref)
		}
	case n < 90:
		what = "was declined"
		back, err = t.bank.Decline(ref)
	case n < 95:
		what = "gave up"
		back, err = t.bank.GiveUp(ref)
	default:
		s.log("%d closed the browser at the bank", t.n)
		return
	}
	s.log("%d %s at %s: %v", t.n, what, t.bank.Name, err)
	if what == "paid" && s.rand.IntN(10) == 0 {
		return // they paid and closed the browser
	}
	s.after(time.Duration(200+s.rand.IntN(3000))*time.Millisecond, func(ctx context.Context) { s.comeBack(ctx, t, back, what == "paid") })
}

// comeBack is the customer on the order's page, who tries again where nothing
// was paid.
func (s *Simulation) comeBack(ctx context.Context, t *ticket, back url.Values, paid bool) {
	k := order.Key{Account: t.who.account, ID: t.order}
	_, _ = s.in(ctx, "coming back", func(ctx context.Context, h *House) error { return h.Desk.Resume(ctx, k, back) })
	if s.rand.IntN(20) == 0 { // they reload the page of return
		_, _ = s.in(ctx, "coming back again", func(ctx context.Context, h *House) error { return h.Desk.Resume(ctx, k, back) })
	}
	if paid && s.rand.IntN(30) > 0 || t.patience == 0 {
		return
	}
	t.patience--
	if s.rand.IntN(3) == 0 {
		s.anotherTool(t)
	}
	s.after(s.hesitation(), func(ctx context.Context) { s.pay(ctx, t) })
}

// anotherTool is one that takes the same currency.
func (s *Simulation) anotherTool(t *ticket) {
	at := s.rand.IntN(len(ways))
	for i := range ways {
		w := ways[(at+i)%len(ways)]
		if w.rail != payment.Wallet && w.currency == t.price.Currency && catalogue.Tool(w.rail) != t.tool {
			t.tool = catalogue.Tool(w.rail)
			return
		}
	}
}

// said is an error as a customer reads it; what nobody may read is noted
// elsewhere.
func said(err error) string {
	if err == nil {
		return "ok"
	}
	return string(fault.KindOf(err)) + ": " + fault.Message(err)
}
