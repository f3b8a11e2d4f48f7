package renewal

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
)

// edited is a copy of the demo catalogue in which one plan is changed.
func edited(t testing.TB, id string, change func(*catalogue.Plan)) *catalogue.Catalogue {
	t.Helper()
	c := *demo
	c.Plans = slices.Clone(demo.Plans)
	i := slices.IndexFunc(c.Plans, func(p catalogue.Plan) bool { return p.ID == id })
	if i < 0 {
		t.Fatalf("no plan %s", id)
	}
	change(&c.Plans[i])
	return &c
}

func shopOf(c *catalogue.Catalogue) func(*Situation) { return func(s *Situation) { s.Catalogue = c } }

func TestRestart(t *testing.T) {
	s := running(t, "tsukimi-30", "2026-02-10 10:00:00", "2026-03-11 00:00:00")
	walk(t, s, []step{
		{name: "before the window", now: "2026-02-28 23:59:59", item: "30gb-1mo", want: "too_early 2026-03-01 00:00:00"},
		{name: "at once", now: "2026-03-05 10:00:00", item: "30gb-1mo", want: "restart 2026-03-05 10:00:00 to 2026-04-06 00:00:00, 2970 JPY"},
		{name: "after the end too", now: "2026-03-17 23:59:59", item: "30gb-1mo", want: "restart 2026-03-17 23:59:59 to 2026-04-18 00:00:00, 2970 JPY"},
		{name: "not after the grace", now: "2026-03-18 00:00:00", item: "30gb-1mo", want: "too_late 2026-03-18 00:00:00"},
		{name: "a pack for the rest", now: "2026-03-05 10:00:00", item: "pack 5gb", want: "adds 2026-03-05 10:00:00 to 2026-03-11 00:00:00, 1900 JPY"},
		{name: "never over what waits", now: "2026-03-05 10:00:00", item: "30gb-1mo", change: func(s *Situation) {
			s.Periods = append(s.Periods, line.Period{Number: 2, StartsAt: s.Line.EndsAt, EndsAt: s.Line.EndsAt.Add(5 * day), State: line.PeriodQueued})
			s.Line.EndsAt = s.Line.EndsAt.Add(5 * day)
			s.Catalogue = edited(t, "tsukimi-30", func(p *catalogue.Plan) { p.Policy.Opens = calendar.Length{} })
		}, want: "queue_full 2026-03-11 00:00:00"},
	})

	s.Now = clockOf(t, s.Line.Plan).at("2026-03-05 10:00:00")
	o, _ := Decide(s, Item{Term, s.Line.Plan, "30gb-1mo"})
	if want := GraceEnd(s.own(t), s.Line.EndsAt, clockOf(t, s.Line.Plan).Location); !o.TakeBy.Equal(want) {
		t.Errorf("the end makes no difference to a restart, but it can be had only until %s, want %s", o.TakeBy, want)
	}
	if o.Days != 32 || o.Anchor != 5 {
		t.Errorf("%d days with anchor %d, want 32 with 5", o.Days, o.Anchor)
	}
}

func TestCloses(t *testing.T) {
	s := running(t, "fuji-quarter", "2026-01-10 10:00:00", "2026-04-10 00:00:00")
	walk(t, s, []step{
		{name: "the last second", now: "2026-04-08 23:59:59", item: "90d", want: "append 2026-04-10 00:00:00 to 2026-07-09 00:00:00, 13800 JPY"},
		{name: "a day before the end", now: "2026-04-09 00:00:00", item: "90d", want: "closed 2026-04-09 00:00:00"},
		{name: "the end", now: "2026-04-10 00:00:00", item: "90d", want: "too_late 2026-04-10 00:00:00"},
	})
	if got := RenewBy(s.own(t), s.Line.EndsAt, clockOf(t, s.Line.Plan).Location); !got.Equal(s.Line.EndsAt.Add(-day)) {
		t.Errorf("renew by %s, want a day before the end", got)
	}
}

func TestDayPassEndsWithTheDay(t *testing.T) {
	s := running(t, "asagao-pass", "2026-03-10 09:00:00", "2026-03-11 00:00:00")
	walk(t, s, []step{
		{name: "on its day it brings nothing new", now: "2026-03-10 22:00:00", item: "1d", want: "too_early 2026-03-11 00:00:00"},
		{name: "the last second", now: "2026-03-10 23:59:59", item: "1d", want: "too_early 2026-03-11 00:00:00"},
		{name: "the day after", now: "2026-03-11 00:00:00", item: "1d", want: "same_day 2026-03-11 00:00:00 to 2026-03-12 00:00:00, 680 JPY"},
		{name: "thirty days after", now: "2026-04-09 23:59:59", item: "1d", want: "same_day 2026-04-09 23:59:59 to 2026-04-10 00:00:00, 680 JPY"},
		{name: "thirty-one", now: "2026-04-10 00:00:00", item: "1d", want: "too_late 2026-04-10 00:00:00"},
	})
	walk(t, running(t, "asagao-pass-1gb", "2026-03-10 09:00:00", "2026-03-11 00:00:00"), []step{
		{name: "with a cap it brings data", now: "2026-03-10 22:00:00", item: "1d", want: "same_day 2026-03-10 22:00:00 to 2026-03-11 00:00:00, 380 JPY"},
	})
}

// Grace in days is whole days after the day of the end, at whatever hour that was.
func TestGraceOfWholeDays(t *testing.T) {
	c := zone(t, "Asia/Tokyo")
	var p catalogue.Plan
	p.Policy = catalogue.Policy{Renewable: true, Grace: calendar.Length{N: 2, Unit: calendar.Day}}
	for end, want := range map[string]string{
		"2026-03-11 00:00:00": "2026-03-13 00:00:00",
		"2026-03-11 00:00:01": "2026-03-14 00:00:00",
		"2026-03-11 16:00:00": "2026-03-14 00:00:00",
	} {
		if got := GraceEnd(p, c.at(end), c.Location); !got.Equal(c.at(want)) {
			t.Errorf("ended %s: grace to %s, want %s", end, got.In(c.Location).Format(clockLayout), want)
		}
	}
	p.Policy.Needs = []catalogue.Condition{catalogue.NeedsRunning}
	end := c.at("2026-03-11 00:00:00")
	if got := GraceEnd(p, end, c.Location); !got.Equal(end) {
		t.Errorf("a line that must run has grace to %s", got)
	}
}

func TestAddsToThePeriod(t *testing.T) {
	s := running(t, "yokocho-base", "2026-03-01 09:00:00", "2026-03-16 00:00:00")
	appended := func(s *Situation) { *s = s.then(t, "500mb-15d") }
	walk(t, s, []step{
		{name: "a term with data left", now: "2026-03-05 22:00:00", item: "500mb-15d", want: "append 2026-03-16 00:00:00 to 2026-03-31 00:00:00, 1080 JPY"},
		{name: "a term at zero", now: "2026-03-05 22:00:00", item: "500mb-15d", change: usedUp, want: "adds 2026-03-05 22:00:00 to 2026-03-16 00:00:00, 1080 JPY"},
		{name: "a pack for the evening", now: "2026-03-05 22:00:00", item: "pack 100mb", want: "adds 2026-03-05 22:00:00 to 2026-03-06 00:00:00, 216 JPY"},
		{name: "a pack for the rest", now: "2026-03-05 22:00:00", item: "pack 1gb", want: "adds 2026-03-05 22:00:00 to 2026-03-16 00:00:00, 1296 JPY"},
		{name: "a pack goes with what is appended and carries on", now: "2026-03-05 22:00:00", item: "pack 1gb", change: appended, want: "adds 2026-03-05 22:00:00 to 2026-03-31 00:00:00, 1296 JPY"},
	})

	s.Now = clockOf(t, s.Line.Plan).at("2026-03-05 22:00:00")
	usedUp(&s)
	o, _ := Decide(s, Item{Term, s.Line.Plan, "500mb-15d"})
	if o.Days != 0 || o.PerDay != (money.Money{}) || o.Saving != 0 || o.Period != 1 || o.Unused.Rule != catalogue.DataCarried {
		t.Errorf("a term that only adds brings %d days at %s, saves %d%%, to period %d, %v", o.Days, o.PerDay, o.Saving, o.Period, o.Unused)
	}
}

// What a line changes to is bought by that plan's rules about money, at the
// instants and with the effect of its own.
func TestChangeOfPlan(t *testing.T) {
	s := running(t, "tsukimi-30", "2026-02-10 10:00:00", "2026-03-11 00:00:00")
	c := clockOf(t, s.Line.Plan)
	s.Now = c.at("2026-03-05 10:00:00")
	other := Item{Term, "tsukimi-20", "20gb-1mo"}

	o, no := Decide(s, other)
	if got, want := told(o, no, c), "restart 2026-03-05 10:00:00 to 2026-04-06 00:00:00, 2728 JPY"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for name, tt := range map[string]struct {
		item   Item
		change func(*catalogue.Plan)
		want   Rule
	}{
		"a plan that is not named":  {Item{Term, "machi-10gb", "10gb-15d"}, nil, PlanChangeRefused},
		"a plan that is not":        {Item{Term, "nothing", "1mo"}, nil, PlanChangeRefused},
		"a pack of another plan":    {Item{Pack, "yokocho-base", "1gb"}, nil, NothingOnSale},
		"no such term":              {Item{Term, "tsukimi-20", "2mo"}, nil, NothingOnSale},
		"neither term nor pack":     {Item{"thing", "tsukimi-20", "20gb-1mo"}, nil, NothingOnSale},
		"not sold any more":         {other, func(p *catalogue.Plan) { p.OnSale = false }, PlanChangeRefused},
		"another operator's":        {other, func(p *catalogue.Plan) { p.Operator = "nanyo" }, PlanChangeRefused},
		"needs an identity check":   {other, func(p *catalogue.Plan) { p.Policy.Identity = true }, IdentityMissing},
		"only in dollars":           {other, func(p *catalogue.Plan) { p.Policy.Currencies = []money.Currency{"USD"} }, CurrencyRefused},
		"only by card":              {other, func(p *catalogue.Plan) { p.Policy.Tools = []catalogue.Tool{"card"} }, ToolRefused},
		"more at least":             {other, func(p *catalogue.Plan) { p.Policy.MinimumSpend = []money.Money{money.Of(2729, "JPY")} }, BelowMinimum},
		"just enough":               {other, func(p *catalogue.Plan) { p.Policy.MinimumSpend = []money.Money{money.Of(2728, "JPY")} }, ""},
		"the other's window is not": {other, func(p *catalogue.Plan) { p.Policy.Renewable = false }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := s
			s.Line.Identity, s.Tool = false, "wallet"
			if tt.change != nil {
				s.Catalogue = edited(t, other.Plan, tt.change)
			}
			_, no := Decide(s, tt.item)
			switch {
			case no == nil && tt.want != "":
				t.Errorf("offered, want %s", tt.want)
			case no != nil && no.Rule != tt.want:
				t.Errorf("refused by %s, want %q", no.Rule, tt.want)
			}
		})
	}
}

// A plan that is not sold any more can still be kept.
func TestOldPlanIsKept(t *testing.T) {
	s := running(t, "nagisa-old", "2026-03-01 09:00:00", "2026-03-11 00:00:00")
	s.Now = s.Line.StartedAt
	if offers, no := Offers(s); len(offers) != 2 {
		t.Errorf("%d offers, %v", len(offers), no)
	}
}

// After a change of plan that waits, packs are still those of the running period.
func TestPacksOfTheRunningPlan(t *testing.T) {
	s := running(t, "tsukimi-30", "2026-02-10 10:00:00", "2026-03-11 00:00:00")
	s.Now = s.Line.StartedAt.Add(day)
	s.Periods = append(s.Periods, line.Period{Number: 2, Plan: "tsukimi-3", StartsAt: s.Line.EndsAt, EndsAt: s.Line.EndsAt.Add(31 * day)})
	s.Line.Plan, s.Line.EndsAt = "tsukimi-3", s.Line.EndsAt.Add(31*day)
	if _, no := Decide(s, Item{Pack, "tsukimi-30", "1gb"}); no != nil {
		t.Errorf("refused: %s", no.Rule)
	}
	offers, _ := Offers(s)
	if !slices.ContainsFunc(offers, func(o Offer) bool { return o.Item == Item{Pack, "tsukimi-30", "1gb"} }) {
		t.Error("the running plan's pack is not among the offers")
	}
}

// Figures from before the newest period say nothing about its data, unless
// data is carried over.
func TestFiguresOfThePeriodBefore(t *testing.T) {
	needsData := func(rule catalogue.DataRule) *catalogue.Catalogue {
		return edited(t, "machi-10gb", func(p *catalogue.Plan) {
			p.Policy.Needs = []catalogue.Condition{catalogue.NeedsDataLeft}
			p.Policy.Data = rule
		})
	}
	s := running(t, "machi-10gb", "2026-03-01 09:00:00", "2026-03-31 00:00:00")
	c := clockOf(t, s.Line.Plan)
	second := c.at("2026-03-16 00:00:00")
	s.Periods = []line.Period{
		{Number: 1, StartsAt: s.Line.StartedAt, EndsAt: second},
		{Number: 2, StartsAt: second, EndsAt: s.Line.EndsAt, Effect: string(catalogue.Append)},
	}
	s.Line.Usage = line.Usage{Total: 10, Used: 10, AsOf: second.Add(-time.Second)}
	walk(t, s, []step{
		{name: "still the same period", now: "2026-03-15 23:59:59", item: "10gb-15d", change: shopOf(needsData(catalogue.DataLost)), want: "nothing_left"},
		{name: "the next one has begun", now: "2026-03-16 00:00:00", item: "10gb-15d", change: shopOf(needsData(catalogue.DataLost)), want: "append 2026-03-31 00:00:00 to 2026-04-15 00:00:00, 1980 JPY"},
		{name: "it has the same data", now: "2026-03-16 00:00:00", item: "10gb-15d", change: shopOf(needsData(catalogue.DataCarried)), want: "nothing_left"},
		{name: "measured since", now: "2026-03-16 00:00:00", item: "10gb-15d", change: func(s *Situation) {
			s.Catalogue, s.Line.Usage.AsOf = needsData(catalogue.DataLost), second
		}, want: "nothing_left"},
	})
}

// A daily cap that is used up is not a line without data.
func TestUsedUpUntilTheResetIsNotEmpty(t *testing.T) {
	s := running(t, "ichiba-500", "2026-03-08 09:00:00", "2026-03-11 00:00:00")
	c := edited(t, "ichiba-500", func(p *catalogue.Plan) {
		p.Policy.EffectEmpty, p.Policy.Needs = catalogue.Restart, []catalogue.Condition{catalogue.NeedsDataLeft}
	})
	walk(t, s, []step{{name: "queues", now: "2026-03-08 22:00:00", item: "3d", change: func(s *Situation) {
		s.Catalogue, s.Line.Usage = c, line.Usage{Total: 5e8, Used: 5e8, AsOf: s.Now}
	}, want: "queue 2026-03-11 00:00:00 to 2026-03-14 00:00:00, 480 JPY"}})
}

// Until when the very same can be had; see also TestTakeByIsExact.
func TestTakeBy(t *testing.T) {
	emptyToday := edited(t, "hinode-visitor-2", func(p *catalogue.Plan) {
		p.Policy.Effect, p.Policy.Data, p.Policy.Grace = catalogue.Queue, catalogue.DataOwn, calendar.Length{}
	})
	s := running(t, "hinode-visitor-2", "2026-03-01 09:00:00", "2026-03-11 00:00:00")
	c := clockOf(t, s.Line.Plan)
	for _, tt := range []struct {
		name, now string
		change    func(*Situation)
		want      string
	}{
		{"append: to the end", "2026-03-05 22:00:00", nil, "2026-03-11 00:00:00"},
		{"empty: today", "2026-03-05 22:00:00", usedUp, "2026-03-06 00:00:00"},
		{"ended: today", "2026-03-11 22:00:00", nil, "2026-03-12 00:00:00"},
		{"ended: the last day", "2026-03-12 22:00:00", nil, "2026-03-13 00:00:00"},
		{"empty: until the next period brings data", "2026-03-05 22:00:00", func(s *Situation) {
			s.Catalogue = emptyToday
			usedUp(s)
			s.Periods[0].EndsAt = c.at("2026-03-05 23:00:00")
			s.Periods = append(s.Periods, line.Period{Number: 2, StartsAt: s.Periods[0].EndsAt, EndsAt: s.Line.EndsAt})
		}, "2026-03-05 23:00:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := s
			s.Now, s.Periods = c.at(tt.now), slices.Clone(s.Periods)
			if tt.change != nil {
				tt.change(&s)
			}
			o, no := Decide(s, Item{Term, s.Line.Plan, "1gb-1d"})
			if no != nil {
				t.Fatal(no.Rule)
			}
			if !o.TakeBy.Equal(c.at(tt.want)) {
				t.Errorf("%s until %s, want %s", o.Effect, o.TakeBy.In(c.Location).Format(clockLayout), tt.want)
			}
		})
	}
}

// How far ahead a line may be paid for.
func TestAhead(t *testing.T) {
	ahead := func(n int) *catalogue.Catalogue {
		return edited(t, "aurora-3gb", func(p *catalogue.Plan) {
			p.Policy.Stack.Ahead, p.Policy.Grace = calendar.Length{N: n, Unit: calendar.Day}, calendar.Length{N: 5, Unit: calendar.Day}
			p.Policy.Needs = nil
		})
	}
	s := running(t, "aurora-3gb", "2026-03-01 16:00:00", "2026-03-11 16:00:00")
	walk(t, s, []step{
		{name: "an end in the afternoon needs that day too", now: "2026-03-05 12:00:00", item: "10x24h", change: shopOf(ahead(12)), want: "too_far_ahead 2026-03-10 00:00:00"},
		{name: "from that day on", now: "2026-03-10 00:00:00", item: "10x24h", change: shopOf(ahead(12)), want: "append 2026-03-11 16:00:00 to 2026-03-21 16:00:00, 5180 JPY"},
		{name: "never while the line runs", now: "2026-03-05 12:00:00", item: "10x24h", change: shopOf(ahead(10)), want: "too_far_ahead"},
		{name: "after the end its length counts", now: "2026-03-12 12:00:00", item: "10x24h", change: shopOf(ahead(10)), want: "restart 2026-03-12 12:00:00 to 2026-03-22 12:00:00, 5180 JPY"},
		{name: "and is too much", now: "2026-03-12 12:00:00", item: "10x24h", change: shopOf(ahead(9)), want: "too_far_ahead"},
	})
}

// How many days of a cap are left to buy a pack for.
func TestPackForEachDay(t *testing.T) {
	each := func(change func(*catalogue.Plan)) *catalogue.Catalogue {
		return edited(t, "ichiba-500", func(p *catalogue.Plan) {
			p.Packs = slices.Clone(p.Packs)
			change(p)
		})
	}
	pack := "pack 500mb-all"
	s := running(t, "ichiba-500", "2026-03-08 09:00:00", "2026-03-11 00:00:00")
	walk(t, s, []step{
		{name: "Japan's days, of which a piece of a fourth is left", now: "2026-03-08 22:30:00", item: pack, change: shopOf(each(func(p *catalogue.Plan) {
			p.ResetZone = "Asia/Tokyo"
		})), want: "adds 2026-03-08 22:30:00 to 2026-03-11 00:00:00, 480 JPY"},
		{name: "it is the next day in Japan", now: "2026-03-08 23:30:00", item: pack, change: shopOf(each(func(p *catalogue.Plan) {
			p.ResetZone = "Asia/Tokyo"
		})), want: "adds 2026-03-08 23:30:00 to 2026-03-11 00:00:00, 360 JPY"},
		{name: "to the end of the operator's days", now: "2026-03-08 23:30:00", item: pack, change: shopOf(each(func(p *catalogue.Plan) {
			p.ResetZone, p.Packs[1].Until = "Asia/Tokyo", catalogue.UntilDayEnd
		})), want: "adds 2026-03-08 23:30:00 to 2026-03-11 00:00:00, 360 JPY"},
		{name: "24 hours each, the last one short", now: "2026-03-08 10:00:00", item: pack, change: shopOf(each(func(p *catalogue.Plan) {
			p.Reset = catalogue.ResetRolling
		})), want: "adds 2026-03-08 10:00:00 to 2026-03-11 00:00:00, 360 JPY"},
		{name: "the last 24 hours", now: "2026-03-10 09:00:00", item: pack, change: shopOf(each(func(p *catalogue.Plan) {
			p.Reset = catalogue.ResetRolling
		})), want: "adds 2026-03-10 09:00:00 to 2026-03-11 00:00:00, 120 JPY"},
		{name: "together they reach the minimum", now: "2026-03-09 10:00:00", item: pack, change: shopOf(each(func(p *catalogue.Plan) {
			p.Policy.MinimumSpend = []money.Money{money.Of(240, "JPY")}
		})), want: "adds 2026-03-09 10:00:00 to 2026-03-11 00:00:00, 240 JPY"},
		{name: "alone it does not", now: "2026-03-10 10:00:00", item: pack, change: shopOf(each(func(p *catalogue.Plan) {
			p.Policy.MinimumSpend = []money.Money{money.Of(240, "JPY")}
		})), want: "below_minimum"},
	})
}

func TestUnused(t *testing.T) {
	const gb = 1 << 30
	for _, tt := range []struct {
		name, plan, item string
		change           func(*Situation)
		want             Unused
	}{
		{"carried", "hinode-visitor-2", "1gb-1d", nil, Unused{Rule: catalogue.DataCarried, Limited: true, Bytes: 3 * gb}},
		{"nothing is known", "hinode-visitor-2", "1gb-1d", func(s *Situation) { s.Line.Usage = line.Usage{} }, Unused{Rule: catalogue.DataCarried, Limited: true}},
		{"own, usable to its end", "tsubame-data", "3gb-30x24h", nil, Unused{Rule: catalogue.DataOwn, Limited: true, Bytes: 3 * gb, At: time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)}},
		{"lost at once", "tsukimi-20", "20gb-1mo", nil, Unused{Rule: catalogue.DataLost, Limited: true, Bytes: 3 * gb, At: time.Date(2026, 3, 4, 15, 0, 0, 0, time.UTC)}},
		{"ended: there is nothing left", "tsukimi-20", "20gb-1mo", func(s *Situation) { s.Now = s.Line.EndsAt }, Unused{Rule: catalogue.DataLost}},
		{"no amount", "koyomi-3gb", "5d", nil, Unused{Rule: catalogue.DataLost}},
		{"a daily cap is no amount", "ichiba-1gb", "3d", func(s *Situation) { s.Line.Usage.Unlimited = false }, Unused{Rule: catalogue.DataLost}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := running(t, tt.plan, "2026-03-01 00:00:00", "2026-03-11 00:00:00")
			s.Now = zone(t, "Asia/Tokyo").at("2026-03-05 00:00:00")
			s.Line.Usage.Total, s.Line.Usage.Used = 5*gb, 2*gb
			if tt.change != nil {
				tt.change(&s)
			}
			o, no := Decide(s, Item{Term, tt.plan, tt.item})
			if no != nil {
				t.Fatal(no.Rule)
			}
			if diff := cmp.Diff(tt.want, o.Unused); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPerDayAndSaving(t *testing.T) {
	s := running(t, "machi-5gb", "2026-03-01 00:00:00", "2026-03-11 00:00:00")
	s.Now = s.Line.StartedAt
	type row struct{ days, perDay, saving int }
	want := []row{{3, 560, 0}, {5, 496, 11}, {7, 454, 18}, {10, 398, 28}, {15, 352, 37}, {30, 266, 52}}
	offers, no := Offers(s)
	if no != nil {
		t.Fatal(no.Rule)
	}
	var got []row
	for _, o := range offers {
		got = append(got, row{o.Days, int(o.PerDay.Minor), o.Saving})
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(row{})); diff != "" {
		t.Error(diff)
	}
}

// Amounts at the limit neither wrap nor panic.
func TestAbsurdPrices(t *testing.T) {
	most := []money.Money{money.Of(money.MaxMinor, "JPY")}
	c := edited(t, "ichiba-500", func(p *catalogue.Plan) {
		p.Terms, p.Packs = slices.Clone(p.Terms), slices.Clone(p.Packs)
		for i := range p.Terms {
			p.Terms[i].Prices = most
		}
		for i := range p.Packs {
			p.Packs[i].Prices = most
		}
		p.Terms[3].Length = calendar.Length{N: 3660, Unit: calendar.Day}
	})
	s := running(t, "ichiba-500", "2026-03-08 09:00:00", "2036-03-11 00:00:00")
	s.Catalogue, s.Now = c, s.Line.StartedAt
	o, no := Decide(s, Item{Term, "ichiba-500", "15d"})
	if no != nil || o.Saving != 99 || o.PerDay.Minor != money.DivRound(money.MaxMinor, 3660, money.HalfUp) {
		t.Errorf("%v %v", o, no)
	}
	if _, no := Decide(s, Item{Pack, "ichiba-500", "500mb-today"}); no != nil {
		t.Error(no.Rule)
	}
	if _, no := Decide(s, Item{Pack, "ichiba-500", "500mb-all"}); no == nil || no.Rule != NoPrice {
		t.Errorf("ten years of the largest price: %v", no)
	}
}

func TestOffersInOrder(t *testing.T) {
	s := running(t, "tsukimi-30", "2026-02-10 10:00:00", "2026-03-11 00:00:00")
	s.Now = s.Line.EndsAt.Add(-time.Hour)
	offers, no := Offers(s)
	if no != nil {
		t.Fatal(no.Rule)
	}
	var got []Item
	for _, o := range offers {
		got = append(got, o.Item)
	}
	want := []Item{
		{Term, "tsukimi-30", "30gb-1mo"},
		{Term, "tsukimi-20", "20gb-1mo"},
		{Term, "tsukimi-3", "3gb-1mo"},
		{Pack, "tsukimi-30", "1gb"},
		{Pack, "tsukimi-30", "5gb"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestShortTermsFirst(t *testing.T) {
	s := running(t, "hinode-visitor-2", "2026-03-01 09:00:00", "2026-03-11 00:00:00") // the file has ten days first
	s.Now = s.Line.StartedAt
	offers, _ := Offers(s)
	if len(offers) != 2 || offers[0].Item.ID != "1gb-1d" || offers[1].Item.ID != "2gb-10d" {
		t.Errorf("%v", offers)
	}
}

// A line of a plan that is gone, or without any catalogue, is refused and not
// a panic.
func TestPlanGone(t *testing.T) {
	s := running(t, "machi-5gb", "2026-03-01 00:00:00", "2026-03-11 00:00:00")
	noOperator, noZone := *demo, *demo
	noOperator.Operators = nil
	noZone.Operators = slices.Clone(demo.Operators)
	for i := range noZone.Operators {
		noZone.Operators[i].Zone = "Nowhere/Land"
	}
	for name, c := range map[string]*catalogue.Catalogue{"none": nil, "empty": {}, "no operator": &noOperator, "no zone": &noZone} {
		s.Catalogue = c
		if _, no := Offers(s); no == nil || no.Rule != PlanGone {
			t.Errorf("%s: %v", name, no)
		}
	}
}

func TestBefore(t *testing.T) {
	c := zone(t, "Asia/Tokyo")
	for _, tt := range []struct {
		t    string
		n    int
		u    calendar.Unit
		want string
	}{
		{"2026-03-11 00:00:00", 10, calendar.Day, "2026-03-01 00:00:00"},
		{"2026-03-11 16:30:00", 10, calendar.Day, "2026-03-01 16:30:00"},
		{"2026-03-11 16:30:00", 2, calendar.Hours24, "2026-03-09 16:30:00"},
		{"2026-03-31 00:00:00", 1, calendar.Month, "2026-02-28 00:00:00"}, // AddDate says 3 March
		{"2026-03-31 00:00:00", 13, calendar.Month, "2025-02-28 00:00:00"},
		{"2028-02-29 00:00:00", 1, calendar.Year, "2027-02-28 00:00:00"},
		{"2026-01-01 00:00:00", 1, calendar.Month, "2025-12-01 00:00:00"},
	} {
		if got := before(c.at(tt.t), calendar.Length{N: tt.n, Unit: tt.u}, c.Location); !got.Equal(c.at(tt.want)) || got.Location() != time.UTC {
			t.Errorf("%d %s before %s is %s, want %s", tt.n, tt.u, tt.t, got.In(c.Location).Format(clockLayout), tt.want)
		}
	}
	// On 26 April 2024 midnight does not exist in Cairo: the day begins at 01:00.
	cairo := zone(t, "Africa/Cairo")
	got := before(cairo.at("2024-04-27 00:00:00"), calendar.Length{N: 1, Unit: calendar.Day}, cairo.Location)
	if want := cairo.at("2024-04-26 01:00:00"); !got.Equal(want) {
		t.Errorf("a day before is %s, want %s", got, want)
	}
}

func TestNextResetWithoutAClock(t *testing.T) {
	loc := zone(t, "UTC").Location
	rolling := catalogue.Plan{Reset: catalogue.ResetRolling}
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	if got := NextReset(rolling, line.Line{}, now, loc); !got.IsZero() {
		t.Errorf("a line that has not started: %s", got)
	}
	if got := NextReset(rolling, line.Line{StartedAt: now.Add(time.Hour)}, now, loc); !got.Equal(now.Add(time.Hour)) {
		t.Errorf("a line that starts in an hour: %s", got)
	}
}
