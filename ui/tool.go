package ui

import (
	"strings"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// NotOffered says why a way to pay cannot pay a price in a currency.
func (v Voice) NotOffered(u order.Unoffered, c money.Currency) string {
	args := locale.Args{"limit": u.Limit, "currency": v.Currency(c), "hours": int64(u.Delay.Hours())}
	var currencies, countries []string
	for _, c := range u.Currencies {
		currencies = append(currencies, v.Currency(c))
	}
	for _, code := range u.Countries {
		countries = append(countries, catalogue.CountryName(v.Lang, code))
	}
	comma := v.T("list.comma")
	args["currencies"], args["countries"] = strings.Join(currencies, comma), strings.Join(countries, comma)
	return v.Say("tool.not."+string(u.Why), args)
}

// Instead says what can pay in place of what cannot.
func (v Voice) Instead(rail payment.Rail) string {
	return v.Say("tool.instead", locale.Args{"tool": v.Tool(catalogue.Tool(rail))})
}
