//go:build unix

package advice

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/internal/racetest"
)

// busy is how long this process has computed: what a machine that is shared
// cannot falsify.
func busy() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchModel(tb testing.TB) (*Model, []truth) {
	tb.Helper()
	c := newCrowd(3)
	m, err := Fit(tripsOf(c.trips(3000, testDay)), Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return m, c.trips(400, testDay+300)
}

// shopOf is the test shop with n offers.
func shopOf(n int) Shop {
	s := testShop()
	base := len(s.Offers)
	for i := len(s.Offers); i < n; i++ {
		o := s.Offers[i%base]
		o.ID += fmt.Sprint("-", i)
		o.Days = o.Days + 1 + i/base
		o.Price += int64(37 * (i / base))
		s.Offers = append(s.Offers, o)
	}
	s.Offers = s.Offers[:n]
	return s
}

func BenchmarkRecommend(b *testing.B) {
	m, exam := benchModel(b)
	for _, n := range []int{20, 40} {
		t, err := Build(m, shopOf(n))
		if err != nil {
			b.Fatal(err)
		}
		var asks []Question
		for i, u := range exam {
			asks = append(asks, Question{Trip: u.upTo(i % min(len(u.wanted), 15))})
		}
		b.Run(fmt.Sprintf("offers=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			i, from := 0, busy()
			for b.Loop() {
				if _, err := t.Recommend(asks[i%len(asks)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(i)/(busy()-from).Seconds(), "advice/core-s")
			took := latencies(b, t, asks)
			b.ReportMetric(float64(took[len(took)/2])/1e3, "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100])/1e3, "p99-µs")
		})
	}
}

// latencies are how long single answers take, sorted. They are measured as
// computing time of the thread, where the system says that: what a shared
// machine does in between is not the answer's.
func latencies(b *testing.B, t *Tables, asks []Question) []time.Duration {
	b.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	took := make([]time.Duration, 5000)
	for i := range took {
		from := threadBusy()
		if _, err := t.Recommend(asks[i%len(asks)]); err != nil {
			b.Fatal(err)
		}
		took[i] = threadBusy() - from
	}
	slices.Sort(took)
	return took
}

// A recommendation allocates nothing, once somebody of the same kind has asked.
func TestRecommendDoesNotAllocate(t *testing.T) {
	racetest.Skip(t)
	m, exam := testModel(t)
	tables := mustBuild(t, m, shopOf(20))
	var asks []Question
	for i, u := range exam[:50] {
		asks = append(asks, Question{Trip: u.upTo(i % min(len(u.wanted), 15))})
	}
	for _, q := range asks {
		if _, err := tables.Recommend(q); err != nil {
			t.Fatal(err)
		}
	}
	i := 0
	if n := testing.AllocsPerRun(200, func() {
		if _, err := tables.Recommend(asks[i%len(asks)]); err != nil {
			t.Error(err)
		}
		i++
	}); n >= 1 {
		t.Errorf("%v allocations an answer", n)
	}
}

func BenchmarkBuild(b *testing.B) {
	m, _ := benchModel(b)
	shop := shopOf(40)
	i, from := 0, busy()
	for b.Loop() {
		if _, err := Build(m, shop); err != nil {
			b.Fatal(err)
		}
		i++
	}
	b.ReportMetric((busy()-from).Seconds()/float64(i), "core-s/build")
}
