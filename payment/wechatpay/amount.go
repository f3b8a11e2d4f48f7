package wechatpay

import (
	"fmt"

	"github.com/tsuzuku/tsuzuku/money"
)

// yuan is the only currency of a mainland merchant.
const yuan money.Currency = "CNY"

// toFen is m in fen, which is also package money's minor unit of the yuan. It
// fails for other currencies, for nothing, and for less than nothing.
func toFen(m money.Money) (int64, error) {
	if m.Currency != yuan || m.Minor <= 0 || m.Minor > money.MaxMinor {
		return 0, fmt.Errorf("wechatpay: %v cannot be charged", m)
	}
	return m.Minor, nil
}

// fromFen is the reverse of [toFen]. The currency may be left out: it is
// optional in the document, and a mainland merchant has no other.
func fromFen(fen *int64, currency string) (money.Money, error) {
	if fen == nil || *fen <= 0 || *fen > money.MaxMinor {
		return money.Money{}, fmt.Errorf("wechatpay: an amount is missing or out of range")
	}
	if currency != "" && currency != string(yuan) {
		return money.Money{}, fmt.Errorf("wechatpay: an amount is not in yuan")
	}
	return money.Of(*fen, yuan), nil
}
