package antom_test

import (
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
	"github.com/tsuzuku/tsuzuku/payment/antom"
	"github.com/tsuzuku/tsuzuku/payment/antom/antomsim"
	"github.com/tsuzuku/tsuzuku/payment/paymenttest"
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

// manner is how a bench's seller is connected, and how its customers pay.
type manner struct {
	client string // decides between sandbox and live
	device payment.Device
	moody  bool // a refusal ends nothing: only the customer hears of it
}

// bench is the adapter over a wire over the simulator, all on one clock.
type bench struct {
	*antom.Adapter
	manner
	sim  *antomsim.Sim
	wire *outboundsim.Wire

	mu   sync.Mutex
	now  time.Time
	refs int
	sent []paymenttest.Notification
}

const hook = "https://shop.test/hooks/payment/antom"

func newBench(t *testing.T, m manner) *bench {
	t.Helper()
	b := &bench{manner: m, now: time.Date(2031, 5, 6, 17, 8, 9, 987654321, time.UTC)}
	clock := func() time.Time {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.now
	}
	k := keys()
	b.sim = antomsim.New(antomsim.Config{
		ClientID: m.client, MerchantKey: &k.ours.PublicKey, AntomKey: k.theirs, Now: clock, NotifyURL: hook,
		Methods: map[string][]money.Currency{"ALIPAY_CN": {"CNY"}, "PAYPAY": {"JPY"}, "RABBIT_LINE_PAY": {"THB"}},
	})
	b.wire = &outboundsim.Wire{Stranger: b.sim}
	theirs, err := x509.MarshalPKIXPublicKey(&k.theirs.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	b.Adapter, err = antom.New(antom.Config{
		ClientID: m.client, NotifyURL: hook, Rails: []payment.Rail{payment.Alipay, payment.PayPay, payment.LINEPay},
		PrivateKey: base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(k.ours)),
		AntomKeys:  []string{base64.StdEncoding.EncodeToString(theirs)},
		Gateway:    "https://antomsim.invalid",
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
		Description: "日本不限流量 10 天 (5G/4G)", Language: "zh-Hans", Device: b.device, ClientIP: "203.0.113.7",
		ReturnURL: "https://shop.test/back?o=1&p=2", CancelURL: "https://shop.test/quit",
		Tags:      map[string]string{"order": "ord_" + strconv.Itoa(b.refs)},
		CreatedAt: b.now, ExpiresAt: b.now.Add(30 * time.Minute),
	}
}

func (b *bench) pay(ref string) url.Values {
	back, _ := b.sim.Pay(ref) // refused once it is over
	return back
}

func (b *bench) decline(ref string) {
	if b.moody {
		_, _ = b.sim.Stumble(ref)
		return
	}
	_, _ = b.sim.Decline(ref)
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
		NewAttempt:    b.attempt,
		Pay:           b.pay,
		Decline:       b.decline,
		GiveUp:        func(ref string) { _, _ = b.sim.GiveUp(ref) },
		Advance:       b.advance,
		Captured:      b.sim.Captured,
		Refunded:      b.sim.Refunded,
		RefundByHand:  func(ref string, m money.Money) { _ = b.sim.RefundByHand(ref, m.Minor) },
		Notifications: b.fetch,
		Forged:        b.forged,
		Lapses:        time.Second, // the page is over long before
		Mute:          b.moody,
		Timeless:      true,
		// No Dispute: the API shows none. Nobody's bank asks first.
	}
	s.Over(b.wire, func(r *http.Request) paymenttest.Kind {
		if strings.Contains(r.URL.Path, "/inquiry") {
			return paymenttest.Reads
		}
		return paymenttest.Acts
	})
	return s
}

func manners() map[string]manner {
	return map[string]manner{
		"on a phone, live":           {client: "5Y0000000000000000", device: payment.Phone},
		"on a computer, sandbox":     {client: "SANDBOX_5Y0000000000000000", device: payment.Computer},
		"with a wallet that forgets": {client: "5Y0000000000000000", moody: true},
	}
}

func TestConformance(t *testing.T) {
	for name, m := range manners() {
		t.Run(name, func(t *testing.T) {
			paymenttest.Run(t, func(t *testing.T) paymenttest.Bench { return newBench(t, m).suite() })
		})
	}
}

func onAPhone(t *testing.T) *bench { return newBench(t, manners()["on a phone, live"]) }

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

// Money that is on its way is Pending, and comes or does not.
func TestMoneyThatComesLater(t *testing.T) {
	for came, want := range map[bool]payment.State{true: payment.Paid, false: payment.Dead} {
		b := onAPhone(t)
		a := b.start(t)
		if _, err := b.sim.PayLater(a.Ref); err != nil {
			t.Fatal(err)
		}
		if obs, err := b.Query(t.Context(), a); err != nil || obs.State != payment.Pending {
			t.Errorf("on its way: %+v, %v", obs, err)
		}
		if err := b.sim.Settle(a.Ref, came); err != nil {
			t.Fatal(err)
		}
		if obs, err := b.Query(t.Context(), a); err != nil || obs.State != want || obs.Amount != a.Amount {
			t.Errorf("settled %v: %+v, %v", came, obs, err)
		}
	}
}

// A cancel that was lost and arrives after the customer has paid gives the money
// back. Whoever knows that it was paid sees it returned in full.
func TestCancelThatArrivesLate(t *testing.T) {
	b := onAPhone(t)
	s := b.suite()
	a := b.start(t)
	s.NextActsLater()
	if obs, err := b.Abandon(t.Context(), a); !errors.Is(err, payment.ErrUnknown) {
		t.Fatalf("Abandon says %+v, %v", obs, err)
	}
	b.pay(a.Ref)
	obs, err := b.Query(t.Context(), a)
	if err != nil || obs.State != payment.Paid || obs.MoneyID == "" {
		t.Fatalf("Query says %+v, %v", obs, err)
	}
	a.MoneyID = obs.MoneyID
	s.DeliverLate()
	if obs, err := b.Query(t.Context(), a); err != nil || obs.State != payment.Paid || obs.Refunded != a.Amount {
		t.Errorf("afterwards: %+v, %v", obs, err)
	}
}

// Whatever goes wrong with it, a payment is made once, and nothing is called an
// end that is none.
func TestStartInTrouble(t *testing.T) {
	for _, trouble := range antomsim.Troubles {
		b := onAPhone(t)
		a := b.attempt()
		b.sim.Upset(trouble)
		obs, err := b.Start(t.Context(), a)
		if trouble == antomsim.Rejected {
			if err != nil || obs.State != payment.Dead || obs.Reason != payment.Declined {
				t.Errorf("%s: %+v, %v", trouble, obs, err)
			}
			continue
		}
		ofRefunds := slices.Contains([]antomsim.Trouble{antomsim.Poor, antomsim.Slow, antomsim.Bounced, antomsim.Stuck}, trouble)
		if ofRefunds && (err != nil || obs.State != payment.NeedsCustomer) || !ofRefunds && !errors.Is(err, payment.ErrUnknown) {
			t.Errorf("%s: %+v, %v", trouble, obs, err)
		}
		if obs, err := b.Start(t.Context(), a); err != nil || obs.State != payment.NeedsCustomer {
			t.Errorf("%s: again: %+v, %v", trouble, obs, err)
		}
		b.pay(a.Ref)
		if obs, err := b.Query(t.Context(), a); err != nil || obs.State != payment.Paid || b.sim.Captured(a.Ref) != a.Amount {
			t.Errorf("%s: paid: %+v, %v", trouble, obs, err)
		}
	}
}

// Whatever goes wrong with it, a refund is made once or not at all, and what is
// called failed is not made.
func TestRefundInTrouble(t *testing.T) {
	for _, trouble := range antomsim.Troubles {
		b := onAPhone(t)
		a := b.bought(t)
		b.sim.Upset(trouble)
		r := payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: a, Amount: money.Of(700, "CNY")}
		got, err := b.Refund(t.Context(), r)
		for range 3 {
			if err != nil || got.State == payment.RefundSent {
				b.advance(time.Hour)
				got, err = b.Refund(t.Context(), r)
			}
		}
		if trouble == antomsim.Stuck {
			if err != nil || got.State != payment.RefundSent {
				t.Errorf("%s: %+v, %v", trouble, got, err)
			}
			if err := b.sim.FinishRefund(r.Ref, true); err != nil {
				t.Error(err)
			}
			got, err = b.QueryRefund(t.Context(), r)
		}
		want, state := r.Amount, payment.RefundDone
		if trouble == antomsim.Poor || trouble == antomsim.Bounced {
			want, state = money.Money{}, payment.RefundFailed
		}
		if err != nil || got.State != state || got.Amount != r.Amount || (got.Code != "") != (state == payment.RefundFailed) {
			t.Errorf("%s: %+v, %v", trouble, got, err)
		}
		if total := b.sim.Refunded(a.Ref); total.Minor != want.Minor {
			t.Errorf("%s: Antom gave back %v, want %v", trouble, total, want)
		}
	}
}

// Whatever goes wrong with closing, the attempt is called dead only when it is.
func TestAbandonInTrouble(t *testing.T) {
	for _, trouble := range antomsim.Troubles {
		b := onAPhone(t)
		a := b.start(t)
		b.sim.Upset(trouble)
		if obs, err := b.Abandon(t.Context(), a); err == nil && obs.State != payment.Dead {
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

// Books that are read late hide a payment, and end none.
func TestSeenLate(t *testing.T) {
	b := onAPhone(t)
	b.sim.LagReads(30 * time.Second)
	a := b.start(t)
	if obs, err := b.Query(t.Context(), a); err != nil || obs.State != payment.Unknown {
		t.Errorf("Query says %+v, %v; want unknown", obs, err)
	}
	if obs, err := b.Abandon(t.Context(), a); err != nil || obs.State != payment.Dead {
		t.Errorf("Abandon says %+v, %v; want dead", obs, err)
	}
	b.pay(a.Ref)
	if got := b.sim.Captured(a.Ref); !got.IsZero() {
		t.Errorf("dead, and %v taken", got)
	}
}

// Each notification is acknowledged as Antom wants it, and named after its
// event: one that is repeated is the same event.
func TestNotificationsAreAcknowledged(t *testing.T) {
	b := onAPhone(t)
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
		again := b.sim.Notifications()
		if len(again) == 0 {
			t.Errorf("%s is not sent again", n.Kind)
		}
		for _, n := range again {
			if same, err := b.Notification(t.Context(), n.Header, n.Body); err != nil || same != bell {
				t.Errorf("%s again: %+v, %v; was %+v", n.Kind, same, err, bell)
			}
		}
	}
}

// What is told of refunds and disputes is understood, too.
func TestEveryKindOfNotification(t *testing.T) {
	b := onAPhone(t)
	a := b.bought(t)
	if _, err := b.sim.PayLater(b.start(t).Ref); err != nil {
		t.Fatal(err)
	}
	r := payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: a, Amount: money.Of(700, "CNY")}
	if _, err := b.Refund(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.sim.Dispute(a.Ref), b.sim.JudgeDispute(a.Ref, true)); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, n := range b.sim.Notifications() {
		bell, err := b.Notification(t.Context(), n.Header, n.Body)
		if err != nil {
			t.Errorf("%s: %v", n.Kind, err)
		}
		kinds[bell.Kind] = true
	}
	for _, kind := range []string{"PAYMENT_RESULT", "PAYMENT_PENDING", "DISPUTE_CREATED", "DISPUTE_JUDGED"} {
		if !kinds[kind] {
			t.Errorf("nothing of kind %s in %v", kind, kinds)
		}
	}
}
