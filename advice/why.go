package advice

import (
	"math"
)

// explain collects the reasons and every number that may be named.
func (r *room) explain(a *Advice, best *way, ways int, q *Question) {
	n := &a.Numbers
	t := &q.Trip
	b := r.t.model.basis(t, &r.q)
	r.perDay(n, t, &b)
	at := r.t.model.levelsFor(r.q.days, told(t), t.Segment.Group)
	n.NeedLow, n.NeedHigh = round(r.needAt(at[1])), round(r.needAt(at[5]))
	n.LastDay, n.Told = t.Today+Date(max(r.e.days(0.5)-1, 0)), told(t)
	if n.Told {
		n.LastDay = t.Told
	}
	if c := r.ways[0].covers; c > 0 {
		n.Covered = t.Today + Date(c) - 1
	}
	if a.Best.Action == Buy {
		n.Until = t.Today + Date(best.covers) - 1
		if gap := int(n.LastDay - n.Until); n.Told && a.Best.Steps.N == 1 && gap > 0 {
			n.Gap = gap
		}
	}
	n.EnoughOf100, n.LastsOf100 = percent(best.enough), percent(best.lasts)
	n.ShortOf100 = 100 - n.EnoughOf100
	n.Price = a.Best.Price
	n.Saving, n.CarefreeMore, n.CarefreeOf = roughly(a.Saving), roughly(a.CarefreeMore), percent(a.CarefreeNeed)
	n.Away = t.Away
	if r.q.changed != 0 {
		n.Changed = r.q.changed
		n.ChangedBy = int(math.Round(max(r.q.factor, 1/r.q.factor)))
	}
	a.Basis = b
	a.reasons(&b, q.Usual-1, &q.State, outlook{best.neverStops(), r.safer(best, ways), r.nearlyGone()})
}

// neverStops reports whether all that is paid for goes on when a limit is
// reached, if slowly.
func (w *way) neverStops() bool {
	for i := range w.n {
		s := &w.stretches[i]
		if s.volume && !s.slow || s.limit.cap > 0 && !s.limit.throttle {
			return false
		}
	}
	return w.n > 0
}

// saferBy is by how much likelier something must be to suffice, to be called safer.
const saferBy = 0.02

// safer reports whether any of the ways falls short less often than the best, for
// as long, or brings more a day.
func (r *room) safer(best *way, ways int) bool {
	for i := 1; i < ways; i++ {
		w := &r.ways[i]
		if w.covers >= best.covers && w.enough > best.enough+saferBy || w.faster(best) {
			return true
		}
	}
	return false
}

// faster reports whether what a way adds never stops, and other than what another
// adds: that one stops, or has a lower limit a day.
func (w *way) faster(other *way) bool {
	if w.n == 0 || other.n == 0 {
		return false
	}
	a, b := &w.stretches[w.n-1], &other.stretches[other.n-1]
	if a.volume || a.limit.cap > 0 && !a.limit.throttle {
		return false
	}
	return b.volume || a.limit.asGood(b.limit) && !b.limit.asGood(a.limit)
}

// perDay is what the traveller used a day so far, or what is expected of one
// with too little history to say.
func (r *room) perDay(n *Numbers, t *Trip, b *Basis) {
	var sum float64
	var days int
	for _, d := range t.Days {
		if d.Date < t.Today && (d.Minutes == 0 || d.Minutes >= minutesPerDay/2) {
			sum += float64(d.Bytes)
			days++
		}
	}
	if days > 0 && !b.Little() {
		n.PerDay, n.OwnDays = round(sum/float64(days)), days
		return
	}
	sum = 0
	for k := range r.users {
		u := &r.users[k]
		sum += (1 - u.zero) * math.Exp(min(u.mu, mostLog)) / decisionPaths
	}
	n.PerDay = round(sum)
}

// needAt is the need of the future that has so many of the others below it.
func (r *room) needAt(rank float64) float64 {
	return r.byNeed[min(int(rank*decisionPaths), decisionPaths-1)].need
}

// percent is a probability in whole cases of 100. Only what is certain is 0 or
// 100.
func percent(p float64) int { return min(max(int(math.Round(100*p)), 1), 99) }

// roughly is an expected amount with two digits: nobody knows it better.
func roughly(n int64) int64 {
	unit := int64(1)
	for n/unit >= 100 || n/unit <= -100 {
		unit *= 10
	}
	return (n + unit/2) / unit * unit
}
