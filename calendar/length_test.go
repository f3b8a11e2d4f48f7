package calendar

import (
	"encoding"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/fault"
)

var (
	_ encoding.TextMarshaler   = Length{}
	_ encoding.TextUnmarshaler = (*Length)(nil)
)

// What a seller tells a customer about the end is what End computes. Times are
// on the local clock; last is the last second that is covered.
func TestEnd(t *testing.T) {
	tests := []struct {
		name   string
		zone   Zone
		start  string
		length string
		anchor int
		last   string
	}{
		{"a month ends with the same day of the next", "Asia/Tokyo", "2026-01-15 10:00:00", "1mo", 0, "2026-02-15 23:59:59"},
		{"31 January and a month end with February", "Asia/Tokyo", "2026-01-31 10:00:00", "1mo", 0, "2026-02-28 23:59:59"},
		{"in 2024 February has 29 days", "Asia/Tokyo", "2024-01-31 10:00:00", "1mo", 0, "2024-02-29 23:59:59"},
		{"and in 2028", "Asia/Shanghai", "2028-01-30 10:00:00", "1mo", 0, "2028-02-29 23:59:59"},
		{"the anchor leads back to 31 March", "Asia/Tokyo", "2026-03-01 00:00:00", "1mo", 31, "2026-03-31 23:59:59"},
		{"the anchor leads back to 31 March in a leap year", "Asia/Tokyo", "2024-03-01 00:00:00", "1mo", 31, "2024-03-31 23:59:59"},
		{"without the anchor 28 March would be all", "Asia/Tokyo", "2026-03-01 00:00:00", "1mo", 28, "2026-03-28 23:59:59"},
		{"the year's first instant is the end of the old year", "Asia/Tokyo", "2026-01-01 00:00:00", "1mo", 0, "2026-01-31 23:59:59"},
		{"one second later the day counts as begun", "Asia/Tokyo", "2026-01-01 00:00:01", "1mo", 0, "2026-02-01 23:59:59"},
		{"three months over the turn of the year", "Asia/Shanghai", "2025-11-30 12:00:00", "3mo", 0, "2026-02-28 23:59:59"},
		{"a year", "UTC", "2026-03-02 08:00:00", "1y", 0, "2027-03-02 23:59:59"},
		{"a year from a leap day", "UTC", "2024-02-29 08:00:00", "1y", 0, "2025-02-28 23:59:59"},
		{"a leap day is the anchor of later years", "UTC", "2027-03-01 00:00:00", "1y", 29, "2028-02-29 23:59:59"},
		{"four years from a leap day", "UTC", "2024-02-29 08:00:00", "4y", 0, "2028-02-29 23:59:59"},
		{"a day that began late is a day", "Asia/Tokyo", "2026-03-02 23:59:59", "1d", 0, "2026-03-02 23:59:59"},
		{"three days count the first", "Asia/Shanghai", "2026-03-02 00:00:00", "3d", 0, "2026-03-04 23:59:59"},
		{"days over a leap day", "UTC", "2024-02-28 15:00:00", "3d", 0, "2024-03-01 23:59:59"},
		{"days ignore the anchor", "UTC", "2024-02-28 15:00:00", "1d", 31, "2024-02-28 23:59:59"},
		{"24 hours to the second", "Asia/Tokyo", "2026-03-02 09:30:00", "3x24h", 0, "2026-03-05 09:29:59"},
		{"24 hours over a clock change show another time", "America/Santiago", "2024-09-07 12:00:00", "1x24h", 0, "2024-09-08 12:59:59"},
		{"the day before a missing midnight ends where it would be", "America/Santiago", "2024-09-07 12:00:00", "1d", 0, "2024-09-07 23:59:59"},
		{"a month to the day before a missing midnight", "America/Santiago", "2024-08-07 12:00:00", "1mo", 0, "2024-09-07 23:59:59"},
		{"a month from a day without midnight is from the day before", "America/Santiago", "2024-09-08 01:00:00", "1mo", 0, "2024-10-07 23:59:59"},
		{"a date that was left out is paid for like any other", "Pacific/Apia", "2011-12-29 12:00:00", "2d", 0, "2011-12-29 23:59:59"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			loc := location(t, tt.zone)
			end := length(t, tt.length).End(local(t, tt.start, loc), loc, tt.anchor)
			if got := LastSecond(end).In(loc).Format(time.DateTime); got != tt.last {
				t.Errorf("%s from %s %s ends after %s, want %s", tt.length, tt.start, tt.zone, got, tt.last)
			}
			if end.Location() != time.UTC {
				t.Errorf("end is in %v, want UTC", end.Location())
			}
		})
	}
}

// Months that are appended to each other find back to the anchor after every
// short month.
func TestMonthsKeepTheAnchor(t *testing.T) {
	loc := location(t, "Asia/Tokyo")
	start := local(t, "2023-10-31 18:00:00", loc)
	anchor := Anchor(start, loc)
	var got []string
	for range 6 {
		start = Length{1, Month}.End(start, loc, anchor)
		got = append(got, LastSecond(start).In(loc).Format(time.DateOnly))
	}
	want := []string{"2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
}

func TestAnchor(t *testing.T) {
	loc := location(t, "Asia/Tokyo")
	for start, want := range map[string]int{
		"2026-01-15 10:00:00": 15,
		"2026-01-15 00:00:00": 14,
		"2026-03-01 00:00:00": 28,
		"2026-01-01 00:00:00": 31,
		"2024-02-29 00:00:01": 29,
	} {
		if got := Anchor(local(t, start, loc), loc); got != want {
			t.Errorf("Anchor(%s) = %d, want %d", start, got, want)
		}
	}
}

// However a customer splits a purchase, each part is longer than nothing, and
// all parts together end no earlier than the whole bought at once; the two
// differ only where a zone left out a date.
func TestSplittingAPurchaseNeverShortensIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc := someZone(t)
		start := someInstant(t, loc)
		unit := someUnit().Draw(t, "unit")
		parts := rapid.SliceOfN(rapid.IntRange(1, unit.longest()/10), 1, 10).Draw(t, "parts")
		anchor := Anchor(start, loc)

		end, whole := start, 0
		for _, n := range parts {
			next := Length{n, unit}.End(end, loc, anchor)
			if !next.After(end) {
				t.Fatalf("%d %s appended at %s end at %s", n, unit, end, next)
			}
			end, whole = next, whole+n
		}
		atOnce := Length{whole, unit}.End(start, loc, anchor)
		if end.Before(atOnce) {
			t.Fatalf("%v %s end at %s, but %d at once at %s", parts, unit, end, whole, atOnce)
		}
		if !end.Equal(atOnce) && skipped(start.AddDate(0, 0, -1), end.AddDate(0, 0, 1), loc) == 0 {
			t.Fatalf("%v %s end at %s, but %d at once at %s, with no date left out", parts, unit, end, whole, atOnce)
		}
	})
}

// A longer purchase, a later start or a renewal of any other kind never makes
// service end earlier, and the days of consecutive periods add up.
func TestEndIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc := someZone(t)
		start := someInstant(t, loc)
		l := someLength(t)
		end := l.End(start, loc, 0)

		if l.N < l.Unit.longest() {
			if more := (Length{l.N + 1, l.Unit}).End(start, loc, 0); more.Before(end) {
				t.Fatalf("one more than %s ends earlier: %s, not %s", l, more, end)
			}
		}
		later := start.Add(time.Duration(rapid.Int64Range(0, int64(50*time.Hour)).Draw(t, "later")))
		if got := l.End(later, loc, 0); got.Before(end) {
			t.Fatalf("%s from %s end at %s, but from %s at %s", l, start, end, later, got)
		}
		renewed := someLength(t).End(end, loc, 0)
		if !renewed.After(end) {
			t.Fatalf("renewed at %s until %s", end, renewed)
		}
		if l.Unit == Hours24 {
			return
		}
		if got, want := Days(start, end, loc)+Days(end, renewed, loc), Days(start, renewed, loc); got != want {
			t.Fatalf("days of two periods: %d, of both as one: %d", got, want)
		}
	})
}

// In every zone there is, every unit gives more than nothing at every change
// of the clocks.
func TestEndIsAfterStartAtEveryChangeOfTheClocks(t *testing.T) {
	atEveryChange(t, func(loc *time.Location, at time.Time) {
		for _, l := range []Length{{1, Day}, {1, Hours24}, {1, Month}, {1, Year}} {
			if end := l.End(at, loc, 0); !end.After(at) {
				t.Errorf("%s: %s from %s end at %s", loc, l, at, end)
			}
		}
	})
}

func TestLengthsAreRefused(t *testing.T) {
	for _, s := range []string{
		"", "d", "3", "0d", "-1d", "+1d", "03d", " 3d", "3d ", "3D", "1.5d", "3days", "1m", "1w", "24h", "x24h", "1h",
		"3661d", "3661x24h", "121mo", "11y", "99999999999999999999d", "1y2mo", "٣d",
	} {
		if l, err := ParseLength(s); fault.KindOf(err) != fault.Invalid {
			t.Errorf("ParseLength(%q) = %v, %v; want it refused as invalid", s, l, err)
		}
	}
	for _, l := range []Length{{}, {1, ""}, {1, "week"}, {0, Day}, {-1, Month}, {3661, Day}} {
		if err := l.Validate(); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Validate(%v) = %v, want it invalid", l, err)
		}
		if text, err := l.MarshalText(); err == nil {
			t.Errorf("MarshalText(%v) = %q, want an error", l, text)
		}
	}
}

func TestLengthsReadBack(t *testing.T) {
	for s, want := range map[string]Length{
		"3d": {3, Day}, "7x24h": {7, Hours24}, "1mo": {1, Month}, "1y": {1, Year},
		"3660d": {3660, Day}, "3660x24h": {3660, Hours24}, "120mo": {120, Month}, "10y": {10, Year},
	} {
		var got Length
		if err := got.UnmarshalText([]byte(s)); err != nil || got != want {
			t.Errorf("UnmarshalText(%q) = %v, %v; want %v", s, got, err, want)
		}
		if text, err := want.MarshalText(); err != nil || string(text) != s {
			t.Errorf("MarshalText(%v) = %q, %v; want %q", want, text, err, s)
		}
	}
}

func TestEndPanicsOnBugs(t *testing.T) {
	for name, call := range map[string]func(){
		"no length":        func() { Length{}.End(time.Unix(0, 0), time.UTC, 0) },
		"anchor too large": func() { Length{1, Month}.End(time.Unix(0, 0), time.UTC, 32) },
		"anchor negative":  func() { Length{1, Month}.End(time.Unix(0, 0), time.UTC, -1) },
		"reset at 24:00":   func() { Reset(time.Unix(0, 0), time.UTC, 24*time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			call()
		})
	}
}

func someUnit() *rapid.Generator[Unit] { return rapid.SampledFrom([]Unit{Day, Hours24, Month, Year}) }

func someLength(t *rapid.T) Length {
	u := someUnit().Draw(t, "unit")
	return Length{rapid.IntRange(1, u.longest()).Draw(t, "n"), u}
}

func length(t *testing.T, s string) Length {
	t.Helper()
	l, err := ParseLength(s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func location(t testing.TB, z Zone) *time.Location {
	t.Helper()
	loc, err := z.Location()
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// local reads the one instant at which loc's clock shows s.
func local(t *testing.T, s string, loc *time.Location) time.Time {
	t.Helper()
	at, err := time.ParseInLocation(time.DateTime, s, loc)
	if err != nil || at.Format(time.DateTime) != s {
		t.Fatalf("%s is not on the clock of %s: %v", s, loc, err)
	}
	return at
}

func TestEveryZoneIsThere(t *testing.T) {
	if len(allZones) < 590 || !slices.Contains(allZones, "Asia/Tokyo") {
		t.Fatalf("the list of zones has %d names", len(allZones))
	}
	for _, name := range allZones {
		if z, err := LoadZone(name); err != nil || string(z) != name {
			t.Errorf("LoadZone(%q) = %q, %v", name, z, err)
		}
	}
}

func TestNoZones(t *testing.T) {
	for _, name := range []string{
		"", "Local", "Asia/Tōkyō", "Tokyo", "JST+9", "../etc/passwd", "/etc/localtime", "localtime",
		"posixrules", "right/Asia/Tokyo", "posix/Asia/Tokyo", `..\x`, "Asia", "zone1970.tab",
	} {
		if z, err := LoadZone(name); fault.KindOf(err) != fault.Invalid || z != "" {
			t.Errorf("LoadZone(%q) = %q, %v; want it refused as invalid", name, z, err)
		}
	}
}
