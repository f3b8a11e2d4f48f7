package e2e

import (
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/order"
)

// A traveller's bank takes a payment back. The order says so, nothing more can be
// bought, and what is owed can be paid with another tool; after that everything
// is as before. When the bank decides for the seller, what was paid twice is in
// the wallet.
func TestDisputedInTheBrowser(t *testing.T) {
	d := openDemo(t)
	b := openTab(t, d, "en", true)
	b.signIn("/")
	b.chooseOfferIn(simplePlan, "USD")
	b.pay("card")
	o := b.persist("card")

	b.bankSays("stripe takes")
	b.open("/orders/" + o.ID)
	b.says("This payment is disputed", "You owe US$"+o.Price.Decimal())
	b.screens("disputed")
	b.chooseOfferIn(simplePlan, "USD")
	b.says("You owe", "nothing can be bought or renewed")
	if b.has(`form[action^="/quotes/"] input[name="tool"]`) {
		t.Errorf("a way to pay is offered to whom something is owed by:\n%s", b.words())
	}

	b.open("/wallet")
	b.press(`section.notice form[action="/wallet"] button`)
	b.pay("paypal")
	b.persist("paypal")
	b.open("/wallet")
	if strings.Contains(b.words(), "You owe") {
		t.Errorf("it was paid, and is owed:\n%s", b.words())
	}
	b.chooseOfferIn(simplePlan, "JPY")
	b.pay("paypay")
	if o := b.persist("paypay"); o.State != order.Completed {
		t.Errorf("after the debt was paid, an order is %s", o.State)
	}

	b.bankSays("stripe won")
	b.open("/orders/" + o.ID)
	b.says("the payment stands")
	b.open("/wallet")
	b.says("US$" + o.Price.Decimal())
	d.judge(t)
}

// bankSays presses what a customer's bank can do, on the town's page.
func (b *tab) bankSays(what string) {
	b.t.Helper()
	b.open("/sim/")
	b.press(`form[action="/sim/dispute"] button[value="` + what + `"]`)
	if !strings.Contains(b.words(), "has spoken") {
		b.t.Fatalf("%s: %s", what, b.whereabouts())
	}
}
