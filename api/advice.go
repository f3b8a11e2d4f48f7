package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// Advice is how long a line lasts, and what we would renew it with.
type Advice struct {
	Line           string          `json:"line"`
	Zone           string          `json:"zone" doc:"In which its days are."`
	Forecast       *Forecast       `json:"forecast,omitempty" doc:"Absent where nothing can be said: the line has not begun, or its plan is gone."`
	Recommendation *Recommendation `json:"recommendation,omitempty" doc:"Absent where nothing can be said now: as forecast, or nothing is priced in the currency, or the answer is not ready yet. Ask again in a minute."`
}

// Bytes are amounts of data of which one will be it.
type Bytes struct {
	Median int64    `json:"median" doc:"As likely too much as too little."`
	Half   [2]int64 `json:"half" nullable:"false" doc:"Where it lies in 50 of 100 cases."`
	Most   [2]int64 `json:"most" nullable:"false" doc:"In 80 of 100."`
	Nearly [2]int64 `json:"nearly" nullable:"false" doc:"In 95 of 100."`
}

// Days are days of the operator's of which one will be it.
type Days struct {
	Median string    `json:"median" format:"date"`
	Half   [2]string `json:"half" nullable:"false"`
	Most   [2]string `json:"most" nullable:"false"`
	Nearly [2]string `json:"nearly" nullable:"false"`
}

// Forecast is what is to be expected of the rest of the stay.
type Forecast struct {
	Need          Bytes `json:"needBytes" doc:"From now to the end of the stay."`
	PerDay        Bytes `json:"perDayBytes" doc:"Of an ordinary whole day that is still to come."`
	LastDay       Days  `json:"lastDay" doc:"Of the stay: told, or guessed."`
	RunsOut       *Days `json:"runsOut,omitempty" doc:"The day on which a volume is used up; the day after the stay where it is not. Absent: nothing runs out."`
	LastsOf100    *int  `json:"lastsOf100,omitempty" minimum:"0" maximum:"100" doc:"In how many of 100 cases a volume lasts to the end of the stay."`
	Told          bool  `json:"told" doc:"The customer told when they leave."`
	DaysOfItsOwn  int   `json:"daysOfItsOwn" doc:"Days of this stay that it stands on."`
	LittleIsKnown bool  `json:"littleIsKnown" doc:"The ranges are mostly those of others."`
}

// Recommendation is what we would do in the customer's place.
type Recommendation struct {
	Action   string   `json:"action" enum:"buy,wait,enough,no_offer" doc:"buy: the item, now; wait: nothing now, the steps say when; enough: what is paid for will do; no_offer: nothing that can be bought is of use."`
	Item     string   `json:"item,omitempty" doc:"With buy: what a quote names."`
	Price    *Money   `json:"price,omitempty" doc:"With buy."`
	AsGood   string   `json:"asGood,omitempty" doc:"Another item that is as good."`
	Steps    []Step   `json:"steps" nullable:"false" doc:"The most probable way on."`
	Sentence string   `json:"sentence" doc:"What to do and why, in one sentence."`
	Notes    []string `json:"notes" nullable:"false" doc:"What belongs to it, a sentence each."`
	Attitude string   `json:"attitude" enum:"cheapest,balanced,carefree" doc:"How much it was taken to matter to run out."`
	Model    int64    `json:"model" doc:"The version of what was learnt."`
}

// Step is one purchase to come.
type Step struct {
	Item string `json:"item"`
	On   string `json:"on" format:"date"`
}

type adviceInput struct {
	OfLine
	Currency string `query:"currency" pattern:"^[A-Z]{3}$" doc:"Default: the shop's own, where it is priced."`
	Attitude string `query:"attitude" enum:"cheapest,balanced,carefree" doc:"Default: the customer's."`
	Until    string `query:"until" format:"date" maxLength:"10" doc:"As if the customer had told this last day."`
}

func (s *Server) addAdvice(d huma.API) {
	add(s, d, route{
		id: "get-advice", method: http.MethodGet, path: "/lines/{line}/advice", scope: Read, tag: "Lines",
		summary: "How long it lasts, and what to renew with and why",
		about:   "What is recommended is among the offers at that very price. How far it can be trusted stands in docs/advice.md.",
	}, s.getAdvice)
}

func (s *Server) getAdvice(ctx context.Context, c *call, in *adviceInput) (Advice, error) {
	f, err := s.see(ctx, c, in.Line, money.Currency(in.Currency))
	if err != nil {
		return Advice{}, err
	}
	at, facts := placeOf(f.situation.Catalogue, f.situation.Line.Plan), f.facts
	if in.Attitude != "" {
		facts.Attitude = advice.Attitude(in.Attitude)
	}
	if in.Until != "" {
		var ok bool
		if facts.Told, ok = readDay(in.Until, c, at); !ok {
			return Advice{}, errDay()
		}
	}
	out := Advice{Line: f.situation.Line.ID, Zone: at.loc.String()}
	if got, _, ok := s.Advice.Forecast(ctx, f.situation, facts); ok {
		_, limited := advice.Allowance(f.situation.Catalogue, f.situation)
		out.Forecast = forecastOf(&got, limited)
	}
	out.Recommendation = s.recommend(ctx, c.voice, f.situation, facts)
	return out, nil
}

func forecastOf(f *advice.Forecast, limited bool) *Forecast {
	out := &Forecast{
		Need: bytesIn(f.Need), PerDay: bytesIn(f.PerDay), LastDay: daysIn(f.LastDay),
		Told: f.Basis.Told, DaysOfItsOwn: f.Basis.Days, LittleIsKnown: f.Basis.Little(),
	}
	if limited {
		days, of100 := daysIn(f.RunsOut), int(min(max(f.Lasts*100, 0), 100))
		out.RunsOut, out.LastsOf100 = &days, &of100
	}
	return out
}

func bytesIn(q advice.Quantiles) Bytes {
	b := Bytes{Median: q.Median()}
	b.Half[0], b.Half[1] = q.Half()
	b.Most[0], b.Most[1] = q.Most()
	b.Nearly[0], b.Nearly[1] = q.Nearly()
	return b
}

func daysIn(q advice.Quantiles) Days {
	pair := func(lo, hi int64) [2]string { return [2]string{advice.Date(lo).String(), advice.Date(hi).String()} }
	return Days{advice.Date(q.Median()).String(), pair(q.Half()), pair(q.Most()), pair(q.Nearly())}
}

// recommend is nil where nothing can be said, and where what would be said to buy
// is not among the offers at its price any more.
func (s *Server) recommend(ctx context.Context, v ui.Voice, sit renewal.Situation, f advice.Facts) *Recommendation {
	offers, no := renewal.Offers(sit)
	if no != nil {
		return nil
	}
	a, ok := s.Advice.Ask(ctx, sit, f)
	if !ok || !a.Holds(offers) {
		return nil
	}
	w := v.AdviceWords(sit, &a)
	out := &Recommendation{
		Action: string(a.Best.Action), Steps: []Step{}, Sentence: a.Sentence(w), Notes: slices.Concat([]string{}, a.Notes(w)),
		Attitude: string(f.Attitude), Model: a.Version,
	}
	if o, buys := a.Offered(&a.Best, offers); buys {
		out.Item, out.Price = ui.ValueOf(o.Item), given(o.Price)
	}
	if o, buys := a.Offered(&a.Second, offers); a.Close && buys {
		out.AsGood = ui.ValueOf(o.Item)
	}
	for _, step := range a.Best.Steps.All() {
		out.Steps = append(out.Steps, Step{ui.ValueOf(a.Items[step.Offer]), step.On.String()})
	}
	return out
}
