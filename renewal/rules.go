package renewal

import (
	"math/big"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
)

// alive checks what the operator made of the line.
func (d *decision) alive() *Refusal {
	switch d.s.Line.State {
	case line.Terminal, line.Recycled:
		return d.no(LineDead)
	case line.Suspended:
		return d.no(LineSuspended)
	case line.New, line.Active, line.Grace, line.Ended: // the instant decides
	}
	return nil
}

func (d *decision) renewable() *Refusal {
	if !d.own.Policy.Renewable {
		return d.no(NotRenewable)
	}
	return nil
}

// started checks that the line's clock runs: its instants are zero before.
func (d *decision) started() *Refusal {
	l := d.s.Line
	if l.StartedAt.IsZero() || l.EndsAt.IsZero() || d.s.Now.Before(l.StartedAt) {
		return d.no(NotStarted)
	}
	return nil
}

// when checks the window before the end and the grace after it.
func (d *decision) when() *Refusal {
	p, end := d.own.Policy, d.s.Line.EndsAt
	if d.ended() {
		last := GraceEnd(d.own, end, d.loc)
		switch {
		case d.s.Now.Before(last):
			return nil
		case p.TerminalAfterEnd:
			return d.noAt(TooLateForEver, last)
		}
		return d.noAt(TooLate, last)
	}
	if from := d.opens(); d.s.Now.Before(from) {
		return d.noAt(TooEarly, d.possible(from))
	}
	if p.Closes.N > 0 {
		if last := before(end, p.Closes, d.loc); !d.s.Now.Before(last) {
			return d.noAt(Closed, last)
		}
	}
	return nil
}

// opens is from when a running line can be renewed. Where nothing limits the
// data, a day that is paid for already is not sold again.
func (d *decision) opens() time.Time {
	p, end := d.own.Policy, d.s.Line.EndsAt
	var from time.Time
	if p.Opens.N > 0 {
		from = before(end, p.Opens, d.loc)
	}
	if d.own.Kind == catalogue.Unlimited && d.own.DailyCap == 0 && d.effect() == catalogue.SameDay {
		if today := calendar.StartOfDay(end, d.loc); today.After(from) {
			from = today
		}
	}
	return from
}

func (d *decision) needs() *Refusal { return d.conditions(d.own.Policy.Needs) }

func (d *decision) conditions(needs []catalogue.Condition) *Refusal {
	for _, c := range needs {
		switch c {
		case catalogue.NeedsStarted: // checked for every line
		case catalogue.NeedsRunning:
			if d.ended() {
				return d.noAt(TooLate, d.s.Line.EndsAt)
			}
		case catalogue.NeedsDataLeft:
			if d.empty() {
				return d.no(NothingLeft)
			}
		case catalogue.NeedsNothingNext:
			if d.waiting > 0 {
				return d.noAt(QueueFull, d.last)
			}
		}
	}
	return nil
}

// fits checks the effect against what is bought, and against what is running
// and waiting already.
func (d *decision) fits(t catalogue.Term, o Offer) *Refusal {
	switch {
	case o.Effect == catalogue.SameDay && nominalDays(t.Length) > 1:
		return d.no(DayOnly) // nobody means to pay for a month and get hours
	case o.Effect == catalogue.Restart && d.waiting > 0:
		return d.noAt(QueueFull, d.last) // it would cut off what is paid for
	}
	if no := d.stack(o.Effect); no != nil {
		return no
	}
	return d.ahead(t, o)
}

// stack checks how many periods there would be.
func (d *decision) stack(e catalogue.Effect) *Refusal {
	limit := d.own.Policy.Stack.Periods
	if limit == 0 || e == catalogue.Adds || e == catalogue.Restart {
		return nil // the period is enlarged or replaced
	}
	var ends []time.Time
	for _, p := range d.s.Periods {
		switch p.StateAt(d.s.Now) {
		case line.PeriodQueued, line.PeriodActive:
			ends = append(ends, p.EndsAt.UTC())
		case line.PeriodEnded, line.PeriodCancelled:
		}
	}
	if len(ends) < limit {
		return nil
	}
	slices.SortFunc(ends, time.Time.Compare)
	return d.noAt(StackFull, d.possible(ends[len(ends)-limit]))
}

// ahead checks how far ahead the new end would lie. Service that starts now is
// measured by its length, so that the answer does not depend on the month.
func (d *decision) ahead(t catalogue.Term, o Offer) *Refusal {
	limit := d.own.Policy.Stack.Ahead
	if limit.N == 0 {
		return nil
	}
	switch o.Effect {
	case catalogue.Append, catalogue.Queue:
		if o.EndsAt.After(limit.End(d.s.Now, d.loc, 0)) {
			from := reaches(limit, o.EndsAt, d.loc)
			if !from.Before(o.TakeBy) {
				return d.no(TooFarAhead) // the line has ended by then
			}
			return d.noAt(TooFarAhead, from)
		}
	case catalogue.Restart, catalogue.Parallel:
		if nominalDays(t.Length) > nominalDays(limit) {
			return d.no(TooFarAhead)
		}
	case catalogue.SameDay, catalogue.Adds: // no more than there is
	}
	return nil
}

// reaches is from when on a length leads to end or beyond.
func reaches(l calendar.Length, end time.Time, loc *time.Location) time.Time {
	from := before(end, l, loc)
	if l.Unit == calendar.Hours24 {
		return from
	}
	from = calendar.StartOfDay(from, loc)
	for l.End(from, loc, 0).Before(end) {
		from = calendar.NextDay(from, loc)
	}
	return from
}

// possible is t, or zero where the line cannot be renewed any more by then.
func (d *decision) possible(t time.Time) time.Time {
	if t.Before(RenewBy(d.own, d.s.Line.EndsAt, d.loc)) {
		return t
	}
	return time.Time{}
}

// identified checks who buys. It and the price are rules of the plan that is
// bought, which may be another than the line's.
func (d *decision) identified(p catalogue.Plan) *Refusal {
	if p.Policy.Identity && !d.s.Line.Identity {
		return d.no(IdentityMissing)
	}
	return nil
}

// price finds what n of something cost, and whether it can be paid like that.
func (d *decision) price(p catalogue.Plan, prices []money.Money, n int) (total, list money.Money, no *Refusal) {
	policy := p.Policy
	refuse := func(r Rule) (money.Money, money.Money, *Refusal) {
		no := d.no(r)
		no.Policy = policy
		for _, m := range prices {
			if accepts(policy, m.Currency) {
				no.Priced = append(no.Priced, m.Currency)
			}
		}
		return money.Money{}, money.Money{}, no
	}
	if !accepts(policy, d.s.Currency) {
		return refuse(CurrencyRefused)
	}
	if d.s.Tool != "" && len(policy.Tools) > 0 && !slices.Contains(policy.Tools, d.s.Tool) {
		return refuse(ToolRefused)
	}
	total, list, ok := d.s.priceOf(prices, int64(n))
	if !ok {
		return refuse(NoPrice)
	}
	if least, _, ok := d.s.priceOf(policy.MinimumSpend, 1); ok && total.Minor < least.Minor {
		no := d.no(BelowMinimum)
		no.Policy, no.Least = policy, least
		return money.Money{}, money.Money{}, no
	}
	return total, list, nil
}

// priceOf is what n of something cost in the customer's currency. Where no price
// stands in it, the price in the rate's currency is converted once, for all n of
// them, and returned as list too.
func (s Situation) priceOf(prices []money.Money, n int64) (total, list money.Money, ok bool) {
	if each, ok := priceIn(prices, s.Currency); ok {
		total, err := each.Share(n, 1, money.Down)
		return total, money.Money{}, err == nil // nobody pays more than there can be
	}
	each, ok := priceIn(prices, s.Rate.From)
	if !ok || s.Rate.To != s.Currency || s.Rate == (money.Rate{}) {
		return total, list, false
	}
	list, err := each.Share(n, 1, money.Down)
	if err != nil {
		return total, list, false
	}
	total, err = converted(list, s.Rate, s.Catalogue.Seller.Exchange)
	return total, list, err == nil
}

// converted is a price at a rate, with the seller's margin, rounded up once: to
// what the seller's converted prices are multiples of.
func converted(m money.Money, r money.Rate, x catalogue.Exchange) (money.Money, error) {
	unit := max(1, x.RoundTo[r.To])
	scale := max(1, x.Margin.Scale)
	with := new(big.Rat).SetFrac(
		new(big.Int).Mul(big.NewInt(r.Numerator), big.NewInt(100*scale+x.Margin.Percent)),
		new(big.Int).Mul(big.NewInt(r.Denominator), big.NewInt(100*scale*unit)))
	if !with.Num().IsInt64() || !with.Denom().IsInt64() {
		return money.Money{}, fault.New(fault.Invalid, "The rate from %s to %s is out of range.", r.From, r.To)
	}
	r.Numerator, r.Denominator = with.Num().Int64(), with.Denom().Int64()
	units, err := r.Convert(m, money.Up)
	if err != nil {
		return money.Money{}, err
	}
	return units.Share(unit, 1, money.Up)
}

func accepts(p catalogue.Policy, c money.Currency) bool {
	return len(p.Currencies) == 0 || slices.Contains(p.Currencies, c)
}

func priceIn(prices []money.Money, c money.Currency) (money.Money, bool) {
	for _, m := range prices {
		if m.Currency == c {
			return m, true
		}
	}
	return money.Money{}, false
}
