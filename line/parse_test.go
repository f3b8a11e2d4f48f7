package line_test

import (
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/line"
)

// Numbers as people and programs write them; those with a check digit are from
// examples that are printed in public: ITU-T E.118 has none, so they are computed.
func TestParseICCID(t *testing.T) {
	for typed, want := range map[string]string{
		"8981100000000000010":       "8981100000000000010",
		" 89 8110 0000-0000 00010 ": "8981100000000000010",
		"８９８１１００００００００００００１０":       "8981100000000000010",
		"8981100000000000010F":      "8981100000000000010",
		"8.98E+18":                  "spreadsheet",
		"8,981E18":                  "spreadsheet",
		"'8981100000000000010":      "mark for text",
		`="8981100000000000010"`:    "mark for text",
		"8981100000000000000":       "15 digits",
		"8981100000000000011":       "mistyped",
		"8918100000000000010":       "mistyped", // two digits changed places
		"898110000000000001":        "18 digits",
		"1281100000000000010":       "begin with 89",
		"89811000000000000a0":       "no digits",
		"":                          "missing",
	} {
		got, err := line.ParseICCID(typed)
		if err != nil {
			got = err.Error()
		}
		if got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

// Whatever is typed is refused, or is a number that is read as itself.
func FuzzParseICCID(f *testing.F) {
	f.Add("8981100000000000010")
	f.Add("8.98E+18")
	f.Add("89 8110\u2013 0000000000010FFF")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := line.ParseICCID(s)
		if err != nil {
			return
		}
		if again, err := line.ParseICCID(got); err != nil || again != got || len(got) < 19 || len(got) > 20 {
			t.Errorf("%q is %q, and that %q, %v", s, got, again, err)
		}
	})
}
