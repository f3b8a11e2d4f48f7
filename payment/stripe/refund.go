package stripe

import (
	"context"
	"net/http"
	"time"

	sdk "github.com/stripe/stripe-go/v85"

	"github.com/tsuzuku/tsuzuku/payment"
)

// Refund implements [payment.Provider]. Before it asks it looks whether the
// refund is there already: an idempotency key holds for a day only.
func (a *Adapter) Refund(ctx context.Context, r payment.Refund) (payment.RefundObservation, error) {
	asOf := a.now().UTC()
	no := func(code string) (payment.RefundObservation, error) {
		return payment.RefundObservation{State: payment.RefundFailed, Amount: r.Amount, Code: code, AsOf: asOf}, nil
	}
	amount, currency, err := toStripe(r.Amount)
	if err != nil {
		return no("not_in_limits")
	}
	intent, err := a.intentOf(ctx, r.Attempt)
	if err != nil {
		return payment.RefundObservation{}, err
	}
	if intent == nil || string(intent.Currency) != currency {
		return no("not_paid")
	}
	there, err := a.findRefund(ctx, intent.ID, r)
	if err != nil || there.Found {
		return there, err
	}
	p := &sdk.RefundCreateParams{
		PaymentIntent: sdk.String(intent.ID),
		Amount:        sdk.Int64(amount),
		Metadata:      map[string]string{"ref": r.Ref, "attempt": r.Attempt.Ref},
	}
	if r.Note != "" {
		p.Metadata["note"] = clip(r.Note, 500)
	}
	p.SetIdempotencyKey(r.Ref + ".r")
	got, err := a.client.V1Refunds.Create(ctx, p)
	if err != nil {
		t := judge(err)
		if t.no == nil {
			return payment.RefundObservation{}, t.acted("refund")
		}
		return no(codeOf(t.no.Code, t.no.DeclineCode, t.no.Param))
	}
	obs, why := observeRefund(got, r, asOf)
	if why != "" {
		return payment.RefundObservation{}, strange("refund", payment.ErrUnknown, why)
	}
	return obs, nil
}

// QueryRefund implements [payment.Provider].
func (a *Adapter) QueryRefund(ctx context.Context, r payment.Refund) (payment.RefundObservation, error) {
	asOf := a.now().UTC()
	if r.ProviderID != "" {
		got, err := a.client.V1Refunds.Retrieve(ctx, r.ProviderID, nil)
		if err != nil {
			if t := judge(err); t.no != nil && t.no.HTTPStatusCode == http.StatusNotFound {
				return payment.RefundObservation{AsOf: asOf}, nil
			}
			return payment.RefundObservation{}, unread("query refund", err)
		}
		obs, why := observeRefund(got, r, asOf)
		if why != "" {
			return payment.RefundObservation{}, strange("query refund", payment.ErrNotSent, why)
		}
		return obs, nil
	}
	intent, err := a.intentOf(ctx, r.Attempt)
	if err != nil || intent == nil {
		return payment.RefundObservation{AsOf: asOf}, err
	}
	return a.findRefund(ctx, intent.ID, r)
}

// intentOf is the PaymentIntent that took the attempt's money, nil if none did.
func (a *Adapter) intentOf(ctx context.Context, at payment.Attempt) (*sdk.PaymentIntent, error) {
	if withKept(at) {
		return a.takenBy(ctx, at)
	}
	id := at.ProviderID
	if id == "" {
		var err error
		if id, err = a.find(ctx, at); err != nil || id == "" {
			return nil, err
		}
	}
	p := &sdk.CheckoutSessionRetrieveParams{}
	p.AddExpand("payment_intent")
	s, err := a.client.V1CheckoutSessions.Retrieve(ctx, id, p)
	if err != nil {
		return nil, unread("query before refund", err)
	}
	if s.ClientReferenceID != at.Ref || s.Livemode != a.live {
		return nil, strange("query before refund", payment.ErrNotSent, "Stripe answered with a session of another attempt")
	}
	if s.PaymentIntent == nil || s.PaymentIntent.Status != sdk.PaymentIntentStatusSucceeded {
		return nil, nil
	}
	return s.PaymentIntent, nil
}

// findRefund looks for our reference among the refunds of a payment. Refunds
// made by hand at Stripe carry none.
func (a *Adapter) findRefund(ctx context.Context, intent string, r payment.Refund) (payment.RefundObservation, error) {
	asOf := a.now().UTC()
	p := &sdk.RefundListParams{PaymentIntent: sdk.String(intent)}
	p.Limit = sdk.Int64(100)
	n := 0
	for got, err := range a.client.V1Refunds.List(ctx, p).All(ctx) {
		if err != nil {
			return payment.RefundObservation{}, unread("query refunds", err)
		}
		if got.Metadata["ref"] == r.Ref {
			obs, why := observeRefund(got, r, asOf)
			if why != "" {
				return payment.RefundObservation{}, strange("query refunds", payment.ErrNotSent, why)
			}
			return obs, nil
		}
		if n++; n == maxListed {
			return payment.RefundObservation{}, strange("query refunds", payment.ErrNotSent, "there are too many refunds to look through")
		}
	}
	return payment.RefundObservation{AsOf: asOf}, nil
}

// observeRefund reads a refund; why is not empty if it is not r or makes no sense.
func observeRefund(got *sdk.Refund, r payment.Refund, asOf time.Time) (obs payment.RefundObservation, why string) {
	if got.ID == "" || got.Metadata["ref"] != r.Ref {
		return obs, "Stripe answered with another refund"
	}
	amount, err := fromStripe(got.Amount, got.Currency)
	if err != nil {
		return obs, "Stripe answered with an amount we cannot read"
	}
	obs = payment.RefundObservation{Found: true, ProviderID: got.ID, Amount: amount, AsOf: asOf}
	switch got.Status {
	case sdk.RefundStatusPending, sdk.RefundStatusRequiresAction:
		obs.State, obs.Code = payment.RefundSent, string(got.PendingReason)
	case sdk.RefundStatusSucceeded:
		obs.State = payment.RefundDone
	case sdk.RefundStatusFailed, sdk.RefundStatusCanceled:
		obs.State, obs.Code = payment.RefundFailed, string(got.FailureReason)
		if obs.Code == "" {
			obs.Code = string(got.Status)
		}
	default:
		return obs, "Stripe answered with a refund in no state we know"
	}
	return obs, ""
}
