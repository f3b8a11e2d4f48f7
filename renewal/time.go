package renewal

import (
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/line"
)

const day = 24 * time.Hour

// TermEnd is the first instant that a term begun at start no longer covers.
// Anchor is as in [calendar.Length.End].
func TermEnd(t catalogue.Term, start time.Time, loc *time.Location, anchor int) time.Time {
	end := t.Length.End(start, loc, anchor)
	if t.ToDayEnd {
		return endOfDay(end, loc)
	}
	return end
}

// GraceEnd is the first instant at which a line that ended at end can no
// longer be renewed in place; end itself where the plan gives no grace. Days of
// grace are whole ones after the day on which the line ended.
func GraceEnd(p catalogue.Plan, end time.Time, loc *time.Location) time.Time {
	grace := p.Policy.Grace
	switch {
	case !p.Policy.Renewable || grace.N == 0 || end.IsZero() || slices.Contains(p.Policy.Needs, catalogue.NeedsRunning):
		return end
	case grace.Unit == calendar.Day:
		return grace.End(endOfDay(end, loc), loc, 0)
	}
	return grace.End(end, loc, 0)
}

// RenewBy is the last moment to renew a line that ends at end, exclusive, or
// zero where it cannot be renewed at all. It is what a reminder says.
func RenewBy(p catalogue.Plan, end time.Time, loc *time.Location) time.Time {
	if !p.Policy.Renewable || end.IsZero() {
		return time.Time{}
	}
	last := GraceEnd(p, end, loc)
	if last.Equal(end) && p.Policy.Closes.N > 0 {
		return before(end, p.Policy.Closes, loc)
	}
	return last
}

// NextReset is when the plan's cap begins anew after now, which may lie after
// the end of service. For a plan without a reset it is the end of service; for
// a line whose clock does not run yet it is when that starts, or zero.
func NextReset(p catalogue.Plan, l line.Line, now time.Time, operator *time.Location) time.Time {
	return nextReset(p, l.StartedAt, l.EndsAt, now, operator)
}

// nextReset is [NextReset] for service from start to end.
func nextReset(p catalogue.Plan, start, end, now time.Time, operator *time.Location) time.Time {
	loc := resetZone(p, operator)
	switch p.Reset {
	case catalogue.ResetMidnight:
		return calendar.NextDay(now, loc)
	case catalogue.ResetRolling:
		if start.IsZero() || now.Before(start) {
			return start
		}
		return start.Add((now.Sub(start)/day + 1) * day)
	case catalogue.ResetMonthly:
		// Noon says which day it is even where the clocks go back over midnight.
		y, m, _ := calendar.StartOfDay(now, loc).Add(12 * time.Hour).In(loc).Date()
		return calendar.StartOfDay(time.Date(y, m+1, 1, 12, 0, 0, 0, loc), loc)
	case catalogue.ResetNone:
	}
	return end
}

// LastReset is when the plan's cap last began anew, at now or before; zero where it
// has not yet, or never does.
func LastReset(p catalogue.Plan, l line.Line, now time.Time, operator *time.Location) time.Time {
	loc := resetZone(p, operator)
	switch p.Reset {
	case catalogue.ResetMidnight:
		return calendar.StartOfDay(now, loc)
	case catalogue.ResetRolling:
		if l.StartedAt.IsZero() || now.Before(l.StartedAt) {
			return time.Time{}
		}
		return l.StartedAt.Add(now.Sub(l.StartedAt) / day * day)
	case catalogue.ResetMonthly:
		y, m, _ := calendar.StartOfDay(now, loc).Add(12 * time.Hour).In(loc).Date()
		return calendar.StartOfDay(time.Date(y, m, 1, 12, 0, 0, 0, loc), loc)
	case catalogue.ResetNone:
	}
	return time.Time{}
}

// resetZone is whose days a cap counts.
func resetZone(p catalogue.Plan, operator *time.Location) *time.Location {
	if p.ResetZone != "" {
		if own, err := p.ResetZone.Location(); err == nil {
			return own
		}
	}
	return operator
}

// before is the instant a length before t: rolling hours exactly, calendar
// days and months by the date, at the same time of day; a month that is shorter
// has it on its last day. It is earlier than t.
func before(t time.Time, l calendar.Length, loc *time.Location) time.Time {
	var back time.Time // at noon, which no clock jumps over
	y, m, d := noon(t, loc).Date()
	switch l.Unit {
	case calendar.Hours24:
		return t.Add(-time.Duration(l.N) * day).UTC()
	case calendar.Day:
		back = time.Date(y, m, d-l.N, 12, 0, 0, 0, loc)
	case calendar.Month:
		back = monthsBack(y, m, d, l.N, loc)
	case calendar.Year:
		back = monthsBack(y, m, d, 12*l.N, loc)
	}
	return calendar.StartOfDay(back, loc).Add(t.Sub(calendar.StartOfDay(t, loc)))
}

func monthsBack(y int, m time.Month, d, n int, loc *time.Location) time.Time {
	m -= time.Month(n)
	return time.Date(y, m, min(d, lastOf(y, m)), 12, 0, 0, 0, loc)
}

// lastOf is the number of the last day of a month.
func lastOf(y int, m time.Month) int { return time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day() }

// noon is about the middle of the local day that t belongs to.
func noon(t time.Time, loc *time.Location) time.Time {
	return calendar.StartOfDay(t, loc).Add(12 * time.Hour).In(loc)
}

// endOfDay is t where a local day begins, else where the next one does.
func endOfDay(t time.Time, loc *time.Location) time.Time {
	if t.Equal(calendar.StartOfDay(t, loc)) {
		return t.UTC()
	}
	return calendar.NextDay(t, loc)
}

// keptAnchor is the anchor of a month that begins at start on a line that keeps
// one. It matters only where the month before was too short for it: 31 January
// leads over 28 February to 31 March.
func keptAnchor(kept int, start time.Time, loc *time.Location) int {
	own := calendar.Anchor(start, loc)
	y, m, d := noon(start.Add(-1), loc).Date() // the last day that is covered
	if d == lastOf(y, m) && kept > own {
		return min(kept, 31)
	}
	return own
}

func countsMonths(l calendar.Length) bool {
	return l.Unit == calendar.Month || l.Unit == calendar.Year
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// nominalDays orders terms by length without a start: a month counts 30 days.
func nominalDays(l calendar.Length) int {
	switch l.Unit {
	case calendar.Day, calendar.Hours24:
		return l.N
	case calendar.Month:
		return 30 * l.N
	case calendar.Year:
		return 365 * l.N
	}
	return 0
}

// days is how many days of service a term brings: what was bought for terms
// in days, what the calendar gives for months and years.
func (d *decision) days(t catalogue.Term, o Offer) int {
	switch {
	case o.Effect == catalogue.Adds:
		return 0
	case countsMonths(t.Length):
		return calendar.Days(o.StartsAt, o.EndsAt, d.loc)
	}
	return t.Length.N
}
