package paypay

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

// refunds is where refunds are made and read.
const refunds = "/v2/refunds"

// refundOrder is what is asked for.
type refundOrder struct {
	MerchantRefundID string `json:"merchantRefundId"`
	PaymentID        string `json:"paymentId"`
	Amount           amount `json:"amount"`
	RequestedAt      int64  `json:"requestedAt"`
	Reason           string `json:"reason,omitempty"`
}

// refund is what we read of one.
type refund struct {
	Status           string  `json:"status"`
	MerchantRefundID string  `json:"merchantRefundId"`
	PaymentID        string  `json:"paymentId"`
	Amount           *amount `json:"amount"`
}

// Refund implements [payment.Provider]. It looks before it asks, because nobody
// says how long PayPay remembers a merchantRefundId, and again where it is
// refused, before it calls the refund failed.
//
// While PayPay is busy with another refund of the payment it refuses for a
// minute; then this one was not sent.
func (a *Adapter) Refund(ctx context.Context, r payment.Refund) (payment.RefundObservation, error) {
	asOf := a.now().UTC()
	no := func(code string) (payment.RefundObservation, error) {
		return payment.RefundObservation{State: payment.RefundFailed, Amount: r.Amount, Code: code, AsOf: asOf}, nil
	}
	ask, err := toYen(r.Amount)
	if err != nil {
		return no("not_in_limits")
	}
	id, err := a.moneyOf(ctx, r.Attempt)
	if err != nil {
		return payment.RefundObservation{}, err
	}
	if id == "" {
		return no("not_paid")
	}
	there, err := a.findRefund(ctx, r, id, "refund", payment.ErrNotSent)
	if err != nil || there.Found {
		return there, err
	}
	got, f := a.do(ctx, http.MethodPost, refunds, "", refundOrder{
		MerchantRefundID: r.Ref, PaymentID: id, Amount: ask, RequestedAt: asOf.Unix(), Reason: clip(r.Note, 255),
	})
	if f != nil {
		return payment.RefundObservation{}, f.acted("refund")
	}
	if got.no != "" {
		there, err := a.findRefund(ctx, r, id, "refund", payment.ErrUnknown)
		if err != nil || there.Found {
			return there, err
		}
		return no(got.no)
	}
	obs, why := observeRefund(r, id, got.data, asOf)
	if why != "" {
		return payment.RefundObservation{}, strange("refund", payment.ErrUnknown, why)
	}
	return obs, nil
}

// QueryRefund implements [payment.Provider].
func (a *Adapter) QueryRefund(ctx context.Context, r payment.Refund) (payment.RefundObservation, error) {
	asOf := a.now().UTC()
	id, err := a.moneyOf(ctx, r.Attempt)
	if err != nil || id == "" {
		return payment.RefundObservation{AsOf: asOf}, err
	}
	return a.findRefund(ctx, r, id, "query refund", payment.ErrNotSent)
}

// moneyOf is the paymentId of the attempt's money, "" if none was taken.
func (a *Adapter) moneyOf(ctx context.Context, at payment.Attempt) (string, error) {
	if at.MoneyID != "" {
		return at.MoneyID, nil
	}
	obs, err := a.look(ctx, at, "query before refund", payment.ErrNotSent)
	if err != nil || obs.State != payment.Paid {
		return "", err
	}
	return obs.MoneyID, nil
}

// findRefund reads the refund by our reference; its errors wrap kind.
func (a *Adapter) findRefund(ctx context.Context, r payment.Refund, id, call string, kind error) (payment.RefundObservation, error) {
	asOf := a.now().UTC()
	got, f := a.do(ctx, http.MethodGet, refunds+"/"+url.PathEscape(r.Ref), url.Values{"paymentId": {id}}.Encode(), nil)
	switch {
	case f != nil:
		return payment.RefundObservation{}, f.as(call, kind)
	case got.no == noRefund:
		return payment.RefundObservation{AsOf: asOf}, nil
	case got.no != "":
		return payment.RefundObservation{}, refused(call, kind, got.no)
	}
	obs, why := observeRefund(r, id, got.data, asOf)
	if why != "" {
		return payment.RefundObservation{}, strange(call, kind, why)
	}
	return obs, nil
}

// observeRefund reads a refund; why is not empty if it is not r or makes no
// sense. PayPay has no name of its own for a refund.
func observeRefund(r payment.Refund, id string, data json.RawMessage, asOf time.Time) (obs payment.RefundObservation, why string) {
	var said refund
	if err := json.Unmarshal(data, &said); err != nil {
		return obs, "PayPay answered with a refund that makes no sense"
	}
	if said.MerchantRefundID != r.Ref || said.PaymentID != id {
		return obs, "PayPay answered with another refund"
	}
	m, err := said.Amount.money()
	if err != nil {
		return obs, "PayPay answered with an amount we cannot read"
	}
	state, known := refundStates[said.Status]
	if !known {
		return obs, "PayPay answered with a refund in no state we know"
	}
	return payment.RefundObservation{State: state, Found: true, Amount: m, AsOf: asOf}, ""
}
