package stripe_test

import (
	"cmp"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
)

// sold makes an attempt that is paid.
func (b *bench) sold(t *testing.T) payment.Attempt {
	t.Helper()
	a := b.attempt()
	obs, err := b.Start(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	a.ProviderID = obs.ProviderID
	if _, err := b.sim.Pay(a.Ref); err != nil {
		t.Fatal(err)
	}
	a.MoneyID = b.reads(t, a).MoneyID
	return a
}

// reads is what Stripe answers about a paid attempt.
func (b *bench) reads(t *testing.T, a payment.Attempt) payment.Observation {
	t.Helper()
	obs, err := b.Query(t.Context(), a)
	if err != nil || obs.State != payment.Paid {
		t.Fatalf("Query says %+v, %v", obs, err)
	}
	return obs
}

// tells wants one dispute to be told, and its amount to be withheld exactly while it
// takes the money; asked again, it is the same.
func (b *bench) tells(t *testing.T, a payment.Attempt, want payment.Dispute) {
	t.Helper()
	for range 2 {
		obs := b.reads(t, a)
		withheld := int64(0)
		if want.State.Takes() {
			withheld = want.Amount.Minor
		}
		if len(obs.Disputes) != 1 || obs.Disputes[0] != want || obs.Disputed.Minor != withheld || obs.Refunded.Minor != 0 {
			t.Errorf("told %+v, withheld %v, refunded %v; want %+v", obs.Disputes, obs.Disputed, obs.Refunded, want)
		}
	}
}

// A dispute is told with its name, amount, reason and the last day for an answer,
// from a bank's question to its end; only while it takes money is that withheld.
func TestDisputesAreTold(t *testing.T) {
	for name, tt := range map[string]struct {
		claim  stripesim.Claim
		amount int64
		won    bool
	}{
		"all, won":   {stripesim.Claim{Inquiry: true, Due: 48 * time.Hour}, 2400, true},
		"all, lost":  {stripesim.Claim{Inquiry: true, Due: 48 * time.Hour}, 2400, false},
		"part, won":  {stripesim.Claim{Inquiry: true, Minor: 700, Reason: "product_not_received"}, 700, true},
		"part, lost": {stripesim.Claim{Inquiry: true, Minor: 700, Reason: "product_not_received"}, 700, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			a := b.sold(t)
			if obs := b.reads(t, a); obs.Disputes != nil || !obs.Disputed.IsZero() {
				t.Errorf("before: %+v", obs)
			}
			if err := b.sim.DisputeAs(a.Ref, tt.claim); err != nil {
				t.Fatal(err)
			}
			real := b.sim.Disputes()[0]
			want := payment.Dispute{
				ID: real.ID, State: payment.DisputeAsked, Amount: money.Of(tt.amount, "JPY"),
				Reason: cmp.Or(tt.claim.Reason, "fraudulent"), AnswerBy: real.DueAt.Truncate(time.Second),
			}
			b.tells(t, a, want)
			b.advance(24 * time.Hour)
			if err := b.sim.Escalate(a.Ref); err != nil {
				t.Fatal(err)
			}
			want.State, want.AnswerBy = payment.DisputeOpen, b.sim.Disputes()[0].DueAt.Truncate(time.Second)
			b.tells(t, a, want)
			if err := b.sim.CloseDispute(a.Ref, tt.won); err != nil {
				t.Fatal(err)
			}
			if want.State = payment.DisputeLost; tt.won {
				want.State = payment.DisputeWon
			}
			b.tells(t, a, want)
		})
	}
}

// What tells of a dispute is no more than a bell, however it comes: forged, it is
// refused; twice or in the wrong order, it rings for the same payment, and what is
// asked then is what is.
func TestDisputeNotifications(t *testing.T) {
	b := newBench(t)
	a := b.sold(t)
	before := len(b.fetch())
	if err := errors.Join(b.sim.Dispute(a.Ref), b.sim.CloseDispute(a.Ref, true)); err != nil {
		t.Fatal(err)
	}
	told := b.fetch()[before:]
	for i, n := range b.forged() {
		if _, err := b.Notification(t.Context(), n.Header, n.Body); !errors.Is(err, payment.ErrForged) {
			t.Errorf("forgery %d: %v", i, err)
		}
	}
	if len(told) < 3 {
		t.Fatalf("%d were told", len(told))
	}
	slices.Reverse(told)
	seen := map[string]int{}
	for _, n := range append(told, told...) {
		bell, err := b.Notification(t.Context(), n.Header, n.Body)
		if err != nil || bell.MoneyID != a.MoneyID && bell.Ref != a.Ref {
			t.Errorf("%+v, %v", bell, err)
		}
		seen[bell.EventID]++
		if obs := b.reads(t, a); len(obs.Disputes) != 1 || obs.Disputes[0].State != payment.DisputeWon || !obs.Disputed.IsZero() {
			t.Errorf("after %s: %+v", bell.Kind, obs)
		}
	}
	for id, n := range seen {
		if n != 2 {
			t.Errorf("%q has another name the second time", id)
		}
	}
}
