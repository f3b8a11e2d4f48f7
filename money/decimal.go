package money

import (
	"strconv"
	"strings"

	"golang.org/x/text/currency"

	"github.com/tsuzuku/tsuzuku/fault"
)

// Currency is an upper-case ISO 4217 code, or [Points].
type Currency string

// Points is the currency of loyalty points. It has no decimals and no rate.
const Points Currency = "PTS"

// Validate fails with [fault.Invalid] unless c is [Points] or the code of a
// currency that CLDR knows. The codes for "no currency" and "for tests", XXX
// and XTS, are refused.
func (c Currency) Validate() error {
	if c == Points {
		return nil
	}
	unit, err := currency.ParseISO(string(c))
	if err != nil || unit.String() != string(c) || c == "XXX" || c == "XTS" {
		return fault.New(fault.Invalid, "There is no currency %q. Use a code like JPY.", string(c))
	}
	return nil
}

// Decimals is how many decimals the minor unit of c stands for, from CLDR: 2
// for USD, 0 for JPY, [Points] and the empty currency of the zero [Money].
// CLDR is not ISO 4217 for a few currencies whose coins are out of use (AFN,
// LAK and others have 0 here), nor any provider's table; for the currencies
// that we price in all agree.
//
// Decimals panics for a currency that [Currency.Validate] refuses.
func Decimals(c Currency) int {
	if c == Points || c == "" {
		return 0
	}
	if err := c.Validate(); err != nil {
		panic("money: decimals of the unknown currency " + string(c))
	}
	decimals, _ := currency.Standard.Rounding(currency.MustParseISO(string(c)))
	return decimals
}

// Decimal writes the amount without its currency, exactly, as machines read
// it: "12.99" for 1299 USD, "1980" for 1980 JPY, "-0.05" for -5 USD.
func (m Money) Decimal() string {
	digits := strconv.FormatInt(m.Minor, 10)
	sign := ""
	if m.Minor < 0 {
		sign, digits = "-", digits[1:]
	}
	decimals := Decimals(m.Currency)
	if decimals == 0 {
		return sign + digits
	}
	if missing := decimals + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - decimals
	return sign + digits[:point] + "." + digits[point:]
}

// longestDecimal bounds what [Parse] looks at; [MaxMinor] has 16 digits.
const longestDecimal = 32

// Parse reads an amount as [Money.Decimal] writes it. Decimals may be missing
// ("12.9", "12"), and there may be more of them as long as they are 0: "1980.00"
// is exactly 1980 JPY. Anything else fails with [fault.Invalid]: a plus sign,
// spaces, separators, exponents, leading zeros, digits of other scripts,
// amounts that would have to be rounded or exceed [MaxMinor].
func Parse(s string, c Currency) (Money, error) {
	if err := c.Validate(); err != nil {
		return Money{}, err
	}
	if len(s) > longestDecimal {
		return Money{}, notAnAmount(s[:longestDecimal]+"…", c)
	}
	unsigned, negative := strings.CutPrefix(s, "-")
	whole, fraction, point := strings.Cut(unsigned, ".")
	if !isNumber(whole) || len(whole) > 1 && whole[0] == '0' || point && !isNumber(fraction) {
		return Money{}, notAnAmount(s, c)
	}
	decimals := Decimals(c)
	for len(fraction) < decimals {
		fraction += "0"
	}
	if strings.Trim(fraction[decimals:], "0") != "" {
		return Money{}, notAnAmount(s, c)
	}
	minor, err := strconv.ParseInt(whole+fraction[:decimals], 10, 64)
	if err != nil || minor > MaxMinor {
		return Money{}, outOfRange()
	}
	if negative {
		minor = -minor
	}
	return Money{minor, c}, nil
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func notAnAmount(s string, c Currency) error {
	return fault.New(fault.Invalid, "%q is not an amount in %s. Write it like %s.", s, c, Money{123400, c}.Decimal())
}
