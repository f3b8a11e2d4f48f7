package phrase

import "strings"

// Choice returns which of several numbered things the whole of text chooses,
// counted from 1, or from the end as -1, -2. An utterance that says anything
// else, or chooses two things, is no choice.
func Choice(text string, l Language) (n int, ok bool) {
	r := read(text, l)
	found := false
	for i := 0; i < len(r.s); {
		if r.s[i] == ' ' || strings.IndexByte(".,!()#", r.s[i]) >= 0 {
			i++
			continue
		}
		if chosen, end, ok := r.chosen(i); ok && !found {
			n, i, found = chosen, end, true
			continue
		}
		_, end, filler := choiceFillers.at(r.s, i)
		if !filler {
			return 0, false
		}
		i = end
	}
	return n, found && n != 0
}

// chosen reads the number of a thing at i.
func (r *reading) chosen(i int) (n, end int, ok bool) {
	word, end, ok := choiceWords.at(r.s, i)
	if number, isOrdinal := r.ordinal(i); isOrdinal && number.To >= end && number.Value.Den == 1 && small(number.Value.Num) {
		return int(number.Value.Num), number.To, true
	}
	if ok {
		return word, end, true
	}
	whole, c, ok := r.whole(i)
	if !ok || c.glued || whole > 99 || c.kana && c.To < len(r.s) {
		return 0, i, false
	}
	end = c.To
	if _, stop, ok := choiceCounters.at(r.s, end); ok {
		if r.s[end:stop] == "号" && !r.numbered(i, stop) {
			return 0, i, false // 3号 is the third of a month
		}
		end = stop
	}
	if end < len(r.s) && (r.s[end] == '.' || r.s[end] == '/' || r.s[end] == ':') && digitAt(r.s, end+1) {
		return 0, i, false
	}
	if next, _ := runeAt(r.s, end); next == '个' {
		return 0, i, false // 来一个: how many, not which
	}
	return whole, end, true
}

// numbered reports whether 3号 from i to end is said of a thing: 选3号, 3号套餐.
func (r *reading) numbered(i, end int) bool {
	_, _, before := numberedBefore.before(r.s, i)
	_, _, after := numberedAfter.at(r.s, end)
	return before || after
}

var (
	numberedBefore = tabulate(entries[bool]{{"选 选择 要 就要 买 来 订 第", true}})
	numberedAfter  = tabulate(entries[bool]{{"套餐 方案 选项 那个 的那个 计划 卡 产品", true}})
)

func small(n int64) bool { return n > -100 && n < 100 }

// choiceWords choose without a number word.
var choiceWords = tabulate(entries[int]{
	{"first the_first_one top_one the_top_one 头一个 首个 最上面的 最上面那个 いちばん上 一番上 一番上の 最初 最初の さいしょ", 1},
	{"last the_last the_last_one bottom_one the_bottom_one 最后一个 最后那个 最下面的 最下面那个 末尾的 最後 最後の さいご 一番下 一番下の いちばん下", -1},
	{"ひとつめ 一つめ", 1},
	{"ふたつめ 二つめ", 2},
	{"みっつめ 三つめ", 3},
})

// choiceCounters follow the number of a thing.
var choiceCounters = tabulate(entries[bool]{{"番 番目 番の 号 つ目 )", true}})

// choiceFillers are words around a choice that do not change it.
var choiceFillers = tabulate(entries[bool]{
	{"i i'd i'll we we'll like want would choose take pick go with have buy get give me let's let us the that this one option number no plan choice item please pls thanks thank you is for ok okay yes it renew my make select prefer think then", true},
	{"我 我们 要 想要 想 选 选择 就 那 这 那个 这个 个 种 项 的 吧 啊 呀 呢 了 好 请 帮 给 买 续 用 来 谢谢 方案 套餐 选项 就要 就选 麻烦 一个 款 条 号 的那个 来个 嗯 行 那就 , 。 、", true},
	{"の を で に が は お願いします おねがいします ください 下さい お願い です だ いい いいです にします にする でお願いします がいい がいいです で いきます を選びます 選択 選ぶ プラン オプション やつ もの それ その じゃあ では じゃ えっと ほう 方 欲しい ほしい はい 希望 希望します にして を買います 買う よ ね もらえますか たい 。 、", true},
})
