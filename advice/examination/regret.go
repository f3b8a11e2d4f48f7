package examination

import (
	"math"
	"math/rand/v2"
	"slices"
)

// bill is what a set of moments came to: for the clairvoyant, and for each buyer.
type bill struct {
	buyers []string
	best   []int64     // the clairvoyant's cost of each moment
	out    [][]outcome // of each buyer, of each moment
}

func charge(at []moment, buyers []buyer, carefree float64) bill {
	b := bill{best: make([]int64, len(at)), out: make([][]outcome, len(buyers))}
	for i, who := range buyers {
		b.buyers = append(b.buyers, who.name())
		b.out[i] = make([]outcome, len(at))
	}
	each(len(at), func(k int) {
		m := at[k]
		b.best[k] = newClairvoyant(m.line.shop, m.trip.path(m.day, carefree)).from(m.line)
		for i, who := range buyers {
			b.out[i][k] = follow(who, m, carefree)
		}
	})
	return b
}

// only is the part of a bill for some of its moments.
func (b bill) only(keep []int) bill {
	part := bill{buyers: b.buyers, out: make([][]outcome, len(b.out))}
	for _, k := range keep {
		part.best = append(part.best, b.best[k])
		for i := range b.out {
			part.out[i] = append(part.out[i], b.out[i][k])
		}
	}
	return part
}

// and is both, of the same buyers.
func (b bill) and(c bill) bill {
	both := bill{buyers: b.buyers, best: slices.Concat(b.best, c.best), out: make([][]outcome, len(c.out))}
	for i := range both.out {
		both.out[i] = slices.Concat(b.out[i], c.out[i])
	}
	return both
}

func (b bill) index(name string) int { return slices.Index(b.buyers, name) }

// regret is the mean regret of one buyer alone.
func (b bill) regret(name string) float64 {
	cost, best := 0.0, 0.0
	for k, o := range b.out[b.index(name)] {
		cost, best = cost+float64(o.cost), best+float64(b.best[k])
	}
	return over(cost-best, best)
}

// BuyerReport is what one buyer paid more than the clairvoyant. Shares are of
// the clairvoyant's cost.
type BuyerReport struct {
	Name      string     `json:"name"`
	MeanCost  float64    `json:"mean_cost"`
	Regret    float64    `json:"regret_mean"` // of the summed cost
	RegretCI  [2]float64 `json:"regret_mean_ci"`
	Median    float64    `json:"regret_median"` // of the trips'
	P90       float64    `json:"regret_p90"`
	P90CI     [2]float64 `json:"regret_p90_ci"`
	Within2   float64    `json:"within_2_percent"`
	Purchases float64    `json:"purchases"`
	Outage    float64    `json:"outage_days"`
	Slow      float64    `json:"throttled_days"`
	Paid      float64    `json:"mean_paid"`
	Wasted    float64    `json:"mean_wasted"`
	Refused   int        `json:"refused"`
	// Versus is the advice's cost less this buyer's, a trip, and its interval:
	// below 0 the advice is better.
	Versus   float64    `json:"advice_less_this"`
	VersusCI [2]float64 `json:"advice_less_this_ci"`
}

// resamples are how often trips are drawn again for an interval.
const resamples = 1000

// leastCost is what a rest of a trip that could cost nothing is compared with:
// the cheapest purchase.
const leastCost = 550

func (b bill) report(seed uint64) []BuyerReport {
	draws := b.bootstrap(seed)
	reports := make([]BuyerReport, len(b.buyers))
	for i, name := range b.buyers {
		r := BuyerReport{Name: name}
		n := float64(len(b.best))
		relative := make([]float64, len(b.best))
		cost, best := 0.0, 0.0
		for k, o := range b.out[i] {
			cost, best = cost+float64(o.cost), best+float64(b.best[k])
			relative[k] = float64(o.cost-b.best[k]) / float64(max(b.best[k], leastCost))
			if relative[k] <= 0.02 {
				r.Within2 += 1 / n
			}
			r.Purchases += float64(o.purchases) / n
			r.Outage += float64(o.outage) / n
			r.Slow += float64(o.slow) / n
			r.Paid += float64(o.paid) / n
			r.Wasted += float64(o.wasted) / n
			r.Refused += o.refused
			r.Versus += float64(b.out[0][k].cost-o.cost) / n
		}
		r.MeanCost, r.Regret = over(cost, n), over(cost-best, best)
		slices.Sort(relative)
		r.Median, r.P90 = quantile(relative, 0.5), quantile(relative, 0.9)
		r.RegretCI, r.VersusCI, r.P90CI = interval(draws.regret[i]), interval(draws.versus[i]), draws.p90(relative)
		reports[i] = r
	}
	return reports
}

// drawn are the figures of every resample.
type drawn struct {
	regret, versus [][]float64
	seed           uint64
}

func (b bill) bootstrap(seed uint64) drawn {
	d := drawn{regret: make([][]float64, len(b.buyers)), versus: make([][]float64, len(b.buyers)), seed: seed}
	n := len(b.best)
	r := rand.New(rand.NewPCG(seed, 0xb007)) //nolint:gosec // an examination is repeatable
	cost := make([]int64, len(b.buyers))
	for range resamples {
		clear(cost)
		best := int64(0)
		for range n {
			k := r.IntN(n)
			best += b.best[k]
			for i := range cost {
				cost[i] += b.out[i][k].cost
			}
		}
		for i, c := range cost {
			d.regret[i] = append(d.regret[i], over(float64(c-best), float64(best)))
			d.versus[i] = append(d.versus[i], float64(cost[0]-c)/float64(n))
		}
	}
	return d
}

// p90 is the interval of the ninth decile: by the binomial distribution of how
// many of the sorted values lie below it.
func (drawn) p90(sorted []float64) [2]float64 {
	n := float64(len(sorted))
	half := 1.96 * math.Sqrt(0.9*0.1/n)
	return [2]float64{quantile(sorted, 0.9-half), quantile(sorted, min(0.9+half, 1))}
}

// over is a share of something; of nothing it is 0.
func over(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return part / whole
}

func interval(x []float64) [2]float64 {
	s := slices.Sorted(slices.Values(x))
	return [2]float64{quantile(s, 0.025), quantile(s, 0.975)}
}

func quantile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(math.Round(p*float64(len(sorted)-1)))]
}

// gap is how much of what the best simple buyer pays more than one who knows the
// advice saves, with its interval.
func (b bill) gap(seed uint64, simple []string, limit string) (closed float64, ci [2]float64, best string) {
	limitAt, sums := b.index(limit), make([]float64, len(b.buyers))
	for i := range b.buyers {
		for _, o := range b.out[i] {
			sums[i] += float64(o.cost)
		}
	}
	at := -1
	for _, name := range simple {
		if i := b.index(name); at < 0 || sums[i] < sums[at] {
			at = i
		}
	}
	draws := b.bootstrap(seed).regret
	all := make([]float64, resamples)
	for k := range all {
		all[k] = over(draws[at][k]-draws[0][k], draws[at][k]-draws[limitAt][k])
	}
	return over(sums[at]-sums[0], sums[at]-sums[limitAt]), interval(all), b.buyers[at]
}
