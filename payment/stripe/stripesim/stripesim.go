// Package stripesim is Stripe as its customers' programs see it: its HTTP API
// with state, its hosted page, its webhooks, and the customer, bank and clock
// behind them, all in memory and decided by a seed. It shares no code with the
// adapter that is tested against it: it reads Stripe's documents for itself.
//
// # The API
//
//	POST /v1/checkout/sessions            GET /v1/checkout/sessions[/{id}]
//	POST /v1/checkout/sessions/{id}/expire
//	POST /v1/payment_intents              GET /v1/payment_intents[/{id}]
//	POST /v1/payment_intents/{id}/confirm | capture | cancel
//	POST /v1/refunds                      GET /v1/refunds[/{id}]
//	POST, GET /v1/customers[/{id}]        DELETE /v1/customers/{id}
//	POST /v1/payment_methods/{id}/attach | detach
//	GET  /v1/payment_methods[/{id}]       GET /v1/customers/{id}/payment_methods
//	GET  /v1/charges[/{id}]  GET /v1/disputes[/{id}]  GET /v1/events[/{id}]
//	GET  /v1/balance_transactions/{id}
//
// Bodies are form-encoded, amounts are integers in the currency's smallest
// unit, [Version] must be named in Stripe-Version. Unknown, missing and
// mistyped parameters are refused. Parameters that exist at Stripe but change
// nothing here are taken and forgotten; those that would change the money and
// are not simulated are refused, and the message says so.
//
// The hosted page is under /pay/: plain HTML, marked as simulated. [Sim.Pages]
// serves it alone, for a demo whose API calls stay in process.
//
// # The other side
//
// The customer is [Sim.Pay], [Sim.PayWith], [Sim.PayAndSave], [Sim.Decline],
// [Sim.Authenticate] and [Sim.GiveUp], or a person at the page. Bank and Stripe
// are the methods in bank.go, and in saved.go for cards that are saved. [Trouble]
// is what goes wrong with a call, [Delivery] with an event's notice; the wire
// itself is package outboundsim's. What really happened is in [Sim.Captured],
// [Sim.Refunded] and the lists beside them.
//
// # Sources
//
// The rules of https://docs.stripe.com/api (idempotent_requests, errors,
// checkout/sessions, payment_intents, refunds, disputes, events), /webhooks,
// /currencies and /testing, as noted for this project in 2026, and the names
// of fields and codes of API version [Version] in Stripe's Go SDK (MIT). It was
// not compared with a live account. Chosen where no source was at hand: the
// error type of a key in use; the codes when an intent belongs to a session,
// when nothing was captured, and when method and currency do not fit; the
// cancellation reason of an expired session's intent; the plan of retried
// webhooks; minimum amounts other than those of yen and dollar; the fee of 3.6 %;
// that a failed refund lets a charge's amount_refunded fall; that a ticked box
// saves a card without setup_future_usage, and the box is not shown to guests;
// that a card whose month is over is refused by its bank; the codes, if any, of a
// method that is foreign, detached or used up; and that a deleted customer's
// methods are told as detached.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package stripesim

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// Version is the only API version that is spoken.
const Version = "2026-03-25.dahlia"

// Config makes a [Sim]. Key, WebhookSecret and Now are required.
type Config struct {
	Key           string // the secret key that calls must carry
	WebhookSecret string // signs notices, as ASCII text, prefix included
	Now           func() time.Time

	// Rand decides identifiers and delays; nil means a fixed seed.
	Rand *rand.Rand

	// PageBase is what stands before /pay/{id} in the addresses of pages,
	// without a final slash. Default https://stripesim.invalid.
	PageBase string

	// Refuses lists currencies, in lower case, that the account may not use.
	Refuses []string

	// FeeDelay is how long a captured charge has no balance transaction yet.
	FeeDelay time.Duration

	// Choose decides what goes wrong with a call; nil means nothing does. It is
	// called under the simulator's lock, after what [Sim.Upset] asked for.
	Choose func(*http.Request) Trouble

	// Deliver decides how an event of that type is told; nil means [Prompt]. It
	// is called under the simulator's lock.
	Deliver func(eventType string) Delivery

	// During, if not nil, is called without the lock while a call is carried
	// out: its idempotency key is taken, and nothing has happened yet.
	During func(*http.Request)
}

// Sim is a simulated Stripe account in test mode. It is an [http.Handler] and
// safe for concurrent use.
type Sim struct {
	cfg Config

	mu        sync.Mutex
	rand      *rand.Rand
	routes    []route
	now       time.Time // of the call or action under way
	asking    *Call     // the call under way, nil for what the customer or Stripe does
	calls     []*Call
	callCount int
	upset     []Trouble

	keys    map[string]*kept
	keyAges []string // oldest first

	sessions   []*session
	open       []*session // the sessions whose time is running
	intents    []*intent
	authorised []*intent // those with an uncaptured charge, oldest first
	charges    []*charge
	refunds    []*refund
	disputes   []*dispute
	customers  []*customer
	customerOf map[string]*customer // by identifier
	methods    []*method
	methodOf   map[string]*method // by identifier

	// named finds what belongs to a name: an identifier of ours or theirs.
	named struct {
		sessions map[string][]*session
		intents  map[string][]*intent
		refunds  map[string][]*refund
	}

	events  []*event
	queue   []notice
	deliver []Delivery // asked for by Tell, before Config.Deliver
	secrets []secret   // newest first

	declineNext, pendNext, askNext int
	refuseNext                     []string // decline codes
	holdRefunds                    bool
}

// New returns a Stripe account in which nothing has happened yet. It panics
// where a required part of the configuration is missing.
func New(cfg Config) *Sim {
	if cfg.Key == "" || cfg.WebhookSecret == "" || cfg.Now == nil {
		panic("stripesim: Key, WebhookSecret and Now are required")
	}
	if cfg.PageBase == "" {
		cfg.PageBase = "https://stripesim.invalid"
	}
	s := &Sim{
		cfg:        cfg,
		rand:       cfg.Rand,
		keys:       map[string]*kept{},
		customerOf: map[string]*customer{},
		methodOf:   map[string]*method{},
		secrets:    []secret{{text: cfg.WebhookSecret}},
	}
	if s.rand == nil {
		s.rand = rand.New(rand.NewPCG(20260325, 85))
	}
	s.named.sessions = map[string][]*session{}
	s.named.intents = map[string][]*intent{}
	s.named.refunds = map[string][]*refund{}
	s.routes = s.table()
	return s
}

// enter takes the lock and lets everything happen that the clock has brought.
// The caller unlocks.
func (s *Sim) enter() {
	s.mu.Lock()
	s.tick()
}

// tick moves to the present: keys are forgotten, sessions and authorisations
// expire.
func (s *Sim) tick() {
	s.now = s.cfg.Now().UTC()
	s.forgetKeys()
	running := s.open[:0]
	for _, cs := range s.open {
		if cs.status == "open" && !s.now.Before(cs.expiresAt) {
			s.expire(cs)
		}
		if cs.status == "open" {
			running = append(running, cs)
		}
	}
	clear(s.open[len(running):])
	s.open = running
	for len(s.authorised) > 0 && !s.now.Before(s.authorised[0].latest.createdAt.Add(authorisedFor)) {
		if p := s.authorised[0]; p.status == requiresCapture {
			s.cancel(p, "automatic")
		}
		s.authorised = s.authorised[1:]
	}
}

// authorisedFor is how long an uncaptured card authorisation stands.
const authorisedFor = 7 * 24 * time.Hour

const idLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func (s *Sim) newID(prefix string, letters int) string {
	b := make([]byte, letters)
	for i := range b {
		b[i] = idLetters[s.rand.IntN(len(idLetters))]
	}
	return prefix + string(b)
}

func (s *Sim) pageURL(id string) string { return s.cfg.PageBase + "/pay/" + id }

func moneyOf(minor int64, currency string) money.Money {
	return money.Of(minor, money.Currency(upper(currency)))
}
