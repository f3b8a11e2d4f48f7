package ui

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Token is a custom property of style.css: a colour, a size of type, a space.
type Token struct {
	Name  string // "--ink"
	Light string // its value; of a colour, on a light device
	Dark  string // of a colour, on a dark one
}

var tokenLine = regexp.MustCompile(`(--[a-z0-9-]+):\s*([^;]+);`)

// tokens reads the sheet's declarations between two of its places.
func tokens(from, to string) (names []string, values map[string]string) {
	_, part, _ := strings.Cut(styleFile, from)
	part, _, _ = strings.Cut(part, to)
	values = map[string]string{}
	for _, m := range tokenLine.FindAllStringSubmatch(cssComment.ReplaceAllString(part, ""), -1) {
		if _, known := values[m[1]]; !known {
			names = append(names, m[1])
		}
		values[m[1]] = m[2]
	}
	return names, values
}

const darkBegins = "@media (prefers-color-scheme: dark)"

// Colours are the tokens whose values are colours.
func Colours() (all []Token) {
	names, light := tokens(":root {", darkBegins)
	_, dark := tokens(darkBegins, "@media (prefers-contrast")
	for _, n := range names {
		if strings.HasPrefix(light[n], "#") {
			all = append(all, Token{n, light[n], dark[n]})
		}
	}
	return all
}

// Sizes are the tokens of type and space.
func Sizes() (all []Token) {
	names, values := tokens(":root {", darkBegins)
	for _, n := range names {
		if !strings.HasPrefix(values[n], "#") {
			all = append(all, Token{Name: n, Light: values[n]})
		}
	}
	return all
}

// Pair is a colour that is read on another, with their contrast by WCAG 2.2.
type Pair struct {
	Ink, Ground string
	Text        bool // it is read, not only seen: 4.5 and not 3
	Light, Dark Ratio
}

// Ratio is a contrast from 1 to 21.
type Ratio float64

// String rounds down to two decimals: what does not pass must not look as if.
func (r Ratio) String() string {
	return strconv.FormatFloat(math.Floor(float64(r)*100)/100, 'f', 2, 64)
}

// Pairs are all that stand on each other somewhere.
func Pairs() (all []Pair) {
	light, dark := map[string]string{}, map[string]string{}
	for _, c := range Colours() {
		light[c.Name], dark[c.Name] = c.Light, c.Dark
	}
	add := func(text bool, ground string, inks ...string) {
		for _, ink := range inks {
			all = append(all, Pair{ink, ground, text, contrast(light[ink], light[ground]), contrast(dark[ink], dark[ground])})
		}
	}
	add(true, "--bg", "--ink", "--soft", "--act", "--bad")
	add(true, "--card", "--ink", "--soft", "--act", "--bad")
	add(true, "--tint", "--ink", "--soft", "--act")
	add(true, "--act", "--act-ink")
	for _, tone := range []Tone{Good, Busy, Warn, Bad, Off} {
		add(true, "--"+string(tone)+"-bg", "--"+string(tone), "--ink", "--soft", "--act")
	}
	add(false, "--off-bg", "--good", "--warn", "--bad") // a meter on its ground
	add(false, "--card", "--edge", "--warn", "--act")   // a field's edge, what a chart draws
	return all
}

// contrast is that of two colours written #rgb or #rrggbb; 0 for what is none.
func contrast(a, b string) Ratio {
	x, okX := luminance(a)
	y, okY := luminance(b)
	if !okX || !okY {
		return 0
	}
	return Ratio((math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05))
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(hex string) (float64, bool) {
	digits, ok := strings.CutPrefix(hex, "#")
	if len(digits) == 3 {
		digits = fmt.Sprintf("%[1]c%[1]c%[2]c%[2]c%[3]c%[3]c", digits[0], digits[1], digits[2])
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	if !ok || err != nil || len(digits) != 6 {
		return 0, false
	}
	part := func(v uint64) float64 {
		c := float64(v&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(n>>16) + 0.7152*part(n>>8) + 0.0722*part(n), true
}
