package advice

// MaxRemaining is for how many days ahead [Model.Remaining] answers.
const MaxRemaining = 31

// Remaining says how much of an allowance is left at the end of each of the next
// days, today first: by the same futures and at the same probabilities as
// Forecast.RunsOut, so that half of them have used it up by the end of that
// median day. What the traveller has not used when they leave, stays. It fails
// with [fault.Invalid] for a history that cannot be ([Trip.Validate]).
func (m *Model) Remaining(t Trip, allowance int64, days int) ([]Quantiles, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	days = min(max(days, 0), MaxRemaining)
	pool := m.shop()
	w, _ := pool.Get().(*workshop)
	defer pool.Put(w)
	trail := w.sample(m, &t)
	n := len(w.users)
	left := make([]float64, days*n) // day after day
	for k := range w.users {
		y := w.y[:min(w.users[k].stay, days)]
		trail.future(w.dice, k, &w.users[k], y)
		rest := float64(max(allowance, 0))
		for day := range days {
			if day < len(y) {
				rest = max(rest-y[day], 0)
			}
			left[day*n+k] = rest
		}
	}
	out := make([]Quantiles, days)
	for day := range out {
		out[day] = read(left[day*n:(day+1)*n], Levels)
	}
	return out, nil
}
