package renewal

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
)

// zones have clocks that jump by an hour, by half of one, over midnight, back
// over it, and over whole days; or not at all.
var zones = []calendar.Zone{
	"Asia/Tokyo", "Asia/Tokyo", "Asia/Singapore", "UTC", "Europe/London", "America/St_Johns", "Africa/Cairo", "Australia/Lord_Howe",
	"Asia/Beirut", "America/Santiago", "Pacific/Apia",
}

var effects = []catalogue.Effect{
	catalogue.Append, catalogue.Queue, catalogue.Restart, catalogue.Parallel, catalogue.SameDay, catalogue.Adds,
}

func lengths(t *rapid.T, most int, units ...calendar.Unit) calendar.Length {
	u := rapid.SampledFrom(units).Draw(t, "unit")
	if u == calendar.Month {
		most = max(1, most/30)
	}
	if u == calendar.Year {
		most = 2
	}
	return calendar.Length{N: rapid.IntRange(1, most).Draw(t, "n"), Unit: u}
}

// maybe draws a length, or none.
func maybe(t *rapid.T, name string, most int) calendar.Length {
	if rapid.IntRange(0, 2).Draw(t, name+"?") > 0 {
		return calendar.Length{}
	}
	return lengths(t, most, calendar.Day, calendar.Hours24, calendar.Month)
}

func conditions(t *rapid.T, name string) []catalogue.Condition {
	return rapid.SliceOfNDistinct(rapid.SampledFrom([]catalogue.Condition{
		catalogue.NeedsStarted, catalogue.NeedsRunning, catalogue.NeedsDataLeft, catalogue.NeedsNothingNext,
	}), 0, 2, rapid.ID).Draw(t, name)
}

// policies are more than the catalogue would take: no combination of fields may
// break a decision.
func policies(t *rapid.T) catalogue.Policy {
	orNone := append(slices.Clone(effects), "", "")
	p := catalogue.Policy{
		Renewable:        rapid.IntRange(0, 9).Draw(t, "renewable") > 0,
		Opens:            maybe(t, "opens", 60),
		Closes:           maybe(t, "closes", 3),
		Grace:            maybe(t, "grace", 60),
		TerminalAfterEnd: rapid.Bool().Draw(t, "terminal"),
		Needs:            conditions(t, "needs"),
		Effect:           rapid.SampledFrom(effects).Draw(t, "effect"),
		EffectEnded:      rapid.SampledFrom(orNone).Draw(t, "effect ended"),
		EffectEmpty:      rapid.SampledFrom(orNone).Draw(t, "effect empty"),
		Data:             rapid.SampledFrom([]catalogue.DataRule{catalogue.DataCarried, catalogue.DataLost, catalogue.DataOwn}).Draw(t, "data"),
		Stack:            catalogue.Stack{Periods: rapid.IntRange(0, 4).Draw(t, "stack"), Ahead: maybe(t, "ahead", 120)},
		Refund:           rapid.SampledFrom([]catalogue.RefundRule{catalogue.RefundNever, catalogue.RefundBeforeStart, catalogue.RefundBeforeUse}).Draw(t, "refund"),
		Identity:         rapid.IntRange(0, 5).Draw(t, "identity") == 0,
		PackNeeds:        conditions(t, "pack needs"),
	}
	if rapid.IntRange(0, 5).Draw(t, "least?") == 0 {
		p.MinimumSpend = []money.Money{money.Of(1500, "JPY")}
	}
	if rapid.IntRange(0, 5).Draw(t, "currencies?") == 0 {
		p.Currencies = []money.Currency{rapid.SampledFrom([]money.Currency{"JPY", "USD"}).Draw(t, "accepted")}
	}
	if rapid.IntRange(0, 5).Draw(t, "tools?") == 0 {
		p.Tools = []catalogue.Tool{"card"}
	}
	return p
}

func prices(t *rapid.T) []money.Money {
	out := []money.Money{money.Of(rapid.Int64Range(1, 30_000).Draw(t, "yen"), "JPY")}
	if rapid.Bool().Draw(t, "dollars") {
		out = append(out, money.Of(rapid.Int64Range(1, 30_000).Draw(t, "cents"), "USD"))
	}
	return out
}

func plans(t *rapid.T, id string) catalogue.Plan {
	p := catalogue.Plan{
		ID: id, Operator: "op", OnSale: rapid.IntRange(0, 5).Draw(t, "on sale") > 0,
		Kind:  rapid.SampledFrom([]catalogue.Kind{catalogue.Unlimited, catalogue.DailyCap, catalogue.Volume}).Draw(t, "kind"),
		Reset: catalogue.ResetNone, Policy: policies(t),
	}
	if p.Kind != catalogue.Volume {
		p.DailyCap = 1 << 30
		p.Reset = rapid.SampledFrom([]catalogue.Reset{catalogue.ResetMidnight, catalogue.ResetRolling, catalogue.ResetMonthly}).Draw(t, "reset")
		if p.Policy.Data == catalogue.DataCarried { // there is nothing to carry
			p.Policy.Data = catalogue.DataLost
		}
		if p.Reset == catalogue.ResetMidnight && rapid.Bool().Draw(t, "reset zone?") {
			p.ResetZone = rapid.SampledFrom(zones).Draw(t, "reset zone")
		}
		if p.Kind == catalogue.Unlimited && rapid.Bool().Draw(t, "uncapped") {
			p.DailyCap, p.Reset = 0, catalogue.ResetNone
		}
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "terms") {
		l := lengths(t, 95, calendar.Day, calendar.Day, calendar.Hours24, calendar.Month, calendar.Year)
		p.Terms = append(p.Terms, catalogue.Term{
			ID: "t" + string(rune('0'+i)), Length: l, ToDayEnd: l.Unit == calendar.Hours24 && rapid.Bool().Draw(t, "to day end"), Prices: prices(t),
		})
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "packs") {
		p.Packs = append(p.Packs, catalogue.Pack{
			ID: "k" + string(rune('0'+i)), Volume: 1 << 29, Prices: prices(t), EachDay: rapid.Bool().Draw(t, "each day"),
			Until: rapid.SampledFrom([]catalogue.Until{catalogue.RestOfPeriod, catalogue.UntilReset, catalogue.UntilDayEnd}).Draw(t, "until"),
		})
	}
	return p
}

// situations are lines of some plan with a row of periods that touch each
// other, and instants at which something happens, or nearly.
func situations(t *rapid.T) Situation {
	z := rapid.SampledFrom(zones).Draw(t, "zone")
	loc, err := z.Location()
	if err != nil {
		t.Fatal(err)
	}
	own := plans(t, "own")
	own.Policy.ChangeTo = rapid.SampledFrom([][]string{nil, {"other"}, {"other", "gone"}}).Draw(t, "change to")
	cat := &catalogue.Catalogue{
		Operators: []catalogue.Operator{{ID: "op", Zone: z, GB: 1e9}}, Plans: []catalogue.Plan{own, plans(t, "other")},
	}
	start := time.Date(2011, 10, 1, 0, 0, 0, 0, time.UTC) // clocks jumped a lot in these years
	start = start.Add(time.Duration(rapid.Int64Range(0, 15*365*24*3600).Draw(t, "start")) * time.Second)
	if rapid.Bool().Draw(t, "from midnight") {
		start = calendar.StartOfDay(start, loc)
	}
	l := line.Line{
		ID: "ln", Plan: "own", Operator: "op", StartedAt: start, EndsAt: start, State: line.Active,
		Identity: rapid.Bool().Draw(t, "identified"), Anchor: rapid.IntRange(0, 31).Draw(t, "anchor"),
	}
	by := string(rapid.SampledFrom(effects[:2]).Draw(t, "bought by"))
	var periods []line.Period
	for range rapid.IntRange(1, 3).Draw(t, "periods") {
		term := rapid.SampledFrom(own.Terms).Draw(t, "term")
		end := TermEnd(term, l.EndsAt, loc, 0)
		l.Periods++
		p := line.Period{Number: l.Periods, Plan: "own", Effect: by, StartsAt: l.EndsAt, EndsAt: end, State: line.PeriodActive}
		periods = append(periods, p)
		if rapid.IntRange(0, 5).Draw(t, "cancelled") == 0 && len(periods) > 1 {
			periods[len(periods)-1].State = line.PeriodCancelled
			continue
		}
		l.EndsAt = end
	}
	now := instants(t, l, periods, own, loc)
	l.Usage = line.Usage{
		Unlimited: own.Kind != catalogue.Volume && rapid.Bool().Draw(t, "unlimited"),
		Total:     rapid.Int64Range(0, 3).Draw(t, "total"), Used: rapid.Int64Range(0, 3).Draw(t, "used"),
		AsOf: now.Add(-time.Duration(rapid.Int64Range(0, 100*24).Draw(t, "measured")) * time.Hour),
	}
	if rapid.IntRange(0, 5).Draw(t, "measured?") == 0 {
		l.Usage.AsOf = time.Time{}
	}
	return Situation{
		Now: now, Line: l, Periods: periods, Catalogue: cat,
		Currency: rapid.SampledFrom([]money.Currency{"JPY", "JPY", "USD"}).Draw(t, "currency"),
		Tool:     rapid.SampledFrom([]catalogue.Tool{"", "", "card", "wallet"}).Draw(t, "tool"),
	}
}

func instants(t *rapid.T, l line.Line, periods []line.Period, own catalogue.Plan, loc *time.Location) time.Time {
	edges := []time.Time{l.StartedAt, l.EndsAt, GraceEnd(own, l.EndsAt, loc)}
	for _, p := range periods {
		edges = append(edges, p.StartsAt, p.EndsAt)
	}
	if own.Policy.Opens.N > 0 {
		edges = append(edges, before(l.EndsAt, own.Policy.Opens, loc))
	}
	if own.Policy.Closes.N > 0 {
		edges = append(edges, before(l.EndsAt, own.Policy.Closes, loc))
	}
	switch rapid.IntRange(0, 3).Draw(t, "where") {
	case 0: // within the last days
		return l.EndsAt.Add(-time.Duration(rapid.Int64Range(0, 20*24*3600).Draw(t, "before the end")) * time.Second)
	case 1: // anywhere
		return l.StartedAt.Add(time.Duration(rapid.Int64Range(-24*3600, 200*24*3600).Draw(t, "after the start")) * time.Second)
	}
	edge := rapid.SampledFrom(edges).Draw(t, "edge")
	if rapid.IntRange(0, 3).Draw(t, "midnight") == 0 {
		edge = calendar.StartOfDay(edge.Add(-time.Hour), loc)
	}
	return edge.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "nearly")))
}
