package examination

import (
	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/advice/travellers"
)

// trip is one whole stay. Whoever is examined sees the part before a moment.
type trip struct {
	number  uint64
	segment advice.Segment
	arrival advice.Date
	demand  []int64       // bytes that were wanted, one entry a day
	minutes []int         // of each day in the country; 0: all of it
	told    []advice.Date // the last day as it stood told on the morning of each day; 0: not told

	who    *travellers.Traveller // whom the oracle knows; nil for a seller's own history
	capped []bool                // of a seller's own history: more may have been wanted
}

// last is the last day of the stay.
func (t *trip) last() advice.Date { return t.arrival + advice.Date(len(t.demand)-1) }

// of turns a traveller into what the examination knows of them.
func of(number uint64, who travellers.Traveller) trip {
	t := trip{
		number:  number,
		segment: advice.Segment{Group: who.Group, Purpose: who.Purpose, Use: who.Use},
		arrival: advice.Date(who.Arrival), who: &who,
	}
	for i, d := range who.Days {
		minutes := d.Minutes
		if minutes == travellers.MinutesPerDay {
			minutes = 0
		}
		last, _ := who.ToldOn(who.Arrival + i)
		t.demand, t.minutes, t.told = append(t.demand, d.Demand), append(t.minutes, minutes), append(t.told, advice.Date(last))
	}
	return t
}

// path is what will be wanted from a day on, by people who use so much more
// while they need not count.
func (t *trip) path(from int, carefree float64) path {
	p := path{counted: t.demand[from:], carefree: t.demand[from:]}
	if carefree != 1 {
		p.carefree = make([]int64, len(p.counted))
		for i, d := range p.counted {
			p.carefree[i] = int64(float64(d) * carefree)
		}
	}
	return p
}

// occasion is why a buyer is asked.
type occasion string

const (
	start    occasion = "start"    // the first morning
	expiry   occasion = "expiry"   // nothing runs any more, or still not
	usedUp   occasion = "used up"  // the volume was used up
	low      occasion = "low"      // less than a fifth of the volume is left
	reminder occasion = "reminder" // two more days after today, and nothing waits
	quiet    occasion = ""
)

const (
	lowShare     = 5 // a fifth
	reminderDays = 3
)

// watch says when a buyer is asked.
type watch struct{ wasLow bool }

// ring is the occasion of a morning, if there is one.
func (w *watch) ring(day int, l *line) occasion {
	switch {
	case l.offer < 0 && day == 0:
		return start
	case l.offer < 0:
		return expiry
	case l.used():
		return usedUp
	case len(l.waiting) == 0 && l.days == reminderDays && l.shop.Offers[l.offer].Days > reminderDays:
		return reminder
	}
	isLow := !unlimited(l.service()) && l.left*lowShare < l.service().Volume
	rings := isLow && !w.wasLow
	w.wasLow = isLow
	if rings {
		return low
	}
	return quiet
}

// moment is a trip on one morning: what is known then and how the line stands.
type moment struct {
	trip *trip
	day  int // of the trip; so many days of history
	why  occasion
	line line
	held int          // the offer that they bought so far; what is popular when there was none
	seen []advice.Day // as the meter showed them

	purchases []advice.Purchase // that were bought
}

// asked is what is known of the trip, and nothing else.
func (m *moment) asked() advice.Trip {
	a := advice.Trip{
		Segment: m.trip.segment, Arrival: m.trip.arrival, Days: m.seen,
		Today: m.trip.arrival + advice.Date(m.day), Told: m.trip.told[m.day], Purchases: m.purchases,
	}
	if m.day == 0 {
		a.MinutesLeft = m.trip.minutes[0]
	}
	return a
}

// need is every byte from the moment to the end of the trip.
func (m *moment) need() int64 {
	sum := int64(0)
	for _, d := range m.trip.demand[m.day:] {
		sum += d
	}
	return sum
}

// daysLeft is how many days the trip still has, today included.
func (m *moment) daysLeft() int { return len(m.trip.demand) - m.day }

// note adds a day as the meter showed it.
func (m *moment) note(r travellers.Reading, full int64) {
	d := advice.Day{Date: m.trip.arrival + advice.Date(m.day), Bytes: r.Bytes, Capped: r.Capped, Minutes: m.trip.minutes[m.day]}
	if r.Capped {
		d.Full = full
	}
	m.seen = append(m.seen, d)
	m.day++
}

// bought notes a term, which began today or will when those before it end.
// chosen says that the traveller came with it.
func (m *moment) bought(offer int, chosen bool) {
	o := m.line.shop.Offers[offer]
	if o.Kind != advice.Term {
		return
	}
	from := m.trip.arrival + advice.Date(m.day)
	if len(m.line.waiting) > 0 {
		from += advice.Date(m.line.days)
		for _, w := range m.line.waiting[:len(m.line.waiting)-1] {
			from += advice.Date(m.line.shop.Offers[w].Days)
		}
	}
	m.purchases = append(m.purchases, advice.Purchase{On: m.trip.arrival + advice.Date(m.day), From: from, Days: o.Days, Volume: o.Volume, Chosen: chosen})
}

// repeat lives a trip in which the same offer is bought whenever nothing runs or
// is left, and shows every morning on which a buyer with advice would be asked.
func repeat(s *advice.Shop, t *trip, offer int, show func(m *moment)) moment {
	m := moment{trip: t, line: newLine(s), held: offer}
	var w watch
	for m.day < len(t.demand) {
		if m.why = w.ring(m.day, &m.line); m.why != quiet {
			show(&m)
		}
		if m.line.offer < 0 || m.line.used() {
			m.line.buy(offer)
			m.bought(offer, m.day == 0)
		}
		served, meter := m.line.live(t.demand[m.day])
		m.note(meter, served.Full)
	}
	return m
}
