// Package cmi is the adapter to China Mobile International's Global Data SIM
// platform (GDS, sold as CMLink), version 4.2 of its interface: an operator that
// sells data packages on its SIM cards and eSIMs. A further package waits on the
// card until the one before it is over. On top of a package that is active a pack
// of more data can be bought; the operator calls that refuelling, and so do the
// comments here.
//
// Three things about this operator shape the code. Every request is signed with the
// time at which it was made, and is not taken ten minutes later: that bounds how
// late one can be carried out. It takes our number of each order and a transaction
// code that it never takes twice; but it has no call that says what became of an
// order, so one whose answer was lost is settled by what the card has, and by the
// figures that the operator keeps under our number (snapshot.go). And it does not
// sell cards by this interface: an order names one that the seller has.
//
// The facts are from the operator's document of version 4.2, whose tables and
// examples do not always agree; what is read is read in both ways.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package cmi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
)

const (
	refMax     = 40 // what the port promises; the operator takes 200
	packageMax = 60 // of a package's code; real ones have some twenty characters
	daysMax    = 365
)

// refuelPrefix begins the code of a package that is more data for the package that
// is active. The operator's own identifiers do not tell them apart for certain.
const refuelPrefix = "refuel:"

// Config is what the seller's engineer knows about their account.
type Config struct {
	AppKey    string
	AppSecret string // also what notifications are signed with
	BaseURL   string // scheme, host and port, which the operator assigns
	Resale    bool   // the contract is of resale, not A2Z: which catalogue is listed
	Currency  string // of the deposit: USD, HKD or CNY; empty: USD
}

// Adapter is China Mobile International as a [carrier.Carrier].
type Adapter struct {
	config Config
	client *outbound.Client
	now    func() time.Time
	nonce  func() string
	tokens *outbound.Token
}

var _ carrier.Carrier = (*Adapter)(nil)

// New returns an adapter. nonce makes a word for each request, never the same
// twice. The client should keep to Abilities().RatePerSecond.
func New(c Config, client *outbound.Client, now func() time.Time, nonce func() string) *Adapter {
	if c.Currency == "" {
		c.Currency = "USD"
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	return &Adapter{config: c, client: client, now: now, nonce: nonce, tokens: outbound.NewToken()}
}

// Name implements [carrier.Carrier].
func (a *Adapter) Name() string { return "cmi" }

// Abilities implements [carrier.Carrier].
func (a *Adapter) Abilities() carrier.Abilities {
	return carrier.Abilities{
		Modes: []carrier.Mode{carrier.ModeQueue},

		// A card takes packages until its own end, which stands on the card and
		// in no list that we read; an order after it is refused (1000056).
		AfterEnd: carrier.AnyTime,

		// Of packs for packages with a daily amount: one, or one for each day
		// that is left.
		PerDay: true,

		// A package that is not active, in the month of its order.
		Cancel: true,

		// The figures are called real-time; how real is not documented.
		UsageDelay: 5 * time.Minute,

		// The document has a code for too many, and not the number.
		RatePerSecond: 5,

		// A request is not taken ten minutes after it was signed. The rest is
		// for a clock that differs from ours and for its own work.
		SettlesWithin: 15 * time.Minute,
	}
}

// Prepare implements [carrier.Carrier]: what the card has. A refuelling needs a
// package that is active and takes it.
func (a *Adapter) Prepare(ctx context.Context, e carrier.Extension) (carrier.Snapshot, error) {
	card, err := sane(e)
	if err != nil {
		return nil, err
	}
	p := picture{TakenAt: a.now().UTC()}
	list, err := a.subscriptions(ctx, card)
	if err != nil {
		return nil, err
	}
	if others(e, list) {
		return nil, carrier.GivenAgain()
	}
	p.see(list)
	if e.Earlier != nil && !shows(list, *e.Earlier) {
		return nil, unseen()
	}
	if refuels(e.Package) {
		running, err := refuellable(list, e.Days, p.TakenAt)
		if err != nil {
			return nil, err
		}
		q, err := a.quota(ctx, map[string]any{"iccid": card})
		if err != nil {
			return nil, err
		}
		p.Bundle, p.Refuelled = string(running.Bundle), q.RefuelingTotal.n
		if e.Earlier != nil && !p.showsRefuelling(*e.Earlier) {
			return nil, unseen()
		}
	}
	s, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("%w: cmi: snapshot: %w", carrier.ErrNotSent, err)
	}
	return s, nil
}

// others reports whether a card's packages show that it is not the line's: none was
// active when the line was.
func others(e carrier.Extension, list []held) bool {
	return !e.Since.IsZero() && !slices.ContainsFunc(list, func(h held) bool { return !e.Younger(h.ActiveTime.Time) })
}

// refuellable is the package that a refuelling goes to.
func refuellable(list []held, days int, now time.Time) (held, error) {
	no := func(r carrier.Reason, why string) (held, error) {
		return held{}, &carrier.Refusal{Reason: r, Text: why}
	}
	var running []held
	for _, h := range list {
		if h.running(now) {
			running = append(running, h)
		}
	}
	switch {
	case len(running) == 0:
		return no(carrier.LineNotActive, "no package is active on this card")
	case len(running) > 1:
		return no(carrier.OperatorRefuses, "several packages are active on this card, and it is not clear which is refuelled")
	case running[0].Refuels == "2":
		return no(carrier.PackageGone, "the package that is active takes no more data")
	}
	if left := running[0].DaysLeft; left.given && days > 1 && int64(days) != left.n {
		return no(carrier.BadRequest, fmt.Sprintf("data is bought for one day or for all %d that are left", left.n))
	}
	return running[0], nil
}

func refuels(code string) bool { return strings.HasPrefix(code, refuelPrefix) }

// sane refuses what would be a bug of ours to send, and returns the card's number
// as the operator takes it.
func sane(e carrier.Extension) (card string, err error) {
	no := func(why string) (string, error) { return "", &carrier.Refusal{Reason: carrier.BadRequest, Text: why} }
	if card, err = named(e.Profile); err != nil {
		return "", err
	}
	switch {
	case !short(e.Ref, refMax, "_"):
		return no("the reference must have 1 to 40 letters and digits")
	case !short(strings.TrimPrefix(e.Package, refuelPrefix), packageMax, "_-"):
		return no("the package must have 1 to 60 letters, digits, _ and -")
	case e.Days < 0 || e.Days > daysMax:
		return no("days must be 0 to 365")
	case e.Days > 0 && !refuels(e.Package):
		return no("this operator's packages have lengths of their own")
	}
	return card, nil
}

// named is the number of a card: the operator knows it by that alone.
func named(p carrier.Profile) (card string, err error) {
	no := func(why string) error { return &carrier.Refusal{Reason: carrier.LineUnknown, Text: why} }
	card = cardNumber(p.ICCID)
	switch {
	case card == "" && cardNumber(p.ID) == "":
		return "", no("the line has no ICCID")
	case card == "":
		return cardNumber(p.ID), nil
	case p.ID != "" && cardNumber(p.ID) != card:
		return "", no("the line's profile is not its ICCID, which is the only name that we know it by at this operator")
	}
	return card, nil
}

// transaction is what the operator never takes twice: at most 32 characters, made
// from our reference.
func transaction(ref string) string {
	sum := sha256.Sum256([]byte(ref))
	return hex.EncodeToString(sum[:16])
}

// Extend implements [carrier.Carrier]: one request, whatever comes of it.
func (a *Adapter) Extend(ctx context.Context, e carrier.Extension) (carrier.Receipt, error) {
	const what = "APP_createOrder_SBO"
	card, err := sane(e)
	if err != nil {
		return carrier.Receipt{}, err
	}
	order := map[string]any{
		"thirdOrderId": e.Ref, "transactionCode": transaction(e.Ref), "includeCard": 0, "ICCID": card, "quantity": max(1, e.Days),
	}
	if refuels(e.Package) {
		before, err := readPicture(e.Snapshot)
		if err != nil || before.Bundle == "" {
			return carrier.Receipt{}, &carrier.Refusal{Reason: carrier.BadRequest, Text: "it is not known which package is refuelled"}
		}
		order["is_Refuel"], order["refuelingId"], order["dataBundleId"] = "0", strings.TrimPrefix(e.Package, refuelPrefix), before.Bundle
	} else {
		order["is_Refuel"], order["dataBundleId"] = "1", e.Package // 1 is no, and 0 is yes
	}
	var got struct {
		OrderID  text     `json:"orderID"`
		Quantity quantity `json:"quantity"`
	}
	if err := a.ask(ctx, changes, what, order, &got); err != nil {
		return carrier.Receipt{}, err
	}
	switch {
	case !short(string(got.OrderID), 60, "_-"):
		return carrier.Receipt{}, changes.silence("%s: a yes that names no order", what)
	case got.Quantity.given && got.Quantity.n != int64(max(1, e.Days)):
		return carrier.Receipt{}, changes.silence("%s: the answer is about %d, not %d", what, got.Quantity.n, max(1, e.Days))
	}
	return carrier.Receipt{Ref: string(got.OrderID)}, nil
}

// Cancel implements [carrier.Carrier]: a package that is not active, by our own
// number of the order, so that nobody else's is meant. The operator takes back what
// was ordered in the same month, and no refuelling.
func (a *Adapter) Cancel(ctx context.Context, e carrier.Extension) error {
	no := func(code, why string) error {
		return &carrier.Refusal{Reason: carrier.OperatorRefuses, Code: code, Text: why}
	}
	card, err := sane(e)
	if err != nil {
		return err
	}
	before, err := readPicture(e.Snapshot)
	switch {
	case refuels(e.Package):
		return no("", "the operator takes no data back that was added to a package")
	case err != nil:
		return no("", "it is not known what was put on the card: "+carrier.Quote(err.Error()))
	}
	list, err := a.subscriptions(ctx, card)
	if err != nil {
		return err
	}
	g := growthOf(before, list, e.Package)
	switch {
	case len(g.ours) != 1:
		return no("", "it is not clear which package is meant ("+g.String()+")")
	case g.ours[0].Status == refunded:
		return nil // it was taken back before
	case g.ours[0].Status != inactive:
		return no(carrier.Clip(string(g.ours[0].Status)), "only a package that is not active can be taken back")
	}
	return a.ask(ctx, changes, "SBO_channel_unsubscribe", map[string]any{"thirdOrderId": e.Ref}, &struct{}{})
}

// Balance implements [carrier.Carrier] as far as this operator does: it has no call
// for the deposit, and says with an order that it is too low (1000103). A new token is
// asked for, so that whoever asks hears whether the operator is there.
func (a *Adapter) Balance(ctx context.Context) (carrier.Cost, error) {
	a.tokens.Drop(a.tokens.Kept(a.now()))
	if _, _, err := a.token(ctx); err != nil {
		return carrier.Cost{}, err
	}
	return carrier.Cost{}, &carrier.Refusal{
		Reason: carrier.OperatorRefuses, Text: "the operator does not tell the deposit by this interface: look at its channel portal",
	}
}
