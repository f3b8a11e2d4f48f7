package stripe

import (
	"fmt"
	"strings"

	sdk "github.com/stripe/stripe-go/v85"

	"github.com/tsuzuku/tsuzuku/money"
)

// exponents are the currencies we sell in, with how many decimals a minor unit
// of package money has (ISO 4217) and how many Stripe's smallest unit has
// (https://docs.stripe.com/currencies). They agree for all of these; the table
// stays because they do not for others: Stripe wants ISK and UGX with two
// decimals although they have none, and pays out TWD and HUF in whole units
// although it charges them with two decimals.
var exponents = []struct {
	currency     money.Currency
	ours, theirs int
}{
	{"JPY", 0, 0},
	{"USD", 2, 2},
	{"CNY", 2, 2},
	{"TWD", 2, 2},
	{"HKD", 2, 2},
	{"KRW", 0, 0},
	{"EUR", 2, 2},
	{"GBP", 2, 2},
	{"SGD", 2, 2},
}

// toStripe is m in Stripe's smallest unit and with Stripe's name of the
// currency. It fails for a currency we do not sell in, for nothing, and for
// less than nothing.
func toStripe(m money.Money) (amount int64, currency string, err error) {
	if m.Minor <= 0 || m.Minor > money.MaxMinor {
		return 0, "", fmt.Errorf("stripe: %v cannot be charged", m)
	}
	for _, e := range exponents {
		if e.currency != m.Currency {
			continue
		}
		n, err := shift(m.Minor, e.theirs-e.ours)
		return n, strings.ToLower(string(m.Currency)), err
	}
	return 0, "", fmt.Errorf("stripe: currency %q is not sold", m.Currency)
}

// fromStripe is the reverse of [toStripe], for any amount of ours or none.
func fromStripe(amount int64, currency sdk.Currency) (money.Money, error) {
	c := money.Currency(strings.ToUpper(string(currency)))
	for _, e := range exponents {
		if e.currency != c {
			continue
		}
		n, err := shift(amount, e.ours-e.theirs)
		if err != nil || n > money.MaxMinor || n < -money.MaxMinor {
			return money.Money{}, fmt.Errorf("stripe: amount %d %s is out of range", amount, c)
		}
		return money.Of(n, c), nil
	}
	return money.Money{}, fmt.Errorf("stripe: currency %q is not sold", c)
}

// shift moves the decimal point of n by places; it never rounds.
func shift(n int64, places int) (int64, error) {
	for ; places > 0; places-- {
		if n > money.MaxMinor/10 || n < -money.MaxMinor/10 {
			return 0, fmt.Errorf("stripe: amount %d is out of range", n)
		}
		n *= 10
	}
	for ; places < 0; places++ {
		if n%10 != 0 {
			return 0, fmt.Errorf("stripe: amount %d is finer than the currency", n)
		}
		n /= 10
	}
	return n, nil
}
