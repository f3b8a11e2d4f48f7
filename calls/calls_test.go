package calls

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// However many looks wait, an order that comes finds the reserve.
func TestLooksLeaveTheReserve(t *testing.T) {
	o, c, clock := counted(one(8, time.Second))
	for range 20 {
		g, n := o.Looks(100)
		for range n {
			_, _ = o.Status(g.With(t.Context()), carrier.Profile{ID: "x"})
		}
		g.Return()
		if room := o.meter.room(*clock); room < 2 {
			t.Fatalf("room for %d", room)
		}
		*clock = clock.Add(turn / 4)
	}
	if len(c.asked) < 6*4 {
		t.Errorf("%d looks in 5 s, and 6 a second are allowed", len(c.asked))
	}
}

// An operator that takes more requests a second than may be under way is looked at,
// too.
func TestLooksOfAQuickOperator(t *testing.T) {
	b := one(1000, time.Second)
	b.AtOnce = 0
	o, _, _ := counted(b)
	if _, n := o.Looks(1); n != 1 {
		t.Errorf("%d looks, and nothing else is asked", n)
	}
}

// Looks are not forgotten while orders with days left fill every second: they get
// about a tenth. While the end of a line presses they get nothing.
func TestLooksGetATenth(t *testing.T) {
	for name, left := range map[string]time.Duration{"days": 72 * time.Hour, "seconds": 3 * time.Second} {
		o, _, clock := counted(one(10, time.Second))
		looks := 0
		for range 60 {
			var jobs []Job
			for range 40 {
				jobs = append(jobs, Job{Cost: 1, Waits: *clock, Dark: clock.Add(left)})
			}
			g, chosen := o.Plan(jobs, 0, 100)
			for range chosen {
				_, _ = o.Extend(g.With(t.Context()), carrier.Extension{})
			}
			g.Return()
			l, n := o.Looks(5)
			for range n {
				_, _ = o.Status(l.With(t.Context()), carrier.Profile{ID: "x"})
			}
			l.Return()
			looks += n
			*clock = clock.Add(turn)
		}
		switch {
		case left > time.Hour && (looks < 40 || looks > 60), left < time.Hour && looks != 0:
			t.Errorf("lines end in %s: %d looks in a minute of 600 calls", name, looks)
		}
	}
}

// Who pays now and could be served at once does not overtake those who wait.
func TestNobodyOvertakesTheQueue(t *testing.T) {
	o, c, clock := counted(one(2, time.Second))
	jobs := []Job{{ID: "a", Cost: 1}, {ID: "b", Cost: 1}, {ID: "c", Cost: 1}}
	g, chosen := o.Plan(jobs, 0, 20)
	if len(chosen) != 2 {
		t.Fatalf("%v chosen", chosen)
	}
	for range chosen {
		_, _ = o.Extend(g.With(t.Context()), carrier.Extension{})
	}
	g.Return()
	*clock = clock.Add(turn)
	if _, err := o.Extend(t.Context(), carrier.Extension{}); !errors.Is(err, carrier.ErrNotSent) || len(c.asked) != 2 {
		t.Errorf("%v, asked %d times", err, len(c.asked))
	}
	if _, err := o.LookUp(t.Context(), carrier.Extension{}); errors.Is(err, carrier.ErrNotSent) {
		t.Errorf("a question of staff: %v", err)
	}
	*clock = clock.Add(fresh)
	if _, err := o.Extend(t.Context(), carrier.Extension{}); err != nil {
		t.Errorf("nobody waits any more: %v", err)
	}
}

// LookUp is the counter's, too.
func (c *counter) LookUp(context.Context, carrier.Extension) (carrier.Reading, error) {
	return carrier.Reading{}, c.ask()
}

// A grant is spent once, is of one operator, and what is left of it comes back.
func TestGrants(t *testing.T) {
	o, _, clock := counted(one(4, time.Second))
	other, _, _ := counted(one(1, time.Second))
	g, chosen := o.Plan([]Job{{ID: "a", Cost: 3}}, 0, 20)
	if len(chosen) != 1 || o.meter.room(*clock) != 1 {
		t.Fatalf("%v chosen, room for %d", chosen, o.meter.room(*clock))
	}
	ctx := g.With(t.Context())
	if _, err := other.Extend(ctx, carrier.Extension{}); err != nil {
		t.Error(err)
	}
	if _, err := other.Extend(ctx, carrier.Extension{}); !errors.Is(err, carrier.ErrNotSent) {
		t.Errorf("another operator's grant was used: %v", err)
	}
	for i := range 4 { // three of the grant, and one for which there is room
		if _, err := o.Extend(ctx, carrier.Extension{}); err != nil {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if _, err := o.Extend(ctx, carrier.Extension{}); !errors.Is(err, carrier.ErrNotSent) {
		t.Errorf("a fifth: %v", err)
	}
	g.Return()
	*clock = clock.Add(time.Second)
	g, _ = o.Plan([]Job{{ID: "a", Cost: 3}}, 0, 20)
	g.Return()
	g.Return()
	if room := o.meter.room(*clock); room != 4 {
		t.Errorf("room for %d after it was given back", room)
	}
}

// Of one line no more is asked than its own rule says, whatever room there is.
func TestEachLineHasItsRule(t *testing.T) {
	b := one(100, time.Second)
	b.EachLine = []Rule{{2, time.Minute}}
	o, c, clock := counted(b)
	x, y := carrier.Profile{ID: "x"}, carrier.Profile{ID: "y"}
	for range 4 {
		_, _ = o.Status(t.Context(), x)
	}
	_, _ = o.Status(t.Context(), y)
	if len(c.asked) != 3 {
		t.Errorf("asked %d times", len(c.asked))
	}
	if at := o.LineRoom(x); at.Sub(*clock) != time.Minute || !o.LineRoom(y).IsZero() {
		t.Errorf("room at %v", at)
	}
	*clock = clock.Add(time.Minute)
	if _, err := o.Status(t.Context(), x); err != nil {
		t.Error(err)
	}
}

// A rule too small for one order's requests keeps its rate.
func TestSmallRulesAreWidened(t *testing.T) {
	o, _, _ := counted(Budget{Rules: []Rule{{1, time.Second}}, Costs: Costs{3, 1, 1, 1}})
	if r := o.Budget().Rules[0]; r != (Rule{4, 4 * time.Second}) {
		t.Errorf("%+v", r)
	}
}
