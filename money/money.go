// Package money holds exact amounts of a currency, and divides, shares and
// converts them without losing or inventing any. It has no floating point, no
// SQL and no locale: how money is written for people is package locale's.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package money

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"

	"github.com/tsuzuku/tsuzuku/fault"
)

// MaxMinor is the largest magnitude of [Money.Minor]: 2^53-1, so that adding
// any two amounts cannot overflow and every total fits a JSON number exactly.
const MaxMinor = 1<<53 - 1

// Money is an exact amount in the minor unit of its currency: 1999 USD is
// nineteen dollars and ninety-nine cents, 1999 JPY is one thousand nine hundred
// and ninety-nine yen. The zero value is "no money in no currency"; it may be
// added to anything.
type Money struct {
	Minor    int64    // may be negative: refunds and ledger credits
	Currency Currency // ISO 4217, or "PTS" for loyalty points
}

// Of returns minor units of a currency.
func Of(minor int64, c Currency) Money { return Money{minor, c} }

// IsZero reports whether m is no money, in whatever currency.
func (m Money) IsZero() bool { return m.Minor == 0 }

// Neg returns -m.
func (m Money) Neg() Money { return Money{-m.Minor, m.Currency} }

// Add returns m+n. It fails with [fault.Invalid] when the currencies differ
// or the sum exceeds [MaxMinor]; it never converts.
func (m Money) Add(n Money) (Money, error) {
	switch {
	case m == Money{}:
		return n, nil
	case n == Money{}:
		return m, nil
	case m.Currency != n.Currency:
		return Money{}, fault.New(fault.Invalid, "cannot add %s to %s", n.Currency, m.Currency)
	}
	sum := m.Minor + n.Minor // cannot wrap: both are within ±MaxMinor
	if sum > MaxMinor || sum < -MaxMinor {
		return Money{}, outOfRange()
	}
	return Money{sum, m.Currency}, nil
}

// Sub returns m-n, with the errors of [Money.Add].
func (m Money) Sub(n Money) (Money, error) { return m.Add(n.Neg()) }

// Cmp returns -1, 0 or 1 as m is less than, equal to or more than n. The zero
// value may be compared with anything. Cmp panics when the currencies differ:
// no answer would be right, and whoever compares has looked.
func (m Money) Cmp(n Money) int {
	if m.Currency != n.Currency && m != (Money{}) && n != (Money{}) {
		panic(fmt.Sprintf("money: cannot compare %s with %s", m, n))
	}
	return cmp.Compare(m.Minor, n.Minor)
}

// Validate fails with [fault.Invalid] unless m is within ±[MaxMinor] and in a
// known currency. It is for amounts that come from outside.
func (m Money) Validate() error {
	if m.Minor > MaxMinor || m.Minor < -MaxMinor {
		return outOfRange()
	}
	return m.Currency.Validate()
}

// Split divides m into n parts that sum to exactly m and differ by at most one
// minor unit; the earlier parts are the larger ones, in magnitude. It panics if
// n < 1: that is a bug, not bad input.
func (m Money) Split(n int) []Money {
	if n < 1 {
		panic(fmt.Sprintf("money: split into %d parts", n))
	}
	parts := make([]Money, n)
	each, left := m.Minor/int64(n), m.Minor%int64(n)
	one := int64(1)
	if left < 0 {
		one, left = -1, -left
	}
	for i := range parts {
		parts[i] = Money{each, m.Currency}
		if int64(i) < left {
			parts[i].Minor += one
		}
	}
	return parts
}

// Allocate divides m in proportion to weights into parts that sum to exactly m:
// a discount over the lines of a bill. Every part is its exact share rounded up
// or down to a minor unit; the units that rounding down leaves over go to the
// largest remainders, the earlier of equal ones first. A weight of 0 gets
// nothing.
//
// Allocate panics when a weight is negative or all are 0: that is a bug.
func (m Money) Allocate(weights []int64) []Money {
	total := new(big.Int)
	for _, w := range weights {
		if w < 0 {
			panic(fmt.Sprintf("money: allocate by the weight %d", w))
		}
		total.Add(total, big.NewInt(w))
	}
	if total.Sign() == 0 {
		panic("money: allocate by no weight")
	}
	// Magnitudes are divided and the sign put back, so that a refund falls
	// apart exactly as its sale did.
	sign := int64(1)
	if m.Minor < 0 {
		sign = -1
	}
	parts := make([]Money, len(weights))
	remainders := make([]*big.Int, len(weights))
	left := sign * m.Minor
	for i, w := range weights {
		product := new(big.Int).Mul(big.NewInt(sign*m.Minor), big.NewInt(w))
		share, remainder := product.QuoRem(product, total, new(big.Int))
		parts[i] = Money{sign * share.Int64(), m.Currency}
		remainders[i] = remainder
		left -= share.Int64()
	}
	order := make([]int, len(weights))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return remainders[b].Cmp(remainders[a]) })
	for _, i := range order[:left] { // fewer are left than there are remainders above 0
		parts[i].Minor += sign
	}
	return parts
}

// String is for logs and tests: "1999 JPY" in minor units.
func (m Money) String() string { return fmt.Sprintf("%d %s", m.Minor, m.Currency) }

func outOfRange() *fault.Error { return fault.New(fault.Invalid, "The amount is out of range.") }
