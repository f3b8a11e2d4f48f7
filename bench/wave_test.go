package bench

import (
	"bytes"
	"testing"

	"github.com/tsuzuku/tsuzuku/fault"
)

// A night in which the plan keeps lines from going dark that the order of arrival
// does not.
func TestWave(t *testing.T) {
	r, err := Wave(t.Context(), WaveOptions{Lines: 700, RPS: 1, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	if r.Orders < 150 || r.Others != 70 || r.Dark >= r.DarkFirstCome || r.DarkFirstCome == 0 || r.Looks == 0 || r.P99 < r.P50 {
		t.Errorf("%+v", r)
	}
	if most := 2 * 3600 * r.RPS; r.Calls > most || r.CallsFirstCome > most {
		t.Errorf("%d and %d calls in two hours", r.Calls, r.CallsFirstCome)
	}
}

// The same seed gives the same night.
func TestWaveIsDrawnBySeed(t *testing.T) {
	var nights [2]bytes.Buffer
	for i := range nights {
		r, err := Wave(t.Context(), WaveOptions{Lines: 40, RPS: 1, Seed: 7})
		if err != nil {
			t.Fatal(err)
		}
		var people bytes.Buffer
		if err := r.Report(&nights[i], &people); err != nil {
			t.Fatal(err)
		}
	}
	if nights[0].String() != nights[1].String() {
		t.Errorf("the same night twice:\n%s%s", &nights[0], &nights[1])
	}
	for _, o := range []WaveOptions{{Lines: 0, RPS: 1}, {Lines: 1, RPS: 0}, {Lines: linesMost + 1, RPS: 1}} {
		if _, err := Wave(t.Context(), o); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
