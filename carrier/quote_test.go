package carrier_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/carrier"
)

func TestQuote(t *testing.T) {
	for words, want := range map[string]string{
		"":                                      "",
		"no such eSIM":                          "no such eSIM",
		"eSIM 8944538532008160222 is not yours": "eSIM …0222 is not yours",
		"iccid=89852340000000000019F":           "iccid=…0019F",
		"imsi 454120381956774":                  "imsi …6774",
		"order 20231201181568":                  "order 20231201181568",
		"line 23120118156818":                   "line 23120118156818",
		"x8943108170000775671Fy 12":             "x…5671Fy 12",
		"89852246280001113119,1234567":          "…3119,1234567",
		"x89340000000000872y":                   "x…0872y",
		"the key hunter22secret is wrong":       "the key [secret] is wrong",
		"a\r\nb\x00c":                           "a  b c",
		strings.Repeat("é", 300):                strings.Repeat("é", 200) + "…",
	} {
		if got := carrier.Quote(words, "hunter22secret", "", "is"); got != want {
			t.Errorf("Quote(%q) = %q, want %q", words, got, want)
		}
	}
	if got := carrier.Clip("89852340000000000019\n"); got != "89852340000000000019 " {
		t.Errorf("Clip hides: %q", got)
	}
}

// Whatever a stranger wrote: no secret, no whole ICCID, nothing that does not fit a
// line of a log.
func TestQuoteHides(t *testing.T) {
	const secret, card = "s3cret-0123", "89852340000000000019"
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.OneOf(rapid.String(), rapid.Just(secret), rapid.Just(card))).Draw(t, "parts")
		got := carrier.Quote(strings.Join(parts, " "), secret)
		if strings.Contains(got, secret) || strings.Contains(got, card) || strings.ContainsAny(got, "\n\r\x00") || utf8.RuneCountInString(got) > 201 {
			t.Fatalf("%q", got)
		}
	})
}
