package advice

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"
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

func TestRegret(t *testing.T) {
	c := newCrowd(1)
	m, err := Fit(histories_(c.trips(6000, testDay)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m, err = m.Calibrate(histories_(c.trips(2000, testDay+210))...); err != nil {
		t.Fatal(err)
	}
	shop := testShop()
	start := time.Now()
	tables, err := Build(m, shop)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("build", time.Since(start))
	exam := c.trips(1500, testDay+420)
	var foretold, meanNot, seven, mine, clair, told, toldBest, mean, none, noneBest float64
	var regrets []float64
	var asked int
	var took time.Duration
	for _, u := range exam {
		n := c.r.IntN(min(len(u.wanted), 15))
		w := &world{shop: shop, t: u, memo: map[int]float64{}}
		best := w.best(n)
		cost := w.follows(n, func(past Trip) int {
			asked++
			first := asked == 1 || int(past.Today-past.Arrival) == n
			at := time.Now()
			a, err := tables.Recommend(Question{Trip: past})
			took += time.Since(at)
			if err != nil {
				t.Fatal(err)
			}
			if first {
				foretold += float64(a.Best.Cost)
			}
			if a.Best.Action != Buy {
				return -1
			}
			return a.Best.Steps.At[0].Offer
		})
		naive := w.follows(n, func(past Trip) int { return ownMean(m, shop, past) })
		mine, clair, mean = mine+cost, clair+best, mean+naive
		if n == 0 {
			none, noneBest = none+cost, noneBest+best
		}
		if u.Told == 0 {
			meanNot += naive
			one := w.follows(n, func(past Trip) int { return 3 })
			seven += one
		}
		if u.Told == 0 && len(regrets) < 0 {
			str := ""
			w.follows(n, func(past Trip) int {
				a, _ := tables.Recommend(Question{Trip: past})
				i := -1
				if a.Best.Action == Buy {
					i = a.Best.Steps.At[0].Offer
				}
				if i >= 0 {
					str += fmt.Sprintf(" %d:%s", past.Today-past.Arrival, shop.Offers[i].ID)
				} else {
					str += fmt.Sprintf(" %d:-", past.Today-past.Arrival)
				}
				return i
			})
			t.Logf("%v n=%d stay=%d need=%.1f best %.0f cost %.0f %s", u.Segment, n, len(u.wanted), float64(u.need(n))/1e9, best, cost, str)
		}
		if u.Told > 0 {
			told, toldBest = told+cost, toldBest+best
		}
		regrets = append(regrets, cost/best-1)
	}
	slices.SortFunc(regrets, cmp.Compare)
	k := len(regrets)
	t.Logf("not told: own mean %.1f %%, seven %.1f", 100*(meanNot/(clair-toldBest)-1), 100*(seven/(clair-toldBest)-1))
	t.Logf("foretold %.0f", foretold/float64(k))
	t.Logf("asked %d times, %v each", asked, took/time.Duration(asked))
	t.Logf("best %.0f, ours %.0f (%.1f %%), told %.1f %%, not %.1f %%, no history %.1f %%; median %.1f %% p90 %.1f %%; own mean %.1f %%",
		clair/float64(k), mine/float64(k), 100*(mine/clair-1), 100*(told/toldBest-1), 100*((mine-told)/(clair-toldBest)-1), 100*(none/noneBest-1),
		100*regrets[k/2], 100*regrets[k*9/10], 100*(mean/clair-1))
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
