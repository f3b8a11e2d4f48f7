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
// opened. One that the seller lost counts as far as it is not among the refunds.
func (a *Adapter) addDisputes(ctx context.Context, obs *payment.Observation) error {
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
		to, held, state := &open, d.Amount, payment.DisputeOpen
		if d.Status == "RESOLVED" {
			var err error
			if held, err = a.lost(ctx, d); err != nil {
				return err
			}
			to, state = &lost, payment.DisputeLost
			if held == nil {
				state = payment.DisputeWon
			}
		}
		if held == nil {
			if state == payment.DisputeWon && d.Amount != nil {
				obs.Disputes = append(obs.Disputes, d.said(state, *d.Amount))
			}
			continue
		}
		obs.Disputes = append(obs.Disputes, d.said(state, *held))
		m, err := fromPayPal(*held)
		if err == nil {
			*to, err = to.Add(m)
		}
		if err != nil || m.Currency != obs.Amount.Currency {
			return strange(call, payment.ErrNotSent, "PayPal answered with a disputed amount we cannot read")
		}
	}
	kept := obs.Amount.Minor - obs.Refunded.Minor
	held := max(obs.Disputed.Minor, open.Minor+min(lost.Minor, max(kept, 0)))
	if held > 0 {
		obs.Disputed = money.Of(min(held, obs.Amount.Minor), obs.Amount.Currency)
	}
	return nil
}

// said is a dispute in the words of the port. An amount that cannot be read fails
// where it is added up.
func (d dispute) said(s payment.DisputeState, of amount) payment.Dispute {
	out := payment.Dispute{ID: d.ID, State: s, Reason: d.Reason}
	out.Amount, _ = fromPayPal(of)
	if at, err := time.Parse(time.RFC3339, d.DueAt); err == nil {
		out.AnswerBy = at.UTC()
	}
	return out
}

func (d dispute) concerns(capture string) bool {
	for _, t := range d.Transactions {
		if t.ID == capture {
			return true
		}
	}
	return false
}

// lost is what a dispute that is over cost the seller; nil for nothing. The
// list does not tell how it ended, so the dispute itself is asked.
func (a *Adapter) lost(ctx context.Context, d dispute) (*amount, error) {
	var whole dispute
	_, t := a.ask(ctx, question{method: http.MethodGet, path: "/v1/customer/disputes/" + url.PathEscape(d.ID)}, &whole)
	switch {
	case t != nil && t.no != nil && t.no.status == http.StatusNotFound:
		return nil, nil // no longer told; what was given back is among the refunds
	case t != nil:
		return nil, t.unread("query dispute")
	}
	switch whole.Outcome.Code {
	case "RESOLVED_BUYER_FAVOUR", "ACCEPTED":
		if whole.Outcome.Amount != nil {
			return whole.Outcome.Amount, nil
		}
		return d.Amount, nil
	case "RESOLVED_SELLER_FAVOUR", "RESOLVED_WITH_PAYOUT", "CANCELED_BY_BUYER", "DENIED", "NONE":
		return nil, nil
	}
	return nil, strange("query dispute", payment.ErrNotSent, "PayPal answered with a dispute that ended in no way we know")
}
