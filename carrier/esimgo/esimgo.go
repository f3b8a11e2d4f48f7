// Package esimgo is the adapter to eSIM Go (api.esim-go.com, version 2.4), an
// operator that sells data plans on eSIMs. A further package waits on the eSIM
// until the one before it is used up or over. The operator calls packages bundles,
// and one bundle on one eSIM an assignment; so do the comments here.
//
// Three things about this operator shape the code. It has no key by which it would
// recognise a request that it has seen, and keeps no word of ours with an order: a
// request whose answer was lost is settled by comparing the assignments that the
// eSIM had before with those that it has now (snapshot.go), and one for a new eSIM
// by a label on the eSIM itself (issue.go). Nothing is ever sent again. It can try
// an order without charging for it, so that every order is tried first. And it
// would put a bundle on another, new eSIM where it does not fit ours; it is always
// told not to, and an answer that names another eSIM is not believed.
//
// The facts are from the operator's published document as of 2026, and from how
// client programs that were made from it behave.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package esimgo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
)

const (
	refMax    = 40  // what the port promises
	bundleMax = 100 // of a bundle's name; real ones have some twenty characters
)

// Config is what the seller's engineer knows about their account.
type Config struct {
	APIKey  string // also what notifications are signed with
	BaseURL string // scheme and host; empty: the operator's own
}

// Adapter is eSIM Go as a [carrier.Carrier].
type Adapter struct {
	config  Config
	client  *outbound.Client
	now     func() time.Time
	gate    gate
	answers answers
}

var _ carrier.Issuer = (*Adapter)(nil)

// New returns an adapter. The client should keep to Abilities().RatePerSecond.
func New(c Config, client *outbound.Client, now func() time.Time) *Adapter {
	if c.BaseURL == "" {
		c.BaseURL = "https://api.esim-go.com"
	}
	return &Adapter{config: c, client: client, now: now}
}

// Name implements [carrier.Carrier].
func (a *Adapter) Name() string { return "esimgo" }

// Abilities implements [carrier.Carrier].
func (a *Adapter) Abilities() carrier.Abilities {
	return carrier.Abilities{
		// Several bundles on one eSIM wait for each other. In which order they
		// are used is not documented.
		Modes: []carrier.Mode{carrier.ModeQueue},

		// The document has no word against a bundle on an eSIM whose others are
		// over, and names one time: what nobody uses for twelve months lapses.
		AfterEnd: 365 * 24 * time.Hour,

		// A bundle that has not begun, some sixty days long: see Cancel.
		Cancel: true,

		Issues:    true,
		Withdraws: true,

		// Not documented; its site shows figures that are minutes old.
		UsageDelay: 15 * time.Minute,

		// For each address that asks. Some calls count for several.
		RatePerSecond: 10,

		// The document lets an assignment take up to ten minutes, and so does
		// the delivery of a new eSIM. This is twice that.
		SettlesWithin: 20 * time.Minute,
	}
}

// Prepare implements [carrier.Carrier]: whether the bundle fits this eSIM, whether
// the order would be taken, and, last because it is compared with, which
// assignments the eSIM has.
func (a *Adapter) Prepare(ctx context.Context, e carrier.Extension) (carrier.Snapshot, error) {
	card, err := sane(e)
	if err != nil {
		return nil, err
	}
	if err := a.fits(ctx, card, e.Package); err != nil {
		return nil, err
	}
	if err := a.rehearse(ctx, order{Bundle: e.Package, Card: card}); err != nil {
		return nil, err
	}
	began := a.now().UTC()
	list, err := a.assignments(ctx, card)
	if err != nil {
		return nil, err
	}
	if others(e, list) {
		return nil, carrier.GivenAgain()
	}
	if e.Earlier != nil && !shows(list, *e.Earlier) {
		return nil, reads.silence("the eSIM is shown as it was before its last bundle")
	}
	s, err := json.Marshal(pictureOf(list, began))
	if err != nil {
		return nil, fmt.Errorf("%w: esimgo: snapshot: %w", carrier.ErrNotSent, err)
	}
	return s, nil
}

// others reports whether an eSIM's bundles show that it is not the line's: none was in
// use when the line was.
func others(e carrier.Extension, list []held) bool {
	return !e.Since.IsZero() && !slices.ContainsFunc(list, func(h held) bool { return !e.Younger(h.StartTime.Time) })
}

// fits asks whether a bundle can be put on an eSIM: bundles of different networks
// cannot always. A no about the question itself does not say whether the eSIM or
// the bundle is unknown, so the eSIM is looked at then.
func (a *Adapter) fits(ctx context.Context, card, bundle string) error {
	var answer struct {
		Compatible *bool `json:"compatible"`
	}
	const what = "esims/…/compatible"
	err := a.ask(ctx, question{effect: reads, about: aCard, what: what, path: "esims/" + card + "/compatible/" + url.PathEscape(bundle)}, &answer)
	r, refused := errors.AsType[*carrier.Refusal](err)
	switch {
	case refused && r.Reason == carrier.LineUnknown:
		if _, err := a.assignments(ctx, card); err != nil {
			return err
		}
		return &carrier.Refusal{Reason: carrier.PackageGone, Code: r.Code, Text: r.Text}
	case err != nil:
		return err
	case answer.Compatible == nil:
		return reads.silence("%s: the answer does not say", what)
	case !*answer.Compatible:
		return &carrier.Refusal{Reason: carrier.PackageGone, Text: "the operator cannot put this bundle on this eSIM"}
	}
	return nil
}

// sane refuses what would be a bug of ours to send, and returns the eSIM's number
// as the operator takes it.
func sane(e carrier.Extension) (card string, err error) {
	if card, err = named(e.Profile); err != nil {
		return "", err
	}
	return card, saneOrder(e.Ref, e.Package, e.Days)
}

func saneOrder(ref, bundle string, days int) error {
	no := func(why string) error { return &carrier.Refusal{Reason: carrier.BadRequest, Text: why} }
	switch {
	case !short(ref, refMax, "_"):
		return no("the reference must have 1 to 40 letters and digits")
	case !short(bundle, bundleMax, "_-.+"):
		return no("the bundle's name must have 1 to 100 letters, digits and _-.+")
	case days != 0:
		return no("this operator's bundles have lengths of their own")
	}
	return nil
}

// named is the number of an eSIM: the operator knows no other name of it.
func named(p carrier.Profile) (card string, err error) {
	no := func(why string) error { return &carrier.Refusal{Reason: carrier.LineUnknown, Text: why} }
	card = cardNumber(p.ICCID)
	switch {
	case card == "" && cardNumber(p.ID) == "":
		return "", no("the line has no ICCID")
	case card == "":
		return cardNumber(p.ID), nil
	case p.ID != "" && cardNumber(p.ID) != card:
		return "", no("the line's profile is not its ICCID, which is the only name that this operator knows")
	}
	return card, nil
}

// Extend implements [carrier.Carrier]: one request, whatever comes of it.
func (a *Adapter) Extend(ctx context.Context, e carrier.Extension) (carrier.Receipt, error) {
	card, err := sane(e)
	if err != nil {
		return carrier.Receipt{}, err
	}
	got, err := a.place(ctx, order{Bundle: e.Package, Card: card})
	if err != nil {
		return carrier.Receipt{}, err
	}
	for _, m := range got.made(e.Package) {
		if m.ICCID != "" && cardNumber(string(m.ICCID)) != card {
			return carrier.Receipt{}, changes.silence("orders: the bundle was put on another eSIM, %s", a.quote(string(m.ICCID)))
		}
	}
	if !got.complete() {
		return carrier.Receipt{}, changes.silence("orders: the order is %s: %s", a.quote(string(got.Status)), a.quote(string(got.StatusMessage)))
	}
	return carrier.Receipt{Ref: string(got.Reference)}, nil
}

// Cancel implements [carrier.Carrier]. A bundle is taken back that has not begun,
// and only while another that is not over stays on the eSIM: of an eSIM that is not
// installed the operator takes the last bundle together with the eSIM. What becomes
// of its price is up to the account; see docs/operators/esim-go.md.
func (a *Adapter) Cancel(ctx context.Context, e carrier.Extension) error {
	no := func(code, why string) error {
		return &carrier.Refusal{Reason: carrier.OperatorRefuses, Code: code, Text: why}
	}
	card, err := sane(e)
	if err != nil {
		return err
	}
	before, err := readPicture(e.Snapshot)
	if err != nil {
		return no("", "it is not known which bundle was put on the eSIM: "+err.Error())
	}
	list, err := a.assignments(ctx, card)
	if err != nil {
		return err
	}
	g := growthOf(before, list, e.Package)
	switch {
	case len(g.ours) != 1:
		return no("", "it is not clear which bundle is meant ("+g.String()+")")
	case g.ours[0].State == revoked:
		return nil // it was taken back before
	case !g.ours[0].unused():
		return no(carrier.Clip(string(g.ours[0].State)), "only a bundle that has not begun can be taken back")
	case !othersLive(list, g.ours[0]):
		return no("", "the operator takes the eSIM back together with its last bundle")
	}
	path := "esims/" + card + "/bundles/" + url.PathEscape(e.Package) + "/assignments/" + url.PathEscape(string(g.ours[0].ID))
	return a.ask(ctx, question{
		effect: changes, about: aCard, method: "DELETE", what: "esims/…/bundles/…/assignments/…", path: path + "?type=transaction&refundToBalance=true",
	}, &struct{}{})
}

// Balance implements [carrier.Carrier]. It holds what the operator lends for trying.
func (a *Adapter) Balance(ctx context.Context) (carrier.Cost, error) {
	var answer struct {
		organisation
		Organisations []organisation `json:"organisations"` // some answers list them
	}
	if err := a.ask(ctx, question{effect: reads, what: "organisation", path: "organisation"}, &answer); err != nil {
		return carrier.Cost{}, err
	}
	o := answer.organisation
	if !o.Balance.given && len(answer.Organisations) > 0 {
		o = answer.Organisations[0]
	}
	if !o.Balance.given || !currency(string(o.Currency)) {
		return carrier.Cost{}, reads.silence("organisation: the answer has no amount of a currency")
	}
	return carrier.Cost{Units: o.Balance.parts, Scale: priceScale, Currency: string(o.Currency)}, nil
}

type organisation struct {
	Balance  amount `json:"balance"`
	Currency text   `json:"currency"`
}

func currency(s string) bool {
	return len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
