package stripesim

import (
	"slices"
	"strconv"
	"strings"
)

// amountMax is the largest amount of one payment: eight digits.
const amountMax = 99_999_999

// paypayMax is PayPay's own limit in yen:
// https://docs.stripe.com/payments/paypay.
const paypayMax = 1_000_000

// least is the smallest amount of one payment per currency, in the smallest
// unit, and thereby the list of currencies. See
// https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts; only
// those of yen and dollar were checked. Those marked ≈ are not listed there:
// Stripe converts them to the account's settlement currency, we once and roughly.
var least = map[string]int64{
	"aed": 200, "aud": 50, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250,
	"eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000,
	"myr": 200, "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50,
	"thb": 1000, "usd": 50,
	"cny": 350, "krw": 500, "twd": 1500, "idr": 800000, "php": 3000, "vnd": 13000, // ≈
	"clp": 500, "isk": 7000, "kwd": 150, "bhd": 190, // ≈
}

// decimals is how many of an amount's digits stand behind the point: two, but
// for these. ISK has two at Stripe although it has none elsewhere.
var decimals = map[string]int{
	"bif": 0, "clp": 0, "djf": 0, "gnf": 0, "jpy": 0, "kmf": 0, "krw": 0, "mga": 0,
	"pyg": 0, "rwf": 0, "vnd": 0, "vuv": 0, "xaf": 0, "xof": 0, "xpf": 0,
	"bhd": 3, "jod": 3, "kwd": 3, "omr": 3, "tnd": 3,
}

// rails is which currencies a payment method takes; a method that is not
// listed takes all.
var rails = map[string][]string{
	"alipay":     {"aud", "cad", "cny", "eur", "gbp", "hkd", "jpy", "myr", "nzd", "sgd", "usd"},
	"wechat_pay": {"aud", "cad", "chf", "cny", "dkk", "eur", "gbp", "hkd", "jpy", "nok", "sek", "sgd", "usd"},
	"paypay":     {"jpy"},
	"konbini":    {"jpy"},
	"paypal":     {"aud", "cad", "chf", "czk", "dkk", "eur", "gbp", "hkd", "nok", "nzd", "pln", "sek", "sgd", "usd"},
}

// methodTypes are the payment methods that are simulated.
var methodTypes = []string{"card", "alipay", "wechat_pay", "paypay", "konbini", "paypal"}

// currency reads a required currency. Stripe wants it in lower case and takes
// it in any.
func (s *Sim) currency(f *form, name string) string {
	c := strings.ToLower(f.need(name))
	if c == "" {
		return c
	}
	_, known := least[c]
	if !known || slices.Contains(s.cfg.Refuses, c) {
		f.fail(wrong("", name, "Invalid currency: %s. Stripe does not support it for this account.", c))
	}
	return c
}

// checkAmount refuses what is too little, too much, or not payable in currency
// c by one of the methods.
func checkAmount(f *form, param string, amount int64, c string, methods []string) {
	lo, known := least[c]
	switch {
	case !known:
		return // the currency was refused already
	case amount < lo:
		f.fail(wrong("amount_too_small", param, "Amount must be at least %s %s.", decimal(lo, c), c))
	case amount > amountMax:
		f.fail(wrong("amount_too_large", param, "Amount must be no more than %s %s.", decimal(amountMax, c), c))
	case exponent(c) == 3 && amount%10 != 0:
		f.fail(wrong("", param, "Amounts in %s must end in 0.", c))
	}
	for _, m := range methods {
		if m == "paypay" && amount > paypayMax {
			f.fail(wrong("amount_too_large", param, "Amount must be no more than 1000000 jpy with paypay."))
		}
		if ok := rails[m]; ok != nil && !slices.Contains(ok, c) {
			f.fail(wrong("payment_intent_invalid_parameter", "payment_method_types",
				"The currency provided (%s) is invalid for the payment method type %s.", c, m))
		}
	}
}

func exponent(c string) int {
	if n, ok := decimals[c]; ok {
		return n
	}
	return 2
}

// decimal writes an amount with its point, for people.
func decimal(amount int64, c string) string {
	s, n := strconv.FormatInt(amount, 10), exponent(c)
	if n == 0 {
		return s
	}
	for len(s) <= n {
		s = "0" + s
	}
	return s[:len(s)-n] + "." + s[len(s)-n:]
}
