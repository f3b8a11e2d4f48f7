package advice

import (
	"math"
	"math/rand/v2"
	"slices"
)

// workshop is the room for one forecast. It belongs to one goroutine.
type workshop struct {
	dice  *dice
	q     posterior
	e     ends
	users []user
	y     []float64
	need  []float64
}

func newWorkshop(d *dice) *workshop {
	return &workshop{dice: d, users: make([]user, d.n), y: make([]float64, maxStay+movedReach+1), need: make([]float64, d.n)}
}

// sample fills the workshop with futures of a trip.
func (w *workshop) sample(m *Model, t *Trip) trail {
	m.ends(t, &w.e)
	w.q.learn(m, t, w.e.mean())
	w.q.draw(w.dice, &w.e, w.users)
	return m.trail(t, w.q.week)
}

// rank finds where what came lies among the futures, on how many days they
// stand, and the loss of the quantiles as they are.
func (w *workshop) rank(m *Model, x *moment, r *rand.Rand) {
	trail := w.sample(m, &x.trip)
	x.days = w.q.days
	below, equal := 0.0, 0.0
	for k := range w.users {
		w.need[k] = w.total(&trail, k)
		switch {
		case w.need[k] < x.need-0.5:
			below++
		case w.need[k] < x.need+0.5:
			equal++
		}
	}
	x.rank = (below + (equal+1)*r.Float64()) / float64(len(w.users)+1)
	slices.Sort(w.need)
	for _, p := range Levels {
		d := x.need - quantile(w.need, p)
		x.loss += 2 * max(p*d, (p-1)*d) / float64(len(Levels))
	}
}

func (w *workshop) total(trail *trail, k int) (sum float64) {
	y := w.y[:w.users[k].stay]
	trail.future(w.dice, k, &w.users[k], y)
	for _, b := range y {
		sum += b
	}
	return sum
}

// quantile reads sorted values at probability p, between two of them in
// proportion.
func quantile(sorted []float64, p float64) float64 {
	x := min(max(p*float64(len(sorted))-0.5, 0), float64(len(sorted)-1))
	i := min(int(x), max(len(sorted)-2, 0))
	if len(sorted) == 1 {
		return sorted[0]
	}
	return sorted[i] + (x-float64(i))*(sorted[i+1]-sorted[i])
}

const (
	forecastPaths = 1536
	forecastSeed  = 0xf0ca
)

func (m *Model) forecast(t Trip, allowance int64) (Forecast, error) {
	if err := t.Validate(); err != nil {
		return Forecast{}, err
	}
	pool := m.shop()
	w, _ := pool.Get().(*workshop)
	defer pool.Put(w)
	trail := w.sample(m, &t)
	n := len(w.users)
	day, out, last := make([]float64, n), make([]float64, n), make([]float64, n)
	var lasts float64
	for k := range w.users {
		w.need[k] = w.total(&trail, k)
		stay := w.users[k].stay
		out[k], last[k] = float64(int(t.Today)+stay), float64(int(t.Today)+stay-1)
		left := float64(allowance)
		lasting := true
		for i, b := range w.y[:stay] {
			if left -= b; left < 0 {
				out[k], lasting = float64(int(t.Today)+i), false
				break
			}
		}
		if lasting {
			lasts++
		}
		day[k] = w.ordinary(k)
	}
	f := Forecast{Lasts: lasts / float64(n), Ends: slices.Clone(w.e.at[:w.e.n]), Basis: m.basis(&t, &w.q)}
	f.Ends[0] += w.e.gone
	at := m.levelsFor(f.Basis.Days, f.Basis.Told, t.Segment.Group)
	f.Need, f.PerDay = read(w.need, at), read(day, Levels)
	f.RunsOut, f.LastDay = read(out, Levels), read(last, Levels)
	return f, nil
}

// ordinary is what one future wants on a whole day that is neither the first
// nor the last, on average of the weekdays.
func (w *workshop) ordinary(k int) float64 {
	u := &w.users[k]
	if float64(w.dice.coin[k*diceDays+1]) < u.zero {
		return 0
	}
	return math.Exp(min(u.mu+u.sd*float64(w.dice.noise[k*diceDays+1]), mostLog))
}

func read(values []float64, at [levels]float64) (q Quantiles) {
	slices.Sort(values)
	for i, p := range at {
		q.At[i] = int64(math.Round(quantile(values, p)))
	}
	return q
}

func (m *Model) basis(t *Trip, q *posterior) Basis {
	return Basis{
		Days: q.days, Capped: q.capped, Similar: int(q.level.Trips), Trips: m.Scores.Trips,
		Told: told(t), Overdue: t.Told != 0 && t.Told < t.Today, Away: t.Away,
		Changed: q.changed, ChangeFactor: q.factor,
	}
}
