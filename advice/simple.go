package advice

import (
	"math"
	"slices"
)

func build(m *Model, s Shop) (*Tables, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return &Tables{model: m, shop: s}, nil
}

func (t *Tables) recommend(q *Question) (Advice, error) {
	f, err := t.model.forecast(q.Trip, 0)
	if err != nil {
		return Advice{}, err
	}
	need := int(f.LastDay.Median()-int64(q.Trip.Today)) + 1 - q.State.Covered()
	best, price := -1, int64(math.MaxInt64)
	for i, o := range t.shop.Offers {
		if o.Kind != Term || !t.shop.Rules.Allows(o, q.State) {
			continue
		}
		n := int64((need + o.Days - 1) / o.Days)
		cost := n * (o.Price + t.shop.Costs.Hassle)
		if o.Volume > 0 && o.Volume < f.Need.Median() {
			cost += t.shop.Costs.OutageDay
		}
		if cost < price {
			best, price = i, cost
		}
	}
	switch {
	case need <= 0:
		return Advice{Best: Choice{Action: Enough}, Carefree: Step{Offer: -1}}, nil
	case best < 0:
		return Advice{Best: Choice{Action: NoOffer}, Carefree: Step{Offer: -1}}, nil
	}
	c := Choice{Action: Buy, Price: t.shop.Offers[best].Price, Cost: price, Paid: price}
	c.Steps.add(Step{best, q.Trip.Today})
	return Advice{Best: c, Carefree: Step{Offer: -1}}, nil
}

func series(values []float64, season, horizon int) ([][7]float64, error) {
	if len(values) < 2 || season < 1 || horizon < 1 {
		return nil, refuse("A series needs two values, a season and a horizon.")
	}
	season = min(season, len(values)-1)
	var e []float64
	for i := season; i < len(values); i++ {
		e = append(e, values[i]-values[i-season])
	}
	slices.Sort(e)
	out := make([][7]float64, horizon)
	for h := range out {
		base := values[len(values)-season+h%season]
		for i, p := range Levels {
			out[h][i] = base + e[int(p*float64(len(e)))]*math.Sqrt(float64(h/season+1))
		}
	}
	return out, nil
}
