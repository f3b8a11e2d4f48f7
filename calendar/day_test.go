package calendar

import (
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Where midnight is missing, comes twice, or takes a whole date with it, a day
// begins at the first instant that the clocks show it. Days are named by the
// UTC instants at which they and their successors begin.
func TestStartOfDay(t *testing.T) {
	tests := []struct {
		name        string
		zone        Zone
		at          string // RFC 3339
		start, next string
	}{
		{"Tokyo has midnight at 15:00", "Asia/Tokyo", "2026-03-02T10:00:00+09:00", "2026-03-01T15:00:00Z", "2026-03-02T15:00:00Z"},
		{"Shanghai has it at 16:00", "Asia/Shanghai", "2026-03-02T23:59:59+08:00", "2026-03-01T16:00:00Z", "2026-03-02T16:00:00Z"},
		{"midnight is in its own day", "UTC", "2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"},
		{"Beirut jumps over midnight", "Asia/Beirut", "2024-03-31T12:00:00+03:00", "2024-03-30T22:00:00Z", "2024-03-31T21:00:00Z"},
		{"Beirut before the jump", "Asia/Beirut", "2024-03-30T23:59:59+02:00", "2024-03-29T22:00:00Z", "2024-03-30T22:00:00Z"},
		{"Santiago jumps over midnight", "America/Santiago", "2024-09-08T12:00:00-03:00", "2024-09-08T04:00:00Z", "2024-09-09T03:00:00Z"},
		{"Santiago lives the last hour twice", "America/Santiago", "2024-04-06T23:30:00-04:00", "2024-04-06T03:00:00Z", "2024-04-07T04:00:00Z"},
		{"Havana jumps over midnight", "America/Havana", "2024-03-10T12:00:00-04:00", "2024-03-10T05:00:00Z", "2024-03-11T04:00:00Z"},
		{"Havana has two midnights: the first", "America/Havana", "2024-11-03T00:30:00-05:00", "2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z"},
		{"São Paulo jumped over midnight", "America/Sao_Paulo", "2018-11-04T12:00:00-02:00", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"},
		{"Apia left out 30 December", "Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"},
		{"Apia after it", "Pacific/Apia", "2011-12-31T12:00:00+14:00", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"},
		{"Kwajalein left out 21 August", "Pacific/Kwajalein", "1993-08-20T12:00:00-12:00", "1993-08-20T12:00:00Z", "1993-08-21T12:00:00Z"},
		{"St. John's went back over midnight: before", "America/St_Johns", "2010-11-07T00:00:30-02:30", "2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z"},
		{"St. John's went back over midnight: after", "America/St_Johns", "2010-11-06T23:30:00-03:30", "2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z"},
		{"New York on the last day of a far leap year", "America/New_York", "2096-12-31T20:00:00-05:00", "2096-12-31T05:00:00Z", "2097-01-01T05:00:00Z"},
		{"before 1970", "Asia/Tokyo", "1969-12-30T19:00:00+09:00", "1969-12-29T15:00:00Z", "1969-12-30T15:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			loc, at := location(t, tt.zone), instant(t, tt.at)
			if got := StartOfDay(at, loc); !got.Equal(instant(t, tt.start)) {
				t.Errorf("StartOfDay(%s) = %s, want %s", tt.at, got.Format(time.RFC3339), tt.start)
			}
			if got := NextDay(at, loc); !got.Equal(instant(t, tt.next)) {
				t.Errorf("NextDay(%s) = %s, want %s", tt.at, got.Format(time.RFC3339), tt.next)
			}
		})
	}
}

// StartOfDay and NextDay agree with a clock that somebody watches minute by
// minute for six days, writing down when it first shows a later date.
func TestDaysAreThoseOfAWatchedClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc := someZone(t)
		at := someInstant(t, loc).Truncate(time.Minute) // no clock has changed within a minute since 1990
		var shown, start, next time.Time
		for u := at.Add(-72 * time.Hour); next.IsZero(); u = u.Add(time.Minute) {
			y, m, d := u.In(loc).Date()
			today := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
			if !today.After(shown) {
				continue
			}
			shown = today
			if u.After(at) {
				next = u
			} else {
				start = u
			}
		}
		if got := StartOfDay(at, loc); !got.Equal(start) {
			t.Fatalf("StartOfDay(%s) = %s, but the clock first showed that date at %s", at, got, start)
		}
		if got := NextDay(at, loc); !got.Equal(next) {
			t.Fatalf("NextDay(%s) = %s, but the clock first showed a later date at %s", at, got, next)
		}
	})
}

// Days tile time at every change of the clocks in every zone: an instant is in
// its day, a day begins where the one before ends, and lasts 17 to 31 hours (the
// longest and shortest were Vostok's, which moved by seven hours in 1994).
func TestDaysTileTime(t *testing.T) {
	atEveryChange(t, func(loc *time.Location, at time.Time) {
		start, next := StartOfDay(at, loc), NextDay(at, loc)
		switch {
		case start.After(at) || !at.Before(next):
			t.Errorf("%s: %s is not within its day [%s, %s)", loc, at, start, next)
		case !StartOfDay(next, loc).Equal(next):
			t.Errorf("%s: the day after %s begins at %s, not where that day ends, %s", loc, at, StartOfDay(next, loc), next)
		case !StartOfDay(start, loc).Equal(start) || !StartOfDay(next.Add(-1), loc).Equal(start):
			t.Errorf("%s: the day of %s, [%s, %s), has two beginnings", loc, at, start, next)
		case next.Sub(start) > 31*time.Hour || next.Sub(start) < 17*time.Hour:
			t.Errorf("%s: the day of %s lasts %s", loc, at, next.Sub(start))
		case Days(start, next, loc) != 1 || Days(start, next.Add(1), loc) != 2:
			t.Errorf("%s: [%s, %s) counts %d days", loc, start, next, Days(start, next, loc))
		}
	})
}

func TestDays(t *testing.T) {
	tests := []struct {
		name       string
		zone       Zone
		start, end string
		want       int
	}{
		{"nothing touches nothing", "Asia/Tokyo", "2026-03-02T10:00:00+09:00", "2026-03-02T10:00:00+09:00", 0},
		{"backwards is nothing", "Asia/Tokyo", "2026-03-02T10:00:00+09:00", "2026-03-01T10:00:00+09:00", 0},
		{"two minutes over midnight touch two", "Asia/Tokyo", "2026-03-02T23:59:00+09:00", "2026-03-03T00:01:00+09:00", 2},
		{"an end at midnight does not touch the next", "Asia/Tokyo", "2026-03-02T23:59:00+09:00", "2026-03-03T00:00:00+09:00", 1},
		{"the same in another zone is one", "UTC", "2026-03-02T23:59:00+09:00", "2026-03-03T00:01:00+09:00", 1},
		{"a leap year", "America/Santiago", "2024-01-01T12:00:00-03:00", "2025-01-01T00:00:00-03:00", 366},
		{"a date that was left out is not touched", "Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-31T12:00:00+14:00", 2},
		{"December 2011 in Apia had 30 days", "Pacific/Apia", "2011-12-01T00:00:00-10:00", "2012-01-01T00:00:00+14:00", 30},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Days(instant(t, tt.start), instant(t, tt.end), location(t, tt.zone)); got != tt.want {
				t.Errorf("Days(%s, %s) = %d, want %d", tt.start, tt.end, got, tt.want)
			}
		})
	}
}

func TestDaysAreAsManyAsNextDaySteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc := someZone(t)
		start := someInstant(t, loc)
		end := start.Add(time.Duration(rapid.Int64Range(1, int64(400*24*time.Hour)).Draw(t, "span")))
		var want int
		for at := start; at.Before(end); at = NextDay(at, loc) {
			want++
		}
		if got := Days(start, end, loc); got != want {
			t.Fatalf("Days(%s, %s) = %d, but NextDay takes %d steps", start, end, got, want)
		}
	})
}

func TestReset(t *testing.T) {
	tests := []struct {
		name     string
		zone     Zone
		at       string
		offset   time.Duration
		want     string
		wantNext string // the reset after that
	}{
		{"at midnight", "Asia/Tokyo", "2026-03-02T10:00:00+09:00", 0, "2026-03-02T15:00:00Z", "2026-03-03T15:00:00Z"},
		{"still today", "Asia/Tokyo", "2026-03-02T01:59:59+09:00", 2 * time.Hour, "2026-03-01T17:00:00Z", "2026-03-02T17:00:00Z"},
		{"a reset is over when it comes", "Asia/Tokyo", "2026-03-02T02:00:00+09:00", 2 * time.Hour, "2026-03-02T17:00:00Z", "2026-03-03T17:00:00Z"},
		{"23:59", "Asia/Shanghai", "2026-03-02T23:59:30+08:00", 23*time.Hour + 59*time.Minute, "2026-03-03T15:59:00Z", "2026-03-04T15:59:00Z"},
		{"02:30 is jumped over", "Europe/Berlin", "2026-03-29T00:00:00+01:00", 150 * time.Minute, "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
		{"02:30 comes twice: the first", "Europe/Berlin", "2026-10-25T00:00:00+02:00", 150 * time.Minute, "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		{"midnight is jumped over", "America/Santiago", "2024-09-07T12:00:00-04:00", 0, "2024-09-08T04:00:00Z", "2024-09-09T03:00:00Z"},
		{"23:30 comes twice", "America/Santiago", "2024-04-06T23:15:00-03:00", 23*time.Hour + 30*time.Minute, "2024-04-07T02:30:00Z", "2024-04-08T03:30:00Z"},
		{"a date is left out", "Pacific/Apia", "2011-12-29T12:00:00-10:00", 6 * time.Hour, "2011-12-30T10:00:00Z", "2011-12-30T16:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			loc := location(t, tt.zone)
			got := Reset(instant(t, tt.at), loc, tt.offset)
			if !got.Equal(instant(t, tt.want)) {
				t.Errorf("Reset(%s, %s) = %s, want %s", tt.at, tt.offset, got.Format(time.RFC3339), tt.want)
			}
			if next := Reset(got, loc, tt.offset); !next.Equal(instant(t, tt.wantNext)) {
				t.Errorf("the reset after it = %s, want %s", next.Format(time.RFC3339), tt.wantNext)
			}
		})
	}
}

// A reset is always ahead, at most a day and a clock change away (see TestDaysTileTime), and no
// reset lies between.
func TestResetIsTheNextOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc := someZone(t)
		at := someInstant(t, loc)
		offset := time.Duration(rapid.IntRange(0, 24*60-1).Draw(t, "minutes")) * time.Minute
		next := Reset(at, loc, offset)
		if !next.After(at) || next.Sub(at) > 31*time.Hour {
			t.Fatalf("the reset after %s is %s", at, next)
		}
		between := at.Add(time.Duration(rapid.Int64Range(0, int64(next.Sub(at)-1)).Draw(t, "between")))
		if got := Reset(between, loc, offset); !got.Equal(next) {
			t.Fatalf("the reset after %s is %s, but from %s it is %s", at, next, between, got)
		}
		if offset == 0 && !next.Equal(NextDay(at, loc)) {
			t.Fatalf("the reset at midnight is %s, but the next day begins at %s", next, NextDay(at, loc))
		}
	})
}

// troubled are zones whose clocks have changed at or over midnight since 1990,
// so that the properties meet them often.
var troubled = []Zone{
	"America/Asuncion", "America/Goose_Bay", "America/Havana", "America/Santiago", "America/Sao_Paulo",
	"America/Scoresbysund", "America/St_Johns", "Antarctica/Casey", "Asia/Amman", "Asia/Beirut", "Asia/Damascus",
	"Asia/Gaza", "Asia/Tehran", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Enderbury",
	"Pacific/Fakaofo", "Pacific/Kiritimati", "Pacific/Kwajalein",
}

func someZone(t *rapid.T) *time.Location {
	name := rapid.OneOf(
		rapid.SampledFrom(troubled),
		rapid.Map(rapid.SampledFrom(allZones), func(s string) Zone { return Zone(s) }),
	).Draw(t, "zone")
	loc, err := name.Location()
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

var (
	firstInstant = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
	lastInstant  = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// someInstant is any instant of 1990 to 2100, or, half of the time, one close
// to a change of the clocks, or exactly at a local day's beginning.
func someInstant(t *rapid.T, loc *time.Location) time.Time {
	at := time.Unix(rapid.Int64Range(firstInstant.Unix(), lastInstant.Unix()-1).Draw(t, "instant"), 0).UTC()
	switch rapid.SampledFrom([]string{"any", "change", "change", "day"}).Draw(t, "near") {
	case "change":
		all := changes(loc)
		if len(all) == 0 {
			return at
		}
		at = rapid.SampledFrom(all).Draw(t, "change")
		return at.Add(rapid.SampledFrom(around).Draw(t, "around"))
	case "day":
		return StartOfDay(at, loc)
	}
	return at
}

// around are the distances from a change of the clocks at which days could go
// wrong.
var around = []time.Duration{
	-25 * time.Hour, -24 * time.Hour, -time.Hour, -time.Minute, -1, 0, 1, 30 * time.Second, time.Minute,
	30 * time.Minute, 59 * time.Minute, time.Hour, 2 * time.Hour, 23 * time.Hour, 24 * time.Hour,
}

// atEveryChange calls check for every zone around each change of its clocks.
// Zones that only have several names are visited once.
func atEveryChange(t *testing.T, check func(loc *time.Location, at time.Time)) {
	t.Helper()
	visited := map[string]bool{}
	for _, name := range allZones {
		loc := location(t, Zone(name))
		var story strings.Builder
		for _, change := range changes(loc) {
			story.WriteString(change.In(loc).Format(time.RFC3339))
		}
		if visited[story.String()] {
			continue
		}
		visited[story.String()] = true
		for _, change := range changes(loc) {
			for _, d := range around {
				check(loc, change.Add(d))
			}
			if t.Failed() {
				t.Fatalf("at the change of %s at %s", loc, change)
			}
		}
	}
}

var changesOf sync.Map // *time.Location to []time.Time: finding them takes a while

// changes finds when the clocks of loc change between 1990 and 2060, without
// the tested code's means: by looking at the offset once in 20 days, which no
// offset since 1990 has been shorter than, and closing in.
func changes(loc *time.Location) []time.Time {
	if known, ok := changesOf.Load(loc); ok {
		return known.([]time.Time)
	}
	offset := func(sec int64) int {
		_, o := time.Unix(sec, 0).In(loc).Zone()
		return o
	}
	const look = 20 * secondsPerDay
	var all []time.Time
	for from := firstInstant.Unix(); from < firstInstant.AddDate(70, 0, 0).Unix(); from += look {
		lo, hi := from, from+look
		if offset(lo) == offset(hi) {
			continue
		}
		for hi-lo > 1 {
			if mid := (lo + hi) / 2; offset(mid) == offset(lo) {
				lo = mid
			} else {
				hi = mid
			}
		}
		all = append(all, time.Unix(hi, 0).UTC())
	}
	changesOf.Store(loc, all)
	return all
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
