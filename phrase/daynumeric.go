package phrase

import (
	"strconv"
	"strings"
	"time"
)

// numeric reads a date in figures: 12/3, 2026/12/3, 2026-12-03, 3.12.2026, 2026/12.
//
// Of 12/3 the month stands first, as in China, Japan and the United States; in
// English the other order is noted.
func (d *dayReader) numeric(i int, base time.Time) (when, bool) {
	parts, sep, end, ok := d.figuresOfDate(i)
	if !ok {
		return d.eightDigits(i)
	}
	switch len(parts) {
	case 2:
		return d.twoParts(i, parts, sep, base, end)
	case 3:
		if sep == '.' && len(parts[0]) < 4 && len(parts[2]) < 4 {
			return when{}, false // iOS 17.5.1
		}
		return d.threeParts(parts, end)
	}
	return when{}, false
}

// eightDigits reads 20261203.
func (d *dayReader) eightDigits(i int) (when, bool) {
	end := i + 8
	if end > len(d.s) || run(d.s, i) != end || i > 0 && (isDigit(d.s[i-1]) || isLatin(d.s[i-1])) || !strings.HasPrefix(d.s[i:], "20") {
		return when{}, false
	}
	t, ok := date(number(d.s[i:i+4]), time.Month(number(d.s[i+4:i+6])), number(d.s[i+6:end]))
	return on(t).ends(end), ok
}

// figuresOfDate reads two or three runs of digits with one separator between
// them. Spaces may stand beside a slash or a hyphen.
func (d *dayReader) figuresOfDate(i int) (parts []string, sep byte, end int, ok bool) {
	s := d.s
	if !digitAt(s, i) || i > 0 && (isDigit(s[i-1]) || isLatin(s[i-1]) || strings.ContainsRune("/.:", rune(s[i-1])) && digitAt(s, i-2)) {
		return nil, 0, i, false
	}
	if d.notNumber(i) > i { // 24/7
		return nil, 0, i, false
	}
	for at := i; len(parts) < 3; {
		stop := run(s, at)
		if stop == at || stop-at > 4 {
			return nil, 0, i, false
		}
		parts, end = append(parts, s[at:stop]), stop
		next := space(s, stop)
		if next >= len(s) || sep != 0 && s[next] != sep || !strings.ContainsRune("/.-", rune(s[next])) {
			break
		}
		at = space(s, next+1)
		if !digitAt(s, at) || at-stop > 1 && len(parts[0]) < 4 && run(s, at)-at < 4 {
			break
		}
		sep = s[next]
	}
	if end < len(s) && (isLatin(s[end]) || s[end] == ':' || strings.ContainsRune("/.", rune(s[end])) && digitAt(s, end+1)) {
		return nil, 0, i, false
	}
	return parts, sep, end, len(parts) > 1
}

// twoParts reads a month and a day, or a year and a month.
func (d *dayReader) twoParts(i int, parts []string, sep byte, base time.Time, end int) (when, bool) {
	a, b := number(parts[0]), number(parts[1])
	switch {
	case len(parts[0]) == 4 && sep != '.' || len(parts[1]) == 4 && sep != '.':
		if len(parts[1]) == 4 {
			a, b = b, a
		}
		t, ok := date(a, time.Month(b), 1)
		if !ok {
			return when{}, false
		}
		return between(t, lastOf(t, 0)).ends(end), true
	case sep != '/' && !d.datedBefore(i, end) || len(parts[0]) > 2 || len(parts[1]) > 2:
		return when{}, false // 1.5 and 3-5 are numbers
	}
	if next, _ := runeAt(d.s, end); next == '的' || next == 'の' && d.l == English {
		return when{}, false
	}
	if _, stop, ok := dayUnits.at(d.s, end); ok && d.l != English {
		end = stop
	}
	month, ok := nextDate(time.Month(a), b, base)
	other, ok2 := nextDate(time.Month(b), a, base)
	switch {
	case ok && ok2 && d.l == English && a != b:
		w := on(month).ends(end)
		w.other, w.rolled = other, theYear
		return w, true
	case ok:
		w := on(month).ends(end)
		w.rolled = theYear
		return d.withWeekday(w), true
	case ok2:
		w := on(other).ends(end)
		w.rolled = theYear
		return w, true
	}
	return when{}, false
}

// datedBefore reports whether 4-22 and 4.22 from i to end are said as a date:
// "on 4-22", 4.22号. Otherwise they are a range and a number.
func (d *dayReader) datedBefore(i, end int) bool {
	if d.l != English { // 12.5号
		return d.s[end-1] != '.' && strings.HasPrefix(d.s[end:], "号")
	}
	_, _, dated := dateBefore.before(d.s, i)
	_, _, counted := d.timeUnitAt(end, false)
	return dated && !counted
}

var dateBefore = tabulate(entries[bool]{{"on until by till back_on back_in", true}})

// threeParts reads a whole date. The year stands where four digits are or, where
// none are, at the end in English and in front otherwise.
func (d *dayReader) threeParts(parts []string, end int) (when, bool) {
	a, b, c := number(parts[0]), number(parts[1]), number(parts[2])
	yearFirst := len(parts[0]) > 2 || len(parts[2]) <= 2 && (d.l != English && a > 12 || a > 31)
	if len(parts[1]) > 2 {
		return when{}, false
	}
	if yearFirst {
		year := century(a, len(parts[0]))
		if t, ok := date(year, time.Month(b), c); ok {
			return d.withWeekday(on(t).ends(end)), true
		}
		if t, ok := date(century(c, len(parts[2])), time.Month(a), b); ok && len(parts[0]) <= 2 {
			return on(t).ends(end), true
		}
		return when{}, false
	}
	year := century(c, len(parts[2]))
	t, ok := date(year, time.Month(a), b)
	u, ok2 := date(year, time.Month(b), a)
	switch {
	case ok && ok2 && a != b:
		w := on(t).ends(end)
		w.other = u
		return w, true
	case ok:
		return on(t).ends(end), true
	case ok2:
		return on(u).ends(end), true
	}
	return when{}, false
}

// number is the value of at most four digits.
func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}
