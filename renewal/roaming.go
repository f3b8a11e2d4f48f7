package renewal

import (
	"cmp"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/money"
)

// Comparison is a term beside what a home operator's roaming costs.
type Comparison struct {
	Roaming    catalogue.Roaming // the figure, with its source and date
	Days       int
	Trip       money.Money // roaming for these days
	LessPerDay money.Money // how much less a day of the term costs; negative where it costs more
	LessTrip   money.Money // the same for all days
	Percent    int         // the same in whole percent, rounded down; 0 or less: no saving
}

// NoFigure is why there is no comparison; empty where there is one.
type NoFigure string

// The reasons, from the least to the most that is known.
const (
	NotCompared   NoFigure = "not_compared"   // the plan is not for roaming's customers, or the offer adds no time
	NoHome        NoFigure = "no_home"        // nothing is known of that home operator
	Doubtful      NoFigure = "doubtful"       // what is known has no good source or date
	TooOld        NoFigure = "too_old"        // what is known is older than 24 months
	OtherCurrency NoFigure = "other_currency" // it is in another currency, and none is converted
)

// NoFigures are all reasons, for tests that every one has its words.
var NoFigures = []NoFigure{NotCompared, NoHome, Doubtful, TooOld, OtherCurrency}

// RoamingSaving compares an offer with the roaming price of a home operator,
// per day and for all days of the offer. Only figures of confidence A or B, at
// most 24 months old at now, in the offer's currency count; of several the
// newest. A date that is only a year or a month counts from its beginning.
func RoamingSaving(c *catalogue.Catalogue, home string, o Offer, now time.Time) (Comparison, NoFigure) {
	plan, ok := c.Plan(o.Item.Plan)
	if !ok || !plan.RoamingAdvice || o.Days < 1 {
		return Comparison{}, NotCompared
	}
	best, why := RoamingFigure(c, home, o.Price.Currency, now)
	if why != "" {
		return Comparison{}, why
	}
	return BesideRoaming(best, o.Price, o.Days)
}

// RoamingFigure is the newest reliable figure of a home operator, in a currency or, with
// "", in any; and why there is none.
func RoamingFigure(c *catalogue.Catalogue, home string, in money.Currency, now time.Time) (best catalogue.Roaming, why NoFigure) {
	why = NoHome
	var newest time.Time
	for _, r := range c.Roaming {
		if r.Home != home {
			continue
		}
		asOf, not := reliable(r, cmp.Or(in, r.PerDay.Currency), now)
		switch {
		case not != "":
			why = better(why, not)
		case newest.IsZero() || asOf.After(newest):
			best, newest = r, asOf
		}
	}
	if newest.IsZero() {
		return best, why
	}
	return best, ""
}

// BesideRoaming compares a price with roaming for a trip of so many days.
func BesideRoaming(r catalogue.Roaming, price money.Money, days int) (Comparison, NoFigure) {
	out, ok := compare(r, price, days)
	if !ok {
		return Comparison{}, Doubtful
	}
	return out, ""
}

// RoamingHomes are the home operators of which there is a reliable figure in
// that currency at now, each once, as the catalogue orders them.
func RoamingHomes(c *catalogue.Catalogue, in money.Currency, now time.Time) []string {
	var homes []string
	for _, r := range c.Roaming {
		if _, not := reliable(r, in, now); not == "" && !slices.Contains(homes, r.Home) {
			homes = append(homes, r.Home)
		}
	}
	return homes
}

// reliable is a figure's date, and why it cannot be used.
func reliable(r catalogue.Roaming, in money.Currency, now time.Time) (asOf time.Time, not NoFigure) {
	for _, layout := range []string{"2006", "2006-01", time.DateOnly} {
		if t, err := time.Parse(layout, r.AsOf); err == nil {
			asOf = t
		}
	}
	switch {
	case r.Confidence != "A" && r.Confidence != "B", r.Source == "", asOf.IsZero(), asOf.After(now), r.PerDay.Minor <= 0:
		return asOf, Doubtful
	case now.After(asOf.AddDate(0, 24, 0)):
		return asOf, TooOld
	case r.PerDay.Currency != in:
		return asOf, OtherCurrency
	}
	return asOf, ""
}

// better is the reason that says more.
func better(a, b NoFigure) NoFigure {
	if slices.Index(NoFigures, b) > slices.Index(NoFigures, a) {
		return b
	}
	return a
}

func compare(r catalogue.Roaming, price money.Money, days int) (Comparison, bool) {
	trip, err := r.PerDay.Share(int64(days), 1, money.Down)
	if err != nil {
		return Comparison{}, false
	}
	less, err := trip.Sub(price)
	if err != nil {
		return Comparison{}, false
	}
	each, err := less.Share(1, int64(days), money.Down)
	if err != nil {
		return Comparison{}, false
	}
	return Comparison{
		Roaming: r, Days: days, Trip: trip, LessTrip: less, LessPerDay: each,
		Percent: percentLess(price, days, r.PerDay, 1),
	}, true
}
