package line

import (
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/luhn"
)

// rounded is a long number as a spreadsheet shows it, and stores it when it saves.
var rounded = regexp.MustCompile(`^\d([.,]\d+)?[eE]\+?\d+$`)

// ParseICCID reads the number of a SIM as people type, print and export it: with
// spaces, hyphens or the padding F. It has 19 or 20 digits, begins with 89, and its
// last one checks the others (ITU-T E.118). It fails with [fault.Invalid], whose
// message says what is wrong, and what to do where a spreadsheet has spoilt it.
func ParseICCID(s string) (string, error) {
	s = strings.TrimSpace(norm.NFKC.String(s))
	switch {
	case rounded.MatchString(s):
		return "", badICCID("%q is what a spreadsheet has made of a long number; its last digits are lost. Format the column as text, enter or import the numbers again, and export once more.", s)
	case strings.HasPrefix(s, "'"), strings.HasPrefix(s, "="):
		return "", badICCID("%q begins with a spreadsheet's mark for text, which does not belong to the number. Remove the mark, or format the column as text before exporting.", s)
	}
	digits := strings.NewReplacer(" ", "", "-", "", "\u2010", "", "\u2011", "", "\u2013", "").Replace(s)
	digits = strings.TrimRight(digits, "Ff")
	switch {
	case digits == "":
		return "", badICCID("The ICCID is missing. It is the number of 19 or 20 digits that is printed on the card.")
	case strings.Trim(digits, "0123456789") != "":
		return "", badICCID("%q is no ICCID: it has characters that are no digits.", s)
	case len(digits) < 19 || len(digits) > 20:
		return "", badICCID("%q has %d digits, and an ICCID has 19 or 20.", s, len(digits))
	case !strings.HasPrefix(digits, "89"):
		return "", badICCID("%q is no ICCID: it does not begin with 89.", s)
	case !luhn.Checks(digits) && strings.HasSuffix(digits, "0000"):
		return "", badICCID("%q ends with zeros and does not check: a spreadsheet keeps 15 digits and writes zeros for the others. Format the column as text, enter or import the numbers again, and export once more.", s)
	case !luhn.Checks(digits):
		return "", badICCID("%q is mistyped: its last digit does not check the others. Compare it with the card.", s)
	}
	return digits, nil
}

func badICCID(format string, args ...any) error {
	f := fault.New(fault.Invalid, format, args...)
	f.Reason = "bad_iccid"
	return f
}
