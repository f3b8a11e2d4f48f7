package advice

import (
	"math"
	"math/rand/v2"
)

// crowd makes travellers for the tests of this package. It is not the model: users'
// levels have heavy tails, noise remembers, days burst, habits change for good,
// stays heap at whole weeks.
type crowd struct {
	r        *rand.Rand
	noise    float64 // sd of a day
	segments []Segment
	levels   map[Segment]float64
	stays    map[Segment]float64
}

func newCrowd(seed uint64) *crowd {
	c := &crowd{r: rand.New(rand.NewPCG(seed, 99)), noise: 1.1, levels: map[Segment]float64{}, stays: map[Segment]float64{}}
	group := map[string]float64{"KR": -0.1, "TW": 0.1, "CN": 0.3, "US": -0.3, "FR": -0.5}
	purpose := map[string]float64{"leisure": 0, "business": 0.3, "study": 0.5}
	use := map[string]float64{"phone": 0, "tethering": 0.9}
	length := map[string]float64{"KR": 4.5, "TW": 6, "CN": 8, "US": 11, "FR": 14}
	for _, g := range sortedKeys(group) {
		for _, p := range sortedKeys(purpose) {
			for _, u := range sortedKeys(use) {
				s := Segment{g, p, u}
				c.segments = append(c.segments, s)
				c.levels[s] = math.Log(0.35e9) + group[g] + purpose[p] + use[u] + 0.15*c.r.NormFloat64()
				c.stays[s] = length[g] * map[string]float64{"leisure": 1, "business": 0.8, "study": 2.5}[p]
			}
		}
	}
	return c
}

func (c *crowd) studentT(df float64) float64 {
	var chi float64
	for range int(df) {
		g := c.r.NormFloat64()
		chi += g * g
	}
	return c.r.NormFloat64() / math.Sqrt(chi/df)
}

func (c *crowd) stay(s Segment) int {
	mean := c.stays[s]
	n := int(math.Round(mean * (c.gamma(4) / 4)))
	if c.r.Float64() < 0.25 && n > 3 {
		n = (n + 3) / 7 * 7
	}
	return min(max(n, 1), 120)
}

func (c *crowd) gamma(k int) (sum float64) {
	for range k {
		sum += c.r.ExpFloat64()
	}
	return sum
}

// truth is a whole trip, with what was wanted on every day.
type truth struct {
	Trip
	wanted []int64
}

func (c *crowd) trip(arrival Date) truth {
	s := c.segments[c.r.IntN(len(c.segments))]
	n := c.stay(s)
	t := truth{Trip: Trip{Segment: s, Arrival: arrival, Today: arrival + Date(n), End: arrival + Date(n) - 1}}
	mu := c.levels[s] + 0.55*c.studentT(4)
	sd := c.noise * math.Exp(0.2*c.r.NormFloat64())
	zero := 0.02 + 0.3*c.r.Float64()*c.r.Float64()
	e := 0.0
	for d := range n {
		day := arrival + Date(d)
		if c.r.Float64() < 0.03 {
			mu += 0.6 * c.r.NormFloat64()
		}
		e = 0.3*e + math.Sqrt(1-0.09)*c.r.NormFloat64()
		x := mu + sd*e + []float64{0.2, 0, 0, 0, 0, 0.1, 0.3}[day.Weekday()]
		if c.r.Float64() < 0.04 {
			x += 1.2
		}
		if d == n-1 {
			x -= 0.6
		}
		minutes := 0
		if d == 0 {
			minutes = 300 + c.r.IntN(900)
			x += math.Log(float64(minutes) / minutesPerDay)
		}
		b := int64(math.Exp(min(x, 25)))
		if c.r.Float64() < zero {
			b = int64(c.r.IntN(200_000))
		}
		t.wanted = append(t.wanted, b)
		t.Days = append(t.Days, Day{Date: day, Bytes: b, Minutes: minutes})
	}
	if c.r.Float64() < 0.5 {
		t.Told = t.End
		if c.r.Float64() < 0.15 {
			t.Told = max(t.End+Date(c.r.IntN(7)-3), arrival)
		}
	}
	return t
}

// limit cuts what the meter shows at a cap on every day.
func (t truth) limit(bytes int64) truth {
	days := make([]Day, len(t.Days))
	for i, d := range t.Days {
		if d.Bytes > bytes {
			d.Bytes, d.Capped = bytes, true
		}
		days[i] = d
	}
	t.Days = days
	return t
}

// upTo is what is known of a trip when its n-th day begins.
func (t truth) upTo(n int) Trip {
	past := t.Trip
	past.Days, past.Today, past.End = t.Days[:n], t.Arrival+Date(n), 0
	if n == 0 {
		past.MinutesLeft = t.Days[0].Minutes
	}
	return past
}

func (t truth) need(n int) (sum int64) {
	for _, b := range t.wanted[n:] {
		sum += b
	}
	return sum
}

const testDay = Date(20400)

func (c *crowd) trips(n int, from Date) (all []truth) {
	for i := range n {
		all = append(all, c.trip(from+Date(i*200/n)))
	}
	return all
}

func tripsOf(all []truth) []Trip {
	out := make([]Trip, len(all))
	for i, t := range all {
		out[i] = t.Trip
	}
	return out
}
