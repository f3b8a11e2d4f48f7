// Package advice answers two questions of a traveller: how long will it last,
// and what should I renew with. It learns from finished trips how much people
// like this one use and how long they stay, forecasts the rest of a trip with
// honest ranges, and finds what costs least for the days that are still needed,
// by the rules of the seller's policy.
//
// It is pure: it asks nobody and changes nothing, and the same input gives the
// same answer. Statistics are floating point; money, bytes and days that go in
// and come out are integers. What the seller earns is no input.
//
// A [Model] is fitted from [Trip]s ([Fit]) or begins from published figures
// ([Prior]), is checked against reality ([Model.Calibrate]), and forecasts
// ([Model.Forecast]). [Build] makes [Tables] from it for what is on sale, and
// [Tables.Recommend] answers from them.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package advice

import (
	"time"

	"github.com/tsuzuku/tsuzuku/fault"
)

// Date is a day of the operator's calendar: days since 1 January 1970. The zero
// Date stands for "not known"; nobody travelled with us on that day.
type Date int32

// DateOf is the day that t falls on in loc.
func DateOf(t time.Time, loc *time.Location) Date {
	_, offset := t.In(loc).Zone()
	local := t.Unix() + int64(offset)
	return Date((local - mod(local, secondsPerDay)) / secondsPerDay)
}

const secondsPerDay = 24 * 60 * 60

// Weekday is the day of the week.
func (d Date) Weekday() time.Weekday { return time.Weekday(mod(int64(d)+4, 7)) }

// Time is noon of the day in UTC, which has the right date in every language.
func (d Date) Time() time.Time { return time.Unix(int64(d)*secondsPerDay+secondsPerDay/2, 0).UTC() }

func (d Date) String() string { return d.Time().Format(time.DateOnly) }

func mod(a, n int64) int64 { return ((a % n) + n) % n }

// Segment is what is known of a traveller before the first byte. Values are the
// seller's own words; an empty one is a value like any other. A segment that was
// never seen borrows from those it shares a part with, and from everyone.
type Segment struct {
	Group   string // nationality group: "KR", "CN", "EU" …
	Purpose string // "leisure", "business", "study" …
	Use     string // the plan they came with, or how they use it: "phone", "tethering" …
}

// Day is one day of use as the meter showed it.
type Day struct {
	Date  Date
	Bytes int64

	// Capped says that the line was throttled, or empty, at some moment of the
	// day: the customer wanted at least Bytes (right-censored).
	Capped bool

	// Full is how many of a capped day's bytes came at full speed; 0: not known.
	// What comes slowly after them is the more, the more is wanted, so that it is
	// no bound that has nothing to do with what it bounds.
	Full int64

	// Minutes is how much of the day the customer could use the line at all,
	// throttled or not: the first day begins with the arrival. 0: the whole day.
	Minutes int
}

// Trip is one stay of one traveller, finished or not. To learn from, it is what
// became of it; to ask about, it is what is known at that moment and nothing
// else.
type Trip struct {
	Segment Segment
	Arrival Date  // the first day of the stay
	Days    []Day // oldest first; a missing day between the first and the last was not measured

	// Today is the first day that is not over. An entry of Days for Today is what
	// was used of it so far, and its Minutes how long that took.
	Today Date

	MinutesLeft int // of Today; 0: what its entry leaves, or the whole day

	Purchases []Purchase // what was bought for the line, oldest first; none: not known

	Told Date // the last day of the stay as the customer told it; 0: not told
	Away int  // whole days since the line was last seen on a network; 0: it is there

	// End is the last day of the stay, once that is known; 0 for a trip that goes
	// on, which teaches that it is longer than until Today.
	End Date
}

// The largest values that are taken for real. More is a mistake of whoever
// measured, not a traveller.
const (
	MaxTripDays    = 730
	MaxBytesPerDay = 1 << 42 // 4 TiB
)

// Validate fails with [fault.Invalid] for what cannot be a trip: days in the
// future, twice or before the arrival, less than no bytes, an end before the
// arrival. Advice about such a history would have no basis.
func (t Trip) Validate() error {
	switch {
	case t.Today <= 0 || t.Arrival <= 0:
		return refuse("A trip needs the day of its arrival and today's date.")
	case t.Arrival > t.Today:
		return refuse("The trip begins on %s, which is after today, %s.", t.Arrival, t.Today)
	case int(t.Today-t.Arrival) > MaxTripDays:
		return refuse("The trip began on %s, more than %d days ago.", t.Arrival, MaxTripDays)
	case t.End != 0 && t.End < t.Arrival:
		return refuse("The trip ends on %s, before it begins.", t.End)
	case t.MinutesLeft < 0 || t.MinutesLeft > minutesPerDay:
		return refuse("There cannot be %d minutes left of today.", t.MinutesLeft)
	case t.Away < 0:
		return refuse("A line cannot have been away for %d days.", t.Away)
	}
	if err := t.validatePurchases(); err != nil {
		return err
	}
	return t.validateDays()
}

func (t Trip) validateDays() error {
	for i, d := range t.Days {
		switch {
		case d.Date > t.Today:
			return refuse("The history has a day in the future: %s.", d.Date)
		case d.Date < t.Arrival:
			return refuse("The history has a day before the arrival: %s.", d.Date)
		case d.Bytes < 0 || d.Bytes > MaxBytesPerDay:
			return refuse("The history has an amount that cannot be: %d bytes on %s.", d.Bytes, d.Date)
		case d.Minutes < 0 || d.Minutes > minutesPerDay:
			return refuse("The history has %d minutes on %s.", d.Minutes, d.Date)
		case d.Full < 0 || d.Full > d.Bytes:
			return refuse("The history has %d bytes at full speed of %d on %s.", d.Full, d.Bytes, d.Date)
		case i > 0 && t.Days[i-1].Date == d.Date:
			return refuse("The history has two entries for %s.", d.Date)
		case i > 0 && t.Days[i-1].Date > d.Date:
			return refuse("The history is not in the order of its days, at %s.", d.Date)
		}
	}
	return nil
}

const minutesPerDay = 24 * 60

func refuse(format string, args ...any) error { return fault.New(fault.Invalid, format, args...) }
