package advice

import "math"

// ends is the distribution of what is left of a stay: At[j] is the probability
// that the last day is j days after today. Gone is the probability that it lies
// behind us.
type ends struct {
	at   [maxStay + movedReach + 1]float64
	n    int // how many of at are used
	gone float64
}

// awayWhileHere is the chance that a line is on no network for a whole day
// although its user is there: a phone that is off, another SIM in use.
const awayWhileHere = 0.12

// ends finds how long the trip goes on.
func (m *Model) ends(t *Trip, out *ends) {
	age := int(t.Today-t.Arrival) + 1 // today is the age-th day
	own, factor := m.stay.of(t.Segment)
	out.n, out.gone = 0, 0
	told := int(t.Told - t.Today)
	if t.Told != 0 && t.Told >= t.Arrival && told >= -3*movedReach {
		m.toldEnds(told, age, own, &factor, out)
	} else {
		m.hazardEnds(0, 1, age, own, &factor, out)
		m.fitEnds(t.plan(), age, out)
	}
	if t.Away >= 1 {
		m.away(t.Away, age, own, &factor, out)
	}
	out.normalise()
}

// hazardEnds adds mass to the days from skip on, by the hazards.
func (m *Model) hazardEnds(skip int, mass float64, age int, own []float64, factor *[stretches]float64, out *ends) {
	left := mass
	for j := skip; j < maxStay; j++ {
		h := m.stay.hazard(own, factor, age+j)
		out.put(j, left*h)
		left -= left * h
		if left < 1e-4*mass {
			break
		}
	}
	out.put(out.n-1, left)
}

// fitEnds takes into account which term the traveller came with.
func (m *Model) fitEnds(plan, age int, out *ends) {
	if plan == noPlan {
		return
	}
	for j := range out.n {
		out.at[j] *= m.stay.lift(plan, age+j)
	}
}

func (e *ends) put(j int, p float64) {
	if j < 0 || j >= len(e.at) {
		return
	}
	for e.n <= j {
		e.at[e.n] = 0
		e.n++
	}
	e.at[j] += p
}

// toldEnds is the told day, moved as told days are.
func (m *Model) toldEnds(told, age int, own []float64, factor *[stretches]float64, out *ends) {
	told = min(told, maxStay-1)
	for i, p := range m.stay.Moved {
		off := i - movedReach
		switch {
		case off == -movedReach: // much earlier: any of the days before
			n := told - movedReach + 1
			for j := range n {
				out.put(j, p/float64(n))
			}
		case off == movedReach: // much later: as if nothing had been told
			m.hazardEnds(max(told+movedReach, 0), p, age, own, factor, out)
		case told+off >= 0:
			out.put(told+off, p)
		}
	}
}

// away takes into account that the line has not been seen for whole days: its
// user may have left then.
func (m *Model) away(days, age int, own []float64, factor *[stretches]float64, out *ends) {
	here := math.Pow(awayWhileHere, float64(min(days, 30)))
	var gone float64
	left := 1.0
	for k := min(days, 30, age-1); k >= 1; k-- { // left k days ago
		h := m.stay.hazard(own, factor, age-k)
		gone += left * h * math.Pow(awayWhileHere, float64(min(days, 30)-k))
		left *= 1 - h
	}
	share := left * here / max(left*here+gone, 1e-300)
	out.gone = 1 - share
}

func (e *ends) normalise() {
	var sum float64
	for j := range e.n {
		sum += e.at[j]
	}
	if e.n == 0 || sum <= 0 {
		e.put(0, 1)
		sum = e.at[0]
	}
	for j := range e.n {
		e.at[j] *= (1 - e.gone) / sum
	}
}

// mean is how many days are left on average, today included.
func (e *ends) mean() (days float64) {
	for j := range e.n {
		days += e.at[j] * float64(j+1)
	}
	return days
}

// user is one draw of who the traveller may be, and for how long.
type user struct {
	mu, sd, zero float64
	stay         int // days from today on, today included; 0: gone
}
