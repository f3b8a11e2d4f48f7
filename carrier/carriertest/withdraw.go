package carriertest

import (
	"errors"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// withdrawing are the promises of a carrier whose operator takes a new profile back that
// no phone has.
var withdrawing = []promise{
	{"who takes new profiles back is able to", checkWithdrawer},
	{"a profile that nobody installed is taken back once", checkTakenBack},
	{"a profile that is installed stays, and the refusal says so", checkInstalledStays},
	{"a profile that is installed meanwhile stays, or is gone", checkInstalledMeanwhile},
	{"a lost answer to taking back is unknown and then found", checkTakenLostAnswer},
	{"a broken answer to taking back is unknown and then found", checkTakenBroken},
	{"a garbled answer to taking back is unknown and then found", checkTakenGarbled},
	{"an operator that fails inside while taking back has not refused", checkTakenStumbles},
	{"a lost request to take back is unknown and then not done", checkTakenLostRequest},
	{"taking back that acts late is not done until it is", checkTakenLater},
	{"taking back over a refused connection was not sent", checkTakenRefusedConnection},
	{"taking back from a busy operator was not asked", checkTakenBusy},
	{"taking back with a cancelled context takes nothing", checkTakenCancelled},
	{"what became of a profile can be asked again", checkFateAgain},
	{"an unknown profile is not taken back", checkTakenUnknown},
}

func checkWithdrawer(t testing.TB, b Bench) {
	a := b.Abilities()
	if _, is := b.Carrier.(carrier.Withdrawer); a.Withdraws && !is {
		t.Error("Abilities say that it takes new profiles back, and it is no Withdrawer")
	}
	if a.Withdraws && !a.Issues {
		t.Error("Abilities say that it takes new profiles back, and that it sells none")
	}
}

// withdrawer is the carrier as one that takes profiles back; without, the promise is
// skipped.
func (b Bench) withdrawer(t testing.TB) carrier.Withdrawer {
	t.Helper()
	w, ok := b.Carrier.(carrier.Withdrawer)
	need(t, ok && b.Abilities().Withdraws && b.NewPackage != "", "take new profiles back")
	return w
}

// unwanted is a profile that was bought and that no phone has.
func (b Bench) unwanted(t testing.TB, ref string) (carrier.Purchase, carrier.Issued) {
	t.Helper()
	b.withdrawer(t)
	p := b.purchase(t, ref)
	first := b.mustIssue(t, p, fine)
	b.made()
	p.Theirs = first.Ref
	return p, b.mustFindIssue(t, p, carrier.FoundDone).Issued
}

// mustWithdraw asks for a profile to be taken back and wants this kind of answer.
func (b Bench) mustWithdraw(t testing.TB, p carrier.Purchase, i carrier.Issued, want kind) {
	t.Helper()
	err := b.withdrawer(t).Withdraw(t.Context(), p, i.Profile)
	if got := kindOf(t, err); got != want {
		t.Fatalf("Withdraw: %s (%v), want %s", got, err, want)
	}
}

// mustFate asks what became of a profile and wants one of the fates. Where nothing can be
// read the answer must be none.
func (b Bench) mustFate(t testing.TB, p carrier.Purchase, i carrier.Issued, want carrier.Fate) carrier.Withdrawal {
	t.Helper()
	began := b.Now()
	w, err := b.withdrawer(t).Withdrawal(t.Context(), p, i.Profile)
	if b.Blind {
		if got := kindOf(t, err); got != notSent {
			t.Errorf("Withdrawal: %s (%+v, %v) of an operator that says nothing, want %s", got, w, err, notSent)
		}
		return w
	}
	if err != nil {
		t.Fatalf("Withdrawal: %s (%v), want %s", kindOf(t, err), err, want)
	}
	if w.Fate != want {
		t.Fatalf("Withdrawal: %s (%s), want %s", w.Fate, w.Why, want)
	}
	if w.AsOf.IsZero() || w.AsOf.After(began) {
		t.Errorf("Withdrawal: as of %v, want when it began, %v", w.AsOf, began)
	}
	return w
}

// taken checks how many profiles the operator really took back.
func (b Bench) taken(t testing.TB, want int) {
	t.Helper()
	if b.TakenBack == nil {
		t.Log("not checked: this bench cannot count profiles that were taken back")
		return
	}
	if got := b.TakenBack(); got != want {
		t.Errorf("the operator took %d profiles back, want %d", got, want)
	}
}

func checkTakenBack(t testing.TB, b Bench) {
	p, i := b.unwanted(t, "ct_1")
	other, stays := b.unwanted(t, "ct_2")
	b.mustFate(t, p, i, carrier.FateThere)
	b.taken(t, 0)
	for range 2 {
		b.mustWithdraw(t, p, i, fine)
		b.mustFate(t, p, i, carrier.FateGone)
		b.taken(t, 1)
	}
	b.mustFate(t, other, stays, carrier.FateThere)
	b.mustWithdraw(t, other, stays, fine)
	b.taken(t, 2)
}

func checkInstalledStays(t testing.TB, b Bench) {
	need(t, b.Install != nil, "install a profile")
	p, i := b.unwanted(t, "ct_1")
	b.Install(i)
	for range 2 {
		b.mustStay(t, b.withdrawer(t).Withdraw(t.Context(), p, i.Profile))
		b.mustFate(t, p, i, carrier.FateInstalled)
	}
	b.taken(t, 0)
}

// mustStay wants the refusal of a profile that a phone has: any other would be told to
// the customer in other words.
func (b Bench) mustStay(t testing.TB, err error) {
	t.Helper()
	if no, ok := errors.AsType[*carrier.Refusal](err); !ok || no.Reason != carrier.Installed {
		t.Errorf("Withdraw: %v, want a refusal with %s", err, carrier.Installed)
	}
}

// A phone may come between the look and the request that looks say nothing against.
func checkInstalledMeanwhile(t testing.TB, b Bench) {
	need(t, b.Install != nil && b.GarbleNextReading != nil, "let a phone come between two requests")
	p, i := b.unwanted(t, "ct_1")
	passed := false
	b.MeanwhileNext(func() { passed = true; b.Install(i) })
	err := b.withdrawer(t).Withdraw(t.Context(), p, i.Profile)
	switch got := kindOf(t, err); {
	case !passed:
		t.Error("Withdraw asked nobody")
	case got == refused:
		b.mustStay(t, err)
		b.mustFate(t, p, i, carrier.FateInstalled)
		b.taken(t, 0)
	case got == fine:
		b.mustFate(t, p, i, carrier.FateGone)
		b.taken(t, 1)
	default:
		t.Errorf("Withdraw: %s (%v), want %s or %s", got, err, refused, fine)
	}
}

func checkTakenLostAnswer(t testing.TB, b Bench) {
	need(t, b.LoseNextAnswer != nil, "lose answers")
	b.takenUnknown(t, b.LoseNextAnswer)
}

func checkTakenBroken(t testing.TB, b Bench) {
	need(t, b.BreakNext != nil, "fail after acting")
	b.takenUnknown(t, b.BreakNext)
}

func checkTakenGarbled(t testing.TB, b Bench) {
	need(t, b.GarbleNext != nil, "garble answers")
	b.takenUnknown(t, b.GarbleNext)
}

func checkTakenStumbles(t testing.TB, b Bench) {
	need(t, b.StumbleNext != nil, "fail inside, in the operator's own words")
	b.takenUnknown(t, b.StumbleNext)
}

// takenUnknown: the operator took the profile back and we could not hear it. Asking again
// is the same outcome.
func (b Bench) takenUnknown(t testing.TB, arrange func()) {
	t.Helper()
	p, i := b.unwanted(t, "ct_1")
	arrange()
	b.mustWithdraw(t, p, i, unknown)
	b.taken(t, 1)
	b.mustFate(t, p, i, carrier.FateGone)
	b.mustWithdraw(t, p, i, fine)
	b.taken(t, 1)
}

// After the time that the carrier itself names, a profile that is there stays there, and
// may be asked for again.
func checkTakenLostRequest(t testing.TB, b Bench) {
	need(t, b.LoseNextRequest != nil, "lose requests")
	need(t, b.Advance != nil, "move the clock")
	p, i := b.unwanted(t, "ct_1")
	b.LoseNextRequest()
	b.mustWithdraw(t, p, i, unknown)
	b.mustFate(t, p, i, carrier.FateThere)
	settled := b.Now().Add(b.Abilities().SettlesWithin)
	b.Advance(b.Abilities().SettlesWithin + time.Second)
	if w := b.mustFate(t, p, i, carrier.FateThere); !b.Blind && !w.AsOf.After(settled) {
		t.Errorf("Withdrawal: as of %v, which never settles it: want after %v", w.AsOf, settled)
	}
	b.taken(t, 0)
	b.mustWithdraw(t, p, i, fine)
	b.taken(t, 1)
}

// Whoever believed the first look would tell the customer that the profile is theirs, and
// it would be gone a moment later.
func checkTakenLater(t testing.TB, b Bench) {
	need(t, b.NextActsLater != nil && b.DeliverLate != nil, "act late")
	p, i := b.unwanted(t, "ct_1")
	asked := b.Now()
	b.NextActsLater()
	b.mustWithdraw(t, p, i, unknown)
	w := b.mustFate(t, p, i, carrier.FateThere)
	if settles := asked.Add(b.Abilities().SettlesWithin); !w.AsOf.Before(settles) {
		t.Errorf("Withdrawal: there as of %v, want before it can be believed, %v", w.AsOf, settles)
	}
	b.DeliverLate()
	b.mustFate(t, p, i, carrier.FateGone)
	b.mustWithdraw(t, p, i, fine)
	b.taken(t, 1)
}

func checkTakenRefusedConnection(t testing.TB, b Bench) {
	need(t, b.RefuseNext != nil, "refuse connections")
	b.notTakenThenFine(t, b.RefuseNext)
}

func checkTakenBusy(t testing.TB, b Bench) {
	need(t, b.BusyNext != nil, "be busy")
	b.notTakenThenFine(t, b.BusyNext)
}

func (b Bench) notTakenThenFine(t testing.TB, arrange func()) {
	t.Helper()
	p, i := b.unwanted(t, "ct_1")
	arrange()
	b.mustWithdraw(t, p, i, notSent)
	b.taken(t, 0)
	b.mustFate(t, p, i, carrier.FateThere)
	b.mustWithdraw(t, p, i, fine)
	b.taken(t, 1)
}

func checkTakenCancelled(t testing.TB, b Bench) {
	p, i := b.unwanted(t, "ct_1")
	err := b.withdrawer(t).Withdraw(cancelled(t.Context()), p, i.Profile)
	if k := kindOf(t, err); k != notSent && k != unknown {
		t.Errorf("Withdraw: %s (%v), want %s or %s", k, err, notSent, unknown)
	}
	b.taken(t, 0)
	b.mustFate(t, p, i, carrier.FateThere)
}

// A look that nobody heard is none, and takes nothing back; neither does a request before
// which it was not heard.
func checkFateAgain(t testing.TB, b Bench) {
	need(t, b.LoseNextReading != nil, "lose what is not an extension")
	need(t, !b.Blind, "read what became of a profile")
	p, i := b.unwanted(t, "ct_1")
	for _, spoil := range []func(){b.LoseNextReading, b.GarbleNextReading, b.BreakNextReading} {
		if spoil == nil {
			continue
		}
		spoil()
		w, err := b.withdrawer(t).Withdrawal(t.Context(), p, i.Profile)
		if k := kindOf(t, err); k != notSent {
			t.Errorf("Withdrawal: %s (%+v), want %s", k, w, notSent)
		}
		b.mustFate(t, p, i, carrier.FateThere)
	}
	b.LoseNextReading()
	if k := kindOf(t, b.withdrawer(t).Withdraw(t.Context(), p, i.Profile)); k == fine || k == refused {
		t.Errorf("Withdraw: %s, and its first answer was lost", k)
	} else if k == notSent {
		b.taken(t, 0)
	}
	b.mustWithdraw(t, p, i, fine)
	b.taken(t, 1)
}

// A profile that the operator never had was not taken back by it.
func checkTakenUnknown(t testing.TB, b Bench) {
	p, i := b.unwanted(t, "ct_1")
	for _, nobodys := range []carrier.Profile{{}, {ID: "8999900000000000009", ICCID: "8999900000000000009"}} {
		if err := b.withdrawer(t).Withdraw(t.Context(), p, nobodys); kindOf(t, err) != refused {
			t.Errorf("Withdraw of %+v: %v, want a %s", nobodys, err, refused)
		}
		if w, err := b.withdrawer(t).Withdrawal(t.Context(), p, nobodys); err == nil {
			t.Errorf("Withdrawal of %+v: %+v, want none", nobodys, w)
		}
	}
	b.mustFate(t, p, i, carrier.FateThere)
	b.taken(t, 0)
}
