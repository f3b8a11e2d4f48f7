package paymenttest

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/tsuzuku/tsuzuku/payment"
)

// KeeperBench is a provider that keeps tools, on a test bench. Controls that are
// nil skip the promises that need them; those of Bench are needed here too.
type KeeperBench struct {
	Bench
	payment.Keeper

	// Kept reports whether the provider itself still keeps a tool; it does not
	// go through the adapter.
	Kept func(payment.Kept) bool

	// The customer's bank, for the next charge. Ask makes it want to see the
	// customer, who answers at the page of the attempt with our Ref.
	Decline func()
	Ask     func()
	Answer  func(ref string, yes bool) url.Values

	// Belled says that a charge whose answer was lost can be found only by
	// starting it again, or by the notification that names it: the provider has
	// no list that could be looked through.
	Belled bool

	// Lose makes the provider lose a tool without us: the customer removed it
	// there.
	Lose func(payment.Token)
}

// RunKeeper checks the promises of [payment.Keeper]. open is called once for each.
func RunKeeper(t *testing.T, open func(*testing.T) KeeperBench) {
	for _, p := range keeperPromises() {
		t.Run(p.name, func(t *testing.T) { p.keep(t, open(t)) })
	}
}

type keeperPromise struct {
	name string
	keep func(tester, KeeperBench)
}

func keeperPromises() []keeperPromise {
	all := []keeperPromise{
		{"what the customer agreed to is kept, and nothing of a card's number", keepsWhatWasAgreed},
		{"without agreement nothing is kept", keepsNothing},
		{"the next tool of a customer is kept under their name", keepsUnderOneName},
		{"a kept tool is charged exactly, once, without a page", chargesExactly},
		{"many charges of one attempt at once are one", chargeRace},
		{"charges of one tool do not mix", chargesSideBySide},
		{"a bank that asks is answered by the customer", bankAsks},
		{"a bank that asks in vain takes nothing", bankAsksInVain},
		{"without the customer a bank that asks has refused", bankAsksNobody},
		{"a declined charge takes nothing, says why, and is over", declinedCharge},
		{"a charge can be refunded, exactly and once", refundedCharge},
		{"after its end an attempt is not charged", chargedTooLate},
		{"a charge never started is neither paid nor dead, and dead in the end", neverCharged},
		{"a token that the caller has forgotten charges nothing and hides nothing", forgottenToken},
		{"a forgotten tool is forgotten, and charges nothing", forgets},
		{"a tool that the provider lost says that it is gone", lostTool},
		{"the token does not print", tokenHides},
	}
	for _, f := range silences() {
		all = append(all,
			keeperPromise{f.name + ": a charge is unknown or known, and made once", struck(f, chargeSilent)},
			keeperPromise{f.name + ": neither asking nor closing charges", struck(f, closeSilent)},
			keeperPromise{f.name + ": forgetting is unknown or done, and can be repeated", struck(f, forgetSilent)},
		)
	}
	for _, f := range refusals() {
		all = append(all,
			keeperPromise{f.name + ": a charge was not sent, and can be repeated", struck(f, chargeRefused)},
			keeperPromise{f.name + ": forgetting was not sent, and can be repeated", struck(f, forgetRefused)},
		)
	}
	return append(all, keeperPromise{"the request arrives twice: charged once", struck(
		fault{"", func(b Bench) func() { return b.TwiceNext }}, func(t tester, b KeeperBench, strike func()) {
			at := b.using(t)
			strike()
			chargedOnce(t, b, at)
		})})
}

func struck(f fault, keep func(tester, KeeperBench, func())) func(tester, KeeperBench) {
	return func(t tester, b KeeperBench) {
		strike := f.of(b.Bench)
		if strike == nil {
			t.Skip("the wire cannot do that here")
		}
		keep(t, b, strike)
	}
}

// keeping is an attempt that is to keep its tool, and was paid.
func (b KeeperBench) keeping(t tester, holder string) payment.Kept {
	t.Helper()
	a := b.NewAttempt()
	a.Rail, a.Keep, a.Holder = b.Keeps()[0], true, holder
	a = begin(t, b.Bench, a)
	a = paid(t, b.Bench, a, b.Pay(a.Ref))
	k := query(t, b.Bench, a).Kept
	if k.Token == "" || k.Label == "" {
		t.Fatalf("paid, and kept is %+v", k)
	}
	return k
}

// using is an attempt that charges a tool that was kept just now.
func (b KeeperBench) using(t tester) payment.Attempt {
	t.Helper()
	return b.with(b.keeping(t, ""))
}

func (b KeeperBench) with(k payment.Kept) payment.Attempt {
	a := b.NewAttempt()
	a.Rail, a.Saved, a.Holder = b.Keeps()[0], k.Token, k.Holder
	return a
}

// chargedOnce starts an attempt and wants it paid, exactly and once.
func chargedOnce(t tester, b KeeperBench, a payment.Attempt) payment.Attempt {
	t.Helper()
	obs, err := b.Bench.Start(t.Context(), a)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	if obs.State != payment.Paid || obs.Next != (payment.Next{}) {
		t.Fatalf("Start says %s (%s %s) and shows %+v, want paid", obs.State, obs.Reason, obs.Code, obs.Next)
	}
	agree(t, b.Bench, a, obs)
	a.ProviderID, a.MoneyID = obs.ProviderID, obs.MoneyID
	obs = query(t, b.Bench, a)
	if obs.State != payment.Paid {
		t.Errorf("charged, and Query says %s", obs.State)
	}
	agree(t, b.Bench, a, obs)
	return a
}

func keepsWhatWasAgreed(t tester, b KeeperBench) {
	k := b.keeping(t, "")
	if b.Kept != nil && !b.Kept(k) {
		t.Errorf("the provider does not keep %q", string(k.Token))
	}
	if number.MatchString(strings.NewReplacer(" ", "", "-", "").Replace(k.Label)) {
		t.Errorf("the label %q holds a card's number", k.Label)
	}
	if !k.Until.IsZero() && (k.Until.Month < 1 || k.Until.Month > 12 || k.Until.Year < 2000) {
		t.Errorf("it can be charged until %+v", k.Until)
	}
}

// number is as many digits as cards have.
var number = regexp.MustCompile(`[0-9]{12,}`)

func keepsNothing(t tester, b KeeperBench) {
	a := begin(t, b.Bench, b.NewAttempt())
	a = paid(t, b.Bench, a, b.Pay(a.Ref))
	if k := query(t, b.Bench, a).Kept; k != (payment.Kept{}) {
		t.Errorf("nobody agreed, and kept is %+v", k)
	}
}

func keepsUnderOneName(t tester, b KeeperBench) {
	k := b.keeping(t, "")
	if k.Holder == "" {
		t.Skip("the provider names no customers")
	}
	again := b.keeping(t, k.Holder)
	if again.Holder != k.Holder {
		t.Errorf("the second tool is kept for %q, the first for %q", again.Holder, k.Holder)
	}
	if again.Mark != k.Mark {
		t.Errorf("the same tool has the marks %q and %q", k.Mark, again.Mark)
	}
}

func chargesExactly(t tester, b KeeperBench) {
	a := chargedOnce(t, b, b.using(t))
	chargedOnce(t, b, a) // the same attempt again
	if obs, err := b.Abandon(t.Context(), a); err != nil || obs.State != payment.Paid {
		t.Errorf("Abandon after the charge says %s, %v", obs.State, err)
	}
	agree(t, b.Bench, a, query(t, b.Bench, a))
	if obs, err := b.Resume(t.Context(), a, nil); err != nil || obs.State != payment.Paid {
		t.Errorf("Resume after the charge says %s, %v", obs.State, err)
	}
}

func chargeRace(t tester, b KeeperBench) {
	a := b.using(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			obs, err := b.Bench.Start(t.Context(), a)
			if err != nil && !errors.Is(err, payment.ErrUnknown) {
				t.Errorf("Start: %v", err)
			}
			if err == nil && obs.State != payment.Paid {
				t.Errorf("Start says %s (%s %s)", obs.State, obs.Reason, obs.Code)
			}
		})
	}
	all.Wait()
	chargedOnce(t, b, a)
}

func chargesSideBySide(t tester, b KeeperBench) {
	k := b.keeping(t, "")
	one, two := b.with(k), b.with(k)
	two.Amount.Minor *= 2
	one = chargedOnce(t, b, one)
	chargedOnce(t, b, two)
	agree(t, b.Bench, one, query(t, b.Bench, one))
}

// asks starts a charge of which the bank asks the customer.
func (b KeeperBench) asks(t tester) payment.Attempt {
	t.Helper()
	if b.Ask == nil || b.Answer == nil {
		t.Skip("no bank asks here")
	}
	a := b.using(t)
	b.Ask()
	obs, err := b.Bench.Start(t.Context(), a)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	if obs.State != payment.NeedsCustomer {
		t.Fatalf("the bank asks, and Start says %s (%s %s)", obs.State, obs.Reason, obs.Code)
	}
	showsTheWay(t, obs.Next)
	a.ProviderID = obs.ProviderID
	obs = query(t, b.Bench, a)
	if obs.State != payment.NeedsCustomer || obs.Next == (payment.Next{}) {
		t.Errorf("the bank asks, and Query says %s and shows %+v", obs.State, obs.Next)
	}
	agree(t, b.Bench, a, obs)
	return a
}

func bankAsks(t tester, b KeeperBench) {
	a := b.asks(t)
	paid(t, b.Bench, a, b.Answer(a.Ref, true))
}

func bankAsksInVain(t tester, b KeeperBench) {
	a := b.asks(t)
	back := b.Answer(a.Ref, false)
	if _, err := b.Resume(t.Context(), a, back); err != nil {
		wantKnownError(t, "Resume", err)
	}
	obs := query(t, b.Bench, a)
	if obs.State == payment.Paid || obs.State == payment.Pending {
		t.Errorf("the customer did not say yes, and Query says %s", obs.State)
	}
	isOver(t, b, a)
}

// isOver closes an attempt and wants it to stay unpaid for good.
func isOver(t tester, b KeeperBench, a payment.Attempt) {
	t.Helper()
	obs, err := b.Abandon(t.Context(), a)
	if err != nil {
		t.Fatalf("Abandon: %v", err)
	}
	if obs.State != payment.Dead && !b.CannotClose {
		t.Errorf("Abandon says %s, want dead", obs.State)
	}
	agree(t, b.Bench, a, query(t, b.Bench, a))
}

func bankAsksNobody(t tester, b KeeperBench) {
	if b.Ask == nil {
		t.Skip("no bank asks here")
	}
	k := b.keeping(t, "")
	a := b.with(k)
	a.Absent = true
	chargedOnce(t, b, a) // where the bank does not ask
	a = b.with(k)
	a.Absent = true
	b.Ask()
	if why := refusal(t, b, a); why != payment.NotAuthenticated {
		t.Errorf("refused because of %q, want %q", why, payment.NotAuthenticated)
	}
}

// refusal starts a charge that is refused, wants nothing taken and nothing left
// to do, and says why.
func refusal(t tester, b KeeperBench, a payment.Attempt) payment.Reason {
	t.Helper()
	obs, err := b.Bench.Start(t.Context(), a)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	if obs.State != payment.Dead && obs.State != payment.Open {
		t.Fatalf("refused, and Start says %s", obs.State)
	}
	if obs.Reason == "" || obs.Code == "" || obs.Next != (payment.Next{}) {
		t.Errorf("refused with reason %q, code %q, and shows %+v", obs.Reason, obs.Code, obs.Next)
	}
	asksFor(t, obs, a)
	if got := b.Captured(a.Ref); !got.IsZero() {
		t.Errorf("refused, and the provider took %v", got)
	}
	a.ProviderID = obs.ProviderID
	if obs.State == payment.Open {
		if obs.ProviderID == "" {
			t.Errorf("open, and the provider has no name for it")
		}
		isOver(t, b, a)
	}
	return obs.Reason
}

func declinedCharge(t tester, b KeeperBench) {
	if b.Decline == nil {
		t.Skip("nothing is declined here")
	}
	k := b.keeping(t, "")
	a := b.with(k)
	b.Decline()
	if why := refusal(t, b, a); why == payment.ToolGone || why == payment.CardExpired {
		t.Errorf("declined once, and the reason is %q: the tool would be given up", why)
	}
	// The same attempt again is the same refusal; another attempt may succeed.
	obs, err := b.Bench.Start(t.Context(), a)
	if err != nil || obs.State == payment.Paid {
		t.Errorf("started again it says %s, %v", obs.State, err)
	}
	agree(t, b.Bench, a, obs)
	chargedOnce(t, b, b.with(k))
}

func refundedCharge(t tester, b KeeperBench) {
	a := chargedOnce(t, b, b.using(t))
	r := refundOf(a, a.Amount)
	for range 2 {
		if _, err := b.Refund(t.Context(), r); err != nil {
			t.Fatalf("Refund: %v", err)
		}
	}
	if b.Refunded != nil && b.Refunded(a.Ref) != a.Amount {
		t.Errorf("refunded %v of %v", b.Refunded(a.Ref), a.Amount)
	}
	if seen, err := b.QueryRefund(t.Context(), r); err != nil || !seen.Found || seen.Amount != a.Amount {
		t.Errorf("QueryRefund says %+v, %v", seen, err)
	}
	if obs := query(t, b.Bench, a); obs.State != payment.Paid {
		t.Errorf("refunded, and Query says %s", obs.State)
	}
}

func chargedTooLate(t tester, b KeeperBench) {
	if b.Advance == nil {
		t.Skip("time stands still here")
	}
	a := b.using(t)
	b.Advance(a.ExpiresAt.Sub(a.CreatedAt))
	if obs, err := b.Bench.Start(t.Context(), a); err == nil && obs.State == payment.Paid {
		t.Errorf("after its end Start says %s", obs.State)
	}
	if got := b.Captured(a.Ref); !got.IsZero() {
		t.Errorf("after its end %v were taken", got)
	}
}

func neverCharged(t tester, b KeeperBench) {
	a := b.using(t)
	obs, err := b.Query(t.Context(), a)
	if err == nil && obs.State.Final() {
		t.Errorf("never started, and Query says %s", obs.State)
	}
	if _, err := b.Abandon(t.Context(), a); err != nil {
		wantKnownError(t, "Abandon", err)
	}
	if got := b.Captured(a.Ref); !got.IsZero() {
		t.Errorf("asking took %v", got)
	}
	if b.Advance == nil {
		return
	}
	b.Advance(a.ExpiresAt.Sub(a.CreatedAt) + b.Limits().SettlesWithin + 26*hour)
	if b.Belled {
		return
	}
	if obs := query(t, b.Bench, a); obs.State != payment.Dead {
		t.Errorf("a day after its end Query says %s", obs.State)
	}
}

func forgottenToken(t tester, b KeeperBench) {
	k := b.keeping(t, "")
	a := chargedOnce(t, b, b.with(k))
	a.Saved = payment.Forgotten
	if obs := query(t, b.Bench, a); obs.State != payment.Paid {
		t.Errorf("with a forgotten token Query says %s", obs.State)
	}
	if a.ProviderID, a.MoneyID = "", ""; b.Belled {
		a = b.heard(t, a)
	}
	if obs := query(t, b.Bench, a); obs.State != payment.Paid {
		t.Errorf("with a forgotten token and nothing known Query says %s", obs.State)
	}
	fresh := b.with(k)
	fresh.Saved = payment.Forgotten
	if obs, err := b.Bench.Start(t.Context(), fresh); err == nil && obs.State != payment.Dead {
		t.Errorf("with a forgotten token Start says %s", obs.State)
	}
	if got := b.Captured(fresh.Ref); !got.IsZero() {
		t.Errorf("with a forgotten token %v were taken", got)
	}
}

func forgets(t tester, b KeeperBench) {
	k := b.keeping(t, "")
	a := chargedOnce(t, b, b.with(k))
	for range 2 {
		if err := b.Forget(t.Context(), k); err != nil {
			t.Fatalf("Forget: %v", err)
		}
	}
	if b.Kept != nil && b.Kept(k) {
		t.Errorf("forgotten, and the provider keeps it")
	}
	if obs := query(t, b.Bench, a); obs.State != payment.Paid {
		t.Errorf("a charge of before: Query says %s", obs.State)
	}
	if why := refusal(t, b, b.with(k)); why != payment.ToolGone {
		t.Errorf("a forgotten tool was refused because of %q, want %q", why, payment.ToolGone)
	}
}

func lostTool(t tester, b KeeperBench) {
	if b.Lose == nil {
		t.Skip("nothing gets lost here")
	}
	k := b.keeping(t, "")
	b.Lose(k.Token)
	if why := refusal(t, b, b.with(k)); why != payment.ToolGone && why != payment.CardExpired {
		t.Errorf("a lost tool was refused because of %q", why)
	}
	if err := b.Forget(t.Context(), k); err != nil {
		t.Errorf("Forget of a lost tool: %v", err)
	}
}

func tokenHides(t tester, b KeeperBench) {
	k := b.keeping(t, "")
	a := b.with(k)
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k), fmt.Sprintf("%#v", a), fmt.Sprint(a)} {
		if strings.Contains(s, string(k.Token)) {
			t.Errorf("the token shows in %s", s)
		}
	}
	a.ExpiresAt = a.CreatedAt // an error, or an observation that says nothing
	if _, err := b.Bench.Start(t.Context(), a); err != nil && strings.Contains(err.Error(), string(k.Token)) {
		t.Errorf("the token shows in the error %v", err)
	}
}

func chargeSilent(t tester, b KeeperBench, strike func()) {
	a := b.using(t)
	strike()
	obs, err := b.Bench.Start(t.Context(), a)
	if err != nil {
		wantUnknown(t, "Start", err)
	} else if obs.State == payment.Dead {
		t.Errorf("the charge got no answer, and Start says dead")
	}
	a = chargedOnce(t, b, a)
	if b.DeliverLate != nil {
		b.DeliverLate()
	}
	chargedOnce(t, b, a)
}

func closeSilent(t tester, b KeeperBench, strike func()) {
	a := b.using(t)
	strike()
	begun, err := b.Bench.Start(t.Context(), a)
	if err != nil {
		wantUnknown(t, "Start", err)
	}
	before := b.Captured(a.Ref)
	seen, err := b.Query(t.Context(), a)
	if err != nil {
		wantKnownError(t, "Query", err)
	}
	closed, err := b.Abandon(t.Context(), a)
	if err != nil {
		wantKnownError(t, "Abandon", err)
	}
	if got := b.Captured(a.Ref); got != before {
		t.Errorf("asking and closing took %v", got)
	}
	if b.DeliverLate != nil {
		b.DeliverLate()
	}
	if dead := begun.State == payment.Dead || seen.State == payment.Dead || closed.State == payment.Dead; dead && !b.Captured(a.Ref).IsZero() {
		t.Errorf("called dead, and then %v were taken", b.Captured(a.Ref))
	}
	if closed.ProviderID != "" {
		a.ProviderID = closed.ProviderID
	}
	if b.Belled && a.ProviderID == "" {
		a = b.heard(t, a)
	}
	agree(t, b.Bench, a, query(t, b.Bench, a))
}

// heard gives an attempt the identifiers by which notifications have named it.
func (b KeeperBench) heard(t tester, a payment.Attempt) payment.Attempt {
	t.Helper()
	for _, n := range b.Notifications() {
		bell, err := b.Notification(t.Context(), n.Header, n.Body)
		if err == nil && bell.Ref == a.Ref && bell.ProviderID != "" {
			a.ProviderID = bell.ProviderID
		}
	}
	return a
}

func forgetSilent(t tester, b KeeperBench, strike func()) {
	k := b.keeping(t, "")
	strike()
	if err := b.Forget(t.Context(), k); err != nil {
		wantUnknown(t, "Forget", err)
	} else if b.Kept != nil && b.Kept(k) { // an answer that is its status alone cannot be garbled
		t.Errorf("Forget says that it is done, and the provider keeps it")
	}
	forgottenAgain(t, b, k)
}

// forgottenAgain repeats a Forget that went wrong.
func forgottenAgain(t tester, b KeeperBench, k payment.Kept) {
	t.Helper()
	if err := b.Forget(t.Context(), k); err != nil {
		t.Fatalf("Forget again: %v", err)
	}
	if b.DeliverLate != nil {
		b.DeliverLate()
	}
	if b.Kept != nil && b.Kept(k) {
		t.Errorf("forgotten, and the provider keeps it")
	}
}

func chargeRefused(t tester, b KeeperBench, strike func()) {
	a := b.using(t)
	strike()
	_, err := b.Bench.Start(t.Context(), a)
	wantNotSent(t, "Start", err)
	if got := b.Captured(a.Ref); !got.IsZero() {
		t.Errorf("not sent, and %v were taken", got)
	}
	chargedOnce(t, b, a)
}

func forgetRefused(t tester, b KeeperBench, strike func()) {
	k := b.keeping(t, "")
	strike()
	wantNotSent(t, "Forget", b.Forget(t.Context(), k))
	forgottenAgain(t, b, k)
}
