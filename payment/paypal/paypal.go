// Package paypal is the adapter for PayPal, for rail paypal.
//
// The customer agrees on PayPal's own page, and the money moves only when we
// take it. One attempt is one order with intent CAPTURE; its identifier is the
// attempt's ProviderID. The identifier of its one capture is the MoneyID: what
// is refunded and disputed is the capture.
//
// # Sent once
//
// An order is created under the request identifier Ref.c, and every parameter
// follows from the attempt alone. It is taken under Ref.f and the time at which
// the customer agreed. PayPal keeps these identifiers for six hours and answers
// a repeated request with the order as it stands now. That is also how an order
// is found whose answer was lost, for PayPal has no list of orders: it is
// created again. If that made it, nobody has its page, so nobody can agree to it.
// A refund carries its own reference, is looked for before it is asked for, and
// its key, which is that reference, is kept for 45 days.
//
// # Kept accounts
//
// Where the seller's app may use PayPal's vault, an order can keep the account
// that pays it (Orders: payment_source.paypal.attributes.vault; Payment Method
// Tokens v3). A kept account is charged by an order with the vault's token,
// under Ref.c as any other; PayPal captures it at once, or approves it at once
// and we capture it, or wants the payer.
//
// Such an order cannot be looked for by creating it again: that could charge. So
// where its answer was lost it stays unknown until Start is repeated, which
// charges once, or until its notification names it.
//
// # Closing
//
// No call closes an order. But nothing can be taken other than by us, and we
// take nothing later than three hours after the attempt was made: once that
// and a margin have passed, an order that is not taken is dead.
//
// The facts are from PayPal's OpenAPI descriptions of Orders v2 (2.13), Payments
// v2 and Disputes v1 (github.com/paypal/paypal-rest-api-specifications) and from
// https://developer.paypal.com/api/rest/webhooks/rest/.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package paypal

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/payment"
)

// live is where PayPal's API is; the sandbox's is
// https://api-m.sandbox.paypal.com.
const live = "https://api-m.paypal.com"

// Config is what the seller's engineer knows of the PayPal account.
type Config struct {
	// ClientID and ClientSecret are the REST app's credentials.
	ClientID, ClientSecret string

	// WebhookID is PayPal's identifier of our webhook, as its dashboard shows
	// it. It is part of what PayPal signs. "": every notification is forged.
	WebhookID string

	// MerchantID is the account's payer identifier. If it is set, orders for
	// anybody else are not ours; "" trusts the credentials alone.
	MerchantID string

	// Disputes asks for the disputes of a paid attempt. The app's feature of
	// that name must be switched on at PayPal: without it PayPal refuses, and
	// no paid attempt can be read.
	Disputes bool

	// Vault says that the account may keep its customers' PayPal accounts. It
	// must have been switched on at PayPal, else PayPal refuses every order that
	// is to keep one.
	Vault bool

	// BaseURL is for the sandbox and simulators; "" is
	// https://api-m.paypal.com.
	BaseURL string

	// CertHosts are the hosts whose certificates notifications may name, each
	// exactly as it stands in the address; nil: api.paypal.com and
	// api.sandbox.paypal.com.
	CertHosts []string

	// Roots are whom we trust to have issued those certificates; nil: the
	// system's, and then the certificate must also be in PayPal's name.
	Roots *x509.CertPool
}

// String hides the secret.
func (Config) String() string { return "[paypal configuration]" }

// GoString hides the secret from %#v too.
func (Config) GoString() string { return "[paypal configuration]" }

// Adapter is a [payment.Provider].
type Adapter struct {
	config Config
	base   string // without a slash at its end
	client *outbound.Client
	now    func() time.Time
	tokens *outbound.Token
	certs  shelf
}

// New returns an adapter that calls PayPal through client and knows no other
// clock than now. It reports everything that is wrong with c.
func New(c Config, client *outbound.Client, now func() time.Time) (*Adapter, error) {
	if c.BaseURL == "" {
		c.BaseURL = live
	}
	if c.CertHosts == nil {
		c.CertHosts = []string{"api.paypal.com", "api.sandbox.paypal.com"}
	}
	c.CertHosts = slices.Clone(c.CertHosts)
	if err := c.validate(); err != nil {
		return nil, err
	}
	return &Adapter{
		config: c,
		base:   strings.TrimRight(c.BaseURL, "/"),
		client: client,
		now:    now,
		tokens: outbound.NewToken(),
		certs:  shelf{turn: make(chan struct{}, 1)},
	}, nil
}

func (c Config) validate() error {
	var errs []error
	if c.ClientID == "" || strings.Contains(c.ClientID, ":") {
		errs = append(errs, errors.New("paypal: the client ID is empty or not one"))
	}
	if c.ClientSecret == "" {
		errs = append(errs, errors.New("paypal: the client secret is empty"))
	}
	if strings.Contains(c.WebhookID, "|") {
		errs = append(errs, errors.New("paypal: the webhook ID is not one"))
	}
	if u, err := url.Parse(c.BaseURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		errs = append(errs, fmt.Errorf("paypal: %q is not an absolute URL", c.BaseURL))
	}
	for _, h := range c.CertHosts {
		if u, err := url.Parse("https://" + h + "/"); err != nil || u.Host != h || h == "" {
			errs = append(errs, fmt.Errorf("paypal: %q is not a host", h))
		}
	}
	return errors.Join(errs...)
}

// Name implements [payment.Provider].
func (*Adapter) Name() string { return "paypal" }

// Limits implements [payment.Provider].
func (*Adapter) Limits() payment.Limits {
	l := payment.Limits{
		Rails:      []payment.Rail{payment.PayPal},
		Currencies: map[payment.Rail][]money.Currency{payment.PayPal: nil},

		// "The amount must be a positive number", schema purchase_unit_request.
		// What one account may take at most PayPal tells only when it refuses.
		Min:      map[money.Currency]int64{},
		Multiple: map[money.Currency]int64{}, // DECIMALS_NOT_SUPPORTED

		// Schema refund_request; the 180 days are the default of
		// https://developer.paypal.com/archive/paypal-payments-standard/admin/refunds.md.
		Partial:      true,
		RefundWithin: 180 * 24 * time.Hour,

		// PayPal states no time. What remains is a request under way: we wait
		// 20 s for it; the rest is margin of ours.
		SettlesWithin: settles,

		Keyed:   true, // parameter paypal_request_id of the three calls that change something
		OwnPage: true,
	}
	for _, s := range scales {
		l.Currencies[payment.PayPal] = append(l.Currencies[payment.PayPal], s.currency)
		l.Min[s.currency], l.Multiple[s.currency] = s.smallest(), s.smallest()
	}
	return l
}
