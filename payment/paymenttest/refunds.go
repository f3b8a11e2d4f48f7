package paymenttest

import (
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

const hour = time.Hour

func refund(t tester, b Bench) {
	a := bought(t, b)
	r := refundOf(a, a.Amount)
	got, err := b.Refund(t.Context(), r)
	if err != nil {
		t.Fatalf("Refund: %v", err)
	}
	accepted(t, got, r)
	r.ProviderID = got.ProviderID
	found(t, b, r)
	returned(t, b, a, a.Amount)
	if !b.Limits().Keyed {
		return
	}
	r.ProviderID = "" // the same refund, by one who never heard of the first answer
	if got, err = b.Refund(t.Context(), r); err != nil {
		t.Fatalf("Refund again: %v", err)
	}
	accepted(t, got, r)
	found(t, b, r)
	returned(t, b, a, a.Amount)
}

func refundInParts(t tester, b Bench) {
	if !b.Limits().Partial {
		t.Skip("this provider refunds all or nothing")
	}
	a := bought(t, b)
	part := money.Of(a.Amount.Minor/300*100, a.Amount.Currency)
	first, second := refundOf(a, part), refundOf(a, part)
	second.Ref = other(first.Ref)
	sofar := money.Money{}
	for _, r := range []payment.Refund{first, second} {
		if b.Advance != nil {
			b.Advance(2 * time.Minute) // some allow one refund a minute
		}
		got, err := b.Refund(t.Context(), r)
		if err != nil {
			t.Fatalf("Refund: %v", err)
		}
		accepted(t, got, r)
		found(t, b, r)
		sofar, _ = sofar.Add(part)
		returned(t, b, a, sofar)
	}
}

func refundRace(t tester, b Bench) {
	if !b.Limits().Keyed {
		t.Skip("refunds are not keyed here")
	}
	a := bought(t, b)
	part := money.Of(a.Amount.Minor/300*100, a.Amount.Currency)
	if !b.Limits().Partial {
		part = a.Amount
	}
	r := refundOf(a, part)
	atOnce(6, func(int) {
		if _, err := b.Refund(t.Context(), r); err != nil {
			wantKnownErrorAsync(t, "Refund", err)
		}
	})
	if _, err := b.Refund(t.Context(), r); err != nil {
		t.Fatalf("Refund after the race: %v", err)
	}
	found(t, b, r)
	returned(t, b, a, part)
}

func overRefund(t tester, b Bench) {
	a := bought(t, b)
	tooMuch := refundOf(a, money.Of(a.Amount.Minor+100, a.Amount.Currency))
	refused := func(r payment.Refund) {
		t.Helper()
		got, err := b.Refund(t.Context(), r)
		if err != nil {
			wantNotSent(t, "Refund of too much", err)
			return
		}
		if got.State != payment.RefundFailed || got.Code == "" {
			t.Errorf("Refund of too much says %s, code %q; want failed with a code", got.State, got.Code)
		}
	}
	refused(tooMuch)
	returned(t, b, a, money.Money{})
	all := refundOf(a, a.Amount)
	all.Ref = other(tooMuch.Ref)
	if _, err := b.Refund(t.Context(), all); err != nil {
		t.Fatalf("Refund: %v", err)
	}
	again := refundOf(a, a.Amount)
	again.Ref = other(all.Ref)
	if b.Advance != nil {
		b.Advance(2 * time.Minute)
	}
	refused(again)
	returned(t, b, a, a.Amount)
}

func refundNotFound(t tester, b Bench) {
	a := bought(t, b)
	got, err := b.QueryRefund(t.Context(), refundOf(a, a.Amount))
	if err != nil {
		t.Fatalf("QueryRefund: %v", err)
	}
	if got.Found || got.State == payment.RefundDone {
		t.Errorf("QueryRefund of a refund nobody asked for: %+v", got)
	}
	if got.AsOf.IsZero() {
		t.Errorf("not found, without AsOf")
	}
}

func refundByHand(t tester, b Bench) {
	if b.RefundByHand == nil {
		t.Skip("the provider has no desk here")
	}
	a := bought(t, b)
	part := money.Of(a.Amount.Minor/300*100, a.Amount.Currency)
	b.RefundByHand(a.Ref, part)
	returned(t, b, a, part)
	if got, err := b.QueryRefund(t.Context(), refundOf(a, part)); err != nil || got.Found {
		t.Errorf("QueryRefund takes a stranger's refund for ours: %+v, %v", got, err)
	}
}

func dispute(t tester, b Bench) {
	if b.Dispute == nil {
		t.Skip("nobody disputes here")
	}
	a := bought(t, b)
	b.Dispute(a.Ref)
	obs := query(t, b, a)
	if obs.State != payment.Paid || obs.Disputed != a.Amount {
		t.Errorf("after a dispute Query says %s with %v disputed, want paid with %v", obs.State, obs.Disputed, a.Amount)
	}
}

// bought is a paid attempt.
func bought(t tester, b Bench) payment.Attempt {
	t.Helper()
	a := begin(t, b, b.NewAttempt())
	return paid(t, b, a, b.Pay(a.Ref))
}

// refundOf derives the refund's reference from the attempt's, so that runs repeat.
func refundOf(a payment.Attempt, m money.Money) payment.Refund {
	return payment.Refund{Ref: other(a.Ref), Attempt: a, Amount: m, Note: "test"}
}

// other returns another reference of the same shape: each character's successor.
func other(ref string) string {
	return strings.Map(func(c rune) rune {
		switch c {
		case '9':
			return 'a'
		case 'z':
			return '0'
		}
		return c + 1
	}, ref)
}

func accepted(t tester, got payment.RefundObservation, r payment.Refund) {
	t.Helper()
	if got.State != payment.RefundSent && got.State != payment.RefundDone {
		t.Errorf("Refund says %s (%s), want sent or done", got.State, got.Code)
	}
	if got.Amount != r.Amount {
		t.Errorf("Refund of %v says %v", r.Amount, got.Amount)
	}
}

// found wants the refund to be known at the provider, by our reference too.
func found(t tester, b Bench, r payment.Refund) {
	t.Helper()
	got, err := b.QueryRefund(t.Context(), r)
	if err != nil {
		t.Fatalf("QueryRefund: %v", err)
	}
	if !got.Found {
		t.Errorf("QueryRefund does not find the refund")
	}
	accepted(t, got, r)
}

// returned wants the provider to have given back exactly m, and Query to count
// it while the attempt stays paid.
func returned(t tester, b Bench, a payment.Attempt, m money.Money) {
	t.Helper()
	if b.Refunded != nil {
		if got := b.Refunded(a.Ref); got.Minor != m.Minor {
			t.Errorf("the provider has given back %v, want %v", got, m)
		}
	}
	obs := query(t, b, a)
	if obs.State != payment.Paid || obs.Amount != a.Amount {
		t.Errorf("with %v given back Query says %s %v, want paid %v", m, obs.State, obs.Amount, a.Amount)
	}
	if told := obs.Refunded.Minor != 0 || !b.Discreet; told && obs.Refunded.Minor != m.Minor {
		t.Errorf("Query counts %v refunded, want %v", obs.Refunded, m)
	}
}
