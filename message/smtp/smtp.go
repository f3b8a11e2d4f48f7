// Package smtp delivers letters by mail, to one relay that speaks SMTP
// (RFC 5321) and takes care of the rest. The letter is put together by go-mail;
// the conversation is ours, because what we must know exactly is how far it got.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"github.com/tsuzuku/tsuzuku/message"
)

// Security is how the connection to the relay is protected.
type Security string

// The ways. There is no "if possible": whoever listens could make it impossible.
const (
	STARTTLS Security = "starttls" // plain at first, encrypted before anything matters; port 587
	TLS      Security = "tls"      // encrypted from the first byte; port 465
	Plain    Security = "none"     // for a relay on the same machine; no password is sent over it
)

// Config is what the adapter is made from.
type Config struct {
	Host     string
	Port     int           // 0: 587 with STARTTLS, 465 with TLS, 25 with none
	Security Security      // empty: STARTTLS
	User     string        // empty: no authentication
	Password string        // shown by nothing here
	From     string        // "Name <address>" or an address: the seller
	Hello    string        // how we introduce ourselves; empty: the domain of From
	Timeout  time.Duration // for one letter, all of it; 0: 30 s
	TLS      *tls.Config   // nil: the system's authorities, TLS 1.2 or later
	Now      func() time.Time
}

// String leaves out the password.
func (c Config) String() string {
	return fmt.Sprintf("smtp %s:%d (%s) as %q from %q", c.Host, c.port(), c.security(), c.User, c.From)
}

// GoString is [Config.String], for %#v.
func (c Config) GoString() string { return c.String() }

// Deliverer is a [message.Deliverer] by mail.
type Deliverer struct {
	config Config
	from   *mail.Address
	domain string // of from
}

// New checks the configuration and reports everything that is wrong with it. It
// does not connect.
func New(c Config) (*Deliverer, error) {
	d := &Deliverer{config: c}
	var errs []error
	if c.Host == "" {
		errs = append(errs, errors.New("smtp: no host"))
	}
	if c.Now == nil {
		errs = append(errs, errors.New("smtp: no clock"))
	}
	if c.Port < 0 || c.Port > 65535 {
		errs = append(errs, fmt.Errorf("smtp: port %d", c.Port))
	}
	switch c.security() {
	case STARTTLS, TLS, Plain:
	default:
		errs = append(errs, fmt.Errorf("smtp: security %q is none of starttls, tls, none", c.Security))
	}
	from, err := mail.ParseAddress(c.From)
	if err != nil {
		errs = append(errs, fmt.Errorf("smtp: from %q: %w", c.From, err))
	} else {
		d.from = from
		d.domain = from.Address[strings.LastIndexByte(from.Address, '@')+1:]
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return d, nil
}

// Name implements [message.Deliverer].
func (d *Deliverer) Name() string { return "smtp" }

// Channel implements [message.Deliverer].
func (d *Deliverer) Channel() message.Channel { return message.Email }

// Deliver implements [message.Deliverer]. It opens a connection for each letter:
// a relay that hangs or breaks then spoils one letter and no other.
func (d *Deliverer) Deliver(ctx context.Context, l message.Letter) (message.Receipt, error) {
	to, err := recipient(l.To)
	if err != nil {
		return message.Receipt{}, bad(err)
	}
	raw, err := d.compose(l, to)
	if err != nil {
		return message.Receipt{}, bad(err)
	}
	ctx, cancel := context.WithTimeout(ctx, d.config.timeout())
	defer cancel()
	conn, err := d.dial(ctx)
	if err != nil {
		return message.Receipt{}, notSent("connect", err)
	}
	defer conn.Close() //nolint:errcheck // nothing is lost by it
	// The conversation below knows no context: the end of ours ends the line.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()

	c, err := d.introduce(conn)
	if err != nil {
		return message.Receipt{}, notSent("introduce", err)
	}
	receipt, err := d.hand(c, to, raw)
	if err == nil {
		_, _ = c.Text.Cmd("QUIT") // politely, but nobody waits for the answer
	}
	return receipt, err
}

func (d *Deliverer) dial(ctx context.Context) (net.Conn, error) {
	at := net.JoinHostPort(d.config.Host, strconv.Itoa(d.config.port()))
	if d.config.security() == TLS {
		return (&tls.Dialer{Config: d.tls()}).DialContext(ctx, "tcp", at)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", at)
}

// introduce greets the relay, encrypts and authenticates, as configured.
func (d *Deliverer) introduce(conn net.Conn) (*smtp.Client, error) {
	c, err := smtp.NewClient(conn, d.config.Host)
	if err != nil {
		return nil, err
	}
	c.ErrorHandlerRegistry = smtp.NewErrorHandlerRegistry()
	hello := d.config.Hello
	if hello == "" {
		hello = d.domain
	}
	if err := c.Hello(hello); err != nil {
		return nil, err
	}
	if d.config.security() == STARTTLS {
		if err := c.StartTLS(d.tls()); err != nil {
			return nil, fmt.Errorf("STARTTLS: %w", err)
		}
	}
	if d.config.User == "" {
		return c, nil
	}
	auth, err := d.auth(c)
	if err != nil {
		return nil, err
	}
	if err := c.Auth(auth); err != nil {
		return nil, fmt.Errorf("AUTH: %w", err)
	}
	return c, nil
}

// auth picks the best way to authenticate that the relay offers. Without
// encryption only one remains that does not show the password.
func (d *Deliverer) auth(c *smtp.Client) (smtp.Auth, error) {
	_, offered := c.Extension("AUTH")
	offers := func(mechanism string) bool {
		for _, m := range strings.Fields(offered) {
			if strings.EqualFold(m, mechanism) {
				return true
			}
		}
		return false
	}
	encrypted := d.config.security() != Plain
	user, password, host := d.config.User, d.config.Password, d.config.Host
	switch {
	case offers("SCRAM-SHA-256"):
		return smtp.ScramSHA256Auth(user, password), nil
	case offers("PLAIN") && encrypted:
		return smtp.PlainAuth("", user, password, host, false), nil
	case offers("LOGIN") && encrypted:
		return smtp.LoginAuth(user, password, host, false), nil
	}
	return nil, fmt.Errorf("AUTH: the relay offers %q, none of which is safe here", offered)
}

// hand gives the relay the letter. Everything before the final dot leaves no
// letter behind; after it only the relay's answer tells.
func (d *Deliverer) hand(c *smtp.Client, to string, raw []byte) (message.Receipt, error) {
	if !ascii(to) {
		if ok, _ := c.Extension("SMTPUTF8"); !ok {
			return message.Receipt{}, bad(fmt.Errorf("the relay takes no address like %q", to))
		}
	}
	if err := c.Mail("<" + d.from.Address + ">"); err != nil {
		return message.Receipt{}, notSent("MAIL", err) // whatever it is, it is about us and not about the letter
	}
	if err := c.Rcpt("<" + to + ">"); err != nil {
		return message.Receipt{}, refusedOr(notSent, "RCPT", err)
	}
	w, err := c.Data()
	if err != nil {
		return message.Receipt{}, refusedOr(notSent, "DATA", err)
	}
	if _, err := w.Write(raw); err != nil {
		return message.Receipt{}, notSent("letter", err)
	}
	if err := w.Close(); err != nil {
		return message.Receipt{}, refusedOr(unknown, "end of letter", err)
	}
	said := ""
	if closer, ok := w.(*smtp.DataCloser); ok {
		said = closer.ServerResponse()
	}
	return message.Receipt{Ref: said}, nil
}

func (d *Deliverer) tls() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if d.config.TLS != nil {
		c = d.config.TLS.Clone()
	}
	if c.ServerName == "" {
		c.ServerName = d.config.Host
	}
	return c
}

func (c Config) security() Security {
	if c.Security == "" {
		return STARTTLS
	}
	return c.Security
}

func (c Config) port() int {
	if c.Port != 0 {
		return c.Port
	}
	switch c.security() {
	case STARTTLS:
		return 587
	case TLS:
		return 465
	case Plain:
	}
	return 25
}

func (c Config) timeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return 30 * time.Second
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
