package e2e

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/world"
)

// A traveller renews while each stranger misbehaves in each way that the town's
// panel offers, in three languages, does what the pages say, and is served once
// or gets everything back.
func TestTravellerMeetsEveryTrouble(t *testing.T) {
	for _, lang := range []string{"en", "zh-Hans", "ja"} {
		t.Run(lang, func(t *testing.T) {
			d := openDemo(t)
			b := openTab(t, d, lang, true)
			b.pictures = t.ArtifactDir() // kept with -artifacts
			b.signIn("/")
			for _, trouble := range b.troubles() {
				if strings.HasPrefix(trouble, "pay-") {
					b.meets(trouble, simplePlan, "card")
					continue
				}
				b.meets(trouble, simplePlan, "wallet")
				b.meets(trouble, accessPlan, "card")
			}
			d.judge(t)
			d.compareCharges(t)
		})
	}
}

// troubles are the buttons of the town's panel.
func (b *tab) troubles() []string {
	b.t.Helper()
	b.open("/sim/")
	all := eval[[]string](b, `[...document.querySelectorAll('form[action="/sim/trouble"] button')].map(b => b.value)`)
	if len(all) < 12 {
		b.t.Fatalf("the panel has only %d ways to misbehave", len(all))
	}
	return all
}

// meets buys one period while somebody misbehaves, and checks how it ends.
func (b *tab) meets(trouble, plan, tool string) {
	b.t.Helper()
	b.arm(trouble)
	before := len(b.demo.Strangers.Inbox.To(world.Traveller))
	b.chooseOffer(plan)
	b.pay(tool)
	o := b.persist("card")
	want := order.Completed
	if slices.Contains([]string{"operator-refuse", "operator-silent"}, trouble) {
		want = order.Refunded
	}
	if o.State != want {
		b.t.Errorf("%s, %s by %s: order %s is %s, want %s\n%s", trouble, plan, tool, o.ID, o.State, want, b.words())
	}
	b.until("the customer is told", func() bool { return len(b.demo.Strangers.Inbox.To(world.Traveller)) > before })
	b.screens(fmt.Sprintf("%s-%s-%s", trouble, plan, tool))
}

// arm presses one button of the town's panel.
func (b *tab) arm(trouble string) {
	b.t.Helper()
	b.open("/sim/")
	b.press(fmt.Sprintf(`button[value="%s"]`, trouble))
}

// rounds is how often a customer looks again: an operator may be silent for half
// an hour before the money goes back.
const rounds = 40

// persist does what a customer does who wants to be served: pays on the
// provider's page or with the phone, presses the order page's button again if it
// is there, or waits. It ends on the page of an order that has ended.
func (b *tab) persist(tool string) order.Order {
	b.t.Helper()
	id := b.demo.orders(b.t)[0].ID
	for range rounds {
		if strings.HasPrefix(b.path(), "/sim/") && b.has("#pay") {
			b.press("#pay")
			continue
		}
		o := b.order(id)
		b.open("/orders/" + id)
		if slices.Contains([]order.State{order.Completed, order.Refunded, order.Cancelled}, o.State) {
			return o
		}
		if b.goOn() {
			continue
		}
		if pay := `form[action="/orders/` + id + `/pay"]`; b.has(pay) {
			b.do(chromedp.Click(pay+` input[value="`+tool+`"]`, chromedp.ByQuery))
			b.press(pay + " button")
			continue
		}
		b.open("/sim/")
		b.press(`button[value="minutes"]`)
	}
	b.t.Fatalf("order %s never ended:\n%s", id, b.whereabouts())
	return order.Order{}
}

// goOn follows what the order's page shows of an open payment: the provider's
// page, or the code, with the phone. It says whether there was something to do.
func (b *tab) goOn() bool {
	b.t.Helper()
	live, ok := b.demo.openPayment(b.t)
	switch {
	case !ok || !b.has("#way"):
		return false
	case live.Next.RedirectURL != "":
		b.press(`#way a.button`)
	default:
		b.screens("code-" + live.Provider)
		b.open("/sim/")
		if !b.has("a.code") { // settled while we walked there
			return false
		}
		b.press("a.code")
	}
	return b.has("#pay")
}

// openPayment is the open attempt of the newest order.
func (d *theDemo) openPayment(t *testing.T) (live order.Payment, ok bool) {
	t.Helper()
	newest := d.orders(t)[0]
	d.read(t, func(ctx context.Context, tx db.Tx) error {
		all, err := order.Payments(ctx, tx, newest.Ref())
		for _, p := range all {
			if p.Live {
				live, ok = p, true
			}
		}
		return err
	})
	return live, ok
}

func (b *tab) order(id string) order.Order {
	b.t.Helper()
	all := b.demo.orders(b.t)
	return all[slices.IndexFunc(all, func(o order.Order) bool { return o.ID == id })]
}

// tools are all that a traveller can pay with in the demo, each in a currency
// that its provider takes.
var tools = []struct{ rail, currency string }{
	{"card", "USD"}, {"paypal", "JPY"}, {"alipay", "CNY"}, {"wechat_pay", "CNY"}, {"paypay", "JPY"}, {"line_pay", "TWD"},
}

// A traveller pays with each tool, after a refusal, and while an answer is lost:
// each time one period for one price.
func TestTravellerPaysWithEveryTool(t *testing.T) {
	d := openDemo(t)
	b := openTab(t, d, "zh-Hans", true)
	b.pictures = t.ArtifactDir() // kept with -artifacts
	b.signIn("/")
	for _, tool := range tools {
		for _, trouble := range []string{"", "pay-decline", "pay-lost"} {
			if trouble != "" {
				b.arm(trouble)
			}
			b.chooseOfferIn(simplePlan, tool.currency)
			b.pay(tool.rail)
			if o := b.persist(tool.rail); o.State != order.Completed || string(o.Tool) != tool.rail || string(o.Price.Currency) != tool.currency {
				t.Errorf("%s, %s: order %s for %s by %s is %s\n%s", tool.rail, trouble, o.ID, o.Price, o.Tool, o.State, b.words())
			}
			b.screens("paid-" + tool.rail)
		}
	}
	d.judge(t)
	d.compareCharges(t)
}

// compareCharges asks the providers what they kept: the price of every completed
// order that was not paid from the wallet, and nothing else.
func (d *theDemo) compareCharges(t *testing.T) {
	t.Helper()
	kept, sold := map[money.Currency]int64{}, map[money.Currency]int64{}
	for _, bank := range d.Strangers.Banks {
		for _, ref := range bank.Charged() {
			kept[bank.Captured(ref).Currency] += bank.Captured(ref).Minor - bank.Refunded(ref).Minor
		}
	}
	for _, o := range d.orders(t) {
		if o.State == order.Completed && o.Tool != order.ToolWallet {
			sold[o.Price.Currency] += o.Price.Minor
		}
	}
	maps.DeleteFunc(kept, func(_ money.Currency, minor int64) bool { return minor == 0 })
	if !maps.Equal(kept, sold) {
		t.Errorf("the providers kept %v, and %v was sold", kept, sold)
	}
}
