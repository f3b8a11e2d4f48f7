package payment

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/money"
)

// ErrNotReady says that a provider has not made the report of a day yet. It can
// be asked for again later.
var ErrNotReady = errors.New("payment: the report is not there yet")

// ErrBadReport says that what came is not a whole report of the day that was
// asked for: it is cut, does not add up, has another digest than announced, or
// says what cannot be read. Nothing of it may be used.
var ErrBadReport = errors.New("payment: not a whole report")

// Reporter is the face of a [Provider] that also tells afterwards, for a day as
// a whole, which money moved in the seller's account with it. It is optional.
//
// A report is for comparing: it never moves money, not even in our books, but
// for what only the provider can know, such as its fees.
type Reporter interface {
	ReportFacts() ReportFacts

	// Report reads one page of a day's report; page is "" for the first and
	// [ReportPage.Next] of the page before for the others. It changes nothing
	// at the provider and may be repeated.
	//
	// Errors wrap [ErrNotReady], [ErrBadReport], or [ErrNotSent] where nothing
	// usable came back.
	Report(ctx context.Context, day Day, page string) (ReportPage, error)
}

// ReportFacts is how a provider makes its reports, with the source in the
// adapter.
type ReportFacts struct {
	Zone       *time.Location // in which its days are days
	ReadyAfter time.Duration  // how long after a day's end its report should be there and whole
	KeptFor    time.Duration  // how old a day may be that can still be asked for; 0: not known
}

// ReadyAt is when the report of a day should be there.
func (f ReportFacts) ReadyAt(d Day) time.Time { return d.Next().Start(f.Zone).Add(f.ReadyAfter) }

// MaxMovements is how many movements one page may have.
const MaxMovements = 100_000

// ReportPage is a part of a day's report.
type ReportPage struct {
	Movements []Movement
	Next      string // of the next page; "" after the last one

	// Whole, of the last page, says that the provider promises to add nothing
	// to this day any more: what is not in the report did not happen on it.
	Whole bool
}

// MovementKind is what a movement of money was for. The values are stored; do
// not rename.
type MovementKind string

// The kinds of movement. The sign of the amount says in which direction: a
// charge, a refund or a payout of the other sign is one that came back.
const (
	MovedCharge     MovementKind = "charge"      // a customer paid
	MovedRefund     MovementKind = "refund"      // a customer got money back
	MovedFee        MovementKind = "fee"         // what the provider takes, not for one charge
	MovedDispute    MovementKind = "dispute"     // the customer's bank or the provider withheld a charge
	MovedDisputeWon MovementKind = "dispute_won" // and gave it back
	MovedPayout     MovementKind = "payout"      // to the seller's bank
	MovedExchange   MovementKind = "exchange"    // from one currency of the seller's account to another
	MovedOther      MovementKind = "other"       // anything else: Code is the provider's word
)

// Movement is one change of the seller's balance with a provider.
type Movement struct {
	ID   string // the provider's identifier of the movement: it has one, and nothing else has it
	Kind MovementKind
	Code string // the provider's word for Kind, for staff

	Ref       string // ours, of the attempt; "" where the provider does not tell
	MoneyID   string // the provider's identifier of the attempt's money; "" where it does not tell
	RefundRef string // ours, of the refund; "" where the provider does not tell
	RefundID  string // the provider's identifier of the refund; "" where it does not tell

	// Amount is what moved, before the fee, in the customer's currency:
	// positive to the seller. Settled is the same in the currency of the
	// seller's balance, which is another one only where the provider converts.
	Amount  money.Money
	Settled money.Money

	// Fee is what the provider kept of it, in Settled's currency; negative
	// where it gave a fee back. FeeTold is false where the report is silent.
	Fee     money.Money
	FeeTold bool

	At time.Time
}

// Day is a calendar day, as 2026-11-20. Which instants it holds depends on the
// zone of whoever speaks of it. Days compare as texts.
type Day string

const dayLayout = "2006-01-02"

// ParseDay reads a day. It fails with [fault.Invalid].
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(dayLayout, s)
	if err != nil || t.Year() < 2000 || t.Year() > 2999 {
		return "", fault.New(fault.Invalid, "%.20q is not a day. Write it as 2026-11-20.", s)
	}
	return Day(s), nil
}

// DayOf is the day of t in a zone.
func DayOf(t time.Time, zone *time.Location) Day { return Day(t.In(zone).Format(dayLayout)) }

// Start is the day's first instant in a zone.
func (d Day) Start(zone *time.Location) time.Time {
	t, _ := time.Parse(dayLayout, string(d)) // a Day is one that could be parsed
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zone)
}

// Next is the day after d.
func (d Day) Next() Day { return d.plus(1) }

// Before is the day before d.
func (d Day) Before() Day { return d.plus(-1) }

func (d Day) plus(n int) Day { return DayOf(d.Start(time.UTC).AddDate(0, 0, n), time.UTC) }

// Holds reports whether t is on d in a zone.
func (d Day) Holds(t time.Time, zone *time.Location) bool { return DayOf(t, zone) == d }
