package renewal

import (
	"math/big"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/money"
)

// perDay is a price over days, rounded half up; zero without days.
func perDay(m money.Money, days int) money.Money {
	if days < 1 {
		return money.Money{}
	}
	n := int64(days)
	return money.Of((m.Minor+n/2)/n, m.Currency)
}

// saving is how many whole percent less a day of this term costs than a day of
// the plan's shortest one, in the same currency, rounded down: no more is
// promised than there is.
func (s Situation) saving(p catalogue.Plan, t catalogue.Term, price money.Money) int {
	base, basePrice := t, price
	for _, other := range p.Terms {
		if m, _, ok := s.priceOf(other.Prices, 1); ok && nominalDays(other.Length) < nominalDays(base.Length) {
			base, basePrice = other, m
		}
	}
	return percentLess(price, nominalDays(t.Length), basePrice, nominalDays(base.Length))
}

// percentLess is how many whole percent less a day costs at price for days than
// at base for baseDays, rounded down; 0 where there is nothing to compare with.
func percentLess(price money.Money, days int, base money.Money, baseDays int) int {
	whole := product(base.Minor, days)
	if whole.Sign() <= 0 {
		return 0
	}
	less := new(big.Int).Sub(whole, product(price.Minor, baseDays))
	less.Mul(less, big.NewInt(100))
	rest := new(big.Int)
	less.DivMod(less, whole, rest) // Euclidean: downwards, for a positive divisor
	if !less.IsInt64() {
		return 0
	}
	return int(less.Int64())
}

func product(a int64, b int) *big.Int { return new(big.Int).Mul(big.NewInt(a), big.NewInt(int64(b))) }
