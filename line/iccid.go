package line

import (
	"context"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// maxTyped is how much somebody may type for an ICCID, in bytes.
const maxTyped = 200

// ReadICCID reads the number of a card or an eSIM as people type and paste it:
// 19 or 20 digits that begin with 89, with spaces or hyphens, perhaps with the F
// that fills the last byte on the card. It fails with [fault.Invalid].
//
// fits says whether the last digit is the check digit of the others (ITU-T E.118
// and ISO/IEC 7812-1, the Luhn formula): where it is not, a digit was probably
// mistyped, but some operators give out numbers without one.
func ReadICCID(typed string) (digits string, fits bool, err error) {
	wrong := fault.Because(fault.Invalid, "iccid_format",
		"An ICCID has 19 or 20 digits and begins with 89. It stands on the card and in the phone's settings.", nil)
	if len(typed) > maxTyped {
		return "", false, wrong
	}
	digits = strings.NewReplacer(" ", "", "-", "", "\t", "", "\n", "", "\r", "", ".", "").Replace(norm.NFKC.String(typed))
	digits = strings.TrimRight(digits, "Ff")
	if len(digits) != 19 && len(digits) != 20 || !strings.HasPrefix(digits, "89") || strings.Trim(digits, "0123456789") != "" {
		return "", false, wrong
	}
	last := len(digits) - 1
	return digits, digits[last] == checkDigit(digits[:last]), nil
}

// checkDigit is the digit that the Luhn formula puts after some digits.
func checkDigit(digits string) byte {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return byte('0' + (10-sum%10)%10)
}

// ByICCID finds the line with a number that [ReadICCID] has read, also where the
// operator tells it without its check digit, or the card with one. It fails with
// [fault.NotFound], after as many statements as where it finds something.
func ByICCID(ctx context.Context, tx db.Tx, digits string) (Line, error) {
	other := digits + string(checkDigit(digits))
	if len(digits) == 20 {
		other = digits[:19]
	}
	var account, id string
	for _, number := range []string{other, digits} { // what was typed wins
		a, l, err := db.Locate(ctx, tx, "iccid", number)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return Line{}, err
		}
		if err == nil {
			account, id = a, l
		}
	}
	return Get(ctx, tx, account, id)
}
