package examination

import (
	"math"
	"slices"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/advice/travellers"
)

// kind is one part of the trips.
type kind struct {
	dimension, name string
	holds           func(*moment) bool
}

func buckets() []kind {
	all := slices.Concat(historyBuckets(), endBuckets())
	for _, g := range travellers.Groups() {
		all = append(all, kind{"group", g, func(m *moment) bool { return m.trip.segment.Group == g }})
	}
	for _, w := range []occasion{start, expiry, usedUp, low, reminder} {
		all = append(all, kind{"occasion", string(w), func(m *moment) bool { return m.why == w }})
	}
	return all
}

func historyBuckets() []kind {
	days := func(from, to int) func(*moment) bool {
		return func(m *moment) bool { return m.day >= from && m.day <= to }
	}
	return []kind{
		{"history", "0-2 days", days(0, 2)},
		{"history", "3-5 days", days(3, 5)},
		{"history", "6-10 days", days(6, 10)},
		{"history", "11+ days", days(11, advice.MaxTripDays)},
		{"history", noHistory, days(0, 0)},
	}
}

func endBuckets() []kind {
	// An end that has passed tells nothing any more: it is asked for anew.
	told := func(m *moment) bool { a := m.asked(); return a.Told >= a.Today }
	return []kind{{"end", endTold, told}, {"end", "not told", func(m *moment) bool { return !told(m) }}}
}

// Names of buckets that have a wanted figure of their own.
const (
	noHistory = "no history"
	endTold   = "told"
)

// fromBuckets takes over what the report says first.
func (r *Report) fromBuckets() {
	for _, k := range r.Buckets {
		switch {
		case k.Dimension == "group":
			r.Fairness = max(r.Fairness, math.Abs(k.Regret-r.Regret))
		case k.Name == endTold:
			r.Told = new(k.Regret)
		case k.Name == noHistory:
			r.NoPast = new(k.Regret)
		}
	}
}

// bucket is the part of the main trips that belongs to a kind, and as many more
// as are needed to tell: drawn as the main ones are, and kept when they belong.
// It is not ok when there are none.
func (e *exam) bucket(k kind, at []moment, scores scored, b bill, s *sample) (Bucket, bool) {
	var keep []int
	for i := range at {
		if k.holds(&at[i]) {
			keep = append(keep, i)
		}
	}
	in := scores.only(keep)
	main := b.only(keep)
	part := main.first(len(e.buyers))
	if missing := e.of(bucketLeast) - len(keep); missing > 0 && s != nil && k.dimension != "occasion" {
		more := *s // every bucket draws from where the main trips ended
		extra := more.take(missing, k.holds)
		in = in.and(e.score(extra))
		part = part.and(charge(extra, e.buyers, 1))
	}
	trips := len(in.scores)
	if trips == 0 {
		return Bucket{}, false
	}
	f := in.report()
	r := Bucket{Dimension: k.dimension, Name: k.name, Trips: trips, Coverage: f.Coverage, Pinball: f.Pinball, Buyers: part.report(e.Seed)}
	r.Miss, r.Allowed = r.far(trips, 0.04)
	r.Regret, r.RegretCI, r.P90 = r.Buyers[0].Regret, r.Buyers[0].RegretCI, r.Buyers[0].P90
	if main.index(seeingOracle) >= 0 {
		r.Blind, r.Oracle = new(main.regret(blindOracle)), new(main.regret(seeingOracle))
	}
	return r, true
}

// first is a bill of the first n buyers.
func (b bill) first(n int) bill {
	return bill{buyers: b.buyers[:n:n], best: b.best, out: b.out[:n:n]}
}
