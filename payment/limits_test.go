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
		want  payment.Misfit
		limit int64
	}{
		{payment.LINEPay, 30_000, "TWD", "", 0},
		{payment.LINEPay, 30_050, "TWD", payment.NotWhole, 100}, // cents
		{payment.LINEPay, 0, "TWD", payment.TooLittle, 100},
		{payment.LINEPay, 1980, "JPY", payment.WrongCurrency, 0}, // no such currency on this rail
		{payment.PayPay, 1_000_000, "JPY", "", 0},
		{payment.PayPay, 1_000_001, "JPY", payment.TooMuch, 1_000_000}, // the rail's own most, not the provider's
		{payment.PayPay, 49, "JPY", payment.TooLittle, 50},
		{payment.Card, 1980, "JPY", payment.WrongCurrency, 0}, // no such rail
	} {
		m := money.Of(tt.minor, tt.in)
		got, limit := l.Misfit(tt.rail, m)
		if got != tt.want || limit.Minor != tt.limit || tt.limit > 0 && limit.Currency != tt.in || l.Takes(tt.rail, m) != (tt.want == "") {
			t.Errorf("%d %s by %s: %q, %v, takes %t; want %q, %d", tt.minor, tt.in, tt.rail, got, limit, l.Takes(tt.rail, m), tt.want, tt.limit)
		}
	}
}

// A rail of one country is for those who may be there; nobody is refused for
// what is not known of them.
func TestLimitsReach(t *testing.T) {
	l := payment.Limits{Places: map[payment.Rail][]string{payment.PayPay: {"JP"}}}
	for _, tt := range []struct {
		rail      payment.Rail
		countries []string
		want      bool
	}{
		{payment.PayPay, nil, true},
		{payment.PayPay, []string{"JP"}, true},
		{payment.PayPay, []string{"KR", "JP"}, true}, // a line for Korea, bought at home in Japan
		{payment.PayPay, []string{"KR"}, false},
		{payment.Card, []string{"KR"}, true},
	} {
		if got := l.Reaches(tt.rail, tt.countries); got != tt.want {
			t.Errorf("%s in %v: %t, want %t", tt.rail, tt.countries, got, tt.want)
		}
	}
}
