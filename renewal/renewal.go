// Package renewal decides what may be bought for a line, for how much and with
// which effect: from the line, its plan's policy, its usage and the instant, to
// offers or to the rule that refuses; and says both in words. It is pure: it
// asks nobody and changes nothing.
//
// # Instants
//
// Service and offers are half-open: what ends at 00:00 is gone at 00:00, and
// what can be had until 00:00 can not be had then. All instants returned are
// UTC; days are the operator's.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package renewal

import (
	"cmp"
	"slices"
	"time"

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
	Rate      money.Rate     // what prices in the seller's base currency are converted with where none stands in Currency; zero: nothing is
	Tool      catalogue.Tool // empty while the customer has not chosen
}

// Kind is what is bought for a line.
type Kind string

// The kinds of offer to a line; to somebody without one see [NewLine].
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
	Item      Item
	Price     money.Money
	ListPrice money.Money      // of which Price is the conversion at Situation.Rate; zero: Price stands in the list
	Days      int              // calendar days of service that it adds; 0 where it adds no time
	PerDay    money.Money      // Price / Days rounded half up; zero where Days is 0
	Saving    int              // whole percent less per day than the plan's base term; 0 or less: none
	Effect    catalogue.Effect // empty for a new line
	Revives   bool             // the line has ended, and this brings it back
	StartsAt  time.Time        // zero for a new line whose clock starts with its first use
	EndsAt    time.Time        // exclusive; zero with StartsAt
	Anchor    int              // the day of month that the line keeps; see calendar.Anchor
	Bytes     int64            // data that it brings, a day's for a pack for each day; 0: as the plan's kind says
	Unused    Unused
	Refund    catalogue.RefundRule

	// TakeBy is the first instant, after Now, at which this very offer cannot be
	// had any more. Until then, if nothing but the time changes, the same item
	// has the same price and effect, and the same end unless its service starts
	// when it is bought (restart, parallel); from then on there is another price,
	// effect or end, or a refusal. Zero for a new line, whose offer nothing ends.
	TakeBy time.Time

	Package     string // the operator's code
	PackageDays int    // days asked of a per-day package; of a pack: for how many days it is

	// Period is the number of the running period that is enlarged, for a pack
	// and for a term that adds; 0 for all others, and where the line has no row
	// of the period.
	Period int
}

// Unused is what happens to data that is unused when the purchase takes effect.
type Unused struct {
	Rule    catalogue.DataRule
	Limited bool      // the plan has an amount of data that could be left over, and the line has not ended
	Bytes   int64     // how much there is now; 0: none, not known, or not Limited
	At      time.Time // DataLost: when it is gone; DataOwn: until when it can be used; zero where not Limited
}

// Offers returns what can be bought now: the plan's terms by length, then those
// of the plans that the line can change to, then packs. Where nothing can, it
// returns the refusal of the plan's shortest term, which names the rule that
// stands in the way.
func Offers(s Situation) ([]Offer, *Refusal) {
	d, no := consider(s)
	if no != nil {
		return nil, no
	}
	var offers []Offer
	var first *Refusal
	for _, item := range d.items() {
		o, no := d.decide(item)
		if no == nil {
			offers = append(offers, o)
		} else if first == nil {
			first = no
		}
	}
	switch {
	case len(offers) > 0:
		return offers, nil
	case first == nil:
		return nil, d.no(NothingOnSale)
	}
	return nil, first
}

// Decide returns the offer of one item, or the rule that refuses it.
func Decide(s Situation, item Item) (Offer, *Refusal) {
	d, no := consider(s)
	if no != nil {
		return Offer{}, no
	}
	return d.decide(item)
}

// items lists what the line could be offered.
func (d *decision) items() []Item {
	var all []Item
	add := func(p catalogue.Plan) {
		first := len(all)
		for _, t := range p.Terms {
			all = append(all, Item{Term, p.ID, t.ID})
		}
		slices.SortStableFunc(all[first:], func(a, b Item) int {
			ta, _ := p.Term(a.ID)
			tb, _ := p.Term(b.ID)
			return cmp.Compare(nominalDays(ta.Length), nominalDays(tb.Length))
		})
	}
	add(d.own)
	for _, id := range d.own.Policy.ChangeTo {
		if p, ok := d.s.Catalogue.Plan(id); ok {
			add(p)
		}
	}
	running := d.runningPlan()
	for _, k := range running.Packs {
		all = append(all, Item{Pack, running.ID, k.ID})
	}
	return all
}
