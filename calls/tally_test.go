package calls

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// Every call counts once, under what came of it; what was turned away here takes no
// time.
func TestTallies(t *testing.T) {
	o, c, clock := counted(one(6, time.Second))
	extend := func(err error, ctx context.Context) {
		c.err = err
		_, _ = o.Extend(ctx, carrier.Extension{})
	}
	left, leave := context.WithCancel(t.Context())
	leave()
	c.takes = 2 * time.Millisecond
	extend(nil, t.Context())
	extend(errNo, t.Context())
	extend(errAway, left)
	for range 4 {
		extend(errSilent, t.Context()) // for the last the second has no room
	}
	*clock = clock.Add(time.Second)
	extend(errSilent, t.Context())
	extend(errSilent, t.Context())
	_, _ = o.Balance(t.Context()) // braked

	got := map[Call]map[Outcome]int64{}
	for _, tally := range o.Tallies() {
		got[tally.Call] = tally.Outcomes
		count := tally.Took.Samples()[11].Value.String()
		if want := map[Call]string{CallExtend: "8", CallBalance: "0"}[tally.Call]; count != want {
			t.Errorf("%s: %s were timed, want %s", tally.Call, count, want)
		}
	}
	want := map[Call]map[Outcome]int64{
		CallExtend:  {Done: 1, Refused: 1, CallerLeft: 1, Silent: 5, NoRoom: 1},
		CallBalance: {LeftAlone: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Whoever listens hears of each release once; a question without an answer, and an
// operator that was well, ring nothing.
func TestReleaseRings(t *testing.T) {
	o, c, clock := braked(t)
	rang := func() bool {
		select {
		case <-o.Released():
			return true
		default:
			return false
		}
	}
	*clock = clock.Add(shortest)
	if o.Probe(t.Context()); rang() {
		t.Error("rang for a question without an answer")
	}
	for range 2 {
		*clock = clock.Add(longest)
		c.err = nil
		if o.Probe(t.Context()); !rang() || rang() {
			t.Error("a release rings once")
		}
		_, _ = o.Balance(t.Context())
		if rang() {
			t.Error("rang for one that was well")
		}
		c.err = errSilent
		for range silentFrom {
			_, _ = o.Extend(t.Context(), carrier.Extension{})
		}
		if o.Look().State != Braked || rang() {
			t.Error("rang when it was braked")
		}
	}
	// Nobody has listened for two releases: one ring is left, and nothing has waited.
	for range 2 {
		*clock = clock.Add(longest)
		c.err = nil
		o.Probe(t.Context())
		c.err = errSilent
		for range silentFrom {
			_, _ = o.Extend(t.Context(), carrier.Extension{})
		}
	}
	if !rang() || rang() {
		t.Error("of two releases one ring is left")
	}
}
