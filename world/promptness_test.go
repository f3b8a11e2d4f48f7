package world

import (
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/audit"
)

// A sign that has another name now would no longer be watched, and hardly anything
// would say so.
func TestWhatOursAloneNamesAreSigns(t *testing.T) {
	all := audit.Signs()
	for _, name := range oursAlone {
		if _, known := all[name]; !known {
			t.Errorf("the repairer has no sign %q", name)
		}
	}
}

func TestSleepCountsAsNaps(t *testing.T) {
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	woke := func(seconds ...int) (all []wake) {
		for _, s := range seconds {
			all = append(all, wake{at: at(s)})
		}
		return all
	}
	lost := woke(40, 60, 200, 260, 280)
	lost[1].lost, lost[3].lost = true, true
	for _, tt := range []struct {
		name  string
		woke  []wake
		found int
		want  time.Duration
	}{
		{"awake all the time", woke(49, 50, 51, 52, 53), 53, 3 * time.Second},
		{"found when it wakes", woke(20, 53, 60), 53, 3 * time.Second},
		{"found when it wakes after long", woke(20, 300), 300, nap},
		{"found at the third turn", woke(20, 52, 150, 300), 300, 2*time.Second + 2*nap},
		{"found by a process whose clock is ahead", woke(20, 52, 300), 301, 2*time.Second + nap + time.Second},
		{"two turns lost", lost, 280, 2*nap + 2*afterLost},
	} {
		if got := workedBetween(tt.woke, at(50), at(tt.found)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if got := workedBetween(woke(20, 320), at(310), at(300)); got != 0 {
		t.Errorf("found before it was true, by another clock: %s", got)
	}
}
