// Package airalosim is the Airalo Partner API v2 in process: a stranger with a
// memory that speaks the provider's wire protocol, so that an adapter can be
// tried against one who was written from the same document but not from the
// same code.
//
// It is an [http.Handler] for /v2/…, and [Sim.Transport] is the same without a
// network. Nothing of an adapter is imported. What it does follows the reference
// notes on the operator (carriers.md, section 2), named in brackets, and the
// provider's published OpenAPI fragments, named [A].
//
// # Documented
//
//   - [2.1] POST token with client_id, client_secret and grant_type, in a form:
//     a bearer token of 24 hours, 422 for a wrong client, 401 for a wrong secret.
//     Whoever is not on the allow-list gets 403 with code 89.
//   - [2.2] The operations of [Operation], their fields, and their forms: bodies
//     come as a form, as multipart/form-data or as JSON; prices are decimal
//     dollars, in lists of orders as text; data is in MB, a GB is 1024; the
//     second page of packages is an object; an empty list of top-ups means that
//     a line takes none; a recycled line is refused with 73 and has a usage of
//     zeros; for unlimited packages all figures are 0.
//   - [2.3] The two shapes of errors, their codes and texts. [2.4] The limits,
//     with 429, X-RateLimit headers and Retry-After; usage from a cache of 20
//     minutes. [2.5] Opt-in with HEAD, the notifications, the signature over
//     them, 20 repetitions every 15 minutes after any answer but 200 to 203.
//   - [2.6] There is no idempotency key: the same top-up twice is two top-ups.
//     [Config].Sandbox is the sandbox: no money, no notifications, other limits.
//   - A top-up keeps the description it was sent with, as the sample of the list
//     of orders shows, and names no eSIM there. The sample answer to a top-up
//     shows another description: [Config].ForgetTopUpDescriptions.
//   - Discount pricing: no net price, and four fields about the discount.
//
// # Guessed
//
// Unconfirmed, and chosen here, by seed or as [Manners] and [Config] say:
//
//   - airalo-signature on what we send: checked only when it is there, over the
//     body as PHP would write it; for a form both with quantity as text and as
//     a number. A wrong one is 422 with code 14.
//   - Times without a zone are UTC. A line without first use has no end.
//   - Several packages on one line run beside each other, each with its own end,
//     or queue ([Operator].Queues); what ends first is used first. Usage sums up
//     everything that is not past its end and gives the latest end. What was
//     bought before first use begins with it.
//   - The history shows the base package as well ([Config].HistoryOfTopUpsOnly),
//     newest first. A top-up does not clear the usage cache.
//   - A line takes top-ups until topup_grace_window_days after its end, null
//     being for ever; after that the list is empty and an order is 23 or
//     "invalid topup package". A withdrawn top-up is 34 or the same. An unknown
//     ICCID in a top-up is a field error. Nothing happens after
//     install_window_days.
//   - filter[description] finds what contains it; filter[iccid] of orders does
//     not find top-ups. GET packages without a limit returns everything.
//   - The shape of a 401, of a failed HEAD at opt-in, of a field error that is
//     not in the document (the words are those of the framework that the
//     documented ones come from), and the name of the balance.
//   - Windows of limits begin with their first call. Discounts round half up.
//
// Left out: vouchers, brands of eSIMs, instructions, devices, exchange rates,
// product information, and the status "retry" of future orders. They are 404.
//
// Time stands still unless the given clock moves, and nothing runs by itself:
// what fell due happens, at its own instant, when the simulator is next called.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package airalosim

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// Prefix is the path before every endpoint's name.
const Prefix = "/v2/"

const callsMax = 100_000 // older calls are forgotten

// Operation is a method and an endpoint.
type Operation string

// The operations [2.2].
const (
	Token        Operation = "POST token"
	Packages     Operation = "GET packages"
	Orders       Operation = "GET orders"
	GetOrder     Operation = "GET orders/{id}"
	Order        Operation = "POST orders"
	AsyncOrder   Operation = "POST orders-async"
	TopUpOrder   Operation = "POST orders/topups"
	FutureOrder  Operation = "POST future-orders"
	FutureOrders Operation = "GET future-orders"
	CancelFuture Operation = "POST cancel-future-orders"
	Lines        Operation = "GET sims"
	GetLine      Operation = "GET sims/{iccid}"
	TopUpList    Operation = "GET sims/{iccid}/topups"
	History      Operation = "GET sims/{iccid}/packages"
	Usage        Operation = "GET sims/{iccid}/usage"
	Balance      Operation = "GET balance"
	Refund       Operation = "POST refund"
	OptIn        Operation = "POST notifications/opt-in"
	GetOptIn     Operation = "GET notifications/opt-in"
	OptOut       Operation = "POST notifications/opt-out"
	Simulate     Operation = "POST simulator/webhook"
)

// Config is what a [Sim] is made from. Now and Rand must be given; Rand must
// not be used by anyone else.
type Config struct {
	Now  func() time.Time
	Rand *rand.Rand

	ClientID, ClientSecret string

	Balance         int64    // USD cents of credit; levels of the credit limit are parts of it
	DiscountPercent int      // over 0: discount pricing
	Brands          []string // names that brand_settings_name may have
	Sandbox         bool

	TokenLife   time.Duration // 0: 24 h
	UsageCache  time.Duration // 0: 20 min, in the sandbox 60; negative: none
	AsyncDelay  time.Duration // of asynchronous orders; 0: 30 s
	SlowBy      time.Duration // how much later [Slow] acts; 0: 5 min
	OutageLasts time.Duration // 0: 5 min

	TopUpsMax               int  // on one line; 0: no limit
	SignatureNeeded         bool // writing without airalo-signature is refused
	ForgetTopUpDescriptions bool // a top-up's description is made up, whatever was sent
	HistoryOfTopUpsOnly     bool // the history leaves the base package out

	// Head asks an address with HEAD and returns the status, 0 for silence; nil
	// means that all answer 200. It is called under the simulator's lock and
	// must not use the simulator.
	Head func(address string) int

	Manners  Manners
	Delivery Delivery
}

// Sim is the simulated operator. It is safe for concurrent use.
type Sim struct {
	cfg Config

	mu      sync.Mutex
	now     time.Time // of the call being served; never goes back
	agenda  outboundsim.Agenda
	seq     int // numbers everything that needs a number
	calls   []Call
	tokens  map[string]time.Time // with their ends
	windows map[string]*window

	operators []*operator
	offers    []*offer
	lines     map[string]*line // by ICCID
	sequence  []*line          // in order of creation
	orders    []*order
	intents   []*intent
	refunds   []*refund
	balance   int64
	ledger    []Entry

	optedIn   map[string]optIn
	lastOptIn string
	outbox    []Notification
	sent      map[int]Notification // waiting for [Sim.Answered]
	knobs     knobs
	downUntil time.Time
}

// New returns a simulated operator with nothing in its catalogue. It panics
// without a clock or a source of chance.
func New(cfg Config) *Sim {
	if cfg.Now == nil || cfg.Rand == nil {
		panic("airalosim: Now and Rand must be given")
	}
	cache := 20 * time.Minute
	if cfg.Sandbox {
		cache = time.Hour
	}
	for _, d := range []struct {
		to *time.Duration
		or time.Duration
	}{
		{&cfg.TokenLife, tokenLife},
		{&cfg.UsageCache, cache},
		{&cfg.AsyncDelay, 30 * time.Second},
		{&cfg.SlowBy, 5 * time.Minute},
		{&cfg.OutageLasts, 5 * time.Minute},
	} {
		if *d.to == 0 {
			*d.to = d.or
		}
	}
	return &Sim{
		cfg:     cfg,
		tokens:  map[string]time.Time{},
		windows: map[string]*window{},
		lines:   map[string]*line{},
		balance: cfg.Balance,
		optedIn: map[string]optIn{},
		sent:    map[int]Notification{},
		knobs:   knobs{faults: map[Operation][]Fault{}, codes: map[Operation][]int{}, delivery: cfg.Delivery},
	}
}

// Call is one request as the operator saw it.
type Call struct {
	At        time.Time
	Operation Operation // empty: no such endpoint
	Status    int       // as answered, or as it would have been; 0: not served
	Code      int       // the business code; 0: none
	Fault     Fault
}

// Calls are the requests that arrived, oldest first, with what they were told.
// Only the last hundred thousand are kept.
func (s *Sim) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// ServeHTTP implements [http.Handler]. A request that is not to be answered
// panics with [http.ErrAbortHandler], which cuts the connection.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, err := s.receive(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	for key, values := range a.header {
		w.Header()[key] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// errSilence is what the caller of a request without an answer gets, at once:
// nobody waits for a time limit.
var errSilence = &net.OpError{Op: "read", Net: "tcp", Err: context.DeadlineExceeded}

// receive reads a request and serves it.
func (s *Sim) receive(r *http.Request) (*answer, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(io.LimitReader(r.Body, bodyMax+1)); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	q := &request{header: r.Header, query: r.URL.Query(), asOf: s.now}
	q.client, _, _ = net.SplitHostPort(r.RemoteAddr)
	var serve handler
	q.operation, q.id, serve = s.route(r.Method, strings.TrimPrefix(r.URL.Path, Prefix))
	if serve == nil || !strings.HasPrefix(r.URL.Path, Prefix) {
		no := notFound()
		s.record(Call{At: s.now, Status: no.status})
		return dressed(&no.answer, nil), nil
	}
	var err error
	q.body, q.form, err = readBody(r.Header, body)
	if err == nil && len(body) > bodyMax {
		err = errors.New("airalosim: too long")
	}
	fault := s.fate(q.operation)
	a, carriedOut := s.underFault(q, serve, fault, err != nil)
	s.record(Call{s.now, q.operation, a.status, a.code, fault})
	switch {
	case fault == Silence, carriedOut && (fault == SilenceAfter || fault == Slow):
		return nil, errSilence
	case carriedOut && fault == BreakAfter:
		return dressed(plain(http.StatusInternalServerError, object{{"message", "Server Error"}}), nil), nil
	}
	return a, nil
}

// underFault serves a request as far as its fault lets it, and says whether it
// came to being carried out: who is turned away at the door hears so.
func (s *Sim) underFault(q *request, serve handler, fault Fault, unreadable bool) (*answer, bool) {
	switch fault {
	case Silence:
		return &answer{}, false
	case Outage:
		s.downUntil = s.now.Add(s.cfg.OutageLasts)
	case Busy:
		return dressed(&tooMany().answer, http.Header{"Retry-After": {"1"}}), false
	case Refuse:
		return dressed(&refuse(53, "").answer, nil), false
	case Reprice:
		s.reprice(q)
	case None, SilenceAfter, BreakAfter, Slow:
	}
	if s.now.Before(s.downUntil) {
		return s.brokenGateway(), false
	}
	limits, no := s.throttle(q)
	if no == nil && unreadable {
		no = refuse(43, "The payload cannot be read.")
	}
	if no == nil {
		no = s.admit(q)
	}
	if no == nil {
		no = s.ordered(q.operation)
	}
	if no != nil {
		return dressed(&no.answer, limits), false
	}
	if fault == Slow {
		s.later(s.now.Add(s.cfg.SlowBy), func(at time.Time) { s.atInstant(at, func() { _, _ = serve(q) }) })
		return &answer{}, true
	}
	q.asOf = s.reading(q.operation)
	a, no := serve(q)
	if no != nil {
		a = &no.answer
	}
	return dressed(a, limits), true
}

// dressed is a copy of an answer with its headers.
func dressed(a *answer, more http.Header) *answer {
	c := *a
	c.header = http.Header{"Content-Type": {"application/json"}}
	for _, h := range []http.Header{a.header, more} {
		for key, values := range h {
			c.header[key] = values
		}
	}
	return &c
}

// handler serves one operation.
type handler func(*request) (*answer, *refusal)

// route finds the operation of a path; a nil handler where there is none.
func (s *Sim) route(method, path string) (Operation, string, handler) {
	op, id := Operation(method+" "+path), ""
	parts := strings.Split(path, "/")
	switch {
	case parts[0] == "sims" && len(parts) > 1:
		id = parts[1]
		parts[1] = "{iccid}"
		op = Operation(method + " " + strings.Join(parts, "/"))
	case method == http.MethodGet && parts[0] == "orders" && len(parts) == 2:
		op, id = GetOrder, parts[1]
	}
	return op, id, map[Operation]handler{
		Token:        s.giveToken,
		Packages:     s.listPackages,
		Orders:       s.listOrders,
		GetOrder:     s.getOrder,
		Order:        s.placeOrder,
		AsyncOrder:   s.placeAsync,
		TopUpOrder:   s.topUp,
		FutureOrder:  s.placeFuture,
		FutureOrders: s.listFuture,
		CancelFuture: s.cancelFuture,
		Lines:        s.listLines,
		GetLine:      s.getLine,
		TopUpList:    s.listTopUps,
		History:      s.history,
		Usage:        s.usage,
		Balance:      s.getBalance,
		Refund:       s.requestRefund,
		OptIn:        s.optInTo,
		GetOptIn:     s.getOptIn,
		OptOut:       s.optOut,
		Simulate:     s.simulate,
	}[op]
}

// Transport is the simulator as the far end of an HTTP client, without a
// network. What is not answered fails at once, as a time limit would.
func (s *Sim) Transport() http.RoundTripper {
	return outboundsim.Transport(func(r *http.Request) (int, http.Header, []byte, error) {
		a, err := s.receive(r)
		if err != nil {
			return 0, nil, nil, err
		}
		return a.status, a.header, a.body, nil
	})
}

func (s *Sim) record(c Call) {
	if len(s.calls) >= 2*callsMax {
		s.calls = append([]Call(nil), s.calls[callsMax:]...)
	}
	s.calls = append(s.calls, c)
}

// advance reads the clock and lets everything happen that fell due, in order.
func (s *Sim) advance() {
	now := s.cfg.Now().UTC()
	s.agenda.Do(now)
	if now.After(s.now) {
		s.now = now
	}
}

// atInstant lets something happen as if the clock showed at.
func (s *Sim) atInstant(at time.Time, do func()) {
	before := s.now
	s.now = at
	do()
	s.now = latest(before, at)
}

func (s *Sim) later(at time.Time, do func(at time.Time)) { s.agenda.Note(at, do) }
