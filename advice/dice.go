package advice

import (
	"math"
	"math/rand/v2"
)

// dice are the random numbers of a set of sampled futures, thrown once: every
// plan is tried on the same futures, and the same question has the same answer.
type dice struct {
	n      int
	level  []float64 // uniform, one in each n-th, shuffled: which level and spread
	jitter []float64 // uniform in -½ to ½: where within a node of the grid
	blur   []float64 // normal: the level moves
	stay   []float64 // uniform, one in each n-th, shuffled
	zero   []float64 // normal: the share of days without use
	noise  []float32 // a day's noise in standard deviations, shaped
	walk   []float32 // how far the level has moved by a day
	coin   []float32 // uniform: is it a day of use
}

// diceDays is after how many days the throws of another future are borrowed.
const diceDays = 64

// throw makes the dice of n futures for a model.
func (m *Model) throw(n int, seed uint64) *dice {
	r := rand.New(rand.NewPCG(seed, uint64(n))) //nolint:gosec // a simulation that must be repeatable
	d := &dice{n: n, level: stratified(r, n), stay: stratified(r, n), jitter: make([]float64, n), blur: make([]float64, n), zero: make([]float64, n)}
	normal := stratified(r, n)
	for i := range n {
		d.jitter[i] = r.Float64() - 0.5
		d.blur[i] = r.NormFloat64()
		d.zero[i] = normalAt(normal[i])
	}
	d.noise, d.walk, d.coin = make([]float32, n*diceDays), make([]float32, n*diceDays), make([]float32, n*diceDays)
	phi, hold := m.use.Memory, m.use.Hold
	step := math.Sqrt(m.use.Mood * (1 - hold*hold))
	own := math.Sqrt(1 - phi*phi)
	last := make([]float64, n)
	moved := make([]float64, n)
	for day := range diceDays {
		u := stratified(r, n) // every day's noise is spread evenly over the futures
		c := stratified(r, n)
		for i := range n {
			g := normalAt(u[i])
			if day > 0 {
				g = phi*last[i] + own*g
			}
			last[i] = g
			moved[i] = hold*moved[i] + step*r.NormFloat64()
			at := i*diceDays + day
			d.noise[at], d.walk[at], d.coin[at] = float32(m.use.noise(g)), float32(moved[i]), float32(c[i])
		}
	}
	return d
}

func stratified(r *rand.Rand, n int) []float64 {
	u := make([]float64, n)
	for i, j := range r.Perm(n) {
		u[i] = (float64(j) + r.Float64()) / float64(n)
	}
	return u
}

// normalAt is the standard normal quantile (P. J. Acklam's rational
// approximation; relative error below 1.2e-9).
func normalAt(p float64) float64 {
	const low = 0.02425
	a := [6]float64{-3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02, 1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00}
	b := [5]float64{-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01, -1.328068155288572e+01}
	c := [6]float64{-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00, -2.549732539343734e+00, 4.374664141464968e+00, 2.938163982698783e+00}
	d := [4]float64{7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00}
	tail := func(q float64) float64 {
		return (((((c[0]*q+c[1])*q+c[2])*q+c[3])*q+c[4])*q + c[5]) / ((((d[0]*q+d[1])*q+d[2])*q+d[3])*q + 1)
	}
	switch p = min(max(p, 1e-12), 1-1e-12); {
	case p < low:
		return tail(math.Sqrt(-2 * math.Log(p)))
	case p > 1-low:
		return -tail(math.Sqrt(-2 * math.Log(1-p)))
	}
	q := p - 0.5
	r := q * q
	return (((((a[0]*r+a[1])*r+a[2])*r+a[3])*r+a[4])*r + a[5]) * q / (((((b[0]*r+b[1])*r+b[2])*r+b[3])*r+b[4])*r + 1)
}

// draw says for each future who the traveller is and how long they stay.
func (q *posterior) draw(d *dice, e *ends, users []user) {
	var sum float64
	var heap [levelNodes * spreadNodes]float64
	for i := range levelNodes { // levels first, so that equal parts of the dice are neighbours
		for j := range spreadNodes {
			sum += q.weight[j*levelNodes+i]
			heap[i*spreadNodes+j] = sum
		}
	}
	mean := q.zeroA / (q.zeroA + q.zeroB)
	sd := math.Sqrt(mean * (1 - mean) / (q.zeroA + q.zeroB + 1))
	blur := math.Sqrt(levelBlur)
	for k := range users {
		at := search(heap[:], d.level[k]*sum)
		users[k] = user{
			mu:   q.mu[at/spreadNodes] + d.jitter[k]*q.step + blur*d.blur[k],
			sd:   q.sd[at%spreadNodes],
			zero: min(max(mean+sd*d.zero[k], 0), 0.98),
		}
	}
	e.draw(d, users)
}

func search(sums []float64, x float64) int {
	lo, hi := 0, len(sums)-1
	for lo < hi {
		if mid := (lo + hi) / 2; sums[mid] < x {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// draw says how long each stays: in each n-th of the distribution one.
func (e *ends) draw(d *dice, users []user) {
	var sums [len(e.at)]float64
	sum := e.gone
	for j := range e.n {
		sum += e.at[j]
		sums[j] = sum
	}
	for k := range users {
		if u := d.stay[k] * sum; u >= e.gone {
			users[k].stay = 1 + search(sums[:e.n], u)
		}
	}
}

// trail is what is the same for every future of one question.
type trail struct {
	today Date
	week  [7]float64
	first float64 // what today has less: part of it is over, or the traveller arrives
	last  float64

	// What today's use so far says of the rest of it: the log of the bytes, and how
	// much that counts against what the user is like; 0: nothing.
	seen, sure float64
}

func (m *Model) trail(t *Trip, week [7]float64) trail {
	r := trail{today: t.Today, week: week, last: m.use.Last}
	switch left := minutesLeft(t); {
	case left < minutesPerDay:
		r.first = m.use.Part * math.Log(float64(max(left, 15))/minutesPerDay)
	case t.Today == t.Arrival && t.MinutesLeft == 0:
		r.first = m.use.First
	}
	r.watch(t)
	return r
}

// watch looks at what was used of today. People who download at noon go on in
// the afternoon: the rest of a day is like its beginning, the more of it is over
// the more surely. A morning says little: most of it is night. How little is our
// own assumption; nothing is published.
func (r *trail) watch(t *Trip) {
	n := len(t.Days)
	if n == 0 || t.Days[n-1].Date != t.Today || t.Days[n-1].Minutes == 0 || t.Days[n-1].Bytes < activeBytes {
		return
	}
	d := &t.Days[n-1]
	over := float64(d.Minutes) / float64(d.Minutes+minutesLeft(t))
	r.seen = math.Log(float64(d.Bytes)) + math.Log((1-over)/over)
	r.sure = 1 / (restNoise + restEarly*(1-over)/over)
}

const (
	restNoise = 0.3 // variance of the log of what the rest of a day brings, against an even day
	restEarly = 0.8 // more of it, the less of the day is over
)

// minutesLeft is how much of today is left.
func minutesLeft(t *Trip) int {
	if t.MinutesLeft > 0 {
		return t.MinutesLeft
	}
	if n := len(t.Days); n > 0 && t.Days[n-1].Date == t.Today && t.Days[n-1].Minutes > 0 {
		return max(minutesPerDay-t.Days[n-1].Minutes, 15)
	}
	return minutesPerDay
}

// future fills y with the bytes that one future wants on each day from today
// on, as far as y goes.
func (r *trail) future(d *dice, k int, u *user, y []float64) {
	dow := int(r.today.Weekday())
	for day := range y {
		row := k
		if day >= diceDays {
			row = (k + day/diceDays*17) % d.n
		}
		at := row*diceDays + day%diceDays
		if float64(d.coin[at]) < u.zero && (day > 0 || r.sure == 0) {
			y[day] = 0
		} else {
			x := u.mu + r.week[dow] + u.sd*float64(d.noise[at]) + float64(d.walk[k*diceDays+min(day, diceDays-1)])
			if day == 0 {
				x = r.rest(x+r.first, u, float64(d.noise[at]))
			}
			if day == u.stay-1 {
				x += r.last
			}
			y[day] = quickExp(min(x, mostLog))
		}
		if dow++; dow == 7 {
			dow = 0
		}
	}
}

// quickExp is e to the x, to five digits, in a third of the time: most of an
// answer's time would go there. x must be within ±700.
func quickExp(x float64) float64 {
	x *= math.Log2E
	i := math.Floor(x)
	f := x - i
	p := 1 + f*(0.693147182+f*(0.240226462+f*(0.0555032721+f*(0.00966849290+f*(0.00124100611+f*0.000213634594)))))
	return p * math.Float64frombits(uint64(int64(i)+1023)<<52)
}

// rest is the log of what today still brings: between what the user is like, x,
// and what today was like.
func (r *trail) rest(x float64, u *user, noise float64) float64 {
	if r.sure == 0 {
		return x
	}
	own := 1 / (u.sd * u.sd)
	v := 1 / (own + r.sure)
	return v*(own*(x-u.sd*noise)+r.sure*r.seen) + math.Sqrt(v)*noise
}

// mostLog is the log of 100 GB: what fits through the air in a day of streaming.
const mostLog = 25.33
