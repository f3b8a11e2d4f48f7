// Package settlement holds what payment providers say afterwards about a day
// against what we say: it reads their reports, keeps every movement, books what
// only they can know (fees, payouts, what is withheld), and lists every
// difference.
//
// A report never moves a customer's money. Where it shows something that we do
// not know, the provider is asked by the one door there is ([order.AskSoon]), and
// what a rule cannot mend opens a case or is listed until a person accepts it.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package settlement

import (
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// Kind is how two accounts of the same money differ. The values are stored; do
// not rename.
type Kind string

// The kinds of difference. "Here" is our books, "there" is the provider.
const (
	NotHere     Kind = "not_here"      // a charge there of which we have no payment
	NotPaidHere Kind = "not_paid_here" // a charge there for a payment that is not paid here
	NotThere    Kind = "not_there"     // a payment that is paid here, in none of their days

	OtherAmount    Kind = "other_amount"
	OtherCurrency  Kind = "other_currency"
	ChargedTwice   Kind = "charged_twice"   // a second charge for one payment
	ChargeReversed Kind = "charge_reversed" // a charge that came back, and is paid here

	RefundNotHere     Kind = "refund_not_here"      // money went back, and not by us
	RefundNotDoneHere Kind = "refund_not_done_here" // a refund of ours that we do not know to be done
	RefundNotThere    Kind = "refund_not_there"     // a refund that is done here, in none of their days
	RefundOtherAmount Kind = "refund_other_amount"
	RefundedTwice     Kind = "refunded_twice"
	RefundCameBack    Kind = "refund_came_back" // a refund that is done here, and came back there

	DisputeNotHere Kind = "dispute_not_here" // money is withheld, and no case says so

	FeeDiffers Kind = "fee_differs" // the fee is not the one that the provider told with the payment
	FeeUntold  Kind = "fee_untold"  // a charge without its fee

	OtherMovement Kind = "other_movement" // a movement of a kind that no rule can book
	StatedTwice   Kind = "stated_twice"   // one movement stands twice in a report
	Restated      Kind = "restated"       // a movement reads otherwise than it was booked, or is not told any more
)

// Kinds are all of them, for documents.
var Kinds = []Kind{
	NotHere, NotPaidHere, NotThere, OtherAmount, OtherCurrency, ChargedTwice, ChargeReversed,
	RefundNotHere, RefundNotDoneHere, RefundNotThere, RefundOtherAmount, RefundedTwice, RefundCameBack,
	DisputeNotHere, FeeDiffers, FeeUntold, OtherMovement, StatedTwice, Restated,
}

// Movement is a provider's movement as we keep it.
type Movement struct {
	payment.Movement
	Provider string
	Day      payment.Day // in whose report it stands
	Account  string      // "" where it belongs to no payment of ours
	Payment  string
	Stated   int    // how often it stands in the report
	Restated string // what a later report says of it instead; "" if the same
}

// Payment is what we know of one payment, as far as it is compared.
type Payment struct {
	Account   string
	ID        string
	Order     string
	Amount    money.Money
	State     payment.State
	Fee       int64 // in minor units of Amount's currency, as the provider told with it; 0: it did not
	Disputed  bool  // a case says that the money is withheld
	CreatedAt time.Time
	PaidAt    time.Time
}

// Refund is what we know of one refund, as far as it is compared.
type Refund struct {
	Account    string
	ID         string
	Payment    string
	Ref        string
	ProviderID string
	Amount     money.Money
	State      payment.RefundState
	CreatedAt  time.Time
	AskedAt    time.Time // zero: not yet
	DoneAt     time.Time
}

// Difference is one way in which the two accounts differ.
type Difference struct {
	Kind     Kind        `json:"kind"`
	Provider string      `json:"provider"`
	Day      payment.Day `json:"day"`     // of the provider's
	Subject  string      `json:"subject"` // the movement, payment or refund that it is about
	Account  string      `json:"account,omitempty"`
	Order    string      `json:"order,omitempty"`
	Payment  string      `json:"payment,omitempty"`
	Ours     money.Money `json:"ours"`
	Theirs   money.Money `json:"theirs"`
	Detail   string      `json:"detail,omitempty"` // the provider's identifiers, for staff

	FoundAt  time.Time `json:"found_at"`
	Accepted string    `json:"accepted,omitempty"` // by whom and why; "": nobody did
}
