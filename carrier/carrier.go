// Package carrier is the port to operators: the networks and wholesale
// partners upstream that carry the lines. One adapter is one folder below;
// carriertest is the suite that all of them pass.
//
// Together with packages payment and message, their suites and app.Main this
// is what Tsuzuku promises to other modules: a seller may build in an adapter
// of their own.
//
// # What a caller does
//
// An extension of a line is intended before it is asked for. The caller stores
// an [Extension] with the [Snapshot] that Prepare returned, and only then calls
// Extend. An answer is one of three: a [Receipt] (done), a [*Refusal] (certainly
// not done), or [ErrUnknown] (nobody knows). After ErrUnknown the caller never
// calls Extend for it again by itself; it calls LookUp until the operator says
// found, or says absent in a reading that began later than SettlesWithin after
// the last call.
package carrier

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// ErrUnknown says that a request may or may not have been carried out: the
// connection broke, the time limit passed, the answer made no sense. It is
// wrapped by errors that say more.
var ErrUnknown = errors.New("carrier: outcome unknown")

// ErrNotSent says that a request certainly never reached the operator, or was
// turned away before it was looked at (refused connection, rate limit, an open
// circuit breaker). The same call may be made again.
var ErrNotSent = errors.New("carrier: not sent")

// Refusal is the operator's definite no. Nothing was changed.
type Refusal struct {
	Reason Reason
	Code   string // the operator's own code, for staff
	Text   string // the operator's own words, for staff
}

// Error implements error, for the log.
func (r *Refusal) Error() string {
	return "carrier: refused: " + string(r.Reason) + " (" + r.Code + " " + r.Text + ")"
}

// Reason is why an operator refused, in the few words that we act on.
type Reason string

// The reasons. The values are stored; do not rename.
const (
	LineEnded       Reason = "line_ended"       // too late: the operator no longer feeds this line
	LineTerminal    Reason = "line_terminal"    // recycled or dead for ever
	LineUnknown     Reason = "line_unknown"     // the operator knows no such profile
	LineNotActive   Reason = "line_not_active"  // only an active line takes this package
	PackageGone     Reason = "package_gone"     // withdrawn, or does not fit this line
	PriceChanged    Reason = "price_changed"    // the operator wants another price than we were told
	NoBalance       Reason = "no_balance"       // the seller's balance with the operator is empty
	StillInProgress Reason = "in_progress"      // the operator is still busy with an earlier request
	BadRequest      Reason = "bad_request"      // our request is wrong: a bug, or a changed API
	Unauthorised    Reason = "unauthorised"     // our credentials are refused
	OperatorRefuses Reason = "operator_refuses" // a definite no that fits no other word
	OutOfStock      Reason = "out_of_stock"     // nothing is left of what a new line is made from
)

// Profile names a line at its operator. ICCIDs are recycled, so the operator's
// own identifier decides; ICCID is for adapters whose operator knows no other.
type Profile struct {
	ID    string // the operator's own identifier
	ICCID string // 19 or 20 digits, without the padding F
}

// Extension is one request for more service on an existing line.
type Extension struct {
	Ref     string // ours, at most 40 of [0-9a-z_]; the same for every call about this extension
	Profile Profile
	Package string // the operator's code of what is ordered

	// Days is how many days of a per-day package are ordered; 0 when the
	// package has its own length.
	Days int

	// Snapshot is what Prepare returned for this extension; LookUp compares.
	Snapshot Snapshot

	// Earlier is, in Prepare, our last extension of the same line, if it was carried
	// out so shortly before that the operator may not show it yet, where the operator
	// does not keep our Ref. Of a line that is shown without it no Snapshot may be
	// taken: what shows later would be taken for this extension. Prepare then fails with
	// ErrNotSent, and is to be called again.
	Earlier *Extension

	// AskedAt is the instant Extend was first allowed to be called; zero in Prepare.
	AskedAt time.Time

	// Since is when the line came into use, as far as we know; zero: we do not. Where
	// the operator knows lines by their ICCIDs alone, one whose whole history is
	// younger is another line, to which the number was given: see [Extension.Younger].
	Since time.Time
}

// sinceMargin is how wrong we may be about when a line came into use: what was written
// down by people has days, and ICCIDs rest for longer before they are given again.
const sinceMargin = 48 * time.Hour

// Younger reports whether something that began at an instant, the zero time where it
// has not, is too young to be of the time from which we know the line.
func (e Extension) Younger(began time.Time) bool {
	return !e.Since.IsZero() && (began.IsZero() || began.After(e.Since.Add(sinceMargin)))
}

// GivenAgain is the answer about an ICCID that is another line's now.
func GivenAgain() error {
	return &Refusal{Reason: LineTerminal, Text: "all that the operator has under this ICCID is younger than the line: the number was given to another one"}
}

// Snapshot is what an operator showed of a line before an extension was asked
// for, in the adapter's own format. Empty where the operator keeps our Ref and
// can be asked for it.
type Snapshot []byte

// Receipt is the operator's yes.
type Receipt struct {
	Ref      string    // the operator's own reference, for staff and disputes
	StartsAt time.Time // zero where the operator does not say
	EndsAt   time.Time // zero where the operator does not say (a queued package)
	Total    int64     // bytes the line may use in all after the extension; 0 where not said
}

// Found is what a look-up says about an extension.
type Found string

// What a look-up can say.
const (
	FoundDone   Found = "done"   // it was carried out; the receipt is in the reading
	FoundAbsent Found = "absent" // no trace of it, as of the reading
	FoundUnsure Found = "unsure" // the operator's answer decides nothing: a person must look

	// FoundPending is only ever said of a new profile: the operator has the
	// order, and is still making what was ordered. Nobody may give it up.
	FoundPending Found = "pending"
)

// Reading is the answer to a look-up.
type Reading struct {
	Found   Found
	Receipt Receipt   // with FoundDone
	AsOf    time.Time // when the reading began: nothing that happened later is in it
	Why     string    // what was compared, for staff
}

// LineState is a line as its operator sees it.
type LineState string

// The states of a line at its operator.
const (
	LineNew       LineState = "new"      // ordered, not yet active
	LineActive    LineState = "active"   // can be used
	LineDepleted  LineState = "depleted" // nothing left, end not yet reached
	LineIsOver    LineState = "ended"    // past its end
	LineSuspended LineState = "suspended"
	LineDead      LineState = "terminal" // recycled, revoked, cancelled
)

// Status is a line as its operator sees it, with the age of the figures.
type Status struct {
	State     LineState
	StartsAt  time.Time // zero before activation
	EndsAt    time.Time // zero where the operator does not say
	Unlimited bool      // Total and Used then mean the current day's full speed, where given
	Total     int64     // bytes
	Used      int64     // bytes
	Throttled bool
	AsOf      time.Time // when the operator measured; never later than now; zero ByHand: nobody did
}

// Mode is what a further package does at an operator.
type Mode string

// The modes.
const (
	ModeExtend   Mode = "extend"   // days and data are added to the current plan
	ModeQueue    Mode = "queue"    // waits and starts when the current one ends
	ModeParallel Mode = "parallel" // runs beside the current one with an end of its own
	ModeSameDay  Mode = "same_day" // ends with the operator's day
)

// Abilities is what an operator can do, as data: plans may promise no more.
type Abilities struct {
	Modes         []Mode
	AfterEnd      time.Duration // how long after its end a line can still be extended; 0: not at all
	ActiveOnly    bool          // extends only lines that are active
	PerDay        bool          // takes Extension.Days
	Cancel        bool          // an unused extension can be taken back
	UsageDelay    time.Duration // how old usage figures may be
	SettlesWithin time.Duration // after this, a look-up that shows nothing means nothing happened
	RatePerSecond int           // calls allowed each second
	KeepsRef      bool          // finds an extension by our Ref; no Snapshot needed
	Issues        bool          // sells new profiles: the adapter is an [Issuer]
	Reserves      bool          // a new profile is set aside before it is ordered: the adapter is a [Reserver]
	Withdraws     bool          // takes a new profile back that nobody installed: the adapter is a [Withdrawer]

	// Finishes says that looking a purchase up carries it out where it was lost: the
	// operator documents a key under which asking again makes nothing twice, and has
	// nothing that could be read. Such a look-up never says absent of a purchase that
	// may have been sent.
	Finishes bool

	// ByHand says that the seller's staff carry extensions out, by SettlesWithin
	// at the latest. Nobody but they knows the outcome, so that no reading settles
	// it, and no status is had from the operator.
	ByHand bool

	// IssuesByHand says so of new lines. Who makes a line and who feeds it may be two:
	// an SM-DP+ answers for itself whose lines are renewed by hand.
	IssuesByHand bool
}

// AnyTime stands for a time without a limit that is known.
const AnyTime = 10 * 366 * 24 * time.Hour

// Package is something an operator sells, for lines that exist or with new ones.
type Package struct {
	Code     string
	Alias    string // another code by which it can be ordered; empty: none
	Name     string
	Cost     Cost
	Bytes    int64 // 0: unlimited
	Days     int
	PerDay   bool // Extension.Days chooses the length
	TopUp    bool // can be put on an existing line
	New      bool // can come with a new profile
	AsOfDate time.Time
}

// Cost is what an operator charges the seller, untouched: Units/Scale of the
// currency. It is never shown to a customer and never added to money.
type Cost struct {
	Units    int64
	Scale    int64 // 10000 where 1 USD is 10000 units
	Currency string
}

// Doorbell is what a verified or stored notification is allowed to do: make us
// look. It carries no fact that is acted upon.
type Doorbell struct {
	EventID string  // unique at the operator, or a digest of the body
	Kind    string  // the operator's word
	Profile Profile // which line to look at; empty when it concerns none
	Ref     string  // our reference, when the notification names it

	// Answer is what the operator wants to hear once the notification is stored;
	// empty: its status is enough. AnswerType is its media type.
	Answer, AnswerType string
}

// Carrier is one operator's API. Implementations are safe for concurrent use,
// take every instant from their own clock (given to them, never time.Now), and
// make at most one HTTP request at a time for a call unless paging needs more.
//
// Every error is a [*Refusal], wraps [ErrUnknown], or wraps [ErrNotSent]. For
// calls that change nothing (all but Extend and Cancel) silence is ErrNotSent:
// they may be repeated.
type Carrier interface {
	// Name is the adapter's name in configuration and in stored rows.
	Name() string

	Abilities() Abilities

	// Prepare reads what must be remembered before Extend. It refuses what
	// the operator would refuse, as far as that can be known.
	Prepare(ctx context.Context, e Extension) (Snapshot, error)

	// Extend asks for the extension. It sends at most one request that could
	// change something, and never repeats it by itself.
	Extend(ctx context.Context, e Extension) (Receipt, error)

	// LookUp finds out what became of an extension.
	LookUp(ctx context.Context, e Extension) (Reading, error)

	// Cancel takes back an unused extension, where Abilities say so.
	Cancel(ctx context.Context, e Extension) error

	// Status reads a line.
	Status(ctx context.Context, p Profile) (Status, error)

	// Packages lists what fits this line; with an empty Profile, everything. A list
	// without anything says that the operator has none, not that it sells nothing.
	Packages(ctx context.Context, p Profile) ([]Package, error)

	// Balance is what the seller has left with the operator. One that does not
	// tell refuses with OperatorRefuses.
	Balance(ctx context.Context) (Cost, error)

	// Notification reads what arrived at the operator's webhook address. A
	// notification that is not the operator's is a *Refusal with Unauthorised,
	// one that cannot be read a *Refusal with BadRequest.
	Notification(h http.Header, body []byte) (Doorbell, error)
}
