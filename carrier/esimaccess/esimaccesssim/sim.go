// Package esimaccesssim is eSIM Access (Redtea) in process: a stranger with a
// memory that speaks the operator's wire protocol, so that the adapter can be
// tried against one who was written from the same document but not from the
// same code.
//
// It is an [http.Handler] for POST /api/v1/open/…; nothing of the adapter is
// imported. What it does follows the reference notes on the operator
// (carriers.md, section 1), named in brackets here:
//
//   - [1.1] Every call is a POST with JSON. The envelope is success, errorCode,
//     errorMsg, obj; a success has errorCode null or "0"; failures are HTTP 200
//     with a six-digit string. Times come in three formats.
//   - [1.2] RT-AccessCode always; with a secret key also RT-Timestamp (seconds
//     or milliseconds), RT-RequestID and RT-Signature, hex in either case.
//   - [1.3] The endpoints, their fields, esimStatus and smdpStatus. Pagination
//     of package/list is ignored; esim/query insists on its pager; a top-up row
//     is added to packageList.
//   - [1.4] Orders are asynchronous (200010 first), at most 30 lines a batch,
//     and the same transactionId is the same order. Top-ups are synchronous, add
//     volume and days to the plan, and are refused once the plan is over.
//     Whether a repeated transactionId tops up twice is not documented:
//     [Config].TopUpRemembersTransaction decides, and the default is the
//     dangerous one. ICCIDs are used again ([Sim.Recycle]).
//   - [1.5] The error codes. [1.6] The notifications: unsigned, late, repeated,
//     with an ICCID that may be a number.
//
// Where the notes say "unconfirmed" the simulator chooses, by seed or as
// [Manners] say. It also chooses, because the notes are silent: the plan's end
// before activation is the install-by date and a top-up does not move it; a
// per-day package adds its volume for each day; the day of a daily cap is the
// UTC day; a suspended line takes no top-up; an unknown line is 310403; a
// top-up that does not fit is 310243; a cancelled eSIM gives back its own price
// and not that of its top-ups. The low-balance notification is left out, its
// payload being unknown.
//
// Time stands still unless the given clock moves, and nothing runs by itself:
// what fell due happens, at its own instant, when the simulator is next called.
// Lost and garbled answers are the wire's business (package outboundsim).
//
// Tsuzuku is a program; this package promises nothing to other modules.
package esimaccesssim

import (
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// Prefix is the path before every endpoint's name.
const Prefix = "/api/v1/open/"

const (
	bodyMax  = 1 << 20
	callsMax = 100_000 // older calls are forgotten
)

// Config is what a [Sim] is made from. Now and Rand must be given; Rand must
// not be used by anyone else.
type Config struct {
	Now  func() time.Time
	Rand *rand.Rand

	AccessCode      string
	SecretKey       string        // empty: RT-AccessCode alone opens the door
	TimestampWindow time.Duration // how far RT-Timestamp may be off; 0: 5 min (the real size is unconfirmed)

	Balance int64  // USD × 10,000
	Webhook string // address already saved; empty: none, nothing is notified

	// TopUpRemembersTransaction makes a repeated transactionId of a top-up the
	// same request, whatever else it says: the first answer is given again. Off,
	// the second one tops up again.
	TopUpRemembersTransaction bool

	PollsUntilReady int           // polls of a new order that get 200010; 0: 2; negative: none
	UsageDelay      time.Duration // how late usage is known, on top of full hours; 0: 2 h; negative: known at once
	Throttle        Throttle
	Manners         Manners
	Delivery        Delivery
}

// Sim is the simulated operator. It is safe for concurrent use.
type Sim struct {
	cfg Config

	mu       sync.Mutex
	now      time.Time // of the call being served; never goes back
	agenda   outboundsim.Agenda
	seq      int // numbers everything that needs a number
	calls    []Call
	arrivals []time.Time // of the last requests let through, for the throttle

	packages []*pack
	profiles map[string]*profile   // by esimTranNo
	sequence []*profile            // in order of creation
	bearers  map[string][]*profile // by ICCID, newest last
	orders   map[string]*order     // by orderNo
	ordered  map[string]*order     // by transactionId
	toppedUp map[string]*topUpAnswer
	balance  int64
	ledger   []Entry

	webhook  string
	outbox   []Notification
	knobs    knobs
	lagReads time.Duration
}

// New returns a simulated operator with nothing in its catalogue. It panics
// without a clock or a source of chance.
func New(cfg Config) *Sim {
	if cfg.Now == nil || cfg.Rand == nil {
		panic("esimaccesssim: Now and Rand must be given")
	}
	if cfg.TimestampWindow == 0 {
		cfg.TimestampWindow = 5 * time.Minute
	}
	if cfg.PollsUntilReady == 0 {
		cfg.PollsUntilReady = 2
	}
	if cfg.UsageDelay == 0 {
		cfg.UsageDelay = 2 * time.Hour
	}
	return &Sim{
		cfg:      cfg,
		profiles: map[string]*profile{},
		bearers:  map[string][]*profile{},
		orders:   map[string]*order{},
		ordered:  map[string]*order{},
		toppedUp: map[string]*topUpAnswer{},
		balance:  cfg.Balance,
		webhook:  cfg.Webhook,
		knobs:    knobs{refusals: map[string][]string{}, stumbles: map[string][]string{}, throttle: cfg.Throttle, delivery: cfg.Delivery},
	}
}

// Call is one request as the operator saw it.
type Call struct {
	At   time.Time
	Path string // what follows Prefix, or the whole path when it does not begin with that
	Code string // empty for success, a six-digit code, or an HTTP status
}

// Calls are the requests that arrived, oldest first, with what they were told.
// Only the last hundred thousand are kept.
func (s *Sim) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// ServeHTTP implements [http.Handler].
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	tooLong, _ := errors.AsType[*http.MaxBytesError](err)
	if err != nil && tooLong == nil {
		http.Error(w, "the request broke off", http.StatusBadRequest)
		return
	}
	status, answer := s.answer(r, body, tooLong != nil)
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

// answer serves one whole request under the lock.
func (s *Sim) answer(r *http.Request, body []byte, tooLong bool) (int, []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	path, ours := strings.CutPrefix(r.URL.Path, Prefix)
	operation := s.operation(path)
	if !ours || operation == nil {
		s.record(path, "404")
		return http.StatusNotFound, []byte(`{"status":404,"error":"Not Found"}`)
	}
	no := s.throttled()
	if no == nil && tooLong {
		no = fail("000107")
	}
	if no == nil {
		no = s.admit(r, body)
	}
	if no == nil {
		no = s.refusal(path)
	}
	var obj any
	if no == nil {
		var given params
		if given, no = readParams(path, body); no == nil {
			obj, no = operation(given)
		}
		if no == nil {
			no = s.stumble(path)
		}
	}
	if no == nil {
		s.record(path, "")
		return http.StatusOK, s.envelope(obj, nil)
	}
	s.record(path, no.code)
	if no.code == "429" {
		return http.StatusTooManyRequests, nil
	}
	return http.StatusOK, s.envelope(nil, no)
}

// operation finds an endpoint; nil where there is none.
func (s *Sim) operation(path string) func(params) (any, *refusal) {
	switch path {
	case "package/list":
		return s.listPackages
	case "location/list":
		return s.listLocations
	case "esim/order":
		return s.placeOrder
	case "esim/query":
		return s.queryProfiles
	case "esim/usage/query":
		return s.queryUsage
	case "esim/topup":
		return s.topUp
	case "esim/cancel":
		return s.cancel
	case "esim/suspend":
		return s.suspend
	case "esim/unsuspend":
		return s.unsuspend
	case "esim/revoke":
		return s.revoke
	case "esim/sendSms":
		return s.sendSMS
	case "balance/query":
		return s.queryBalance
	case "webhook/save":
		return s.saveWebhook
	case "webhook/query":
		return s.queryWebhook
	}
	return nil
}

// envelope is the outer form of every answer.
func (s *Sim) envelope(obj any, no *refusal) []byte {
	code, text := any(nil), any(nil)
	switch {
	case no != nil:
		code, text = no.code, no.text
	case s.pick(s.cfg.Manners.ErrorCode, "null", "0") == "0":
		code = "0"
	}
	e := map[string]any{"success": no == nil, "errorCode": code, "errorMsg": text, "obj": obj}
	if s.cfg.Manners.AsInTables {
		delete(e, "errorMsg")
		e["errorMessage"] = text
		e["success"] = "false"
		if no == nil {
			e["success"] = "true"
		}
	}
	return mustMarshal(e)
}

func (s *Sim) record(path, code string) {
	if len(s.calls) >= 2*callsMax {
		s.calls = append([]Call(nil), s.calls[callsMax:]...)
	}
	s.calls = append(s.calls, Call{s.now, path, code})
}

// advance reads the clock and lets everything happen that fell due, in order.
func (s *Sim) advance() {
	if now := s.cfg.Now().UTC(); now.After(s.now) {
		s.now = now
	}
	s.agenda.Do(s.now)
}

func (s *Sim) later(at time.Time, do func(at time.Time)) { s.agenda.Note(at, do) }

// mustMarshal is for values made here, which always have a JSON form.
func mustMarshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("esimaccesssim: " + err.Error())
	}
	return b
}
