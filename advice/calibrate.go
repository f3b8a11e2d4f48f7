package advice

import (
	"math"
	"math/rand/v2"
	"slices"
)

// ranges is what was learnt of the model's own ranges: where, in its sampled
// futures, that which came has lain. Its quantiles are read off there instead of
// where they should lie. Trips, not the days of one trip, are exchangeable: so
// the ranges hold on average over trips, whatever is wrong with the model.
type ranges struct {
	Buckets [buckets]bucket
	Groups  map[string]bucket // by nationality group, after the buckets
}

// bucket is a kind of question: how much history, and whether the end is told.
type bucket struct {
	N    int             // moments it stands on
	Rank []float64       // of the ranks, at rankNodes even probabilities; none: as they should be
	Step [levels]float64 // what [Model.Adapt] added to each level
}

const (
	histories = 4
	buckets   = 2*histories + 2 // the last two are of those who have just arrived
	levels    = len(Levels)
	rankNodes = 101
)

func bucketOf(days int, told bool) int {
	b := 0
	switch {
	case days == 0 && told:
		return buckets - 1
	case days == 0:
		return buckets - 2
	case days >= 11:
		b = 3
	case days >= 6:
		b = 2
	case days >= 3:
		b = 1
	}
	if told {
		b += histories
	}
	return b
}

func (r *ranges) check(bad func(string) error) error {
	all := r.Buckets[:]
	for _, g := range r.Groups {
		all = append(slices.Clip(all), g)
	}
	for _, b := range all {
		if len(b.Rank) != 0 && len(b.Rank) != rankNodes {
			return bad("ranks have another length")
		}
		for i, x := range b.Rank {
			if !within(x, 0, 1) || i > 0 && x < b.Rank[i-1] {
				return bad("ranks do not rise")
			}
		}
		for _, x := range b.Step {
			if !within(x, -1, 1) {
				return bad("a level is out of its range")
			}
		}
	}
	return nil
}

// at is the rank at which a probability lies.
func (b *bucket) at(p float64) float64 {
	if len(b.Rank) == 0 {
		return p
	}
	x := p * (rankNodes - 1)
	i := min(max(int(x), 0), rankNodes-2)
	return b.Rank[i] + (x-float64(i))*(b.Rank[i+1]-b.Rank[i])
}

// of is the bucket of a question. A model that was stored before those who have
// just arrived had their own has them among those of a day or two.
func (r *ranges) of(days int, told bool) *bucket {
	b := &r.Buckets[bucketOf(days, told)]
	if days == 0 && len(b.Rank) == 0 {
		return &r.Buckets[bucketOf(1, told)]
	}
	return b
}

// levelsFor is where to read the quantiles off.
func (m *Model) levelsFor(days int, told bool, group string) (out [levels]float64) {
	b := m.ranges.of(days, told)
	g := m.ranges.Groups[group]
	least := 0.0005
	for i, p := range Levels {
		least = max(least, min(b.at(g.at(p))+b.Step[i], 0.9995))
		out[i] = least
	}
	return out
}

// moment is one point of a finished trip at which a forecast could have been
// made, and what came.
type moment struct {
	trip  Trip
	need  float64
	days  int // of its history that could be used; [workshop.rank] finds them, as a forecast does
	told  bool
	rank  float64 // of need among the sampled futures
	group string
	loss  float64
}

const calibrationSeed = 0x7e57

func (m *Model) calibrated(trips []Trip) (*Model, error) {
	all := m.ranked(trips)
	if len(all) == 0 {
		return nil, refuse("There is no finished trip to check the ranges on.")
	}
	var loss, mean float64
	for i := range all {
		loss, mean = loss+all[i].loss, mean+all[i].need
	}
	c := *m
	c.ranges = learnRanges(all)
	c.Scores.Checked = len(all)
	c.Scores.Pinball = loss / max(mean, 1)
	c.Scores.Cover50, c.Scores.Cover80, c.Scores.Cover95 = crossCover(all)
	return &c, nil
}

// ranked are moments of trips, and where what came lay among the very futures
// that forecasts read their quantiles from. Futures are thrown once, for all trips:
// where other ones, and fewer, happen to lie says nothing of these.
func (m *Model) ranked(trips []Trip) (all []moment) {
	pool := m.shop()
	w, _ := pool.Get().(*workshop)
	defer pool.Put(w)
	r := rand.New(rand.NewPCG(m.seed, calibrationSeed)) //nolint:gosec // repeatable
	for i := range trips {
		all = append(all, m.moments(&trips[i], r)...)
	}
	for i := range all {
		w.rank(m, &all[i], r)
	}
	return all
}

// moments picks of a finished trip two moments at which its traveller was asked,
// or may have been: the first morning, which every trip has, and another. Every
// trip counts the same, so that those who stay for months, and ask often, do not
// decide for all.
func (m *Model) moments(t *Trip, r *rand.Rand) (out []moment) {
	if t.End == 0 || t.Validate() != nil || len(t.Days) == 0 {
		return nil
	}
	cuts := []Date{t.Arrival}
	if later := t.later(); len(later) > 0 {
		cuts = append(cuts, later[r.IntN(len(later))])
	}
	for _, cut := range cuts {
		at, _ := slices.BinarySearchFunc(t.Days, cut, func(d Day, c Date) int { return int(d.Date - c) })
		if len(t.Days)-at != int(t.End-cut)+1 {
			continue // what came was not measured in full
		}
		past := *t
		past.Days, past.Today, past.End, past.Away, past.MinutesLeft = t.Days[:at], cut, 0, 0, 0
		past.Purchases = until(t.Purchases, cut)
		if first := t.Days[at]; first.Minutes > 0 && cut == t.Arrival {
			past.MinutesLeft = first.Minutes // a traveller knows when they have landed
		}
		out = append(out, moment{
			trip: past, need: m.wanted(t, t.Days[at:], r), told: told(&past), group: t.Segment.Group,
		})
	}
	return out
}

// later are the mornings on which a finished trip's traveller was asked to buy;
// where nobody knows what was bought, every morning but the first.
func (t *Trip) later() (mornings []Date) {
	if len(t.Purchases) > 0 {
		return t.asks()
	}
	for day := t.Arrival + 1; day <= t.End; day++ {
		mornings = append(mornings, day)
	}
	return mornings
}

// until is what was known of the terms on the morning of a day.
func until(all []Purchase, day Date) (known []Purchase) {
	for _, x := range all {
		if x.On < day {
			known = append(known, x)
		}
	}
	return known
}

func told(t *Trip) bool { return t.Told != 0 && t.Told >= t.Today }

// wanted is what a traveller wanted on these days: what the meter showed, and
// on days that were cut off a draw from what lies above.
func (m *Model) wanted(t *Trip, days []Day, r *rand.Rand) (sum float64) {
	var q *posterior
	for _, d := range days {
		if !d.Capped {
			sum += float64(d.Bytes)
			continue
		}
		if q == nil {
			q = new(posterior)
			q.learn(m, t, 1)
		}
		sum += math.Exp(q.above(m, t, &d, r.Float64()))
	}
	return sum
}

// above is the log of what was wanted on a capped day: at the u-th part of what
// lies above its cap.
func (q *posterior) above(m *Model, t *Trip, d *Day, u float64) float64 {
	var mu, sd float64
	for i, w := range q.weight {
		mu += w * q.mu[i%levelNodes]
		sd += w * q.sd[i/levelNodes]
	}
	limit, least := math.Log(max(float64(d.bound()), activeBytes)), math.Log(max(float64(d.Bytes), activeBytes))
	s := sightOf(t, d)
	base := mu + m.use.expected(&s, &q.week)
	g := m.use.normalOf((limit - base) / sd)
	over := upper(g) * (1 - u)
	x := base + sd*m.use.noise(-normalAt(over))
	return min(max(least, x), max(least, mostLog))
}

// learnRanges keeps the ranks of every bucket; of one with few, pulled towards
// those of all.
func learnRanges(all []moment) (r ranges) {
	everyone := make([]float64, 0, len(all))
	by := [buckets][]float64{}
	for i := range all {
		everyone = append(everyone, all[i].rank)
		b := bucketOf(all[i].days, all[i].told)
		by[b] = append(by[b], all[i].rank)
	}
	base := rankBucket(everyone, nil, 50)
	for b := range by {
		r.Buckets[b] = rankBucket(by[b], &base, 100)
	}
	groups := map[string][]float64{}
	for i := range all {
		b := r.of(all[i].days, all[i].told)
		groups[all[i].group] = append(groups[all[i].group], b.below(all[i].rank))
	}
	r.Groups = map[string]bucket{}
	for _, g := range sortedKeys(groups) {
		if len(groups[g]) >= 100 {
			r.Groups[g] = rankBucket(groups[g], nil, 400)
		}
	}
	return r
}

// rankBucket has the quantiles of ranks, which weigh against base (nil: as they
// should be) like so many.
func rankBucket(ranks []float64, base *bucket, weight float64) bucket {
	slices.Sort(ranks)
	n := float64(len(ranks))
	k := n / (n + weight)
	b := bucket{N: len(ranks), Rank: make([]float64, rankNodes)}
	for i := range b.Rank {
		p := float64(i) / (rankNodes - 1)
		want := p
		if base != nil {
			want = base.at(p)
		}
		own := want
		if len(ranks) > 0 {
			// The ends of the ranks are those of the range.
			x := p*(n+1) - 1
			j := int(math.Floor(x))
			lo, hi := 0.0, 1.0
			if j >= 0 {
				lo = ranks[min(j, len(ranks)-1)]
			}
			if j+1 < len(ranks) {
				hi = ranks[max(j+1, 0)]
			}
			own = lo + (x-float64(j))*(hi-lo)
		}
		b.Rank[i] = min(max(k*own+(1-k)*want, 0), 1)
		if i > 0 {
			b.Rank[i] = max(b.Rank[i], b.Rank[i-1])
		}
	}
	return b
}

// below is the probability that lies at a rank: the inverse of at.
func (b *bucket) below(rank float64) float64 {
	if len(b.Rank) == 0 {
		return rank
	}
	i, _ := slices.BinarySearch(b.Rank, rank)
	i = min(max(i, 1), rankNodes-1)
	lo, hi := b.Rank[i-1], b.Rank[i]
	f := 0.5
	if hi > lo {
		f = min(max((rank-lo)/(hi-lo), 0), 1)
	}
	return (float64(i-1) + f) / (rankNodes - 1)
}

// crossCover is how often the ranges of one half of the trips held what came
// in the other half.
func crossCover(all []moment) (c50, c80, c95 float64) {
	var halves [2][]moment
	for i := range all {
		h := int(all[i].trip.Arrival) & 1
		halves[h] = append(halves[h], all[i])
	}
	for h := range halves {
		m := Model{ranges: learnRanges(halves[1-h])}
		for _, x := range halves[h] {
			q := m.levelsFor(x.days, x.told, x.group)
			c50 += inside(x.rank, q[2], q[4])
			c80 += inside(x.rank, q[1], q[5])
			c95 += inside(x.rank, q[0], q[6])
		}
	}
	n := float64(len(all))
	return c50 / n, c80 / n, c95 / n
}

func inside(x, lo, hi float64) float64 {
	if x >= lo && x <= hi {
		return 1
	}
	return 0
}

// adaptStep is how far one trip moves a level: far enough to follow a season,
// too little to follow a traveller.
const adaptStep = 0.01

func (m *Model) adapted(t Trip) *Model {
	c := *m
	pool := m.shop()
	w, _ := pool.Get().(*workshop)
	defer pool.Put(w)
	r := rand.New(rand.NewPCG(m.seed^uint64(t.Arrival), calibrationSeed)) //nolint:gosec // repeatable
	for _, x := range m.moments(&t, r) {
		w.rank(m, &x, r)
		b := c.ranges.of(x.days, x.told)
		for i, at := range c.levelsFor(x.days, x.told, x.group) {
			miss := 0.0
			if x.rank <= at {
				miss = 1
			}
			b.Step[i] = min(max(b.Step[i]+adaptStep*(Levels[i]-miss), -0.2), 0.2)
		}
	}
	return &c
}
