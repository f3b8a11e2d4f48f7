// Package esimgosim is the eSIM Go API v2.4 in process: a stranger with a memory
// that speaks the provider's wire protocol, written from the provider's
// documents and from nothing of ours.
//
// It is an [http.Handler] for /v2.4/…, and [Sim.Transport] is the same without a
// network. What it does follows the reference notes on the operator (carriers.md,
// section 3), named in brackets, and the provider's own pages, named [A].
//
// # Documented
//
//   - [3.1] X-API-Key; 401 at orders and 403 elsewhere for a wrong one, errors as
//     {"message": …}, and X-Ratelimit-Limit, -Remaining, -Reset and -Cost on every
//     answer. One call too many is 429 with Retry-After; an operation may cost
//     more than one token.
//   - [3.2] The operations of [Operation] with their fields. "validate" checks
//     everything and charges nothing. quantity equals the number of iccids.
//     allowReassign silently gives another eSIM where the bundle does not fit.
//     Without assign, what is ordered lies in the inventory, which /esims/apply
//     uses up and shows as an order of its own.
//   - [3.3] The states of an assignment: processing, queued, active, depleted or
//     expired, revoked, lapsed after twelve months. Quantities are bytes, a GB is
//     a thousand MB. Only what is unused and younger than 60 days can be revoked;
//     by name, the oldest goes. An eSIM that is not installed and loses its last
//     bundle goes back to the operator, and is given back four days later if it
//     was installed meanwhile [A].
//   - [3.4] Callbacks of version 3, signed with base64 of HMAC-SHA256 under the
//     API key; of version 2, unsigned. FirstUse, and Utilisation at 1, 50, 80 and
//     100 percent [A].
//   - [3.5] There is no idempotency key: the same order twice is two orders.
//
// # Guessed
//
// Unconfirmed, and chosen here, by seed or as [Manners] and [Config] say:
//
//   - 503 with Retry-After means that the request is still being carried out. It
//     usually is, later ([Processing]); nothing says that it always is
//     ([ProcessingLost]).
//   - An order that lacks balance, names a withdrawn bundle, or a bundle that does
//     not fit is 400 with a sentence of the operator's; the sentence is made up.
//   - Of several bundles on one eSIM the oldest is used first; the next begins at
//     its first use after the one before is over.
//   - The signature's header is X-Signature-SHA256. Callbacks are sent once.
//   - Orders are listed newest first, as {"orders", "pageCount", "rows"}; pages
//     count from 1.
//   - An eSIM whose profile is Deactivated takes no more bundles. One that was
//     returned is not ours; its ICCID may come back as another eSIM.
//
// Left out: groups, networks, location, refresh, SMS, the deprecated operations,
// consumption billing, and start times of bundles. They are 404.
//
// Time stands still unless the given clock moves, and nothing runs by itself:
// what fell due happens, at its own instant, when the simulator is next called.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package esimgosim

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// Prefix is the path before every endpoint's name.
const Prefix = "/v2.4/"

const (
	bodyMax  = 1 << 20
	callsMax = 100_000 // older calls are forgotten
)

// Operation is a method and an endpoint.
type Operation string

// The operations [3.2], [3.3].
const (
	Catalogue    Operation = "GET catalogue"
	GetBundle    Operation = "GET catalogue/{name}"
	PlaceOrder   Operation = "POST orders"
	Orders       Operation = "GET orders"
	GetOrder     Operation = "GET orders/{reference}"
	Organisation Operation = "GET organisation"
	Inventory    Operation = "GET inventory"
	Apply        Operation = "POST esims/apply"
	ESIMs        Operation = "GET esims"
	UpdateESIM   Operation = "PUT esims"
	Install      Operation = "GET esims/assignments"
	GetESIM      Operation = "GET esims/{iccid}"
	History      Operation = "GET esims/{iccid}/history"
	Compatible   Operation = "GET esims/{iccid}/compatible/{name}"
	Bundles      Operation = "GET esims/{iccid}/bundles"
	BundleStatus Operation = "GET esims/{iccid}/bundles/{name}"
	RevokeName   Operation = "DELETE esims/{iccid}/bundles/{name}"
	RevokeOne    Operation = "DELETE esims/{iccid}/bundles/{name}/assignments/{id}"
)

// Config is what a [Sim] is made from. Now and Rand must be given; Rand must
// not be used by anyone else.
type Config struct {
	Now  func() time.Time
	Rand *rand.Rand

	APIKey   string
	Currency string // of the organisation; empty: USD
	Balance  int64  // cents

	// PerSecond is how many tokens a caller has in each second, 0: no limit is
	// kept. The documented figure is 10. Costs are of operations that cost more
	// than one.
	PerSecond int
	Costs     map[Operation]int

	Lag     time.Duration // how long an assignment is processing, and a new eSIM is being made
	SlowBy  time.Duration // how much later [Slow] and [Processing] act; 0: 5 min
	Outage  time.Duration // how long [Down] lasts; 0: 5 min
	Version int           // of the callbacks: 3, or 2; 0: 3
	Webhook string        // where callbacks go; empty: nowhere

	Manners  Manners
	Delivery Delivery
}

// Sim is the simulated operator. It is safe for concurrent use.
type Sim struct {
	cfg Config

	mu     sync.Mutex
	now    time.Time // of the call being served; never goes back
	agenda outboundsim.Agenda
	seq    int // numbers everything that needs a number
	calls  []Call

	bundles   []*bundle
	esims     []*esim // in order of creation; one ICCID may have had several
	orders    []*order
	inventory map[string]int // by name
	ledger    []entry

	windows   map[string]*window // by caller
	outbox    []Notification
	knobs     knobs
	downUntil time.Time
}

// New returns a simulated operator with nothing in its catalogue. It panics
// without a clock or a source of chance.
func New(cfg Config) *Sim {
	if cfg.Now == nil || cfg.Rand == nil {
		panic("esimgosim: Now and Rand must be given")
	}
	if cfg.Currency == "" {
		cfg.Currency = "USD"
	}
	if cfg.SlowBy == 0 {
		cfg.SlowBy = 5 * time.Minute
	}
	if cfg.Outage == 0 {
		cfg.Outage = 5 * time.Minute
	}
	if cfg.Version == 0 {
		cfg.Version = 3
	}
	s := &Sim{
		cfg: cfg, inventory: map[string]int{}, windows: map[string]*window{},
		knobs: knobs{faults: map[Operation][]Fault{}, delivery: cfg.Delivery},
	}
	s.ledger = []entry{{amount: cfg.Balance}}
	return s
}

// Call is one request as the operator saw it.
type Call struct {
	At        time.Time
	Operation Operation // empty: no such endpoint
	Status    int       // as answered, or as it would have been; 0: not served
	Fault     Fault
}

// Calls are the requests that arrived, oldest first. Only the last hundred
// thousand are kept.
func (s *Sim) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// answer is what a call is told.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// object is a JSON object.
type object map[string]any

func said(status int, body any) *answer {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return &answer{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: text}
}

// no is the answer to what is not done [3.1].
func no(status int, text string) *answer { return said(status, object{"message": text}) }

// request is one call after its body was read.
type request struct {
	operation       Operation
	iccid, name, id string // of the path
	r               *http.Request
	body            []byte
	asOf            time.Time // what a reading shows; for a writing, now
}

// read decodes the body; what is not known is not looked at.
func (q *request) read(into any) bool { return json.Unmarshal(q.body, into) == nil }

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
	q := &request{r: r, body: body, asOf: s.now}
	serve := s.route(q)
	if serve == nil || !strings.HasPrefix(r.URL.Path, Prefix) {
		s.record(Call{At: s.now, Status: http.StatusNotFound})
		return no(http.StatusNotFound, "Not Found"), nil
	}
	fault := s.fate(q.operation)
	a, tried := s.underFault(q, serve, fault)
	s.record(Call{s.now, q.operation, a.status, fault})
	switch {
	case fault == Silence, tried && (fault == SilenceAfter || fault == Slow):
		return nil, errSilence
	case tried && fault == BreakAfter:
		return no(http.StatusInternalServerError, "Internal Server Error"), nil
	case tried && (fault == Processing || fault == ProcessingLost):
		a = no(http.StatusServiceUnavailable, "Processing")
		a.header.Set("Retry-After", "30")
	}
	return a, nil
}

// underFault serves a request as far as its fault lets it, and says whether it
// came to being carried out: who is turned away at the door hears so.
func (s *Sim) underFault(q *request, serve handler, fault Fault) (*answer, bool) {
	switch fault {
	case Silence:
		return &answer{}, false
	case Down:
		s.downUntil = s.now.Add(s.cfg.Outage)
	case Busy:
		return s.tooMany(time.Second), false
	case Refuse:
		return no(http.StatusBadRequest, "Order could not be processed"), false
	case Reprice:
		s.reprice(q)
	case None, SilenceAfter, BreakAfter, Slow, Processing, ProcessingLost, OtherESIM:
	}
	if s.now.Before(s.downUntil) {
		return no(http.StatusInternalServerError, "Internal Server Error"), false
	}
	limits, over := s.throttle(q)
	a := over
	if a == nil && len(q.body) > bodyMax {
		a = no(http.StatusBadRequest, "failed to parse request body")
	}
	if a == nil {
		a = s.admit(q)
	}
	if a != nil {
		return dressed(a, limits), false
	}
	if fault == Slow || fault == Processing {
		if !q.operation.writes() {
			return &answer{}, true
		}
		s.later(s.now.Add(s.cfg.SlowBy), func() { q.asOf = s.now; serve(q) })
		return &answer{}, true
	}
	if fault == ProcessingLost {
		return &answer{}, true
	}
	s.knobs.misplace = fault == OtherESIM
	q.asOf = s.reading(q.operation)
	a = serve(q)
	s.knobs.misplace = false
	return dressed(a, limits), true
}

func dressed(a *answer, more http.Header) *answer {
	for key, values := range more {
		a.header[key] = values
	}
	return a
}

// admit checks the key.
func (s *Sim) admit(q *request) *answer {
	if subtle.ConstantTimeCompare([]byte(q.r.Header.Get("X-Api-Key")), []byte(s.cfg.APIKey)) == 1 && s.cfg.APIKey != "" {
		return nil
	}
	if strings.Contains(string(q.operation), " orders") {
		return no(http.StatusUnauthorized, "Unauthorised")
	}
	return no(http.StatusForbidden, "access denied")
}

// handler serves one operation.
type handler func(*request) *answer

// route finds the operation of a path; nil where there is none.
func (s *Sim) route(q *request) handler {
	parts := strings.Split(strings.TrimPrefix(q.r.URL.Path, Prefix), "/")
	switch {
	case parts[0] == "esims" && len(parts) > 1 && parts[1] != "apply" && parts[1] != "assignments":
		q.iccid, parts[1] = parts[1], "{iccid}"
		if len(parts) > 3 {
			q.name, parts[3] = parts[3], "{name}"
		}
		if len(parts) > 5 {
			q.id, parts[5] = parts[5], "{id}"
		}
	case parts[0] == "catalogue" && len(parts) == 2:
		q.name, parts[1] = parts[1], "{name}"
	case parts[0] == "orders" && len(parts) == 2:
		q.id, parts[1] = parts[1], "{reference}"
	}
	q.operation = Operation(q.r.Method + " " + strings.Join(parts, "/"))
	return map[Operation]handler{
		Catalogue: s.listBundles, GetBundle: s.getBundle,
		PlaceOrder: s.placeOrder, Orders: s.listOrders, GetOrder: s.getOrder,
		Organisation: s.organisation, Inventory: s.listInventory, Apply: s.apply,
		ESIMs: s.listESIMs, UpdateESIM: s.updateESIM, Install: s.install, GetESIM: s.getESIM, History: s.history,
		Compatible: s.compatible, Bundles: s.appliedBundles, BundleStatus: s.appliedBundle,
		RevokeName: s.revoke, RevokeOne: s.revoke,
	}[q.operation]
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
		s.calls = slices.Clone(s.calls[callsMax:])
	}
	s.calls = append(s.calls, c)
}

// later lets something happen at an instant, as if the clock showed it. What
// was arranged first of what falls on the same instant happens first.
func (s *Sim) later(at time.Time, do func()) {
	s.agenda.Note(at, func(at time.Time) {
		if at.After(s.now) {
			s.now = at
		}
		do()
	})
}

// advance reads the clock and lets everything happen that fell due, in order.
func (s *Sim) advance() {
	now := s.cfg.Now().UTC()
	s.agenda.Do(now)
	if now.After(s.now) {
		s.now = now
	}
}

// chance says yes in so many of a hundred cases.
func (s *Sim) chance(percent int) bool { return percent > 0 && s.cfg.Rand.IntN(100) < percent }

// pick is what is given or else the seed's choice.
func (s *Sim) pick(given string, options ...string) string {
	if given != "" {
		return given
	}
	return options[s.cfg.Rand.IntN(len(options))]
}

// uuid is a reference as orders have it.
func (s *Sim) uuid() string {
	var b [16]byte
	for i := range b {
		b[i] = byte(s.cfg.Rand.Uint32())
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
