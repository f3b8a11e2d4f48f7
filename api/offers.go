package api

import (
	"context"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// Offer is one priced effect on one line, as of now.
type Offer struct {
	Item       string     `json:"item" doc:"What a quote names." example:"term/machi-5gb/10d"`
	Kind       string     `json:"kind" enum:"term,pack" doc:"term: more time; pack: more data or speed, and no more time."`
	Plan       string     `json:"plan"`
	PlanName   string     `json:"planName"`
	Name       string     `json:"name"`
	Price      Money      `json:"price"`
	ListPrice  *Money     `json:"listPrice,omitempty" doc:"What price was converted from; absent: it stands in the price list."`
	Days       int        `json:"days,omitempty" doc:"Calendar days of service that it adds."`
	PerDay     *Money     `json:"perDay,omitempty"`
	Saving     int        `json:"saving,omitempty" doc:"Whole percent less per day than the plan's base term."`
	Effect     string     `json:"effect" enum:"append,queue,restart,parallel,same_day,adds"`
	EffectText string     `json:"effectText"`
	UnusedText string     `json:"unusedText,omitempty" doc:"What happens to data that is unused then."`
	RefundText string     `json:"refundText"`
	StartsAt   *time.Time `json:"startsAt,omitempty"`
	EndsAt     *time.Time `json:"endsAt,omitempty" doc:"Exclusive."`
	Bytes      int64      `json:"bytes,omitempty" doc:"Data that it brings; absent: as the plan's kind says."`
	TakeBefore *time.Time `json:"takeBefore,omitempty" doc:"The first instant at which this very offer can not be had any more."`
}

// Refused is something of the plan's that cannot be had now.
type Refused struct {
	Item string `json:"item"`
	Name string `json:"name"`
	Refusal
}

// Offers are the terms and packs of one line side by side.
type Offers struct {
	Line       string    `json:"line"`
	Zone       string    `json:"zone"`
	Currency   string    `json:"currency"`
	Currencies []string  `json:"currencies" nullable:"false" doc:"In which something can be bought for the line."`
	Offers     []Offer   `json:"offers" nullable:"false" doc:"The plan's terms by length, then those of plans that it can change to, then packs."`
	Refused    []Refused `json:"refused" nullable:"false"`
	Refusal    *Refusal  `json:"refusal,omitempty" doc:"Why nothing at all can be had."`
}

type offersInput struct {
	OfLine
	Currency string `query:"currency" pattern:"^[A-Z]{3}$" doc:"Default: the shop's own, where it is priced."`
}

func (s *Server) listOffers(ctx context.Context, c *call, in *offersInput) (Offers, error) {
	f, err := s.see(ctx, c, in.Line, money.Currency(in.Currency))
	if err != nil {
		return Offers{}, err
	}
	at, sit := placeOf(f.situation.Catalogue, f.situation.Line.Plan), f.situation
	out := Offers{
		Line: sit.Line.ID, Zone: at.loc.String(), Currency: string(sit.Currency), Currencies: []string{}, Offers: []Offer{}, Refused: []Refused{},
	}
	for _, c := range f.priced {
		out.Currencies = append(out.Currencies, string(c))
	}
	offers, no := renewal.Offers(sit)
	if no != nil {
		out.Refusal = refusalOf(c.voice, no, at.loc)
	}
	for _, o := range offers {
		out.Offers = append(out.Offers, offerOf(c.voice, sit, o, at))
	}
	for _, item := range renewal.Items(sit.Catalogue, at.plan) {
		if slices.ContainsFunc(offers, func(o renewal.Offer) bool { return o.Item == item }) {
			continue
		}
		if _, no := renewal.Decide(sit, item); no != nil && no.Rule != renewal.NothingOnSale {
			out.Refused = append(out.Refused, Refused{ui.ValueOf(item), c.voice.ItemName(sit.Catalogue, item), *refusalOf(c.voice, no, at.loc)})
		}
	}
	return out, nil
}

func offerOf(v ui.Voice, s renewal.Situation, o renewal.Offer, at place) Offer {
	out := Offer{
		Item: ui.ValueOf(o.Item), Kind: string(o.Item.Kind), Plan: o.Item.Plan, PlanName: v.PlanName(s.Catalogue, o.Item.Plan),
		Name: v.ItemName(s.Catalogue, o.Item), Price: moneyOf(o.Price), ListPrice: given(o.ListPrice), Days: o.Days, PerDay: given(o.PerDay),
		Saving: max(o.Saving, 0), Effect: string(o.Effect), EffectText: o.EffectText(v.Lang, at.loc), RefundText: o.RefundText(v.Lang, at.loc),
		StartsAt: instant(o.StartsAt), EndsAt: instant(o.EndsAt), Bytes: o.Bytes, TakeBefore: instant(o.TakeBy),
	}
	if o.Unused.Limited && o.Item.Kind == renewal.Term {
		out.UnusedText = o.UnusedText(v.Lang, gbOf(at.op))
	}
	return out
}

// gbOf is what the operator calls a GB.
func gbOf(op catalogue.Operator) int64 {
	if op.GB == 1e9 {
		return 1e9
	}
	return 1 << 30
}
