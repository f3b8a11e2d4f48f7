// Package airalo is the adapter to the Partner API of Airalo, version 2
// (partners-api.airalo.com), an operator that sells data plans on eSIMs. A
// further package goes on the same SIM beside what is there, with data and an
// end of its own, and is carried out while we wait. The operator calls that a
// top-up, and so do the comments here; elsewhere in the house the word belongs
// to the wallet.
//
// Two things about this operator shape the code. It has no key by which it would
// recognise a request that it has seen, so one whose answer was lost is settled
// by comparing what the SIM had before with what it has now, and by looking for
// our reference among its orders (snapshot.go); nothing is ever sent again. And
// it signs JSON as PHP writes it, whatever goes over the wire (php.go).
//
// The facts are from the operator's published document as of September 2026, and
// from how its own client programs behave.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package airalo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
)

const (
	refMax     = 40  // what the port promises; the operator names no limit to a description
	packageMax = 200 // of a package's code; real ones have some forty characters
)

// usageDelay is how long the operator keeps the figures that it answers with.
// (In its sandbox an hour.)
const usageDelay = 20 * time.Minute

// Config is what the seller's engineer knows about their account.
type Config struct {
	ClientID     string
	ClientSecret string // also what notifications are signed with
	BaseURL      string // scheme and host; empty: the operator's own, for its sandbox too
}

// Adapter is Airalo as a [carrier.Carrier].
type Adapter struct {
	config Config
	client *outbound.Client
	now    func() time.Time
	tokens *outbound.Token
	budget budget
}

var _ carrier.Carrier = (*Adapter)(nil)

// New returns an adapter. The client should keep to Abilities().RatePerSecond.
func New(c Config, client *outbound.Client, now func() time.Time) *Adapter {
	if c.BaseURL == "" {
		c.BaseURL = "https://partners-api.airalo.com"
	}
	return &Adapter{config: c, client: client, now: now, tokens: outbound.NewToken()}
}

// Name implements [carrier.Carrier].
func (a *Adapter) Name() string { return "airalo" }

// Abilities implements [carrier.Carrier].
func (a *Adapter) Abilities() carrier.Abilities {
	return carrier.Abilities{
		// The document's example shows two packages that run at the same time
		// and end at the same time, not one of twice the length. That is not
		// said of all networks: some let a package wait.
		Modes: []carrier.Mode{carrier.ModeParallel, carrier.ModeQueue},

		// Which SIMs take more, and until when after their end, is up to the
		// network (topup_grace_window_days), and the operator says it for each
		// SIM by the list of what it can be fed with. The least is nothing; one
		// that is listed after its end is fed all the same.
		AfterEnd: 0,

		// A refund is asked for, read by people, and paid as credit.
		Cancel: false,

		UsageDelay: usageDelay,

		// The least of what is documented for all SIMs together: five a second
		// for usage in production, and for every address in the sandbox. What
		// it allows for one SIM is in budget.go.
		RatePerSecond: 5,

		// The document has no word of a top-up that is carried out late. This is
		// longer than any cache that it mentions for what we compare (20
		// minutes), and than the longest that a request can linger between us
		// and them.
		SettlesWithin: 30 * time.Minute,

		Issues: true,
	}
}

// Prepare implements [carrier.Carrier]: what the SIM can be fed with, whether its
// number is still its own, and, last because it is compared with, what it has
// had so far.
func (a *Adapter) Prepare(ctx context.Context, e carrier.Extension) (carrier.Snapshot, error) {
	card, err := sane(e)
	if err != nil {
		return nil, err
	}
	list, err := a.offers(ctx, card)
	if err != nil {
		return nil, err
	}
	if err := a.identify(ctx, e.Profile, card); err != nil {
		return nil, err
	}
	began := a.now().UTC()
	before, err := a.history(ctx, card)
	if err != nil {
		return nil, err
	}
	if err := a.offered(ctx, e, list, before); err != nil {
		return nil, err
	}
	if e.Earlier != nil && !shows(before, *e.Earlier) {
		return nil, reads.silence("packages: the SIM is shown as it was before its last top-up")
	}
	s, err := json.Marshal(pictureOf(before, began))
	if err != nil {
		return nil, fmt.Errorf("%w: airalo: snapshot: %w", carrier.ErrNotSent, err)
	}
	return s, nil
}

// offered refuses a package that the operator does not list for the SIM. An
// empty list says that the SIM takes no more of any; when everything on it is
// over, that is why. Where the history shows nothing (one text says that it is
// of all packages, another that it is of further ones), the usage says it.
func (a *Adapter) offered(ctx context.Context, e carrier.Extension, list []offer, before []held) error {
	for _, o := range list {
		if string(o.ID) == e.Package {
			return nil
		}
	}
	if len(list) > 0 {
		return &carrier.Refusal{Reason: carrier.PackageGone, Text: "the operator does not offer this package for this SIM"}
	}
	over := ended(before, a.now())
	if len(before) == 0 {
		s, err := a.Status(ctx, e.Profile)
		if err != nil {
			return err
		}
		over = s.State == carrier.LineIsOver
	}
	if over {
		return &carrier.Refusal{Reason: carrier.LineEnded, Text: "everything on this SIM is over, and the operator offers nothing more for it"}
	}
	return &carrier.Refusal{Reason: carrier.PackageGone, Text: "the operator offers nothing more for this SIM"}
}

// sane refuses what would be a bug of ours to send, and returns the SIM's number
// as the operator takes it.
func sane(e carrier.Extension) (card string, err error) {
	no := func(why string) (string, error) { return "", &carrier.Refusal{Reason: carrier.BadRequest, Text: why} }
	card = cardNumber(e.Profile.ICCID)
	switch {
	case card == "":
		return "", unnamed()
	case !short(e.Ref, refMax, "_"):
		return no("the reference must have 1 to 40 letters and digits")
	case e.Package == "" || len(e.Package) > packageMax:
		return no("the package must have 1 to 200 characters")
	case e.Days != 0:
		return no("this operator's packages have lengths of their own")
	}
	return card, nil
}

// unnamed is the answer about a SIM whose ICCID we do not know: the operator
// takes nothing else.
func unnamed() error {
	return &carrier.Refusal{Reason: carrier.LineUnknown, Text: "the line has no ICCID"}
}

// extendAnswer is the answer to a top-up, which is an order of its own.
type extendAnswer struct {
	Data struct {
		ID      text `json:"id"`
		Code    text `json:"code"`
		Package text `json:"package_id"`
		Type    text `json:"type"`
	} `json:"data"`
}

// Extend implements [carrier.Carrier]: one request, whatever comes of it. Our
// reference goes along as the order's description, in which the operator can
// search.
func (a *Adapter) Extend(ctx context.Context, e carrier.Extension) (carrier.Receipt, error) {
	card, err := sane(e)
	if err != nil {
		return carrier.Receipt{}, err
	}
	const what = "orders/topups"
	var got extendAnswer
	err = a.ask(ctx, question{
		effect: changes, what: what, path: what,
		payload: []field{{"package_id", e.Package}, {"iccid", card}, {"description", e.Ref}},
	}, &got)
	if err != nil {
		return carrier.Receipt{}, a.sharpen(err, e.Snapshot)
	}
	o := got.Data
	switch {
	case o.Package != "" && string(o.Package) != e.Package:
		return carrier.Receipt{}, changes.silence("%s: the answer is about another package", what)
	case o.Type != "" && o.Type != "topup":
		return carrier.Receipt{}, changes.silence("%s: the answer is about an order of another type", what)
	}
	ref := orderName(o.Code, o.ID)
	if ref == "" {
		return carrier.Receipt{}, changes.silence("%s: a yes that names no order", what)
	}
	return carrier.Receipt{Ref: ref}, nil
}

// orderName is how the operator and its staff call an order: by its code, or
// its number.
func orderName(code, id text) string {
	if short(string(code), 60, "-_") {
		return string(code)
	}
	return number(id)
}

// sharpen turns "not for this SIM" into "too late" where the SIM's end has passed
// since the picture was taken: the operator has no code for that.
func (a *Adapter) sharpen(err error, s carrier.Snapshot) error {
	r, ok := errors.AsType[*carrier.Refusal](err)
	before, unread := readPicture(s) // without one, less can be said
	if !ok || r.Reason != carrier.PackageGone || unread != nil || before.EndsAt.IsZero() || a.now().Before(before.EndsAt) {
		return err
	}
	return &carrier.Refusal{Reason: carrier.LineEnded, Code: r.Code, Text: r.Text}
}

// Cancel implements [carrier.Carrier] as far as this operator does: not at all.
func (a *Adapter) Cancel(context.Context, carrier.Extension) error {
	return &carrier.Refusal{
		Reason: carrier.OperatorRefuses,
		Text:   "Airalo takes nothing back by itself: ask for a refund at its partner platform",
	}
}

// Balance implements [carrier.Carrier]. A seller who pays afterwards has none.
func (a *Adapter) Balance(ctx context.Context) (carrier.Cost, error) {
	var answer struct {
		Data struct {
			Balances json.RawMessage `json:"balances"`
		} `json:"data"`
	}
	if err := a.ask(ctx, question{effect: reads, what: "balance", path: "balance"}, &answer); err != nil {
		return carrier.Cost{}, err
	}
	type account struct {
		Available struct {
			Amount   amount `json:"amount"`
			Currency text   `json:"currency"`
		} `json:"availableBalance"`
	}
	var one account
	if json.Unmarshal(answer.Data.Balances, &one) != nil { // the document speaks of a list, and shows one
		var all []account
		if err := json.Unmarshal(answer.Data.Balances, &all); err != nil || len(all) == 0 {
			return carrier.Cost{}, reads.silence("balance: the answer has no account")
		}
		one = all[0]
	}
	b := one.Available
	if !b.Amount.given || !short(string(b.Currency), 3, "") {
		return carrier.Cost{}, reads.silence("balance: the answer has no amount of a currency")
	}
	return carrier.Cost{Units: b.Amount.parts, Scale: priceScale, Currency: string(b.Currency)}, nil
}
