package advice

import (
	"cmp"
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

// lags is how far apart days are compared.
const lags = 45

// wander finds how much a user's level strays for a while, for how long, and how
// much a day's noise depends on the day before: from half the squared
// differences of days that lie so and so far apart. Noise that remembers rises
// to its variance within days, a mood within weeks.
func (l *userLearner) wander() {
	var g variogram
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
				g.sum[lag] += d * d / 2 / u.s2
				g.count[lag]++
			}
		}
	}
	prior := priorUse()
	least := math.Inf(1)
	mood := 0.0
	for _, phi := range []float64{0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5} {
		for _, hold := range []float64{0.8, 0.87, 0.92, 0.95, 0.97, 0.985} {
			noise, slow, loss := g.fit(phi, hold)
			loss += 300 * ((phi-prior.Memory)*(phi-prior.Memory) + (hold-prior.Hold)*(hold-prior.Hold)) // of 300 pairs' weight
			if loss < least && noise > 0 {
				least, mood = loss, slow/noise
				l.p.Memory, l.p.Hold = phi, hold
			}
		}
	}
	share := g.total() / (g.total() + 2000)
	l.p.Mood = min(max(share*mood*l.p.All.S2+(1-share)*prior.Mood, 0), l.p.All.S2)
}

// variogram is, by lag, the sum of half the squared differences, in shares of
// the noise, and how many.
type variogram struct{ sum, count [lags + 1]float64 }

func (g *variogram) total() (n float64) {
	for _, c := range g.count {
		n += c
	}
	return n
}

// fit finds noise*(1-phi^lag) + slow*(1-hold^lag) by least squares, neither
// below 0.
func (g *variogram) fit(phi, hold float64) (noise, slow, loss float64) {
	var aa, ab, bb, ay, by float64
	for lag := 1; lag <= lags; lag++ {
		if g.count[lag] == 0 {
			continue
		}
		w, y := g.count[lag], g.sum[lag]/g.count[lag]
		a, b := 1-math.Pow(phi, float64(lag)), 1-math.Pow(hold, float64(lag))
		aa, ab, bb, ay, by = aa+w*a*a, ab+w*a*b, bb+w*b*b, ay+w*a*y, by+w*b*y
	}
	if aa == 0 {
		return 1, 0, 0
	}
	if det := aa*bb - ab*ab; det > 1e-9*aa*bb {
		noise, slow = (ay*bb-by*ab)/det, (by*aa-ay*ab)/det
	}
	if slow <= 0 || noise <= 0 {
		noise, slow = ay/aa, 0
	}
	for lag := 1; lag <= lags; lag++ {
		if g.count[lag] > 0 {
			e := g.sum[lag]/g.count[lag] - noise*(1-math.Pow(phi, float64(lag))) - slow*(1-math.Pow(hold, float64(lag)))
			loss += g.count[lag] * e * e
		}
	}
	return noise, slow, loss
}

// residual is a day's noise in its user's standard deviations; of a day that was
// cut off, it was at least that.
type residual struct {
	z   float64
	cut bool
}

// A day's noise is measured against the days around it: those of so many days to
// either side, of which there must be so many. A traveller's mean over few days
// has a share of each of them, which makes noise look more normal than it is,
// and over months it hides how the level strays.
const (
	aroundReach = 10
	aroundLeast = 7
)

// shape is the form of a day's noise: quantiles of the residuals, with days that
// were cut off counted as at least so much (Kaplan and Meier), pulled towards the
// normal where few were seen.
func (l *userLearner) shape() []float64 {
	var all []residual
	for i := range l.people {
		u := &l.people[i]
		if u.n <= aroundLeast {
			continue
		}
		week := l.p.week(u.segment.Purpose)
		from, to, sum := 0, 0, 0.0 // the days around are those from one to before the other
		for j := range u.sights {
			s := &u.sights[j]
			for ; to < len(u.sights) && u.sights[to].day <= s.day+aroundReach; to++ {
				sum += u.sights[to].log - l.p.expected(&u.sights[to], &week)
			}
			for ; u.sights[from].day < s.day-aroundReach; from++ {
				sum -= u.sights[from].log - l.p.expected(&u.sights[from], &week)
			}
			n := float64(to - from - 1)
			if n < aroundLeast {
				continue
			}
			x := s.log - l.p.expected(s, &week)
			centre := (sum - x) / n
			if s.capped {
				x += s.cap - s.log
			}
			all = append(all, residual{(x - centre) / math.Sqrt(u.s2*(1+1/n)), s.capped})
		}
	}
	nodes := priorUse().Shape
	n := float64(len(all))
	if n < 200 {
		return nodes
	}
	below, mean, sd := survival(all)
	for i, g := range nodes {
		p := 1 - upper(g)
		inside := n * min(p, 1-p) // how many lie beyond this node
		k := n / (n + 2000) * inside / (inside + 5)
		at, _ := slices.BinarySearch(below, p)
		if at == len(below) {
			continue // nobody was seen there
		}
		nodes[i] = k*(all[at].z-mean)/sd + (1-k)*g
	}
	for i := 1; i < len(nodes); i++ {
		nodes[i] = max(nodes[i], nodes[i-1])
	}
	return nodes
}

// survival sorts residuals and finds the probability that lies up to and with
// each; and their mean and standard deviation.
func survival(all []residual) (below []float64, mean, sd float64) {
	slices.SortFunc(all, func(a, b residual) int { return cmp.Compare(a.z, b.z) })
	below = make([]float64, len(all))
	alive, sq := 1.0, 0.0
	for i, r := range all {
		if !r.cut {
			gone := alive / float64(len(all)-i)
			alive -= gone
			mean += gone * r.z
			sq += gone * r.z * r.z
		}
		below[i] = 1 - alive
	}
	seen := max(1-alive, 1e-9) // what is left lies beyond all that was seen
	mean /= seen
	return below, mean, math.Sqrt(max(sq/seen-mean*mean, 1e-6))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
