package advice

import (
	"cmp"
	"math"
	"slices"
)

// room is what one question is answered in. It belongs to one goroutine; rooms
// are reused, so that an answer allocates nothing.
type room struct {
	t     *Tables
	q     posterior
	e     ends
	users [decisionPaths]user

	// Futures, one after the other, each of so many days. How long the traveller
	// stays is no part of them: every future is followed through all stays at once.
	days  int
	each  []float64   // bytes of a day
	sum   []float64   // up to and with it
	short [][]float64 // by kind: what is expected that days before this one count because of its limit
	last  float64     // how much of a day is wanted if it is the last one
	alive []float64   // probability that the traveller is there on a day
	stays []float64   // sums of alive before a day
	steps []float64   // ones, then as many noughts: alive of a stay that is known

	level [decisionPaths]int // of each future among the table's levels
	part  [decisionPaths]float64
	clock *clock
	pos   int
	a     int // attitude
	today float64

	ways   [MaxOffers + 1]way // the first is what is paid for already
	need   [decisionPaths]float64
	byNeed [decisionPaths]ranked

	// weight is how likely each future is, so that all of them together are as
	// calibrated as a forecast: they sum to 1.
	weight [decisionPaths]float64
}

type ranked struct {
	need float64
	k    int
}

func newRoom(t *Tables) *room {
	const n = decisionPaths * (mostDays + 1)
	r := &room{
		t: t, each: make([]float64, n), sum: make([]float64, n),
		alive: make([]float64, mostDays+mostCovered), stays: make([]float64, mostDays+2), steps: make([]float64, 2*mostDays+mostCovered),
	}
	for range t.kinds {
		r.short = append(r.short, make([]float64, n))
	}
	for i := range mostDays + 1 {
		r.steps[i] = 1
	}
	return r
}

// imagine fills the room with futures.
func (r *room) imagine(q *Question) {
	m := r.t.model
	m.ends(&q.Trip, &r.e)
	r.q.learn(m, &q.Trip, r.e.mean())
	r.q.draw(r.t.dice, &r.e, r.users[:])
	trail := m.trail(&q.Trip, r.q.week)
	r.a = attitude(q.Attitude)
	r.clock, r.pos = r.t.clockFor(&q.Trip)
	r.today = todayLeft(&q.Trip)
	r.last = math.Exp(trail.last)
	r.live()
	for k := range r.users {
		u := r.users[k]
		u.stay = 0 // no day of a future is its last
		trail.future(r.t.dice, k, &u, r.each[k*r.days:][:r.days])
		u.stay = min(r.users[k].stay, r.days)
		r.users[k] = u
		r.level[k], r.part[k] = levelAt(levelOf(&u))
		var sum float64
		for i, b := range r.each[k*r.days:][:r.days] {
			if i == u.stay-1 {
				r.need[k] = sum + b*r.last
			}
			sum += b
			r.sum[k*r.days+i] = sum
		}
		if u.stay == 0 {
			r.need[k] = 0
		}
	}
	for j := range r.t.kinds {
		r.expectShort(j, q.State.Covered())
	}
	r.weigh(q)
}

// mostDays is how many days a stay has at most from now on; hardlyThere is the
// probability of being there on a day from which on futures are not imagined.
// What comes after it is what the tables say.
const (
	mostDays    = maxStay + movedReach + 1
	hardlyThere = 0.03
	mostCovered = MaxOfferDays*(maxStretches+1) + 2
)

// live finds with which probability the traveller is there on each day.
func (r *room) live() {
	clear(r.alive)
	left := 1 - r.e.gone
	r.days = 1
	for i := range r.e.n {
		r.alive[i] = max(left, 0)
		r.stays[i+1] = r.stays[i] + r.alive[i]
		if left > hardlyThere {
			r.days = i + 1
		}
		left -= r.e.at[i]
	}
	for i := r.e.n + 1; i < len(r.stays); i++ {
		r.stays[i] = r.stays[r.e.n]
	}
}

// expectShort sums up what days count because of a daily limit, as far as any
// offer with it can reach.
func (r *room) expectShort(kind, covered int) {
	limit, y := r.t.kinds[kind], &r.t.costs[r.a]
	if limit.cap == 0 {
		return
	}
	n := min(r.days, min(covered, MaxOfferDays*maxStretches)+r.t.reach[kind])
	for k := range r.users {
		each, out := r.each[k*r.days:][:n], r.short[kind][k*(r.days+1):][:n+1]
		var sum float64
		for i, b := range each {
			out[i] = sum
			if b > limit.cap {
				sum += r.alive[i+1]*limit.day(y, b) + (r.alive[i]-r.alive[i+1])*limit.day(y, b*r.last)
			}
		}
		out[n] = sum
	}
}

// todayLeft is which part of what is wanted today is still to come. Of the day of
// the arrival, before anything was used, that is all of it: a day counts by what
// was wanted of it ([Costs.Day]), not by how long it was.
func todayLeft(t *Trip) float64 {
	left := minutesLeft(t)
	n := len(t.Days)
	switch {
	case n > 0 && t.Days[n-1].Date == t.Today && t.Days[n-1].Minutes > 0:
		return float64(left) / float64(left+t.Days[n-1].Minutes)
	case t.Today == t.Arrival:
		return 1
	}
	return float64(left) / minutesPerDay
}

// weigh gives each future of a trip whose end is told the weight that its rank by
// need deserves: what came of finished trips has lain there so often. Where the
// end is not told, tables and futures must agree on how long people stay, and
// all weigh the same.
func (r *room) weigh(q *Question) {
	for k, need := range r.need {
		r.byNeed[k] = ranked{need, k}
	}
	slices.SortFunc(r.byNeed[:], func(a, b ranked) int { return cmp.Or(cmp.Compare(a.need, b.need), cmp.Compare(a.k, b.k)) })
	if !told(&q.Trip) {
		for k := range r.weight {
			r.weight[k] = 1.0 / decisionPaths
		}
		return
	}
	ranges := &r.t.model.ranges
	b := ranges.of(r.q.days, told(&q.Trip))
	g := ranges.Groups[q.Trip.Segment.Group]
	before := 0.0
	for i, o := range r.byNeed {
		p := g.below(b.below(float64(i+1) / decisionPaths))
		if i == decisionPaths-1 {
			p = 1
		}
		r.weight[o.k] = max(p-before, 0)
		before = max(p, before)
	}
}
