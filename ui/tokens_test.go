package ui

import (
	"regexp"
	"strings"
	"testing"
)

// What is read has a contrast of 4.5, what is only seen one of 3, on light
// devices and on dark ones (WCAG 2.2, AA: 1.4.3 and 1.4.11).
func TestEveryPairIsReadable(t *testing.T) {
	if len(Colours()) < 15 || len(Pairs()) < 30 {
		t.Fatalf("only %d colours and %d pairs were found in the sheet", len(Colours()), len(Pairs()))
	}
	for _, c := range Colours() {
		if _, ok := luminance(c.Dark); !ok {
			t.Errorf("%s has no colour for dark devices", c.Name)
		}
	}
	for _, p := range Pairs() {
		least := Ratio(3)
		if p.Text {
			least = 4.5
		}
		if p.Light < least || p.Dark < least {
			t.Errorf("%s on %s: %s light and %s dark, want %s", p.Ink, p.Ground, p.Light, p.Dark, least)
		}
	}
}

// The examples of the definition: black on white is 21, #777 on white just fails.
func TestContrastIsThatOfWCAG(t *testing.T) {
	for _, tt := range []struct{ a, b, want string }{
		{"#000", "#fff", "21.00"}, {"#ffffff", "#ffffff", "1.00"}, {"#777777", "#fff", "4.47"}, {"#767676", "#fff", "4.54"}, {"#f00", "#fff", "3.99"}, {"Canvas", "#fff", "0.00"},
	} {
		if got := contrast(tt.a, tt.b).String(); got != tt.want {
			t.Errorf("%s on %s: %s, want %s", tt.a, tt.b, got, tt.want)
		}
	}
}

// No rule names a colour of its own, apart from what scanners and paper need: a
// picture may be white in the dark, and a field with that class would hide what is typed.
func TestColoursAreTokens(t *testing.T) {
	_, rules, _ := strings.Cut(cssComment.ReplaceAllString(styleFile, ""), "* { box-sizing")
	for _, line := range strings.Split(rules, "\n") {
		if regexp.MustCompile(`#[0-9a-f]{3,6}\b`).MatchString(line) && !strings.HasPrefix(line, "svg.code") && !strings.Contains(line, "body, .card { background: #fff; color: #000; }") {
			t.Errorf("a colour without a token: %s", line)
		}
	}
	for _, name := range regexp.MustCompile(`var\((--[a-z0-9-]+)\)`).FindAllStringSubmatch(styleFile, -1) {
		if !strings.Contains(styleFile, name[1]+":") {
			t.Errorf("nobody says what %s is", name[1])
		}
	}
}

// Each look is the device's sheet with its own wishes granted.
func TestLooks(t *testing.T) {
	seen := map[Sheet]Look{}
	for _, l := range Looks {
		s := l.Sheet()
		if other, twice := seen[s]; twice {
			t.Errorf("%q looks like %q", l, other)
		}
		seen[s] = l
		if l != AsDevice && (strings.Contains(string(s), "prefers-color-scheme") || strings.Contains(string(s), "prefers-contrast")) {
			t.Errorf("%q still asks the device", l)
		}
	}
	if Sheet("").Source() == AsDevice.Sheet().Source() || AsDevice.Sheet().Source() != StyleSource() {
		t.Error("the sources do not name the sheets")
	}
}
