package antom

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

// refundOrder is what is asked for. The note is left out: Antom would show it to
// the customer.
type refundOrder struct {
	RefundRequestID string `json:"refundRequestId"`
	PaymentID       string `json:"paymentId"`
	RefundAmount    amount `json:"refundAmount"`
}

// refundNamed is the question for a refund.
type refundNamed struct {
	RefundRequestID string `json:"refundRequestId"`
}

// refund is what we read of a refund; the answers to both calls have the same
// names.
type refund struct {
	RefundRequestID string  `json:"refundRequestId"`
	RefundID        string  `json:"refundId"`
	PaymentID       string  `json:"paymentId"` // of the answer to refund only
	Amount          *amount `json:"refundAmount"`
	Status          string  `json:"refundStatus"` // of the answer to the question only
}

// Refund implements [payment.Provider]. The same Ref is refunded once. What is
// refused, or not finished, is looked for: the refund may be there from before,
// or be under way.
func (a *Adapter) Refund(ctx context.Context, r payment.Refund) (payment.RefundObservation, error) {
	asOf := a.now().UTC()
	failed := payment.RefundObservation{State: payment.RefundFailed, Amount: r.Amount, Code: "not_in_limits", AsOf: asOf}
	part, err := toAmount(r.Amount)
	if err != nil || r.Amount.Currency != r.Attempt.Amount.Currency {
		return failed, nil
	}
	paymentID, err := a.paymentOf(ctx, r.Attempt)
	if err != nil {
		return payment.RefundObservation{}, err
	}
	got, f := a.do(ctx, "refund", refundOrder{r.Ref, paymentID, part})
	if f != nil {
		return payment.RefundObservation{}, f.acted("refund")
	}
	if got.status == yes {
		obs, why := observeRefund(r, got.body, "SUCCESS", asOf)
		if why == "" && !obs.Found {
			why = "Antom answered that it refunded nothing"
		}
		if why != "" {
			return payment.RefundObservation{}, strange("refund", payment.ErrUnknown, why)
		}
		return obs, nil
	}
	there, f := a.seek(ctx, r)
	switch {
	case f != nil:
		return payment.RefundObservation{}, f.as("refund", payment.ErrUnknown)
	case there.Found:
		return there, nil
	case got.status == perhaps:
		return payment.RefundObservation{}, got.said("refund", payment.ErrUnknown)
	}
	failed.Code = got.code
	return failed, nil
}

// paymentOf is Antom's identifier of the payment, which a refund must name.
func (a *Adapter) paymentOf(ctx context.Context, at payment.Attempt) (string, error) {
	if at.MoneyID != "" {
		return at.MoneyID, nil
	}
	if at.ProviderID != "" {
		return at.ProviderID, nil
	}
	obs, err := a.look(ctx, at, "refund", payment.ErrNotSent)
	if err == nil && obs.ProviderID == "" {
		err = fmt.Errorf("antom: refund: %w: there is no payment", payment.ErrNotSent)
	}
	return obs.ProviderID, err
}

// QueryRefund implements [payment.Provider].
func (a *Adapter) QueryRefund(ctx context.Context, r payment.Refund) (payment.RefundObservation, error) {
	obs, f := a.seek(ctx, r)
	if f != nil {
		return payment.RefundObservation{}, f.as("query refund", payment.ErrNotSent)
	}
	return obs, nil
}

func (a *Adapter) seek(ctx context.Context, r payment.Refund) (payment.RefundObservation, *failure) {
	asOf := a.now().UTC()
	got, f := a.do(ctx, "inquiryRefund", refundNamed{r.Ref})
	switch {
	case f != nil:
		return payment.RefundObservation{}, f
	case got.status == no && absent(got.code):
		return payment.RefundObservation{AsOf: asOf}, nil
	case got.status != yes:
		return payment.RefundObservation{}, &failure{payment.ErrNotSent, fmt.Errorf("the answer is %s %s", got.status, got.code)}
	}
	obs, why := observeRefund(r, got.body, "", asOf)
	if why != "" {
		return payment.RefundObservation{}, &failure{payment.ErrNotSent, errors.New(why)}
	}
	return obs, nil
}

// observeRefund reads a refund; why is not empty if it is not r or makes no
// sense. One that Antom does not have is an answer without contents. state is
// what the call's yes means where the answer has no state of its own.
func observeRefund(r payment.Refund, body []byte, state string, asOf time.Time) (obs payment.RefundObservation, why string) {
	var said refund
	if json.Unmarshal(body, &said) != nil {
		return obs, "Antom answered with a refund we cannot read"
	}
	obs.AsOf = asOf
	if said.RefundID == "" && said.RefundRequestID == "" && said.Status == "" {
		return obs, ""
	}
	sum, err := said.Amount.money()
	switch {
	case said.RefundRequestID != r.Ref, r.ProviderID != "" && said.RefundID != r.ProviderID,
		r.Attempt.MoneyID != "" && said.PaymentID != "" && said.PaymentID != r.Attempt.MoneyID:
		return payment.RefundObservation{}, "Antom answered with another refund"
	case !isName(said.RefundID):
		return payment.RefundObservation{}, "Antom answered with a refund without a name"
	case err != nil, sum.Currency != r.Amount.Currency:
		return payment.RefundObservation{}, "Antom answered with a refunded amount we cannot read"
	}
	obs.Found, obs.ProviderID, obs.Amount = true, said.RefundID, sum
	switch cmp.Or(said.Status, state) {
	case "SUCCESS":
		obs.State = payment.RefundDone
	case "PROCESSING", "PENDING":
		obs.State = payment.RefundSent
	case "FAIL", "CANCELLED":
		obs.State, obs.Code = payment.RefundFailed, said.Status
	default:
		return payment.RefundObservation{}, "Antom answered with a refund in no state we know"
	}
	return obs, ""
}
