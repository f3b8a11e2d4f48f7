// Package alipay is the adapter for Alipay's mainland gateway (CNY, RSA2), for
// rail alipay.
//
// On a phone and on a computer the customer opens a signed link (wap.pay and
// page.pay): Start makes no request. With Config.QR a computer shows a code
// instead, which the gateway makes (precreate). Our reference is the
// out_trade_no, which is also the attempt's ProviderID once a link or a code was
// made; Alipay's trade_no is the MoneyID.
//
// # Before there is a trade
//
// Alipay knows of no trade until the customer has logged in at the cashier or
// has scanned the code, and says ACQ.TRADE_NOT_EXIST until then. That is no
// failure, and nothing can be closed that early: the link stays good until the
// time_expire that we signed into it. Abandon then says what it sees, and such
// an attempt is dead once that time has passed, with a margin.
//
// # Who said so
//
// An answer counts only with Alipay's signature, over the bytes of its member as
// they came. Failures may come without one; they are taken for no answer.
//
// # What Alipay does not tell
//
// A query of a trade says nothing about refunds, but that a paid trade is closed
// once all of it went back. So Refunded is all or nothing: parts that were
// refunded by us are known to QueryRefund, parts refunded by hand to nobody
// here. It tells neither refusals, nor disputes, nor its fee.
//
// # Sources
//
// https://opendocs.alipay.com: signatures, common error codes (common/02km9f),
// notifications (open/270/105902) and the pages of the methods, among them
// query (02e7gm), close (02e7gn) and refund query (02e7gp), as stored copies and
// others retell them; nothing was compared with a live account. That a closed
// trade has a send_pay_date only if it was paid is from published answers. That
// an answer may have been signed before its slashes were escaped is from
// Alipay's SDK for Java.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package alipay

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/payment"
)

// live is Alipay's gateway. The sandbox is
// https://openapi-sandbox.dl.alipaydev.com/gateway.do.
const live = "https://openapi.alipay.com/gateway.do"

// china is the zone of every time that Alipay reads and writes: UTC+8, without
// summer time.
var china = time.FixedZone("UTC+8", 8*60*60)

// stamp is how Alipay writes times.
const stamp = "2006-01-02 15:04:05"

// Config is what the seller's engineer knows of the application at Alipay.
type Config struct {
	AppID    string // the application's identifier
	SellerID string // the seller's account: 2088 and twelve more digits (PID)

	// PrivateKey is the application's own key (应用私钥), 2048 bits at least: PEM,
	// or base64 alone as Alipay's tool shows it; PKCS#8 or PKCS#1.
	PrivateKey string

	// AlipayKeys are Alipay's public keys (支付宝公钥, not the application's), in the
	// same forms; several while one is being replaced.
	AlipayKeys []string

	// NotifyURL is our webhook address, as Alipay reaches it: without a query.
	NotifyURL string

	// QR shows computers a code to scan instead of Alipay's page. It needs the
	// contract for payment face to face (当面付).
	QR bool

	// TradesOnly reads the bill of trades without that of the balance, for
	// accounts that are not given the second: payouts, and fees that are not for a
	// trade, are then told by nobody.
	TradesOnly bool

	// Gateway is for sandboxes and simulators; "" is the live one.
	Gateway string
}

// String hides the secrets.
func (Config) String() string { return "[alipay configuration]" }

// GoString hides the secrets from %#v too.
func (Config) GoString() string { return "[alipay configuration]" }

// Adapter is a [payment.Provider].
type Adapter struct {
	client        *outbound.Client
	now           func() time.Time
	appID, seller string
	key           *rsa.PrivateKey
	theirs        []*rsa.PublicKey
	notify        string
	gateway       string
	qr            bool
	tradesOnly    bool
}

// New returns an adapter that calls Alipay through client and knows no other
// clock than now. It reports everything that is wrong with c.
func New(c Config, client *outbound.Client, now func() time.Time) (*Adapter, error) {
	a := &Adapter{
		client: client, now: now, appID: c.AppID, seller: c.SellerID, notify: c.NotifyURL, gateway: c.Gateway, qr: c.QR, tradesOnly: c.TradesOnly,
	}
	if a.gateway == "" {
		a.gateway = live
	}
	errs := c.wrong()
	var err error
	if a.key, err = privateKey(c.PrivateKey); err != nil {
		errs = append(errs, fmt.Errorf("alipay: the private key %w", err))
	}
	if len(c.AlipayKeys) == 0 {
		errs = append(errs, errors.New("alipay: Alipay's public key is missing"))
	}
	for i, text := range c.AlipayKeys {
		k, err := publicKey(text)
		if err == nil && a.key != nil && k.Equal(&a.key.PublicKey) {
			err = errors.New("is the application's own; copy Alipay's (支付宝公钥) instead")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("alipay: Alipay's public key %d %w", i+1, err))
		}
		a.theirs = append(a.theirs, k)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return a, nil
}

func (c Config) wrong() (errs []error) {
	if !digits(c.AppID) {
		errs = append(errs, fmt.Errorf("alipay: the application's identifier %q is not a number", c.AppID))
	}
	if !digits(c.SellerID) || len(c.SellerID) != 16 || c.SellerID[:4] != "2088" {
		errs = append(errs, fmt.Errorf("alipay: the seller %q is not 2088 and twelve more digits", c.SellerID))
	}
	if u, err := url.Parse(c.NotifyURL); err != nil || u.Host == "" || u.RawQuery != "" || len(c.NotifyURL) > maxAddress {
		errs = append(errs, fmt.Errorf("alipay: the webhook address %q is not an absolute URL without a query", c.NotifyURL))
	}
	if u, err := url.Parse(c.Gateway); c.Gateway != "" && (err != nil || u.Host == "" || u.RawQuery != "") {
		errs = append(errs, fmt.Errorf("alipay: the gateway %q is not an absolute URL without a query", c.Gateway))
	}
	return errs
}

func digits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}

// Name implements [payment.Provider].
func (*Adapter) Name() string { return "alipay" }

// Limits implements [payment.Provider].
func (*Adapter) Limits() payment.Limits {
	return payment.Limits{
		Rails:      []payment.Rail{payment.Alipay},
		Currencies: map[payment.Rail][]money.Currency{payment.Alipay: {cny}},

		// alipay.trade.page.pay, total_amount: 0.01 to 100000000 yuan.
		Min: map[money.Currency]int64{cny: 1},
		Max: map[money.Currency]int64{cny: 100_000_000_00},

		// alipay.trade.refund: part by part up to the whole, for as long as the
		// contract says; so RefundWithin stays 0.
		Partial: true,

		// 02e7gp: a refund should be asked about ten seconds later at the
		// earliest. The rest is margin of ours, and for requests under way.
		SettlesWithin: 5 * time.Minute,

		Keyed:   true, // links are made here; precreate by out_trade_no, refunds by out_request_no
		OwnPage: true,
	}
}
