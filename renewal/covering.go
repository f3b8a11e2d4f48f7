package renewal

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
)

// Cover is one way to have service until a day.
type Cover struct {
	Offers []Offer     // terms of one plan, in the order in which they are bought; none: the line lasts long enough
	Price  money.Money // of all of them
	EndsAt time.Time   // of the service, exclusive
}

// Limits of what [Covering] looks at and returns.
const (
	maxTerms  = 3
	maxCovers = 5
	maxTried  = 5000
)

// Covering answers "until which day do you need it": the ways to have service,
// bought now, to the end of the day in loc that until belongs to. Offers are
// those of s. Every way is one term or up to three of the same plan; more terms
// than another way has are worth it only where they cost less.
//
// The cheapest comes first, of equal ones the one with fewer terms, and then
// the one that lasts longer. There are at most five. There is none when the
// policy gives no service that far or the day is over. How much data the terms
// bring is not looked at.
func Covering(s Situation, offers []Offer, until time.Time, loc *time.Location) []Cover {
	need := calendar.NextDay(until, loc)
	switch {
	case !need.After(s.Now):
		return nil
	case !s.Line.EndsAt.Before(need):
		return []Cover{{EndsAt: s.Line.EndsAt.UTC()}}
	}
	search := search{need: need, left: maxTried, seen: map[string]bool{}}
	var ways []way
	for _, o := range offers {
		if o.Item.Kind == Term && o.Effect != catalogue.Adds {
			ways = search.add(ways, way{s: s}, o)
		}
	}
	for range maxTerms - 1 {
		ways = search.longer(ways)
	}
	slices.SortStableFunc(search.found, func(a, b Cover) int {
		return cmp.Or(cmp.Compare(a.Price.Minor, b.Price.Minor), cmp.Compare(len(a.Offers), len(b.Offers)), b.EndsAt.Compare(a.EndsAt))
	})
	return search.found[:min(len(search.found), maxCovers)]
}

// way is some terms bought one after the other, and the line after that.
type way struct {
	cover Cover
	s     Situation
}

// search is one walk through the ways, fewest terms first.
type search struct {
	need  time.Time
	found []Cover
	best  int64 // the price of the cheapest that has fewer terms than are tried now
	bound bool  // there is one
	left  int   // decisions that may still be made
	seen  map[string]bool
}

// longer buys one more term of the same plan after every way that is too short
// and still cheaper than what was found.
func (x *search) longer(ways []way) []way {
	for _, c := range x.found {
		if !x.bound || c.Price.Minor < x.best {
			x.best, x.bound = c.Price.Minor, true
		}
	}
	var next []way
	for _, w := range ways {
		plan, ok := w.s.Catalogue.Plan(w.s.Line.Plan)
		if !ok {
			continue
		}
		for _, t := range plan.Terms {
			if x.left--; x.left < 0 {
				return next
			}
			o, no := Decide(w.s, Item{Term, plan.ID, t.ID})
			if no == nil && o.StartsAt.Equal(w.cover.EndsAt) { // it goes on from there
				next = x.add(next, w, o)
			}
		}
	}
	return next
}

// add buys one offer after w. If that is long enough it is found; if not, it is
// among those that are returned, for one more.
func (x *search) add(ways []way, w way, o Offer) []way {
	total, err := w.cover.Price.Add(o.Price)
	if err != nil {
		return ways
	}
	next := way{
		cover: Cover{Offers: append(slices.Clone(w.cover.Offers), o), Price: total},
		s:     w.s.after(o),
	}
	next.cover.EndsAt = next.s.Line.EndsAt
	if x.bound && total.Minor >= x.best {
		return ways
	}
	if next.cover.EndsAt.Before(x.need) {
		// Where months are among them, another order can lead further.
		if x.first(next.cover, next.cover.EndsAt.String()) {
			ways = append(ways, next)
		}
		return ways
	}
	if x.first(next.cover, "found") {
		x.found = append(x.found, next.cover)
	}
	return ways
}

// first reports whether these terms, in whatever order, were not looked at
// before with the same result.
func (x *search) first(c Cover, result string) bool {
	var ids []string
	for _, o := range c.Offers {
		ids = append(ids, o.Item.Plan+"/"+o.Item.ID)
	}
	slices.Sort(ids)
	key := strings.Join(append(ids, result), " ")
	if x.seen[key] {
		return false
	}
	x.seen[key] = true
	return true
}

// after is the situation in which o was bought at once.
func (s Situation) after(o Offer) Situation {
	l := s.Line
	periods := make([]line.Period, 0, len(s.Periods)+1)
	for _, p := range s.Periods {
		if o.Effect == catalogue.Restart && p.StateAt(s.Now) == line.PeriodActive {
			p.EndsAt = s.Now
		}
		periods = append(periods, p)
	}
	l.Periods++
	s.Periods = append(periods, line.Period{
		Account: l.Account, Line: l.ID, Number: l.Periods, Plan: o.Item.Plan, Term: o.Item.ID,
		Effect: string(o.Effect), StartsAt: o.StartsAt, EndsAt: o.EndsAt, Allowance: o.Bytes, State: line.PeriodQueued,
	})
	if o.Effect == catalogue.Restart || o.EndsAt.After(l.EndsAt) {
		l.EndsAt = o.EndsAt
	}
	if o.Effect == catalogue.Restart || o.Effect == catalogue.SameDay {
		l.Usage = line.Usage{} // nothing of it is used, and nothing measured
	}
	l.Plan, l.Anchor, l.EndsAt = o.Item.Plan, o.Anchor, l.EndsAt.UTC()
	s.Line = l
	return s
}
