package e2e

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/order"
)

// A traveller adds a passkey. From a reminder's link, on a browser that has
// forgotten them, they want to pay from the wallet, and sign in for that with the
// passkey alone; once it is removed it opens nothing.
func TestPasskeyInTheBrowser(t *testing.T) {
	d := openDemoWith(t, app.DemoOptions{URL: named})
	b := openTab(t, d, "en", true)
	b.signIn("/")
	finger := b.sensor()
	b.open("/account/security")
	b.says("You have no passkey")
	b.set("#passkey-name", "My phone")
	b.press(`form[data-passkey="add"] button`)
	b.says("Your passkey is added", "My phone")

	b.forget()
	b.open("/r/" + d.reminderLink(t))
	b.press(`ul.offers button[name="item"]`)
	review := b.path()
	b.do(b.touch(finger, false))
	b.press(`main a[href^="/sign-in"]`)
	b.do(chromedp.Click(`form[data-passkey="show"] button`, chromedp.ByQuery, chromedp.NodeVisible), b.touch(finger, true))
	b.until("the passkey has signed in", func() bool { return b.path() == review })
	b.open(review)
	b.pay("wallet")
	b.ended(order.Completed)

	b.open("/account/security")
	b.says("Last seen")
	b.press(`form[action="/account/security/passkeys"] button[name="remove"]`)
	b.says("You have no passkey")
	b.forget()
	b.do(b.touch(finger, false))
	b.open("/sign-in")
	b.do(chromedp.Click(`form[data-passkey="show"] button`, chromedp.ByQuery, chromedp.NodeVisible), b.touch(finger, true))
	b.until("the passkey was refused", func() bool { return strings.Contains(b.words(), "This passkey was not accepted") })
	d.judge(t)
}

// sensor gives the browser an authenticator that knows its owner's finger.
func (b *tab) sensor() (id webauthn.AuthenticatorID) {
	b.t.Helper()
	b.do(webauthn.Enable(), chromedp.ActionFunc(func(ctx context.Context) (err error) {
		id, err = webauthn.AddVirtualAuthenticator(&webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21,
			Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true,
			IsUserVerified: true, AutomaticPresenceSimulation: true,
		}).Do(ctx)
		return err
	}))
	return id
}

// touch puts the finger on the sensor, or takes it away.
func (b *tab) touch(id webauthn.AuthenticatorID, on bool) chromedp.Action {
	return webauthn.SetAutomaticPresenceSimulation(id, on)
}
