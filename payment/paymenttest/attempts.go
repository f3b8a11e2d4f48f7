package paymenttest

import (
	"errors"
	"net/url"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

func limits(t tester, b Bench) {
	l := b.Limits()
	if b.Name() == "" {
		t.Errorf("the provider has no name")
	}
	if len(l.Rails) == 0 {
		t.Errorf("Limits name no rail")
	}
	for _, rail := range l.Rails {
		if len(l.Currencies[rail]) == 0 {
			t.Errorf("Limits name no currency for rail %s", rail)
		}
	}
	for c, lo := range l.Min {
		if hi, ok := l.Max[c]; ok && lo > hi {
			t.Errorf("%s: min %d is above max %d", c, lo, hi)
		}
	}
	a := b.NewAttempt()
	if !l.Takes(a.Rail, a.Amount) {
		t.Errorf("Limits do not take the bench's own amount %v by %s", a.Amount, a.Rail)
	}
	if l.SettlesWithin <= 0 {
		t.Errorf("SettlesWithin is %v: nobody would know when absence counts", l.SettlesWithin)
	}
}

func start(t tester, b Bench) {
	a := b.NewAttempt()
	obs, err := b.Start(t.Context(), a)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	if obs.State != payment.NeedsCustomer {
		t.Errorf("Start says %s, want %s", obs.State, payment.NeedsCustomer)
	}
	showsTheWay(t, obs.Next)
	asksFor(t, obs, a)
	a.ProviderID = obs.ProviderID
	obs = query(t, b, a)
	if obs.State == payment.Pending || obs.State.Final() {
		t.Errorf("before the customer did anything Query says %s", obs.State)
	}
	asksFor(t, obs, a)
	agree(t, b, a, obs)
}

func showsTheWay(t tester, next payment.Next) {
	t.Helper()
	if next == (payment.Next{}) {
		t.Errorf("the customer is shown neither a page nor a code")
	}
	if next.RedirectURL != "" {
		if u, err := url.Parse(next.RedirectURL); err != nil || u.Scheme == "" {
			t.Errorf("RedirectURL %q is not absolute", next.RedirectURL)
		}
	}
}

func asksFor(t tester, obs payment.Observation, a payment.Attempt) {
	t.Helper()
	if obs.Amount != a.Amount {
		t.Errorf("%s with amount %v, want %v", obs.State, obs.Amount, a.Amount)
	}
	if obs.AsOf.IsZero() {
		t.Errorf("%s without AsOf", obs.State)
	}
}

func currencies(t tester, b Bench) {
	l := b.Limits()
	for _, rail := range l.Rails {
		if l.Takes(rail, money.Of(5000, "XTS")) {
			t.Errorf("%s takes XTS, which nobody issues", rail)
		}
		for _, c := range l.Currencies[rail] {
			a := b.NewAttempt()
			a.Rail, a.Amount = rail, plausible(l, c)
			if !l.Takes(rail, a.Amount) {
				t.Errorf("%s does not take %v", rail, a.Amount)
				continue
			}
			a = begin(t, b, a)
			paid(t, b, a, b.Pay(a.Ref))
		}
	}
}

// plausible is an amount of c that whole-unit providers can express too.
func plausible(l payment.Limits, c money.Currency) money.Money {
	n := max(5000, (l.Min[c]+99)/100*100)
	if hi, ok := l.Max[c]; ok {
		n = min(n, hi)
	}
	return money.Of(n, c)
}

func pay(t tester, b Bench) {
	a := begin(t, b, b.NewAttempt())
	paid(t, b, a, b.Pay(a.Ref))
}

// The customer's phone goes dark on the way back: nobody calls Resume with
// anything, and the money is there all the same.
func neverBack(t tester, b Bench) {
	a := begin(t, b, b.NewAttempt())
	b.Pay(a.Ref)
	if obs := query(t, b, a); obs.State != payment.Paid && obs.State != payment.Approved {
		t.Errorf("the customer has paid or agreed, and Query says %s: nobody would take the money", obs.State)
	}
	paid(t, b, a, nil)
}

func authenticate(t tester, b Bench) {
	if b.Authenticate == nil {
		t.Skip("no bank asks here")
	}
	a := begin(t, b, b.NewAttempt())
	paid(t, b, a, b.Authenticate(a.Ref))
}

func decline(t tester, b Bench) {
	if b.Decline == nil {
		t.Skip("nothing is declined here")
	}
	a := begin(t, b, b.NewAttempt())
	b.Decline(a.Ref)
	// Where we take the money, it is we who are refused.
	back, err := b.Resume(t.Context(), a, nil)
	if err != nil {
		wantKnownError(t, "Resume", err)
	}
	obs := query(t, b, a)
	if obs.State == payment.Paid || obs.State == payment.Pending {
		t.Fatalf("after a refusal Query says %s", obs.State)
	}
	if told := obs.Reason != "" && obs.Code != "" || back.Reason != "" && back.Code != ""; !told && !b.Mute {
		t.Errorf("after a refusal reason %q, code %q; want both", obs.Reason, obs.Code)
	}
	asksFor(t, obs, a)
	agree(t, b, a, obs)
	returned := b.Pay(a.Ref)
	if obs.State == payment.Dead {
		agree(t, b, a, query(t, b, a))
		return
	}
	paid(t, b, a, returned)
}

func giveUp(t tester, b Bench) {
	if b.GiveUp == nil {
		t.Skip("nobody can give up here")
	}
	a := begin(t, b, b.NewAttempt())
	b.GiveUp(a.Ref)
	obs := query(t, b, a)
	if obs.State == payment.Paid {
		t.Errorf("the customer gave up and Query says paid")
	}
	agree(t, b, a, obs)
}

func neverStarted(t tester, b Bench) {
	a := b.NewAttempt()
	obs, err := b.Query(t.Context(), a)
	if err != nil {
		wantNotSent(t, "Query", err)
		return
	}
	if obs.State != payment.Created && obs.State != payment.Unknown {
		t.Errorf("Query of an attempt never started says %s", obs.State)
	}
}

func abandon(t tester, b Bench) {
	a := begin(t, b, b.NewAttempt())
	closed := false
	for range 2 {
		obs, err := b.Abandon(t.Context(), a)
		if err != nil {
			t.Fatalf("Abandon: %v", err)
		}
		dead := obs.State == payment.Dead
		if !dead && (!b.CannotClose || obs.State == payment.Paid) {
			t.Errorf("Abandon says %s, want %s", obs.State, payment.Dead)
		}
		if dead && obs.Reason == "" {
			t.Errorf("dead without a reason")
		}
		staysDead(t, b, a, obs)
		closed = closed || obs.Closed
	}
	b.Pay(a.Ref)
	if took := b.Captured(a.Ref); closed && !took.IsZero() {
		t.Errorf("Abandon said that the provider has closed it, and it took %v", took)
	}
	agree(t, b, a, query(t, b, a))
}

// staysDead wants an attempt that was called dead to look dead before anybody
// pays: dead is a promise about the future.
func staysDead(t tester, b Bench, a payment.Attempt, said payment.Observation) {
	t.Helper()
	if said.State != payment.Dead {
		return
	}
	if obs := query(t, b, a); obs.State != payment.Dead {
		t.Errorf("Abandon said dead, Query says %s", obs.State)
	}
}

func abandonPaid(t tester, b Bench) {
	a := begin(t, b, b.NewAttempt())
	paid(t, b, a, b.Pay(a.Ref))
	obs, err := b.Abandon(t.Context(), a)
	if err != nil {
		t.Fatalf("Abandon: %v", err)
	}
	if obs.State != payment.Paid || obs.Amount != a.Amount {
		t.Errorf("Abandon after payment says %s %v, want paid %v", obs.State, obs.Amount, a.Amount)
	}
}

// The start is on its way, nobody knows where, when the attempt is closed. If
// Abandon says dead, the late start must not open something the customer could
// pay and we would not see.
func abandonLost(t tester, b Bench) {
	if b.NextActsLater == nil || b.DeliverLate == nil || b.StartIsLocal {
		t.Skip("nothing arrives late here")
	}
	a := b.NewAttempt()
	b.NextActsLater()
	_, err := b.Start(t.Context(), a)
	wantUnknown(t, "Start", err)
	obs, err := b.Abandon(t.Context(), a)
	if err != nil {
		wantKnownError(t, "Abandon", err)
		return
	}
	if obs.ProviderID != "" {
		a.ProviderID = obs.ProviderID
	}
	b.DeliverLate()
	staysDead(t, b, a, obs)
	b.Pay(a.Ref)
	if obs.State == payment.Dead {
		agree(t, b, a, query(t, b, a))
	}
}

func lapse(t tester, b Bench) {
	if b.Advance == nil || b.Lapses == 0 {
		t.Skip("attempts do not lapse here")
	}
	a := begin(t, b, b.NewAttempt())
	b.Advance(a.ExpiresAt.Sub(a.CreatedAt) + b.Lapses)
	obs := query(t, b, a)
	if obs.State != payment.Dead || obs.Reason == "" {
		t.Errorf("long after its end Query says %s, reason %q; want dead with a reason", obs.State, obs.Reason)
	}
	b.Pay(a.Ref)
	agree(t, b, a, query(t, b, a))
}

func neverRegresses(t tester, b Bench) {
	a := begin(t, b, b.NewAttempt())
	paid(t, b, a, b.Pay(a.Ref))
	still := func(after string) {
		if obs := query(t, b, a); obs.State != payment.Paid || obs.Amount != a.Amount {
			t.Errorf("after %s Query says %s %v, want paid %v", after, obs.State, obs.Amount, a.Amount)
		}
		if got := b.Captured(a.Ref); got != a.Amount {
			t.Errorf("after %s the provider has taken %v, want %v", after, got, a.Amount)
		}
	}
	b.Pay(a.Ref)
	still("paying again")
	if b.Decline != nil {
		b.Decline(a.Ref)
		still("a late refusal")
	}
	if b.GiveUp != nil {
		b.GiveUp(a.Ref)
		still("giving up")
	}
	if _, err := b.Resume(t.Context(), a, nil); err != nil {
		wantKnownError(t, "Resume", err)
	}
	still("coming back twice")
	if _, err := b.Abandon(t.Context(), a); err != nil {
		wantKnownError(t, "Abandon", err)
	}
	still("abandoning")
	if b.Advance != nil {
		b.Advance(48 * hour)
		still("two days")
	}
	if _, err := b.Refund(t.Context(), refundOf(a, a.Amount)); err != nil {
		t.Errorf("Refund: %v", err)
	}
	still("a full refund")
}

// begin starts a and stores the provider's identifier, as the house does.
func begin(t tester, b Bench, a payment.Attempt) payment.Attempt {
	t.Helper()
	obs, err := b.Start(t.Context(), a)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	if obs.State != payment.NeedsCustomer && obs.State != payment.Open {
		t.Fatalf("Start says %s (%s %s)", obs.State, obs.Reason, obs.Code)
	}
	if a.ProviderID != "" && obs.ProviderID != a.ProviderID {
		t.Errorf("Start again gave another attempt: %q, was %q", obs.ProviderID, a.ProviderID)
	}
	a.ProviderID = obs.ProviderID
	return a
}

// paid lets the customer come back and wants the attempt paid, once, exactly.
// It returns the attempt as the house then has it.
func paid(t tester, b Bench, a payment.Attempt, returned url.Values) payment.Attempt {
	t.Helper()
	if _, err := b.Resume(t.Context(), a, returned); err != nil {
		t.Fatalf("Resume: %v", err)
	}
	obs := query(t, b, a)
	if obs.State != payment.Paid {
		t.Fatalf("after paying Query says %s (%s %s), want paid", obs.State, obs.Reason, obs.Code)
	}
	if !obs.Refunded.IsZero() || !obs.Disputed.IsZero() {
		t.Errorf("freshly paid with %v refunded, %v disputed", obs.Refunded, obs.Disputed)
	}
	asksFor(t, obs, a)
	agree(t, b, a, obs)
	a.MoneyID = obs.MoneyID
	return a
}

func query(t tester, b Bench, a payment.Attempt) payment.Observation {
	t.Helper()
	obs, err := b.Query(t.Context(), a)
	if err != nil {
		t.Fatalf("Query: %v", err)
	}
	return obs
}

// agree compares what the adapter says with what the provider really took.
func agree(t tester, b Bench, a payment.Attempt, obs payment.Observation) {
	t.Helper()
	took := b.Captured(a.Ref)
	switch {
	case obs.State == payment.Paid && took != obs.Amount:
		t.Errorf("the adapter says paid %v, the provider took %v", obs.Amount, took)
	case obs.State == payment.Paid && took != a.Amount:
		t.Errorf("the provider took %v, want %v", took, a.Amount)
	case obs.State != payment.Paid && !took.IsZero():
		t.Errorf("the provider took %v and the adapter says %s", took, obs.State)
	}
}

func wantUnknown(t tester, call string, err error) {
	t.Helper()
	if !errors.Is(err, payment.ErrUnknown) || errors.Is(err, payment.ErrNotSent) {
		t.Fatalf("%s: error %v, want ErrUnknown", call, err)
	}
}

func wantNotSent(t tester, call string, err error) {
	t.Helper()
	if !errors.Is(err, payment.ErrNotSent) || errors.Is(err, payment.ErrUnknown) {
		t.Fatalf("%s: error %v, want ErrNotSent", call, err)
	}
}

func wantKnownError(t tester, call string, err error) {
	t.Helper()
	if errors.Is(err, payment.ErrNotSent) == errors.Is(err, payment.ErrUnknown) {
		t.Fatalf("%s: error %v is neither ErrNotSent nor ErrUnknown, or both", call, err)
	}
}
