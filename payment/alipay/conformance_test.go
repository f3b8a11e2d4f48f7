package alipay_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
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
	"github.com/tsuzuku/tsuzuku/payment/alipay"
	"github.com/tsuzuku/tsuzuku/payment/alipay/alipaysim"
	"github.com/tsuzuku/tsuzuku/payment/paymenttest"
)

const (
	appID  = "2021000000000001"
	seller = "2088000000000001"
)

// keys are made once: it takes a while.
var keys = sync.OnceValue(func() (k struct{ ours, theirs *rsa.PrivateKey }) {
	var err, err2 error
	k.ours, err = rsa.GenerateKey(rand.Reader, 2048)
	k.theirs, err2 = rsa.GenerateKey(rand.Reader, 2048)
	if err := errors.Join(err, err2); err != nil {
		panic(err)
	}
	return k
})

// manner is how the customers of a bench pay.
type manner struct {
	device   payment.Device
	qr       bool // codes for computers
	eager    bool // they log in as soon as they are shown the way
	unsigned bool // failures come without a signature
}

// bench is the adapter over a wire over the simulator, all on one clock, with
// the way that each customer was shown.
type bench struct {
	*alipay.Adapter
	manner
	sim  *alipaysim.Sim
	wire *outboundsim.Wire

	mu   sync.Mutex
	now  time.Time
	refs int
	ways map[string]payment.Next
	sent []paymenttest.Notification
}

func newBench(t *testing.T, m manner) *bench {
	t.Helper()
	b := &bench{
		manner: m, now: time.Date(2031, 5, 6, 17, 8, 9, 987654321, time.UTC),
		ways: map[string]payment.Next{},
	}
	clock := func() time.Time {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.now
	}
	k := keys()
	b.sim = alipaysim.New(alipaysim.Config{
		AppID: appID, SellerID: seller, MerchantKey: &k.ours.PublicKey, AlipayKey: k.theirs, Now: clock, UnsignedFailures: &m.unsigned,
	})
	b.wire = &outboundsim.Wire{Stranger: b.sim}
	theirs, err := x509.MarshalPKIXPublicKey(&k.theirs.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	b.Adapter, err = alipay.New(alipay.Config{
		AppID: appID, SellerID: seller, QR: m.qr, NotifyURL: "https://shop.test/hooks/payment/alipay",
		PrivateKey: base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(k.ours)),
		AlipayKeys: []string{base64.StdEncoding.EncodeToString(theirs)},
		Gateway:    "https://alipaysim.invalid/gateway.do",
	}, outbound.New(outbound.Options{Transport: b.wire}), clock)
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
		Ref: fmt.Sprintf("conformance%015d", b.refs), Rail: payment.Alipay, Amount: money.Of(2400, "CNY"),
		Description: "日本不限流量 10 天 (5G/4G)", Language: "zh-Hans", Device: b.device,
		ReturnURL: "https://shop.test/back?o=1&p=2", CancelURL: "https://shop.test/quit",
		Tags:      map[string]string{"order": "ord_" + strconv.Itoa(b.refs)},
		CreatedAt: b.now, ExpiresAt: b.now.Add(15 * time.Minute),
	}
}

// Start remembers the way that the customer is shown, who may go it at once.
func (b *bench) Start(ctx context.Context, a payment.Attempt) (payment.Observation, error) {
	obs, err := b.Adapter.Start(ctx, a)
	if err == nil && obs.Next != (payment.Next{}) {
		b.mu.Lock()
		b.ways[a.Ref] = obs.Next
		b.mu.Unlock()
		if b.eager {
			b.open(a.Ref)
			_ = b.sim.Login(a.Ref)
		}
	}
	return obs, err
}

func (b *bench) open(ref string) {
	b.mu.Lock()
	way := b.ways[ref]
	b.mu.Unlock()
	_, _ = b.sim.Open(way.RedirectURL + way.QR) // one of them; refused once it is over
}

func (b *bench) pay(ref string) url.Values {
	b.open(ref)
	back, _ := b.sim.Pay(ref)
	return back
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

func (b *bench) suite() paymenttest.Bench {
	s := paymenttest.Bench{
		Provider:      b,
		Discreet:      true,
		NewAttempt:    b.attempt,
		Pay:           b.pay,
		Decline:       func(ref string) { b.open(ref); _, _ = b.sim.Decline(ref) },
		GiveUp:        func(ref string) { b.open(ref); _, _ = b.sim.GiveUp(ref) },
		Advance:       b.advance,
		Captured:      b.sim.Captured,
		Refunded:      b.sim.Refunded,
		Notifications: b.fetch,
		Forged:        b.forged,
		StartIsLocal:  !b.scans(),
		CannotClose:   !b.eager, // Alipay closes no trade that nobody has opened
		Lapses:        5 * time.Minute,
		Mute:          true,
		Timeless:      true,
		// No RefundByHand: see TestRefundsByHand. No Dispute: the API shows none.
	}
	s.Over(b.wire, func(r *http.Request) paymenttest.Kind {
		switch method := r.FormValue("method"); {
		case method == "":
			panic("a call without a method")
		case strings.HasSuffix(method, ".query"):
			return paymenttest.Reads
		}
		return paymenttest.Acts
	})
	return s
}

func (m manner) scans() bool { return m.qr && m.device == payment.Computer }

func manners() map[string]manner {
	return map[string]manner{
		"a link on a phone":      {device: payment.Phone, qr: true},
		"a link on a computer":   {device: payment.Computer},
		"a code":                 {device: payment.Computer, qr: true},
		"a link opened at once":  {device: payment.Phone, eager: true},
		"a code scanned at once": {device: payment.Computer, qr: true, eager: true},
	}
}

func TestConformance(t *testing.T) {
	for name, m := range manners() {
		t.Run(name, func(t *testing.T) {
			paymenttest.Run(t, func(t *testing.T) paymenttest.Bench { return newBench(t, m).suite() })
		})
	}
}

// start begins a fresh attempt and stores what Start says, as the house does.
func (b *bench) start(t *testing.T) payment.Attempt {
	t.Helper()
	a := b.attempt()
	obs, err := b.Start(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	a.ProviderID = obs.ProviderID
	return a
}

// bought is an attempt that was paid.
func (b *bench) bought(t *testing.T) payment.Attempt {
	t.Helper()
	a := b.start(t)
	b.pay(a.Ref)
	obs, err := b.Query(t.Context(), a)
	if err != nil || obs.State != payment.Paid {
		t.Fatalf("Query says %+v, %v", obs, err)
	}
	a.MoneyID = obs.MoneyID
	return a
}

// All of a payment that went back by hand is told, and it stays paid; a part is
// not told by Alipay, and nothing is invented.
func TestRefundsByHand(t *testing.T) {
	for fen, want := range map[int64]int64{2400: 2400, 700: 0} {
		b := newBench(t, manner{device: payment.Phone})
		a := b.bought(t)
		if err := b.sim.RefundByHand(a.Ref, fen); err != nil {
			t.Fatal(err)
		}
		obs, err := b.Query(t.Context(), a)
		if err != nil || obs.State != payment.Paid || obs.Amount != a.Amount || obs.Refunded.Minor != want {
			t.Errorf("with %d returned by hand: %+v, %v", fen, obs, err)
		}
	}
}

// Failures without signature say nothing: not that there is no trade, not that
// nothing was closed, not that a refund failed.
func TestUnsignedFailures(t *testing.T) {
	b := newBench(t, manner{device: payment.Phone, unsigned: true})
	a := b.start(t)
	if obs, err := b.Query(t.Context(), a); !errors.Is(err, payment.ErrNotSent) {
		t.Errorf("Query before there is a trade: %+v, %v", obs, err)
	}
	if obs, err := b.Abandon(t.Context(), a); !errors.Is(err, payment.ErrUnknown) {
		t.Errorf("Abandon before there is a trade: %+v, %v", obs, err)
	}
	b.advance(24 * time.Hour)
	if obs, err := b.Query(t.Context(), a); !errors.Is(err, payment.ErrNotSent) {
		t.Errorf("Query a day later: %+v, %v", obs, err)
	}
	a = b.bought(t)
	r := payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: a, Amount: money.Of(2500, "CNY")}
	if got, err := b.Refund(t.Context(), r); !errors.Is(err, payment.ErrUnknown) {
		t.Errorf("Refund of too much: %+v, %v", got, err)
	}
}

// Whatever goes wrong with it, a refund is made once.
func TestRefundInTrouble(t *testing.T) {
	for _, trouble := range alipaysim.Troubles {
		b := newBench(t, manner{device: payment.Phone})
		a := b.bought(t)
		b.sim.Upset(trouble)
		r := payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: a, Amount: money.Of(700, "CNY")}
		want := payment.ErrUnknown
		if trouble == alipaysim.Limited || trouble == alipaysim.Poor {
			want = payment.ErrNotSent
		}
		if got, err := b.Refund(t.Context(), r); !errors.Is(err, want) {
			t.Errorf("%s: %+v, %v; want %v", trouble, got, err, want)
		}
		if got, err := b.Refund(t.Context(), r); err != nil || got.State != payment.RefundDone || got.Amount != r.Amount {
			t.Errorf("%s: again: %+v, %v", trouble, got, err)
		}
		if total := b.sim.Refunded(a.Ref); total != r.Amount {
			t.Errorf("%s: Alipay gave back %v, want %v", trouble, total, r.Amount)
		}
	}
}

// Whatever goes wrong with closing, the attempt is called dead only when it is.
func TestAbandonInTrouble(t *testing.T) {
	for _, trouble := range alipaysim.Troubles {
		b := newBench(t, manner{device: payment.Computer, qr: true, eager: true})
		a := b.start(t)
		b.sim.Upset(trouble)
		obs, err := b.Abandon(t.Context(), a)
		if trouble != alipaysim.Poor && err == nil {
			t.Errorf("%s: %+v", trouble, obs)
		}
		if obs, err := b.Abandon(t.Context(), a); err != nil || obs.State != payment.Dead {
			t.Errorf("%s: again: %+v, %v", trouble, obs, err)
		}
		b.pay(a.Ref)
		if got := b.sim.Captured(a.Ref); !got.IsZero() {
			t.Errorf("%s: dead, and %v taken", trouble, got)
		}
	}
}

// A refund that Alipay's queries do not show yet is not final, and not made
// twice.
func TestRefundSeenLate(t *testing.T) {
	b := newBench(t, manner{device: payment.Phone})
	a := b.bought(t)
	b.advance(time.Minute)
	r := payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: a, Amount: a.Amount}
	b.sim.Upset(alipaysim.BreaksAfter)
	if _, err := b.Refund(t.Context(), r); !errors.Is(err, payment.ErrUnknown) {
		t.Fatalf("Refund error %v, want ErrUnknown", err)
	}
	b.sim.LagReads(30 * time.Second)
	if got, err := b.Refund(t.Context(), r); err != nil || got.State != payment.RefundSent {
		t.Errorf("Refund again says %+v, %v; want sent", got, err)
	}
	b.advance(time.Minute)
	if got, err := b.QueryRefund(t.Context(), r); err != nil || got.State != payment.RefundDone {
		t.Errorf("QueryRefund says %+v, %v; want done", got, err)
	}
	if total := b.sim.Refunded(a.Ref); total != a.Amount {
		t.Errorf("Alipay gave back %v", total)
	}
}

// A customer who opens the link after we gave up, and before it ends, has paid:
// that is why Abandon does not call it dead.
func TestPaidAfterAbandon(t *testing.T) {
	b := newBench(t, manner{device: payment.Phone})
	a := b.start(t)
	if obs, err := b.Abandon(t.Context(), a); err != nil || obs.State != payment.NeedsCustomer {
		t.Errorf("Abandon says %+v, %v", obs, err)
	}
	b.pay(a.Ref)
	if obs, err := b.Abandon(t.Context(), a); err != nil || obs.State != payment.Paid || obs.Amount != a.Amount {
		t.Errorf("Abandon says %+v, %v; want paid", obs, err)
	}
}

// After the refund period a payment is still paid, and refunds are refused.
func TestFinished(t *testing.T) {
	b := newBench(t, manner{device: payment.Phone})
	a := b.bought(t)
	b.advance(91 * 24 * time.Hour)
	if obs, err := b.Query(t.Context(), a); err != nil || obs.State != payment.Paid || obs.Amount != a.Amount {
		t.Errorf("Query says %+v, %v; want paid", obs, err)
	}
	r := payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: a, Amount: a.Amount}
	if got, err := b.Refund(t.Context(), r); err != nil || got.State != payment.RefundFailed || got.Code != "ACQ.TRADE_HAS_FINISHED" {
		t.Errorf("Refund says %+v, %v; want failed", got, err)
	}
}

// Each notification is acknowledged as Alipay wants it, and named after its
// event: one that is repeated is the same event.
func TestNotificationsAreAcknowledged(t *testing.T) {
	b := newBench(t, manner{device: payment.Phone})
	a := b.bought(t)
	sent := b.sim.Notifications()
	if len(sent) == 0 {
		t.Fatal("nothing was sent")
	}
	for _, n := range sent {
		bell, err := b.Notification(t.Context(), n.Header, n.Body)
		if err != nil || bell.Ref != a.Ref || bell.MoneyID != a.MoneyID || !b.sim.Accepts(http.StatusOK, []byte(bell.Answer)) {
			t.Errorf("%s: %+v, %v", n.Kind, bell, err)
		}
		b.sim.Failed(n)
		for _, again := range b.sim.Notifications() {
			if same, err := b.Notification(t.Context(), again.Header, again.Body); err != nil || same != bell {
				t.Errorf("%s again: %+v, %v; was %+v", n.Kind, same, err, bell)
			}
		}
	}
}
