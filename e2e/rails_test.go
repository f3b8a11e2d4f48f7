package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// A traveller pays with the tools of a seller who takes them through other
// adapters than the demo does by itself: Alipay and PayPay through Antom, also
// after a refusal and while an answer is lost, and what Stripe has beside cards.
func TestTravellerPaysThroughOtherAdapters(t *testing.T) {
	const antom, stripe = "antom", "stripe"
	type visit struct {
		rail, currency, trouble string
	}
	for name, tt := range map[string]struct {
		rails  map[payment.Rail]string
		visits []visit
	}{
		antom: {
			map[payment.Rail]string{payment.Alipay: antom, payment.PayPay: antom},
			[]visit{{"alipay", "CNY", ""}, {"alipay", "CNY", "pay-decline"}, {"alipay", "CNY", "pay-lost"}, {"paypay", "JPY", ""}},
		},
		stripe: {
			map[payment.Rail]string{payment.Alipay: stripe, payment.WeChatPay: stripe, payment.PayPay: stripe, payment.Konbini: stripe},
			[]visit{{"alipay", "JPY", ""}, {"wechat_pay", "CNY", ""}, {"paypay", "JPY", ""}, {"konbini", "JPY", ""}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDemoWith(t, app.DemoOptions{Rails: tt.rails, QuoteTTL: 50 * time.Hour})
			b := openTab(t, d, "ja", true)
			b.pictures = t.ArtifactDir() // kept with -artifacts
			b.signIn("/")
			for _, v := range tt.visits {
				if v.trouble != "" {
					b.arm(v.trouble)
				}
				b.open("/lines/" + d.lines[simplePlan].ID + "/renew?currency=" + v.currency)
				b.press(`ul.offers button[name="item"]`)
				b.pay(v.rail)
				if name == stripe {
					b.payAtStripe(v.rail)
				}
				o := b.persist(v.rail)
				if o.State != order.Completed || string(o.Tool) != v.rail || string(o.Price.Currency) != v.currency {
					t.Errorf("%s, %s: order %s for %s by %s is %s\n%s", v.rail, v.trouble, o.ID, o.Price, o.Tool, o.State, b.words())
				}
				if by := d.paidThrough(t, o); by != name {
					t.Errorf("%s was paid through %q", v.rail, by)
				}
			}
			d.judge(t)
			compareCharges(t, d)
		})
	}
}

// payAtStripe pays on Stripe's page with the one tool that it offers, says yes in
// the tool's app, and carries a slip to a till.
func (b *tab) payAtStripe(rail string) {
	b.t.Helper()
	b.press("#pay")
	if b.has("#approve") {
		b.press("#approve")
	}
	if rail == string(payment.Konbini) {
		b.open("/sim/")
		b.press(`form[action="/sim/till"] button`)
	}
}

// paidThrough is the adapter that collected an order.
func (d *theDemo) paidThrough(t *testing.T, o order.Order) (by string) {
	t.Helper()
	d.read(t, func(ctx context.Context, tx db.Tx) error {
		all, err := order.Payments(ctx, tx, o.Ref())
		for _, p := range all {
			if p.State == payment.Paid {
				by += p.Provider
			}
		}
		return err
	})
	return by
}
