// Package locale says things to people: it knows the languages of the product,
// how each writes money, data, time and numbers, and it reads the texts of the
// other packages from a [Book].
//
// What is written here is exact. Numbers, plurals and names follow Unicode's
// CLDR, except where a customer of this shop could mistake what CLDR writes:
// the sign ¥ is yen and yuan, $ is the money of four places that travellers
// come from, CST is China's time and Chicago's.
//
// Nothing returned is escaped for HTML. Spaces are ordinary ones, so that a
// text also fits an SMS.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package locale

import (
	"strings"

	"golang.org/x/text/language"
)

// Language is one of the product's languages, as a BCP 47 tag that also serves
// HTML's lang. The values are stored; do not rename. Functions take any other
// value, also the empty one, for [En].
type Language string

// The languages.
const (
	En     Language = "en"
	ZhHans Language = "zh-Hans"
	ZhHant Language = "zh-Hant"
	Ja     Language = "ja"
	Ko     Language = "ko"
)

// All is every language that a customer can choose, and in which every text must
// exist. What a seller has named in fewer is said in the one a language falls back
// to: zh-Hant in zh-Hans, all others in en. Do not change it.
var All = []Language{En, ZhHans, ZhHant, Ja, Ko}

// Parse returns the language whose tag is s, in any case, and whether there is
// one. It is for stored choices and forms; what a browser sends is for [Match].
func Parse(s string) (Language, bool) {
	for _, l := range All {
		if strings.EqualFold(s, string(l)) {
			return l, true
		}
	}
	return En, false
}

// tags are what [Match] offers; the first is the answer when nothing fits.
// Cantonese is written like zh-Hant and a language of its own to CLDR.
var (
	tags    = []string{"en", "zh-Hans", "zh-Hant", "ja", "ko", "yue"}
	matcher = language.NewMatcher(parseTags())
)

func parseTags() []language.Tag {
	parsed := make([]language.Tag, len(tags))
	for i, t := range tags {
		parsed[i] = language.MustParse(t)
	}
	return parsed
}

// Match returns the language that fits best. Preferences are tags or whole
// Accept-Language headers, the most important first; the first of them that
// fits any language decides. Unreadable ones are passed over. The answer is
// [En] when none fits.
func Match(preferences ...string) Language {
	_, i := language.MatchStrings(matcher, preferences...)
	if tags[i] == "yue" {
		return ZhHant
	}
	return Language(tags[i])
}

// Name is the language's name in itself.
func (l Language) Name() string {
	switch l {
	case En:
		return "English"
	case ZhHans:
		return "简体中文"
	case ZhHant:
		return "繁體中文"
	case Ja:
		return "日本語"
	case Ko:
		return "한국어"
	}
	return string(l)
}

// fallback is the language that says what l lacks; En has none.
func (l Language) fallback() (Language, bool) {
	switch l {
	case ZhHant:
		return ZhHans, true
	case ZhHans, Ja, Ko:
		return En, true
	case En:
		return "", false
	}
	return En, true
}

// words is one expression in every language; [words.in] chooses.
type words struct{ en, zhHans, zhHant, ja, ko string }

func (w words) in(l Language) string {
	switch l {
	case ZhHans:
		return w.zhHans
	case ZhHant:
		return w.zhHant
	case Ja:
		return w.ja
	case Ko:
		return w.ko
	case En:
		return w.en
	}
	return w.en
}
