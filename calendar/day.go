package calendar

import (
	"fmt"
	"time"
)

// StartOfDay returns the first instant, in UTC, of the local day that t belongs
// to.
//
// That is midnight where there is one, and the first of two; where the clocks
// jump over midnight (Beirut, Santiago, Havana, in their time São Paulo) it is
// the instant of the jump. Dates that a zone left out (30 December 2011 in Apia)
// are no days.
//
// A day has begun once the clocks have shown its date, and clocks that go back
// over midnight do not bring yesterday back: St. John's, which until 2011 went
// back one hour at 00:01, had that minute and the 59 that followed it on the
// new day, although the clocks said 23:01 to 23:59 again. So days tile time, and
// a later start never means an earlier end.
func StartOfDay(t time.Time, loc *time.Location) time.Time { return dayOf(t, loc).begins(loc) }

// NextDay returns the first instant, in UTC, of the local day after the one
// that t belongs to. It is later than t, and is its own [StartOfDay].
func NextDay(t time.Time, loc *time.Location) time.Time { return (dayOf(t, loc) + 1).begins(loc) }

// Reset returns the next instant after t, in UTC, at which a daily cap starts
// afresh, for a plan that resets when the local clock shows offset after
// midnight: 2*time.Hour is 02:00 on the clock, not two hours after the day
// began. Where the clocks jump over that time it is the instant of the jump;
// where it comes twice, the first. Each date has one reset.
//
// Reset panics unless offset is whole seconds within 0 to 24 hours.
func Reset(t time.Time, loc *time.Location, offset time.Duration) time.Time {
	if offset < 0 || offset >= 24*time.Hour || offset%time.Second != 0 {
		panic(fmt.Sprintf("calendar: no clock shows %s", offset))
	}
	for d := dayOf(t, loc); ; d++ { // two rounds, or three where a date was left out
		at := reached(loc, int64(d)*secondsPerDay+int64(offset/time.Second))
		if at.After(t) {
			return at
		}
	}
}

// Days counts the local days that [start, end) touches: 23:59 to 00:01 touches
// two. It is 0 when end is not after start.
func Days(start, end time.Time, loc *time.Location) int {
	if !end.After(start) {
		return 0
	}
	first, last := dayOf(start, loc), dayOf(end.Add(-1), loc)
	return int(last-first) + 1 - skipped(start, end, loc)
}

// skipped counts the dates that loc left out between start and end.
func skipped(start, end time.Time, loc *time.Location) int {
	var n int
	for at := stretchEnd(start.In(loc)); !at.IsZero() && at.Before(end); at = stretchEnd(at) {
		shown := dateAt(at.Add(-1), loc)
		n += max(0, int(dateAt(at, loc)-shown)-1)
	}
	return n
}

// date is a date of the civil calendar, counted in days since 1 January 1970.
// It has no zone.
type date int64

const secondsPerDay = 24 * 60 * 60

// dateAt is the date on the local clock at t.
func dateAt(t time.Time, loc *time.Location) date {
	_, offset := t.In(loc).Zone()
	local := t.Unix() + int64(offset)
	d := local / secondsPerDay
	if local%secondsPerDay < 0 {
		d-- // before 1970: round down, not towards zero
	}
	return date(d)
}

// dayOf is the day that t belongs to: the latest date that has begun.
func dayOf(t time.Time, loc *time.Location) date {
	d := dateAt(t, loc)
	for !(d + 1).begins(loc).After(t) {
		d++ // the clocks went back over midnight
	}
	return d
}

// begins is the first instant at which the local date is d or, where d was left
// out, later.
func (d date) begins(loc *time.Location) time.Time { return reached(loc, int64(d)*secondsPerDay) }

// reached returns the first instant, in UTC, at which the local clock shows
// wall or later; wall is seconds since 1 January 1970 00:00 on that clock.
//
// It walks through the stretches of constant offset around wall. Inside one,
// the clock runs like any other; between two it jumps.
func reached(loc *time.Location, wall int64) time.Time {
	// No zone is a full day away from UTC, so two days earlier the clock shows less.
	at := time.Unix(wall-2*secondsPerDay, 0).In(loc)
	for {
		_, offset := at.Zone()
		if at.Unix()+int64(offset) >= wall {
			return at.UTC() // the clock jumped over it
		}
		end := stretchEnd(at)
		shows := wall - int64(offset)
		if end.IsZero() || shows < end.Unix() {
			return time.Unix(shows, 0).UTC()
		}
		at = end
	}
}

// stretchEnd is the end of the stretch of constant offset that t lies in, or an
// earlier instant after t: whoever walks goes on from there. It is zero when
// the stretch never ends.
func stretchEnd(t time.Time) time.Time {
	_, end := t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		// Go ends the year's last stretch after 365 days, in leap years too,
		// so on 31 December the end lies in the past (Go 1.26).
		return t.Truncate(24 * time.Hour).Add(24 * time.Hour)
	}
	return end
}

// civil is d as people write it. UTC has every midnight, once.
func (d date) civil() (int, time.Month, int) {
	return time.Unix(int64(d)*secondsPerDay, 0).UTC().Date()
}

// plusMonths is the day of the month n months after d's: anchor, or d's own if
// anchor is 0, or the last day of a month that is shorter.
func (d date) plusMonths(n, anchor int) date {
	year, month, day := d.civil()
	if anchor != 0 {
		day = anchor
	}
	first := time.Date(year, month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	longest := first.AddDate(0, 1, -1).Day()
	return date(first.Unix()/secondsPerDay) + date(min(day, longest)-1)
}
