package portal

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// wanted is what a visitor looks for among the plans that can be bought; the zero value
// is anything.
type wanted struct {
	days    int            // that it lasts at least
	data    catalogue.Kind // how it gives data
	network string         // the host network's key
}

// mostDays is how long somebody may look for: a leap year.
const mostDays = 366

// kinds are how plans give data, what most people look for first.
var kinds = []catalogue.Kind{catalogue.Unlimited, catalogue.DailyCap, catalogue.Volume}

// wantedOf reads what is looked for from an address; what it does not understand is
// left out.
func wantedOf(query url.Values, shop *catalogue.Catalogue) (w wanted) {
	if days, err := strconv.Atoi(query.Get("days")); err == nil && days >= 1 && days <= mostDays {
		w.days = days
	}
	if kind := catalogue.Kind(query.Get("data")); slices.Contains(kinds, kind) {
		w.data = kind
	}
	if _, ok := shop.Network(query.Get("network")); ok {
		w.network = query.Get("network")
	}
	return w
}

// has reports whether a plan is of the kind and on the network that are looked for.
func (w wanted) has(p catalogue.Plan) bool {
	return (w.data == "" || w.data == p.Kind) && (w.network == "" || w.network == p.Network)
}

// best is the cheapest of the offers that last as long as is looked for.
func (w wanted) best(offers []renewal.Offer) (renewal.Offer, bool) {
	long := slices.DeleteFunc(slices.Clone(offers), func(o renewal.Offer) bool { return o.Days < w.days })
	if len(long) == 0 {
		return renewal.Offer{}, false
	}
	return slices.MinFunc(long, func(a, b renewal.Offer) int { return cmp.Compare(a.Price.Minor, b.Price.Minor) }), true
}

// plansForm is the form above the list of plans: what is looked for, and what there is
// to choose from. A choice of one is none.
type plansForm struct {
	Days     int // 0: any
	MostDays int
	Data     []ui.Choice
	Networks []ui.Choice
	Found    string // how many there are of what is looked for; "" where that is anything
}

// plansForm makes the form for the plans that are sold.
func (v *visit) plansForm(w wanted, sold []catalogue.Plan) plansForm {
	f := plansForm{Days: w.days, MostDays: mostDays}
	for _, kind := range kinds {
		if slices.ContainsFunc(sold, func(p catalogue.Plan) bool { return p.Kind == kind }) {
			f.Data = append(f.Data, ui.Choice{Value: string(kind), Name: v.voice.T("plans.data." + string(kind)), Chosen: kind == w.data})
		}
	}
	for _, n := range v.shop.Networks {
		if slices.ContainsFunc(sold, func(p catalogue.Plan) bool { return p.Network == n.ID }) {
			f.Networks = append(f.Networks, ui.Choice{Value: n.ID, Name: n.Name, Chosen: n.ID == w.network})
		}
	}
	all := ui.Choice{Name: v.voice.T("plans.any")}
	for _, choices := range []*[]ui.Choice{&f.Data, &f.Networks} {
		if *choices = append([]ui.Choice{all}, *choices...); len(*choices) == 2 {
			*choices = nil
		}
	}
	return f
}

// found says how many plans there are of what is looked for.
func (v *visit) found(w wanted, n, of int) string {
	switch {
	case w == wanted{}:
		return ""
	case w.days > 0:
		return v.voice.Say("plans.found.days", locale.Args{"n": n, "of": of, "days": w.days})
	}
	return v.voice.Say("plans.found", locale.Args{"n": n, "of": of})
}
