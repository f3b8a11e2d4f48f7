package advice

import (
	"cmp"
	"slices"
)

// room is what one question is answered in. It belongs to one goroutine; rooms
// are reused, so that an answer allocates nothing.
type room struct {
	t     *Tables
	q     posterior
	e     ends
	users [decisionPaths]user

	// Futures, one after the other: future k has its days from from[k] on, and one
	// more, on which its traveller has left.
	from  [decisionPaths + 1]int
	each  []float64   // bytes of a day
	sum   []float64   // up to and with it
	short [][]float64 // by kind: what days count so far because of its limit
	cost  []float64   // when nothing is paid for any more from this day on: see clock
	paid  []float64

	level   [decisionPaths]int // of each future among the table's levels
	part    [decisionPaths]float64
	clock   *clock
	pos     int
	a       int // attitude
	missing int // steps of a minimum spend, for which cost and paid are filled
	today   float64

	ways   [MaxOffers + 1]way // the first is what is paid for already
	costs  [MaxOffers + 1][decisionPaths]float32
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
	n := decisionPaths * (maxStay + movedReach + 2)
	r := &room{t: t, each: make([]float64, n), sum: make([]float64, n), cost: make([]float64, n), paid: make([]float64, n)}
	for range t.kinds {
		r.short = append(r.short, make([]float64, n))
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
	r.today = float64(minutesLeft(&q.Trip)) / minutesPerDay
	y := &r.t.costs[r.a]
	at := 0
	for k := range r.users {
		u := &r.users[k]
		r.from[k] = at
		days := r.each[at : at+u.stay]
		trail.future(r.t.dice, k, u, days)
		var sum float64
		for i, b := range days {
			sum += b
			r.sum[at+i] = sum
		}
		for j, kind := range r.t.kinds {
			var short float64
			for i, b := range days {
				short += kind.day(y, b)
				r.short[j][at+i] = short
			}
		}
		r.need[k] = sum
		r.level[k], r.part[k] = levelAt(levelOf(u))
		at += u.stay + 1
	}
	r.from[decisionPaths] = at
	r.missing = -1
	r.weigh(q)
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
	b := &ranges.Buckets[bucketOf(r.q.days, told(&q.Trip))]
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

// fill looks up, for every day of every future, what the rest costs once
// nothing is paid for any more.
func (r *room) fill(missing int) {
	if r.missing == missing {
		return
	}
	r.missing = missing
	for k := range r.users {
		at, f := r.from[k], r.part[k]
		lo, hi := r.clock.cost[r.a][r.level[k]], r.clock.cost[r.a][r.level[k]+1]
		plo, phi := r.clock.paid[r.a][r.level[k]], r.clock.paid[r.a][r.level[k]+1]
		for i := range r.users[k].stay + 1 {
			j := r.clock.at(r.pos+i, missing)
			r.cost[at+i] = float64(lo[j])*(1-f) + float64(hi[j])*f
			r.paid[at+i] = float64(plo[j])*(1-f) + float64(phi[j])*f
		}
	}
}

// stretch is service that is paid for, as it runs along a future.
type stretch struct {
	kind   int // of Tables.kinds; -1: one that is not on sale, with limit
	limit  kind
	volume bool
	slow   bool
	days   int
	bytes  float64 // left of the volume
	first  float64 // left of the cap on its first day; below 0: all of it
}

const maxStretches = 8

// way is something that can be done now, and what comes of it.
type way struct {
	offer     int // -1: nothing
	stretches [maxStretches]stretch
	n         int
	covers    int // days, today included, if nothing is used up
	price     float64
	missing   int

	cost, paid float64 // expected
	enough     float64 // share of the futures in which it does for as long as it runs
	lasts      float64 // and to the end of the stay
}

func (w *way) add(s stretch) {
	if s.days > 0 && w.n < maxStretches {
		w.stretches[w.n] = s
		w.n++
		w.covers += s.days
	}
}

// outcome is what one future makes of a way.
type outcome struct {
	cost, paid float64
	short      bool // something was wanted and not had while it ran
}

// follow walks a way along future k. The room is filled for w.missing.
func (r *room) follow(k int, w *way) (o outcome) {
	stay, at := r.users[k].stay, r.from[k]
	if w.n == 0 && stay > 0 { // nothing today; tomorrow is another day
		o.cost, o.short = r.outage(k, 0)*r.today, true
		if stay > 1 {
			o.cost, o.paid = o.cost+r.cost[at+1], r.paid[at+1]
		}
		return o
	}
	d, used := 0, 0.0 // used is what was taken before d, or of it
	for i := range w.n {
		s := &w.stretches[i]
		if d >= stay {
			break
		}
		n := min(s.days, stay-d)
		if !s.volume {
			if c := r.limited(k, s, d, n); c > 0 {
				o.cost, o.short = o.cost+c, true
			}
			d += n
			used = r.sum[at+d-1]
			continue
		}
		limit := used + s.bytes
		if r.sum[at+d+n-1] <= limit {
			d += n
			used = r.sum[at+d-1]
			continue
		}
		e := d
		for r.sum[at+e] <= limit {
			e++
		}
		o.short = true
		if i == w.n-1 {
			c, p := r.dry(k, s, e, d+s.days, limit)
			o.cost, o.paid = o.cost+c, o.paid+p
			return o
		}
		// What waits, waits for its day, and nothing can be put in its place.
		o.cost += r.without(k, s, e, d+n, limit)
		d += n
		used = r.sum[at+d-1]
	}
	if d < stay {
		o.cost, o.paid = o.cost+r.cost[at+d], o.paid+r.paid[at+d]
	}
	return o
}

// followOne is follow for a line on which nothing else is paid for.
func (r *room) followOne(k int, s *stretch) (o outcome) {
	stay, at := r.users[k].stay, r.from[k]
	if stay == 0 {
		return o
	}
	n := min(s.days, stay)
	switch {
	case !s.volume && s.kind >= 0 && s.first < 0:
		o.cost = r.short[s.kind][at+n-1]
		o.short = o.cost > 0
	case !s.volume:
		o.cost = r.limited(k, s, 0, n)
		o.short = o.cost > 0
	case r.sum[at+n-1] > s.bytes:
		e := 0
		for r.sum[at+e] <= s.bytes {
			e++
		}
		o.cost, o.paid = r.dry(k, s, e, s.days, s.bytes)
		o.short = true
		return o
	}
	if n < stay {
		o.cost, o.paid = o.cost+r.cost[at+n], r.paid[at+n]
	}
	return o
}

// limited is what n days from d count because of a daily limit.
func (r *room) limited(k int, s *stretch, d, n int) float64 {
	at := r.from[k] + d
	y := &r.t.costs[r.a]
	var sum float64
	if s.kind < 0 {
		for i := range n {
			sum += s.limit.day(y, r.each[at+i])
		}
	} else {
		sum = r.short[s.kind][at+n-1]
		if d > 0 {
			sum -= r.short[s.kind][at-1]
		}
	}
	if s.first >= 0 && s.limit.cap > 0 { // part of today's is gone already
		left := s.limit
		left.cap = max(s.first, 1)
		sum += left.day(y, r.each[at]) - s.limit.day(y, r.each[at])
	}
	return max(sum, 0)
}

// rest is how much of day e is left when a limit is reached.
func (r *room) rest(k, e int, limit float64) float64 {
	at := r.from[k] + e
	share := min(max((r.sum[at]-limit)/max(r.each[at], 1), 0), 1)
	if e == 0 {
		share *= r.today
	}
	return share
}

// outage is what a day counts on which nothing runs.
func (r *room) outage(k, day int) float64 {
	y := &r.t.costs[r.a]
	if r.each[r.from[k]+day] == 0 {
		return y.outage * (1 - r.t.model.use.Silent) // hardly anything was wanted, or nothing
	}
	return y.outage
}

// dry is what comes when the last volume is used up on day e: the rest of the
// day goes without, and the next morning the best is bought; or, where the line
// is only slow, that is borne until its end. Nobody knows on that day what this
// future still brings, so it must not choose: expectations do.
func (r *room) dry(k int, s *stretch, e, end int, limit float64) (cost, paid float64) {
	at, c, i := r.from[k], r.clock, min(r.pos+e, len(r.clock.hazard)-1)
	stays := 1 - c.hazard[i]
	cost, paid = stays*r.cost[at+e+1], stays*r.paid[at+e+1]
	if n := min(end-e, MaxOfferDays); s.slow && n > 1 {
		days, reach := (c.sum[i+n]-c.sum[i+1])/c.alive[i], c.alive[i+n]/c.alive[i]
		after, spent := r.afterwards(k, e+n)
		if bear := days*r.slowDay(k) + reach*after; bear < cost {
			cost, paid = bear, reach*spent
		}
	}
	return r.without(k, s, e, e+1, limit) + cost, paid
}

// afterwards is what the rest costs from a day on, on which nothing is paid for
// any more; it may lie beyond the future's end.
func (r *room) afterwards(k, day int) (cost, paid float64) {
	l, f, j := r.level[k], r.part[k], r.clock.at(r.pos+day, r.missing)
	rows, spent := &r.clock.cost[r.a], &r.clock.paid[r.a]
	return float64(rows[l][j])*(1-f) + float64(rows[l+1][j])*f, float64(spent[l][j])*(1-f) + float64(spent[l+1][j])*f
}

// slowDay is what a day of a line that is slow counts on average.
func (r *room) slowDay(k int) float64 {
	l, f := r.level[k], r.part[k]
	slow := &r.t.bench.slow
	return slow[l][r.a]*(1-f) + slow[l+1][r.a]*f
}

// without is what days e to end count when a volume is used up on e.
func (r *room) without(k int, s *stretch, e, end int, limit float64) float64 {
	at := r.from[k]
	y := &r.t.costs[r.a]
	if !s.slow {
		cost := r.rest(k, e, limit) * y.outage
		for i := e + 1; i < end; i++ {
			cost += r.outage(k, i)
		}
		return cost
	}
	cost := y.slow(r.sum[at+e] - limit)
	for i := e + 1; i < end; i++ {
		cost += y.slow(r.each[at+i])
	}
	return cost
}

// try finds what is expected of a way.
func (r *room) try(w *way, costs *[decisionPaths]float32) {
	r.fill(w.missing)
	w.cost, w.paid, w.enough, w.lasts = 0, 0, 0, 0
	lost := float64(int64(w.missing) * r.t.step)
	single := w.n == 1
	for k := range r.users {
		var o outcome
		if single {
			o = r.followOne(k, &w.stretches[0])
		} else {
			o = r.follow(k, w)
		}
		if r.users[k].stay <= w.covers {
			o.cost += lost // it is over before more is spent
		}
		costs[k] = float32(o.cost)
		p := r.weight[k]
		w.cost += p * o.cost
		w.paid += p * o.paid
		if !o.short {
			w.enough += p
			if r.users[k].stay <= w.covers {
				w.lasts += p
			}
		}
	}
	w.cost += w.price
}
