package cmi_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/cmi/cmisim"
)

// What the operator does wrong or late, and what becomes of a package and of a pack:
// found where it was carried out, and not believed absent before its time.
func TestInTrouble(t *testing.T) {
	for fault, want := range map[cmisim.Fault]struct {
		err          error
		first, later carrier.Found
	}{
		cmisim.SilenceAfter: {carrier.ErrUnknown, carrier.FoundDone, carrier.FoundDone},
		cmisim.Silence:      {carrier.ErrUnknown, carrier.FoundAbsent, carrier.FoundAbsent},
		cmisim.BreakAfter:   {carrier.ErrUnknown, carrier.FoundDone, carrier.FoundDone},
		cmisim.FailAfter:    {carrier.ErrUnknown, carrier.FoundDone, carrier.FoundDone},
		cmisim.Slow:         {carrier.ErrUnknown, carrier.FoundAbsent, carrier.FoundDone},
		cmisim.InFlight:     {carrier.ErrUnknown, carrier.FoundAbsent, carrier.FoundDone},
		cmisim.Congested:    {carrier.ErrUnknown, carrier.FoundAbsent, carrier.FoundAbsent},
		cmisim.Refuse:       {carrier.ErrUnknown, carrier.FoundAbsent, carrier.FoundAbsent}, // 1000052 says nothing
		cmisim.Busy:         {carrier.ErrNotSent, carrier.FoundAbsent, carrier.FoundAbsent},
		cmisim.TokenGone:    {carrier.ErrNotSent, carrier.FoundAbsent, carrier.FoundAbsent},
	} {
		for _, code := range []string{more, "refuel:" + pack} {
			c := newClock()
			sim := newSim(c, 3, nil)
			card := sim.AddCard(cmisim.Card{Package: base, ActiveFrom: c.Now().Add(-time.Hour)})
			a := newAdapter(sim.Transport(), c)
			e := carrier.Extension{Ref: "ord_1", Profile: carrier.Profile{ID: card, ICCID: card}, Package: code}
			var err error
			if e.Snapshot, err = a.Prepare(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			sim.Fail(cmisim.CreateOrder, fault)
			if _, err := a.Extend(t.Context(), e); !errors.Is(err, want.err) {
				t.Errorf("%s, %s: %v, want %v", fault, code, err, want.err)
			}
			if r, err := a.LookUp(t.Context(), e); err != nil || r.Found != want.first {
				t.Errorf("%s, %s: %+v, %v; want %s", fault, code, r, err, want.first)
			}
			c.Advance(a.Abilities().SettlesWithin)
			if r, err := a.LookUp(t.Context(), e); err != nil || r.Found != want.later {
				t.Errorf("%s, %s, when it settles: %+v, %v; want %s", fault, code, r, err, want.later)
			}
		}
	}
}

// A package that waits is taken back by our own number, once and for its price.
func TestTakenBack(t *testing.T) {
	c := newClock()
	sim := newSim(c, 3, nil)
	card := sim.AddCard(cmisim.Card{Package: base, ActiveFrom: c.Now().Add(-time.Hour)})
	a := newAdapter(sim.Transport(), c)
	e := carrier.Extension{Ref: "ord_1", Profile: carrier.Profile{ICCID: card}, Package: more}
	var err error
	if e.Snapshot, err = a.Prepare(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Extend(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := a.Cancel(t.Context(), e); err != nil || put(sim, card) != 0 || sim.Balance() != deposit {
			t.Errorf("%v; %d on the card, %d left", err, put(sim, card), sim.Balance())
		}
	}
}
