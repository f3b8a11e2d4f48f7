package advice

import (
	"math"
	"slices"
)

// How long people stay: for each day n the probability that a stay ends with
// it, given that it lasted until then. Everyone's is counted (Kaplan and Meier:
// trips that go on count until today, lines that came late from when they came),
// held to the published figures; each part of a segment multiplies it, in
// stretches of days; and a segment with many trips has its own.
type stayParams struct {
	Base                    []float64 // Base[n-1] for a stay of n days
	Groups, Purposes, Kinds map[string][stretches]float64
	Segments                []segmentStay // sorted
	Moved                   [movedDays]float64
	Plans                   [][]float64 // by the length of the term they came with, and of the stay: how much likelier it is
}

type segmentStay struct {
	Segment Segment
	Hazard  []float64 // the first days; after them as its parts say
}

const (
	// maxStay is how many days of a stay have a probability of their own. Longer
	// ones go on as the last of them.
	maxStay   = 400
	stretches = 9

	// Moved counts ends that came so many days after the told one: -movedReach
	// and before, …, movedReach and after.
	movedReach = 8
	movedDays  = 2*movedReach + 1

	leastHazard = 1e-4
	mostHazard  = 0.98
)

var stretchEnds = [stretches]int{3, 6, 9, 13, 20, 29, 59, 89, math.MaxInt}

func stretchOf(n int) int {
	i := 0
	for n > stretchEnds[i] {
		i++
	}
	return i
}

func priorStayParams() stayParams {
	p := stayParams{Base: make([]float64, maxStay)}
	left := 1.0
	for i, f := range priorStay() {
		p.Base[i] = min(max(f/max(left, 1e-12), leastHazard), mostHazard)
		left -= f
	}
	p.Base[0] = 0.01
	for i := maxStay - 100; i < maxStay; i++ {
		p.Base[i] = p.Base[maxStay-101] // not the jump at the end of a list
	}
	p.Groups = map[string][stretches]float64{}
	for _, g := range sortedKeys(priorGroups) {
		p.Groups[g] = constant(math.Pow(priorGroups[g], -1.5)) // a stay of half the mean needs almost thrice the hazard
	}
	p.Purposes, p.Kinds = map[string][stretches]float64{}, map[string][stretches]float64{}
	for i := range p.Moved {
		p.Moved[i] = (1 - priorTold - 0.10) / (movedDays - 5)
	}
	p.Moved[movedReach] = priorTold
	for _, off := range []int{-2, -1, 1, 2} {
		p.Moved[movedReach+off] = 0.025
	}
	return p
}

func constant(x float64) (out [stretches]float64) {
	for i := range out {
		out[i] = x
	}
	return out
}

// hazard is the probability that a stay of the segment ends with day n, given
// that it lasted until then. own is the segment's, if it has one.
func (p *stayParams) hazard(own []float64, factor *[stretches]float64, n int) float64 {
	if n-1 < len(own) {
		return own[n-1]
	}
	return min(max(p.Base[min(n, maxStay)-1]*factor[stretchOf(n)], leastHazard), mostHazard)
}

// of finds what a segment has of its own.
func (p *stayParams) of(s Segment) (own []float64, factor [stretches]float64) {
	at, ok := slices.BinarySearchFunc(p.Segments, s, func(l segmentStay, s Segment) int { return compareSegments(l.Segment, s) })
	if ok {
		own = p.Segments[at].Hazard
	}
	factor = constant(1)
	for i, m := range []map[string][stretches]float64{p.Groups, p.Purposes, p.Kinds} {
		key := s.Group
		switch i {
		case 1:
			key = s.Purpose
		case 2:
			key = s.Use
		}
		if f, ok := m[key]; ok {
			for j := range factor {
				factor[j] *= f[j]
			}
		}
	}
	return own, factor
}

// exits counts, for every day of a stay, who could have left and who did.
type exits struct{ risk, left []float64 }

func newExits() exits { return exits{make([]float64, maxStay), make([]float64, maxStay)} }

func (e *exits) count(t *Trip) {
	from := 1
	if len(t.Days) > 0 {
		from = int(t.Days[0].Date-t.Arrival) + 1
	}
	to := int(t.Today - t.Arrival) // days that were survived
	if t.End != 0 {
		to = int(t.End-t.Arrival) + 1
	}
	for n := max(from, 1); n <= min(to, maxStay); n++ {
		e.risk[n-1]++
	}
	if t.End != 0 && to >= from && to <= maxStay {
		e.left[to-1]++
	}
}

const (
	stayGuess   = 20.0 // trips that the published hazards weigh
	effectGuess = 6.0  // ends that no effect of a part weighs
	ownGuess    = 40.0 // trips that the parts weigh against a segment's own hazard
	ownLeast    = 30   // trips for a hazard of its own
)

func learnStay(trips []Trip) stayParams {
	p := priorStayParams()
	all := newExits()
	by := map[Segment]*exits{}
	sizes := map[Segment]int{}
	var segments []Segment
	for i := range trips {
		t := &trips[i]
		if by[t.Segment] == nil {
			e := newExits()
			by[t.Segment] = &e
			segments = append(segments, t.Segment)
		}
		all.count(t)
		by[t.Segment].count(t)
		sizes[t.Segment]++
	}
	slices.SortFunc(segments, compareSegments)
	for i := range p.Base {
		p.Base[i] = min(max((all.left[i]+stayGuess*p.Base[i])/(all.risk[i]+stayGuess), leastHazard), mostHazard)
	}
	if len(trips) > 0 {
		p.smoothTail(&all)
	}
	p.effects(segments, by)
	for _, s := range segments {
		if sizes[s] >= ownLeast {
			p.Segments = append(p.Segments, segmentStay{s, p.own(s, by[s])})
		}
	}
	p.learnMoved(trips)
	p.Plans = learnPlans(trips)
	return p
}

// smoothTail makes the hazard even from where few are left: the chance of a
// single departure is not the day's.
func (p *stayParams) smoothTail(all *exits) {
	const few = 60
	for n := 1; n <= maxStay; n++ {
		if all.risk[n-1] >= few {
			continue
		}
		var risk, left, base float64
		for m := n; m <= maxStay; m++ {
			risk, left = risk+all.risk[m-1], left+all.left[m-1]
			base += p.Base[m-1] / float64(maxStay-n+1)
		}
		rate := (left + stayGuess*base) / (risk + stayGuess)
		for m := n; m <= maxStay; m++ {
			p.Base[m-1] = min(max(rate*heap(m), leastHazard), mostHazard)
		}
		return
	}
}

// effects finds by how much each part of a segment multiplies everyone's
// hazard, by rounds of observed over expected.
func (p *stayParams) effects(segments []Segment, by map[Segment]*exits) {
	published := p.Groups
	maps := [3]map[string][stretches]float64{{}, {}, {}}
	for range 12 {
		for part := range maps {
			seen, want := map[string][stretches]float64{}, map[string][stretches]float64{}
			for _, s := range segments {
				keys := [3]string{s.Group, s.Purpose, s.Use}
				a, b := seen[keys[part]], want[keys[part]]
				for n := 1; n <= maxStay; n++ {
					j := stretchOf(n)
					f := p.Base[n-1]
					for q := range maps {
						if v, ok := maps[q][keys[q]]; ok && q != part {
							f *= v[j]
						}
					}
					a[j] += by[s].left[n-1]
					b[j] += by[s].risk[n-1] * min(f, mostHazard)
				}
				seen[keys[part]], want[keys[part]] = a, b
			}
			for _, k := range sortedKeys(seen) {
				base := constant(1)
				if g, ok := published[k]; ok && part == 0 {
					base = g
				}
				var f [stretches]float64
				for j := range f {
					f[j] = (seen[k][j] + effectGuess*base[j]) / (want[k][j] + effectGuess)
				}
				maps[part][k] = f
			}
		}
	}
	for _, k := range sortedKeys(published) {
		if _, ok := maps[0][k]; !ok {
			maps[0][k] = published[k]
		}
	}
	p.Groups, p.Purposes, p.Kinds = maps[0], maps[1], maps[2]
}

// own is a segment's hazard, shrunk towards what its parts say.
func (p *stayParams) own(s Segment, e *exits) []float64 {
	_, factor := p.of(s)
	var out []float64
	for n := 1; n <= maxStay && e.risk[n-1] >= 5; n++ {
		h := p.hazard(nil, &factor, n)
		out = append(out, min(max((e.left[n-1]+ownGuess*h)/(e.risk[n-1]+ownGuess), leastHazard), mostHazard))
	}
	return out
}

// learnMoved counts by how much told ends move.
func (p *stayParams) learnMoved(trips []Trip) {
	const guess = 30.0
	var n float64
	var seen [movedDays]float64
	for i := range trips {
		if t := &trips[i]; t.End != 0 && t.Told >= t.Arrival && t.Told > 0 {
			off := min(max(int(t.End-t.Told), -movedReach), movedReach)
			seen[off+movedReach]++
			n++
		}
	}
	for i := range p.Moved {
		p.Moved[i] = (seen[i] + guess*p.Moved[i]) / (n + guess)
	}
}
