package linepay_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

// refunds are several of one amount from one payment.
func refunds(a payment.Attempt, m money.Money, n int) []payment.Refund {
	all := make([]payment.Refund, n)
	for i := range all {
		all[i] = payment.Refund{Ref: "refundrefundrefundrefund0" + string(rune('a'+i)), Attempt: a, Amount: m}
	}
	return all
}

func wantRefund(t *testing.T, what string, got payment.RefundObservation, err error, found bool, state payment.RefundState) {
	t.Helper()
	if err != nil || got.Found != found || got.State != state || got.AsOf.IsZero() {
		t.Errorf("%s: %+v, %v; want found %t, %q", what, got, err, found, state)
	}
	if state == payment.RefundUnknown && (got.ProviderID != "" || got.Code == "") {
		t.Errorf("%s: unknown, with identifier %q and code %q", what, got.ProviderID, got.Code)
	}
}

func (b *bench) isGivenBack(t *testing.T, a payment.Attempt, minor int64) {
	t.Helper()
	if got := b.sim.Refunded(a.Ref); got.Minor != minor {
		t.Errorf("LINE Pay gave back %v, want %d", got, minor)
	}
}

// Whoever has no memory cannot tell a refund from another of its amount. What is
// not in the list was not made, and a refund of everything can only be the one.
func TestRefundThatCouldBeAnothersIsUnknown(t *testing.T) {
	part, whole := money.Of(80_00, "TWD"), money.Of(240_00, "TWD")
	for _, tt := range []struct {
		name   string
		before func(*testing.T, *bench, payment.Attempt)
		amount money.Money
		found  bool
		want   payment.RefundState
	}{
		{"nothing there", func(*testing.T, *bench, payment.Attempt) {}, part, false, ""},
		{"another amount", byHand(79_00), part, false, ""},
		{"the amount, by hand", byHand(80_00), part, true, payment.RefundUnknown},
		{"the amount, by an earlier process", byAnother(part), part, true, payment.RefundUnknown},
		{"everything, by an earlier process", byAnother(whole), whole, true, payment.RefundDone},
		{"everything, by hand", byHand(240_00), whole, true, payment.RefundDone},
		{"everything, in parts", byHand(200_00, 40_00), whole, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, "TWD")
			a := b.bought(t)
			tt.before(t, b, a)
			given := b.sim.Refunded(a.Ref).Minor
			for range 2 {
				got, err := b.QueryRefund(t.Context(), refunds(a, tt.amount, 1)[0])
				wantRefund(t, "QueryRefund", got, err, tt.found, tt.want)
			}
			b.isGivenBack(t, a, given)
		})
	}
}

func byHand(minors ...int64) func(*testing.T, *bench, payment.Attempt) {
	return func(t *testing.T, b *bench, a payment.Attempt) {
		for _, m := range minors {
			if err := b.sim.RefundByHand(a.Ref, m); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func byAnother(m money.Money) func(*testing.T, *bench, payment.Attempt) {
	return func(t *testing.T, b *bench, a payment.Attempt) {
		if got, err := b.another(t).Refund(t.Context(), refunds(a, m, 1)[0]); err != nil || got.State != payment.RefundDone {
			t.Fatalf("Refund says %+v, %v", got, err)
		}
	}
}

// A refund whose identifier is stored is found by it, in any process; and not
// made again because LINE Pay does not show it at the moment.
func TestRefundIsFoundByItsIdentifier(t *testing.T) {
	b := newBench(t, "TWD")
	a := b.bought(t)
	b.advance(time.Hour)
	rs := refunds(a, money.Of(80_00, "TWD"), 2)
	for i := range rs {
		got, err := b.Refund(t.Context(), rs[i])
		wantRefund(t, "Refund", got, err, true, payment.RefundDone)
		rs[i].ProviderID = got.ProviderID
	}
	if rs[0].ProviderID == rs[1].ProviderID {
		t.Errorf("two refunds are both %q", rs[0].ProviderID)
	}
	later := b.another(t)
	for _, r := range rs {
		got, err := later.QueryRefund(t.Context(), r)
		wantRefund(t, "QueryRefund", got, err, true, payment.RefundDone)
	}
	b.sim.LagReads(time.Minute)
	got, err := later.QueryRefund(t.Context(), rs[0])
	wantRefund(t, "QueryRefund of the past", got, err, false, "")
	if _, err := later.Refund(t.Context(), rs[0]); !errors.Is(err, payment.ErrUnknown) {
		t.Errorf("Refund of what was made: error %v, want ErrUnknown", err)
	}
	b.isGivenBack(t, a, 160_00)
}

// One that was made since ours may have been asked for is ours, where no other of ours
// is it, although whoever asks has no memory. One of before could be another's.
func TestRefundIsFoundByItsTime(t *testing.T) {
	for _, tt := range []struct {
		name  string
		since time.Duration // after the first was made
		other bool          // it is known to be another refund of ours
		found bool
		want  payment.RefundState
	}{
		{"of the same second", 0, false, true, payment.RefundDone},
		{"of after it was asked for", -time.Hour, false, true, payment.RefundDone},
		{"by clocks that differ", 30 * time.Second, false, true, payment.RefundDone},
		{"of before", 2 * time.Minute, false, true, payment.RefundUnknown},
		{"another of ours", -time.Hour, true, false, ""},
		{"another of ours, of before", time.Hour, true, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, "TWD")
			a := b.bought(t)
			rs := refunds(a, money.Of(80_00, "TWD"), 2)
			made, err := b.Refund(t.Context(), rs[0])
			wantRefund(t, "Refund", made, err, true, payment.RefundDone)
			b.advance(time.Hour)
			r := rs[1]
			r.Since = made.AsOf.Add(tt.since)
			if tt.other {
				r.Others = []string{made.ProviderID}
			}
			got, err := b.another(t).QueryRefund(t.Context(), r)
			wantRefund(t, "QueryRefund", got, err, tt.found, tt.want)
		})
	}
}

// Two processes ask for two refunds of one amount, and one request is lost. Whoever lost
// it must not take the other's for it, nor keep it where it did.
func TestRefundOfAnotherProcessIsNotTakenForOurs(t *testing.T) {
	for _, taken := range []bool{false, true} {
		b := newBench(t, "TWD")
		a := b.bought(t)
		rs := refunds(a, money.Of(80_00, "TWD"), 2)
		b.next("/refund", outboundsim.LoseRequest)
		if _, err := b.Refund(t.Context(), rs[0]); !errors.Is(err, payment.ErrUnknown) {
			t.Fatalf("Refund error %v, want ErrUnknown", err)
		}
		made, err := b.another(t).Refund(t.Context(), rs[1])
		wantRefund(t, "Refund elsewhere", made, err, true, payment.RefundDone)
		if taken { // before it was known whose it is
			got, err := b.QueryRefund(t.Context(), rs[0])
			wantRefund(t, "QueryRefund too early", got, err, true, payment.RefundDone)
		}
		rs[0].Others = []string{made.ProviderID}
		got, err := b.QueryRefund(t.Context(), rs[0])
		wantRefund(t, "QueryRefund", got, err, false, "")
		b.advance(11 * time.Minute)
		b.refundUntilDone(t, rs[0])
		b.isGivenBack(t, a, 160_00)
	}
}

// Two refunds of one amount whose answers were both lost: LINE Pay made one, and
// so one is found. The other is asked for again, not before the first had time
// to show, and in the end each was made once.
func TestEachLostRefundIsCountedOnce(t *testing.T) {
	for name, made := range map[string][2]outboundsim.Fault{
		"the first":  {outboundsim.LoseAnswer, outboundsim.LoseRequest},
		"the second": {outboundsim.LoseRequest, outboundsim.LoseAnswer},
		"both":       {outboundsim.LoseAnswer, outboundsim.LoseAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "TWD")
			a := b.bought(t)
			rs := refunds(a, money.Of(80_00, "TWD"), 2)
			for i, r := range rs {
				b.next("/refund", made[i])
				if _, err := b.Refund(t.Context(), r); !errors.Is(err, payment.ErrUnknown) {
					t.Fatalf("Refund error %v, want ErrUnknown", err)
				}
			}
			before := b.sim.Refunded(a.Ref).Minor
			found := int64(0)
			for _, r := range rs {
				for range 2 {
					got, err := b.QueryRefund(t.Context(), r)
					if err != nil || got.Found && got.State != payment.RefundDone {
						t.Errorf("QueryRefund says %+v, %v", got, err)
					}
					if got.Found {
						found += 40_00
					}
				}
			}
			if found != before {
				t.Errorf("refunds of %d are found, LINE Pay made %d", found, before)
			}
			for _, r := range rs {
				b.refundUntilDone(t, r)
			}
			b.isGivenBack(t, a, 160_00)
		})
	}
}

// next decides the fate of the next call whose path ends like that.
func (b *bench) next(end string, f outboundsim.Fault) {
	b.wire.Choose = func(r *http.Request) outboundsim.Fault {
		if !strings.HasSuffix(r.URL.Path, end) {
			return outboundsim.None
		}
		now := f
		f = outboundsim.None
		return now
	}
}

func (b *bench) refundUntilDone(t *testing.T, r payment.Refund) {
	t.Helper()
	for range 5 {
		got, err := b.Refund(t.Context(), r)
		if err == nil && got.State == payment.RefundDone {
			return
		}
		if !errors.Is(err, payment.ErrUnknown) {
			t.Fatalf("Refund says %+v, %v", got, err)
		}
		b.advance(3 * time.Minute)
	}
	t.Errorf("refund %s is never done", r.Ref)
}

// While a refund is being asked for, nobody else may take it for their own, and
// nobody asks for it a second time.
func TestRefundUnderWayDecidesNothing(t *testing.T) {
	b := newBench(t, "TWD")
	a := b.bought(t)
	rs := refunds(a, money.Of(80_00, "TWD"), 2)
	looked := false
	b.wire.Meanwhile = func(r *http.Request) {
		if looked || !strings.HasSuffix(r.URL.Path, "/refund") {
			return
		}
		looked = true
		for _, r := range rs {
			got, err := b.QueryRefund(t.Context(), r)
			wantRefund(t, "QueryRefund meanwhile", got, err, true, payment.RefundUnknown)
		}
		got, err := b.Refund(t.Context(), rs[0])
		wantRefund(t, "the same Refund meanwhile", got, err, true, payment.RefundUnknown)
	}
	got, err := b.Refund(t.Context(), rs[0])
	wantRefund(t, "Refund", got, err, true, payment.RefundDone)
	if !looked {
		t.Fatal("nobody looked meanwhile")
	}
	got, err = b.QueryRefund(t.Context(), rs[1])
	wantRefund(t, "QueryRefund of the other", got, err, false, "")
	b.isGivenBack(t, a, 80_00)
}

// A refund arrives after all, in the moment in which it is asked for again. LINE
// Pay's no to the second is not a no to the refund.
func TestLateRefundIsNotCalledFailed(t *testing.T) {
	b := newBench(t, "TWD")
	a := b.bought(t)
	r := refunds(a, a.Amount, 1)[0]
	b.next("/refund", outboundsim.ActLater)
	if _, err := b.Refund(t.Context(), r); !errors.Is(err, payment.ErrUnknown) {
		t.Fatalf("Refund error %v, want ErrUnknown", err)
	}
	b.advance(11 * time.Minute)
	b.wire.Meanwhile = func(*http.Request) { b.wire.Deliver() }
	got, err := b.Refund(t.Context(), r)
	wantRefund(t, "Refund again", got, err, true, payment.RefundDone)
	b.isGivenBack(t, a, a.Amount.Minor)
}

// What was there before we asked is not ours, though it is of our amount.
func TestRefundThatWasThereBefore(t *testing.T) {
	b := newBench(t, "TWD")
	a := b.bought(t)
	byHand(80_00)(t, b, a)
	r := refunds(a, money.Of(80_00, "TWD"), 1)[0]
	b.next("/refund", outboundsim.LoseRequest)
	if _, err := b.Refund(t.Context(), r); !errors.Is(err, payment.ErrUnknown) {
		t.Fatalf("Refund error %v, want ErrUnknown", err)
	}
	got, err := b.QueryRefund(t.Context(), r)
	wantRefund(t, "QueryRefund", got, err, false, "")
	b.refundUntilDone(t, r)
	b.isGivenBack(t, a, 160_00)
}

// That a second call was not sent says nothing about the first.
func TestFirstCallIsRemembered(t *testing.T) {
	b := newBench(t, "TWD")
	a := b.bought(t)
	r := refunds(a, money.Of(80_00, "TWD"), 1)[0]
	b.next("/refund", outboundsim.ActLater)
	if _, err := b.Refund(t.Context(), r); !errors.Is(err, payment.ErrUnknown) {
		t.Fatalf("Refund error %v, want ErrUnknown", err)
	}
	b.advance(11 * time.Minute)
	b.next("/refund", outboundsim.Refuse)
	if _, err := b.Refund(t.Context(), r); !errors.Is(err, payment.ErrNotSent) {
		t.Fatalf("Refund again: error %v, want ErrNotSent", err)
	}
	b.wire.Deliver()
	got, err := b.QueryRefund(t.Context(), r)
	wantRefund(t, "QueryRefund", got, err, true, payment.RefundDone)
	b.isGivenBack(t, a, 80_00)
}

// Nobody asks for a refund without having read the list first.
func TestRefundIsNotAskedForBlindly(t *testing.T) {
	for _, fault := range []outboundsim.Fault{outboundsim.LoseAnswer, outboundsim.Garble, outboundsim.Break, outboundsim.Busy} {
		b := newBench(t, "TWD")
		a := b.bought(t)
		b.next("/v3/payments", fault)
		if _, err := b.Refund(t.Context(), refunds(a, a.Amount, 1)[0]); !errors.Is(err, payment.ErrNotSent) {
			t.Errorf("%s: Refund error %v, want ErrNotSent", fault, err)
		}
		b.isGivenBack(t, a, 0)
	}
}

// What cannot be refunded is refused without a call that could.
func TestRefundOfNothing(t *testing.T) {
	b := newBench(t, "TWD")
	paid, unpaid := b.bought(t), b.agreed(t)
	for _, tt := range []struct {
		code string
		a    payment.Attempt
		m    money.Money
	}{
		{"not_in_limits", paid, money.Of(80_50, "TWD")},
		{"not_in_limits", paid, money.Of(0, "TWD")},
		{"not_in_limits", paid, money.Of(80_00, "THB")},
		{"more_than_is_left", paid, money.Of(241_00, "TWD")},
		{"not_paid", unpaid, money.Of(80_00, "TWD")},
	} {
		b.wire.Choose = func(r *http.Request) outboundsim.Fault {
			if r.Method == http.MethodPost {
				t.Errorf("%v: a refund was asked for", tt.m)
			}
			return outboundsim.None
		}
		got, err := b.Refund(t.Context(), refunds(tt.a, tt.m, 1)[0])
		if err != nil || got.State != payment.RefundFailed || got.Code != tt.code {
			t.Errorf("Refund of %v says %+v, %v; want failed, %s", tt.m, got, err, tt.code)
		}
	}
	got, err := b.QueryRefund(t.Context(), refunds(unpaid, unpaid.Amount, 1)[0])
	wantRefund(t, "QueryRefund of what is not paid", got, err, false, "")
}

// LINE Pay's own no, here that it is too late, is a failed refund and may be
// asked for again at once by whoever knows better.
func TestRefundRefusedByLINEPay(t *testing.T) {
	b := newBench(t, "TWD")
	a := b.bought(t)
	b.advance(100 * 24 * time.Hour)
	for range 2 {
		got, err := b.Refund(t.Context(), refunds(a, a.Amount, 1)[0])
		if err != nil || got.State != payment.RefundFailed || got.Code != "1163" {
			t.Errorf("Refund says %+v, %v; want failed, 1163", got, err)
		}
	}
	b.isGivenBack(t, a, 0)
}

// LINE Pay notifies nobody.
func TestEveryNotificationIsForged(t *testing.T) {
	b := newBench(t, "TWD")
	body := []byte(`{"returnCode":"0000","info":{"orderId":"x"}}`)
	if bell, err := b.Notification(t.Context(), http.Header{}, body); !errors.Is(err, payment.ErrForged) || bell != (payment.Doorbell{}) {
		t.Errorf("Notification says %+v, %v", bell, err)
	}
}
