package calendar

import (
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// shows reads a wall clock as a person would.
func shows(t *rapid.T, at time.Time, loc *time.Location) int {
	s := at.In(loc).Format("15:04")
	h, errHour := strconv.Atoi(s[:2])
	m, errMinute := strconv.Atoi(s[3:])
	if errHour != nil || errMinute != nil {
		t.Fatal(s)
	}
	return h*60 + m
}

// Whoever looks at the clock on the wall every minute, through every change
// of the clocks, sees the first time that is not quiet when Over says.
func TestQuietHoursAreOverWhenTheClockSaysSo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc := someZone(t)
		at := someInstant(t, loc)
		minute := rapid.IntRange(0, minutesPerDay-1)
		q := Quiet{minute.Draw(t, "from"), minute.Draw(t, "to")}
		length := (q.To - q.From + minutesPerDay) % minutesPerDay
		loud := func(at time.Time) bool { return (shows(t, at, loc)-q.From+minutesPerDay)%minutesPerDay >= length }
		over := q.Over(at, loc)
		if over.Before(at) || over.Sub(at) > 50*time.Hour || !loud(over) {
			t.Fatalf("quiet %s to %s in %s: at %s it is over at %s", Clock(q.From), Clock(q.To), loc, at.In(loc), over.In(loc))
		}
		if loud(at) != over.Equal(at) {
			t.Fatalf("quiet %s to %s in %s: %s is over at %s", Clock(q.From), Clock(q.To), loc, at.In(loc), over.In(loc))
		}
		for look := at; look.Before(over); look = look.Add(time.Minute) {
			if loud(look) {
				t.Fatalf("quiet %s to %s in %s: from %s it is over at %s already, not at %s", Clock(q.From), Clock(q.To), loc, at.In(loc), look.In(loc), over.In(loc))
			}
		}
	})
}

func TestQuietHours(t *testing.T) {
	for _, c := range []struct {
		zone         Zone
		q            Quiet
		at, over, by string
	}{
		{"Asia/Tokyo", Night, "2026-03-05 23:59:59", "2026-03-06 08:00:00", "a night"},
		{"Asia/Tokyo", Night, "2026-03-06 07:59:59", "2026-03-06 08:00:00", "the last second"},
		{"Asia/Tokyo", Night, "2026-03-06 08:00:00", "2026-03-06 08:00:00", "the first that is not"},
		{"Asia/Tokyo", Night, "2026-03-06 21:59:59", "2026-03-06 21:59:59", "just before"},
		{"Asia/Tokyo", Quiet{}, "2026-03-06 03:00:00", "2026-03-06 03:00:00", "none"},
		{"Asia/Tokyo", Quiet{13 * 60, 15 * 60}, "2026-03-06 13:30:00", "2026-03-06 15:00:00", "a nap"},
		{"Europe/Berlin", Quiet{22 * 60, 150}, "2026-03-28 23:00:00", "2026-03-29 03:00:00", "the end does not exist that night"},
	} {
		loc := location(t, c.zone)
		if got := c.q.Over(local(t, c.at, loc), loc).In(loc).Format(time.DateTime); got != c.over {
			t.Errorf("%s: over at %s, want %s", c.by, got, c.over)
		}
	}
}

func TestQuietHoursAreRead(t *testing.T) {
	for s, want := range map[[2]string]Quiet{
		{"22:00", "08:00"}: Night, {"", ""}: {}, {"00:00", "23:59"}: {0, 1439}, {"22:00:00", "08:00:30"}: Night, {"09:00", "09:00"}: {540, 540},
	} {
		if got, err := ParseQuiet(s[0], s[1]); err != nil || got != want || !got.Valid() {
			t.Errorf("ParseQuiet(%q) = %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"24:00", "08:60", "8:00", "22", "-1:00", "+1:00", "22:00:0", "22-00", "２２:00", "22:00 "} {
		if q, err := ParseQuiet(s, "08:00"); err == nil {
			t.Errorf("ParseQuiet(%q) = %v", s, q)
		}
	}
	if _, err := ParseQuiet("22:00", ""); err == nil {
		t.Error("quiet hours without an end")
	}
}
