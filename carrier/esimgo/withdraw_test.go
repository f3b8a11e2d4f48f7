package esimgo_test

import (
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/esimgo"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// The operator answers 403 for an eSIM that was returned, for one that never was ours,
// and for a key that it does not take. Only the first was taken back.
func TestWhatIsNotOursWasNotTakenBack(t *testing.T) {
	c := newClock()
	sim := newSim(c, 1, nil)
	a := newAdapter(sim.Transport(), c)
	p := carrier.Purchase{Ref: "ord_1", Package: base, AskedAt: c.Now()}
	i, err := a.Issue(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	p.Theirs = i.Ref
	other := newAdapter(newSim(c, 2, nil).Transport(), c)
	stranger := esimgo.New(esimgo.Config{APIKey: "given up"}, outbound.New(outbound.Options{Transport: sim.Transport()}), c.Now)
	for name, tt := range map[string]struct {
		asked *esimgo.Adapter
		want  carrier.Reason
	}{
		"another account's key": {other, carrier.LineUnknown},
		"a key that is none":    {stranger, carrier.Unauthorised},
	} {
		c.Advance(time.Minute)
		if err := tt.asked.Withdraw(t.Context(), p, i.Profile); reason(err) != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	if err := a.Withdraw(t.Context(), p, i.Profile); err != nil || sim.Revoked(base) != 1 {
		t.Errorf("%v, revoked %d times", err, sim.Revoked(base))
	}
	for name, number := range map[string]string{"by its order": p.Theirs, "by nobody's order": "nosuchorder"} {
		p.Theirs = number
		seen, err := newAdapter(sim.Transport(), c).Withdrawal(t.Context(), p, i.Profile)
		if gone := err == nil && seen.Fate == carrier.FateGone; gone != (number == i.Ref) {
			t.Errorf("%s: %+v, %v", name, seen, err)
		}
	}
}
