//go:build unix

package advice

import (
	"fmt"
	"syscall"
	"testing"
	"time"
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
		})
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
