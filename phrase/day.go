package phrase

import (
	"strings"
	"time"
)

// Days returns the days and periods of text, as of today, whose time of day and
// zone do not count: it is the date on the wall where the person is. A period is
// its last day, with its first one beside it. A range ("from 3 to 10 December")
// is two days, the first with From and the second with Until.
//
// A date without a year, a day without a month and a weekday are the next ones,
// today included. Where the words themselves speak of the past ("last Friday",
// 三天前), they are taken at their word.
func Days(text string, l Language, today time.Time) []Day {
	year, month, day := today.Date()
	d := &dayReader{reading: read(text, l), today: time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}
	var found []Day
	scan(d.s, func(i int) int {
		days, end := d.stretch(i)
		if end == i {
			return d.afterWord(i)
		}
		found = append(found, days...)
		return end
	})
	return found
}

// dayReader reads days as of today.
type dayReader struct {
	*reading
	today time.Time
	depth int // of days that are counted from days
}

// when is a day or a period that was read.
type when struct {
	Span
	first, last time.Time
	other       time.Time // another reading
	ambiguous   bool
	until, from bool
	rolled      rolled
	named       bool // by a word such as "tomorrow"
	none        bool // there is no such day: 30 February
}

// rolled is which part of a date was not said and taken from the calendar, so
// that the day is the next one.
type rolled int

const (
	theWeek rolled = iota + 1
	theMonth
	theYear
)

// back is w one week, month or year earlier.
func (w when) back() when {
	switch w.rolled {
	case theWeek:
		w.first, w.last = w.first.AddDate(0, 0, -7), w.last.AddDate(0, 0, -7)
	case theMonth:
		before := firstOf(w.first, -1)
		if t, ok := date(before.Year(), before.Month(), w.first.Day()); ok {
			w.first, w.last = t, t
		}
	case theYear:
		w.first, w.last = w.first.AddDate(-1, 0, 0), w.last.AddDate(-1, 0, 0)
	}
	return w
}

// on is one day.
func on(t time.Time) when { return when{first: t, last: t} }

// between is a period.
func between(first, last time.Time) when { return when{first: first, last: last} }

func (w when) ends(end int) when {
	w.To = end
	return w
}

// afterWord is where to go on after i, at which nothing was found: after a
// number, so that no part of it is tried.
func (d *dayReader) afterWord(i int) int {
	if c, ok := d.card(i); ok {
		return c.To
	}
	return i
}

// stretch reads a day, a period or a range of them at i, and its end.
func (d *dayReader) stretch(i int) ([]Day, int) {
	if days, end, ok := d.shortRange(i); ok {
		return days, end
	}
	if days, end, ok := d.shortRangeEn(i); ok {
		return days, end
	}
	w, ok := d.when(i, d.today)
	if !ok {
		return nil, i
	}
	if w.none {
		return nil, w.To
	}
	w.From = i
	w = d.marked(w)
	if whole, ok := d.lasting(w); ok {
		return []Day{d.said(whole)}, whole.To
	}
	if w, end, ok := d.rangeFrom(w); ok {
		return []Day{d.said(w), d.said(end)}, end.To
	}
	days := []Day{d.said(w)}
	for more, ok := d.listed(w); ok; more, ok = d.listed(w) {
		w = more
		days = append(days, d.said(w))
	}
	return days, w.To
}

// listed reads a further day of a list that leaves out its month: 12月3、4号, "Dec
// 3 or 4".
func (d *dayReader) listed(w when) (when, bool) {
	if w.first != w.last || w.rolled == theWeek || w.named || w.until || w.from {
		return when{}, false
	}
	_, end, ok := listSigns.at(d.s, space(d.s, w.To))
	if !ok {
		return when{}, false
	}
	at := space(d.s, end)
	more, ok := d.bareEnd(at, w)
	if !ok && d.l != English {
		more, ok = d.dayAlone(at, w.first)
	}
	more.From, more.rolled, more.ambiguous = at, w.rolled, w.ambiguous
	return more, ok && !more.none
}

var listSigns = tabulate(entries[bool]{{"、 和 或 或者 还是 か と or and", true}})

// rangeFrom reads the end of a range that begins with w. The end is the next
// such day after the beginning; but where both were said in the same way and
// the end alone lies ahead, the beginning is over: "from 1 October to 7
// November", said on 24 October.
func (d *dayReader) rangeFrom(w when) (from, until when, ok bool) {
	at, ok := d.rangeSign(w)
	if !ok {
		return w, until, false
	}
	until, ok = d.when(at, d.today)
	if ok && until.rolled != 0 {
		began := w.back()
		if until.rolled == w.rolled && until.last.Before(w.first) && !until.last.Before(began.first) && began.first.Before(w.first) {
			w = began
		} else {
			until, ok = d.when(at, w.first)
		}
	}
	if !ok {
		until, ok = d.bareEnd(at, w)
	}
	if ok && w.rolled == theYear && until.rolled == 0 && !until.named { // 3 January to 5 February 2027
		w = w.inYearOf(until.last)
	}
	if !ok || until.none || until.last.Before(w.first) {
		return w, until, false
	}
	until.From = at
	until = d.marked(until)
	if _, end, ok := betweenAfter.at(d.s, until.To); ok {
		until.To = end
	}
	w.last, w.from, w.until = w.first, true, false
	until.from, until.until = false, true
	if w.other.After(until.last) { // "from Monday to Friday", on a Monday
		w.other = time.Time{}
	}
	w.ambiguous, until.ambiguous = false, false // 10日 is no length beside another day
	return w, until, true
}

// inYearOf is w in the last year in which it is not after t.
func (w when) inYearOf(t time.Time) when {
	shift := t.Year() - w.first.Year()
	if w.first.AddDate(shift, 0, 0).After(t) {
		shift--
	}
	w.first, w.last = w.first.AddDate(shift, 0, 0), w.last.AddDate(shift, 0, 0)
	return w
}

// said is what others see of w.
func (d *dayReader) said(w when) Day {
	return Day{Span: w.Span, Date: w.last, First: w.first, Until: w.until, From: w.from, Ambiguous: w.ambiguous || !w.other.IsZero(), Other: w.other}
}

// marked looks at the words around w for whether it is an end or a beginning.
func (d *dayReader) marked(w when) when {
	if mark, _, ok := marksBefore.before(d.s, w.From); ok {
		w.until, w.from = mark == untilMark, mark == fromMark
	}
	if mark, end, ok := marksAfter.at(d.s, d.pastTime(w.To)); ok {
		if mark == untilMark {
			w.until, w.from = true, false
		} else if !w.until {
			w.from = true
		}
		w.ambiguous = w.ambiguous && !w.other.IsZero() // 10日まで is a date
		w.To = end
	}
	return w
}

// pastTime skips a time of day behind a day: あさっての夜まで, 12月5号早上之前, 12月5日の9時から.
func (d *dayReader) pastTime(i int) int {
	at := d.of(i)
	if _, end, ok := timesOfDay.at(d.s, at); ok {
		at, i = d.of(end), end
	}
	if c, ok := d.card(at); ok && d.l != English {
		if _, end, ok := hours.at(d.s, c.To); ok {
			i = end
		}
	}
	return space(d.s, i)
}

var (
	timesOfDay = tabulate(entries[bool]{{"朝 昼 夜 晩 夕方 午前 午後 午前中 正午 深夜 夜中 早上 早晨 上午 中午 下午 傍晚 晚上 夜里 凌晨 晚 morning afternoon evening night", true}})
	hours      = tabulate(entries[bool]{{"時 时 点 点半 時半 点钟", true}})
)

// edge says what a day is to a trip.
type edge int

const (
	untilMark edge = iota + 1
	fromMark
)

// marksBefore stand before a day, marksAfter behind it.
var (
	marksBefore = tabulate(entries[edge]{
		{"until until_after till_after until_the till till_the til by by_the through thru up_to before before_the no_later_than not_later_than ends ending ending_on leaving leave expires 到 至 直到 截至 截止 截止到 用到 待到 住到 玩到 呆到 续到 延到 延长到 持续到 到了 不晚于 截止日期", untilMark},
		{"from from_the arriving arriving_on arrive arrive_on landing landing_on since starting starting_on starting_from beginning as_of after after_the effective commencing 从 自 自从 由 打", fromMark},
	})
	marksAfter = tabulate(entries[edge]{
		{"まで までに までの 迄 いっぱい 以前 为止 之前 止 截止 前 前に or_before or_earlier 及以前 或之前 以前に までです よりも前 より前 までは 内 之内 以内 中 中に 内に", untilMark},
		{"から より 以降 以后 之后 后 起 开始 onwards onward or_later 或之后 及以后 以降に からの", fromMark},
	})
)

// rangeSign is where the end of a range would begin, after its beginning w.
func (d *dayReader) rangeSign(w when) (int, bool) {
	i := space(d.s, w.To)
	if _, end, ok := rangeBetween.at(d.s, i); ok {
		return space(d.s, end), true
	}
	if w.from && d.l == Japanese {
		return i, true
	}
	if _, end, ok := rangeAnd.at(d.s, i); ok {
		_, _, between := betweenBefore.before(d.s, w.From)
		if between || d.l != English && d.betweenFollows(space(d.s, end)) {
			return space(d.s, end), true
		}
	}
	return 0, false
}

var (
	rangeBetween = tabulate(entries[bool]{
		{"- -- ~ to till til until through thru up_to 到 至 直到 から 、から ,から ,until ,to", true},
	})
	rangeAnd      = tabulate(entries[bool]{{"and 和 与 跟 と", true}})
	betweenBefore = tabulate(entries[bool]{{"between between_the", true}})
	betweenAfter  = tabulate(entries[bool]{{"之间 期间 间 の間 の间", true}})
)

// betweenFollows reports whether 之间 closes the range whose end stands at i.
func (d *dayReader) betweenFollows(i int) bool {
	w, ok := d.when(i, d.today)
	if !ok {
		return false
	}
	_, _, ok = betweenAfter.at(d.s, space(d.s, w.To))
	return ok
}

// bareEnd reads the end of a range that is only a number, in the month of its
// beginning: Dec 3-10, 12月3日到10.
func (d *dayReader) bareEnd(i int, w when) (when, bool) {
	n, c, ok := d.whole(i)
	if !ok || w.first != w.last || n > 31 || n <= w.first.Day() {
		return when{}, false
	}
	if b, _ := runeAt(d.s, c.To); b == '/' || b == ':' {
		return when{}, false
	}
	if _, _, isTime := d.timeUnitAt(c.To, false); isTime {
		return when{}, false
	}
	t, ok := date(w.first.Year(), w.first.Month(), n)
	return on(t).ends(c.To), ok
}

// shortRange reads a range whose beginning has no unit of its own: 3-10号,
// 12月3-10日, 五から九日.
func (d *dayReader) shortRange(i int) ([]Day, int, bool) {
	if d.l == English {
		return nil, i, false
	}
	base, at, inMonth := d.monthStem(i)
	n, c, ok := d.whole(at)
	if !ok {
		return nil, i, false
	}
	_, sign, ok := shortRangeSigns.at(d.s, space(d.s, c.To))
	if !ok {
		return nil, i, false
	}
	m, c2, ok := d.whole(space(d.s, sign))
	_, end, ok2 := dayUnits.at(d.s, space(d.s, c2.To))
	if !ok || !ok2 || n < 1 || m <= n || m > 31 || d.daysCountedAfter(c2.To, end) {
		return nil, i, false
	}
	t, ok := date(base.Year(), base.Month(), n)
	u, ok2 := date(base.Year(), base.Month(), m)
	if !inMonth {
		t, ok = nextDayOfMonth(n, d.today)
		u, ok2 = date(t.Year(), t.Month(), m)
	}
	if !ok || !ok2 {
		return nil, i, false
	}
	from, until := on(t).ends(c.To), on(u).ends(end)
	from.From, until.From = i, c2.From
	until = d.marked(until)
	from.from, until.until = true, true
	return []Day{d.said(from), d.said(until)}, until.To, true
}

var (
	shortRangeSigns = tabulate(entries[bool]{{"- ~ 到 至 から", true}})
	dayUnits        = tabulate(entries[bool]{{"日 号", true}})
)

// daysCountedAfter reports whether 日 from i to end counts days, as in 3-5日間.
func (d *dayReader) daysCountedAfter(i, end int) bool {
	if d.s[i:end] == "号" {
		return false
	}
	_, _, ok := daysAfter.at(d.s, space(d.s, end))
	return ok
}

// lasting reads a length that counts from w on: 明日から3日間, "from today for
// three days".
func (d *dayReader) lasting(w when) (when, bool) {
	if !w.from || w.first != w.last {
		return when{}, false
	}
	i := space(d.s, w.To)
	inclusive := d.l == Chinese
	if end, ok := past(d.s, i, "for "); ok {
		i, inclusive = end, true
	} else if d.l == English {
		return when{}, false
	}
	if _, end, ok := usedFor.at(d.s, i); ok {
		i = end
	}
	length, ok := d.duration(i)
	if !ok && d.l == Japanese && w.named {
		if n, c, isNumber := d.whole(i); isNumber {
			if end, isDay := past(d.s, c.To, "日"); isDay {
				length, ok = Duration{Span: Span{i, end}, Days: n}, true
			}
		}
	}
	if !ok || length.Days+length.Months+length.Years == 0 {
		return when{}, false
	}
	last := plus(w.first, length)
	_, _, isWithin := offsetsAfter.at(d.s, length.To)
	if !inclusive && (isWithin || !strings.HasSuffix(d.s[:length.To], "间")) {
		return d.lastingUntil(w, last, length.To), true
	}
	w.last, w.until = last.AddDate(0, 0, -1), true
	return w.ends(length.To), true
}

// usedFor stands between a beginning and a length: 从12月5号开始用7天.
var usedFor = tabulate(entries[bool]{{"用 玩 待 住 续 买 呆 再用 连续", true}})

// lastingUntil is the day that a length after w leads to: 今日から2日.
func (d *dayReader) lastingUntil(w when, last time.Time, end int) when {
	w.first, w.last, w.from, w.until = last, last, false, true
	return w.ends(end)
}

// when reads one day or period at i, as of base.
func (d *dayReader) when(i int, base time.Time) (when, bool) {
	rules := []func(int, time.Time) (when, bool){d.dayWord, d.numeric, d.han, d.week, d.offset}
	if d.l == English {
		rules = []func(int, time.Time) (when, bool){d.dayWord, d.numeric, d.english, d.weekEn, d.quarter, d.offsetEn}
	}
	var longest when
	for _, rule := range rules {
		if w, ok := rule(i, base); ok && w.To > longest.To {
			longest = w
		}
	}
	longest.From = i
	if _, end, ok := weekOf.at(d.s, longest.To); ok && longest.first.Equal(longest.last) && !longest.none {
		week := monday(longest.first, 0)
		longest.first, longest.last, longest.To = week, week.AddDate(0, 0, 6), end
	}
	return longest, longest.To > i
}

// weekOf makes a day the week that it lies in.
var weekOf = tabulate(entries[bool]{{"の週 那周 那一周 那个星期 的那周 那个礼拜", true}})
