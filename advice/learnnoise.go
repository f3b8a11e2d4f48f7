package advice

import (
	"maps"
	"math"
	"slices"
)

// zeros finds how many days have no use, and how much users differ in that.
func (l *userLearner) zeros() {
	n := len(l.segments)
	zero, days := make([]float64, n), make([]float64, n)
	for i := range l.people {
		u := &l.people[i]
		zero[u.at] += u.zeros
		days[u.at] += u.days
	}
	var allZ, allD, silent float64
	for i := range l.people {
		silent += l.people[i].silent
	}
	for i := range n {
		allZ, allD = allZ+zero[i], allD+days[i]
	}
	l.p.All.Zero = min(max((allZ+10*priorGuess*priorZero)/(allD+10*priorGuess), 0.002), 0.95)
	l.p.Silent = (silent + 20*l.p.Silent) / (allZ + 20)
	values, weights := make([]float64, n), make([]float64, n)
	for i := range n {
		p := (zero[i] + 10*l.p.All.Zero) / (days[i] + 10)
		values[i], weights[i] = logit(p), days[i]*p*(1-p)
	}
	_, parts := additive(l.segments, values, weights, logit(l.p.All.Zero), 1e6, 0.3)
	l.p.Groups, l.p.Purposes, l.p.Kinds = zeroEffects(parts[0]), zeroEffects(parts[1]), zeroEffects(parts[2])
	for i, s := range l.segments {
		base := logistic(logit(l.p.All.Zero) + l.p.effects(s).Zero)
		l.p.Segments[i].Zero = (zero[i] + 60*base) / (days[i] + 60)
	}
	l.p.ZeroWeight = l.zeroWeight()
}

func zeroEffects(of map[string]float64) map[string]effect {
	out := make(map[string]effect, len(of))
	for k, v := range of {
		out[k] = effect{Zero: v}
	}
	return out
}

// zeroWeight is a+b of the Beta that users' shares come from, by how much they
// vary beyond chance.
func (l *userLearner) zeroWeight() float64 {
	var excess, base float64
	for i := range l.people {
		u := &l.people[i]
		if u.days < 3 {
			continue
		}
		p := l.p.Segments[u.at].Zero
		d := u.zeros/u.days - p
		excess += u.days * (d*d - p*(1-p)/u.days)
		base += u.days * p * (1 - p) * (1 - 1/u.days)
	}
	prior := 1 / (priorUse().ZeroWeight + 1)
	share := (excess + 50*prior*0.2) / (base + 50*0.2) // 1/(a+b+1)
	return 1/min(max(share, 0.005), 0.6) - 1
}

// wander finds how much a user's level moves in a day, and how much a day's
// noise depends on the day before, from half the squared differences of days
// that lie so and so far apart: noise that remembers rises to its variance in
// a few days, a level that moves goes on rising.
func (l *userLearner) wander() (drift, memory float64) {
	const lags = 14
	var sum, count [lags + 1]float64
	for i := range l.people {
		u := &l.people[i]
		week := l.p.week(u.segment.Purpose)
		for a := range u.sights {
			for b := a + 1; b < len(u.sights); b++ {
				lag := int(u.sights[b].day - u.sights[a].day)
				if lag > lags {
					break
				}
				if u.sights[a].capped || u.sights[b].capped {
					continue
				}
				d := u.sights[a].log - l.p.expected(&u.sights[a], &week) - u.sights[b].log + l.p.expected(&u.sights[b], &week)
				sum[lag] += d * d / 2 / u.s2
				count[lag]++
			}
		}
	}
	prior := priorUse()
	best := math.Inf(1)
	for _, phi := range []float64{0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7} {
		scale, slope, loss := variogram(&sum, &count, phi)
		loss += 300 * (phi - prior.Memory) * (phi - prior.Memory) // of 300 pairs' weight
		if loss < best {
			best = loss
			drift, memory = 2*slope*scale, phi
		}
	}
	total := 0.0
	for _, n := range count {
		total += n
	}
	share := total / (total + 2000)
	drift = share*drift*l.p.All.S2 + (1-share)*prior.Drift
	return min(max(drift, 0), 0.1*l.p.All.S2), memory
}

// variogram fits scale*(1-phi^lag) + slope*lag by least squares, slope not below
// 0; it returns the slope in shares of the scale.
func variogram(sum, count *[15]float64, phi float64) (scale, slope, loss float64) {
	var aa, ab, bb, ay, by float64
	for lag := 1; lag < len(sum); lag++ {
		if count[lag] == 0 {
			continue
		}
		w, y := count[lag], sum[lag]/count[lag]
		a, b := 1-math.Pow(phi, float64(lag)), float64(lag)
		aa, ab, bb, ay, by = aa+w*a*a, ab+w*a*b, bb+w*b*b, ay+w*a*y, by+w*b*y
	}
	if aa == 0 {
		return 1, 0, 0
	}
	if det := aa*bb - ab*ab; det > 1e-9*aa*bb {
		scale, slope = (ay*bb-by*ab)/det, (by*aa-ay*ab)/det
	}
	if slope <= 0 || scale <= 0 {
		scale, slope = ay/aa, 0
	}
	for lag := 1; lag < len(sum); lag++ {
		if count[lag] > 0 {
			e := sum[lag]/count[lag] - scale*(1-math.Pow(phi, float64(lag))) - slope*float64(lag)
			loss += count[lag] * e * e
		}
	}
	return scale, slope / scale, loss
}

// shape is the form of a day's noise: quantiles of the residuals in their own
// standard deviations, pulled towards the normal where few were seen.
func (l *userLearner) shape() []float64 {
	var all []float64
	for i := range l.people {
		u := &l.people[i]
		if u.n < 3 {
			continue
		}
		week := l.p.week(u.segment.Purpose)
		sd := math.Sqrt(u.s2 + u.uncertain)
		for j := range u.sights {
			if s := &u.sights[j]; !s.capped {
				all = append(all, (s.log-l.p.expected(s, &week)-u.mu)/sd)
			}
		}
	}
	nodes := priorUse().Shape
	n := float64(len(all))
	if n < 200 {
		return nodes
	}
	slices.Sort(all)
	var mean, sq float64
	for _, z := range all {
		mean, sq = mean+z/n, sq+z*z/n
	}
	sd := math.Sqrt(max(sq-mean*mean, 1e-6))
	for i, g := range nodes {
		p := 1 - upper(g)
		inside := n * min(p, 1-p) // how many lie beyond this node
		k := n / (n + 2000) * inside / (inside + 5)
		z := (all[min(int(p*n), len(all)-1)] - mean) / sd
		nodes[i] = k*z + (1-k)*g
	}
	for i := 1; i < len(nodes); i++ {
		nodes[i] = max(nodes[i], nodes[i-1])
	}
	return nodes
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
