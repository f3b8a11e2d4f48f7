package advice

import (
	"testing"

	"github.com/tsuzuku/tsuzuku/fault"
)

// The picture says what the words say: half of the futures have used up an
// allowance by the end of the median day; what is left never grows.
func TestRemainingFitsTheForecast(t *testing.T) {
	m, exam := testModel(t)
	seen := 0
	for i, u := range exam[:60] {
		x := u.upTo(i % len(u.wanted))
		allowance := int64(1+i%7) * 5e8
		f, err := m.Forecast(x, allowance)
		if err != nil {
			t.Fatal(err)
		}
		left, err := m.Remaining(x, allowance, MaxRemaining)
		if err != nil || len(left) != MaxRemaining {
			t.Fatalf("%d days, %v", len(left), err)
		}
		empty := len(left)
		for day, q := range left {
			for j, n := range q.At {
				if n < 0 || n > allowance || j > 0 && n < q.At[j-1] || day > 0 && n > left[day-1].At[j] {
					t.Fatalf("day %d of an allowance of %d: %v", day, allowance, q.At)
				}
			}
			if q.Median() == 0 && day < empty {
				empty = day
			}
		}
		if out := int(f.RunsOut.Median()) - int(x.Today); f.RunsOut.Median() <= f.LastDay.At[0] {
			seen++
			if empty < out-1 || empty > out+1 {
				t.Errorf("runs out after %d days, and the picture is empty after %d", out, empty)
			}
		}
	}
	if seen < 5 {
		t.Errorf("only %d allowances run out", seen)
	}
	bad := exam[0].upTo(1)
	bad.Arrival = bad.Today + 1
	if _, err := m.Remaining(bad, 1e9, 5); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
	if none, err := m.Remaining(exam[0].upTo(0), 1e9, -3); err != nil || len(none) != 0 {
		t.Errorf("%v, %v", none, err)
	}
}

// Staff see what was decided: of all ways that were weighed the answer begins
// with one, and what is bought costs least.
func TestCandidatesShowTheAnswer(t *testing.T) {
	m, exam := testModel(t)
	tables := mustBuild(t, m, testShop())
	for i, u := range exam[:80] {
		q := Question{Trip: u.upTo(i % len(u.wanted)), Attitude: Attitudes[i%3]}
		if i%2 == 0 {
			q.State.Running = Cover{Service: Service{Volume: 5e9}, Days: 9, Bytes: int64(i) * 5e7}
		}
		a, err := tables.Recommend(q)
		if err != nil {
			t.Fatal(err)
		}
		all, err := tables.Candidates(q)
		if err != nil || len(all) == 0 || all[0].Action == Buy {
			t.Fatalf("%v, %v", all, err)
		}
		found := false
		for _, c := range all {
			found = found || c == a.Best
			if a.Best.Action == Buy && c.Action == Buy && c.Cost < a.Best.Cost {
				t.Errorf("%v costs %d, and %v at %d is recommended", c.Steps.All(), c.Cost, a.Best.Steps.All(), a.Best.Cost)
			}
		}
		if !found {
			t.Errorf("nobody sees where %+v comes from", a.Best)
		}
	}
}
