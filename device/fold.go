package device

import (
	"slices"
	"strings"
	"unicode"
)

// A name is compared by its tokens: runs of letters and runs of digits in lower
// case, with what is written in kana, Chinese or Korean in the maker's letters.
// "ギャラクシー Ｓ２３ Ultra" is galaxy, s, 23, ultra.

// words are what brands, lines and kinds are called elsewhere. Katakana stands
// here without long marks, as fold leaves it.
var words = sortedWords(map[string][]string{
	"apple":    {"アップル", "苹果", "蘋果", "애플"},
	"iphone":   {"アイフォン", "アイフォン", "爱疯", "愛瘋", "아이폰"},
	"samsung":  {"サムスン", "サムソン", "三星", "삼성"},
	"galaxy":   {"ギャラクシ", "盖乐世", "蓋樂世", "银河", "銀河", "갤럭시"},
	"google":   {"グーグル", "ググル", "谷歌", "구글"},
	"pixel":    {"ピクセル", "像素", "픽셀"},
	"sony":     {"ソニ", "索尼", "소니"},
	"xperia":   {"エクスペリア", "엑스페리아"},
	"huawei":   {"ファウェイ", "ファーウェイ", "华为", "華為", "화웨이"},
	"xiaomi":   {"シャオミ", "小米", "샤오미"},
	"oneplus":  {"ワンプラス", "一加", "원플러스"},
	"motorola": {"モトロラ", "摩托罗拉", "摩托羅拉", "모토로라"},
	"nokia":    {"ノキア", "诺基亚", "諾基亞", "노키아"},
	"oppo":     {"オッポ", "欧珀", "오포"},
	"vivo":     {"ビボ", "ヴィヴォ", "维沃", "維沃", "비보"},
	"pro":      {"プロ", "프로"},
	"max":      {"マックス", "맥스"},
	"plus":     {"プラス", "플러스"},
	"mini":     {"ミニ", "迷你", "미니"},
	"ultra":    {"ウルトラ", "至尊版", "울트라"},
	"air":      {"エア", "에어"},
	"note":     {"ノト", "노트"},
	"edge":     {"エッジ", "엣지"},
	"fold":     {"フォルド", "折叠", "摺疊", "폴드"},
	"flip":     {"フリップ", "플립"},
	"lite":     {"ライト", "라이트"},
	"find":     {"ファインド", "파인드"},
	"se":       {"エスイ"},
})

// said are words that say nothing about which model it is.
var said = []string{"smartphone", "phone", "スマトフォン", "スマホ", "手机", "手機", "휴대폰", "스마트폰", "携帯", "dual", "sim", "gb", "tb", "機種", "机型"}

// countries are what a version is called by where it was made for.
var countries = []struct{ word, country string }{
	{"国行", "CN"},
	{"國行", "CN"},
	{"中国版", "CN"},
	{"中國版", "CN"},
	{"大陆版", "CN"},
	{"大陸版", "CN"},
	{"港行", "HK"},
	{"港版", "HK"},
	{"香港版", "HK"},
	{"澳门版", "MO"},
	{"台版", "TW"},
	{"台湾版", "TW"},
	{"臺版", "TW"},
	{"台灣版", "TW"},
	{"美版", "US"},
	{"美国版", "US"},
	{"米国版", "US"},
	{"日版", "JP"},
	{"日本版", "JP"},
	{"国内版", "JP"},
	{"韩版", "KR"},
	{"韓版", "KR"},
	{"韓国版", "KR"},
	{"미국판", "US"},
	{"일본판", "JP"},
	{"중국판", "CN"},
	{"홍콩판", "HK"},
	{"한국판", "KR"},
}

// takeCountry takes the word for a country's version out of a name.
func takeCountry(name string) (rest, country string) {
	longest := ""
	for _, c := range countries {
		if strings.Contains(name, c.word) && len(c.word) > len(longest) {
			longest, country = c.word, c.country
		}
	}
	if rest = strings.TrimSpace(strings.Replace(name, longest, " ", 1)); rest == "" {
		return name, ""
	}
	return rest, country
}

// replacement is a word and what it becomes.
type replacement struct{ word, by string }

// sortedWords lists the longest words first, so that none hides in another.
func sortedWords(table map[string][]string) []replacement {
	var out []replacement
	for by, list := range table {
		for _, word := range list {
			out = append(out, replacement{strings.ReplaceAll(word, "ー", ""), by})
		}
	}
	slices.SortFunc(out, func(a, b replacement) int {
		if len(a.word) != len(b.word) {
			return len(b.word) - len(a.word)
		}
		return strings.Compare(a.word, b.word)
	})
	return out
}

// tokens takes a name apart that [plain] has seen, and leaves out what says
// nothing.
func tokens(name string) []string { return meaningful(runs(name)) }

// runs takes a name apart.
func runs(name string) []string {
	name = strings.Map(katakana, strings.ToLower(name))
	name = strings.ReplaceAll(name, "+", " plus ")
	name, _, _ = strings.Cut(name+" ", "/ds") // two cards in one phone: the same model
	for _, w := range words {
		name = strings.ReplaceAll(name, w.word, " "+w.by+" ")
	}
	var out []string
	var run strings.Builder
	last := ' '
	flush := func() {
		if run.Len() > 0 {
			out = append(out, run.String())
			run.Reset()
		}
	}
	for _, r := range name {
		letter, digit := unicode.IsLetter(r), unicode.IsDigit(r)
		if !letter && !digit || digit != unicode.IsDigit(last) {
			flush()
		}
		if letter || digit {
			run.WriteRune(r)
		}
		last = r
	}
	flush()
	return out
}

// katakana is a hiragana letter in katakana; marks that are left out at will
// are dropped.
func katakana(r rune) rune {
	switch {
	case r >= 'ぁ' && r <= 'ゖ':
		return r + ('ァ' - 'ぁ')
	case r == 'ー', r == '・', r == '-', r == '‐', r == '–', r == '\'', r == '’':
		return -1
	}
	return r
}

// meaningful leaves out what says nothing, unless nothing else was said: the
// size of the memory, and words like phone.
func meaningful(list []string) []string {
	var out []string
	for i, t := range list {
		unit := i+1 < len(list) && (list[i+1] == "gb" || list[i+1] == "tb")
		if !slices.Contains(said, t) && (!unit || i == 0) {
			out = append(out, t)
		}
	}
	if len(out) == 0 {
		return list
	}
	return out
}
