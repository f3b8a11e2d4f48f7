// Package antom is the adapter for Antom's acquiring (AMS API, cashier
// payments), with which a company outside mainland China, also one in Japan,
// takes Alipay, and by contract PayPay and LINE Pay (Thailand).
//
// Our reference is the paymentRequestId, by which a repeated call is the same
// payment. Antom's paymentId is the attempt's ProviderID; once the payment was
// seen paid it is the MoneyID too.
//
// # Who said so
//
// Requests, answers and notifications are signed alike, over the path, the
// client, a time and the bytes of the body. An answer that is not signed, or not
// by Antom and for our client, says nothing: neither that something was done nor
// that it failed. Only the words S and F in a signed one are final; U is not.
//
// # Giving up
//
// To cancel a payment that is paid returns the money to the customer. So Abandon
// looks first, and cancels only what it does not see paid. A cancel whose answer
// was lost may still arrive after the customer has paid: the money is then back
// with them. Such a payment, once it was seen paid, is told as paid and returned
// in full.
//
// # What Antom does not tell
//
// Neither its fee nor, in the answer to a question, a dispute; of the ways to pay
// that are taken here its pages say that there are none. Whether a phone is an
// iPhone nobody tells us, though Antom asks for it: see [env].
//
// # Sources
//
// https://docs.antom.com, also as https://global.alipay.com/docs: ams/api_fund,
// ams/digital_signature, ams/idempotency, ams/payment_cashier,
// ams/paymentri_online, ams/paymentc_online, ams/refund_online, ams/ir_online,
// ams/paymentrn_online, cashierpay/apm_api, auto_debit/cancel,
// cashierpay/notifications, as stored copies of 2024 to 2026; field by field
// the comments of Antom's SDKs for Go and Python (1.3.5). One signed answer of the
// sandbox was published by others and fits; nothing else was compared with a
// live account.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package antom

import (
	"crypto/rsa"
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

// asia is Antom's gateway in Asia (ams/api_fund). The others are
// https://open-na-global.alipay.com and https://open-de-global.alipay.com.
const asia = "https://open-sea-global.alipay.com"

// sandboxed begins the client IDs of the sandbox, which has the same hosts and
// paths of its own.
const sandboxed = "SANDBOX_"

// Config is what the seller's engineer knows of the contract with Antom.
type Config struct {
	ClientID string // SANDBOX_… for the sandbox

	// PrivateKey is our own, of 2048 bits at least, whose public half was given to
	// Antom: PEM, or base64 alone as Antom's tool shows it; PKCS#8 or PKCS#1.
	PrivateKey string

	// KeyVersion is Antom's number of that key; 0 is 1, the first.
	KeyVersion int

	// AntomKeys are Antom's public keys, in the same forms; several while one is
	// being replaced.
	AntomKeys []string

	// NotifyURL is our webhook address, as Antom reaches it: without a query. Its
	// path is part of what Antom signs.
	NotifyURL string

	// Rails are those in the contract; none: Alipay.
	Rails []payment.Rail

	// Settle is the currency to be paid out in, where the contract has several; ""
	// where it has one.
	Settle money.Currency

	// Gateway is of another region, or a simulator's; "" is Asia's.
	Gateway string
}

// String hides the secrets.
func (Config) String() string { return "[antom configuration]" }

// GoString hides the secrets from %#v too.
func (Config) GoString() string { return "[antom configuration]" }

// Adapter is a [payment.Provider].
type Adapter struct {
	client     *outbound.Client
	now        func() time.Time
	clientID   string
	key        *rsa.PrivateKey
	keyVersion int
	theirs     []*rsa.PublicKey
	notify     string // our webhook address
	notifyPath string // its path, as it is signed
	rails      []payment.Rail
	settle     money.Currency
	gateway    string
	root       string // of the API's paths
}

// method is one way to pay, as Antom names and limits it.
type method struct {
	name     string // paymentMethodType
	currency money.Currency
	min, max int64  // minor units; max 0: none is named
	place    string // ISO 3166 of where the customer must be; "": anywhere
}

// methods are the ways to pay of ours that Antom documents, each with the one
// currency that it is processed in. Where the seller may be differs: Alipay and
// PayPay take AntomJP's contracts, LINE Pay those of SG, HK, US, the EEA and the
// UK (antomop/alipay_cn, antomop/paypay_mdx, antomop/rabbitlinepay). Cards would
// be Antom's too, with their numbers through our hands.
var methods = map[payment.Rail]method{
	payment.Alipay:  {"ALIPAY_CN", "CNY", 10, 300_000_00, ""},
	payment.PayPay:  {"PAYPAY", "JPY", 1, 0, "JP"},
	payment.LINEPay: {"RABBIT_LINE_PAY", "THB", 1, 50_000_00, ""},
}

// New returns an adapter that calls Antom through client and knows no other
// clock than now. It reports everything that is wrong with c.
func New(c Config, client *outbound.Client, now func() time.Time) (*Adapter, error) {
	a := &Adapter{
		client: client, now: now, clientID: c.ClientID, keyVersion: max(c.KeyVersion, 1), notify: c.NotifyURL,
		rails: c.Rails, settle: c.Settle, gateway: strings.TrimSuffix(c.Gateway, "/"), root: "/ams/api/v1/payments/",
	}
	if a.gateway == "" {
		a.gateway = asia
	}
	if len(a.rails) == 0 {
		a.rails = []payment.Rail{payment.Alipay}
	}
	if strings.HasPrefix(c.ClientID, sandboxed) {
		a.root = "/ams/sandbox/api/v1/payments/"
	}
	errs := append(c.wrong(), a.readKeys(c)...)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if u, err := url.Parse(c.NotifyURL); err == nil {
		a.notifyPath = u.EscapedPath()
	}
	return a, nil
}

// readKeys reads both sides' keys.
func (a *Adapter) readKeys(c Config) (errs []error) {
	var err error
	if a.key, err = privateKey(c.PrivateKey); err != nil {
		errs = append(errs, fmt.Errorf("antom: the private key %w", err))
	}
	if len(c.AntomKeys) == 0 {
		errs = append(errs, errors.New("antom: Antom's public key is missing"))
	}
	for i, text := range c.AntomKeys {
		k, err := publicKey(text)
		if err == nil && a.key != nil && k.Equal(&a.key.PublicKey) {
			err = errors.New("is our own; copy Antom's instead")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("antom: Antom's public key %d %w", i+1, err))
		}
		a.theirs = append(a.theirs, k)
	}
	return errs
}

func (c Config) wrong() (errs []error) {
	if !isName(c.ClientID) {
		errs = append(errs, fmt.Errorf("antom: the client ID %q is not one", c.ClientID))
	}
	if c.KeyVersion < 0 {
		errs = append(errs, fmt.Errorf("antom: the key version %d is below 1", c.KeyVersion))
	}
	if u, err := url.Parse(c.NotifyURL); err != nil || u.Host == "" || u.Path == "" || u.RawQuery != "" || len(c.NotifyURL) > maxAddress {
		errs = append(errs, fmt.Errorf("antom: the webhook address %q is not an absolute URL without a query", c.NotifyURL))
	}
	if u, err := url.Parse(c.Gateway); c.Gateway != "" && (err != nil || u.Host == "" || u.RawQuery != "" || strings.Trim(u.Path, "/") != "") {
		errs = append(errs, fmt.Errorf("antom: the gateway %q is not a scheme and a host", c.Gateway))
	}
	for i, rail := range c.Rails {
		if _, ok := methods[rail]; !ok {
			errs = append(errs, fmt.Errorf("antom: %s is not taken through Antom here", rail))
		}
		if slices.Contains(c.Rails[:i], rail) {
			errs = append(errs, fmt.Errorf("antom: %s is named twice", rail))
		}
	}
	if c.Settle != "" && c.Settle.Validate() != nil {
		errs = append(errs, fmt.Errorf("antom: the currency of settlement %q is not one", c.Settle))
	}
	return errs
}

// Everything is an adapter with all ways to pay, for those who only look at its
// limits.
func Everything() *Adapter {
	return &Adapter{rails: []payment.Rail{payment.Alipay, payment.PayPay, payment.LINEPay}}
}

// Name implements [payment.Provider].
func (*Adapter) Name() string { return "antom" }

// Limits implements [payment.Provider].
func (a *Adapter) Limits() payment.Limits {
	l := payment.Limits{
		Rails: slices.Clone(a.rails), Currencies: map[payment.Rail][]money.Currency{},
		Min: map[money.Currency]int64{}, Max: map[money.Currency]int64{}, Places: map[payment.Rail][]string{},

		// antomop/alipay_cn, antomop/paypay_mdx, antomop/rabbitlinepay: parts, for
		// 365 days. A Chinese company's contract (AntomCN) has 18 months for Alipay.
		Partial:      true,
		RefundWithin: 365 * 24 * time.Hour,

		// No page says it. Questions are answered from the same books; the rest is
		// margin of ours, and for requests under way.
		SettlesWithin: settles,

		Keyed:   true, // ams/idempotency: paymentRequestId, refundRequestId
		OwnPage: true,
	}
	for _, rail := range a.rails {
		m := methods[rail]
		l.Currencies[rail], l.Min[m.currency] = []money.Currency{m.currency}, m.min
		if m.max > 0 {
			l.Max[m.currency] = m.max
		}
		if m.place != "" {
			l.Places[rail] = []string{m.place}
		}
	}
	return l
}
