package linepay

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// Resume implements [payment.Provider]. It looks, and takes the money of an
// attempt that the customer agreed to, unless its time is over.
//
// What the browser brings along proves nothing and is not needed: an attempt
// whose transaction we know is asked about by it, and one whose transaction we
// never heard of has no page that anybody could come back from.
func (a *Adapter) Resume(ctx context.Context, at payment.Attempt, _ url.Values) (payment.Observation, error) {
	obs, err := a.look(ctx, "confirm", at)
	if err != nil || obs.State != payment.Approved || !a.now().Before(takenUntil(at)) {
		return obs, err
	}
	amount, err := a.scale.toWire(at.Amount)
	if err != nil {
		return payment.Observation{}, strange("confirm", payment.ErrNotSent, "the amount is none that LINE Pay takes")
	}
	return a.confirm(ctx, at, amount)
}

// confirm takes the money, once: a transaction is confirmed once. Whatever LINE
// Pay answers that is not the confirmation itself is compared with the attempt
// as it then stands.
func (a *Adapter) confirm(ctx context.Context, at payment.Attempt, amount json.Number) (payment.Observation, error) {
	asOf := a.now().UTC()
	got, f := a.ask(ctx, question{
		method: http.MethodPost, path: "/v3/payments/" + at.ProviderID + "/confirm",
		body: struct {
			Amount   json.Number `json:"amount"`
			Currency string      `json:"currency"`
		}{amount, string(at.Amount.Currency)},
	})
	switch {
	case f != nil && errors.Is(f.kind, payment.ErrNotSent):
		return payment.Observation{}, f.acted("confirm")
	case f == nil && got.Code == fine:
		if taken, ok := a.confirmed(at, got.Info); ok {
			return payment.Observation{
				State: payment.Paid, ProviderID: at.ProviderID, MoneyID: at.ProviderID, Amount: taken, AsOf: asOf,
			}, nil
		}
	}
	now, err := a.look(ctx, "confirm", at)
	seen := err == nil
	refused := f == nil && got.Code != fine
	switch {
	case seen && now.Code == "0122" && refused:
		now.Reason, now.Code = reasonOf(got.Code), got.Code // says more than that it failed
		return now, nil
	case seen && (now.State.Final() || now.State == payment.Pending):
		return now, nil
	case f != nil:
		return payment.Observation{}, f.acted("confirm")
	case !refused:
		return payment.Observation{}, strange("confirm", payment.ErrUnknown, "LINE Pay confirmed without saying what")
	}
	no := payment.Observation{
		State: payment.Open, ProviderID: at.ProviderID, Amount: at.Amount, Reason: reasonOf(got.Code), Code: got.Code, AsOf: asOf,
	}
	switch {
	case got.Code == expired:
		no.State = payment.Dead
	case seen && now.State == payment.NeedsCustomer:
		no.State = payment.NeedsCustomer
	}
	return no, nil
}

// expired says that an agreement came too long ago and cannot be confirmed.
const expired = "1180"

// confirmed reads what a confirmation took. It names no currency: that is the
// one we sent, which LINE Pay compared.
func (a *Adapter) confirmed(at payment.Attempt, info json.RawMessage) (money.Money, bool) {
	var got struct {
		TransactionID identifier `json:"transactionId"`
		OrderID       string     `json:"orderId"`
		PayInfo       payInfo    `json:"payInfo"`
	}
	if json.Unmarshal(info, &got) != nil || string(got.TransactionID) != at.ProviderID || got.OrderID != at.Ref {
		return money.Money{}, false
	}
	taken, err := got.PayInfo.total(a.scale)
	return taken, err == nil && taken.Minor > 0
}
