package phrase

import (
	"strings"
	"time"
)

var monthNames = tabulate(entries[time.Month]{
	{"january jan jan.", time.January},
	{"february feb feb. febr", time.February},
	{"march mar mar.", time.March},
	{"april apr apr.", time.April},
	{"may", time.May},
	{"june jun jun.", time.June},
	{"july jul jul.", time.July},
	{"august aug aug.", time.August},
	{"september sept sep sep. sept.", time.September},
	{"october oct oct.", time.October},
	{"november nov nov.", time.November},
	{"december dec dec.", time.December},
})

var weekdayNames = tabulate(entries[time.Weekday]{
	{"monday mondays mon mon.", time.Monday},
	{"tuesday tuesdays tue tues tue. tues.", time.Tuesday},
	{"wednesday wednesdays wed wed. weds", time.Wednesday},
	{"thursday thursdays thu thur thurs thu. thurs.", time.Thursday},
	{"friday fridays fri fri.", time.Friday},
	{"saturday saturdays sat sat.", time.Saturday},
	{"sunday sundays sun sun.", time.Sunday},
})

// verbs are names of months and days that are also words of their own; they
// want a number or a word of time beside them.
var verbs = tabulate(entries[bool]{{"may march mar sat sun second", true}})

// english reads a date with the name of a month, or "the 3rd".
func (d *dayReader) english(i int, base time.Time) (when, bool) {
	if p, at, ok := partsEn.at(d.s, i); ok { // end of, early, mid
		return d.partOf(p, space(d.s, at), base)
	}
	if month, end, ok := monthNames.at(d.s, i); ok {
		return d.monthFirst(month, i, end, base)
	}
	if w, ok := d.dayFirst(i, base); ok {
		return w, true
	}
	if w, ok := d.yearFirst(i); ok {
		return w, true
	}
	if day, end, ok := weekdayNames.at(d.s, i); ok { // Friday, December 4
		if w, ok := d.afterWeekday(day, end, base); ok {
			return w, true
		}
		if _, _, verb := verbs.at(d.s, i); verb && !d.timely(i, end) {
			return when{}, false
		}
		w := on(nextWeekday(day, base)).ends(end)
		w.rolled = theWeek
		return d.mayBeToday(w, false), true
	}
	return d.nthOf(i, base)
}

// timely reports whether the word from i to end stands where a time would.
func (d *dayReader) timely(i, end int) bool {
	if _, _, ok := timely.before(d.s, i); ok {
		return true
	}
	return i == 0 && (end == len(d.s) || strings.ContainsRune(".,!?-", rune(d.s[end])))
}

var timely = tabulate(entries[bool]{
	{"in on of by until till til through thru from since to this next last early mid late before after end_of and or - during for whole all the_whole", true},
})

// monthFirst reads "December 3rd, 2026", "Dec 3", "Dec 2026", "December".
func (d *dayReader) monthFirst(month time.Month, i, end int, base time.Time) (when, bool) {
	at := dateJoint(d.s, end)
	at, _ = past(d.s, at, "the ")
	_, _, spelt := d.yearAt(end) // October nineteen oh five
	if c, _ := d.card(at); c.digits || c.ordinal || !spelt {
		if day, stop, ok := d.dayOfMonth(at); ok {
			return d.dayAndYear(month, day, stop, base)
		}
	}
	if year, stop, ok := d.yearAt(end); ok {
		t, _ := date(year, month, 1)
		if day, after, ok := d.dayOfMonth(dateJoint(d.s, stop)); ok && d.s[stop] != ' ' {
			t, ok := date(year, month, day)
			return on(t).ends(after), ok
		}
		return between(t, lastOf(t, 0)).ends(stop), true
	}
	if n, stop, ok := yearsEn.at(d.s, space(d.s, end)); ok {
		t, _ := date(base.Year()+n, month, 1)
		return between(t, lastOf(t, 0)).ends(stop), true
	}
	if _, _, verb := verbs.at(d.s, i); verb && !d.timely(i, end) {
		return when{}, false
	}
	t := nextMonth(month, base)
	w := between(t, lastOf(t, 0)).ends(end)
	w.rolled = theYear
	return w, true
}

// dayAndYear reads the year, if there is one, behind a month and a day.
func (d *dayReader) dayAndYear(month time.Month, day, i int, base time.Time) (when, bool) {
	if year, end, ok := d.yearAt(i); ok {
		t, ok := date(year, month, day)
		return when{Span: Span{To: end}, first: t, last: t, none: !ok}, true
	}
	if n, end, ok := yearsEn.at(d.s, space(d.s, i)); ok {
		t, ok := date(base.Year()+n, month, day)
		return on(t).ends(end), ok
	}
	t, ok := nextDate(month, day, base)
	return when{Span: Span{To: i}, first: t, last: t, none: !ok, rolled: theYear}, true
}

// dateJoint skips what stands between the parts of a date: "Oct/2", "October, 1st".
func dateJoint(s string, i int) int {
	i = space(s, i)
	if i < len(s) && strings.ContainsRune("-/.,", rune(s[i])) {
		i = space(s, i+1)
	}
	return i
}

// dayOfMonth reads 3, 3rd, third and twenty fifth.
func (d *dayReader) dayOfMonth(i int) (day, end int, ok bool) {
	c, ok := d.card(i)
	n, isWhole := c.value.Int()
	if !ok || !isWhole || n < 1 || n > 31 || c.digits && c.To-c.From > 2 {
		return 0, i, false
	}
	if c.To < len(d.s) && (d.s[c.To] == ':' || d.s[c.To] == '%') || c.digits && c.To < len(d.s) && isLatin(d.s[c.To]) {
		return 0, i, false
	}
	if _, _, clock := clocks.at(d.s, space(d.s, c.To)); clock {
		return 0, i, false
	}
	return int(n), c.To, true
}

// clocks follow an hour.
var clocks = tabulate(entries[bool]{{"am pm a.m. p.m. o'clock", true}})

// yearAt reads a year behind a comma or a space: 2026, twenty twenty-six, '26.
func (d *dayReader) yearAt(i int) (year, end int, ok bool) {
	if i < len(d.s) && d.s[i] == ',' {
		i++
	}
	i = dateJoint(d.s, i)
	for _, of := range []string{"of ", "in "} {
		if at, ok := past(d.s, i, of); ok {
			i = at
			break
		}
	}
	c, ok := d.card(i)
	n, isWhole := c.value.Int()
	if !ok || !isWhole || c.ordinal {
		return 0, i, false
	}
	switch {
	case c.digits && c.To-c.From == 4 && n > 1000 && n < 2200, !c.digits && n > 1000 && n < 2200:
		return int(n), c.To, true
	case !c.digits && (n >= 17 && n <= 21): // nineteen ninety four
		at := joint(d.s, c.To)
		if _, oh, ok := ohs.at(d.s, at); ok {
			at = joint(d.s, oh)
		}
		if low, ok := d.card(at); ok && !low.digits && low.value.Den == 1 && low.value.Num < 100 {
			return int(n*100 + low.value.Num), low.To, true
		}
	}
	return 0, i, false
}

// dayFirst reads "3 December", "the 3rd of December 2026" and, behind a word of
// time, "the 3rd".
func (d *dayReader) dayFirst(i int, base time.Time) (when, bool) {
	at, the := past(d.s, i, "the ")
	day, end, ok := d.dayOfMonth(at)
	if !ok {
		return when{}, false
	}
	if _, _, money := currencySigns.before(d.s, i); money {
		return when{}, false
	}
	c, _ := d.card(at)
	next := dateJoint(d.s, end)
	if after, ok := past(d.s, end, "of "); ok {
		next = after
	}
	if month, stop, ok := monthNames.at(d.s, next); ok {
		return d.dayAndYear(month, day, stop, base)
	}
	if n, stop, ok := monthsEn.at(d.s, next); ok {
		first := firstOf(base, n)
		t, ok := date(first.Year(), first.Month(), day)
		return when{Span: Span{To: stop}, first: t, last: t, none: !ok}, true
	}
	if !c.ordinal || !d.dayStandsAlone(i, end, the) {
		return when{}, false
	}
	t, ok := nextDayOfMonth(day, base)
	w := on(t).ends(end)
	w.rolled = theMonth
	return w, ok
}

// dayStandsAlone reports whether an ordinal from i to end is a day: it stands
// behind a word of time, and nothing that it could count follows.
func (d *dayReader) dayStandsAlone(i, end int, the bool) bool {
	if _, _, ok := dayBefore.before(d.s, i); !ok && (!the || i > 0) {
		return false
	}
	if end == len(d.s) || !isLatin(d.s[space(d.s, end)%len(d.s)]) {
		return true
	}
	_, _, ok := dayFollows.at(d.s, space(d.s, end))
	return ok
}

var (
	dayBefore = tabulate(entries[bool]{
		{"on of commencing until till til by before from since through to for starting after around about is's is leave leaving go back return and - between home or and", true},
	})
	dayFollows = tabulate(entries[bool]{
		{"and to until till through or please at in if for so but instead then because i we with when from morning evening", true},
	})
)

// yearFirst reads "2016 June", and a year alone behind a word of time.
func (d *dayReader) yearFirst(i int) (when, bool) {
	if i > 0 && strings.ContainsRune("$€£¥", runeBefore(d.s, i)) {
		return when{}, false
	}
	year, end, ok := d.yearAt(i)
	if c, isCard := d.card(i); !ok || !isCard || c.From != i {
		return when{}, false
	}
	if month, stop, ok := monthNames.at(d.s, dateJoint(d.s, end)); ok {
		if day, after, ok := d.dayOfMonth(dateJoint(d.s, stop)); ok {
			t, ok := date(year, month, day)
			return on(t).ends(after), ok
		}
		t, _ := date(year, month, 1)
		return between(t, lastOf(t, 0)).ends(stop), true
	}
	if _, _, ok := yearBefore.before(d.s, i); !ok {
		return when{}, false
	}
	if _, _, counted := countedEn.at(d.s, space(d.s, end)); counted {
		return when{}, false
	}
	t, _ := date(year, 1, 1)
	return between(t, december(t, 0)).ends(end), true
}

var (
	yearBefore = tabulate(entries[bool]{{"in until till by of since from to before after during year through", true}})
	countedEn  = tabulate(entries[bool]{{"yen jpy yuan dollars usd won mb gb days people", true}})
)

// afterWeekday reads the date that a weekday stands before, which decides:
// "Friday, December 4", "Friday the 4th", "Fri (Dec 4)".
func (d *dayReader) afterWeekday(day time.Weekday, i int, base time.Time) (when, bool) {
	i = space(d.s, i)
	bracket := i < len(d.s) && d.s[i] == '('
	if bracket {
		i++
	}
	i = dateJoint(d.s, i)
	w, ok := d.afterWeekdayAt(i, base)
	if !ok || w.none {
		return w, false
	}
	if bracket && w.To < len(d.s) && d.s[w.To] == ')' {
		w.To++
	}
	return w.agreeing(day), true
}

func (d *dayReader) afterWeekdayAt(i int, base time.Time) (when, bool) {
	if month, end, ok := monthNames.at(d.s, i); ok {
		_, _, dated := d.dayOfMonth(dateJoint(d.s, end))
		w, ok := d.monthFirst(month, i, end, base)
		return w, ok && dated
	}
	if w, ok := d.numeric(i, base); ok {
		return w, true
	}
	if w, ok := d.dayFirst(i, base); ok {
		return w, true
	}
	at, _ := past(d.s, i, "the ")
	c, ok := d.card(at)
	day, end, isDay := d.dayOfMonth(at)
	bare := c.digits && (end == len(d.s) || strings.ContainsRune(".,!?;", rune(d.s[end])))
	if !ok || !isDay || !c.ordinal && !bare {
		return when{}, false
	}
	t, ok := nextDayOfMonth(day, base)
	w := on(t).ends(end)
	w.rolled = theMonth
	return w, ok
}

// partsEn come before a month, a week or a year.
var partsEn = tabulate(entries[part]{
	{"end_of the_end_of late later_in last_day_of the_last_day_of end the_end_of_the end_of_the late_in later", theEnd},
	{"early beginning_of the_beginning_of start_of the_start_of early_in beginning_of_the start_of_the", theStart},
	{"mid middle_of the_middle_of mid- in_the_middle_of middle_of_the", theMiddle},
})

// partOf reads the month, week or year that a part belongs to.
func (d *dayReader) partOf(p part, i int, base time.Time) (when, bool) {
	i, _ = past(d.s, i, "the ")
	i = joint(d.s, i)
	if f, end, ok := ofNow.at(d.s, i); ok {
		return f(p, base).ends(end), true
	}
	if month, end, ok := monthNames.at(d.s, i); ok {
		first := nextMonth(month, base)
		if year, stop, ok := d.yearAt(end); ok {
			first, _ = date(year, month, 1)
			end = stop
		}
		return p.ofMonth(first).ends(end), true
	}
	if n, end, ok := monthsEn.at(d.s, i); ok {
		return p.ofMonth(firstOf(base, n)).ends(end), true
	}
	if n, end, ok := weeksEn.at(d.s, i); ok {
		return p.ofWeek(monday(base, n)).ends(end), true
	}
	if n, end, ok := yearsEn.at(d.s, i); ok {
		return p.ofYear(january(base, n)).ends(end), true
	}
	if year, end, ok := d.yearAt(i); ok {
		t, _ := date(year, 1, 1)
		return p.ofYear(t).ends(end), true
	}
	return when{}, false
}

// ofNow is the part of the week, month or year that it is now, which may be
// said without a "this": end of month.
var ofNow = tabulate(entries[func(part, time.Time) when]{
	{"week", func(p part, t time.Time) when { return p.ofWeek(monday(t, 0)) }},
	{"month", func(p part, t time.Time) when { return p.ofMonth(firstOf(t, 0)) }},
	{"year", func(p part, t time.Time) when { return p.ofYear(january(t, 0)) }},
})

// nthOf reads "the first Friday of July" and "the last week of next month".
func (d *dayReader) nthOf(i int, base time.Time) (when, bool) {
	at, _ := past(d.s, i, "the ")
	number, ok := d.englishOrdinal(at)
	n, isWhole := number.Value.Int()
	if !ok || !isWhole || n > 53 {
		return when{}, false
	}
	at = space(d.s, number.To)
	day, end, isDay := weekdayNames.at(d.s, at)
	unit, stop, isUnit := nthUnits.at(d.s, at)
	switch {
	case isUnit:
		end = stop
	case !isDay:
		return when{}, false
	}
	for _, of := range []string{"of ", "in "} {
		end, _ = past(d.s, end, of)
	}
	end = space(d.s, end)
	if isUnit && unit == aWeek {
		if year, stop, ok := d.yearEn(end, base); ok {
			return d.weekOfYear(year, int(n)).ends(stop), true
		}
	}
	first, stop, ok := d.monthEn(end, base)
	switch {
	case !ok:
		return when{}, false
	case isDay:
		t, ok := nthWeekday(first, int(n), day)
		return on(t).ends(stop), ok
	case unit == aDay && n == -1:
		return on(lastOf(first, 0)).ends(stop), true
	case unit == aDay:
		t, ok := date(first.Year(), first.Month(), int(n))
		return on(t).ends(stop), ok
	}
	week := weekOfMonth(first, int(n))
	return between(week, week.AddDate(0, 0, 6)).ends(stop), true
}

// nthUnits are what is counted within a month or a year.
var nthUnits = tabulate(entries[timeUnit]{{"day", aDay}, {"week", aWeek}})

// yearEn reads a year by its number, or as this or the next one.
func (d *dayReader) yearEn(i int, base time.Time) (first time.Time, end int, ok bool) {
	if year, end, ok := d.yearAt(i); ok {
		t, _ := date(year, 1, 1)
		return t, end, true
	}
	n, end, ok := yearsEn.at(d.s, i)
	return january(base, n), end, ok
}

// monthEn reads a month by its name, or as this or the next one.
func (d *dayReader) monthEn(i int, base time.Time) (first time.Time, end int, ok bool) {
	if month, end, ok := monthNames.at(d.s, i); ok {
		if year, stop, ok := d.yearAt(end); ok {
			t, _ := date(year, month, 1)
			return t, stop, true
		}
		return nextMonth(month, base), end, true
	}
	n, end, ok := monthsEn.at(d.s, i)
	return firstOf(base, n), end, ok
}

var (
	monthsEn = tabulate(entries[int]{
		{"this_month the_month current_month the_current_month of_the_month same_month the_same_month", 0},
		{"next_month the_next_month coming_month the_coming_month upcoming_month the_following_month", 1},
		{"month_after_next the_month_after_next", 2},
		{"last_month previous_month the_previous_month past_month", -1},
	})
	weeksEn = tabulate(entries[int]{
		{"this_week the_week current_week the_current_week same_week the_same_week my_week", 0},
		{"next_week the_next_week coming_week the_coming_week upcoming_week the_following_week", 1},
		{"week_after_next the_week_after_next", 2},
		{"last_week previous_week the_previous_week past_week", -1},
	})
	yearsEn = tabulate(entries[int]{
		{"this_year the_year current_year the_current_year same_year the_same_year", 0},
		{"next_year the_next_year coming_year the_coming_year upcoming_year the_following_year", 1},
		{"year_after_next the_year_after_next", 2},
		{"last_year previous_year the_previous_year past_year", -1},
	})
	weekendsEn = tabulate(entries[int]{
		{"this_weekend the_weekend weekend coming_weekend the_coming_weekend my_weekend", 0},
		{"next_weekend the_next_weekend the_following_weekend", 1},
		{"weekend_after_next the_weekend_after_next", 2},
		{"last_weekend previous_weekend the_last_weekend", -1},
	})
)
