package phrase

import "strings"

// timeUnit is a unit of time as people count it.
type timeUnit int

// The units, the larger the later; a night is no unit that others divide into.
const (
	aSecond timeUnit = iota + 1
	aMinute
	quarterHour
	anHour
	aDay
	aNight // a day; the last one reaches into a day more
	aWeek
	aMonth
	aYear
)

// lengthOf is value units. Half a month is 15 days, and below a second nothing counts.
func lengthOf(value Exact, u timeUnit) (Duration, bool) {
	if value.Den == 0 || value.Num < 0 || value.Num/value.Den > 100_000 {
		return Duration{}, false
	}
	n, rest := int(value.Num/value.Den), value.Num%value.Den
	var d Duration
	part, smaller := int64(0), u // how many of the smaller unit make one
	switch u {
	case aYear:
		d.Years, part, smaller = n, 12, aMonth
	case aMonth:
		d.Months, part, smaller = n, 30, aDay
	case aWeek:
		d.Days, part, smaller = 7*n, 7, aDay
	case aNight:
		d.Days, d.Nights = n, n
	case aDay:
		d.Days, part, smaller = n, 24, anHour
	case anHour:
		d.Hours, part, smaller = n, 60, aMinute
	case quarterHour:
		d.Minutes = 15 * n
	case aMinute:
		d.Minutes, part, smaller = n, 60, aSecond
	case aSecond:
		d.Seconds = n
	}
	if rest > 0 && part > 0 && value.Den < 1e15 {
		below, fits := ratio(rest*part, value.Den)
		if more, ok := lengthOf(below, smaller); fits && ok {
			d = d.plus(more)
		}
	}
	return d, true
}

// plus adds the parts of both; the span is d's. Days that are said with their
// nights, 三天两夜, are said once.
func (d Duration) plus(e Duration) Duration {
	if d.Nights != e.Nights && (d.Nights == d.Days || e.Nights == e.Days) && d.Days > 0 && e.Days > 0 {
		d.Days, e.Days = max(d.Days-d.Nights, e.Days-e.Nights), 0
		d.Nights, e.Nights = 0, 0
	}
	d.More = d.More || e.More
	d.Years += e.Years
	d.Months += e.Months
	d.Days += e.Days
	d.Hours += e.Hours
	d.Minutes += e.Minutes
	d.Seconds += e.Seconds
	d.Nights += e.Nights
	return d
}

// Durations returns the lengths of time of text. Of "three or four days" it is
// the longer one. What is none is left out: "a
// day" in "3GB a day", and times that are over ("three days ago"). Lengths
// without a number ("a few days") are not guessed.
//
// In Japanese, and in written Chinese, 10日 is a date or a length; it is a length
// only where the words around it say so.
func Durations(text string, l Language) []Duration {
	r := read(text, l)
	var found []Duration
	scan(r.s, func(i int) int {
		d, ok := r.duration(i)
		if !ok {
			return r.afterNumber(i)
		}
		if _, _, past := over.at(r.s, space(r.s, d.To)); !past {
			found = append(found, d)
		}
		return d.To
	})
	return found
}

// afterNumber is the end of the number at i, which has led to nothing, so that
// no part of it is tried.
func (r *reading) afterNumber(i int) int {
	if c, ok := r.card(i); ok {
		return c.To
	}
	return i
}

// over are the words after a length that say that it is over, or a place in an order.
var over = tabulate(entries[bool]{
	{"前 以前 之前 前に ago 目 earlier", true},
})

// duration reads the length at i with all its parts: one week and three days.
func (r *reading) duration(i int) (Duration, bool) {
	d, u, ok := r.durationPart(i)
	if !ok {
		return Duration{}, false
	}
	d.From = i
	for range mostParts {
		at, apart := r.and(d.To)
		more, next, ok := r.durationPart(at)
		if !ok || next == u || apart && next > u {
			break
		}
		d = d.plus(more)
		d.To, u = more.To, min(u, next)
	}
	return d, true
}

// mostParts is how many more parts a length has: years, months, days, hours …
const mostParts = 5

// and skips what joins the parts of one length. A comma joins only what goes on
// with a smaller unit, for it also stands between two.
func (r *reading) and(i int) (at int, apart bool) {
	i = space(r.s, i)
	if comma, end, ok := joins.at(r.s, i); ok {
		at = space(r.s, end)
		if _, end, ok := joins.at(r.s, at); ok && comma { // ", and"
			at = space(r.s, end)
		}
		return at, comma
	}
	return i, false
}

var joins = tabulate(entries[bool]{
	{"and & 又 和 加 と 外加", false},
	{", 、", true},
})

// durationPart reads one count and its unit at i.
func (r *reading) durationPart(i int) (Duration, timeUnit, bool) {
	if word, end, ok := r.durationWord(i); ok {
		d, fits := lengthOf(word.value, word.unit)
		value, end := r.halfMore(word.value, word.unit, end)
		if value != word.value {
			d, fits = lengthOf(value, word.unit)
		}
		d.Span = Span{i, end}
		return d, word.unit, fits
	}
	value, from, at, ok := r.count(i)
	if !ok {
		return Duration{}, 0, false
	}
	half, more := false, false
	if _, end, ok := moreWithin.at(r.s, at); ok && r.l == Chinese { // 二十多天, 一个多月
		more, at = true, end
	}
	if end, ok := past(r.s, at, "个半"); ok && r.l == Chinese {
		half, at = true, end
	}
	u, end, ok := r.timeUnitAt(at, half)
	if !ok || !r.countsTime(i, from, at, end, u, value) {
		return Duration{}, 0, false
	}
	if half {
		value, ok = value.plus(Exact{1, 2})
	} else {
		value, end = r.halfMore(value, u, end)
	}
	d, fits := lengthOf(value, u)
	d.Span, d.More = Span{i, end}, more || r.moreAround(i, end)
	return d, u, ok && fits
}

// moreAround reports whether the words beside a length from i to end make it the least.
func (r *reading) moreAround(i, end int) bool {
	_, _, before := moreBefore.before(r.s, i)
	_, _, after := moreAfter.at(r.s, space(r.s, end))
	return before || after
}

var (
	moreWithin = tabulate(entries[bool]{{"多 来 余 几 多个 来个 余个 几个 个多", true}})
	moreBefore = tabulate(entries[bool]{{"more_than over at_least a_bit_more_than a_little_more_than 超过 至少 最少 不止 少なくとも 最低 最低でも", true}})
	moreAfter  = tabulate(entries[bool]{{"以上 多 ちょっと 余り あまり 強 or_more plus and_more 起码", true}})
)

// count reads how many, and where it begins itself after words such as "another":
// a number, an article, or the larger of "three or four".
func (r *reading) count(i int) (value Exact, from, end int, ok bool) {
	from = i
	if r.l == English {
		if n, end, ok := vagueCounts.at(r.s, i); ok {
			return Whole(n), i, joint(r.s, end), true
		}
	}
	value, end, ok = r.quantity(from)
	if !ok {
		if _, stop, isA := articles.at(r.s, i); isA && r.l == English && !r.rated(i) {
			return Whole(1), i, space(r.s, stop), true
		}
		return value, i, i, false
	}
	if c, _ := r.card(from); c.loose {
		value = Whole(value.Num % 10)
	}
	if c, _ := r.card(from); c.ordinal {
		return value, i, i, false
	}
	if _, at, ok := rangeSigns.at(r.s, space(r.s, end)); ok {
		if more, stop, ok := r.quantity(space(r.s, at)); ok && more.Den == 1 && value.Den == 1 && more.Num > value.Num {
			if _, _, ok := r.timeUnitAt(stop, false); ok {
				return more, from, stop, true
			}
		}
	}
	return value, from, end, true
}

// rangeSigns stand between the shorter and the longer of two.
var rangeSigns = tabulate(entries[bool]{
	{"- ~ 、 , 到 至 或 或者 か から to or", true},
})

// vagueCounts are counts without a number word.
var vagueCounts = tabulate(entries[int64]{
	{"another one_more all full whole a_full a_whole the_whole one_full one_whole", 1},
	{"couple_of a_couple_of a_couple couple another_couple_of", 2},
	{"half_a_dozen", 6},
})

// rated reports whether the "a" at i makes "a day" a rate: "3GB a day".
func (r *reading) rated(i int) bool {
	if _, _, ok := rates.before(r.s, i); ok {
		return true
	}
	for i > 0 && r.s[i-1] == ' ' {
		i--
	}
	return digitAt(r.s, i-1)
}

var rates = tabulate(entries[bool]{
	{"gb gbs mb g tb gig gigs gigabytes megabytes data unlimited yen dollar dollars usd jpy once twice times much", true},
})

// timeUnitAt reads the unit of a count that ends at i.
func (r *reading) timeUnitAt(i int, half bool) (timeUnit, int, bool) {
	at := space(r.s, i)
	if half {
		return halfUnitsZh.at(r.s, at)
	}
	if r.l == English {
		at = joint(r.s, i)
		if _, end, ok := unitAdjectives.at(r.s, at); ok {
			at = space(r.s, end)
		}
	}
	return timeUnits.of(r.l).at(r.s, at)
}

var timeUnits = byLanguage[timeUnit]{timeUnitsZh, timeUnitsJa, timeUnitsEn}

var unitAdjectives = tabulate(entries[bool]{
	{"more full whole extra additional further consecutive calendar business working", true},
})

// timeUnitsZh follow a number; 日 and 年 are also parts of dates.
var timeUnitsZh = tabulate(entries[timeUnit]{
	{"秒 秒钟", aSecond},
	{"分钟 分鐘", aMinute},
	{"刻钟", quarterHour},
	{"小时 个小时 钟头 个钟头 个钟", anHour},
	{"天 日 整天 个工作日 工作日", aDay},
	{"晚 夜 晚上 个晚上", aNight},
	{"周 星期 个星期 礼拜 个礼拜 个周", aWeek},
	{"个月 个多月", aMonth},
	{"年", aYear},
})

// halfUnitsZh follow 个半: 一个半月.
var halfUnitsZh = tabulate(entries[timeUnit]{
	{"小时 钟头", anHour},
	{"星期 礼拜", aWeek},
	{"月", aMonth},
})

var timeUnitsJa = tabulate(entries[timeUnit]{
	{"秒 秒間", aSecond},
	{"分 分間", aMinute},
	{"時間 じかん", anHour},
	{"日 日間 営業日 にち にちかん 日分", aDay},
	{"泊 晩 ぱく はく", aNight},
	{"週間 週 しゅうかん 週間分", aWeek},
	{"か月 カ月 ヶ月 ケ月 ヵ月 ヶ月間 か月間 カ月間 箇月 箇月間 個月 月間 ヶ月分 か月分 かげつ", aMonth},
	{"年 年間 年間分", aYear},
})

var timeUnitsEn = tabulate(entries[timeUnit]{
	{"second seconds sec secs s", aSecond},
	{"minute minutes min mins", aMinute},
	{"hour hours hr hrs h", anHour},
	{"day days d", aDay},
	{"night nights", aNight},
	{"week weeks wk wks w", aWeek},
	{"month months mo mos mth mths", aMonth},
	{"year years yr yrs y", aYear},
})

// halfMore adds the half that follows a unit: 三年半, "a month and a half".
func (r *reading) halfMore(value Exact, u timeUnit, i int) (Exact, int) {
	_, end, ok := halfAfter.at(r.s, space(r.s, i))
	if !ok || u == aNight || value.Den != 1 {
		return value, i
	}
	if next, _ := runeAt(r.s, end); next == '年' || next == '月' || next == '天' || next == '日' || next == '价' {
		return value, i
	}
	more, fits := value.plus(Exact{1, 2})
	if !fits {
		return value, i
	}
	return more, end
}

var halfAfter = tabulate(entries[bool]{
	{"半 と半分 間半 and_a_half", true},
})

// durationWord is a length that is a word of its own.
type durationWord struct {
	value Exact
	unit  timeUnit
}

func (r *reading) durationWord(i int) (durationWord, int, bool) {
	w, end, ok := durationWords.of(r.l).at(r.s, i)
	if before := runeBefore(r.s, i); ok && r.l != English && (before == '上' || before == '下' || before == '前' || before == '后' || before == '大' || before == '多') {
		ok = false // 上半年 is a period
	}
	return w, end, ok
}

var durationWords = byLanguage[durationWord]{durationsZh, durationsJa, durationsEn}

var aHalf = Exact{1, 2}

var durationsZh = tabulate(entries[durationWord]{
	{"半个月 半月", durationWord{aHalf, aMonth}},
	{"半年", durationWord{aHalf, aYear}},
	{"半天 半日", durationWord{aHalf, aDay}},
	{"半小时 半个小时 半个钟头 半个钟 半钟头", durationWord{aHalf, anHour}},
	{"俩月 两月", durationWord{Whole(2), aMonth}},
	{"俩星期 俩礼拜", durationWord{Whole(2), aWeek}},
})

var durationsJa = tabulate(entries[durationWord]{
	{"半月 半か月 半月間 半ヶ月", durationWord{aHalf, aMonth}},
	{"半年 半年間", durationWord{aHalf, aYear}},
	{"半日", durationWord{aHalf, aDay}},
	{"半時間", durationWord{aHalf, anHour}},
	{"ひと月 一月間 まるひと月", durationWord{Whole(1), aMonth}},
	{"いっかげつ いっかげつかん", durationWord{Whole(1), aMonth}},
	{"にかげつ にかげつかん", durationWord{Whole(2), aMonth}},
	{"いっしゅうかん", durationWord{Whole(1), aWeek}},
	{"にしゅうかん", durationWord{Whole(2), aWeek}},
	{"さんしゅうかん", durationWord{Whole(3), aWeek}},
	{"ふた月 二月間", durationWord{Whole(2), aMonth}},
	{"みつき 三月間", durationWord{Whole(3), aMonth}},
	{"ふつかかん ふつか間", durationWord{Whole(2), aDay}},
	{"みっかかん みっか間", durationWord{Whole(3), aDay}},
	{"よっかかん よっか間", durationWord{Whole(4), aDay}},
	{"いつかかん いつか間", durationWord{Whole(5), aDay}},
	{"むいかかん むいか間", durationWord{Whole(6), aDay}},
	{"なのかかん なのか間", durationWord{Whole(7), aDay}},
	{"ようかかん ようか間", durationWord{Whole(8), aDay}},
	{"ここのかかん ここのか間", durationWord{Whole(9), aDay}},
	{"とおかかん とおか間", durationWord{Whole(10), aDay}},
	{"はつかかん はつか間", durationWord{Whole(20), aDay}},
})

var durationsEn = tabulate(entries[durationWord]{
	{"half_a_month half_month", durationWord{aHalf, aMonth}},
	{"half_a_year half_an_year half_year", durationWord{aHalf, aYear}},
	{"half_a_week half_week", durationWord{aHalf, aWeek}},
	{"week_and_a_half", durationWord{Exact{3, 2}, aWeek}},
	{"day_and_a_half", durationWord{Exact{3, 2}, aDay}},
	{"month_and_a_half", durationWord{Exact{3, 2}, aMonth}},
	{"year_and_a_half", durationWord{Exact{3, 2}, aYear}},
	{"hour_and_a_half", durationWord{Exact{3, 2}, anHour}},
	{"half_a_day half_day", durationWord{aHalf, aDay}},
	{"half_an_hour half_hour", durationWord{aHalf, anHour}},
	{"fortnight a_fortnight one_fortnight", durationWord{Whole(2), aWeek}},
	{"a_day_or_two one_or_two_days", durationWord{Whole(2), aDay}},
	{"a_week_or_two", durationWord{Whole(2), aWeek}},
	{"a_month_or_two", durationWord{Whole(2), aMonth}},
	{"two_fortnights", durationWord{Whole(4), aWeek}},
	{"overnight", durationWord{Whole(1), aNight}},
})

// countsTime reports whether a number and its unit are a length of time: they
// may also be a year, a day of a month, a fraction or a rate.
func (r *reading) countsTime(i, from, at, end int, u timeUnit, value Exact) bool {
	c, _ := r.card(from)
	next, _ := runeAt(r.s, end)
	if runeBefore(r.s, i) == '第' {
		return false
	}
	switch {
	case r.l == English:
		return !r.shortUnit(c, end)
	case u == aYear:
		return value.Num < 100*value.Den && !r.yearLike(c) && !strings.ContainsRune("级代度头底初末", next)
	case u == aWeek && (next == '末' || weekdayChar(next)):
		return false
	case u == aMinute && next == 'の':
		return false
	case u == aNight && r.l == Chinese && strings.ContainsRune("点餐饭会", next):
		return false
	case u == aDay && strings.HasSuffix(r.s[:end], "日") && yenFollows(next):
		return false // 两千日元
	case u == aDay && value == Whole(1) && r.rateAfter(end):
		return false
	case u == aDay && strings.HasSuffix(r.s[at:end], "日") && !strings.HasSuffix(r.s[at:end], "业日") && !strings.HasSuffix(r.s[at:end], "作日"):
		return r.daysCounted(i, end, value)
	case u == aDay:
		return next != '气' && next != '空' && next != '津' // 三天气温
	}
	return true
}

// shortUnit reports whether a unit of one letter, which ends at end, stands
// behind a number in words: "three d" is no length.
func (r *reading) shortUnit(c cardinal, end int) bool {
	short := end < 2 || !isLatin(r.s[end-2])
	return short && !c.digits && !digitAt(r.s, c.To-1)
}

// yearLike reports whether figures before 年 name a year: 一六年, 07年, 令和7年,
// 25年3月.
func (r *reading) yearLike(c cardinal) bool {
	text := r.s[c.From:c.To]
	if c.figures && (!c.digits && len([]rune(text)) > 1 && !c.loose || text[0] == '0') {
		return true
	}
	if _, _, ok := eras.before(r.s, c.From); ok {
		return true
	}
	end, _ := past(r.s, c.To, "年")
	m, ok := r.card(space(r.s, end))
	if !ok {
		return false
	}
	_, ok = past(r.s, m.To, "月")
	return ok
}

// yenFollows reports whether 日 with r behind it begins a name of Japan's money.
func yenFollows(r rune) bool { return r != 0 && strings.ContainsRune("元币圆円本", r) }

// weekdayChar reports whether 周 with r behind it is a weekday.
func weekdayChar(r rune) bool { return r != 0 && strings.ContainsRune("一二三四五六日", r) }

// daysCounted reports whether 10日 are ten days and not the tenth.
func (r *reading) daysCounted(i, end int, value Exact) bool {
	before := runeBefore(r.s, i)
	if before == '月' && !monthCounted(r.s[:i]) || strings.HasSuffix(r.s[:i], "月の") {
		return false
	}
	if c, ok := r.card(i); ok && c.loose || value.Den != 1 || value.Num > 31 || value.Num == 0 {
		return true
	}
	if _, _, ok := daysBefore.before(r.s, i); ok {
		return true
	}
	_, _, ok := daysAfter.at(r.s, space(r.s, end))
	return ok
}

// monthCounted reports whether s ends with a number of months, not with the name of one.
func monthCounted(s string) bool {
	for _, unit := range []string{"か月", "カ月", "ケ月", "个月", "月间"} {
		if strings.HasSuffix(s, unit) {
			return true
		}
	}
	return false
}

// daysBefore and daysAfter are what makes 10日 ten days.
var (
	daysBefore = tabulate(entries[bool]{
		{"最後の この その あと 後 残り のこり もう さらに 更に 約 およそ 合計 計 全部で まる 丸 追加で 最低 最長 最大 年 か月 ヶ月 カ月 週間 泊 時間 延長で 約 大约 还剩 一共 共 另外 再 泊 夜 晚 每 玩 住 待 留 用 续 买 加 为期 去 逗留 1泊 か月と 年と 週間と 今日から 明日から 未来 今後", true},
	})
	daysAfter = tabulate(entries[bool]{
		{"前 ほど くらい ぐらい 位 程度 以内 以上 未満 を上回 を下回 を超 延長 追加 滞在 旅行 延ばし 伸ばし のばし 使い たい 足り 分の だけ 半 と半 ずっと 必要 欲しい ほしい お願い 残 いる います 出張 の旅 の滞在 の旅行 の出張 のプラン プラン コース パス 有効 余り あまり ちょっと 弱 強 後 内 游 卡 上网卡 计划 套票 之旅 的卡 四夜 三夜 两夜 五夜 六夜 四晚 三晚 两晚 五晚 六晚 一夜 一晚 之内 以内 之后 后 旅游 通 套餐 行程 で足り で十分 あれば 間", true},
	})
)

// rateAfter reports whether a single day, which ends at i, is what something is
// counted by: 一天3GB, 1日あたり500円.
func (r *reading) rateAfter(i int) bool {
	per, end, ok := perDay.at(r.s, space(r.s, i))
	switch {
	case ok && per:
		return true
	case ok:
		i = end
	}
	c, ok := r.card(space(r.s, i))
	if !ok {
		return false
	}
	_, _, isData := dataUnits.at(r.s, space(r.s, c.To))
	_, _, isMoney := currencies.at(r.s, space(r.s, c.To))
	return isData || isMoney
}

var perDay = tabulate(entries[bool]{
	{"あたり 当たり 当り につき ごと ごとに 毎に", true},
	{"に 、 用 大概 大约 约 差不多 要 花 才 只要 只用 限", false},
})
