package advice

import (
	"math"
	"slices"
	"time"
)

// userLearner fits [useParams] by a few rounds of moments: each round is closed
// form, and its order of summation is fixed, so that the same trips give the
// same model to the last bit.
type userLearner struct {
	p        useParams
	people   []person
	segments []Segment
	weights  []float64 // of the segments' means
	means    []float64 // of the segments' users
}

const learnRounds = 8

func learnUse(trips []Trip) useParams {
	l := userLearner{p: priorUse()}
	index := map[Segment]int{}
	for i := range trips {
		if _, ok := index[trips[i].Segment]; !ok {
			index[trips[i].Segment] = 0
			l.segments = append(l.segments, trips[i].Segment)
		}
		l.people = append(l.people, see(&trips[i]))
	}
	slices.SortFunc(l.segments, compareSegments)
	for i, s := range l.segments {
		index[s] = i
		l.p.Segments = append(l.p.Segments, segmentLevel{s, l.p.All})
	}
	for i := range l.people {
		l.people[i].at = index[l.people[i].segment]
	}
	l.zeros()
	for range learnRounds {
		l.users()
		l.levels()
		l.spread()
		l.days()
		l.p.Shape = l.shape()
		l.impute()
	}
	l.wander()
	return l.p
}

// users finds every user's own level and variance, shrunk towards the segment's.
func (l *userLearner) users() {
	for i := range l.people {
		u := &l.people[i]
		g := &l.p.Segments[u.at].level
		week := l.p.week(u.segment.Purpose)
		u.n, u.mean, u.ss = float64(len(u.sights)), 0, 0
		for j := range u.sights {
			u.mean += u.sights[j].log - l.p.expected(&u.sights[j], &week)
		}
		if u.n == 0 {
			u.mu, u.s2, u.uncertain = g.Mu, g.S2, g.Tau2
			continue
		}
		u.mean /= u.n
		for j := range u.sights {
			r := u.sights[j].log - l.p.expected(&u.sights[j], &week) - u.mean
			u.ss += r * r
		}
		u.ss += u.imputedVar
		u.s2 = (l.p.Nu*g.S2 + u.ss) / (l.p.Nu + max(u.n-1, 0))
		u.uncertain = 1 / (1/g.Tau2 + u.n/u.s2)
		u.mu = u.uncertain * (g.Mu/g.Tau2 + u.mean*u.n/u.s2)
	}
}

// levels finds every segment's mean: what its users say, shrunk towards the sum
// of its parts, which are shrunk towards nothing.
func (l *userLearner) levels() {
	n := len(l.segments)
	l.weights, l.means = make([]float64, n), make([]float64, n)
	trips := make([]float64, n)
	for i := range l.people {
		u := &l.people[i]
		if u.n == 0 {
			continue
		}
		w := 1 / (l.p.Segments[u.at].Tau2 + u.s2/u.n)
		l.weights[u.at] += w
		l.means[u.at] += w * u.mean
		trips[u.at]++
	}
	for i := range n {
		if l.weights[i] > 0 {
			l.means[i] /= l.weights[i]
		}
	}
	prior := priorLevel()
	m, parts := additive(l.segments, l.means, l.weights, prior.Mu, priorGuess/prior.Tau2, 0.25)
	l.p.All.Mu = m
	l.p.Groups, l.p.Purposes, l.p.Kinds = merge(l.p.Groups, parts[0]), merge(l.p.Purposes, parts[1]), merge(l.p.Kinds, parts[2])
	var excess, weight float64
	for i, s := range l.segments {
		if l.weights[i] > 0 {
			r := l.means[i] - m - l.p.effects(s).Mu
			excess += l.weights[i] * (r*r - 1/l.weights[i])
			weight += l.weights[i]
		}
	}
	own := 0.02 // variance of segments around the sum of their parts
	if weight > 0 {
		own = min(max((excess+0.02*20)/(weight+20), 0.001), 1)
	}
	for i, s := range l.segments {
		base := m + l.p.effects(s).Mu
		k := l.weights[i] * own / (l.weights[i]*own + 1)
		l.p.Segments[i].Mu = base + k*(l.means[i]-base)
		l.p.Segments[i].Trips = trips[i]
	}
	l.p.All.Trips = 0
	for _, k := range trips {
		l.p.All.Trips += k
	}
}

func merge(old map[string]effect, mu map[string]float64) map[string]effect {
	out := make(map[string]effect, len(mu))
	for k, v := range mu {
		out[k] = effect{v, old[k].Zero}
	}
	return out
}

// additive fits value = m + group + purpose + use by weighted ridge regression.
// The mean is held to prior with the given precision, each effect to 0 with the
// given variance.
func additive(segments []Segment, values, weights []float64, prior, precision, variance float64) (m float64, parts [3]map[string]float64) {
	names := func(s Segment) [3]string { return [3]string{s.Group, s.Purpose, s.Use} }
	keys := [3][]string{}
	for p := range parts {
		parts[p] = map[string]float64{}
		for _, s := range segments {
			if k := names(s)[p]; !slices.Contains(keys[p], k) {
				keys[p] = append(keys[p], k)
				parts[p][k] = 0
			}
		}
	}
	m = prior
	for range 40 {
		up, down := prior*precision, precision
		for i, s := range segments {
			n := names(s)
			up += weights[i] * (values[i] - parts[0][n[0]] - parts[1][n[1]] - parts[2][n[2]])
			down += weights[i]
		}
		m = up / down
		for p := range parts {
			sums, sizes := map[string]float64{}, map[string]float64{}
			for i, s := range segments {
				n := names(s)
				rest := values[i] - m
				for q := range parts {
					if q != p {
						rest -= parts[q][n[q]]
					}
				}
				sums[n[p]] += weights[i] * rest
				sizes[n[p]] += weights[i]
			}
			for _, k := range keys[p] {
				parts[p][k] = sums[k] / (sizes[k] + 1/variance)
			}
		}
	}
	return m, parts
}

// spread finds the variances: between users, within one, and how much that
// differs between users.
func (l *userLearner) spread() {
	prior := priorLevel()
	n := len(l.segments)
	between, ways := make([]float64, n), make([]float64, n) // excess of the users' means, and their weights
	within, free := make([]float64, n), make([]float64, n)
	var allB, allW, allS, allF float64
	for i := range l.people {
		u := &l.people[i]
		if u.n > 0 {
			r := u.mean - l.p.Segments[u.at].Mu
			w := u.n / (u.n + 2)
			between[u.at] += w * (r*r - u.s2/u.n)
			ways[u.at] += w
		}
		if u.n > 1 {
			within[u.at] += u.ss
			free[u.at] += u.n - 1
		}
	}
	for i := range n {
		allB, allW, allS, allF = allB+between[i], allW+ways[i], allS+within[i], allF+free[i]
	}
	l.p.All.Tau2 = min(max((allB+priorGuess*prior.Tau2)/(allW+priorGuess), 0.05), 6)
	l.p.All.S2 = min(max((allS+5*priorGuess*prior.S2)/(allF+5*priorGuess), 0.05), 9)
	for i := range n {
		g := &l.p.Segments[i]
		g.Tau2 = min(max((between[i]+40*l.p.All.Tau2)/(ways[i]+40), 0.05), 6)
		g.S2 = min(max((within[i]+100*l.p.All.S2)/(free[i]+100), 0.05), 9)
	}
	l.p.Nu = l.freedom()
}

// freedom is how much users' variances agree, from how much their estimates
// vary beyond chance. Long trips say the most.
func (l *userLearner) freedom() float64 {
	var cv2, weight float64
	for i := range l.people {
		u := &l.people[i]
		if u.n < 4 {
			continue
		}
		f := u.n - 1
		ratio := u.ss / f / l.p.Segments[u.at].S2
		// Of normal noise the square has a relative variance of 2/f around its own
		// variance; noise with heavy tails has more, which is taken for half of it.
		cv2 += f * (min((ratio-1)*(ratio-1), 9) - 2/f)
		weight += f
	}
	v := 0.5 // as of 8 degrees of freedom
	if weight > 0 {
		v = (cv2 + 0.5*100) / (weight + 100)
	}
	return min(max(4+2/max(v, 0.02), 5), 60)
}

// days finds what weekdays, first, last and partial days have more or less.
func (l *userLearner) days() {
	const ridge = 30.0 // days that no effect weighs against those seen
	sums, sizes := map[string][7]float64{}, map[string][7]float64{}
	var first, firsts, last, lasts, part, parts float64
	for i := range l.people {
		u := &l.people[i]
		week := l.p.week(u.segment.Purpose)
		a, b := sums[u.segment.Purpose], sizes[u.segment.Purpose]
		for j := range u.sights {
			s := &u.sights[j]
			r := s.log - u.mu
			switch {
			case s.last:
				last, lasts = last+r-week[s.dow], lasts+1
			case s.part != 0:
				part, parts = part+(r-week[s.dow])*s.part, parts+s.part*s.part
			case s.first:
				first, firsts = first+r-week[s.dow], firsts+1
			default:
				a[s.dow] += r
				b[s.dow]++
			}
		}
		sums[u.segment.Purpose], sizes[u.segment.Purpose] = a, b
	}
	p := priorUse()
	l.p.First = (first + ridge*p.First) / (firsts + ridge)
	l.p.Last = (last + ridge*p.Last) / (lasts + ridge)
	l.p.Part = min(max((part+ridge*p.Part)/(parts+ridge), 0), 1.5)
	l.p.Week = weeks(sums, sizes)
}

// weeks are the weekdays' effects, of everyone under "" and of each purpose
// shrunk towards that; each week sums to nothing.
func weeks(sums, sizes map[string][7]float64) map[string][7]float64 {
	var all, n [7]float64
	purposes := sortedKeys(sums)
	for _, p := range purposes {
		for d := range all {
			all[d] += sums[p][d]
			n[d] += sizes[p][d]
		}
	}
	out := map[string][7]float64{"": centred(all, n, [7]float64{}, 60)}
	for _, p := range purposes {
		if p != "" {
			out[p] = centred(sums[p], sizes[p], out[""], 200)
		}
	}
	return out
}

func centred(sum, n, base [7]float64, weight float64) [7]float64 {
	var w [7]float64
	var mean float64
	for d := range w {
		w[d] = (sum[d] + weight*base[d]) / (n[d] + weight)
		mean += w[d] / 7
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		w[d] -= mean
	}
	return w
}

// impute puts, for days that were cut off, what was probably wanted.
func (l *userLearner) impute() {
	for i := range l.people {
		u := &l.people[i]
		week := l.p.week(u.segment.Purpose)
		u.imputedVar = 0
		for j := range u.sights {
			s := &u.sights[j]
			if !s.capped {
				continue
			}
			sd := math.Sqrt(u.s2 + u.uncertain)
			base := u.mu + l.p.expected(s, &week)
			mean, variance := l.p.above((s.cap - base) / sd)
			s.log = base + sd*mean
			u.imputedVar += sd * sd * variance
		}
	}
}

// upper is the probability of a standard normal above z.
func upper(z float64) float64 { return 0.5 * math.Erfc(z/math.Sqrt2) }
