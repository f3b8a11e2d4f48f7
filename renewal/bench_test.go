package renewal

import (
	"testing"
	"time"
)

// benched is a running line among the demo catalogue's plans: one that has
// many terms, and one with packs.
func benched(b *testing.B, plan, start, end string) Situation {
	b.Helper()
	s := running(b, plan, start, end)
	s.Now = s.Line.EndsAt.Add(-36 * time.Hour)
	return s
}

func BenchmarkDecide(b *testing.B) {
	for name, item := range map[string]Item{
		"what=term": {Term, "kaigan-500", "7d"},
		"what=pack": {Pack, "ichiba-500", "500mb-all"},
	} {
		b.Run(name, func(b *testing.B) {
			s := benched(b, item.Plan, "2026-03-01 09:00:00", "2026-03-11 00:00:00")
			b.ReportAllocs()
			for b.Loop() {
				if _, no := Decide(s, item); no != nil {
					b.Fatal(no.Rule)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
		})
	}
	b.Run("what=refusal", func(b *testing.B) {
		s := benched(b, "minato-1gb", "2026-03-01 09:00:00", "2026-03-11 00:00:00")
		b.ReportAllocs()
		for b.Loop() {
			if _, no := Decide(s, Item{Term, "minato-1gb", "3d"}); no == nil {
				b.Fatal("offered")
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
	})
}

func BenchmarkOffers(b *testing.B) {
	s := benched(b, "kaigan-500", "2026-03-01 09:00:00", "2026-03-11 00:00:00") // seven terms
	b.ReportAllocs()
	for b.Loop() {
		if offers, _ := Offers(s); len(offers) != 7 {
			b.Fatal(len(offers))
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
}

func BenchmarkCovering(b *testing.B) {
	s := benched(b, "kaigan-500", "2026-03-01 09:00:00", "2026-03-11 00:00:00")
	loc := clockOf(b, s.Line.Plan).Location
	offers, _ := Offers(s)
	for _, days := range []int{2, 40} {
		b.Run(map[int]string{2: "terms=1", 40: "terms=2"}[days], func(b *testing.B) {
			until := s.Line.EndsAt.Add(time.Duration(days) * day)
			b.ReportAllocs()
			for b.Loop() {
				if len(Covering(s, offers, until, loc)) == 0 {
					b.Fatal("no cover")
				}
			}
		})
	}
}
