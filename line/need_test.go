package line_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/line"
)

// When a line is looked at next: in a table, and for whatever line there may be.
func TestLooksByNeed(t *testing.T) {
	now := time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)
	of := func(left time.Duration, used, before int64) (line.Line, line.Usage) {
		l := line.Line{State: line.Active, StartedAt: now.Add(-time.Hour), EndsAt: now.Add(left), GraceEnds: now.Add(left)}
		l.Usage = line.Usage{Total: 1000, Used: before, AsOf: now.Add(-time.Hour)}
		return l, line.Usage{Total: 1000, Used: used, AsOf: now}
	}
	for name, tt := range map[string]struct {
		left         time.Duration
		used, before int64
		delay, want  time.Duration
	}{
		"much left":                     {200 * time.Hour, 100, 50, 0, 24 * time.Hour},
		"half of it used":               {200 * time.Hour, 500, 50, 0, 6 * time.Hour},
		"four fifths used":              {200 * time.Hour, 800, 50, 0, 2 * time.Hour},
		"almost all used":               {200 * time.Hour, 990, 50, 0, 30 * time.Minute},
		"ends the day after tomorrow":   {60 * time.Hour, 100, 50, 0, 6 * time.Hour},
		"ends today":                    {20 * time.Hour, 100, 50, 0, 2 * time.Hour},
		"ends soon":                     {2 * time.Hour, 100, 50, 0, 30 * time.Minute},
		"nobody uses it":                {60 * time.Hour, 100, 100, 0, 12 * time.Hour},
		"nobody uses it, and ends soon": {2 * time.Hour, 100, 100, 0, 30 * time.Minute},
		"figures are always old":        {2 * time.Hour, 990, 50, 3 * time.Hour, 3 * time.Hour},
		"the last hours are not missed": {4 * time.Hour, 100, 50, 0, time.Hour},
		"it is over":                    {-time.Hour, 100, 50, 0, 0},
	} {
		l, u := of(tt.left, tt.used, tt.before)
		next := l.NextLook(u, tt.delay, now)
		if tt.want == 0 != next.IsZero() || !next.IsZero() && next.Sub(now) != tt.want {
			t.Errorf("%s: %v, want %v", name, next.Sub(now), tt.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		hours := rapid.Int64Range(1, 900).Draw(t, "hours")
		l, u := of(time.Duration(hours)*time.Hour, rapid.Int64Range(0, 2000).Draw(t, "used"), 0)
		u.Total = rapid.SampledFrom([]int64{0, 1, 99, 1000, 1 << 50}).Draw(t, "total")
		nearer, fuller := l, u
		nearer.EndsAt = now.Add(time.Duration(rapid.Int64Range(1, hours).Draw(t, "nearer")) * time.Hour)
		fuller.Used += rapid.Int64Range(0, 1000).Draw(t, "more")
		next := l.NextLook(u, 0, now)
		if next.Sub(now) < line.Stale || next.Sub(now) > 24*time.Hour {
			t.Fatalf("looked at in %v", next.Sub(now))
		}
		if nearer.NextLook(u, 0, now).After(next) && nearer.EndsAt.Sub(now) > 3*time.Hour {
			t.Fatal("nearer its end and looked at later")
		}
		if u.Used > 0 && l.NextLook(fuller, 0, now).After(next) {
			t.Fatal("more is used, and it is looked at later")
		}
	})
}
