package order

import (
	"context"
	"fmt"
	"slices"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/exchange"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Exchange says from what a price was converted, and how. A quote fixes it, and
// whatever is decided about its order later is decided with the same rate. The
// zero value is a price that stands in the price list.
type Exchange struct {
	List money.Money // the price in the list, in Rate.From
	Rate money.Rate
}

// exchangeOf is what was converted for an offer.
func exchangeOf(s renewal.Situation, o renewal.Offer) Exchange {
	if o.ListPrice.IsZero() {
		return Exchange{}
	}
	return Exchange{o.ListPrice, s.Rate}
}

// stored is x as a row keeps it: "1980 JPY KRW 174086/18675 2026-04-13 ECB".
func (x Exchange) stored() string {
	if x == (Exchange{}) {
		return ""
	}
	r := x.Rate
	return fmt.Sprintf("%d %s %s %d/%d %s %s", x.List.Minor, r.From, r.To, r.Numerator, r.Denominator, r.Date, r.Source)
}

// storedExchange reads it again. It fails with [fault.Internal].
func storedExchange(s string) (x Exchange, err error) {
	if s == "" {
		return x, nil
	}
	r := &x.Rate
	if _, err = fmt.Sscanf(s, "%d %s %s %d/%d %s %s", &x.List.Minor, &r.From, &r.To, &r.Numerator, &r.Denominator, &r.Date, &r.Source); err == nil {
		err = r.Validate()
	}
	if err != nil {
		return Exchange{}, fault.Wrap(fault.Internal, err, "a stored rate of exchange cannot be read")
	}
	x.List.Currency = r.From
	return x, nil
}

// Rate is what prices in the seller's base currency are converted with for a
// customer who pays in c: zero where the catalogue does not convert to it, where
// no rate was imported, and where the newest is too old.
func Rate(ctx context.Context, tx db.Tx, cat *catalogue.Catalogue, c money.Currency) (money.Rate, error) {
	x := cat.Seller.Exchange
	if !x.Converts(c) {
		return money.Rate{}, nil
	}
	sheet, err := exchange.Current(ctx, tx, exchange.ECB)
	if fault.KindOf(err) == fault.NotFound {
		return money.Rate{}, nil
	}
	if err != nil || !sheet.Fresh(tx.Now(), x.MaxDays) {
		return money.Rate{}, err
	}
	rate, _ := sheet.Rate(cat.Seller.BaseCurrency, c)
	return rate, nil
}

// PricedIn are the currencies that something can be bought in for a line of a
// plan: those of the price lists, and those that prices can be converted to now.
func PricedIn(ctx context.Context, tx db.Tx, c *catalogue.Catalogue, plan string) ([]money.Currency, error) {
	own, _ := c.Plan(plan)
	all := listed(c, own)
	for _, to := range c.Seller.Exchange.To {
		accepted := len(own.Policy.Currencies) == 0 || slices.Contains(own.Policy.Currencies, to)
		if !accepted || slices.Contains(all, to) {
			continue
		}
		rate, err := Rate(ctx, tx, c, to)
		if err != nil {
			return nil, err
		}
		if rate != (money.Rate{}) {
			all = append(all, to)
		}
	}
	return all, nil
}

// PayIn is the currency in which a customer is shown prices: the first of those that
// they want that something is priced in, the shop's own, or else the first of all.
func PayIn(c *catalogue.Catalogue, priced []money.Currency, wanted ...money.Currency) money.Currency {
	for _, w := range append(wanted, c.Seller.BaseCurrency) {
		if slices.Contains(priced, w) {
			return w
		}
	}
	if len(priced) > 0 {
		return priced[0]
	}
	return c.Seller.BaseCurrency
}

// listed are the currencies in which something of the plan is priced and may be
// paid, in the order of its price list.
func listed(c *catalogue.Catalogue, own catalogue.Plan) (all []money.Currency) {
	add := func(prices []money.Money) {
		for _, m := range prices {
			accepted := len(own.Policy.Currencies) == 0 || slices.Contains(own.Policy.Currencies, m.Currency)
			if accepted && !slices.Contains(all, m.Currency) {
				all = append(all, m.Currency)
			}
		}
	}
	for _, id := range append([]string{own.ID}, own.Policy.ChangeTo...) {
		p, _ := c.Plan(id)
		for _, t := range p.Terms {
			add(t.Prices)
		}
	}
	for _, k := range own.Packs {
		add(k.Prices)
	}
	return all
}
