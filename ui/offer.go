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
	Ends   Moment
	Effect string // what it does to the line
	Unused string // what happens to data that is unused
	Mark   string // why it is marked: the cheapest that lasts long enough
	Short  bool   // it ends before the day that was asked for
}

// Offer says what o does to a line of the catalogue's plan own.
func (v Voice) Offer(c *catalogue.Catalogue, own catalogue.Plan, o renewal.Offer, ended bool, loc *time.Location) Offer {
	out := Offer{
		Value:  ValueOf(o.Item),
		Name:   v.ItemName(c, o.Item),
		Price:  v.Money(o.Price),
		Ends:   v.End(o.EndsAt, loc),
		Effect: v.Effect(o, ended, loc),
		Unused: v.Unused(o, gbOf(c, own), loc),
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

// Effect says what an offer does to the line.
func (v Voice) Effect(o renewal.Offer, ended bool, loc *time.Location) string {
	key := "effect." + string(o.Effect)
	if ended && texts.Has(key+".ended") {
		key += ".ended"
	}
	if o.Item.Kind == renewal.Pack {
		key = "effect.pack"
	}
	return v.Say(key, locale.Args{
		"start": locale.Moment(v.Lang, o.StartsAt, loc), "end": v.End(o.EndsAt, loc).Text,
	})
}

// Unused says what happens to data that is unused when an offer takes effect;
// "" where there is none to speak of.
func (v Voice) Unused(o renewal.Offer, gb int64, loc *time.Location) string {
	if o.Item.Kind == renewal.Pack || o.Unused.Bytes <= 0 {
		return ""
	}
	args := locale.Args{"left": locale.DataLeft(v.Lang, o.Unused.Bytes, cleanGB(gb)), "time": ""}
	switch o.Unused.Rule {
	case catalogue.DataCarried:
		return v.Say("unused.carried", args)
	case catalogue.DataOwn:
		return v.Say("unused.own", args)
	case catalogue.DataLost:
	}
	if !o.Unused.At.After(v.Now) {
		return v.Say("unused.lost.now", args)
	}
	args["time"] = v.End(o.Unused.At, loc).Text
	return v.Say("unused.lost", args)
}

// Refundable says until when the money can be had back for the asking.
func (v Voice) Refundable(r catalogue.RefundRule) string {
	return v.Either("refundable."+string(r), "refundable.never", nil)
}
