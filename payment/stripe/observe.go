package stripe

import (
	"context"
	"time"

	sdk "github.com/stripe/stripe-go/v85"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// expansions bring the whole story of a session in one answer.
var expansions = []string{"payment_intent", "payment_intent.latest_charge", "payment_intent.latest_charge.balance_transaction"}

// observe reads a session. why is not empty if the answer is not about at or
// makes no sense, and then says so.
func observe(at payment.Attempt, s *sdk.CheckoutSession, live bool, asOf time.Time) (obs payment.Observation, why string) {
	switch {
	case s.ID == "":
		return obs, "Stripe answered without a session"
	case s.ClientReferenceID != at.Ref:
		return obs, "Stripe answered with a session of another attempt"
	case s.Livemode != live:
		return obs, "Stripe answered with a session of the other mode"
	}
	obs = payment.Observation{ProviderID: s.ID, AsOf: asOf}
	obs.State = stateOf(s)
	if obs.State == payment.Unknown {
		return obs, "Stripe answered with a session in no state we know"
	}
	asked, err := fromStripe(s.AmountTotal, s.Currency)
	if err != nil {
		return obs, "Stripe answered with an amount we cannot read"
	}
	obs.Amount = asked
	if s.PaymentIntent != nil {
		obs.MoneyID = s.PaymentIntent.ID
	}
	switch obs.State {
	case payment.NeedsCustomer:
		if s.URL == "" {
			return obs, "Stripe answered without a page for the customer"
		}
		obs.Next.RedirectURL = s.URL
		obs.Reason, obs.Code = lastRefusal(s.PaymentIntent)
	case payment.Dead:
		obs.Reason, obs.Code = whyDead(s, asOf)
		obs.Closed = s.Status == sdk.CheckoutSessionStatusExpired
	case payment.Paid:
		if why := takings(&obs, s.PaymentIntent); why != "" {
			return obs, why
		}
		if at.Keep {
			obs.Kept = keptOf(s.PaymentIntent)
		}
	case payment.Created, payment.Open, payment.Approved, payment.Pending, payment.Unknown:
	}
	return obs, ""
}

// stateOf reduces the three states that Stripe keeps to one of ours. Paid wants
// all three to agree; Dead wants a session that is over and a PaymentIntent
// through which nothing is on its way.
func stateOf(s *sdk.CheckoutSession) payment.State {
	under, over := moneyUnderWay(s.PaymentIntent)
	switch s.Status {
	case sdk.CheckoutSessionStatusOpen:
		switch {
		case under:
			return payment.Pending
		case over:
			return payment.Dead
		}
		return payment.NeedsCustomer
	case sdk.CheckoutSessionStatusComplete:
		switch {
		case paidFor(s):
			return payment.Paid
		case over:
			return payment.Dead
		}
		return payment.Pending // unpaid: a delayed method, or a moment too early
	case sdk.CheckoutSessionStatusExpired:
		switch {
		case paidFor(s):
			return payment.Paid
		case under:
			return payment.Pending
		}
		return payment.Dead
	}
	return payment.Unknown
}

func paidFor(s *sdk.CheckoutSession) bool {
	return s.PaymentStatus == sdk.CheckoutSessionPaymentStatusPaid &&
		s.PaymentIntent != nil && s.PaymentIntent.Status == sdk.PaymentIntentStatusSucceeded
}

// moneyUnderWay reports whether the customer has done their part, and whether
// the PaymentIntent will never take money. A state we do not know counts as
// under way: that promises nothing.
func moneyUnderWay(pi *sdk.PaymentIntent) (under, over bool) {
	if pi == nil {
		return false, false
	}
	switch pi.Status {
	case sdk.PaymentIntentStatusRequiresPaymentMethod,
		sdk.PaymentIntentStatusRequiresConfirmation,
		sdk.PaymentIntentStatusRequiresAction:
		return false, false
	case sdk.PaymentIntentStatusCanceled:
		return false, true
	case sdk.PaymentIntentStatusProcessing,
		sdk.PaymentIntentStatusRequiresCapture,
		sdk.PaymentIntentStatusSucceeded:
		return true, false
	}
	return true, false
}

// whyDead tells a session that ended by itself from one that was ended.
func whyDead(s *sdk.CheckoutSession, asOf time.Time) (payment.Reason, string) {
	if s.Status == sdk.CheckoutSessionStatusExpired {
		if asOf.Before(time.Unix(s.ExpiresAt, 0)) {
			return payment.Abandoned, "session_expired"
		}
		return payment.TooLate, "session_expired"
	}
	code := "canceled"
	if s.PaymentIntent != nil && s.PaymentIntent.CancellationReason != "" {
		code += "/" + string(s.PaymentIntent.CancellationReason)
	}
	return payment.Abandoned, code
}

// takings fills in what a succeeded PaymentIntent took, and what became of it.
func takings(obs *payment.Observation, pi *sdk.PaymentIntent) (why string) {
	var err error
	if obs.Amount, err = fromStripe(pi.AmountReceived, pi.Currency); err != nil {
		return "Stripe answered with a captured amount we cannot read"
	}
	c := pi.LatestCharge
	if c == nil || c.Currency == "" {
		return "Stripe answered without the charge of a payment"
	}
	if c.AmountRefunded > 0 {
		if obs.Refunded, err = fromStripe(c.AmountRefunded, c.Currency); err != nil {
			return "Stripe answered with a refunded amount we cannot read"
		}
	}
	// The fee is in the currency of the seller's balance, which may be one that
	// we do not sell in; then it is not told.
	if bt := c.BalanceTransaction; bt != nil && bt.Currency != "" {
		if fee, err := fromStripe(bt.Fee, bt.Currency); err == nil {
			obs.Fee = fee
		}
	}
	return ""
}

// disputed is what banks hold back of a payment, and what they say. An enquiry and
// a dispute we won take nothing.
func (a *Adapter) disputed(ctx context.Context, intent string) (sum money.Money, all []payment.Dispute, err error) {
	p := &sdk.DisputeListParams{PaymentIntent: sdk.String(intent)}
	p.Limit = sdk.Int64(100)
	for d, err := range a.client.V1Disputes.List(ctx, p).All(ctx) {
		if err != nil {
			return money.Money{}, nil, unread("query disputes", err)
		}
		if len(all) >= maxListed {
			break
		}
		one := payment.Dispute{ID: d.ID, State: disputeState(d.Status), Reason: string(d.Reason)}
		if d.EvidenceDetails != nil && d.EvidenceDetails.DueBy > 0 {
			one.AnswerBy = time.Unix(d.EvidenceDetails.DueBy, 0).UTC()
		}
		one.Amount, err = fromStripe(d.Amount, d.Currency)
		if err == nil && one.State.Takes() {
			sum, err = sum.Add(one.Amount)
		}
		if err != nil || one.State == "" {
			return money.Money{}, nil, strange("query disputes", payment.ErrNotSent, "Stripe answered with a dispute we cannot read")
		}
		all = append(all, one)
	}
	return sum, all, nil
}

// disputeState reads a dispute's status; "" for one that we do not know.
func disputeState(s sdk.DisputeStatus) payment.DisputeState {
	switch s {
	case sdk.DisputeStatusWarningNeedsResponse, sdk.DisputeStatusWarningUnderReview:
		return payment.DisputeAsked
	case sdk.DisputeStatusWon, sdk.DisputeStatusPrevented, sdk.DisputeStatusWarningClosed:
		return payment.DisputeWon
	case sdk.DisputeStatusNeedsResponse, sdk.DisputeStatusUnderReview:
		return payment.DisputeOpen
	case sdk.DisputeStatusLost:
		return payment.DisputeLost
	}
	return ""
}
