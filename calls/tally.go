package calls

import (
	"cmp"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/metrics"
)

// Call is one kind of call to an operator.
type Call string

// The calls of the port.
const (
	CallPrepare     Call = "prepare"
	CallExtend      Call = "extend"
	CallLookUp      Call = "look_up"
	CallCancel      Call = "cancel"
	CallStatus      Call = "status"
	CallPackages    Call = "packages"
	CallBalance     Call = "balance"
	CallHealth      Call = "health"
	CallIssue       Call = "issue"
	CallLookUpIssue Call = "look_up_issue"
)

// Outcome is what came of a call.
type Outcome string

// The outcomes.
const (
	Done       Outcome = "done"
	Refused    Outcome = "refused"     // the operator said no
	Silent     Outcome = "silent"      // no answer, or none that makes sense
	CallerLeft Outcome = "caller_left" // who asked did not wait for the answer
	NoRoom     Outcome = "no_room"     // turned away here, because the budget was spent
	LeftAlone  Outcome = "left_alone"  // turned away here, because of the brake
)

// tally is what came of the calls of one kind since the process began.
type tally struct {
	outcomes map[Outcome]int64
	took     metrics.Histogram // of those that were made
}

func (t *tally) ended(o Outcome, took time.Duration) {
	t.outcomes[o]++
	t.took.Note(took)
}

// of is the tally of a kind of call; o's lock is held.
func (o *Operator) of(c Call) *tally {
	t := o.tally[c]
	if t == nil {
		t = &tally{outcomes: map[Outcome]int64{}}
		o.tally[c] = t
	}
	return t
}

// Tally is what came of the calls of one kind to one operator.
type Tally struct {
	Call     Call
	Outcomes map[Outcome]int64
	Took     metrics.Histogram
}

// Tallies are what came of all calls since the process began, by kind.
func (o *Operator) Tallies() []Tally {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := make([]Tally, 0, len(o.tally))
	for c, t := range o.tally {
		out := map[Outcome]int64{}
		for k, n := range t.outcomes {
			out[k] = n
		}
		all = append(all, Tally{c, out, t.took})
	}
	slices.SortFunc(all, func(a, b Tally) int { return cmp.Compare(a.Call, b.Call) })
	return all
}
