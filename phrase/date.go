package phrase

import "time"

// date is a day of the calendar, and whether there is one.
func date(year int, month time.Month, day int) (time.Time, bool) {
	if year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31 {
		return time.Time{}, false
	}
	t := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	return t, t.Day() == day
}

// firstOf is the first day of the month n months after t's.
func firstOf(t time.Time, n int) time.Time {
	return time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
}

// lastOf is the last day of the month n months after t's.
func lastOf(t time.Time, n int) time.Time { return firstOf(t, n+1).AddDate(0, 0, -1) }

// monday is the Monday of the week n weeks after t's. Weeks end with Sunday.
func monday(t time.Time, n int) time.Time {
	return t.AddDate(0, 0, 7*n-(int(t.Weekday())+6)%7)
}

// january is the first day of the year n years after t's.
func january(t time.Time, n int) time.Time {
	return time.Date(t.Year()+n, 1, 1, 0, 0, 0, 0, time.UTC)
}

// december is its last one.
func december(t time.Time, n int) time.Time { return january(t, n+1).AddDate(0, 0, -1) }

// plus is the day that lies a length after t. A day that a month does not have
// is its last one.
func plus(t time.Time, d Duration) time.Time { return shift(t, d, 1) }

// minus is the day that lies a length before t.
func minus(t time.Time, d Duration) time.Time { return shift(t, d, -1) }

func shift(t time.Time, d Duration, sign int) time.Time {
	months := firstOf(t, sign*(12*d.Years+d.Months))
	day := min(t.Day(), lastOf(months, 0).Day())
	return months.AddDate(0, 0, day-1+sign*(d.Days+d.Hours/24))
}

// nextDate is the next day of a month and day, base included. 29 February may
// be eight years away.
func nextDate(month time.Month, day int, base time.Time) (time.Time, bool) {
	for year := base.Year(); year <= base.Year()+8; year++ {
		if t, ok := date(year, month, day); ok && !t.Before(base) {
			return t, true
		}
	}
	return time.Time{}, false
}

// nextDayOfMonth is the next day with this number, base included.
func nextDayOfMonth(day int, base time.Time) (time.Time, bool) {
	for n := range 3 {
		first := firstOf(base, n)
		if t, ok := date(first.Year(), first.Month(), day); ok && !t.Before(base) {
			return t, true
		}
	}
	return time.Time{}, false
}

// nextMonth is the first day of the next month of this name, base's own included.
func nextMonth(month time.Month, base time.Time) time.Time {
	year := base.Year()
	if month < base.Month() {
		year++
	}
	return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
}

// nextWeekday is the next day with this name, base included.
func nextWeekday(day time.Weekday, base time.Time) time.Time {
	return base.AddDate(0, 0, (int(day)-int(base.Weekday())+7)%7)
}

// ofWeek is the day with this name in the week that begins with a Monday.
func ofWeek(monday time.Time, day time.Weekday) time.Time {
	return monday.AddDate(0, 0, (int(day)+6)%7)
}

// nthWeekday is the nth day with this name of the month that begins at first,
// or its last one for n -1, and whether there is one.
func nthWeekday(first time.Time, n int, day time.Weekday) (time.Time, bool) {
	if n == -1 {
		last := lastOf(first, 0)
		return last.AddDate(0, 0, -(int(last.Weekday())-int(day)+7)%7), true
	}
	t := nextWeekday(day, first).AddDate(0, 0, 7*(n-1))
	return t, n > 0 && t.Month() == first.Month()
}

// century is the year that two digits mean: those up to fifty lie in this century.
func century(year, digits int) int {
	switch {
	case digits > 2 || year > 99:
		return year
	case year <= 50:
		return 2000 + year
	}
	return 1900 + year
}
