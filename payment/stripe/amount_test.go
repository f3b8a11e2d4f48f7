package stripe

import (
	"strings"
	"testing"

	sdk "github.com/stripe/stripe-go/v85"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

func TestAmountsAsStripeWantsThem(t *testing.T) {
	tests := []struct {
		m        money.Money
		amount   int64
		currency string
	}{
		{money.Of(1980, "JPY"), 1980, "jpy"},
		{money.Of(1234, "CNY"), 1234, "cny"},
		{money.Of(30000, "TWD"), 30000, "twd"},
		{money.Of(990, "USD"), 990, "usd"},
		{money.Of(15000, "KRW"), 15000, "krw"},
	}
	for _, tt := range tests {
		amount, currency, err := toStripe(tt.m)
		if err != nil || amount != tt.amount || currency != tt.currency {
			t.Errorf("toStripe(%v) = %d %s, %v; want %d %s", tt.m, amount, currency, err, tt.amount, tt.currency)
		}
	}
	for _, m := range []money.Money{money.Of(100, money.Points), money.Of(100, "ISK"), money.Of(100, "jpy"), money.Of(0, "JPY"), money.Of(-1, "USD"), {}} {
		if amount, currency, err := toStripe(m); err == nil {
			t.Errorf("toStripe(%v) = %d %s, want an error", m, amount, currency)
		}
	}
}

// Every amount that Limits take goes to Stripe and back unchanged, and the
// digits that Stripe sees are the digits the customer confirmed: no currency is
// ever multiplied by a hundred on the way.
func TestAmountsRoundTrip(t *testing.T) {
	limits := (&Adapter{rails: []payment.Rail{payment.Card}}).Limits()
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(limits.Currencies[payment.Card]).Draw(t, "currency")
		m := money.Of(rapid.Int64Range(1, money.MaxMinor).Draw(t, "minor"), c)
		amount, currency, err := toStripe(m)
		if err != nil {
			t.Fatal(err)
		}
		if currency != strings.ToLower(string(c)) {
			t.Fatalf("%v went out as %s", m, currency)
		}
		back, err := fromStripe(amount, sdk.Currency(currency))
		if err != nil || back != m {
			t.Fatalf("%v came back as %v, %v", m, back, err)
		}
		if amount != m.Minor {
			t.Fatalf("%v went out as %d", m, amount)
		}
	})
}

// Moving the decimal point never rounds and never wraps.
func TestShift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(-money.MaxMinor, money.MaxMinor).Draw(t, "n")
		places := rapid.IntRange(0, 6).Draw(t, "places")
		up, err := shift(n, places)
		if err != nil {
			if n <= money.MaxMinor/1_000_000 && n >= -money.MaxMinor/1_000_000 {
				t.Fatalf("shift(%d, %d): %v", n, places, err)
			}
			return
		}
		if (up < 0) != (n < 0) || (places == 0) != (up == n) && n != 0 {
			t.Fatalf("shift(%d, %d) = %d", n, places, up)
		}
		if down, err := shift(up, -places); err != nil || down != n {
			t.Fatalf("shift(%d, -%d) = %d, %v; want %d", up, places, down, err, n)
		}
		if up%10 != 0 {
			if down, err := shift(up, -1); err == nil {
				t.Fatalf("shift(%d, -1) rounds to %d", up, down)
			}
		}
	})
}
