package app

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/calls"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/metrics"
	"github.com/tsuzuku/tsuzuku/order"
)

// operatorMetrics is what is counted of operators, by their adapters' names.
func (a *App) operatorMetrics() []metrics.Family {
	return []metrics.Family{
		{
			Name: "tsuzuku_operator_calls_total", Kind: metrics.Counter, Read: a.callsTotal,
			Help: "Calls to an operator, by what was asked and what came of it; no_room and left_alone were turned away here.",
		},
		{
			Name: "tsuzuku_operator_call_seconds", Kind: metrics.Buckets, Read: a.callSeconds,
			Help: "How long calls to an operator took, those without an answer as well.",
		},
		{
			Name: "tsuzuku_operator_state", Kind: metrics.Gauge, Read: a.operatorStates,
			Help: "1 for the state of an operator's brake: well, braked or probing.",
		},
		{
			Name: "tsuzuku_operator_orders_due", Kind: metrics.Gauge, Read: a.ordersDue,
			Help: "Orders that could be taken to their operator now and wait for their turn.",
		},
		{
			Name: "tsuzuku_operator_orders_due_seconds", Kind: metrics.Gauge, Read: a.ordersDueSince,
			Help: "For how long the first of these orders has waited.",
		},
	}
}

// planned are the operators whose calls are planned.
func (a *App) planned(each func(o *calls.Operator, label metrics.Label)) {
	for _, name := range slices.Sorted(maps.Keys(a.adapters.Carriers)) {
		if o, ok := a.adapters.Carriers[name].(*calls.Operator); ok {
			each(o, metrics.Label{Name: "carrier", Value: name})
		}
	}
}

func (a *App) callsTotal(context.Context) (all []metrics.Sample, err error) {
	a.planned(func(o *calls.Operator, carrier metrics.Label) {
		for _, t := range o.Tallies() {
			for _, outcome := range slices.Sorted(maps.Keys(t.Outcomes)) {
				labels := []metrics.Label{carrier, {Name: "call", Value: string(t.Call)}, {Name: "outcome", Value: string(outcome)}}
				all = append(all, metrics.Sample{Labels: labels, Value: metrics.Whole(t.Outcomes[outcome])})
			}
		}
	})
	return all, nil
}

func (a *App) callSeconds(context.Context) (all []metrics.Sample, err error) {
	a.planned(func(o *calls.Operator, carrier metrics.Label) {
		for _, t := range o.Tallies() {
			all = append(all, t.Took.Samples(carrier, metrics.Label{Name: "call", Value: string(t.Call)})...)
		}
	})
	return all, nil
}

func (a *App) operatorStates(context.Context) (all []metrics.Sample, err error) {
	a.planned(func(o *calls.Operator, carrier metrics.Label) {
		is := o.Look().State
		for _, state := range []calls.State{calls.Well, calls.Braked, calls.Probing} {
			labels := []metrics.Label{carrier, {Name: "state", Value: cmp.Or(string(state), "well")}}
			all = append(all, metrics.Sample{Labels: labels, Value: metrics.Flag(is == state)})
		}
	})
	return all, nil
}

// due is what waits, by the adapters' names, all of which are there.
func (a *App) due(ctx context.Context) (map[string]order.Queue, error) {
	return db.Seen(ctx, a.DB, func(ctx context.Context, tx db.Tx) (map[string]order.Queue, error) {
		out := map[string]order.Queue{}
		for name := range a.adapters.Carriers {
			out[name] = order.Queue{}
		}
		plans, err := order.DueNow(ctx, tx)
		if err != nil || len(plans) == 0 {
			return out, err
		}
		cat, err := a.Shelf.Current(ctx, tx)
		if err != nil {
			return nil, err
		}
		for id, q := range plans {
			plan, _ := cat.Plan(id)
			op, _ := cat.Operator(plan.Operator) // without a name: of a plan that is no more
			sum := out[op.Carrier]
			sum.Count += q.Count
			if sum.Since.IsZero() || q.Since.Before(sum.Since) {
				sum.Since = q.Since
			}
			out[op.Carrier] = sum
		}
		return out, nil
	})
}

func (a *App) ordersDue(ctx context.Context) ([]metrics.Sample, error) {
	return a.ofDue(ctx, func(q order.Queue) metrics.Number { return metrics.Whole(int64(q.Count)) })
}

func (a *App) ordersDueSince(ctx context.Context) ([]metrics.Sample, error) {
	now := a.DB.Now()
	return a.ofDue(ctx, func(q order.Queue) metrics.Number {
		if q.Count == 0 {
			return metrics.Number{}
		}
		return metrics.Seconds(max(0, now.Sub(q.Since)).Truncate(time.Millisecond))
	})
}

func (a *App) ofDue(ctx context.Context, number func(order.Queue) metrics.Number) (all []metrics.Sample, err error) {
	due, err := a.due(ctx)
	for _, name := range slices.Sorted(maps.Keys(due)) {
		all = append(all, metrics.Sample{Labels: []metrics.Label{{Name: "carrier", Value: name}}, Value: number(due[name])})
	}
	return all, err
}
