package paypal

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// dispute is schemas dispute_info and dispute of Disputes v1.
type dispute struct {
	ID      string  `json:"dispute_id"`
	Status  string  `json:"status"`
	Reason  string  `json:"reason"`
	DueAt   string  `json:"seller_response_due_date"`
	Amount  *amount `json:"dispute_amount"`
	Outcome struct {
		Code   string  `json:"outcome_code"`
		Amount *amount `json:"amount_refunded"`
	} `json:"dispute_outcome"`
	Transactions []transaction `json:"disputed_transactions"`
}

type transaction struct {
	ID      string `json:"seller_transaction_id"` // the capture
	Custom  string `json:"custom"`
	Invoice string `json:"invoice_number"`
}

// addDisputes counts what is withheld of a paid attempt because the customer or
// their bank disputes it: PayPal holds an amount from the day a dispute is
// opened. One that the seller lost counts as far as it is not among the refunds: of these
// reversed is what PayPal may have given back itself.
func (a *Adapter) addDisputes(ctx context.Context, obs *payment.Observation, reversed money.Money) error {
	const call = "query disputes"
	var list struct {
		Items []dispute `json:"items"`
		Links []link    `json:"links"`
	}
	q := url.Values{"disputed_transaction_id": {obs.MoneyID}}
	if _, t := a.ask(ctx, question{method: http.MethodGet, path: "/v1/customer/disputes?" + q.Encode()}, &list); t != nil {
		return t.unread(call)
	}
	for _, l := range list.Links {
		if l.Rel == "next" { // a page holds ten
			return strange(call, payment.ErrNotSent, "there are too many disputes of one capture")
		}
	}
	open, lost := money.Money{}, money.Money{}
	for _, d := range list.Items {
		if len(d.Transactions) > 0 && !d.concerns(obs.MoneyID) {
			return strange(call, payment.ErrNotSent, "PayPal answered with a dispute of another capture")
		}
		state, held, err := a.standing(ctx, d)
		if err != nil {
			return err
		}
		if held == nil {
			continue
		}
		said, err := d.said(state, *held)
		if err != nil || said.Amount.Currency != obs.Amount.Currency {
			return strange(call, payment.ErrNotSent, "PayPal answered with a disputed amount we cannot read")
		}
		obs.Disputes = append(obs.Disputes, said)
		switch state {
		case payment.DisputeOpen:
			open, err = open.Add(said.Amount)
		case payment.DisputeLost:
			lost, err = lost.Add(said.Amount)
		case payment.DisputeWon, payment.DisputeAsked: // takes nothing
		}
		if err != nil {
			return strange(call, payment.ErrNotSent, "PayPal answered with a disputed amount we cannot read")
		}
	}
	kept := obs.Amount.Minor - obs.Refunded.Minor
	held := max(obs.Disputed.Minor, open.Minor+min(max(0, lost.Minor-reversed.Minor), max(kept, 0)))
	if held > 0 {
		obs.Disputed = money.Of(min(held, obs.Amount.Minor), obs.Amount.Currency)
	}
	return nil
}

// said is a dispute in the words of the port.
func (d dispute) said(s payment.DisputeState, of amount) (payment.Dispute, error) {
	m, err := fromPayPal(of)
	out := payment.Dispute{ID: d.ID, State: s, Amount: m, Reason: d.Reason}
	if at, e := time.Parse(time.RFC3339, d.DueAt); e == nil {
		out.AnswerBy = at.UTC()
	}
	return out, err
}

func (d dispute) concerns(capture string) bool {
	for _, t := range d.Transactions {
		if t.ID == capture {
			return true
		}
	}
	return false
}

// standing is how far a dispute has come, and what it is about: what PayPal holds,
// what the seller lost, or else what was claimed. nil is for what is not told.
// The list does not tell how a dispute ended, so the dispute itself is asked.
func (a *Adapter) standing(ctx context.Context, d dispute) (payment.DisputeState, *amount, error) {
	if d.Status != "RESOLVED" {
		return payment.DisputeOpen, d.Amount, nil
	}
	var whole dispute
	_, t := a.ask(ctx, question{method: http.MethodGet, path: "/v1/customer/disputes/" + url.PathEscape(d.ID)}, &whole)
	switch {
	case t != nil && t.no != nil && t.no.status == http.StatusNotFound:
		return "", nil, nil // no longer told; what was given back is among the refunds
	case t != nil:
		return "", nil, t.unread("query dispute")
	}
	switch whole.Outcome.Code {
	case "RESOLVED_BUYER_FAVOUR", "ACCEPTED":
		if whole.Outcome.Amount != nil {
			return payment.DisputeLost, whole.Outcome.Amount, nil
		}
		return payment.DisputeLost, d.Amount, nil
	case "RESOLVED_SELLER_FAVOUR", "RESOLVED_WITH_PAYOUT", "CANCELED_BY_BUYER", "DENIED", "NONE":
		return payment.DisputeWon, d.Amount, nil
	}
	return "", nil, strange("query dispute", payment.ErrNotSent, "PayPal answered with a dispute that ended in no way we know")
}
