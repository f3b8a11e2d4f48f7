package paypal

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
)

func TestAmountsAsPayPalWantsThem(t *testing.T) {
	tests := []struct {
		m     money.Money
		value string
	}{
		{money.Of(1980, "JPY"), "1980"},
		{money.Of(1, "JPY"), "1"},
		{money.Of(30000, "TWD"), "300"},
		{money.Of(29900, "HUF"), "299"},
		{money.Of(990, "USD"), "9.90"},
		{money.Of(5, "EUR"), "0.05"},
		{money.Of(100000, "THB"), "1000.00"},
	}
	for _, tt := range tests {
		got, err := toPayPal(tt.m)
		if err != nil || got != (amount{string(tt.m.Currency), tt.value}) {
			t.Errorf("toPayPal(%v) = %v, %v; want %s", tt.m, got, err, tt.value)
		}
	}
	for _, m := range []money.Money{
		money.Of(100, "CNY"), money.Of(100, "KRW"), money.Of(100, money.Points), money.Of(100, "jpy"), money.Of(0, "JPY"), money.Of(-1, "USD"),
		money.Of(30050, "TWD"), money.Of(1, "HUF"), money.Of(money.MaxMinor+1, "JPY"),
		{},
	} {
		if got, err := toPayPal(m); err == nil {
			t.Errorf("toPayPal(%v) = %v, want an error", m, got)
		}
	}
	for _, a := range []amount{
		{"JPY", ""},
		{"JPY", "1980.5"},
		{"JPY", "1,980"},
		{"JPY", "-1"},
		{"JPY", "1e3"},
		{"JPY", " 1"},
		{"USD", "9.901"},
		{"USD", "NaN"},
		{"KRW", "1"},
		{"", "1"},
		{"usd", "1.00"},
		{"JPY", "99999999999999999999"},
	} {
		if got, err := fromPayPal(a); err == nil {
			t.Errorf("fromPayPal(%v) = %v, want an error", a, got)
		}
	}
}

// Every amount that Limits take goes to PayPal and back unchanged, is the
// customer's number of yen, dollars or forints, and has decimals where PayPal
// wants them and nowhere else.
func TestAmountsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(scales).Draw(t, "scale")
		m := money.Of(rapid.Int64Range(1, money.MaxMinor/s.smallest()).Draw(t, "steps")*s.smallest(), s.currency)
		a, err := toPayPal(m)
		if err != nil {
			t.Fatal(err)
		}
		_, fraction, point := strings.Cut(a.Value, ".")
		if point != (s.decimals > 0) || len(fraction) != s.decimals {
			t.Fatalf("%v went out as %s", m, a.Value)
		}
		back, err := fromPayPal(a)
		if err != nil || back != m {
			t.Fatalf("%v came back as %v, %v", m, back, err)
		}
		if exact, err := money.Parse(a.Value, s.currency); err != nil || exact != m {
			t.Fatalf("%v went out as %s %s", m, a.Value, a.Currency)
		}
	})
}
