package api

import (
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// Money is an amount in minor units, so that no program needs decimals: 1980 JPY
// is 1,980 yen, 1980 USD is 19 dollars and 80 cents.
type Money struct {
	Amount   int64  `json:"amount" minimum:"-9007199254740991" maximum:"9007199254740991" doc:"Whole minor units of the currency." example:"1980"`
	Currency string `json:"currency" pattern:"^[A-Z]{3}$" doc:"ISO 4217." example:"JPY"`
}

func moneyOf(m money.Money) Money { return Money{m.Minor, string(m.Currency)} }

func moneysOf(all []money.Money) []Money {
	out := make([]Money, len(all))
	for i, m := range all {
		out[i] = moneyOf(m)
	}
	return out
}

// given is nil for no money.
func given(m money.Money) *Money {
	if m == (money.Money{}) {
		return nil
	}
	out := moneyOf(m)
	return &out
}

func (m Money) money() money.Money { return money.Of(m.Amount, money.Currency(m.Currency)) }

// instant is nil for no time.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
