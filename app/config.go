package app

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/message/smtp"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/upstream"
)

// Config is everything the seller's engineer can set. Each field is a flag of
// "tsuzuku serve", an environment variable TSUZUKU_<FLAG> and a key of the
// configuration file; "tsuzuku serve --help" is the reference manual.
type Config struct {
	Listen   string `default:"127.0.0.1:8080" help:"Address to serve HTTP on."`
	Admin    string `name:"admin-listen" help:"Address to serve what is for the seller's engineer alone on, apart from the shop: /metrics, in Prometheus' format. Anywhere but on loopback it needs --admin-token. Unset: it is not served." placeholder:"ADDRESS"`
	URL      string `name:"url" default:"http://127.0.0.1:8080" help:"Public base address, for links in mail and returns from payment pages."`
	Database string `default:"tsuzuku.db" help:"SQLite file, or a postgres:// address."`
	Secret   Secret `help:"At least 32 characters that nobody knows: codes and links are hashed with it, and the tokens of saved cards sealed. Changing it signs everybody out; give the old one as a former secret, else saved cards can no longer be charged." placeholder:"SECRET"`

	AdminToken Secret `help:"At least 32 characters that whoever asks at --admin-listen has to send, as Authorization: Bearer. Unset: whoever reaches the address on this machine reads it." placeholder:"SECRET"`

	FormerSecret []Secret `help:"Secrets of before: what was sealed with them can still be opened. Nothing new is." placeholder:"SECRET"`

	ClientHeader string `help:"Header in which the reverse proxy in front of us puts the client's address, for example X-Real-IP. Unset: the connection's own. Set it only behind a proxy that always sets it." placeholder:"HEADER"`

	Wallet order.WalletMode `default:"full" enum:"off,refunds_only,full" help:"What stored value may be used for. The law differs by country."`

	WalletExpiry time.Duration     `help:"How long value stays in a wallet before it expires, for example 4320h; its owner is told 7 days before. 0: for ever." placeholder:"DURATION"`
	Disputed     order.DisputeMode `default:"end_renewals" enum:"keep,end_renewals,suspend" help:"What becomes of the lines of a customer who owes what their bank took back: keep (renewed with a tool that is entered then), end_renewals (not renewed until it is paid), suspend (and a case asks staff to suspend the line at its operator). The wallet, points and saved tools are closed in each."`
	QuoteTTL     time.Duration     `name:"quote-ttl" default:"30m" help:"How long a quoted price is honoured. konbini is offered only with more than two days, for example 50h: its slip can be paid that long."`
	LogLevel     slog.Level        `default:"info" help:"debug, info, warn or error."`

	Rail map[payment.Rail]string `help:"Which adapter takes a way to pay, where several could: --rail alipay=stripe. Otherwise the first configured of stripe, paypal, linepay, paypay, alipay, wechatpay, antom that has it. Payments that are open stay where they are." placeholder:"RAIL=ADAPTER"`

	Reports []string `default:"all" help:"Providers whose reports are read once a day and held against the books, by name; all: of everybody who has reports. PayPal's needs the app's feature Transaction Search." placeholder:"ADAPTER"`

	Contact Contact `embed:"" prefix:"contact-" group:"The seller"`
	Seller  Seller  `embed:"" prefix:"seller-" group:"The seller"`

	Stripe     Stripe     `embed:"" prefix:"stripe-" group:"Payment: Stripe"`
	PayPal     PayPal     `embed:"" prefix:"paypal-" group:"Payment: PayPal"`
	LINEPay    LINEPay    `embed:"" prefix:"linepay-" group:"Payment: LINE Pay"`
	PayPay     PayPay     `embed:"" prefix:"paypay-" group:"Payment: PayPay"`
	Alipay     Alipay     `embed:"" prefix:"alipay-" group:"Payment: Alipay"`
	WeChatPay  WeChatPay  `embed:"" prefix:"wechatpay-" group:"Payment: WeChat Pay"`
	Antom      Antom      `embed:"" prefix:"antom-" group:"Payment: Antom"`
	ESIMAccess ESIMAccess `embed:"" prefix:"esimaccess-" group:"Operator: eSIM Access"`
	Airalo     Airalo     `embed:"" prefix:"airalo-" group:"Operator: Airalo"`
	ESIMGo     ESIMGo     `embed:"" prefix:"esimgo-" group:"Operator: eSIM Go"`
	CMI        CMI        `embed:"" prefix:"cmi-" group:"Operator: China Mobile International"`
	ES2Plus    ES2Plus    `embed:"" prefix:"smdp-" group:"Operator: your own SM-DP+"`
	Remote     Remote     `embed:"" prefix:"remote-" group:"Operators: remote"`
	Manual     Manual     `embed:"" prefix:"manual-" group:"Operators: by hand"`
	Radius     Radius     `embed:"" prefix:"radius-" group:"Operators: RADIUS accounting"`
	Balance    Balance    `embed:"" prefix:"balance-" group:"Operators: balances"`
	Mail       Mail       `embed:"" prefix:"mail-" group:"Messages: mail"`
	Push       Push       `embed:"" prefix:"push-" group:"Messages: notifications"`
	Issuers    Issuers    `embed:"" prefix:"issuer-" group:"Signing in elsewhere"`
	SMS        SMS        `embed:"" prefix:"sms-" group:"Messages: SMS"`
}

// Balance is when staff are told that little is left of the seller's money with an
// operator.
type Balance struct {
	Floor map[string]string `help:"Staff are told when the balance with an operator falls below this, in its own currency: --balance-floor esimaccess=200. Unset for one: below what it fell by in so many days of the last week." placeholder:"ADAPTER=AMOUNT"`
	Days  int               `default:"3" help:"How many days of the last week's spending a balance must last for, where no floor is set; 1 to 30."`
}

const mostBalanceDays = 30

// Floors is what is set, read. Days is 0 in programs that leave it out: then it is 3.
func (b Balance) Floors() (upstream.Floors, error) {
	if b.Days < 0 || b.Days > mostBalanceDays {
		return upstream.Floors{}, fmt.Errorf("--balance-days: %d is not between 1 and %d", b.Days, mostBalanceDays)
	}
	f, err := upstream.SetFloors(b.Floor, cmp.Or(b.Days, 3))
	if err != nil {
		return f, fmt.Errorf("--balance-floor: %w", err)
	}
	return f, nil
}

// Stripe is the connection to Stripe.
type Stripe struct {
	Key           Secret   `help:"API key. Unset: no card payments." placeholder:"SECRET"`
	WebhookSecret []Secret `help:"Signing secret of the webhook endpoint URL/hooks/payment/stripe; two while it is being changed." placeholder:"SECRET"`

	Rails []payment.Rail `default:"card" help:"Ways to pay that are switched on in the account: card, alipay, wechat_pay, paypay, konbini."`
}

// PayPal is the connection to PayPal.
type PayPal struct {
	ClientID     string `name:"client-id" help:"Client ID of the REST app. Unset: PayPal is not taken directly." placeholder:"ID"`
	ClientSecret Secret `help:"Secret of the REST app." placeholder:"SECRET"`
	WebhookID    string `name:"webhook-id" help:"PayPal's identifier of the webhook URL/hooks/payment/paypal; it is part of what PayPal signs." placeholder:"ID"`
	MerchantID   string `name:"merchant-id" help:"Payer ID of the seller's account: what pays anybody else is not ours." placeholder:"ID"`
	Disputes     bool   `help:"Ask for disputes; the app's feature of that name must be on at PayPal."`
	Vault        bool   `help:"Let customers keep their PayPal account for later payments; the app's feature \"Save payment methods\" must be on at PayPal."`
	Base         string `name:"url" help:"For the sandbox: https://api-m.sandbox.paypal.com. Unset: live." placeholder:"URL"`

	Roots *x509.CertPool `kong:"-"` // for simulators; nil: the system's
}

// LINEPay is the connection to LINE Pay, in Taiwan or Thailand.
type LINEPay struct {
	ChannelID     string `name:"channel-id" help:"Channel ID. Unset: LINE Pay is not taken." placeholder:"ID"`
	ChannelSecret Secret `help:"Channel secret key." placeholder:"SECRET"`
	Currency      string `default:"TWD" enum:"TWD,THB" help:"Currency of the contract: TWD or THB. LINE Pay in Japan ended in 2025."`
	Base          string `name:"url" help:"For the sandbox: https://sandbox-api-pay.line.me. Unset: live." placeholder:"URL"`
}

// PayPay is the connection to PayPay, in Japan.
type PayPay struct {
	Key        Secret `help:"API key. Unset: PayPay is not taken directly." placeholder:"SECRET"`
	Secret     Secret `help:"API key secret." placeholder:"SECRET"`
	MerchantID string `name:"merchant-id" help:"Merchant ID." placeholder:"ID"`
	Base       string `name:"url" help:"For the sandbox: https://apigw.sandbox.paypay.ne.jp. Unset: live." placeholder:"URL"`
}

// Alipay is the connection to Alipay in mainland China.
type Alipay struct {
	AppID      string   `name:"app-id" help:"The application's identifier. Unset: Alipay is not taken directly." placeholder:"ID"`
	SellerID   string   `name:"seller-id" help:"The seller's account: 2088 and twelve more digits." placeholder:"ID"`
	PrivateKey Secret   `help:"The application's own key, PEM or base64." placeholder:"SECRET"`
	PublicKey  []Secret `help:"Alipay's public key, PEM or base64; two while it is being changed." placeholder:"KEY"`
	QR         bool     `name:"qr" help:"Show computers a code to scan instead of Alipay's page; needs the contract for it."`
	TradesOnly bool     `help:"Read only the bill of trades, where the account is not given the bill of its balance: payouts are then not told."`
	Gateway    string   `help:"For the sandbox: https://openapi-sandbox.dl.alipaydev.com/gateway.do. Unset: live." placeholder:"URL"`
}

// WeChatPay is the connection to WeChat Pay in mainland China.
type WeChatPay struct {
	MchID       string `name:"mch-id" help:"Merchant number. Unset: WeChat Pay is not taken directly." placeholder:"ID"`
	AppID       string `name:"app-id" help:"App or official account that is bound to the merchant number." placeholder:"ID"`
	Serial      string `help:"Serial number of the merchant's API certificate, in hex." placeholder:"HEX"`
	PrivateKey  Secret `help:"Key of that certificate, PEM." placeholder:"SECRET"`
	APIKey      Secret `name:"api-key" help:"APIv3 key, 32 characters." placeholder:"SECRET"`
	PublicKeyID string `name:"public-key-id" help:"PUB_KEY_ID_… of WeChat Pay's public key. Unset: platform certificates." placeholder:"ID"`
	PublicKey   Secret `help:"That public key, PEM." placeholder:"KEY"`
	H5          bool   `name:"h5" help:"Lead phones into WeChat; the shop's domain must be registered for H5 payments."`
	Base        string `name:"url" help:"For simulators: there is no sandbox. Unset: live." placeholder:"URL"`
}

// Antom is the connection to Antom, the acquirer of Alipay and other wallets for
// sellers outside mainland China.
type Antom struct {
	ClientID   string   `name:"client-id" help:"Client ID; one that begins with SANDBOX_ is the sandbox's. Unset: nothing is taken through Antom." placeholder:"ID"`
	PrivateKey Secret   `help:"Our own key, PEM or base64." placeholder:"SECRET"`
	KeyVersion int      `default:"1" help:"Antom's number of that key: 1 until it is replaced."`
	PublicKey  []Secret `help:"Antom's public key, PEM or base64; two while it is being changed." placeholder:"KEY"`

	Rails   []payment.Rail `default:"alipay" help:"Ways to pay in the contract: alipay, paypay, line_pay (Thailand)."`
	Settle  string         `help:"Currency to be paid out in, where the contract has several." placeholder:"CURRENCY"`
	Gateway string         `name:"url" help:"Gateway of another region: https://open-na-global.alipay.com or https://open-de-global.alipay.com. Unset: Asia's." placeholder:"URL"`
}

// ESIMAccess is the connection to eSIM Access.
type ESIMAccess struct {
	AccessCode Secret `help:"Access code. Unset: operators with carrier esimaccess cannot be used." placeholder:"SECRET"`
	SecretKey  Secret `help:"Secret key: requests are signed with it. Unset: the access code alone." placeholder:"SECRET"`
	HookPath   Secret `help:"Unguessable last part of the webhook address URL/hooks/carrier/esimaccess/…, since its notifications carry no signature." placeholder:"SECRET"`
}

// Airalo is the connection to Airalo's Partner API.
type Airalo struct {
	ClientID     string `name:"client-id" help:"API client ID. Unset: operators with carrier airalo cannot be used." placeholder:"ID"`
	ClientSecret Secret `help:"API client secret: requests are signed with it, and so are notifications." placeholder:"SECRET"`
}

// ESIMGo is the connection to eSIM Go.
type ESIMGo struct {
	APIKey Secret `name:"api-key" help:"API key. Notifications are signed with it, too. Unset: operators with carrier esimgo cannot be used." placeholder:"SECRET"`
}

// CMI is the connection to China Mobile International's Global Data SIM platform.
type CMI struct {
	AppKey    Secret `help:"App Key of the channel. Unset: operators with carrier cmi cannot be used." placeholder:"SECRET"`
	AppSecret Secret `help:"App Secret: requests are signed with it, and so are notifications." placeholder:"SECRET"`
	Base      string `name:"url" help:"Scheme, host and port that the operator assigned, for example https://gds.example.com:39043." placeholder:"URL"`
	Resale    bool   `help:"The contract is of resale, not A2Z: which of the two catalogues is listed."`
	Currency  string `default:"USD" enum:"USD,HKD,CNY" help:"Currency of the deposit: USD, HKD or CNY."`
}

// Remote are the connections to operators behind servers that speak our contract,
// by the name that the catalogue gives their carrier.
type Remote struct {
	URL          map[string]string `help:"Address of a server that speaks docs/carrier-contract.md: --remote-url tabi=https://… lets operators in the catalogue have carrier tabi." placeholder:"NAME=URL"`
	Key          map[string]Secret `help:"The key shared with it, whsec_…; two with a space between while it is being changed, the newest first." placeholder:"NAME=SECRET"`
	Capabilities map[string]string `help:"File that says what the operator can do, as tsuzuku carrier capabilities prints it." placeholder:"NAME=FILE"`
}

// Manual is how the staff work who extend lines by hand.
type Manual struct {
	Within time.Duration `help:"Operators in the catalogue may have carrier manual: the seller's staff extend their lines by hand, at the latest so long after payment, from 15m to 168h. Customers are told. Unset: there are none." placeholder:"DURATION"`
}

// Mail is the relay that takes our letters.
type Mail struct {
	Host     string        `help:"SMTP relay. Unset: nothing is sent by mail, and nobody can sign in." placeholder:"HOST"`
	Port     int           `help:"0: by security."`
	Security smtp.Security `default:"starttls" enum:"starttls,tls,none" help:"starttls, tls or none."`
	User     string        `help:"User name at the relay."`
	Password Secret        `help:"Password at the relay." placeholder:"SECRET"`
	From     string        `default:"Tsuzuku <noreply@localhost>" help:"Sender of all letters."`
}

// Push are notifications of browsers. Their key is made and kept sealed in the
// database by itself.
type Push struct {
	Off     bool   `help:"Send no notifications to browsers, and offer none."`
	Contact string `help:"Whom push services may write to about us: mailto:… or https:…. Unset: --url where it is https, else --contact-mail." placeholder:"ADDRESS"`
}

const minSecret = 32

// longestQuote is more than two days: a convenience store's slip can be paid to the
// end of the next, and its price must still stand then.
const longestQuote = 72 * time.Hour

// leastExpiry is the shortest life of value in a wallet: its owner needs time to
// use it after the notice.
const leastExpiry = 30 * 24 * time.Hour

// Validate reports everything that is wrong, not only the first thing. Kong
// calls it.
func (c *Config) Validate() error {
	var errs []error
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		errs = append(errs, fmt.Errorf("--url: %q is not an absolute http(s) address", c.URL))
	}
	if len(c.Secret) < minSecret {
		errs = append(errs, fmt.Errorf("--secret: give at least %d characters, for example the output of: openssl rand -hex 32", minSecret))
	}
	errs = append(errs, c.checkAdmin())
	if c.QuoteTTL < time.Minute || c.QuoteTTL > longestQuote {
		errs = append(errs, fmt.Errorf("--quote-ttl: %v is not between a minute and three days", c.QuoteTTL))
	}
	if c.WalletExpiry != 0 && (c.Wallet != order.WalletFull || c.WalletExpiry < leastExpiry) {
		errs = append(errs, fmt.Errorf("--wallet-expiry: %v: give at least %v, and only with --wallet full", c.WalletExpiry, leastExpiry))
	}
	if (c.Stripe.Key == "") != (len(c.Stripe.WebhookSecret) == 0) {
		errs = append(errs, errors.New("--stripe-key and --stripe-webhook-secret go together"))
	}
	errs = append(errs,
		together("paypal", map[string]bool{"client-id": c.PayPal.ClientID != "", "client-secret": c.PayPal.ClientSecret != "", "webhook-id": c.PayPal.WebhookID != ""}),
		together("linepay", map[string]bool{"channel-id": c.LINEPay.ChannelID != "", "channel-secret": c.LINEPay.ChannelSecret != ""}),
		together("paypay", map[string]bool{"key": c.PayPay.Key != "", "secret": c.PayPay.Secret != "", "merchant-id": c.PayPay.MerchantID != ""}),
		together("alipay", map[string]bool{
			"app-id": c.Alipay.AppID != "", "seller-id": c.Alipay.SellerID != "", "private-key": c.Alipay.PrivateKey != "", "public-key": len(c.Alipay.PublicKey) > 0,
		}),
		together("wechatpay", map[string]bool{
			"mch-id": c.WeChatPay.MchID != "", "app-id": c.WeChatPay.AppID != "", "serial": c.WeChatPay.Serial != "",
			"private-key": c.WeChatPay.PrivateKey != "", "api-key": c.WeChatPay.APIKey != "",
		}),
		together("antom", map[string]bool{"client-id": c.Antom.ClientID != "", "private-key": c.Antom.PrivateKey != "", "public-key": len(c.Antom.PublicKey) > 0}),
	)
	if c.ESIMAccess.AccessCode != "" && len(c.ESIMAccess.HookPath) < 16 {
		errs = append(errs, errors.New("--esimaccess-hook-path: give at least 16 characters: it is all that proves who sends a notification"))
	}
	_, err := c.Balance.Floors()
	errs = append(errs, c.checkOperators(), err, c.Contact.check(), c.Issuers.check(), c.SMS.check())
	return errors.Join(errs...)
}

// checkAdmin refuses to tell the numbers of the shop to everybody on a network.
func (c *Config) checkAdmin() error {
	if c.AdminToken != "" && len(c.AdminToken) < minSecret {
		return fmt.Errorf("--admin-token: give at least %d characters, for example the output of: openssl rand -hex 32", minSecret)
	}
	if c.Admin == "" || c.AdminToken != "" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.Admin)
	if err != nil {
		return fmt.Errorf("--admin-listen: %w", err)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("--admin-listen: %s can be reached from elsewhere: give --admin-token, or an address on loopback such as 127.0.0.1:9464", c.Admin)
	}
	return nil
}

// checkOperators reports what is wrong with the connections to operators.
func (c *Config) checkOperators() error {
	var errs []error
	errs = append(errs, together("airalo", map[string]bool{"client-id": c.Airalo.ClientID != "", "client-secret": c.Airalo.ClientSecret != ""}))
	errs = append(errs, together("cmi", map[string]bool{"app-key": c.CMI.AppKey != "", "app-secret": c.CMI.AppSecret != "", "url": c.CMI.Base != ""}))
	if c.ESIMAccess.AccessCode == "" && c.ESIMAccess.SecretKey != "" {
		errs = append(errs, errors.New("--esimaccess-secret-key needs --esimaccess-access-code"))
	}
	return errors.Join(append(errs, c.Remote.check(), c.ES2Plus.check(), c.Radius.check())...)
}

// reads reports whether a provider's reports are read by themselves.
func (c Config) reads(provider string) bool {
	return slices.Contains(c.Reports, provider) || slices.Contains(c.Reports, "all")
}

// together reports which settings of a group are missing, if some are there.
func together(group string, given map[string]bool) error {
	var missing []string
	for name, there := range given {
		if !there {
			missing = append(missing, "--"+group+"-"+name)
		}
	}
	if len(missing) == 0 || len(missing) == len(given) {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("%s is configured in part: give %s too", group, strings.Join(missing, ", "))
}

// Secret is a string that does not appear in logs. A value of the form
// "@/path" is read from that file.
type Secret string

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Secret) UnmarshalText(b []byte) error {
	v := string(b)
	if path, ok := strings.CutPrefix(v, "@"); ok {
		data, err := os.ReadFile(path) //nolint:gosec // the engineer chooses the file
		if err != nil {
			return err
		}
		v = strings.TrimSpace(string(data))
	}
	*s = Secret(v)
	return nil
}

// String hides the secret.
func (s Secret) String() string { return "[secret]" }

// GoString hides the secret.
func (s Secret) GoString() string { return "[secret]" }

// LogValue hides the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

func plain(secrets []Secret) []string {
	out := make([]string, len(secrets))
	for i, s := range secrets {
		out[i] = string(s)
	}
	return out
}
