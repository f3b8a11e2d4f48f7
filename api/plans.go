package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// Plan is something on sale.
type Plan struct {
	ID            string   `json:"id" example:"machi-5gb"`
	Name          string   `json:"name"`
	Operator      string   `json:"operator"`
	OperatorName  string   `json:"operatorName"`
	Zone          string   `json:"zone" doc:"IANA name of the zone in which its days begin and end." example:"Asia/Tokyo"`
	Kind          string   `json:"kind" enum:"unlimited,daily_cap,volume" doc:"unlimited: full speed up to dailyCapBytes, then slow until the reset; daily_cap: then nothing until the reset; volume: an amount for the whole period."`
	DailyCapBytes int64    `json:"dailyCapBytes,omitempty" doc:"Bytes a day at full speed; absent: no cap."`
	ThrottleKbps  int      `json:"throttleKbps,omitempty" doc:"Speed after the cap or volume, in kbit/s; absent: no service then."`
	OnSale        bool     `json:"onSale" doc:"False: only lines that have it can be renewed with it."`
	Version       int64    `json:"version" doc:"Of the catalogue that says this."`
	Terms         []Priced `json:"terms" nullable:"false" doc:"What gives more time."`
	Packs         []Priced `json:"packs" nullable:"false" doc:"What gives more data or speed, and no more time."`
	NewLines      []Priced `json:"newLines" nullable:"false" doc:"What a new line with an eSIM can be bought with; empty: nothing now."`
	Rules         []string `json:"rules,omitempty" nullable:"false" doc:"All its rules in sentences. Only where one plan is asked for."`
}

// Priced is a term or a pack with its prices.
type Priced struct {
	Item   string  `json:"item" doc:"What a quote names." example:"term/machi-5gb/10d"`
	Name   string  `json:"name"`
	Bytes  int64   `json:"bytes,omitempty" doc:"Data that it brings; absent: as the plan's kind says."`
	Prices []Money `json:"prices" nullable:"false" doc:"One a currency."`
}

// Plans are everything on sale.
type Plans struct {
	Plans []Plan `json:"plans" nullable:"false"`
}

func (s *Server) addCatalogue(d huma.API) {
	add(s, d, route{
		id: "list-plans", method: http.MethodGet, path: "/plans", scope: Read, tag: "Catalogue", summary: "What is on sale",
	}, s.listPlans)
	add(s, d, route{
		id: "get-plan", method: http.MethodGet, path: "/plans/{plan}", scope: Read, tag: "Catalogue", summary: "One plan, with all its rules in sentences",
	}, s.getPlan)
}

func (s *Server) listPlans(ctx context.Context, c *call, _ *struct{}) (Plans, error) {
	cat, err := db.Seen(ctx, s.DB, s.Shelf.Current)
	if err != nil {
		return Plans{}, err
	}
	all := Plans{Plans: []Plan{}}
	for _, p := range cat.Plans {
		all.Plans = append(all.Plans, s.planOf(c.voice, cat, p))
	}
	return all, nil
}

type planInput struct {
	Plan string `path:"plan" maxLength:"64"`
}

func (s *Server) getPlan(ctx context.Context, c *call, in *planInput) (Plan, error) {
	cat, err := db.Seen(ctx, s.DB, s.Shelf.Current)
	if err != nil {
		return Plan{}, err
	}
	p, ok := cat.Plan(in.Plan)
	if !ok {
		return Plan{}, fault.Because(fault.NotFound, "no_such_plan", "There is no such plan.", nil)
	}
	out := s.planOf(c.voice, cat, p)
	for _, rule := range catalogue.Sentences(cat, p, c.voice.Lang) {
		out.Rules = append(out.Rules, rule.Text)
	}
	return out, nil
}

func (s *Server) planOf(v ui.Voice, c *catalogue.Catalogue, p catalogue.Plan) Plan {
	op, _ := c.Operator(p.Operator)
	out := Plan{
		ID: p.ID, Name: v.PlanName(c, p.ID), Operator: p.Operator, OperatorName: op.Name, Zone: string(op.Zone), Kind: string(p.Kind),
		DailyCapBytes: p.DailyCap, ThrottleKbps: p.ThrottleKbps, OnSale: p.OnSale, Version: c.Version, Terms: []Priced{}, Packs: []Priced{}, NewLines: []Priced{},
	}
	for _, t := range p.Terms {
		item := renewal.Item{Kind: renewal.Term, Plan: p.ID, ID: t.ID}
		out.Terms = append(out.Terms, Priced{ui.ValueOf(item), v.ItemName(c, item), t.Volume, moneysOf(t.Prices)})
	}
	for _, k := range p.Packs {
		item := renewal.Item{Kind: renewal.Pack, Plan: p.ID, ID: k.ID}
		out.Packs = append(out.Packs, Priced{ui.ValueOf(item), v.ItemName(c, item), k.Volume, moneysOf(k.Prices)})
	}
	if s.Desk.Sells(c, p) {
		for _, t := range p.Sold() {
			item := renewal.Item{Kind: renewal.NewLine, Plan: p.ID, ID: t.ID}
			out.NewLines = append(out.NewLines, Priced{ui.ValueOf(item), v.ItemName(c, item), t.Volume, moneysOf(t.Prices)})
		}
	}
	return out
}
