package order

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/tsuzuku/tsuzuku/calls"
)

// OperatorHealth is how an operator stands, as this process has seen it.
type OperatorHealth struct {
	Adapter string
	calls.Seen
}

// Operators says how the operators stand whose calls are planned, by the adapters'
// names. It asks nobody, and reads no database.
func (d *Desk) Operators() []OperatorHealth {
	var all []OperatorHealth
	for _, name := range slices.Sorted(maps.Keys(d.Carriers)) {
		if o := d.planner(name); o != nil {
			all = append(all, OperatorHealth{name, o.Look()})
		}
	}
	return all
}

// standing is what was last logged of operators.
type standing struct {
	mu   sync.Mutex
	last map[string]calls.State
}

// changed notes a state, and reports whether it is another than before.
func (s *standing) changed(name string, now calls.State) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now == calls.Probing || s.last[name] == now {
		return false
	}
	if s.last == nil {
		s.last = map[string]calls.State{}
	}
	s.last[name] = now
	return true
}

// OperatorStep asks each operator that is left alone one question when its time has
// come, and logs who stopped answering and who answers again.
func (d *Desk) OperatorStep(ctx context.Context) (worked bool, err error) {
	for _, h := range d.Operators() {
		call, cancel := d.callLimit(ctx)
		worked = d.planner(h.Adapter).Probe(call) || worked
		cancel()
	}
	for _, h := range d.Operators() {
		switch {
		case !d.standing.changed(h.Adapter, h.State):
		case h.State == calls.Well:
			d.Log.InfoContext(ctx, "operator answers again", "adapter", h.Adapter)
		default:
			d.Log.ErrorContext(ctx, "operator is left alone", "adapter", h.Adapter, "until", h.Until, "why", h.Why,
				"calls", h.Totals.Calls, "silent", h.Totals.Silent)
		}
	}
	return worked, nil
}
