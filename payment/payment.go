// Package payment is the port to payment providers. One adapter is one folder
// below; paymenttest is the suite that all of them pass.
//
// Together with packages carrier and message, their suites and app.Main this is
// what Tsuzuku promises to other modules: a seller may build in an adapter of
// their own.
//
// # What a caller does
//
// An attempt is stored before its first byte leaves. Whatever comes back is an
// [Observation]; a notification is a doorbell after which the provider is asked
// by Query; only an observed [Paid] moves the books. A silent provider gives
// [ErrUnknown]: Start and Refund may then be repeated with the same Ref where
// Limits say Keyed, else Query decides.
package payment

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// ErrUnknown says that a call may or may not have had its effect.
var ErrUnknown = errors.New("payment: outcome unknown")

// ErrNotSent says that a call certainly had no effect and may be made again.
var ErrNotSent = errors.New("payment: not sent")

// ErrUnproven says, beside one of these two, that the provider is there and
// answered, but so that nobody may rely on what it said.
var ErrUnproven = errors.New("payment: answered without proof")

// ErrForged says that a notification is not the provider's: a bad signature, a
// stale timestamp, another merchant's event.
var ErrForged = errors.New("payment: notification is not the provider's")

// Rail is what the customer chooses to pay with. Which provider processes it
// is the seller's configuration.
type Rail string

// The rails. The values are stored; do not rename.
const (
	Card      Rail = "card"
	PayPal    Rail = "paypal"
	LINEPay   Rail = "line_pay"
	Alipay    Rail = "alipay"
	WeChatPay Rail = "wechat_pay"
	PayPay    Rail = "paypay"
	Konbini   Rail = "konbini"
	Wallet    Rail = "wallet" // stored value, kept by package ledger; no provider
)

// State is how far an attempt has come. The values are stored; do not rename.
type State string

// The states of an attempt. Dead is accepted only from the provider's explicit
// promise that no money can arrive any more; Paid never regresses.
const (
	Created       State = "created"        // stored, nothing sent yet
	Open          State = "open"           // the provider knows it; nothing has happened
	NeedsCustomer State = "needs_customer" // the customer must do something: see Next
	Approved      State = "approved"       // the customer has agreed; the money comes when we take it: Resume does
	Pending       State = "pending"        // the customer is done; money may still come
	Paid          State = "paid"           // captured
	Dead          State = "dead"           // no money, ever
	Unknown       State = "unknown"        // a call's answer was lost
)

// Final reports whether an attempt in state s is finished for the customer.
// Money may still arrive after Dead; it is then late money.
func (s State) Final() bool { return s == Paid || s == Dead }

// Device is what the customer holds while paying.
type Device string

// The devices. The values are stored; do not rename.
const (
	AnyDevice Device = ""      // nobody knows
	Phone     Device = "phone" // a wallet's app may be opened by a link
	Computer  Device = "computer"
)

// Attempt is one attempt to collect an amount with one tool. It is immutable
// but for ProviderID and MoneyID, which are stored as soon as they are known.
type Attempt struct {
	Ref         string // ours: 26 of [0-9a-z], unique for ever
	Rail        Rail
	Amount      money.Money
	Description string            // what the customer reads at the provider
	Language    string            // BCP 47, for the provider's pages
	ReturnURL   string            // where the provider sends the customer back
	CancelURL   string            // where the customer goes who gives up
	Tags        map[string]string // order and account, for the seller's eyes at the provider
	CreatedAt   time.Time
	ExpiresAt   time.Time // money is not wanted after this
	Device      Device
	ClientIP    string // the customer's address when the attempt was made; some providers ask for it
	ProviderID  string // the provider's own identifier, "" until known
	MoneyID     string // the provider's identifier of the money, where it has another one: a capture, a trade; "" until known

	// For providers that are a [Keeper]; the zero values ask for nothing.
	Keep   bool   // the customer has agreed that the tool they pay with is kept
	Saved  Token  // charge this kept tool, instead of asking the customer for one
	Absent bool   // with Saved: the customer is not there, so nobody can answer their bank
	Holder string // the provider's name for the customer, from an earlier tool of theirs; "" if there was none
}

// Next is what the customer must do: any one of these.
type Next struct {
	RedirectURL string // open this page
	AppURL      string // open this link on a phone: it leads into the provider's app
	QR          string // scan this text as a QR code, with the provider's app
}

// Reason is why a debit failed, in the few words we have sentences for.
type Reason string

// The reasons. The values are stored; do not rename.
const (
	Declined         Reason = "declined"
	NoFunds          Reason = "no_funds"
	CardExpired      Reason = "card_expired"
	WrongDetails     Reason = "wrong_details" // number, code or postcode
	NotAuthenticated Reason = "not_authenticated"
	Abandoned        Reason = "abandoned" // the customer gave up, or we closed it
	TooLate          Reason = "too_late"  // the attempt expired
	NotAccepted      Reason = "not_accepted"
	ProviderTrouble  Reason = "provider_trouble"
	ToolGone         Reason = "tool_gone" // a kept tool that will never be charged again
)

// Observation is what the provider says about an attempt, at one instant.
type Observation struct {
	State      State
	ProviderID string      // to be stored with the attempt
	MoneyID    string      // to be stored, and unique at the provider: one receipt of money has one
	Amount     money.Money // captured if Paid, else asked for; the caller compares it with the attempt
	Refunded   money.Money // of the captured amount, by whomever
	Disputed   money.Money // withheld by the customer's bank
	Fee        money.Money // the provider's, where it says so; zero value otherwise
	Next       Next        // with NeedsCustomer
	Reason     Reason      // with Dead, or the last refusal with Open and NeedsCustomer
	Code       string      // the provider's own words for Reason, for staff
	Closed     bool        // with Dead: the provider itself has ended it and takes no money for it any more; it need not be asked again
	AsOf       time.Time   // when the call began
	Kept       Kept        // with Paid, where the attempt said Keep; zero as long as the provider has not kept the tool
	Disputes   []Dispute   // with Paid, every one that the provider tells of; Disputed is what they withhold and Refunded does not count
}

// DisputeState is how far a dispute has come. The values are stored; do not rename.
type DisputeState string

// The states of a dispute.
const (
	DisputeAsked DisputeState = "asked" // the bank asks first: no money is taken
	DisputeOpen  DisputeState = "open"  // withheld until it is decided
	DisputeWon   DisputeState = "won"   // the money is the seller's
	DisputeLost  DisputeState = "lost"  // the money is gone
)

// Takes reports whether the seller does not have the money in this state.
func (s DisputeState) Takes() bool { return s == DisputeOpen || s == DisputeLost }

// Dispute is what a customer's bank, or the customer at the provider, says against
// a paid attempt.
type Dispute struct {
	ID       string // the provider's
	State    DisputeState
	Amount   money.Money // what is withheld while it is open, and what was lost by it; else what was claimed
	Reason   string      // the provider's word
	AnswerBy time.Time   // until when the seller is heard, UTC; zero where that is not told
}

// RefundState is how far a refund has come. The values are stored; do not rename.
type RefundState string

// The states of a refund.
const (
	RefundDue     RefundState = "due"     // decided, nothing sent yet
	RefundSent    RefundState = "sent"    // the provider has it; not final
	RefundUnknown RefundState = "unknown" // the answer was lost
	RefundDone    RefundState = "done"    // on its way to the customer, as far as the provider is concerned
	RefundFailed  RefundState = "failed"  // it came back
)

// Refund is one return of money from one paid attempt.
type Refund struct {
	Ref        string // ours: 26 of [0-9a-z], unique for ever
	Attempt    Attempt
	Amount     money.Money
	ProviderID string // the provider's own identifier of the refund, "" until known
	Note       string // for staff at the provider

	// For a provider whose refunds do not carry our Ref:
	Others []string  // the provider's identifiers of the attempt's other refunds, as far as they are known
	Since  time.Time // from when on it may have been asked for, under this Ref or a former one
}

// RefundObservation is what the provider says about a refund.
type RefundObservation struct {
	State      RefundState
	Found      bool // with QueryRefund: whether the provider knows of it
	ProviderID string
	Amount     money.Money
	Code       string // the provider's own words
	AsOf       time.Time
}

// Doorbell is what a verified notification is allowed to do: make us ask.
type Doorbell struct {
	EventID    string // unique at the provider
	Kind       string // the provider's word
	Ref        string // our reference, when the notification names it
	ProviderID string // the provider's identifier of the attempt
	MoneyID    string // the provider's identifier of the money, for what is told without our reference
	Discreet   bool   // the notification is about a kept tool or its customer: its body is not to be stored

	// What the provider wants to read once the notification is stored, and its
	// media type; empty where the status 200 is enough.
	Answer, AnswerType string
}

// Limits is what a provider takes, as data, with the source in the adapter.
type Limits struct {
	Rails         []Rail
	Currencies    map[Rail][]money.Currency
	Min, Max      map[money.Currency]int64          // minor units; absent: no limit known
	Multiple      map[money.Currency]int64          // amounts are multiples of this, in minor units; absent: any
	RailMax       map[Rail]map[money.Currency]int64 // where one rail takes less than Max
	Places        map[Rail][]string                 // where the customer must be while paying, ISO 3166; absent: anywhere
	Slow          map[Rail]time.Duration            // how long the money may take after the customer has done their part; absent: minutes
	Partial       bool                              // part of a payment can be refunded
	RefundWithin  time.Duration                     // after this the provider refuses; 0: not known
	NextLives     time.Duration                     // how long what Next shows can be used; Start again gives a fresh one; 0: as long as the attempt
	SettlesWithin time.Duration                     // after this, a query that shows nothing means nothing happened
	Keyed         bool                              // Start and Refund may be repeated with the same Ref
	OwnPage       bool                              // the customer must load a page of the provider
}

// Misfit is why a provider does not take an amount by a rail; "" where it does.
type Misfit string

// The misfits.
const (
	WrongCurrency Misfit = "currency"
	TooLittle     Misfit = "too_little"
	TooMuch       Misfit = "too_much"
	NotWhole      Misfit = "not_whole" // no multiple of what the provider can express
)

// Takes reports whether the provider takes m by rail.
func (l Limits) Takes(rail Rail, m money.Money) bool {
	why, _ := l.Misfit(rail, m)
	return why == ""
}

// Misfit says why the provider does not take m by rail, and the amount that it is
// about: the least, the most, or what amounts are multiples of.
func (l Limits) Misfit(rail Rail, m money.Money) (Misfit, money.Money) {
	if !slices.Contains(l.Currencies[rail], m.Currency) {
		return WrongCurrency, money.Money{}
	}
	if lo, ok := l.Min[m.Currency]; ok && m.Minor < lo {
		return TooLittle, money.Of(lo, m.Currency)
	}
	for _, limits := range []map[money.Currency]int64{l.RailMax[rail], l.Max} {
		if hi, ok := limits[m.Currency]; ok && m.Minor > hi {
			return TooMuch, money.Of(hi, m.Currency)
		}
	}
	if n := l.Multiple[m.Currency]; n > 0 && m.Minor%n != 0 {
		return NotWhole, money.Of(n, m.Currency)
	}
	return "", money.Money{}
}

// Reaches reports whether customers in any of these countries (ISO 3166) can pay
// by rail. Where nothing is known of the customer, it does.
func (l Limits) Reaches(rail Rail, countries []string) bool {
	places := l.Places[rail]
	if len(places) == 0 || len(countries) == 0 {
		return true
	}
	return slices.ContainsFunc(countries, func(c string) bool { return slices.Contains(places, c) })
}

// Provider is one payment provider's API. Implementations are safe for
// concurrent use, take every instant from a clock given to them, and never
// repeat a call that could move money by themselves.
//
// Errors wrap [ErrUnknown] or [ErrNotSent]; a provider's no is an Observation.
// Calls that change nothing (Query, QueryRefund) answer silence with ErrNotSent.
type Provider interface {
	// Name is the adapter's name in configuration and in stored rows.
	Name() string

	Limits() Limits

	// Start makes the attempt known to the provider and says what the customer
	// must do. With the same Ref it may be called again where Limits.Keyed.
	Start(ctx context.Context, a Attempt) (Observation, error)

	// Resume is called when the customer comes back, with what the provider
	// added to the return address, and again, with nothing, when Query says
	// Approved: a customer who agreed may never come back. Providers whose money
	// must be taken take it here, once.
	Resume(ctx context.Context, a Attempt, returned url.Values) (Observation, error)

	// Query is the only truth about an attempt.
	Query(ctx context.Context, a Attempt) (Observation, error)

	// Abandon closes an attempt. It may answer Paid: too late.
	Abandon(ctx context.Context, a Attempt) (Observation, error)

	// Refund returns money. With the same Ref it may be called again where
	// Limits.Keyed.
	Refund(ctx context.Context, r Refund) (RefundObservation, error)

	// QueryRefund reads a refund; Found is false if the provider has none.
	QueryRefund(ctx context.Context, r Refund) (RefundObservation, error)

	// Notification verifies what arrived at the provider's webhook address,
	// on its raw bytes. It fails with an error that wraps ErrForged. It may have
	// to ask for the provider's certificate: an error that does not wrap
	// ErrForged says that it could not be verified now, and should come again.
	Notification(ctx context.Context, h http.Header, body []byte) (Doorbell, error)
}
