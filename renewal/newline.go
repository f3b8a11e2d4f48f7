package renewal

import (
	"cmp"
	"slices"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
)

// NewLine is the kind of an offer to somebody who has no line of the plan yet:
// an eSIM with its first term.
const NewLine Kind = "line"

// AtPurchase is the [catalogue.Activation.Start] of a line whose clock starts when
// it is bought; any other's starts when it is first used, and nobody knows when
// that is.
const AtPurchase = "purchase"

// NewOffers are the terms of a plan that come with a new eSIM, by length. The
// situation needs no line. Where there is none, the refusal says why.
func NewOffers(s Situation, plan string) ([]Offer, *Refusal) {
	d, no := considerNew(s, plan)
	if no != nil {
		return nil, no
	}
	var offers []Offer
	first := d.no(NothingOnSale)
	for i, t := range d.own.Sold() {
		o, no := d.newLine(t)
		if no == nil {
			offers = append(offers, o)
		} else if i == 0 {
			first = no
		}
	}
	if len(offers) == 0 {
		return nil, first
	}
	slices.SortStableFunc(offers, func(a, b Offer) int {
		ta, _ := d.own.Term(a.Item.ID)
		tb, _ := d.own.Term(b.Item.ID)
		return cmp.Compare(nominalDays(ta.Length), nominalDays(tb.Length))
	})
	return offers, nil
}

// DecideNew returns the offer of one term with a new eSIM, or the rule that
// refuses it.
func DecideNew(s Situation, item Item) (Offer, *Refusal) {
	d, no := considerNew(s, item.Plan)
	if no != nil {
		return Offer{}, no
	}
	for _, t := range d.own.Sold() {
		if t.ID == item.ID {
			return d.newLine(t)
		}
	}
	d.item = item
	return Offer{}, d.no(NothingOnSale)
}

func considerNew(s Situation, plan string) (*decision, *Refusal) {
	s.Line.Plan, s.Periods = plan, nil
	return consider(s)
}

// newLine decides about one term. Its rules are those about who buys and how it is
// paid; the others are about a line that runs.
func (d *decision) newLine(t catalogue.Term) (Offer, *Refusal) {
	d.item = Item{NewLine, d.own.ID, t.ID}
	if no := d.identified(d.own); no != nil {
		return Offer{}, no
	}
	price, list, no := d.price(d.own, t.Prices, 1)
	if no != nil {
		return Offer{}, no
	}
	o := Offer{
		Item: d.item, Price: price, ListPrice: list, Bytes: t.Volume, Refund: d.own.Policy.Refund,
		Package: t.NewPackage, PackageDays: t.PackageDays,
	}
	// Only its days depend on when it starts, and hardly on that.
	anchor := calendar.Anchor(d.s.Now, d.loc)
	end := TermEnd(t, d.s.Now, d.loc, anchor)
	o.Days = t.Length.N
	if countsMonths(t.Length) {
		o.Days = calendar.Days(d.s.Now, end, d.loc)
	}
	if d.own.Activation.Start == AtPurchase {
		o.StartsAt, o.EndsAt, o.Anchor = d.s.Now, end, anchor
	}
	o.PerDay = perDay(price, o.Days)
	o.Saving = d.s.saving(d.own, t, price)
	return o, nil
}
