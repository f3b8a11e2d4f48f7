package carriertest

import (
	"context"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

func checkLostAnswer(t testing.TB, b Bench) {
	need(t, b.LoseNextAnswer != nil, "lose answers")
	b.unknownThenDone(t, b.LoseNextAnswer)
}

func checkBroken(t testing.TB, b Bench) {
	need(t, b.BreakNext != nil, "fail after acting")
	b.unknownThenDone(t, b.BreakNext)
}

func checkGarbled(t testing.TB, b Bench) {
	need(t, b.GarbleNext != nil, "garble answers")
	b.unknownThenDone(t, b.GarbleNext)
}

// unknownThenDone: the operator acted and we could not hear it.
func (b Bench) unknownThenDone(t testing.TB, arrange func()) {
	t.Helper()
	e := b.prepared(t, "ct_1")
	arrange()
	b.mustExtend(t, e, unknown)
	b.mustFind(t, e, carrier.FoundDone)
	b.extended(t, 1)
}

// After the time that the carrier itself names, absent means that nothing
// happened, and the extension may be asked for anew.
func checkLostRequest(t testing.TB, b Bench) {
	need(t, b.LoseNextRequest != nil, "lose requests")
	need(t, b.Advance != nil, "move the clock")
	e := b.prepared(t, "ct_1")
	b.LoseNextRequest()
	b.mustExtend(t, e, unknown)
	b.mustFind(t, e, carrier.FoundAbsent)
	b.extended(t, 0)
	settled := b.Now().Add(b.Abilities().SettlesWithin)
	b.Advance(b.Abilities().SettlesWithin + time.Second)
	if r := b.mustFind(t, e, carrier.FoundAbsent); !r.AsOf.After(settled) {
		t.Errorf("LookUp: as of %v, which never settles it: want after %v", r.AsOf, settled)
	}
	b.mustExtend(t, b.prepared(t, "ct_2"), fine)
	b.extended(t, 1)
}

// Whoever believed the first absence would refund a line that is extended a
// moment later; its age says that it is too early to believe.
func checkActsLater(t testing.TB, b Bench) {
	need(t, b.NextActsLater != nil && b.DeliverLate != nil, "act late")
	e := b.prepared(t, "ct_1")
	b.NextActsLater()
	b.mustExtend(t, e, unknown)
	r := b.mustFind(t, e, carrier.FoundAbsent)
	if settles := e.AskedAt.Add(b.Abilities().SettlesWithin); !r.AsOf.Before(settles) {
		t.Errorf("LookUp: absent as of %v, want before it can be believed, %v", r.AsOf, settles)
	}
	b.DeliverLate()
	b.mustFind(t, e, carrier.FoundDone)
	b.extended(t, 1)
}

func checkRefusedConnection(t testing.TB, b Bench) {
	need(t, b.RefuseNext != nil, "refuse connections")
	b.notSentThenFine(t, b.RefuseNext)
}

func checkBusy(t testing.TB, b Bench) {
	need(t, b.BusyNext != nil, "be busy")
	b.notSentThenFine(t, b.BusyNext)
}

// notSentThenFine: nothing happened, we know it, and the same call may be made
// again.
func (b Bench) notSentThenFine(t testing.TB, arrange func()) {
	t.Helper()
	e := b.prepared(t, "ct_1")
	arrange()
	b.mustExtend(t, e, notSent)
	b.extended(t, 0)
	b.mustFind(t, e, carrier.FoundAbsent)
	b.mustExtend(t, e, fine)
	b.extended(t, 1)
}

// readings are the calls that change nothing.
var readings = []struct {
	name string
	call func(context.Context, Bench, carrier.Extension) error
}{
	{"Prepare", func(ctx context.Context, b Bench, e carrier.Extension) error {
		_, err := b.Prepare(ctx, b.extension("ct_other", b.Profile))
		return err
	}},
	{"LookUp", func(ctx context.Context, b Bench, e carrier.Extension) error {
		_, err := b.LookUp(ctx, e)
		return err
	}},
	{"Status", func(ctx context.Context, b Bench, e carrier.Extension) error {
		_, err := b.Status(ctx, e.Profile)
		return err
	}},
	{"Packages", func(ctx context.Context, b Bench, e carrier.Extension) error {
		_, err := b.Packages(ctx, e.Profile)
		return err
	}},
	{"Balance", func(ctx context.Context, b Bench, e carrier.Extension) error {
		_, err := b.Balance(ctx)
		return err
	}},
	{"Packages of everything", func(ctx context.Context, b Bench, e carrier.Extension) error {
		_, err := b.Packages(ctx, carrier.Profile{})
		return err
	}},
	{"Ask", func(ctx context.Context, b Bench, e carrier.Extension) error {
		_, err := carrier.Ask(ctx, b.Carrier)
		return err
	}},
}

func checkLostReading(t testing.TB, b Bench) {
	need(t, b.LoseNextReading != nil, "lose what is not an extension")
	b.readAgain(t, b.LoseNextReading)
}

func checkSpoiltReading(t testing.TB, b Bench) {
	need(t, b.GarbleNextReading != nil && b.BreakNextReading != nil, "spoil what is not an extension")
	for _, spoil := range []func(){b.GarbleNextReading, b.BreakNextReading} {
		b.readAgain(t, spoil)
		if has, err := b.Packages(t.Context(), carrier.Profile{}); err == nil && len(has) == 0 {
			continue // it has no list
		}
		spoil()
		if all, err := b.Packages(t.Context(), carrier.Profile{}); err == nil && listed(all, b.Package) < 0 {
			t.Errorf("Packages: a spoilt answer says that %q is not sold", b.Package)
		}
	}
}

// readAgain spoils each reading: it is no answer, and the same question is answered
// when it is asked again.
func (b Bench) readAgain(t testing.TB, spoil func()) {
	t.Helper()
	e := b.prepared(t, "ct_1")
	for _, r := range readings {
		spoil()
		switch k := kindOf(t, r.call(t.Context(), b, e)); k {
		case fine: // it needed no request, or remembered
			continue
		case notSent:
		case unknown, refused:
			t.Errorf("%s: %s, want %s", r.name, k, notSent)
		}
		if err := r.call(t.Context(), b, e); err != nil && (r.name != "Balance" || !untold(err)) {
			t.Errorf("%s, again: %v", r.name, err)
		}
	}
	b.mustFind(t, e, carrier.FoundAbsent)
}

// What happened while we waited for the answer is not in the reading; so the
// reading must not claim an instant after it began.
func checkAsOf(t testing.TB, b Bench) {
	need(t, b.MeanwhileNext != nil && b.Advance != nil, "let time pass while a request is under way")
	e := b.prepared(t, "ct_1")
	passed := false
	b.MeanwhileNext(func() { passed = true; b.Advance(time.Minute) })
	b.mustFind(t, e, carrier.FoundAbsent)
	if !passed {
		t.Error("LookUp asked nobody")
	}
}

func checkCancelledContext(t testing.TB, b Bench) {
	e := b.prepared(t, "ct_1")
	gone := cancelled(t.Context())
	_, err := b.Extend(gone, e)
	if k := kindOf(t, err); k != notSent && k != unknown {
		t.Errorf("Extend: %s (%v), want %s or %s", k, err, notSent, unknown)
	}
	for _, r := range readings {
		if k := kindOf(t, r.call(gone, b, e)); k != notSent && k != fine {
			t.Errorf("%s: %s, want %s", r.name, k, notSent)
		}
	}
	b.extended(t, 0)
	b.mustFind(t, e, carrier.FoundAbsent)
}
