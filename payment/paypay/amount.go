package paypay

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/tsuzuku/tsuzuku/money"
)

// yen is the only currency of the Open Payment API. It has no decimals, here
// and at PayPay: the two count alike, and nothing is ever multiplied.
const yen money.Currency = "JPY"

// maxYen is the largest integer of eleven digits.
const maxYen = 99_999_999_999

// amount is money as PayPay writes it, both ways.
type amount struct {
	Amount   json.Number `json:"amount"`
	Currency string      `json:"currency"`
}

// toYen is m as PayPay writes it. It fails for another currency, for nothing
// and for less than nothing.
func toYen(m money.Money) (amount, error) {
	if m.Currency != yen || m.Minor < 1 || m.Minor > maxYen {
		return amount{}, fmt.Errorf("paypay: %v cannot be charged", m)
	}
	return amount{json.Number(strconv.FormatInt(m.Minor, 10)), string(yen)}, nil
}

// money is the reverse of [toYen]. A missing amount fails, as does one with
// decimals or an exponent.
func (a *amount) money() (money.Money, error) {
	if a == nil || a.Currency != string(yen) {
		return money.Money{}, fmt.Errorf("paypay: an amount that is missing or not in yen")
	}
	n, err := strconv.ParseInt(a.Amount.String(), 10, 64)
	if err != nil || n < 1 || n > maxYen {
		return money.Money{}, fmt.Errorf("paypay: an amount that is no number of yen")
	}
	return money.Of(n, yen), nil
}
