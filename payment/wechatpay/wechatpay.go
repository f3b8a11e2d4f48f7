// Package wechatpay is the adapter for WeChat Pay, for rail wechat_pay: API v3
// of a mainland merchant, in yuan.
//
// The customer scans a code with WeChat (a native order), or opens a page on
// the phone that leads into WeChat (an H5 order). One attempt is one order
// under our reference, its out_trade_no; WeChat Pay has no other name for an
// order until it is paid, so ProviderID stays empty. The money's name is the
// transaction_id.
//
// # Sent once
//
// Every parameter of an order follows from the attempt alone. WeChat Pay
// answers the same order again with a fresh code, which Start makes use of: a
// code can be scanned for two hours, a page opened for five minutes. What was
// refused is looked for before it is called dead, because an order that is
// paid, closed or made with other parameters is refused too.
//
// # Closing
//
// The end of an order keeps the customer from paying and does not close it: an
// attempt that nobody abandons stays open. Closing is answered with 204 whether
// the order is now closed, was closed before or never existed. So Abandon looks
// afterwards, and an order that is not there is made and closed: only then
// nothing that is still under way can open it.
//
// # What is not told
//
// A failed try of the customer leaves no trace. How much of a payment went back
// is told for each refund whose number one knows, and in no sum: Observation's
// Refunded stays zero.
//
// # Whose word it is
//
// Every answer and every notification is signed. Unsigned answers count for
// nothing, but for those of the door (401, 429). Signatures are checked with
// the WeChat Pay public key, if one is configured, and with the platform
// certificates, which are downloaded when a signature names one that is not
// known: a merchant who changes from certificates to the public key gets both
// for a week.
//
// # Sources
//
// https://pay.weixin.qq.com/doc/v3/merchant/4012525171 (native order),
// /4012525153 (H5 order), /4013070356 (query), /4012791836 and /4012075420
// (notification), /4013071031 (refund), /4012365342 (signature), /4013053249
// (public key). That closing knows no unknown order is reported by merchants in
// https://developers.weixin.qq.com/community/pay/doc/00048a1efdc23011142d839d351800.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package wechatpay

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/payment"
)

// Config is what the seller's engineer knows of the merchant account.
type Config struct {
	MchID string // the merchant's number
	AppID string // the app or official account that is bound to MchID

	// Serial and PrivateKey are the merchant's API certificate's: the
	// certificate's serial number in hex and its key in PEM.
	Serial     string
	PrivateKey string

	// APIv3Key is the merchant's key of 32 characters, with which notifications
	// and platform certificates are encrypted.
	APIv3Key string

	// PublicKeyID (PUB_KEY_ID_…) and PublicKey, in PEM, are WeChat Pay's own
	// for this merchant. Both are empty for merchants who only have platform
	// certificates.
	PublicKeyID string
	PublicKey   string

	// NotifyURL is our webhook address: https, without a query.
	NotifyURL string

	// H5 says that the merchant may use H5 payments and that the shop's domain
	// is registered for them. Phones are then led into WeChat instead of being
	// shown a code.
	H5 bool

	// BaseURL is for simulators; "" is https://api.mch.weixin.qq.com.
	BaseURL string
}

// String hides the secrets.
func (Config) String() string { return "[wechatpay configuration]" }

// GoString hides the secrets from %#v too.
func (Config) GoString() string { return "[wechatpay configuration]" }

// Adapter is a [payment.Provider].
type Adapter struct {
	client *outbound.Client
	now    func() time.Time
	nonce  func() string
	base   string
	config Config // without PrivateKey and PublicKey
	key    *rsa.PrivateKey
	ring   *keyring
}

// New returns an adapter that calls WeChat Pay through client and knows no
// other clock than now. nonce returns 8 to 32 letters and digits, never the
// same twice; nil means random ones. It reports everything that is wrong with c.
func New(c Config, client *outbound.Client, now func() time.Time, nonce func() string) (*Adapter, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	key, keyErr := parsePrivateKey(c.PrivateKey)
	var public *rsa.PublicKey
	var publicErr error
	if c.PublicKeyID != "" {
		public, publicErr = parsePublicKey(c.PublicKey)
	}
	if err := errors.Join(keyErr, publicErr); err != nil {
		return nil, err
	}
	if nonce == nil {
		nonce = rand.Text
	}
	a := &Adapter{client: client, now: now, nonce: nonce, base: "https://api.mch.weixin.qq.com", config: c, key: key}
	if c.BaseURL != "" {
		a.base = strings.TrimSuffix(c.BaseURL, "/")
	}
	a.config.PrivateKey, a.config.PublicKey = "", ""
	a.ring = &keyring{publicID: c.PublicKeyID, public: public, now: now, download: a.certificates}
	return a, nil
}

func (c Config) validate() error {
	var errs []error
	for _, f := range []struct{ name, value string }{
		{"merchant number", c.MchID}, {"app id", c.AppID}, {"certificate's serial number", c.Serial},
	} {
		if f.value == "" || strings.ContainsAny(f.value, "\"\\ \t\r\n") {
			errs = append(errs, fmt.Errorf("wechatpay: the %s is missing or has characters that it cannot have", f.name))
		}
	}
	if len(c.APIv3Key) != 32 {
		errs = append(errs, errors.New("wechatpay: the APIv3 key must have 32 characters"))
	}
	if (c.PublicKeyID == "") != (c.PublicKey == "") {
		errs = append(errs, errors.New("wechatpay: the public key and its id belong together"))
	}
	if c.PublicKeyID != "" && !strings.HasPrefix(c.PublicKeyID, publicKeyPrefix) {
		errs = append(errs, errors.New("wechatpay: the public key's id must begin with "+publicKeyPrefix))
	}
	u, err := url.Parse(c.NotifyURL)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && c.BaseURL == "" {
		errs = append(errs, errors.New("wechatpay: the notification address must be an https address without a query"))
	}
	if u, err := url.Parse(c.BaseURL); c.BaseURL != "" && (err != nil || u.Host == "") {
		errs = append(errs, fmt.Errorf("wechatpay: %q is not an absolute URL", c.BaseURL))
	}
	return errors.Join(errs...)
}

// Name implements [payment.Provider].
func (*Adapter) Name() string { return "wechatpay" }

// settlesWithin is how long after the end of an attempt an order can still
// appear: a request is refused once its signature is five minutes old
// ([tolerance]), and none is signed after the end. The rest is margin of ours.
const settlesWithin = 10 * time.Minute

// Limits implements [payment.Provider].
func (a *Adapter) Limits() payment.Limits {
	return payment.Limits{
		Rails:      []payment.Rail{payment.WeChatPay},
		Currencies: map[payment.Rail][]money.Currency{payment.WeChatPay: {yuan}},

		// amount.total is a whole number of fen. No greatest amount is
		// documented: it depends on the customer's bank.
		Min: map[money.Currency]int64{yuan: 1},

		// Up to 50 refunds of a payment, a minute apart, within a year
		// (/doc/v3/merchant/4013071031, same rules at /doc/v3/partner/4012709253).
		Partial:      true,
		RefundWithin: 365 * 24 * time.Hour,

		SettlesWithin: settlesWithin,

		// The same out_trade_no gives a fresh code (/4012525171, time_expire);
		// the same out_refund_no is refunded once (/doc/v3/partner/4012709253).
		Keyed: true,

		OwnPage: a.config.H5, // a code needs no page

		// A code lives two hours, an H5 page five minutes; half a minute less,
		// for who is just opening it.
		NextLives: a.nextLives(),
	}
}

func (a *Adapter) nextLives() time.Duration {
	if a.config.H5 {
		return 4*time.Minute + 30*time.Second
	}
	return 2*time.Hour - 30*time.Second
}
