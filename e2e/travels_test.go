package e2e

import (
	"context"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/tsuzuku/tsuzuku/order"
)

// buysAndActivates buys a new eSIM from one operator or the other, is shown what to
// install it with, goes online, and renews it.
func (b *tab) buysAndActivates() {
	b.buysLine([]string{simplePlan, accessPlan}[b.nth()%2])
}

// renewsFromTheWallet renews from the wallet, with points, and while the operator's
// answer is lost.
func (b *tab) renewsFromTheWallet() {
	b.fromTheWallet()
	b.withPoints()
	b.withoutAnswer()
}

// withPoints pays a part with points.
func (b *tab) withPoints() {
	b.t.Helper()
	quote := b.chooseOffer(simplePlan)
	b.open("/quotes/" + quote + "?use_points=1")
	b.pay("wallet")
	if o := b.ended(order.Completed); o.Parts.Points == 0 {
		b.t.Errorf("order %s has taken no points: %+v", o.ID, o.Parts)
	}
}

// renewsByCard is declined, pays with another card and has it kept, pays with that
// without any page of the payment service, also by a reminder's link once that is
// allowed, and removes it: it is gone here and there.
func (b *tab) renewsByCard() {
	b.keepCard()

	seen := b.watch()
	b.chooseOffer(simplePlan)
	b.pay(b.savedTool())
	b.ended(order.Completed)
	wantOurs(b.t, b.demo, "with a session", seen())

	b.allowOneTap("9000")
	b.forget()
	seen = b.watch()
	b.open("/r/" + b.demo.reminderLink(b.t))
	if b.has(`main a[href^="/account"]`) {
		b.t.Error("the link shows the account")
	}
	b.press(`ul.offers button[name="item"]`)
	b.pay(b.savedTool())
	b.ended(order.Completed)
	wantOurs(b.t, b.demo, "by a link", seen())

	b.signInAgain("/account")
	b.press(`form[action="/account/tools"] button`)
	if b.has(`form[action="/account/tools"]`) {
		b.t.Errorf("the card was removed and is there:\n%s", b.words())
	}
	b.until("the payment service has forgotten the card", func() bool { return b.demo.kept(b.t) == 0 })
}

// renewsWithEveryTool pays with each tool but the card, of which one is declined at
// first and of another one an answer is lost, in each language others: each time one
// period for one price.
func (b *tab) renewsWithEveryTool() {
	for i, tool := range tools[1:] {
		trouble := []string{"", "pay-decline", "", "pay-lost", ""}[(b.nth()+i)%len(languages)]
		if trouble != "" {
			b.arm(trouble)
		}
		b.chooseOfferIn(simplePlan, tool.currency)
		b.pay(tool.rail)
		if o := b.persist(tool.rail); o.State != order.Completed || string(o.Tool) != tool.rail || string(o.Price.Currency) != tool.currency {
			b.t.Errorf("%s, %s: order %s for %s by %s is %s\n%s", tool.rail, trouble, o.ID, o.Price, o.Tool, o.State, b.words())
		}
	}
}

// comesLate renews a line in grace, is told why two others cannot be renewed and what
// to do instead, and finds an offer that has run out.
func (b *tab) comesLate() {
	b.chooseOffer(gracePlan)
	b.pay("wallet")
	b.ended(order.Completed)

	for _, plan := range []string{deadPlan, fixedPlan} {
		id := b.demo.lines[plan].ID
		b.open("/lines/" + id)
		if b.has(fmt.Sprintf(`main a[href="/lines/%s/renew"]`, id)) || !b.has("section.notice.warn") {
			b.t.Errorf("a line of %s can be renewed, or it is not said why not:\n%s", plan, b.words())
		}
		b.open("/lines/" + id + "/renew")
		b.says(b.text("line.refused"))
		if b.has(`button[name="item"]`) {
			b.t.Errorf("a line of %s has offers:\n%s", plan, b.words())
		}
	}

	quote := b.chooseOffer(simplePlan)
	before, orders := b.demo.wallet(b.t), len(b.demo.orders(b.t))
	b.demo.passes(b.t, "hour")
	b.open("/quotes/" + quote)
	b.says(b.text("review.expired"))
	b.follow(chromedp.Evaluate(again(quote), nil)) // from a page that stood open
	if b.demo.wallet(b.t) != before || len(b.demo.orders(b.t)) != orders {
		b.t.Errorf("an offer that has run out was bought:\n%s", b.words())
	}
	b.open("/quotes/" + quote)
	b.press("main .actions a")
	if !strings.HasSuffix(b.path(), "/renew") {
		b.t.Errorf("after an offer has run out the way leads to %s", b.path())
	}
}

// isInAHurry has two tabs open, presses twice, goes back, and loses the session.
func (b *tab) isInAHurry() {
	b.twoTabs()
	b.twiceAndBack()
	b.sessionLost()
}

// twoTabs pays the same offer in two tabs: it is one order, and paid once.
func (b *tab) twoTabs() {
	b.t.Helper()
	before, orders := b.demo.wallet(b.t), len(b.demo.orders(b.t))
	quote := b.chooseOffer(simplePlan)
	other := b.another()
	other.open("/quotes/" + quote)
	b.pay("wallet")
	o := b.ended(order.Completed)
	other.pay("wallet")
	if got := other.onOrder(); got != o.ID {
		b.t.Errorf("the second tab is on order %s, want %s", got, o.ID)
	}
	if got := b.demo.wallet(b.t); got != before-o.Price.Minor || len(b.demo.orders(b.t)) != orders+1 {
		b.t.Errorf("%d orders from one offer, and the wallet went from %d to %d", len(b.demo.orders(b.t))-orders, before, got)
	}
}

// comesByAnotherDoor renews by a reminder's link, opens a line by the number of its
// card, and comes back with a new password in place of the forgotten one.
func (b *tab) comesByAnotherDoor() {
	b.forget()
	b.open("/r/" + b.demo.reminderLink(b.t))
	b.press(`ul.offers button[name="item"]`)
	if b.has(`input[name="tool"][value="wallet"]:enabled`) {
		b.t.Errorf("a link alone spends the wallet:\n%s", b.words())
	}
	b.pay("card")
	b.set("#tool", "pm_card_visa")
	b.press("#pay")
	b.ended(order.Completed)

	b.open("/wallet")
	if b.path() != "/sign-in" {
		b.t.Fatalf("a link opens the wallet:\n%s", b.whereabouts())
	}
	b.byTheCardsNumber(accessPlan)
	b.withANewPassword()
}

// byTheCardsNumber opens the renewal of a line with the number of its card, and a
// code, and nothing else.
func (b *tab) byTheCardsNumber(plan string) {
	b.t.Helper()
	l := b.demo.lines[plan]
	b.press(`main a[href="/renew"]`)
	sent := len(b.demo.codes())
	b.set("#iccid", l.ICCID)
	b.press(`main form[action="/renew"] button`)
	b.set("#code", b.codeAfter(sent))
	b.press(`main form[action="/renew/code"] button`)
	if got, want := b.path(), "/lines/"+l.ID+"/renew"; got != want {
		b.t.Fatalf("the code leads to %s, want %s:\n%s", got, want, b.whereabouts())
	}
	b.open("/lines/" + b.demo.lines[simplePlan].ID)
	if b.path() != "/sign-in" {
		b.t.Errorf("the code opens another line, too: %s", b.whereabouts())
	}
}

// withANewPassword signs in by the way of somebody who has forgotten the password,
// sets a new one, and signs in with it.
func (b *tab) withANewPassword() {
	b.t.Helper()
	const password = "seven quiet herons at dusk"
	b.open("/sign-in")
	b.do(chromedp.Click("details:has(#password) summary", chromedp.ByQuery))
	b.press(`details a[href^="/sign-in?next="]`)
	b.signInHere()
	if got := b.path(); got != "/account/security" {
		b.t.Fatalf("signed in to set a password, and on %s:\n%s", got, b.whereabouts())
	}
	b.set("#new", password)
	b.press(`form[action="/account/security/password"] button:not(.link)`)
	if !b.has(`form[action="/account/security/password"] button[name="remove"]`) {
		b.t.Errorf("no password is set:\n%s", b.words())
	}
	b.forget()
	b.open("/sign-in")
	b.do(chromedp.Click("details:has(#password) summary", chromedp.ByQuery))
	b.set("#email2", b.demo.email)
	b.set("#password", password)
	b.press(`form[action="/sign-in/password"] button`)
	if b.path() != "/" || !b.has(`header a[href="/wallet"]`) {
		b.t.Errorf("the password does not sign in:\n%s", b.whereabouts())
	}
}

// hasAPasskey adds a passkey. From a reminder's link, on a browser that has forgotten
// them, they want to pay from the wallet, and sign in for that with it alone.
func (b *tab) hasAPasskey() {
	b.sensor()
	b.open("/account/security")
	b.says(b.text("passkey.none"))
	b.set("#passkey-name", "My phone")
	b.press(`form[data-passkey="add"] button`)
	b.says("My phone")

	b.forget()
	b.open("/r/" + b.demo.reminderLink(b.t))
	b.press(`ul.offers button[name="item"]`)
	review := b.path()
	b.press(`main a[href^="/sign-in"]`)
	b.press(`form[data-passkey="show"] button`)
	if b.path() != review {
		b.t.Fatalf("signed in, and not on %s:\n%s", review, b.whereabouts())
	}
	b.pay("wallet")
	b.ended(order.Completed)

	b.open("/account/security")
	b.press(`form[action="/account/security/passkeys"] button[name="remove"]`)
	b.says(b.text("passkey.none"))
}

// sensor gives the browser an authenticator that knows its owner's finger, which
// lies on it. It does not offer passkeys by itself: then the finger would be
// quicker than the button.
func (b *tab) sensor() {
	b.t.Helper()
	b.do(webauthn.Enable(), chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(`PublicKeyCredential.isConditionalMediationAvailable = async () => false`).Do(ctx)
		return err
	}), chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := webauthn.AddVirtualAuthenticator(&webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21,
			Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true,
			IsUserVerified: true, AutomaticPresenceSimulation: true,
		}).Do(ctx)
		return err
	}))
}
