package device

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/luhn"
)

// Kind is what somebody typed.
type Kind string

// What somebody can type.
const (
	ByName Kind = "name" // a name or a maker's code
	ByIMEI Kind = "imei"
	ByEID  Kind = "eid"
)

// Query is what somebody typed, understood as far as it can be without a list
// of models. The number itself is not kept: it names one person's phone.
type Query struct {
	Kind   Kind
	Text   string // a name, in its usual letters
	TAC    string // of an IMEI: its first 8 digits, which stand for the model
	SoldIn string // what the name said about it: 国行 is mainland China
}

// maxQuery is how long a question may be, in characters: two numbers with
// their labels fit.
const maxQuery = 100

// How long the numbers are.
const (
	tacDigits    = 8
	imeiDigits   = 15 // with its check digit
	imeisvDigits = 16 // with the version of the software instead of it
	eidDigits    = 32
)

// ParseQuery reads a question. It fails with [fault.Invalid] for what can be no
// phone: nothing, too much, control characters, a mistyped or another number.
func ParseQuery(text string) (Query, error) {
	name, err := plain(text)
	if err != nil {
		return Query{}, err
	}
	digits, ok := number(name)
	if !ok {
		name, country := takeCountry(name)
		return Query{Kind: ByName, Text: name, SoldIn: country}, nil
	}
	return parseNumber(digits)
}

// plain is text in its usual letters: full-width digits and half-width kana
// become what they stand for, and what cannot be seen goes.
func plain(text string) (string, error) {
	if len(text) > 16*maxQuery {
		return "", tooLong()
	}
	text = strings.TrimSpace(norm.NFKC.String(strings.ToValidUTF8(text, "\ufffd")))
	var b strings.Builder
	n := 0
	for _, r := range text {
		switch {
		case unicode.Is(unicode.Cf, r), r == '\u3164', r == '\u115f': // invisible, pasted along with a number
			continue
		case r == '\n', r == '\r', r == '\t':
			r = ' '
		case unicode.IsControl(r), r == '\ufffd':
			return "", fault.Because(fault.Invalid, "device_unreadable",
				"This cannot be read. Type the name of your phone, such as iPhone 13, or its IMEI.", nil)
		}
		b.WriteRune(r)
		n++
	}
	switch out := strings.TrimSpace(b.String()); {
	case out == "":
		return "", fault.Because(fault.Invalid, "device_empty",
			"Type the name of your phone, such as iPhone 13, or its IMEI. Dial *#06# to see the IMEI.", nil)
	case n > maxQuery:
		return "", tooLong()
	default:
		return out, nil
	}
}

func tooLong() error {
	return fault.Because(fault.Invalid, "device_long",
		"This is longer than any name of a phone. Type the name alone, such as iPhone 13, or the IMEI.", nil)
}

// label stands before a number where a phone shows it: "IMEI1:", "EID".
var label = regexp.MustCompile(`(?i)^\(?(?:imeisv|imei|meid|eid|iccid)\)?(?: ?[12][ :/)]+)?[ :#]*`)

// number is the digits of a text that is a number, however it is written: with
// its label, in groups, with the version of the phone's software after it.
func number(text string) (string, bool) {
	text, version, _ := strings.Cut(label.ReplaceAllString(text, ""), "/")
	digits := strings.NewReplacer(" ", "", "-", "", ".", "", "·", "").Replace(text)
	if len(digits) < tacDigits || strings.Trim(digits, "0123456789") != "" || strings.Trim(version, "0123456789 ") != "" {
		return "", false
	}
	return digits, true
}

func parseNumber(digits string) (Query, error) {
	switch n := len(digits); {
	case n == imeiDigits && luhn.Checks(digits), n == imeiDigits-1, n == imeisvDigits:
		return Query{Kind: ByIMEI, TAC: digits[:tacDigits]}, nil
	case n == imeiDigits:
		return Query{}, fault.Because(fault.Invalid, "device_imei_mistyped",
			"This IMEI is mistyped: its digits do not fit each other. Dial *#06# and copy the 15 digits again.", nil)
	case n == eidDigits && mod97(digits) == 1:
		return Query{Kind: ByEID}, nil
	case n == eidDigits:
		return Query{}, fault.Because(fault.Invalid, "device_eid_mistyped",
			"This EID is mistyped: its digits do not fit each other. Dial *#06# and copy the 32 digits again.", nil)
	case (n == 19 || n == 20) && strings.HasPrefix(digits, "89"):
		return Query{}, fault.Because(fault.Invalid, "device_iccid",
			"This is the number of a SIM card (ICCID), not of a phone. Dial *#06# to see your phone's IMEI and EID.", nil)
	}
	return Query{}, fault.Because(fault.Invalid, "device_number",
		"This number is neither an IMEI (15 digits) nor an EID (32 digits). Dial *#06# to see them.", nil)
}

// mod97 is the number modulo 97; an EID's is 1: GSMA SGP.29, as in ISO 7064.
func mod97(digits string) int {
	rest := 0
	for _, d := range digits {
		rest = (rest*10 + int(d-'0')) % 97
	}
	return rest
}

// looksLikeSerial reports whether a text that is no model's name may be the
// serial number that stands beside the IMEI: 10 to 12 letters and digits in one
// piece.
func looksLikeSerial(text string) bool {
	letters, digits := 0, 0
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z':
			letters++
		default:
			return false
		}
	}
	return letters > 1 && digits > 1 && letters+digits >= 10 && letters+digits <= 12
}
