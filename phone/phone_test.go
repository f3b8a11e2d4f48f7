package phone_test

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/phone"
)

// Numbers as people of our markets type them, and what is none.
func TestRead(t *testing.T) {
	for _, c := range []struct {
		typed, country string
		want           phone.Number
		of             string
		err            error
	}{
		{"090-1234-5678", "JP", "+819012345678", "JP", nil},
		{"９０ー１２３４ー５６７８", "JP", "+819012345678", "JP", nil},
		{" +81 (0)90 1234 5678 ", "KR", "+819012345678", "JP", nil},
		{"0081 90 1234 5678", "GB", "+819012345678", "JP", nil},
		{"138 1234 5678", "CN", "+8613812345678", "CN", nil},
		{"0912-345-678", "TW", "+886912345678", "TW", nil},
		{"9123 4567", "HK", "+85291234567", "HK", nil},
		{"010-1234-5678", "KR", "+821012345678", "KR", nil},
		{"(415) 555-2671", "US", "+14155552671", "US", nil},
		{"+1 876 210 1234", "US", "+18762101234", "JM", nil},
		{"+44 7400 123456", "", "+447400123456", "GB", nil},
		{"03-1234-5678", "JP", "", "", phone.ErrNotMobile},   // a house in Tokyo
		{"0120-123-456", "JP", "", "", phone.ErrNotMobile},   // free for who calls
		{"0990-123-456", "JP", "", "", phone.ErrNotMobile},   // paid to who is called
		{"+800 1234 5678", "", "", "", phone.ErrNotMobile},   // of no country
		{"090-1234-567", "JP", "", "", phone.ErrNone},        // too short
		{"090-1234-56789", "JP", "", "", phone.ErrNone},      // too long
		{"13812345678", "JP", "", "", phone.ErrNone},         // of another country
		{"+81 90 1234 5678 x9", "JP", "", "", phone.ErrNone}, // an extension
		{"+1 800 FLOWERS", "US", "", "", phone.ErrNone},
		{"++819012345678", "JP", "", "", phone.ErrNone},
		{"+81901234\n5678", "JP", "", "", phone.ErrNone},
		{"+999 1234 5678", "JP", "", "", phone.ErrNone},
		{"aiko@example.com", "JP", "", "", phone.ErrNone},
		{"", "JP", "", "", phone.ErrNone},
		{"\xff", "JP", "", "", phone.ErrNone},
		{"090-1234-5678", "", "", "", phone.ErrNone},
		{strings.Repeat("0", 1000), "JP", "", "", phone.ErrNone},
	} {
		got, err := phone.Read(c.typed, c.country)
		if got != c.want || !errors.Is(err, c.err) || c.err == nil && (err != nil || got.Country() != c.of) {
			t.Errorf("Read(%q, %s) = %q of %q, %v; want %q of %q, %v", c.typed, c.country, got, got.Country(), err, c.want, c.of, c.err)
		}
	}
}

func TestReadWhole(t *testing.T) {
	for typed, want := range map[string]phone.Number{
		"+81 80-1234-5678": "+818012345678", "818012345678": "+818012345678", "+81 20 1234 56789": "+8120123456789",
		"080-1234-5678": "", "0081 80 1234 5678": "", "8.18E+11": "", "+81": "", "": "", "12": "", "+999123456789": "", "+8180123456789012": "",
	} {
		got, err := phone.ReadWhole(typed)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ReadWhole(%q) = %q, %v; want %q", typed, got, err, want)
		}
	}
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{4,14}$`)

// Whatever is typed, a number that comes of it has E.164's form and is read again as
// itself, however it is written then.
func TestNumbersAreReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		country := rapid.SampledFrom([]string{"JP", "CN", "TW", "HK", "KR", "US", "GB", ""}).Draw(t, "country")
		typed := rapid.StringOfN(rapid.SampledFrom([]rune("0123456789 -+()０１９")), 0, 20, -1).Draw(t, "typed")
		if rapid.Bool().Draw(t, "plausible") {
			typed = fmt.Sprintf("%s%08d", rapid.SampledFrom([]string{"090", "080", "+8170", "138", "+86139", "+8869", "010", "+8210"}).Draw(t, "prefix"), rapid.IntRange(0, 99_999_999).Draw(t, "rest"))
		}
		n, err := phone.Read(typed, country)
		if err != nil {
			if n != "" {
				t.Errorf("%q is %q and %v", typed, n, err)
			}
			return
		}
		if !e164.MatchString(string(n)) || n.Country() == "" {
			t.Errorf("%q is read as %q of %q", typed, n, n.Country())
		}
		for _, again := range []string{string(n), n.Said()} {
			if m, err := phone.Read(again, "FR"); err != nil || m != n {
				t.Errorf("%q is read again as %q, %v", again, m, err)
			}
		}
		if m, err := phone.ReadWhole(string(n)); err != nil || m != n {
			t.Errorf("%q whole is %q, %v", n, m, err)
		}
	})
}

func TestNumbersAreHiddenInLogs(t *testing.T) {
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("sent", "to", phone.Number("+819012345678"), "none", phone.Number(""))
	if strings.Contains(log.String(), "90123") || !strings.Contains(log.String(), "…78") {
		t.Errorf("the log has %s", log.String())
	}
	if said := phone.Number("+819012345678").Said(); said != "+81 90-1234-5678" {
		t.Errorf("it is said as %s", said)
	}
	if phone.CallingCode("JP") != 81 || phone.CallingCode("XX") != 0 {
		t.Error("calling codes")
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"090-1234-5678", "+8190", "＋８１", "(0)", "++", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		if n, err := phone.Read(typed, "JP"); err == nil && !e164.MatchString(string(n)) {
			t.Errorf("%q is read as %q", typed, n)
		}
		if n, err := phone.ReadWhole(typed); err == nil && !e164.MatchString(string(n)) {
			t.Errorf("%q is read whole as %q", typed, n)
		}
	})
}
