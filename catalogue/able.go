package catalogue

import (
	"maps"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
)

// Able is what an operator can do by its adapter, as far as a policy could promise
// more.
type Able struct {
	Extend, Queue, Parallel, SameDay bool          // what a further package does
	AfterEnd                         time.Duration // how long after its end a line can still be extended
	ActiveOnly                       bool          // only a line that is in use
	PerDay                           bool          // takes a number of days
	Cancel                           bool          // takes back what was not used
	ByHand                           time.Duration // how long staff may take who do it; 0: a machine does
}

// CheckWith is [Check] that also compares what policies promise with what the
// adapters can do, by the names that operators have as their carrier.
func CheckWith(name string, data []byte, able map[string]Able) (*Catalogue, Mistakes, error) {
	return outcome(readWith(name, data, able))
}

// checkAble compares the plan's promises with its operator's adapter.
func (b *book) checkAble(d *draft) {
	op, a, known := b.ableOf(d.Plan)
	if !known {
		return
	}
	if d.Policy.Renewable {
		d.checkEffectsAble(a, op)
		d.checkTimesAble(a, op)
	}
	for i, t := range d.Terms {
		if t.PackageDays > 0 && !a.PerDay {
			d.termsAt[i].where("package_days").breaks("The adapter %s of operator %q takes no number of days.", op.Carrier, op.ID)
		}
	}
	for i, k := range d.Packs {
		if k.EachDay && !a.PerDay {
			d.packsAt[i].where("each_day").breaks("The adapter %s of operator %q takes no number of days.", op.Carrier, op.ID)
		}
	}
}

// checkAbleFrom compares the plan's promises with the adapter of a source, which must
// keep all of them; from is the plan as the source feeds it.
func (b *book) checkAbleFrom(d *draft, from Plan, at place) {
	op, a, known := b.ableOf(from)
	if !known {
		return
	}
	if d.Policy.Renewable {
		of := draft{Plan: from, at: d.at, policyAt: d.policyAt}
		of.checkEffectsAble(a, op)
		of.checkTimesAble(a, op)
	}
	perDay := slices.ContainsFunc(from.Terms, func(t Term) bool { return t.PackageDays > 0 }) || slices.ContainsFunc(from.Packs, func(k Pack) bool { return k.EachDay })
	if perDay && !a.PerDay {
		at.breaks("Plan %q: the adapter %s of operator %q takes no number of days.", d.ID, op.Carrier, op.ID)
	}
}

// ableOf is what the adapter of a plan's operator can do. It reports false where that
// is not known: whatever is wrong with it is told once, at the operator.
func (b *book) ableOf(p Plan) (Operator, Able, bool) {
	op, ok := b.Operator(p.Operator)
	if b.able == nil || !ok || op.Carrier == "" {
		return op, Able{}, false
	}
	a, known := b.able[op.Carrier]
	return op, a, known
}

func (d *draft) checkEffectsAble(a Able, op Operator) {
	for _, one := range []struct {
		key    string
		effect Effect
	}{{"effect", d.Policy.Effect}, {"effect_ended", d.Policy.EffectEnded}, {"effect_empty", d.Policy.EffectEmpty}} {
		if !a.does(one.effect) {
			d.policyAt.where(one.key).breaks("Plan %q promises %s, which the adapter %s of operator %q cannot do.", d.ID, one.effect, op.Carrier, op.ID)
		}
	}
	if d.Policy.Refund == RefundBeforeStart && d.Policy.Effect == Queue && !a.Cancel {
		d.policyAt.where("refund").doubtful("Plan %q: the adapter %s of operator %q takes nothing back, so a refund before the start is the seller's loss.", d.ID, op.Carrier, op.ID)
	}
}

// does reports whether an effect is possible. To begin anew is so wherever a line
// takes a package: what it is worth is counted by us.
func (a Able) does(e Effect) bool {
	switch e {
	case Append, Adds:
		return a.Extend
	case Queue:
		return a.Queue
	case Parallel:
		return a.Parallel
	case SameDay:
		return a.SameDay
	case Restart, "":
	}
	return true
}

func (d *draft) checkTimesAble(a Able, op Operator) {
	p, at := d.Policy, d.policyAt
	if grace := longest(p.Grace); grace > a.AfterEnd {
		at.where("grace").breaks("Plan %q may be renewed %s after its end, and the adapter %s of operator %q extends a line at most %v after it.",
			d.ID, p.Grace, op.Carrier, op.ID, a.AfterEnd)
	}
	if a.ActiveOnly && !slices.Contains(p.Needs, NeedsStarted) {
		at.where("needs").breaks("The adapter %s of operator %q extends only lines in use. Add started to what plan %q needs.", op.Carrier, op.ID, d.ID)
	}
	if a.ByHand > 0 && p.Grace.N == 0 && longest(p.Closes) < a.ByHand {
		at.where("closes").doubtful("Plan %q: staff may take %v, and a line can end meanwhile. Let renewing close so long before the end, or have grace.", d.ID, a.ByHand)
	}
}

// longest is how long a length lasts at most.
func longest(l calendar.Length) time.Duration {
	_, most := span(l)
	return time.Duration(most) * 24 * time.Hour
}

// sayUnknownCarriers tells of operators whose adapter nobody has heard of. A
// seller may have built one in, so that it is no mistake.
func (b *book) sayUnknownCarriers(operators []place) {
	if b.able == nil {
		return
	}
	known := slices.Sorted(maps.Keys(b.able))
	for i, op := range b.Operators {
		if _, ok := b.able[op.Carrier]; !ok && op.Carrier != "" {
			operators[i].doubtful("There is no adapter %q, so what its operator can do is not compared%s", op.Carrier, suggestion(op.Carrier, known))
		}
	}
}
