package advice

import "math"

// Purchase is one purchase of time on the line, as the seller's books have it.
type Purchase struct {
	On     Date
	From   Date // the day on which it began, or will
	Days   int  // as bought, not as used
	Volume int64

	// Chosen says that the traveller came with it, before anybody advised them: its
	// length says something of how long they mean to stay.
	Chosen bool
}

func (t Trip) validatePurchases() error {
	for _, x := range t.Purchases {
		if x.Days < 1 || x.Days > MaxOfferDays || x.Volume < 0 || x.From < x.On || x.On > t.Today && t.End == 0 {
			return refuse("The history has a term that cannot be: %d days from %s, bought on %s.", x.Days, x.From, x.On)
		}
	}
	return nil
}

const (
	askedBefore = 3   // days that a term has left when the next one is asked for, today included
	askedLow    = 0.2 // of a volume
)

// asks are the mornings of a finished trip, later than the first, on which its
// traveller was asked to buy: nothing ran, a volume was used up or became low, or
// the term was about to end and nothing waited.
func (t *Trip) asks() (mornings []Date) {
	low := -1 // the term whose volume is known to be low
	for day := t.Arrival + 1; day <= t.End; day++ {
		at, waits := t.running(day)
		if at < 0 {
			mornings = append(mornings, day)
			continue
		}
		x := &t.Purchases[at]
		left := float64(x.Volume-t.used(x.From, day)) / math.Max(float64(x.Volume), 1)
		switch {
		case x.Volume > 0 && left <= 0:
			mornings = append(mornings, day)
		case !waits && x.Days > askedBefore && x.From+Date(x.Days)-day == askedBefore:
			mornings = append(mornings, day)
		case x.Volume > 0 && left < askedLow && low != at:
			mornings, low = append(mornings, day), at
		}
	}
	return mornings
}

// running is the term that runs on the morning of a day, of those bought before
// it; -1: none. waits says that another is to follow.
func (t *Trip) running(day Date) (at int, waits bool) {
	at = -1
	for i, x := range t.Purchases {
		switch {
		case x.On >= day:
		case x.From > day:
			waits = true
		default:
			at = i // a later one takes the place of an earlier one
		}
	}
	if at >= 0 && t.Purchases[at].From+Date(t.Purchases[at].Days) <= day {
		at = -1
	}
	return at, waits
}

// used is what came from one day until the morning of another.
func (t *Trip) used(from, until Date) (bytes int64) {
	for _, d := range t.Days {
		if d.Date >= from && d.Date < until {
			bytes += d.Bytes
		}
	}
	return bytes
}

// Lengths of terms that are told apart, and of stays: the last day of each.
var (
	planEnds = [...]int{1, 3, 5, 8, 14, 29}
	fitEnds  = [...]int{1, 2, 3, 4, 5, 6, 7, 8, 10, 13, 17, 22, 29, 44, 89}
)

const (
	plans = len(planEnds) + 1
	fits  = len(fitEnds) + 1

	noPlan = -1
)

// plan is the length of the term that a traveller came with.
func (t *Trip) plan() int {
	for _, x := range t.Purchases {
		if x.Chosen {
			return stretchIn(planEnds[:], x.Days)
		}
	}
	return noPlan
}

func stretchIn(ends []int, n int) int {
	for i, end := range ends {
		if n <= end {
			return i
		}
	}
	return len(ends)
}

// fitGuess is how many trips of a length it takes until what they came with
// counts half.
const fitGuess = 25.0

// learnPlans counts with which terms people come who turn out to stay for so
// long: by how much each length of a stay is likelier for those who came with a
// term of a length. Without trips all is 1: a term says nothing.
func learnPlans(trips []Trip) [][]float64 {
	var seen [plans][fits]float64
	var stays [fits]float64
	var terms [plans]float64
	var all float64
	for i := range trips {
		t := &trips[i]
		p := t.plan()
		if t.End == 0 || p == noPlan {
			continue
		}
		f := stretchIn(fitEnds[:], int(t.End-t.Arrival)+1)
		seen[p][f]++
		stays[f]++
		terms[p]++
		all++
	}
	out := make([][]float64, plans)
	for p := range out {
		out[p] = make([]float64, fits)
		share := (terms[p] + 1) / (all + float64(plans))
		for f := range out[p] {
			out[p][f] = (seen[p][f] + fitGuess*share) / (stays[f] + fitGuess) / share
		}
	}
	return out
}

// lift is by how much a stay of n days is likelier for who came with a plan.
func (p *stayParams) lift(plan, n int) float64 {
	if plan < 0 || plan >= len(p.Plans) {
		return 1
	}
	return p.Plans[plan][stretchIn(fitEnds[:], n)]
}
