// Package paypaysim is PayPay as an online merchant's program sees it: the
// Open Payment API for codes that a customer pays once (Japan, yen), with the
// customer, the customer's page, the notifications and the clock behind it, all
// in memory and decided by a seed. It shares no code with the adapter that is
// tested against it: it reads PayPay's documents for itself.
//
// # The API
//
//	POST   /v2/codes                                  201, a code to scan or to open
//	DELETE /v2/codes/{codeId}                         200
//	GET    /v2/codes/payments/{merchantPaymentId}     200; 400 without a live code or a payment
//	DELETE /v2/payments/{merchantPaymentId}           202, the money goes back a little later
//	POST   /v2/refunds                                200 CREATED, REFUNDED a little later
//	GET    /v2/refunds/{merchantRefundId}?paymentId=  200
//
// Calls are signed (Authorization: hmac OPA-Auth:…) and name the merchant, in
// X-ASSUME-MERCHANT or in the query. Bodies are read strictly: unknown, missing
// and mistyped members are refused, an amount is a JSON integer of 1 to 11
// digits, the currency is JPY. Money is taken at once: isAuthorization is
// refused as for a merchant without that feature, so the states of blocked
// money (AUTHORIZED, REAUTHORIZING, CANCELED, EXPIRED) do not occur.
//
// The customer's page is /pay/{codeId} below PageBase, where url and, unless
// [Config.AppLinks], deeplink lead. After it the customer goes to redirectUrl,
// with nothing added.
//
// # Traps, all documented
//
// A paymentId has twenty digits and begins with 0. Two kinds of silence look
// alike: a code that expired or was deleted and one that never was are both
// DYNAMIC_QR_PAYMENT_NOT_FOUND. A cancelled payment ends as FAILED. Cancelling
// before the customer pays stops nobody: the payment completes and is undone
// afterwards. Any completed refund, even of a part, makes the payment REFUNDED.
// A known merchantRefundId gets its former result, whatever the amount. A
// merchantPaymentId where a paymentId belongs is answered with 500. Refunds and
// cancellations are not notified, notifications carry no signature, and after
// three tries within a second PayPay gives up.
//
// # Sources
//
// PayPay's OpenAPI file "Dynamic QR" 1.1 (https://www.paypay.ne.jp/opa/doc/v1.0/dynamicqrcode,
// as of 2026) for paths, fields, codes, HTTP statuses, states, notifications
// and the window of cancellation; its developers' help centre
// (https://integration.paypay.ne.jp/hc/en-us) for the signature, tries of
// notifications, cancelling before payment, reasons of refused refunds and the
// window of 365 days; the read-me files of its SDKs for codeId numbers and for
// DYNAMIC_QR_ALREADY_PAID; answers printed in their issues for the form of
// identifiers and a code's life of five minutes.
//
// It was not compared with a live account. Chosen where no source was at hand,
// or where sources differ: 401 UNAUTHORIZED for a missing or foreign merchant;
// that a repeated POST /v2/codes gets its former answer while the code can be
// paid, and DUPLICATE_DYNAMIC_QR_REQUEST if the order differs, the code is gone
// or [Config.NeverReplays]; which of the 400 codes a bad member gets; 404 for a
// code deleted twice or expired; that an expired code is not found (an older
// help page says CREATED); that cancelling an unknown merchantPaymentId is
// accepted and uses it up; how long cancellations and refunds take; that a
// second refund within a minute of any other is throttled; ten refunds at most;
// codeId 00000000 for refusals whose number nobody printed; that a refused
// customer may try again and the merchant is not told; that giving up leads to
// redirectUrl; that refunds by hand are listed like others; that the
// notification of money taken at once names no authorisation; and that a
// notification is acknowledged by 200 and the text OK only (the document
// recommends the text). Not simulated: the list of permitted addresses, nonces
// seen before, limits of customers, retention (ORDER_NO_LONGER_AVAILABLE).
//
// Tsuzuku is a program; this package promises nothing to other modules.
package paypaysim

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Config makes a [Sim]. APIKey, APISecret, MerchantID and Now are required.
type Config struct {
	APIKey     string
	APISecret  string
	MerchantID string
	Now        func() time.Time

	// Rand decides identifiers and delays; nil means a fixed seed.
	Rand *rand.Rand

	// PageBase is what stands before /pay/{codeId} in the addresses of pages,
	// without a final slash. Default https://paypaysim.invalid.
	PageBase string

	CodeLife     time.Duration // how long a code can be paid; default 5 minutes
	MaxRefunds   int           // of one payment; default 10
	SingleRefund bool          // the merchant may refund a payment only once
	NeverReplays bool          // a merchantPaymentId that is known is refused even with the same order
	AppLinks     bool          // deeplink is paypay://…, as PayPay writes it; else it opens the page in any browser

	// Deliver decides how the notification of a state is told; nil means
	// [Prompt]. It is called under the simulator's lock.
	Deliver func(state string) Delivery
}

// Sim is a simulated PayPay with one merchant. It is an [http.Handler], the
// API, and safe for concurrent use.
type Sim struct {
	cfg Config

	mu       sync.Mutex
	rand     *rand.Rand
	now      time.Time // of the call or action under way
	payments []*payment
	byRef    map[string]*payment
	byCode   map[string]*payment
	byID     map[string]*payment // by paymentId
	taken    []*payment          // those that completed, oldest first
	queue    []notice
	upset    []Trouble
	lag      time.Duration

	declineNext, pendNext int
	holdRefunds           bool
}

// New returns a PayPay where nothing has happened yet. It panics where a
// required part of the configuration is missing.
func New(cfg Config) *Sim {
	if cfg.APIKey == "" || cfg.APISecret == "" || cfg.MerchantID == "" || cfg.Now == nil {
		panic("paypaysim: APIKey, APISecret, MerchantID and Now are required")
	}
	if cfg.PageBase == "" {
		cfg.PageBase = "https://paypaysim.invalid"
	}
	if cfg.CodeLife == 0 {
		cfg.CodeLife = 5 * time.Minute
	}
	if cfg.MaxRefunds == 0 {
		cfg.MaxRefunds = 10
	}
	s := &Sim{
		cfg:    cfg,
		rand:   cfg.Rand,
		byRef:  map[string]*payment{},
		byCode: map[string]*payment{},
		byID:   map[string]*payment{},
	}
	if s.rand == nil {
		s.rand = rand.New(rand.NewPCG(20181005, 2))
	}
	return s
}

// enter takes the lock and looks at the clock. The caller unlocks.
func (s *Sim) enter() {
	s.mu.Lock()
	s.now = s.cfg.Now().UTC()
}

const (
	digits  = "0123456789"
	letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

func (s *Sim) random(from string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = from[s.rand.IntN(len(from))]
	}
	return string(b)
}

// unused draws identifiers until one is new.
func (s *Sim) unused(prefix, from string, n int, known map[string]*payment) string {
	for {
		if id := prefix + s.random(from, n); known[id] == nil {
			return id
		}
	}
}

func (s *Sim) pageURL(p *payment) string { return s.cfg.PageBase + "/pay/" + p.codeID }

func (s *Sim) deeplink(p *payment) string {
	if s.cfg.AppLinks {
		return "paypay://payment?link_key=" + url.QueryEscape(s.pageURL(p))
	}
	return s.pageURL(p)
}

var _ http.Handler = (*Sim)(nil)
