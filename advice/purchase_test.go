package advice

import (
	"slices"
	"testing"

	"github.com/tsuzuku/tsuzuku/fault"
)

func TestWhenPeopleAreAsked(t *testing.T) {
	const d = testDay
	week := Purchase{On: d, From: d, Days: 7}
	gb3 := Purchase{On: d, From: d, Days: 30, Volume: 3e9}
	for _, x := range []struct {
		name  string
		stay  int // each day of it brings 1 GB
		terms []Purchase
		want  []int // days after the arrival
	}{
		{"nobody knows", 3, nil, []int{1, 2}},
		{"the term ends in three days, then nothing runs", 9, []Purchase{week}, []int{4, 7, 8}},
		{"another waits", 9, []Purchase{week, {On: d + 2, From: d + 7, Days: 7}}, nil},
		{"another was bought the day before the end", 9, []Purchase{week, {On: d + 6, From: d + 7, Days: 7}}, []int{4}},
		{"a volume is used up, and nothing is bought", 6, []Purchase{gb3}, []int{3, 4, 5}},
		{"a volume is used up, and another is bought at once", 6, []Purchase{gb3, {On: d + 3, From: d + 3, Days: 30, Volume: 3e9}}, []int{3}},
		{"a volume is low once", 10, []Purchase{{On: d, From: d, Days: 30, Volume: 11e9}}, []int{9}},
		{"a short term is not announced", 4, []Purchase{{On: d, From: d, Days: 3}}, []int{3}},
	} {
		trip := Trip{Arrival: d, End: d + Date(x.stay) - 1, Today: d + Date(x.stay), Purchases: x.terms}
		for i := range x.stay {
			trip.Days = append(trip.Days, Day{Date: d + Date(i), Bytes: 1e9})
		}
		var got []int
		for _, day := range trip.later() {
			got = append(got, int(day-d))
		}
		if !slices.Equal(got, x.want) {
			t.Errorf("%s: asked on %v, want %v", x.name, got, x.want)
		}
	}
}

// People mostly come with a plan that fits their stay. Who came with a long one
// stays longer, as far as trips say so; what they tell counts more.
func TestPlanTellsOfTheStay(t *testing.T) {
	came := func(days int) []Purchase {
		return []Purchase{{On: testDay, From: testDay, Days: days, Chosen: true}}
	}
	var trips []Trip
	for i := range 400 {
		x := trip()
		stay, days := 4, 5
		if i%2 == 0 {
			stay, days = 13, 14
		}
		x.Purchases = came(days)
		for n := range stay {
			x.Days = append(x.Days, Day{Date: testDay + Date(n), Bytes: 5e8})
		}
		x.End, x.Today = testDay+Date(stay)-1, testDay+Date(stay)
		trips = append(trips, x)
	}
	learnt, err := Fit(trips, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ask := trip(Day{Date: testDay, Bytes: 5e8})
	last := func(m *Model, days int, told Date) int64 {
		x := ask
		x.Told = told
		if days > 0 {
			x.Purchases = came(days)
		}
		f, err := m.Forecast(x, 0)
		if err != nil {
			t.Fatal(err)
		}
		return f.LastDay.Median() - int64(testDay)
	}
	if short, long := last(learnt, 5, 0), last(learnt, 14, 0); short > 5 || long < 10 {
		t.Errorf("who came for 5 days leaves after %d, who came for 14 after %d", short, long)
	}
	if short, long := last(learnt, 5, testDay+8), last(learnt, 14, testDay+8); short != 8 || long != 8 {
		t.Errorf("told day 8, leave after %d and %d", short, long)
	}
	if short, long, none := last(Prior(), 5, 0), last(Prior(), 14, 0), last(Prior(), 0, 0); short != none || long != none {
		t.Errorf("without a trip to learn from, a plan says %d and %d, not %d", short, long, none)
	}
}

// What comes slowly once the day's cap is used up is no bound by chance: it tells
// less than as much at full speed.
func TestSlowBytesAreNoBound(t *testing.T) {
	m, _ := testModel(t)
	need := func(full int64) int64 {
		x := trip()
		for i := range 6 {
			x.Days = append(x.Days, Day{Date: testDay + Date(i), Bytes: 3e9, Capped: true, Full: full})
		}
		x.Today = testDay + 6
		x.Told = x.Today + 5
		f, err := m.Forecast(x, 0)
		if err != nil {
			t.Fatal(err)
		}
		return f.Need.Median()
	}
	if slow, fast := need(1e9), need(3e9); slow >= fast {
		t.Errorf("after a cap of 1 GB %d, after one of 3 GB %d", slow, fast)
	}
}

func TestPurchasesThatAreRefused(t *testing.T) {
	for name, p := range map[string]Purchase{
		"no days":          {On: testDay, From: testDay},
		"too many days":    {On: testDay, From: testDay, Days: MaxOfferDays + 1},
		"less than no":     {On: testDay, From: testDay, Days: 1, Volume: -1},
		"begins before it": {On: testDay, From: testDay - 1, Days: 3},
		"in the future":    {On: testDay + 1, From: testDay + 1, Days: 3},
	} {
		x := trip()
		x.Purchases = []Purchase{p}
		if _, err := Prior().Forecast(x, 0); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	x := trip(Day{Date: testDay, Bytes: 5, Full: 6})
	if _, err := Prior().Forecast(x, 0); fault.KindOf(err) != fault.Invalid {
		t.Errorf("more at full speed than at all: %v", err)
	}
}
