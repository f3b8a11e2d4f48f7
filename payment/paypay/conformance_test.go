package paypay_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/paymenttest"
	"github.com/tsuzuku/tsuzuku/payment/paypay"
	"github.com/tsuzuku/tsuzuku/payment/paypay/paypaysim"
)

const (
	apiKey    = "a_conformance"
	apiSecret = "whispered_conformance"
	merchant  = "987654321098765432"
)

// bench is the adapter over a wire over the simulator, all on one clock.
type bench struct {
	*paypay.Adapter
	sim    *paypaysim.Sim
	wire   *outboundsim.Wire
	device payment.Device

	mu   sync.Mutex
	now  time.Time
	refs int
	sent []paymenttest.Notification
}

func newBench(t *testing.T, c paypaysim.Config) *bench {
	t.Helper()
	b := &bench{device: payment.Phone, now: time.Date(2031, 5, 6, 7, 8, 9, 987654321, time.UTC)}
	clock := func() time.Time {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.now
	}
	c.APIKey, c.APISecret, c.MerchantID, c.Now = apiKey, apiSecret, merchant, clock
	b.sim = paypaysim.New(c)
	b.wire = &outboundsim.Wire{Stranger: b.sim}
	var err error
	b.Adapter, err = paypay.New(paypay.Config{APIKey: apiKey, APISecret: apiSecret, MerchantID: merchant},
		outbound.New(outbound.Options{Transport: b.wire}), clock, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
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
		Ref: fmt.Sprintf("conformance%015d", b.refs), Rail: payment.PayPay, Amount: money.Of(2400, "JPY"),
		Description: "日本無制限 10日間 (5G/4G)", Language: "ja", Device: b.device, ClientIP: "203.0.113.7",
		ReturnURL: "https://shop.test/back?o=1&p=2", CancelURL: "https://shop.test/quit",
		Tags:      map[string]string{"order": "ord_" + strconv.Itoa(b.refs)},
		CreatedAt: b.now, ExpiresAt: b.now.Add(15 * time.Minute),
	}
}

// begun is an attempt that was started, as the house has it then.
func (b *bench) begun(t *testing.T) payment.Attempt {
	t.Helper()
	a := b.attempt()
	obs, err := b.Start(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	a.ProviderID = obs.ProviderID
	return a
}

// fetch returns what was sent so far; the simulator tells each only once.
func (b *bench) fetch() []paymenttest.Notification {
	fresh := b.sim.Notifications() // asks the clock, so not under our lock
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range fresh {
		b.sent = append(b.sent, paymenttest.Notification{Header: n.Header, Body: n.Body})
	}
	return slices.Clone(b.sent)
}

func (b *bench) suite(t *testing.T) paymenttest.Bench {
	s := paymenttest.Bench{
		Provider:   b.Adapter,
		NewAttempt: b.attempt,
		// The customer may find nothing to pay; what matters is what PayPay took.
		Pay:     func(ref string) url.Values { v, _ := b.sim.Pay(ref); return v },
		Decline: func(ref string) { _, _ = b.sim.Decline(ref) },
		GiveUp:  func(ref string) { _, _ = b.sim.GiveUp(ref) },
		Advance: b.advance, Captured: b.sim.Captured, Refunded: b.sim.Refunded,
		RefundByHand: func(ref string, m money.Money) {
			if err := b.sim.RefundByHand(ref, m.Minor); err != nil {
				t.Errorf("a refund by hand: %v", err)
			}
		},
		Notifications: b.fetch,
		Lapses:        time.Minute, // after ExpiresAt, when a code has long lapsed
		Mute:          true,        // the app tells the customer alone
		Unsigned:      true,
	}
	s.Over(b.wire, func(r *http.Request) paymenttest.Kind {
		if r.Method == http.MethodGet {
			return paymenttest.Reads
		}
		return paymenttest.Acts
	})
	return s
}

func TestConformance(t *testing.T) {
	paymenttest.Run(t, func(t *testing.T) paymenttest.Bench { return newBench(t, paypaysim.Config{}).suite(t) })
}

// The same at a computer, with links that open the app, refunds that take their
// time, and troubles of their order.
func TestConformanceOfOtherManners(t *testing.T) {
	for name, manner := range map[string]func(*testing.T) *bench{
		"computer": func(t *testing.T) *bench {
			b := newBench(t, paypaysim.Config{})
			b.device = payment.Computer
			return b
		},
		"app links": func(t *testing.T) *bench { return newBench(t, paypaysim.Config{AppLinks: true}) },
		"slow refunds": func(t *testing.T) *bench {
			b := newBench(t, paypaysim.Config{})
			b.sim.HoldRefunds(true)
			return b
		},
		"notifications twice": func(t *testing.T) *bench {
			return newBench(t, paypaysim.Config{Deliver: func(string) paypaysim.Delivery { return paypaysim.Twice }})
		},
	} {
		t.Run(name, func(t *testing.T) {
			paymenttest.Run(t, func(t *testing.T) paymenttest.Bench { return manner(t).suite(t) })
		})
	}
}

// The customer's app refuses, keeps the payment for a while, and decides.
func TestPaymentUnderWay(t *testing.T) {
	for _, paid := range []bool{true, false} {
		b := newBench(t, paypaysim.Config{})
		a := b.begun(t)
		b.sim.PendNext(1)
		if _, err := b.sim.Pay(a.Ref); err != nil {
			t.Fatal(err)
		}
		for name, call := range map[string]func() (payment.Observation, error){
			"Query":   func() (payment.Observation, error) { return b.Query(t.Context(), a) },
			"Abandon": func() (payment.Observation, error) { return b.Abandon(t.Context(), a) },
		} {
			if obs, err := call(); err != nil || obs.State != payment.Pending || len(obs.MoneyID) != 20 {
				t.Errorf("%s says %+v, %v; want pending", name, obs, err)
			}
		}
		b.advance(time.Hour) // long after the code has lapsed
		if obs, err := b.Query(t.Context(), a); err != nil || obs.State != payment.Pending {
			t.Errorf("an hour later Query says %+v, %v; want pending", obs, err)
		}
		if err := b.sim.Settle(a.Ref, paid); err != nil {
			t.Fatal(err)
		}
		want := map[bool]payment.State{true: payment.Paid, false: payment.Dead}[paid]
		if obs, err := b.Query(t.Context(), a); err != nil || obs.State != want || (obs.Reason == "") != paid {
			t.Errorf("settled (paid %t), Query says %+v, %v; want %s", paid, obs, err, want)
		}
	}
}

// Where PayPay does not repeat its former answer, a code whose name was lost is
// neither lost from sight nor called dead before it has lapsed.
func TestLostStartThatIsNotRepeated(t *testing.T) {
	b := newBench(t, paypaysim.Config{NeverReplays: true})
	s := b.suite(t)
	a := b.attempt()
	s.LoseNextAnswer()
	if _, err := b.Start(t.Context(), a); !errors.Is(err, payment.ErrUnknown) {
		t.Fatalf("Start error %v, want ErrUnknown", err)
	}
	calls := []func() (payment.Observation, error){
		func() (payment.Observation, error) { return b.Start(t.Context(), a) },
		func() (payment.Observation, error) { return b.Query(t.Context(), a) },
		func() (payment.Observation, error) { return b.Abandon(t.Context(), a) },
	}
	for _, step := range []struct {
		after time.Duration
		want  payment.State
	}{
		{0, payment.NeedsCustomer},
		{6 * time.Minute, payment.Unknown}, // lapsed, and a Start could be under way
		{20 * time.Minute, payment.Dead},
	} {
		b.advance(step.after)
		for i, call := range calls {
			if obs, err := call(); err != nil || obs.State != step.want || obs.ProviderID != "" || obs.Next != (payment.Next{}) {
				t.Errorf("call %d after %v says %+v, %v; want %s", i, step.after, obs, err, step.want)
			}
		}
	}
	paid := b.attempt() // and one whose code somebody found and paid
	s.LoseNextAnswer()
	_, _ = b.Start(t.Context(), paid)
	s.Pay(paid.Ref)
	for i, call := range []func() (payment.Observation, error){
		func() (payment.Observation, error) { return b.Start(t.Context(), paid) },
		func() (payment.Observation, error) { return b.Abandon(t.Context(), paid) },
	} {
		if obs, err := call(); err != nil || obs.State != payment.Paid || obs.Amount != paid.Amount {
			t.Errorf("call %d says %+v, %v; want paid", i, obs, err)
		}
	}
}

// PayPay's own troubles: what happened is never guessed, and after them all
// goes on.
func TestTroubles(t *testing.T) {
	for trouble, want := range map[paypaysim.Trouble]error{
		paypaysim.RateLimited: payment.ErrNotSent,
		paypaysim.Maintenance: payment.ErrUnknown,
		paypaysim.Broken:      payment.ErrUnknown,
		paypaysim.BrokenAfter: payment.ErrUnknown,
	} {
		b := newBench(t, paypaysim.Config{})
		a := b.attempt()
		refused := func(call string, err error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("%s: %s error %v, want %v", trouble, call, err, want)
			}
		}
		b.sim.Upset(trouble)
		_, err := b.Start(t.Context(), a)
		refused("Start", err)
		obs, err := b.Start(t.Context(), a)
		if err != nil || obs.Next.RedirectURL == "" {
			t.Fatalf("%s: Start again: %+v, %v", trouble, obs, err)
		}
		a.ProviderID = obs.ProviderID
		b.sim.Upset(trouble)
		_, err = b.Abandon(t.Context(), a)
		refused("Abandon", err)
		if obs, err := b.Abandon(t.Context(), a); err != nil || obs.State != payment.Dead {
			t.Errorf("%s: Abandon again: %+v, %v", trouble, obs, err)
		}
		a = b.begun(t)
		if _, err := b.sim.Pay(a.Ref); err != nil {
			t.Fatal(err)
		}
		r := payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: a, Amount: money.Of(700, "JPY")}
		b.sim.Upset(trouble)
		_, err = b.Refund(t.Context(), r)
		refused("Refund", err)
		if got, err := b.Refund(t.Context(), r); err != nil || got.Amount != r.Amount || b.sim.Refunded(a.Ref) != r.Amount {
			t.Errorf("%s: Refund again: %+v, %v; PayPay gave back %v", trouble, got, err, b.sim.Refunded(a.Ref))
		}
	}
}

// A second refund within the minute was not sent, and is made afterwards.
func TestRefundsAreSpaced(t *testing.T) {
	b := newBench(t, paypaysim.Config{})
	a := b.begun(t)
	if _, err := b.sim.Pay(a.Ref); err != nil {
		t.Fatal(err)
	}
	first := payment.Refund{Ref: "refundrefundrefundrefund01", Attempt: a, Amount: money.Of(700, "JPY")}
	second := first
	second.Ref = "refundrefundrefundrefund02"
	if _, err := b.Refund(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Refund(t.Context(), second); !errors.Is(err, payment.ErrNotSent) || b.sim.Refunded(a.Ref) != first.Amount {
		t.Errorf("at once: %+v, %v, want ErrNotSent; PayPay gave back %v", got, err, b.sim.Refunded(a.Ref))
	}
	b.advance(2 * time.Minute)
	if got, err := b.Refund(t.Context(), second); err != nil || b.sim.Refunded(a.Ref) != money.Of(1400, "JPY") {
		t.Errorf("later: %+v, %v; PayPay gave back %v", got, err, b.sim.Refunded(a.Ref))
	}
}

// A refund goes from sent to done, and never fails on the way.
func TestRefundArrivesLater(t *testing.T) {
	b := newBench(t, paypaysim.Config{})
	a := b.begun(t)
	if _, err := b.sim.Pay(a.Ref); err != nil {
		t.Fatal(err)
	}
	b.sim.HoldRefunds(true)
	r := payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: a, Amount: a.Amount}
	for _, want := range []payment.RefundState{payment.RefundSent, payment.RefundDone} {
		if got, err := b.Refund(t.Context(), r); err != nil || got.State != want {
			t.Errorf("Refund says %+v, %v; want %s", got, err, want)
		}
		if got, err := b.QueryRefund(t.Context(), r); err != nil || got.State != want || !got.Found {
			t.Errorf("QueryRefund says %+v, %v; want %s", got, err, want)
		}
		if obs, err := b.Query(t.Context(), a); err != nil || obs.State != payment.Paid || obs.Refunded != r.Amount {
			t.Errorf("Query says %+v, %v; want paid and given back", obs, err)
		}
		b.sim.HoldRefunds(false)
	}
}

// PayPay's queries may lag. A code that was just deleted is not called dead
// while it is still shown, and one that was paid is not either.
func TestLaggingReads(t *testing.T) {
	for _, paid := range []bool{true, false} {
		b := newBench(t, paypaysim.Config{})
		a := b.begun(t)
		b.advance(time.Minute)
		b.sim.LagReads(30 * time.Second)
		want := payment.Dead
		if paid {
			want = payment.Paid
			if _, err := b.sim.Pay(a.Ref); err != nil {
				t.Fatal(err)
			}
		}
		if obs, err := b.Abandon(t.Context(), a); err != nil || obs.State.Final() {
			t.Errorf("paid %t: Abandon says %+v, %v; want it open", paid, obs, err)
		}
		b.advance(time.Minute)
		if obs, err := b.Abandon(t.Context(), a); err != nil || obs.State != want {
			t.Errorf("paid %t: a minute later Abandon says %+v, %v; want %s", paid, obs, err, want)
		}
	}
}

// Anybody can send a notification. It makes us ask, and PayPay tells the truth;
// our answer is the one that PayPay takes.
func TestForgedNotificationOnlyRings(t *testing.T) {
	b := newBench(t, paypaysim.Config{})
	a := b.begun(t)
	forgeries := b.sim.Forge()
	if len(forgeries) == 0 {
		t.Fatal("nobody forges anything")
	}
	for _, n := range forgeries {
		bell, err := b.Notification(t.Context(), n.Header, n.Body)
		if err != nil {
			if !errors.Is(err, payment.ErrForged) {
				t.Errorf("error %v", err)
			}
			continue
		}
		if !b.sim.Accepts(http.StatusOK, []byte(bell.Answer)) {
			t.Errorf("PayPay does not take %q for an answer", bell.Answer)
		}
	}
	if obs, err := b.Query(t.Context(), a); err != nil || obs.State != payment.NeedsCustomer {
		t.Errorf("Query says %+v, %v; want that nobody paid", obs, err)
	}
}
