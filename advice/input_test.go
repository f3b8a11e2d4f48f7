package advice

import (
	"encoding/json"
	"math"
	"reflect"
	"sync"
	"testing"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/racetest"
)

var testModelOnce = sync.OnceValues(func() (*Model, []truth) {
	c := newCrowd(11)
	m, err := Fit(tripsOf(c.trips(3000, testDay)), Options{Seed: 5})
	if err != nil {
		panic(err)
	}
	m, err = m.Calibrate(tripsOf(c.trips(600, testDay+210))...)
	if err != nil {
		panic(err)
	}
	return m, c.trips(300, testDay+420)
})

func testModel(testing.TB) (*Model, []truth) { return testModelOnce() }

func mustBuild(t testing.TB, m *Model, s Shop) *Tables {
	t.Helper()
	tables, err := Build(m, s)
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

func trip(days ...Day) Trip {
	t := Trip{Segment: Segment{Group: "KR", Purpose: "leisure"}, Arrival: testDay, Today: testDay, Days: days}
	if n := len(days); n > 0 {
		t.Today = days[n-1].Date + 1
	}
	return t
}

// sound fails for a forecast that has numbers without a basis.
func sound(t testing.TB, f Forecast, today Date) {
	t.Helper()
	rising := func(what string, q Quantiles, least int64) {
		for i, x := range q.At {
			if x < least || i > 0 && x < q.At[i-1] || x > math.MaxInt64/2 {
				t.Errorf("%s: %v", what, q.At)
				return
			}
		}
	}
	rising("need", f.Need, 0)
	rising("a day", f.PerDay, 0)
	rising("runs out", f.RunsOut, int64(today)-1)
	rising("last day", f.LastDay, int64(today)-1)
	var sum float64
	for _, p := range f.Ends {
		if !within(p, 0, 1) {
			t.Errorf("a probability of %v", p)
		}
		sum += p
	}
	if !within(sum, 0.999, 1.001) || !within(f.Lasts, 0, 1) {
		t.Errorf("ends sum to %v, lasts %v", sum, f.Lasts)
	}
}

func TestOddHistories(t *testing.T) {
	racetest.Skip(t)
	learnt, _ := testModel(t)
	zero := make([]Day, 20)
	huge := make([]Day, 20)
	for i := range zero {
		zero[i] = Day{Date: testDay + Date(i)}
		huge[i] = Day{Date: testDay + Date(i), Bytes: MaxBytesPerDay}
	}
	told := trip(Day{Date: testDay, Bytes: 1e9})
	told.Told = testDay - 30
	overdue := trip(zero...)
	overdue.Told = overdue.Today - 1
	far := trip()
	far.Told = far.Today + 700
	long := trip()
	long.Today += MaxTripDays
	away := trip(Day{Date: testDay, Bytes: 1e9})
	away.Today, away.Away = testDay+60, 59
	hole := trip(Day{Date: testDay, Bytes: 5e8}, Day{Date: testDay + 9, Bytes: 5e8})
	for name, x := range map[string]Trip{
		"empty": trip(), "one day": trip(Day{Date: testDay, Bytes: 7e8}), "all zero": trip(zero...), "absurd": trip(huge...),
		"told in the past": told, "overdue": overdue, "told far ahead": far, "here for years": long, "gone": away, "days missing": hole,
		"nobody": {Arrival: testDay, Today: testDay},
		"today":  {Arrival: testDay, Today: testDay, Days: []Day{{Date: testDay, Bytes: 3e9, Minutes: 600, Capped: true}}, MinutesLeft: 100},
	} {
		for _, m := range []*Model{Prior(), learnt} {
			t.Run(name, func(t *testing.T) {
				f, err := m.Forecast(x, 2e9)
				if err != nil {
					t.Fatal(err)
				}
				sound(t, f, x.Today)
				a, err := mustBuild(t, m, testShop()).Recommend(Question{Trip: x, Usual: 3})
				if err != nil {
					t.Fatal(err)
				}
				if a.Best.Cost < 0 || a.Best.Paid < 0 || a.Best.Price < 0 {
					t.Errorf("%+v", a)
				}
			})
		}
	}
}

func TestAbsenceMakesTheEndLikelier(t *testing.T) {
	m, _ := testModel(t)
	x := trip(Day{Date: testDay, Bytes: 1e9}, Day{Date: testDay + 1, Bytes: 1e9})
	x.Today += 3
	before := 1.1
	for away := range 4 {
		x.Away = away
		var e ends
		m.ends(&x, &e)
		here := 1 - e.gone
		if here >= before {
			t.Errorf("after %d days away still here with %.2f", away, here)
		}
		before = here
	}
	if before > 0.4 {
		t.Errorf("after three days still here with %.2f", before)
	}
}

func TestHistoriesThatAreRefused(t *testing.T) {
	ok := trip(Day{Date: testDay, Bytes: 1e9}, Day{Date: testDay + 1, Bytes: 1e9})
	for name, change := range map[string]func(*Trip){
		"future day":     func(x *Trip) { x.Days[1].Date = x.Today + 1 },
		"twice":          func(x *Trip) { x.Days[1].Date = x.Days[0].Date },
		"out of order":   func(x *Trip) { x.Days[0].Date, x.Days[1].Date = x.Days[1].Date, x.Days[0].Date },
		"before arrival": func(x *Trip) { x.Days[0].Date = x.Arrival - 1 },
		"negative":       func(x *Trip) { x.Days[0].Bytes = -1 },
		"too much":       func(x *Trip) { x.Days[0].Bytes = MaxBytesPerDay + 1 },
		"minutes":        func(x *Trip) { x.Days[0].Minutes = 1441 },
		"no today":       func(x *Trip) { x.Today = 0 },
		"no arrival":     func(x *Trip) { x.Arrival = 0 },
		"arrives later":  func(x *Trip) { x.Arrival = x.Today + 1 },
		"ends early":     func(x *Trip) { x.End = x.Arrival - 1 },
		"away":           func(x *Trip) { x.Away = -1 },
		"ages ago":       func(x *Trip) { x.Arrival = x.Today - MaxTripDays - 1 },
	} {
		x := ok
		x.Days = append([]Day(nil), ok.Days...)
		change(&x)
		_, err := Prior().Forecast(x, 0)
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
		if _, err = mustBuild(t, Prior(), testShop()).Recommend(Question{Trip: x}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
		if _, err = Fit([]Trip{x}, Options{}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: fitted: %v", name, err)
		}
	}
}

func TestShopsWithoutAnAnswer(t *testing.T) {
	forbidden := testShop()
	forbidden.Rules.NoTerms = true
	dear := testShop()
	dear.Rules.MinimumOrder = 1e6
	for name, s := range map[string]Shop{"nothing": {Costs: YenCosts()}, "forbidden": forbidden, "too dear": dear} {
		a, err := mustBuild(t, Prior(), s).Recommend(Question{Trip: trip()})
		if err != nil || a.Best.Action != NoOffer || a.Best.Steps.N != 0 || a.Carefree.Offer != -1 {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
		if said := a.Sentence(words("en")); said == "" {
			t.Errorf("%s: says nothing", name)
		}
	}
	bad := testShop()
	bad.Offers[0].Price = -5
	if _, err := Build(Prior(), bad); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a negative price: %v", err)
	}
}

// On the last day on which a line can be renewed, a pack is no way to go on: it
// leaves the line to its end. Where only packs are sold, nothing is forced.
func TestPackIsNoRenewal(t *testing.T) {
	s := Shop{Costs: YenCosts(), Rules: Rules{MustRunOn: true}, Offers: []Offer{
		{ID: "week", Kind: Term, Days: 7, Price: 1900, Service: Service{DailyCap: 2e9, ThrottleKbps: 384}},
		{ID: "speed", Kind: Pack, Until: true, Price: 10},
	}}
	q := Question{Trip: trip(Day{Date: testDay, Bytes: 8e8}, Day{Date: testDay + 1, Bytes: 9e8}, Day{Date: testDay + 2, Bytes: 8e8})}
	q.Trip.Told = q.Trip.Today + 5
	q.State.Running = Cover{Service: s.Offers[0].Service, Days: 1, Bytes: 16e8}
	a, err := mustBuild(t, Prior(), s).Recommend(q)
	if err != nil || a.Best.Action != Buy || a.Best.Steps.At[0].Offer != 0 || a.Close && a.Second.Steps.At[0].Offer != 0 {
		t.Errorf("%+v, %v", a.Best, err)
	}
	s.Offers = s.Offers[1:]
	s.Offers[0].Price = 5000
	if a, err = mustBuild(t, Prior(), s).Recommend(q); err != nil || a.Best.Action == Buy {
		t.Errorf("%+v, %v", a.Best, err)
	}
}

// What is stored and read back says the same to the last bit.
func TestModelReadsBack(t *testing.T) {
	m, exam := testModel(t)
	for _, m := range []*Model{m, Prior(), m.Adapt(exam[0].Trip)} {
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back Model
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(m.stored(), back.stored()) {
			t.Fatal("another model is read back")
		}
		for i, u := range exam[:40] {
			x := u.upTo(i % len(u.wanted))
			a, err1 := m.Forecast(x, 1e9)
			b, err2 := back.Forecast(x, 1e9)
			if err1 != nil || err2 != nil || !reflect.DeepEqual(a, b) {
				t.Fatalf("%v\n%v", a, b)
			}
		}
		if len(data) > 4<<20 {
			t.Errorf("%d bytes", len(data))
		}
	}
}

func TestDamagedModelsAreRefused(t *testing.T) {
	good, err := json.Marshal(Prior())
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(m map[string]any){
		"version": func(m map[string]any) { m["Version"] = 99 },
		"shape":   func(m map[string]any) { m["Use"].(map[string]any)["Shape"] = []float64{1} },
		"level":   func(m map[string]any) { m["Use"].(map[string]any)["All"].(map[string]any)["S2"] = -1 },
		"hazard":  func(m map[string]any) { m["Stay"].(map[string]any)["Base"].([]any)[3] = 7 },
		"moved":   func(m map[string]any) { m["Stay"].(map[string]any)["Moved"].([]any)[3] = 0.9 },
		"empty":   clearMap,
	} {
		var raw map[string]any
		if err := json.Unmarshal(good, &raw); err != nil {
			t.Fatal(err)
		}
		change(raw)
		data, err := json.Marshal(raw)
		if err != nil {
			t.Fatal(err)
		}
		var m Model
		if err := json.Unmarshal(data, &m); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func clearMap(m map[string]any) { clear(m) }
