package ui

import (
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Offer is one offer as a card shows it. Texts that do not apply are "".
type Offer struct {
	Value  string // what a form sends: see [ItemOf]
	Name   string
	Plan   string // the plan's name, where it is another than the line's
	Price  string
	PerDay string
	Saving string
	Starts string // when it starts, where that is not at once
	Ends   Moment // zero for a new line whose first use decides
	Effect string // what it does to the line; "" for a new one
	Unused string // what happens to data that is unused
	Mark   string // why it is marked: the cheapest that lasts long enough
	Short  bool   // it ends before the day that was asked for
}

// Offer says what o does to a line of the catalogue's plan own.
func (v Voice) Offer(c *catalogue.Catalogue, own catalogue.Plan, o renewal.Offer, loc *time.Location) Offer {
	out := Offer{
		Value: ValueOf(o.Item),
		Name:  v.ItemName(c, o.Item),
		Price: v.Money(o.Price),
	}
	if !o.EndsAt.IsZero() {
		out.Ends = v.End(o.EndsAt, loc)
	}
	if o.Item.Kind != renewal.NewLine {
		out.Effect = v.effect(o)
	}
	if o.Unused.Limited && o.Item.Kind == renewal.Term {
		out.Unused = o.UnusedText(v.Lang, gbOf(c, own))
	}
	if o.Item.Plan != own.ID {
		out.Plan = v.PlanName(c, o.Item.Plan)
	}
	if o.Days > 1 {
		out.PerDay = v.Say("offer.per_day", locale.Args{"price": o.PerDay})
	}
	if o.Saving > 0 {
		out.Saving = v.Say("offer.saving", locale.Args{"percent": o.Saving})
	}
	if o.StartsAt.After(v.Now) {
		out.Starts = locale.Moment(v.Lang, o.StartsAt, loc)
	}
	return out
}

// effect is what an offer does to the line, short enough for a card; the
// review says it with its instants.
func (v Voice) effect(o renewal.Offer) string {
	key := "offer." + string(o.Effect)
	switch {
	case o.Item.Kind == renewal.Pack:
		key = "offer.pack"
	case o.Revives && texts.Has(key+".revives"):
		key += ".revives"
	}
	return v.T(key)
}
