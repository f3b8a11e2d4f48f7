package examination

import (
	"slices"

	"github.com/tsuzuku/tsuzuku/advice"
)

// buyer decides what to buy on a morning: an offer, or -1.
type buyer interface {
	name() string
	decide(m *moment) int
}

// outcome is what the rest of a trip came to for one buyer.
type outcome struct {
	cost      int64 // prices, hassle, and what fell short, by the yardstick
	paid      int64
	wasted    int64 // of what was paid: the share of the days that the trip no longer had
	purchases int
	outage    int // days on which something was wanted without service
	slow      int // days on which something was wanted beyond full speed
	refused   int // purchases that the rules refuse
}

// mostPurchases is how often a buyer is asked on one morning.
const mostPurchases = 6

// follow charges a buyer for the rest of a trip, in which people use so much
// more while they need not count.
func follow(b buyer, at moment, carefree float64) outcome {
	m, o := at, outcome{}
	m.line.waiting = slices.Clone(m.line.waiting)
	m.seen, m.purchases = slices.Clip(m.seen), slices.Clip(m.purchases)
	p := m.trip.path(m.day, carefree)
	first := m.day
	w := watch{wasLow: m.why == low}
	for m.day < len(m.trip.demand) {
		if m.day > first {
			m.why = w.ring(m.day, &m.line)
		}
		for n := 0; m.why != quiet && n < mostPurchases; n++ {
			if !purchase(b, &m, &o) {
				break
			}
		}
		demand := p.counted[m.day-first]
		if m.line.offer >= 0 {
			demand = p.wanted(m.day-first, m.line.service())
		}
		served, meter := m.line.live(demand)
		o.cost += m.line.shop.Costs.Day(demand, served)
		if served.Missing > 0 {
			o.outage++
		}
		if served.Slow > 0 {
			o.slow++
		}
		m.note(meter, served.Full)
	}
	o.wasted += wasted(&m.line)
	return o
}

// purchase asks once, and reports whether something was bought.
func purchase(b buyer, m *moment, o *outcome) bool {
	offer := b.decide(m)
	if offer < 0 {
		return false
	}
	price, cost, ok := m.line.buy(offer)
	if !ok {
		o.refused++
		return false
	}
	o.paid, o.cost, o.purchases, m.held = o.paid+price, o.cost+cost, o.purchases+1, offer
	m.bought(offer, false)
	return true
}

// wasted is what was paid for days that the trip no longer has.
func wasted(l *line) int64 {
	sum := int64(0)
	if l.offer >= 0 {
		o := l.shop.Offers[l.offer]
		sum += o.Price * int64(l.days) / int64(o.Days)
	}
	for _, w := range l.waiting {
		sum += l.shop.Offers[w].Price
	}
	return sum
}

// advised buys what the advice says.
type advised struct {
	tables *advice.Tables
	ends   bool // it is told the true end, to see what not knowing it costs
}

func (a advised) name() string {
	if a.ends {
		return "advice, end known"
	}
	return "advice"
}

func (a advised) decide(m *moment) int {
	asked := m.asked()
	if a.ends {
		asked.Told = m.trip.last()
	}
	answer, err := a.tables.Recommend(advice.Question{Trip: asked, State: m.line.state(), Attitude: advice.Balanced})
	if err != nil || answer.Best.Action != advice.Buy {
		return -1
	}
	return answer.Best.Steps.At[0].Offer
}
