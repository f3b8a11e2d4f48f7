package stripe_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/paymenttest"
	"github.com/tsuzuku/tsuzuku/payment/stripe"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
)

const (
	key    = "sk_test_conformance"
	secret = "whsec_conformance"
)

var rails = []payment.Rail{payment.Card, payment.Alipay, payment.WeChatPay, payment.PayPay, payment.Konbini}

// bench is the adapter over a wire over the simulator, all on one clock.
type bench struct {
	*stripe.Adapter
	sim  *stripesim.Sim
	wire *outboundsim.Wire

	mu   sync.Mutex
	now  time.Time
	refs int
	sent []paymenttest.Notification
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{now: time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)}
	clock := func() time.Time {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.now
	}
	b.sim = stripesim.New(stripesim.Config{Key: key, WebhookSecret: secret, Now: clock})
	b.wire = &outboundsim.Wire{Stranger: b.sim}
	a, err := stripe.New(stripe.Config{Key: key, WebhookSecrets: []string{secret}, Rails: rails}, outbound.New(outbound.Options{Transport: b.wire}), clock)
	if err != nil {
		t.Fatal(err)
	}
	b.Adapter = a
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
		Ref: fmt.Sprintf("conformance%015d", b.refs), Rail: payment.Card, Amount: money.Of(2400, "JPY"),
		Description: "Japan unlimited, 10 days", Language: "zh-Hant",
		ReturnURL: "https://shop.test/back", CancelURL: "https://shop.test/quit",
		Tags:      map[string]string{"order": "ord_" + strconv.Itoa(b.refs)},
		CreatedAt: b.now, ExpiresAt: b.now.Add(15 * time.Minute), // sooner than Stripe allows
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

// forged are a genuine event signed by somebody else, and events of another
// mode and another account signed with our secret.
func (b *bench) forged() []paymenttest.Notification {
	var all []paymenttest.Notification
	for _, n := range b.fetch() {
		all = append(all,
			signed(b, n.Body, "whsec_other"),
			signed(b, with(n.Body, "livemode", true), secret),
			signed(b, with(n.Body, "account", "acct_other"), secret),
		)
	}
	return all
}

// with is an event with one member changed.
func with(body []byte, member string, value any) []byte {
	var event map[string]any
	if err := json.Unmarshal(body, &event); err != nil {
		panic(err)
	}
	event[member] = value
	changed, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	return changed
}

func signed(b *bench, body []byte, secret string) paymenttest.Notification {
	b.mu.Lock()
	defer b.mu.Unlock()
	return paymenttest.Notification{Header: http.Header{"Stripe-Signature": {stripesim.Sign(b.now, body, secret)}}, Body: body}
}

// refundByHand is a member of staff at Stripe's dashboard.
func (b *bench) refundByHand(t *testing.T, ref string, m money.Money) {
	s, _ := b.sim.Session(ref)
	form := url.Values{"payment_intent": {s.PaymentIntent}, "amount": {strconv.FormatInt(m.Minor, 10)}}
	r := httptest.NewRequest(http.MethodPost, "/v1/refunds", strings.NewReader(form.Encode()))
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Stripe-Version", stripesim.Version)
	rec := httptest.NewRecorder()
	b.sim.ServeHTTP(rec, r)
	if rec.Code != http.StatusOK {
		t.Fatalf("a refund by hand: %d %s", rec.Code, rec.Body)
	}
}

func (b *bench) suite(t *testing.T) paymenttest.Bench {
	// The customer may find the page closed; what matters is what Stripe took.
	pay := func(ref string) url.Values {
		kind := method(b, ref)
		if kind == string(payment.Card) {
			_, _ = b.sim.Pay(ref)
			return url.Values{}
		}
		_, _ = b.sim.PayWith(ref, kind)
		_, _ = b.sim.Authenticate(ref, true)
		if kind == string(payment.Konbini) {
			_ = b.sim.Settle(ref, true)
		}
		return url.Values{}
	}
	s := paymenttest.Bench{
		Provider:   b.Adapter,
		NewAttempt: b.attempt,
		Pay:        pay,
		Decline:    func(ref string) { _, _ = b.sim.Decline(ref) },
		GiveUp:     func(ref string) { _, _ = b.sim.GiveUp(ref) },
		Authenticate: func(ref string) url.Values {
			if _, err := b.sim.PayWith(ref, "pm_card_authenticationRequired"); err != nil {
				t.Errorf("the customer cannot pay: %v", err)
			}
			if got := b.sim.Captured(ref); !got.IsZero() {
				t.Errorf("%v taken before the bank said yes", got)
			}
			if _, err := b.sim.Authenticate(ref, true); err != nil {
				t.Errorf("the bank cannot be answered: %v", err)
			}
			return nil
		},
		Advance:      b.advance,
		Captured:     b.sim.Captured,
		Refunded:     b.sim.Refunded,
		RefundByHand: func(ref string, m money.Money) { b.refundByHand(t, ref, m) },
		Dispute: func(ref string) {
			if err := b.sim.Dispute(ref); err != nil {
				t.Errorf("nothing to dispute: %v", err)
			}
		},
		Notifications: b.fetch,
		Forged:        b.forged,
		Lapses:        time.Hour, // sessions live an hour at least
	}
	s.Over(b.wire, func(r *http.Request) paymenttest.Kind {
		if r.Method == http.MethodPost {
			return paymenttest.Acts
		}
		return paymenttest.Reads
	})
	return s
}

func TestConformance(t *testing.T) {
	paymenttest.Run(t, func(t *testing.T) paymenttest.Bench { return newBench(t).suite(t) })
}

// The other rails keep the same promises. Their customer says yes on the rail's
// own page, or pays a slip at a till.
func TestConformanceOfOtherRails(t *testing.T) {
	for _, rail := range rails[1:] {
		t.Run(string(rail), func(t *testing.T) {
			paymenttest.Run(t, func(t *testing.T) paymenttest.Bench {
				b := newBench(t)
				s := b.suite(t)
				s.NewAttempt = func() payment.Attempt {
					a := b.attempt()
					a.Rail = rail
					return a
				}
				s.Authenticate, s.Decline, s.Dispute = nil, nil, nil // no cards, no disputes
				return s
			})
		})
	}
}

// method is the tool that the session of an attempt was made for.
func method(b *bench, ref string) string {
	s, ok := b.sim.Session(ref)
	if !ok {
		return string(payment.Card) // nothing was started
	}
	return s.Methods[0]
}

// Stripe keeps even a 500 under the key, so that Start hears it again and
// again. The session is found, or known not to exist, all the same.
func TestStoredFailureOfStart(t *testing.T) {
	for _, tt := range []struct {
		trouble  stripesim.Trouble
		now, end payment.State
	}{
		{stripesim.BrokenAfter, payment.NeedsCustomer, payment.Dead},
		{stripesim.Broken, payment.Unknown, payment.Dead},
	} {
		b := newBench(t)
		a := b.attempt()
		b.sim.Upset(tt.trouble)
		for range 3 {
			if _, err := b.Start(t.Context(), a); !errors.Is(err, payment.ErrUnknown) {
				t.Fatalf("%s: Start error %v, want ErrUnknown", tt.trouble, err)
			}
		}
		if obs, err := b.Query(t.Context(), a); err != nil || obs.State != tt.now {
			t.Errorf("%s: Query says %s, %v; want %s", tt.trouble, obs.State, err, tt.now)
		}
		if tt.trouble == stripesim.BrokenAfter {
			if obs, err := b.Abandon(t.Context(), a); err != nil || obs.State != payment.Dead {
				t.Errorf("%s: Abandon says %s, %v; want dead", tt.trouble, obs.State, err)
			}
		}
		b.advance(25 * time.Hour)
		for name, call := range map[string]func() (payment.Observation, error){
			"Query":   func() (payment.Observation, error) { return b.Query(t.Context(), a) },
			"Start":   func() (payment.Observation, error) { return b.Start(t.Context(), a) },
			"Abandon": func() (payment.Observation, error) { return b.Abandon(t.Context(), a) },
		} {
			if obs, err := call(); err != nil || obs.State != tt.end {
				t.Errorf("%s: a day later %s says %s, %v; want %s", tt.trouble, name, obs.State, err, tt.end)
			}
		}
		if n := len(b.sim.Sessions()); n > 1 {
			t.Errorf("%s: %d sessions were made", tt.trouble, n)
		}
	}
}

// Stripe answers a repeated Start word for word as it did the first time; what
// we say is how things stand now.
func TestStartAgainTellsTheTruth(t *testing.T) {
	b := newBench(t)
	a := b.attempt()
	for _, want := range []payment.State{payment.NeedsCustomer, payment.Paid} {
		obs, err := b.Start(t.Context(), a)
		if err != nil || obs.State != want {
			t.Errorf("Start says %s, %v; want %s", obs.State, err, want)
		}
		_, _ = b.sim.Pay(a.Ref)
	}
}

// A refund is made once even when its key was forgotten long ago.
func TestRefundIsMadeOnceForEver(t *testing.T) {
	b := newBench(t)
	s := b.suite(t)
	a := b.attempt()
	obs, err := b.Start(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	a.ProviderID = obs.ProviderID
	s.Pay(a.Ref)
	r := payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: a, Amount: money.Of(700, "JPY")}
	s.LoseNextAnswer()
	if _, err := b.Refund(t.Context(), r); !errors.Is(err, payment.ErrUnknown) {
		t.Fatalf("Refund error %v, want ErrUnknown", err)
	}
	b.advance(100 * time.Hour)
	got, err := b.Refund(t.Context(), r)
	if err != nil || got.State != payment.RefundDone {
		t.Errorf("Refund says %+v, %v", got, err)
	}
	if total := b.sim.Refunded(a.Ref); total != r.Amount {
		t.Errorf("Stripe gave back %v, want %v", total, r.Amount)
	}
}

// A refund that fails days later is told as failed, and the money counts as
// not given back.
func TestRefundFailsLater(t *testing.T) {
	b := newBench(t)
	a := b.attempt()
	obs, err := b.Start(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	a.ProviderID = obs.ProviderID
	if _, err := b.sim.Pay(a.Ref); err != nil {
		t.Fatal(err)
	}
	b.sim.HoldRefunds(true)
	r := payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: a, Amount: a.Amount}
	got, err := b.Refund(t.Context(), r)
	if err != nil || got.State != payment.RefundSent {
		t.Fatalf("Refund says %+v, %v; want sent", got, err)
	}
	r.ProviderID = got.ProviderID
	for _, tt := range []struct {
		ok   bool
		want payment.RefundState
	}{{true, payment.RefundDone}, {false, payment.RefundFailed}} {
		if err := b.sim.SettleRefund(r.Ref, tt.ok); err != nil {
			t.Fatal(err)
		}
		if got, err = b.QueryRefund(t.Context(), r); err != nil || got.State != tt.want {
			t.Errorf("QueryRefund says %+v, %v; want %s", got, err, tt.want)
		}
	}
	if obs, err = b.Query(t.Context(), a); err != nil || obs.State != payment.Paid || !obs.Refunded.IsZero() {
		t.Errorf("Query says %+v, %v; want paid with nothing refunded", obs, err)
	}
}

// A dispute counts while it takes money.
func TestDisputeWon(t *testing.T) {
	b := newBench(t)
	a := b.attempt()
	obs, err := b.Start(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	a.ProviderID = obs.ProviderID
	if _, err := b.sim.Pay(a.Ref); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.sim.Dispute(a.Ref), b.sim.CloseDispute(a.Ref, true)); err != nil {
		t.Fatal(err)
	}
	if obs, err = b.Query(t.Context(), a); err != nil || obs.State != payment.Paid || !obs.Disputed.IsZero() {
		t.Errorf("Query says %+v, %v; want paid with nothing disputed", obs, err)
	}
}

// Money under way is neither paid nor dead, and what the bank decides is seen.
func TestPaymentInProcessing(t *testing.T) {
	for _, paid := range []bool{true, false} {
		b := newBench(t)
		a := b.attempt()
		obs, err := b.Start(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		a.ProviderID = obs.ProviderID
		b.sim.PendNext(1)
		if _, err := b.sim.Pay(a.Ref); err != nil {
			t.Fatal(err)
		}
		for _, call := range []func() (payment.Observation, error){
			func() (payment.Observation, error) { return b.Query(t.Context(), a) },
			func() (payment.Observation, error) { return b.Abandon(t.Context(), a) },
		} {
			if obs, err := call(); err != nil || obs.State != payment.Pending {
				t.Errorf("while the bank thinks: %s, %v; want pending", obs.State, err)
			}
		}
		if err := b.sim.Settle(a.Ref, paid); err != nil {
			t.Fatal(err)
		}
		if obs, err := b.Query(t.Context(), a); err != nil || (obs.State == payment.Paid) != paid {
			t.Errorf("the bank said %t, Query says %s, %v", paid, obs.State, err)
		}
	}
}
