package advice

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

const (
	// useLevels are the amounts of ordinary daily use that tables have an answer
	// for, evenly on a logarithmic scale; between two of them it is interpolated.
	useLevels = 20
	lowestUse = 5e6
	mostUse   = 4e10

	agesTold = maxStay // days before the told end that have a position of their own
	ages     = 90      // days of a stay without a told end

	readySegments = 24   // segments whose tables are made at once: those with the most trips
	mostPaces     = 1200 // segments, by the term people came with, that have tables of their own at all
	spendSteps    = 20   // of a minimum that is missing

	decisionPaths = 32
	decisionSeed  = 0xdec1
	basePaths     = 768 // futures by which tables know when a volume is used up
	baseSeed      = 0xba5e
)

// Tables are ready answers for one model and one shop; see [Build]. Answers never
// change, and tables are safe for concurrent use.
type Tables struct {
	model *Model
	shop  Shop
	costs [3]yardstick // by attitude
	dice  *dice
	kinds []kind // distinct daily limits that are on sale
	reach []int  // by kind: the days of the longest offer with it
	offer []onSale

	toldAt *clock
	anyone *clock // of a stay of average length
	bench  *bench
	lock   sync.RWMutex
	stayAt map[pace]*clock // grows when a segment is asked about for the first time

	step  int64 // of a minimum spend, in minor units
	free  carefree
	rooms sync.Pool
}

// yardstick is [Costs] for sums of expectations.
type yardstick struct{ hassle, perByte, slowMax, outage float64 }

func (c Costs) yardstick() yardstick {
	return yardstick{float64(c.Hassle), float64(c.PerGB) / gb, float64(c.SlowDayMax), float64(c.OutageDay)}
}

func (y *yardstick) slow(bytes float64) float64 { return min(max(bytes, 0)*y.perByte, y.slowMax) }

// kind is a daily limit that plans on sale have, or none.
type kind struct {
	cap      float64 // 0: no limit
	throttle bool    // slow after it, not without service
}

// day is what a day counts on which so many bytes are wanted.
func (k kind) day(y *yardstick, bytes float64) float64 {
	switch {
	case k.cap == 0 || bytes <= k.cap:
		return 0
	case k.throttle:
		return y.slow(bytes - k.cap)
	}
	return y.outage * (bytes - k.cap) / bytes
}

// onSale is an offer as the tables see it.
type onSale struct {
	price  float64 // with its fee
	days   int
	kind   int // index in kinds; of a volume, what holds until it is used up
	volume float64
	slow   bool // a volume that is slow, not gone, once used up
	term   bool // may be bought by a line on which nothing runs
	spends int  // steps of a minimum spend
}

// attitude is the place of an attitude in every table.
func attitude(a Attitude) int {
	if i := slices.Index(Attitudes, a); i >= 0 {
		return i
	}
	return slices.Index(Attitudes, Balanced)
}

func build(m *Model, s Shop) (*Tables, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	s.Offers = slices.Clone(s.Offers)
	t := &Tables{model: m, shop: s, dice: m.throw(decisionPaths, decisionSeed), stayAt: map[pace]*clock{}}
	for i, a := range Attitudes {
		t.costs[i] = s.Costs.For(a).yardstick()
	}
	steps := 0
	if s.Rules.MinimumSpend > 0 {
		steps = spendSteps
		t.step = (s.Rules.MinimumSpend + spendSteps - 1) / spendSteps
	}
	for _, o := range s.Offers {
		t.add(o)
	}
	t.bench = newBench(t, steps)
	t.toldAt = t.bench.solve(m.toldChain())
	factor := constant(1)
	t.anyone = t.bench.solve(m.stay.chain(nil, &factor, maxStay, noPlan))
	of := slices.Clone(m.use.Segments)
	slices.SortStableFunc(of, func(a, b segmentLevel) int { return cmp.Compare(b.Trips, a.Trips) })
	for _, s := range of[:min(len(of), readySegments)] {
		p := pace{Segment: s.Segment, plan: noPlan}
		t.stayAt[p] = t.solve(p)
	}
	t.free = newCarefree(t)
	t.rooms.New = func() any { return newRoom(t) }
	return t, nil
}

func (t *Tables) add(o Offer) {
	k := kind{cap: float64(o.DailyCap), throttle: o.ThrottleKbps > 0}
	at := slices.Index(t.kinds, k)
	if at < 0 {
		at = len(t.kinds)
		t.kinds, t.reach = append(t.kinds, k), append(t.reach, 0)
	}
	t.reach[at] = max(t.reach[at], o.Days)
	s := onSale{
		price: float64(o.Price + o.Fee), days: o.Days, kind: at, volume: float64(o.Volume), slow: o.ThrottleKbps > 0,
		term: o.Kind == Term && t.shop.Rules.Allows(o, State{}), // for a line that must run on: at the last moment
	}
	if t.step > 0 {
		s.spends = int(min((o.Price+t.step/2)/t.step, spendSteps))
	}
	t.offer = append(t.offer, s)
}

// chain is the way of a stay through its days: the probability, at each
// position, that it ends with that day. The last position stays what it is.
type chain struct {
	hazard []float64
	alive  []float64 // probability of getting to a position from the first; goes on beyond the last
	sum    []float64 // of alive, before a position
}

func newChain(hazard []float64) *chain {
	hazard[len(hazard)-1] = min(hazard[len(hazard)-1], 0.3)
	c := &chain{hazard: hazard}
	n := len(hazard) + MaxOfferDays + 1
	c.alive, c.sum = make([]float64, n+1), make([]float64, n+2)
	c.alive[0] = 1
	for i := range n {
		c.alive[i+1] = c.alive[i] * (1 - hazard[min(i, len(hazard)-1)])
		c.sum[i+1] = c.sum[i] + c.alive[i]
	}
	c.sum[n+1] = c.sum[n] + c.alive[n]
	return c
}

// toldChain counts the days to a told end: position i is agesTold-1-i days
// before it, and the last positions lie after it.
func (m *Model) toldChain() *chain {
	h := make([]float64, agesTold+movedReach)
	left := 1.0
	early := m.stay.Moved[0] / 30 // spread over the month before
	for i := range h {
		off := i - (agesTold - 1)
		switch {
		case off <= -movedReach:
			h[i] = leastHazard
			if off > -movedReach-30 {
				h[i], left = max(early/left, leastHazard), left-early
			}
		case off < movedReach:
			p := m.stay.Moved[off+movedReach]
			h[i] = min(max(p/left, leastHazard), mostHazard)
			left = max(left-p, 1e-9)
		default:
			h[i] = 0.15 // told ends that move by more than a week stand for a new plan of a week
		}
	}
	return newChain(h)
}

// pace is which table of stays a question needs: those of people who have been
// here for long go on longer.
type pace struct {
	Segment
	long bool
	plan int // that they came with
}

// longAge is from when on a stay is a long one.
const longAge = 45

// solve makes the tables of one segment.
func (t *Tables) solve(p pace) *clock {
	own, factor := t.model.stay.of(p.Segment)
	n := ages
	if p.long {
		n = maxStay
	}
	return t.bench.solve(t.model.stay.chain(own, &factor, n, p.plan))
}

// chain is the way through stays whose end is not told, of n positions.
func (p *stayParams) chain(own []float64, factor *[stretches]float64, n, plan int) *chain {
	all := p.hazards(own, factor, plan)
	h := slices.Clone(all[:n])
	var rest float64 // what a long stay has on average
	for i := n; i < n+60; i++ {
		rest += all[min(i, maxStay)-1] / 60
	}
	h[n-1] = rest
	return newChain(h)
}

// hazards are those of every day, for who came with a plan: of a stay that it
// makes twice as likely, the hazard is about twice as high.
func (p *stayParams) hazards(own []float64, factor *[stretches]float64, plan int) []float64 {
	h, ends := make([]float64, maxStay), make([]float64, maxStay)
	left := 1.0
	for i := range h {
		h[i] = p.hazard(own, factor, i+1)
		ends[i] = left * h[i] * p.lift(plan, i+1)
		left *= 1 - h[i]
	}
	if plan == noPlan {
		return h
	}
	left *= p.lift(plan, maxStay)
	for i := maxStay - 1; i >= 0; i-- {
		left += ends[i]
		h[i] = min(max(ends[i]/max(left, 1e-300), leastHazard), mostHazard)
	}
	return h
}

// clockFor is the chain for a question, and the position of today in it.
func (t *Tables) clockFor(trip *Trip) (*clock, int) {
	if left := int(trip.Told - trip.Today); trip.Told != 0 && left > -3*movedReach {
		return t.toldAt, min(max(agesTold-1-left, 0), len(t.toldAt.hazard)-1)
	}
	age := int(trip.Today - trip.Arrival)
	c := t.clockOf(pace{trip.Segment, age >= longAge, trip.plan()})
	return c, min(age, len(c.hazard)-1)
}

// clockOf is the segment's own, made when it is asked for the first time: some
// milliseconds, once. Beyond so many segments that they cannot be the seller's
// own words, it is everyone's.
func (t *Tables) clockOf(p pace) *clock {
	t.lock.RLock()
	c, full := t.stayAt[p], len(t.stayAt) >= mostPaces
	t.lock.RUnlock()
	switch {
	case c != nil:
		return c
	case full:
		return t.anyone
	}
	c = t.solve(p)
	p.Segment = Segment{strings.Clone(p.Group), strings.Clone(p.Purpose), strings.Clone(p.Use)}
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.stayAt[p] == nil {
		t.stayAt[p] = c
	}
	return t.stayAt[p]
}
