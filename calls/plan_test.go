package calls

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/carrier"
)

var epoch = time.Date(2026, 3, 2, 14, 30, 0, 0, time.UTC)

// counter is an operator that notes when it was asked.
type counter struct {
	carrier.Carrier // nil: nothing else is called
	now             func() time.Time
	asked           []time.Time
	err             error
	takes           time.Duration
	clock           *time.Time
}

func (c *counter) Name() string                 { return "counter" }
func (c *counter) Abilities() carrier.Abilities { return carrier.Abilities{RatePerSecond: 2} }

func (c *counter) ask() error {
	c.asked = append(c.asked, c.now())
	*c.clock = c.clock.Add(c.takes)
	return c.err
}

func (c *counter) Extend(context.Context, carrier.Extension) (carrier.Receipt, error) {
	return carrier.Receipt{}, c.ask()
}

func (c *counter) Status(context.Context, carrier.Profile) (carrier.Status, error) {
	return carrier.Status{}, c.ask()
}

func (c *counter) Balance(context.Context) (carrier.Cost, error) { return carrier.Cost{}, c.ask() }

func counted(b Budget) (*Operator, *counter, *time.Time) {
	clock := epoch
	now := func() time.Time { return clock }
	c := &counter{now: now, clock: &clock}
	return New(c, b, now), c, &clock
}

// one is a budget in which everything is one request.
func one(most int, within time.Duration) Budget {
	return Budget{Rules: []Rule{{most, within}}, Costs: Costs{Extend: 1, LookUp: 1, Status: 1}, AtOnce: 1000}
}

// night is what comes to an operator.
type night struct {
	budget Budget
	tick   time.Duration
	jobs   []Job
	looks  []time.Time
}

func drawNight(t *rapid.T) night {
	n := night{
		budget: one(rapid.IntRange(1, 12).Draw(t, "most"), time.Duration(rapid.IntRange(1, 3).Draw(t, "within"))*time.Second),
		tick:   rapid.SampledFrom([]time.Duration{turn / 4, turn / 2, turn}).Draw(t, "tick"),
	}
	if rapid.Bool().Draw(t, "minute") {
		n.budget.Rules = append(n.budget.Rules, Rule{rapid.IntRange(5, 60).Draw(t, "a minute"), time.Minute})
	}
	seconds := rapid.IntRange(0, 60)
	for i := range rapid.IntRange(0, 80).Draw(t, "orders") {
		j := Job{ID: fmt.Sprintf("or_%03d", i), Cost: 1, Waits: epoch.Add(time.Duration(seconds.Draw(t, "comes")) * time.Second)}
		switch rapid.IntRange(0, 3).Draw(t, "line") {
		case 0: // days left
			j.Dark = j.Waits.Add(72 * time.Hour)
		case 1: // dark already
		default:
			j.Dark = j.Waits.Add(time.Duration(1+seconds.Draw(t, "left")) * time.Second)
		}
		n.jobs = append(n.jobs, j)
	}
	for range rapid.IntRange(0, 80).Draw(t, "looks") {
		n.looks = append(n.looks, epoch.Add(time.Duration(seconds.Draw(t, "look"))*time.Second))
	}
	return n
}

// done is when each job was begun, and how many lines went dark over it.
func (n night) dark(begun map[string]time.Time) (dark int) {
	for _, j := range n.jobs {
		if !j.Dark.IsZero() && !begun[j.ID].Before(j.Dark) {
			dark++
		}
	}
	return dark
}

// planned lets the plan work through a night.
func (n night) planned(t *rapid.T) (begun map[string]time.Time, asked []time.Time) {
	o, c, clock := counted(n.budget)
	begun = map[string]time.Time{}
	looks := slices.Clone(n.looks)
	slices.SortFunc(looks, time.Time.Compare)
	for tick := 0; len(begun) < len(n.jobs) || len(looks) > 0; tick++ {
		if tick > 100_000 {
			t.Fatalf("%d orders and %d looks are never begun", len(n.jobs)-len(begun), len(looks))
		}
		var due []Job
		for _, j := range n.jobs {
			if _, ok := begun[j.ID]; !ok && !j.Waits.After(*clock) {
				due = append(due, j)
			}
		}
		if len(due) > 0 {
			n.begin(t, o, due, begun)
		}
		waiting := 0
		for waiting < len(looks) && !looks[waiting].After(*clock) {
			waiting++
		}
		if waiting > 0 {
			g, given := o.Looks(waiting)
			for range given {
				if _, err := o.Status(g.With(t.Context()), carrier.Profile{ID: "x"}); err != nil {
					t.Fatal("a look that was granted: ", err)
				}
			}
			g.Return()
			if len(due) == 0 && given > 0 && !o.queue.waits(*clock) && o.meter.since(clock.Add(-o.budget.Rules[0].Within)) > o.budget.Rules[0].Most-o.budget.reserved() {
				t.Fatalf("looks have taken the reserve of %+v", o.budget)
			}
			looks = looks[given:]
		}
		*clock = clock.Add(n.tick)
	}
	if o.meter.promised != 0 || o.meter.underWay != 0 {
		t.Fatalf("%d promised and %d under way at the end", o.meter.promised, o.meter.underWay)
	}
	return begun, c.asked
}

func (n night) begin(t *rapid.T, o *Operator, due []Job, begun map[string]time.Time) {
	now := o.now()
	g, chosen := o.Plan(due, 0, len(due))
	for _, i := range chosen {
		if _, err := o.Extend(g.With(t.Context()), carrier.Extension{}); err != nil {
			t.Fatal("an order that was granted: ", err)
		}
		begun[due[i].ID] = now
	}
	g.Return()
	if !o.queue.pressed {
		return
	}
	for _, i := range chosen { // the earliest deadlines, of those that can still be kept
		for k, j := range due {
			if !slices.Contains(chosen, k) && j.Dark.After(now) && (!due[i].Dark.After(now) || j.Dark.Before(due[i].Dark)) {
				t.Fatalf("%+v was begun before %+v", due[i], j)
			}
		}
	}
}

// firstCome serves the same night, under the same rules, in the order of arrival.
func (n night) firstCome() map[string]time.Time {
	type asker struct {
		at time.Time
		id string // empty: a look
	}
	var line []asker
	for _, j := range n.jobs {
		line = append(line, asker{j.Waits, j.ID})
	}
	for _, l := range n.looks {
		line = append(line, asker{l, ""})
	}
	slices.SortStableFunc(line, func(a, b asker) int { return a.at.Compare(b.at) })
	begun := map[string]time.Time{}
	m := meter{rules: n.budget.Rules}
	for now := epoch; len(line) > 0; now = now.Add(n.tick) {
		for len(line) > 0 && !line[0].at.After(now) && m.room(now) > 0 {
			m.begin(now, 1)
			if line[0].id != "" {
				begun[line[0].id] = now
			}
			line = line[1:]
		}
	}
	return begun
}

// Whatever comes: no rule is broken, nobody waits for ever, the earliest deadline is
// first where it matters, the reserve is kept, and no more lines go dark than if the
// first who came had been served first.
func TestPlannedNights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := drawNight(t)
		begun, asked := n.planned(t)
		for _, r := range n.budget.Rules {
			for i := range asked {
				if k := i + r.Most; k < len(asked) && asked[k].Sub(asked[i]) < r.Within {
					t.Fatalf("%d calls within %v, and %d are allowed in %v", r.Most+1, asked[k].Sub(asked[i]), r.Most, r.Within)
				}
			}
		}
		if ours, theirs := n.dark(begun), n.dark(n.firstCome()); ours > theirs {
			t.Fatalf("%d lines went dark, and %d first come, first served", ours, theirs)
		}
	})
}
