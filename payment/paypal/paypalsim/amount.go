package paypalsim

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/tsuzuku/tsuzuku/money"
)

// decimals is how many decimals PayPal takes in each currency. See
// https://developer.paypal.com/api/rest/reference/currency-codes/.
var decimals = map[string]int{
	"AUD": 2, "CAD": 2, "CHF": 2, "CZK": 2, "DKK": 2, "EUR": 2, "GBP": 2, "HKD": 2, "HUF": 0, "ILS": 2, "JPY": 0,
	"MXN": 2, "NOK": 2, "NZD": 2, "PHP": 2, "PLN": 2, "SEK": 2, "SGD": 2, "THB": 2, "TWD": 0, "USD": 2,
}

// elsewhere are currencies for accounts of one country only, not of ours.
var elsewhere = map[string]bool{"BRL": true, "CNY": true, "MYR": true}

// largest is the most that one order may ask for, in whole units.
const largest = 10_000_000

var (
	amountForm   = regexp.MustCompile(`^(-?[0-9]+|-?([0-9]+)?[.][0-9]+)$`)
	currencyForm = regexp.MustCompile(`^[\s\S]{3}$`)
)

// readAmount reads a checked value in PayPal's smallest unit of a currency. The
// issue is "" if there is none.
func readAmount(value, currency string) (units int64, issue string) {
	places, ok := decimals[currency]
	switch {
	case elsewhere[currency]:
		return 0, "CURRENCY_NOT_SUPPORTED_FOR_COUNTRY"
	case !ok:
		return 0, "INVALID_CURRENCY_CODE"
	}
	negative := strings.HasPrefix(value, "-")
	whole, fraction, point := strings.Cut(strings.TrimPrefix(value, "-"), ".")
	whole = strings.TrimLeft(whole, "0")
	switch {
	case negative || strings.Trim(whole+fraction, "0") == "":
		return 0, "CANNOT_BE_ZERO_OR_NEGATIVE"
	case point && places == 0:
		return 0, "DECIMALS_NOT_SUPPORTED"
	case len(fraction) > places:
		return 0, "DECIMAL_PRECISION"
	case len(whole) > 15:
		return 0, "MAX_VALUE_EXCEEDED"
	}
	for len(fraction) < places {
		fraction += "0"
	}
	units, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil {
		return 0, "MAX_VALUE_EXCEEDED"
	}
	if units > largest*power(places) {
		return 0, "TRANSACTION_LIMIT_EXCEEDED"
	}
	return units, ""
}

// amountOf is an amount as the API shows it.
func amountOf(units int64, currency string) obj {
	value, places := strconv.FormatInt(units, 10), decimals[currency]
	if places > 0 {
		for len(value) <= places {
			value = "0" + value
		}
		value = value[:len(value)-places] + "." + value[len(value)-places:]
	}
	return obj{"currency_code": currency, "value": value}
}

// moneyOf is an amount as the house writes it: it has decimals where PayPal has
// none.
func moneyOf(units int64, currency string) money.Money {
	c := money.Currency(currency)
	return money.Of(units*power(money.Decimals(c)-decimals[currency]), c)
}

// unitsOf is the reverse; it fails for a fraction of PayPal's smallest unit.
func unitsOf(minor int64, currency string) (units int64, ok bool) {
	step := power(money.Decimals(money.Currency(currency)) - decimals[currency])
	return minor / step, minor%step == 0
}

func power(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// feeOf is what PayPal keeps of a capture.
func feeOf(units int64, currency string) int64 {
	fixed := int64(30)
	if decimals[currency] == 0 {
		fixed = 40
	}
	return min(units, units*36/1000+fixed)
}
