package examination

import (
	"math/rand/v2"
	"slices"
	"sort"

	"github.com/tsuzuku/tsuzuku/advice"
)

// oracle knows how a traveller is made, and nothing of the dice that are still
// to fall. It draws futures from the true process and finds, by dynamic
// programming over mornings, what costs least in their mean. It buys no packs.
// The one that knows the end too is the limit that advice is measured by; what
// the other pays is what not knowing the end costs whoever knows all the rest.
type oracle struct {
	shop     *advice.Shop
	futures  int
	carefree float64
	blind    bool // to the end: it draws the stay as well, and believes what was told
}

const (
	seeingOracle = "oracle"
	blindOracle  = "oracle, end not known"
)

func (o oracle) name() string {
	if o.blind {
		return blindOracle
	}
	return seeingOracle
}

func (o oracle) decide(m *moment) int {
	if !needsSome(m) {
		return -1
	}
	p := o.plan(m)
	buy, offer := p.buying[0], p.first
	if m.line.offer < 0 {
		if p.rest[0] < buy {
			return -1
		}
		return offer
	}
	if p.goOn(m.line.service(), 0, min(m.line.days, p.days)) <= buy {
		return -1
	}
	return offer
}

// plan is the expected least costs of one morning and all that follow, for
// those who are still here on it.
type plan struct {
	shop   *advice.Shop
	days   int         // of the longest future
	paths  [][]int64   // one a future, the longest first
	sums   [][]int64   // sums[k][d] is what future k wants before day d
	here   []float64   // how many futures reach a day
	idle   []float64   // mean cost of a day without service
	slow   []float64   // sums of the cost of throttled days before a day, over the futures that reach them
	dry    []float64   // the same without service
	caps   [][]float64 // the same with each unlimited offer
	rest   []float64
	buying []float64
	first  int // the offer to buy on the first day
}

func (o oracle) plan(m *moment) *plan {
	p := &plan{shop: o.shop, caps: make([][]float64, len(o.shop.Offers))}
	r := rand.New(rand.NewPCG(m.trip.number, uint64(m.day))) //nolint:gosec // repeatable dice
	for range o.futures {
		stay := o.stay(r, m)
		path := make([]int64, stay-m.day)
		m.trip.who.Future(r, m.day, stay, path)
		p.paths = append(p.paths, path)
	}
	slices.SortFunc(p.paths, func(a, b []int64) int { return len(b) - len(a) })
	for _, path := range p.paths {
		sums := make([]int64, len(path)+1)
		for d, want := range path {
			sums[d+1] = sums[d] + want
		}
		p.sums = append(p.sums, sums)
	}
	p.days = len(p.paths[0])
	p.idle, p.slow, p.dry = make([]float64, p.days), make([]float64, p.days+1), make([]float64, p.days+1)
	p.here, p.rest, p.buying = make([]float64, p.days+1), make([]float64, p.days+1), make([]float64, p.days+1)
	p.eachDay(o.carefree)
	for d := p.days - 1; d >= 0; d-- {
		p.morning(d)
	}
	return p
}

// stay is how long the trip is, as far as the oracle knows.
func (o oracle) stay(r *rand.Rand, m *moment) int {
	told := int(m.trip.told[m.day]-m.trip.arrival) + 1
	switch {
	case !o.blind:
		return len(m.trip.demand)
	case m.trip.told[m.day] == 0:
		return m.trip.who.Stay(r, m.day)
	}
	return max(told, m.day+1)
}

// eachDay sums what a day costs over the futures, whatever was bought before.
func (p *plan) eachDay(carefree float64) {
	for i, o := range p.shop.Offers {
		if o.Kind == advice.Term && unlimited(o.Service) {
			p.caps[i] = make([]float64, p.days+1)
		}
	}
	for d := range p.days {
		slow, dry, caps := 0.0, 0.0, make([]float64, len(p.caps))
		for _, path := range p.paths {
			if d >= len(path) {
				break
			}
			p.here[d]++
			slow += p.counts(path[d], advice.Served{Slow: path[d]})
			dry += p.counts(path[d], advice.Served{Missing: path[d]})
			want := int64(carefree * float64(path[d]))
			for i := range caps {
				if p.caps[i] == nil {
					continue
				}
				if served, _ := serve(p.shop.Offers[i].Service, 0, want); served.Full != want {
					caps[i] += p.counts(want, served)
				}
			}
		}
		p.idle[d], p.slow[d+1], p.dry[d+1] = dry/p.here[d], p.slow[d]+slow, p.dry[d]+dry
		for i := range caps {
			if p.caps[i] != nil {
				p.caps[i][d+1] = p.caps[i][d] + caps[i]
			}
		}
	}
}

// counts is what a day counts by the yardstick, without rounding: means need no
// exact division, which takes most of the time.
func (p *plan) counts(demand int64, s advice.Served) float64 {
	c := p.shop.Costs
	cost := min(float64(c.PerGB)*float64(s.Slow)/gb, float64(c.SlowDayMax))
	if s.Missing > 0 {
		cost += float64(c.OutageDay) * float64(s.Missing) / float64(demand)
	}
	return cost
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
			cost += (p.caps[i][end] - p.caps[i][d] + p.here[end]*p.rest[end]) / p.here[d]
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
	p.rest[d] = min(p.idle[d]+p.here[d+1]/p.here[d]*p.rest[d+1], p.buying[d])
}

// volume is the mean cost of a volume bought on the morning of a day.
func (p *plan) volume(s advice.Service, d, end int) float64 {
	total := 0.0
	for k, sums := range p.sums {
		stay := len(p.paths[k])
		if stay <= d {
			break
		}
		last := min(end, stay)
		// dry is the day on which it is used up, if it is before the end.
		dry := d + sort.Search(last-d, func(i int) bool { return sums[d+i+1]-sums[d] > s.Volume })
		if dry == last {
			if end < stay {
				total += p.rest[end]
			}
			continue
		}
		want := p.paths[k][dry]
		served, _ := serve(s, s.Volume-(sums[dry]-sums[d]), want)
		total += p.counts(want, served)
		switch next := dry + 1; {
		case next >= stay:
		case next == end:
			total += p.rest[end]
		default:
			total += min(p.goOn(s, next, end), p.buying[next])
		}
	}
	return total / p.here[d]
}

// goOn is the mean cost of going on with what is used up, until it ends.
func (p *plan) goOn(s advice.Service, d, end int) float64 {
	costs := p.dry
	if s.ThrottleKbps > 0 {
		costs = p.slow
	}
	return (costs[end] - costs[d] + p.here[end]*p.rest[end]) / p.here[d]
}
