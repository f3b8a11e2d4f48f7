package upstream

import (
	"cmp"
	"fmt"
	"math/big"
	"strings"

	"github.com/tsuzuku/tsuzuku/money"
)

// margins says what an item leaves of each of its prices.
func (c *comparison) margins(i Item, costs *big.Rat, in money.Currency, from string) {
	if in.Validate() != nil {
		return // told already
	}
	var losses, thin []string
	least := c.cat.Seller.LeastMargin
	for _, price := range i.prices {
		rate, name, ok := c.rate(in, price.Currency)
		if !ok {
			continue
		}
		net := new(big.Rat).Quo(whole(price), withTax(i))
		cost := new(big.Rat).Mul(costs, rate)
		left := new(big.Rat).Sub(net, cost)
		share := new(big.Rat).Quo(left, net) // a price is above zero
		m := Margin{
			Item: i, Price: price, Net: rounded(net, price.Currency), Cost: rounded(cost, price.Currency), Margin: floored(left, price.Currency),
			BasisPoints: floor(new(big.Rat).Mul(share, big.NewRat(10_000, 1))), From: from, Rate: name,
		}
		c.report.Margins = append(c.report.Margins, m)
		told := fmt.Sprintf("%s of %s (%s)", shown(m.Margin), shown(m.Net), Percent(m.BasisPoints))
		switch {
		case left.Sign() < 0:
			losses = append(losses, told)
		case least.Percent > 0 && share.Cmp(big.NewRat(least.Percent, 100*least.Scale)) < 0:
			thin = append(thin, told)
		}
	}
	if len(losses) > 0 {
		c.find(Bad, Loss, i, "%s: costs %s and is sold at a loss: %s.", i, shown(minor(costs, in)), strings.Join(losses, ", "))
	}
	if len(thin) > 0 {
		c.find(Warn, ThinMargin, i, "%s: costs %s and leaves less than you want: %s.", i, shown(minor(costs, in)), strings.Join(thin, ", "))
	}
}

// Percent writes basis points: "12.5 %", "-0.03 %".
func Percent(basisPoints int64) string {
	return strings.TrimRight(strings.TrimRight(big.NewRat(basisPoints, 100).FloatString(2), "0"), ".") + " %"
}

// withTax is a price with its tax, where 1 is the price without.
func withTax(i Item) *big.Rat {
	tax := big.NewRat(i.tax.Percent, 100*max(1, i.tax.Scale))
	return tax.Add(tax, big.NewRat(1, 1))
}

// rate is how many whole units of one currency one of another is worth, and whose rate
// of which day that is. Where there is none it says so, once.
func (c *comparison) rate(from, to money.Currency) (rate *big.Rat, name string, ok bool) {
	if from == to {
		return big.NewRat(1, 1), "", true
	}
	sheet, days := c.rates.Sheet, cmp.Or(c.cat.Seller.Exchange.MaxDays, mostDays)
	tell := func(why string) (*big.Rat, string, bool) {
		c.once(Note, NoRate, "", fmt.Sprintf("What costs %s leaves of prices in %s is not known: %s.", from, to, why))
		return nil, "", false
	}
	if sheet.Day == "" {
		return tell("no rates were imported, see tsuzuku rates import")
	}
	if !sheet.Fresh(c.rates.Now, days) {
		return tell(fmt.Sprintf("the rates are of %s, which is more than %d days ago", sheet.Day, days))
	}
	r, ok := sheet.Rate(from, to)
	if !ok {
		return tell(fmt.Sprintf("%s publishes no rate for it", sheet.Source))
	}
	return big.NewRat(r.Numerator, r.Denominator), sheet.Source + " " + sheet.Day, true
}

// rounded is an amount to the nearest minor unit, a half up.
func rounded(r *big.Rat, c money.Currency) money.Money {
	n := new(big.Rat).Mul(r, new(big.Rat).SetInt(scaleOf(c)))
	return money.Of(floor(n.Add(n, big.NewRat(1, 2))), c)
}

func floored(r *big.Rat, c money.Currency) money.Money {
	return money.Of(floor(new(big.Rat).Mul(r, new(big.Rat).SetInt(scaleOf(c)))), c)
}

// floor is the next whole number below; of what is out of range, the end of it.
func floor(r *big.Rat) int64 {
	q := new(big.Int).Div(r.Num(), r.Denom()) // Euclidean: the denominator is positive
	switch {
	case q.IsInt64():
		return q.Int64()
	case q.Sign() < 0:
		return -money.MaxMinor
	}
	return money.MaxMinor
}
