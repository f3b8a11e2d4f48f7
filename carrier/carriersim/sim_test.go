package carriersim_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/carrier/carriertest"
)

var noon = time.Date(2031, 5, 4, 12, 0, 0, 0, time.UTC)

// clock is a bench's clock. meanwhile, once, is called when the operator has
// just read it.
type clock struct {
	mu        sync.Mutex
	now       time.Time
	meanwhile func()
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// operators is the clock as the operator reads it.
func (c *clock) operators() time.Time {
	c.mu.Lock()
	now, f := c.now, c.meanwhile
	c.meanwhile = nil
	c.mu.Unlock()
	if f != nil {
		f()
	}
	return now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// deaf is the simulator whose next reading, if armed, goes unanswered.
type deaf struct {
	*carriersim.Sim
	mu    sync.Mutex
	armed bool
}

func (d *deaf) arm() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed = true
	d.Silence(true)
}

func (d *deaf) heard() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.armed {
		d.armed = false
		d.Silence(false)
	}
}

func (d *deaf) Prepare(ctx context.Context, e carrier.Extension) (carrier.Snapshot, error) {
	defer d.heard()
	return d.Sim.Prepare(ctx, e)
}

func (d *deaf) LookUp(ctx context.Context, e carrier.Extension) (carrier.Reading, error) {
	defer d.heard()
	return d.Sim.LookUp(ctx, e)
}

func (d *deaf) Status(ctx context.Context, p carrier.Profile) (carrier.Status, error) {
	defer d.heard()
	return d.Sim.Status(ctx, p)
}

func (d *deaf) Packages(ctx context.Context, p carrier.Profile) ([]carrier.Package, error) {
	defer d.heard()
	return d.Sim.Packages(ctx, p)
}

func (d *deaf) Balance(ctx context.Context) (carrier.Cost, error) {
	defer d.heard()
	return d.Sim.Balance(ctx)
}

func (d *deaf) Withdrawal(ctx context.Context, p carrier.Purchase, profile carrier.Profile) (carrier.Withdrawal, error) {
	defer d.heard()
	return d.Sim.Withdrawal(ctx, p, profile)
}

func (d *deaf) Withdraw(ctx context.Context, p carrier.Purchase, profile carrier.Profile) error {
	defer d.heard()
	return d.Sim.Withdraw(ctx, p, profile)
}

// The simulator keeps every promise of a carrier that can be put to it.
func TestConformance(t *testing.T) {
	for _, making := range []time.Duration{0, 10 * time.Second} {
		t.Run("making="+making.String(), func(t *testing.T) { conforms(t, making) })
	}
}

func conforms(t *testing.T, making time.Duration) {
	carriertest.Run(t, func(t *testing.T) carriertest.Bench {
		c := &clock{now: noon}
		var mu sync.Mutex
		next := carriersim.None
		fate := func() carriersim.Fault {
			mu.Lock()
			defer mu.Unlock()
			f := next
			next = carriersim.None
			return f
		}
		sim := &deaf{Sim: &carriersim.Sim{
			Now: c.operators, Making: making,
			Sells: []carrier.Package{{
				Code: "week", Days: 7, TopUp: true, New: true, Cost: carrier.Cost{Units: 150, Scale: 100, Currency: "USD"}, AsOfDate: noon,
			}},
			Choose:      func(carrier.Extension) carriersim.Fault { return fate() },
			ChooseIssue: func(carrier.Purchase) carriersim.Fault { return fate() },
		}}
		arrange := func(f carriersim.Fault) func() {
			return func() { mu.Lock(); defer mu.Unlock(); next = f }
		}
		for _, id := range []string{"a", "b", "c"} {
			sim.Set(id, carrier.Status{State: carrier.LineActive, StartsAt: noon.Add(-time.Hour), EndsAt: noon.Add(time.Hour), Total: 10, Used: 3, AsOf: noon})
		}
		sim.Set("ended", carrier.Status{State: carrier.LineIsOver, StartsAt: noon.AddDate(-2, 0, 0), EndsAt: noon.AddDate(-1, 0, -1), AsOf: noon})
		return carriertest.Bench{
			Carrier: sim, Profile: carrier.Profile{ID: "a"}, Package: "week", NewPackage: "week",
			Ended: carrier.Profile{ID: "ended"}, Others: []carrier.Profile{{ID: "b"}, {ID: "c"}},
			Now: c.Now, Advance: c.Advance,
			RefuseNext: arrange(carriersim.NotSent), BusyNext: arrange(carriersim.NotSent),
			LoseNextRequest: arrange(carriersim.LoseRequest), LoseNextAnswer: arrange(carriersim.LoseAnswer),
			BreakNext: arrange(carriersim.LoseAnswer), GarbleNext: arrange(carriersim.LoseAnswer),
			NextActsLater: arrange(carriersim.ActLater), DeliverLate: func() { sim.Deliver() },
			LoseNextReading: sim.arm,
			MeanwhileNext:   func(f func()) { c.mu.Lock(); defer c.mu.Unlock(); c.meanwhile = f },
			ByHand: func() {
				if _, err := sim.Extend(t.Context(), carrier.Extension{Ref: "by_hand", Profile: carrier.Profile{ID: "a"}, Package: "week"}); err != nil {
					t.Error(err)
				}
			},
			Extensions:   func() int { return sim.Extensions("a") - sim.Extended("by_hand") },
			FinishMaking: func() { c.Advance(making) },
			Profiles: func() (n int) {
				for _, ref := range sim.Sold() {
					n += sim.Issues(ref)
				}
				return n
			},
			Install:     func(i carrier.Issued) { sim.Use(i.Profile.ID, time.Time{}, 10) },
			TakenBack:   sim.TakenBack,
			StumbleNext: arrange(carriersim.LoseAnswer),
		}
	})
}

func kind(err error) string {
	no, refused := errors.AsType[*carrier.Refusal](err)
	switch {
	case refused:
		return string(no.Reason)
	case errors.Is(err, carrier.ErrUnknown):
		return "unknown"
	case errors.Is(err, carrier.ErrNotSent):
		return "not sent"
	case err != nil:
		return err.Error()
	}
	return ""
}

func extension(ref string) carrier.Extension {
	return carrier.Extension{Ref: ref, Profile: carrier.Profile{ID: "a"}, Package: "any", AskedAt: noon}
}

// What each fault makes of an extension, and what the caller hears.
func TestFaults(t *testing.T) {
	tests := map[carriersim.Fault]struct {
		hears     string
		at, later int // how often it is carried out, at once and at Deliver
	}{
		carriersim.None:        {"", 1, 0},
		carriersim.Refuse:      {"operator_refuses", 0, 0},
		carriersim.NotSent:     {"not sent", 0, 0},
		carriersim.LoseRequest: {"unknown", 0, 0},
		carriersim.LoseAnswer:  {"unknown", 1, 0},
		carriersim.ActLater:    {"unknown", 0, 1},
	}
	for _, f := range append([]carriersim.Fault{carriersim.None}, carriersim.Faults...) {
		want, known := tests[f]
		if !known {
			t.Errorf("%s: nobody says what it does", f)
			continue
		}
		seen := -1
		s := &carriersim.Sim{Now: func() time.Time { return noon }, Choose: func(carrier.Extension) carriersim.Fault { return f }}
		s.Meanwhile = func(e carrier.Extension) { seen = s.Extended(e.Ref) }
		if _, err := s.Extend(t.Context(), extension("r")); kind(err) != want.hears {
			t.Errorf("%q: heard %v, want %q", f, err, want.hears)
		}
		if got := s.Extended("r"); got != want.at || seen != want.at || s.Asked("r") != 1 {
			t.Errorf("%q: extended %d times, %d meanwhile, asked %d; want %d, %d, 1", f, got, seen, s.Asked("r"), want.at, want.at)
		}
		if got := s.Deliver(); got != want.later || s.Extended("r") != want.at+want.later || s.Deliver() != 0 {
			t.Errorf("%q: %d delivered, extended %d times", f, got, s.Extended("r"))
		}
	}
}

// An operator that is asked twice acts twice, and everybody who counts sees it.
func TestAskedTwiceActsTwice(t *testing.T) {
	s := &carriersim.Sim{Now: func() time.Time { return noon }}
	for range 3 {
		if _, err := s.Extend(t.Context(), extension("r")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Extend(t.Context(), extension("r2")); err != nil {
		t.Fatal(err)
	}
	if s.Extended("r") != 3 || s.Extended("r2") != 1 || s.Asked("r") != 3 || s.Extensions("a") != 4 || s.Extensions("b") != 0 {
		t.Errorf("extended %d and %d times, asked %d, the line %d times", s.Extended("r"), s.Extended("r2"), s.Asked("r"), s.Extensions("a"))
	}
	if diff := cmp.Diff([]string{"r", "r#2", "r#3", "r2"}, s.Refs()); diff != "" {
		t.Error(diff)
	}
}

func TestCancel(t *testing.T) {
	s := &carriersim.Sim{Now: func() time.Time { return noon }}
	if _, err := s.Extend(t.Context(), extension("r")); err != nil {
		t.Fatal(err)
	}
	if err := s.Cancel(t.Context(), extension("r")); err != nil || s.Extended("r") != 0 {
		t.Errorf("%v, extended %d times", err, s.Extended("r"))
	}
	if r, err := s.LookUp(t.Context(), extension("r")); err != nil || r.Found != carrier.FoundAbsent {
		t.Errorf("after cancelling: %+v, %v", r, err)
	}
	if err := s.Cancel(t.Context(), extension("r")); kind(err) != "line_unknown" {
		t.Errorf("again: %v", err)
	}
}

// A silent operator does nothing and says nothing, and every call says whether
// it could have changed something. Then it goes on.
func TestSilence(t *testing.T) {
	s := &carriersim.Sim{Now: func() time.Time { return noon }, Sells: []carrier.Package{{Code: "any"}}}
	s.Set("a", carrier.Status{State: carrier.LineActive, AsOf: noon})
	for _, on := range []bool{true, false} {
		s.Silence(on)
		for want, calls := range map[string]map[string]error{
			"not sent": {
				"Prepare":  second(s.Prepare(t.Context(), extension("r"))),
				"LookUp":   second(s.LookUp(t.Context(), extension("r"))),
				"Status":   second(s.Status(t.Context(), carrier.Profile{ID: "a"})),
				"Packages": second(s.Packages(t.Context(), carrier.Profile{})),
				"Balance":  second(s.Balance(t.Context())),
			},
			"unknown": {
				"Extend": second(s.Extend(t.Context(), extension("r"))),
				"Cancel": s.Cancel(t.Context(), extension("r")),
			},
		} {
			if !on {
				want = ""
			}
			for name, err := range calls {
				if kind(err) != want {
					t.Errorf("%s, silent %v: %v, want %q", name, on, err, want)
				}
			}
		}
		if want := map[bool]int{true: 1, false: 2}[on]; s.Asked("r") != want || s.Extended("r") != 0 {
			t.Errorf("silent %v: asked %d times, extended %d", on, s.Asked("r"), s.Extended("r"))
		}
	}
}

func second[T any](_ T, err error) error { return err }

// Lines that nobody set, and whatever package, are extended while the operator
// has no list; a dead line never is.
func TestOperatorWithoutAList(t *testing.T) {
	s := &carriersim.Sim{Now: func() time.Time { return noon }}
	s.Set("over", carrier.Status{State: carrier.LineIsOver, EndsAt: noon.AddDate(0, -1, 0)})
	s.Set("dead", carrier.Status{State: carrier.LineDead})
	for line, want := range map[string]string{"a": "", "over": "", "dead": "line_terminal"} {
		e := extension("r_" + line)
		e.Profile.ID = line
		_, err := s.Prepare(t.Context(), e)
		_, err2 := s.Extend(t.Context(), e)
		if kind(err) != want || kind(err2) != want {
			t.Errorf("%s: %v, %v; want %q", line, err, err2, want)
		}
	}
	if _, err := s.Status(t.Context(), carrier.Profile{ID: "a"}); kind(err) != "line_unknown" {
		t.Errorf("status of a line that was never set: %v", err)
	}
}

// A caller who leaves while the operator acts does not know whether it did.
func TestCallerWhoLeavesDoesNotKnow(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	s := &carriersim.Sim{Now: func() time.Time { return noon }, Meanwhile: func(carrier.Extension) { leave() }}
	if _, err := s.Extend(ctx, extension("r")); kind(err) != "unknown" || s.Extended("r") != 1 {
		t.Errorf("%v, extended %d times", err, s.Extended("r"))
	}
	if _, err := s.Extend(ctx, extension("r2")); kind(err) != "not sent" || s.Asked("r2") != 0 {
		t.Errorf("after leaving: %v, asked %d times", err, s.Asked("r2"))
	}
}

func TestManyAtOnce(t *testing.T) {
	const callers = 16
	s := &carriersim.Sim{Now: func() time.Time { return noon }}
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			own := fmt.Sprintf("own_%02d", i)
			for _, ref := range []string{own, "shared"} {
				if _, err := s.Extend(t.Context(), extension(ref)); err != nil {
					t.Error(err)
				}
			}
			s.Set(own, carrier.Status{})
			_, _ = s.LookUp(t.Context(), extension(own)) // under the race detector
		})
	}
	wg.Wait()
	if s.Extended("shared") != callers || s.Extensions("a") != 2*callers || len(s.Refs()) != 2*callers {
		t.Errorf("shared %d times, the line %d times", s.Extended("shared"), s.Extensions("a"))
	}
}

func TestNotificationRingsOncePerBody(t *testing.T) {
	s := &carriersim.Sim{}
	first, err := s.Notification(nil, []byte(`{"line":"a","event":"extended"}`))
	if err != nil || first.Kind != "extended" || first.Profile.ID != "a" || first.EventID == "" {
		t.Errorf("%+v, %v", first, err)
	}
	again, _ := s.Notification(nil, []byte(`{"line":"a","event":"extended"}`))
	other, _ := s.Notification(nil, []byte(`{"line":"b","event":"extended"}`))
	if again != first || other.EventID == first.EventID {
		t.Errorf("%+v, again %+v, another %+v", first, again, other)
	}
	if _, err := s.Notification(nil, []byte(`{"line":`)); kind(err) != "bad_request" {
		t.Errorf("half a body: %v", err)
	}
}
