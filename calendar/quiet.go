package calendar

import (
	"fmt"
	"strconv"
	"time"

	"github.com/tsuzuku/tsuzuku/fault"
)

// Quiet are the hours of each day in which nobody is disturbed, from the one minute
// to before the other, both counted from midnight as clocks show them; To may lie
// after midnight. Where both are the same, and so in the zero Quiet, there are none.
type Quiet struct{ From, To int }

// Night are the quiet hours of those who have not chosen any: 22:00 to 8:00.
var Night = Quiet{22 * 60, 8 * 60}

const minutesPerDay = 24 * 60

// None reports whether there are no quiet hours.
func (q Quiet) None() bool { return q.From == q.To }

// Over is the first instant at or after t at which the clocks of loc show a time
// that is not quiet: t itself, unless it is.
func (q Quiet) Over(t time.Time, loc *time.Location) time.Time {
	t = t.UTC()
	for q.holds(t, loc) {
		wait := int64(q.To)*60 - clock(t, loc)
		if wait <= 0 {
			wait += secondsPerDay
		}
		over := time.Unix(t.Unix()+wait, 0).UTC()
		// The clock runs like any other until it is next changed, and may then
		// show anything.
		if end := stretchEnd(t.In(loc)); !end.IsZero() && !end.After(over) {
			t = end.UTC()
			continue
		}
		return over
	}
	return t
}

func (q Quiet) holds(t time.Time, loc *time.Location) bool {
	shown := int(clock(t, loc) / 60)
	if q.From < q.To {
		return q.From <= shown && shown < q.To
	}
	return !q.None() && (q.From <= shown || shown < q.To)
}

// clock is how many seconds after midnight the clocks of loc show.
func clock(t time.Time, loc *time.Location) int64 {
	_, offset := t.In(loc).Zone()
	return ((t.Unix()+int64(offset))%secondsPerDay + secondsPerDay) % secondsPerDay
}

// Clock writes a minute of the day as forms do: "22:00".
func Clock(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// ParseQuiet reads two times as forms send them, "22:00" and "08:00", seconds or
// not; two empty ones are no quiet hours. It fails with [fault.Invalid].
func ParseQuiet(from, to string) (Quiet, error) {
	if from == "" && to == "" {
		return Quiet{}, nil
	}
	f, okFrom := parseClock(from)
	t, okTo := parseClock(to)
	if !okFrom || !okTo {
		return Quiet{}, fault.Because(fault.Invalid, "quiet_hours", "Quiet hours begin and end at a time such as 22:00. To have none, leave both empty.", nil)
	}
	return Quiet{f, t}, nil
}

func parseClock(s string) (minute int, ok bool) {
	if len(s) == len("15:04:05") && s[5] == ':' {
		s = s[:5]
	}
	if len(s) != len("15:04") || s[2] != ':' {
		return 0, false
	}
	h, errHour := strconv.ParseUint(s[:2], 10, 8)
	m, errMinute := strconv.ParseUint(s[3:], 10, 8)
	return int(h)*60 + int(m), errHour == nil && errMinute == nil && h < 24 && m < 60
}

// Valid reports whether both are minutes of a day.
func (q Quiet) Valid() bool {
	return q.From >= 0 && q.From < minutesPerDay && q.To >= 0 && q.To < minutesPerDay
}
