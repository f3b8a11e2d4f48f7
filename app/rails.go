package app

import (
	"cmp"
	"slices"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/alipay"
	"github.com/tsuzuku/tsuzuku/payment/antom"
	"github.com/tsuzuku/tsuzuku/payment/linepay"
	"github.com/tsuzuku/tsuzuku/payment/paypal"
	"github.com/tsuzuku/tsuzuku/payment/paypay"
	"github.com/tsuzuku/tsuzuku/payment/stripe"
	"github.com/tsuzuku/tsuzuku/payment/wechatpay"
)

// RailFact is what one adapter can do with one way to pay, as its provider's
// documents say. Amounts are minor units of the currency (ISO 4217).
type RailFact struct {
	Rail       payment.Rail             `json:"rail"`
	Adapter    string                   `json:"adapter"`
	Sellers    string                   `json:"sellers"` // where the seller's account must be
	Customers  string                   `json:"customers"`
	Currencies []money.Currency         `json:"currencies"`
	Least      map[money.Currency]int64 `json:"least,omitempty"`
	Most       map[money.Currency]int64 `json:"most,omitempty"`
	Places     []string                 `json:"places,omitempty"`     // where the customer must be while paying, ISO 3166; none: anywhere
	SlowHours  int                      `json:"slow_hours,omitempty"` // how long the money may take after the customer's part
	RefundDays int                      `json:"refund_days"`          // 0: no last day is documented
	Partial    bool                     `json:"partial_refunds"`
	OwnPage    bool                     `json:"provider_page"` // a page of the provider must be loaded
	Recurring  bool                     `json:"recurring"`     // the rail's document knows charges without a page; which of them we save is a matter of payment.Keeper
	AsOf       string                   `json:"as_of"`         // when the source was read
	Source     string                   `json:"source"`
}

// RailFacts are all that this program knows, by rail and adapter.
func RailFacts() []RailFact {
	everywhere := "anybody"
	var all []RailFact
	add := func(p payment.Provider, rail payment.Rail, sellers, customers string, recurring bool, source string) {
		l := p.Limits()
		f := RailFact{
			Rail: rail, Adapter: p.Name(), Sellers: sellers, Customers: customers, Currencies: l.Currencies[rail], Least: l.Min, Most: l.Max,
			Places:    l.Places[rail],
			SlowHours: int(l.Slow[rail].Hours()), RefundDays: int(l.RefundWithin.Hours() / 24), Partial: l.Partial, OwnPage: l.OwnPage,
			Recurring: recurring, AsOf: "2026", Source: source,
		}
		if less, ok := l.RailMax[rail]; ok {
			f.Most = less
		}
		f.Least, f.Most = of(f.Least, f.Currencies), of(f.Most, f.Currencies)
		all = append(all, f)
	}
	s := stripe.Everything()
	add(s, payment.Card, "where Stripe is", everywhere, true, "https://docs.stripe.com/currencies")
	add(s, payment.Alipay, "JP, HK, SG, US, EU …", "holders of Alipay", false, "https://docs.stripe.com/payments/alipay/accept-a-payment")
	add(s, payment.WeChatPay, "JP, HK, SG, US, EU …", "holders of WeChat Pay", false, "https://docs.stripe.com/payments/wechat-pay")
	add(s, payment.PayPay, "JP", "in Japan", false, "https://docs.stripe.com/payments/paypay")
	add(s, payment.Konbini, "JP", "in Japan", false, "https://docs.stripe.com/payments/konbini")
	add(new(paypal.Adapter), payment.PayPal, "where PayPal is", everywhere, true, "https://developer.paypal.com/docs/api/orders/v2/")
	for currency, where := range map[money.Currency]string{"TWD": "TW", "THB": "TH"} {
		contract := linepay.Config{ChannelID: "any", ChannelSecret: "any", Currency: currency}
		if l, err := linepay.New(contract, nil, nil, nil); err == nil {
			add(l, payment.LINEPay, where, "holders of LINE Pay there", true, "https://developers-pay.line.me/online")
		}
	}
	add(new(paypay.Adapter), payment.PayPay, "JP", "in Japan", false, "https://www.paypay.ne.jp/opa/doc/v1.0/webcashier")
	add(new(alipay.Adapter), payment.Alipay, "CN", "holders of Alipay", false, "https://opendocs.alipay.com")
	add(new(wechatpay.Adapter), payment.WeChatPay, "CN", "holders of WeChat Pay", false, "https://pay.weixin.qq.com/doc/v3/merchant/4012525171")
	a := antom.Everything()
	add(a, payment.Alipay, "JP, HK, SG, US, UK, EEA", "holders of Alipay", true, "https://docs.antom.com/ac/antomop/alipay_cn.md")
	add(a, payment.PayPay, "JP, HK, SG, US, UK, EEA", "in Japan", false, "https://docs.antom.com/ac/antomop/paypay_mdx.md")
	add(a, payment.LINEPay, "HK, SG, US, UK, EEA", "holders of LINE Pay in Thailand", true, "https://docs.antom.com/ac/antomop/rabbitlinepay.md")
	slices.SortStableFunc(all, func(a, b RailFact) int {
		return cmp.Or(cmp.Compare(a.Rail, b.Rail), cmp.Compare(a.Adapter, b.Adapter), cmp.Compare(a.Sellers, b.Sellers))
	})
	return all
}

func of(limits map[money.Currency]int64, currencies []money.Currency) map[money.Currency]int64 {
	out := map[money.Currency]int64{}
	for _, c := range currencies {
		if n, ok := limits[c]; ok {
			out[c] = n
		}
	}
	return out
}
