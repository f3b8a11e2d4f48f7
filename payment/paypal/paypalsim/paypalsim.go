// Package paypalsim is PayPal as a merchant's program sees it: the part of its
// REST API that sells with Orders v2, the page on which the customer approves,
// signed webhooks with their certificates, and the customer, bank and clock
// behind them, all in memory and decided by a seed. It shares no code with the
// adapter that is tested against it: it reads PayPal's documents for itself.
//
// # The API
//
//	POST /v1/oauth2/token                 GET /v1/notifications/certs/{name}
//	POST /v2/checkout/orders              GET /v2/checkout/orders/{id}
//	POST /v2/checkout/orders/{id}/capture
//	GET  /v2/payments/captures/{id}       POST /v2/payments/captures/{id}/refund
//	GET  /v2/payments/refunds/{id}
//	GET  /v1/customer/disputes?disputed_transaction_id={capture}
//	GET  /v1/customer/disputes/{id}
//	POST /v1/customer/disputes/{id}/provide-evidence | accept-claim
//	GET  /v3/vault/payment-tokens?customer_id={customer}
//	GET  /v1/reporting/transactions
//	GET, DELETE /v3/vault/payment-tokens/{id}
//
// Orders have intent CAPTURE, one purchase unit and payment_source.paypal with
// both addresses, or with the vault_id of a wallet that was saved by
// attributes.vault of an earlier one. Amounts are decimal strings, read digit by digit. What PayPal
// knows and is not simulated is refused like what it does not know.
//
// The page is under /checkoutnow?token={order}; [Sim.Pages] serves it.
//
// # The other side
//
// The customer is [Sim.Pay], [Sim.PayWith], [Sim.Decline] and [Sim.GiveUp], or
// a person at the page. PayPal's own desk is in desk.go, that of saved wallets in
// wallet.go. [Trouble] is what goes
// wrong with a call, [Delivery] with an event; the wire itself is package
// outboundsim's. What really happened is in [Sim.Captured], [Sim.Refunded],
// [Sim.Disputed] and [Sim.Charges]. A ref is what stands in custom_id or
// invoice_id.
//
// # Sources
//
// PayPal's OpenAPI files (github.com/paypal/paypal-rest-api-specifications:
// Orders 2.13, Payments 2.5, Payment Method Tokens 3.1, Transactions 1.9,
// Disputes 1.10) for paths, fields, limits, issues,
// the life of request identifiers (orders 6 hours, payments 45 days) and the
// three hours of an order; developer.paypal.com on idempotency, funding
// failures, uncaptured payments, dispute webhooks and currency codes; published
// webhooks for the events' shape; public issues for the 401 of an old token and
// for a capture that is DECLINED in a COMPLETED order. No live account was asked.
// The answers were checked against the OpenAPI files once; only the sentences in
// errors are our own: clients must not depend on them.
//
// Chosen where no source was at hand, the stricter each time: unknown fields
// are refused (NOT_SUPPORTED); both addresses are needed; lengths count bytes;
// one name space for all request identifiers, and PAYPAL_REQUEST_ID_PREVIOUSLY_USED
// (known from payment tokens v3) for one that is used for something else; a
// capture's INSTRUMENT_DECLINED is repeated under its identifier, other refusals
// are not remembered; an order whose instrument was declined must be approved
// again (see [Config.DeclinedStaysApproved]); an order nobody approved in time is
// not found any more, one nobody captured in time is VOIDED and refuses with
// ORDER_EXPIRED; an invoice is a duplicate once money was captured or is pending
// for it; BRL, CNY and MYR are refused as currencies of other countries; ten
// million as the largest amount; ten refunds a capture; the fee of 3.6 % and a
// fixed part; the PEM file holds an intermediate certificate too; the retry
// plan's steps (25 posts within three days are reported); DECIMALS_NOT_SUPPORTED,
// listed for refunds, is said for orders too; a repeated refund is answered 201
// again, the only success that is listed; a dispute waits for the seller at
// once, is the only one of its capture, withholds the money from its first day
// even as an inquiry, and ends when all is refunded; evidence is heard once, not
// after seller_response_due_date, and only as a form with a part named input;
// ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE; a claim that is accepted ends for
// the buyer and goes back as a reversal; which
// event tells of a capture that is denied, and of a refund (REFUNDED, with the
// refund as its resource); RATE_LIMIT_REACHED; no authorisation at all has
// PayPal's envelope, an old or unknown token OAuth's.
//
// Chosen about saved wallets: stored_credential has the fields of PayPal's
// server SDK, since the OpenAPI file lacks it; usage_type is needed; a customer's
// identifier is taken as it is given, else PayPal makes one; a wallet is saved
// when its money has come, once for a payer and customer; a token that comes
// later is then shown by its order, too; TOKEN_ID_NOT_FOUND for a vault_id that
// is unknown or deleted, listed for captures, and 404 where that is to be
// deleted; a payer who must come makes an order wait where they began it and is
// PAYER_ACTION_REQUIRED where the merchant did; a customer without tokens has an
// empty list; metadata.order_id in the event of a new token was seen in programs,
// not in the documents; what the events of its deletion hold.
//
// Chosen about the report of transactions: a search is by the time at which a
// transaction began, with both ends, oldest first; instants have a zone without
// a colon, as answers that were published have and the OpenAPI file has not; V
// for a sale of which all went back; pending and denied rows are not balance
// affecting; a dispute is a hold, its release and, if lost, a reversal; refunds
// return no fee, and disputes cost none; the issues of searches that are refused
// (RESULTSET_TOO_LARGE is PayPal's). That a start which the report does not reach
// yet is refused, by a message alone, was seen of live accounts, with status 400
// and with 404.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package paypalsim

import (
	"crypto/rsa"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// Config makes a [Sim]. ClientID, Secret, WebhookID, MerchantID and Now are
// required.
type Config struct {
	ClientID, Secret string // of the merchant's app, for Basic at the token address
	WebhookID        string // of the merchant's webhook: every signature covers it
	MerchantID       string // the payee, 13 characters
	Now              func() time.Time

	// Rand decides identifiers and delays; nil means a fixed seed. The
	// certificates' keys are random whatever the seed.
	Rand *rand.Rand

	// PageBase is what stands before /checkoutnow, without a final slash.
	// Default https://paypalsim.invalid.
	PageBase string

	// CertURL is what stands before a certificate's name in PAYPAL-CERT-URL.
	// Default https://api.paypal.com/v1/notifications/certs/. Whatever it is, the
	// simulator serves the file at /v1/notifications/certs/.
	CertURL string

	// Key signs webhooks: RSA, 2048 bits. Nil means New makes one, which takes
	// a while: tests that make many simulators share one.
	Key *rsa.PrivateKey

	TokenLife time.Duration // of an access token; default 9 hours

	// DeclinedStaysApproved leaves an order APPROVED whose instrument was
	// declined: every further capture is declined until the customer chooses
	// another one.
	DeclinedStaysApproved bool

	// VaultedWaits leaves an order that a saved wallet pays APPROVED until it is
	// captured. Otherwise it is captured when it is made.
	VaultedWaits bool

	// NoVault is an app that may not save wallets, NoReports one that may not
	// search for transactions.
	NoVault, NoReports bool

	// ReportMost is how many transactions a search may find; default 10,000.
	ReportMost int

	// Deliver decides how an event of that type is told; nil means [Prompt]. It
	// is called under the simulator's lock.
	Deliver func(kind string) Delivery
}

// Sim is a simulated PayPal with one merchant. It is an http.Handler, the API,
// and safe for concurrent use.
type Sim struct {
	cfg Config

	mu   sync.Mutex
	rand *rand.Rand
	now  time.Time // of the call or action under way

	tokens map[string]time.Time // when each ends
	kept   map[string]kept      // by PayPal-Request-Id
	upset  []Trouble
	lag    time.Duration
	views  map[string][]view // what GET shows, by path and query

	orders   map[string]*order
	byRef    map[string][]*order // oldest first
	waiting  []*order            // those whose time is running
	invoices map[string]*order   // what money was captured for, or is pending
	captures []*capture          // oldest first
	disputes []*dispute          // oldest first

	captureOf map[string]*capture // by identifier
	refundOf  map[string]*refund  // by each of its names; the newest

	certs  *authority
	events map[string]*event
	last   *event // the newest, for forgeries
	queue  []notice

	tokenOf    map[string]*token // what is saved, by identifier; deleted ones are not
	saved      []*token          // oldest first, deleted ones too
	refuseNext []string          // issues

	byHand       []movement // of the account, that belong to no capture
	flaws        map[string]Flaw
	upsetReports []Trouble
	reportLag    time.Duration
	losePages    int

	declineNext, pendNext, askNext int
	holdRefunds, holdVault         bool
}

// New returns a PayPal in which nothing has happened yet. It panics where a
// required part of the configuration is missing.
func New(cfg Config) *Sim {
	if cfg.ClientID == "" || cfg.Secret == "" || cfg.WebhookID == "" || cfg.MerchantID == "" || cfg.Now == nil {
		panic("paypalsim: ClientID, Secret, WebhookID, MerchantID and Now are required")
	}
	if cfg.PageBase == "" {
		cfg.PageBase = "https://paypalsim.invalid"
	}
	if cfg.CertURL == "" {
		cfg.CertURL = "https://api.paypal.com" + certPath
	}
	if !strings.HasSuffix(cfg.CertURL, "/") {
		cfg.CertURL += "/"
	}
	if cfg.TokenLife == 0 {
		cfg.TokenLife = 9 * time.Hour
	}
	if cfg.ReportMost == 0 {
		cfg.ReportMost = 10_000
	}
	s := &Sim{
		cfg:      cfg,
		rand:     cfg.Rand,
		tokens:   map[string]time.Time{},
		kept:     map[string]kept{},
		views:    map[string][]view{},
		orders:   map[string]*order{},
		byRef:    map[string][]*order{},
		invoices: map[string]*order{},
		events:   map[string]*event{},

		captureOf: map[string]*capture{},
		refundOf:  map[string]*refund{},
		tokenOf:   map[string]*token{},
		flaws:     map[string]Flaw{},
		reportLag: 3 * time.Hour,
	}
	if s.rand == nil {
		s.rand = rand.New(rand.NewPCG(20260801, 213))
	}
	s.now = cfg.Now().UTC()
	s.certs = newAuthority(s.now, cfg.Key, s.certName())
	return s
}

// enter takes the lock and lets everything happen that the clock has brought.
// The caller unlocks.
func (s *Sim) enter() {
	s.mu.Lock()
	s.now = s.cfg.Now().UTC()
	still := s.waiting[:0]
	for _, o := range s.waiting {
		if o.waits() && !s.now.Before(o.until) {
			s.lapse(o)
		}
		if o.waits() {
			still = append(still, o)
		}
	}
	clear(s.waiting[len(still):])
	s.waiting = still
	if s.now.After(s.certs.leaf.notAfter.Add(-renewBefore)) {
		s.certs.renew(s.now, s.certName())
	}
}

const (
	idLetters    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	payerLetters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	hexLetters   = "0123456789abcdef"
)

func (s *Sim) newID(letters string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[s.rand.IntN(len(letters))]
	}
	return string(b)
}

func (s *Sim) certName() string {
	return "CERT-" + s.newID(hexLetters, 8) + "-" + s.newID(hexLetters, 8) + "-" + s.newID(hexLetters, 8)
}

// obj is a JSON object.
type obj = map[string]any

func stamp(t time.Time) string { return t.Format(time.RFC3339) }

// Charge is one order's money, for an auditor.
type Charge struct {
	Ref      string // custom_id, else invoice_id
	ID       string // of the capture
	Captured money.Money
	Refunded money.Money
	At       time.Time
}

// Charges returns every capture that took money, oldest first.
func (s *Sim) Charges() []Charge {
	s.enter()
	defer s.mu.Unlock()
	var all []Charge
	for _, c := range s.captures {
		if c.state == completed {
			all = append(all, Charge{Ref: c.order.ref(), ID: c.id, Captured: c.money(c.amount), Refunded: c.money(c.refunded()), At: c.takenAt})
		}
	}
	return all
}

// Captured is all that was taken for ref; the zero value if nothing was.
func (s *Sim) Captured(ref string) money.Money {
	return s.sum(ref, func(c *capture) int64 { return c.amount })
}

// Refunded is what of it is on its way back or arrived, by whomever.
func (s *Sim) Refunded(ref string) money.Money { return s.sum(ref, (*capture).refunded) }

// Disputed is what of it PayPal withholds for open disputes.
func (s *Sim) Disputed(ref string) money.Money { return s.sum(ref, (*capture).disputed) }

// Reversed is what of [Sim.Refunded] went back because a dispute was decided for the
// buyer.
func (s *Sim) Reversed(ref string) money.Money { return s.sum(ref, (*capture).reversed) }

// sum adds up over the captures that took money. It panics if one ref paid in
// two currencies: that is a finding, and no sum can tell it.
func (s *Sim) sum(ref string, of func(*capture) int64) money.Money {
	s.enter()
	defer s.mu.Unlock()
	var total money.Money
	for _, o := range s.byRef[ref] {
		if o.capture == nil || o.capture.state != completed || of(o.capture) == 0 {
			continue
		}
		var err error
		if total, err = total.Add(o.capture.money(of(o.capture))); err != nil {
			panic("paypalsim: " + ref + ": " + err.Error())
		}
	}
	return total
}
