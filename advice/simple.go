package advice

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
)

type useParams struct{ Mu, Sigma, Zero float64 }

type stayParams struct{ Mean float64 }

type stored struct {
	Version  int
	From, To Date
	Scores   Scores
	Use      useParams
	Stay     stayParams
}

func (m *Model) stored() stored { return stored{m.Version, m.From, m.To, m.Scores, m.use, m.stay} }

func (m *Model) restore(data []byte) error {
	var s stored
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*m = Model{s.Version, s.From, s.To, s.Scores, s.Use, s.Stay}
	return nil
}

func prior() *Model {
	return &Model{Version: 1, use: useParams{math.Log(0.4e9), 1.2, 0.2}, stay: stayParams{7}}
}

func fit(trips []Trip, _ Options) (*Model, error) {
	m := prior()
	var n, zero, sum, sq, days, ends float64
	for _, t := range trips {
		if t.Validate() != nil {
			continue
		}
		if t.End != 0 {
			days, ends = days+float64(t.End-t.Arrival+1), ends+1
		}
		for _, d := range t.Days {
			if d.Bytes < 1e6 {
				zero++
				continue
			}
			l := math.Log(float64(d.Bytes))
			n, sum, sq = n+1, sum+l, sq+l*l
		}
	}
	if n == 0 {
		return nil, refuse("There is no trip to learn from.")
	}
	m.use = useParams{sum / n, math.Sqrt(max(0.1, sq/n-sum/n*sum/n)), zero / (n + zero)}
	m.stay.Mean = days / max(ends, 1)
	m.Scores.Trips = len(trips)
	return m, nil
}

func (m *Model) calibrated([]Trip) (*Model, error) { c := *m; return &c, nil }
func (m *Model) adapted(Trip) *Model               { c := *m; return &c }

func (m *Model) forecast(t Trip, allowance int64) (Forecast, error) {
	if err := t.Validate(); err != nil {
		return Forecast{}, err
	}
	const paths = 400
	r := rand.New(rand.NewPCG(1, 2))
	f := Forecast{Ends: make([]float64, 91), Basis: Basis{Days: len(t.Days), Told: t.Told >= t.Today, ChangeFactor: 1}}
	var need, out, last, day []int64
	for range paths {
		left := 1 + int(r.ExpFloat64()*m.stay.Mean)
		if f.Basis.Told {
			left = int(t.Told-t.Today) + 1
		}
		left = min(left, 90)
		f.Ends[left-1] += 1.0 / paths
		var sum float64
		runs := left
		for i := range left {
			if r.Float64() > m.use.Zero {
				sum += math.Exp(m.use.Mu + m.use.Sigma*r.NormFloat64())
			}
			if i == 0 {
				day = append(day, int64(sum))
			}
			if sum > float64(allowance) {
				runs = min(runs, i)
			}
		}
		if runs == left {
			f.Lasts += 1.0 / paths
		}
		need, out, last = append(need, int64(sum)), append(out, int64(t.Today)+int64(runs)), append(last, int64(t.Today)+int64(left)-1)
	}
	f.Need, f.PerDay, f.RunsOut, f.LastDay = quantiles(need), quantiles(day), quantiles(out), quantiles(last)
	return f, nil
}

func quantiles(x []int64) (q Quantiles) {
	slices.Sort(x)
	for i, p := range Levels {
		q.At[i] = x[int(p*float64(len(x)))]
	}
	return q
}

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
