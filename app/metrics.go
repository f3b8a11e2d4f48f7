package app

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/calls"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/metrics"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/upstream"
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
		waits, err := order.DueNow(ctx, tx)
		if err != nil || len(waits) == 0 {
			return out, err
		}
		cat, err := a.Shelf.Current(ctx, tx)
		if err != nil {
			return nil, err
		}
		for asked, q := range waits {
			op, _ := cat.Operator(asked.Of(cat)) // without a name: of a plan that is no more
			out[op.Carrier] = out[op.Carrier].With(q)
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

// balanceMetrics is what is left with operators, as this shop last read it.
func (a *App) balanceMetrics() []metrics.Family {
	family := func(name, help string, number func(upstream.Standing) metrics.Number) metrics.Family {
		return metrics.Family{Name: name, Help: help, Kind: metrics.Gauge, Read: func(ctx context.Context) ([]metrics.Sample, error) { return a.ofStandings(ctx, number) }}
	}
	return []metrics.Family{
		family("tsuzuku_operator_balance", "What is left of the seller's money with an operator, in its currency.",
			func(s upstream.Standing) metrics.Number { return metrics.Ratio(s.Balance.Units, s.Balance.Scale) }),
		family("tsuzuku_operator_balance_floor", "Below which balance staff are told.", func(s upstream.Standing) metrics.Number {
			return metrics.Ratio(a.Watch.Floors.Of(s, a.DB.Now()).Units, s.Balance.Scale)
		}),
		family("tsuzuku_operator_balance_low", "1 for a balance of which staff were told that it is low.",
			func(s upstream.Standing) metrics.Number { return metrics.Flag(s.Low) }),
		family("tsuzuku_operator_balance_as_of_seconds", "When that was so, in seconds since 1970.",
			func(s upstream.Standing) metrics.Number { return metrics.Unix(s.AsOf) }),
		{Name: "tsuzuku_operator_alarms", Help: "What staff were told of an operator and is so still.", Kind: metrics.Gauge, Read: a.alarms},
	}
}

func (a *App) ofStandings(ctx context.Context, number func(upstream.Standing) metrics.Number) (all []metrics.Sample, err error) {
	standings, err := db.Seen(ctx, a.DB, upstream.Standings)
	for _, s := range standings {
		if s.AsOf.IsZero() {
			continue // nothing was ever told
		}
		labels := []metrics.Label{{Name: "carrier", Value: s.Carrier}, {Name: "currency", Value: s.Balance.Currency}}
		all = append(all, metrics.Sample{Labels: labels, Value: number(s)})
	}
	return all, err
}

func (a *App) alarms(ctx context.Context) (all []metrics.Sample, err error) {
	open, err := db.Seen(ctx, a.DB, upstream.Alarms)
	if err != nil {
		return nil, err
	}
	type key struct{ carrier, kind string }
	counts := map[key]int64{}
	for _, o := range open {
		counts[key{o.Carrier, string(o.Kind)}]++
	}
	for k, n := range counts {
		all = append(all, metrics.Sample{Labels: []metrics.Label{{Name: "carrier", Value: k.carrier}, {Name: "kind", Value: k.kind}}, Value: metrics.Whole(n)})
	}
	slices.SortFunc(all, func(x, y metrics.Sample) int {
		return cmp.Or(cmp.Compare(x.Labels[0].Value, y.Labels[0].Value), cmp.Compare(x.Labels[1].Value, y.Labels[1].Value))
	})
	return all, nil
}

// doorMetrics is what is counted of people who come in, and of panics.
func (a *App) doorMetrics() []metrics.Family {
	return []metrics.Family{
		{
			Name: "tsuzuku_sign_ins_total", Kind: metrics.Counter, Read: a.signIns,
			Help: "Wishes to come in since this process began, by way and by what came of them: in, refused (wrong), limited (too many).",
		},
		{
			Name: "tsuzuku_panics_total", Kind: metrics.Counter, Read: func(context.Context) ([]metrics.Sample, error) {
				return []metrics.Sample{{Value: metrics.Whole(fault.Panics())}}, nil
			},
			Help: "Panics that were caught since this process began: each is a bug, and stands in the log.",
		},
	}
}

func (a *App) signIns(context.Context) (all []metrics.Sample, err error) {
	for _, way := range account.Ways() {
		for _, outcome := range account.Outcomes() {
			labels := []metrics.Label{{Name: "way", Value: string(way)}, {Name: "outcome", Value: outcome}}
			all = append(all, metrics.Sample{Labels: labels, Value: metrics.Whole(a.Door.Tally.Of(account.Tallied{Way: way, Outcome: outcome}))})
		}
	}
	return all, nil
}
