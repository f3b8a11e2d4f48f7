package examination

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/advice"
)

// smallStore is a shop in which everything happens within a few days.
func smallStore(t *rapid.T, fewest int) *advice.Shop {
	kbps := rapid.SampledFrom([]int{0, 128})
	price := rapid.Int64Range(100, 3000)
	term := func(name string, days int, volume, daily int64) advice.Offer {
		return advice.Offer{ID: name, Kind: advice.Term, Days: days, Price: price.Draw(t, name), Service: advice.Service{
			Volume: volume, DailyCap: daily, ThrottleKbps: kbps.Draw(t, name+" kbps"),
		}}
	}
	offers := []advice.Offer{
		term("day", 1, 0, 0), term("capped", 3, 0, gb), term("volume", 3, 2*gb, 0), term("long", 5, 3*gb, 0),
		{ID: "pack", Kind: advice.Pack, Price: rapid.Int64Range(10, 300).Draw(t, "pack"), Service: advice.Service{Volume: gb}},
	}
	offers = offers[:rapid.IntRange(fewest, len(offers)).Draw(t, "offers")]
	return &advice.Shop{Version: "small", Offers: offers, Costs: advice.YenCosts(), Rules: advice.Rules{
		Mode: advice.Queue, WhenEmpty: advice.Replace,
	}}
}

func smallPath(t *rapid.T, most int) path {
	var p path
	for d := range rapid.IntRange(1, most).Draw(t, "days") {
		demand := rapid.Int64Range(0, 5).Draw(t, fmt.Sprint("day ", d)) * gb / 2
		p.counted = append(p.counted, demand)
		p.carefree = append(p.carefree, demand+demand/4)
	}
	return p
}

// everything tries whatever may be bought on every morning, up to two purchases
// each, on the simulator that charges all buyers.
func everything(p path, day int, l line, bought int) int64 {
	if day == p.days() {
		return 0
	}
	l.waiting = slices.Clone(l.waiting)
	after := l
	after.waiting = slices.Clone(l.waiting)
	demand := p.counted[day]
	if after.offer >= 0 {
		demand = p.wanted(day, after.service())
	}
	served, _ := after.live(demand)
	least := l.shop.Costs.Day(demand, served) + everything(p, day+1, after, 0)
	if bought == 2 {
		return least
	}
	for i := range l.shop.Offers {
		next := l
		next.waiting = slices.Clone(l.waiting)
		if _, cost, ok := next.buy(i); ok {
			least = min(least, cost+everything(p, day, next, bought+1))
		}
	}
	return least
}

// Nothing that anybody could buy is cheaper than what the clairvoyant does, and
// it can be done.
func TestClairvoyantIsOptimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shop := smallStore(t, 1)
		l := newLine(shop)
		if rapid.Bool().Draw(t, "running") {
			l.start(rapid.IntRange(0, min(len(shop.Offers), 4)-1).Draw(t, "offer"))
			l.days = rapid.IntRange(1, l.days).Draw(t, "days left")
			l.left = rapid.Int64Range(0, l.left/gb).Draw(t, "left") * gb
		}
		most := 4
		if len(shop.Offers) > 3 {
			most = 3 // everything is a lot
		}
		p := smallPath(t, most)
		want := everything(p, 0, l, 0)
		if got := newClairvoyant(shop, p).from(l); got != want {
			t.Fatalf("the clairvoyant pays %d, trying everything finds %d", got, want)
		}
	})
}

// The shop of the examination, without packs and with them, on true paths: what
// the clairvoyant says is never more than what any buyer pays, to whom it is
// compared; packs never make anything dearer.
func TestPacksOnlyHelp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := smallPath(t, 40)
		with, without := newClairvoyant(&withPacks().Shop, p), newClairvoyant(&terms().Shop, p)
		if with.rest[0] > without.rest[0] {
			t.Fatalf("%d with packs, %d without", with.rest[0], without.rest[0])
		}
	})
}

// A line serves what was wanted and no more, for as many days as were bought,
// and what it costs is what was bought and what fell short.
func TestLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shop := smallStore(t, 5)
		l := newLine(shop)
		var bought, full int64 // bytes of volumes and packs; bytes at full speed from them
		covered := 0
		for range rapid.IntRange(1, 25).Draw(t, "days") {
			if rapid.Bool().Draw(t, "buy") {
				i := rapid.IntRange(-1, len(shop.Offers)).Draw(t, "offer")
				before, renewed := l.state(), l.offer < 0 || l.used()
				price, cost, ok := l.buy(i)
				switch {
				case !ok && (price != 0 || cost != 0 || covers(&l) != before.Covered()):
					t.Fatal("a refused purchase did something")
				case ok && cost != price+shop.Costs.Hassle:
					t.Fatalf("it cost %d at a price of %d", cost, price)
				case ok && price != shop.Offers[i].Price:
					t.Fatalf("%d for what costs %d", price, shop.Offers[i].Price)
				case ok && shop.Offers[i].Kind == advice.Term:
					if want := shop.Offers[i].Days; renewed && len(before.Waiting) == 0 && l.days != want {
						t.Fatalf("%d days of %d", l.days, want)
					}
					if !renewed && covers(&l) != before.Covered()+shop.Offers[i].Days {
						t.Fatal("queued days are lost")
					}
				}
				if ok {
					bought += shop.Offers[i].Volume
				}
			}
			covered = covers(&l)
			running, left, days := l.offer, l.left, l.days
			demand := rapid.Int64Range(0, 30).Draw(t, "demand") * gb / 10
			served, meter := l.live(demand)
			checkDay(t, shop, running, left, demand, served, meter.Bytes, meter.Capped)
			if running >= 0 {
				if covers(&l) != covered-1 {
					t.Fatalf("%d days covered, then %d", covered, covers(&l))
				}
				used := served.Full // of a volume, or of packs
				if s := shop.Offers[running].Service; s.DailyCap > 0 {
					used = max(used-s.DailyCap, 0)
				} else if unlimited(s) {
					used = 0
				}
				full += used
				if l.days == days-1 && l.days > 0 && l.left != left-used {
					t.Fatalf("%d are left of %d after %d", l.left, left, used)
				}
			}
			if full > bought {
				t.Fatalf("%d bytes out of %d that were bought", full, bought)
			}
		}
	})
}

func checkDay(t *rapid.T, shop *advice.Shop, running int, left, demand int64, s advice.Served, metered int64, capped bool) {
	t.Helper()
	if s.Full+s.Slow+s.Missing != demand || min(s.Full, s.Slow, s.Missing) < 0 {
		t.Fatalf("%d wanted, served %+v", demand, s)
	}
	if running < 0 {
		if s.Missing != demand || metered != 0 {
			t.Fatalf("service without a period: %+v", s)
		}
		return
	}
	o := shop.Offers[running]
	most := demand
	switch {
	case o.Volume > 0:
		most = min(demand, left)
	case o.DailyCap > 0:
		most = min(demand, o.DailyCap+left)
	}
	if s.Full != most {
		t.Fatalf("%d at full speed, %d could be: %+v", s.Full, most, o)
	}
	if o.ThrottleKbps > 0 && s.Missing > 0 || o.ThrottleKbps == 0 && s.Slow > 0 {
		t.Fatalf("%+v of %+v", s, o)
	}
	if metered < s.Full || metered > demand || s.Full < demand && !capped {
		t.Fatalf("the meter shows %d (%v) of %+v", metered, capped, s)
	}
	if s.Full == demand && shop.Costs.Day(demand, s) != 0 {
		t.Fatal("a day that was served counts something")
	}
}

func covers(l *line) int {
	s := l.state()
	return s.Covered()
}
