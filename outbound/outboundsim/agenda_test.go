package outboundsim_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// What falls due first is done first, whenever it was noted; what falls due together,
// as it was noted; and what is noted while something is done has its turn, too.
func TestAgendaKeepsOrder(t *testing.T) {
	var a outboundsim.Agenda
	begin := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	minute := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Minute) }
	var done []string
	note := func(n int, name string) {
		a.Note(minute(n), func(at time.Time) {
			if !at.Equal(minute(n)) {
				t.Errorf("%s was told %v", name, at)
			}
			done = append(done, name)
		})
	}
	note(3, "late")
	note(1, "first")
	note(2, "second")
	note(2, "third")
	a.Note(minute(1), func(time.Time) { note(2, "fourth"); note(0, "at once") })
	a.Do(minute(2))
	if want := []string{"first", "at once", "second", "third", "fourth"}; !slices.Equal(done, want) {
		t.Errorf("done: %v, want %v", done, want)
	}
	if at, ok := a.Next(); !ok || !at.Equal(minute(3)) {
		t.Errorf("next is %v, %v", at, ok)
	}
	a.Do(minute(3))
	if _, ok := a.Next(); ok || done[len(done)-1] != "late" {
		t.Errorf("at the end: %v", done)
	}
}
