package paypal

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

// refund is schema refund.
type refund struct {
	ID       string  `json:"id"`
	Status   string  `json:"status"`
	Details  details `json:"status_details"`
	CustomID string  `json:"custom_id"`
	Invoice  string  `json:"invoice_id"`
	Amount   *amount `json:"amount"`
}

// carries reports whether a refund is the one that we made under ref.
func (r refund) carries(ref string) bool { return r.CustomID == ref || r.Invoice == ref }

// Refund implements [payment.Provider]. Before it asks it looks whether the
// refund is there already: PayPal keeps its key for 45 days only.
func (a *Adapter) Refund(ctx context.Context, r payment.Refund) (payment.RefundObservation, error) {
	asOf := a.now().UTC()
	no := func(code string) (payment.RefundObservation, error) {
		return payment.RefundObservation{State: payment.RefundFailed, Amount: r.Amount, Code: code, AsOf: asOf}, nil
	}
	sum, err := toPayPal(r.Amount)
	if err != nil {
		return no("not_in_limits")
	}
	o, paid, err := a.purchase(ctx, r.Attempt)
	if err != nil {
		return payment.RefundObservation{}, err
	}
	if paid.State != payment.Paid || paid.Amount.Currency != r.Amount.Currency {
		return no("not_paid")
	}
	there, err := findRefund(o, r, asOf)
	if err != nil || there.Found {
		return there, err
	}
	var got refund
	_, t := a.ask(ctx, question{
		method: http.MethodPost, path: "/v2/payments/captures/" + url.PathEscape(paid.MoneyID) + "/refund", key: r.Ref,
		// The note is for staff; PayPal's only one is for the payer.
		body: newRefund{Amount: sum, CustomID: r.Ref, InvoiceID: r.Ref},
	}, &got)
	switch {
	case t == nil:
	case t.no == nil:
		return payment.RefundObservation{}, t.acted("refund")
	case t.no.said.is("DUPLICATE_INVOICE_ID"):
		// It was made, and the order does not show it yet.
		return payment.RefundObservation{}, strange("refund", payment.ErrUnknown, "PayPal knows this refund under another key")
	default:
		return no(t.no.said.code())
	}
	obs, why := observeRefund(got, r, asOf)
	if why != "" {
		return payment.RefundObservation{}, strange("refund", payment.ErrUnknown, why)
	}
	return obs, nil
}

// newRefund is schema refund_request, as far as we use it.
type newRefund struct {
	Amount    amount `json:"amount"`
	CustomID  string `json:"custom_id"`
	InvoiceID string `json:"invoice_id"`
}

// QueryRefund implements [payment.Provider].
func (a *Adapter) QueryRefund(ctx context.Context, r payment.Refund) (payment.RefundObservation, error) {
	asOf := a.now().UTC()
	if r.ProviderID != "" {
		var got refund
		_, t := a.ask(ctx, question{method: http.MethodGet, path: "/v2/payments/refunds/" + url.PathEscape(r.ProviderID)}, &got)
		switch {
		case t != nil && t.no != nil && t.no.status == http.StatusNotFound:
			return payment.RefundObservation{AsOf: asOf}, nil
		case t != nil:
			return payment.RefundObservation{}, t.unread("query refund")
		}
		obs, why := observeRefund(got, r, asOf)
		if why != "" {
			return payment.RefundObservation{}, strange("query refund", payment.ErrNotSent, why)
		}
		return obs, nil
	}
	o, paid, err := a.purchase(ctx, r.Attempt)
	if err != nil || paid.State != payment.Paid {
		return payment.RefundObservation{AsOf: asOf}, err
	}
	return findRefund(o, r, asOf)
}

// purchase is an attempt's order, and what it shows of its money.
func (a *Adapter) purchase(ctx context.Context, at payment.Attempt) (order, payment.Observation, error) {
	const call = "query before refund"
	if at.ProviderID == "" && at.MoneyID == "" {
		id, _, t := a.find(ctx, at)
		if t != nil {
			return order{}, payment.Observation{}, t.unread(call)
		}
		if id == "" {
			return order{}, payment.Observation{}, nil
		}
		at.ProviderID = id
	}
	o, t := a.read(ctx, at)
	if t != nil {
		return order{}, payment.Observation{}, t.unread(call)
	}
	obs, why := a.observe(at, o, a.now().UTC())
	if why != "" {
		return order{}, payment.Observation{}, strange(call, payment.ErrNotSent, why)
	}
	return o, obs, nil
}

// findRefund looks for our reference among the refunds of an order. Refunds
// made by hand at PayPal carry none of ours.
func findRefund(o order, r payment.Refund, asOf time.Time) (payment.RefundObservation, error) {
	const call = "query refunds"
	for _, got := range o.Units[0].Payments.Refunds {
		if !got.carries(r.Ref) {
			continue
		}
		obs, why := observeRefund(got, r, asOf)
		if why != "" {
			return payment.RefundObservation{}, strange(call, payment.ErrNotSent, why)
		}
		return obs, nil
	}
	if o.alone && o.Units[0].Payments.Captures[0].Status != "COMPLETED" {
		return payment.RefundObservation{}, strange(call, payment.ErrNotSent, "PayPal shows no order, and with it no refunds")
	}
	return payment.RefundObservation{AsOf: asOf}, nil
}

// observeRefund reads a refund; why is not empty if it is not r or makes no sense.
func observeRefund(got refund, r payment.Refund, asOf time.Time) (obs payment.RefundObservation, why string) {
	if word(got.ID) == "" || !got.carries(r.Ref) || r.ProviderID != "" && got.ID != r.ProviderID {
		return obs, "PayPal answered with another refund"
	}
	if got.Amount == nil {
		return obs, "PayPal answered with a refund without an amount"
	}
	m, err := fromPayPal(*got.Amount)
	if err != nil {
		return obs, "PayPal answered with an amount we cannot read"
	}
	obs = payment.RefundObservation{Found: true, ProviderID: got.ID, Amount: m, Code: word(got.Details.Reason), AsOf: asOf}
	switch got.Status {
	case "PENDING":
		obs.State = payment.RefundSent
	case "COMPLETED":
		obs.State, obs.Code = payment.RefundDone, ""
	case "FAILED", "CANCELLED":
		obs.State = payment.RefundFailed
		if obs.Code == "" {
			obs.Code = got.Status
		}
	default:
		return obs, "PayPal answered with a refund in no state we know"
	}
	return obs, ""
}
