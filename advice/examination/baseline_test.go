package examination

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/advice"
)

// The mean number of days to come is that of those who stayed longer.
func TestMeanLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stays := rapid.SliceOfN(rapid.IntRange(1, 30), 0, 120).Draw(t, "stays")
		left := meanLeft(slices.Clone(stays))
		for day := range 31 {
			sum, n := 0, 0
			for _, s := range stays {
				if s > day {
					sum, n = sum+s-day, n+1
				}
			}
			switch {
			case n < fewest && day < len(left):
				t.Fatalf("day %d: a mean of %d people", day, n)
			case n >= fewest && (day >= len(left) || left[day] != (sum+n/2)/n):
				t.Fatalf("day %d: %v, want %d", day, left, (sum+n/2)/n)
			}
		}
	})
}

// Whatever a simple buyer chooses covers the days, and the use it was made for.
func TestSimpleBuyersCover(t *testing.T) {
	s := terms()
	for days := 1; days <= 100; days++ {
		offer, cost := s.tile(days, func(o advice.Offer) bool { return o.DailyCap >= generous })
		o := s.Offers[offer]
		if o.DailyCap < generous || cost < o.Price+s.Costs.Hassle || days >= o.Days && cost < o.Price*int64(days/o.Days) {
			t.Errorf("%d days: %s for %d", days, o.ID, cost)
		}
		for _, daily := range []int64{0, gb / 10, gb / 2, gb, 3 * gb} {
			o := s.Offers[s.cover(daily, days)]
			if o.Volume > 0 && o.Volume < daily*int64(min(days, o.Days)) || o.Volume == 0 && o.DailyCap < daily {
				t.Errorf("%d bytes on %d days: %s", daily, days, o.ID)
			}
		}
	}
	if o := s.Offers[s.cover(100*gb, 3)]; o.DailyCap != 10*gb {
		t.Errorf("more than anything brings: %s", o.ID)
	}
}

// The oracle counts a day as the yardstick does.
func TestOracleCountsAsTheYardstick(t *testing.T) {
	p := &plan{shop: &terms().Shop}
	rapid.Check(t, func(t *rapid.T) {
		s := advice.Served{Full: rapid.Int64Range(0, 9*gb).Draw(t, "full")}
		if rapid.Bool().Draw(t, "slow") {
			s.Slow = rapid.Int64Range(0, 9*gb).Draw(t, "bytes")
		} else {
			s.Missing = rapid.Int64Range(0, 9*gb).Draw(t, "bytes")
		}
		demand := s.Full + s.Slow + s.Missing
		if got, want := p.counts(demand, s), float64(p.shop.Costs.Day(demand, s)); math.Abs(got-want) > 1 {
			t.Fatalf("%+v counts %.1f, by the yardstick %.0f", s, got, want)
		}
	})
}
