package phrase

import (
	"strings"
	"time"
)

// weekdays are the names of the days of the week.
var weekdays = tabulate(entries[time.Weekday]{
	{"周一 星期一 礼拜一 月曜日 月曜 げつようび (月)", time.Monday},
	{"周二 星期二 礼拜二 火曜日 火曜 かようび (火)", time.Tuesday},
	{"周三 星期三 礼拜三 水曜日 水曜 すいようび (水)", time.Wednesday},
	{"周四 星期四 礼拜四 木曜日 木曜 もくようび (木)", time.Thursday},
	{"周五 星期五 礼拜五 金曜日 金曜 きんようび (金)", time.Friday},
	{"周六 星期六 礼拜六 土曜日 土曜 どようび (土)", time.Saturday},
	{"周日 周天 星期日 星期天 礼拜日 礼拜天 日曜日 日曜 にちようび (日)", time.Sunday},
})

// weekdaysHan are those of them that look like a number after a week.
var weekdaysHan = tabulate(entries[bool]{{"周一 周二 周三 周四 周五 周六", true}})

// weekdayChars follow a week in Chinese: 下周五.
var weekdayChars = map[rune]time.Weekday{
	'一': time.Monday, '二': time.Tuesday, '三': time.Wednesday, '四': time.Thursday, '五': time.Friday, '六': time.Saturday,
	'日': time.Sunday, '天': time.Sunday,
}

var weekWords = tabulate(entries[int]{
	{"这周 这个周 本周 这星期 这个星期 这礼拜 这个礼拜 本星期 今周 この週 その週 同じ週 私の週 这一周", 0},
	{"下周 下个周 下星期 下个星期 下礼拜 下个礼拜 下一周 来周 来週 次の週 翌週", 1},
	{"下下周 下下个周 下下星期 下下个星期 下下礼拜 下下个礼拜 再来週", 2},
	{"上周 上个周 上星期 上个星期 上礼拜 上个礼拜 上一周 先週 前の週", -1},
	{"上上周 上上个周 上上星期 上上个星期 上上礼拜 上上个礼拜 先々週", -2},
})

// comingWords stand before a weekday and mean the next one.
var comingWords = tabulate(entries[bool]{{"この その 今度の 今度 次の 来たる 最近的 接下来的 下一个 第一个", true}})

var weekParts = tabulate(entries[part]{
	{"初め はじめ の初め 初 头 前半 早く", theStart},
	{"中ごろ 半ば 中间", theMiddle},
	{"终わり 底 尾 后半 的尾巴", theEnd},
})

// week reads a week, a weekday or a weekend at i.
func (d *dayReader) week(i int, base time.Time) (when, bool) {
	if n, end, ok := weekWords.at(d.s, i); ok {
		return d.withinWeek(monday(d.today, n), end, n)
	}
	at, coming := i, false
	if _, end, ok := comingWords.at(d.s, i); ok {
		at, coming = space(d.s, end), true
	}
	if day, end, ok := weekdays.at(d.s, at); ok && !d.longer(weekends, at, end) {
		w := on(nextWeekday(day, base)).ends(end)
		if coming && w.first.Equal(base) && !strings.HasPrefix(d.s[i:], "この") {
			w = on(base.AddDate(0, 0, 7)).ends(end)
		}
		w.rolled = theWeek
		return d.mayBeToday(w, coming), true
	}
	if _, end, ok := weekends.at(d.s, at); ok {
		return weekend(base).ends(end), true
	}
	if n, stem, ok := d.ordinalStem(i); ok && n > 0 && n < 6 { // 第2の日曜日
		if day, end, ok := weekdays.at(d.s, stem); ok {
			t, ok := nthWeekday(firstOf(base, 0), n, day)
			return on(t).ends(end), ok
		}
	}
	return when{}, false
}

// longer reports whether a word of the table at i reaches further than end.
func (d *dayReader) longer(words *table[bool], i, end int) bool {
	_, stop, ok := words.at(d.s, i)
	return ok && stop > end
}

// mayBeToday adds the second reading of a weekday that is today's: who says
// "until Friday" on a Friday may mean the one in a week.
func (d *dayReader) mayBeToday(w when, certain bool) when {
	if !certain && w.first.Equal(d.today) {
		w.other = d.today.AddDate(0, 0, 7)
	}
	return w
}

var weekends = tabulate(entries[bool]{{"周末 週末 周六日 周六周日 土日 这周末 这个周末 本周末 今週末 この週末 その週末 私の週末", true}})

// weekend is the coming weekend. On its Sunday it may also be the next one.
func weekend(base time.Time) when {
	sunday := nextWeekday(time.Sunday, base)
	w := between(sunday.AddDate(0, 0, -1), sunday)
	if base.Weekday() == time.Sunday {
		w.other = base.AddDate(0, 0, 7)
	}
	return w
}

// withinWeek reads what follows a week: a weekday, the weekend, a part, or nothing.
func (d *dayReader) withinWeek(monday time.Time, end, n int) (when, bool) {
	at := d.of(end)
	if day, stop, ok := weekdays.at(d.s, at); ok {
		return on(ofWeek(monday, day)).ends(stop), true
	}
	next, size := runeAt(d.s, end)
	if day, ok := weekdayChars[next]; ok && d.l == Chinese {
		return on(ofWeek(monday, day)).ends(end + size), true
	}
	if _, stop, ok := weekends.at(d.s, at); ok || next == '末' {
		if next == '末' {
			stop = end + size
		}
		if n == 0 {
			return weekend(d.today).ends(stop), true
		}
		return between(monday.AddDate(0, 0, 5), monday.AddDate(0, 0, 6)).ends(stop), true
	}
	if p, stop, ok := weekParts.at(d.s, at); ok {
		return p.ofWeek(monday).ends(stop), true
	}
	return between(monday, monday.AddDate(0, 0, 6)).ends(end), true
}

// dayWord reads a day that has a word of its own: 明天, あさって, Christmas, 月底.
func (d *dayReader) dayWord(i int, base time.Time) (when, bool) {
	if n, end, ok := dayWords.of(d.l).at(d.s, i); ok {
		w := on(d.today.AddDate(0, 0, n)).ends(end)
		w.named = true
		return w, true
	}
	if p, end, ok := endWordsEn.at(d.s, i); ok && d.l == English {
		if strings.HasPrefix(d.s[i:], "year") {
			return p.ofYear(january(base, 0)).ends(end), true
		}
		return p.ofMonth(firstOf(base, 0)).ends(end), true
	}
	if p, end, ok := endWords.at(d.s, i); ok && d.l != English && runeBefore(d.s, i) != '大' {
		if strings.HasPrefix(d.s[i:], "年") {
			return p.ofYear(january(base, 0)).ends(end), true
		}
		return p.ofMonth(firstOf(base, 0)).ends(end), true
	}
	if f, end, ok := feasts.at(d.s, i); ok {
		t, ok := nextDate(f.month, f.day, base)
		return on(t).ends(end), ok
	}
	return when{}, false
}

var dayWords = byLanguage[int]{dayWordsZh, dayWordsJa, dayWordsEn}

var (
	dayWordsZh = tabulate(entries[int]{
		{"今天 今日 今晚 今儿 今夜 当天", 0},
		{"明天 听日 明日 明晚 明早 明儿 明儿个 第二天就", 1},
		{"后天 后日", 2},
		{"大后天 大后日", 3},
		{"大大后天", 4},
		{"昨天 寻日 昨日 昨晚 昨儿", -1},
		{"前天 前日", -2},
		{"大前天", -3},
	})
	dayWordsJa = tabulate(entries[int]{
		{"今日 本日 きょう 今晩 今夜 当日 その日", 0},
		{"明日 あした あす 明晩 翌日 次の日", 1},
		{"明後日 あさって 翌々日", 2},
		{"明々後日 しあさって 明明後日", 3},
		{"昨日 きのう 前日 最后の日", -1},
		{"一昨日 おととい", -2},
		{"一昨々日 さきおととい", -3},
	})
	dayWordsEn = tabulate(entries[int]{
		{"today tonight", 0},
		{"tomorrow tmr tmrw tomorow next_day the_next_day the_following_day", 1},
		{"day_after_tomorrow the_day_after_tomorrow day_after_tmr", 2},
		{"yesterday", -1},
		{"day_before_yesterday the_day_before_yesterday", -2},
	})
	endWordsEn = tabulate(entries[part]{{"month_end month-end year_end year-end", theEnd}})
	endWords   = tabulate(entries[part]{
		{"月底 月尾 年尾 月末 月末日 年底 年末 年内", theEnd},
		{"月初 年初", theStart},
		{"月中", theMiddle},
	})
)

// feast is a day of the same date each year.
type feast struct {
	month time.Month
	day   int
}

var feasts = tabulate(entries[feast]{
	{"元旦 元日 正月 お正月 new_year new_years new_year's new_year's_day new_years_day", feast{time.January, 1}},
	{"情人节 バレンタインデー valentine's_day valentines_day", feast{time.February, 14}},
	{"五一 劳动节 五一劳动节", feast{time.May, 1}},
	{"国庆 国庆节 十一国庆", feast{time.October, 1}},
	{"万圣节 ハロウィン ハロウィーン halloween", feast{time.October, 31}},
	{"平安夜 圣诞夜 クリスマスイブ クリスマス・イブ christmas_eve xmas_eve", feast{time.December, 24}},
	{"圣诞 圣诞节 クリスマス christmas christmas_day xmas", feast{time.December, 25}},
	{"boxing_day", feast{time.December, 26}},
	{"跨年 跨年夜 大晦日 おおみそか new_year's_eve new_years_eve", feast{time.December, 31}},
})

// offset reads a length that leads to a day: 三天后, 3日以内, あと五日, 未来两天.
func (d *dayReader) offset(i int, base time.Time) (when, bool) {
	kind, at := ledTo(0), i
	if k, end, ok := offsetsBefore.at(d.s, i); ok && runeBefore(d.s, i) != '超' {
		kind, at = k, space(d.s, end)
	}
	length, ok := d.duration(at)
	if !ok {
		length, ok = d.daysAfterWord(at, kind)
	}
	if !ok || length.Years+length.Months+length.Days+length.Hours/24 == 0 {
		return when{}, false
	}
	end := length.To
	if k, stop, ok := offsetsAfter.at(d.s, space(d.s, end)); ok {
		kind, end = k, stop
	}
	w, ok := d.led(kind, length, base, end)
	if day, stop, isDay := weekdays.at(d.s, d.of(end)); ok && isDay && kind == itsEnd { // 2週間後の金曜日
		w = on(ofWeek(monday(w.last, 0), day)).ends(stop)
	}
	if kind == ago && strings.HasSuffix(d.s[:length.To], "日") && length.Days > 0 && length.Days < 32 && d.l == Japanese {
		w.other, _ = nextDayOfMonth(length.Days, base) // 10日前に may also be "before the 10th"
	}
	return w, ok
}

// daysAfterWord reads あと五日, which is a length only behind its word.
func (d *dayReader) daysAfterWord(i int, kind ledTo) (Duration, bool) {
	n, c, ok := d.whole(i)
	end, isDay := past(d.s, c.To, "日")
	if next, _ := runeAt(d.s, end); !ok || !isDay || kind == 0 || n < 1 || yenFollows(next) {
		return Duration{}, false
	}
	return Duration{Span: Span{i, end}, Days: n}, true
}

// ledTo is where a length leads from today.
type ledTo int

const (
	itsEnd  ledTo = iota + 1 // in three days
	within                   // within three days
	theNext                  // the next three days: a period from tomorrow on
	itsLast                  // three days are left: until its end
	ago
	theLast // the last three days, today not included
	whole   // three days from a day on, which is the first of them
)

// led is the day or period that a length leads to.
func (d *dayReader) led(kind ledTo, length Duration, base time.Time, end int) (when, bool) {
	last := plus(base, length)
	var w when
	switch kind {
	case itsEnd:
		w = on(last)
	case within:
		w = on(last)
		w.until = true
	case theNext:
		w = between(base.AddDate(0, 0, 1), last)
	case itsLast:
		w = on(last)
		w.until = true
	case ago:
		w = on(minus(base, length))
	case whole:
		w = between(base, last.AddDate(0, 0, -1))
		w.until = true
	case theLast:
		w = between(minus(base, length), base.AddDate(0, 0, -1))
	default:
		return when{}, false
	}
	return w.ends(end), true
}

var (
	offsetsBefore = tabulate(entries[ledTo]{
		{"过 再过 等", itsEnd},
		{"未来 未来的 接下来 接下来的 今后 往后 今後 今後の これから これからの 向こう 次の この先 この先の", theNext},
		{"还有 还剩 还剩下 只剩 只剩下 剩 剩下 あと 残り のこり 残りあと", itsLast},
		{"过去 过去的 最近 上 前 过去の 直近", theLast},
	})
	offsetsAfter = tabulate(entries[ledTo]{
		{"后 以后 之后 后に 后には のち 经った后", itsEnd},
		{"内 以内 之内 以内に", within},
		{"前 以前 之前 前に", ago},
	})
)
