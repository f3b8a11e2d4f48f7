package renewal

import (
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/line"
)

// decision is one evaluation of the rules.
type decision struct {
	s    Situation
	own  catalogue.Plan // the line's: its policy says when and how
	loc  *time.Location // the operator's days
	item Item           // what is being decided

	running line.Period // of several the one that ends first
	runs    bool        // there is a running one
	waiting int         // periods that have not begun
	next    time.Time   // when the first of them begins; zero: none
	last    time.Time   // when the last of them begins; zero: none
	begun   time.Time   // when the newest period that has begun did; zero: no rows
}

// consider finds everything about the line that its items have in common.
func consider(s Situation) (*decision, *Refusal) {
	gone := &Refusal{Rule: PlanGone, Plan: s.Line.Plan, Currency: s.Currency}
	if s.Catalogue == nil {
		return nil, gone
	}
	own, ok := s.Catalogue.Plan(s.Line.Plan)
	if !ok {
		return nil, gone
	}
	if own, ok = own.From(s.Line.Operator); !ok {
		return nil, gone // of this line's operator
	}
	op, ok := s.Catalogue.Operator(own.Operator)
	if !ok {
		return nil, gone
	}
	loc, err := op.Zone.Location()
	if err != nil {
		return nil, gone
	}
	s.Now, s.Line.StartedAt, s.Line.EndsAt = s.Now.UTC(), s.Line.StartedAt.UTC(), s.Line.EndsAt.UTC()
	d := &decision{s: s, own: own, loc: loc}
	for _, p := range s.Periods {
		d.see(p)
	}
	return d, nil
}

func (d *decision) see(p line.Period) {
	switch p.StateAt(d.s.Now) {
	case line.PeriodCancelled:
	case line.PeriodQueued:
		d.waiting++
		if d.next.IsZero() || p.StartsAt.Before(d.next) {
			d.next = p.StartsAt.UTC()
		}
		if p.StartsAt.After(d.last) {
			d.last = p.StartsAt.UTC()
		}
	case line.PeriodActive:
		if !d.runs || p.EndsAt.Before(d.running.EndsAt) {
			d.running, d.runs = p, true
		}
		d.begin(p)
	case line.PeriodEnded:
		d.begin(p)
	}
}

func (d *decision) begin(p line.Period) {
	if p.StartsAt.After(d.begun) {
		d.begun = p.StartsAt.UTC()
	}
}

func (d *decision) decide(item Item) (Offer, *Refusal) {
	d.item = item
	if no := d.alive(); no != nil {
		return Offer{}, no
	}
	switch item.Kind {
	case Term:
		return d.term()
	case Pack:
		return d.pack()
	case NewLine: // is for nobody's line: see DecideNew
	}
	return Offer{}, d.no(NothingOnSale)
}

// term decides about more time. What nobody can change refuses before what the
// customer can.
func (d *decision) term() (Offer, *Refusal) {
	plan, t, no := d.onSale()
	if no != nil {
		return Offer{}, no
	}
	for _, check := range []func() *Refusal{d.renewable, d.started, d.when, d.needs} {
		if no := check(); no != nil {
			return Offer{}, no
		}
	}
	effect := d.effect()
	o := Offer{
		Item: d.item, Effect: effect, Revives: d.ended(), Bytes: t.Volume, Refund: plan.Policy.Refund,
		Package: t.Package, PackageDays: t.PackageDays, TakeBy: d.takeBy(effect), Unused: d.unused(effect),
	}
	o.StartsAt, o.EndsAt, o.Anchor = d.span(effect, t)
	if effect == catalogue.Adds {
		o.Period = d.running.Number
	}
	if no := d.fits(t, o); no != nil {
		return Offer{}, no
	}
	if no := d.identified(plan); no != nil {
		return Offer{}, no
	}
	price, list, no := d.price(plan, t.Prices, 1)
	if no != nil {
		return Offer{}, no
	}
	o.Price, o.ListPrice = price, list
	o.Days = d.days(t, o)
	o.PerDay = perDay(price, o.Days)
	if o.Days > 0 && effect != catalogue.SameDay {
		o.Saving = d.s.saving(plan, t, price)
	}
	return o, nil
}

// onSale finds the term and the plan that it is of: the line's own, or one
// that the operator can put on the same line.
func (d *decision) onSale() (catalogue.Plan, catalogue.Term, *Refusal) {
	plan := d.own
	if d.item.Plan != d.own.ID {
		other, ok := d.changeTo(d.item.Plan)
		if !ok {
			return plan, catalogue.Term{}, d.no(PlanChangeRefused)
		}
		plan = other
	}
	t, ok := plan.Term(d.item.ID)
	if !ok {
		return plan, t, d.no(NothingOnSale)
	}
	return plan, t, nil
}

// changeTo is another plan for the line. One that is not sold any more can only
// be kept, not changed to.
func (d *decision) changeTo(id string) (catalogue.Plan, bool) {
	for _, may := range d.own.Policy.ChangeTo {
		if may == id {
			p, ok := d.s.Catalogue.Plan(id)
			p, feeds := p.From(d.own.Operator)
			return p, ok && feeds && p.OnSale
		}
	}
	return catalogue.Plan{}, false
}

func (d *decision) ended() bool { return !d.s.Now.Before(d.s.Line.EndsAt) }

// effect is what a term does now.
func (d *decision) effect() catalogue.Effect {
	switch {
	case d.ended():
		return afterEnd(d.own.Policy)
	case d.own.Policy.EffectEmpty != "" && d.empty():
		return d.own.Policy.EffectEmpty
	}
	return d.own.Policy.Effect
}

// afterEnd is what a term does to a line that has ended: there is no period
// left that another effect could refer to.
func afterEnd(p catalogue.Policy) catalogue.Effect {
	if p.EffectEnded == catalogue.SameDay {
		return catalogue.SameDay
	}
	return catalogue.Restart
}

// empty reports whether the data of the period is used up. A daily cap that is
// used up is not: it begins anew by itself.
func (d *decision) empty() bool {
	return d.own.Kind == catalogue.Volume && d.measured() && d.s.Line.Usage.Empty()
}

// measured reports whether the operator's figures are about the data that the
// line has now. Where data is not carried over, figures older than the newest
// period are about the one before.
func (d *decision) measured() bool {
	asOf := d.s.Line.Usage.AsOf
	return !asOf.IsZero() && (d.own.Policy.Data == catalogue.DataCarried || !asOf.Before(d.begun))
}

// span is when the bought service runs, and the anchor that the line keeps.
func (d *decision) span(e catalogue.Effect, t catalogue.Term) (start, end time.Time, anchor int) {
	l := d.s.Line
	start = d.s.Now
	switch e {
	case catalogue.Append, catalogue.Queue:
		start, anchor = l.EndsAt, keptAnchor(l.Anchor, l.EndsAt, d.loc)
		end = TermEnd(t, start, d.loc, anchor)
	case catalogue.Restart, catalogue.Parallel:
		anchor = calendar.Anchor(start, d.loc)
		end = TermEnd(t, start, d.loc, anchor)
	case catalogue.SameDay:
		end = calendar.NextDay(start, d.loc)
		anchor = calendar.Anchor(end, d.loc)
	case catalogue.Adds:
		end = d.currentEnd()
	}
	switch {
	case e != catalogue.Restart && !end.After(l.EndsAt):
		anchor = l.Anchor // the line's end does not move
	case !countsMonths(t.Length) || e == catalogue.SameDay:
		// A chain of months begins anew after days.
		anchor = calendar.Anchor(end, d.loc)
	}
	return start, end, anchor
}

// takeBy is when the effect that a term has now is no longer to be had; see
// [Offer.TakeBy].
func (d *decision) takeBy(e catalogue.Effect) time.Time {
	p, end := d.own.Policy, d.s.Line.EndsAt
	by := end
	switch {
	case d.ended():
		by = GraceEnd(d.own, end, d.loc)
	case p.Closes.N > 0:
		by = before(end, p.Closes, d.loc)
	case e == afterEnd(p):
		by = GraceEnd(d.own, end, d.loc) // the end makes no difference
	}
	switch e {
	case catalogue.SameDay:
		by = earliest(by, calendar.NextDay(d.s.Now, d.loc))
	case catalogue.Adds:
		by = earliest(by, d.currentEnd())
	case catalogue.Append, catalogue.Queue, catalogue.Restart, catalogue.Parallel:
	}
	if !d.ended() && e != p.Effect && p.Data != catalogue.DataCarried && !d.next.IsZero() {
		by = earliest(by, d.next) // with the next period the line has data again
	}
	return by
}

// currentEnd is until when what is added to the running period can be used. A
// period that was appended with the data carried over belongs to it.
func (d *decision) currentEnd() time.Time {
	end := d.s.Line.EndsAt
	switch {
	case d.runs:
		end = earliest(end, d.running.EndsAt.UTC())
	case !d.next.IsZero():
		end = earliest(end, d.next)
	}
	if d.own.Policy.Data != catalogue.DataCarried {
		return end
	}
	for _, p := range d.s.Periods { // oldest first
		if p.State != line.PeriodCancelled && p.Effect == string(catalogue.Append) && p.StartsAt.Equal(end) && p.EndsAt.After(end) {
			end = p.EndsAt.UTC()
		}
	}
	return earliest(end, d.s.Line.EndsAt)
}

// unused is what becomes of the data that is left.
func (d *decision) unused(e catalogue.Effect) Unused {
	u := Unused{Rule: d.own.Policy.Data, Limited: d.own.Kind == catalogue.Volume && !d.ended()}
	if e == catalogue.Adds {
		u.Rule = catalogue.DataCarried // the period goes on
	}
	if !u.Limited {
		return u
	}
	if d.measured() && !d.s.Line.Usage.Unlimited {
		u.Bytes = d.s.Line.Usage.Left()
	}
	switch u.Rule {
	case catalogue.DataCarried:
	case catalogue.DataOwn:
		u.At = d.currentEnd()
	case catalogue.DataLost:
		u.At = d.currentEnd()
		if e == catalogue.Restart {
			u.At = d.s.Now
		}
	}
	return u
}
