package phrase

import (
	"strings"
	"time"
)

// weekEn reads "this week", "next month", "next Friday", "the weekend".
func (d *dayReader) weekEn(i int, base time.Time) (when, bool) {
	if _, end, ok := restOf.at(d.s, i); ok {
		return d.rest(space(d.s, end), base)
	}
	if _, end, ok := weekStarting.at(d.s, i); ok && d.depth == 0 {
		d.depth++
		w, ok := d.when(space(d.s, end), base)
		d.depth--
		week := monday(w.first, 0)
		return between(week, week.AddDate(0, 0, 6)).ends(w.To), ok && !w.none
	}
	if n, end, ok := weekendsEn.at(d.s, i); ok {
		if n == 0 {
			return weekend(base).ends(end), true
		}
		saturday := monday(base, n).AddDate(0, 0, 5)
		return between(saturday, saturday.AddDate(0, 0, 1)).ends(end), true
	}
	if n, end, ok := weeksEn.at(d.s, i); ok {
		first := monday(base, n)
		at, _ := past(d.s, end, "on ")
		if day, stop, ok := weekdayNames.at(d.s, space(d.s, at)); ok {
			return on(ofWeek(first, day)).ends(stop), true
		}
		return between(first, first.AddDate(0, 0, 6)).ends(end), true
	}
	if n, end, ok := monthsEn.at(d.s, i); ok {
		return between(firstOf(base, n), lastOf(base, n)).ends(end), true
	}
	if n, end, ok := yearsEn.at(d.s, i); ok {
		return between(january(base, n), december(base, n)).ends(end), true
	}
	return d.weekdayEn(i, base)
}

// rest reads the week, month or year of which "the rest" is said: until its end.
func (d *dayReader) rest(i int, base time.Time) (when, bool) {
	last, at := base, i
	if n, end, ok := weeksEn.at(d.s, i); ok {
		last, at = monday(base, n).AddDate(0, 0, 6), end
	} else if n, end, ok := monthsEn.at(d.s, i); ok {
		last, at = lastOf(base, n), end
	} else if n, end, ok := yearsEn.at(d.s, i); ok {
		last, at = december(base, n), end
	}
	w := on(last).ends(at)
	w.until = true
	return w, at > i
}

var (
	restOf       = tabulate(entries[bool]{{"rest_of remaining_of the_remaining_of the_rest_of remainder_of the_remainder_of", true}})
	weekStarting = tabulate(entries[bool]{{"week_of the_week_of week_starting the_week_starting week_starting_on the_week_starting_on week_commencing the_week_commencing w/c week_beginning the_week_beginning", true}})
)

// weekdayEn reads a weekday with a word before or behind it: next Friday, Friday
// next week.
func (d *dayReader) weekdayEn(i int, base time.Time) (when, bool) {
	if day, end, ok := weekdayNames.at(d.s, i); ok {
		at, _ := past(d.s, end, "of ")
		if n, stop, ok := weeksEn.at(d.s, space(d.s, at)); ok {
			return on(ofWeek(monday(base, n), day)).ends(stop), true
		}
		if _, stop, ok := weekLater.at(d.s, space(d.s, end)); ok { // Friday week
			return on(nextWeekday(day, base).AddDate(0, 0, 7)).ends(stop), true
		}
		if w, ok := d.weekdayOfOffset(day, dateJoint(d.s, end), base); ok {
			return w, true
		}
		return when{}, false
	}
	kind, at, ok := weekdayWords.at(d.s, i)
	if !ok {
		return when{}, false
	}
	if month, end, ok := monthNames.at(d.s, joint(d.s, at)); ok {
		return d.whichMonth(kind, month, end, base)
	}
	at, _ = past(d.s, at, "week ")
	day, end, ok := weekdayNames.at(d.s, joint(d.s, at))
	if !ok {
		return when{}, false
	}
	if w, ok := d.afterWeekday(day, end, base); ok { // this Friday, June 15
		return w, true
	}
	coming := nextWeekday(day, base)
	this := ofWeek(monday(base, 0), day)
	switch kind {
	case thisOne:
		if this.Before(base) {
			this = coming
		}
		return on(this).ends(end), true
	case nextOne: // most people's "next Friday" is not the one of this week, but not everybody's
		w := on(ofWeek(monday(base, 1), day)).ends(end)
		if coming.After(base) && coming.Before(w.first) {
			w.other = coming
		}
		return w, true
	case comingOne:
		if coming.Equal(base) {
			coming = base.AddDate(0, 0, 7)
		}
		return on(coming).ends(end), true
	case lastOne:
	}
	return on(ofWeek(monday(base, -1), day)).ends(end), true
}

// weekdayOfOffset reads "Monday in two weeks", the Monday of the week that the
// rest leads to, and "Saturday, 3 days from now" where both are the same day.
func (d *dayReader) weekdayOfOffset(day time.Weekday, i int, base time.Time) (when, bool) {
	w, ok := d.offsetEn(i, base)
	if !ok || w.until || w.none || !w.first.Equal(w.last) || w.last.Before(base) {
		return when{}, false
	}
	t := ofWeek(monday(w.last, 0), day)
	near := w.last.Before(base.AddDate(0, 0, 7))
	return on(t).ends(w.To), !near || t.Equal(w.last)
}

// whichMonth is "this September", "next May", "last June", and a day of it.
func (d *dayReader) whichMonth(kind whichOne, month time.Month, end int, base time.Time) (when, bool) {
	first, _ := date(base.Year(), month, 1)
	switch {
	case kind == lastOne && month >= base.Month():
		first = first.AddDate(-1, 0, 0)
	case kind != lastOne && kind != thisOne && month <= base.Month():
		first = first.AddDate(1, 0, 0)
	}
	if day, stop, ok := d.dayOfMonth(dateJoint(d.s, end)); ok {
		t, ok := date(first.Year(), month, day)
		return on(t).ends(stop), ok
	}
	return between(first, lastOf(first, 0)).ends(end), true
}

var weekLater = tabulate(entries[bool]{{"week", true}})

type whichOne int

const (
	thisOne whichOne = iota + 1
	nextOne
	comingOne
	lastOne
)

var weekdayWords = tabulate(entries[whichOne]{
	{"this", thisOne},
	{"next the_next", nextOne},
	{"coming this_coming upcoming the_coming", comingOne},
	{"last previous past", lastOne},
})

// offsetEn reads a length that leads to a day: in three days, within 3 days,
// the next 3 days, 3 days from now, 3 days left, 3 days ago.
func (d *dayReader) offsetEn(i int, base time.Time) (when, bool) {
	kind, at := ledTo(0), i
	if k, end, ok := offsetsBeforeEn.at(d.s, i); ok {
		kind, at = k, space(d.s, end)
	}
	if _, _, article := articles.at(d.s, at); article && kind == theLast {
		return when{}, false // "will it last a month"
	}
	length, ok := d.duration(at)
	if !ok || length.Years+length.Months+length.Days+length.Hours/24 == 0 {
		return when{}, false
	}
	end := length.To
	if k, stop, ok := offsetsAfterEn.at(d.s, joint(d.s, end)); ok {
		end = stop
		if k == itsEnd && kind == within {
			k = within
		}
		if _, _, isFor := forBefore.before(d.s, i); isFor && k == itsEnd {
			k = whole // for 7 days from December 5
		}
		if strings.HasSuffix(d.s[:stop], " on") && (length.Days == 0 || length.Days%7 != 0) {
			return when{}, false // "a week on Friday", but not "three days on Friday"
		}
		kind = k
		if day, after, ok := d.anchor(stop); ok {
			base, end = day, after
		} else if needsAnchor(d.s[:stop]) {
			return when{}, false
		}
	}
	return d.led(kind, length, base, end)
}

// needsAnchor reports whether the words of an offset want a day behind them.
func needsAnchor(s string) bool {
	_, _, ok := anchorWords.before(s, len(s))
	return ok
}

var anchorWords = tabulate(entries[bool]{{"from after before on starting starting_on beginning", true}})

// anchor is the day that an offset counts from: "from tomorrow", "after today".
func (d *dayReader) anchor(i int) (time.Time, int, bool) {
	if !needsAnchor(d.s[:i]) {
		return d.today, i, false
	}
	at := space(d.s, i)
	if _, end, ok := nows.at(d.s, at); ok {
		return d.today, end, true
	}
	if d.depth > 1 {
		return d.today, i, false
	}
	d.depth++
	defer func() { d.depth-- }()
	if w, ok := d.when(at, d.today); ok && !w.none {
		return w.last, w.To, true
	}
	return d.today, i, false
}

var forBefore = tabulate(entries[bool]{{"for", true}})

var (
	nows            = tabulate(entries[bool]{{"now today", true}})
	offsetsBeforeEn = tabulate(entries[ledTo]{
		{"in after in_about in_another", itsEnd},
		{"within within_the_next in_less_than less_than", within},
		{"next the_next in_the_next for_the_next over_the_next coming the_coming following the_following upcoming", theNext},
		{"another_after", itsEnd},
		{"last the_last past the_past previous", theLast},
	})
	offsetsAfterEn = tabulate(entries[ledTo]{
		{"later from after from_now hence in_the_future on", itsEnd},
		{"left remaining to_go", itsLast},
		{"ago earlier before", ago},
		{"starting starting_on starting_from beginning ,_from ,_starting", whole},
	})
)

// shortRangeEn reads a range whose month stands at its end: 6-12 December, from
// 6th to 12th of December.
func (d *dayReader) shortRangeEn(i int) ([]Day, int, bool) {
	if d.l != English {
		return nil, i, false
	}
	at, _ := past(d.s, i, "the ")
	first, end, ok := d.dayOfMonth(at)
	if !ok {
		return nil, i, false
	}
	_, sign, ok := rangeBetween.at(d.s, space(d.s, end))
	if _, stop, isAnd := rangeAnd.at(d.s, space(d.s, end)); !ok && isAnd {
		sign, ok = stop, true
	}
	if !ok {
		return nil, i, false
	}
	at = space(d.s, sign)
	last, ok := d.dayFirst(at, d.today)
	if !ok || last.none || last.rolled == theMonth || first >= last.first.Day() {
		return nil, i, false
	}
	t, ok := date(last.first.Year(), last.first.Month(), first)
	from := on(t).ends(end)
	from.From, last.From = i, at
	from.from, last.until = true, true
	return []Day{d.said(from), d.said(last)}, last.To, ok
}
