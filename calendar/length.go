// Package calendar answers one question: when does this stretch of service
// end? It knows lengths ("3d", "1mo"), the operator's time zone, and where a
// local day begins and ends.
//
// # Periods
//
// A stretch of time is half-open, [start, end): end is the first instant that
// is no longer covered, so that the next stretch starts at exactly that instant
// and nothing is covered twice or lost. People are shown the last second that
// is covered, 23:59:59, which is [LastSecond].
//
// # Days
//
// Local days tile time: each instant belongs to one day and the next day begins
// where the day ends, whatever the clocks do. See [StartOfDay]. Nothing here
// trusts [time.Date] with a local zone, which invents an answer where midnight
// does not exist and picks one where it comes twice.
//
// # Zone rules change
//
// Governments change their clocks at short notice. An end is computed once,
// when service is sold, from the rules known then, and stored as an instant. It
// is not recomputed when the rules change: the customer keeps the end that was
// confirmed. The rules are those of the machine, or, where the machine has
// none, those built into the program ([time/tzdata]).
//
// Tsuzuku is a program; this package promises nothing to other modules.
package calendar

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/fault"
)

// Unit is what a [Length] counts. The values are stored; do not rename.
type Unit string

// The units.
const (
	Day     Unit = "day"   // calendar days in the operator's zone, the first one included
	Hours24 Unit = "24h"   // stretches of exactly 24 hours, whatever the clocks do
	Month   Unit = "month" // calendar months in the operator's zone
	Year    Unit = "year"  // twelve calendar months
)

// Length is how long one purchase lasts. The zero value is no length and not
// valid. Lengths may be compared with ==; 12 months and 1 year are different
// lengths that end at the same instant.
type Length struct {
	N    int // 1 or more; the largest is some ten years, see [Length.Validate]
	Unit Unit
}

// LastSecond is the last second that is covered by service which ends at end:
// what people are shown.
func LastSecond(end time.Time) time.Time { return end.Add(-time.Second) }

// End returns the first instant, in UTC, that service of length l no longer
// covers when it begins at start. It is later than start.
//
//   - [Day]: the first day counts however late it began. Three days from 2 March
//     23:50 cover 2, 3 and 4 March.
//   - [Hours24]: exactly N times 24 hours.
//   - [Month]: until the end of the same day N months later: 15 January 10:00
//     and one month end after 15 February 23:59:59. A start at the first
//     instant of a day counts as the end of the day before: 1 January 00:00:00
//     and one month end after 31 January 23:59:59.
//   - [Year]: twelve months each.
//
// The anchor is the day of the month that months aim at, 1 to 31; a shorter
// month gives its last day. 0 takes it from start. Whoever appends a month to a
// month hands on the first one's [Anchor], so that 31 January leads over
// 28 February to 31 March. Days and hours ignore it.
//
// End panics when l is not valid or the anchor is not 0 to 31: both are checked
// where they enter the program.
func (l Length) End(start time.Time, loc *time.Location, anchor int) time.Time {
	if err := l.Validate(); err != nil {
		panic("calendar: End of a length that is not valid: " + l.String())
	}
	if anchor < 0 || anchor > 31 {
		panic(fmt.Sprintf("calendar: anchor %d is no day of a month", anchor))
	}
	switch l.Unit {
	case Day:
		return (dayOf(start, loc) + date(l.N)).begins(loc)
	case Hours24:
		return start.Add(time.Duration(l.N) * 24 * time.Hour).UTC()
	case Month:
		return (lastDay(start, loc).plusMonths(l.N, anchor) + 1).begins(loc)
	case Year:
		return (lastDay(start, loc).plusMonths(12*l.N, anchor) + 1).begins(loc)
	}
	panic("calendar: unknown unit " + string(l.Unit))
}

// Anchor is the day of the month, 1 to 31, that months beginning at start aim
// at. It is stored with the first period of a chain and handed on, unchanged,
// to [Length.End] for every month appended to it.
func Anchor(start time.Time, loc *time.Location) int {
	_, _, day := lastDay(start, loc).civil()
	return day
}

// lastDay is the day whose end a month that begins at start counts from:
// start's own, or, at a day's first instant, the one before.
func lastDay(start time.Time, loc *time.Location) date {
	d := dayOf(start, loc)
	if d.begins(loc).Equal(start) {
		return d - 1
	}
	return d
}

// longest is the largest N of each unit: some ten years.
func (u Unit) longest() int {
	switch u {
	case Day, Hours24:
		return 3660
	case Month:
		return 120
	case Year:
		return 10
	}
	return 0
}

// suffix is how a unit is written after the number.
func (u Unit) suffix() string {
	switch u {
	case Day:
		return "d"
	case Hours24:
		return "x24h"
	case Month:
		return "mo"
	case Year:
		return "y"
	}
	return "?" + string(u)
}

// Validate fails with [fault.Invalid] unless the unit is known and N is 1 to
// 3660 days or stretches of 24 hours, 120 months, or 10 years.
func (l Length) Validate() error {
	longest := l.Unit.longest()
	if longest == 0 {
		return fault.New(fault.Invalid, "A length is counted in day, 24h, month or year, not in %q.", string(l.Unit))
	}
	if l.N < 1 || l.N > longest {
		return fault.New(fault.Invalid, "The length %s is out of range: 1%s to %d%s.", l, l.Unit.suffix(), longest, l.Unit.suffix())
	}
	return nil
}

// String writes l as [ParseLength] reads it: "3d", "7x24h", "1mo", "1y".
func (l Length) String() string { return strconv.Itoa(l.N) + l.Unit.suffix() }

// ParseLength reads "3d", "7x24h", "1mo" or "1y": nothing but what
// [Length.String] writes, so that one length has one spelling. It fails with
// [fault.Invalid].
func ParseLength(s string) (Length, error) {
	for _, u := range []Unit{Day, Hours24, Month, Year} {
		number, ok := strings.CutSuffix(s, u.suffix())
		if !ok {
			continue
		}
		n, err := strconv.Atoi(number)
		l := Length{n, u}
		if err != nil || l.String() != s {
			break
		}
		return l, l.Validate()
	}
	return Length{}, fault.New(fault.Invalid, "%q is not a length. Write it like 3d, 7x24h, 1mo or 1y.", s)
}

// MarshalText writes l as [Length.String] does. It fails for a length that is
// not valid, so that none is stored.
func (l Length) MarshalText() ([]byte, error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	return []byte(l.String()), nil
}

// UnmarshalText reads what [ParseLength] reads.
func (l *Length) UnmarshalText(text []byte) error {
	read, err := ParseLength(string(text))
	if err != nil {
		return err
	}
	*l = read
	return nil
}
