package phrase

import (
	"strings"
	"time"
)

// han reads a date in the order year, month, day, of which any may be missing:
// 2026年12月3日, 来年の3月, 十二月三号, 本月十日, 29日, 月底.
func (d *dayReader) han(i int, base time.Time) (when, bool) {
	if _, end, ok := lunar.at(d.s, i); ok && !strings.HasPrefix(d.s[i:], "正月") {
		if _, _, again := lunar.at(d.s, space(d.s, end)); again {
			return when{}, false
		}
		w, ok := d.han(space(d.s, end), base)
		w.ambiguous = true
		return w, ok
	}
	year, at, yearSaid := d.yearStem(i, base)
	if !yearSaid {
		if p, end, ok := halfYears.at(d.s, i); ok {
			return p.ofYear(january(base, 0)).ends(end), true
		}
		if first, end, ok := d.monthOf(i, base, false); ok {
			_, _, named := monthWords.at(d.s, i)
			return d.withinMonth(first, end, base, !named)
		}
		return d.dayAlone(i, base)
	}
	if _, end, ok := lunar.at(d.s, at); ok && !strings.HasPrefix(d.s[at:], "正月") {
		at = space(d.s, end)
	}
	if first, end, ok := d.monthOf(at, year, true); ok {
		return d.withinMonth(first, end, base, false)
	}
	return d.withinYear(year, at)
}

// trimmed is where the words before i end that are no joint.
func (d *dayReader) trimmed(i int) int {
	for _, joint := range []string{" ", ",", "の", "的", " "} {
		if strings.HasSuffix(d.s[:i], joint) {
			i -= len(joint)
		}
	}
	return i
}

// of skips what joins a year, a month and a day.
func (d *dayReader) of(i int) int {
	i = space(d.s, i)
	if _, end, ok := possessives.at(d.s, i); ok {
		return space(d.s, end)
	}
	return i
}

var possessives = tabulate(entries[bool]{{"の 的 里 里的 ,", true}})

// yearStem reads a year at i and gives its first day.
func (d *dayReader) yearStem(i int, base time.Time) (first time.Time, end int, ok bool) {
	if n, end, ok := yearWords.at(d.s, i); ok {
		return january(base, n), d.of(end), true
	}
	at, offset := i, 0
	if start, stop, isEra := eras.at(d.s, i); isEra {
		at, offset = space(d.s, stop), start
		if end, first := past(d.s, at, "元年"); first {
			t, _ := date(offset+1, 1, 1)
			return t, d.of(end), true
		}
	} else if _, stop, ok := eraNames.at(d.s, i); ok {
		at = space(d.s, stop)
	}
	n, c, ok := d.whole(at)
	if !ok || c.value.Num < 1 {
		return first, i, false
	}
	stop, ok := past(d.s, c.To, "年")
	if !ok {
		return first, i, false
	}
	text := d.s[c.From:c.To]
	if offset == 0 && n < 100 {
		if !d.yearLike(c) && (!c.digits || len(text) != 2 || !d.monthFollows(stop)) {
			return first, i, false // 三年 is a length
		}
		n = century(n, 2)
	}
	if next, _ := runeAt(d.s, stop); strings.ContainsRune("级代度间半前后内", next) {
		return first, i, false
	}
	t, ok := date(offset+n, 1, 1)
	if !ok {
		return first, i, false
	}
	return t, d.of(stop), true
}

// monthFollows reports whether "12月" or the like stands at i.
func (d *dayReader) monthFollows(i int) bool {
	c, ok := d.card(d.of(i))
	if !ok {
		return false
	}
	_, ok = past(d.s, c.To, "月")
	return ok
}

var (
	yearWords = tabulate(entries[int]{
		{"今年 本年 这一年 当年 この年 今年度", 0},
		{"明年 来年 下一年 翌年 来年度", 1},
		{"后年 再来年", 2},
		{"去年 上一年 昨年", -1},
		{"前年 一昨年", -2},
	})
	eraNames = tabulate(entries[bool]{{"公元 西元 西历 西暦 纪元", true}})
	eras     = tabulate(entries[int]{{"令和", 2018}, {"平成", 1988}, {"昭和", 1925}, {"大正", 1911}, {"明治", 1867}})
)

// monthOf reads a month at i and gives its first day: 十二月, 12月份, 本月, 来月の.
func (d *dayReader) monthOf(i int, base time.Time, yearSaid bool) (first time.Time, end int, ok bool) {
	if n, end, ok := monthWords.at(d.s, i); ok && !yearSaid {
		return firstOf(base, n), d.of(end), true
	} else if ok && n == 0 { // 去年本月
		return time.Date(base.Year(), d.today.Month(), 1, 0, 0, 0, 0, time.UTC), d.of(end), true
	}
	if stop, ok := past(d.s, i, "正月"); ok && stop == i+len("正月") && d.l == Chinese {
		return nextMonth(time.January, base), stop, true
	}
	n, c, ok := d.whole(i)
	if !ok || n < 1 || n > 12 {
		return first, i, false
	}
	stop, ok := past(d.s, c.To, "月")
	if !ok || d.l == Japanese && strings.HasPrefix(d.s[stop:], "间") {
		return first, i, false
	}
	if next, _ := runeAt(d.s, stop); next == '份' || next == '分' {
		stop += len("份")
	}
	if yearSaid {
		t, _ := date(base.Year(), time.Month(n), 1)
		return t, d.of(stop), true
	}
	return nextMonth(time.Month(n), base), d.of(stop), true
}

// monthStem is the month that stands before a range of days at i, or i itself.
func (d *dayReader) monthStem(i int) (first time.Time, end int, ok bool) {
	year, at, yearSaid := d.yearStem(i, d.today)
	base := d.today
	if yearSaid {
		base = year
	}
	first, end, ok = d.monthOf(at, base, yearSaid)
	if !ok {
		return d.today, i, false
	}
	return first, end, true
}

var monthWords = tabulate(entries[int]{
	{"本月 这个月 这月 当月 这一个月 今月 この月 当月", 0},
	{"下个月 下月 来月 次の月 翌月", 1},
	{"下下个月 下下月 再来月", 2},
	{"上个月 上月 先月 前の月", -1},
	{"上上个月 上上月 先々月", -2},
})

// part is a part of a month, a week or a year.
type part int

const (
	theStart part = iota + 1
	theMiddle
	theEnd
	firstTen // 上旬
	nextTen
	lastTen
	firstHalf // of a year
	secondHalf
)

var monthParts = tabulate(entries[part]{
	{"底 月底 尾 月尾 末 月末 末尾 最后一天 最终日 の终わり 终わり 终わりごろ の最后の日 最后の日 末日 底之前", theEnd},
	{"初 月初 初め はじめ 头 前半 上半月", theStart},
	{"中 月中 中ごろ 中顷 半ば なかば", theMiddle},
	{"上旬", firstTen},
	{"中旬", nextTen},
	{"下旬", lastTen},
})

// ofMonth is a part of the month that begins at first.
func (p part) ofMonth(first time.Time) when {
	last := lastOf(first, 0)
	switch p {
	case theStart:
		return between(first, first.AddDate(0, 0, 14))
	case theMiddle:
		return between(first.AddDate(0, 0, 9), first.AddDate(0, 0, 19))
	case firstTen:
		return between(first, first.AddDate(0, 0, 9))
	case nextTen:
		return between(first.AddDate(0, 0, 10), first.AddDate(0, 0, 19))
	case lastTen:
		return between(first.AddDate(0, 0, 20), last)
	case theEnd, firstHalf, secondHalf:
	}
	return between(last.AddDate(0, 0, -9), last)
}

// ofYear is a part of the year that begins at first.
func (p part) ofYear(first time.Time) when {
	last := december(first, 0)
	switch p {
	case theStart, firstTen, firstHalf:
		return between(first, lastOf(first, 5))
	case theMiddle, nextTen:
		return between(firstOf(first, 3), lastOf(first, 8))
	case secondHalf:
		return between(firstOf(first, 6), last)
	case theEnd, lastTen:
	}
	return between(firstOf(first, 11), last)
}

// ofWeek is a part of the week that begins at a Monday.
func (p part) ofWeek(monday time.Time) when {
	switch p {
	case theStart, firstTen, firstHalf:
		return between(monday, monday.AddDate(0, 0, 2))
	case theMiddle, nextTen:
		return between(monday.AddDate(0, 0, 1), monday.AddDate(0, 0, 4))
	case theEnd, lastTen, secondHalf:
	}
	return between(monday.AddDate(0, 0, 3), monday.AddDate(0, 0, 6))
}

// withinMonth reads what follows a month: a day, a part, a weekday by number, or
// nothing. A month that rolls was said without a year.
func (d *dayReader) withinMonth(first time.Time, at int, base time.Time, rolls bool) (when, bool) {
	if day, end, ok := d.dayNumber(at, true); ok {
		t, ok := date(first.Year(), first.Month(), day)
		if rolls {
			t, ok = nextDate(first.Month(), day, base)
		}
		w := on(t).ends(end)
		w.none = !ok
		if rolls {
			w.rolled = theYear
		}
		return d.withWeekday(w), true
	}
	if p, end, ok := monthParts.at(d.s, at); ok && (d.l != Japanese || d.s[at:end] != "中") { // 12月中 is all of it
		return p.ofMonth(first).ends(end), true
	}
	if w, ok := d.nth(first, at); ok {
		if rolls && w.last.Before(base) {
			w, ok = d.nth(first.AddDate(1, 0, 0), at)
		}
		return w, ok
	}
	w := between(first, lastOf(first, 0)).ends(d.trimmed(at))
	if rolls {
		w.rolled = theYear
	}
	return w, true
}

// dayNumber reads the number of a day at i: 3日, 三号, and within a month 十五 alone.
func (d *dayReader) dayNumber(i int, inMonth bool) (day, end int, ok bool) {
	if _, end, ok := lunarDay.at(d.s, i); ok && inMonth { // 初三
		if n, c, ok := d.whole(end); ok && n > 0 && n < 11 {
			return n, c.To, true
		}
	}
	if n, end, ok := kanaDays.at(d.s, i); ok && d.l == Japanese {
		return n, end, true
	}
	n, c, ok := d.whole(i)
	if !ok || n < 1 || n > 31 {
		return 0, i, false
	}
	if _, end, ok := dayUnits.at(d.s, space(d.s, c.To)); ok {
		return n, end, true
	}
	if !inMonth || c.digits && !d.dayEnds(c.To) {
		return 0, i, false
	}
	if _, _, ok := d.timeUnitAt(c.To, false); ok {
		return 0, i, false
	}
	next, _ := runeAt(d.s, c.To)
	return n, c.To, next != '个' && next != '元' && next != '円' && next != '块' && next != '月'
}

// dayEnds reports whether digits within a month that end at i are a day: 12月5,
// 12月3、4号; but not the 5 of 12月5GB.
func (d *dayReader) dayEnds(i int) bool {
	next, size := runeAt(d.s, i)
	return next == 0 || strings.ContainsRune(",、。!?~-的回走到", next) && !digitAt(d.s, i-1-size) || next == ',' && !digitAt(d.s, i+1)
}

// lunarDay and lunar are signs of the old calendar, which is not known here: its
// dates are read as if they were the new one's, and are ambiguous.
var (
	lunarDay = tabulate(entries[bool]{{"初", true}})
	lunar    = tabulate(entries[bool]{{"农历 阴历 旧历 旧暦 旧暦の 农历的 正月", true}})
)

var kanaDays = tabulate(entries[int]{
	{"ついたち 一日", 1},
	{"ふつか", 2},
	{"みっか", 3},
	{"よっか", 4},
	{"いつか", 5},
	{"むいか", 6},
	{"なのか", 7},
	{"ようか", 8},
	{"ここのか", 9},
	{"とおか", 10},
	{"はつか", 20},
})

// dayAlone reads a day without its month. 号 is always one; 10日 may be ten days.
func (d *dayReader) dayAlone(i int, base time.Time) (when, bool) {
	n, c, ok := d.whole(i)
	if before := runeBefore(d.s, i); !ok || n < 1 || n > 31 || before == '第' || before == '月' {
		return when{}, false
	}
	at := space(d.s, c.To)
	_, end, ok := dayUnits.at(d.s, at)
	if !ok {
		return when{}, false
	}
	next, _ := runeAt(d.s, end)
	isNumber := d.s[at:end] == "号"
	if isNumber && next != 0 && strings.ContainsRune("线楼机套店车门出站台房", next) || !isNumber && (next == '元' || next == '本' || next == '目' || next == '币') {
		return when{}, false
	}
	if !isNumber && (d.daysCounted(i, end, c.value) || n == 1 && d.rateAfter(end)) {
		return when{}, false
	}
	t, ok := nextDayOfMonth(n, base)
	w := on(t).ends(end)
	w.rolled = theMonth
	_, _, dated := dateAfter.at(d.s, end)
	w.ambiguous = !isNumber && !dated
	return d.withWeekday(w), ok
}

// dateAfter follows a day and no length.
var dateAfter = tabulate(entries[bool]{{"に には は の , 、 ( まで から 夜 朝 昼 早上 晚上 上午 下午 走 回 离 到", true}})

// withWeekday goes past the weekday that is said with a date: 12月3日(木).
func (d *dayReader) withWeekday(w when) when {
	i := space(d.s, w.To)
	if _, _, bracketed := weekdays.at(d.s, i); bracketed && !w.none { // (木)
		return d.weekdayAt(w, i)
	}
	for _, open := range []string{",", "、", "(", "の", "目の"} {
		if strings.HasPrefix(d.s[i:], open) {
			i = space(d.s, i+len(open))
			break
		}
	}
	return d.weekdayAt(w, i)
}

// weekdayAt takes the weekday at i to w.
func (d *dayReader) weekdayAt(w when, i int) when {
	if day, end, ok := weekdays.at(d.s, i); ok && !w.none {
		if w.To = end; strings.HasPrefix(d.s[end:], ")") {
			w.To++
		}
		w.ambiguous = false
		return w.agreeing(day)
	}
	return w
}

// agreeing is w where its weekday is the one that was said with it. Where it is
// not, one of the two is a mistake, unless another month was meant.
func (w when) agreeing(day time.Weekday) when {
	if w.last.Weekday() == day {
		return w
	}
	w.ambiguous = true
	if w.rolled != theMonth {
		return w
	}
	for n := -1; n < 12; n++ {
		month := firstOf(w.last, n)
		if t, ok := date(month.Year(), month.Month(), w.last.Day()); ok && t.Weekday() == day {
			w.other, w.first, w.last = w.last, t, t
			return w
		}
	}
	return w
}

// nth reads a weekday or a week by its number within a month: 第1金曜日,
// 最后一个星期五, 第三週.
func (d *dayReader) nth(first time.Time, i int) (when, bool) {
	n, at, ok := d.ordinalStem(i)
	if !ok {
		return when{}, false
	}
	if day, end, ok := weekdays.at(d.s, at); ok {
		t, ok := nthWeekday(first, n, day)
		return on(t).ends(end), ok
	}
	if _, end, ok := weekNames.at(d.s, at); ok {
		week := weekOfMonth(first, n)
		return between(week, week.AddDate(0, 0, 6)).ends(end), true
	}
	return when{}, false
}

// weekOfMonth is the Monday of the nth week of a month, of which the first has
// the month's first Thursday and the last, n -1, its last one.
func weekOfMonth(first time.Time, n int) time.Time {
	if n == -1 {
		return monday(nextWeekday(time.Thursday, lastOf(first, 0).AddDate(0, 0, -6)), 0)
	}
	return monday(nextWeekday(time.Thursday, first), n-1)
}

// weekOfYear is the nth week of the year that begins at first, or its last one
// for n -1.
func (d *dayReader) weekOfYear(first time.Time, n int) when {
	week := weekOfMonth(first, n)
	if n == -1 {
		week = weekOfMonth(firstOf(first, 11), -1)
	}
	return between(week, week.AddDate(0, 0, 6))
}

// ordinalStem reads 第三, 第三个 and 最初の, and skips what joins them to a noun.
func (d *dayReader) ordinalStem(i int) (n, end int, ok bool) {
	number, ok := d.ordinal(i)
	if !ok || number.Value.Den != 1 || number.Value.Num > 53 {
		return 0, i, false
	}
	end = number.To
	if strings.HasPrefix(d.s[end:], "个") {
		end += len("个")
	}
	return int(number.Value.Num), d.of(end), true
}

var weekNames = tabulate(entries[bool]{{"週 週目 周 星期 礼拜 週間", true}})

// withinYear reads what follows a year: a part, a week by its number, or nothing.
func (d *dayReader) withinYear(first time.Time, at int) (when, bool) {
	if p, end, ok := yearParts.at(d.s, at); ok {
		return p.ofYear(first).ends(end), true
	}
	if q, end, ok := quarters.at(d.s, at); ok {
		return between(firstOf(first, q), lastOf(first, q+2)).ends(end), true
	}
	if n, stem, ok := d.ordinalStem(at); ok {
		if _, end, ok := weekNames.at(d.s, stem); ok {
			return d.weekOfYear(first, n).ends(end), true
		}
		if end, ok := past(d.s, stem, "月"); ok && n > 0 && n < 13 {
			return between(firstOf(first, n-1), lastOf(first, n-1)).ends(end), true
		}
	}
	return between(first, december(first, 0)).ends(d.trimmed(at)), true
}

var (
	yearParts = tabulate(entries[part]{
		{"底 年底 尾 年尾 末 年末 末尾 终わり 终わりごろ", theEnd},
		{"初 年初 初め はじめ", theStart},
		{"年中 中ごろ", theMiddle},
		{"上半年 上半期 前半年 前半", firstHalf},
		{"下半年 下半期 后半年 后半", secondHalf},
	})
	halfYears = tabulate(entries[part]{{"上半年 前半年 上半期", firstHalf}, {"下半年 后半年 下半期", secondHalf}})
	quarters  = tabulate(entries[int]{
		{"第一季度 第1季度 第1四半期 第一四半期", 0},
		{"第二季度 第2季度 第2四半期 第二四半期", 3},
		{"第三季度 第3季度 第3四半期 第三四半期", 6},
		{"第四季度 第4季度 第4四半期 第四四半期", 9},
	})
)
