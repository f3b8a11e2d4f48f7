package advice

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/racetest"
)

// scaledInterval is the mean scaled interval score of the 95 % range: its width,
// and forty times what lies outside, in steps of the series.
func scaledInterval(past, future []float64, f [][7]float64, season int) float64 {
	var scale, sum float64
	for i := season; i < len(past); i++ {
		scale += math.Abs(past[i]-past[i-season]) / float64(len(past)-season)
	}
	for h, y := range future {
		sum += f[h][6] - f[h][0] + 40*max(0, f[h][0]-y) + 40*max(0, y-f[h][6])
	}
	return sum / float64(len(future)) / scale
}

func TestSeriesCoverage(t *testing.T) {
	racetest.Skip(t)
	var r *rand.Rand
	for name, make := range map[string]func(i int, last float64) float64{
		"noise":       func(int, float64) float64 { return 100 + 10*r.NormFloat64() },
		"random walk": func(_ int, last float64) float64 { return last + r.NormFloat64() },
		"season":      func(i int, _ float64) float64 { return 50 + 20*math.Sin(float64(i)*math.Pi/6) + 4*r.NormFloat64() },
		"growth":      func(i int, _ float64) float64 { return math.Exp(float64(i)/80 + 0.1*r.NormFloat64()) },
		"bursts":      func(int, float64) float64 { return math.Exp(1.2 * r.NormFloat64()) },
		"negative":    func(i int, _ float64) float64 { return -float64(i) + 5*r.NormFloat64() },
	} {
		r = rand.New(rand.NewPCG(7, 7)) // the same for each, in whichever order they come
		season := 1
		if name == "season" {
			season = 12
		}
		const series, horizon = 60, 12
		var c50, c80, c95, score, naive float64
		for range series {
			x := []float64{200}
			for i := 1; i < 160; i++ {
				x = append(x, make(i, x[i-1]))
			}
			past, future := x[1:148], x[148:]
			f, err := Series(past, season, horizon)
			if err != nil {
				t.Fatal(err)
			}
			flat := make7(past[len(past)-1], horizon)
			score += scaledInterval(past, future, f, season) / series
			naive += scaledInterval(past, future, flat, season) / series
			for h, y := range future {
				c50 += inside(y, f[h][2], f[h][4]) / series / horizon
				c80 += inside(y, f[h][1], f[h][5]) / series / horizon
				c95 += inside(y, f[h][0], f[h][6]) / series / horizon
			}
		}
		if !within(c50, 0.40, 0.62) || !within(c80, 0.71, 0.90) || !within(c95, 0.89, 0.99) || score > naive {
			t.Errorf("%s: covers %.2f %.2f %.2f, interval score %.1f (a point %.1f)", name, c50, c80, c95, score, naive)
		}
	}
}

func make7(x float64, n int) [][7]float64 {
	out := make([][7]float64, n)
	for i := range out {
		out[i] = [7]float64{x, x, x, x, x, x, x}
	}
	return out
}

func TestOddSeries(t *testing.T) {
	for name, x := range map[string][]float64{
		"few":      {1, 2, 1, 3, 2},
		"constant": {5, 5, 5, 5, 5, 5, 5, 5, 5},
		"zeros":    make([]float64, 30),
		"huge":     {1e149, 1e149, -1e149, 1e149, -1e149},
		"tiny":     {1e-300, 1e-300, 2e-300, 1e-300, 1e-300},
		"seldom":   {0, 0, 0, 9, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0},
	} {
		f, err := Series(x, 7, 5)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, q := range f {
			for i := range q {
				if !within(q[i], -1e300, 1e300) || i > 0 && q[i] < q[i-1] || name == "seldom" && q[i] < 0 {
					t.Errorf("%s: %v", name, q)
				}
			}
		}
	}
	for name, x := range map[string][]float64{"none": nil, "one": {1}, "too few to try a forecast": {5, 6, 7, 8}, "not a number": {1, 2, 3, 4, math.NaN()}, "infinite": {1, 2, 3, 4, math.Inf(1)}} {
		if _, err := Series(x, 1, 1); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range [][2]int{{0, 1}, {1, 0}, {1, MaxHorizon + 1}, {-3, 4}, {1, 6}} {
		if _, err := Series([]float64{1, 2, 3, 1, 2}, bad[0], bad[1]); fault.KindOf(err) != fault.Invalid {
			t.Errorf("season %d, horizon %d: %v", bad[0], bad[1], err)
		}
	}
}

// A season is used where two of it were seen, however far ahead is asked; beyond
// the length of the series nothing is said.
func TestLongHorizons(t *testing.T) {
	const season = 26
	for _, n := range []int{5, 30, 56, 60, 75} {
		x := make([]float64, n)
		for i := range x {
			x[i] = 100 + float64(i%season) + float64(i*i%7)
		}
		for _, horizon := range []int{1, n / 2, n - 3, n} {
			f, err := Series(x, season, horizon)
			if err != nil || len(f) != horizon {
				t.Fatalf("%d values, %d steps ahead: %v", n, horizon, err)
			}
			if last := f[horizon-1]; n > 5 && (last[0] < 10 || last[6] > 1000) {
				t.Errorf("%d values from 100 to 132, %d steps ahead: %v", n, horizon, last)
			}
		}
		if _, err := Series(x, season, n+1); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%d values, %d steps ahead: %v", n, n+1, err)
		}
	}
}

func FuzzSeries(f *testing.F) {
	f.Add(1.0, 2.0, 3.0, 20, 7, 5)
	f.Fuzz(func(t *testing.T, a, b, c float64, n, season, horizon int) {
		var x []float64
		for i := range min(max(n, 0), 200) {
			x = append(x, a+b*float64(i)+c*float64(i%5))
		}
		q, err := Series(x, season, horizon)
		if err != nil {
			return
		}
		for _, at := range q {
			for i := range at {
				if math.IsNaN(at[i]) || i > 0 && at[i] < at[i-1] {
					t.Fatal(at)
				}
			}
		}
	})
}
