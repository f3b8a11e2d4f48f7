package advice

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// ShopOf is what a catalogue sells to lines of one plan, in one currency: the
// plan's terms, those of the plans that it can change to, and its packs; and by
// which rules. Items says what each offer is called there. Plans that are on
// sale only for what is not priced in the currency, and packs that must be
// bought for every day, are left out. It fails with [fault.Invalid] for a plan
// that is not in the catalogue.
func ShopOf(c *catalogue.Catalogue, plan string, in money.Currency) (s Shop, items []renewal.Item, err error) {
	own, ok := c.Plan(plan)
	if !ok {
		return Shop{}, nil, refuse("There is no plan %s in the catalogue.", plan)
	}
	s = Shop{Version: version(c, plan, in), Rules: RulesOf(own.Policy, in), Costs: CostsIn(c, in)}
	add := func(p catalogue.Plan) {
		for _, t := range p.Terms {
			if price, ok := priceIn(t.Prices, in); ok && len(s.Offers) < MaxOffers {
				s.Offers = append(s.Offers, Offer{
					ID: p.ID + "/" + t.ID, Kind: Term, Service: serviceOf(p, t.Volume), Days: daysOf(t.Length), Price: price,
				})
				items = append(items, renewal.Item{Kind: renewal.Term, Plan: p.ID, ID: t.ID})
			}
		}
	}
	add(own)
	for _, id := range own.Policy.ChangeTo {
		if p, ok := c.Plan(id); ok && p.OnSale && slices.Contains(p.Operators(), own.Operator) {
			add(p)
		}
	}
	for _, k := range own.Packs {
		if price, ok := priceIn(k.Prices, in); ok && !k.EachDay && len(s.Offers) < MaxOffers {
			s.Offers = append(s.Offers, Offer{
				ID: own.ID + "/" + k.ID, Kind: Pack, Service: Service{Volume: k.Volume},
				Until: k.Until != catalogue.RestOfPeriod, Price: price,
			})
			items = append(items, renewal.Item{Kind: renewal.Pack, Plan: own.ID, ID: k.ID})
		}
	}
	return s, items, s.Validate()
}

func version(c *catalogue.Catalogue, plan string, in money.Currency) string {
	return c.AppliedAt.UTC().Format(time.RFC3339) + "/" + plan + "/" + string(in)
}

func priceIn(prices []money.Money, in money.Currency) (int64, bool) {
	for _, m := range prices {
		if m.Currency == in {
			return m.Minor, true
		}
	}
	return 0, false
}

// serviceOf is what a term of a plan does with what its user wants.
func serviceOf(p catalogue.Plan, volume int64) Service {
	switch {
	case p.Kind == catalogue.Volume:
		return Service{Volume: volume, ThrottleKbps: p.ThrottleKbps}
	case p.Reset == catalogue.ResetMonthly && p.DailyCap > 0: // a month's cap is a volume
		return Service{Volume: p.DailyCap, ThrottleKbps: p.ThrottleKbps}
	case p.Kind == catalogue.DailyCap:
		return Service{DailyCap: p.DailyCap}
	}
	return Service{DailyCap: p.DailyCap, ThrottleKbps: p.ThrottleKbps}
}

// daysOf counts a month as 30 days and a year as 365.
func daysOf(l calendar.Length) int {
	switch l.Unit {
	case calendar.Month:
		return min(30*l.N, MaxOfferDays)
	case calendar.Year:
		return min(365*l.N, MaxOfferDays)
	case calendar.Day, calendar.Hours24:
	}
	return min(l.N, MaxOfferDays)
}

// RulesOf is a policy as predicates, for orders in one currency.
func RulesOf(p catalogue.Policy, in money.Currency) Rules {
	r := Rules{
		Mode: modeOf(p.Effect, p.Data), WhenEmpty: modeOf(cmp.Or(p.EffectEmpty, p.Effect), p.Data),
		MustRunOn: p.Grace.N == 0 || slices.Contains(p.Needs, catalogue.NeedsRunning),
		NeedsData: slices.Contains(p.Needs, catalogue.NeedsDataLeft),
		NoTerms:   !p.Renewable, StackPeriods: p.Stack.Periods,
	}
	if p.Opens.N > 0 {
		r.OpensDays = daysOf(p.Opens) + 1 // the day on which the window opens counts
	}
	if p.Closes.N > 0 {
		r.ClosesDays = daysOf(p.Closes)
	}
	if p.Stack.Ahead.N > 0 {
		r.AheadDays = daysOf(p.Stack.Ahead)
	}
	if slices.Contains(p.Needs, catalogue.NeedsNothingNext) && (r.StackPeriods == 0 || r.StackPeriods > 2) {
		r.StackPeriods = 2
	}
	r.MinimumOrder, _ = priceIn(p.MinimumSpend, in)
	return r
}

func modeOf(e catalogue.Effect, data catalogue.DataRule) Mode {
	switch e {
	case catalogue.Append:
		if data == catalogue.DataCarried {
			return Extend
		}
	case catalogue.Restart, catalogue.SameDay:
		return Replace
	case catalogue.Parallel, catalogue.Adds:
		return Parallel
	case catalogue.Queue:
	}
	return Queue
}

// CostsIn is [YenCosts] in another currency, by the seller's own prices: what
// the same terms cost in both. Where a catalogue prices nothing in yen, a day
// without data counts as much as the dearest single day on sale.
func CostsIn(c *catalogue.Catalogue, in money.Currency) Costs {
	yen := YenCosts()
	if in == yen.Currency {
		return yen
	}
	var rates []float64
	var dearest int64
	for _, p := range c.Plans {
		for _, t := range p.Terms {
			own, ok := priceIn(t.Prices, in)
			if !ok {
				continue
			}
			dearest = max(dearest, own/int64(max(daysOf(t.Length), 1)))
			if y, ok := priceIn(t.Prices, yen.Currency); ok && y > 0 {
				rates = append(rates, float64(own)/float64(y))
			}
		}
	}
	rate := float64(dearest) / float64(yen.OutageDay)
	if len(rates) > 0 {
		slices.Sort(rates)
		rate = rates[len(rates)/2]
	}
	scale := func(m int64) int64 { return int64(math.Round(float64(m) * rate)) }
	return Costs{
		Currency: in, Hassle: scale(yen.Hassle), PerGB: scale(yen.PerGB),
		SlowDayMax: scale(yen.SlowDayMax), OutageDay: scale(yen.OutageDay),
	}
}

// StateOf is what is paid for on a line, as of s.Now. Days are the operator's.
// It is the zero State for a plan that is not in the catalogue.
func StateOf(s renewal.Situation) (out State) {
	own, ok := s.Catalogue.Plan(s.Line.Plan)
	if !ok {
		return out
	}
	op, ok := s.Catalogue.Operator(own.Operator)
	if !ok {
		return out
	}
	loc, err := op.Zone.Location()
	if err != nil {
		return out
	}
	for _, p := range s.Periods {
		plan, ok := s.Catalogue.Plan(p.Plan)
		if !ok {
			continue
		}
		switch p.StateAt(s.Now) {
		case line.PeriodActive:
			if c := running(s, plan, p, loc); c.Days > out.Running.Days {
				out.Running = c
			}
		case line.PeriodQueued:
			v := serviceOf(plan, volumeOf(plan, p))
			out.Waiting = append(out.Waiting, Cover{v, calendar.Days(p.StartsAt, p.EndsAt, loc), max(v.Volume, v.DailyCap)})
		case line.PeriodEnded, line.PeriodCancelled:
		}
	}
	out.Waiting = out.Waiting[:min(len(out.Waiting), MaxWaiting)]
	return out
}

// volumeOf is the volume of a period: its own, or that of the term it was bought
// as. 0: nobody knows.
func volumeOf(plan catalogue.Plan, p line.Period) int64 {
	if p.Allowance > 0 {
		return p.Allowance
	}
	term, _ := plan.Term(p.Term)
	return term.Volume
}

// running is a running period. A figure of the operator that is older than the
// period says nothing about it.
func running(s renewal.Situation, plan catalogue.Plan, p line.Period, loc *time.Location) Cover {
	u, volume := s.Line.Usage, volumeOf(plan, p)
	if volume == 0 && !u.Unlimited {
		volume = u.Total // of a line that came from elsewhere the operator knows it
	}
	c := Cover{Service: serviceOf(plan, volume), Days: calendar.Days(s.Now, p.EndsAt, loc)}
	c.Bytes = max(c.Volume, c.DailyCap)
	if u.AsOf.Before(p.StartsAt) {
		return c
	}
	switch today := calendar.StartOfDay(s.Now, loc); {
	case c.Volume > 0 && u.Total > 0:
		c.Bytes = u.Left()
	case c.DailyCap > 0 && u.Total > 0 && !u.AsOf.Before(today):
		c.Bytes = u.Left()
	}
	return c
}
