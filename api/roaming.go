package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Roaming is what an operator at home charges for a trip, where that is known well enough.
type Roaming struct {
	Home       string   `json:"home" example:"AT&T"`
	Reliable   bool     `json:"reliable" doc:"False: there is no figure that is dated, not older than 24 months and of confidence A or B; then why says so, and there is no amount."`
	Why        string   `json:"why,omitempty" doc:"Why there is no reliable figure, in a sentence."`
	PerDay     *Money   `json:"perDay,omitempty"`
	Trip       *Money   `json:"trip,omitempty" doc:"For all days of the trip."`
	Source     string   `json:"source,omitempty"`
	AsOf       string   `json:"asOf,omitempty" doc:"A year, month or day: as exact as it is known." example:"2025"`
	Confidence string   `json:"confidence,omitempty" enum:"A,B" doc:"A: the operator's own page, or two sources that agree; B: one source with a date."`
	Homes      []string `json:"homes" nullable:"false" doc:"The operators at home that the catalogue knows something of."`
}

type roamingInput struct {
	Home string `query:"home" maxLength:"200" doc:"One of homes; absent: only these are wanted."`
	Days int    `query:"days" minimum:"1" maximum:"180" default:"7" doc:"Of the trip."`
}

func (s *Server) addRoaming(d huma.API) {
	add(s, d, route{
		id: "compare-roaming", method: http.MethodGet, path: "/roaming", scope: Read, tag: "Catalogue",
		summary: "What roaming with an operator at home costs for a trip",
		about:   "To be shown beside a plan's price in the same currency, with source and date: nothing is converted.",
	}, s.roaming)
}

func (s *Server) roaming(ctx context.Context, c *call, in *roamingInput) (Roaming, error) {
	cat, err := db.Seen(ctx, s.DB, s.Shelf.Current)
	if err != nil {
		return Roaming{}, err
	}
	out := Roaming{Home: in.Home, Homes: []string{}}
	for _, r := range cat.Homes() {
		out.Homes = append(out.Homes, r.Home)
	}
	figure, none := renewal.RoamingFigure(cat, in.Home, "", s.DB.Now())
	var trip renewal.Comparison
	if none == "" {
		trip, none = renewal.BesideRoaming(figure, money.Of(0, figure.PerDay.Currency), in.Days)
	}
	if none != "" {
		out.Why = none.Text(c.voice.Lang)
		return out, nil
	}
	perDay, all := moneyOf(figure.PerDay), moneyOf(trip.Trip)
	out.Reliable, out.PerDay, out.Trip = true, &perDay, &all
	out.Source, out.AsOf, out.Confidence = figure.Source, figure.AsOf, figure.Confidence
	return out, nil
}
