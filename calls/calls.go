// Package calls plans the calls to an operator, so that no line goes dark while
// the operator's limits are spent on lines with days left, and so that an operator
// that is slow or silent costs nobody else time.
//
// An [Operator] is an adapter with three things around it, of which the adapter
// knows nothing:
//
//   - a budget: how many calls may begin in how much time, in all and about one
//     line, and how many may be under way (budget.go);
//   - a plan: which of the orders that wait are begun now, by earliest deadline,
//     and how many figures may be refreshed beside them (plan.go);
//   - a brake: an operator that does not answer is left alone for a while, and then
//     asked one question (brake.go).
//
// Nothing here waits. Who works on orders asks for a [Grant] before it claims a
// row, and leaves the others due; who has none is let through where there is room
// or gets [carrier.ErrNotSent] at once. So the same questions at the same instants
// get the same answers, whether a server asks or a simulation.
//
// A budget is one process's. Several of them on one database share an operator by
// each having a part of its limits.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package calls

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// Operator is an adapter whose calls are planned. It is safe for concurrent use.
type Operator struct {
	carrier.Carrier
	budget Budget
	now    func() time.Time

	mu     sync.Mutex
	meter  meter
	lines  map[carrier.Profile]*meter
	brake  brake
	queue  queue
	totals Totals
	tally  map[Call]*tally

	released chan struct{}
}

// Totals count calls since the process began.
type Totals struct {
	Calls   int // that began
	Silent  int // without an answer
	Refused int // that the operator said no to: an answer
	NoRoom  int // turned away here, because the budget was spent
	Braked  int // turned away here, because of the brake
}

var (
	_ carrier.Issuer       = (*Operator)(nil)
	_ carrier.HealthTeller = (*Operator)(nil)
	_ carrier.Reserver     = (*Operator)(nil)
	_ carrier.Withdrawer   = (*Operator)(nil)
)

// New puts a plan around an adapter. now is the clock of both.
func New(c carrier.Carrier, b Budget, now func() time.Time) *Operator {
	b = b.usable(c.Abilities())
	return &Operator{
		Carrier: c, budget: b, now: now, meter: meter{rules: b.Rules, atOnce: b.AtOnce}, lines: map[carrier.Profile]*meter{},
		tally: map[Call]*tally{}, released: make(chan struct{}, 1),
	}
}

// Budget is what the operator's calls are planned under.
func (o *Operator) Budget() Budget { return o.budget }

// Seen is how an operator stands, for staff.
type Seen struct {
	State  State
	Since  time.Time // zero: since the process began
	Until  time.Time // of a braked one: when it is asked again
	Why    string    // what was seen; empty of one that is well
	Totals Totals
}

// Look says how the operator stands now.
func (o *Operator) Look() Seen {
	o.mu.Lock()
	defer o.mu.Unlock()
	return Seen{State: o.brake.state, Since: o.brake.since, Until: o.brake.until, Why: o.brake.why, Totals: o.totals}
}

// kind is what a call does, as far as that matters here.
type kind int

const (
	reads   kind = iota // changes nothing
	begins              // is the first call of an order: who waits in line comes before it
	follows             // is a later one, or takes something back
)

// errNoRoom and errBraked are why a call was turned away here.
var (
	errNoRoom = errors.New("the budget of calls is spent")
	errBraked = errors.New("it did not answer, and is left alone")
)

// call lets one call of the adapter through, under ctx's grant or where there is
// room now, and notes what came of it. requests is how many requests it makes.
func call[T any](o *Operator, ctx context.Context, c Call, k kind, about carrier.Profile, requests int, ask func() (T, error)) (T, error) {
	var none T
	if requests == 0 {
		return ask() // the adapter asks nobody
	}
	began, err := o.admit(grantOf(ctx), c, k, about, requests)
	if err != nil {
		return none, fmt.Errorf("%w: %s: %w", carrier.ErrNotSent, o.Name(), err)
	}
	answer, err := ask()
	o.heard(c, began, requests, err, errors.Is(ctx.Err(), context.Canceled))
	return answer, err
}

// admit spends the budget of a call that begins now.
func (o *Operator) admit(g *Grant, c Call, k kind, about carrier.Profile, n int) (began time.Time, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	if !o.brake.lets(now, k == reads) {
		o.totals.Braked++
		o.of(c).outcomes[LeftAlone]++
		return now, errBraked
	}
	line := o.ofLine(about, now)
	if line != nil && line.room(now) < n {
		o.totals.NoRoom++
		o.of(c).outcomes[NoRoom]++
		o.brake.unheard()
		return now, fmt.Errorf("%w: for this line", errNoRoom)
	}
	switch {
	case g.use(o, n):
		o.meter.promised -= n
	case k == begins && (o.queue.waits(now) || o.meter.room(now) < o.budget.order()), o.meter.room(now) < n:
		o.totals.NoRoom++
		o.of(c).outcomes[NoRoom]++
		o.brake.unheard()
		return now, errNoRoom
	}
	o.meter.begin(now, n)
	if line != nil {
		line.begin(now, n)
		line.underWay = 0 // of a line only its rules count
	}
	o.totals.Calls += n
	return now, nil
}

// heard notes what came of a call. Whose caller has left says nothing about the
// operator.
func (o *Operator) heard(c Call, began time.Time, n int, err error, left bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	o.meter.underWay -= n
	_, refused := errors.AsType[*carrier.Refusal](err)
	probed := o.brake.state == Probing
	outcome := Done
	switch {
	case left && err != nil:
		outcome = CallerLeft
		o.brake.unheard()
	case err == nil:
		o.brake.answered(now, now.Sub(began))
	case refused:
		outcome = Refused
		o.totals.Refused++
		o.brake.answered(now, now.Sub(began))
	default:
		outcome = Silent
		o.totals.Silent++
		o.brake.silent(now, err)
	}
	o.of(c).ended(outcome, now.Sub(began))
	if probed && o.brake.state == Well {
		o.release()
	}
}

// ofLine is what was spent on one line; nil where no rule is about lines.
func (o *Operator) ofLine(p carrier.Profile, now time.Time) *meter {
	if len(o.budget.EachLine) == 0 || p == (carrier.Profile{}) {
		return nil
	}
	if m := o.lines[p]; m != nil {
		return m
	}
	if len(o.lines) >= mostLines {
		for p, m := range o.lines {
			if m.idle(now) {
				delete(o.lines, p)
			}
		}
	}
	m := &meter{rules: o.budget.EachLine}
	o.lines[p] = m
	return m
}

// mostLines is how many lines are remembered before those without a recent call are
// forgotten.
const mostLines = 10_000

// Prepare implements [carrier.Carrier].
func (o *Operator) Prepare(ctx context.Context, e carrier.Extension) (carrier.Snapshot, error) {
	return call(o, ctx, CallPrepare, begins, e.Profile, o.budget.Costs.Prepare, func() (carrier.Snapshot, error) { return o.Carrier.Prepare(ctx, e) })
}

// Extend implements [carrier.Carrier].
func (o *Operator) Extend(ctx context.Context, e carrier.Extension) (carrier.Receipt, error) {
	k := follows
	if o.budget.Costs.Prepare == 0 {
		k = begins
	}
	return call(o, ctx, CallExtend, k, e.Profile, o.budget.Costs.Extend, func() (carrier.Receipt, error) { return o.Carrier.Extend(ctx, e) })
}

// LookUp implements [carrier.Carrier].
func (o *Operator) LookUp(ctx context.Context, e carrier.Extension) (carrier.Reading, error) {
	return call(o, ctx, CallLookUp, reads, e.Profile, o.budget.Costs.LookUp, func() (carrier.Reading, error) { return o.Carrier.LookUp(ctx, e) })
}

// Cancel implements [carrier.Carrier].
func (o *Operator) Cancel(ctx context.Context, e carrier.Extension) error {
	_, err := call(o, ctx, CallCancel, follows, e.Profile, 1, func() (struct{}, error) { return struct{}{}, o.Carrier.Cancel(ctx, e) })
	return err
}

// Status implements [carrier.Carrier].
func (o *Operator) Status(ctx context.Context, p carrier.Profile) (carrier.Status, error) {
	return call(o, ctx, CallStatus, reads, p, o.budget.Costs.Status, func() (carrier.Status, error) { return o.Carrier.Status(ctx, p) })
}

// Packages implements [carrier.Carrier].
func (o *Operator) Packages(ctx context.Context, p carrier.Profile) ([]carrier.Package, error) {
	return call(o, ctx, CallPackages, reads, p, 1, func() ([]carrier.Package, error) { return o.Carrier.Packages(ctx, p) })
}

// Balance implements [carrier.Carrier].
func (o *Operator) Balance(ctx context.Context) (carrier.Cost, error) {
	return call(o, ctx, CallBalance, reads, carrier.Profile{}, 1, func() (carrier.Cost, error) { return o.Carrier.Balance(ctx) })
}

// Health implements [carrier.HealthTeller] for every operator, see [carrier.Ask].
func (o *Operator) Health(ctx context.Context) (carrier.Health, error) {
	return call(o, ctx, CallHealth, reads, carrier.Profile{}, 1, func() (carrier.Health, error) { return carrier.Ask(ctx, o.Carrier) })
}

// Reserve implements [carrier.Reserver]; ask Abilities whether the adapter does.
func (o *Operator) Reserve(ctx context.Context, p carrier.Purchase) (carrier.Snapshot, error) {
	r, ok := o.Carrier.(carrier.Reserver)
	if !ok {
		return nil, &carrier.Refusal{Reason: carrier.OperatorRefuses, Text: o.Name() + " sets nothing aside"}
	}
	return call(o, ctx, CallPrepare, begins, carrier.Profile{}, o.budget.Costs.Prepare, func() (carrier.Snapshot, error) { return r.Reserve(ctx, p) })
}

// Issue implements [carrier.Issuer]; ask Abilities whether the adapter does.
func (o *Operator) Issue(ctx context.Context, p carrier.Purchase) (carrier.Issued, error) {
	i, ok := o.Carrier.(carrier.Issuer)
	if !ok {
		return carrier.Issued{}, &carrier.Refusal{Reason: carrier.OperatorRefuses, Text: o.Name() + " sells no new lines"}
	}
	k := begins
	if o.Abilities().Reserves {
		k = follows
	}
	return call(o, ctx, CallIssue, k, carrier.Profile{}, o.budget.Costs.Extend, func() (carrier.Issued, error) { return i.Issue(ctx, p) })
}

// LookUpIssue implements [carrier.Issuer].
func (o *Operator) LookUpIssue(ctx context.Context, p carrier.Purchase) (carrier.IssueReading, error) {
	i, ok := o.Carrier.(carrier.Issuer)
	if !ok {
		return carrier.IssueReading{}, fmt.Errorf("%w: %s sells no new lines", carrier.ErrNotSent, o.Name())
	}
	return call(o, ctx, CallLookUpIssue, reads, carrier.Profile{}, o.budget.Costs.LookUp, func() (carrier.IssueReading, error) { return i.LookUpIssue(ctx, p) })
}

// Withdraw implements [carrier.Withdrawer]; ask Abilities whether the adapter does.
func (o *Operator) Withdraw(ctx context.Context, p carrier.Purchase, profile carrier.Profile) error {
	w, ok := o.Carrier.(carrier.Withdrawer)
	if !ok {
		return &carrier.Refusal{Reason: carrier.OperatorRefuses, Text: o.Name() + " takes no new line back"}
	}
	_, err := call(o, ctx, CallCancel, follows, profile, 2, func() (struct{}, error) { return struct{}{}, w.Withdraw(ctx, p, profile) })
	return err
}

// Withdrawal implements [carrier.Withdrawer].
func (o *Operator) Withdrawal(ctx context.Context, p carrier.Purchase, profile carrier.Profile) (carrier.Withdrawal, error) {
	w, ok := o.Carrier.(carrier.Withdrawer)
	if !ok {
		return carrier.Withdrawal{}, fmt.Errorf("%w: %s takes no new line back", carrier.ErrNotSent, o.Name())
	}
	return call(o, ctx, CallLookUp, reads, profile, o.budget.Costs.LookUp, func() (carrier.Withdrawal, error) { return w.Withdrawal(ctx, p, profile) })
}

// Probe asks a braked operator one question when its time has come, and reports
// whether it did.
func (o *Operator) Probe(ctx context.Context) (asked bool) {
	o.mu.Lock()
	due := o.brake.state == Braked && !o.now().Before(o.brake.until)
	o.mu.Unlock()
	if due {
		_, _ = o.Balance(ctx) // whatever it says: that it speaks is noted
	}
	return due
}
