package message

import (
	"strings"
	"unicode/utf16"
)

// The alphabets of an SMS, 3GPP TS 23.038.
const (
	GSM7 = "gsm7" // seven bits a character, of those that its default alphabet has
	UCS2 = "ucs2" // sixteen bits, every character
)

// How many characters one SMS carries, and each of several that a telephone puts
// together again: six octets of each are then the header that says how, 3GPP TS
// 23.040, section 9.2.3.24.1.
const (
	gsm7Alone, gsm7Part = 160, 153
	ucs2Alone, ucs2Part = 70, 67
)

// basic are the characters of the default alphabet, section 6.2.1; extended are those
// of its extension table, section 6.2.1.1, which take two places.
const (
	basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	extended = "\f^{}\\[~]|€"
)

// Segments counts the parts that a text is sent in as an SMS, and paid for: 0 for an
// empty one. alphabet is [GSM7] where every character is in it, else [UCS2]. No
// character is cut in two: neither one that takes two places in GSM 7, nor one that is
// a pair of surrogates in UCS-2.
func Segments(text string) (parts int, alphabet string) {
	if sizes, ok := septets(text); ok {
		return fit(sizes, gsm7Alone, gsm7Part), GSM7
	}
	var sizes []int
	for _, r := range text {
		sizes = append(sizes, max(utf16.RuneLen(r), 1)) // what is no character is sent as one that says so
	}
	return fit(sizes, ucs2Alone, ucs2Part), UCS2
}

// septets are the places that each character takes; ok is false where one has none.
func septets(text string) (sizes []int, ok bool) {
	for _, r := range text {
		switch {
		case strings.ContainsRune(basic, r):
			sizes = append(sizes, 1)
		case strings.ContainsRune(extended, r):
			sizes = append(sizes, 2)
		default:
			return nil, false
		}
	}
	return sizes, true
}

// fit is into how many parts characters of these sizes go.
func fit(sizes []int, alone, part int) (parts int) {
	all := 0
	for _, n := range sizes {
		all += n
	}
	if all <= alone {
		return min(all, 1)
	}
	left := 0
	for _, n := range sizes {
		if left < n {
			parts, left = parts+1, part
		}
		left -= n
	}
	return parts
}

// plainer are characters that people read as the same, where one of them would have
// the whole text sent in sixteen bits a character.
var plainer = strings.NewReplacer(
	"\u2018", "'", "\u2019", "'", "\u201c", `"`, "\u201d", `"`, "\u2013", "-", "\u2014", "-", "\u2010", "-", "\u2011", "-",
	"\u2026", "...", "\u00a0", " ", "\u2007", " ", "\u2009", " ", "\u202f", " ", "\u00b7", "-", "\u2022", "*",
)

// thrifty is a text for an SMS: with plainer characters where all of it then fits the
// alphabet of seven bits, else as it is.
func thrifty(text string) string {
	plain := plainer.Replace(text)
	if _, ok := septets(plain); ok {
		return plain
	}
	return text
}
