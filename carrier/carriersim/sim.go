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

// Sim is one operator. Its exported fields are set before first use.
type Sim struct {
	Title string           // the adapter's name; empty: "sim"
	Now   func() time.Time // the clock

	// Choose decides the fate of each extension; nil means None.
	Choose func(carrier.Extension) Fault

	// Meanwhile is called while an extension is under way; nil: nobody looks.
	Meanwhile func(carrier.Extension)

	// Settles is what Abilities say about SettlesWithin; 0: 30 s.
	Settles time.Duration

	mu     sync.Mutex
	lines  map[string]carrier.Status
	done   map[string]carrier.Receipt
	later  []carrier.Extension
	asked  map[string]int
	silent bool
}

var _ carrier.Carrier = (*Sim)(nil)

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
		AfterEnd: 365 * 24 * time.Hour, PerDay: true, Cancel: true, SettlesWithin: settles, RatePerSecond: 1000, KeepsRef: true,
	}
}

// Set says how the operator sees a line. A line that was never set is unknown
// to LineStatus and is extended all the same.
func (s *Sim) Set(profile string, st carrier.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lines == nil {
		s.lines = map[string]carrier.Status{}
	}
	s.lines[profile] = st
}

// Silence makes every call go unanswered, or ends that.
func (s *Sim) Silence(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = on
}

// Prepare implements [carrier.Carrier]. The operator keeps our references, so
// there is nothing to remember.
func (s *Sim) Prepare(_ context.Context, e carrier.Extension) (carrier.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.silent {
		return nil, fmt.Errorf("%w: the simulated operator is silent", carrier.ErrNotSent)
	}
	if st, ok := s.lines[e.Profile.ID]; ok && st.State == carrier.LineDead {
		return nil, &carrier.Refusal{Reason: carrier.LineTerminal, Code: "dead", Text: "the simulated line is dead"}
	}
	return nil, nil
}

// Extend implements [carrier.Carrier].
func (s *Sim) Extend(ctx context.Context, e carrier.Extension) (carrier.Receipt, error) {
	fault, silent := s.fate(e)
	if s.Meanwhile != nil {
		s.Meanwhile(e)
	}
	if silent {
		return carrier.Receipt{}, fmt.Errorf("%w: the simulated operator is silent", carrier.ErrUnknown)
	}
	switch fault {
	case Refuse:
		return carrier.Receipt{}, &carrier.Refusal{Reason: carrier.OperatorRefuses, Code: "no", Text: "the simulated operator refuses"}
	case NotSent:
		return carrier.Receipt{}, fmt.Errorf("%w: no connection", carrier.ErrNotSent)
	case LoseRequest:
		return carrier.Receipt{}, fmt.Errorf("%w: request lost", carrier.ErrUnknown)
	case ActLater:
		s.mu.Lock()
		s.later = append(s.later, e)
		s.mu.Unlock()
		return carrier.Receipt{}, fmt.Errorf("%w: no answer in time", carrier.ErrUnknown)
	case LoseAnswer:
		s.act(e)
		return carrier.Receipt{}, fmt.Errorf("%w: answer lost", carrier.ErrUnknown)
	case None:
	}
	return s.act(e), ctx.Err()
}

func (s *Sim) fate(e carrier.Extension) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked == nil {
		s.asked = map[string]int{}
	}
	s.asked[e.Ref]++
	if s.Choose == nil {
		return None, s.silent
	}
	return s.Choose(e), s.silent
}

// act carries an extension out. An operator that is asked twice acts twice:
// that is what callers must not let happen.
func (s *Sim) act(e carrier.Extension) carrier.Receipt {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil {
		s.done = map[string]carrier.Receipt{}
	}
	ref := e.Ref
	for n := 2; ; n++ {
		if _, again := s.done[ref]; !again {
			break
		}
		ref = fmt.Sprintf("%s#%d", e.Ref, n)
	}
	r := carrier.Receipt{Ref: "op-" + ref, StartsAt: s.Now()}
	s.done[ref] = r
	return r
}

// Deliver carries out what was to be carried out later, and says how much.
func (s *Sim) Deliver() int {
	s.mu.Lock()
	later := s.later
	s.later = nil
	s.mu.Unlock()
	for _, e := range later {
		s.act(e)
	}
	return len(later)
}

// LookUp implements [carrier.Carrier].
func (s *Sim) LookUp(_ context.Context, e carrier.Extension) (carrier.Reading, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.silent {
		return carrier.Reading{}, fmt.Errorf("%w: the simulated operator is silent", carrier.ErrNotSent)
	}
	if r, ok := s.done[e.Ref]; ok {
		return carrier.Reading{Found: carrier.FoundDone, Receipt: r, AsOf: s.Now(), Why: "found by reference"}, nil
	}
	return carrier.Reading{Found: carrier.FoundAbsent, AsOf: s.Now(), Why: "no such reference"}, nil
}

// Cancel implements [carrier.Carrier].
func (s *Sim) Cancel(_ context.Context, e carrier.Extension) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.done[e.Ref]; !ok {
		return &carrier.Refusal{Reason: carrier.LineUnknown, Code: "absent", Text: "no such extension"}
	}
	delete(s.done, e.Ref)
	return nil
}

// Status implements [carrier.Carrier].
func (s *Sim) Status(_ context.Context, p carrier.Profile) (carrier.Status, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, ok := s.lines[p.ID]
	if !ok {
		return carrier.Status{}, &carrier.Refusal{Reason: carrier.LineUnknown, Code: "absent", Text: "no such line"}
	}
	return st, nil
}

// Packages implements [carrier.Carrier]: this operator sells whatever it is asked for.
func (s *Sim) Packages(context.Context, carrier.Profile) ([]carrier.Package, error) { return nil, nil }

// Balance implements [carrier.Carrier].
func (s *Sim) Balance(context.Context) (carrier.Cost, error) {
	return carrier.Cost{Units: 1_000_000, Scale: 100, Currency: "USD"}, nil
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

// Extended reports how often the extension with this reference was carried out.
func (s *Sim) Extended(ref string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for k := range s.done {
		if k == ref || len(k) > len(ref) && k[:len(ref)+1] == ref+"#" {
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
