package renewal

import (
	"fmt"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/line"
)

// demo is read once: nothing here changes it.
var demo = catalogue.Demo()

// clock writes and reads instants on one operator's clock.
type clock struct{ *time.Location }

func zone(t testing.TB, name string) clock {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return clock{loc}
}

const clockLayout = "2006-01-02 15:04:05"

func (c clock) at(s string) time.Time {
	t, err := time.ParseInLocation(clockLayout, s, c.Location)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

// running is a line of a demo plan with one period. It is paid for in yen, its
// identity is checked, and nothing of its data was used.
func running(t testing.TB, plan, start, end string) Situation {
	t.Helper()
	p, ok := demo.Plan(plan)
	if !ok {
		t.Fatalf("no plan %s", plan)
	}
	c := clockOf(t, plan)
	l := line.Line{
		ID: "ln", Operator: p.Operator, Plan: plan, State: line.Active, Identity: true, Periods: 1,
		StartedAt: c.at(start), EndsAt: c.at(end),
		Usage: line.Usage{Unlimited: p.Kind != catalogue.Volume, Total: 5 << 30, AsOf: c.at(start)},
	}
	return Situation{
		Line: l, Catalogue: demo, Currency: "JPY",
		Periods: []line.Period{{Line: "ln", Number: 1, Plan: plan, StartsAt: l.StartedAt, EndsAt: l.EndsAt, State: line.PeriodActive}},
	}
}

func clockOf(t testing.TB, plan string) clock {
	t.Helper()
	p, _ := demo.Plan(plan)
	op, ok := demo.Operator(p.Operator)
	if !ok {
		t.Fatalf("no operator for %s", plan)
	}
	return zone(t, string(op.Zone))
}

// then buys terms one after the other at s.Now, and fails where that is refused.
func (s Situation) then(t testing.TB, terms ...string) Situation {
	t.Helper()
	for _, id := range terms {
		o, no := Decide(s, Item{Term, s.Line.Plan, id})
		if no != nil {
			t.Fatalf("%s is refused: %s", id, no.Rule)
		}
		s = s.after(o)
	}
	return s
}

// step is one instant of a table and what is wanted of it.
type step struct {
	name   string
	now    string // on the operator's clock
	item   string // a term, or "pack " and a pack
	change func(*Situation)
	want   string // see told
}

func (st step) decide(s Situation, c clock) (Offer, *Refusal) {
	s.Now = c.at(st.now)
	if st.change != nil {
		st.change(&s)
	}
	item := Item{Term, s.Line.Plan, st.item}
	if id, ok := cutPack(st.item); ok {
		item = Item{Pack, s.Line.Plan, id}
	}
	return Decide(s, item)
}

func cutPack(item string) (string, bool) {
	const prefix = "pack "
	if len(item) > len(prefix) && item[:len(prefix)] == prefix {
		return item[len(prefix):], true
	}
	return item, false
}

func walk(t *testing.T, s Situation, steps []step) {
	t.Helper()
	c := clockOf(t, s.Line.Plan)
	for _, st := range steps {
		t.Run(st.name, func(t *testing.T) {
			o, no := st.decide(s, c)
			if got := told(o, no, c); got != st.want {
				t.Errorf("at %s %s is\n got %s\nwant %s", st.now, st.item, got, st.want)
			}
		})
	}
}

// told is a decision in one line: the effect, from when to when, the price; or
// the rule, and its instant.
func told(o Offer, no *Refusal, c clock) string {
	on := func(t time.Time) string { return t.In(c.Location).Format(clockLayout) }
	switch {
	case no != nil && no.At.IsZero():
		return string(no.Rule)
	case no != nil:
		return fmt.Sprintf("%s %s", no.Rule, on(no.At))
	}
	return fmt.Sprintf("%s %s to %s, %s", o.Effect, on(o.StartsAt), on(o.EndsAt), o.Price)
}

// Changes of a situation.

func usedUp(s *Situation) { s.Line.Usage.Used = s.Line.Usage.Total }

func payBy(tool catalogue.Tool) func(*Situation) { return func(s *Situation) { s.Tool = tool } }

func unidentified(s *Situation) { s.Line.Identity = false }

func notActivated(s *Situation) {
	s.Line.StartedAt, s.Line.EndsAt, s.Line.State, s.Periods = time.Time{}, time.Time{}, line.New, nil
}

func inState(st line.State) func(*Situation) { return func(s *Situation) { s.Line.State = st } }
