package advice

import "testing"

// What calibrates a forecast is the same question: what came lies among the
// futures of a moment where the forecast of that moment has it, and stands on as
// many days.
func TestRanksAreThoseOfForecasts(t *testing.T) {
	m, _ := testModel(t)
	raw := *m
	raw.ranges = ranges{}
	trips := tripsOf(newCrowd(5).trips(120, testDay+300))
	for i := range trips {
		if d := &trips[i].Days[0]; i%3 == 0 { // who lands in the evening and looks at nothing
			d.Bytes, d.Minutes, d.Capped = 0, 200, false
		}
	}
	const near = 0.002 // two of the futures
	others := 0
	for _, x := range raw.ranked(trips) {
		f, err := raw.Forecast(x.trip, 0)
		if err != nil {
			t.Fatal(err)
		}
		if x.days != f.Basis.Days {
			t.Errorf("%d days of %d, and the forecast stands on %d", x.days, len(x.trip.Days), f.Basis.Days)
		}
		if x.days != len(x.trip.Days) {
			others++
		}
		for i, p := range Levels {
			if at := float64(f.Need.At[i]); x.rank < p-near && x.need > at+1 || x.rank > p+near && x.need < at-1 {
				t.Errorf("%.0f lies at %.4f, and the forecast at %.3f is %.0f", x.need, x.rank, p, at)
			}
		}
	}
	if others == 0 {
		t.Error("every day can be used")
	}
}
