// Package carriersim is an operator in process: it implements the port itself,
// without a wire, keeps our references, and misbehaves on request. The demo
// uses it for operators that have no adapter of their own, the bench because it
// answers at once, and tests because every fault of the port can be had.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package carriersim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// Fault is what happens to one extension.
type Fault string

// The faults.
const (
	None        Fault = ""
	Refuse      Fault = "refuse"       // a definite no
	NotSent     Fault = "not_sent"     // never reached the operator
	LoseRequest Fault = "lose_request" // silence; nothing happened
	LoseAnswer  Fault = "lose_answer"  // silence; it happened
	ActLater    Fault = "act_later"    // silence; it happens at Deliver
)

// Faults are all faults but None.
var Faults = []Fault{Refuse, NotSent, LoseRequest, LoseAnswer, ActLater}

// Sim is one operator. Its exported fields are set before first use; it is safe
// for concurrent use then.
type Sim struct {
	Title string           // the adapter's name; empty: "sim"
	Now   func() time.Time // the clock

	// Sells is what it sells, to lines that were [Sim.Set]. nil: whatever it is
	// asked for, to whatever line.
	Sells []carrier.Package

	// Choose decides the fate of each extension; nil means None. It is called
	// under the operator's lock.
	Choose func(carrier.Extension) Fault

	// Meanwhile, if not nil, is called while an extension is under way: after
	// the operator acted, or will not, and before the caller hears. A test lets
	// another worker look at that worst moment.
	Meanwhile func(carrier.Extension)

	// ChooseIssue and MeanwhileIssue are the same two for orders of new profiles.
	ChooseIssue    func(carrier.Purchase) Fault
	MeanwhileIssue func(carrier.Purchase)

	// Making is how long it takes to make a profile once its order is accepted.
	Making time.Duration

	// Lag is how long ago it was what a look-up shows, although it does not say so;
	// nil: it shows what is. With what is done late it must stay below Settles.
	Lag func() time.Duration

	// Settles is what Abilities say about SettlesWithin; 0: 30 s.
	Settles time.Duration

	mu     sync.Mutex
	lines  map[string]carrier.Status
	done   map[string]deed // by reference; a second of the same has "#2" after it
	times  map[string]int  // how often each reference was carried out
	later  []carrier.Extension
	asked  map[string]int
	silent bool

	purchases   map[string][]*purchase // by reference
	laterIssues []carrier.Purchase
	laterBacks  []carrier.Profile
	sold        int      // purchases in all; numbers the next
	back        []string // profiles that were taken back
}

// deed is an extension that was carried out.
type deed struct {
	profile string
	receipt carrier.Receipt
}

var _ carrier.Carrier = (*Sim)(nil)

// afterEnd is how long after its end the operator still feeds a line.
const afterEnd = 365 * 24 * time.Hour

// Name implements [carrier.Carrier].
func (s *Sim) Name() string {
	if s.Title == "" {
		return "sim"
	}
	return s.Title
}

// Abilities implements [carrier.Carrier].
func (s *Sim) Abilities() carrier.Abilities {
	settles := s.Settles
	if settles == 0 {
		settles = 30 * time.Second
	}
	return carrier.Abilities{
		Modes:    []carrier.Mode{carrier.ModeExtend, carrier.ModeQueue, carrier.ModeParallel, carrier.ModeSameDay},
		AfterEnd: afterEnd, PerDay: true, Cancel: true, SettlesWithin: settles, RatePerSecond: 1000, KeepsRef: true, Issues: true, Withdraws: true,
	}
}

// Set says how the operator sees a line. A line that was never set is unknown
// to Status, and is extended all the same unless the operator has a list of
// what it Sells.
func (s *Sim) Set(profile string, st carrier.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lines == nil {
		s.lines = map[string]carrier.Status{}
	}
	s.lines[profile] = st
}

// Silence makes every call go unanswered, and without effect, or ends that.
func (s *Sim) Silence(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = on
}

// Prepare implements [carrier.Carrier]. The operator keeps our references, so
// there is nothing to remember.
func (s *Sim) Prepare(ctx context.Context, e carrier.Extension) (carrier.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.unread(ctx); err != nil {
		return nil, err
	}
	if no := s.refusal(e); no != nil {
		return nil, no
	}
	return nil, nil
}

// unread is why a call that changes nothing gets no answer, or nil.
func (s *Sim) unread(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", carrier.ErrNotSent, ctx.Err())
	case s.silent:
		return fmt.Errorf("%w: the simulated operator is silent", carrier.ErrNotSent)
	}
	return nil
}

// refusal is why the operator does not extend, or nil.
func (s *Sim) refusal(e carrier.Extension) *carrier.Refusal {
	st, known := s.lines[e.Profile.ID]
	sold := s.Sells == nil || slices.ContainsFunc(s.Sells, func(p carrier.Package) bool { return p.Code == e.Package })
	switch {
	case !known && s.Sells != nil:
		return &carrier.Refusal{Reason: carrier.LineUnknown, Code: "absent", Text: "no such line"}
	case st.State == carrier.LineDead:
		return &carrier.Refusal{Reason: carrier.LineTerminal, Code: "dead", Text: "the simulated line is dead"}
	case st.State == carrier.LineIsOver && !st.EndsAt.IsZero() && !s.Now().Before(st.EndsAt.Add(afterEnd)):
		return &carrier.Refusal{Reason: carrier.LineEnded, Code: "ended", Text: "the simulated line ended too long ago"}
	case !sold:
		return &carrier.Refusal{Reason: carrier.PackageGone, Code: "package", Text: "no such package"}
	}
	return nil
}

// Extend implements [carrier.Carrier].
func (s *Sim) Extend(ctx context.Context, e carrier.Extension) (carrier.Receipt, error) {
	if ctx.Err() != nil {
		return carrier.Receipt{}, fmt.Errorf("%w: %w", carrier.ErrNotSent, ctx.Err())
	}
	r, err := s.extend(e)
	if s.Meanwhile != nil {
		s.Meanwhile(e)
	}
	if err == nil && ctx.Err() != nil {
		return carrier.Receipt{}, fmt.Errorf("%w: the caller left: %w", carrier.ErrUnknown, ctx.Err())
	}
	return r, err
}

func (s *Sim) extend(e carrier.Extension) (carrier.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked == nil {
		s.asked = map[string]int{}
	}
	s.asked[e.Ref]++
	fault := None
	if s.Choose != nil {
		fault = s.Choose(e)
	}
	no := s.refusal(e)
	switch {
	case s.silent:
		return carrier.Receipt{}, fmt.Errorf("%w: the simulated operator is silent", carrier.ErrUnknown)
	case no != nil && (fault == None || fault == Refuse):
		return carrier.Receipt{}, no
	}
	switch fault {
	case None:
		return s.act(e), nil
	case Refuse:
		return carrier.Receipt{}, &carrier.Refusal{Reason: carrier.OperatorRefuses, Code: "no", Text: "the simulated operator refuses"}
	case NotSent:
		return carrier.Receipt{}, fmt.Errorf("%w: no connection", carrier.ErrNotSent)
	case LoseRequest:
		return carrier.Receipt{}, fmt.Errorf("%w: request lost", carrier.ErrUnknown)
	case ActLater:
		s.later = append(s.later, e)
		return carrier.Receipt{}, fmt.Errorf("%w: no answer in time", carrier.ErrUnknown)
	case LoseAnswer:
		if no == nil {
			s.act(e)
		}
		return carrier.Receipt{}, fmt.Errorf("%w: answer lost", carrier.ErrUnknown)
	}
	panic("carriersim: unknown fault " + string(fault))
}

// act carries an extension out. An operator that is asked twice acts twice:
// that is what callers must not let happen.
func (s *Sim) act(e carrier.Extension) carrier.Receipt {
	if s.done == nil {
		s.done, s.times = map[string]deed{}, map[string]int{}
	}
	s.times[e.Ref]++
	ref := e.Ref
	for n := 2; ; n++ {
		if _, again := s.done[ref]; !again {
			break
		}
		ref = fmt.Sprintf("%s#%d", e.Ref, n)
	}
	r := carrier.Receipt{Ref: "op-" + ref, StartsAt: s.Now()}
	s.done[ref] = deed{e.Profile.ID, r}
	return r
}

// Deliver carries out what was to be carried out later, in order, and says how
// much that was. What the operator refuses by then is dropped.
func (s *Sim) Deliver() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, e := range s.later {
		if s.refusal(e) == nil {
			s.act(e)
			n++
		}
	}
	s.later = nil
	for _, p := range s.laterIssues {
		if s.unsold(p.Package) == nil {
			s.sell(p)
			n++
		}
	}
	for _, p := range s.laterBacks {
		if s.takeBack(p) == nil {
			n++
		}
	}
	s.laterIssues, s.laterBacks = nil, nil
	return n
}

// LookUp implements [carrier.Carrier].
func (s *Sim) LookUp(ctx context.Context, e carrier.Extension) (carrier.Reading, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.unread(ctx); err != nil {
		return carrier.Reading{}, err
	}
	began := s.Now()
	shown := began
	if s.Lag != nil {
		shown = began.Add(-s.Lag())
	}
	if d, ok := s.done[e.Ref]; ok && !d.receipt.StartsAt.After(shown) {
		return carrier.Reading{Found: carrier.FoundDone, Receipt: d.receipt, AsOf: began, Why: "found by reference"}, nil
	}
	return carrier.Reading{Found: carrier.FoundAbsent, AsOf: began, Why: "no such reference"}, nil
}

// Cancel implements [carrier.Carrier].
func (s *Sim) Cancel(ctx context.Context, e carrier.Extension) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", carrier.ErrNotSent, ctx.Err())
	case s.silent:
		return fmt.Errorf("%w: the simulated operator is silent", carrier.ErrUnknown)
	}
	if _, ok := s.done[e.Ref]; !ok {
		return &carrier.Refusal{Reason: carrier.LineUnknown, Code: "absent", Text: "no such extension"}
	}
	delete(s.done, e.Ref)
	s.times[e.Ref]--
	return nil
}

// Status implements [carrier.Carrier].
func (s *Sim) Status(ctx context.Context, p carrier.Profile) (carrier.Status, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.unread(ctx); err != nil {
		return carrier.Status{}, err
	}
	st, ok := s.lines[p.ID]
	if !ok {
		return carrier.Status{}, &carrier.Refusal{Reason: carrier.LineUnknown, Code: "absent", Text: "no such line"}
	}
	return st, nil
}

// Packages implements [carrier.Carrier]: what it Sells, whatever the line.
func (s *Sim) Packages(ctx context.Context, _ carrier.Profile) ([]carrier.Package, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.Sells), s.unread(ctx)
}

// Balance implements [carrier.Carrier]. It is never used up.
func (s *Sim) Balance(ctx context.Context) (carrier.Cost, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return carrier.Cost{Units: 1_000_000, Scale: 100, Currency: "USD"}, s.unread(ctx)
}

// Notification implements [carrier.Carrier]: {"line": id, "event": word}.
func (s *Sim) Notification(_ http.Header, body []byte) (carrier.Doorbell, error) {
	var n struct{ Line, Event string }
	if err := json.Unmarshal(body, &n); err != nil {
		return carrier.Doorbell{}, &carrier.Refusal{Reason: carrier.BadRequest, Code: "json", Text: err.Error()}
	}
	sum := sha256.Sum256(body)
	return carrier.Doorbell{EventID: hex.EncodeToString(sum[:]), Kind: n.Event, Profile: carrier.Profile{ID: n.Line}}, nil
}

// Extended reports how often the extension with this reference was carried out
// and not cancelled since.
func (s *Sim) Extended(ref string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.times[ref]
}

// Extensions reports how often a line was extended, by whatever references.
func (s *Sim) Extensions(profile string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, d := range s.done {
		if d.profile == profile {
			n++
		}
	}
	return n
}

// Asked is how often Extend was called with this reference.
func (s *Sim) Asked(ref string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[ref]
}

// Refs are the references of everything that was carried out, sorted.
func (s *Sim) Refs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var refs []string
	for ref := range s.done {
		refs = append(refs, ref)
	}
	slices.Sort(refs)
	return refs
}
