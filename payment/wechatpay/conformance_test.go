package wechatpay_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
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
	"github.com/tsuzuku/tsuzuku/payment/wechatpay"
	"github.com/tsuzuku/tsuzuku/payment/wechatpay/wechatpaysim"
)

const (
	apiKey   = "conformanceconformanceconformanc"
	publicID = "PUB_KEY_ID_0114232134912410000000000000"
)

// keys are made once: they are slow to make, and nothing changes them.
var keys = sync.OnceValues(func() (merchant, platform *rsa.PrivateKey) {
	var err error
	if merchant, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		panic(err)
	}
	if platform, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		panic(err)
	}
	return merchant, platform
})

// mode is how the merchant's account is set up.
type mode struct{ publicKey, h5 bool }

// bench is the adapter over a wire over the simulator, all on one clock.
type bench struct {
	*wechatpay.Adapter
	sim  *wechatpaysim.Sim
	wire *outboundsim.Wire
	mode mode

	mu   sync.Mutex
	now  time.Time
	refs int
	sent []paymenttest.Notification
}

func newBench(t *testing.T, m mode) *bench {
	t.Helper()
	b := &bench{now: time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC), mode: m}
	clock := func() time.Time {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.now
	}
	merchant, platform := keys()
	sim := wechatpaysim.Config{
		MchID: "1900007291", AppID: "wx2421b1c4370ec43b", MerchantSerial: "5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
		MerchantKey: &merchant.PublicKey, APIv3Key: apiKey, PlatformKey: platform, Now: clock, H5Domain: "shop.test",
	}
	config := wechatpay.Config{
		MchID: sim.MchID, AppID: sim.AppID, Serial: sim.MerchantSerial,
		PrivateKey: string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(merchant)})),
		APIv3Key:   apiKey, NotifyURL: "https://shop.test/hooks/payment/wechatpay", H5: m.h5,
	}
	if m.publicKey {
		der, err := x509.MarshalPKIXPublicKey(&platform.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		config.PublicKey = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		config.PublicKeyID, sim.PublicKeyID = publicID, publicID
	}
	b.sim = wechatpaysim.New(sim)
	b.wire = &outboundsim.Wire{Stranger: b.sim}
	a, err := wechatpay.New(config, outbound.New(outbound.Options{Transport: b.wire}), clock, nil)
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
	a := payment.Attempt{
		Ref: fmt.Sprintf("conformance%015d", b.refs), Rail: payment.WeChatPay, Amount: money.Of(2400, "CNY"),
		Description: "Japan unlimited, 10 days", Language: "zh-Hans", ReturnURL: "https://shop.test/back?a=1", CancelURL: "https://shop.test/quit",
		Tags:      map[string]string{"order": "ord_" + strconv.Itoa(b.refs)},
		CreatedAt: b.now, ExpiresAt: b.now.Add(15 * time.Minute), Device: payment.Computer, ClientIP: "8.8.8.8",
	}
	if b.mode.h5 {
		a.Device = payment.Phone
	}
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

func (b *bench) forged() []paymenttest.Notification {
	var all []paymenttest.Notification
	for _, n := range append(b.sim.Forge(), b.sim.Probe()) {
		all = append(all, paymenttest.Notification{Header: n.Header, Body: n.Body})
	}
	return all
}

func (b *bench) suite() paymenttest.Bench {
	s := paymenttest.Bench{
		Provider:   b,
		Discreet:   true,
		NewAttempt: b.attempt,
		// The customer may find the order closed; what matters is what WeChat took.
		Pay:           func(ref string) url.Values { back, _ := b.sim.Pay(ref); return back },
		Decline:       func(ref string) { _, _ = b.sim.Decline(ref) },
		GiveUp:        func(ref string) { _, _ = b.sim.GiveUp(ref) },
		Advance:       b.advance,
		Captured:      b.sim.Captured,
		Refunded:      b.sim.Refunded,
		Notifications: b.fetch,
		Forged:        b.forged,
		Lapses:        7 * 24 * time.Hour,
		Mute:          true,
	}
	s.Over(b.wire, func(r *http.Request) paymenttest.Kind {
		switch {
		case r.URL.Path == "/v3/certificates":
			return paymenttest.Aside
		case r.Method == http.MethodPost:
			return paymenttest.Acts
		}
		return paymenttest.Reads
	})
	// An answer of no bytes cannot be cut in half: it breaks instead.
	choose := b.wire.Choose
	b.wire.Choose = func(r *http.Request) outboundsim.Fault {
		f := choose(r)
		if f == outboundsim.Garble && strings.HasSuffix(r.URL.Path, "/close") {
			f = outboundsim.Break
		}
		return f
	}
	return s
}

func TestConformance(t *testing.T) {
	for name, m := range map[string]mode{"certificates": {}, "public key, H5": {publicKey: true, h5: true}} {
		t.Run(name, func(t *testing.T) {
			paymenttest.Run(t, func(t *testing.T) paymenttest.Bench { return newBench(t, m).suite() })
		})
	}
}

// bought is an attempt that the customer has paid.
func (b *bench) bought(t *testing.T) payment.Attempt {
	t.Helper()
	a := b.attempt()
	if obs, err := b.Start(t.Context(), a); err != nil || obs.State != payment.NeedsCustomer {
		t.Fatalf("Start says %+v, %v", obs, err)
	}
	if _, err := b.sim.Pay(a.Ref); err != nil {
		t.Fatal(err)
	}
	obs, err := b.Query(t.Context(), a)
	if err != nil || obs.State != payment.Paid || obs.MoneyID == "" {
		t.Fatalf("Query says %+v, %v; want paid", obs, err)
	}
	a.MoneyID = obs.MoneyID
	return a
}

// A code lives two hours and an H5 page five minutes; Start gives a fresh one,
// of the same order, and tells the truth once that is over.
func TestStartAgainGivesAFreshWay(t *testing.T) {
	for _, m := range []mode{{}, {h5: true}} {
		b := newBench(t, m)
		a := b.attempt()
		a.ExpiresAt = a.CreatedAt.Add(6 * time.Hour)
		first, err := b.Start(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		b.advance(3 * time.Hour)
		if _, err := b.sim.Pay(a.Ref); err == nil {
			t.Errorf("%+v: the old way still leads to a payment", m)
		}
		second, err := b.Start(t.Context(), a)
		if err != nil || second.State != payment.NeedsCustomer || second.Next == first.Next || second.Next == (payment.Next{}) {
			t.Fatalf("%+v: Start again says %+v, %v; was %+v", m, second, err, first.Next)
		}
		if _, err := b.sim.Pay(a.Ref); err != nil {
			t.Errorf("%+v: the fresh way leads nowhere: %v", m, err)
		}
		if obs, err := b.Start(t.Context(), a); err != nil || obs.State != payment.Paid || obs.Amount != a.Amount {
			t.Errorf("%+v: Start after paying says %+v, %v", m, obs, err)
		}
		if got := b.sim.Charges(); len(got) != 1 {
			t.Errorf("%+v: %d charges", m, len(got))
		}
	}
}

// Nobody pays after the end, and WeChat Pay keeps the order open all the same
// until it is closed.
func TestEndOfAnAttempt(t *testing.T) {
	b := newBench(t, mode{})
	a := b.attempt()
	if _, err := b.Start(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	b.advance(time.Hour)
	if _, err := b.sim.Pay(a.Ref); err == nil {
		t.Error("paid after the end")
	}
	if obs, err := b.Query(t.Context(), a); err != nil || obs.State != payment.NeedsCustomer {
		t.Errorf("Query says %+v, %v", obs, err)
	}
	if obs, err := b.Abandon(t.Context(), a); err != nil || obs.State != payment.Dead || obs.Reason != payment.TooLate {
		t.Errorf("Abandon says %+v, %v", obs, err)
	}
	if obs, err := b.Start(t.Context(), a); err != nil || obs.State != payment.Dead {
		t.Errorf("Start after closing says %+v, %v", obs, err)
	}
}

// The customer's phone follows the page that Start names, as far as the money.
func TestPageTakesTheMoney(t *testing.T) {
	b := newBench(t, mode{h5: true})
	a := b.attempt()
	obs, err := b.Start(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	page, err := url.Parse(obs.Next.RedirectURL)
	if err != nil || page.Query().Get("redirect_url") != a.ReturnURL {
		t.Fatalf("the page is %s, %v", obs.Next.RedirectURL, err)
	}
	r := httptest.NewRequest(http.MethodGet, page.String(), nil)
	r.Header.Set("Referer", "https://shop.test/orders/1/pay")
	rec := httptest.NewRecorder()
	b.sim.Pages().ServeHTTP(rec, r)
	if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `id="pay"`) {
		t.Errorf("the page says %d %s", rec.Code, rec.Body)
	}
}

// The acknowledgement that the doorbell asks for is what WeChat Pay wants.
func TestAcknowledgement(t *testing.T) {
	b := newBench(t, mode{})
	b.bought(t)
	sent := b.sim.Notifications()
	for _, n := range sent {
		bell, err := b.Notification(t.Context(), n.Header, n.Body)
		if err != nil || !b.sim.Accepts(http.StatusOK, []byte(bell.Answer)) {
			t.Errorf("%+v, %v is not accepted", bell, err)
		}
	}
	if len(sent) == 0 {
		t.Error("nothing was sent")
	}
}
