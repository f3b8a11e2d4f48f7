package advice

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// How much people use, learnt by empirical Bayes. On an active day
//
//	log bytes = Mu(user) + Week[purpose][weekday] + part of day + noise,
//	Mu(user) ~ N(Mu(segment), Tau2),  noise variance S2(user) around S2(segment),
//
// and a day is active with probability 1 - Zero. Mu(segment) is shrunk towards
// the sum of the effects of its parts, those towards nothing, and everything
// towards the published figures.
type useParams struct {
	All                     level
	Groups, Purposes, Kinds map[string]effect
	Segments                []segmentLevel // sorted
	Week                    map[string][7]float64
	First, Last             float64 // what the first day (where its minutes are not known) and the last one have less
	Part                    float64 // by how much the logarithm of a day's part counts
	Nu                      float64 // degrees of freedom of a user's S2
	ZeroWeight              float64 // days that a segment's Zero weighs against a user's own
	Silent                  float64 // share of the days without use that have no byte at all
	Mood                    float64 // variance by which a user's Mu strays from itself for a while
	Hold                    float64 // how much of that is left a day later
	Memory                  float64 // correlation of a day's noise with the day before
	Shape                   []float64
}

// level is what is known of the users of one segment.
type level struct {
	Mu, Tau2, S2, Zero float64
	Trips              float64 // how many trips it stands on
}

// effect is what one part of a segment adds.
type effect struct{ Mu, Zero float64 }

type segmentLevel struct {
	Segment Segment
	level
}

// shapeNodes is how many points a noise's shape has, from -shapeReach to
// shapeReach of the standard normal that it is drawn by.
const (
	shapeNodes = 65
	shapeReach = 4.0
)

func priorUse() useParams {
	p := useParams{
		All: priorLevel(), Week: map[string][7]float64{"": {}}, First: -0.5, Last: -0.7, Part: 1,
		Nu: 8, ZeroWeight: 6, Silent: 0.4, Mood: 0.1, Hold: 0.97, Memory: 0.1, Shape: make([]float64, shapeNodes),
	}
	for i := range p.Shape {
		p.Shape[i] = nodeAt(i)
	}
	return p
}

func nodeAt(i int) float64 { return (2*float64(i)/(shapeNodes-1) - 1) * shapeReach }

// of is what is known of a segment; of one never seen, what its parts say.
func (p *useParams) of(s Segment) level {
	at, ok := slices.BinarySearchFunc(p.Segments, s, func(l segmentLevel, s Segment) int { return compareSegments(l.Segment, s) })
	if ok {
		return p.Segments[at].level
	}
	l := p.All
	l.Trips = 0
	e := p.effects(s)
	l.Mu, l.Zero = l.Mu+e.Mu, logistic(logit(l.Zero)+e.Zero)
	return l
}

func (p *useParams) effects(s Segment) effect {
	a, b, c := p.Groups[s.Group], p.Purposes[s.Purpose], p.Kinds[s.Use]
	return effect{a.Mu + b.Mu + c.Mu, a.Zero + b.Zero + c.Zero}
}

func (p *useParams) week(purpose string) [7]float64 {
	if w, ok := p.Week[purpose]; ok {
		return w
	}
	return p.Week[""]
}

// noise is the shape of a day's noise, in standard deviations, at the standard
// normal g.
func (p *useParams) noise(g float64) float64 {
	x := (g/shapeReach + 1) / 2 * (shapeNodes - 1)
	i := min(max(int(x), 0), shapeNodes-2)
	f := x - float64(i)
	return p.Shape[i]*(1-f) + p.Shape[i+1]*f
}

// normalOf is the standard normal at which the noise is z: the inverse of noise.
func (p *useParams) normalOf(z float64) float64 {
	i, _ := slices.BinarySearch(p.Shape, z)
	i = min(max(i, 1), shapeNodes-1)
	lo, hi := p.Shape[i-1], p.Shape[i]
	f := 0.5
	if hi > lo {
		f = (z - lo) / (hi - lo)
	}
	return nodeAt(i-1) + f*(nodeAt(i)-nodeAt(i-1))
}

func compareSegments(a, b Segment) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Purpose, b.Purpose), cmp.Compare(a.Use, b.Use))
}

// sight is one active day as it is learnt from.
type sight struct {
	log    float64 // of the bytes; of a capped day, of what was probably wanted
	cap    float64 // of a capped day, the log of what came
	part   float64 // log of the part of the day; 0: a whole one
	day    Date
	dow    time.Weekday
	first  bool // and its minutes are not known
	last   bool
	capped bool
}

// person is one trip as it is learnt from.
type person struct {
	segment    Segment
	at         int // index of the segment
	sights     []sight
	days       float64 // whole days that were measured
	zeros      float64 // of them, those without use
	silent     float64 // of those, the ones without a byte
	mu, s2     float64 // shrunk
	mean, ss   float64
	n          float64
	uncertain  float64 // variance of mu
	imputedVar float64 // variance that imputing took away
}

// see takes a trip apart.
func see(t *Trip) person {
	p := person{segment: t.Segment}
	for _, d := range t.Days {
		s, minutes := sightOf(t, &d), d.Minutes
		whole := minutes == 0 || minutes >= minutesPerDay/2
		if d.Date == t.Today && t.End == 0 && minutes == 0 {
			continue // of a day that is not over, and nobody says how much of it is
		}
		if d.Bytes < activeBytes && !d.Capped {
			if whole && !s.last {
				p.days, p.zeros = p.days+1, p.zeros+1
				if d.Bytes == 0 {
					p.silent++
				}
			}
			continue
		}
		if whole && !s.last {
			p.days++
		}
		s.log = math.Log(max(float64(d.Bytes), activeBytes))
		s.cap = math.Log(max(float64(d.bound()), activeBytes))
		p.sights = append(p.sights, s)
	}
	return p
}

// bound is more than what was wanted, of a capped day, by chance alone: at least so
// much, and what came beyond it says no more.
func (d *Day) bound() int64 {
	if d.Capped && d.Full > 0 {
		return d.Full
	}
	return d.Bytes
}

// sightOf is a day without its bytes.
func sightOf(t *Trip, d *Day) sight {
	s := sight{day: d.Date, dow: d.Date.Weekday(), capped: d.Capped, last: t.End != 0 && d.Date == t.End}
	s.first = d.Date == t.Arrival && d.Minutes == 0
	if d.Minutes > 0 && d.Minutes < minutesPerDay {
		s.part = math.Log(float64(max(d.Minutes, 15)) / minutesPerDay)
	}
	return s
}

// expected is what the log of a day's bytes would be for a user of level 0.
func (p *useParams) expected(s *sight, week *[7]float64) float64 {
	x := week[s.dow]
	switch {
	case s.part != 0:
		x += p.Part * s.part
	case s.first:
		x += p.First
	case s.last:
		x += p.Last
	}
	return x
}

func logit(p float64) float64 {
	p = min(max(p, 1e-4), 1-1e-4)
	return math.Log(p / (1 - p))
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
