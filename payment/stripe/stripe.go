// Package stripe is the adapter for Stripe, for rail card, and for the rails that
// the seller's account has beside it: Alipay, WeChat Pay, PayPay and konbini.
//
// The customer pays on Stripe's own page (a Checkout Session), where the bank's
// 3-D Secure happens too, so that card data never touches our server. One
// attempt is one session; its identifier cs_… is the attempt's ProviderID. A
// session makes its PaymentIntent when the customer first tries a card, and the
// money is in when the session says paid and the PaymentIntent succeeded.
//
// # Sent once
//
// A session is created under the idempotency key Ref.c, and every parameter
// follows from the attempt alone, the end of the session too. So Start may be
// repeated: while Stripe keeps the key (24 hours) it answers with the same
// session, and once it could have forgotten the key we do not send any more but
// look through the sessions of those hours for our Ref.
// A refund carries our reference in its metadata and is looked for before it is
// asked for, because its key is forgotten after a day and the intention is not.
//
// # Kept cards
//
// A session that is to keep its card makes a Customer at Stripe, or takes the
// one that an earlier card of the same person made, and sets the card up to be
// charged off-session, which serves charges with and without the customer.
//
// A kept card is charged by a PaymentIntent of its own, pi_…, created and
// confirmed in one request under the key Ref.s; it is the attempt's ProviderID
// and MoneyID. While the customer is there the request is on-session: their bank
// may ask, on a page to which Stripe leads. Without them it is off-session, and
// a bank that would ask declines. Stripe gives no list by our reference, but one
// by customer, so a charge whose answer was lost is found without charging.
//
// # Closing
//
// A PaymentIntent is cancelled. Stripe keeps a session open for at least half an hour, which may be longer
// than a quote stands. The caller then abandons the attempt, which expires the
// session at once.
//
// The facts are from https://docs.stripe.com/api as of API version
// 2026-03-25.dahlia, the one stripe-go v85.0.0 sends.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package stripe

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v85"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/payment"
)

// Config is what the seller's engineer knows of the Stripe account.
type Config struct {
	// Key is the secret (sk_) or restricted (rk_) API key. Live or test mode
	// follows from it, and notifications of the other mode are not ours.
	Key string

	// WebhookSecrets are the signing secrets (whsec_) of the webhook endpoint;
	// several while one is being replaced. None: every notification is forged.
	WebhookSecrets []string

	// Rails are the ways to pay that are switched on in the account; none: card.
	Rails []payment.Rail

	// BaseURL is for simulators; "" is https://api.stripe.com.
	BaseURL string

	// Account is the connected account (acct_) that Key acts for, sent with
	// each request and wanted in each notification; "" is the key's own.
	Account string
}

// String hides the secrets.
func (Config) String() string { return "[stripe configuration]" }

// GoString hides the secrets from %#v too.
func (Config) GoString() string { return "[stripe configuration]" }

// Adapter is a [payment.Provider].
type Adapter struct {
	client  *sdk.Client
	now     func() time.Time
	secrets []string
	account string
	live    bool
	rails   []payment.Rail
}

// New returns an adapter that calls Stripe through client and knows no other
// clock than now. It reports everything that is wrong with c.
func New(c Config, client *outbound.Client, now func() time.Time) (*Adapter, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	config := &sdk.BackendConfig{
		HTTPClient: &http.Client{
			Transport:     bridge{client, c.Account},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		LeveledLogger:     &sdk.LeveledLogger{Level: sdk.LevelNull}, // it would log answers
		MaxNetworkRetries: sdk.Int64(0),                             // repeating is the caller's decision
		EnableTelemetry:   sdk.Bool(false),
	}
	if c.BaseURL != "" {
		config.URL = sdk.String(c.BaseURL)
	}
	backend := sdk.GetBackendWithConfig(sdk.APIBackend, config)
	return &Adapter{
		client:  sdk.NewClient(c.Key, sdk.WithBackends(&sdk.Backends{API: backend, Connect: backend, Uploads: backend, MeterEvents: backend})),
		now:     now,
		secrets: append([]string(nil), c.WebhookSecrets...),
		account: c.Account,
		live:    strings.Contains(c.Key, "_live_"),
		rails:   c.rails(),
	}, nil
}

func (c Config) rails() []payment.Rail {
	if len(c.Rails) == 0 {
		return []payment.Rail{payment.Card}
	}
	return slices.Clone(c.Rails)
}

func (c Config) validate() error {
	var errs []error
	for _, rail := range c.Rails {
		if _, ok := methodOf(rail); !ok {
			errs = append(errs, fmt.Errorf("stripe: %q cannot be paid through Stripe. There are card, alipay, wechat_pay, paypay and konbini", rail))
		}
	}
	if !strings.HasPrefix(c.Key, "sk_") && !strings.HasPrefix(c.Key, "rk_") {
		errs = append(errs, errors.New("stripe: the key must begin with sk_ or rk_"))
	}
	for i, s := range c.WebhookSecrets {
		if s == "" {
			errs = append(errs, fmt.Errorf("stripe: webhook secret %d is empty", i+1))
		}
	}
	if u, err := url.Parse(c.BaseURL); c.BaseURL != "" && (err != nil || u.Host == "") {
		errs = append(errs, fmt.Errorf("stripe: %q is not an absolute URL", c.BaseURL))
	}
	if c.Account != "" && !strings.HasPrefix(c.Account, "acct_") {
		errs = append(errs, fmt.Errorf("stripe: account %q does not begin with acct_", c.Account))
	}
	return errors.Join(errs...)
}

// Name implements [payment.Provider].
func (*Adapter) Name() string { return "stripe" }

// Limits implements [payment.Provider].
func (a *Adapter) Limits() payment.Limits {
	l := payment.Limits{
		Rails:      slices.Clone(a.rails),
		Currencies: map[payment.Rail][]money.Currency{},

		// https://docs.stripe.com/currencies, "Minimum and maximum charge
		// amounts". CNY, TWD and KRW have no row: there the converted amount
		// must reach the minimum of the seller's own currency.
		Min:     map[money.Currency]int64{"JPY": 50, "USD": 50, "EUR": 50, "GBP": 30, "HKD": 400, "SGD": 50},
		Max:     map[money.Currency]int64{},
		RailMax: map[payment.Rail]map[money.Currency]int64{},
		Slow:    map[payment.Rail]time.Duration{},
		Places:  map[payment.Rail][]string{},

		// https://docs.stripe.com/refunds: part by part up to the whole. It
		// names no last day for cards; those of the other rails are longer
		// than any term of ours is refundable, so RefundWithin stays 0.
		Partial: true,

		// Stripe reads its own writes. What remains is a request under way: we
		// wait 20 s for it, the SDK's authors 80 s; the rest is margin of ours.
		SettlesWithin: 5 * time.Minute,

		Keyed:   true, // https://docs.stripe.com/api/idempotent_requests
		OwnPage: true,
	}
	for _, e := range exponents {
		l.Max[e.currency] = 99_999_999 // eight digits of the smallest unit, same page
	}
	for _, rail := range a.rails {
		m, _ := methodOf(rail)
		l.Currencies[rail] = m.currencies
		if m.max != nil {
			l.RailMax[rail] = m.max
		}
		if m.place != "" {
			l.Places[rail] = []string{m.place}
		}
		if m.slow > 0 {
			l.Slow[rail] = m.slow
		}
	}
	return l
}
