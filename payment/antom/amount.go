package antom

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tsuzuku/tsuzuku/money"
)

// amount is money as Antom writes it: a whole number in the smallest unit of its
// currency, as text. That is what package money counts in, too, for each of
// [methods]' currencies, so nothing is multiplied on the way.
type amount struct {
	Currency string `json:"currency"`
	Value    string `json:"value"`
}

// toAmount fails for a currency that is not among [methods]', for nothing, and
// for less than nothing.
func toAmount(m money.Money) (amount, error) {
	if !known(m.Currency) || m.Minor <= 0 || m.Minor > money.MaxMinor {
		return amount{}, fmt.Errorf("antom: %v cannot be charged", m)
	}
	return amount{string(m.Currency), strconv.FormatInt(m.Minor, 10)}, nil
}

// money is the reverse of [toAmount], for any amount or none.
func (a *amount) money() (money.Money, error) {
	if a == nil || !known(money.Currency(a.Currency)) {
		return money.Money{}, fmt.Errorf("antom: no amount in a currency we know")
	}
	if a.Value == "" || strings.Trim(a.Value, digits) != "" || len(a.Value) > 1 && a.Value[0] == '0' {
		return money.Money{}, fmt.Errorf("antom: %.20q is no amount", a.Value)
	}
	n, err := strconv.ParseInt(a.Value, 10, 64)
	if err != nil || n > money.MaxMinor {
		return money.Money{}, fmt.Errorf("antom: the amount %.20q is out of range", a.Value)
	}
	return money.Of(n, money.Currency(a.Currency)), nil
}

func known(c money.Currency) bool {
	for _, m := range methods {
		if m.currency == c {
			return true
		}
	}
	return false
}
