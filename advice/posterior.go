package advice

import (
	"math"
	"slices"
)

const (
	levelNodes  = 25
	spreadNodes = usualNodes + calmNodes
	usualNodes  = 5
	calmNodes   = 2
	levelReach  = 4.0  // standard deviations to either side
	heavyShare  = 0.15 // of users come from a distribution 1.5 times as wide
	heavyTimes  = 1.5
	lightTimes  = 0.88  // so that both together have the variance Tau2
	levelBlur   = 0.05  // variance that a level never loses
	changeOdds  = 20    // from which a change is believed
	changePrior = 1.5   // variance of the size of a change
	changeKeeps = 0.05  // what days before a change still count, for days that are near
	changeStays = 0.5   // and for days that are far
	longFade    = 0.995 // what a day of before counts for days that are far, per day
	leastSD     = 0.1   // of a day's noise

	// calmEach is the share of travellers whose days are so much more alike than
	// their segment's that no chance makes it: they are few, and their own days show
	// it within a week. Without them somebody who uses 1 GB every day would be told
	// that 3 GB a day are hardly enough.
	calmEach = 0.02
	farBack  = 0.985 // what a day of before counts at most, per day
)

// calmSDs are standard deviations of calm travellers' days, in shares of their
// segment's.
var calmSDs = [calmNodes]float64{0.4, 0.2}

// posterior is what is known of one user's level and spread: weights on a grid,
// by an exact likelihood in which days that were cut off count as "at least".
type posterior struct {
	level  level
	week   [7]float64
	mu     [levelNodes]float64
	sd     [spreadNodes]float64
	weight [levelNodes * spreadNodes]float64
	zeroA  float64 // Beta of the share of days without use
	zeroB  float64
	step   float64 // between two mu

	days, capped int
	changed      Date
	factor       float64

	rest   [MaxTripDays + 1]float64 // residuals of active days
	keep   [MaxTripDays + 1]float64 // what they count
	on     [MaxTripDays + 1]Date
	cut    [MaxTripDays + 1]bool
	n      int
	nZero  float64
	nWhole float64
}

// learn fills the posterior from a trip's history.
// How much the days just past count more than older ones depends on how many are
// still to come: a mood does not last.
func (q *posterior) learn(m *Model, t *Trip, days float64) {
	p := &m.use
	q.level, q.week = p.of(t.Segment), p.week(t.Segment.Purpose)
	q.n, q.days, q.capped, q.changed, q.factor, q.nZero, q.nWhole = 0, 0, 0, 0, 1, 0, 0
	for i := range t.Days {
		q.take(p, t, &t.Days[i])
	}
	gain := p.Mood * (1 - p.Hold*p.Hold) / q.level.S2
	gain = (math.Sqrt(gain*gain+4*gain) - gain) / 2 // of a steady filter
	fade := min(1-gain, farBack)
	mood := moodShare(p.Hold, days)
	for i := range q.n {
		q.keep[i] = mood*math.Pow(fade, float64(t.Today-q.on[i])) + (1-mood)*math.Pow(longFade, float64(t.Today-q.on[i]))
	}
	q.change(mood)
	weight := p.ZeroWeight
	q.zeroA = weight*q.level.Zero + q.nZero
	q.zeroB = weight*(1-q.level.Zero) + q.nWhole - q.nZero
	q.grid(m, (1-p.Memory)/(1+p.Memory))
}

// moodShare is how much of the days to come is still in today's mood.
func moodShare(hold, days float64) float64 {
	days = max(days, 1)
	return (1 - math.Pow(hold, days)) / (days * (1 - hold))
}

// take notes one day.
func (q *posterior) take(p *useParams, t *Trip, d *Day) {
	s := sight{dow: d.Date.Weekday(), first: d.Date == t.Arrival && d.Minutes == 0}
	if d.Minutes > 0 && d.Minutes < minutesPerDay {
		s.part = math.Log(float64(max(d.Minutes, 15)) / minutesPerDay)
	}
	whole := d.Minutes == 0 || d.Minutes >= minutesPerDay/2
	switch {
	case d.Date == t.Today && d.Minutes == 0:
		return // of a day that is not over, and nobody says how much of it is
	case d.Bytes < activeBytes && !d.Capped:
		if whole {
			keep := math.Pow(farBack, float64(t.Today-d.Date))
			q.nZero, q.nWhole = q.nZero+keep, q.nWhole+keep
			q.days++
		}
		return
	}
	if whole {
		q.nWhole += math.Pow(farBack, float64(t.Today-d.Date))
	}
	q.days++
	// Of today it is known that at least so much is wanted: what is used up today was
	// wanted until now, and who has hardly used anything may just have got up.
	today, bytes := d.Date == t.Today, d.Bytes
	switch {
	case today:
		s.part = min(math.Log(float64(d.Minutes+minutesLeft(t))/minutesPerDay), 0)
	case d.Capped:
		q.capped++
		bytes = d.bound()
	}
	q.rest[q.n] = math.Log(max(float64(bytes), activeBytes)) - p.expected(&s, &q.week)
	q.on[q.n], q.cut[q.n] = d.Date, d.Capped || today
	q.n++
}

// change looks for a stretch of last days that clearly has a level of its own.
func (q *posterior) change(mood float64) {
	const least, most = 2, 8
	v := q.level.S2
	best, at, size := 0.0, 0, 0.0
	for k := least; k <= most && k+3 <= q.n; k++ {
		var now, before float64
		for i := range q.n {
			if i >= q.n-k {
				now += q.rest[i] / float64(k)
			} else {
				before += q.rest[i] / float64(q.n-k)
			}
		}
		v0 := v * (1/float64(k) + 1/float64(q.n-k))
		d := now - before
		odds := 0.5*d*d*changePrior/(v0*(v0+changePrior)) - 0.5*math.Log1p(changePrior/v0)
		if odds > best {
			best, at, size = odds, q.n-k, d
		}
	}
	if best < math.Log(changeOdds) {
		return
	}
	q.changed, q.factor = q.on[at], math.Exp(size)
	for i := range at {
		q.keep[i] *= mood*changeKeeps + (1-mood)*changeStays
	}
}

// grid weighs every level and spread. Days that remember the day before count
// less: temper.
func (q *posterior) grid(m *Model, temper float64) {
	var n, mean float64
	guess := 0.8 * math.Sqrt(q.level.S2) // how far above its cap a day that was cut off may have wanted
	for i := range q.n {
		x, k := q.rest[i], q.keep[i]*temper
		if q.cut[i] {
			n, mean = n+k, mean+k*(x+guess)
			continue
		}
		n, mean = n+k, mean+k*x
	}
	if n > 0 {
		mean /= n
	}
	v := 1 / (1/q.level.Tau2 + n/q.level.S2)
	centre := v * (q.level.Mu/q.level.Tau2 + n*mean/q.level.S2)
	half := levelReach * math.Sqrt(v) * 1.25
	q.step = 2 * half / (levelNodes - 1)

	for i := range q.mu {
		q.mu[i] = centre - half + float64(i)*q.step
		prior := q.logPrior(q.mu[i])
		for j := range q.sd {
			q.weight[j*levelNodes+i] = prior + m.spreadLog[j]
		}
	}
	for j := range q.sd {
		q.sd[j] = max(math.Sqrt(q.level.S2*m.spread[j]), leastSD)
		q.likely(m, q.weight[j*levelNodes:][:levelNodes], q.sd[j], temper)
	}
	most := slices.Max(q.weight[:])
	var sum float64
	for i, x := range q.weight {
		q.weight[i] = math.Exp(x - most)
		sum += q.weight[i]
	}
	for i := range q.weight {
		q.weight[i] /= sum
	}
}

func (q *posterior) logPrior(mu float64) float64 {
	d := (mu - q.level.Mu) * (mu - q.level.Mu) / q.level.Tau2 / 2
	return math.Log((1-heavyShare)/lightTimes*math.Exp(-d/lightTimes/lightTimes) + heavyShare/heavyTimes*math.Exp(-d/heavyTimes/heavyTimes) + 1e-300)
}

// likely adds to weights, one a level, the log likelihood of every day at a
// spread. The days' noise is of the form that was seen: where a few days beside
// the phone go far down and few far up, the high ones tell more of the level.
func (q *posterior) likely(m *Model, weights []float64, sd, temper float64) {
	step := -q.step / sd * formNodesPerSD
	logSD := math.Log(sd)
	for i := range q.n {
		k, table := q.keep[i]*temper, &m.form.density
		if q.cut[i] {
			table = &m.form.upper
		} else {
			for l := range weights {
				weights[l] -= k * logSD
			}
		}
		at := ((q.rest[i]-q.mu[0])/sd+formReach)*formNodesPerSD + 0.5
		for l := range weights {
			weights[l] += k * float64(table[int(min(max(at, 0), formNodes-1))])
			at += step
		}
	}
}
