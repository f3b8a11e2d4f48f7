// Package esimaccess is the adapter to eSIM Access (api.esimaccess.com), an
// operator that sells data plans on eSIMs. A further package adds its days and
// data to the plan that the line already has, and is carried out while we wait.
// The operator calls that a top-up, and so do the comments here; elsewhere in
// the house the word belongs to the wallet.
//
// Two things about this operator shape the code. It promises to recognise our
// reference only for orders of new eSIMs, not for top-ups, so an extension whose
// answer was lost is settled by comparing the line with a picture taken before
// (snapshot.go). And its answers come in more shapes than its document admits,
// so they are read leniently (decode.go), but never guessed at: what cannot be
// read is treated as no answer (wire.go).
//
// The facts are from the operator's published document as of April 2026.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package esimaccess

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// The most that the operator takes.
const (
	refMax  = 50  // characters of a transactionId
	daysMax = 365 // of a day pass
)

// usageDelay is how late the operator says its usage figures can be: two to
// three hours.
const usageDelay = 3 * time.Hour

// Config is what the seller's engineer knows about their account.
type Config struct {
	AccessCode string
	SecretKey  string // empty: requests are not signed
	BaseURL    string // scheme and host; empty: the operator's own
}

// Adapter is eSIM Access as a [carrier.Carrier].
type Adapter struct {
	config Config
	client *outbound.Client
	now    func() time.Time
	nonce  func() string
}

var _ carrier.Carrier = (*Adapter)(nil)

// New returns an adapter. nonce makes the identifier of each signed request,
// never the same twice: a UUID, or 32 hexadecimal digits. The client should
// keep to Abilities().RatePerSecond.
func New(c Config, client *outbound.Client, now func() time.Time, nonce func() string) *Adapter {
	if c.BaseURL == "" {
		c.BaseURL = "https://api.esimaccess.com"
	}
	return &Adapter{c, client, now, nonce}
}

// Name implements [carrier.Carrier].
func (a *Adapter) Name() string { return "esimaccess" }

// Abilities implements [carrier.Carrier].
func (a *Adapter) Abilities() carrier.Abilities {
	return carrier.Abilities{
		Modes:  []carrier.Mode{carrier.ModeExtend},
		PerDay: true,

		// A line is fed while new, in use or depleted, and no more once it has
		// ended; hence AfterEnd 0 and ActiveOnly false.

		// Only of an eSIM that is not installed: see Cancel.
		Cancel: true,

		Issues:    true,
		Withdraws: true,

		UsageDelay:    usageDelay,
		RatePerSecond: 8,

		// The document calls a top-up synchronous and says nothing of one that
		// is carried out late. The longest a request can linger between us
		// and them is a few minutes (proxies, their own queue); a quarter of
		// an hour is several times that, and still short enough for a customer
		// who waits.
		SettlesWithin: 15 * time.Minute,
	}
}

// Prepare implements [carrier.Carrier]: one query, which must show what was put on
// the line before. Whether the package fits the line is left to the operator to say.
func (a *Adapter) Prepare(ctx context.Context, e carrier.Extension) (carrier.Snapshot, error) {
	if err := sane(e); err != nil {
		return nil, err
	}
	began := a.now().UTC()
	l, err := a.query(ctx, e.Profile)
	if err != nil {
		return nil, err
	}
	if err := l.refusal(began); err != nil {
		return nil, err
	}
	if !l.comparable() {
		return nil, reads.silence("/esim/query: the line has no totals")
	}
	if e.Earlier != nil && !l.shows(*e.Earlier) {
		return nil, reads.silence("/esim/query: the line is shown as it was before its last extension")
	}
	s, err := json.Marshal(pictureOf(l, began))
	if err != nil {
		return nil, fmt.Errorf("%w: esimaccess: snapshot: %w", carrier.ErrNotSent, err)
	}
	return s, nil
}

// sane refuses what would be a bug of ours to send.
func sane(e carrier.Extension) error {
	no := func(why string) error { return &carrier.Refusal{Reason: carrier.BadRequest, Text: why} }
	switch {
	case e.Profile.ID == "":
		return unnamed()
	case e.Ref == "" || len(e.Ref) > refMax:
		return no("the reference must have 1 to 50 characters")
	case e.Package == "":
		return no("no package is named")
	case e.Days < 0 || e.Days > daysMax:
		return no("days must be 0 to 365")
	}
	return nil
}

// unnamed is the answer about a line of which we know the ICCID only. The
// operator gives ICCIDs to other lines later, so that would be a gamble.
func unnamed() error {
	return &carrier.Refusal{Reason: carrier.LineUnknown, Text: "the line has no esimTranNo, and an ICCID alone is not safe to use"}
}

// extendQuestion is the question of /esim/topup.
type extendQuestion struct {
	TransactionID string `json:"transactionId"`
	TranNo        string `json:"esimTranNo"`
	Package       string `json:"packageCode"`
	Days          int    `json:"periodNum,omitempty"`
}

// extendAnswer is its answer. The totals are of the line after the top-up.
type extendAnswer struct {
	TransactionID text    `json:"transactionId"`
	TheirTranNo   text    `json:"topUpEsimTranNo"` // missing from some answers
	ICCID         text    `json:"iccid"`
	ExpiredTime   instant `json:"expiredTime"`
	TotalVolume   whole   `json:"totalVolume"`
}

// Extend implements [carrier.Carrier]: one request, whatever comes of it.
func (a *Adapter) Extend(ctx context.Context, e carrier.Extension) (carrier.Receipt, error) {
	if err := sane(e); err != nil {
		return carrier.Receipt{}, err
	}
	before, _ := readPicture(e.Snapshot) // without one, less can be said below
	var got extendAnswer
	err := a.call(ctx, changes, "/esim/topup", extendQuestion{e.Ref, e.Profile.ID, e.Package, e.Days}, &got)
	if err != nil {
		return carrier.Receipt{}, a.sharpen(err, before)
	}
	named := e.Profile.ICCID != "" && got.ICCID != ""
	ours := named && sameICCID(string(got.ICCID), e.Profile.ICCID)
	switch {
	case named && !ours:
		return carrier.Receipt{}, changes.silence("/esim/topup: the answer is about another line, %s", carrier.Quote(string(got.ICCID)))
	case !ours && got.TransactionID != "" && string(got.TransactionID) != e.Ref:
		// Old answers have a reference of the operator's there; with our
		// card's number beside it, that is none to worry about.
		return carrier.Receipt{}, changes.silence("/esim/topup: the answer is about another request")
	case !got.TotalVolume.given && got.ExpiredTime.IsZero():
		return carrier.Receipt{}, changes.silence("/esim/topup: a yes that says nothing")
	}
	r := carrier.Receipt{Ref: string(got.TheirTranNo)}
	if r.Ref == "" {
		r.Ref = e.Ref // under which the operator has it, too
	}
	if before.Active {
		r.EndsAt = got.ExpiredTime.Time
	}
	if !before.daily() {
		r.Total = got.TotalVolume.n
	}
	return r, nil
}

// sharpen turns "not in this state" into "too late" where the line's end has
// passed since the picture was taken: the operator has no code for that.
func (a *Adapter) sharpen(err error, before picture) error {
	r, ok := errors.AsType[*carrier.Refusal](err)
	if !ok || !wrongState(r.Code) || before.ExpiredAt.IsZero() || a.now().Before(before.ExpiredAt) {
		return err
	}
	return &carrier.Refusal{Reason: carrier.LineEnded, Code: r.Code, Text: r.Text}
}

// LookUp implements [carrier.Carrier]: one query, compared with the snapshot;
// a second one, of the package's size, when the line grew and does not say by
// what.
func (a *Adapter) LookUp(ctx context.Context, e carrier.Extension) (carrier.Reading, error) {
	reading := carrier.Reading{Found: carrier.FoundUnsure, AsOf: a.now().UTC()}
	before, err := readPicture(e.Snapshot)
	if err != nil {
		reading.Why = "there is no snapshot to compare with: " + err.Error()
		return reading, nil
	}
	l, err := a.query(ctx, e.Profile)
	if r, ok := errors.AsType[*carrier.Refusal](err); ok && r.Reason == carrier.LineUnknown {
		reading.Why = "the operator no longer shows this line: " + r.Text
		return reading, nil
	}
	if err != nil {
		return carrier.Reading{}, err
	}
	if !l.comparable() {
		return carrier.Reading{}, reads.silence("/esim/query: the line has no totals")
	}
	g := growthOf(before, l, e)
	found, why := g.judge(before, l, e)
	if found == "" {
		size, err := a.sizeOf(ctx, e, l)
		if err != nil {
			return carrier.Reading{}, err
		}
		found, why = g.judgeBySize(size, e, before.daily())
	}
	reading.Found, reading.Why = found, why+" ("+g.String()+")"
	if found == carrier.FoundDone {
		reading.Receipt = g.receipt(l, e)
	}
	return reading, nil
}

// Cancel implements [carrier.Carrier], as far as is safe. The operator cannot
// take back a top-up, only a whole eSIM that is not installed. So it is asked
// only when the package is everything that the eSIM carries; otherwise Cancel
// would destroy service that somebody else paid for.
func (a *Adapter) Cancel(ctx context.Context, e carrier.Extension) error {
	l, err := a.query(ctx, e.Profile)
	if err != nil {
		return err
	}
	if l.Status != "GOT_RESOURCE" || l.SMDP != "RELEASED" {
		return &carrier.Refusal{
			Reason: carrier.OperatorRefuses, Code: carrier.Clip(string(l.Status) + "/" + string(l.SMDP)),
			Text: "only an eSIM that is not installed can be cancelled",
		}
	}
	if len(l.Packages) != 1 || !l.Packages[0].is(e.Package) {
		return &carrier.Refusal{
			Reason: carrier.OperatorRefuses,
			Text:   "cancelling would take back the whole eSIM, and it carries more than this package",
		}
	}
	return a.call(ctx, changes, "/esim/cancel", map[string]string{"esimTranNo": e.Profile.ID}, nil)
}

// Balance implements [carrier.Carrier]. The account is kept in US dollars, as
// all prices are.
func (a *Adapter) Balance(ctx context.Context) (carrier.Cost, error) {
	var got struct {
		Balance whole `json:"balance"`
	}
	if err := a.call(ctx, reads, "/balance/query", struct{}{}, &got); err != nil {
		return carrier.Cost{}, err
	}
	if !got.Balance.given {
		return carrier.Cost{}, reads.silence("/balance/query: the answer has no balance")
	}
	return carrier.Cost{Units: got.Balance.n, Scale: priceScale, Currency: "USD"}, nil
}
