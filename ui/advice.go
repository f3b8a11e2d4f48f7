package ui

import (
	"time"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// zoneOf is in which days of a plan begin and end; UTC for what the catalogue no
// longer has.
func zoneOf(c *catalogue.Catalogue, p catalogue.Plan) *time.Location {
	o, _ := c.Operator(p.Operator)
	if loc, err := o.Zone.Location(); err == nil {
		return loc
	}
	return time.UTC
}

// AdviceWords name the offers of an answer as the cards do: with their plan, where
// that is another than the line's.
func (v Voice) AdviceWords(s renewal.Situation, a *advice.Answer) advice.Words {
	own, _ := s.Catalogue.Plan(s.Line.Plan)
	return advice.Words{
		Language: v.Lang, Currency: s.Currency, GB: gbOf(s.Catalogue, own),
		Name: func(i int) string {
			item := a.Items[i]
			name := v.ItemName(s.Catalogue, item)
			if item.Plan != s.Line.Plan {
				name = v.PlanName(s.Catalogue, item.Plan) + " · " + name
			}
			return name
		},
	}
}

// Verdict is what advice comes to, in a word or two: buy, wait, nothing is needed.
func (v Voice) Verdict(a *advice.Answer) string {
	for _, r := range a.Reasons.All() {
		if r == advice.DoCovered {
			return v.T("advice." + string(advice.Enough)) // there is nothing to wait for
		}
	}
	return v.T("advice." + string(a.Best.Action))
}

// Expected says how long what is left lasts, what the rest of the stay will take, and
// on what that stands: a sentence each. Every number is the forecast's.
func (v Voice) Expected(s renewal.Situation, f *advice.Forecast) (all []string) {
	plan, _ := s.Catalogue.Plan(s.Line.Plan)
	gb := gbOf(s.Catalogue, plan)
	say := func(key string, args locale.Args) { all = append(all, v.Say(key, args)) }
	if _, limited := advice.Allowance(s.Catalogue, s); limited {
		v.lasts(say, f, advice.DateOf(calendar.LastSecond(s.Line.EndsAt), zoneOf(s.Catalogue, plan)))
	}
	low, high := f.Need.Most()
	need := "usage.need.guess"
	if f.Basis.Told {
		need = "usage.need.told"
	}
	say(need, locale.Args{"day": v.OnDay(f.LastDay.Median()), "low": v.About(low, gb), "high": v.About(high, gb)})
	if f.Basis.Capped > 0 && plan.Kind != catalogue.Volume {
		say("usage.capped", locale.Args{"n": f.Basis.Capped, "of": f.Basis.Days})
	}
	if f.Basis.Little() {
		say("usage.little", nil)
	} else {
		say("usage.own", locale.Args{"days": f.Basis.Days})
	}
	return all
}

// lasts says until when a volume lasts. Of what lasts longer than the line, which ends
// on a day, or than the stay, it says that.
func (v Voice) lasts(say func(string, locale.Args), f *advice.Forecast, ends advice.Date) {
	out := f.RunsOut.Median()
	low, high := f.RunsOut.Most()
	of100 := int(min(max(f.Lasts*100, 1), 99))
	switch {
	case out > f.LastDay.Median():
		say("usage.lasts.stay", locale.Args{"of": of100})
	case out > int64(ends) && low > int64(ends):
		say("usage.lasts.line", locale.Args{"day": v.OnDay(int64(ends))})
	case out > int64(ends):
		say("usage.lasts.line_least", locale.Args{"day": v.OnDay(int64(ends)), "low": v.OnDay(low)})
	case f.Lasts >= 0.1:
		say("usage.lasts.least", locale.Args{"day": v.OnDay(out), "low": v.OnDay(low)})
	default:
		say("usage.lasts", locale.Args{"day": v.OnDay(out), "low": v.OnDay(low), "high": v.OnDay(high)})
	}
}

// OnDay says a day of the operator's calendar, counted as [advice.Date] does.
func (v Voice) OnDay(day int64) string {
	return locale.NearDay(v.Lang, advice.Date(day).Time(), time.UTC)
}

// SaleName says what a quote or an order is for.
func (v Voice) SaleName(c *catalogue.Catalogue, kind order.Kind, plan, item string) string {
	switch kind {
	case order.TopUp:
		return v.T("order.page.topup")
	case order.NewLine:
		return v.Say("order.page.new", locale.Args{"plan": v.PlanName(c, plan)})
	case order.Term, order.Pack:
	}
	return v.ItemName(c, renewal.Item{Kind: renewal.Kind(kind), Plan: plan, ID: item})
}
