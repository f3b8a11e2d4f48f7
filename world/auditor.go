package world

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// auditor keeps books of its own. It sees what customers, banks and operators
// saw: what was confirmed, what pages and letters say, what was taken and given
// back, what was extended. It does not read how we came to it.
type auditor struct {
	s         *Simulation
	tickets   []*ticket
	found     []string
	outcomes  map[string]int
	repairs   map[string][]time.Duration
	settled   []time.Duration
	reachable []time.Duration // the same, from when nothing was in its way
	late      int
	breaches  map[breach]time.Time // when the repairer found them
	decided   map[string]time.Time // when a person decided an order last
	ends      map[string]end       // how orders ended, by what was seen on the way
	inOrder   []string             // these, as they were seen
	again     int                  // up to which they were looked at again

	kept   map[string]map[money.Currency]int64 // what each bank should have kept
	wallet map[string]map[money.Currency]int64 // by account
	points map[string]int64
	stayed map[string]int64                    // points of what was given back, which stay where they were spent already
	open   map[string]map[money.Currency]int64 // what orders that a person has to decide took from wallets and points
	served map[string]int                      // periods that were sold, by line
	orders map[string][]order.Order            // by account
	listed map[string]bool
	abroad map[string][]deed // what the second operator did, by reference
}

func newAuditor(s *Simulation) *auditor {
	return &auditor{
		s: s, outcomes: map[string]int{}, repairs: map[string][]time.Duration{}, kept: map[string]map[money.Currency]int64{},
		wallet: map[string]map[money.Currency]int64{}, points: map[string]int64{}, stayed: map[string]int64{}, open: map[string]map[money.Currency]int64{}, served: map[string]int{}, listed: map[string]bool{},
		orders: map[string][]order.Order{}, breaches: map[breach]time.Time{}, decided: map[string]time.Time{}, ends: map[string]end{}, abroad: map[string][]deed{},
	}
}

// maxFound bounds how many violations a result names.
const maxFound = 100

func (a *auditor) wrong(format string, args ...any) {
	if len(a.found) < maxFound {
		a.found = append(a.found, fmt.Sprintf(format, args...))
	}
}

// page is everything that a customer sees of one order.
type page struct {
	order    order.Order
	payments []order.Payment
	lent     []order.Payment // of other orders, which were paid together with it
	refunds  []order.Refund
	bills    []billing.Bill
	late     order.Order // that late money made; zero: none
	line     bool        // a new line is here that the order brought
}

func (s *Simulation) judge(ctx context.Context) (Result, error) {
	a := s.auditor
	h, err := s.open(ctx, s.hosts[0])
	if err != nil {
		return Result{}, err
	}
	for _, d := range s.deedsAbroad() {
		a.abroad[d.ref] = append(a.abroad[d.ref], d)
	}
	for _, t := range a.tickets {
		if err := a.judge(ctx, h.DB, t); err != nil {
			return Result{}, err
		}
	}
	a.judgeTogether()
	a.judgeBanks()
	a.judgeOperator()
	if err := a.judgePeople(ctx, h.DB); err != nil {
		return Result{}, err
	}
	if err := a.judgeBooks(ctx, h.DB); err != nil {
		return Result{}, err
	}
	for _, f := range s.faulty {
		a.wrong("an error nobody may see: %s", f)
	}
	detected := a.judgePromptness()
	r := Result{
		Seed: s.plan.Seed, Faults: s.plan.Faults, Orders: len(a.tickets), Outcomes: a.outcomes, Injected: s.weather.count, Repairs: map[string]Repair{},
		Hosts: len(s.hosts), Settled: spread(a.settled), Reachable: spread(a.reachable), Late: a.late, Detected: detected, Violations: append([]string{}, a.found...),
	}
	for kind, took := range a.repairs {
		r.Repairs[kind] = Repair{len(took), spread(took)}
	}
	for _, host := range s.hosts {
		r.Lives += host.lives
	}
	return r, ctx.Err()
}

func (a *auditor) read(ctx context.Context, d *db.DB, k order.Key) (page, error) {
	return db.Seen(ctx, d, func(ctx context.Context, tx db.Tx) (p page, err error) {
		if p.order, err = order.Get(ctx, tx, k); err != nil {
			return p, err
		}
		var errs [6]error
		p.payments, errs[0] = order.Payments(ctx, tx, k)
		p.refunds, errs[1] = order.Refunds(ctx, tx, k)
		p.bills, errs[2] = billing.OfOrder(ctx, tx, k.Account, k.ID)
		p.late, _, errs[3] = order.Successor(ctx, tx, p.order)
		e, found, err := line.GetESIM(ctx, tx, k.Account, p.order.Line)
		p.line, errs[4] = found && e.Order == k.ID, err
		for _, r := range p.refunds {
			if !slices.ContainsFunc(p.payments, func(pay order.Payment) bool { return pay.ID == r.Payment }) {
				pay, err := order.GetPayment(ctx, tx, order.Key{Account: k.Account, ID: r.Payment})
				p.lent, errs[5] = append(p.lent, pay), errors.Join(errs[5], err)
			}
		}
		return p, errors.Join(errs[:]...)
	})
}

// judge holds one order against what its customer confirmed and saw.
func (a *auditor) judge(ctx context.Context, d *db.DB, t *ticket) error {
	if t.order == "" {
		id, err := a.forgotten(ctx, d, t)
		if err != nil || id == "" {
			a.outcomes["never placed"]++
			return err
		}
		t.order = id // the process died before it could say so
	}
	p, err := a.read(ctx, d, order.Key{Account: t.who.account, ID: t.order})
	if err != nil {
		return err
	}
	a.outcomes[string(p.order.State)]++
	if p.order.State == order.Refunded {
		a.outcomes["refunded: "+p.order.Reason]++
	}
	if t.parts.Points > 0 || t.parts.Wallet > 0 && t.parts.Rest > 0 {
		a.outcomes["in parts: "+string(p.order.State)]++
	}
	a.judgeOrder(t, p.order, p)
	if p.late.ID != "" {
		a.outcomes["late money: "+string(p.late.State)]++
		late, err := a.read(ctx, d, p.late.Ref())
		if err != nil {
			return err
		}
		a.judgeOrder(t, late.order, late)
	}
	return nil
}

// forgotten finds an order that was placed although nobody heard so.
func (a *auditor) forgotten(ctx context.Context, d *db.DB, t *ticket) (string, error) {
	if t.quote.ID == "" {
		return "", nil
	}
	return db.Seen(ctx, d, func(ctx context.Context, tx db.Tx) (string, error) {
		o, _, err := order.ByQuote(ctx, tx, t.who.account, t.quote.ID)
		return o.ID, err
	})
}

func (a *auditor) judgeOrder(t *ticket, o order.Order, p page) {
	s := a.s
	if o.Price != t.price {
		a.wrong("order %s costs %s; its customer confirmed %s", o.ID, o.Price, t.price)
	}
	if o.Parts != t.parts {
		a.wrong("order %s is paid by %+v; its customer confirmed %+v", o.ID, o.Parts, t.parts)
	}
	if o.Quote != "" && o.PlacedAt.After(t.quote.ExpiresAt.Add(s.skewMax())) {
		a.wrong("order %s was placed at %s; its offer had ended at %s", o.ID, o.PlacedAt, t.quote.ExpiresAt)
	}
	done := o.State == order.Completed
	a.stays(o)
	if !o.State.Final() && o.State != order.Held {
		a.wrong("order %s is still %s (%s)", o.ID, o.State, o.Reason)
		for _, r := range p.refunds {
			s.log("refund %+v", r)
		}
	}
	given := a.givenBack(t, o, p)
	if o.Kind != order.TopUp && o.State != order.Held {
		times := s.town.Simple.Extended(o.ID) + s.town.Simple.Issues(o.ID) + len(a.abroad[o.ID])
		for _, d := range a.abroad[o.ID] {
			if !d.issue && d.tranNo != t.line.profile {
				a.wrong("order %s extended %s, which is not its customer's line %s", o.ID, d.tranNo, t.line.profile)
			}
		}
		takenBack := done && times == 0 && given == t.charged().Minor // the operator took back what had not begun
		if (times == 1) != done && !takenBack || times > 1 {
			a.wrong("order %s is %s (%s), and the operator extended %d times", o.ID, o.State, o.Reason, times)
		}
	}
	if o.Kind == order.NewLine && o.State != order.Held && p.line != done {
		a.wrong("order %s is %s (%s), and it is %t that its line is here", o.ID, o.State, o.Reason, p.line)
	}
	a.listed[o.ID] = true
	a.orders[o.Account] = append(a.orders[o.Account], o)
	a.judgeMoney(t, o, p, given)
	a.judgeBills(t, o, p)
	a.judgeNews(t, o)
	if done {
		a.book(t, o, given)
	}
	if o.State == order.Held {
		if a.open[o.Account] == nil {
			a.open[o.Account] = map[money.Currency]int64{}
		}
		a.open[o.Account][o.Price.Currency] += t.parts.Wallet
		a.open[o.Account][money.Points] += t.parts.Points
	}
	a.noteRepairs(t, o, p)
}

// givenBack is what the credit note of an order says, which is what staff said.
func (a *auditor) givenBack(t *ticket, o order.Order, p page) int64 {
	for _, b := range p.bills {
		if b.Kind == billing.CreditNote {
			if t.back && b.Total != t.given {
				a.wrong("of order %s staff gave back %s, and the credit note says %s", o.ID, t.given, b.Total)
			}
			return b.Total.Minor
		}
	}
	if t.back && t.order == o.ID {
		a.wrong("of order %s staff gave back %s, and there is no credit note", o.ID, t.given)
	}
	return 0
}

// judgeMoney adds up what the banks took and gave back for an order.
func (a *auditor) judgeMoney(t *ticket, o order.Order, p page, given int64) {
	r := reckoning{held: o.State == order.Held || o.Quote == ""}
	for _, pay := range p.payments {
		bank := a.s.bankOf(pay.Provider)
		taken, back := bank.Captured(pay.Ref), bank.Refunded(pay.Ref)
		r.kept += taken.Minor - back.Minor
		if bank.Disputed != nil {
			r.disputed += bank.Disputed(pay.Ref).Minor
		}
		if taken.Minor > 0 && taken.Currency != o.Price.Currency {
			a.wrong("order %s: %s took %s for %s", o.ID, bank.Name, taken, o.Price)
		}
		a.add(bank.Name, pay.Amount.Currency, taken.Minor-back.Minor)
	}
	if (o.State == order.Completed || o.State == order.Held) && o.Quote != "" {
		r.want = max(0, o.Parts.Rest-given) // the tool's part goes back first
	}
	if p.late.State == order.Completed || p.late.State == order.Held {
		r.want += p.late.Parts.Rest
	}
	if len(t.together) > 0 {
		t.money.kept, t.money.want = t.money.kept+r.kept, t.money.want+r.want
		t.money.disputed, t.money.held = t.money.disputed+r.disputed, t.money.held || r.held && o.Quote != ""
		return
	}
	if !r.right() {
		a.wrong("order %s is %s (%s), and the banks keep %d of it instead of %d", o.ID, o.State, o.Reason, r.kept, r.want)
		for _, back := range p.refunds {
			a.s.log("refund %+v", back)
		}
		for _, pay := range p.payments {
			a.s.log("payment %s %s %s %s live=%t due=%s expires=%s code=%q reason=%s attempts=%d created=%s", pay.ID, pay.Ref, pay.Provider, pay.State, pay.Live, pay.DueAt, pay.ExpiresAt, pay.Code, pay.Reason, pay.Attempts, pay.CreatedAt)
		}
	}
}

func (a *auditor) add(bank string, c money.Currency, minor int64) {
	if a.kept[bank] == nil {
		a.kept[bank] = map[money.Currency]int64{}
	}
	a.kept[bank][c] += minor
}

// judgeBills wants one document of a completed sale, of what was confirmed less what
// points paid, which no tax is owed of.
func (a *auditor) judgeBills(t *ticket, o order.Order, p page) {
	n := 0
	for _, b := range p.bills {
		if b.Kind == billing.CreditNote {
			continue
		}
		n++
		if b.Total != t.charged() || b.Number == 0 {
			a.wrong("order %s of %s has a bill of %s with the number %d", o.ID, t.charged(), b.Total, b.Number)
		}
		if b.Kind == billing.Sale && b.Tax.Minor != taxWithin(b.Total.Minor, b.Rate) {
			a.wrong("the tax on bill %s of %s is %s", b.ID, b.Total, b.Tax)
		}
	}
	if (n == 1) != (o.State == order.Completed) || n > 1 {
		a.wrong("order %s is %s and has %d bills", o.ID, o.State, n)
	}
}

// taxWithin is the tax that a total contains, rounded down, by arithmetic of the
// auditor's own.
func taxWithin(total int64, r billing.Rate) int64 {
	t := new(big.Int).Mul(big.NewInt(total), big.NewInt(r.Percent))
	return t.Quo(t, big.NewInt(100*max(1, r.Scale)+r.Percent)).Int64()
}

// judgeNews wants a letter after an order ended for which money had moved. One to
// whose sending nobody answered is sent twice and no more; its words stand in the
// customer's inbox.
func (a *auditor) judgeNews(t *ticket, o order.Order) {
	if o.State != order.Completed && o.State != order.Refunded && o.State != order.Held {
		return
	}
	about := "http://shop.invalid/orders/" + o.ID
	last := a.s.mail.heard[about]
	if silent := a.s.mail.silent[about]; silent.After(last) {
		last = silent
	}
	if last.IsZero() || o.State != order.Held && last.Before(o.CompletedAt.Add(-a.s.skewMax())) {
		a.wrong("order %s (%d) is %s since %s, and the last letter came at %s", o.ID, t.n, o.State, o.CompletedAt, last)
	}
}

func (s *Simulation) skewMax() time.Duration { return s.weather.skew.Abs() + time.Second }

// book keeps what a completed order should have brought.
func (a *auditor) book(t *ticket, o order.Order, given int64) {
	account := t.who.account
	if a.wallet[account] == nil {
		a.wallet[account] = map[money.Currency]int64{}
	}
	if o.Kind == order.TopUp {
		a.wallet[account][o.Price.Currency] += o.Price.Minor - given
		return
	}
	charged := t.charged().Minor
	a.wallet[account][o.Price.Currency] -= t.parts.Wallet - max(0, given-t.parts.Rest)
	a.points[account] -= t.parts.Points
	if t.back && given == charged {
		a.points[account] += t.parts.Points
	} else if given > 0 {
		a.points[account] += t.parts.Points * given / charged
	}
	if per := a.s.cat.Seller.Points.EarnPer[o.Price.Currency]; per > 0 {
		earned := (charged - given) / per
		a.points[account] += earned
		a.stayed[account] += charged/per - earned
	}
	if o.Enlarges == 0 {
		a.served[o.Line]++
	}
}

// noteRepairs counts what was put right without a person.
func (a *auditor) noteRepairs(t *ticket, o order.Order, p page) {
	took := max(0, o.CompletedAt.Sub(o.PaidAt))
	note := func(kind string, took time.Duration) { a.repairs[kind] = append(a.repairs[kind], max(0, took)) }
	switch {
	case o.State == order.Completed && took > time.Minute:
		note("charged, and extended later", took)
	case o.State == order.Refunded:
		note("charged, not extended: given back", took)
	case o.State == order.Held:
		note("left to a person", o.UpdatedAt.Sub(o.PaidAt))
	}
	for _, r := range p.refunds {
		if r.Why == "double" {
			note("charged twice, or too late: given back", r.DoneAt.Sub(r.CreatedAt))
		}
	}
	if p.late.State == order.Completed {
		note("late money honoured", p.late.CompletedAt.Sub(p.late.PaidAt))
	}
	if o.State == order.Completed || o.State == order.Refunded {
		a.settled = append(a.settled, took)
		a.holdToPromise(t, o, p)
		if t.paidAt.After(o.PaidAt) {
			a.s.log("%d paid after it was seen", t.n)
		}
	}
}

// judgeBanks wants every bank to have kept what the orders say, and nothing that
// no order knows of.
func (a *auditor) judgeBanks() {
	for _, b := range a.s.town.Banks {
		all := map[money.Currency]int64{}
		for _, ref := range b.Charged() {
			taken := b.Captured(ref)
			all[taken.Currency] += taken.Minor - b.Refunded(ref).Minor
		}
		for _, c := range slices.Sorted(maps.Keys(all)) {
			if all[c] != a.kept[b.Name][c] {
				a.wrong("%s kept %d %s, and the orders know of %d", b.Name, all[c], c, a.kept[b.Name][c])
			}
		}
	}
}

// judgeOperator wants no line extended, or made, for an order that nobody made.
func (a *auditor) judgeOperator() {
	refs := append(a.s.town.Simple.Refs(), a.s.town.Simple.Sold()...)
	for _, ref := range append(refs, slices.Sorted(maps.Keys(a.abroad))...) {
		if !a.listed[ref] {
			a.wrong("the operator extended a line for %s, which no customer ordered once", ref)
		}
	}
}

// judgePeople holds wallets, points and lines against the auditor's books.
func (a *auditor) judgePeople(ctx context.Context, d *db.DB) error {
	for _, c := range a.s.people {
		want := maps.Clone(a.wallet[c.account])
		a.points[c.account] += c.points
		if want == nil {
			want = map[money.Currency]int64{}
		}
		if !c.opening.IsZero() {
			want[c.opening.Currency] += c.opening.Minor
		}
		err := d.Read(ctx, func(ctx context.Context, tx db.Tx) error {
			return a.judgePerson(ctx, tx, c, want)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *auditor) judgePerson(ctx context.Context, tx db.Tx, c *customer, want map[money.Currency]int64) error {
	for _, book := range []ledger.Book{ledger.Wallet, ledger.Points} {
		has, err := ledger.Balances(ctx, tx, c.account, book)
		if err != nil {
			return err
		}
		if book == ledger.Points {
			want = map[money.Currency]int64{money.Points: a.points[c.account]}
		}
		over := map[money.Currency]int64{}
		for currency, minor := range want {
			over[currency] = -minor
		}
		for _, m := range has {
			over[m.Currency] += m.Minor
		}
		if book == ledger.Wallet {
			if err := a.disputed(ctx, tx, c.account, over); err != nil {
				return err
			}
		}
		for _, currency := range slices.Sorted(maps.Keys(over)) {
			stayed := book == ledger.Points && over[currency] > 0 && over[currency] <= a.stayed[c.account]
			undecided := over[currency] < 0 && -over[currency] <= a.open[c.account][currency]
			if over[currency] != 0 && !stayed && !undecided {
				a.wrong("%s of %s hold %d %s instead of %d", book, c.account, want[currency]+over[currency], currency, want[currency])
			}
		}
	}
	for _, l := range c.lines {
		now, err := line.Get(ctx, tx, c.account, l.id)
		if err != nil {
			return err
		}
		periods, err := line.Periods(ctx, tx, c.account, l.id)
		if err != nil {
			return err
		}
		if sold := l.began + a.served[l.id]; len(periods) != sold || now.Periods != sold {
			a.wrong("line %s has %d periods and counts %d; %d were sold", l.id, len(periods), now.Periods, sold)
		}
	}
	return nil
}

// disputed takes what customers' banks hold back out of what a customer should have,
// and what they owe because of it out of what they have: it is in the wallet no more, or
// it is owed.
func (a *auditor) disputed(ctx context.Context, tx db.Tx, account string, over map[money.Currency]int64) error {
	owes, err := debts(ctx, tx, a.orders[account])
	if err != nil {
		return err
	}
	for c, minor := range owes {
		over[c] -= minor
	}
	for _, o := range a.orders[account] {
		paid, err := order.Payments(ctx, tx, o.Ref())
		if err != nil {
			return err
		}
		for _, p := range paid {
			if b := a.s.bankOf(p.Provider); b.Disputed != nil && p.State == payment.Paid {
				over[p.Amount.Currency] += b.Disputed(p.Ref).Minor
			}
		}
		back, err := order.Refunds(ctx, tx, o.Ref())
		if err != nil {
			return err
		}
		for _, r := range back {
			if r.ByBank() {
				over[r.Amount.Currency] -= r.Amount.Minor // what the bank took was given back by that
			}
		}
	}
	return nil
}

// judgeBooks has the shop ask itself, as its seller would: that the ledger balances, and
// what else shows in its own rows alone. What it says is stuck waits for a person, at a
// bank that is still unclear when the town ends, and is judged from outside.
func (a *auditor) judgeBooks(ctx context.Context, d *db.DB) error {
	found, err := audit.Run(ctx, d)
	for _, v := range found {
		if v.Promise != audit.NothingStuck {
			a.wrong("the shop's own audit: %s", v)
		}
	}
	return err
}
