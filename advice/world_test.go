package advice

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tsuzuku/tsuzuku/internal/racetest"
)

// testShop has the kinds of plans of the Japanese market, with invented prices.
func testShop() Shop {
	s := Shop{Version: "1", Costs: YenCosts()}
	term := func(id string, days int, price int64, v Service) {
		s.Offers = append(s.Offers, Offer{ID: id, Kind: Term, Days: days, Price: price, Service: v})
	}
	for _, x := range []struct {
		days  int
		price int64
	}{{1, 680}, {3, 1580}, {5, 2380}, {7, 2980}, {10, 3980}, {15, 5180}, {30, 7980}} {
		term(fmt.Sprintf("unlimited-%dd", x.days), x.days, x.price, Service{DailyCap: 3e9, ThrottleKbps: 1000})
	}
	for _, x := range []struct {
		days  int
		price int64
	}{{3, 980}, {5, 1480}, {7, 1880}, {10, 2480}, {15, 3380}} {
		term(fmt.Sprintf("daily1-%dd", x.days), x.days, x.price, Service{DailyCap: 1e9, ThrottleKbps: 384})
	}
	for _, x := range []struct {
		gb    int64
		days  int
		price int64
	}{{1, 7, 580}, {3, 15, 1080}, {3, 30, 1280}, {5, 30, 1680}, {10, 30, 2680}, {20, 30, 4280}, {50, 90, 12000}} {
		term(fmt.Sprintf("%dgb-%dd", x.gb, x.days), x.days, x.price, Service{Volume: x.gb * 1e9})
	}
	return s
}

// world replays a trip from its n-th day on. Things are bought in the morning;
// what runs out during a day is charged with the rest of it.
type world struct {
	shop Shop
	t    truth
	memo map[int]float64
}

// runs lets an offer run from a morning and says what it costs, on which morning
// something can be bought again, and what the meter shows.
func (w *world) runs(o Offer, d int) (cost float64, end int, days []Day) {
	left := o.Volume
	for i := range o.Days {
		if d+i >= len(w.t.wanted) {
			return cost, d + i, days
		}
		want := w.t.wanted[d+i]
		if o.Volume == 0 {
			left = o.DailyCap
		}
		s := o.Serve(left, want)
		days = append(days, Day{Date: w.t.Days[d+i].Date, Bytes: s.Full, Minutes: w.t.Days[d+i].Minutes, Capped: s.Full < want})
		cost += float64(w.shop.Costs.Day(want, s))
		if left -= s.Full; o.Volume > 0 && left == 0 {
			return cost, d + i + 1, days
		}
	}
	return cost, d + o.Days, days
}

func (w *world) outage(d int) float64 {
	return float64(w.shop.Costs.Day(w.t.wanted[d], Served{Missing: w.t.wanted[d]}))
}

// best is what the rest costs someone who knows all.
func (w *world) best(d int) float64 {
	if d >= len(w.t.wanted) {
		return 0
	}
	if v, ok := w.memo[d]; ok {
		return v
	}
	least := w.outage(d) + w.best(d+1)
	for _, o := range w.shop.Offers {
		c, end, _ := w.runs(o, d)
		least = min(least, float64(o.Price+w.shop.Costs.Hassle)+c+w.best(end))
	}
	w.memo[d] = least
	return least
}

// follows is what the rest costs someone who does what choose says: an offer, or
// -1 for nothing until tomorrow.
func (w *world) follows(n int, choose func(past Trip) int) (cost float64) {
	past := w.t.upTo(n)
	past.Days = slices.Clone(past.Days)
	for d := n; d < len(w.t.wanted); {
		past.Today = w.t.Arrival + Date(d)
		i := choose(past)
		past.MinutesLeft = 0
		if i < 0 {
			cost += w.outage(d)
			past.Days = append(past.Days, Day{Date: past.Today, Capped: w.t.wanted[d] > 0})
			d++
			continue
		}
		c, end, days := w.runs(w.shop.Offers[i], d)
		cost += c + float64(w.shop.Offers[i].Price+w.shop.Costs.Hassle)
		past.Days = append(past.Days, days...)
		d = end
	}
	return cost
}

// The advice costs less than dividing, and not much more than knowing all.
func TestAdvicePays(t *testing.T) {
	racetest.Skip(t)
	c := newCrowd(1)
	m, err := Fit(tripsOf(c.trips(2500, testDay)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m, err = m.Calibrate(tripsOf(c.trips(800, testDay+210))...); err != nil {
		t.Fatal(err)
	}
	shop := testShop()
	tables := mustBuild(t, m, shop)
	exam := c.trips(700, testDay+420)
	var ours, least, told, toldLeast, divides, foretold float64
	for _, u := range exam {
		n := c.r.IntN(min(len(u.wanted), 15))
		w := &world{shop: shop, t: u, memo: map[int]float64{}}
		best := w.best(n)
		first := true
		cost := w.follows(n, func(past Trip) int {
			a, err := tables.Recommend(Question{Trip: past})
			if err != nil {
				t.Fatal(err)
			}
			if first {
				foretold += float64(a.Best.Cost)
			}
			first = false
			if a.Best.Action != Buy {
				return -1
			}
			return a.Best.Steps.At[0].Offer
		})
		ours, least = ours+cost, least+best
		divides += w.follows(n, func(past Trip) int { return ownMean(m, shop, past) })
		if u.Told > 0 {
			told, toldLeast = told+cost, toldLeast+best
		}
	}
	t.Logf("regret %.1f %%, end told %.1f %%, of who divides %.1f %%; foretold %.2f of what it cost",
		100*(ours/least-1), 100*(told/toldLeast-1), 100*(divides/least-1), foretold/ours)
	if ours > 1.32*least || told > 1.20*toldLeast || ours > 0.93*divides {
		t.Errorf("ours %.0f, least %.0f, end told %.0f of %.0f, who divides %.0f", ours, least, told, toldLeast, divides)
	}
	if !within(foretold/ours, 0.88, 1.12) {
		t.Errorf("the cost that was foretold is %.2f of what it came to", foretold/ours)
	}
}

// ownMean takes what someone who divides would: the cheapest cover for the days
// left at the mean use so far.
func ownMean(m *Model, shop Shop, past Trip) int {
	left := 7
	if past.Told >= past.Today {
		left = int(past.Told-past.Today) + 1
	}
	mean := 0.6e9
	if len(past.Days) > 0 {
		mean = 0
		for _, d := range past.Days {
			mean += float64(d.Bytes) / float64(len(past.Days))
		}
	}
	best, least := -1, 1e18
	for i, o := range shop.Offers {
		n := float64((left + o.Days - 1) / o.Days)
		if o.Volume > 0 {
			n = max(n, float64(int(mean*float64(left)/float64(o.Volume)))+1)
		}
		cost := n * float64(o.Price+100)
		if o.DailyCap > 0 && mean > float64(o.DailyCap) {
			cost += 300 * float64(left)
		}
		if cost < least {
			best, least = i, cost
		}
	}
	return best
}
