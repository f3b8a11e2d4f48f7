package renewal

import (
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/line"
)

// b-mobile VISITOR: a recharge of a day, for two days after the end too, and
// then, or at zero, good only until 23:59:59 of the day of purchase.
func TestVisitorRecharge(t *testing.T) {
	s := running(t, "hinode-visitor-2", "2026-03-01 09:00:00", "2026-03-11 00:00:00")
	walk(t, s, []step{
		{name: "running, with data", now: "2026-03-05 22:00:00", item: "1gb-1d", want: "append 2026-03-11 00:00:00 to 2026-03-12 00:00:00, 500 JPY"},
		{name: "the last second", now: "2026-03-10 23:59:59", item: "1gb-1d", want: "append 2026-03-11 00:00:00 to 2026-03-12 00:00:00, 500 JPY"},
		{name: "the end", now: "2026-03-11 00:00:00", item: "1gb-1d", want: "same_day 2026-03-11 00:00:00 to 2026-03-12 00:00:00, 500 JPY"},
		{name: "22:00 of the first day after", now: "2026-03-11 22:00:00", item: "1gb-1d", want: "same_day 2026-03-11 22:00:00 to 2026-03-12 00:00:00, 500 JPY"},
		{name: "a second before midnight", now: "2026-03-11 23:59:59", item: "1gb-1d", want: "same_day 2026-03-11 23:59:59 to 2026-03-12 00:00:00, 500 JPY"},
		{name: "two days after, last second", now: "2026-03-12 23:59:59", item: "1gb-1d", want: "same_day 2026-03-12 23:59:59 to 2026-03-13 00:00:00, 500 JPY"},
		{name: "and one second later", now: "2026-03-13 00:00:00", item: "1gb-1d", want: "too_late 2026-03-13 00:00:00"},
		{name: "at zero, 22:00", now: "2026-03-05 22:00:00", item: "1gb-1d", change: usedUp, want: "same_day 2026-03-05 22:00:00 to 2026-03-06 00:00:00, 500 JPY"},
		{name: "at zero, 00:00", now: "2026-03-05 00:00:00", item: "1gb-1d", change: usedUp, want: "same_day 2026-03-05 00:00:00 to 2026-03-06 00:00:00, 500 JPY"},
		{name: "at zero, ten days for an evening", now: "2026-03-05 22:00:00", item: "2gb-10d", change: usedUp, want: "day_only"},
		{name: "after the end, ten days for an evening", now: "2026-03-11 22:00:00", item: "2gb-10d", want: "day_only"},
		{name: "by card", now: "2026-03-05 22:00:00", item: "1gb-1d", change: payBy("card"), want: "append 2026-03-11 00:00:00 to 2026-03-12 00:00:00, 500 JPY"},
		{name: "from the wallet", now: "2026-03-05 22:00:00", item: "1gb-1d", change: payBy("wallet"), want: "tool_refused"},
		{name: "too late whatever pays", now: "2026-03-13 00:00:00", item: "1gb-1d", change: payBy("wallet"), want: "too_late 2026-03-13 00:00:00"},
	})
}

// The offer at the quote's instant is another one at the payment's.
func TestExpiryBetweenQuoteAndPayment(t *testing.T) {
	for _, tt := range []struct {
		plan, term, start, end string
		quoted, paid           catalogue.Effect // "": refused then
	}{
		{"hinode-visitor-2", "1gb-1d", "2026-03-01 09:00:00", "2026-03-11 00:00:00", catalogue.Append, catalogue.SameDay},
		{"shirakaba-steady", "30d", "2026-02-09 00:00:00", "2026-03-11 00:00:00", catalogue.Queue, catalogue.Restart},
		{"sumire-voice", "30d", "2026-02-09 00:00:00", "2026-03-11 00:00:00", catalogue.Append, ""},
		{"tsubame-data", "1gb-7x24h", "2026-03-03 12:00:00", "2026-03-11 00:00:00", catalogue.Parallel, catalogue.Restart},
		{"aurora-rolling", "1gb-7x24h", "2026-03-04 16:00:00", "2026-03-11 16:00:00", catalogue.Append, ""},
		{"kaigan-2gb", "3d", "2026-03-01 00:00:00", "2026-03-11 00:00:00", catalogue.Queue, ""},
	} {
		t.Run(tt.plan, func(t *testing.T) {
			s := running(t, tt.plan, tt.start, tt.end)
			item := Item{Term, tt.plan, tt.term}
			s.Now = s.Line.EndsAt.Add(-time.Second)
			quoted, no := Decide(s, item)
			if no != nil || quoted.Effect != tt.quoted {
				t.Fatalf("quoted: %s %v, want %s", quoted.Effect, no, tt.quoted)
			}
			if !quoted.TakeBy.Equal(s.Line.EndsAt) {
				t.Errorf("the quote can be taken until %s, want the end, %s", quoted.TakeBy, s.Line.EndsAt)
			}
			s.Now = s.Line.EndsAt
			paid, no := Decide(s, item)
			if (no != nil) != (tt.paid == "") || paid.Effect != tt.paid {
				t.Errorf("paid at the end: %q %v, want %q", paid.Effect, no, tt.paid)
			}
		})
	}
}

// b-mobile U300: at any time, and up to 60 days after the end; the new term
// waits for the end of the old one.
func TestQueueSixtyDays(t *testing.T) {
	s := running(t, "shirakaba-steady", "2026-02-09 10:00:00", "2026-03-11 00:00:00")
	buy := func(terms ...string) func(*Situation) {
		return func(s *Situation) { *s = s.then(t, terms...) }
	}
	walk(t, s, []step{
		{name: "early", now: "2026-02-09 10:00:00", item: "30d", want: "queue 2026-03-11 00:00:00 to 2026-04-10 00:00:00, 2980 JPY"},
		{name: "the last second", now: "2026-03-10 23:59:59", item: "30d", want: "queue 2026-03-11 00:00:00 to 2026-04-10 00:00:00, 2980 JPY"},
		{name: "the end", now: "2026-03-11 00:00:00", item: "30d", want: "restart 2026-03-11 00:00:00 to 2026-04-10 00:00:00, 2980 JPY"},
		{name: "the sixtieth day, last second", now: "2026-05-09 23:59:59", item: "30d", want: "restart 2026-05-09 23:59:59 to 2026-06-08 00:00:00, 2980 JPY"},
		{name: "and one second later", now: "2026-05-10 00:00:00", item: "30d", want: "too_late 2026-05-10 00:00:00"},
		{name: "a second one waits for the first", now: "2026-03-01 12:00:00", item: "185d", change: buy("30d"), want: "queue 2026-04-10 00:00:00 to 2026-10-12 00:00:00, 14900 JPY"},
		{name: "three at a time are enough", now: "2026-03-01 12:00:00", item: "30d", change: buy("30d", "30d"), want: "stack_full 2026-03-11 00:00:00"},
	})

	t.Run("room again when the first has ended", func(t *testing.T) {
		s := s
		s.Now = clockOf(t, s.Line.Plan).at("2026-03-01 12:00:00")
		s = s.then(t, "30d", "30d")
		_, full := Decide(s, Item{Term, s.Line.Plan, "30d"})
		s.Now = full.At.Add(-1)
		if _, no := Decide(s, Item{Term, s.Line.Plan, "30d"}); no == nil || no.Rule != StackFull {
			t.Errorf("just before %s: %v", full.At, no)
		}
		s.Now = full.At
		if _, no := Decide(s, Item{Term, s.Line.Plan, "30d"}); no != nil {
			t.Errorf("at %s: %s", full.At, no.Rule)
		}
	})
}

// Mobal: extended before the end, or dead for ever.
func TestRenewOrDead(t *testing.T) {
	s := running(t, "sumire-voice", "2026-03-02 10:00:00", "2026-04-01 00:00:00")
	walk(t, s, []step{
		{name: "the last second", now: "2026-03-31 23:59:59", item: "30d", want: "append 2026-04-01 00:00:00 to 2026-05-01 00:00:00, 6500 JPY"},
		{name: "the end", now: "2026-04-01 00:00:00", item: "30d", want: "too_late_for_ever 2026-04-01 00:00:00"},
		{name: "a year later", now: "2027-04-01 00:00:00", item: "30d", want: "too_late_for_ever 2026-04-01 00:00:00"},
		{name: "the operator says so before", now: "2026-03-31 23:59:59", item: "30d", change: inState(line.Terminal), want: "line_dead"},
		{name: "somebody else has the number", now: "2026-03-31 23:59:59", item: "30d", change: inState(line.Recycled), want: "line_dead"},
		{name: "suspended", now: "2026-03-31 23:59:59", item: "30d", change: inState(line.Suspended), want: "line_suspended"},
		{name: "without identity check", now: "2026-03-31 23:59:59", item: "30d", change: unidentified, want: "identity_missing"},
		{name: "a check does not help after the end", now: "2026-04-01 00:00:00", item: "30d", change: unidentified, want: "too_late_for_ever 2026-04-01 00:00:00"},
		{name: "high speed used up is not empty", now: "2026-03-20 12:00:00", item: "30d", change: func(s *Situation) {
			s.Line.Usage = line.Usage{Total: 7 << 30, Used: 7 << 30, AsOf: s.Now}
		}, want: "append 2026-04-01 00:00:00 to 2026-05-01 00:00:00, 6500 JPY"},
		{name: "180 days ahead at most: the day before", now: "2026-03-31 12:00:00", item: "90d", change: func(s *Situation) { *s = s.then(t, "90d") }, want: "too_far_ahead 2026-04-01 00:00:00"},
		{name: "180 days ahead at most: the day itself", now: "2026-04-01 00:00:00", item: "90d", change: func(s *Situation) {
			now := s.Now
			s.Now = now.Add(-time.Second)
			*s = s.then(t, "90d")
			s.Now = now
		}, want: "append 2026-06-30 00:00:00 to 2026-09-28 00:00:00, 14500 JPY"},
	})
}

// Sakura: calendar days from the day of installing; extended only in the last
// fifteen.
func TestCalendarFromInstall(t *testing.T) {
	s := running(t, "koyomi-3gb", "2026-02-09 23:59:00", "2026-03-11 00:00:00")
	walk(t, s, []step{
		{name: "a second too early", now: "2026-02-23 23:59:59", item: "10d", want: "too_early 2026-02-24 00:00:00"},
		{name: "fifteen days before the end", now: "2026-02-24 00:00:00", item: "10d", want: "append 2026-03-11 00:00:00 to 2026-03-21 00:00:00, 5200 JPY"},
		{name: "the last second", now: "2026-03-10 23:59:59", item: "10d", want: "append 2026-03-11 00:00:00 to 2026-03-21 00:00:00, 5200 JPY"},
		{name: "the end", now: "2026-03-11 00:00:00", item: "10d", want: "too_late 2026-03-11 00:00:00"},
		{name: "before activation", now: "2026-03-01 00:00:00", item: "10d", change: notActivated, want: "not_started"},
		{name: "before its own start", now: "2026-02-09 23:58:59", item: "10d", want: "not_started"},
		{name: "the next renewal opens with the new end", now: "2026-02-24 00:00:00", item: "30d", change: func(s *Situation) { *s = s.then(t, "30d") }, want: "too_early 2026-03-26 00:00:00"},
	})

	c := zone(t, "Asia/Tokyo")
	plan, _ := demo.Plan("koyomi-3gb")
	ten, _ := plan.Term("10d")
	if got, want := TermEnd(ten, c.at("2026-01-01 23:59:00"), c.Location, 0), c.at("2026-01-11 00:00:00"); !got.Equal(want) {
		t.Errorf("installed at 23:59 on 1 January, ten days end %s, want 23:59:59 on the 10th", got.In(c.Location))
	}
}

// OCN: no extension, no extra data.
func TestNoExtension(t *testing.T) {
	s := running(t, "tsumugi-light", "2026-03-04 09:00:00", "2026-03-11 00:00:00")
	walk(t, s, []step{
		{name: "running", now: "2026-03-05 09:00:00", item: "7d", want: "not_renewable"},
		{name: "the last second", now: "2026-03-10 23:59:59", item: "7d", want: "not_renewable"},
		{name: "the end", now: "2026-03-11 00:00:00", item: "7d", want: "not_renewable"},
		{name: "before activation", now: "2026-03-01 00:00:00", item: "7d", change: notActivated, want: "not_renewable"},
		{name: "no pack", now: "2026-03-05 09:00:00", item: "pack 1gb", want: "nothing_on_sale"},
	})
	s.Now = s.Line.StartedAt
	if offers, no := Offers(s); offers != nil || no.Rule != NotRenewable {
		t.Errorf("offers %v, refusal %v", offers, no)
	}
	plan, _ := demo.Plan("tsumugi-light")
	if by := RenewBy(plan, s.Line.EndsAt, time.UTC); !by.IsZero() {
		t.Errorf("renew by %s, want never", by)
	}
}

// povo: every topping starts at once, has an end of its own, 24-hour days
// rounded up to 23:59:59, and moves no earlier end.
func TestToppings(t *testing.T) {
	s := running(t, "tsubame-data", "2026-03-01 12:00:00", "2026-04-01 00:00:00")
	walk(t, s, []step{
		{name: "in the afternoon", now: "2026-03-02 15:30:00", item: "1gb-7x24h", want: "parallel 2026-03-02 15:30:00 to 2026-03-10 00:00:00, 390 JPY"},
		{name: "at midnight there is nothing to round", now: "2026-03-02 00:00:00", item: "1gb-7x24h", want: "parallel 2026-03-02 00:00:00 to 2026-03-09 00:00:00, 390 JPY"},
		{name: "a second after", now: "2026-03-02 00:00:01", item: "1gb-7x24h", want: "parallel 2026-03-02 00:00:01 to 2026-03-10 00:00:00, 390 JPY"},
		{name: "a second before", now: "2026-03-01 23:59:59", item: "1gb-7x24h", want: "parallel 2026-03-01 23:59:59 to 2026-03-09 00:00:00, 390 JPY"},
		{name: "longer than what is there", now: "2026-03-20 15:30:00", item: "1gb-180x24h", want: "parallel 2026-03-20 15:30:00 to 2026-09-17 00:00:00, 960 JPY"},
		{name: "the last second", now: "2026-03-31 23:59:59", item: "1gb-7x24h", want: "parallel 2026-03-31 23:59:59 to 2026-04-08 00:00:00, 390 JPY"},
		{name: "the end", now: "2026-04-01 00:00:00", item: "1gb-7x24h", want: "restart 2026-04-01 00:00:00 to 2026-04-08 00:00:00, 390 JPY"},
		{name: "the line is kept for 180 days", now: "2026-09-27 23:59:59", item: "1gb-7x24h", want: "restart 2026-09-27 23:59:59 to 2026-10-05 00:00:00, 390 JPY"},
		{name: "and not a second longer", now: "2026-09-28 00:00:00", item: "1gb-7x24h", want: "too_late 2026-09-28 00:00:00"},
	})

	s.Now = clockOf(t, s.Line.Plan).at("2026-03-02 15:30:00")
	if after := s.then(t, "1gb-7x24h"); !after.Line.EndsAt.Equal(s.Line.EndsAt) || !after.Periods[0].EndsAt.Equal(s.Line.EndsAt) {
		t.Errorf("a short topping moved the end to %s", after.Line.EndsAt)
	}
}

// Nomad: to the minute, and only while the line runs and has data left.
func TestActiveOnlyRolling(t *testing.T) {
	s := running(t, "aurora-rolling", "2026-03-04 16:00:00", "2026-03-11 16:00:00")
	used := func(bytes int64) func(*Situation) { return func(s *Situation) { s.Line.Usage.Used = bytes } }
	walk(t, s, []step{
		{name: "running", now: "2026-03-05 09:30:00", item: "1gb-7x24h", want: "append 2026-03-11 16:00:00 to 2026-03-18 16:00:00, 600 JPY"},
		{name: "midnight means nothing", now: "2026-03-11 00:00:00", item: "1gb-7x24h", want: "append 2026-03-11 16:00:00 to 2026-03-18 16:00:00, 600 JPY"},
		{name: "the last second", now: "2026-03-11 15:59:59", item: "1gb-7x24h", want: "append 2026-03-11 16:00:00 to 2026-03-18 16:00:00, 600 JPY"},
		{name: "the minute", now: "2026-03-11 16:00:00", item: "1gb-7x24h", want: "too_late 2026-03-11 16:00:00"},
		{name: "a byte left", now: "2026-03-05 09:30:00", item: "1gb-7x24h", change: used(5<<30 - 1), want: "append 2026-03-11 16:00:00 to 2026-03-18 16:00:00, 600 JPY"},
		{name: "nothing left", now: "2026-03-05 09:30:00", item: "1gb-7x24h", change: used(5 << 30), want: "nothing_left"},
		{name: "more than all", now: "2026-03-05 09:30:00", item: "1gb-7x24h", change: used(6 << 30), want: "nothing_left"},
		{name: "nothing is known of its data", now: "2026-03-05 09:30:00", item: "1gb-7x24h", change: func(s *Situation) { s.Line.Usage = line.Usage{} }, want: "append 2026-03-11 16:00:00 to 2026-03-18 16:00:00, 600 JPY"},
		{name: "before activation", now: "2026-03-05 09:30:00", item: "1gb-7x24h", change: notActivated, want: "not_started"},
	})
}

// KeepGo: cannot be extended; its days are those of UTC+8.
func TestNoExtensionUTC8(t *testing.T) {
	s := running(t, "minato-1gb", "2026-03-08 09:00:00", "2026-03-11 00:00:00")
	walk(t, s, []step{
		{name: "running", now: "2026-03-10 23:59:59", item: "3d", want: "not_renewable"},
		{name: "the end", now: "2026-03-11 00:00:00", item: "3d", want: "not_renewable"},
	})

	japan, plan := zone(t, "Asia/Tokyo"), s.own(t)
	three, _ := plan.Term("3d")
	loc := clockOf(t, plan.ID).Location
	for start, want := range map[string]string{ // all on Japan's clock
		"2026-03-08 10:00:00": "2026-03-11 01:00:00",
		"2026-03-09 00:00:00": "2026-03-11 01:00:00", // still the 8th over there
		"2026-03-09 00:59:59": "2026-03-11 01:00:00",
		"2026-03-09 01:00:00": "2026-03-12 01:00:00",
	} {
		if got := TermEnd(three, japan.at(start), loc, 0); !got.Equal(japan.at(want)) {
			t.Errorf("three days from %s end %s in Japan, want %s", start, got.In(japan.Location).Format(clockLayout), want)
		}
	}
	for now, want := range map[string]string{
		"2026-03-09 00:00:00": "2026-03-09 01:00:00",
		"2026-03-09 00:59:59": "2026-03-09 01:00:00",
		"2026-03-09 01:00:00": "2026-03-10 01:00:00",
	} {
		if got := NextReset(plan, s.Line, japan.at(now), loc); !got.Equal(japan.at(want)) {
			t.Errorf("after %s the cap begins anew at %s in Japan, want %s", now, got.In(japan.Location).Format(clockLayout), want)
		}
	}
}

func (s Situation) own(t testing.TB) catalogue.Plan {
	t.Helper()
	p, ok := s.Catalogue.Plan(s.Line.Plan)
	if !ok {
		t.Fatal("no plan")
	}
	return p
}

// Trip.com: queues and starts when the old one ends, also when its fast data is
// used up early. The operator's days are those of UTC+8: one hour after Japan's.
func TestQueueAfter(t *testing.T) {
	s := running(t, "kaigan-2gb", "2026-03-01 09:00:00", "2026-03-11 00:00:00")
	walk(t, s, []step{
		{name: "midnight in Japan", now: "2026-03-10 23:00:00", item: "5d", want: "queue 2026-03-11 00:00:00 to 2026-03-16 00:00:00, 1980 JPY"},
		{name: "the last second", now: "2026-03-10 23:59:59", item: "5d", want: "queue 2026-03-11 00:00:00 to 2026-03-16 00:00:00, 1980 JPY"},
		{name: "midnight in UTC+8", now: "2026-03-11 00:00:00", item: "5d", want: "too_late 2026-03-11 00:00:00"},
		{name: "throttled for today", now: "2026-03-05 12:00:00", item: "5d", change: func(s *Situation) {
			s.Line.Usage = line.Usage{Total: 2e9, Used: 2e9, Throttled: true, AsOf: s.Now}
		}, want: "queue 2026-03-11 00:00:00 to 2026-03-16 00:00:00, 1980 JPY"},
		{name: "three at a time", now: "2026-03-05 12:00:00", item: "3d", change: func(s *Situation) { *s = s.then(t, "5d", "5d") }, want: "stack_full 2026-03-11 00:00:00"},
		{name: "ninety days ahead", now: "2026-03-05 12:00:00", item: "30d", change: func(s *Situation) {
			s.Line.EndsAt = clockOf(t, s.Line.Plan).at("2026-05-05 00:00:00")
			s.Periods[0].EndsAt = s.Line.EndsAt
		}, want: "too_far_ahead 2026-03-06 00:00:00"},
		{name: "before activation", now: "2026-03-05 12:00:00", item: "5d", change: notActivated, want: "not_started"},
		{name: "a currency without a price", now: "2026-03-05 12:00:00", item: "5d", change: func(s *Situation) { s.Currency = "EUR" }, want: "no_price"},
	})
}

// CMI: packs only while a period runs, for one day or for all that remain; one
// period may wait; days of UTC+8.
func TestDailyCapPacks(t *testing.T) {
	s := running(t, "ichiba-500", "2026-03-08 09:00:00", "2026-03-11 00:00:00")
	withNext := func(s *Situation) { *s = s.then(t, "5d") }
	walk(t, s, []step{
		{name: "one day, at 22:00", now: "2026-03-08 22:00:00", item: "pack 500mb-today", want: "adds 2026-03-08 22:00:00 to 2026-03-09 00:00:00, 150 JPY"},
		{name: "all three days", now: "2026-03-08 22:00:00", item: "pack 500mb-all", want: "adds 2026-03-08 22:00:00 to 2026-03-11 00:00:00, 360 JPY"},
		{name: "all three days, last second", now: "2026-03-08 23:59:59", item: "pack 500mb-all", want: "adds 2026-03-08 23:59:59 to 2026-03-11 00:00:00, 360 JPY"},
		{name: "two remain at 00:00", now: "2026-03-09 00:00:00", item: "pack 500mb-all", want: "adds 2026-03-09 00:00:00 to 2026-03-11 00:00:00, 240 JPY"},
		{name: "one remains", now: "2026-03-10 00:00:00", item: "pack 500mb-all", want: "adds 2026-03-10 00:00:00 to 2026-03-11 00:00:00, 120 JPY"},
		{name: "the last second", now: "2026-03-10 23:59:59", item: "pack 500mb-today", want: "adds 2026-03-10 23:59:59 to 2026-03-11 00:00:00, 150 JPY"},
		{name: "no pack at the end", now: "2026-03-11 00:00:00", item: "pack 500mb-today", want: "pack_needs_running 2026-03-11 00:00:00"},
		{name: "no pack before activation", now: "2026-03-08 22:00:00", item: "pack 500mb-today", change: notActivated, want: "not_started"},
		{name: "used up until the reset is not empty", now: "2026-03-08 22:00:00", item: "5d", change: func(s *Situation) {
			s.Line.Usage = line.Usage{Total: 5e8, Used: 5e8, AsOf: s.Now}
		}, want: "queue 2026-03-11 00:00:00 to 2026-03-16 00:00:00, 720 JPY"},
		{name: "one may wait", now: "2026-03-08 22:00:00", item: "3d", want: "queue 2026-03-11 00:00:00 to 2026-03-14 00:00:00, 480 JPY"},
		{name: "two may not", now: "2026-03-08 22:00:00", item: "3d", change: withNext, want: "queue_full 2026-03-11 00:00:00"},
		{name: "a pack is for the running period, not the next", now: "2026-03-08 22:00:00", item: "pack 500mb-all", change: withNext, want: "adds 2026-03-08 22:00:00 to 2026-03-11 00:00:00, 360 JPY"},
	})

	s.Now = clockOf(t, s.Line.Plan).at("2026-03-08 22:00:00")
	s = s.then(t, "5d")
	o, _ := Decide(s, Item{Pack, s.Line.Plan, "500mb-all"})
	if o.Period != 1 || o.PackageDays != 3 || o.Bytes != 5e8 {
		t.Errorf("the pack is for period %d, %d days, %d bytes a day; want 1, 3, 500 MB", o.Period, o.PackageDays, o.Bytes)
	}
	s.Now = s.Line.EndsAt.Add(-time.Second)
	if o, _ = Decide(s, Item{Pack, s.Line.Plan, "500mb-all"}); o.Period != 2 || o.PackageDays != 1 {
		t.Errorf("in the last second the pack is for period %d, %d days; want 2, 1", o.Period, o.PackageDays)
	}
}

// A cap that begins anew every 24 hours does so from the running period's
// start, which need not be the line's.
func TestRollingPack(t *testing.T) {
	s := running(t, "ichiba-rolling", "2026-03-08 09:00:00", "2026-03-11 09:00:00")
	walk(t, s, []step{
		{name: "until the next 24 hours", now: "2026-03-09 08:59:59", item: "pack 1gb", want: "adds 2026-03-09 08:59:59 to 2026-03-09 09:00:00, 260 JPY"},
		{name: "at their beginning", now: "2026-03-09 09:00:00", item: "pack 1gb", want: "adds 2026-03-09 09:00:00 to 2026-03-10 09:00:00, 260 JPY"},
		{name: "restarted at another hour", now: "2026-03-09 12:00:00", item: "pack 1gb", change: func(s *Situation) {
			s.Periods[0].StartsAt = s.Periods[0].StartsAt.Add(2 * time.Hour)
		}, want: "adds 2026-03-09 12:00:00 to 2026-03-10 11:00:00, 260 JPY"},
	})
}

// The month's cap begins anew on the first, after 31 days too.
func TestMonthlyReset(t *testing.T) {
	s := running(t, "sumire-voice", "2025-12-10 10:00:00", "2026-04-01 00:00:00")
	c := zone(t, "Asia/Tokyo")
	for now, want := range map[string]string{
		"2025-12-31 23:59:59": "2026-01-01 00:00:00",
		"2026-01-01 00:00:00": "2026-02-01 00:00:00",
		"2026-01-31 00:00:00": "2026-02-01 00:00:00",
		"2026-01-31 23:59:59": "2026-02-01 00:00:00",
		"2026-02-28 23:59:59": "2026-03-01 00:00:00",
		"2028-02-29 12:00:00": "2028-03-01 00:00:00",
	} {
		if got := NextReset(s.own(t), s.Line, c.at(now), c.Location); !got.Equal(c.at(want)) {
			t.Errorf("after %s the count begins anew at %s, want %s", now, got.In(c.Location).Format(clockLayout), want)
		}
	}
}

// 31 January leads over the end of February to 31 March, but only along months:
// days in between begin a new chain.
func TestMonthsKeepTheirDay(t *testing.T) {
	s := running(t, "tsukimi-20", "2026-01-31 10:00:00", "2026-03-01 00:00:00")
	c := clockOf(t, s.Line.Plan)
	s.Line.Anchor = 31
	plan := s.own(t)
	plan.Policy = catalogue.Policy{Renewable: true, Effect: catalogue.Append, Data: catalogue.DataCarried}
	ten := plan.Terms[0]
	ten.ID, ten.Length = "10d", calendar.Length{N: 10, Unit: calendar.Day}
	sixtyOne := ten
	sixtyOne.ID, sixtyOne.Length.N = "61d", 61
	plan.Terms = append([]catalogue.Term{ten, sixtyOne}, plan.Terms...)
	shop := *demo
	shop.Plans = []catalogue.Plan{plan}
	s.Catalogue, s.Now = &shop, c.at("2026-02-20 12:00:00")

	for _, tt := range []struct {
		name  string
		terms []string
		want  string
	}{
		{"a month", []string{"20gb-1mo"}, "2026-04-01 00:00:00"},
		{"two", []string{"20gb-1mo", "20gb-1mo"}, "2026-05-01 00:00:00"},
		{"ten days and a month", []string{"10d", "20gb-1mo"}, "2026-04-11 00:00:00"},
		{"days to 30 April and a month", []string{"61d", "20gb-1mo"}, "2026-05-31 00:00:00"},
	} {
		if got := s.then(t, tt.terms...).Line.EndsAt; !got.Equal(c.at(tt.want)) {
			t.Errorf("%s more: ends %s, want %s", tt.name, got.In(c.Location).Format(clockLayout), tt.want)
		}
	}
	other := s
	other.Line.EndsAt = c.at("2026-03-11 00:00:00") // staff gave it ten days
	if got := other.then(t, "20gb-1mo").Line.EndsAt; !got.Equal(c.at("2026-04-11 00:00:00")) {
		t.Errorf("an anchor of a longer month moved the end to %s", got.In(c.Location).Format(clockLayout))
	}
	s.Line.Anchor = 15 // a line that was imported with another day
	if got := s.then(t, "20gb-1mo").Line.EndsAt; !got.Equal(c.at("2026-03-29 00:00:00")) {
		t.Errorf("an anchor that does not fit moved the end to %s", got.In(c.Location).Format(clockLayout))
	}
}
