// Package remote is the adapter to operators behind a server that the seller, or
// the operator, writes in whatever language: it speaks the contract of
// docs/carrier-contract.md. A request acts once for our reference, so an
// extension whose answer was lost is settled by asking for that.
//
// Conform plays the contract against such a server, for its author.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package remote

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/signed"
)

// Config is what the seller's engineer knows about the server.
type Config struct {
	Name         string   // of the adapter in catalogue and rows, 1 to 30 small letters and digits, a letter first
	URL          string   // the one address
	Keys         []string // whsec_…; the newest first, two while one is being changed
	Capabilities Capabilities
}

// Adapter is a remote operator as a [carrier.Carrier].
type Adapter struct {
	config Config
	keys   signed.Keys
	client *outbound.Client
	now    func() time.Time
	nonce  func() string
}

var _ carrier.Carrier = (*Adapter)(nil)

var names = regexp.MustCompile(`^[a-z][0-9a-z]{0,29}$`)

// New returns an adapter. nonce makes 32 hexadecimal digits, never the same
// twice. The client should keep to Abilities().RatePerSecond.
func New(c Config, client *outbound.Client, now func() time.Time, nonce func() string) (*Adapter, error) {
	if !names.MatchString(c.Name) {
		return nil, fmt.Errorf("the name %q is not 1 to 30 small letters and digits, a letter first", c.Name)
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Fragment != "" {
		return nil, fmt.Errorf("%q is not an absolute http(s) address", c.URL)
	}
	k, err := signed.ParseKeys(c.Keys)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(c.Capabilities.check()...); err != nil {
		return nil, err
	}
	return &Adapter{c, k, client, now, nonce}, nil
}

// Name implements [carrier.Carrier].
func (a *Adapter) Name() string { return a.config.Name }

// Abilities implements [carrier.Carrier].
func (a *Adapter) Abilities() carrier.Abilities { return a.config.Capabilities.Abilities() }

// question is a request's body.
type question struct {
	Call    string   `json:"call"`
	Ref     string   `json:"ref,omitempty"`
	Line    *profile `json:"line,omitempty"`
	Package string   `json:"package,omitempty"`
	Days    int      `json:"days,omitempty"`
}

type profile struct {
	ID    string `json:"id"`
	ICCID string `json:"iccid,omitempty"`
}

// about asks about an extension.
func about(call string, e carrier.Extension) question {
	return question{call, e.Ref, lineNamed(e.Profile), e.Package, e.Days}
}

func lineNamed(p carrier.Profile) *profile { return &profile{p.ID, p.ICCID} }

// receipt is what all answers say about an extension that was carried out.
type receipt struct {
	Ref      string  `json:"ref"`
	StartsAt instant `json:"starts_at"`
	EndsAt   instant `json:"ends_at"`
	Total    whole   `json:"total_bytes"`
}

func (r receipt) read() (carrier.Receipt, error) {
	switch {
	case r.Ref == "" || len(r.Ref) > textMost:
		return carrier.Receipt{}, errors.New("the receipt has no ref, or one that is too long")
	case !r.EndsAt.IsZero() && !r.EndsAt.After(r.StartsAt.Time):
		return carrier.Receipt{}, errors.New("the receipt ends before it starts")
	}
	return carrier.Receipt{Ref: carrier.Clip(r.Ref), StartsAt: r.StartsAt.Time, EndsAt: r.EndsAt.Time, Total: r.Total.n}, nil
}

// textMost is how long a name at the operator may be.
const textMost = 100

var (
	refs   = regexp.MustCompile(`^[0-9a-z_]{1,40}$`)
	iccids = regexp.MustCompile(`^[0-9]{18,20}$`)
)

// sane refuses what would be a bug of ours to send.
func sane(e carrier.Extension) error {
	if err := saneOrder(e.Ref, e.Package, e.Days); err != nil {
		return err
	}
	return named(e.Profile)
}

// saneOrder is what is sane of an order of anything.
func saneOrder(ref, code string, days int) error {
	no := func(why string) error { return &carrier.Refusal{Reason: carrier.BadRequest, Text: why} }
	switch {
	case !refs.MatchString(ref):
		return no("the reference must be 1 to 40 of [0-9a-z_]")
	case code == "" || len(code) > textMost:
		return no("a package is 1 to 100 characters")
	case days < 0 || days > 365:
		return no("days must be 0 to 365")
	}
	return nil
}

// named refuses a line that the operator cannot tell from others.
func named(p carrier.Profile) error {
	if p.ID == "" || len(p.ID) > textMost || p.ICCID != "" && !iccids.MatchString(p.ICCID) {
		return &carrier.Refusal{Reason: carrier.LineUnknown, Text: "a line needs the operator's own identifier, and an ICCID 18 to 20 digits"}
	}
	return nil
}

// Prepare implements [carrier.Carrier]. There is nothing to remember; the line's
// status tells what would be refused.
func (a *Adapter) Prepare(ctx context.Context, e carrier.Extension) (carrier.Snapshot, error) {
	if err := sane(e); err != nil {
		return nil, err
	}
	s, err := a.Status(ctx, e.Profile)
	if err != nil {
		return nil, err
	}
	able := a.Abilities()
	switch {
	case s.State == carrier.LineDead:
		return nil, &carrier.Refusal{Reason: carrier.LineTerminal, Text: "the operator says that the line is terminal"}
	case s.State == carrier.LineIsOver && (able.AfterEnd == 0 || !s.EndsAt.IsZero() && a.now().After(s.EndsAt.Add(able.AfterEnd))):
		return nil, &carrier.Refusal{Reason: carrier.LineEnded, Text: "the operator says that the line has ended"}
	case able.ActiveOnly && s.State == carrier.LineNew:
		return nil, &carrier.Refusal{Reason: carrier.LineNotActive, Text: "the operator says that the line is not active yet"}
	}
	return nil, nil
}

// Extend implements [carrier.Carrier]: one request, whatever comes of it.
func (a *Adapter) Extend(ctx context.Context, e carrier.Extension) (carrier.Receipt, error) {
	if err := sane(e); err != nil {
		return carrier.Receipt{}, err
	}
	var got struct {
		Outcome string  `json:"outcome"`
		Receipt receipt `json:"receipt"`
	}
	if err := a.call(ctx, changes, about("extend", e), &got); err != nil {
		return carrier.Receipt{}, err
	}
	if got.Outcome != "done" {
		return carrier.Receipt{}, changes.silence("extend: the outcome is %q", carrier.Clip(got.Outcome))
	}
	r, err := got.Receipt.read()
	if err != nil {
		return carrier.Receipt{}, changes.silence("extend: %w", err)
	}
	return r, nil
}

// LookUp implements [carrier.Carrier]. The reading is as old as the operator says,
// and never newer than when we began.
func (a *Adapter) LookUp(ctx context.Context, e carrier.Extension) (carrier.Reading, error) {
	if err := sane(e); err != nil {
		return carrier.Reading{}, err
	}
	began := a.now().UTC()
	var got struct {
		Found   carrier.Found `json:"found"`
		AsOf    instant       `json:"as_of"`
		Text    string        `json:"text"`
		Receipt receipt       `json:"receipt"`
	}
	if err := a.call(ctx, reads, about("lookup", e), &got); err != nil {
		return carrier.Reading{}, err
	}
	if got.AsOf.IsZero() {
		return carrier.Reading{}, reads.silence("lookup: the answer has no as_of")
	}
	reading := carrier.Reading{Found: got.Found, AsOf: began, Why: "the operator says " + carrier.Clip(string(got.Found)) + " " + carrier.Quote(got.Text)}
	if got.AsOf.Before(began) {
		reading.AsOf = got.AsOf.Time
	}
	switch got.Found {
	case carrier.FoundDone:
		r, err := got.Receipt.read()
		if err != nil {
			return carrier.Reading{}, reads.silence("lookup: %w", err)
		}
		reading.Receipt = r
	case carrier.FoundAbsent, carrier.FoundUnsure:
	case carrier.FoundPending: // of new lines alone
		fallthrough
	default:
		return carrier.Reading{}, reads.silence("lookup: found %q", carrier.Clip(string(got.Found)))
	}
	return reading, nil
}

// Cancel implements [carrier.Carrier].
func (a *Adapter) Cancel(ctx context.Context, e carrier.Extension) error {
	if err := sane(e); err != nil {
		return err
	}
	if !a.config.Capabilities.Cancel {
		return &carrier.Refusal{Reason: carrier.OperatorRefuses, Text: "this operator takes nothing back"}
	}
	var got envelope
	if err := a.call(ctx, changes, about("cancel", e), &got); err != nil {
		return err
	}
	if got.Outcome != "done" {
		return changes.silence("cancel: the outcome is %q", carrier.Clip(got.Outcome))
	}
	return nil
}
