package travellers

import (
	"math/rand/v2"
)

// Stratum is which people are drawn.
type Stratum int

// The strata. They are drawn apart, so that the few who stay long can be
// examined in numbers.
const (
	Visitors Stratum = iota // as arrivals are: most stay a week, a few for months
	LongStay                // students and residents, 60 days or more
)

// Who says which travellers to draw. Days are counted from 1 January 1970.
type Who struct {
	Stratum  Stratum
	From, To int // the first and the last possible day of arrival
}

// Traveller is one stay, with everything about it that only its maker knows.
type Traveller struct {
	Group   string // nationality group
	Purpose string
	Use     string // phone or tethering

	Arrival int   // days since 1 January 1970
	Days    []Day // every day of the stay

	habit habit
	told  []announcement
}

// Day is what was wanted of one day.
type Day struct {
	Demand  int64 // bytes
	Minutes int   // of the day that were spent in the country

	shift float64 // of the level since the last change
	noise float64 // today's, which tomorrow's remembers
}

// MinutesPerDay is a whole day.
const MinutesPerDay = 24 * 60

// Last is the last day of the stay.
func (t *Traveller) Last() int { return t.Arrival + len(t.Days) - 1 }

// New makes traveller number n of a seed.
func New(seed, n uint64, w Who) Traveller {
	r := rand.New(rand.NewPCG(seed, n*0x9e3779b97f4a7c15+uint64(w.Stratum))) //nolint:gosec // people are repeatable, nothing here is a secret
	t := Traveller{Group: groups[pick(r, groupShares)]}
	t.Arrival = w.From + r.IntN(w.To-w.From+1)
	stay := 0
	if w.Stratum == LongStay {
		t.Purpose, stay = longStay(r)
	} else {
		t.Purpose, stay = visit(r, t.Group)
	}
	t.Use = uses[pick(r, useShares)]
	t.habit = newHabit(r, t.Group, t.Purpose, t.Use)
	t.Days = make([]Day, stay)
	t.live(r, 0, t.Days)
	t.told = announce(r, t.Arrival, t.Last())
	return t
}

// pick is an index, as often as its share says. Shares sum to 1.
func pick(r *rand.Rand, shares []float64) int {
	u := r.Float64()
	for i, s := range shares {
		if u -= s; u < 0 {
			return i
		}
	}
	return len(shares) - 1
}

// Future draws what this very traveller might want from day number `from` of a
// stay of so many days to its end, given everything until then: what nobody can
// know better. It fills out, one entry a day, and returns how many.
func (t *Traveller) Future(r *rand.Rand, from, stay int, out []int64) int {
	days := make([]Day, stay-from)
	if from == 0 {
		days[0].Minutes = t.Days[0].Minutes
	}
	t.live(r, from, days)
	for i, d := range days {
		out[i] = d.Demand
	}
	return len(days)
}

// Stay draws how many days this traveller might stay, given that they are here
// on day number `day`, as those of their group and purpose do.
func (t *Traveller) Stay(r *rand.Rand, day int) int {
	const tries = 10_000
	for range tries {
		if stay := stayOf(r, t.Group, t.Purpose); stay > day {
			return stay
		}
	}
	return day + 1
}
