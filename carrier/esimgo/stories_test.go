package esimgo_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/esimgo"
	"github.com/tsuzuku/tsuzuku/carrier/esimgo/esimgosim"
)

// street is the adapter, its operator and an eSIM in use.
type street struct {
	*esimgo.Adapter
	sim   *esimgosim.Sim
	clock *clock
	e     carrier.Extension
}

func open(t *testing.T, set func(*esimgosim.Config)) *street {
	t.Helper()
	s := &street{clock: newClock()}
	s.sim = newSim(s.clock, 7, set)
	s.Adapter = newAdapter(s.sim.Transport(), s.clock)
	card := s.sim.AddESIM(esimgosim.ESIM{Bundle: base, UsedFrom: s.clock.Now().Add(-time.Hour)})
	s.e = carrier.Extension{Ref: "ord_1", Profile: carrier.Profile{ID: card, ICCID: card}, Package: base}
	return s
}

func (s *street) prepare(t *testing.T) {
	t.Helper()
	var err error
	if s.e.Snapshot, err = s.Prepare(t.Context(), s.e); err != nil {
		t.Fatal(err)
	}
	s.e.AskedAt = s.clock.Now()
}

func reason(err error) carrier.Reason {
	if r, ok := errors.AsType[*carrier.Refusal](err); ok {
		return r.Reason
	}
	return ""
}

// A purchase never takes the eSIM of a line that was fed with the same bundle
// meanwhile, nor the one that another purchase's answer brought; of two whose answers
// were lost each has its own, and one that never arrived has none.
func TestPurchasesTakeTheirOwn(t *testing.T) {
	s := open(t, nil)
	s.prepare(t)
	if _, err := s.Extend(t.Context(), s.e); err != nil {
		t.Fatal(err)
	}
	buy := func(ref string, f esimgosim.Fault) carrier.Purchase {
		p := carrier.Purchase{Ref: ref, Package: base, AskedAt: s.clock.Now()}
		s.sim.Fail(esimgosim.PlaceOrder, esimgosim.None) // its rehearsal
		s.sim.Fail(esimgosim.PlaceOrder, f)
		if _, err := s.Issue(t.Context(), p); (err == nil) != (f == esimgosim.None) {
			t.Fatalf("%s: %v", ref, err)
		}
		return p
	}
	look := func(p carrier.Purchase) carrier.IssueReading {
		r, err := s.LookUpIssue(t.Context(), p)
		if err != nil {
			t.Fatalf("%s: %v", p.Ref, err)
		}
		return r
	}
	never := buy("ord_never", esimgosim.Silence)
	if r := look(never); r.Found != carrier.FoundAbsent {
		t.Errorf("one that never arrived, beside a line that was fed: %+v", r)
	}
	heard, one, two := buy("ord_heard", esimgosim.None), buy("ord_one", esimgosim.SilenceAfter), buy("ord_two", esimgosim.BreakAfter)
	cards := map[string]string{s.e.Profile.ICCID: "the line"}
	for _, p := range []carrier.Purchase{two, heard, one} {
		r := look(p)
		card := r.Issued.Profile.ICCID
		if r.Found != carrier.FoundDone || cards[card] != "" {
			t.Errorf("%s: %+v, which is %s's", p.Ref, r, cards[card])
		}
		cards[card] = p.Ref
		if again := look(p); again.Issued != r.Issued {
			t.Errorf("%s: %+v, then %+v", p.Ref, r.Issued, again.Issued)
		}
	}
	if r := look(never); r.Found != carrier.FoundAbsent {
		t.Errorf("one that never arrived, when all have theirs: %+v", r)
	}
}

// What the operator does wrong or late, and what becomes of a renewal.
func TestRenewalsInTrouble(t *testing.T) {
	for fault, want := range map[esimgosim.Fault]struct {
		err          error
		first, later carrier.Found
	}{
		esimgosim.SilenceAfter:   {carrier.ErrUnknown, carrier.FoundDone, carrier.FoundDone},
		esimgosim.Silence:        {carrier.ErrUnknown, carrier.FoundAbsent, carrier.FoundAbsent},
		esimgosim.BreakAfter:     {carrier.ErrUnknown, carrier.FoundDone, carrier.FoundDone},
		esimgosim.Slow:           {carrier.ErrUnknown, carrier.FoundAbsent, carrier.FoundDone},
		esimgosim.Processing:     {carrier.ErrUnknown, carrier.FoundAbsent, carrier.FoundDone},
		esimgosim.ProcessingLost: {carrier.ErrUnknown, carrier.FoundAbsent, carrier.FoundAbsent},
		esimgosim.OtherESIM:      {carrier.ErrUnknown, carrier.FoundAbsent, carrier.FoundAbsent},
		esimgosim.Busy:           {carrier.ErrNotSent, carrier.FoundAbsent, carrier.FoundAbsent},
	} {
		s := open(t, nil)
		s.prepare(t)
		s.sim.Fail(esimgosim.PlaceOrder, fault)
		if _, err := s.Extend(t.Context(), s.e); !errors.Is(err, want.err) {
			t.Errorf("%s: %v, want %v", fault, err, want.err)
		}
		if r, err := s.LookUp(t.Context(), s.e); err != nil || r.Found != want.first {
			t.Errorf("%s: %+v, %v; want %s", fault, r, err, want.first)
		}
		s.clock.Advance(s.Abilities().SettlesWithin)
		if r, err := s.LookUp(t.Context(), s.e); err != nil || r.Found != want.later {
			t.Errorf("%s, when it settles: %+v, %v; want %s", fault, r, err, want.later)
		}
	}
}

// What cannot be is refused before anything is ordered.
func TestRefusedBefore(t *testing.T) {
	for name, tt := range map[string]struct {
		happens func(*street)
		want    carrier.Reason
	}{
		"no balance":       {func(s *street) { s.sim.SetBalance(1) }, carrier.NoBalance},
		"does not fit":     {func(s *street) { s.e.Package = abroad }, carrier.PackageGone},
		"the eSIM is gone": {func(s *street) { s.sim.TakeAway(s.e.Profile.ICCID) }, carrier.LineUnknown},
	} {
		s := open(t, nil)
		tt.happens(s)
		if _, err := s.Prepare(t.Context(), s.e); reason(err) != tt.want || s.sim.OrderCount() != 0 {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
}
