package advice

import (
	"math"
	"testing"

	"github.com/tsuzuku/tsuzuku/internal/racetest"
)

// The ranges hold for travellers who are made otherwise than the model thinks,
// and a capped meter does not fool it.
func TestRangesHold(t *testing.T) {
	racetest.Skip(t)
	c := newCrowd(1)
	var learn, check, exam []truth
	for i, u := range c.trips(2500, testDay) {
		if i%3 == 0 {
			u = u.limit(2e9)
		}
		learn = append(learn, u)
	}
	check, exam = c.trips(1500, testDay+210), c.trips(1200, testDay+420)
	m, err := Fit(tripsOf(learn), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m, err = m.Calibrate(tripsOf(check)...); err != nil {
		t.Fatal(err)
	}
	var cover [3]float64
	var loss, simple, need float64
	for i, u := range exam {
		n := i % min(len(u.wanted), 12)
		past := u.upTo(n)
		if i%3 == 0 {
			past = u.limit(2e9).upTo(n)
		}
		f, err := m.Forecast(past, 0)
		if err != nil {
			t.Fatal(err)
		}
		came := float64(u.need(n))
		for j, r := range [3][2]int{{2, 4}, {1, 5}, {0, 6}} {
			cover[j] += inside(came, float64(f.Need.At[r[0]]), float64(f.Need.At[r[1]])) / float64(len(exam))
		}
		for l, p := range Levels {
			d := came - float64(f.Need.At[l])
			loss += 2 * max(p*d, (p-1)*d) / 7
		}
		simple += math.Abs(came - ownMeanNeed(past))
		need += came
	}
	for j, want := range [3]float64{0.5, 0.8, 0.95} {
		if slack := 4 * math.Sqrt(want*(1-want)/float64(len(exam))); math.Abs(cover[j]-want) > slack {
			t.Errorf("the %.0f %% range holds %.1f %% of what came", 100*want, 100*cover[j])
		}
	}
	t.Logf("cover %.3f, loss %.3f of the mean need, of a mean so far %.3f; scores %+v", cover, loss/need, simple/need, m.Scores)
	if loss > 0.7*simple {
		t.Errorf("loss %.3f, of someone who multiplies %.3f", loss/need, simple/need)
	}
}

// ownMeanNeed is what someone who multiplies the mean so far by the days left
// expects.
func ownMeanNeed(past Trip) float64 {
	days, mean := 6.0, 0.6e9
	if past.Told >= past.Today {
		days = float64(past.Told-past.Today) + 1
	}
	if n := len(past.Days); n > 0 {
		mean = 0
		for _, d := range past.Days {
			mean += float64(d.Bytes) / float64(n)
		}
	}
	return days * mean
}

// A new seller's ranges are wide, and not absurd.
func TestPriorIsWide(t *testing.T) {
	x := Trip{Segment: Segment{Group: "KR", Purpose: "leisure"}, Arrival: testDay, Today: testDay}
	f, err := Prior().Forecast(x, 3e9)
	if err != nil {
		t.Fatal(err)
	}
	lo, hi := f.Need.Most()
	if hi < 10*max(lo, 1) || hi > 60e9 || f.Basis.Trips != 0 || !f.Basis.Little() {
		t.Errorf("needs %d to %d, %+v", lo, hi, f.Basis)
	}
	us := x
	us.Segment.Group = "US"
	longer, err := Prior().Forecast(us, 3e9)
	if err != nil {
		t.Fatal(err)
	}
	if longer.LastDay.Median() <= f.LastDay.Median() {
		t.Errorf("from the US until %d, from Korea until %d", longer.LastDay.Median(), f.LastDay.Median())
	}
}

// A segment that was never seen borrows from those it shares a part with.
func TestUnseenSegmentsBorrow(t *testing.T) {
	m, _ := testModel(t)
	need := func(use string) int64 {
		f, err := m.Forecast(Trip{Segment: Segment{"nobody", "leisure", use}, Arrival: testDay, Today: testDay, Told: testDay + 4}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return f.Need.Median()
	}
	if phone, tether := need("phone"), need("tethering"); tether < phone*3/2 {
		t.Errorf("tethering %d, phone %d", tether, phone)
	}
}

// Adapting moves the ranges towards what comes, and not far by one trip.
func TestAdaptFollows(t *testing.T) {
	racetest.Skip(t)
	m, exam := testModel(t)
	more := m
	for _, u := range exam[:150] {
		x := u.Trip
		x.Days = append([]Day(nil), x.Days...)
		for i := range x.Days {
			x.Days[i].Bytes *= 30 // everyone suddenly uses much more
		}
		more = more.Adapt(x)
	}
	ask := Trip{Segment: exam[0].Segment, Arrival: testDay, Today: testDay, Told: testDay + 5}
	before, err1 := m.Forecast(ask, 0)
	after, err2 := more.Forecast(ask, 0)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if after.Need.Median() <= before.Need.Median() {
		t.Errorf("median before %d, after %d", before.Need.Median(), after.Need.Median())
	}
	one, err := m.Adapt(exam[0].Trip).Forecast(ask, 0)
	if err != nil || math.Abs(math.Log(float64(one.Need.Median())/float64(before.Need.Median()))) > 0.15 {
		t.Errorf("one trip moves the median from %d to %d", before.Need.Median(), one.Need.Median())
	}
}
