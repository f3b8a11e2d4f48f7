package advice

import (
	"math"
	"slices"
)

// clock has, for each position of a chain, each level of use and each attitude,
// what the rest of a stay costs from there on when nothing is paid for any more
// and the best is bought ever after.
type clock struct {
	*chain
	steps int // of a minimum spend that can be missing, besides none
	cost  [3][useLevels][]float32
	paid  [3][useLevels][]float32 // of it, prices and fees
	best  [3][useLevels][]uint8   // 1 + the offer to buy; 0: none today
}

// at is the place of a position in a row, with so many steps of a minimum spend
// missing.
func (c *clock) at(position, missing int) int {
	return min(missing, c.steps)*len(c.hazard) + min(position, len(c.hazard)-1)
}

// levelOf is what a traveller's level is told by: the log of what an ordinary day
// brings.
func levelOf(u *user) float64 { return u.mu + u.sd*u.sd/2 + math.Log(1-u.zero) }

// levelAt is where an ordinary day's mean use lies among the levels.
func levelAt(logMean float64) (k int, f float64) {
	x := (logMean - logLowest) / logStep
	k = min(max(int(x), 0), useLevels-2)
	return k, min(max(x-float64(k), 0), 1)
}

var (
	logLowest = math.Log(lowestUse)
	logStep   = (math.Log(mostUse) - logLowest) / (useLevels - 1)
)

// bench is where tables are solved.
type bench struct {
	t     *Tables
	steps int
	terms []int // offers that can be bought when nothing runs, without those that another beats in every way
	stats [useLevels][]offerStats
	slow  [useLevels][3]float64 // what a day counts on which all of it is slow
	awake float64               // share of the days on which to be without service counts
}

// offerStats is what an offer does at one level of use.
type offerStats struct {
	day  [3]float64 // what a day counts while it runs
	slow [3]float64 // and once a volume is used up, where it is slow then
	dry  []usedUp   // of a volume
	wet  float64    // the probability that it is not used up in its days
}

// usedUp is one way in which a volume comes to its end.
type usedUp struct {
	p    float64 // probability
	day  int     // 0: the first
	rest float64 // how much of that day is left then
}

// usedUpWays is how many ways a volume's end is told apart in, at most, besides
// the first day's.
const usedUpWays = 8

func newBench(t *Tables, steps int) *bench {
	b := &bench{t: t, steps: steps, awake: 1 - t.model.use.All.Zero*t.model.use.Silent}
	for i := range t.offer {
		if t.offer[i].term && !slices.ContainsFunc(t.offer, func(o onSale) bool { return o.beats(&t.offer[i]) }) {
			b.terms = append(b.terms, i)
		}
	}
	base := t.model.baseDays(t.longestVolume())
	for k := range b.stats {
		b.stats[k] = make([]offerStats, len(t.offer))
		scale := math.Exp(logLowest+float64(k)*logStep) / base.mean
		b.slow[k] = t.slowDay(base, scale)
		for _, i := range b.terms {
			b.stats[k][i] = t.statsOf(&t.offer[i], base, scale)
			b.stats[k][i].slow = b.slow[k]
		}
	}
	return b
}

// beats reports whether o is at least as good in everything, and better in
// something.
func (o *onSale) beats(p *onSale) bool {
	return o.term && o.days == p.days && o.kind == p.kind && o.volume == p.volume && o.slow == p.slow && o.price < p.price && o.spends == p.spends
}

func (t *Tables) longestVolume() int {
	days := 1
	for _, o := range t.offer {
		if o.volume > 0 {
			days = max(days, o.days)
		}
	}
	return days
}

// days are futures of one level, to be scaled to the others.
type days struct {
	n, long int
	each    []float64 // bytes of a day
	sum     []float64 // up to and with it
	mean    float64
}

func (m *Model) baseDays(long int) *days {
	dice := m.throw(basePaths, baseSeed)
	d := &days{n: basePaths, long: long, each: make([]float64, basePaths*long), sum: make([]float64, basePaths*long)}
	all := &m.use.All
	u := user{sd: math.Sqrt(all.S2), zero: all.Zero, stay: -1}
	trail := trail{today: 1}
	for k := range basePaths {
		y := d.each[k*long : (k+1)*long]
		trail.future(dice, k, &u, y)
		var sum float64
		for i, x := range y {
			sum += x
			d.sum[k*long+i] = sum
		}
	}
	d.mean = math.Exp(levelOf(&u))
	return d
}

// slowDay is what a day counts on which all of it is slow, by attitude.
func (t *Tables) slowDay(base *days, scale float64) (slow [3]float64) {
	for a := range slow {
		for _, y := range base.each {
			slow[a] += t.costs[a].slow(y*scale) / float64(len(base.each))
		}
	}
	return slow
}

// statsOf is what an offer does to users of one level.
func (t *Tables) statsOf(o *onSale, base *days, scale float64) (s offerStats) {
	k := t.kinds[o.kind]
	n := min(len(base.each), 4096)
	step := len(base.each) / n
	for a := range t.costs {
		for i := range n {
			y := base.each[i*step] * scale
			s.day[a] += k.day(&t.costs[a], y) / float64(n)
		}
	}
	s.wet = 1
	if o.volume > 0 {
		s.dry = condensed(o.usedUp(base, scale))
	}
	for _, u := range s.dry {
		s.wet -= u.p
	}
	s.wet = max(s.wet, 0)
	return s
}

// usedUp is when a volume comes to its end, day by day.
func (o *onSale) usedUp(base *days, scale float64) []usedUp {
	out := make([]usedUp, o.days)
	limit := o.volume / scale
	for i := range base.n {
		sums := base.sum[i*base.long : i*base.long+o.days]
		if sums[o.days-1] <= limit {
			continue
		}
		at := search(sums, limit)
		if sums[at] <= limit {
			at++ // search finds the first that is not below
		}
		y := base.each[i*base.long+at]
		u := &out[at]
		u.p++
		u.rest += min(max((sums[at]-limit)/max(y, 1), 0), 1)
	}
	for i := range out {
		u := &out[i]
		u.day = i
		u.rest /= max(u.p, 1)
		u.p /= float64(base.n)
	}
	return out
}

// condensed joins days that follow each other to few ways; the first day is one
// of its own.
func condensed(days []usedUp) (out []usedUp) {
	var sum float64
	for _, u := range days {
		sum += u.p
	}
	var join usedUp
	var at float64
	for i, u := range days {
		join.p += u.p
		at += u.p * float64(u.day)
		join.rest += u.p * u.rest
		if join.p > 0 && (i == 0 || join.p >= sum/usedUpWays || i == len(days)-1) {
			join.day = int(at/join.p + 0.5)
			join.rest /= join.p
			out = append(out, join)
			join, at = usedUp{}, 0
		}
	}
	return out
}

// solve finds the costs from the end of a chain backwards.
func (b *bench) solve(c *chain) *clock {
	out := &clock{chain: c, steps: b.steps}
	n := len(c.hazard) * (b.steps + 1)
	for a := range out.cost {
		for k := range useLevels {
			cost, paid, best := make([]float64, n), make([]float64, n), make([]uint8, n)
			for missing := 0; missing <= b.steps; missing++ {
				w := walk{b: b, c: out, stats: b.stats[k], y: &b.t.costs[a], a: a, cost: cost, paid: paid, best: best, missing: missing}
				w.backwards()
			}
			out.cost[a][k], out.paid[a][k], out.best[a][k] = narrow(cost), narrow(paid), best
		}
	}
	return out
}

func narrow(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

// walk is one row being solved.
type walk struct {
	b          *bench
	c          *clock
	stats      []offerStats
	y          *yardstick
	a          int
	cost, paid []float64
	best       []uint8
	missing    int
}

func (w *walk) backwards() {
	last := len(w.c.hazard) - 1
	at := w.c.at(last, w.missing)
	end := w.lost(w.missing)
	outage := w.y.outage * w.b.awake
	w.cost[at] = outage/w.c.hazard[last] + end // without anything, to the end
	for range 60 {
		before := w.cost[at]
		w.choose(last)
		if math.Abs(before-w.cost[at]) < 1e-3*before {
			break
		}
	}
	for i := last - 1; i >= 0; i-- {
		at := w.c.at(i, w.missing)
		stays := 1 - w.c.hazard[i]
		w.cost[at] = outage + stays*w.cost[w.c.at(i+1, w.missing)] + (1-stays)*end
		w.paid[at] = stays * w.paid[w.c.at(i+1, w.missing)]
		w.best[at] = 0
		w.choose(i)
	}
}

// lost is what is missing of a minimum spend when the stay is over.
func (w *walk) lost(missing int) float64 { return float64(int64(missing) * w.b.t.step) }

// choose lowers the cost of a position to that of the best offer.
func (w *walk) choose(i int) {
	at := w.c.at(i, w.missing)
	for _, o := range w.b.terms {
		if cost, paid := w.buy(i, o); cost < w.cost[at] {
			w.cost[at], w.paid[at], w.best[at] = cost, paid, uint8(o+1)
		}
	}
}

// buy is what a stay costs from position i on when an offer is bought there.
func (w *walk) buy(i, offer int) (cost, paid float64) {
	o, s := &w.b.t.offer[offer], &w.stats[offer]
	missing := max(w.missing-o.spends, 0)
	end := w.lost(missing)
	c := w.c
	alive := 1 / c.alive[i]
	reach := c.alive[i+o.days] * alive
	after := c.at(i+o.days, missing)
	cost = o.price + w.y.hassle + s.wet*(reach*w.cost[after]+(1-reach)*end)
	paid = o.price + s.wet*reach*w.paid[after]
	switch {
	case len(s.dry) > 0:
		dc, dp := w.dry(i, o, s, missing, end)
		return cost + dc, paid + dp
	case o.volume == 0:
		cost += s.day[w.a] * (c.sum[i+o.days] - c.sum[i]) * alive
	}
	return cost, paid
}

// dry is what comes when a volume is used up: the rest of that day goes without.
// The next morning something is bought, or nothing; or, where the line is only
// slow, that is borne to the period's end.
func (w *walk) dry(i int, o *onSale, s *offerStats, missing int, end float64) (cost, paid float64) {
	c := w.c
	alive := 1 / c.alive[i]
	for j := range s.dry {
		u := &s.dry[j]
		here := u.p * c.alive[i+u.day] * alive
		gone := u.p - here // the stay was over before
		if here < 1e-6 {
			cost += u.p * end
			continue
		}
		next := c.at(i+u.day+1, missing)
		then := 1 / c.alive[i+u.day]
		stays := c.alive[i+u.day+1] * then
		most, spent := stays*w.cost[next]+(1-stays)*end, stays*w.paid[next]
		if o.slow {
			most += u.rest * s.slow[w.a]
			days := (c.sum[i+o.days] - c.sum[i+u.day]) * then
			reach := c.alive[i+o.days] * then
			after := c.at(i+o.days, missing)
			if bear := (days-1+u.rest)*s.slow[w.a] + reach*w.cost[after] + (1-reach)*end; bear < most {
				most, spent = bear, reach*w.paid[after]
			}
		} else {
			most += u.rest * w.y.outage
		}
		cost += here*most + gone*end
		paid += here * spent
	}
	return cost, paid
}
