package linepay_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/linepay"
	"github.com/tsuzuku/tsuzuku/payment/linepay/linepaysim"
	"github.com/tsuzuku/tsuzuku/payment/paymenttest"
)

const (
	channel = "1234567890"
	secret  = "conformance-secret"
)

// bench is the adapter over a wire over the simulator, all on one clock.
type bench struct {
	*linepay.Adapter
	sim      *linepaysim.Sim
	wire     *outboundsim.Wire
	currency money.Currency

	mu   sync.Mutex
	now  time.Time
	refs int
}

func newBench(t *testing.T, c money.Currency) *bench {
	t.Helper()
	b := &bench{now: time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC), currency: c}
	b.sim = linepaysim.New(linepaysim.Config{ChannelID: channel, ChannelSecret: secret, Currency: c, Now: b.clock})
	b.wire = &outboundsim.Wire{Stranger: b.sim}
	b.Adapter = b.another(t)
	return b
}

// another is an adapter that remembers nothing: after a restart, or on another
// machine.
func (b *bench) another(t *testing.T) *linepay.Adapter {
	t.Helper()
	a, err := linepay.New(
		linepay.Config{ChannelID: channel, ChannelSecret: secret, Currency: b.currency},
		outbound.New(outbound.Options{Transport: b.wire}), b.clock, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

func (b *bench) attempt() payment.Attempt {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refs++
	return payment.Attempt{
		Ref: fmt.Sprintf("conformance%015d", b.refs), Rail: payment.LINEPay, Amount: money.Of(240_00, b.currency),
		Description: "Japan unlimited, 10 days", Language: "zh-Hant", ReturnURL: "https://shop.test/back?a=1", CancelURL: "https://shop.test/quit",
		CreatedAt: b.now, ExpiresAt: b.now.Add(15 * time.Minute), Device: payment.Phone,
	}
}

func kind(r *http.Request) paymenttest.Kind {
	if r.Method == http.MethodPost {
		return paymenttest.Acts
	}
	return paymenttest.Reads
}

func (b *bench) suite(t *testing.T) paymenttest.Bench {
	s := paymenttest.Bench{
		Provider:   b.Adapter,
		NewAttempt: b.attempt,
		// The customer may find the page closed; what matters is what was taken.
		Pay: func(ref string) url.Values {
			back, _ := b.sim.Pay(ref)
			return back
		},
		Decline:  func(ref string) { _, _ = b.sim.Decline(ref) },
		GiveUp:   func(ref string) { _, _ = b.sim.GiveUp(ref) },
		Advance:  b.advance,
		Captured: b.sim.Captured,
		Refunded: b.sim.Refunded,
		// Refunds have no names. One by hand of the very amount of ours could be
		// ours, and must be taken for possible: see
		// TestRefundThatCouldBeAnothersIsUnknown. Here the desk gives it back in
		// two.
		RefundByHand: func(ref string, m money.Money) {
			const one = 100
			if err := errors.Join(b.sim.RefundByHand(ref, one), b.sim.RefundByHand(ref, m.Minor-one)); err != nil {
				t.Errorf("a refund by hand: %v", err)
			}
		},
		CannotClose: true,
		Lapses:      10 * time.Minute, // 20 minutes from the request, which ends after 15
	}
	s.Over(b.wire, kind)
	return s
}

func TestConformance(t *testing.T) {
	for _, c := range []money.Currency{"TWD", "THB"} {
		t.Run(string(c), func(t *testing.T) {
			paymenttest.Run(t, func(t *testing.T) paymenttest.Bench { return newBench(t, c).suite(t) })
		})
	}
}

// begun is an attempt that LINE Pay knows.
func (b *bench) begun(t *testing.T) payment.Attempt {
	t.Helper()
	a := b.attempt()
	obs, err := b.Start(t.Context(), a)
	if err != nil || obs.State != payment.NeedsCustomer {
		t.Fatalf("Start says %+v, %v", obs, err)
	}
	a.ProviderID = obs.ProviderID
	return a
}

// agreed is an attempt whose money can be taken.
func (b *bench) agreed(t *testing.T) payment.Attempt {
	t.Helper()
	a := b.begun(t)
	if _, err := b.sim.Pay(a.Ref); err != nil {
		t.Fatal(err)
	}
	return a
}

// bought is an attempt whose money was taken.
func (b *bench) bought(t *testing.T) payment.Attempt {
	t.Helper()
	a := b.agreed(t)
	obs, err := b.Resume(t.Context(), a, nil)
	if err != nil || obs.State != payment.Paid {
		t.Fatalf("Resume says %+v, %v", obs, err)
	}
	a.MoneyID = obs.MoneyID
	return a
}

func (b *bench) isTaken(t *testing.T, a payment.Attempt, want money.Money) {
	t.Helper()
	if got := b.sim.Captured(a.Ref); got != want {
		t.Errorf("LINE Pay took %v, want %v", got, want)
	}
}

// Whatever becomes of the call that takes the money, it is taken once, and never
// called anything but paid or unknown; asking again finds it.
func TestMoneyIsTakenOnceOnABadWire(t *testing.T) {
	for _, fault := range outboundsim.Faults {
		t.Run(string(fault), func(t *testing.T) {
			b := newBench(t, "TWD")
			a := b.agreed(t)
			struck := false
			b.wire.Choose = func(r *http.Request) outboundsim.Fault {
				if struck || !strings.HasSuffix(r.URL.Path, "/confirm") {
					return outboundsim.None
				}
				struck = true
				return fault
			}
			obs, err := b.Resume(t.Context(), a, nil)
			if err == nil && obs.State != payment.Paid || err != nil && errors.Is(err, payment.ErrNotSent) == errors.Is(err, payment.ErrUnknown) {
				t.Errorf("Resume says %s %s, %v", obs.State, obs.Code, err)
			}
			if none := fault == outboundsim.Refuse || fault == outboundsim.Busy; none != errors.Is(err, payment.ErrNotSent) {
				t.Errorf("Resume error %v", err)
			} else if n := b.wire.Calls(); none && n != 3 {
				t.Errorf("%d calls: nothing was sent, and there is nothing to look for", n)
			}
			b.wire.Deliver()
			for range 2 {
				if obs, err = b.Resume(t.Context(), a, nil); err != nil || obs.State != payment.Paid || obs.Amount != a.Amount || obs.MoneyID != a.ProviderID {
					t.Errorf("Resume again says %+v, %v", obs, err)
				}
			}
			b.isTaken(t, a, a.Amount)
		})
	}
}

// What goes wrong at LINE Pay itself is no refusal either.
func TestTroubleAtLINEPayIsNoAnswer(t *testing.T) {
	for _, trouble := range linepaysim.Troubles {
		t.Run(string(trouble), func(t *testing.T) {
			b := newBench(t, "TWD")
			b.sim.Upset(trouble)
			a := b.attempt()
			if _, err := b.Start(t.Context(), a); !errors.Is(err, payment.ErrUnknown) {
				t.Fatalf("Start error %v, want ErrUnknown", err)
			}
			a = b.agreed(t)
			b.sim.Upset(trouble)
			obs, err := b.Resume(t.Context(), a, nil)
			if took := !b.sim.Captured(a.Ref).IsZero(); took != (err == nil && obs.State == payment.Paid) || !took && !errors.Is(err, payment.ErrUnknown) {
				t.Errorf("taken %t, Resume says %s, %v", took, obs.State, err)
			}
			if obs, err = b.Resume(t.Context(), a, nil); err != nil || obs.State != payment.Paid {
				t.Errorf("Resume again says %s, %v", obs.State, err)
			}
			r := payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: a, Amount: money.Of(80_00, "TWD")}
			b.sim.Upset(trouble)
			if _, err := b.Refund(t.Context(), r); !errors.Is(err, payment.ErrUnknown) {
				t.Errorf("Refund error %v, want ErrUnknown", err)
			}
			b.refundOnce(t, b.Adapter, r)
		})
	}
}

// refundOnce asks for a refund whose answer was lost until it is done, as an
// impatient caller would, and wants the money back once.
func (b *bench) refundOnce(t *testing.T, p payment.Provider, r payment.Refund) {
	t.Helper()
	for range 3 {
		got, err := p.Refund(t.Context(), r)
		if err == nil && got.State == payment.RefundDone && got.Amount == r.Amount && got.ProviderID != "" {
			break
		}
		if !errors.Is(err, payment.ErrUnknown) {
			t.Fatalf("Refund again says %+v, %v", got, err)
		}
		b.advance(6 * time.Minute)
	}
	if got := b.sim.Refunded(r.Attempt.Ref); got != r.Amount {
		t.Errorf("LINE Pay gave back %v, want %v", got, r.Amount)
	}
}

// Nobody takes money after the attempt's end, and then it is dead although LINE
// Pay would still give it.
func TestNothingIsTakenAfterTheEnd(t *testing.T) {
	b := newBench(t, "TWD")
	a := b.begun(t)
	b.advance(14 * time.Minute)
	if _, err := b.sim.Pay(a.Ref); err != nil {
		t.Fatal(err)
	}
	b.advance(time.Minute)
	if obs, err := b.Resume(t.Context(), a, nil); err != nil || obs.State != payment.Approved {
		t.Errorf("at its end Resume says %s, %v; want approved and nothing taken", obs.State, err)
	}
	b.advance(2 * time.Hour)
	for name, call := range map[string]func() (payment.Observation, error){
		"Query":   func() (payment.Observation, error) { return b.Query(t.Context(), a) },
		"Resume":  func() (payment.Observation, error) { return b.Resume(t.Context(), a, nil) },
		"Abandon": func() (payment.Observation, error) { return b.Abandon(t.Context(), a) },
	} {
		if obs, err := call(); err != nil || obs.State != payment.Dead || obs.Reason != payment.TooLate {
			t.Errorf("%s says %s %s, %v; want dead, too late", name, obs.State, obs.Reason, err)
		}
	}
	b.isTaken(t, a, money.Money{})
}

// A start that was lost is dead once nobody could agree to it any more, and not
// a moment before; it is not sent again.
func TestLostStartDies(t *testing.T) {
	b := newBench(t, "TWD")
	s := b.suite(t)
	a := b.attempt()
	s.LoseNextAnswer()
	if _, err := b.Start(t.Context(), a); !errors.Is(err, payment.ErrUnknown) {
		t.Fatalf("Start error %v, want ErrUnknown", err)
	}
	if _, err := b.Start(t.Context(), a); !errors.Is(err, payment.ErrUnknown) {
		t.Errorf("Start again: error %v, want ErrUnknown: the orderId is used", err)
	}
	for _, tt := range []struct {
		after time.Duration
		want  payment.State
	}{{30 * time.Minute, payment.Unknown}, {5 * time.Minute, payment.Unknown}, {time.Second, payment.Dead}} {
		b.advance(tt.after)
		for name, call := range map[string]func() (payment.Observation, error){
			"Query": func() (payment.Observation, error) { return b.Query(t.Context(), a) },
			"Start": func() (payment.Observation, error) { return b.Start(t.Context(), a) },
		} {
			if obs, err := call(); err != nil || obs.State != tt.want {
				t.Errorf("%s after %s says %s, %v; want %s", name, b.clock().Sub(a.CreatedAt), obs.State, err, tt.want)
			}
		}
	}
}

// What the browser brings along takes nobody's money: neither for an attempt
// whose transaction we do not know, nor for another's.
func TestTheBrowserIsNotBelieved(t *testing.T) {
	b := newBench(t, "TWD")
	theirs := b.agreed(t)
	lost := b.attempt()
	back := url.Values{"transactionId": {theirs.ProviderID}, "orderId": {lost.Ref}}
	if obs, err := b.Resume(t.Context(), lost, back); err != nil || obs.State != payment.Unknown {
		t.Errorf("Resume says %s, %v; want unknown", obs.State, err)
	}
	mine := b.begun(t)
	if obs, err := b.Resume(t.Context(), mine, back); err != nil || obs.State != payment.NeedsCustomer {
		t.Errorf("Resume says %s, %v; want needs_customer", obs.State, err)
	}
	b.isTaken(t, theirs, money.Money{})
}

// An attempt that was paid and whose identifiers were lost is found by its Ref.
func TestPaidIsFoundByRef(t *testing.T) {
	b := newBench(t, "THB")
	a := b.bought(t)
	id := a.ProviderID
	a.ProviderID, a.MoneyID = "", ""
	if obs, err := b.Query(t.Context(), a); err != nil || obs.State != payment.Paid || obs.ProviderID != id || obs.MoneyID != id || obs.Amount != a.Amount {
		t.Errorf("Query says %+v, %v", obs, err)
	}
	got, err := b.Refund(t.Context(), payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: a, Amount: money.Of(1_25, "THB")})
	if err != nil || got.State != payment.RefundDone {
		t.Errorf("Refund says %+v, %v", got, err)
	}
	if got := b.sim.Refunded(a.Ref); got != money.Of(1_25, "THB") {
		t.Errorf("LINE Pay gave back %v", got)
	}
}

// The customer's own reason is told where LINE Pay gives one.
func TestRefusalAtTheBank(t *testing.T) {
	for tool, want := range map[string]payment.Reason{"declined": payment.Declined, "drained": payment.NoFunds} {
		b := newBench(t, "TWD")
		a := b.begun(t)
		if _, err := b.sim.PayWith(a.Ref, tool); err != nil {
			t.Fatal(err)
		}
		if obs, err := b.Resume(t.Context(), a, nil); err != nil || obs.State != payment.Dead || obs.Reason != want || obs.Code == "" {
			t.Errorf("%s: Resume says %s %s %q, %v; want dead, %s", tool, obs.State, obs.Reason, obs.Code, err, want)
		}
	}
}

// Several sources of the customer's money make one amount.
func TestPointsAndCardAddUp(t *testing.T) {
	b := newBench(t, "TWD")
	a := b.begun(t)
	if _, err := b.sim.PayWith(a.Ref, "points"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if obs, err := b.Resume(t.Context(), a, nil); err != nil || obs.State != payment.Paid || obs.Amount != a.Amount {
			t.Errorf("Resume says %s %v, %v; want paid %v", obs.State, obs.Amount, err, a.Amount)
		}
	}
}

// Reads that are behind make nothing dead and nothing paid twice.
func TestReadsThatAreBehind(t *testing.T) {
	b := newBench(t, "TWD")
	a := b.agreed(t)
	b.advance(2 * time.Minute)
	if obs, err := b.Resume(t.Context(), a, nil); err != nil || obs.State != payment.Paid {
		t.Fatalf("Resume says %s, %v", obs.State, err)
	}
	b.sim.LagReads(time.Minute)
	if obs, err := b.Query(t.Context(), a); err != nil || obs.State != payment.Approved {
		t.Errorf("Query of the past says %s, %v; want approved", obs.State, err)
	}
	if _, err := b.Resume(t.Context(), a, nil); !errors.Is(err, payment.ErrUnknown) {
		t.Errorf("Resume in the past: error %v, want ErrUnknown", err)
	}
	a.MoneyID = a.ProviderID
	if _, err := b.Query(t.Context(), a); !errors.Is(err, payment.ErrNotSent) {
		t.Errorf("Query of what was paid and is not shown: error %v, want ErrNotSent", err)
	}
	b.advance(time.Minute)
	if obs, err := b.Query(t.Context(), a); err != nil || obs.State != payment.Paid {
		t.Errorf("Query says %s, %v; want paid", obs.State, err)
	}
	b.isTaken(t, a, a.Amount)
}
