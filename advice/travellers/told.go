package travellers

import "math/rand/v2"

// Who tells an end, and how sure it is. Chosen: half tell it. Of ends that were
// told, 88 of 100 stay as they are (the first guess of the reference that this
// population follows); the others move by a few days, some by a week, and not
// everyone corrects what they told.
const (
	tells    = 0.5
	moves    = 0.12
	corrects = 0.6
)

// announcement is what is told of the last day, from a day on.
type announcement struct{ from, last int }

// ToldOn is the last day as it stands told on the morning of a day.
func (t *Traveller) ToldOn(day int) (last int, ok bool) {
	for _, a := range t.told {
		if a.from <= day {
			last, ok = a.last, true
		}
	}
	return last, ok
}

// Tells reports whether an end is told at all.
func (t *Traveller) Tells() bool { return len(t.told) > 0 }

func announce(r *rand.Rand, arrival, last int) []announcement {
	if r.Float64() >= tells {
		return nil
	}
	if r.Float64() >= moves || last == arrival {
		return []announcement{{arrival, last}}
	}
	planned := max(arrival, last-moved(r))
	told := []announcement{{arrival, planned}}
	if r.Float64() < corrects {
		// Plans change before the earlier of the two ends is over.
		told = append(told, announcement{arrival + 1 + r.IntN(max(min(planned, last)-arrival, 1)), last})
	}
	return told
}

// moved is by how many days a stay became longer (or shorter).
func moved(r *rand.Rand) int {
	by := 1 + r.IntN(3)
	if r.Float64() < 0.15 {
		by = 7
	}
	if r.Float64() < 0.4 {
		return -by
	}
	return by
}
