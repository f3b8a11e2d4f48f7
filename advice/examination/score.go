package examination

import (
	"math"
	"slices"

	"github.com/tsuzuku/tsuzuku/advice"
)

// forecastScore is how one forecast fared.
type forecastScore struct {
	failed  bool
	need    float64
	pinball [7]float64
	covered [3]bool // 50, 80, 95
	width   [3]float64
	pit     int     // between which two quantiles it fell: 0 … 7
	endLog  float64 // -ln of the probability of the true last day
	brier   [3]float64
	runsOut bool    // the day on which askedAllowance was used up lay in the 80 % range
	lasts   float64 // squared error of the probability that it is not used up
}

// askedAllowance is the volume of which it is asked when it runs out.
const askedAllowance = 3 * gb

// horizons are the days within which the end of a trip is asked, today included.
var horizons = [3]int{3, 7, 14}

// leastProbability is what a last day that was thought impossible counts as.
const leastProbability = 1e-4

func score(m *advice.Model, at *moment, u float64) forecastScore {
	f, err := m.Forecast(at.asked(), askedAllowance)
	if err != nil {
		return forecastScore{failed: true}
	}
	s := forecastScore{need: float64(at.need())}
	need := at.need()
	below, at0 := 0, 0
	var quantiles [7]float64
	for i, q := range f.Need.At {
		quantiles[i] = float64(q)
		if q < need {
			below++
		}
		if q == need {
			at0++
		}
	}
	s.pinball = [7]float64(pinball(s.need, quantiles))
	s.pit = below
	if at0 > 0 {
		s.pit = byChance(below, at0, u)
	}
	for i, r := range [3]func() (int64, int64){f.Need.Half, f.Need.Most, f.Need.Nearly} {
		lo, hi := r()
		s.covered[i], s.width[i] = lo <= need && need <= hi, float64(hi-lo)
	}
	s.end(f.Ends, at.daysLeft())
	s.allowance(&f, at)
	return s
}

// byChance is where among quantiles something came that equals n of them, from the
// below-th on: as often between two levels as lies there, so that the histogram
// can be flat (the randomised transform of what has atoms).
func byChance(below, n int, u float64) (bin int) {
	edge := func(i int) float64 { // between a level and the next
		levels := slices.Concat([]float64{0}, advice.Levels[:], []float64{1})
		return (levels[i] + levels[i+1]) / 2
	}
	from, to := 0.0, edge(below+n)
	if below > 0 {
		from = edge(below)
	}
	at := from + u*(to-from)
	for bin < len(advice.Levels) && advice.Levels[bin] < at {
		bin++
	}
	return bin
}

// allowance scores when a volume runs out: the first day on whose evening nothing
// is left of it, or the day after the last.
func (s *forecastScore) allowance(f *advice.Forecast, at *moment) {
	left, day, lasts := int64(askedAllowance), at.day, 1.0
	for ; day < len(at.trip.demand); day++ {
		if left -= at.trip.demand[day]; left <= 0 {
			lasts = 0
			break
		}
	}
	lo, hi := f.RunsOut.Most()
	came := int64(at.trip.arrival) + int64(day)
	s.runsOut, s.lasts = lo <= came && came <= hi, (f.Lasts-lasts)*(f.Lasts-lasts)
}

// end scores the probabilities of the last day.
func (s *forecastScore) end(ends []float64, left int) {
	p := 0.0
	if left <= len(ends) {
		p = ends[left-1]
	}
	s.endLog = -math.Log(max(p, leastProbability))
	for i, h := range horizons {
		within := 0.0
		for d := range min(h, len(ends)) {
			within += ends[d]
		}
		came := 0.0
		if left <= h {
			came = 1
		}
		s.brier[i] = (within - came) * (within - came)
	}
}

// Coverage is how often what came lay in a range, and how it should.
type Coverage struct {
	Cover50 float64 `json:"coverage_50"`
	Cover80 float64 `json:"coverage_80"`
	Cover95 float64 `json:"coverage_95"`
}

func (c *Coverage) all() [3]*float64 { return [3]*float64{&c.Cover50, &c.Cover80, &c.Cover95} }

// nominal are the shares that should lie in the ranges.
var nominal = [3]float64{0.5, 0.8, 0.95}

// far is by how much the worst of the three misses, and by how much it may: the
// larger of the floor and three standard errors.
func (c *Coverage) far(n int, floor float64) (miss, allowed float64) {
	worst := math.Inf(-1)
	for i, got := range c.all() {
		may := max(floor, 3*math.Sqrt(nominal[i]*(1-nominal[i])/float64(n)))
		if m := math.Abs(*got - nominal[i]); m-may > worst {
			worst, miss, allowed = m-may, m, may
		}
	}
	return miss, allowed
}

func coverage(scores []forecastScore) Coverage {
	var c Coverage
	for i, to := range c.all() {
		n := 0
		for _, s := range scores {
			if s.covered[i] {
				n++
			}
		}
		*to = over(float64(n), float64(len(scores)))
	}
	return c
}

// ForecastReport is how the forecasts fared.
type ForecastReport struct {
	Trips  int `json:"trips"`
	Failed int `json:"failed"`
	Coverage
	Cover50CI [2]float64 `json:"coverage_50_ci"`
	Cover80CI [2]float64 `json:"coverage_80_ci"`
	Cover95CI [2]float64 `json:"coverage_95_ci"`
	Width50   float64    `json:"width_50_gb"`
	Width80   float64    `json:"width_80_gb"`
	Width95   float64    `json:"width_95_gb"`
	MeanNeed  float64    `json:"mean_need_gb"`
	Pinball   float64    `json:"pinball"` // mean over the seven levels, in shares of the mean need
	CRPS      float64    `json:"crps"`    // in shares of the mean need
	OwnMean   float64    `json:"pinball_own_mean"`
	Segment   float64    `json:"pinball_segment_mean"`
	PIT       [8]float64 `json:"pit"` // shares between the quantiles
	Flat      [8]float64 `json:"pit_if_right"`
	Inside    Coverage   `json:"by_chance"`      // the same, where what equals an end of a range is inside as often as lies there
	Nothing   float64    `json:"nothing_needed"` // share of moments after which nothing was wanted
	EndLog    float64    `json:"end_log_score"`
	Brier3    float64    `json:"end_brier_3"`
	Brier7    float64    `json:"end_brier_7"`
	Brier14   float64    `json:"end_brier_14"`
	RunsOut80 float64    `json:"runs_out_coverage_80"` // of the day on which 3 GB are used up
	Lasts     float64    `json:"lasts_brier"`          // of whether they are
	TSB       float64    `json:"pinball_tsb_normal"`
}

// forecasts sums scores up; points are the need as baselines see it, a number
// without a range.
func forecasts(scores []forecastScore, ownMean, segmentMean []float64, tsb [][7]float64) ForecastReport {
	r := ForecastReport{Trips: len(scores), Coverage: coverage(scores)}
	n := float64(len(scores))
	var own, seg, smooth float64
	var width [3]float64
	for i, s := range scores {
		if s.failed {
			r.Failed++
		}
		r.MeanNeed += s.need / n
		r.Pinball += sum(s.pinball[:]) / 7 / n
		r.CRPS += crps(s.pinball) / n
		own += point(s.need, ownMean[i]) / n
		seg += point(s.need, segmentMean[i]) / n
		smooth += sum(pinball(s.need, tsb[i])) / 7 / n
		if s.runsOut {
			r.RunsOut80 += 1 / n
		}
		r.Lasts += s.lasts / n
		r.PIT[s.pit] += 1 / n
		if s.need == 0 {
			r.Nothing += 1 / n
		}
		r.EndLog += s.endLog / n
		r.Brier3, r.Brier7, r.Brier14 = r.Brier3+s.brier[0]/n, r.Brier7+s.brier[1]/n, r.Brier14+s.brier[2]/n
		for k := range width {
			width[k] += s.width[k] / n / gb
		}
	}
	r.Width50, r.Width80, r.Width95 = width[0], width[1], width[2]
	r.Pinball, r.CRPS = over(r.Pinball, r.MeanNeed), over(r.CRPS, r.MeanNeed)
	r.OwnMean, r.Segment = over(own, r.MeanNeed), over(seg, r.MeanNeed)
	r.TSB = over(smooth, r.MeanNeed)
	r.MeanNeed /= gb
	before := 0.0
	for i, l := range advice.Levels {
		r.Flat[i], before = l-before, l
	}
	r.Flat[7] = 1 - before
	for i, to := range r.Inside.all() {
		*to = sum(r.PIT[3-i : 5+i])
	}
	for i, ci := range []*[2]float64{&r.Cover50CI, &r.Cover80CI, &r.Cover95CI} {
		*ci = wilson(*r.all()[i], n)
	}
	return r
}

// wilson is the 95 % interval of a share that was seen in n cases (E. B. Wilson,
// 1927): it stays between none and all, and few cases are not certain.
func wilson(share, n float64) [2]float64 {
	const z = 1.96
	centre := (share + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(share*(1-share)/n+z*z/(4*n*n))
	return [2]float64{max(centre-half, 0), min(centre+half, 1)}
}

func sum(x []float64) float64 {
	total := 0.0
	for _, v := range x {
		total += v
	}
	return total
}

// pinball is the loss of each quantile.
func pinball(need float64, quantiles [7]float64) []float64 {
	loss := make([]float64, 7)
	for i, l := range advice.Levels {
		diff := need - quantiles[i]
		loss[i] = max(l*diff, (l-1)*diff)
	}
	return loss
}

// point is the mean pinball loss of a number without a range.
func point(need, guess float64) float64 {
	return sum(pinball(need, [7]float64{guess, guess, guess, guess, guess, guess, guess})) / 7
}

// crps is twice the integral of the pinball loss over its level, by trapezoids
// between the seven, which leaves the tails out.
func crps(pinball [7]float64) float64 {
	area := 0.0
	for i := 1; i < 7; i++ {
		area += (pinball[i] + pinball[i-1]) / 2 * (advice.Levels[i] - advice.Levels[i-1])
	}
	return 2 * area
}
