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

// carefree finds the price of not having to think about it: of terms that never
// stop and hardly ever become slow, or of one purchase that will do. Where neither
// is on sale there is none.
func (r *room) carefree(a *Advice, best *way, ways int, q *Question) {
	a.Carefree.Offer = -1
	price := math.Inf(1)
	if first, p := r.endless(q); first >= 0 {
		price, a.Carefree = p, Step{first, q.Trip.Today + Date(r.ways[0].covers)}
	}
	for i := 1; i < ways && best.lasts < enoughLasts; i++ {
		w := &r.ways[i]
		o := &r.t.shop.Offers[w.offer]
		if p := float64(o.Price+r.fee(o, q)) + w.paid; w.lasts >= enoughLasts && p < price {
			price, a.Carefree = p, Step{w.offer, q.Trip.Today}
		}
	}
	if a.Carefree.Offer < 0 {
		return
	}
	a.CarefreePrice = round(price)
	a.CarefreeMore = a.CarefreePrice - a.Best.Paid
	a.CarefreeNeed = 1 - best.enough
}

// endless is the first of the cheapest terms that never stop and hardly ever become
// slow, until most have left, and the price of all of them; -1: there are none.
func (r *room) endless(q *Question) (first int, price float64) {
	p := 0.8
	if told(&q.Trip) {
		p = 0.5 // told days are meant
	}
	first, price = -1, math.Inf(1)
	n := min(r.e.days(p)-r.ways[0].covers, maxStay)
	if n < 1 {
		return first, price
	}
	for i, k := range r.t.free.kinds {
		if at := r.t.free.price[i][n]; at < price && r.everSlow(k) <= carefreeSlow {
			first, price = r.t.free.first[i][n], at
		}
	}
	return first, price
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
