package line

import (
	"context"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/luhn"
)

// maxTyped is how much somebody may type for an ICCID, in bytes.
const maxTyped = 200

// ReadICCID reads the number of a line that we may have, as people type and paste
// it. It is more patient than [ParseICCID], by which numbers come in: fits says
// whether the last digit checks the others. Where it does not, a digit was
// probably mistyped, but some operators give out numbers without a check digit.
// It fails with [fault.Invalid] for what is not 19 or 20 digits from 89 on.
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
	return digits, luhn.Checks(digits), nil
}

// ByICCID finds the line with a number that [ReadICCID] has read, also where the
// operator tells it without its check digit, or the card with one. It fails with
// [fault.NotFound], after as many statements as where it finds something.
func ByICCID(ctx context.Context, tx db.Tx, digits string) (Line, error) {
	other := digits
	if len(digits) == 20 {
		other = digits[:19]
	} else if last := luhn.Digit(digits); last != 0 {
		other = digits + string(rune(last))
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
