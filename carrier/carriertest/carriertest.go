// Package carriertest is the suite that every [carrier.Carrier] must pass. It
// checks the promises in that type's documentation, above all that no silence,
// whatever its cause, makes an operator extend a line twice or not at all
// without our finding out.
package carriertest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// Bench is a carrier on a test bench, with its operator behind it. Carrier,
// Profile, Package and Now are needed; a promise that needs something else
// which is nil is skipped, and says so.
type Bench struct {
	carrier.Carrier

	Profile carrier.Profile // a line that can be extended, at least twice
	Package string          // a package that fits it
	Days    int             // for Extension.Days

	Ended  carrier.Profile   // a line past its end, that the operator no longer feeds
	Others []carrier.Profile // further lines that take Package

	// NewPackage is a package that comes with a new profile; empty where the
	// operator sells none.
	NewPackage string

	Now     func() time.Time    // the clock that the carrier and its operator go by
	Advance func(time.Duration) // moves that clock

	// Each of these arranges what happens to the next request that could
	// extend a line, make a new profile or take one back. What they mean is said at the faults of outboundsim.
	RefuseNext, BusyNext            func()
	LoseNextRequest, LoseNextAnswer func()
	BreakNext, GarbleNext           func()
	NextActsLater, DeliverLate      func()

	// LoseNextReading makes the next request of any kind go unanswered.
	LoseNextReading func()

	// GarbleNextReading and BreakNextReading spoil the answer to it.
	GarbleNextReading, BreakNextReading func()

	// Withdraw takes Package out of what the operator sells.
	Withdraw func()

	// Charges says that the operator behind takes what Package costs from the
	// balance that it tells.
	Charges bool

	// MeanwhileNext has its argument called while the next request of any
	// kind is under way: after the operator acted, before we hear of it.
	MeanwhileNext func(func())

	// ByHand puts another package on Profile's line, as the seller's staff
	// can at the operator's own site.
	ByHand func()

	// Extensions is how often Profile's line was really extended by requests
	// of the carrier.
	Extensions func() int

	// FinishMaking lets the operator finish every new profile that it has
	// accepted an order for; nil where it does so at once.
	FinishMaking func()

	// Profiles is how many profiles were really made for requests of the carrier.
	Profiles func() int

	// Install lets a phone install a new profile, if it still can.
	Install func(carrier.Issued)

	// TakenBack is how many of those profiles the operator really took back.
	TakenBack func() int

	// StumbleNext makes the operator carry out the next request that takes a profile
	// back, and answer it with its own word for an error of its own.
	StumbleNext func()

	// Blind says that the operator has nothing by which it could be read what became
	// of a profile: after a silence a person looks.
	Blind bool
}

// On returns b with the controls of faults acting on w, whose Choose and
// Meanwhile it takes over. extends tells the requests that could extend a line,
// make a profile or take one back from those that only read or sign in; no request may be sent while On runs.
func (b Bench) On(w *outboundsim.Wire, extends func(*http.Request) bool) Bench {
	var mu sync.Mutex
	var fault, first outboundsim.Fault
	var meanwhile func()
	w.Choose = func(r *http.Request) outboundsim.Fault {
		mu.Lock()
		defer mu.Unlock()
		var f outboundsim.Fault
		switch {
		case first != outboundsim.None:
			f, first = first, outboundsim.None
		case extends(r):
			f, fault = fault, outboundsim.None
		}
		return f
	}
	w.Meanwhile = func(*http.Request) {
		mu.Lock()
		f := meanwhile
		meanwhile = nil
		mu.Unlock()
		if f != nil {
			f()
		}
	}
	next := func(f outboundsim.Fault) func() {
		return func() { mu.Lock(); defer mu.Unlock(); fault = f }
	}
	b.RefuseNext, b.BusyNext = next(outboundsim.Refuse), next(outboundsim.Busy)
	b.LoseNextRequest, b.LoseNextAnswer = next(outboundsim.LoseRequest), next(outboundsim.LoseAnswer)
	b.BreakNext, b.GarbleNext = next(outboundsim.Break), next(outboundsim.Garble)
	b.NextActsLater, b.DeliverLate = next(outboundsim.ActLater), func() { w.Deliver() }
	reading := func(f outboundsim.Fault) func() {
		return func() { mu.Lock(); defer mu.Unlock(); first = f }
	}
	b.LoseNextReading, b.GarbleNextReading, b.BreakNextReading = reading(outboundsim.LoseAnswer), reading(outboundsim.Garble), reading(outboundsim.Break)
	b.MeanwhileNext = func(f func()) { mu.Lock(); defer mu.Unlock(); meanwhile = f }
	return b
}

// Run checks every promise, each on a bench of its own.
func Run(t *testing.T, open func(*testing.T) Bench) {
	for _, p := range promises {
		t.Run(p.says, func(t *testing.T) { p.check(t, open(t)) })
	}
}

// promise is one that every carrier makes, in words.
type promise struct {
	says  string
	check func(testing.TB, Bench)
}

// promises is the table of contents of the suite; those about new profiles stand
// in issue.go and withdraw.go.
var promises = slices.Concat([]promise{
	{"its abilities make sense", checkAbilities},
	{"its packages and balance can be read", checkPackages},
	{"everything that it sells can be read", checkEverything},
	{"what is withdrawn is not listed", checkWithdrawn},
	{"its balance falls by what an extension costs", checkCharged},
	{"it says how it is", checkHealth},
	{"a status is never newer than now", checkStatus},

	{"an extension happens once and has a receipt", checkExtends},
	{"an extension that was never asked for is absent", checkNeverAsked},
	{"a second extension is not mistaken for the first", checkSecond},
	{"no picture is taken of a line that does not show its last extension", checkOutOfDate},
	{"an extension by someone else's hand is not ours", checkByHand},
	{"lines can be extended side by side", checkSideBySide},

	{"a lost answer is unknown and then found", checkLostAnswer},
	{"a broken answer is unknown and then found", checkBroken},
	{"a garbled answer is unknown and then found", checkGarbled},
	{"a lost request is unknown and then absent for good", checkLostRequest},
	{"a request that acts late is absent until it is done", checkActsLater},
	{"a refused connection was not sent", checkRefusedConnection},
	{"a busy operator was not asked", checkBusy},
	{"a reading that is lost can be repeated", checkLostReading},
	{"a spoilt reading can be repeated", checkSpoiltReading},
	{"a reading says when it began", checkAsOf},
	{"a cancelled context refuses nothing", checkCancelledContext},

	{"an ended line is refused as ended", checkEnded},
	{"an unknown line is refused", checkUnknownLine},
	{"an unknown package is refused", checkUnknownPackage},

	{"no notification makes it panic", checkNotification},
}, issuing, withdrawing)

// extension is a further extension of p, not yet prepared.
func (b Bench) extension(ref string, p carrier.Profile) carrier.Extension {
	return carrier.Extension{Ref: ref, Profile: p, Package: b.Package, Days: b.Days}
}

// prepared is an extension of the bench's line, ready to be asked for.
func (b Bench) prepared(t testing.TB, ref string) carrier.Extension {
	t.Helper()
	e := b.extension(ref, b.Profile)
	s, err := b.Prepare(t.Context(), e)
	if err != nil {
		t.Fatalf("Prepare: %v", err)
	}
	e.Snapshot, e.AskedAt = s, b.Now()
	return e
}

// kind is which of the three kinds of error err is.
type kind string

const (
	fine    kind = "no error"
	refused kind = "refusal"
	unknown kind = "ErrUnknown"
	notSent kind = "ErrNotSent"
)

func kindOf(t testing.TB, err error) kind {
	t.Helper()
	if err == nil {
		return fine
	}
	var kinds []kind
	if _, ok := errors.AsType[*carrier.Refusal](err); ok {
		kinds = append(kinds, refused)
	}
	if errors.Is(err, carrier.ErrUnknown) {
		kinds = append(kinds, unknown)
	}
	if errors.Is(err, carrier.ErrNotSent) {
		kinds = append(kinds, notSent)
	}
	if len(kinds) != 1 {
		t.Fatalf("error %q is %d of the three kinds %q, want one", err, len(kinds), kinds)
	}
	return kinds[0]
}

// mustExtend extends and wants it to end in one of the kinds.
func (b Bench) mustExtend(t testing.TB, e carrier.Extension, want ...kind) carrier.Receipt {
	t.Helper()
	r, err := b.Extend(t.Context(), e)
	got := kindOf(t, err)
	for _, k := range want {
		if got == k {
			return r
		}
	}
	t.Fatalf("Extend: %s (%v), want %s", got, err, want)
	return r
}

// mustFind looks e up and wants one of the findings.
func (b Bench) mustFind(t testing.TB, e carrier.Extension, want carrier.Found) carrier.Reading {
	t.Helper()
	began := b.Now()
	r, err := b.LookUp(t.Context(), e)
	if err != nil {
		t.Fatalf("LookUp: %s (%v), want %s", kindOf(t, err), err, want)
	}
	if r.Found != want {
		t.Fatalf("LookUp: %s (%s), want %s", r.Found, r.Why, want)
	}
	if r.AsOf.IsZero() || r.AsOf.After(began) {
		t.Errorf("LookUp: as of %v, want when it began, %v", r.AsOf, began)
	}
	if r.Found == carrier.FoundDone {
		b.plausible(t, r.Receipt)
	}
	return r
}

// plausible checks what can be said of any receipt.
func (b Bench) plausible(t testing.TB, r carrier.Receipt) {
	t.Helper()
	if r.Ref == "" {
		t.Error("the receipt has no reference of the operator's")
	}
	if !r.EndsAt.IsZero() && (!r.EndsAt.After(r.StartsAt) || !r.EndsAt.After(b.Now())) {
		t.Errorf("the receipt ends at %v, want after its start %v and now %v", r.EndsAt, r.StartsAt, b.Now())
	}
	if r.Total < 0 {
		t.Errorf("the receipt has %d bytes", r.Total)
	}
}

// extended checks how often the operator really extended the line.
func (b Bench) extended(t testing.TB, want int) {
	t.Helper()
	if b.Extensions == nil {
		t.Log("not checked: this bench cannot count extensions")
		return
	}
	if got := b.Extensions(); got != want {
		t.Errorf("the operator extended the line %d times, want %d", got, want)
	}
}

// need skips the promise unless the bench can do what it takes.
func need(t testing.TB, can bool, what string) {
	t.Helper()
	if !can {
		t.Skipf("not checked: this bench cannot %s", what)
	}
}

func cancelled(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}
