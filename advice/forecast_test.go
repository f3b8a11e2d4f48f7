package advice

import (
	"fmt"
	"testing"
	"time"
)

func TestCoverage(t *testing.T) {
	c := newCrowd(1)
	learn, check, exam := c.trips(6000, testDay), c.trips(4000, testDay+210), c.trips(1500, testDay+420)
	start := time.Now()
	m, err := Fit(histories_(learn), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("fit", time.Since(start))
	t.Logf("%+v", m.use.All)
	t.Logf("mood %.4f memory %.2f nu %.1f zw %.1f first %.2f last %.2f part %.2f week %.2f", m.use.Mood, m.use.Memory, m.use.Nu, m.use.ZeroWeight, m.use.First, m.use.Last, m.use.Part, m.use.Week[""])
	t.Logf("shape %.2f", m.use.Shape)
	start = time.Now()
	k, err := m.Calibrate(histories_(check)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("calibrate %v %+v", time.Since(start), k.Scores)
	for _, x := range []*Model{m, k} {
		var n [9]float64
		var cover [9][3]float64
		var loss, mean float64
		for i, u := range exam {
			at := c.r.IntN(min(len(u.wanted), 15))
			f, err := x.Forecast(u.upTo(at), 0)
			if err != nil {
				t.Fatal(err)
			}
			need := float64(u.need(at))
			mean += need
			for l, p := range Levels {
				d := need - float64(f.Need.At[l])
				loss += 2 * max(p*d, (p-1)*d) / 7
			}
			for _, b := range []int{bucketOf(at, f.Basis.Told), 8} {
				n[b]++
				for j, r := range [][2]int{{2, 4}, {1, 5}, {0, 6}} {
					cover[b][j] += inside(need, float64(f.Need.At[r[0]]), float64(f.Need.At[r[1]]))
				}
			}
			_ = i
		}
		s := fmt.Sprintf("pinball %.4f\n", loss/mean)
		for b := range n {
			s += fmt.Sprintf("%d n=%v %.3f %.3f %.3f\n", b, n[b], cover[b][0]/n[b], cover[b][1]/n[b], cover[b][2]/n[b])
		}
		t.Log(s)
	}
}
