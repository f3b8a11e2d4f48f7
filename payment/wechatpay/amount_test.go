package wechatpay

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

func TestAmountsRoundTrip(t *testing.T) {
	limits := newDesk(t, nil, nil).Limits()
	rapid.Check(t, func(t *rapid.T) {
		m := money.Of(rapid.Int64Range(-5, money.MaxMinor+5).Draw(t, "minor"), rapid.SampledFrom([]money.Currency{"CNY", "JPY", "TWD", "cny", ""}).Draw(t, "currency"))
		fen, err := toFen(m)
		if takes := limits.Takes(payment.WeChatPay, m) && m.Minor <= money.MaxMinor; takes != (err == nil) {
			t.Fatalf("Limits take %v: %t; toFen: %v", m, takes, err)
		}
		if err != nil {
			return
		}
		if fen != m.Minor { // a fen is a hundredth of a yuan, as a minor unit is
			t.Fatalf("%v went out as %d fen", m, fen)
		}
		for _, currency := range []string{"CNY", ""} {
			if back, err := fromFen(&fen, currency); err != nil || back != m {
				t.Fatalf("%v came back as %v, %v", m, back, err)
			}
		}
	})
}

func TestAmountsThatMakeNoSense(t *testing.T) {
	n := func(i int64) *int64 { return &i }
	for _, tt := range []struct {
		fen      *int64
		currency string
	}{{nil, "CNY"}, {n(0), "CNY"}, {n(-1), "CNY"}, {n(money.MaxMinor + 1), "CNY"}, {n(100), "HKD"}, {n(100), "cny"}} {
		if m, err := fromFen(tt.fen, tt.currency); err == nil {
			t.Errorf("fromFen(%v, %q) = %v", tt.fen, tt.currency, m)
		}
	}
}
