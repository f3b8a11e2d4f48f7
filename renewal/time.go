package renewal

import (
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
)

// TermEnd is the first instant that a term begun at start no longer covers.
func TermEnd(t catalogue.Term, start time.Time, loc *time.Location, anchor int) time.Time {
	end := t.Length.End(start, loc, anchor)
	if t.ToDayEnd && !end.Equal(calendar.StartOfDay(end, loc)) {
		return calendar.NextDay(end, loc)
	}
	return end
}

// GraceEnd is the first instant at which a line that ended at end can no
// longer be renewed in place; end itself where the plan gives no grace.
func GraceEnd(p catalogue.Plan, end time.Time, loc *time.Location) time.Time {
	if !p.Policy.Renewable || p.Policy.Grace.N == 0 || end.IsZero() {
		return end
	}
	return p.Policy.Grace.End(end, loc, 0)
}

// RenewBy is the last moment to renew a line that ends at end, exclusive, or
// zero where it cannot be renewed at all. It is what a reminder says.
func RenewBy(p catalogue.Plan, end time.Time, loc *time.Location) time.Time {
	switch {
	case !p.Policy.Renewable || end.IsZero():
		return time.Time{}
	case p.Policy.Grace.N > 0:
		return GraceEnd(p, end, loc)
	case p.Policy.Closes.N > 0:
		return before(end, p.Policy.Closes, loc)
	}
	return end
}

// NextReset is when the plan's cap begins anew after now. For a plan without a
// reset it is the end of service.
func NextReset(p catalogue.Plan, l line.Line, now time.Time, operator *time.Location) time.Time {
	loc := operator
	if p.ResetZone != "" {
		if own, err := p.ResetZone.Location(); err == nil {
			loc = own
		}
	}
	switch p.Reset {
	case catalogue.ResetMidnight:
		return calendar.NextDay(now, loc)
	case catalogue.ResetRolling:
		const day = 24 * time.Hour
		return l.StartedAt.Add((now.Sub(l.StartedAt)/day + 1) * day)
	case catalogue.ResetMonthly:
		y, m, _ := now.In(loc).Date()
		return calendar.StartOfDay(time.Date(y, m+1, 1, 12, 0, 0, 0, loc), loc)
	case catalogue.ResetNone:
	}
	return l.EndsAt
}

// before is the instant a length before t: rolling hours exactly, calendar
// days and months by the date.
func before(t time.Time, l calendar.Length, loc *time.Location) time.Time {
	local := t.In(loc)
	switch l.Unit {
	case calendar.Hours24:
		return t.Add(-time.Duration(l.N) * 24 * time.Hour)
	case calendar.Day:
		return local.AddDate(0, 0, -l.N)
	case calendar.Month:
		return local.AddDate(0, -l.N, 0)
	case calendar.Year:
		return local.AddDate(-l.N, 0, 0)
	}
	return t
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
func days(l calendar.Length, start, end time.Time, loc *time.Location) int {
	switch l.Unit {
	case calendar.Day, calendar.Hours24:
		return l.N
	case calendar.Month, calendar.Year:
	}
	return calendar.Days(start, end, loc)
}

func perDay(m money.Money, days int) money.Money {
	if days < 1 {
		return money.Money{}
	}
	n := int64(days)
	return money.Money{Minor: (m.Minor + n/2) / n, Currency: m.Currency}
}

// saving is how many whole percent less a day of this term costs than a day of
// the plan's shortest one, in the same currency.
func saving(p catalogue.Plan, t catalogue.Term, price money.Money) int {
	base, basePrice := t, price
	for _, other := range p.Terms {
		for _, m := range other.Prices {
			if m.Currency == price.Currency && nominalDays(other.Length) < nominalDays(base.Length) {
				base, basePrice = other, m
			}
		}
	}
	n, baseN := int64(nominalDays(t.Length)), int64(nominalDays(base.Length))
	full := basePrice.Minor * n
	if full <= 0 {
		return 0
	}
	return int((full - price.Minor*baseN) * 100 / full)
}
