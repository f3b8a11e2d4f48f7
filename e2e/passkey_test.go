package e2e

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/order"
)

// A traveller adds a passkey. From a reminder's link, on a browser that has
// forgotten them, they want to pay from the wallet, and sign in for that with the
// passkey alone.
func TestPasskeyInTheBrowser(t *testing.T) {
	d := openDemoWith(t, app.DemoOptions{URL: named})
	b := openTab(t, d, "en", true)
	b.signIn("/")
	b.sensor()
	b.open("/account/security")
	b.says("You have no passkey")
	b.set("#passkey-name", "My phone")
	b.press(`form[data-passkey="add"] button`)
	b.says("Your passkey is added", "My phone")

	b.forget()
	b.open("/r/" + d.reminderLink(t))
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
	b.says("Last used")
	b.press(`form[action="/account/security/passkeys"] button[name="remove"]`)
	b.says("You have no passkey")
	d.judge(t)
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
