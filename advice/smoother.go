package advice

import "math"

// smoother is a method with one setting: exponential smoothing with a level, a
// damped trend and a season that is added to it.
type smoother struct {
	season              int
	alpha, beta, gamma  float64 // how much the newest value moves level, trend and season
	damped              float64 // what is left of the trend with every step
	line                bool    // half of the straight line through all values is added: the Theta method
	last, lastSeason    bool    // the last value, and that of a season ago
	level, slope        float64
	index               []float64
	sx, sxx, sy, sxy, n float64 // of the line
}

// methods are the settings of every method.
func (s *series) methods() (all [][]smoother) {
	all = append(all, []smoother{{season: 1, last: true}})
	for _, m := range s.seasons {
		gammas := []float64{0}
		if m > 1 {
			all = append(all, []smoother{{season: m, lastSeason: true}})
			gammas = []float64{0.05, 0.15, 0.35}
		}
		var plain, trend, theta []smoother
		for _, a := range []float64{0.05, 0.12, 0.25, 0.45, 0.7, 0.9, 1} {
			for _, g := range gammas {
				plain = append(plain, smoother{season: m, alpha: a, gamma: g})
				theta = append(theta, smoother{season: m, alpha: a, gamma: g, line: true})
				for _, b := range []float64{0.03, 0.1, 0.3} {
					for _, d := range []float64{0.8, 0.9, 0.97} {
						trend = append(trend, smoother{season: m, alpha: a, beta: a * b, gamma: g, damped: d})
					}
				}
			}
		}
		all = append(all, plain, theta, trend)
	}
	return all
}

// run forecasts from every origin, from what was known there.
func (m smoother) run(s *series) [][]float64 {
	out := make([][]float64, 0, len(s.origins))
	flat := make([]float64, len(s.origins)*s.horizon)
	at := 0
	for t := range s.x {
		m.take(s, t)
		for at < len(s.origins) && s.origins[at] == t+1 {
			f := flat[at*s.horizon : (at+1)*s.horizon]
			for h := range f {
				f[h] = m.ahead(s, t, h+1)
			}
			out = append(out, f)
			at++
		}
	}
	return out
}

// take moves the state by one value.
func (m *smoother) take(s *series, t int) {
	if m.last || m.lastSeason {
		return
	}
	if t == 0 {
		m.start(s)
	}
	x := s.x[t]
	season := 0.0
	if m.season > 1 {
		season = m.index[t%m.season]
	}
	if t > 0 {
		expected := m.level + m.damped*m.slope
		e := x - expected - season
		m.level = expected + m.alpha*e
		m.slope = m.damped*m.slope + m.beta*e
		if m.season > 1 {
			m.index[t%m.season] += m.gamma * (1 - m.alpha) * e
		}
	}
	if m.line {
		i, y := float64(t), x-season
		m.n, m.sx, m.sxx, m.sy, m.sxy = m.n+1, m.sx+i, m.sxx+i*i, m.sy+y, m.sxy+i*y
	}
}

// start takes level and season from the first values: of a series with a season
// the first two.
func (m *smoother) start(s *series) {
	m.level = s.x[0]
	if m.season == 1 {
		return
	}
	m.index = make([]float64, m.season)
	cycles := min(2, len(s.x)/m.season)
	var mean float64
	for i := range cycles * m.season {
		mean += s.x[i] / float64(cycles*m.season)
	}
	var slope float64
	if cycles == 2 {
		for i := range m.season {
			slope += (s.x[i+m.season] - s.x[i]) / float64(m.season*m.season)
		}
	}
	middle := float64(cycles*m.season-1) / 2
	for i := range cycles * m.season {
		m.index[i%m.season] += (s.x[i] - mean - slope*(float64(i)-middle)) / float64(cycles)
	}
	m.level = mean - slope*middle
}

// ahead forecasts h steps after t.
func (m *smoother) ahead(s *series, t, h int) float64 {
	switch {
	case m.last:
		return s.x[t]
	case m.lastSeason:
		return s.x[t+1-m.season+(h-1)%m.season]
	}
	f := m.level
	if m.damped > 0 {
		f += m.slope * m.damped * (1 - math.Pow(m.damped, float64(h))) / (1 - m.damped)
	}
	if m.line && m.n > 2 {
		if v := m.n*m.sxx - m.sx*m.sx; v > 0 {
			f += 0.5 * float64(h) * (m.n*m.sxy - m.sx*m.sy) / v
		}
	}
	if m.season > 1 {
		f += m.index[(t+h)%m.season]
	}
	return f
}
