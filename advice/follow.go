package advice

import "math"

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

// outcome is what one future makes of a way, over all stays.
type outcome struct {
	cost, paid float64
	short      float64 // probability that something was wanted and not had while it ran
	dry        bool    // short is known
}

// follow walks a way along future k through stays: alive is the probability of
// being there on a day. exact says that the stay is known; what is decided later
// is decided as if it were not.
func (r *room) follow(k int, w *way, alive []float64, exact bool) (o outcome) {
	if w.n == 0 { // nothing today; tomorrow is another day
		cost, paid := r.afterwards(k, 1, w.missing)
		o.cost, o.paid, o.short = alive[0]*r.outage(k, 0)*r.today+alive[1]*cost, alive[1]*paid, alive[0]
		return o
	}
	sum := r.sum[k*r.days:][:r.days]
	d, used := 0, 0.0 // used is what was taken before d, or of it
	for i := range w.n {
		s := &w.stretches[i]
		if d >= r.days {
			d += s.days
			continue
		}
		end := min(d+s.days, r.days)
		if !s.volume {
			o.cost += r.limited(k, s, d, end, alive, exact, &o)
			d, used = d+s.days, sum[end-1]
			continue
		}
		limit := used + s.bytes
		if sum[end-1] <= limit {
			d, used = d+s.days, sum[end-1]
			continue
		}
		e := d
		for sum[e] <= limit {
			e++
		}
		if !o.dry {
			o.short, o.dry = alive[e+1]+r.lastShort(k, e, limit, alive), true
		}
		if i == w.n-1 {
			c, p := r.usedUp(k, s, e, d+s.days, limit, alive, w.missing)
			o.cost, o.paid = o.cost+c, o.paid+p
			return o
		}
		// What waits, waits for its day, and nothing can be put in its place.
		o.cost += r.without(k, s, e, end, limit, alive)
		d, used = d+s.days, sum[end-1]
	}
	if alive[d] > 0 {
		cost, paid := r.afterwards(k, d, w.missing)
		o.cost, o.paid = o.cost+alive[d]*cost, o.paid+alive[d]*paid
	}
	return o
}

// limited is what days from d to before end count because of a daily limit.
func (r *room) limited(k int, s *stretch, d, end int, alive []float64, exact bool, o *outcome) (cost float64) {
	if s.limit.cap == 0 {
		return 0
	}
	each, y, limit := r.each[k*r.days:][:r.days], &r.t.costs[r.a], s.limit
	if s.first >= 0 { // part of today's is gone already
		limit.cap = max(s.first, 1)
	}
	if s.kind >= 0 && !exact {
		at := k * (r.days + 1)
		cost = r.short[s.kind][at+end] - r.short[s.kind][at+d]
		if s.first >= 0 {
			cost += r.limitedDay(limit, y, each[d], d, alive) - r.limitedDay(s.limit, y, each[d], d, alive)
		}
		if cost <= 0 && each[d] <= limit.cap {
			return max(cost, 0)
		}
	} else {
		for i := d; i < end; i++ {
			cost += r.limitedDay(limit, y, each[i], i, alive)
			limit = s.limit
		}
	}
	if !o.dry {
		if s.first >= 0 {
			limit.cap = max(s.first, 1)
		}
		for i := d; i < end; i++ {
			if each[i] > limit.cap {
				o.short, o.dry = alive[i+1], true
				if each[i]*r.last > limit.cap {
					o.short = alive[i]
				}
				break
			}
			limit = s.limit
		}
	}
	return max(cost, 0)
}

// limitedDay is what one day counts because of a daily limit.
func (r *room) limitedDay(limit kind, y *yardstick, bytes float64, d int, alive []float64) float64 {
	if limit.cap == 0 || bytes <= limit.cap {
		return 0
	}
	return alive[d+1]*limit.day(y, bytes) + (alive[d]-alive[d+1])*limit.day(y, bytes*r.last)
}

// outage is what a day counts on which nothing runs.
func (r *room) outage(k, day int) float64 {
	y := &r.t.costs[r.a]
	if r.each[k*r.days+day] == 0 {
		return y.outage * (1 - r.t.model.use.Silent) // hardly anything was wanted, or nothing
	}
	return y.outage
}

// lastShort is the probability that day e is the last one and yet uses up a
// volume.
func (r *room) lastShort(k, e int, limit float64, alive []float64) float64 {
	at := k*r.days + e
	if r.sum[at]-r.each[at]*(1-r.last) <= limit {
		return 0
	}
	return alive[e] - alive[e+1]
}

// usedUp is what comes when the last volume is used up on day e: the rest of the
// day goes without, and the next morning the best is bought; or, where the line
// is only slow, that is borne until its end. Nobody knows on that day what this
// future still brings, so it must not choose: expectations do.
func (r *room) usedUp(k int, s *stretch, e, end int, limit float64, alive []float64, missing int) (cost, paid float64) {
	cost = r.without(k, s, e, e+1, limit, alive)
	next, spent := r.afterwards(k, e+1, missing)
	end = min(end, mostDays)
	if there := r.alive[e+1]; s.slow && end > e+1 && there > 0 {
		after, then := 0.0, 0.0
		if r.alive[end] > 0 {
			after, then = r.afterwards(k, end, missing)
		}
		slow := r.slowDay(k)
		if (r.stays[end]-r.stays[e+1])*slow+r.alive[end]*after < there*next {
			for i := e + 1; i < end; i++ {
				cost += alive[i] * slow
			}
			return cost + alive[end]*after, alive[end] * then
		}
	}
	return cost + alive[e+1]*next, alive[e+1] * spent
}

// afterwards is what the rest costs from a day on, on which nothing is paid for
// any more and the traveller is there.
func (r *room) afterwards(k, day, missing int) (cost, paid float64) {
	l, f, j := r.level[k], r.part[k], r.clock.at(r.pos+day, missing)
	rows, spent := &r.clock.cost[r.a], &r.clock.paid[r.a]
	return float64(rows[l][j])*(1-f) + float64(rows[l+1][j])*f, float64(spent[l][j])*(1-f) + float64(spent[l+1][j])*f
}

// slowDay is what a day of a line that is slow counts on average.
func (r *room) slowDay(k int) float64 {
	l, f := r.level[k], r.part[k]
	slow := &r.t.bench.slow
	return slow[l][r.a]*(1-f) + slow[l+1][r.a]*f
}

// without is what days e to before end count when a volume is used up on e.
func (r *room) without(k int, s *stretch, e, end int, limit float64, alive []float64) (cost float64) {
	at, y := k*r.days, &r.t.costs[r.a]
	bytes, over := r.each[at+e], r.sum[at+e]-limit
	if s.slow {
		cost = alive[e+1]*y.slow(over) + (alive[e]-alive[e+1])*y.slow(over-bytes*(1-r.last))
		for i := e + 1; i < end; i++ {
			cost += alive[i] * y.slow(r.each[at+i])
		}
		return cost
	}
	rest := y.outage
	if e == 0 {
		rest *= r.today
	}
	cost = alive[e+1] * min(over/max(bytes, 1), 1) * rest
	if over -= bytes * (1 - r.last); over > 0 {
		cost += (alive[e] - alive[e+1]) * min(over/max(bytes*r.last, 1), 1) * rest
	}
	for i := e + 1; i < end; i++ {
		cost += alive[i] * r.outage(k, i)
	}
	return cost
}

// try finds what is expected of a way.
func (r *room) try(w *way) {
	w.cost, w.paid, w.enough, w.lasts = 0, 0, 0, 0
	lost := float64(int64(w.missing) * r.t.step)
	reach := r.alive[w.covers]
	for k := range r.users {
		o := r.follow(k, w, r.alive, false)
		p := r.weight[k]
		w.cost += p * (o.cost + (1-reach)*lost) // it is over before more is spent
		w.paid += p * o.paid
		w.enough += p * (1 - o.short)
		w.lasts += p * (1 - max(o.short, reach))
	}
	w.cost += w.price
}

// better is the probability that a way turns out no dearer than another: each
// future with a stay of its own. Where both cost the same, half of it counts.
func (r *room) better(b, s *way) (p float64) {
	for k := range r.users {
		x, y := r.realised(k, b), r.realised(k, s)
		switch {
		case x < y:
			p += r.weight[k]
		case x == y:
			p += r.weight[k] / 2
		}
	}
	return p
}

// realised is what a way costs in one future whose stay is known.
func (r *room) realised(k int, w *way) float64 {
	stay := r.users[k].stay
	cost := w.price + r.follow(k, w, r.steps[mostDays+1-stay:], true).cost
	if stay <= w.covers {
		cost += float64(int64(w.missing) * r.t.step)
	}
	return math.Round(cost)
}
