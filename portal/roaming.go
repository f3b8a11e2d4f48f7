package portal

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// roamingPage is everything roaming.html may use.
type roamingPage struct {
	ui.Frame
	Homes []ui.Choice
	Days  int
	Cost  string // what roaming costs; "" while nothing was chosen, and where there is no figure
	From  string // whose figure that is, of when, and how good
	None  string // why there is no figure
	Rows  []roamingRow
	Unfit string // why no plan is beside it
}

// roamingRow is a plan beside roaming.
type roamingRow struct {
	ID, Name, Term, Price, Says string
	Less                        bool
}

// A trip is as long as somebody would plan one, and one of a week where nobody says.
const (
	mostTrip  = 180
	usualTrip = 7
	mostRows  = 6
)

// homeCookie keeps the home operator of a visitor who has none in their account.
const homeCookie = "home"

// home is the visitor's operator at home, as they told; "": they did not.
func (v *visit) home() string {
	told, err := url.QueryUnescape(v.cookie(homeCookie))
	if err != nil {
		told = ""
	}
	return cmp.Or(v.account.HomeOperator, told)
}

// homes are the operators at home that the catalogue knows a roaming price of.
func (v *visit) homes(chosen string) (all []ui.Choice) {
	for _, r := range v.shop.Homes() {
		name := v.voice.Say("roaming.home.in", locale.Args{"home": r.HomeIn(v.voice.Lang), "country": catalogue.CountryName(v.voice.Lang, r.Country)})
		all = append(all, ui.Choice{Value: r.Home, Name: name, Chosen: r.Home == chosen})
	}
	return all
}

// asksHome reports whether there is something that a plan can be compared with, and the
// visitor did not say with what.
func (v *visit) asksHome(plan string) bool {
	p, _ := v.shop.Plan(plan)
	return p.RoamingAdvice && len(v.shop.Roaming) > 0 && v.home() == ""
}

// roamingPage says what roaming with an operator at home costs for a trip, and our
// plans beside it.
func (s *Server) roamingPage(ctx context.Context, v *visit) (answer, error) {
	query := v.r.URL.Query()
	home := cmp.Or(query.Get("home"), v.home())
	days, err := strconv.Atoi(query.Get("days"))
	if err != nil || days < 1 || days > mostTrip {
		days = usualTrip
	}
	p := roamingPage{Frame: v.frame(v.voice.T("roaming.title")), Days: days}
	p.Homes = append([]ui.Choice{{Name: v.voice.T("roaming.choose")}}, v.homes(home)...)
	if !slices.ContainsFunc(v.shop.Homes(), func(r catalogue.Roaming) bool { return r.Home == home }) {
		return showAll("roaming.html", p), nil
	}
	if query.Get("home") != "" {
		v.setCookie(homeCookie, url.QueryEscape(home), year)
	}
	figure, none := renewal.RoamingFigure(v.shop, home, "", v.voice.Now)
	if none != "" {
		p.None = none.Text(v.voice.Lang)
		return showAll("roaming.html", p), nil
	}
	trip, none := renewal.BesideRoaming(figure, money.Of(0, figure.PerDay.Currency), days)
	if none != "" {
		p.None = none.Text(v.voice.Lang)
		return showAll("roaming.html", p), nil
	}
	p.Cost = v.voice.Say("roaming.cost", locale.Args{"home": figure.HomeIn(v.voice.Lang), "roaming": figure.PerDay, "days": days, "trip": trip.Trip})
	p.From = v.voice.Say("roaming.source", locale.Args{"source": figure.Source, "date": figure.AsOf}) + " " + v.voice.T("roaming.confidence."+figure.Confidence)
	err = v.besideRoaming(ctx, &p, figure)
	return showAll("roaming.html", p), err
}

// besideRoaming adds the plans whose cheapest term for the whole trip costs least. They
// are priced in the figure's currency: nothing is converted.
func (v *visit) besideRoaming(ctx context.Context, p *roamingPage, figure catalogue.Roaming) error {
	s, err := v.without(ctx, func(context.Context, db.Tx) (money.Currency, error) { return figure.PerDay.Currency, nil })
	if err != nil {
		return err
	}
	s.Line.Identity = true // prices are no secret
	var best []renewal.Offer
	for _, plan := range v.shop.Plans {
		if !plan.RoamingAdvice || !v.server.Desk.Sells(v.shop, plan) {
			continue
		}
		offers, _ := renewal.NewOffers(s, plan.ID)
		offers = slices.DeleteFunc(offers, func(o renewal.Offer) bool { return o.Days < p.Days })
		if len(offers) > 0 {
			best = append(best, slices.MinFunc(offers, func(a, b renewal.Offer) int { return cmp.Compare(a.Price.Minor, b.Price.Minor) }))
		}
	}
	slices.SortStableFunc(best, func(a, b renewal.Offer) int { return cmp.Compare(a.Price.Minor, b.Price.Minor) })
	for _, o := range best[:min(len(best), mostRows)] {
		c, none := renewal.BesideRoaming(figure, o.Price, p.Days)
		if none != "" {
			continue
		}
		row := roamingRow{
			ID: o.Item.Plan, Name: v.voice.PlanName(v.shop, o.Item.Plan), Term: v.voice.ItemName(v.shop, o.Item), Price: v.voice.Money(o.Price),
			Less: c.LessTrip.Minor > 0, Says: v.voice.T("roaming.not_less"),
		}
		if row.Less {
			row.Says = v.voice.Say("roaming.less", locale.Args{"less": c.LessTrip, "less_per_day": c.LessPerDay, "percent": c.Percent})
		}
		p.Rows = append(p.Rows, row)
	}
	if len(p.Rows) == 0 {
		p.Unfit = v.voice.Say("roaming.unfit", locale.Args{"currency": v.voice.Currency(figure.PerDay.Currency), "days": p.Days})
	}
	return nil
}
