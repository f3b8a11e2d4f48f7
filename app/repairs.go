package app

import (
	"context"
	"time"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/metrics"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/alipay"
	"github.com/tsuzuku/tsuzuku/payment/antom"
	"github.com/tsuzuku/tsuzuku/payment/linepay"
	"github.com/tsuzuku/tsuzuku/payment/paypal"
	"github.com/tsuzuku/tsuzuku/payment/paypay"
	"github.com/tsuzuku/tsuzuku/payment/stripe"
	"github.com/tsuzuku/tsuzuku/payment/wechatpay"
)

// Patience is how long the strangers take whose adapters are built in, for commands
// that open the database alone. What a server of our contract or staff take they
// cannot know; a shop's own is [order.Desk.Patience].
func Patience() order.Patience {
	operators := builtIn(Manual{})
	providers := map[string]payment.Limits{
		"stripe": new(stripe.Adapter).Limits(), "paypal": new(paypal.Adapter).Limits(), "linepay": new(linepay.Adapter).Limits(),
		"paypay": new(paypay.Adapter).Limits(), "alipay": new(alipay.Adapter).Limits(), "wechatpay": new(wechatpay.Adapter).Limits(),
		"antom": new(antom.Adapter).Limits(),
	}
	return order.Patience{
		Operator: func(name string) time.Duration { return operators[name].SettlesWithin },
		Provider: func(name string) time.Duration { return providers[name].SettlesWithin },
	}
}

// repairMetrics is what is counted of what the repairer finds. What is overdue has an
// alert: docs/alerts.yaml.
func (a *App) repairMetrics() []metrics.Family {
	return []metrics.Family{
		{
			Name: "tsuzuku_findings_open", Kind: metrics.Gauge, Read: a.findings(func(s audit.Standing) metrics.Number { return metrics.Whole(s.Open) }),
			Help: "What the repairer has found and is still so, by kind.",
		},
		{
			Name: "tsuzuku_findings_overdue", Kind: metrics.Gauge, Read: a.findings(func(s audit.Standing) metrics.Number { return metrics.Whole(s.Overdue) }),
			Help: "Of these, those that are older than their deadline.",
		},
		{
			Name: "tsuzuku_findings_late_seconds", Kind: metrics.Gauge, Read: a.findings(func(s audit.Standing) metrics.Number { return metrics.Seconds(s.Late) }),
			Help: "For how long the first of these has been older than its deadline.",
		},
		{
			Name: "tsuzuku_findings_total", Kind: metrics.Counter, Read: a.findingsTotal,
			Help: "What this process found, repaired, called a person for and saw settled, by kind.",
		},
		{
			Name: "tsuzuku_repairer_turn_timestamp_seconds", Kind: metrics.Gauge, Read: a.lastTurn,
			Help: "When some process of the shop ended the last turn of the repairer; 0: never.",
		},
	}
}

func (a *App) findings(number func(audit.Standing) metrics.Number) func(context.Context) ([]metrics.Sample, error) {
	return func(ctx context.Context) ([]metrics.Sample, error) {
		standing, err := db.Seen(ctx, a.DB, audit.Stand)
		var all []metrics.Sample
		for _, k := range audit.Kinds {
			all = append(all, metrics.Sample{Labels: []metrics.Label{{Name: "kind", Value: string(k)}}, Value: number(standing[k])})
		}
		return all, err
	}
}

func (a *App) findingsTotal(context.Context) (all []metrics.Sample, err error) {
	for _, c := range a.Repairer.Counted() {
		labels := []metrics.Label{{Name: "kind", Value: string(c.Kind)}, {Name: "what", Value: string(c.What)}}
		all = append(all, metrics.Sample{Labels: labels, Value: metrics.Whole(c.Times)})
	}
	return all, nil
}

func (a *App) lastTurn(ctx context.Context) ([]metrics.Sample, error) {
	at, err := db.Seen(ctx, a.DB, audit.LastTurn)
	return []metrics.Sample{{Value: metrics.Unix(at)}}, err
}
