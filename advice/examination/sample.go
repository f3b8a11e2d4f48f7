package examination

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/advice/travellers"
)

// The calendar of the examination, in days since 1 January 1970.
const (
	opening = 19358 // 2023-01-01: the first arrivals
	learned = 20089 // 2025-01-01: what is known the morning of this day is fitted on
	checked = 20270 // 2025-07-01: trips that finished by then calibrate
	closing = 20634 // 2026-06-30: the last arrivals
)

// unseen is the nationality group that is held out of fit and calibration.
const unseen = "HK"

// Numbers of travellers, so that nobody is drawn twice for two purposes.
const (
	numberOfFit       = 0
	numberOfCheck     = 100_000_000
	numberOfFitLong   = 150_000_000
	numberOfTest      = 200_000_000
	numberOfCheckLong = 250_000_000
	numberOfLong      = 300_000_000
	numberOfPacks     = 350_000_000
)

// hold draws the offer that someone without advice comes with: the popular ones,
// and rather those that are about as long as the stay.
func (s *store) hold(r *rand.Rand, stay int) int {
	weights, sum := make([]float64, len(s.Offers)), 0.0
	for i, o := range s.Offers {
		if o.Kind == advice.Term {
			weights[i] = s.choice[i] * math.Exp(-math.Abs(math.Log(float64(o.Days)/float64(min(stay, 30)))))
			sum += weights[i]
		}
	}
	u := r.Float64() * sum
	for i, w := range weights {
		if u -= w; u < 0 {
			return i
		}
	}
	return s.find(popular)
}

// popular is what people buy who have bought nothing yet.
const popular = "days-7"

// dice are those of one trip.
func dice(seed uint64, t *trip) *rand.Rand {
	return rand.New(rand.NewPCG(seed^0xadc1ce, t.number)) //nolint:gosec // an examination is repeatable
}

// history is a trip as the seller's meter showed it, until the morning of a day.
func history(s *store, seed uint64, t trip, until advice.Date) advice.Trip {
	m := repeat(&s.Shop, &t, s.hold(dice(seed, &t), len(t.demand)), func(*moment) {})
	a := advice.Trip{Segment: t.segment, Arrival: t.arrival, Days: m.seen, Today: t.last() + 1, Told: t.told[len(t.told)-1], End: t.last(), Purchases: m.purchases}
	if t.last() >= until { // still open: what had been seen of it
		a.Today, a.End = until, 0
		a.Days = a.Days[:until-t.arrival]
		a.Told = t.told[until-t.arrival]
		a.Purchases = slices.DeleteFunc(a.Purchases, func(x advice.Purchase) bool { return x.On >= until })
	}
	return a
}

// population is whom to draw for learning: visitors, and beside them a tenth of
// long stays, so that there are some to learn from.
type population struct {
	seed     uint64
	from     uint64 // number of the first visitor
	fromLong uint64 // and of the first long stay
	visitors int
	first    int // day of arrival
	until    advice.Date
	finished advice.Date // 0: open ones too; otherwise only those that finished from this day on
}

func (p population) draw(s *store) []advice.Trip {
	var all []advice.Trip
	add := func(n uint64, w travellers.Who) bool {
		t := of(n, travellers.New(p.seed, n, w))
		if t.segment.Group == unseen || t.arrival >= p.until || p.finished != 0 && (t.last() < p.finished || t.last() >= p.until) {
			return false
		}
		all = append(all, history(s, p.seed, t, p.until))
		return true
	}
	for n, found := p.from, 0; found < p.visitors; n++ {
		if add(n, travellers.Who{From: p.first, To: int(p.until) - 1}) {
			found++
		}
	}
	for n, found := p.fromLong, 0; found < p.visitors/10; n++ {
		if add(n, travellers.Who{Stratum: travellers.LongStay, From: p.first - 400, To: int(p.until) - 1}) {
			found++
		}
	}
	return all
}

// A sample draws one moment of each trip: the first morning of one in four, one
// of the later mornings on which a buyer is asked of the others. Whoever never
// reaches a later one is drawn again. Only moments that are wanted are kept.
type sample struct {
	seed, number uint64 // the number of the next traveller
	stratum      travellers.Stratum
	store        *store
}

func (s *sample) next() moment {
	for {
		who := travellers.New(s.seed, s.number, travellers.Who{Stratum: s.stratum, From: checked, To: closing})
		t := of(s.number, who)
		s.number++
		r := dice(s.seed, &t)
		offer := s.store.hold(r, len(t.demand))
		if r.IntN(4) == 0 {
			return moment{trip: &t, why: start, line: newLine(&s.store.Shop), held: s.store.find(popular)}
		}
		var later []moment
		repeat(&s.store.Shop, &t, offer, func(m *moment) {
			if m.why != start {
				kept := *m
				kept.seen, kept.purchases = slices.Clip(kept.seen), slices.Clip(kept.purchases)
				later = append(later, kept)
			}
		})
		if len(later) > 0 {
			return later[r.IntN(len(later))]
		}
	}
}

// take draws n moments that are wanted, and gives up after so many in vain.
func (s *sample) take(n int, wanted func(*moment) bool) []moment {
	const vain = 5000
	var all []moment
	for since := 0; len(all) < n && since < vain; since++ {
		if m := s.next(); wanted(&m) {
			all, since = append(all, m), 0
		}
	}
	return all
}

func anyone(*moment) bool { return true }

// each calls f for every index below n, on all cores. What it returns depends on
// the index alone, so results do not depend on who was faster.
func each(n int, f func(i int)) {
	workers := runtime.GOMAXPROCS(0)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := w; i < n; i += workers {
				f(i)
			}
		})
	}
	group.Wait()
}
