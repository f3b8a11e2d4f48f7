package payment_test

import (
	"testing"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// What a provider would refuse is not offered.
func TestLimitsTake(t *testing.T) {
	l := payment.Limits{
		Currencies: map[payment.Rail][]money.Currency{payment.LINEPay: {"TWD"}, payment.PayPay: {"JPY", "TWD"}},
		Min:        map[money.Currency]int64{"TWD": 100, "JPY": 50}, Max: map[money.Currency]int64{"JPY": 5_000_000},
		Multiple: map[money.Currency]int64{"TWD": 100}, RailMax: map[payment.Rail]map[money.Currency]int64{payment.PayPay: {"JPY": 1_000_000}},
	}
	for _, tt := range []struct {
		rail  payment.Rail
		minor int64
		in    money.Currency
		want  bool
	}{
		{payment.LINEPay, 30_000, "TWD", true},
		{payment.LINEPay, 30_050, "TWD", false}, // cents
		{payment.LINEPay, 0, "TWD", false},
		{payment.LINEPay, 1980, "JPY", false}, // no such currency on this rail
		{payment.PayPay, 1_000_000, "JPY", true},
		{payment.PayPay, 1_000_001, "JPY", false},
		{payment.PayPay, 49, "JPY", false},
		{payment.Card, 1980, "JPY", false}, // no such rail
	} {
		if got := l.Takes(tt.rail, money.Of(tt.minor, tt.in)); got != tt.want {
			t.Errorf("%d %s by %s: %t, want %t", tt.minor, tt.in, tt.rail, got, tt.want)
		}
	}
}
