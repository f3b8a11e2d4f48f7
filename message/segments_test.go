package message_test

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/message"
)

// The limits are those of the standards: 160 and 153 places of seven bits, 70 and 67 of
// sixteen.
func TestSegments(t *testing.T) {
	for _, c := range []struct {
		name, text, alphabet string
		parts                int
	}{
		{"nothing", "", message.GSM7, 0},
		{"one character", "a", message.GSM7, 1},
		{"as much as one carries", strings.Repeat("a", 160), message.GSM7, 1},
		{"one too many", strings.Repeat("a", 161), message.GSM7, 2},
		{"as much as two carry", strings.Repeat("a", 306), message.GSM7, 2},
		{"more than two carry", strings.Repeat("a", 307), message.GSM7, 3},
		{"characters of two places", strings.Repeat("€", 80), message.GSM7, 1},
		{"one of two places too many", strings.Repeat("€", 81), message.GSM7, 2},
		{"one of two places is not cut", strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152), message.GSM7, 3},
		{"and fits where there is room", strings.Repeat("a", 151) + "€" + strings.Repeat("a", 153), message.GSM7, 2},
		{"Greek capitals and accents", "ΔΦΓΛΩΠΨΣΘΞ@£$¥èéùìòÇØøÅåÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", message.GSM7, 1},
		{"a small accent that is not there", "ç", message.UCS2, 1},
		{"an ellipsis", "…", message.UCS2, 1},
		{"Japanese", strings.Repeat("続", 70), message.UCS2, 1},
		{"one too many of it", strings.Repeat("続", 71), message.UCS2, 2},
		{"as much as two carry of it", strings.Repeat("続", 134), message.UCS2, 2},
		{"more of it", strings.Repeat("続", 135), message.UCS2, 3},
		{"pairs", strings.Repeat("📱", 35), message.UCS2, 1},
		{"a pair too many", strings.Repeat("📱", 36), message.UCS2, 2},
		{"a pair is not cut", strings.Repeat("続", 66) + "📱" + strings.Repeat("続", 66), message.UCS2, 3},
	} {
		if parts, alphabet := message.Segments(c.text); parts != c.parts || alphabet != c.alphabet {
			t.Errorf("%s: %d of %s, want %d of %s", c.name, parts, alphabet, c.parts, c.alphabet)
		}
	}
}

// A text fits into as many parts as are counted, and not into fewer, when it is cut as
// late as possible; more text never needs less.
func TestSegmentsAreThoseThatAreNeeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alphabet := rapid.SampledFrom([]string{"ab€{", "ab続📱…", "aé~続", "📱"}).Draw(t, "alphabet")
		text := rapid.StringOfN(rapid.SampledFrom([]rune(alphabet)), 0, 400, -1).Draw(t, "text")
		parts, of := message.Segments(text)
		size := func(s string) (n int) {
			if of == message.UCS2 {
				return len(utf16.Encode([]rune(s)))
			}
			return utf8.RuneCountInString(s) + strings.Count(s, "€") + strings.Count(s, "{") + strings.Count(s, "~")
		}
		alone, part := 160, 153
		if of == message.UCS2 {
			alone, part = 70, 67
		}
		want := 0
		switch whole := size(text); {
		case whole == 0:
		case whole <= alone:
			want = 1
		default:
			for rest := []rune(text); len(rest) > 0; want++ {
				n := 1
				for n < len(rest) && size(string(rest[:n+1])) <= part {
					n++
				}
				rest = rest[n:]
			}
		}
		if parts != want {
			t.Errorf("%d parts of %s, want %d: %q", parts, of, want, text)
		}
		if more, _ := message.Segments(text + "a"); more < parts {
			t.Errorf("%d parts, and with one more character %d", parts, more)
		}
	})
}
