package phrase

import "strings"

// fromEnd are the words for a place that is counted from the end.
var fromEnd = tabulate(entries[int64]{
	{"last last_one final_one 最后一个 最后一项 最后那个 最末 最後 最後の一つ ラスト 一番最後 一番下 最下面 最底下", -1},
	{"second_to_last second_last next_to_last last_but_one penultimate the_one_before_the_last_one the_one_before_the_last one_before_last 倒数第二 倒数第二个", -2},
	{"third_to_last 倒数第三 倒数第三个", -3},
})

// firsts are words for the first that are no numbers.
var firsts = tabulate(entries[int64]{
	{"最初 いちばん上 一番上 一番目 最上面 最上边 头一个 首个", 1},
})

// ordinalEndingsJa make a Japanese number an ordinal.
var ordinalEndingsJa = tabulate(entries[bool]{
	{"番目 つ目 個目 人目 件目 枚目 行目 回目 位 等 番めつめ 番め つめ", true},
})

// kanaOrdinals are spelt Japanese ordinals.
var kanaOrdinals = tabulate(entries[int64]{
	{"一つ目 ひとつ目 ひとつめ いちばんめ", 1},
	{"二つ目 ふたつ目 ふたつめ にばんめ", 2},
	{"三つ目 みっつ目 みっつめ さんばんめ", 3},
	{"四つ目 よっつ目 よっつめ よんばんめ", 4},
	{"五つ目 いつつ目 いつつめ ごばんめ", 5},
	{"六つ目 むっつ目 むっつめ", 6},
	{"七つ目 ななつ目 ななつめ", 7},
	{"八つ目 やっつ目 やっつめ", 8},
	{"九つ目 ここのつ目 ここのつめ", 9},
	{"十番目", 10},
})

// ordinal reads an ordinal at i.
func (r *reading) ordinal(i int) (Number, bool) {
	if r.l == English {
		return r.englishOrdinal(i)
	}
	for _, prefix := range []string{"第", "だい"} {
		if c, ok := r.card(space(r.s, i+len(prefix))); ok && strings.HasPrefix(r.s[i:], prefix) {
			end := c.To
			if _, stop, ok := ordinalEndingsJa.at(r.s, end); ok && r.l == Japanese && strings.HasSuffix(r.s[end:stop], "目") {
				end = stop
			}
			return Number{Span{i, end}, c.value, true}, true
		}
	}
	if r.l == Japanese {
		if n, ok := r.japaneseOrdinal(i); ok {
			return n, true
		}
	}
	for _, words := range []*table[int64]{fromEnd, firsts} {
		if n, end, ok := words.at(r.s, i); ok {
			return Number{Span{i, end}, Whole(n), true}, true
		}
	}
	return Number{}, false
}

// japaneseOrdinal reads 三番目, 三つ目, and 最後から三番目.
func (r *reading) japaneseOrdinal(i int) (Number, bool) {
	at, back := i, false
	if end, ok := past(r.s, i, "最后から"); ok && end == i+len("最后から") {
		at, back = end, true
	}
	n, end, ok := kanaOrdinals.at(r.s, at)
	if c, isCard := r.card(at); !ok && isCard && !c.kana {
		if _, stop, isOrdinal := ordinalEndingsJa.at(r.s, c.To); isOrdinal {
			if whole, isWhole := c.value.Int(); isWhole {
				n, end, ok = whole, stop, true
			}
		} else if stop, before := past(r.s, c.To, "つ前"); before && back {
			whole, _ := c.value.Int()
			return Number{Span{i, stop}, Whole(-whole - 1), true}, true
		}
	}
	if !ok {
		return Number{}, false
	}
	if back {
		n = -n
	}
	return Number{Span{i, end}, Whole(n), true}, true
}

// englishOrdinal reads "third", "21st", "last" and "third to last".
func (r *reading) englishOrdinal(i int) (Number, bool) {
	if n, end, ok := fromEnd.at(r.s, i); ok {
		return Number{Span{i, end}, Whole(n), true}, true
	}
	c, ok := r.card(i)
	if !ok || !c.ordinal {
		return Number{}, false
	}
	n, isWhole := c.value.Int()
	for _, words := range []string{"to last", "from last", "from the end", "from the bottom"} {
		if end, ok := past(r.s, c.To, words); ok && isWhole {
			return Number{Span{i, end}, Whole(-n), true}, true
		}
	}
	return Number{c.Span, c.value, true}, true
}
