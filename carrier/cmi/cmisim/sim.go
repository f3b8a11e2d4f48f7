// Package cmisim is the Global Data SIM API of China Mobile International
// (CMLink, V4.2) in process: a stranger with a memory that speaks the provider's
// wire protocol, written from the provider's document and from nothing of ours.
//
// It is an [http.Handler] for /aep/…/v1, and [Sim.Transport] is the same without
// a network. What it does follows the reference notes on the operator
// (carriers.md, section 8.1) and the Markdown extraction of the vendor's PDF,
// whose sections are named in brackets.
//
// # Documented
//
//   - [3.1] WSSE headers on every call: base64 of SHA-256 over nonce, time and
//     secret. What is wrong with them is 401 with 1000000 to 1000006. The time is
//     good for ten minutes.
//   - [3.2.1] A token of ten minutes, sent in the body; 1000008 without.
//   - [3.2.2] The catalogue, in pages of 50: prices in hundredths as text, packs
//     that refuel a package, and no word of its volume but in its description.
//   - [3.2.5] Orders, on cards that are ours: is_Refuel "1" for a package and "0"
//     for a pack, which needs an active package (1000031) and, with a daily cap, a
//     quantity of 1 or of the days that are left (1000095). A transactionCode that
//     is in the books is 1000162, one that is being worked on 1000154; a
//     thirdOrderId may repeat.
//   - [3.2.6] A card's packages with their states, in pages of 50; other numbers
//     filter than are shown. [3.2.8] Quotas, by card, by child order or by
//     thirdOrderId. [3.2.3], [3.2.9], [3.2.10], [3.2.12], [3.2.13]: activation,
//     early end, the card, taking back (not activated, same month), the eSIM.
//   - [3.2.15] to [3.2.17] Pushes with WSSE headers under our own key and secret.
//   - [4], [5] The codes; 429 or 9000004 for one call too many.
//
// # Guessed
//
// Unconfirmed, and chosen here, by seed or as [Manners] and [Config] say:
//
//   - A nonce is good once (1000003). Tokens live side by side unless
//     [Config].OneToken. An unknown thirdOrderId in a quota query is 1000116; the
//     order of a pack is not found there, for it is no package.
//   - Numbers may be sent as text and text as numbers; names of fields are exact.
//   - Of several packages on a card the oldest runs first; the next begins at its
//     first use after the one before is over. Natural days, months and years are
//     those of [Config].Zone, UTC+8 unless given, and the first one counts.
//   - A refused order leaves no transactionCode behind.
//   - Pushes are sent once. A package that was never used expires 180 days after
//     its order.
//   - There is no way to ask for the deposit; [Sim.Balance] is for tests.
//
// Left out: location, carriers, trajectories, templates, packages and packs made
// by the seller, pools, and real names. They are 404.
//
// Time stands still unless the given clock moves, and nothing runs by itself:
// what fell due happens, at its own instant, when the simulator is next called.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package cmisim

import (
	"context"
	"encoding/json"
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

const (
	bodyMax  = 1 << 20
	callsMax = 100_000 // older calls are forgotten
)

// Operation is an endpoint's name, between /aep/ and /v1.
type Operation string

// The operations.
const (
	Token       Operation = "APP_getAccessToken_SBO"
	Catalogue   Operation = "app_getDataBundle_SBO"
	Activate    Operation = "APP_activeDataBundle_SBO"
	CreateOrder Operation = "APP_createOrder_SBO"
	UserBundles Operation = "APP_getSubedUserDataBundle_SBO"
	Quota       Operation = "APP_getSubscriberAllQuota_SBO"
	EndPackage  Operation = "SBO_package_end"
	SIMInfo     Operation = "SBO_query_SIMInfo"
	Unsubscribe Operation = "SBO_channel_unsubscribe"
	ESIMInfo    Operation = "SBO_queryEsimCardInfo"
)

// Config is what a [Sim] is made from. Now and Rand must be given; Rand must
// not be used by anyone else.
type Config struct {
	Now  func() time.Time
	Rand *rand.Rand

	AppKey, AppSecret string
	Currency          string         // of the deposit; empty: USD
	Deposit           int64          // hundredths
	Zone              *time.Location // of natural days; nil: UTC+8

	TokenLife time.Duration // 0: 10 min
	OneToken  bool          // a new token ends the one before
	PerSecond int           // calls each second, 0: no limit is kept; the real figure is unconfirmed
	SlowBy    time.Duration // how much later [Slow] and [InFlight] act; 0: 5 min
	Outage    time.Duration // how long [Down] lasts; 0: 5 min
	Webhook   string        // where pushes go; empty: nowhere

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

	tokens map[string]time.Time // with their ends
	nonces map[string]time.Time // with the ends of their lives

	packages []*offer
	packs    []*pack
	cards    []*card // in order of creation; one ICCID may have been several
	orders   []*order
	pending  map[string]bool // transaction codes that are being worked on
	ledger   []entry

	second    time.Time // that spent counts
	spent     int
	outbox    []Notification
	knobs     knobs
	downUntil time.Time
}

// New returns a simulated operator with nothing in its catalogue. It panics
// without a clock or a source of chance.
func New(cfg Config) *Sim {
	if cfg.Now == nil || cfg.Rand == nil {
		panic("cmisim: Now and Rand must be given")
	}
	if cfg.Currency == "" {
		cfg.Currency = "USD"
	}
	if cfg.Zone == nil {
		cfg.Zone = time.FixedZone("UTC+8", 8*60*60)
	}
	for _, d := range []struct {
		to *time.Duration
		or time.Duration
	}{{&cfg.TokenLife, wsseLife}, {&cfg.SlowBy, 5 * time.Minute}, {&cfg.Outage, 5 * time.Minute}} {
		if *d.to == 0 {
			*d.to = d.or
		}
	}
	return &Sim{
		cfg: cfg, tokens: map[string]time.Time{}, nonces: map[string]time.Time{}, pending: map[string]bool{},
		ledger: []entry{{amount: cfg.Deposit}},
		knobs:  knobs{faults: map[Operation][]Fault{}, codes: map[Operation][]string{}, delivery: cfg.Delivery},
	}
}

// Call is one request as the operator saw it.
type Call struct {
	At        time.Time
	Operation Operation // empty: no such endpoint
	Status    int       // as answered, or as it would have been; 0: not served
	Code      string    // the business code
	Fault     Fault
}

// Calls are the requests that arrived, oldest first. Only the last hundred
// thousand are kept.
func (s *Sim) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// object is a JSON object.
type object map[string]any

// answer is what a call is told.
type answer struct {
	status int
	code   string
	header http.Header
	body   []byte
}

func said(status int, body object) *answer {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	code, _ := body["code"].(string)
	return &answer{status, code, http.Header{"Content-Type": {"application/json;charset=UTF-8"}}, text}
}

// ok is an answer that says yes, with what else it says.
func ok(more object) *answer {
	more["code"], more["description"] = success, "Success"
	return said(http.StatusOK, more)
}

const success = "0000000"

// no is a definite no.
func no(code string) *answer {
	return said(http.StatusOK, object{"code": code, "description": texts[code]})
}

// texts are the documented words for the codes that are answered [5].
var texts = map[string]string{
	"1000000": "Authorization or X-WSSE is missing or malformed",
	"1000001": "PasswordDigest authentication failed",
	"1000002": "UserName verification failed",
	"1000003": "Nonce verification failed",
	"1000004": "Created verification failed",
	"1000005": "A required parameter is empty",
	"1000006": "The App Key does not exist",
	"1000007": "A parameter does not conform to its format",
	"1000008": "accessToken verification failed",
	"1000010": "No package to activate",
	"1000013": "The iccid does not exist",
	"1000028": "Order ID error",
	"1000031": "No activated package, add-on pack ordering is not allowed",
	"1000035": "The order is of another month and cannot be unsubscribed",
	"1000039": "The order does not exist, unsubscription failed",
	"1000040": "Only packages can be unsubscribed",
	"1000044": "The package is not to be activated, unsubscription failed",
	"1000052": "Operation failed",
	"1000056": "The primary card has expired",
	"1000073": "The ICCID does not belong to this channel",
	"1000087": "The activation date is empty or not allowed",
	"1000090": "The primary card is no eSIM",
	"1000094": "No activated package, add-on pack ordering is not allowed",
	"1000095": "Purchase quantity can only be 1 or the remaining days of the package",
	"1000097": "Add-on pack is not allowed to order or has not been approved",
	"1000103": "Purchase failure, insufficient deposit",
	"1000105": "This package may not be purchased",
	"1000116": "The order does not exist",
	"1000132": "No such package was found",
	"1000151": "The package's status is not normal",
	"1000153": "The primary card's status is not normal",
	"1000154": "The order is being processed, do not submit it again",
	"1000158": "Add-on pack is not associated with package",
	"1000162": "The transaction code exists already, the order was not created",
	"1000176": "Network congestion",
	"9000003": "The service's network fluctuates, connection failed",
	"9000004": "QPS limit exceeded",
	"9999999": "System error",
}

// request is one call after its body was read. Its fields are as they were
// sent; names are exact.
type request struct {
	operation Operation
	header    http.Header
	body      []byte
	fields    map[string]json.RawMessage
	asOf      time.Time // what a reading shows; for a writing, now
	late      bool      // carried out long after it was sent
}

// text is a field, whether it was sent as text or as a number; empty where it
// was not sent.
func (q *request) text(name string) string {
	raw := q.fields[name]
	var t string
	if json.Unmarshal(raw, &t) == nil {
		return strings.TrimSpace(t)
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
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
	q := &request{header: r.Header, body: body, asOf: s.now}
	serve := s.route(q, r)
	if serve == nil {
		s.record(Call{At: s.now, Status: http.StatusNotFound})
		return said(http.StatusNotFound, object{}), nil
	}
	fault := s.fate(q.operation)
	a, tried := s.underFault(q, serve, fault)
	s.record(Call{s.now, q.operation, a.status, a.code, fault})
	switch {
	case fault == Silence, tried && (fault == SilenceAfter || fault == Slow):
		return nil, errSilence
	case tried && fault == BreakAfter:
		return said(http.StatusInternalServerError, object{}), nil
	case tried && fault == FailAfter:
		return no([]string{"9000003", "9999999"}[s.cfg.Rand.IntN(2)]), nil
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
		return s.tooMany(), false
	case Refuse:
		return no("1000052"), false
	case Congested:
		return no("1000176"), false
	case Reprice:
		s.reprice(q)
	case TokenGone:
		clear(s.tokens)
	case None, SilenceAfter, BreakAfter, FailAfter, Slow, InFlight, OtherCard:
	}
	if s.now.Before(s.downUntil) {
		return said(http.StatusInternalServerError, object{}), false
	}
	if a := s.admit(q); a != nil {
		return a, false
	}
	if fault == Slow || fault == InFlight {
		return s.putOff(q, serve), true
	}
	s.knobs.misplace = fault == OtherCard
	q.asOf = s.reading(q.operation)
	a := serve(q)
	s.knobs.misplace = false
	return a, true
}

// putOff carries a request out later. Its transaction code is being worked on
// until then.
func (s *Sim) putOff(q *request, serve handler) *answer {
	code := q.text("transactionCode")
	if q.operation == CreateOrder && code != "" {
		if a := s.repeated(code); a != nil {
			return a
		}
		s.pending[code] = true
	}
	s.later(s.now.Add(s.cfg.SlowBy), func() {
		delete(s.pending, code)
		q.asOf, q.late = s.now, true
		serve(q)
	})
	return no("1000154")
}

// handler serves one operation.
type handler func(*request) *answer

// route finds the operation of a path; nil where there is none.
func (s *Sim) route(q *request, r *http.Request) handler {
	name, found := strings.CutPrefix(r.URL.Path, "/aep/")
	name, versioned := strings.CutSuffix(name, "/v1")
	if !found || !versioned || r.Method != http.MethodPost {
		return nil
	}
	q.operation = Operation(name)
	return map[Operation]handler{
		Token: s.giveToken, Catalogue: s.listPackages, Activate: s.activateBundle, CreateOrder: s.createOrder,
		UserBundles: s.userBundles, Quota: s.quota, EndPackage: s.endPackage, SIMInfo: s.simInfo,
		Unsubscribe: s.unsubscribe, ESIMInfo: s.esimInfo,
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

// hex is so many random digits.
func (s *Sim) hex(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "0123456789ABCDEF"[s.cfg.Rand.IntN(16)]
	}
	return string(b)
}

// stamp writes an instant as nearly everything does here: 14 digits, UTC [1.2.1].
func stamp(at time.Time) string { return at.UTC().Format("20060102150405") }
