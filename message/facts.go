package message

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/money"
)

// Facts are what a message says, before anybody has put it into words: numbers,
// names and instants. All are optional; a sentence that lacks its fact is left
// out. They are stored with the message as JSON, so the tags must not change.
type Facts struct {
	// The line.
	LineName     string        `json:"line_name,omitempty"`      // the customer's own name for it
	LineLastFour string        `json:"line_last_four,omitempty"` // of the ICCID
	PlanName     string        `json:"plan_name,omitempty"`      // in the message's language
	TermName     string        `json:"term_name,omitempty"`      // in the message's language
	StartsAt     time.Time     `json:"starts_at,omitzero"`       // of the period that the message is about
	EndsAt       time.Time     `json:"ends_at,omitzero"`         // of that period, or of all service after it
	RenewUntil   time.Time     `json:"renew_until,omitzero"`     // the last moment to renew, where it is not EndsAt
	Zone         calendar.Zone `json:"zone,omitempty"`           // the operator's, the customer's or the shop's; every time is written in it. Empty: UTC

	// What a new line is installed with, LPA:1$…, secret; and the last moment to
	// begin using it.
	Install   string    `json:"install,omitempty"`
	InstallBy time.Time `json:"install_by,omitzero"`

	// Left is how many bytes are left, as of AsOf; nil where it is not known
	// or the plan is unlimited. GB is what the operator calls a GB: 1<<30 or
	// 1e9 bytes; 0: 1e9.
	Left *int64    `json:"left,omitempty"`
	AsOf time.Time `json:"as_of,omitzero"`
	GB   int64     `json:"gb,omitempty"`

	// The sale.
	Order        string      `json:"order,omitempty"` // as the customer knows it
	Bill         string      `json:"bill,omitempty"`  // the document's number
	Amount       money.Money `json:"amount,omitzero"`
	Balance      money.Money `json:"balance,omitzero"`        // of the wallet, afterwards
	Tool         string      `json:"tool,omitempty"`          // a payment.Rail: what was paid with
	ToolLabel    string      `json:"tool_label,omitempty"`    // of a saved tool: "Visa •• 4242"
	Method       string      `json:"method,omitempty"`        // a payment.Rail: where money goes back to
	ByTool       money.Money `json:"by_tool,omitzero"`        // of Amount, where the wallet paid a part
	FromWallet   money.Money `json:"from_wallet,omitzero"`    // the part of Amount that the wallet paid beside Tool
	WalletBack   money.Money `json:"wallet_back,omitzero"`    // what is in the wallet again, beside what goes back to Method
	Points       int64       `json:"points,omitempty"`        // earned
	PointsUsed   int64       `json:"points_used,omitempty"`   // that paid a part
	PointsBack   int64       `json:"points_back,omitempty"`   // that paid and were given back
	Owed         money.Money `json:"owed,omitzero"`           // by the customer, because a payment was taken back
	OwedPaid     money.Money `json:"owed_paid,omitzero"`      // of Amount, what paid what was owed
	NextNewsAt   time.Time   `json:"next_news_at,omitzero"`   // when the customer hears from us at the latest
	PayBy        time.Time   `json:"pay_by,omitzero"`         // until when a failed payment can be tried again at this price
	Credited     bool        `json:"credited,omitempty"`      // what goes back is of an order that was served
	RefundReason string      `json:"refund_reason,omitempty"` // a word that texts.yaml has under refund_reason
	DebitReason  string      `json:"debit_reason,omitempty"`  // a payment.Reason: why a debit failed
	Trouble      string      `json:"trouble,omitempty"`       // a word that texts.yaml has under trouble: what a person looks at

	// A case of support.
	Case   string `json:"case,omitempty"`   // its identifier
	Said   string `json:"said,omitempty"`   // what staff wrote, in several lines
	Closed bool   `json:"closed,omitempty"` // it is closed by that

	// An identity check.
	IdentityReason string `json:"identity_reason,omitempty"` // why it was refused: a word that texts.yaml has under identity_reason

	// What we would do, a sentence in the message's language; "" where nobody
	// advises. Where it is to buy nothing now, there is no best offer.
	Advice string `json:"advice,omitempty"`

	// The best offer.
	OfferName  string      `json:"offer_name,omitempty"` // in the message's language
	OfferPrice money.Money `json:"offer_price,omitzero"`

	// Signing in.
	Code         string        `json:"code,omitempty"` // secret
	CodeValidFor time.Duration `json:"code_valid_for,omitempty"`
	Agent        string        `json:"agent,omitempty"`       // the browser or app that signed in
	At           time.Time     `json:"at,omitzero"`           // when it happened
	Passkey      string        `json:"passkey,omitempty"`     // what the customer calls it
	Issuer       string        `json:"issuer,omitempty"`      // what customers know it by
	Address      string        `json:"address,omitempty"`     // that was added or removed
	ClosesAt     time.Time     `json:"closes_at,omitzero"`    // when the account will be closed
	PointsLost   int64         `json:"points_lost,omitempty"` // with the account

	// Where to go: absolute, or a path at the seller's own address. They may
	// hold a token and are secret.
	Link     string `json:"link,omitempty"`
	StopLink string `json:"stop_link,omitempty"` // ends messages of this kind
}

// maxFacts is how long facts may be as JSON.
const maxFacts = 32 << 10 // 4,000 characters of an answer have up to 24 kB

// encode writes f as it is stored. It fails only for what no caller should
// have let in: a text of absurd length, a year after 9999.
func (f Facts) encode() (string, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return "", fmt.Errorf("message: facts: %w", err)
	}
	if len(b) > maxFacts {
		return "", fmt.Errorf("message: facts of %d bytes are longer than %d", len(b), maxFacts)
	}
	return string(b), nil
}

func decodeFacts(s string) (Facts, error) {
	var f Facts
	if err := json.Unmarshal([]byte(s), &f); err != nil {
		return Facts{}, fmt.Errorf("message: facts: %w", err)
	}
	return f, nil
}

// scrubbed is f without what opens doors. It stays in the row for good.
func (f Facts) scrubbed() Facts {
	f.Code, f.Link, f.StopLink, f.Install = "", "", "", ""
	return f
}
