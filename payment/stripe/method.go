package stripe

import (
	"time"

	sdk "github.com/stripe/stripe-go/v85"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// method is a rail as Stripe has it.
type method struct {
	rail       payment.Rail
	kind       string // Stripe's word
	currencies []money.Currency
	max        map[money.Currency]int64
	slow       time.Duration
	place      string // ISO 3166 of where the customer must be; "": anywhere
}

// konbiniDays is how long a convenience store's slip can be paid, the least that
// Stripe lets us say: to the end of so many calendar days after its own, in Japan
// (https://docs.stripe.com/api/checkout/sessions/create, expires_after_days).
const konbiniDays = 1

// konbiniSlow is what that comes to for a slip that is made just after midnight.
const konbiniSlow = (konbiniDays + 1) * 24 * time.Hour

// methodOf finds a rail. The currencies are those of ours among Stripe's:
// https://docs.stripe.com/payments/alipay/accept-a-payment, /wechat-pay,
// /paypay (Japanese accounts, ¥50 to ¥1,000,000) and /konbini. Which of them an
// account may really use depends on its country.
func methodOf(rail payment.Rail) (method, bool) {
	for _, m := range []method{
		{rail: payment.Card, kind: "card", currencies: sold()},
		{rail: payment.Alipay, kind: "alipay", currencies: []money.Currency{"JPY", "USD", "CNY", "HKD", "EUR", "GBP", "SGD"}},
		{rail: payment.WeChatPay, kind: "wechat_pay", currencies: []money.Currency{"JPY", "USD", "CNY", "HKD", "EUR", "GBP", "SGD"}},
		{rail: payment.PayPay, kind: "paypay", currencies: []money.Currency{"JPY"}, max: map[money.Currency]int64{"JPY": 1_000_000}, place: "JP"},
		{rail: payment.Konbini, kind: "konbini", currencies: []money.Currency{"JPY"}, max: map[money.Currency]int64{"JPY": 300_000}, slow: konbiniSlow, place: "JP"},
	} {
		if m.rail == rail {
			return m, true
		}
	}
	return method{}, false
}

func sold() (all []money.Currency) {
	for _, e := range exponents {
		all = append(all, e.currency)
	}
	return all
}

// options are what Stripe wants to know of some methods.
func (m method) options() *sdk.CheckoutSessionCreatePaymentMethodOptionsParams {
	switch m.rail {
	case payment.WeChatPay:
		return &sdk.CheckoutSessionCreatePaymentMethodOptionsParams{
			WeChatPay: &sdk.CheckoutSessionCreatePaymentMethodOptionsWeChatPayParams{Client: sdk.String("web")},
		}
	case payment.Konbini:
		return &sdk.CheckoutSessionCreatePaymentMethodOptionsParams{
			Konbini: &sdk.CheckoutSessionCreatePaymentMethodOptionsKonbiniParams{ExpiresAfterDays: sdk.Int64(konbiniDays)},
		}
	case payment.Card, payment.PayPal, payment.LINEPay, payment.Alipay, payment.PayPay, payment.Wallet:
	}
	return nil
}

// Everything is an adapter of every rail that Stripe has, for what [Adapter.Limits]
// say of them. It knows no account and calls nobody.
func Everything() *Adapter {
	return &Adapter{rails: []payment.Rail{payment.Card, payment.Alipay, payment.WeChatPay, payment.PayPay, payment.Konbini}}
}
