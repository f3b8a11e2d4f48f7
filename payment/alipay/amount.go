package alipay

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/tsuzuku/tsuzuku/money"
)

// cny is the only currency here. Package money counts it in fen, Alipay writes
// it in yuan with two decimals.
const cny money.Currency = "CNY"

// toYuan is m as Alipay wants it. It fails for another currency, for nothing,
// and for less than nothing.
func toYuan(m money.Money) (string, error) {
	if m.Currency != cny || m.Minor <= 0 || m.Minor > money.MaxMinor {
		return "", fmt.Errorf("alipay: %v cannot be charged", m)
	}
	return fmt.Sprintf("%d.%02d", m.Minor/100, m.Minor%100), nil
}

// fromYuan is the reverse of [toYuan], for any amount or none. Alipay leaves out
// decimals that are 0 now and then.
func fromYuan(s yuan) (money.Money, error) {
	whole, decimals, point := strings.Cut(string(s), ".")
	if !digits(whole) || point && (!digits(decimals) || len(decimals) > 2) {
		return money.Money{}, fmt.Errorf("alipay: %.20q is no amount", string(s))
	}
	n, err := strconv.ParseInt(whole+(decimals + "00")[:2], 10, 64)
	if err != nil || n > money.MaxMinor {
		return money.Money{}, fmt.Errorf("alipay: the amount %.20q is out of range", string(s))
	}
	return money.Of(n, cny), nil
}

// yuan is an amount in an answer: a string, or in some of Alipay's documents a
// number, whose digits are kept as they are.
type yuan string

// UnmarshalJSON implements [json.Unmarshaler].
func (y *yuan) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(y))
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	*y = yuan(n)
	return nil
}
