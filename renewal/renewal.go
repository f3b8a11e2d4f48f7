// Package renewal decides what may be bought for a line, for how much and with
// which effect: from the line, its plan's policy, its usage and the instant, to
// offers or to the rule that refuses. It is pure: it asks nobody and changes
// nothing.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package renewal

import (
	"cmp"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
)

// Situation is everything a decision depends on.
type Situation struct {
	Now       time.Time
	Line      line.Line
	Periods   []line.Period // oldest first
	Catalogue *catalogue.Catalogue
	Currency  money.Currency
	Tool      catalogue.Tool // empty while the customer has not chosen
}

// Kind is what is bought for a line.
type Kind string

// The kinds of offer.
const (
	Term Kind = "term" // more time
	Pack Kind = "pack" // more data or speed, no more time
)

// Item names something a plan sells.
type Item struct {
	Kind Kind
	Plan string
	ID   string // of the term or pack
}

// Offer is one priced effect on one line, as of Situation.Now.
type Offer struct {
	Item     Item
	Price    money.Money
	Days     int         // calendar days of service that it adds; 0 for a pack
	PerDay   money.Money // Price / Days rounded half up; zero for a pack
	Saving   int         // whole percent less per day than the plan's base term; 0 or less: none
	Effect   catalogue.Effect
	StartsAt time.Time
	EndsAt   time.Time // exclusive
	Anchor   int       // the day of month that the line keeps
	Bytes    int64     // data that it brings; 0: as the plan's kind says
	Unused   Unused
	Refund   catalogue.RefundRule

	// TakeBy is the last instant at which this same effect can be had: the
	// end of the period, of the grace, of the day.
	TakeBy time.Time

	Package     string // the operator's code
	PackageDays int
}

// Unused is what happens to data that is unused when the purchase takes effect.
type Unused struct {
	Rule  catalogue.DataRule
	Bytes int64     // how much there is now; 0: none, or unlimited
	At    time.Time // when it is lost, for DataLost
}

// Offers returns what can be bought now, terms by length and then packs. Where
// nothing can, it returns the refusal of the plan's first term, which names the
// rule that stands in the way.
func Offers(s Situation) ([]Offer, *Refusal) {
	plan, ok := s.Catalogue.Plan(s.Line.Plan)
	if !ok {
		return nil, refuse(PlanGone, s)
	}
	var offers []Offer
	var first *Refusal
	for _, item := range items(plan, s.Catalogue) {
		o, no := Decide(s, item)
		if no == nil {
			offers = append(offers, o)
		} else if first == nil {
			first = no
		}
	}
	if len(offers) > 0 {
		return offers, nil
	}
	if first == nil {
		first = refuse(NothingOnSale, s)
	}
	return nil, first
}

// items lists what a line of the plan could be offered, by length.
func items(plan catalogue.Plan, c *catalogue.Catalogue) []Item {
	var all []Item
	for _, id := range append([]string{plan.ID}, plan.Policy.ChangeTo...) {
		p, ok := c.Plan(id)
		if !ok {
			continue
		}
		terms := slices.Clone(p.Terms)
		slices.SortStableFunc(terms, func(a, b catalogue.Term) int {
			return cmp.Compare(nominalDays(a.Length), nominalDays(b.Length))
		})
		for _, t := range terms {
			all = append(all, Item{Term, p.ID, t.ID})
		}
	}
	for _, k := range plan.Packs {
		all = append(all, Item{Pack, plan.ID, k.ID})
	}
	return all
}

// Decide returns the offer of one item, or the rule that refuses it.
func Decide(s Situation, item Item) (Offer, *Refusal) {
	own, ok := s.Catalogue.Plan(s.Line.Plan)
	if !ok {
		return Offer{}, refuse(PlanGone, s)
	}
	op, ok := s.Catalogue.Operator(own.Operator)
	if !ok {
		return Offer{}, refuse(PlanGone, s)
	}
	loc, err := op.Zone.Location()
	if err != nil {
		return Offer{}, refuse(PlanGone, s)
	}
	d := decision{s: s, own: own, policy: own.Policy, loc: loc}
	if no := d.line(); no != nil {
		return Offer{}, no
	}
	if item.Kind == Pack {
		return d.pack(item)
	}
	return d.term(item)
}

// decision is one evaluation of the rules.
type decision struct {
	s      Situation
	own    catalogue.Plan
	policy catalogue.Policy
	loc    *time.Location
}

func (d decision) ended() bool { return !d.s.Now.Before(d.s.Line.EndsAt) }

// line checks what has nothing to do with the item.
func (d decision) line() *Refusal {
	switch d.s.Line.State {
	case line.Terminal, line.Recycled:
		return d.no(LineDead)
	case line.Suspended:
		return d.no(LineSuspended)
	case line.New, line.Active, line.Grace, line.Ended:
	}
	switch {
	case !d.policy.Renewable && len(d.own.Packs) == 0:
		return d.no(NotRenewable)
	case d.policy.Identity && !d.s.Line.Identity:
		return d.no(IdentityMissing)
	case d.s.Line.StartedAt.IsZero() || d.s.Now.Before(d.s.Line.StartedAt):
		return d.no(NotStarted)
	case len(d.policy.Currencies) > 0 && !slices.Contains(d.policy.Currencies, d.s.Currency):
		return d.no(CurrencyRefused)
	case d.s.Tool != "" && len(d.policy.Tools) > 0 && !slices.Contains(d.policy.Tools, d.s.Tool):
		return d.no(ToolRefused)
	}
	return nil
}

func (d decision) term(item Item) (Offer, *Refusal) {
	plan, ok := d.s.Catalogue.Plan(item.Plan)
	if !ok || (plan.ID != d.own.ID && !slices.Contains(d.policy.ChangeTo, plan.ID)) {
		return Offer{}, d.no(PlanChangeRefused)
	}
	t, ok := plan.Term(item.ID)
	if !ok {
		return Offer{}, d.no(NothingOnSale)
	}
	if !d.policy.Renewable {
		return Offer{}, d.no(NotRenewable)
	}
	if no := d.when(); no != nil {
		return Offer{}, no
	}
	if no := d.conditions(d.policy.Needs); no != nil {
		return Offer{}, no
	}
	price, no := d.price(t.Prices)
	if no != nil {
		return Offer{}, no
	}
	o := Offer{
		Item: item, Price: price, Effect: d.effect(), Bytes: t.Volume, Refund: d.policy.Refund,
		Package: t.Package, PackageDays: t.PackageDays, TakeBy: d.takeBy(),
	}
	o.StartsAt, o.EndsAt, o.Anchor = d.span(o.Effect, t)
	if o.Effect == catalogue.SameDay && o.EndsAt.Before(o.TakeBy) {
		o.TakeBy = o.EndsAt
	}
	if no := d.stack(o); no != nil {
		return Offer{}, no
	}
	o.Days = days(t.Length, o.StartsAt, o.EndsAt, d.loc)
	o.PerDay = perDay(price, o.Days)
	o.Saving = saving(plan, t, price)
	o.Unused = d.unused(o)
	return o, nil
}

func (d decision) pack(item Item) (Offer, *Refusal) {
	k, ok := d.own.Pack(item.ID)
	if !ok || item.Plan != d.own.ID {
		return Offer{}, d.no(NothingOnSale)
	}
	if d.ended() {
		return Offer{}, d.no(PackNeedsRunning)
	}
	if no := d.conditions(d.policy.PackNeeds); no != nil {
		return Offer{}, no
	}
	price, no := d.price(k.Prices)
	if no != nil {
		return Offer{}, no
	}
	end := d.currentEnd()
	switch k.Until {
	case catalogue.UntilReset:
		end = earliest(end, NextReset(d.own, d.s.Line, d.s.Now, d.loc))
	case catalogue.UntilDayEnd:
		end = earliest(end, calendar.NextDay(d.s.Now, d.loc))
	case catalogue.RestOfPeriod:
	}
	o := Offer{
		Item: item, Price: price, Effect: catalogue.Adds, StartsAt: d.s.Now, EndsAt: end,
		Anchor: d.s.Line.Anchor, Bytes: k.Volume, Refund: catalogue.RefundNever, Package: k.Package,
		TakeBy: end, PackageDays: 1,
	}
	if k.EachDay {
		// The operator sells one day or all remaining days, so the price is a
		// day's and "rest of period" means as many as are left.
		o.PackageDays = calendar.Days(d.s.Now, end, d.loc)
		o.Price.Minor *= int64(o.PackageDays)
	}
	return o, nil
}

// when checks the window before the end and the grace after it.
func (d decision) when() *Refusal {
	end := d.s.Line.EndsAt
	if d.ended() {
		switch {
		case d.s.Now.Before(GraceEnd(d.own, end, d.loc)):
			return nil
		case d.policy.TerminalAfterEnd:
			return d.no(TooLateForEver)
		}
		return d.no(TooLate)
	}
	if d.policy.Opens.N > 0 {
		if from := before(end, d.policy.Opens, d.loc); d.s.Now.Before(from) {
			return d.no(TooEarly, from)
		}
	}
	if d.policy.Closes.N > 0 && !d.s.Now.Before(before(end, d.policy.Closes, d.loc)) {
		return d.no(Closed, before(end, d.policy.Closes, d.loc))
	}
	return nil
}

func (d decision) conditions(needs []catalogue.Condition) *Refusal {
	for _, c := range needs {
		switch c {
		case catalogue.NeedsStarted: // checked for every line
		case catalogue.NeedsRunning:
			if d.ended() {
				return d.no(TooLate)
			}
		case catalogue.NeedsDataLeft:
			if d.s.Line.Usage.Empty() {
				return d.no(NothingLeft)
			}
		case catalogue.NeedsNothingNext:
			if d.queued() > 0 {
				return d.no(QueueFull)
			}
		}
	}
	return nil
}

func (d decision) price(prices []money.Money) (money.Money, *Refusal) {
	for _, m := range prices {
		if m.Currency != d.s.Currency {
			continue
		}
		for _, least := range d.policy.MinimumSpend {
			if least.Currency == m.Currency && m.Minor < least.Minor {
				return money.Money{}, d.no(BelowMinimum)
			}
		}
		return m, nil
	}
	return money.Money{}, d.no(NoPrice)
}

func (d decision) effect() catalogue.Effect {
	p := d.policy
	switch {
	case d.ended() && p.EffectEnded != "":
		return p.EffectEnded
	case d.ended():
		return catalogue.Restart
	case d.s.Line.Usage.Empty() && p.EffectEmpty != "":
		return p.EffectEmpty
	}
	return p.Effect
}

// span is when the bought service runs, and the anchor that the line keeps.
func (d decision) span(e catalogue.Effect, t catalogue.Term) (start, end time.Time, anchor int) {
	start, anchor = d.s.Now, 0
	switch e {
	case catalogue.Append, catalogue.Queue:
		if !d.ended() {
			start, anchor = d.s.Line.EndsAt, d.s.Line.Anchor
		}
	case catalogue.SameDay:
		return start, calendar.NextDay(start, d.loc), d.s.Line.Anchor
	case catalogue.Restart, catalogue.Parallel, catalogue.Adds:
	}
	if anchor == 0 {
		anchor = calendar.Anchor(start, d.loc)
	}
	return start, TermEnd(t, start, d.loc, anchor), anchor
}

func (d decision) stack(o Offer) *Refusal {
	limit := d.policy.Stack
	if limit.Periods > 0 && d.unended()+1 > limit.Periods {
		return d.no(StackFull)
	}
	if limit.Ahead.N > 0 && o.EndsAt.After(limit.Ahead.End(d.s.Now, d.loc, 0)) {
		return d.no(TooFarAhead)
	}
	return nil
}

func (d decision) unended() (n int) {
	for _, p := range d.s.Periods {
		if st := p.StateAt(d.s.Now); st == line.PeriodQueued || st == line.PeriodActive {
			n++
		}
	}
	return n
}

func (d decision) queued() (n int) {
	for _, p := range d.s.Periods {
		if p.StateAt(d.s.Now) == line.PeriodQueued {
			n++
		}
	}
	return n
}

// currentEnd is the end of the running period that ends first: what a pack is
// added to.
func (d decision) currentEnd() time.Time {
	end := d.s.Line.EndsAt
	for _, p := range d.s.Periods {
		if p.StateAt(d.s.Now) == line.PeriodActive {
			end = earliest(end, p.EndsAt)
		}
	}
	return end
}

func (d decision) takeBy() time.Time {
	end := d.s.Line.EndsAt
	switch {
	case d.ended():
		return GraceEnd(d.own, end, d.loc)
	case d.policy.Closes.N > 0:
		return before(end, d.policy.Closes, d.loc)
	}
	return end
}

func (d decision) unused(o Offer) Unused {
	u := Unused{Rule: d.policy.Data}
	if !d.ended() && !d.s.Line.Usage.Unlimited {
		u.Bytes = d.s.Line.Usage.Left()
	}
	if u.Rule == catalogue.DataLost {
		u.At = d.s.Line.EndsAt
		if o.Effect == catalogue.Restart {
			u.At = d.s.Now
		}
	}
	return u
}
