package carrier

import (
	"math/big"
	"strings"
)

// costDecimals are how many decimals of a [Cost] are written; no operator's price has
// more.
const costDecimals = 6

// Rat is the cost in whole units of its currency.
func (c Cost) Rat() *big.Rat { return big.NewRat(c.Units, max(1, c.Scale)) }

// Decimal is the cost without its currency: "1.8", "-0.05", "12".
func (c Cost) Decimal() string {
	s := c.Rat().FloatString(costDecimals)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}

// String is for staff: "1.8 USD".
func (c Cost) String() string { return c.Decimal() + " " + c.Currency }

// Less reports whether c is less than d; both are of one currency.
func (c Cost) Less(d Cost) bool { return c.Rat().Cmp(d.Rat()) < 0 }
