package advice

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/internal/racetest"
)

// someDays draws a history of n days.
func someDays(t *rapid.T, n int) []Day {
	var days []Day
	for i := range n {
		d := Day{Date: testDay + Date(i), Bytes: rapid.Int64Range(0, 20e9).Draw(t, "bytes")}
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0:
			d.Bytes = 0
		case 1:
			d.Capped = true
		case 2:
			d.Minutes = rapid.IntRange(1, 1440).Draw(t, "minutes")
		}
		days = append(days, d)
	}
	return days
}

func someTrip(t *rapid.T) Trip {
	n := rapid.IntRange(0, 40).Draw(t, "days")
	x := Trip{
		Segment: Segment{
			Group:   rapid.SampledFrom([]string{"KR", "US", "nobody"}).Draw(t, "group"),
			Purpose: rapid.SampledFrom([]string{"leisure", "study", ""}).Draw(t, "purpose"),
			Use:     rapid.SampledFrom([]string{"phone", "tethering"}).Draw(t, "use"),
		},
		Arrival: testDay, Today: testDay + Date(n), Days: someDays(t, n),
		Away: rapid.IntRange(0, 3).Draw(t, "away"), MinutesLeft: rapid.SampledFrom([]int{0, 0, 300}).Draw(t, "left"),
	}
	if rapid.Bool().Draw(t, "told") {
		x.Told = x.Today + Date(rapid.IntRange(-5, 200).Draw(t, "until"))
	}
	return x
}

func someService(t *rapid.T) Service {
	switch rapid.IntRange(0, 3).Draw(t, "service") {
	case 0:
		return Service{}
	case 1:
		return Service{DailyCap: rapid.Int64Range(1e8, 5e9).Draw(t, "cap"), ThrottleKbps: rapid.SampledFrom([]int{0, 128}).Draw(t, "kbps")}
	}
	return Service{Volume: rapid.Int64Range(1e8, 50e9).Draw(t, "volume"), ThrottleKbps: rapid.SampledFrom([]int{0, 128}).Draw(t, "kbps")}
}

func someShop(t *rapid.T) Shop {
	s := Shop{Costs: YenCosts(), Rules: Rules{
		Mode:         rapid.SampledFrom([]Mode{"", Queue, Extend, Replace, Parallel}).Draw(t, "mode"),
		WhenEmpty:    rapid.SampledFrom([]Mode{"", Queue, Replace}).Draw(t, "empty"),
		MustRunOn:    rapid.Bool().Draw(t, "must run on"),
		NeedsData:    rapid.Bool().Draw(t, "needs data"),
		OpensDays:    rapid.SampledFrom([]int{0, 0, 3, 15}).Draw(t, "opens"),
		ClosesDays:   rapid.SampledFrom([]int{0, 0, 1}).Draw(t, "closes"),
		StackPeriods: rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "stack"),
		AheadDays:    rapid.SampledFrom([]int{0, 0, 10, 60}).Draw(t, "ahead"),
		MinimumOrder: rapid.SampledFrom([]int64{0, 0, 1000}).Draw(t, "order"),
		MinimumSpend: rapid.SampledFrom([]int64{0, 0, 3000}).Draw(t, "spend"),
		NoTerms:      rapid.IntRange(0, 9).Draw(t, "no terms") == 0,
	}}
	for i := range rapid.IntRange(0, 8).Draw(t, "offers") {
		o := Offer{
			ID: string(rune('a' + i)), Kind: Term, Days: rapid.SampledFrom([]int{1, 3, 7, 15, 30, 365}).Draw(t, "term"),
			Service: someService(t), Price: rapid.Int64Range(0, 9000).Draw(t, "price"), Fee: rapid.SampledFrom([]int64{0, 50}).Draw(t, "fee"),
		}
		if rapid.IntRange(0, 5).Draw(t, "pack") == 0 {
			o.Kind, o.Days, o.Service = Pack, 0, Service{Volume: 1e9}
		}
		s.Offers = append(s.Offers, o)
	}
	return s
}

func someState(t *rapid.T) (s State) {
	if rapid.Bool().Draw(t, "idle") {
		return s
	}
	cover := func() Cover {
		v := someService(t)
		c := Cover{Service: v, Days: rapid.IntRange(1, 30).Draw(t, "days left"), Bytes: max(v.Volume, v.DailyCap)}
		return c
	}
	s.Running = cover()
	s.Running.Bytes = rapid.Int64Range(0, s.Running.Bytes).Draw(t, "bytes left")
	for range rapid.IntRange(0, 2).Draw(t, "waiting") {
		s.Waiting = append(s.Waiting, cover())
	}
	return s
}

// Whatever is asked about whatever shop: no panic, no number without a basis,
// the same answer twice, and nothing that the policy refuses.
func TestAdviceKeepsThePolicy(t *testing.T) {
	racetest.Skip(t)
	m, _ := testModel(t)
	rapid.Check(t, func(t *rapid.T) {
		shop := someShop(t)
		tables, err := Build(m, shop)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			q := Question{
				Trip: someTrip(t), State: someState(t), Attitude: rapid.SampledFrom(append(Attitudes, "")).Draw(t, "attitude"),
				Usual: rapid.IntRange(0, len(shop.Offers)).Draw(t, "usual"), Wallet: rapid.SampledFrom([]int64{0, 5000}).Draw(t, "wallet"),
			}
			a, err := tables.Recommend(q)
			if err != nil {
				t.Fatal(err)
			}
			again, _ := tables.Recommend(q)
			if a != again {
				t.Fatalf("twice asked, twice another answer:\n%+v\n%+v", a, again)
			}
			answerIsSound(t, shop, q, &a)
		}
	})
}

func answerIsSound(t *rapid.T, shop Shop, q Question, a *Advice) {
	for i, s := range a.Best.Steps.All() {
		o := shop.Offers[s.Offer]
		switch {
		case s.On < q.Trip.Today:
			t.Fatalf("step %d lies in the past", i)
		case i == 0 && a.Best.Action == Buy && (s.On != q.Trip.Today || !shop.Rules.Allows(o, q.State)):
			t.Fatalf("the policy refuses %+v", o)
		case (i > 0 || a.Best.Action != Buy) && !shop.Rules.Allows(o, State{}):
			t.Fatalf("the policy would refuse %+v later", o)
		}
	}
	switch {
	case (a.Best.Action == Buy) != (a.Best.First > 0 || a.Best.Steps.N > 0 && a.Best.Steps.At[0].On == q.Trip.Today && a.Best.Action == Buy):
		t.Fatalf("%+v", a.Best)
	case !within(a.Best.Enough, 0, 1.0001) || !within(a.Best.Lasts, 0, 1.0001) || !within(a.Sure, 0, 1.0001):
		t.Fatalf("no probabilities: %+v", a)
	case a.Best.Cost < 0 || a.Best.Paid < 0 || a.Best.Paid > a.Best.Cost+2:
		t.Fatalf("costs %d, of which %d are paid", a.Best.Cost, a.Best.Paid)
	case a.Best.Action == NoOffer && a.Best.Steps.N > 0:
		t.Fatal("nothing is on sale, and there are steps")
	case a.Numbers.NeedLow > a.Numbers.NeedHigh || a.Numbers.NeedLow < 0:
		t.Fatalf("%+v", a.Numbers)
	}
	for _, l := range []Words{words("en"), words("ja")} {
		if a.Sentence(l) == "" {
			t.Fatal("nothing is said")
		}
	}
}

// What becomes cheaper is not advised less: an offer that was best stays so.
func TestCheaperIsNotWorse(t *testing.T) {
	racetest.Skip(t)
	m, _ := testModel(t)
	rapid.Check(t, func(t *rapid.T) {
		shop := someShop(t)
		shop.Rules.MinimumOrder, shop.Rules.MinimumSpend = 0, 0 // which make a lower price worse
		q := Question{Trip: someTrip(t)}
		before, err := mustBuildR(t, m, shop).Recommend(q)
		if err != nil {
			t.Fatal(err)
		}
		if before.Best.Action != Buy {
			return
		}
		at := before.Best.Steps.At[0].Offer
		shop.Offers[at].Price = shop.Offers[at].Price * int64(rapid.IntRange(0, 99).Draw(t, "percent")) / 100
		after, err := mustBuildR(t, m, shop).Recommend(q)
		if err != nil {
			t.Fatal(err)
		}
		if after.Best.Cost > before.Best.Cost+1 {
			t.Fatalf("cheaper, and it costs %d, not %d", after.Best.Cost, before.Best.Cost)
		}
	})
}

func mustBuildR(t *rapid.T, m *Model, s Shop) *Tables {
	tables, err := Build(m, s)
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// The more a traveller minds to run out, the less the advice lets them; and never
// is the dearest advised where something cheaper is as good.
func TestTheDearestIsNotTheDefault(t *testing.T) {
	m, exam := testModel(t)
	shop := testShop()
	twin := shop.Offers[3]
	twin.ID, twin.Price = "the same, dearer", twin.Price+500
	shop.Offers = append(shop.Offers, twin)
	tables := mustBuild(t, m, shop)
	enough := map[Attitude]float64{}
	for i, u := range exam {
		for _, mind := range Attitudes {
			a, err := tables.Recommend(Question{Trip: u.upTo(i % len(u.wanted)), Attitude: mind})
			if err != nil {
				t.Fatal(err)
			}
			enough[mind] += a.Best.Lasts
			if a.Best.Steps.N > 0 && a.Best.Steps.At[0].Offer == len(shop.Offers)-1 || a.Second.Steps.N > 0 && a.Second.Steps.At[0].Offer == len(shop.Offers)-1 {
				t.Fatal("the dearer of two equals")
			}
		}
	}
	if !(enough[Cheapest] < enough[Balanced] && enough[Balanced] < enough[Carefree]) {
		t.Errorf("minding more does not make it safer: %v", enough)
	}
}

// With more history of an even traveller, the range of the same need narrows.
func TestHistoryNarrowsTheRange(t *testing.T) {
	m, _ := testModel(t)
	width := func(n int) float64 {
		x := Trip{Segment: Segment{"US", "leisure", "phone"}, Arrival: testDay, Today: testDay + 20, Told: testDay + 25}
		for i := 20 - n; i < 20; i++ {
			x.Days = append(x.Days, Day{Date: testDay + Date(i), Bytes: 4e8 + int64(i%3)*1e8})
		}
		f, err := m.Forecast(x, 0)
		if err != nil {
			t.Fatal(err)
		}
		lo, hi := f.PerDay.Most()
		return float64(hi) / float64(max(lo, 1))
	}
	for _, n := range []int{2, 5, 10, 18} {
		if a, b := width(0), width(n); b > 1.05*a {
			t.Errorf("with %d days the range is %.1f wide, without %.1f", n, b, a)
		}
	}
}

// A day that was cut off tells of more use, not of less.
func TestCappedDaysTellOfMore(t *testing.T) {
	m, _ := testModel(t)
	need := func(capped bool) int64 {
		x := Trip{Segment: Segment{"US", "leisure", "phone"}, Arrival: testDay, Today: testDay + 6, Told: testDay + 9}
		for i := range 6 {
			x.Days = append(x.Days, Day{Date: testDay + Date(i), Bytes: 1e9, Capped: capped})
		}
		f, err := m.Forecast(x, 0)
		if err != nil {
			t.Fatal(err)
		}
		return f.Need.Median()
	}
	if open, cut := need(false), need(true); cut < open*3/2 {
		t.Errorf("cut off %d, not cut off %d", cut, open)
	}
}

// Whoever changes their ways is told since when.
func TestChangeIsSeen(t *testing.T) {
	m, _ := testModel(t)
	x := Trip{Segment: Segment{"US", "leisure", "phone"}, Arrival: testDay, Today: testDay + 14, Told: testDay + 18}
	for i := range 14 {
		d := Day{Date: testDay + Date(i), Bytes: 2e7 + int64(i%3)*1e7}
		if i >= 10 {
			d.Bytes = 4e9
		}
		x.Days = append(x.Days, d)
	}
	f, err := m.Forecast(x, 0)
	if err != nil {
		t.Fatal(err)
	}
	if f.Basis.Changed != testDay+10 || f.Basis.ChangeFactor < 5 {
		t.Errorf("%+v", f.Basis)
	}
}

func FuzzModel(f *testing.F) {
	good, err := Prior().MarshalJSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m Model
		if m.UnmarshalJSON(data) != nil {
			return
		}
		fc, err := m.Forecast(trip(Day{Date: testDay, Bytes: 1e9}), 1e9)
		if err != nil {
			t.Fatal(err)
		}
		sound(t, fc, testDay+1)
	})
}

func FuzzForecast(f *testing.F) {
	f.Add(int64(1e9), 600, true, 3, 5, 0)
	f.Add(int64(-1), 0, false, 0, -5, 2)
	m := Prior()
	f.Fuzz(func(t *testing.T, bytes int64, minutes int, capped bool, days, told, away int) {
		x := Trip{Arrival: testDay, Today: testDay + Date(int32(days)), Told: testDay + Date(int32(told)), Away: away}
		for i := range min(max(days, 0), 50) {
			x.Days = append(x.Days, Day{Date: testDay + Date(i), Bytes: bytes >> (i % 7), Minutes: minutes, Capped: capped})
		}
		fc, err := m.Forecast(x, bytes)
		if err == nil {
			sound(t, fc, x.Today)
		}
	})
}
