package world

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment/alipay/alipaysim"
	"github.com/tsuzuku/tsuzuku/payment/antom/antomsim"
	"github.com/tsuzuku/tsuzuku/payment/linepay/linepaysim"
	"github.com/tsuzuku/tsuzuku/payment/paypal/paypalsim"
	"github.com/tsuzuku/tsuzuku/payment/paypay/paypaysim"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
	"github.com/tsuzuku/tsuzuku/payment/wechatpay/wechatpaysim"
)

// The credentials by which simulated payment providers know us. They open
// nothing else.
const (
	StripeKey    = "sk_test_simulated"
	StripeSecret = "whsec_simulated"

	PayPalClient, PayPalSecret    = "simulated-client", "simulated-client-secret"
	PayPalWebhook, PayPalMerchant = "SIMULATEDWEBHOOK1", "SIMULATED0001"
	LINEPayChannel, LINEPaySecret = "1234567890", "simulated-channel-secret"
	PayPayKey, PayPaySecret       = "simulated-api-key", "simulated-api-secret"
	PayPayMerchant                = "100000000000000001"
	AlipayApp, AlipaySeller       = "2021000000000001", "2088000000000001"
	WeChatMerchant, WeChatApp     = "1900000001", "wx0000000000000001"
	WeChatSerial, WeChatKey       = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1", "simulated-apiv3-key-of-32-bytes!"
	WeChatPublicKeyID             = "PUB_KEY_ID_0000000000000000000000000001"
	AntomClient                   = "5Y0000000000000001"
)

// Bank is a simulated payment provider with what all of them have in common.
type Bank struct {
	Name string // of its adapter

	// The customer at its page, and what it adds to the address of return.
	Pay, Decline, GiveUp func(ref string) (url.Values, error)

	// Arrive is the customer's browser at the page that they were sent to; nil:
	// the bank knows of the payment without.
	Arrive func(address string)

	// PageOf is where a phone arrives that scanned a code; nil: where the code says.
	PageOf func(code string) string

	// What it took and gave back for our reference, and the references of all
	// that it took.
	Captured, Refunded func(ref string) money.Money
	Charged            func() []string

	// The customer's own bank, or the provider for them: takes a payment back, and
	// decides. Nil where the provider knows no disputes.
	Dispute  func(ref string) error
	Judge    func(ref string, forSeller bool) error
	Disputed func(ref string) money.Money // what they hold back of it

	// Acts reports whether a request may move money, or the start of it.
	Acts func(*http.Request) bool

	// Keyless reports whether a request has nothing by which the bank knows it again, so
	// that it acts as often as it gets it. We send such a request once, and TLS sees to it
	// that nobody on the way repeats it: it is not brought twice. nil: there are none.
	Keyless func(*http.Request) bool

	Wire *outboundsim.Wire
	Sim  any // the simulator itself, for whoever knows which one it is

	pages       http.Handler
	declineNext func(int)
	notices     func() []notice
}

// notice is one notification on its way to the house.
type notice struct {
	dueAt  time.Time
	header http.Header
	body   []byte
	heard  func(status int, answer []byte) // tells the bank how it was received
}

// Keys are the pairs of keys of those who sign with RSA: ours, and the one that
// all simulated strangers share.
type Keys struct{ Ours, Theirs *rsa.PrivateKey }

// NewKeys makes them, which takes a moment: towns may share them.
func NewKeys() (Keys, error) {
	ours, err := rsa.GenerateKey(rand.Reader, 2048)
	theirs, err2 := rsa.GenerateKey(rand.Reader, 2048)
	return Keys{ours, theirs}, errors.Join(err, err2)
}

// PrivatePEM is our key as a seller's engineer is given one.
func (k Keys) PrivatePEM() string {
	der, err := x509.MarshalPKCS8PrivateKey(k.Ours)
	if err != nil {
		panic(err) // an RSA key can always be written down
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// PublicPEM is the strangers' key.
func (k Keys) PublicPEM() string {
	der, err := x509.MarshalPKIXPublicKey(&k.Theirs.PublicKey)
	if err != nil {
		panic(err) // an RSA key can always be written down
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// founding is what all banks are founded with.
type founding struct {
	now     func() time.Time
	url     string // of the shop
	seed    uint64
	keys    Keys
	deliver func() string // how the next notification arrives
}

func (f founding) random(n uint64) *mathrand.Rand { return mathrand.New(mathrand.NewPCG(f.seed, n)) }

// pageBase is where a bank's pages are.
func (f founding) pageBase(name string) string {
	return strings.TrimSuffix(f.url, "/") + "/sim/" + name
}

func posts(ends ...string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		if r.Method != http.MethodPost {
			return false
		}
		for _, end := range ends {
			if strings.HasSuffix(r.URL.Path, end) {
				return true
			}
		}
		return false
	}
}

func stripeBank(sim *stripesim.Sim) *Bank {
	shown := func(_ stripesim.Shown, err error) (url.Values, error) { return nil, err }
	return &Bank{
		Name: "stripe", Sim: sim, Wire: &outboundsim.Wire{Stranger: sim}, pages: sim.Pages(), Acts: posts("/sessions", "/payment_intents", "/refunds"),
		Pay:     func(ref string) (url.Values, error) { return shown(sim.Pay(ref)) },
		Decline: func(ref string) (url.Values, error) { return shown(sim.Decline(ref)) },
		GiveUp:  func(ref string) (url.Values, error) { return shown(sim.GiveUp(ref)) },
		Dispute: sim.Dispute, Judge: sim.CloseDispute, Disputed: sim.Disputed,
		declineNext: sim.DeclineNext, Captured: sim.Captured, Refunded: sim.Refunded,
		Charged: func() (refs []string) {
			for _, ch := range sim.Charges() {
				if ch.Status == "succeeded" {
					refs = append(refs, cmp.Or(ch.Ref, ch.Metadata["ref"])) // a kept card is charged without a page
				}
			}
			return refs
		},
		notices: func() (all []notice) {
			for _, n := range sim.Notifications() {
				all = append(all, notice{n.DueAt, n.Header, n.Body, func(status int, _ []byte) {
					if status >= 300 && n.Attempt > 0 {
						sim.Failed(n)
					}
				}})
			}
			return all
		},
	}
}

func paypalBank(f founding) (*Bank, *paypalsim.Sim) {
	sim := paypalsim.New(paypalsim.Config{
		ClientID: PayPalClient, Secret: PayPalSecret, WebhookID: PayPalWebhook, MerchantID: PayPalMerchant, Key: f.keys.Theirs,
		Now: f.now, Rand: f.random(3), PageBase: f.pageBase("paypal"),
		Deliver: func(string) paypalsim.Delivery { return paypalsim.Delivery(f.deliver()) },
	})
	return &Bank{
		Name: "paypal", Sim: sim, Wire: &outboundsim.Wire{Stranger: sim}, pages: sim.Pages(), Acts: posts("/orders", "/capture", "/refund"),
		Pay: sim.Pay, Decline: sim.Decline, GiveUp: sim.GiveUp, declineNext: sim.DeclineNext, Dispute: sim.Dispute, Judge: sim.ResolveDispute,
		// What a decision for the buyer takes is called a refund there, and we gave nothing.
		Disputed: func(ref string) money.Money { return plus(sim.Disputed(ref), sim.Reversed(ref), 1) },
		Refunded: func(ref string) money.Money { return plus(sim.Refunded(ref), sim.Reversed(ref), -1) },
		Captured: sim.Captured, Charged: refsOf(sim.Charges, func(c paypalsim.Charge) string { return c.Ref }),
		notices: func() (all []notice) {
			for _, n := range sim.Notifications() {
				all = append(all, notice{n.DueAt, n.Header, n.Body, func(status int, answer []byte) {
					if n.Attempt > 0 && !sim.Accepts(status, answer) {
						sim.Failed(n)
					}
				}})
			}
			return all
		},
	}, sim
}

// plus adds an amount, which may be none, once or minus once.
func plus(m, more money.Money, times int64) money.Money {
	if more.IsZero() {
		return m
	}
	return money.Of(m.Minor+times*more.Minor, more.Currency)
}

func linepayBank(f founding) *Bank {
	sim := linepaysim.New(linepaysim.Config{
		ChannelID: LINEPayChannel, ChannelSecret: LINEPaySecret, Now: f.now, Rand: f.random(4), PageBase: f.pageBase("linepay"),
	})
	return &Bank{
		Name: "linepay", Sim: sim, Wire: &outboundsim.Wire{Stranger: sim}, pages: sim.Pages(), Acts: posts("/request", "/confirm", "/refund"), Keyless: posts("/refund"),
		Pay: sim.Pay, Decline: sim.Decline, GiveUp: sim.GiveUp, declineNext: sim.DeclineNext,
		Captured: sim.Captured, Refunded: sim.Refunded, Charged: refsOf(sim.Charges, func(c linepaysim.Charge) string { return c.Ref }),
		notices: func() []notice { return nil }, // LINE Pay notifies nobody
	}
}

func paypayBank(f founding) *Bank {
	sim := paypaysim.New(paypaysim.Config{
		APIKey: PayPayKey, APISecret: PayPaySecret, MerchantID: PayPayMerchant, Now: f.now, Rand: f.random(5), PageBase: f.pageBase("paypay"),
		Deliver: func(string) paypaysim.Delivery { return paypaysim.Delivery(f.deliver()) },
	})
	return &Bank{
		Name: "paypay", Sim: sim, Wire: &outboundsim.Wire{Stranger: sim}, pages: sim.Pages(), Acts: posts("/v2/codes", "/v2/refunds"),
		Pay: sim.Pay, Decline: sim.Decline, GiveUp: sim.GiveUp, declineNext: sim.DeclineNext,
		Captured: sim.Captured, Refunded: sim.Refunded, Charged: refsOf(sim.Charges, func(c paypaysim.Charge) string { return c.Ref }),
		notices: func() (all []notice) {
			for _, n := range sim.Notifications() {
				all = append(all, notice{n.DueAt, n.Header, n.Body, func(status int, answer []byte) {
					if n.Attempt > 0 && !sim.Accepts(status, answer) {
						sim.Failed(n)
					}
				}})
			}
			return all
		},
	}
}

func alipayBank(f founding) *Bank {
	sim := alipaysim.New(alipaysim.Config{
		AppID: AlipayApp, SellerID: AlipaySeller, MerchantKey: &f.keys.Ours.PublicKey, AlipayKey: f.keys.Theirs,
		Now: f.now, Rand: f.random(6), PageBase: f.pageBase("alipay"),
		Deliver: func(string) alipaysim.Delivery { return alipaysim.Delivery(f.deliver()) },
	})
	return &Bank{
		Name: "alipay", Sim: sim, pages: sim.Pages(), Acts: changesAtAlipay,
		Wire: &outboundsim.Wire{Stranger: http.StripPrefix("/sim/alipay", sim)}, // its gateway is a page, too
		Pay:  sim.Pay, Decline: sim.Decline, GiveUp: sim.GiveUp, declineNext: sim.DeclineNext,
		Arrive:   func(address string) { _, _ = sim.Open(address) }, // a link whose time is over leads nowhere
		Captured: sim.Captured, Refunded: sim.Refunded, Charged: refsOf(sim.Charges, func(c alipaysim.Charge) string { return c.Ref }),
		notices: func() (all []notice) {
			for _, n := range sim.Notifications() {
				all = append(all, notice{n.DueAt, n.Header, n.Body, func(status int, answer []byte) {
					if n.Attempt > 0 && !sim.Accepts(status, answer) {
						sim.Failed(n)
					}
				}})
			}
			return all
		},
	}
}

// changesAtAlipay tells the calls to the one gateway apart by their method.
func changesAtAlipay(r *http.Request) bool {
	method := r.URL.Query().Get("method")
	return strings.HasSuffix(method, ".refund") || strings.HasSuffix(method, ".precreate")
}

func wechatBank(f founding) *Bank {
	sim := wechatpaysim.New(wechatpaysim.Config{
		MchID: WeChatMerchant, AppID: WeChatApp, MerchantSerial: WeChatSerial, MerchantKey: &f.keys.Ours.PublicKey,
		APIv3Key: WeChatKey, PlatformKey: f.keys.Theirs, PublicKeyID: WeChatPublicKeyID, Local: true,
		Now: f.now, Rand: f.random(7), PageBase: f.pageBase("wechatpay"),
		Deliver: func(string) wechatpaysim.Delivery { return wechatpaysim.Delivery(f.deliver()) },
	})
	return &Bank{
		Name: "wechatpay", Sim: sim, Wire: &outboundsim.Wire{Stranger: sim}, pages: sim.Pages(), Acts: posts("/native", "/h5", "/refunds"),
		Pay: sim.Pay, Decline: sim.Decline, GiveUp: sim.GiveUp, declineNext: sim.DeclineNext, PageOf: sim.PageOf,
		Captured: sim.Captured, Refunded: sim.Refunded, Charged: refsOf(sim.Charges, func(c wechatpaysim.Charge) string { return c.Ref }),
		notices: func() (all []notice) {
			for _, n := range sim.Notifications() {
				all = append(all, notice{n.DueAt, n.Header, n.Body, func(status int, answer []byte) {
					if n.Attempt > 0 && !sim.AcceptsFor(n, status, answer) {
						sim.Failed(n)
					}
				}})
			}
			return all
		},
	}
}

func antomBank(f founding) *Bank {
	sim := antomsim.New(antomsim.Config{
		ClientID: AntomClient, MerchantKey: &f.keys.Ours.PublicKey, AntomKey: f.keys.Theirs,
		Methods: map[string][]money.Currency{"ALIPAY_CN": {"CNY"}, "PAYPAY": {"JPY"}, "RABBIT_LINE_PAY": {"THB"}},
		Now:     f.now, Rand: f.random(8), PageBase: f.pageBase("antom"),
		Deliver: func(string) antomsim.Delivery { return antomsim.Delivery(f.deliver()) },
	})
	return &Bank{
		Name: "antom", Wire: &outboundsim.Wire{Stranger: sim}, pages: sim.Pages(), Acts: posts("/pay", "/refund"),
		Pay: sim.Pay, Decline: sim.Decline, GiveUp: sim.GiveUp, declineNext: sim.DeclineNext,
		Captured: sim.Captured, Refunded: sim.Refunded, Charged: refsOf(sim.Charges, func(c antomsim.Charge) string { return c.Ref }),
		notices: func() (all []notice) {
			for _, n := range sim.Notifications() {
				all = append(all, notice{n.DueAt, n.Header, n.Body, func(status int, answer []byte) {
					if n.Attempt > 0 && !sim.Accepts(status, answer) {
						sim.Failed(n)
					}
				}})
			}
			return all
		},
	}
}

func refsOf[C any](charges func() []C, ref func(C) string) func() []string {
	return func() (refs []string) {
		for _, c := range charges() {
			refs = append(refs, ref(c))
		}
		return refs
	}
}

// tell posts what is due of a bank's notifications, and says whether there was
// anything.
func (b *Bank) tell(ctx context.Context, now time.Time, house http.Handler) (worked bool) {
	for _, n := range b.notices() {
		worked = true
		if n.dueAt.After(now.Add(time.Minute)) {
			continue // told so late that nobody waits for it in a demo
		}
		n.heard(post(ctx, house, "/hooks/payment/"+b.Name, n.header, n.body))
	}
	return worked
}

// PageOf is where a phone arrives that scans a code: the code itself, unless a
// bank knows better.
func (s *Strangers) PageOf(code string) string {
	for _, b := range s.Banks {
		if b.PageOf != nil {
			if page := b.PageOf(code); page != "" {
				return page
			}
		}
	}
	return code
}
