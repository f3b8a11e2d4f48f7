package catalogue

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
)

// Points pay as much as the rule says and the customer has, in whole points, and
// one more would be too many.
func TestSpendable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := PointsRule{
			Worth:       map[money.Currency]int64{"JPY": rapid.Int64Range(0, 50).Draw(t, "worth")},
			MostPercent: rapid.Int64Range(0, 100).Draw(t, "most"),
		}
		has := rapid.Int64Range(-1, 2_000_000).Draw(t, "has")
		price := money.Of(rapid.OneOf(rapid.Int64Range(0, 5_000), rapid.Int64Range(0, money.MaxMinor)).Draw(t, "price"), "JPY")
		points, discount := r.Spendable(has, price)
		fits := func(points int64) bool { // points × worth × 100 ≤ price × most
			left := new(big.Int).Mul(big.NewInt(points*r.Worth["JPY"]), big.NewInt(100))
			return left.Cmp(new(big.Int).Mul(big.NewInt(price.Minor), big.NewInt(r.MostPercent))) <= 0
		}
		switch {
		case points < 0 || points > max(0, has) || discount != money.Of(points*r.Worth["JPY"], "JPY"):
			t.Fatalf("%d of %d points, %v", points, has, discount)
		case !fits(points):
			t.Fatalf("%d points pay more than %d %% of %v", points, r.MostPercent, price)
		case r.Worth["JPY"] > 0 && points < has && fits(points+1):
			t.Fatalf("%d of %d points pay for %v, and one more could", points, has, price)
		}
	})
}

// A shop that gives back with points what it takes is warned.
func TestPointsWorthTooMuch(t *testing.T) {
	file := strings.Replace(string(DemoFile()), "worth: {JPY: 1,", "worth: {JPY: 100,", 1)
	_, warnings, err := Check("x", []byte(file))
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0].Message, "worth as much in JPY") {
		t.Errorf("%v, %v", warnings, err)
	}
}
