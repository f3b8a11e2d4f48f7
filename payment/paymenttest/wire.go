package paymenttest

import (
	"errors"
	"sync"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// fault is one thing that can happen to the next request.
type fault struct {
	name string
	of   func(Bench) func()
}

// After these nobody knows whether the provider acted.
func silences() []fault {
	return []fault{
		{"the request is lost", func(b Bench) func() { return b.LoseNextRequest }},
		{"the answer is lost", func(b Bench) func() { return b.LoseNextAnswer }},
		{"the request arrives late", func(b Bench) func() { return b.NextActsLater }},
		{"the provider acts and breaks", func(b Bench) func() { return b.BreakNext }},
		{"the answer is garbled", func(b Bench) func() { return b.GarbleNext }},
	}
}

// After these the provider certainly did not act.
func refusals() []fault {
	return []fault{
		{"the connection is refused", func(b Bench) func() { return b.RefuseNext }},
		{"the provider is busy", func(b Bench) func() { return b.BusyNext }},
	}
}

func unread() []fault {
	return []fault{
		{"the question is lost", func(b Bench) func() { return b.LoseNextRead }},
		{"the provider breaks over the question", func(b Bench) func() { return b.BreakNextRead }},
		{"the reading is garbled", func(b Bench) func() { return b.GarbleNextRead }},
		{"the provider is too busy to say", func(b Bench) func() { return b.BusyNextRead }},
	}
}

func wirePromises() []promise {
	var all []promise
	add := func(f fault, what string, keep func(tester, Bench, func())) {
		all = append(all, promise{f.name + ": " + what, func(t tester, b Bench) {
			strike := f.of(b)
			if strike == nil {
				t.Skip("the wire cannot do that here")
			}
			keep(t, b, strike)
		}})
	}
	for _, f := range silences() {
		add(f, "start is unknown, and charged once", startSilent)
		add(f, "abandoning is unknown, and can be repeated", abandonSilent)
		add(f, "a refund is unknown, and made once", refundSilent)
	}
	for _, f := range refusals() {
		add(f, "start was not sent, and can be repeated", startRefused)
		add(f, "abandoning was not sent, and can be repeated", abandonRefused)
		add(f, "a refund was not sent, and can be repeated", refundRefused)
	}
	for _, f := range unread() {
		add(f, "a question that got no answer was not sent", readSilent)
	}
	add(fault{"the request arrives twice", func(b Bench) func() { return b.TwiceNext }}, "charged once, refunded once", twice)
	return all
}

func startSilent(t tester, b Bench, strike func()) {
	if b.StartIsLocal {
		t.Skip("Start makes no request")
	}
	a := b.NewAttempt()
	strike()
	obs, err := b.Start(t.Context(), a)
	wantUnknown(t, "Start", err)
	if obs.State.Final() {
		t.Errorf("Start heard nothing and says %s", obs.State)
	}
	if !b.Limits().Keyed {
		startUnkeyed(t, b, a)
		return
	}
	a = begin(t, b, a)
	if b.DeliverLate != nil {
		b.DeliverLate()
	}
	a = begin(t, b, a) // and again: it must be the same attempt
	paid(t, b, a, b.Pay(a.Ref))
}

// Without a key Start is not repeated; Query must not conclude anything yet.
func startUnkeyed(t tester, b Bench, a payment.Attempt) {
	obs, err := b.Query(t.Context(), a)
	if err != nil {
		wantNotSent(t, "Query", err)
	} else if obs.State.Final() {
		t.Errorf("right after a lost start Query says %s", obs.State)
	}
	if b.DeliverLate != nil {
		b.DeliverLate()
	}
	if obs.ProviderID != "" {
		a.ProviderID = obs.ProviderID
	}
	if obs.Next != (payment.Next{}) {
		paid(t, b, a, b.Pay(a.Ref))
	}
}

func startRefused(t tester, b Bench, strike func()) {
	if b.StartIsLocal {
		t.Skip("Start makes no request")
	}
	a := b.NewAttempt()
	strike()
	_, err := b.Start(t.Context(), a)
	wantNotSent(t, "Start", err)
	a = begin(t, b, a)
	paid(t, b, a, b.Pay(a.Ref))
}

func abandonSilent(t tester, b Bench, strike func()) {
	if b.CannotClose {
		t.Skip("Abandon makes no request")
	}
	a := begin(t, b, b.NewAttempt())
	strike()
	_, err := b.Abandon(t.Context(), a)
	wantUnknown(t, "Abandon", err)
	closes(t, b, a)
}

func abandonRefused(t tester, b Bench, strike func()) {
	if b.CannotClose {
		t.Skip("Abandon makes no request")
	}
	a := begin(t, b, b.NewAttempt())
	strike()
	_, err := b.Abandon(t.Context(), a)
	wantNotSent(t, "Abandon", err)
	closes(t, b, a)
}

func closes(t tester, b Bench, a payment.Attempt) {
	t.Helper()
	obs, err := b.Abandon(t.Context(), a)
	if err != nil {
		t.Fatalf("Abandon again: %v", err)
	}
	if obs.State != payment.Dead {
		t.Errorf("Abandon again says %s, want dead", obs.State)
	}
	if b.DeliverLate != nil {
		b.DeliverLate()
	}
	staysDead(t, b, a, obs)
	b.Pay(a.Ref)
	agree(t, b, a, query(t, b, a))
}

func refundSilent(t tester, b Bench, strike func()) {
	a := bought(t, b)
	r := refundOf(a, part(b, a))
	strike()
	_, err := b.Refund(t.Context(), r)
	wantUnknown(t, "Refund", err)
	if !b.Limits().Keyed {
		refundUnkeyed(t, b, r)
		return
	}
	for range 2 {
		got, err := b.Refund(t.Context(), r)
		if err != nil {
			t.Fatalf("Refund again: %v", err)
		}
		accepted(t, got, r)
		if b.DeliverLate != nil {
			b.DeliverLate()
		}
	}
	found(t, b, r)
	returned(t, b, a, r.Amount)
}

// Without a key the provider's own record decides, after its settling time.
func refundUnkeyed(t tester, b Bench, r payment.Refund) {
	if b.Refunded == nil {
		t.Skip("nobody knows what was given back")
	}
	if b.DeliverLate != nil {
		b.DeliverLate()
	}
	if b.Advance != nil {
		b.Advance(b.Limits().SettlesWithin)
	}
	got, err := b.QueryRefund(t.Context(), r)
	if err != nil {
		t.Fatalf("QueryRefund: %v", err)
	}
	if given := !b.Refunded(r.Attempt.Ref).IsZero(); got.Found != given {
		t.Errorf("QueryRefund says found=%t, the provider gave back=%t", got.Found, given)
	}
}

func refundRefused(t tester, b Bench, strike func()) {
	a := bought(t, b)
	r := refundOf(a, part(b, a))
	strike()
	_, err := b.Refund(t.Context(), r)
	wantNotSent(t, "Refund", err)
	returned(t, b, a, money.Money{})
	got, err := b.Refund(t.Context(), r)
	if err != nil {
		t.Fatalf("Refund again: %v", err)
	}
	accepted(t, got, r)
	returned(t, b, a, r.Amount)
}

func readSilent(t tester, b Bench, strike func()) {
	a := bought(t, b)
	strike()
	_, err := b.Query(t.Context(), a)
	wantNotSent(t, "Query", err)
	strike()
	_, err = b.QueryRefund(t.Context(), refundOf(a, a.Amount))
	wantNotSent(t, "QueryRefund", err)
	if obs := query(t, b, a); obs.State != payment.Paid {
		t.Errorf("after unanswered questions Query says %s, want paid", obs.State)
	}
}

func twice(t tester, b Bench, strike func()) {
	if !b.Limits().Keyed {
		t.Skip("requests are not keyed here")
	}
	a := b.NewAttempt()
	if !b.StartIsLocal {
		strike()
	}
	a = begin(t, b, a)
	paid(t, b, a, b.Pay(a.Ref))
	r := refundOf(a, part(b, a))
	strike()
	if _, err := b.Refund(t.Context(), r); err != nil {
		t.Fatalf("Refund: %v", err)
	}
	found(t, b, r)
	returned(t, b, a, r.Amount)
}

func sideBySide(t tester, b Bench) {
	attempts := make([]payment.Attempt, 8)
	for i := range attempts {
		attempts[i] = b.NewAttempt()
		attempts[i].Amount.Minor += int64(i) * 100
	}
	atOnce(len(attempts), func(i int) {
		obs, err := b.Start(t.Context(), attempts[i])
		if err != nil {
			t.Errorf("Start: %v", err)
			return
		}
		attempts[i].ProviderID = obs.ProviderID
	})
	for i, a := range attempts {
		if i%2 == 0 {
			returned := b.Pay(a.Ref)
			if _, err := b.Resume(t.Context(), a, returned); err != nil {
				t.Errorf("Resume: %v", err)
			}
		}
	}
	atOnce(len(attempts), func(i int) {
		a := attempts[i]
		obs, err := b.Query(t.Context(), a)
		switch {
		case err != nil:
			t.Errorf("Query: %v", err)
		case obs.Amount != a.Amount:
			t.Errorf("attempt %d is reported with %v, want %v", i, obs.Amount, a.Amount)
		case (obs.State == payment.Paid) != (i%2 == 0):
			t.Errorf("attempt %d is reported %s, paid: %t", i, obs.State, i%2 == 0)
		}
	})
}

func startRace(t tester, b Bench) {
	if !b.Limits().Keyed {
		t.Skip("starts are not keyed here")
	}
	a := b.NewAttempt()
	ids := make([]string, 6)
	atOnce(len(ids), func(i int) {
		obs, err := b.Start(t.Context(), a)
		if err != nil {
			wantKnownErrorAsync(t, "Start", err)
			return
		}
		ids[i] = obs.ProviderID
	})
	for _, id := range ids {
		if a.ProviderID == "" {
			a.ProviderID = id
		}
		if id != "" && id != a.ProviderID {
			t.Errorf("one attempt became two: %q and %q", id, a.ProviderID)
		}
	}
	a = begin(t, b, a)
	paid(t, b, a, b.Pay(a.Ref))
}

// part is what the tests refund: a third, where a part can be refunded.
func part(b Bench, a payment.Attempt) money.Money {
	if !b.Limits().Partial {
		return a.Amount
	}
	return money.Of(a.Amount.Minor/300*100, a.Amount.Currency)
}

// wantKnownErrorAsync is wantKnownError for goroutines, which must not Fatalf.
func wantKnownErrorAsync(t tester, call string, err error) {
	t.Helper()
	if errors.Is(err, payment.ErrNotSent) == errors.Is(err, payment.ErrUnknown) {
		t.Errorf("%s: error %v is neither ErrNotSent nor ErrUnknown, or both", call, err)
	}
}

func atOnce(n int, f func(i int)) {
	var workers sync.WaitGroup
	for i := range n {
		workers.Go(func() { f(i) })
	}
	workers.Wait()
}
