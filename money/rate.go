package money

import (
	"fmt"
	"math/big"
	"time"

	"github.com/tsuzuku/tsuzuku/fault"
)

// Rounding says what becomes of a fraction of a minor unit. It looks at
// magnitudes, so that a refund is rounded exactly as its sale was. The values
// are stored; do not rename.
type Rounding string

// The ways of rounding.
const (
	Down   Rounding = "down"    // towards zero: 1.9 is 1, -1.9 is -1
	HalfUp Rounding = "half_up" // to the nearest, a half away from zero: 1.5 is 2, -1.5 is -2
	Up     Rounding = "up"      // away from zero: 1.1 is 2, -1.1 is -2
)

// Validate fails with [fault.Invalid] for a way of rounding that there is not.
func (r Rounding) Validate() error {
	switch r {
	case Down, HalfUp, Up:
		return nil
	}
	return fault.New(fault.Invalid, "Round down, half_up or up, not %q.", string(r))
}

// Share returns num/den of m: a tax, a discount in percent, points earned, the
// price per day. It fails with [fault.Invalid] when the result exceeds
// [MaxMinor]. It panics when den is not positive, or the rounding unknown:
// those are bugs.
func (m Money) Share(num, den int64, r Rounding) (Money, error) {
	product := new(big.Int).Mul(big.NewInt(m.Minor), big.NewInt(num))
	minor, ok := inRange(divRound(product, big.NewInt(den), r))
	if !ok {
		return Money{}, outOfRange()
	}
	return Money{minor, m.Currency}, nil
}

// DivRound returns num/den rounded. It panics when den is not positive, or the
// rounding unknown.
func DivRound(num, den int64, r Rounding) int64 {
	return divRound(big.NewInt(num), big.NewInt(den), r).Int64() // no larger than num
}

// Rate is a stated rate of exchange: one whole unit of From is
// Numerator/Denominator whole units of To, as rates are published. 1 USD =
// 149.25 JPY is Rate{"USD", "JPY", 14925, 100, …}.
type Rate struct {
	From, To    Currency // neither is [Points]
	Numerator   int64    // 1 or more
	Denominator int64    // 1 or more
	Source      string   // who published it, for the customer and the books
	Date        string   // the day it was published for, 2006-01-02
}

// Validate fails with [fault.Invalid] unless r can be used: it has two
// different currencies that are known and not points, is positive, and says
// whose rate of which day it is.
func (r Rate) Validate() error {
	if err := r.From.Validate(); err != nil {
		return err
	}
	if err := r.To.Validate(); err != nil {
		return err
	}
	_, err := time.Parse(time.DateOnly, r.Date)
	switch {
	case r.From == Points || r.To == Points:
		return fault.New(fault.Invalid, "Points have no rate of exchange.")
	case r.From == r.To:
		return fault.New(fault.Invalid, "A rate needs two currencies, not %s twice.", r.From)
	case r.Numerator < 1 || r.Denominator < 1:
		return fault.New(fault.Invalid, "The rate from %s to %s must be positive.", r.From, r.To)
	case r.Source == "":
		return fault.New(fault.Invalid, "The rate from %s to %s has no source.", r.From, r.To)
	case err != nil:
		return fault.New(fault.Invalid, "The date of the rate from %s to %s is not like 2006-01-02.", r.From, r.To)
	}
	return nil
}

// Convert returns m in r.To. It fails with [fault.Invalid] when m is not in
// r.From, when r is not valid, or when the result exceeds [MaxMinor].
func (r Rate) Convert(m Money, rounding Rounding) (Money, error) {
	if err := r.Validate(); err != nil {
		return Money{}, err
	}
	if m.Currency != r.From {
		return Money{}, fault.New(fault.Invalid, "The rate from %s to %s does not convert %s.", r.From, r.To, m.Currency)
	}
	// From minor to whole units of From, on to whole and to minor units of To.
	num := new(big.Int).Mul(big.NewInt(r.Numerator), powerOf10(Decimals(r.To)))
	den := new(big.Int).Mul(big.NewInt(r.Denominator), powerOf10(Decimals(r.From)))
	minor, ok := inRange(divRound(num.Mul(num, big.NewInt(m.Minor)), den, rounding))
	if !ok {
		return Money{}, outOfRange()
	}
	return Money{minor, r.To}, nil
}

func powerOf10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// inRange reports whether n can be an amount, and returns it.
func inRange(n *big.Int) (int64, bool) {
	if n.CmpAbs(big.NewInt(MaxMinor)) > 0 {
		return 0, false
	}
	return n.Int64(), true
}

// divRound is num/den rounded; den is positive.
func divRound(num, den *big.Int, r Rounding) *big.Int {
	if den.Sign() <= 0 {
		panic(fmt.Sprintf("money: divide by %s", den))
	}
	quotient, rest := new(big.Int).QuoRem(num, den, new(big.Int)) // towards zero
	var away bool
	switch r {
	case Down:
	case HalfUp:
		away = rest.Lsh(rest, 1).CmpAbs(den) >= 0
	case Up:
		away = rest.Sign() != 0
	default:
		panic("money: unknown rounding " + string(r))
	}
	if away {
		quotient.Add(quotient, big.NewInt(int64(num.Sign())))
	}
	return quotient
}
