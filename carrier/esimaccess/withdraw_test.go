package esimaccess_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/esimaccess/esimaccesssim"
)

// An operator that still shows what was true minutes ago refuses to cancel once more what
// it cancelled: nobody may take that for "it stays", and once it shows it, it is done.
func TestCancelledWhileItsFiguresAreOld(t *testing.T) {
	s := open(t, esimaccesssim.Profile{})
	p := carrier.Purchase{Ref: "ord_1", Package: "JP5"}
	s.clock.Advance(time.Hour)
	s.sim.LagReads(10 * time.Minute)
	if err := s.Withdraw(t.Context(), p, s.e.Profile); err != nil {
		t.Fatal(err)
	}
	if err := s.Withdraw(t.Context(), p, s.e.Profile); !errors.Is(err, carrier.ErrUnknown) {
		t.Errorf("asked again at once: %v, want unknown", err)
	}
	s.clock.Advance(time.Hour)
	if err := s.Withdraw(t.Context(), p, s.e.Profile); err != nil {
		t.Errorf("asked again when it shows it: %v", err)
	}
}
