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

func TestLostTurnsCountOnce(t *testing.T) {
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	for _, tt := range []struct {
		name string
		lost []time.Time
		want time.Duration
	}{
		{"none", nil, 0},
		{"one", []time.Time{at(100)}, time.Minute},
		{"one after the other", []time.Time{at(100), at(160)}, 2 * time.Minute},
		{"tried again and again while the database is away", []time.Time{at(100), at(115), at(130)}, 90 * time.Second},
		{"begun before it was true", []time.Time{at(20)}, 30 * time.Second},
		{"over before it was true", []time.Time{at(-20)}, 0},
		{"found meanwhile", []time.Time{at(280)}, 20 * time.Second},
		{"begun after it was found", []time.Time{at(400)}, 0},
	} {
		if got := leased(tt.lost, at(50), at(300)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
