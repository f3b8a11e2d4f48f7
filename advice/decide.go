package advice

import (
	"math"
	"slices"
)

// closeCost is by how much of the best cost another may differ and still be as
// good; closeSure how often the best must be the better one.
const (
	closeCost = 0.05
	closeSure = 0.6

	// enoughLasts is how sure it must be that what is paid for lasts to the end of
	// the trip, to say that nothing is needed.
	enoughLasts = 0.9

	// soon is how many days before the end of what is paid for the next is bought.
	soon = 2

	// lookAgain is what it counts, in purchases' hassle, to be told to wait and to
	// come back.
	lookAgain = 0.5
)

// Recommend says what to do now. It fails with [fault.Invalid] for a history
// that cannot be. It does not allocate.
func (t *Tables) Recommend(q Question) (Advice, error) {
	if err := q.Trip.Validate(); err != nil {
		return Advice{}, err
	}
	if err := q.State.validate(); err != nil {
		return Advice{}, err
	}
	r, _ := t.rooms.Get().(*room)
	defer t.rooms.Put(r)
	return r.recommend(&q), nil
}

func (r *room) recommend(q *Question) (a Advice) {
	r.imagine(q)
	n := r.tryAll(q)
	best, second := r.order(n)
	a.Best = r.choice(&r.ways[best], q)
	r.alternatives(&a, best, second, q)
	r.carefree(&a, &r.ways[best], n, q)
	if q.Usual > 0 && q.Usual <= len(r.t.offer) {
		a.UsualPaid = r.usual(q)
		a.Saving = a.UsualPaid - a.Best.Paid
	}
	r.explain(&a, &r.ways[best], n, q)
	return a
}

// tryAll tries nothing, and every offer that the policy accepts.
func (r *room) tryAll(q *Question) (n int) {
	r.kept(&q.State, &r.ways[0])
	r.ways[0].missing = r.missingAfter(q.State.Spent)
	r.try(&r.ways[0])
	n = 1
	// What would only wait behind what runs need not be bought before that ends:
	// by then more is known.
	early := r.ways[0].covers > soon+r.t.shop.Rules.ClosesDays && r.t.shop.Rules.modeFor(&q.State) == Queue
	for i := range r.t.shop.Offers {
		o := &r.t.shop.Offers[i]
		if !r.t.shop.Rules.allows(o, &q.State) || o.Kind == Pack && !r.helps(o, q) || o.Kind == Term && early {
			continue
		}
		r.with(i, q, &r.ways[n])
		r.ways[n].missing = r.missingAfter(q.State.Spent + o.Price)
		r.try(&r.ways[n])
		n++
	}
	return n
}

// helps reports whether a pack changes anything for what is running.
func (r *room) helps(o *Offer, q *Question) bool {
	s := &q.State.Running
	if s.Volume > 0 {
		return o.Volume > 0
	}
	return s.DailyCap > 0
}

// order finds the two that cost least. Doing nothing is not second best.
func (r *room) order(n int) (best, second int) {
	best, second = 0, -1
	// To wait is to come back, unless nothing more is needed.
	wait := r.ways[0].cost + lookAgain*r.t.costs[r.a].hassle*(1-r.ways[0].lasts)
	if r.t.shop.Rules.Mode == Extend && r.nearlyGone() {
		wait += closeCost * r.ways[0].cost // a purchase would be added to it: nobody is sent away for so little
	}
	now := r.lastMoment() && r.ways[0].lasts < closeSure && r.sellsTime(n)
	if now {
		wait = math.Inf(1)
	}
	least := wait
	for i := 1; i < n; i++ {
		if r.ways[i].cost < least && (!now || !r.isPack(i)) {
			best, least = i, r.ways[i].cost
		}
	}
	for i := 1; i < n; i++ {
		if i != best && (!now || !r.isPack(i)) && (second < 0 || r.ways[i].cost < r.ways[second].cost) {
			second = i
		}
	}
	return best, second
}

// nearlyGone reports whether what is left of a volume will more probably than not
// be used up by tomorrow night.
func (r *room) nearlyGone() bool {
	s := &r.ways[0].stretches[0]
	if r.ways[0].n != 1 || !s.volume || s.bytes <= 0 {
		return false
	}
	var p float64
	for k := range r.users {
		if r.sum[k*r.days+min(soon, r.days)-1] > s.bytes {
			p += r.weight[k]
		}
	}
	return p > 0.5
}

// isPack reports whether a way begins with a pack: it does not keep the line going.
func (r *room) isPack(i int) bool { return r.t.shop.Offers[r.ways[i].offer].Kind == Pack }

// sellsTime reports whether one of the ways begins with a term.
func (r *room) sellsTime(n int) bool {
	for i := 1; i < n; i++ {
		if !r.isPack(i) {
			return true
		}
	}
	return false
}

// lastMoment reports whether the line cannot be renewed tomorrow any more.
func (r *room) lastMoment() bool {
	return r.t.shop.Rules.MustRunOn && r.ways[0].covers == 1+r.t.shop.Rules.ClosesDays
}

func (r *room) choice(w *way, q *Question) (c Choice) {
	c.Cost, c.Paid = round(w.cost), round(w.paid)
	c.Enough, c.Lasts = w.enough, w.lasts
	switch {
	case w.offer >= 0:
		o := &r.t.shop.Offers[w.offer]
		c.Action = Buy
		c.First = o.Price + r.fee(o, q)
		c.Price = c.First
		c.Paid += c.First
		c.Steps.add(Step{w.offer, q.Trip.Today})
	case w.lasts >= enoughLasts:
		c.Action = Enough
		return c
	case r.useless():
		c.Action = NoOffer
		return c
	default:
		c.Action = Wait
	}
	r.later(&c, w, q)
	return c
}

func round(x float64) int64 { return int64(math.Round(x)) }

// useless reports whether nothing is on sale that could ever be bought.
func (r *room) useless() bool {
	for _, o := range r.t.offer {
		if o.term {
			return false
		}
	}
	return true
}

// later adds what will most probably be bought after that, to the day that is
// as likely after the end of the trip as before.
func (r *room) later(c *Choice, w *way, q *Question) {
	stay := r.e.days(0.5)
	k, f := r.typical()
	if f >= 0.5 {
		k++
	}
	missing := w.missing
	for d := max(w.covers, 0); d < stay; {
		if d == 0 { // nothing today
			d = 1
			continue
		}
		i := int(r.clock.best[r.a][k][r.clock.at(r.pos+d, missing)]) - 1
		if i < 0 {
			d++
			continue
		}
		if c.Steps.N == MaxSteps {
			return
		}
		o := &r.t.shop.Offers[i]
		on := d
		if r.t.shop.Rules.MustRunOn {
			on = max(d-1-r.t.shop.Rules.ClosesDays, 0) // while the line still runs
		}
		c.Steps.add(Step{i, q.Trip.Today + Date(on)})
		c.Price += o.Price + o.Fee
		missing = max(missing-r.t.offer[i].spends, 0)
		d += o.Days
	}
}

// days is how many days from today on the trip lasts at most, with probability p.
func (e *ends) days(p float64) int {
	sum := e.gone
	for j := range e.n {
		if sum += e.at[j]; sum >= p {
			return j + 1
		}
	}
	return e.n
}

// typical is the level of the middle future.
func (r *room) typical() (k int, f float64) {
	var x float64
	for i := range r.users {
		x += (float64(r.level[i]) + r.part[i]) * r.weight[i]
	}
	k = min(int(x), useLevels-2)
	return k, x - float64(k)
}

// alternatives says how sure the best is, and shows the second where it is as
// good.
func (r *room) alternatives(a *Advice, best, second int, q *Question) {
	a.Sure = 1
	if second < 0 || r.ways[best].offer < 0 && r.ways[best].lasts >= enoughLasts {
		return
	}
	b, s := &r.ways[best], &r.ways[second]
	a.Sure = r.better(b, s)
	if b.offer < 0 {
		return // to wait is no plan that another could be as good as
	}
	if s.cost-b.cost <= closeCost*b.cost || a.Sure < closeSure {
		a.Close = true
		a.Second = r.choice(s, q)
	}
}

// usual is what is paid, on average, when the same is always bought again.
func (r *room) usual(q *Question) int64 {
	i := q.Usual - 1
	o, s := &r.t.shop.Offers[i], &r.t.offer[i]
	if o.Kind != Term {
		return 0
	}
	first := r.ways[0].covers
	var sum float64
	for k := range r.users {
		stay, at := r.users[k].stay, k*r.days
		for d := first; d < stay; {
			sum += s.price * r.weight[k]
			end := min(d+s.days, stay)
			if s.volume > 0 && !s.slow {
				used := 0.0
				if d > 0 {
					used = r.sum[at+d-1]
				}
				e, _ := slices.BinarySearch(r.sum[at+d:at+end], used+s.volume)
				d = max(d+e, d+1) // the day on which it is used up may need another
				continue
			}
			d = end
		}
	}
	return round(sum)
}

// validate fails with [fault.Invalid] for what cannot be paid for.
func (s *State) validate() error {
	bad := func(c *Cover) bool {
		return c.Days < 0 || c.Volume < 0 || c.DailyCap < 0 || c.ThrottleKbps < 0
	}
	if bad(&s.Running) || s.Spent < 0 || s.Spent > maxPrice {
		return refuse("What is paid for on the line cannot be.")
	}
	if len(s.Waiting) > MaxWaiting {
		return refuse("More than %d periods are waiting on the line.", MaxWaiting)
	}
	for i := range s.Waiting {
		if bad(&s.Waiting[i]) {
			return refuse("What is paid for on the line cannot be.")
		}
	}
	return nil
}
