package advice

import (
	"math"
	"slices"
)

// Series forecasts horizon values of any numeric series that repeats itself
// every season values (1: it does not), as quantiles at [Levels]. Of a series that
// is not two seasons long, and four values, the season cannot be told and counts as
// 1. It fails with [fault.Invalid] for fewer than five values, of which nothing can
// be learnt, values that are no numbers, a horizon or a season below 1, and a
// horizon that is longer than the series.
//
// The middle is the mean of simple methods (the last value, the last season's,
// exponential smoothing with and without a damped trend and half a straight
// line), each weighted by how well it would have done from earlier points of the
// same series. The ranges are how wrong that mean would have been from there, in
// proportion to how restless the series was: so they hold whatever the methods
// assume. Series without a value below or at zero are treated by their ratios.
func Series(values []float64, season, horizon int) ([][7]float64, error) {
	if err := checkSeries(values, season, horizon); err != nil {
		return nil, err
	}
	s := newSeries(values, season, horizon)
	s.try()
	return s.ranges(), nil
}

// Limits of a series.
const (
	MaxSeries  = 100_000
	MaxHorizon = 1_000
	maxValue   = 1e150
)

func checkSeries(values []float64, season, horizon int) error {
	switch {
	case len(values) <= fewestBefore: // there is no earlier point to try a forecast from
		return refuse("A series needs at least %d values.", fewestBefore+1)
	case len(values) > MaxSeries:
		return refuse("A series has at most %d values.", MaxSeries)
	case season < 1 || horizon < 1 || horizon > MaxHorizon || season > MaxSeries:
		return refuse("A season is at least 1, and a horizon between 1 and %d.", MaxHorizon)
	case horizon > len(values): // how wrong one is so far ahead was never seen
		return refuse("A series of %d values says nothing of more than %d steps ahead.", len(values), len(values))
	}
	for i, v := range values {
		if !within(v, -maxValue, maxValue) {
			return refuse("Value %d of the series is no number that can be used.", i+1)
		}
	}
	return nil
}

const (
	mostOrigins  = 160 // earlier points from which forecasts are tried
	mostMemory   = 3000
	calmShare    = 0.25 // how much the restlessness of all counts against that of late
	weightPower  = 3
	fewestBefore = 4
)

// series is one series on its way.
type series struct {
	x       []float64 // values, or their logarithms
	log     bool
	unit    float64 // where they are no logarithms, they are in shares of this
	floor   float64 // no quantile lies below
	seasons []int
	horizon int
	origins []int     // how many values are known; the last origin knows all
	restive []float64 // at each origin: the typical step of late
	mean    [][]float64
}

func newSeries(values []float64, season, horizon int) *series {
	if len(values) > mostMemory {
		values = values[len(values)-mostMemory:]
	}
	s := &series{x: slices.Clone(values), horizon: horizon, floor: math.Inf(-1)}
	least := slices.Min(values)
	if least >= 0 {
		s.floor = 0
	}
	s.log, s.unit = least > 0, max(slices.Max(values), -least)
	for i, v := range s.x {
		switch {
		case s.log:
			s.x[i] = math.Log(v)
		case s.unit > 0:
			s.x[i] = v / s.unit
		}
	}
	n := len(s.x)
	for _, m := range []int{1, season, 7 * season} {
		if m == 1 || m == season && n >= 2*m+fewestBefore || m == 7*season && season == 24 && n >= 3*m {
			if !slices.Contains(s.seasons, m) {
				s.seasons = append(s.seasons, m)
			}
		}
	}
	first := min(max(fewestBefore, n/3, 2*slices.Max(s.seasons)), max(n-horizon, 1))
	// A season's values are known from there on, and how restless the series is.
	first = max(first, slices.Max(s.seasons), min(fewestBefore, n-1))
	step := max(1, (n-first)/mostOrigins)
	for t := n; t >= first; t -= step {
		s.origins = append(s.origins, t)
	}
	slices.Reverse(s.origins)
	s.restive = s.restless()
	return s
}

// restless is the typical size of a step at each origin, of late and of all.
func (s *series) restless() []float64 {
	lag := s.calmLag()
	fade := 1 - 1/float64(2*max(s.horizon, lag, 8))
	var of, weight, all, n float64
	out := make([]float64, 0, len(s.origins))
	at := 0
	for t := 1; t <= len(s.x); t++ {
		if t > lag {
			d := math.Abs(s.x[t-1] - s.x[t-1-lag])
			of, weight = of*fade+d, weight*fade+1
			all, n = all+d, n+1
		}
		for at < len(s.origins) && s.origins[at] == t {
			out = append(out, (1-calmShare)*of/max(weight, 1e-9)+calmShare*all/max(n, 1))
			at++
		}
	}
	return out
}

// calmLag is the distance at which values differ least: a step, or a season.
func (s *series) calmLag() int {
	best, least := 1, math.Inf(1)
	for _, m := range s.seasons {
		if m >= s.origins[0] {
			continue
		}
		var sum float64
		for i := m; i < len(s.x); i++ {
			sum += math.Abs(s.x[i]-s.x[i-m]) / float64(len(s.x)-m)
		}
		if sum < least {
			best, least = m, sum
		}
	}
	return best
}

// try runs every method and makes their weighted mean.
func (s *series) try() {
	var tried [][][]float64
	var weights []float64
	for _, method := range s.methods() {
		f, wrong := s.best(method)
		tried = append(tried, f)
		weights = append(weights, wrong)
	}
	least := slices.Min(weights)
	var sum float64
	for i, w := range weights {
		weights[i] = math.Pow((least+1e-12)/(w+1e-12), weightPower)
		sum += weights[i]
	}
	s.mean = make([][]float64, len(s.origins))
	for o := range s.mean {
		s.mean[o] = make([]float64, s.horizon)
		for i, f := range tried {
			for h := range s.horizon {
				s.mean[o][h] += weights[i] / sum * f[o][h]
			}
		}
	}
}

// best runs a method with each of its settings, and keeps the forecasts of the
// one that was least wrong.
func (s *series) best(settings []smoother) (best [][]float64, least float64) {
	least = math.Inf(1)
	for i := range settings {
		f := settings[i].run(s)
		if wrong := s.wrong(f); wrong < least || best == nil {
			best, least = f, wrong
		}
	}
	return best, least
}

// wrong is the mean error of forecasts, in shares of how restless the series was.
func (s *series) wrong(f [][]float64) float64 {
	var sum, n float64
	for o, t := range s.origins {
		for h := range s.horizon {
			if t+h >= len(s.x) {
				break
			}
			sum += math.Abs(s.x[t+h]-f[o][h]) / (s.restive[o] + 1e-12)
			n++
		}
	}
	if n == 0 {
		return 1
	}
	return sum / n
}

// ranges are the quantiles around the mean of the last origin.
func (s *series) ranges() [][7]float64 {
	growth := s.growth()
	var errs []float64
	for o, t := range s.origins {
		for h := 0; h < s.horizon && t+h < len(s.x); h++ {
			errs = append(errs, (s.x[t+h]-s.mean[o][h])/(s.restive[o]*growth[h]+1e-12))
		}
	}
	slices.Sort(errs)
	// Errors of neighbouring origins are almost the same one.
	alone := float64(len(s.x)-s.origins[0]) / math.Sqrt(float64(s.horizon))
	wider := 1 + 0.5/max(alone, 1)
	last := len(s.origins) - 1
	out := make([][7]float64, s.horizon)
	for h := range out {
		middle := s.mean[last][h]
		unit := s.restive[last] * growth[h] * wider
		for i, p := range Levels {
			var q float64
			if len(errs) >= 8 {
				q = quantile(errs, p)
			} else {
				q = 1.5 * normalAt(p) * 1.25 // as of a series that nobody knows
			}
			out[h][i] = s.back(middle + unit*q)
		}
		slices.Sort(out[h][:])
	}
	return out
}

func (s *series) back(x float64) float64 {
	if s.log {
		return math.Exp(min(max(x, -690), 690))
	}
	return max(x*s.unit, s.floor)
}

// growth is how errors grow with the horizon: what was seen, pulled towards the
// square root where little was, and never falling.
func (s *series) growth() []float64 {
	out := make([]float64, s.horizon)
	base, count := 0.0, 0.0
	seen := make([]float64, s.horizon)
	n := make([]float64, s.horizon)
	for o, t := range s.origins {
		for h := 0; h < s.horizon && t+h < len(s.x); h++ {
			e := math.Abs(s.x[t+h]-s.mean[o][h]) / (s.restive[o] + 1e-12)
			seen[h] += e
			n[h]++
			base += e / math.Sqrt(float64(h+1))
			count++
		}
	}
	unit := 1.0
	if count > 0 {
		unit = max(base/count, 1e-9)
	}
	top := 0.0
	for h := range out {
		root := unit * math.Sqrt(float64(h+1))
		top = max(top, (seen[h]+5*root)/(n[h]+5))
		out[h] = top
	}
	return out
}
