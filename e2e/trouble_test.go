package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

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
				if strings.HasPrefix(trouble, "card-") {
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
	b.open("/sim/")
	b.press(fmt.Sprintf(`button[value="%s"]`, trouble))
	before := len(b.demo.Strangers.Inbox.To(world.Traveller))
	b.chooseOffer(plan)
	b.pay(tool)
	o := b.persist()
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

// rounds is how often a customer looks again: an operator may be silent for half
// an hour before the money goes back.
const rounds = 40

// persist does what a customer does who wants to be served: pays on the card's
// page, presses the order page's button again if it is there, or waits. It ends on
// the page of an order that has ended.
func (b *tab) persist() order.Order {
	b.t.Helper()
	id := b.demo.orders(b.t)[0].ID
	for range rounds {
		if strings.HasPrefix(b.path(), "/sim/stripe/pay/") {
			b.press("#pay")
			continue
		}
		o := b.order(id)
		b.open("/orders/" + id)
		if slices.Contains([]order.State{order.Completed, order.Refunded, order.Cancelled}, o.State) {
			return o
		}
		if pay := `form[action="/orders/` + id + `/pay"]`; b.has(pay) {
			b.do(chromedp.Click(pay+` input[value="card"]`, chromedp.ByQuery))
			b.press(pay + " button")
			continue
		}
		b.open("/sim/")
		b.press(`button[value="minutes"]`)
	}
	b.t.Fatalf("order %s never ended:\n%s", id, b.whereabouts())
	return order.Order{}
}

func (b *tab) order(id string) order.Order {
	b.t.Helper()
	all := b.demo.orders(b.t)
	return all[slices.IndexFunc(all, func(o order.Order) bool { return o.ID == id })]
}

// compareCharges asks the card provider what it kept: the price of every
// completed order that was paid by card, and nothing else.
func (d *theDemo) compareCharges(t *testing.T) {
	t.Helper()
	var kept, sold int64
	for _, ch := range d.Strangers.Stripe.Charges() {
		if ch.Status == "succeeded" {
			kept += ch.Captured.Minor - ch.Refunded.Minor
		}
	}
	for _, o := range d.orders(t) {
		if o.State == order.Completed && o.Tool == card {
			sold += o.Price.Minor
		}
	}
	if kept != sold {
		t.Errorf("the card provider kept %d, and %d was sold by card", kept, sold)
	}
}
