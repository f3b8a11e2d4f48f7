package examination

import (
	"math"
	"slices"

	"github.com/tsuzuku/tsuzuku/advice"
)

// The buyers without advice. They buy when nothing runs or is left, and never
// before.

func baselines(s *store, l *lore) []buyer {
	return []buyer{repeatLast{}, cheapestDay(s), alwaysUnlimited{s, l}, meanUse{s, l, true}, meanUse{s, l, false}}
}

func needsSome(m *moment) bool { return m.line.offer < 0 || m.line.used() }

// repeatLast buys what was bought last, or what is popular.
type repeatLast struct{}

func (repeatLast) name() string { return "repeat-last" }

func (repeatLast) decide(m *moment) int {
	if !needsSome(m) {
		return -1
	}
	return m.held
}

// fixed always buys one offer.
type fixed struct {
	label string
	offer int
}

func (f fixed) name() string { return f.label }

func (f fixed) decide(m *moment) int {
	if !needsSome(m) {
		return -1
	}
	return f.offer
}

// cheapestDay buys the lowest price per day that is bound for at most a month.
func cheapestDay(s *store) fixed {
	best := -1
	for i, o := range s.Offers {
		if o.Kind == advice.Term && o.Days <= 31 && (best < 0 || o.Price*int64(s.Offers[best].Days) < s.Offers[best].Price*int64(o.Days)) {
			best = i
		}
	}
	return fixed{"cheapest-per-day", best}
}

// alwaysUnlimited buys unlimited terms for as many days as are to come.
type alwaysUnlimited struct {
	*store
	*lore
}

func (alwaysUnlimited) name() string { return "always-unlimited" }

// generous is the cap a day from which people call a plan unlimited.
const generous = 3 * gb

func (b alwaysUnlimited) decide(m *moment) int {
	if !needsSome(m) {
		return -1
	}
	offer, _ := b.tile(b.expected(m), func(o advice.Offer) bool { return unlimited(o.Service) && o.DailyCap >= generous })
	return offer
}

// tile covers days with terms for the least money, and returns the longest one
// of them, to begin with.
func (s *store) tile(days int, may func(advice.Offer) bool) (offer int, cost int64) {
	least := make([]int64, days+1)
	longest := make([]int, days+1)
	for n := 1; n <= days; n++ {
		least[n], longest[n] = never, -1
		for i, o := range s.Offers {
			if o.Kind != advice.Term || !may(o) {
				continue
			}
			before := max(n-o.Days, 0)
			if c := o.Price + s.Costs.Hassle + least[before]; c < least[n] {
				least[n], longest[n] = c, i
				if before > 0 && s.Offers[longest[before]].Days > o.Days {
					longest[n] = longest[before]
				}
			}
		}
	}
	return longest[days], least[days]
}

// meanUse covers what a mean day comes to, for as many days as are to come,
// with one offer bought as often as needed.
type meanUse struct {
	*store
	*lore
	own bool // their own mean so far; otherwise that of people like them
}

func (b meanUse) name() string {
	if b.own {
		return "own-mean"
	}
	return "segment-mean"
}

func (b meanUse) decide(m *moment) int {
	if !needsSome(m) {
		return -1
	}
	return b.cover(b.daily(m), b.expected(m))
}

func (b meanUse) daily(m *moment) int64 {
	if !b.own || len(m.seen) == 0 {
		return b.perDay(m.trip.segment)
	}
	sum := int64(0)
	for _, d := range m.seen {
		sum += d.Bytes
	}
	return sum / int64(len(m.seen))
}

// cover is the offer that covers so much a day for the least money.
func (s *store) cover(daily int64, days int) int {
	best, least := -1, int64(never)
	for i, o := range s.Offers {
		if o.Kind != advice.Term {
			continue
		}
		enough := o.DailyCap == 0 || o.DailyCap >= daily
		if o.Volume > 0 {
			enough = o.Volume >= daily*int64(min(days, o.Days))
		}
		times := int64((days + o.Days - 1) / o.Days)
		if cost := times * (o.Price + s.Costs.Hassle); enough && cost < least {
			best, least = i, cost
		}
	}
	if best < 0 { // more than anything on sale brings: the most there is
		for i, o := range s.Offers {
			if o.Kind == advice.Term && unlimited(o.Service) && (best < 0 || o.DailyCap > s.Offers[best].DailyCap) {
				best = i
			}
		}
	}
	return best
}

// lore is what a seller without a model knows of people: means, of the same
// trips that the model learns from.
type lore struct {
	left map[string][]int // by nationality group ("": everyone) and days so far: the mean number of days to come
	use  map[string]mean
}

type mean struct {
	sum     int64
	days    int64
	squares float64
}

// sd is the standard deviation of a day.
func (m mean) sd() float64 {
	n := float64(m.days)
	return math.Sqrt(max(m.squares/n-(float64(m.sum)/n)*(float64(m.sum)/n), 0))
}

// fewest is how many people a mean needs.
const fewest = 20

func learn(trips []advice.Trip) *lore {
	l := &lore{left: map[string][]int{}, use: map[string]mean{}}
	stays := map[string][]int{}
	for _, t := range trips {
		for _, key := range []string{"", t.Segment.Group} {
			if t.End != 0 {
				stays[key] = append(stays[key], int(t.End-t.Arrival)+1)
			}
			u := l.use[key]
			for _, d := range t.Days {
				u.sum, u.days, u.squares = u.sum+d.Bytes, u.days+1, u.squares+float64(d.Bytes)*float64(d.Bytes)
			}
			l.use[key] = u
		}
	}
	for key, all := range stays {
		l.left[key] = meanLeft(all)
	}
	return l
}

// meanLeft is, for each number of days so far, how many were to come for those
// who stayed longer, in the mean; until there are too few of them.
func meanLeft(stays []int) []int {
	slices.Sort(stays)
	var left []int
	sum := 0
	for _, s := range stays {
		sum += s
	}
	for i := 0; len(stays)-i >= fewest; {
		n, day := len(stays)-i, len(left)
		left = append(left, (sum-n*day+n/2)/n)
		for i < len(stays) && stays[i] <= day+1 {
			sum -= stays[i]
			i++
		}
	}
	return left
}

// expected is how many days are to come: as told, or the mean of those people
// like them who stayed as long as they did.
func (l *lore) expected(m *moment) int {
	if told := m.trip.told[m.day]; told != 0 {
		return max(int(told-m.trip.arrival)+1-m.day, 1)
	}
	for _, key := range []string{m.trip.segment.Group, ""} {
		if left := l.left[key]; m.day < len(left) {
			return left[m.day]
		}
	}
	return 1
}

// perDay is the mean use of people like them, bytes a day.
func (l *lore) perDay(s advice.Segment) int64 {
	u := l.people(s)
	if u.days == 0 {
		return 0
	}
	return u.sum / u.days
}

func (l *lore) people(s advice.Segment) mean {
	if u := l.use[s.Group]; u.days >= fewest {
		return u
	}
	return l.use[""]
}

// The quantiles of the normal distribution at advice.Levels.
var normal = [7]float64{-1.95996, -1.28155, -0.67449, 0, 0.67449, 1.28155, 1.95996}

// smoothing is that of TSB, for occurrence and size.
const smoothing = 0.1

// tsb forecasts the need by the method of Teunter, Syntetos and Babai, which
// smooths how often and how much is used, with a normal range: what the trade
// does about demand with empty days. It begins with people like them.
func (l *lore) tsb(m *moment) [7]float64 {
	people := l.people(m.trip.segment)
	days := float64(l.expected(m))
	often, size, variance := 1.0, float64(l.perDay(m.trip.segment)), people.sd()*people.sd()
	for _, d := range m.seen {
		was := often * size
		if d.Bytes > 0 {
			often += smoothing * (1 - often)
			size += smoothing * (float64(d.Bytes) - size)
		} else {
			often -= smoothing * often
		}
		variance += smoothing * ((float64(d.Bytes)-was)*(float64(d.Bytes)-was) - variance)
	}
	var q [7]float64
	for i, z := range normal {
		q[i] = max(often*size*days+z*math.Sqrt(variance*days), 0)
	}
	return q
}
