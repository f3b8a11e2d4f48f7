package advice

import (
	"math"
)

// carefree knows the cheapest way to be served without end for n days, for
// every daily limit on sale, with that limit or a higher one.
type carefree struct {
	kinds []int       // indexes of Tables.kinds that never stop the service
	price [][]float64 // by kinds, then days
	first [][]int
}

func newCarefree(t *Tables) (c carefree) {
	for i, k := range t.kinds {
		if k.cap > 0 && !k.throttle {
			continue
		}
		price, first := make([]float64, maxStay+1), make([]int, maxStay+1)
		for n := 1; n <= maxStay; n++ {
			price[n], first[n] = math.Inf(1), -1
			for j := range t.offer {
				o := &t.offer[j]
				if !o.term || o.volume > 0 || !t.kinds[o.kind].asGood(k) {
					continue
				}
				if p := o.price + price[max(n-o.days, 0)]; p < price[n] {
					price[n], first[n] = p, j
				}
			}
		}
		if first[1] >= 0 {
			c.kinds, c.price, c.first = append(c.kinds, i), append(c.price, price), append(c.first, first)
		}
	}
	return c
}

// asGood reports whether k is at least as generous as other.
func (k kind) asGood(other kind) bool {
	return k.cap == 0 || k.throttle && other.cap > 0 && k.cap >= other.cap
}

// carefreeSlow is how often a carefree plan may become slow and still be one.
const carefreeSlow = 0.1

// carefree finds the price of not having to think about it.
func (r *room) carefree(a *Advice, best *way, q *Question) {
	a.Carefree.Offer = -1
	c := &r.t.free
	p := 0.8 // until when most have left
	if told(&q.Trip) {
		p = 0.5 // told days are meant
	}
	n := min(r.e.days(p)-r.ways[0].covers, maxStay)
	if n < 1 {
		return
	}
	price, at := math.Inf(1), -1
	least, calm := 2.0, -1
	for i, k := range c.kinds {
		slow := r.everSlow(k)
		if slow < least {
			least, calm = slow, i
		}
		if slow <= carefreeSlow && c.price[i][n] < price {
			price, at = c.price[i][n], i
		}
	}
	if at < 0 {
		at = calm
	}
	if at < 0 || math.IsInf(c.price[at][n], 1) {
		return
	}
	a.Carefree = Step{c.first[at][n], q.Trip.Today + Date(r.ways[0].covers)}
	a.CarefreePrice = round(c.price[at][n])
	a.CarefreeMore = a.CarefreePrice - a.Best.Paid
	a.CarefreeNeed = 1 - best.enough
}

// everSlow is in what share of the futures a daily limit is ever reached.
func (r *room) everSlow(kind int) float64 {
	var n float64
	limit := r.t.kinds[kind].cap
	for k := range r.users {
		for d, b := range r.each[k*r.days:][:r.days] {
			if limit > 0 && b > limit {
				n += r.weight[k] * r.alive[d]
				break
			}
		}
	}
	return n
}
