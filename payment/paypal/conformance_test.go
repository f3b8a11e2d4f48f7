package paypal_test

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/paymenttest"
	"github.com/tsuzuku/tsuzuku/payment/paypal"
	"github.com/tsuzuku/tsuzuku/payment/paypal/paypalsim"
)

const merchant = "CONFORMANCE13"

// signingKey takes a while to make, so that all simulators share one.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// bench is the adapter over a wire over the simulator, all on one clock.
type bench struct {
	*paypal.Adapter
	t    *testing.T
	sim  *paypalsim.Sim
	wire *outboundsim.Wire

	mu   sync.Mutex
	now  time.Time
	refs int
	sent []paymenttest.Notification
}

func newBench(t *testing.T, change func(*paypalsim.Config, *paypal.Config)) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)}
	sim := paypalsim.Config{
		ClientID: "client", Secret: "secret", WebhookID: "4JH86294D6297924G", MerchantID: merchant, Now: b.clock, Key: signingKey(),
	}
	c := paypal.Config{
		ClientID: "client", ClientSecret: "secret", WebhookID: "4JH86294D6297924G", MerchantID: merchant, Disputes: true,
		BaseURL: "https://api-m.sandbox.paypal.com",
	}
	if change != nil {
		change(&sim, &c)
	}
	b.sim = paypalsim.New(sim)
	c.Roots = b.sim.Roots()
	b.wire = &outboundsim.Wire{Stranger: b.sim}
	a, err := paypal.New(c, outbound.New(outbound.Options{Transport: b.wire}), b.clock)
	if err != nil {
		t.Fatal(err)
	}
	b.Adapter = a
	return b
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
		Ref: fmt.Sprintf("conformance%015d", b.refs), Rail: payment.PayPal, Amount: money.Of(2400, "JPY"),
		Description: "日本 unlimited, 10 days", Language: "zh-Hant",
		ReturnURL: "https://shop.test/back", CancelURL: "https://shop.test/quit",
		CreatedAt: b.now, ExpiresAt: b.now.Add(15 * time.Minute),
	}
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

func (b *bench) forged() (all []paymenttest.Notification) {
	for _, n := range b.sim.Forge() {
		all = append(all, paymenttest.Notification{Header: n.Header, Body: n.Body})
	}
	return all
}

// pay is the customer, who takes some seconds, and may find the page closed.
func (b *bench) pay(ref string) url.Values {
	b.advance(5 * time.Second)
	back, _ := b.sim.Pay(ref)
	return back
}

func (b *bench) suite() paymenttest.Bench {
	s := paymenttest.Bench{
		Provider:   b.Adapter,
		NewAttempt: b.attempt,
		Pay:        b.pay,
		Decline:    func(ref string) { _, _ = b.sim.Decline(ref) },
		GiveUp:     func(ref string) { _, _ = b.sim.GiveUp(ref) },
		Advance:    b.advance,
		Captured:   b.sim.Captured,
		Refunded:   b.sim.Refunded,
		RefundByHand: func(ref string, m money.Money) {
			if err := b.sim.RefundByHand(ref, m.Minor); err != nil {
				b.t.Errorf("a refund by hand: %v", err)
			}
		},
		Dispute: func(ref string) {
			if err := b.sim.Dispute(ref); err != nil {
				b.t.Errorf("nothing to dispute: %v", err)
			}
		},
		Notifications: b.fetch,
		Forged:        b.forged,
		CannotClose:   true,
		Lapses:        3 * time.Hour,
		Timeless:      true, // a transmission's time is signed, and no age is too old
	}
	s.Over(b.wire, kindOf)
	return s
}

func kindOf(r *http.Request) paymenttest.Kind {
	switch {
	case strings.Contains(r.URL.Path, "/oauth2/"), strings.Contains(r.URL.Path, "/certs/"):
		return paymenttest.Aside
	case r.Method == http.MethodPost, r.Method == http.MethodDelete:
		return paymenttest.Acts
	}
	return paymenttest.Reads
}

func TestConformance(t *testing.T) {
	paymenttest.Run(t, func(t *testing.T) paymenttest.Bench { return newBench(t, nil).suite() })
}

// The same, with a PayPal that lets an order stay approved whose tool was
// declined.
func TestConformanceDeclinedStaysApproved(t *testing.T) {
	paymenttest.Run(t, func(t *testing.T) paymenttest.Bench {
		s := newBench(t, func(s *paypalsim.Config, _ *paypal.Config) { s.DeclinedStaysApproved = true }).suite()
		s.Notifications = nil // nothing new about them
		return s
	})
}
