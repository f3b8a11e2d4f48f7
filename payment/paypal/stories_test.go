package paypal_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/paypal"
	"github.com/tsuzuku/tsuzuku/payment/paypal/paypalsim"
)

// start makes an attempt that PayPal knows.
func (b *bench) start() payment.Attempt {
	b.t.Helper()
	a := b.attempt()
	obs, err := b.Start(b.t.Context(), a)
	if err != nil || obs.State != payment.NeedsCustomer {
		b.t.Fatalf("Start says %+v, %v", obs, err)
	}
	a.ProviderID = obs.ProviderID
	return a
}

// buy makes an attempt that is paid.
func (b *bench) buy() payment.Attempt {
	b.t.Helper()
	a := b.start()
	b.pay(a.Ref)
	obs := b.resumes(a, payment.Paid)
	a.MoneyID = obs.MoneyID
	return a
}

func (b *bench) resumes(a payment.Attempt, want payment.State) payment.Observation {
	b.t.Helper()
	obs, err := b.Resume(b.t.Context(), a, nil)
	if err != nil || obs.State != want {
		b.t.Fatalf("Resume says %+v, %v; want %s", obs, err, want)
	}
	return obs
}

func (b *bench) shows(a payment.Attempt, want payment.State) payment.Observation {
	b.t.Helper()
	obs, err := b.Query(b.t.Context(), a)
	if err != nil || obs.State != want {
		b.t.Errorf("Query says %+v, %v; want %s", obs, err, want)
	}
	return obs
}

// took wants PayPal to have taken m for a, in one capture.
func (b *bench) took(a payment.Attempt, m money.Money) {
	b.t.Helper()
	if got := b.sim.Captured(a.Ref); got.Minor != m.Minor {
		b.t.Errorf("PayPal took %v, want %v", got, m)
	}
	n := 0
	for _, c := range b.sim.Charges() {
		if c.Ref == a.Ref {
			n++
		}
	}
	if m.Minor > 0 && n != 1 {
		b.t.Errorf("%d captures", n)
	}
}

// Whatever becomes of the capture on the wire or at PayPal, the money is taken
// once, and until it is known nobody says that it is not.
func TestCaptureIsMadeOnce(t *testing.T) {
	for _, f := range outboundsim.Faults {
		t.Run(string(f), func(t *testing.T) {
			b := newBench(t, nil)
			s := b.suite()
			a := b.start()
			b.pay(a.Ref)
			b.shows(a, payment.Approved)
			s.Over(b.wire, kindOf)
			arm := map[outboundsim.Fault]func(){
				outboundsim.Refuse: s.RefuseNext, outboundsim.LoseRequest: s.LoseNextRequest, outboundsim.LoseAnswer: s.LoseNextAnswer,
				outboundsim.ActLater: s.NextActsLater, outboundsim.Break: s.BreakNext, outboundsim.Garble: s.GarbleNext,
				outboundsim.Busy: s.BusyNext, outboundsim.Twice: s.TwiceNext,
			}
			arm[f]()
			obs, err := b.Resume(t.Context(), a, nil)
			switch f {
			case outboundsim.Refuse, outboundsim.Busy:
				if !errors.Is(err, payment.ErrNotSent) || errors.Is(err, payment.ErrUnknown) {
					t.Errorf("%+v, %v; want ErrNotSent", obs, err)
				}
			case outboundsim.LoseRequest, outboundsim.ActLater:
				if !errors.Is(err, payment.ErrUnknown) || errors.Is(err, payment.ErrNotSent) {
					t.Errorf("%+v, %v; want ErrUnknown", obs, err)
				}
			case outboundsim.LoseAnswer, outboundsim.Break, outboundsim.Garble, outboundsim.Twice:
				if err != nil || obs.State != payment.Paid {
					t.Errorf("%+v, %v; want paid", obs, err)
				}
			case outboundsim.None, outboundsim.Stale:
			}
			b.advance(time.Minute)
			b.resumes(a, payment.Paid)
			b.wire.Deliver()
			b.shows(a, payment.Paid)
			b.took(a, a.Amount)
		})
	}
	for _, trouble := range paypalsim.Troubles {
		t.Run(string(trouble), func(t *testing.T) {
			b := newBench(t, nil)
			a := b.start()
			b.pay(a.Ref)
			b.sim.Upset(trouble)
			obs, err := b.Resume(t.Context(), a, nil)
			if err != nil && errors.Is(err, payment.ErrUnknown) == errors.Is(err, payment.ErrNotSent) {
				t.Errorf("%+v, %v", obs, err)
			}
			if obs.State.Final() && obs.State != payment.Paid {
				t.Errorf("%+v", obs)
			}
			b.resumes(a, payment.Paid)
			b.took(a, a.Amount)
		})
	}
}

// The same for each call, and a token that ends before its time is nobody's
// business.
func TestTroubles(t *testing.T) {
	for _, trouble := range paypalsim.Troubles {
		b := newBench(t, nil)
		a := b.attempt()
		b.sim.Upset(trouble)
		obs, err := b.Start(t.Context(), a)
		if trouble == paypalsim.TokenGone && (err != nil || obs.State != payment.NeedsCustomer) {
			t.Errorf("%s: Start says %+v, %v", trouble, obs, err)
		}
		if obs.State.Final() || err != nil && errors.Is(err, payment.ErrUnknown) == errors.Is(err, payment.ErrNotSent) {
			t.Errorf("%s: Start says %+v, %v", trouble, obs, err)
		}
		if obs, err = b.Start(t.Context(), a); err != nil {
			t.Fatalf("%s: Start again: %v", trouble, err)
		}
		a.ProviderID = obs.ProviderID
		b.pay(a.Ref)
		b.resumes(a, payment.Paid)
		r := payment.Refund{Ref: "refundrefundrefundrefund01", Attempt: a, Amount: money.Of(700, "JPY")}
		b.sim.Upset(trouble)
		got, err := b.Refund(t.Context(), r)
		if got.State == payment.RefundFailed || err != nil && errors.Is(err, payment.ErrUnknown) == errors.Is(err, payment.ErrNotSent) {
			t.Errorf("%s: Refund says %+v, %v", trouble, got, err)
		}
		if got, err := b.Refund(t.Context(), r); err != nil || got.State != payment.RefundDone {
			t.Errorf("%s: Refund again says %+v, %v", trouble, got, err)
		}
		if back := b.sim.Refunded(a.Ref); back != r.Amount {
			t.Errorf("%s: %v given back", trouble, back)
		}
	}
}

// Several workers and the browser take the money at once: one capture.
func TestResumeRace(t *testing.T) {
	b := newBench(t, nil)
	a := b.start()
	b.pay(a.Ref)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if _, err := b.Resume(t.Context(), a, nil); err != nil && errors.Is(err, payment.ErrUnknown) == errors.Is(err, payment.ErrNotSent) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	b.shows(a, payment.Paid)
	b.took(a, a.Amount)
}

// A capture under review is neither paid nor dead, and what becomes of it is seen.
func TestCapturePends(t *testing.T) {
	for _, paid := range []bool{true, false} {
		b := newBench(t, nil)
		b.sim.PendNext(1)
		a := b.start()
		b.pay(a.Ref)
		if obs := b.resumes(a, payment.Pending); obs.Code == "" || obs.MoneyID == "" {
			t.Errorf("%+v", obs)
		}
		b.advance(48 * time.Hour)
		b.resumes(a, payment.Pending)
		b.took(a, money.Money{})
		if err := b.sim.Settle(a.Ref, paid); err != nil {
			t.Fatal(err)
		}
		if paid {
			b.shows(a, payment.Paid)
			b.took(a, a.Amount)
		} else if obs := b.shows(a, payment.Dead); obs.Reason == "" || obs.Code == "" {
			t.Errorf("%+v", obs)
		}
	}
}

// A capture that PayPal denies although the customer agreed leaves a COMPLETED
// order without money.
func TestCaptureDenied(t *testing.T) {
	b := newBench(t, nil)
	a := b.start()
	b.advance(time.Second)
	if _, err := b.sim.PayWith(a.Ref, paypalsim.Denied); err != nil {
		t.Fatal(err)
	}
	if obs := b.resumes(a, payment.Dead); obs.Reason != payment.Declined || obs.Code == "" {
		t.Errorf("%+v", obs)
	}
	b.shows(a, payment.Dead)
	b.took(a, money.Money{})
}

// A declined tool sends the customer back to PayPal's page, as often as it
// takes, and the money is taken in the end.
func TestDeclinedAndAgain(t *testing.T) {
	for _, stays := range []bool{false, true} {
		b := newBench(t, func(s *paypalsim.Config, _ *paypal.Config) { s.DeclinedStaysApproved = stays })
		a := b.start()
		for range 2 {
			b.advance(5 * time.Second)
			if _, err := b.sim.Decline(a.Ref); err != nil {
				t.Fatal(err)
			}
			obs := b.resumes(a, payment.NeedsCustomer)
			if obs.Reason != payment.Declined || obs.Code != "INSTRUMENT_DECLINED" || obs.Next.RedirectURL == "" {
				t.Errorf("%+v", obs)
			}
		}
		b.pay(a.Ref)
		b.resumes(a, payment.Paid)
		b.took(a, a.Amount)
	}
}

// What the customer agreed to is taken within three hours of the attempt or
// never; and it is called dead only when it cannot be taken any more.
func TestThreeHours(t *testing.T) {
	b := newBench(t, nil)
	late, last := b.start(), b.start()
	b.advance(2*time.Hour + 59*time.Minute)
	b.pay(late.Ref)
	b.pay(last.Ref)
	b.resumes(last, payment.Paid)
	b.advance(time.Minute)
	b.resumes(late, payment.Approved)
	b.took(late, money.Money{})
	b.advance(6 * time.Minute)
	for _, call := range []func() (payment.Observation, error){
		func() (payment.Observation, error) { return b.Query(t.Context(), late) },
		func() (payment.Observation, error) { return b.Resume(t.Context(), late, nil) },
		func() (payment.Observation, error) { return b.Abandon(t.Context(), late) },
		func() (payment.Observation, error) { return b.Start(t.Context(), late) },
	} {
		if obs, err := call(); err != nil || obs.State != payment.Dead || obs.Reason != payment.TooLate {
			t.Errorf("%+v, %v", obs, err)
		}
	}
	b.took(late, money.Money{})
	b.advance(100 * time.Hour)
	b.shows(late, payment.Dead)
	b.shows(last, payment.Paid)
}

// An attempt whose Start was lost is the same order again, seen by Query too.
func TestLostStartIsFound(t *testing.T) {
	b := newBench(t, nil)
	s := b.suite()
	a := b.attempt()
	s.LoseNextAnswer()
	if _, err := b.Start(t.Context(), a); !errors.Is(err, payment.ErrUnknown) {
		t.Fatal(err)
	}
	obs := b.shows(a, payment.NeedsCustomer)
	found := a
	found.ProviderID = obs.ProviderID
	if obs, err := b.Start(t.Context(), a); err != nil || obs.ProviderID != found.ProviderID {
		t.Errorf("Start again: %+v, %v", obs, err)
	}
	b.pay(a.Ref)
	b.resumes(a, payment.Paid) // although nobody has stored the identifier
	b.took(a, a.Amount)
	b.shows(found, payment.Paid)
	if got, err := b.Refund(t.Context(), payment.Refund{Ref: "refundrefundrefundrefund01", Attempt: a, Amount: a.Amount}); err != nil || got.State != payment.RefundDone {
		t.Errorf("Refund says %+v, %v", got, err)
	}
}

// PayPal's reads may lag behind; that is never a second capture, and no wrong
// answer in the end.
func TestReadsLag(t *testing.T) {
	b := newBench(t, nil)
	a := b.start()
	b.advance(time.Minute)
	b.pay(a.Ref)
	b.sim.LagReads(30 * time.Second)
	if obs, err := b.Resume(t.Context(), a, nil); err != nil || obs.State != payment.NeedsCustomer {
		t.Errorf("before PayPal shows the agreement: %+v, %v", obs, err)
	}
	b.advance(40 * time.Second)
	b.resumes(a, payment.Paid)
	b.resumes(a, payment.Paid) // the order still looks approved
	b.advance(time.Minute)
	b.shows(a, payment.Paid)
	b.took(a, a.Amount)
}

// A refund is made once even when its key was forgotten long ago, and it can
// fail later.
func TestRefundsLater(t *testing.T) {
	b := newBench(t, nil)
	s := b.suite()
	a := b.buy()
	r := payment.Refund{Ref: "refundrefundrefundrefund01", Attempt: a, Amount: money.Of(700, "JPY")}
	s.LoseNextAnswer()
	if _, err := b.Refund(t.Context(), r); !errors.Is(err, payment.ErrUnknown) {
		t.Fatal(err)
	}
	b.advance(50 * 24 * time.Hour)
	if got, err := b.Refund(t.Context(), r); err != nil || got.State != payment.RefundDone {
		t.Errorf("%+v, %v", got, err)
	}
	if back := b.sim.Refunded(a.Ref); back != r.Amount {
		t.Errorf("PayPal gave back %v", back)
	}
	for _, arrived := range []bool{true, false} {
		b.sim.HoldRefunds(true)
		held := payment.Refund{Ref: "heldrefundheldrefundheld01", Attempt: a, Amount: money.Of(300, "JPY")}
		if arrived {
			held.Ref = "heldrefundheldrefundheld02"
		}
		got, err := b.Refund(t.Context(), held)
		if err != nil || got.State != payment.RefundSent {
			t.Fatalf("held: %+v, %v", got, err)
		}
		held.ProviderID = got.ProviderID
		if err := b.sim.SettleRefund(held.Ref, arrived); err != nil {
			t.Fatal(err)
		}
		want := map[bool]payment.RefundState{true: payment.RefundDone, false: payment.RefundFailed}[arrived]
		if got, err = b.QueryRefund(t.Context(), held); err != nil || got.State != want {
			t.Errorf("settled: %+v, %v; want %s", got, err, want)
		}
	}
	if obs := b.shows(a, payment.Paid); obs.Refunded != money.Of(1000, "JPY") {
		t.Errorf("%+v", obs)
	}
}

// A dispute counts while it is open; what the seller lost shows as given back. Its
// name, amount and end are told, however often it is asked.
func TestDisputeEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(*paypalsim.Sim, string) error
		want payment.DisputeState
	}{
		"won":       {func(s *paypalsim.Sim, ref string) error { return s.ResolveDispute(ref, true) }, payment.DisputeWon},
		"lost":      {func(s *paypalsim.Sim, ref string) error { return s.ResolveDispute(ref, false) }, payment.DisputeLost},
		"withdrawn": {(*paypalsim.Sim).CancelDispute, payment.DisputeWon},
	} {
		b := newBench(t, nil)
		a := b.buy()
		if obs := b.shows(a, payment.Paid); obs.Disputes != nil {
			t.Errorf("%s: before: %+v", name, obs.Disputes)
		}
		if err := b.sim.DisputeAs(a.Ref, paypalsim.Claim{Reason: "UNAUTHORISED", Inquiry: true}); err != nil {
			t.Fatal(err)
		}
		real := b.sim.Disputes()[0]
		want := payment.Dispute{ID: real.ID, State: payment.DisputeOpen, Amount: a.Amount, Reason: "UNAUTHORISED", AnswerBy: real.DueAt.Truncate(time.Millisecond)}
		for range 2 {
			b.tellsDispute(name, a, a.Amount, want)
		}
		b.advance(24 * time.Hour)
		if err := b.sim.Escalate(a.Ref); err != nil {
			t.Fatal(err)
		}
		want.AnswerBy = b.sim.Disputes()[0].DueAt.Truncate(time.Millisecond) // the seller is heard anew
		b.tellsDispute(name, a, a.Amount, want)
		if err := tt.end(b.sim, a.Ref); err != nil {
			t.Fatal(err)
		}
		want.State, want.AnswerBy = tt.want, time.Time{}
		for range 2 {
			obs := b.tellsDispute(name, a, money.Money{}, want)
			if obs.Refunded.IsZero() != (tt.want == payment.DisputeWon) {
				t.Errorf("%s: %+v", name, obs)
			}
		}
	}
}

// tellsDispute wants the adapter to tell one dispute, and how much is withheld.
func (b *bench) tellsDispute(name string, a payment.Attempt, withheld money.Money, want payment.Dispute) payment.Observation {
	b.t.Helper()
	obs := b.shows(a, payment.Paid)
	if got := obs.Disputes; len(got) != 1 || got[0].AnswerBy.IsZero() && want.State == payment.DisputeOpen || obs.Disputed.Minor != withheld.Minor {
		b.t.Errorf("%s: %+v", name, obs)
		return obs
	}
	got := obs.Disputes[0]
	if want.AnswerBy.IsZero() {
		got.AnswerBy = time.Time{} // it is over: nobody answers any more
	}
	if got != want {
		b.t.Errorf("%s: %+v, want %+v", name, got, want)
	}
	return obs
}

// What tells of a dispute is no more than a bell, however it comes: forged, it is
// refused; twice, late or in the wrong order, it rings for the same payment, and what
// is asked then is what is.
func TestDisputeNotifications(t *testing.T) {
	b := newBench(t, nil)
	a := b.buy()
	b.fetch()
	before := len(b.sent)
	if err := errors.Join(b.sim.Dispute(a.Ref), b.sim.ResolveDispute(a.Ref, true)); err != nil {
		t.Fatal(err)
	}
	for i, n := range b.forged() {
		if _, err := b.Notification(t.Context(), n.Header, n.Body); !errors.Is(err, payment.ErrForged) {
			t.Errorf("forgery %d: %v", i, err)
		}
	}
	told := b.fetch()[before:]
	if len(told) < 2 {
		t.Fatalf("%d were told", len(told))
	}
	slices.Reverse(told)
	seen := map[string]int{}
	for _, n := range append(told, told...) {
		bell, err := b.Notification(t.Context(), n.Header, n.Body)
		if err != nil || bell.MoneyID != a.MoneyID || bell.EventID == "" {
			t.Errorf("%+v, %v", bell, err)
		}
		seen[bell.EventID]++
		if obs := b.shows(a, payment.Paid); len(obs.Disputes) != 1 || obs.Disputes[0].State != payment.DisputeWon || !obs.Disputed.IsZero() {
			t.Errorf("after %s: %+v", bell.Kind, obs)
		}
	}
	for id, n := range seen {
		if n != 2 {
			t.Errorf("%s has another name the second time", id)
		}
	}
}

// The fee is told with the money.
func TestFee(t *testing.T) {
	b := newBench(t, nil)
	a := b.buy()
	if obs := b.shows(a, payment.Paid); obs.Fee.Minor <= 0 || obs.Fee.Currency != "JPY" || obs.MoneyID != a.MoneyID {
		t.Errorf("%+v", obs)
	}
}

// Every kind of event rings for the attempt, also when PayPal signs with a new
// certificate in between.
func TestEveryEventRings(t *testing.T) {
	b := newBench(t, nil)
	a := b.buy()
	b.sim.RotateCertificate()
	if _, err := b.Refund(t.Context(), payment.Refund{Ref: "refundrefundrefundrefund01", Attempt: a, Amount: money.Of(700, "JPY")}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.sim.Dispute(a.Ref), b.sim.ResolveDispute(a.Ref, false)); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, n := range b.fetch() {
		bell, err := b.Notification(t.Context(), n.Header, n.Body)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		kinds[bell.Kind] = true
		if bell.Ref != a.Ref && bell.ProviderID != a.ProviderID && bell.MoneyID != a.MoneyID {
			t.Errorf("rings for nobody: %+v", bell)
		}
		if bell.Ref != "" && bell.Ref != a.Ref || bell.ProviderID != "" && bell.ProviderID != a.ProviderID || bell.MoneyID != "" && bell.MoneyID != a.MoneyID {
			t.Errorf("rings for another: %+v", bell)
		}
	}
	if len(kinds) < 6 {
		t.Errorf("only %v were told", kinds)
	}
}

// Events come early, late, twice, out of order, not at all and forged; those
// that are PayPal's ring, and a second one has the same identifier.
func TestDeliveries(t *testing.T) {
	for _, delivery := range paypalsim.Deliveries {
		b := newBench(t, func(s *paypalsim.Config, _ *paypal.Config) {
			s.Deliver = func(string) paypalsim.Delivery { return delivery }
		})
		b.buy()
		for _, n := range b.sim.Notifications() {
			bell, err := b.Notification(t.Context(), n.Header, n.Body)
			if n.Attempt == 0 { // a forgery
				if !errors.Is(err, payment.ErrForged) {
					t.Errorf("%s: %+v, %v", delivery, bell, err)
				}
			} else if err != nil || bell.EventID != n.EventID {
				t.Errorf("%s: %+v, %v; want event %s", delivery, bell, err, n.EventID)
			}
		}
	}
}
