package travellers

import (
	"math"
	"math/rand/v2"
)

// The parameters of daily use. "2019" are 22 travel SIMs of that year, "one
// person" is a log of 548 days, both known by aggregates only; "survey" is the
// monthly survey of MM Research Institute, 2023-07 (j-cast.com 2023/09/04468197).
const (
	// Day to day, the logarithm of an active day scatters by 2.0 (2019: 2.01, one
	// person: 2.09), with a thin upper side (2019: mean/median 3.07, 90 %/median
	// 6.5, where a lognormal of that width has 7.4 and 13): a bell, less an
	// exponential that stands for days beside a Wi-Fi.
	bellSD   = 0.8
	skewMean = 1.9

	// What today has of yesterday: the logarithm of a day correlates with the next
	// by 0.05 (2019) to 0.18 (one person). Of the bell alone, more.
	memory = 0.5

	// The level of travellers scatters by 0.58 to 0.85 (2019, six to ten trips), of
	// residents by 1.65 less what a month's sum scatters itself (survey: ln GB has
	// sigma 1.651). Student's t with 4 degrees is chosen for its tails: the largest
	// 3 % of users have almost half of the bytes (AT&T, Jin et al. 2012).
	travellerScale = 0.48
	residentScale  = 1.0
	tailDegrees    = 4

	// The median of an active day. Travellers use 0.4 to 0.7 GB a day (guide pages)
	// and 3.8 GB a stay (Ubigi, July-August 2022); residents 10.3 GB a month in the
	// mean and 3.0 in the median (survey).
	travellerMedian = 300e6
	residentMedian  = 55e6

	// Of the days, 22 % (one person) to 36 % (2019, long trips) are below 1 MB. Some
	// of them come from the exponential; the others from a habit that differs.
	idleA, idleB = 0.9, 3.9
	// 9 of those 22 are empty to the byte (one person).
	idleEmpty = 0.41
	idleMost  = 1e6

	// Chosen, because no publication counts them: a day in 25 is a burst (a video
	// call, a hotel without Wi-Fi) and on a day in 33 life changes (another city,
	// other company). They are there to be unlike what is fitted.
	burst      = 0.04
	burstMean  = 1.1
	burstSD    = 0.5
	change     = 0.03
	changeSD   = 0.8
	dayCeiling = 40e9 // chosen: 4 Mbit/s all day long
)

// weekdayMean is one person's mean MB by weekday, Sunday first. A traveller's
// week is flatter than a commuter's: chosen, its power of 0.35.
var weekdayMean = [7]float64{10.6, 10.6, 14.2, 16.6, 19.8, 31.5, 17.7}

const weekdayPower = 0.35

// Chosen differences between segments, so that there is something to learn.
// French users of Ubigi had 5.1 GB where all had 3.8; some of that is their
// longer stay.
var (
	groupLevel   = map[string]float64{"KR": 0.15, "TW": 0.10, "HK": 0.05, "CN": 0.20, "SEA": -0.10, "US": -0.05, "EU": -0.15}
	purposeLevel = map[string]float64{"leisure": 0, "business": -0.20, "family": -0.35, "study": -0.20, "resident": 0}

	uses      = []string{"phone", "tethering"}
	useShares = []float64{0.85, 0.15}
	useLevel  = map[string]float64{"phone": 0, "tethering": 0.8}
)

// habit is how one traveller uses data.
type habit struct {
	level float64 // ln bytes of an active day's median
	idle  float64 // probability of a day beside the phone
}

func newHabit(r *rand.Rand, group, purpose, use string) habit {
	median, scale := travellerMedian, travellerScale
	if purpose == resident {
		median, scale = residentMedian, residentScale
	}
	return habit{
		level: math.Log(median) + groupLevel[group] + purposeLevel[purpose] + useLevel[use] + scale*student(r),
		idle:  beta(r, idleA, idleB),
	}
}

// live fills days, of which the first is day number `from` of the stay. A stay
// goes on from what the day before was like.
func (t *Traveller) live(r *rand.Rand, from int, days []Day) {
	shift, noise := 0.0, bellSD*r.NormFloat64()
	if from > 0 {
		shift, noise = t.Days[from-1].shift, t.Days[from-1].noise
	}
	for i := range days {
		d := &days[i]
		if d.Minutes == 0 {
			d.Minutes = exposure(r, from+i, from+len(days))
		}
		if r.Float64() < change {
			shift = changeSD * r.NormFloat64()
		}
		noise = memory*noise + math.Sqrt(1-memory*memory)*bellSD*r.NormFloat64()
		d.shift, d.noise = shift, noise
		d.Demand = t.want(r, t.Arrival+from+i, *d)
	}
}

// want is what a day asks for, in bytes.
func (t *Traveller) want(r *rand.Rand, date int, d Day) int64 {
	if r.Float64() < t.habit.idle {
		if r.Float64() < idleEmpty {
			return 0
		}
		return int64(idleMost * math.Pow(10, -2*r.Float64()))
	}
	x := t.habit.level + d.shift + d.noise - skewMean*(r.ExpFloat64()-math.Ln2) + weekday(date)
	if r.Float64() < burst {
		x += burstMean + burstSD*r.NormFloat64()
	}
	bytes := math.Exp(x) * float64(d.Minutes) / MinutesPerDay
	return int64(bytes / (1 + bytes/dayCeiling))
}

// weekday is how much more or less a day of the week asks for, in ln.
func weekday(date int) float64 {
	mean := 0.0
	for _, m := range weekdayMean {
		mean += m / 7
	}
	return weekdayPower * math.Log(weekdayMean[(date%7+7+4)%7]/mean)
}

// exposure is how many minutes of a day are spent in the country: aeroplanes
// land between 7 and 22 o'clock, leave between 8 and 22 (chosen).
func exposure(r *rand.Rand, i, days int) int {
	from, to := 0, MinutesPerDay
	if i == 0 {
		from = 60 * (7 + r.IntN(16))
	}
	if i == days-1 {
		to = 60 * (8 + r.IntN(15))
	}
	return max(to-from, 60)
}

// student draws from Student's t with tailDegrees degrees of freedom.
func student(r *rand.Rand) float64 {
	chi := 0.0
	for range tailDegrees {
		n := r.NormFloat64()
		chi += n * n
	}
	return r.NormFloat64() / math.Sqrt(chi/tailDegrees)
}

// beta draws from the beta distribution.
func beta(r *rand.Rand, a, b float64) float64 {
	x, y := gamma(r, a), gamma(r, b)
	return x / (x + y)
}

// gamma draws from the gamma distribution of scale 1 (Marsaglia and Tsang 2000).
func gamma(r *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return gamma(r, shape+1) * math.Pow(r.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-r.Float64()) < 0.5*x*x+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}
