// Package remotesim is a remote operator in process, written from
// docs/carrier-contract.md alone: an http.Handler that keeps lines, answers the
// calls of the contract, and breaks it on request, one way at a time.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package remotesim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Flaw is one way to break the contract.
type Flaw string

// The flaws. Each is a mistake that a server's author could make.
const (
	None            Flaw = ""
	ActsTwice       Flaw = "acts twice"       // the ref is not looked at
	RacesItself     Flaw = "races itself"     // two of one ref at the same time both act
	ReusesRef       Flaw = "reuses a ref"     // the same ref with other contents is answered like the first
	TrustsAll       Flaw = "trusts all"       // signatures are not verified
	FirstSignature  Flaw = "first signature"  // only the first of several signatures is looked at
	Ageless         Flaw = "ageless"          // timestamps are not looked at
	Unsigned        Flaw = "unsigned"         // answers carry no signature
	WrongID         Flaw = "wrong id"         // answers are signed under the request's own id
	OldAnswers      Flaw = "old answers"      // answers carry the time of another day
	OneKey          Flaw = "one key"          // answers are signed with another key
	NoDays          Flaw = "no days"          // days are not checked
	NoPackage       Flaw = "no package"       // an unknown package extends by a default
	NoICCID         Flaw = "no iccid"         // the ICCID is not compared with the line
	EndedToo        Flaw = "ended too"        // ended lines are extended, against after_end_seconds
	AbsentAlways    Flaw = "absent always"    // look up never finds anything
	DoneAlways      Flaw = "done always"      // look up finds everything
	NoAsOf          Flaw = "no as_of"         // look up and status leave it out
	Tomorrow        Flaw = "tomorrow"         // status is of tomorrow
	Decimals        Flaw = "decimals"         // numbers have a point
	WrongClock      Flaw = "wrong clock"      // its clock is two minutes ahead
	Refuses500      Flaw = "refuses with 500" // a definite no is answered with a server's error
	Words           Flaw = "words"            // reasons are words of its own
	ForgetsCancel   Flaw = "forgets cancel"   // a cancelled extension is still found
	CancelsNot      Flaw = "cancels not"      // says that it can cancel, and refuses
	TooSoon         Flaw = "too soon"         // settles within a minute, against its own freshness
	UnknownCalls    Flaw = "unknown calls"    // answers 200 to words that it does not know
	StrictMembers   Flaw = "strict members"   // refuses members that it does not know
	AnswersVary     Flaw = "answers vary"     // the same ref gets another receipt each time
	IssuesTwice     Flaw = "issues twice"     // the ref of a new line is not looked at
	ReusesIssue     Flaw = "reuses an issue"  // the same ref for another new line is answered like the first
	ForgetsIssue    Flaw = "forgets an issue" // a new line is never found
	NoCode          Flaw = "no code"          // a new line cannot be installed
	WithdrawsAny    Flaw = "withdraws any"    // whether the ref made the line is not looked at
	WithdrawsOnce   Flaw = "withdraws once"   // what was taken back is refused the second time
	WithdrawsNot    Flaw = "withdraws not"    // says that it takes new lines back, and refuses
	ForgetsWithdraw Flaw = "forgets withdraw" // a line that was taken back is still there
)

// Flaws are all flaws but None.
var Flaws = []Flaw{
	ActsTwice, RacesItself, ReusesRef, TrustsAll, FirstSignature, Ageless, Unsigned, WrongID, OldAnswers, OneKey, NoDays, NoPackage,
	NoICCID, EndedToo, AbsentAlways, DoneAlways, NoAsOf, Tomorrow, Decimals, WrongClock, Refuses500, Words, ForgetsCancel, CancelsNot,
	TooSoon, UnknownCalls, StrictMembers, AnswersVary, IssuesTwice, ReusesIssue, ForgetsIssue, NoCode,
	WithdrawsAny, WithdrawsOnce, WithdrawsNot, ForgetsWithdraw,
}

// Line is one line at the operator.
type Line struct {
	ID, ICCID    string
	Starts, Ends time.Time // a line that has not begun has no start, and ends when it can no longer be installed
	Total, Used  int64

	known []figure // of a delay
	Lasts int64    // days from its first use on, of one that has not begun

	installed, gone bool // of a new one: a phone has it; it was taken back
}

// Package is something that it sells.
type Package struct {
	Code   string
	Bytes  int64
	Days   int64
	PerDay bool
	New    bool  // comes with a new line
	Cost   int64 // units of which 10000 are a dollar; 0: 45000
}

// Sim is one remote operator. It is safe for concurrent use; its fields are set
// before.
type Sim struct {
	Key      []byte // the bytes of the shared key
	Now      func() time.Time
	Flaw     Flaw
	Packages []Package     // with one for new lines it sells these
	Balance  int64         // units as of a cost; 0: 12500000
	Making   time.Duration // how long a new line takes; 0: it is there at once

	UsageDelay time.Duration // how old its figures of use are
	Queues     bool          // what is extended waits for the line's end

	mu     sync.Mutex
	lines  map[string]*Line
	asked  map[string]*request
	acts   map[string]int // how often something was done for a ref, also what was taken back
	orders []*order       // of new lines, the oldest first
	bells  []map[string]any
	n      int
	refuse []string        // why the next extends are turned away
	slow   []time.Duration // how much later the next are carried out
	later  []late
	mute   int // of the next withdraws nobody hears what came
	back   int // new lines that were taken back
}

// request is what is kept of one ref.
type request struct {
	what    string // line, package and days
	line    string
	days    int64
	bytes   int64
	times   int // carried out and not taken back
	receipt map[string]any
	order   *order // of a new line; nil: an extension
}

// Add puts a line on the operator's books.
func (s *Sim) Add(l Line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open()
	s.lines[l.ID] = &l
}

func (s *Sim) open() {
	if s.lines == nil {
		s.lines, s.asked, s.acts = map[string]*Line{}, map[string]*request{}, map[string]int{}
	}
}

// Extended is how often a line was extended by refs that accept takes.
func (s *Sim) Extended(line string, accept func(ref string) bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.overdue()
	n := 0
	for ref, r := range s.asked {
		if r.line == line && accept(ref) {
			n += r.times
		}
	}
	return n
}

// Acts is how often the operator did something for each ref: extended a line, or took
// an order of a new one. What was taken back later is counted, too.
func (s *Sim) Acts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open()
	s.overdue()
	return maps.Clone(s.acts)
}

// By extends a line as the seller's staff can at the operator's own site.
func (s *Sim) By(line, pkg string, days int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	for _, p := range s.Packages {
		if p.Code == pkg {
			s.act(fmt.Sprintf("by_hand_%d", s.n), s.lines[line], p, days)
		}
	}
}

const mostBody = 64 << 10

// ServeHTTP implements [http.Handler].
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, mostBody+1))
	if err != nil {
		return
	}
	if len(body) > mostBody {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if r.Method != http.MethodPost || !s.verified(r.Header, body) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var q question
	var shape map[string]json.RawMessage
	if json.Unmarshal(body, &shape) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	_ = json.Unmarshal(shape["call"], &q.Call) // what is no word is no call
	words := []string{"capabilities", "health", "extend", "lookup", "status", "cancel", "packages", "balance"}
	if s.issues() {
		words = append(words, "issue", "lookup_issue", "withdraw", "lookup_withdraw")
	}
	if !slices.Contains(words, q.Call) && s.Flaw != UnknownCalls {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var answer map[string]any
	if err := json.Unmarshal(body, &q); err != nil {
		answer = refused("bad_request", "a member has another type")
	} else if _, odd := shape["x_unknown"]; odd && s.Flaw == StrictMembers {
		answer = refused("bad_request", "an unknown member")
	} else {
		answer = s.answer(q)
	}
	if answer["outcome"] == "refused" && s.Flaw == Refuses500 {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	answer["answer"] = q.Call
	s.say(w, r.Header.Get("Webhook-Id"), answer)
}

// question is a request's body. Days are kept as they were written.
type question struct {
	Call    string      `json:"call"`
	Ref     string      `json:"ref"`
	Line    *lineName   `json:"line"`
	Package string      `json:"package"`
	Days    json.Number `json:"days"`
}

type lineName struct {
	ID    string `json:"id"`
	ICCID string `json:"iccid"`
}

func (s *Sim) answer(q question) map[string]any {
	if s.Flaw == RacesItself && q.Call == "extend" {
		return s.extendRacing(q)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.overdue()
	s.open()
	switch q.Call {
	case "issue":
		return s.issue(q)
	case "lookup_issue":
		return s.lookUpIssue(q)
	case "withdraw":
		return s.withdraw(q)
	case "lookup_withdraw":
		return s.lookUpWithdraw(q)
	case "capabilities":
		return s.capabilities()
	case "health":
		return map[string]any{"ok": true, "now": stamp(s.now())}
	case "extend":
		if answer := s.troubled(q); answer != nil {
			return answer
		}
		return s.extend(q)
	case "lookup":
		return s.lookUp(q)
	case "status":
		return s.status(q)
	case "cancel":
		return s.cancel(q)
	case "packages":
		return s.sells()
	case "balance":
		return map[string]any{"balance": s.cost(cmp.Or(s.Balance, 12_500_000))}
	}
	return map[string]any{} // with UnknownCalls
}

func (s *Sim) capabilities() map[string]any {
	settles := 900
	if s.Flaw == TooSoon {
		settles = 60
	}
	mode := "extend"
	if s.Queues {
		mode = "queue"
	}
	return map[string]any{
		"contract": 1, "modes": []string{mode}, "after_end_seconds": 0, "active_only": false, "per_day": true, "cancel": true, "issues": s.issues(), "withdraws": s.issues(),
		"usage_delay_seconds": int64(s.UsageDelay / time.Second), "settles_within_seconds": settles, "calls_per_second": 50,
	}
}

// issues reports whether new lines are sold.
func (s *Sim) issues() bool {
	return slices.ContainsFunc(s.Packages, func(p Package) bool { return p.New })
}

func (s *Sim) sells() map[string]any {
	var all []map[string]any
	for _, p := range s.Packages {
		all = append(all, map[string]any{
			"code": p.Code, "name": "the package " + p.Code, "cost": s.cost(cmp.Or(p.Cost, 45000)), "bytes": p.Bytes, "days": p.Days,
			"per_day": p.PerDay, "new": p.New, "as_of": stamp(s.Now().Add(-time.Minute)),
		})
	}
	return map[string]any{"packages": all}
}

func (s *Sim) cost(units int64) map[string]any {
	return map[string]any{"units": s.number(units), "scale": 10000, "currency": "USD"}
}

// number is how it writes a whole number.
func (s *Sim) number(n int64) any {
	if s.Flaw == Decimals {
		return json.RawMessage(strconv.FormatInt(n, 10) + ".0")
	}
	return n
}

func (s *Sim) now() time.Time {
	if s.Flaw == WrongClock {
		return s.Now().Add(2 * time.Minute)
	}
	return s.Now()
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
