package order

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/tsuzuku/tsuzuku/calls"
	"github.com/tsuzuku/tsuzuku/db"
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
// come, and logs who stopped answering and who answers again. What waits for one that
// answers again is begun now.
func (d *Desk) OperatorStep(ctx context.Context) (worked bool, err error) {
	for _, h := range d.Operators() {
		call, cancel := d.callLimit(ctx)
		worked = d.planner(h.Adapter).Probe(call) || worked
		cancel()
		select {
		case <-d.planner(h.Adapter).Released():
			if err := d.wakeOrders(ctx, h.Adapter); err != nil {
				return worked, err
			}
		default:
		}
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

// wakeOrders makes orders due that could not be sent to the operators of an adapter and
// wait for longer than a lease: until then a row may be a worker's.
func (d *Desk) wakeOrders(ctx context.Context, adapter string) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		cat, err := d.Shelf.Current(ctx, tx)
		if err != nil {
			return err
		}
		now, leased := db.At(tx.Now()), db.At(tx.Now().Add(lease))
		var b db.Batch
		for _, op := range cat.Operators {
			if op.Carrier != adapter {
				continue
			}
			b.Add(`UPDATE orders SET due_at = $1 WHERE due_at > $2 AND state IN ('paid','fulfilling') AND asked_at IS NULL AND kind IN ('term','pack')
				AND EXISTS (SELECT 1 FROM lines AS l WHERE l.account_id = orders.account_id AND l.id = orders.line_id AND l.operator = $3)`, now, leased, op.ID)
			for _, p := range cat.Plans {
				if slices.Contains(p.Operators(), op.ID) {
					b.Add(`UPDATE orders SET due_at = $1 WHERE due_at > $2 AND state IN ('paid','fulfilling') AND asked_at IS NULL AND kind = 'line' AND plan_id = $3`,
						now, leased, p.ID)
				}
			}
		}
		if b.Len() == 0 {
			return nil
		}
		return tx.Batch(ctx, &b)
	})
}
