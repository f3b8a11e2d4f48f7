package phrase

// dataUnits follow a number.
var dataUnits = tabulate(entries[Unit]{
	{"gb gbs g gig gigs gigabyte gigabytes gib 个g 个gb 吉 千兆 千兆字节 吉字节 ギガ ギガバイト ぎが ジービー", GB},
	{"mb mbs m meg megs megabyte megabytes mib 个m 个mb 兆 兆字节 メガ メガバイト エムビー", MB},
	{"tb t terabyte terabytes tib 个t 个tb 太字节 テラ テラバイト", TB},
	{"kb k kilobyte kilobytes キロバイト", KB},
})

// bareUnits are single letters, which also name generations of networks and sizes.
var bareUnits = tabulate(entries[bool]{{"g m t k", true}})

// unlimiteds say that there is no limit.
var unlimiteds = tabulate(entries[bool]{
	{"unlimited unlimited_data limitless no_limit no_data_limit without_limit without_limits no_cap uncapped all_you_can_use all-you-can-use 无限量 不限量 无限流量 不限流量 无限制 不限制 无上限 不设上限 畅用 无限 不限 流量不限 无限用 使い放題 つかい放題 使いほうだい 無制限 容量無制限 データ無制限 データ使い放題 無限 上限なし 容量制限なし 制限なし ギガ放題 アンリミテッド 吃到饱", true},
	{"not_unlimited isn't_unlimited no_unlimited non-unlimited not_an_unlimited not_really_unlimited isn't_really_unlimited 不是无限 不是无限量 不是不限量 并非无限 并不是无限 不要无限 不要无限量 非无限 不用无限量 不需要无限量 不要不限量 无限好 无限期 不限于 无制限ではな 无制限じゃな 无制限でな 无制限では 使い放題ではな 使い放題じゃな 無制限は要ら 無制限はいら 無制限はいりま 無制限はいらな", false},
})

// daily says that an amount is a day's.
var (
	dailyBefore = tabulate(entries[bool]{{"每天 每日 一天 一日 1天 1日 毎日 1日に 一日に 1日あたり 一日あたり 每天用 每天大概 每天大约 daily per_day a_day each_day every_day 每天都用", true}})
	dailyAfter  = tabulate(entries[bool]{{"a_day per_day each_day every_day daily /day /d /天 /日 一天 每天 每日 毎日 1日 一日 a_day's of_data_a_day of_data_per_day data_per_day data_a_day 流量一天 流量每天 data_daily", true}})
)

// dataFollows makes a single letter behind digits an amount of data.
var dataFollows = tabulate(entries[bool]{
	{"流量 数据 データ data of_data 的流量 的数据 套餐 包 プラン plan 左 left 够 足够 a_day per_day /day /天 /日 一天 每天 毎日 就够 就行 的量 だけ くらい ぐらい ほど 以上 以下 左右 per_month a_month more", true},
})

// dataBefore does the same before them.
var dataBefore = tabulate(entries[bool]{
	{"流量 数据 データ 容量 每天 一天 一日 1日 每日 毎日 还剩 剩 剩下 还有 あと 残り 用了 用 需要 只要 加 再加 about have need want use used left with 大概 大约 约", true},
})

// Data returns the amounts of data of text. In Chinese 兆 are megabytes. A "5G"
// that nothing makes an amount is the network.
func Data(text string, l Language) []Size {
	r := read(text, l)
	var found []Size
	scan(r.s, func(i int) int {
		if is, end, ok := unlimiteds.at(r.s, i); ok {
			if is && !r.denied(i, end) {
				found = append(found, Size{Span: Span{i, end}, Unlimited: true})
			}
			return end
		}
		if d, ok := r.size(i); ok {
			found = append(found, d)
			return d.To
		}
		return r.afterNumber(i)
	})
	return found
}

// denied reports whether an "unlimited" from i to end is denied: "not an
// unlimited plan", 無制限プランではない.
func (r *reading) denied(i, end int) bool {
	if _, _, ok := denialsBefore.before(r.s, i); ok {
		return true
	}
	_, _, ok := denialsAfter.at(r.s, space(r.s, end))
	return ok
}

var (
	denialsBefore = tabulate(entries[bool]{{"not isn't no don't_need don't_want not_the not_an 不是 不要 不用 不需要 并非 别 without", true}})
	denialsAfter  = tabulate(entries[bool]{{"ではな じゃな でな ではありま じゃありま は要ら はいら はいりま はいらな は要りま でなく ではなく じゃなく プランではな プランじゃな 的不要 就不用 は不要 の必要はな", true}})
)

// size reads an amount at i.
func (r *reading) size(i int) (Size, bool) {
	value, end, ok := r.quantity(i)
	if c, _ := r.card(i); !ok || c.glued || c.ordinal {
		return Size{}, false
	}
	unit, stop, ok := dataUnits.at(r.s, joint(r.s, end))
	if !ok || value.Num < 0 {
		return Size{}, false
	}
	word := r.s[joint(r.s, end):stop]
	if _, _, bare := bareUnits.at(word, 0); bare && !r.countsData(i, stop, value, word) {
		return Size{}, false
	}
	if _, after, ok := halfGiga.at(r.s, stop); ok {
		if more, fits := value.plus(aHalf); fits {
			value, stop = more, after
		}
	}
	s := Size{Span: Span{i, stop}, Value: value, Unit: unit}
	if _, _, ok := dailyBefore.before(r.s, i); ok {
		s.Daily = true
	}
	if _, after, ok := dailyAfter.at(r.s, space(r.s, stop)); ok {
		s.Daily, s.To = true, after
	}
	return s, true
}

var halfGiga = tabulate(entries[bool]{{"半", true}})

// countsData reports whether a single letter, which ends at end, is a unit: 3G
// and 5G are networks unless the words beside them say otherwise, 10G is not.
func (r *reading) countsData(i, end int, value Exact, word string) bool {
	if _, _, ok := dataFollows.at(r.s, space(r.s, end)); ok {
		return true
	}
	if _, _, ok := dataBefore.before(r.s, i); ok {
		return true
	}
	n, isWhole := value.Int()
	switch word {
	case "g":
		return !isWhole || n > 5
	case "m":
		return isWhole && n >= 50
	case "t":
		return false
	}
	return false
}
