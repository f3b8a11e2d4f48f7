package paypal

import (
	"fmt"
	"strconv"

	"github.com/tsuzuku/tsuzuku/money"
)

// scale is how many decimals PayPal writes an amount of a currency with.
type scale struct {
	currency money.Currency
	decimals int
}

// scales are PayPal's currencies that accounts everywhere can be paid in, from
// https://developer.paypal.com/api/rest/reference/currency-codes/. Left out are
// those for accounts of one country only: BRL, CNY and MYR. Forint, yen and
// Taiwan dollars with decimals are refused (DECIMALS_NOT_SUPPORTED), although
// the first and the last have a minor unit of a hundredth in package money.
var scales = []scale{
	{"JPY", 0},
	{"USD", 2},
	{"TWD", 0},
	{"HKD", 2},
	{"EUR", 2},
	{"GBP", 2},
	{"SGD", 2},
	{"AUD", 2},
	{"CAD", 2},
	{"CHF", 2},
	{"CZK", 2},
	{"DKK", 2},
	{"HUF", 0},
	{"ILS", 2},
	{"MXN", 2},
	{"NOK", 2},
	{"NZD", 2},
	{"PHP", 2},
	{"PLN", 2},
	{"SEK", 2},
	{"THB", 2},
}

// smallest is the least amount PayPal can write, in our minor units. Every
// amount is a multiple of it.
func (s scale) smallest() int64 {
	n := int64(1)
	for range money.Decimals(s.currency) - s.decimals {
		n *= 10
	}
	return n
}

// amount is PayPal's money, schema money.
type amount struct {
	Currency string `json:"currency_code"`
	Value    string `json:"value"` // in the major unit
}

// toPayPal writes m as PayPal wants it. It fails for a currency that PayPal
// does not take, for an amount finer than it can write, for nothing, and for
// less than nothing.
func toPayPal(m money.Money) (amount, error) {
	s, ok := scaleOf(m.Currency)
	switch {
	case !ok:
		return amount{}, fmt.Errorf("paypal: currency %q is not taken", m.Currency)
	case m.Minor <= 0 || m.Minor > money.MaxMinor:
		return amount{}, fmt.Errorf("paypal: %v cannot be charged", m)
	case m.Minor%s.smallest() != 0:
		return amount{}, fmt.Errorf("paypal: %v is finer than PayPal can write", m)
	case s.decimals == 0:
		return amount{string(m.Currency), strconv.FormatInt(m.Minor/s.smallest(), 10)}, nil
	}
	return amount{string(m.Currency), m.Decimal()}, nil
}

// fromPayPal is the reverse of [toPayPal], for any amount of ours or none.
func fromPayPal(a amount) (money.Money, error) {
	if _, ok := scaleOf(money.Currency(a.Currency)); !ok {
		return money.Money{}, fmt.Errorf("paypal: a currency that is not taken")
	}
	m, err := money.Parse(a.Value, money.Currency(a.Currency))
	if err != nil || m.Minor < 0 {
		return money.Money{}, fmt.Errorf("paypal: an amount of %s that cannot be read", a.Currency)
	}
	return m, nil
}

func scaleOf(c money.Currency) (scale, bool) {
	for _, s := range scales {
		if s.currency == c {
			return s, true
		}
	}
	return scale{}, false
}
