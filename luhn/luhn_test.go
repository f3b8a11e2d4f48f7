package luhn_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/luhn"
)

// Numbers that others publish: the standard's own, one of TS 23.003's form, ICCIDs of
// operators' documents.
func TestPublished(t *testing.T) {
	for number, want := range map[string]bool{
		"79927398713": true, "79927398710": false, "490154203237518": true, "490154203237517": false,
		"89852245280000942210": true, "8943108165015003887": true, "8943108165015003878": false,
		"": false, "8943108165015003887F": false, "-8": false, "0": true,
	} {
		if luhn.Checks(number) != want {
			t.Errorf("%q: want %t", number, want)
		}
	}
}

// What the digit stands behind checks; no single mistyped digit does, and no two that
// changed places, but for 0 and 9.
func TestMistypedDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`[0-9]{1,30}`).Draw(t, "body")
		whole := body + string(rune(luhn.Digit(body)))
		if !luhn.Checks(whole) {
			t.Fatalf("%s does not check", whole)
		}
		i := rapid.IntRange(0, len(whole)-1).Draw(t, "place")
		other := rapid.StringMatching(`[0-9]`).Draw(t, "digit")
		if wrong := whole[:i] + other + whole[i+1:]; wrong != whole && luhn.Checks(wrong) {
			t.Errorf("%s checks as %s does", wrong, whole)
		}
		i = rapid.IntRange(0, len(whole)-2).Draw(t, "swapped")
		a, b := whole[i:i+1], whole[i+1:i+2]
		if a != b && a+b != "09" && a+b != "90" && luhn.Checks(whole[:i]+b+a+whole[i+2:]) {
			t.Errorf("%s checks with its digits %s and %s swapped", whole, a, b)
		}
	})
	if luhn.Digit(strings.Repeat("A", 18)) != 0 {
		t.Error("letters have a check digit")
	}
}
