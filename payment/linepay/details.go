package linepay

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// detail is a transaction as the payment details show it
// (https://developers-pay.line.me/online-api-v3/retrieve-payment-details).
type detail struct {
	TransactionID   identifier     `json:"transactionId"`
	OrderID         string         `json:"orderId"`
	TransactionType string         `json:"transactionType"`
	PayStatus       string         `json:"payStatus"`
	Currency        money.Currency `json:"currency"`
	PayInfo         payInfo        `json:"payInfo"`
	RefundList      []struct {
		ID     identifier  `json:"refundTransactionId"`
		Amount json.Number `json:"refundAmount"`
		Date   string      `json:"refundTransactionDate"`
	} `json:"refundList"`
}

// payInfo is what was taken, from each of the customer's sources: a card,
// points, a discount.
type payInfo []struct {
	Amount json.Number `json:"amount"`
}

func (p payInfo) total(s scale) (money.Money, error) {
	all := money.Of(0, s.currency)
	for _, part := range p {
		m, err := s.fromWire(part.Amount)
		if err != nil {
			return money.Money{}, err
		}
		if all, err = all.Add(m); err != nil {
			return money.Money{}, err
		}
	}
	return all, nil
}

// sale is a transaction of ours that was confirmed.
type sale struct {
	id       string
	status   string
	amount   money.Money // taken, refunds not subtracted
	refunded money.Money
	refunds  []given
}

// given is one refund of a sale, in the order LINE Pay lists them.
type given struct {
	id     string
	amount money.Money
	at     time.Time // to the second; zero: LINE Pay does not say
}

// details reads the sale of an attempt; found is false if there is none. What
// was never confirmed is in no details. Its errors wrap [payment.ErrNotSent].
func (a *Adapter) details(ctx context.Context, call string, at payment.Attempt) (s sale, found bool, err error) {
	id := at.MoneyID
	if id == "" {
		id = at.ProviderID
	}
	q := url.Values{"orderId": {at.Ref}}
	if id != "" {
		q = url.Values{"transactionId": {id}}
		if !transaction(id) {
			return s, false, strange(call, payment.ErrNotSent, "the stored identifier is none of LINE Pay's")
		}
	}
	got, f := a.ask(ctx, question{method: http.MethodGet, path: "/v3/payments", query: q.Encode()})
	if f != nil {
		return s, false, f.unread(call)
	}
	switch got.Code {
	case notThere:
		return s, false, nil
	case fine:
	default:
		return s, false, strange(call, payment.ErrNotSent, "LINE Pay shows no details and says "+got.Code)
	}
	s, found, err = a.pick(got.Info, at.Ref, id)
	if err != nil {
		return s, false, strange(call, payment.ErrNotSent, err.Error())
	}
	return s, found, nil
}

// pick finds the one payment with our orderId, and our identifier if we have
// one. Refunds are transactions of their own too, with the same orderId.
func (a *Adapter) pick(info json.RawMessage, ref, id string) (s sale, found bool, err error) {
	var all []detail
	if err := json.Unmarshal(info, &all); err != nil {
		return s, false, errors.New("LINE Pay shows details that make no sense")
	}
	for _, d := range all {
		if d.TransactionType != "PAYMENT" || d.OrderID != ref || id != "" && string(d.TransactionID) != id {
			continue
		}
		if found {
			return s, false, errors.New("LINE Pay shows two payments of one orderId")
		}
		if s, err = a.read(d); err != nil {
			return s, false, err
		}
		found = true
	}
	if !found && len(all) > 0 {
		return s, false, errors.New("LINE Pay shows another payment than we asked for")
	}
	return s, found, nil
}

func (a *Adapter) read(d detail) (sale, error) {
	none := errors.New("LINE Pay shows an amount that we cannot read")
	if d.TransactionID == "" || d.Currency != a.config.Currency {
		return sale{}, errors.New("LINE Pay shows a payment without a name or in another currency")
	}
	s := sale{id: string(d.TransactionID), status: d.PayStatus, refunded: money.Of(0, d.Currency)}
	switch d.PayStatus {
	case "CAPTURE", "AUTHORIZATION", "VOIDED_AUTHORIZATION", "EXPIRED_AUTHORIZATION":
	default:
		return sale{}, errors.New("LINE Pay shows a payment in no state that we know")
	}
	var err error
	if s.amount, err = d.PayInfo.total(a.scale); err != nil || s.amount.Minor <= 0 {
		return sale{}, none
	}
	seen := map[identifier]bool{}
	for _, r := range d.RefundList {
		// Refunds are listed with a minus; the documents show none.
		m, err := a.scale.fromWire(json.Number(strings.TrimPrefix(string(r.Amount), "-")))
		if err != nil || r.ID == "" {
			return sale{}, none
		}
		if seen[r.ID] {
			continue
		}
		seen[r.ID] = true
		at, err := time.Parse(time.RFC3339, r.Date)
		if err != nil {
			at = time.Time{} // an amount counts also without a time
		}
		s.refunds = append(s.refunds, given{string(r.ID), m, at})
		if s.refunded, err = s.refunded.Add(m); err != nil {
			return sale{}, none
		}
	}
	return s, nil
}

// observe is what a sale says about its attempt. An authorisation is only held:
// we ask for none, but an account may be set up to make them.
func (s sale) observe(asOf time.Time) payment.Observation {
	obs := payment.Observation{ProviderID: s.id, Amount: s.amount, AsOf: asOf}
	switch s.status {
	case "CAPTURE":
		obs.State, obs.MoneyID, obs.Refunded = payment.Paid, s.id, s.refunded
	case "AUTHORIZATION":
		obs.State, obs.Code = payment.Pending, s.status
	default:
		obs.State, obs.Reason, obs.Code = payment.Dead, payment.TooLate, s.status
	}
	return obs
}

// left is what can still be refunded.
func (s sale) left() int64 { return s.amount.Minor - s.refunded.Minor }
