package app

import (
	"slices"
	"testing"

	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/world"
)

// Whatever can be paid with is in the table, with currencies and a source.
func TestRailFactsAreWhole(t *testing.T) {
	var seen []payment.Rail
	for _, f := range RailFacts() {
		seen = append(seen, f.Rail)
		if len(f.Currencies) == 0 || f.Currencies[0] == "" || f.Source == "" || f.AsOf == "" || f.Sellers == "" || f.Customers == "" {
			t.Errorf("%s through %s: %+v", f.Rail, f.Adapter, f)
		}
		for c, n := range f.Least {
			if most, ok := f.Most[c]; ok && n > most {
				t.Errorf("%s through %s: least %d, most %d %s", f.Rail, f.Adapter, n, most, c)
			}
		}
	}
	for _, rail := range []payment.Rail{
		payment.Card, payment.PayPal, payment.LINEPay, payment.Alipay, payment.WeChatPay, payment.PayPay, payment.Konbini,
	} {
		if !slices.Contains(seen, rail) {
			t.Errorf("nothing is said of %s", rail)
		}
	}
}

// The seller's choice of adapter counts, and a choice that cannot be is refused
// with what there is.
func TestChoosingRails(t *testing.T) {
	town := func() Adapters {
		a := Adapters{Providers: map[string]payment.Provider{}, Rails: map[payment.Rail]string{}}
		c := Config{URL: "https://shop.example", Rail: nil}
		c.Stripe = Stripe{Key: "sk_test_1", WebhookSecret: []Secret{"whsec_1"}, Rails: []payment.Rail{payment.Card, payment.PayPay}}
		c.PayPay = PayPay{Key: "k", Secret: "s", MerchantID: "m"}
		keys, err := world.NewKeys()
		if err != nil {
			t.Fatal(err)
		}
		c.Antom = Antom{ClientID: world.AntomClient, PrivateKey: Secret(keys.PrivatePEM()), PublicKey: []Secret{Secret(keys.PublicPEM())}, Rails: []payment.Rail{payment.PayPay}}
		if err := a.payments(c, Env{}, nil); err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, tt := range []struct {
		chosen map[payment.Rail]string
		paypay string // "" is an error
	}{
		{nil, "stripe"},
		{map[payment.Rail]string{payment.PayPay: "paypay"}, "paypay"},
		{map[payment.Rail]string{payment.PayPay: "antom"}, "antom"},
		{map[payment.Rail]string{payment.Alipay: "antom"}, ""}, // not in its contract
		{map[payment.Rail]string{payment.PayPay: "alipay"}, ""},
		{map[payment.Rail]string{payment.Card: "paypay"}, ""},
	} {
		a := town()
		err := a.chooseRails(tt.chosen)
		if (err == nil) != (tt.paypay != "") {
			t.Errorf("%v: %v", tt.chosen, err)
		}
		if err == nil && (a.Rails[payment.PayPay] != tt.paypay || a.Rails[payment.Card] != "stripe") {
			t.Errorf("%v: rails %v", tt.chosen, a.Rails)
		}
	}
}
