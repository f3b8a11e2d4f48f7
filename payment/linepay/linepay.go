// Package linepay is the adapter for LINE Pay in Taiwan and Thailand, version 3
// of its online API, for rail line_pay. LINE Pay in Japan ended in April 2025:
// there is no JPY.
//
// The customer agrees on LINE Pay's page or in its app, and the money moves only
// when we confirm. One attempt is one request, whose orderId is our Ref; the
// transaction it made is the attempt's ProviderID, and its MoneyID once it is
// confirmed. LINE Pay notifies nobody: who agrees and never comes back is found
// by asking, and then Query says Approved.
//
// # Sent once
//
// An orderId can be used once. A request whose answer was lost cannot be made
// again (1172), nor can its page be learnt: nobody can agree to it, and it is
// dead once nobody could any more. Confirming goes by transaction, once for
// each (1152). We look before and after it, and believe neither the browser nor
// a transaction that it names.
//
// # Refunds have no name
//
// A refund carries no reference and no key: the same one asked for again is
// paid again. All there is to see later is the payment's list of refunds, each
// with an identifier, an amount and a time. So we read the list before we ask,
// and remember what was there. An answer that was lost is found as what has been
// added since, of that amount, and counted once for each refund we asked for.
//
// That memory is this process's. Without it, after a restart or on another
// machine, an amount that is not in the list was certainly not refunded, and a
// refund of the whole payment is that one, whoever asked. So is one of the same
// amount that was made since ours may have been asked for, and that no other
// refund of the payment is known to be: the caller says both, and must not keep one
// identifier for two refunds. One that was made before could be an earlier one
// or one made by hand at LINE Pay: then QueryRefund says that it found something
// and that it is Unknown. A person has to look; nothing is paid twice.
//
// # Closing
//
// No call closes a request. But nothing is taken other than by us, and we take
// nothing after ExpiresAt: once that and a margin have passed, an attempt that is
// not confirmed is dead, whatever LINE Pay's page still lets the customer do.
//
// # Sources
//
// The facts are from https://developers-pay.line.me (online, online-api-v3), and
// the return codes of each call from the documents of
// github.com/enylin/line-pay-merchant. Nothing was compared with a live account.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package linepay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/payment"
)

// live is where LINE Pay's API is; the sandbox's is
// https://sandbox-api-pay.line.me.
const live = "https://api-pay.line.me"

// settles is our margin for requests that are under way and for reads that are
// behind. LINE Pay states none. Nothing but our own patience is lost by waiting
// longer; a refund could be paid twice by waiting too short.
const settles = 10 * time.Minute

// Config is what the seller's engineer knows of the LINE Pay account.
type Config struct {
	// ChannelID and ChannelSecret are of the merchant centre, "Manage link key".
	// Our server's address must be entered there too.
	ChannelID, ChannelSecret string

	// Currency is the one of the contract: TWD or THB.
	Currency money.Currency

	// BaseURL is for the sandbox and simulators; "" is https://api-pay.line.me.
	BaseURL string
}

// String hides the secret.
func (Config) String() string { return "[linepay configuration]" }

// GoString hides the secret from %#v too.
func (Config) GoString() string { return "[linepay configuration]" }

// Adapter is a [payment.Provider].
type Adapter struct {
	config Config
	scale  scale
	base   string // without a slash at its end
	client *outbound.Client
	now    func() time.Time
	nonce  func() string
	asked  notebook
}

// New returns an adapter that calls LINE Pay through client and knows no other
// clock than now. nonce gives 32 hexadecimal digits that never come again; nil:
// random ones. New reports everything that is wrong with c.
func New(c Config, client *outbound.Client, now func() time.Time, nonce func() string) (*Adapter, error) {
	if c.BaseURL == "" {
		c.BaseURL = live
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	if nonce == nil {
		nonce = randomNonce
	}
	s, _ := scaleOf(c.Currency) // validated
	return &Adapter{
		config: c, scale: s, base: strings.TrimRight(c.BaseURL, "/"),
		client: client, now: now, nonce: nonce,
	}, nil
}

func (c Config) validate() error {
	var errs []error
	if c.ChannelID == "" || strings.ContainsFunc(c.ChannelID, unfitForHeader) {
		errs = append(errs, errors.New("linepay: the channel ID is empty or not one"))
	}
	if c.ChannelSecret == "" {
		errs = append(errs, errors.New("linepay: the channel secret is empty"))
	}
	if _, ok := scaleOf(c.Currency); !ok {
		errs = append(errs, fmt.Errorf("linepay: contracts are in TWD or THB, not in %q. LINE Pay in Japan ended in 2025", c.Currency))
	}
	if u, err := url.Parse(c.BaseURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" {
		errs = append(errs, fmt.Errorf("linepay: %q is not an absolute URL", c.BaseURL))
	}
	return errors.Join(errs...)
}

func unfitForHeader(r rune) bool { return r <= ' ' || r > '~' }

// Name implements [payment.Provider].
func (*Adapter) Name() string { return "linepay" }

// Limits implements [payment.Provider]. An amount that the wire cannot express,
// TWD with cents, is refused by Start.
func (a *Adapter) Limits() payment.Limits {
	return payment.Limits{
		Rails:      []payment.Rail{payment.LINEPay},
		Currencies: map[payment.Rail][]money.Currency{payment.LINEPay: {a.config.Currency}},

		// One unit of what the wire can express. What a contract or a customer
		// may pay at most LINE Pay tells only when it refuses (1184).
		Min:      map[money.Currency]int64{a.config.Currency: a.scale.smallest()},
		Multiple: map[money.Currency]int64{a.config.Currency: a.scale.smallest()}, // 1124

		// https://developers-pay.line.me/online-api-v3/refund: any amount, with
		// several refunds. The last day is the contract's (1163): not known.
		Partial: true,

		SettlesWithin: settles,
		Keyed:         false, // neither the request nor the refund can be repeated: see the package's comment
		OwnPage:       true,
	}
}

// Notification implements [payment.Provider]. LINE Pay sends none, so none is
// LINE Pay's.
func (*Adapter) Notification(context.Context, http.Header, []byte) (payment.Doorbell, error) {
	return payment.Doorbell{}, fmt.Errorf("linepay: LINE Pay sends no notifications: %w", payment.ErrForged)
}
