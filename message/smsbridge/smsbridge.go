// Package smsbridge hands SMS to a bridge: a small HTTP server, of the seller's or of
// anybody's, that speaks the contract of docs/sms-contract.md on one side and to an SMS
// gateway on the other.
//
// The bridge takes a message once, by our identifier of it. So one whose answer was
// lost may be handed over again, which package message does at most once.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package smsbridge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/signed"
)

// Config is what the adapter is made from.
type Config struct {
	URL    string // of the bridge: https, or http on this machine
	Secret string // whsec_ and base64; two with a space between while it is being changed
	Now    func() time.Time
}

// Deliverer is a [message.Deliverer] by SMS.
type Deliverer struct {
	url    string
	keys   signed.Keys
	now    func() time.Time
	client *outbound.Client
}

// New makes the adapter. It fails for an address that is not encrypted and of another
// machine, and for a secret that is none.
func New(c Config, client *outbound.Client) (*Deliverer, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !own(u.Hostname())) {
		return nil, errors.New("the address is https://…, or http://… on this machine")
	}
	keys, err := signed.ParseKeys(strings.Fields(c.Secret))
	if err != nil {
		return nil, err
	}
	return &Deliverer{c.URL, keys, c.Now, client}, nil
}

// own reports whether a host is this machine.
func own(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Name implements [message.Deliverer].
func (d *Deliverer) Name() string { return "smsbridge" }

// Channel implements [message.Deliverer].
func (d *Deliverer) Channel() message.Channel { return message.SMS }

// maxText is how many characters an SMS has, in all of its parts.
const maxText = 1000

// asked is the request, as the contract has it.
type asked struct {
	ID       string `json:"id"`
	To       string `json:"to"`
	Text     string `json:"text"`
	Language string `json:"language"`
	Parts    int    `json:"parts"`
	Alphabet string `json:"alphabet"`
	Until    string `json:"until,omitempty"`
}

// answered is the answer.
type answered struct {
	Outcome string `json:"outcome"`
	Ref     string `json:"ref"`
	Reason  string `json:"reason"`
	Text    string `json:"text"`
}

var number = regexp.MustCompile(`^\+[1-9][0-9]{4,14}$`)

// Deliver implements [message.Deliverer].
func (d *Deliverer) Deliver(ctx context.Context, l message.Letter) (message.Receipt, error) {
	if l.To.Channel != message.SMS || !number.MatchString(l.To.Value) {
		return message.Receipt{}, &message.Refusal{Reason: message.BadLetter, Code: "address", Text: "not a telephone number"}
	}
	body, err := json.Marshal(ask(l))
	if err != nil {
		return message.Receipt{}, &message.Refusal{Reason: message.BadLetter, Code: "letter", Text: err.Error()}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, bytes.NewReader(body))
	if err != nil {
		return message.Receipt{}, fmt.Errorf("smsbridge: %w: %w", message.ErrNotSent, err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", l.ID)
	d.keys.Sign(r.Header, l.ID, d.now(), body)
	a, err := d.client.Do(ctx, r)
	switch {
	case errors.Is(err, outbound.ErrNotSent):
		return message.Receipt{}, fmt.Errorf("smsbridge: %w: %w", message.ErrNotSent, cause(err))
	case err != nil:
		return message.Receipt{}, fmt.Errorf("smsbridge: %w: %w", message.ErrUnknown, cause(err))
	}
	return read(a)
}

// cause is what went wrong, without the address at which it did: it may hold a
// password, and errors are kept for staff.
func cause(err error) error {
	if at, ok := errors.AsType[*url.Error](err); ok {
		return at.Err
	}
	return err
}

func ask(l message.Letter) asked {
	text := cut(plainly(l.Text))
	parts, alphabet := message.Segments(text)
	a := asked{ID: l.ID, To: l.To.Value, Text: text, Language: string(l.Language), Parts: parts, Alphabet: alphabet}
	if !l.Until.IsZero() {
		a.Until = l.Until.UTC().Format(time.RFC3339)
	}
	return a
}

// read says what an answer means. What the contract does not know says nothing.
func read(a outbound.Answer) (message.Receipt, error) {
	switch a.Status {
	case http.StatusOK:
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge, http.StatusTooManyRequests:
		return message.Receipt{}, fmt.Errorf("smsbridge: %w: the bridge answers %d", message.ErrNotSent, a.Status)
	default:
		return message.Receipt{}, fmt.Errorf("smsbridge: %w: the bridge answers %d", message.ErrUnknown, a.Status)
	}
	var said answered
	if err := json.Unmarshal(a.Body, &said); err != nil {
		return message.Receipt{}, fmt.Errorf("smsbridge: %w: the answer is no JSON object", message.ErrUnknown)
	}
	switch said.Outcome {
	case "accepted":
		return message.Receipt{Ref: said.Ref}, nil
	case "refused":
		return message.Receipt{}, &message.Refusal{Reason: reason(said.Reason), Code: said.Reason, Text: said.Text}
	case "busy":
		return message.Receipt{}, fmt.Errorf("smsbridge: %w: the gateway is busy: %s", message.ErrNotSent, said.Text)
	}
	return message.Receipt{}, fmt.Errorf("smsbridge: %w: the bridge says %q", message.ErrUnknown, said.Outcome)
}

// reason is why a bridge refuses, in our words.
func reason(word string) message.Reason {
	switch word {
	case "number_dead":
		return message.AddressDead
	case "not_wanted":
		return message.NotWanted
	case "bad_message":
		return message.BadLetter
	}
	return message.Refused
}

// plainly is a text without what nobody sees.
func plainly(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\r\n", "\n")))
}

func cut(s string) string {
	if utf8.RuneCountInString(s) <= maxText {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:maxText-1])) + "…"
}
