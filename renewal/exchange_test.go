package renewal

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/money"
)

// A converted price is the list price at the rate and the margin, rounded up
// once to what it is a multiple of: never less, and never a whole unit more.
func TestConvertedIsRoundedUpOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := catalogue.Exchange{
			Margin:  catalogue.Margin{Percent: rapid.Int64Range(0, 2000).Draw(t, "margin"), Scale: 100},
			RoundTo: map[money.Currency]int64{"HKD": rapid.Int64Range(0, 1000).Draw(t, "unit")},
		}
		r := money.Rate{
			From: "JPY", To: "HKD", Numerator: rapid.Int64Range(1, 1e9).Draw(t, "num"), Denominator: rapid.Int64Range(1, 1e9).Draw(t, "den"),
			Source: "ECB", Date: "2026-04-13",
		}
		m := money.Of(rapid.Int64Range(1, 1_000_000).Draw(t, "yen"), "JPY")
		got, err := converted(m, r, x)
		if err != nil {
			return // beyond what an amount can be
		}
		exact := new(big.Rat).Mul(big.NewRat(m.Minor, 1), big.NewRat(r.Numerator, r.Denominator)) // dollars
		exact.Mul(exact, big.NewRat(10_000+x.Margin.Percent, 100))                                // cents, with the margin
		unit := max(1, x.RoundTo["HKD"])
		over := new(big.Rat).Sub(big.NewRat(got.Minor, 1), exact)
		if got.Currency != "HKD" || got.Minor%unit != 0 || over.Sign() < 0 || over.Cmp(big.NewRat(unit, 1)) >= 0 {
			t.Fatalf("%s at %+v with %+v is %s; exactly %s", m, r, x, got, exact.FloatString(4))
		}
	})
}

// A price that stands in a list is the price; only what has none is converted,
// and says from what.
func TestOnlyWhatHasNoPriceIsConverted(t *testing.T) {
	rate := money.Rate{From: "JPY", To: "KRW", Numerator: 174086, Denominator: 18675, Source: "ECB", Date: "2026-04-13"}
	s := Situation{Currency: "KRW", Rate: rate, Catalogue: &catalogue.Catalogue{Seller: catalogue.Seller{Exchange: catalogue.Exchange{
		To: []money.Currency{"KRW"}, Margin: catalogue.Margin{Percent: 25, Scale: 10}, RoundTo: map[money.Currency]int64{"KRW": 100},
	}}}}
	for _, tt := range []struct {
		name   string
		prices []money.Money
		n      int64
		rate   money.Rate
		want   money.Money
		list   money.Money
		none   bool
	}{
		{name: "listed", prices: []money.Money{money.Of(1980, "JPY"), money.Of(17_500, "KRW")}, n: 1, rate: rate, want: money.Of(17_500, "KRW")},
		{name: "converted", prices: []money.Money{money.Of(1980, "JPY")}, n: 1, rate: rate, want: money.Of(19_000, "KRW"), list: money.Of(1980, "JPY")},
		{name: "several at once", prices: []money.Money{money.Of(100, "JPY")}, n: 20, rate: rate, want: money.Of(19_200, "KRW"), list: money.Of(2000, "JPY")},
		{name: "no rate", prices: []money.Money{money.Of(1980, "JPY")}, n: 1, none: true},
		{name: "another rate", prices: []money.Money{money.Of(1980, "USD")}, n: 1, rate: rate, none: true},
		{name: "a rate to another", prices: []money.Money{money.Of(1980, "JPY")}, n: 1, rate: money.Rate{From: "JPY", To: "HKD", Numerator: 1, Denominator: 20, Source: "ECB", Date: "2026-04-13"}, none: true},
	} {
		s.Rate = tt.rate
		got, list, ok := s.priceOf(tt.prices, tt.n)
		if ok == tt.none || ok && (got != tt.want || list != tt.list) {
			t.Errorf("%s: %s from %s, %t; want %s from %s", tt.name, got, list, ok, tt.want, tt.list)
		}
	}
}
