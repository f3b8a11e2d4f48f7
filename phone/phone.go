// Package phone reads telephone numbers as people write them, and keeps them in
// the one form that ITU-T E.164 gives them. Which numbers there are, and which of
// them are of mobile telephones, is the knowledge of libphonenumber, whose tables
// come with the program: a range that a country opened later than these is not
// known until the next version.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package phone

import (
	"errors"
	"log/slog"
	"strings"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/unicode/norm"
)

// Number is a telephone number in E.164's form: a plus, the country's calling code
// and the rest, at most 15 digits. "+819012345678". The zero Number is none.
type Number string

// ErrNone says that what was typed is no telephone number that exists.
var ErrNone = errors.New("phone: not a telephone number")

// ErrNotMobile says that the number is one to which no SMS goes, or one that costs
// whoever sends there: of a house, a service, a pager.
var ErrNotMobile = errors.New("phone: not a mobile number")

// maxTyped is how long what somebody types may be, in characters.
const maxTyped = 40

// maxDigits is E.164's, section 6.1.
const maxDigits = 15

// Read reads the number of a mobile telephone. country is an ISO 3166 code, where
// a number without its country's calling code is. It fails with [ErrNone] and
// [ErrNotMobile].
func Read(typed, country string) (Number, error) {
	s, ok := tidy(typed)
	if !ok {
		return "", ErrNone
	}
	n, err := phonenumbers.Parse(s, country)
	if err != nil || n.GetExtension() != "" || !phonenumbers.IsValidNumber(n) {
		return "", ErrNone
	}
	switch phonenumbers.GetNumberType(n) { //nolint:exhaustive // the others take no SMS, or take money for it
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE: // +1 does not tell them apart
	default:
		return "", ErrNotMobile
	}
	return Number(phonenumbers.Format(n, phonenumbers.E164)), nil
}

// ReadWhole reads a number that is written with its country's calling code, with
// the plus or without, as operators list those of their SIMs; it need not be of a
// kind that libphonenumber's tables know, but of a length that its country has. It
// fails with [ErrNone].
func ReadWhole(typed string) (Number, error) {
	s, ok := tidy(typed)
	if !ok {
		return "", ErrNone
	}
	s = "+" + strings.TrimPrefix(s, "+")
	if strings.HasPrefix(s, "+0") { // a country's own form: nobody says which country's
		return "", ErrNone
	}
	n, err := phonenumbers.Parse(s, "")
	if err != nil || n.GetExtension() != "" || !phonenumbers.IsPossibleNumber(n) {
		return "", ErrNone
	}
	e164 := phonenumbers.Format(n, phonenumbers.E164)
	if len(e164) > 1+maxDigits { // a few countries' tables have longer ones
		return "", ErrNone
	}
	return Number(e164), nil
}

// tidy is what was typed in plain characters: a keyboard of Japan writes wide ones.
// ok is false for what has others than numbers are written with; letters would be
// taken for the digits that they stand on.
func tidy(typed string) (s string, ok bool) {
	if !utf8.ValidString(typed) || utf8.RuneCountInString(typed) > maxTyped {
		return "", false
	}
	s = strings.TrimSpace(norm.NFKC.String(typed))
	s = strings.NewReplacer("\u2010", "-", "\u2011", "-", "\u2012", "-", "\u2013", "-", "\u2014", "-", "\u2212", "-", "\u30fc", "-").Replace(s)
	if s == "" || strings.Trim(s, "0123456789+-() ./") != "" || strings.LastIndexByte(s, '+') > 0 {
		return "", false
	}
	return s, true
}

// Country is the ISO 3166 code of the country that the number is of; "" for one of
// no country.
func (n Number) Country() string {
	p, err := phonenumbers.Parse(string(n), "")
	if err != nil {
		return ""
	}
	code := phonenumbers.GetRegionCodeForNumber(p)
	if len(code) != 2 || code == "ZZ" {
		return ""
	}
	return code
}

// Said is the number as people read it, with its country's calling code:
// "+81 90-1234-5678".
func (n Number) Said() string {
	p, err := phonenumbers.Parse(string(n), "")
	if err != nil {
		return string(n)
	}
	return phonenumbers.Format(p, phonenumbers.INTERNATIONAL)
}

// LogValue hides the number but for its last digits.
func (n Number) LogValue() slog.Value {
	const shown = 2
	if len(n) <= shown {
		return slog.StringValue("…")
	}
	return slog.StringValue("…" + string(n[len(n)-shown:]))
}

// CallingCode is a country's calling code, 81 of "JP"; 0 for what is no country
// that has one.
func CallingCode(country string) int { return phonenumbers.GetCountryCodeForRegion(country) }
