package examination

import (
	"math/rand/v2"
	"sort"

	"github.com/tsuzuku/tsuzuku/advice"
)

// oracle knows how a traveller is made and how long they stay, and nothing of
// the dice that are still to fall. It draws futures from the true process and
// finds, by dynamic programming over mornings, what costs least in their mean.
// What it cannot save, nobody can: it is the limit of any advice. It buys no
// packs.
type oracle struct {
	shop     *advice.Shop
	futures  int
	carefree float64
}

func (oracle) name() string { return "oracle" }

func (o oracle) decide(m *moment) int {
	if !needsSome(m) {
		return -1
	}
	p := o.plan(m)
	buy, offer := p.buying[0], p.first
	if m.line.offer < 0 {
		if p.idle[0]+p.rest[1] <= buy {
			return -1
		}
		return offer
	}
	if p.goOn(m.line.service(), 0, min(m.line.days, p.days)) <= buy {
		return -1
	}
	return offer
}

// plan is the expected least costs of one morning and all that follow.
type plan struct {
	shop   *advice.Shop
	days   int
	paths  [][]int64 // one a future
	sums   [][]int64 // sums[k][d] is what future k wants before day d
	idle   []float64
	slow   []float64 // sums of the mean cost of throttled days before a day
	dry    []float64 // the same without service
	caps   [][]float64
	rest   []float64
	buying []float64
	first  int // the offer to buy on the first day
}

func (o oracle) plan(m *moment) *plan {
	n := m.daysLeft()
	p := &plan{
		shop: o.shop, days: n, idle: make([]float64, n), slow: make([]float64, n+1), dry: make([]float64, n+1),
		caps: make([][]float64, len(o.shop.Offers)), rest: make([]float64, n+1), buying: make([]float64, n+1),
	}
	r := rand.New(rand.NewPCG(m.trip.number, uint64(m.day))) //nolint:gosec // repeatable dice
	for range o.futures {
		path := make([]int64, n)
		m.trip.who.Future(r, m.day, path)
		sums := make([]int64, n+1)
		for d, want := range path {
			sums[d+1] = sums[d] + want
		}
		p.paths, p.sums = append(p.paths, path), append(p.sums, sums)
	}
	p.meanDays(o.carefree)
	for d := n - 1; d >= 0; d-- {
		p.morning(d)
	}
	return p
}

// meanDays fills what a day costs in the mean, whatever was bought before.
func (p *plan) meanDays(carefree float64) {
	costs, share := p.shop.Costs, 1/float64(len(p.paths))
	for d := range p.days {
		slow, dry := 0.0, 0.0
		for _, path := range p.paths {
			slow += share * float64(costs.Day(path[d], advice.Served{Slow: path[d]}))
			dry += share * float64(costs.Day(path[d], advice.Served{Missing: path[d]}))
		}
		p.idle[d], p.slow[d+1], p.dry[d+1] = dry, p.slow[d]+slow, p.dry[d]+dry
	}
	for i, o := range p.shop.Offers {
		if o.Kind != advice.Term || !unlimited(o.Service) {
			continue
		}
		p.caps[i] = make([]float64, p.days+1)
		for d := range p.days {
			cost := 0.0
			for _, path := range p.paths {
				want := int64(carefree * float64(path[d]))
				if served, _ := serve(o.Service, 0, want); served.Full != want {
					cost += share * float64(costs.Day(want, served))
				}
			}
			p.caps[i][d+1] = p.caps[i][d] + cost
		}
	}
}

// morning finds the least expected cost from a morning on.
func (p *plan) morning(d int) {
	p.buying[d] = never
	for i, o := range p.shop.Offers {
		if o.Kind != advice.Term {
			continue
		}
		end := min(d+o.Days, p.days)
		cost := float64(o.Price + o.Fee + p.shop.Costs.Hassle)
		if unlimited(o.Service) {
			cost += p.caps[i][end] - p.caps[i][d] + p.rest[end]
		} else {
			cost += p.volume(o.Service, d, end)
		}
		if cost < p.buying[d] {
			p.buying[d] = cost
			if d == 0 {
				p.first = i
			}
		}
	}
	p.rest[d] = min(p.idle[d]+p.rest[d+1], p.buying[d])
}

// volume is the mean cost of a volume bought on the morning of a day.
func (p *plan) volume(s advice.Service, d, end int) float64 {
	mean := 0.0
	for k, sums := range p.sums {
		// dry is the day on which it is used up, if it is before the end.
		dry := d + sort.Search(end-d, func(i int) bool { return sums[d+i+1]-sums[d] > s.Volume })
		if dry == end {
			mean += p.rest[end]
			continue
		}
		want := p.paths[k][dry]
		served, _ := serve(s, s.Volume-(sums[dry]-sums[d]), want)
		mean += float64(p.shop.Costs.Day(want, served)) + p.goOn(s, dry+1, end)
		if dry+1 < end {
			mean += min(p.buying[dry+1]-p.goOn(s, dry+1, end), 0)
		}
	}
	return mean / float64(len(p.sums))
}

// goOn is the mean cost of going on with what is used up, until it ends.
func (p *plan) goOn(s advice.Service, d, end int) float64 {
	costs := p.dry
	if s.ThrottleKbps > 0 {
		costs = p.slow
	}
	return costs[end] - costs[d] + p.rest[end]
}
