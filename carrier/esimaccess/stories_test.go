package esimaccess_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/esimaccess"
	"github.com/tsuzuku/tsuzuku/carrier/esimaccess/esimaccesssim"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// street is the adapter, its operator and a line, for stories that are this
// operator's own.
type street struct {
	*esimaccess.Adapter
	sim   *esimaccesssim.Sim
	clock *clock
	e     carrier.Extension
}

func open(t *testing.T, line esimaccesssim.Profile) street {
	t.Helper()
	c := &clock{now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	sim := newSim(c, 7)
	base, more := stand{}.stock(sim)
	line.Package = base
	tran := sim.AddProfile(line)
	a := esimaccess.New(esimaccess.Config{AccessCode: "code"},
		outbound.New(outbound.Options{Transport: &outboundsim.Wire{Stranger: sim}}), c.Now, nil)
	p := carrier.Profile{ID: tran, ICCID: sim.Profile(tran).ICCID}
	return street{a, sim, c, carrier.Extension{Ref: "ord_1", Profile: p, Package: more}}
}

func (s *street) prepare(t *testing.T) {
	t.Helper()
	var err error
	if s.e.Snapshot, err = s.Prepare(t.Context(), s.e); err != nil {
		t.Fatal(err)
	}
}

func (s *street) lookUp(t *testing.T) carrier.Found {
	t.Helper()
	r, err := s.LookUp(t.Context(), s.e)
	if err != nil {
		t.Fatal(err)
	}
	return r.Found
}

func reason(err error) carrier.Reason {
	if r, ok := errors.AsType[*carrier.Refusal](err); ok {
		return r.Reason
	}
	return ""
}

// "Busy, try again" may be followed by the extension all the same. Trying again
// would extend twice.
func TestBusyIsNotANo(t *testing.T) {
	s := open(t, esimaccesssim.Profile{ActivatedAt: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)})
	s.prepare(t)
	s.sim.ActAfter(time.Minute)
	if _, err := s.Extend(t.Context(), s.e); !errors.Is(err, carrier.ErrUnknown) {
		t.Fatalf("Extend: %v, want unknown", err)
	}
	if f := s.lookUp(t); f != carrier.FoundAbsent {
		t.Errorf("at once: %s, want absent", f)
	}
	s.clock.Advance(2 * time.Minute)
	if f := s.lookUp(t); f != carrier.FoundDone {
		t.Errorf("later: %s, want done", f)
	}
}

// A line that ends while the customer pays is refused as ended.
func TestLineEndsBeforeItIsExtended(t *testing.T) {
	s := open(t, esimaccesssim.Profile{ActivatedAt: time.Date(2026, 4, 4, 12, 0, 1, 0, time.UTC)})
	s.prepare(t)
	s.clock.Advance(time.Minute)
	if _, err := s.Extend(t.Context(), s.e); reason(err) != carrier.LineEnded {
		t.Errorf("Extend: %v, want %s", err, carrier.LineEnded)
	}
	if f := s.lookUp(t); f != carrier.FoundAbsent {
		t.Errorf("LookUp: %s, want absent", f)
	}
}

// Installing the line, which turns its deadline into an end, is no extension
// and hides none.
func TestLineIsInstalledMeanwhile(t *testing.T) {
	for _, extend := range []bool{false, true} {
		s := open(t, esimaccesssim.Profile{})
		s.prepare(t)
		want := carrier.FoundAbsent
		if extend {
			want = carrier.FoundDone
			if _, err := s.Extend(t.Context(), s.e); err != nil {
				t.Fatal(err)
			}
		}
		s.sim.Use(s.e.Profile.ID, 1000)
		if f := s.lookUp(t); f != want {
			t.Errorf("extended %t: found %s, want %s", extend, f, want)
		}
	}
}

// A card number goes to another line; the first line is dead, and whoever asks
// with the wrong pair of numbers is told.
func TestCardNumberIsGivenAway(t *testing.T) {
	s := open(t, esimaccesssim.Profile{ActivatedAt: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)})
	other := s.sim.AddProfile(esimaccesssim.Profile{Package: "JP5"})
	s.sim.Recycle(s.e.Profile.ID)
	if _, err := s.Prepare(t.Context(), s.e); reason(err) != carrier.LineTerminal {
		t.Errorf("Prepare: %v, want %s", err, carrier.LineTerminal)
	}
	s.e.Profile.ID = other
	if _, err := s.Prepare(t.Context(), s.e); reason(err) != carrier.LineUnknown {
		t.Errorf("Prepare with another line's card: %v, want %s", err, carrier.LineUnknown)
	}
}

// Cancelling an extension never destroys what was on the line before it.
func TestCancelTakesNothingElse(t *testing.T) {
	s := open(t, esimaccesssim.Profile{})
	s.prepare(t)
	if _, err := s.Extend(t.Context(), s.e); err != nil {
		t.Fatal(err)
	}
	if err := s.Cancel(t.Context(), s.e); reason(err) != carrier.OperatorRefuses {
		t.Errorf("Cancel of a top-up: %v, want a refusal", err)
	}
	if got := s.sim.Profile(s.e.Profile.ID).Status; got != esimaccesssim.GotResource {
		t.Errorf("the line is %s", got)
	}
	s = open(t, esimaccesssim.Profile{})
	s.e.Package = "JP5"
	if err := s.Cancel(t.Context(), s.e); err != nil {
		t.Errorf("Cancel of all that a fresh eSIM carries: %v", err)
	}
	if got := s.sim.Profile(s.e.Profile.ID).Status; got != esimaccesssim.Cancelled {
		t.Errorf("the line is %s", got)
	}
}

// What the operator sends rings the bell of the right line, and of each event
// once, in whatever shape it comes.
func TestNotificationsRing(t *testing.T) {
	for _, old := range []bool{false, true} {
		s := open(t, esimaccesssim.Profile{})
		s.sim.SetDelivery(esimaccesssim.Delivery{RepeatPercent: 100, OldShape: old})
		s.sim.Use(s.e.Profile.ID, 5*gigabyte)
		s.clock.Advance(24 * time.Hour)
		bells := map[string]int{}
		for _, n := range s.sim.Notifications() {
			bell, err := s.Notification(n.Header, n.Body)
			if err != nil || bell.Profile != s.e.Profile {
				t.Errorf("%s: %+v, %v; want the line %+v", n.Body, bell, err, s.e.Profile)
			}
			bells[bell.EventID]++
		}
		if len(bells) < 2 {
			t.Errorf("%d bells for a line installed and used up", len(bells))
		}
		for id, n := range bells {
			if n != 2 {
				t.Errorf("event %s rang %d times, want both of its deliveries", id, n)
			}
		}
	}
}
