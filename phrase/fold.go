package phrase

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fold is text as it is compared, in one way for all that can be written in
// several: full-width and half-width forms, capitals, circled digits, dashes,
// traditional characters (as their simplified forms, also in Japanese), runs of
// spaces. It is for matching and not for showing to anybody.
//
// Folding what is folded changes nothing.
func Fold(text string) string {
	text = strings.ToValidUTF8(text, " ")
	text = strings.Map(visible, fractions.Replace(text))
	text = norm.NFKC.String(text)
	text = norm.NFKC.String(strings.ToLower(text))
	var b strings.Builder
	b.Grow(len(text))
	gap := false
	for _, r := range text {
		r = plain(r)
		switch {
		case unicode.IsSpace(r):
			gap = b.Len() > 0
		default:
			if gap {
				b.WriteByte(' ')
				gap = false
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}

// fractions keeps "1½" from becoming eleven halves.
var fractions = strings.NewReplacer("½", " 1/2", "⅓", " 1/3", "⅔", " 2/3", "¼", " 1/4", "¾", " 3/4")

// visible drops the marks that only say how the character before them looks,
// and what is not seen at all.
func visible(r rune) rune {
	switch {
	case r >= 0x1F3FB && r <= 0x1F3FF: // shades of skin
		return -1
	case unicode.In(r, unicode.Cf, unicode.Variation_Selector):
		return -1
	case unicode.IsControl(r):
		return ' '
	}
	return r
}

// plain is the character that stands for r.
func plain(r rune) rune {
	if simple, ok := simplified[r]; ok {
		return simple
	}
	return r
}

// Guess says in which language text is written, by its script: kana are
// Japanese, Han characters without kana are Chinese unless otherwise is
// Japanese, letters are English. It says otherwise where the script does not
// tell: digits and signs alone, and words that are written in Latin letters
// in every language, such as "3GB" and "OK".
func Guess(text string, otherwise Language) Language {
	folded := Fold(text)
	han, latin := false, false
	for i, r := range folded {
		switch {
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			return Japanese
		case unicode.Is(unicode.Han, r):
			han = true
		case unicode.Is(unicode.Latin, r):
			if _, _, everywhere := international.at(folded, i); !everywhere && !latinBefore(folded, i) {
				latin = true
			}
		}
	}
	switch {
	case han && otherwise == Japanese:
		return Japanese
	case han:
		return Chinese
	case latin:
		return English
	}
	return otherwise
}

// international are words that everybody writes in Latin letters.
var international = tabulate(entries[bool]{
	{"kb mb gb tb g m t ok esim sim qr id wifi wi-fi apn vpn iphone ipad android imei iccid line lte jpy usd cny twd hkd krw rmb nt hk us", true},
})
