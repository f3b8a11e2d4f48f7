package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/message/smtp"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// Config is everything the seller's engineer can set. Each field is a flag of
// "tsuzuku serve", an environment variable TSUZUKU_<FLAG> and a key of the
// configuration file; "tsuzuku serve --help" is the reference manual.
type Config struct {
	Listen   string `default:"127.0.0.1:8080" help:"Address to serve HTTP on."`
	URL      string `name:"url" default:"http://127.0.0.1:8080" help:"Public base address, for links in mail and returns from payment pages."`
	Database string `default:"tsuzuku.db" help:"SQLite file, or a postgres:// address."`
	Secret   Secret `help:"At least 32 characters that nobody knows: codes and links are hashed with it. Changing it signs everybody out." placeholder:"SECRET"`

	ClientHeader string `help:"Header in which the reverse proxy in front of us puts the client's address, for example X-Real-IP. Unset: the connection's own. Set it only behind a proxy that always sets it." placeholder:"HEADER"`

	Wallet   order.WalletMode `default:"full" enum:"off,refunds_only,full" help:"What stored value may be used for. The law differs by country."`
	QuoteTTL time.Duration    `name:"quote-ttl" default:"30m" help:"How long a quoted price is honoured."`
	LogLevel slog.Level       `default:"info" help:"debug, info, warn or error."`

	Rail map[payment.Rail]string `help:"Which adapter takes a way to pay, where several could: --rail alipay=stripe. Otherwise the first configured of stripe, paypal, linepay, paypay, alipay, wechatpay that has it. Payments that are open stay where they are." placeholder:"RAIL=ADAPTER"`

	Stripe     Stripe     `embed:"" prefix:"stripe-" group:"Payment: Stripe"`
	ESIMAccess ESIMAccess `embed:"" prefix:"esimaccess-" group:"Operator: eSIM Access"`
	Mail       Mail       `embed:"" prefix:"mail-" group:"Messages: mail"`
}

// Stripe is the connection to Stripe.
type Stripe struct {
	Key           Secret   `help:"API key. Unset: no card payments." placeholder:"SECRET"`
	WebhookSecret []Secret `help:"Signing secret of the webhook endpoint URL/hooks/payment/stripe; two while it is being changed." placeholder:"SECRET"`

	Rails []payment.Rail `default:"card" help:"Ways to pay that are switched on in the account: card, alipay, wechat_pay, paypay, konbini."`
}

// ESIMAccess is the connection to eSIM Access.
type ESIMAccess struct {
	AccessCode Secret `help:"Access code. Unset: operators with carrier esimaccess cannot be used." placeholder:"SECRET"`
	SecretKey  Secret `help:"Secret key: requests are signed with it. Unset: the access code alone." placeholder:"SECRET"`
	HookPath   Secret `help:"Unguessable last part of the webhook address URL/hooks/carrier/esimaccess/…, since its notifications carry no signature." placeholder:"SECRET"`
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

const minSecret = 32

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
	if c.QuoteTTL < time.Minute || c.QuoteTTL > 24*time.Hour {
		errs = append(errs, fmt.Errorf("--quote-ttl: %v is not between a minute and a day", c.QuoteTTL))
	}
	if (c.Stripe.Key == "") != (len(c.Stripe.WebhookSecret) == 0) {
		errs = append(errs, errors.New("--stripe-key and --stripe-webhook-secret go together"))
	}
	if c.ESIMAccess.AccessCode == "" && c.ESIMAccess.SecretKey != "" {
		errs = append(errs, errors.New("--esimaccess-secret-key needs --esimaccess-access-code"))
	}
	if c.ESIMAccess.AccessCode != "" && len(c.ESIMAccess.HookPath) < 16 {
		errs = append(errs, errors.New("--esimaccess-hook-path: give at least 16 characters: it is all that proves who sends a notification"))
	}
	return errors.Join(errs...)
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
