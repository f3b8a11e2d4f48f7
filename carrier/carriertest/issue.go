package carriertest

import (
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// issuing are the promises of a carrier that sells new profiles.
var issuing = []promise{
	{"who sells new profiles is able to", checkIssuer},
	{"a new profile is made once and can be installed", checkIssues},
	{"a purchase that was never asked for is absent", checkNeverBought},
	{"a second purchase is not mistaken for the first", checkSecondIssue},
	{"a lost answer to a purchase is unknown and then found", checkIssueLostAnswer},
	{"a broken answer to a purchase is unknown and then found", checkIssueBroken},
	{"a garbled answer to a purchase is unknown and then found", checkIssueGarbled},
	{"a lost purchase is unknown and then absent for good", checkIssueLostRequest},
	{"a purchase that acts late is absent until it is done", checkIssueActsLater},
	{"a purchase over a refused connection was not sent", checkIssueRefusedConnection},
	{"a purchase from a busy operator was not asked", checkIssueBusy},
	{"a purchase with a cancelled context buys nothing", checkIssueCancelled},
	{"a purchase of an unknown package is refused", checkIssueUnknownPackage},
}

func checkIssuer(t testing.TB, b Bench) {
	_, is := b.Carrier.(carrier.Issuer)
	if b.Abilities().Issues && !is {
		t.Error("Abilities say that it sells new profiles, and it is no Issuer")
	}
	if _, is := b.Carrier.(carrier.Reserver); b.Abilities().Reserves && !is {
		t.Error("Abilities say that it sets profiles aside, and it is no Reserver")
	}
	if a := b.Abilities(); (a.Reserves || a.Finishes) && !a.Issues {
		t.Error("Abilities say how it sells new profiles, and that it sells none")
	}
	if !b.Abilities().Issues && b.NewPackage != "" {
		t.Error("the bench has a package for new profiles, and Abilities say that it sells none")
	}
}

// issuer is the carrier as one that sells new profiles; without, the promise is
// skipped.
func (b Bench) issuer(t testing.TB) carrier.Issuer {
	t.Helper()
	i, ok := b.Carrier.(carrier.Issuer)
	need(t, ok && b.Abilities().Issues && b.NewPackage != "", "sell new profiles")
	return i
}

// purchase is a further purchase, ready to be asked for: with a profile set aside
// where the operator wants that.
func (b Bench) purchase(t testing.TB, ref string) carrier.Purchase {
	t.Helper()
	p := carrier.Purchase{Ref: ref, Package: b.NewPackage, Days: b.Days}
	if b.Abilities().Reserves {
		snapshot, err := b.issuer(t).(carrier.Reserver).Reserve(t.Context(), p)
		if err != nil || len(snapshot) == 0 {
			t.Fatalf("Reserve: %q, %v", snapshot, err)
		}
		p.Snapshot = snapshot
	}
	p.AskedAt = b.Now()
	return p
}

// mustIssue orders and wants it to end in this kind.
func (b Bench) mustIssue(t testing.TB, p carrier.Purchase, want kind) carrier.Issued {
	t.Helper()
	i, err := b.issuer(t).Issue(t.Context(), p)
	if got := kindOf(t, err); got != want {
		t.Fatalf("Issue: %s (%v), want %s", got, err, want)
	}
	if err == nil && i.Ref == "" {
		t.Error("Issue: a yes without the operator's number")
	}
	return i
}

// mustFindIssue looks p up and wants this finding.
func (b Bench) mustFindIssue(t testing.TB, p carrier.Purchase, want carrier.Found) carrier.IssueReading {
	t.Helper()
	began := b.Now()
	r, err := b.issuer(t).LookUpIssue(t.Context(), p)
	if err != nil {
		t.Fatalf("LookUpIssue: %s (%v), want %s", kindOf(t, err), err, want)
	}
	if r.Found != want {
		t.Fatalf("LookUpIssue: %s (%s), want %s", r.Found, r.Why, want)
	}
	if r.AsOf.IsZero() || r.AsOf.After(began) {
		t.Errorf("LookUpIssue: as of %v, want when it began, %v", r.AsOf, began)
	}
	if r.Found == carrier.FoundDone {
		b.installable(t, r.Issued)
	}
	return r
}

// installable checks what can be said of any new profile.
func (b Bench) installable(t testing.TB, i carrier.Issued) {
	t.Helper()
	code := strings.Split(i.Code, "$")
	switch {
	case i.Ref == "" || i.Profile.ID == "":
		t.Errorf("the profile has no number: %+v", i)
	case len(i.Profile.ICCID) < 18 || len(i.Profile.ICCID) > 20:
		t.Errorf("the profile has the ICCID %q", i.Profile.ICCID)
	case len(code) < 3 || code[0] != "LPA:1" || code[1] == "" || code[2] == "":
		t.Errorf("the profile has the code %q, want LPA:1$address$matching identifier", i.Code)
	case !i.InstallBy.IsZero() && !i.InstallBy.After(b.Now()):
		t.Errorf("the profile must be installed by %v, and now is %v", i.InstallBy, b.Now())
	}
}

// made lets the operator finish what it has accepted.
func (b Bench) made() {
	if b.FinishMaking != nil {
		b.FinishMaking()
	}
}

// issued checks how many profiles the operator really made.
func (b Bench) issued(t testing.TB, want int) {
	t.Helper()
	if b.Profiles == nil {
		t.Log("not checked: this bench cannot count new profiles")
		return
	}
	if got := b.Profiles(); got != want {
		t.Errorf("the operator made %d profiles, want %d", got, want)
	}
}

func checkIssues(t testing.TB, b Bench) {
	p := b.purchase(t, "ct_1")
	first := b.mustIssue(t, p, fine)
	p.Theirs = first.Ref
	if first.Made() {
		b.installable(t, first)
	} else {
		b.mustFindIssue(t, p, carrier.FoundPending)
		b.made()
	}
	later := b.mustFindIssue(t, p, carrier.FoundDone).Issued
	if first.Made() && first != later {
		t.Errorf("%+v when asked, %+v when looked up", first, later)
	}
	p.Theirs = ""
	if again := b.mustFindIssue(t, p, carrier.FoundDone).Issued; again != later {
		t.Errorf("%+v by the operator's number, %+v by ours", later, again)
	}
	s, err := b.Status(t.Context(), later.Profile)
	if err != nil || s.State != carrier.LineNew || !s.StartsAt.IsZero() {
		t.Errorf("Status of the new profile: %+v, %v; want new, not begun", s, err)
	}
	b.issued(t, 1)
}

// Nothing is set aside, so that nobody can have asked.
func checkNeverBought(t testing.TB, b Bench) {
	b.mustFindIssue(t, carrier.Purchase{Ref: "ct_1", Package: b.NewPackage, Days: b.Days, AskedAt: b.Now()}, carrier.FoundAbsent)
	b.issued(t, 0)
}

func checkSecondIssue(t testing.TB, b Bench) {
	first := b.purchase(t, "ct_1")
	b.mustIssue(t, first, fine)
	b.made()
	p := b.purchase(t, "ct_2")
	if !b.Abilities().Finishes {
		b.mustFindIssue(t, p, carrier.FoundAbsent)
	}
	b.mustIssue(t, p, fine)
	b.made()
	one, two := b.mustFindIssue(t, first, carrier.FoundDone), b.mustFindIssue(t, p, carrier.FoundDone)
	if one.Issued.Profile == two.Issued.Profile || one.Issued.Code == two.Issued.Code {
		t.Errorf("two purchases were given one profile: %+v", one.Issued)
	}
	b.issued(t, 2)
}

func checkIssueLostAnswer(t testing.TB, b Bench) {
	need(t, b.LoseNextAnswer != nil, "lose answers")
	b.boughtUnknown(t, b.LoseNextAnswer)
}

func checkIssueBroken(t testing.TB, b Bench) {
	need(t, b.BreakNext != nil, "fail after acting")
	b.boughtUnknown(t, b.BreakNext)
}

func checkIssueGarbled(t testing.TB, b Bench) {
	need(t, b.GarbleNext != nil, "garble answers")
	b.boughtUnknown(t, b.GarbleNext)
}

// boughtUnknown: the operator made a profile and we could not hear it.
func (b Bench) boughtUnknown(t testing.TB, arrange func()) {
	t.Helper()
	p := b.purchase(t, "ct_1")
	arrange()
	b.mustIssue(t, p, unknown)
	b.made()
	b.mustFindIssue(t, p, carrier.FoundDone)
	b.issued(t, 1)
}

func checkIssueLostRequest(t testing.TB, b Bench) {
	need(t, b.LoseNextRequest != nil, "lose requests")
	need(t, b.Advance != nil, "move the clock")
	p := b.purchase(t, "ct_1")
	b.LoseNextRequest()
	b.mustIssue(t, p, unknown)
	if b.Abilities().Finishes {
		b.issued(t, 0)
		b.finished(t, p)
		return
	}
	b.mustFindIssue(t, p, carrier.FoundAbsent)
	settled := b.Now().Add(b.Abilities().SettlesWithin)
	b.Advance(b.Abilities().SettlesWithin + time.Second)
	if r := b.mustFindIssue(t, p, carrier.FoundAbsent); !r.AsOf.After(settled) {
		t.Errorf("LookUpIssue: as of %v, which never settles it: want after %v", r.AsOf, settled)
	}
	b.issued(t, 0)
}

// finished: what was lost is carried out by looking it up, once however often.
func (b Bench) finished(t testing.TB, p carrier.Purchase) {
	t.Helper()
	first := b.mustFindIssue(t, p, carrier.FoundDone).Issued
	if again := b.mustFindIssue(t, p, carrier.FoundDone).Issued; again != first {
		t.Errorf("%+v when it was carried out, %+v when looked up again", first, again)
	}
	b.issued(t, 1)
}

// Whoever believed the first absence would give the money back for a profile
// that is made a moment later.
func checkIssueActsLater(t testing.TB, b Bench) {
	need(t, b.NextActsLater != nil && b.DeliverLate != nil, "act late")
	p := b.purchase(t, "ct_1")
	b.NextActsLater()
	b.mustIssue(t, p, unknown)
	if b.Abilities().Finishes {
		b.finished(t, p)
		b.DeliverLate()
		b.finished(t, p)
		return
	}
	r := b.mustFindIssue(t, p, carrier.FoundAbsent)
	if settles := p.AskedAt.Add(b.Abilities().SettlesWithin); !r.AsOf.Before(settles) {
		t.Errorf("LookUpIssue: absent as of %v, want before it can be believed, %v", r.AsOf, settles)
	}
	b.DeliverLate()
	b.made()
	b.mustFindIssue(t, p, carrier.FoundDone)
	b.issued(t, 1)
}

func checkIssueRefusedConnection(t testing.TB, b Bench) {
	need(t, b.RefuseNext != nil, "refuse connections")
	b.notBoughtThenFine(t, b.RefuseNext)
}

func checkIssueBusy(t testing.TB, b Bench) {
	need(t, b.BusyNext != nil, "be busy")
	b.notBoughtThenFine(t, b.BusyNext)
}

func (b Bench) notBoughtThenFine(t testing.TB, arrange func()) {
	t.Helper()
	p := b.purchase(t, "ct_1")
	arrange()
	b.mustIssue(t, p, notSent)
	b.issued(t, 0)
	b.mustIssue(t, p, fine)
	b.made()
	b.issued(t, 1)
}

func checkIssueCancelled(t testing.TB, b Bench) {
	p := b.purchase(t, "ct_1")
	_, err := b.issuer(t).Issue(cancelled(t.Context()), p)
	if k := kindOf(t, err); k != notSent && k != unknown {
		t.Errorf("Issue: %s (%v), want %s or %s", k, err, notSent, unknown)
	}
	b.made()
	b.issued(t, 0)
	if b.Abilities().Finishes {
		b.finished(t, p)
		return
	}
	b.mustFindIssue(t, p, carrier.FoundAbsent)
}

func checkIssueUnknownPackage(t testing.TB, b Bench) {
	p := carrier.Purchase{Ref: "ct_1", Package: "nosuchpackage", Days: b.Days, AskedAt: b.Now()}
	if !b.Abilities().Reserves {
		b.mustIssue(t, p, refused)
	} else if _, err := b.issuer(t).(carrier.Reserver).Reserve(t.Context(), p); kindOf(t, err) != refused {
		t.Errorf("Reserve: %v, want a %s", err, refused)
	}
	b.issued(t, 0)
}
