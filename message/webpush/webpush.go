// Package webpush delivers letters as notifications of a browser (RFC 8030), to
// the push service that the browser uses: encrypted for that browser alone
// (RFC 8291), and signed so that nobody else can send (RFC 8292).
//
// Tsuzuku is a program; this package promises nothing to other modules.
package webpush

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// Config is what the adapter is made from.
type Config struct {
	Key     Key
	Contact string // who push services may ask about us: a mailto: or https: address
	Random  io.Reader
	Now     func() time.Time
}

// Deliverer is a [message.Deliverer] by push.
type Deliverer struct {
	config Config
	client *outbound.Client
}

// New makes the adapter. The client must refuse what is not on the public internet,
// see [outbound.PublicTransport]: where letters go is said by browsers.
func New(c Config, client *outbound.Client) *Deliverer { return &Deliverer{c, client} }

// Name implements [message.Deliverer].
func (d *Deliverer) Name() string { return "webpush" }

// Channel implements [message.Deliverer].
func (d *Deliverer) Channel() message.Channel { return message.Push }

const (
	// awayAtMost is how long a push service keeps what a browser has not fetched.
	awayAtMost = 28 * 24 * time.Hour
	// away is the same for a letter that does not say until when it is worth something.
	away = 3 * 24 * time.Hour

	// maxTitle and maxText are what a notification shows, in characters; no device
	// shows more. Of four bytes each they fit, with a link and all else.
	maxTitle = 250
	maxText  = 500
	maxLink  = 500
)

// shown is what the browser gets; sw.js shows it.
type shown struct {
	Title string `json:"title"`
	Text  string `json:"text"`
	Link  string `json:"link,omitempty"` // where a tap leads
	Tag   string `json:"tag"`            // a later one with the same replaces it
	Lang  string `json:"lang"`
	ID    string `json:"id"`
}

// Deliver implements [message.Deliverer].
func (d *Deliverer) Deliver(ctx context.Context, l message.Letter) (message.Receipt, error) {
	to, err := message.ParseSubscription(l.To.Value)
	if err != nil || l.To.Channel != message.Push {
		return message.Receipt{}, &message.Refusal{Reason: message.BadLetter, Code: "address", Text: "not a subscription"}
	}
	r, err := d.request(ctx, to, l)
	if err != nil {
		return message.Receipt{}, &message.Refusal{Reason: message.BadLetter, Code: "letter", Text: err.Error()}
	}
	a, err := d.client.Do(ctx, r)
	switch {
	case errors.Is(err, outbound.ErrNotSent):
		return message.Receipt{}, fmt.Errorf("webpush: %w: %w", message.ErrNotSent, cause(err))
	case err != nil:
		return message.Receipt{}, fmt.Errorf("webpush: %w: %w", message.ErrUnknown, cause(err))
	}
	return answered(a)
}

// cause is what went wrong, without the address at which it did: errors are kept
// for staff, and nobody else is to know where a browser is reached.
func cause(err error) error {
	if at, ok := errors.AsType[*url.Error](err); ok {
		return at.Err
	}
	return err
}

// answered says what a push service's answer means, RFC 8030 and what services
// document of themselves.
func answered(a outbound.Answer) (message.Receipt, error) {
	refuse := func(why message.Reason) (message.Receipt, error) {
		return message.Receipt{}, &message.Refusal{Reason: why, Code: strconv.Itoa(a.Status), Text: string(a.Body[:min(len(a.Body), 200)])}
	}
	switch {
	case a.Status >= 200 && a.Status < 300:
		return message.Receipt{Ref: strconv.Itoa(a.Status)}, nil
	case a.Status == http.StatusNotFound || a.Status == http.StatusGone:
		return refuse(message.AddressDead)
	case a.Status == http.StatusRequestEntityTooLarge:
		return refuse(message.BadLetter)
	case a.Status == http.StatusTooManyRequests || a.Status >= 500:
		return message.Receipt{}, fmt.Errorf("webpush: the push service answers %d: %w", a.Status, message.ErrNotSent)
	}
	return refuse(message.Refused)
}

// request is the letter as the push service takes it.
func (d *Deliverer) request(ctx context.Context, to message.Subscription, l message.Letter) (*http.Request, error) {
	now := d.config.Now()
	u, err := outbound.PublicURL(to.Endpoint)
	if err != nil {
		return nil, err
	}
	body, err := d.sealed(to, l)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.Endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	us, err := d.config.Key.authorization(u.Scheme+"://"+u.Host, d.config.Contact, now)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", us)
	r.Header.Set("Content-Type", "application/octet-stream")
	r.Header.Set("Content-Encoding", "aes128gcm")
	r.Header.Set("TTL", strconv.FormatInt(int64(lasts(l.Until, now)/time.Second), 10))
	r.Header.Set("Urgency", "normal")
	if l.Urgent {
		r.Header.Set("Urgency", "high")
	}
	sum := sha256.Sum256([]byte(tag(l)))
	r.Header.Set("Topic", base64.RawURLEncoding.EncodeToString(sum[:24])) // 32 characters, and nothing to be read in them
	return r, nil
}

func tag(l message.Letter) string { return cmp.Or(l.About, l.ID) }

// lasts is how long the push service keeps a letter for somebody who is away. What
// is worthless already is shown to those who are there.
func lasts(until, now time.Time) time.Duration {
	if until.IsZero() {
		return away
	}
	return min(max(until.Sub(now), 0), awayAtMost)
}

func (d *Deliverer) sealed(to message.Subscription, l message.Letter) ([]byte, error) {
	key, auth, err := to.Keys()
	if err != nil {
		return nil, err
	}
	link := l.Link
	if len(link) > maxLink {
		link = ""
	}
	var plain bytes.Buffer
	w := json.NewEncoder(&plain)
	w.SetEscapeHTML(false) // nobody shows it as a page
	err = w.Encode(shown{
		Title: cut(plainly(l.Subject, ' '), maxTitle), Text: cut(plainly(l.Text, '\n'), maxText), Link: link, Tag: tag(l), Lang: string(l.Language), ID: l.ID,
	})
	if err != nil {
		return nil, err
	}
	own, err := newPrivate(d.config.Random)
	if err != nil {
		return nil, err
	}
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(d.config.Random, salt); err != nil {
		return nil, err
	}
	return encrypt(plain.Bytes(), key, auth, own, salt)
}

// plainly is a text with lines ended by end, and nothing else that is not seen.
func plainly(s string, end rune) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return end
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd")))
}

func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:most-1])) + "…"
}
