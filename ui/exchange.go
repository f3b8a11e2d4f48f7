package ui

import (
	"math/big"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
)

// Rate says a rate of exchange with its source, its day and the seller's margin.
func (v Voice) Rate(r money.Rate, m catalogue.Margin) string {
	key := "exchange.rate"
	if m.Percent > 0 {
		key += ".margin"
	}
	source := r.Source
	if texts.Has("exchange.source." + source) {
		source = v.T("exchange.source." + source)
	}
	return v.Say(key, locale.Args{
		"from": string(r.From), "to": string(r.To), "rate": figures(big.NewRat(r.Numerator, r.Denominator)),
		"source": source, "date": v.date(r.Date), "percent": figures(big.NewRat(max(0, m.Percent), max(1, m.Scale))),
	})
}

func (v Voice) date(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return locale.Day(v.Lang, t, time.UTC)
}

// figures writes a positive number with six significant figures at most, for
// people to compare; the exact one is what is calculated with.
func figures(n *big.Rat) string {
	decimals := 5
	for ten := big.NewRat(10, 1); n.Cmp(ten) >= 0 && decimals > 0; ten.Mul(ten, big.NewRat(10, 1)) {
		decimals--
	}
	for small := big.NewRat(1, 1); n.Sign() > 0 && n.Cmp(small) < 0 && decimals < 12; small.Quo(small, big.NewRat(10, 1)) {
		decimals++
	}
	s := n.FloatString(decimals)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
