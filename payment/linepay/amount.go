package linepay

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/tsuzuku/tsuzuku/money"
)

// scale is how many decimals a currency has.
type scale struct {
	currency     money.Currency
	ours, theirs int // decimals of our minor unit, and on LINE Pay's wire
}

// scales are the currencies of LINE Pay's contracts that we take. Taiwan's
// dollars are whole on the wire, although our minor unit is the cent.
var scales = []scale{
	{"TWD", 2, 0},
	{"THB", 2, 2},
}

func scaleOf(c money.Currency) (scale, bool) {
	for _, s := range scales {
		if s.currency == c {
			return s, true
		}
	}
	return scale{}, false
}

// smallest is the least amount of our minor unit that the wire can express.
func (s scale) smallest() int64 { return power(s.ours - s.theirs) }

func power(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// toWire is m as the JSON number that LINE Pay wants. It fails for another
// currency, for what the wire cannot express, for nothing and for less than
// nothing.
func (s scale) toWire(m money.Money) (json.Number, error) {
	if m.Currency != s.currency || m.Minor <= 0 || m.Minor > money.MaxMinor || m.Minor%s.smallest() != 0 {
		return "", fmt.Errorf("linepay: %v cannot be paid", m)
	}
	one := power(s.ours)
	text := strconv.FormatInt(m.Minor/one, 10)
	if part := m.Minor % one; part != 0 {
		text += fmt.Sprintf(".%0*d", s.ours, part)
	}
	return json.Number(text), nil
}

// fromWire reads an amount of 0 or more. Zeros after the point say nothing and
// are allowed; exponents and what is finer than the currency are not.
func (s scale) fromWire(n json.Number) (money.Money, error) {
	whole, part, pointed := strings.Cut(string(n), ".")
	if !digits(whole) || pointed && !digits(part) {
		return money.Money{}, fmt.Errorf("linepay: %s amount is not a plain number", s.currency)
	}
	fine := strings.TrimRight(part, "0")
	if len(fine) > s.theirs {
		return money.Money{}, fmt.Errorf("linepay: amount is finer than %s", s.currency)
	}
	minor, err := strconv.ParseInt(whole+fine+strings.Repeat("0", s.ours-len(fine)), 10, 64)
	if err != nil || minor > money.MaxMinor {
		return money.Money{}, fmt.Errorf("linepay: %s amount is out of range", s.currency)
	}
	return money.Of(minor, s.currency), nil
}

// digits reports whether s is ASCII digits, at least one.
func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}
