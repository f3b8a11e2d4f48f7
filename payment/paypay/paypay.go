// Package paypay is the adapter for PayPay, for rail paypay: the Open Payment
// API of a merchant in Japan, in yen.
//
// One attempt is one code that can be paid once. The customer opens its page,
// follows its link into PayPay's app, or scans it from another screen; PayPay
// takes the money at once and sends them back. Our reference is the code's
// merchantPaymentId, the codeId is the attempt's ProviderID, and the money's
// name, the MoneyID, is the paymentId: twenty digits, the first of which may
// be 0.
//
// # Sent once
//
// Every parameter of a code follows from the attempt alone. PayPay answers a
// known merchantPaymentId with its former code or with a refusal, and a known
// merchantRefundId with its former refund. What is refused is looked for before
// it is called dead or failed.
//
// # Absence
//
// PayPay says with one and the same code that nothing is known by a reference,
// that a code was withdrawn, and that it lapsed unpaid after some minutes; with
// each it promises that the code cannot be paid. So an attempt whose codeId we
// were told is dead when it is not found, unless a payment of it was ever seen.
// One whose Start was not answered is dead when it is not found after no Start
// can be under way any more and what it could have made has lapsed. PayPay is
// taken to find a code as soon as it has named it to us; where it did not, what
// the customer pays all the same is late money. A code that nobody has paid is
// answered without reference and amount.
//
// # Closing
//
// Abandon deletes the code and then looks. An attempt whose codeId we do not
// know is started first: that names the code. PayPay's other call, cancelling a
// payment by reference, is not used. It would not close a code: the customer
// pays, the payment is COMPLETED, and only then undone; whoever asks in between
// sees money that will not stay. What is paid in spite of us is late money, and
// goes back as a refund.
//
// # What is not told
//
// A customer who is refused is told so in the app and may try again; we hear
// nothing. PayPay tells no fees and no disputes. A payment that somebody cancels
// by reference, with other software of the same merchant, ends as FAILED, as one
// does that was never taken.
//
// # Whose word it is
//
// Notifications carry no signature. They are read for our reference alone, to
// ask about it; PayPay sends from fixed addresses, which a firewall may check.
//
// # Sources
//
// PayPay's OpenAPI file "Dynamic QR" 1.1 of May 2026
// (https://www.paypay.ne.jp/opa/doc/v1.0/dynamicqrcode; redirectUrl and
// redirectType from …/webcashier) and its developers' help centre,
// https://integration.paypay.ne.jp/hc/en-us: articles 11831606311951 (signature),
// 4414069180943 (cancelling before payment), 4414061824399 (cancel or refund),
// 4414054913423 (states of a refund), 4414048508047 (notifications).
//
// Tsuzuku is a program; this package promises nothing to other modules.
package paypay

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/payment"
)

// live is PayPay's own server; https://apigw.sandbox.paypay.ne.jp is its sandbox.
const live = "https://apigw.paypay.ne.jp"

const (
	// usualLife is how long codes were seen to live in answers that merchants
	// printed. PayPay names the end of each code and no common rule.
	usualLife = 5 * time.Minute

	// longestLife bounds what may be configured: attempts whose Start was not
	// answered stay open as long.
	longestLife = 24 * time.Hour

	// settles is how long a request of ours may be under way. PayPay refuses
	// one whose time is more than two minutes from its own; two more for clocks
	// that differ, the rest is margin of ours.
	settles = 5 * time.Minute
)

// Config is what the seller's engineer knows of the merchant account.
type Config struct {
	APIKey     string
	APISecret  string
	MerchantID string // sent with each request and wanted in each notification

	// CodeLife is how long a code of this merchant can be paid at most; 0 is 5
	// minutes. It decides only when an attempt is given up whose Start was not
	// answered, so it is better too long than too short.
	CodeLife time.Duration

	// BaseURL is for the sandbox and for simulators; "" is
	// https://apigw.paypay.ne.jp.
	BaseURL string
}

// String hides the secrets.
func (Config) String() string { return "[paypay configuration]" }

// GoString hides the secrets from %#v too.
func (Config) GoString() string { return "[paypay configuration]" }

// Adapter is a [payment.Provider].
type Adapter struct {
	client *outbound.Client
	now    func() time.Time
	nonce  func() string
	config Config // with its defaults filled in
}

// New returns an adapter that calls PayPay through client and knows no other
// clock than now. nonce returns letters and digits, never the same twice; nil
// means random ones. It reports everything that is wrong with c.
func New(c Config, client *outbound.Client, now func() time.Time, nonce func() string) (*Adapter, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if c.CodeLife == 0 {
		c.CodeLife = usualLife
	}
	if c.BaseURL == "" {
		c.BaseURL = live
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	if nonce == nil {
		nonce = rand.Text
	}
	return &Adapter{client: client, now: now, nonce: nonce, config: c}, nil
}

func (c Config) validate() error {
	var errs []error
	for _, s := range []struct{ name, value string }{
		{"API key", c.APIKey}, {"API key secret", c.APISecret}, {"merchant ID", c.MerchantID},
	} {
		if s.value == "" || strings.ContainsAny(s.value, " \t\r\n") {
			errs = append(errs, fmt.Errorf("paypay: the %s is missing, or has white space in it", s.name))
		}
	}
	if strings.Contains(c.APIKey, ":") {
		errs = append(errs, errors.New("paypay: the API key must not have a colon in it"))
	}
	if c.CodeLife < 0 || c.CodeLife > longestLife {
		errs = append(errs, fmt.Errorf("paypay: a code's life of %v is not between 0 and %v", c.CodeLife, longestLife))
	}
	if u, err := url.Parse(c.BaseURL); c.BaseURL != "" && (err != nil || u.Host == "") {
		errs = append(errs, fmt.Errorf("paypay: %q is not an absolute URL", c.BaseURL))
	}
	return errors.Join(errs...)
}

// Name implements [payment.Provider].
func (*Adapter) Name() string { return "paypay" }

// Limits implements [payment.Provider].
func (*Adapter) Limits() payment.Limits {
	return payment.Limits{
		Rails:      []payment.Rail{payment.PayPay},
		Currencies: map[payment.Rail][]money.Currency{payment.PayPay: {yen}},

		// https://www.paypay.ne.jp/opa/doc/v1.0/webcashier: customers are not let in
		// from outside Japan.
		Places: map[payment.Rail][]string{payment.PayPay: {"JP"}},

		// The OpenAPI file's MoneyAmount: an integer of up to eleven digits. The
		// customer's own limits, per day and month, are not told beforehand.
		Min: map[money.Currency]int64{yen: 1},
		Max: map[money.Currency]int64{yen: maxYen},

		// Help centre, "Is partial refund possible?" and "Is it possible to
		// refund multiple times?": yes, where the contract has it; else PayPay
		// refuses the second (MERCHANT_MULTIPLE_REFUND_REJECTED).
		Partial: true,

		// https://paypay.ne.jp/developers-faq/en/how-long-is-the-refundable-period-1:
		// to the end of the 365th day after the payment.
		RefundWithin: 365 * 24 * time.Hour,

		SettlesWithin: settles,
		Keyed:         true, // merchantPaymentId and merchantRefundId, see above
		OwnPage:       true,
	}
}
