package renewal

import (
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
)

// pack decides about more data or speed in the running period.
func (d *decision) pack() (Offer, *Refusal) {
	plan := d.runningPlan()
	k, ok := plan.Pack(d.item.ID)
	if !ok || d.item.Plan != plan.ID {
		return Offer{}, d.no(NothingOnSale)
	}
	if no := d.started(); no != nil {
		return Offer{}, no
	}
	if d.ended() {
		return Offer{}, d.noAt(PackNeedsRunning, d.s.Line.EndsAt)
	}
	if no := d.conditions(plan.Policy.PackNeeds); no != nil {
		return Offer{}, no
	}
	if no := d.identified(plan); no != nil {
		return Offer{}, no
	}
	days, end, by := d.reach(plan, k)
	price, list, no := d.price(plan, k.Prices, days)
	if no != nil {
		return Offer{}, no
	}
	return Offer{
		Item: d.item, Price: price, ListPrice: list, Effect: catalogue.Adds, StartsAt: d.s.Now, EndsAt: end,
		Anchor: d.s.Line.Anchor, Bytes: k.Volume, Refund: catalogue.RefundNever,
		Unused: d.unused(catalogue.Adds), TakeBy: by,
		Package: k.Package, PackageDays: days, Period: d.running.Number,
	}, nil
}

// runningPlan is the plan of the running period. The line's plan is that of its
// newest period, which may be another one that has not begun.
func (d *decision) runningPlan() catalogue.Plan {
	if d.running.Plan != "" && d.running.Plan != d.own.ID {
		p, ok := d.s.Catalogue.Plan(d.running.Plan)
		if p, feeds := p.From(d.own.Operator); ok && feeds {
			return p
		}
	}
	return d.own
}

// reach is for how many days a pack is bought, how long that lasts, and from
// when it would be bought for fewer days or not last as long.
//
// A pack for each day is needed for every day of the cap that is left of the
// period, today's included: the operator takes one day or all.
func (d *decision) reach(p catalogue.Plan, k catalogue.Pack) (days int, end, by time.Time) {
	end = d.currentEnd()
	each := k.EachDay && (p.Reset == catalogue.ResetMidnight || p.Reset == catalogue.ResetRolling)
	turn := end // when today's share ends
	switch {
	case k.Until == catalogue.UntilDayEnd:
		turn = earliest(end, calendar.NextDay(d.s.Now, d.loc))
	case k.Until == catalogue.UntilReset, each:
		turn = earliest(end, d.nextReset(p))
	}
	switch {
	case !each:
		return 1, turn, turn
	case k.Until == catalogue.UntilDayEnd:
		return calendar.Days(d.s.Now, end, d.loc), end, turn
	case p.Reset == catalogue.ResetMidnight:
		return calendar.Days(d.s.Now, end, resetZone(p, d.loc)), end, turn
	}
	return 1 + int((end.Sub(turn)+day-1)/day), end, turn
}

func (d *decision) nextReset(p catalogue.Plan) time.Time {
	start := d.s.Line.StartedAt
	if d.runs {
		start = d.running.StartsAt.UTC()
	}
	if at := nextReset(p, start, d.currentEnd(), d.s.Now, d.loc); at.After(d.s.Now) {
		return at
	}
	return d.currentEnd() // a period that began before time did
}
