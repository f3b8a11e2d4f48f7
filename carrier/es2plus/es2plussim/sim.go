// Package es2plussim is a seller's SM-DP+ in process: a stranger with a memory that
// speaks the operator's side of GSMA SGP.22, ES2+, over JSON, written from the
// specification and from nothing of ours.
//
// It is an [http.Handler] for /gsma/rsp2/es2plus/…; who wants mutual TLS puts it
// behind a server that asks for certificates. What a phone does with a profile,
// [Sim.Install], [Sim.Enable], [Sim.Disable] and [Sim.Delete], becomes notifications,
// which [Sim.Deliver] sends, as well or badly as asked.
//
// # Documented
//
//   - DownloadOrder sets a profile aside, by ICCID or the first of a type;
//     ConfirmOrder gives it a matching identifier and, with the release flag, lets
//     phones have it; ReleaseProfile does that later; CancelOrder takes it back, to be
//     used again or never, as long as no phone has it.
//   - The states of a profile (SGP.22, 3.1.6), and the subject and reason codes
//     (5.2.6) with which each function refuses.
//   - A refusal is HTTP 200 with the status Failed. A notification has the path
//     handleDownloadProgressInfo, and is answered with 204 and no body.
//   - Its points: 1 eligibility and retry limit, 2 confirmation failure, 3 download,
//     4 installation. An ICCID of 19 digits travels with an F behind it.
//
// # Guessed
//
//   - What a ConfirmOrder hears that comes again for a profile which is confirmed is
//     left open: see [Repeat].
//   - Points of what happens after the installation are the vendors' own. The ones
//     here, 5 deleted, 101 enabled and 102 disabled, are those of a document of China
//     Mobile International.
//   - getProfileStatus is no function of the specification. Some sell it with their
//     SM-DP+, with the states in capitals.
//
// Time stands still unless the given clock moves.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package es2plussim

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Prefix is the path before every function's name.
const Prefix = "/gsma/rsp2/es2plus/"

const bodyMax = 1 << 20

// State is what a profile is (SGP.22, 3.1.6).
type State string

// The states.
const (
	Available   State = "Available"
	Allocated   State = "Allocated" // set aside
	Linked      State = "Linked"    // set aside for one eUICC
	Confirmed   State = "Confirmed"
	Released    State = "Released" // phones may have it
	Downloaded  State = "Downloaded"
	Installed   State = "Installed"
	Unavailable State = "Unavailable" // for ever
)

// Repeat is what a ConfirmOrder hears that comes again, for a profile that is
// confirmed under that matching identifier.
type Repeat string

// The ways.
const (
	MatchingInUse Repeat = "matching in use" // 8.2.6/3.3: identifiers are looked at before states
	WrongState    Repeat = "wrong state"     // 8.2.1/3.3: the other way round, in CancelOrder too
	SameAgain     Repeat = "same again"      // the first answer again
)

// Config is what a [Sim] is made from. Now and Rand must be given; Rand must not be
// used by anyone else.
type Config struct {
	Now  func() time.Time
	Rand *rand.Rand

	Address    string   // its own, for the codes; empty: smdp.example.com
	Requesters []string // who may call, by functionRequesterIdentifier; empty: everybody
	Repeat     Repeat   // empty: MatchingInUse
	Status     bool     // has getProfileStatus

	Receiver string       // scheme and host that notifications go to; empty: nowhere
	Client   *http.Client // that sends them
	Delivery Delivery
}

// Sim is the simulated SM-DP+. It is safe for concurrent use.
type Sim struct {
	cfg Config

	mu       sync.Mutex
	profiles []*profile // in order of addition
	faults   map[string][]Fault
	calls    []Call
	outbox   []Notification
	seq      int
	cancels  int // orders that were taken back
}

type profile struct {
	iccid, kind, eid string
	matching         string
	confirmation     string
	state            State
	on               bool // enabled on its phone
	changed          time.Time
}

// Call is one request that was read.
type Call struct {
	Function string
	Header   http.Header
	Body     []byte
}

// New returns an SM-DP+ without profiles.
func New(c Config) *Sim {
	if c.Address == "" {
		c.Address = "smdp.example.com"
	}
	if c.Repeat == "" {
		c.Repeat = MatchingInUse
	}
	return &Sim{cfg: c, faults: map[string][]Fault{}}
}

// Add puts profiles of a type into its store.
func (s *Sim) Add(kind string, iccids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range iccids {
		s.profiles = append(s.profiles, &profile{iccid: i, kind: kind, state: Available, changed: s.cfg.Now()})
	}
}

// StateOf is the state of a profile; empty where there is none.
func (s *Sim) StateOf(iccid string) State {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.find(iccid); p != nil {
		return p.state
	}
	return ""
}

// In counts the profiles in some states.
func (s *Sim) In(states ...State) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.profiles {
		if slices.Contains(states, p.state) {
			n++
		}
	}
	return n
}

// Sold counts the profiles that phones may have, or have.
func (s *Sim) Sold() int { return s.In(Released, Downloaded, Installed) }

// Cancelled counts the orders that were taken back.
func (s *Sim) Cancelled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cancels
}

// Calls are all requests so far.
func (s *Sim) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

func (s *Sim) find(iccid string) *profile {
	for _, p := range s.profiles {
		if p.iccid == iccid {
			return p
		}
	}
	return nil
}

// Fault is what happens to one request besides, or instead of, being served.
type Fault string

// The faults. Who hears nothing has its connection cut.
const (
	None         Fault = ""
	Silence      Fault = "silence"       // nothing happens, nothing is answered
	SilenceAfter Fault = "silence_after" // carried out; nothing is answered
	BreakAfter   Fault = "break_after"   // carried out; answered with 500
	Busy         Fault = "busy"          // not carried out; Failed, 1.2/4.4
	Execution    Fault = "execution"     // carried out; Failed, 1.2/4.2, all the same
	Expired      Fault = "expired"       // not carried out; the status Expired
	Warning      Fault = "warning"       // carried out; Executed-WithWarning
)

// Fail decides the fate of the next request of a function, such as confirmOrder.
// Further calls queue up.
func (s *Sim) Fail(function string, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[function] = append(s.faults[function], f)
}

func (s *Sim) fate(function string) Fault {
	queue := s.faults[function]
	if len(queue) == 0 {
		return None
	}
	s.faults[function] = queue[1:]
	return queue[0]
}

// ServeHTTP implements [http.Handler].
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	function, ok := strings.CutPrefix(r.URL.Path, Prefix)
	if !ok || s.serves(function) == nil {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	if err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") || !strings.HasPrefix(r.Header.Get("X-Admin-Protocol"), "gsma/rsp/v") {
		http.Error(w, "not an ES2+ request", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.calls = append(s.calls, Call{function, r.Header.Clone(), body})
	fault := s.fate(function)
	var said map[string]any
	switch fault {
	case Silence:
		s.mu.Unlock()
		panic(http.ErrAbortHandler)
	case Busy:
		said = failed("1.2", "4.4", "try again later")
	case Expired:
		said = map[string]any{"header": map[string]any{"functionExecutionStatus": map[string]any{"status": "Expired"}}}
	case None, SilenceAfter, BreakAfter, Execution, Warning:
		said = s.answer(function, body)
	}
	s.mu.Unlock()
	switch fault {
	case SilenceAfter:
		panic(http.ErrAbortHandler)
	case BreakAfter:
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	case Execution:
		said = failed("1.2", "4.2", "internal error")
	case Warning:
		said["header"] = map[string]any{"functionExecutionStatus": map[string]any{"status": "Executed-WithWarning"}}
	case None, Silence, Busy, Expired:
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("X-Admin-Protocol", r.Header.Get("X-Admin-Protocol"))
	_ = json.NewEncoder(w).Encode(said) // who hung up hears nothing
}

// question is every field of every function.
type question struct {
	Header struct {
		Requester string `json:"functionRequesterIdentifier"`
		Call      string `json:"functionCallIdentifier"`
	} `json:"header"`
	EID          string  `json:"eid"`
	ICCID        string  `json:"iccid"`
	ProfileType  string  `json:"profileType"`
	Matching     *string `json:"matchingId"`
	Confirmation string  `json:"confirmationCode"`
	Release      *bool   `json:"releaseFlag"`
	Final        string  `json:"finalProfileStatusIndicator"`
	List         []struct {
		ICCID string `json:"iccid"`
	} `json:"iccidList"`
}

func (s *Sim) serves(function string) func(question) map[string]any {
	switch function {
	case "downloadOrder":
		return s.download
	case "confirmOrder":
		return s.confirm
	case "cancelOrder":
		return s.cancel
	case "releaseProfile":
		return s.release
	case "getProfileStatus":
		if s.cfg.Status {
			return s.status
		}
	}
	return nil
}

func (s *Sim) answer(function string, body []byte) map[string]any {
	var q question
	if err := json.Unmarshal(body, &q); err != nil {
		return failed("1.6", "2.1", err.Error())
	}
	q.ICCID = bare(q.ICCID)
	switch {
	case q.Header.Requester == "" || q.Header.Call == "":
		return failed("1.6", "2.2", "header")
	case len(s.cfg.Requesters) > 0 && !slices.Contains(s.cfg.Requesters, q.Header.Requester):
		return failed("1.1", "1.1", "unknown requester")
	}
	return s.serves(function)(q)
}

// bare is an ICCID as it is kept: without the F that fills the last half of a byte.
func bare(iccid string) string { return strings.TrimRight(iccid, "Ff") }

// padded is an ICCID as it travels.
func padded(iccid string) string {
	if len(iccid) == 19 {
		return iccid + "F"
	}
	return iccid
}

func done(fields map[string]any) map[string]any {
	fields["header"] = map[string]any{"functionExecutionStatus": map[string]any{"status": "Executed-Success"}}
	return fields
}

func failed(subject, reason, message string) map[string]any {
	return map[string]any{"header": map[string]any{"functionExecutionStatus": map[string]any{
		"status": "Failed", "statusCodeData": map[string]any{"subjectCode": subject, "reasonCode": reason, "message": message},
	}}}
}

func (s *Sim) to(p *profile, st State) { p.state, p.changed = st, s.cfg.Now() }

// token is a part of a matching identifier.
func (s *Sim) token() string {
	const letters = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
	var b strings.Builder
	for range 5 {
		b.WriteByte(letters[s.cfg.Rand.IntN(len(letters))])
	}
	return b.String()
}

// download is 5.3.1.
func (s *Sim) download(q question) map[string]any {
	var p *profile
	switch {
	case q.ICCID != "":
		if p = s.find(q.ICCID); p == nil {
			return failed("8.2.1", "3.9", "unknown ICCID")
		}
		if p.state != Available {
			return failed("8.2.1", "3.3", "the profile is "+string(p.state))
		}
		if q.ProfileType != "" && q.ProfileType != p.kind {
			return failed("8.2.5", "3.8", "another type")
		}
	case q.ProfileType != "":
		known := false
		for _, other := range s.profiles {
			known = known || other.kind == q.ProfileType
			if p == nil && other.kind == q.ProfileType && other.state == Available {
				p = other
			}
		}
		if !known {
			return failed("8.2.5", "3.9", "unknown profile type")
		}
		if p == nil {
			return failed("8.2.5", "3.7", "no more profiles")
		}
	default:
		return failed("1.6", "2.3", "iccid or profileType")
	}
	s.to(p, Allocated)
	if q.EID != "" {
		p.eid = q.EID
		s.to(p, Linked)
	}
	return done(map[string]any{"iccid": padded(p.iccid)})
}

// confirm is 5.3.2.
func (s *Sim) confirm(q question) map[string]any {
	p := s.find(q.ICCID)
	open := p != nil && (p.state == Allocated || p.state == Linked)
	switch {
	case q.ICCID == "" || q.Release == nil:
		return failed("1.6", "2.2", "iccid, releaseFlag")
	case p == nil:
		return failed("8.2.1", "3.9", "unknown ICCID")
	case q.Matching != nil && strings.Trim(*q.Matching, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "":
		return failed("8.2.6", "2.1", "not a matching identifier")
	case q.Matching != nil && *q.Matching == "" && q.EID == "" && p.eid == "":
		return failed("8.1.1", "2.2", "an empty matching identifier needs an EID")
	case q.EID != "" && p.eid != "" && q.EID != p.eid:
		return failed("8.1.1", "3.10", "another EID")
	case !open && s.cfg.Repeat == SameAgain && q.Matching != nil && *q.Matching != "" && p.matching == *q.Matching:
		return done(map[string]any{"matchingId": p.matching, "smdpAddress": s.cfg.Address})
	case !open && s.cfg.Repeat == WrongState:
		return failed("8.2.1", "3.3", "the profile is "+string(p.state))
	case q.Matching != nil && s.used(*q.Matching):
		return failed("8.2.6", "3.3", "matching identifier in use")
	case !open:
		return failed("8.2.1", "3.3", "the profile is "+string(p.state))
	}
	if q.Matching == nil {
		p.matching = s.token() + "-" + s.token() + "-" + s.token() + "-" + s.token()
	} else {
		p.matching = *q.Matching
	}
	p.confirmation = q.Confirmation
	if q.EID != "" {
		p.eid = q.EID
	}
	s.to(p, Confirmed)
	if *q.Release {
		s.to(p, Released)
	}
	fields := map[string]any{"matchingId": p.matching, "smdpAddress": s.cfg.Address}
	if p.eid != "" {
		fields["eid"] = p.eid
	}
	return done(fields)
}

func (s *Sim) used(matching string) bool {
	return matching != "" && slices.ContainsFunc(s.profiles, func(p *profile) bool { return p.matching == matching })
}

// cancel is 5.3.3.
func (s *Sim) cancel(q question) map[string]any {
	p := s.find(q.ICCID)
	switch {
	case q.ICCID == "" || q.Final != "Available" && q.Final != "Unavailable":
		return failed("8.2.1", "2.2", "iccid, finalProfileStatusIndicator")
	case p == nil:
		return failed("8.2.1", "3.9", "unknown ICCID")
	case s.cfg.Repeat == WrongState && !p.cancellable():
		return failed("8.2.1", "3.3", "the profile is "+string(p.state))
	case p.eid != "" && q.EID != p.eid:
		return failed("8.1.1", "3.10", "another EID")
	case q.Matching != nil && *q.Matching != p.matching:
		return failed("8.2.6", "3.10", "another matching identifier")
	case !p.cancellable():
		return failed("8.2.1", "3.3", "the profile is "+string(p.state))
	}
	p.matching, p.eid, p.confirmation = "", "", ""
	s.cancels++
	s.to(p, State(q.Final))
	return done(map[string]any{})
}

func (p *profile) cancellable() bool {
	return slices.Contains([]State{Allocated, Linked, Confirmed, Released}, p.state)
}

// release is 5.3.4.
func (s *Sim) release(q question) map[string]any {
	p := s.find(q.ICCID)
	switch {
	case q.ICCID == "":
		return failed("1.6", "2.2", "iccid")
	case p == nil:
		return failed("8.2.1", "3.9", "unknown ICCID")
	case p.state != Confirmed:
		return failed("8.2.1", "3.5", "the profile is "+string(p.state))
	}
	s.to(p, Released)
	return done(map[string]any{})
}

// status is the vendors' own.
func (s *Sim) status(q question) map[string]any {
	list := []map[string]any{}
	for _, one := range q.List {
		p := s.find(bare(one.ICCID))
		if p == nil {
			return failed("8.2.1", "3.9", "unknown ICCID")
		}
		list = append(list, map[string]any{
			"iccid": padded(p.iccid), "state": strings.ToUpper(string(p.state)), "eid": p.eid, "acToken": p.matching, "lockFlag": false,
			"status_last_update_timestamp": p.changed.UTC().Format(time.RFC3339),
		})
	}
	return done(map[string]any{"profileStatusList": list})
}

// errGone is what a phone hears of a code that brings nothing.
func errGone(code string) error { return fmt.Errorf("es2plussim: %q brings no profile", code) }
