package stripe

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v85"

	"github.com/tsuzuku/tsuzuku/payment"
)

var _ payment.Keeper = (*Adapter)(nil)

// Keeps implements [payment.Keeper]. Of the other rails none can be kept for
// charges of any amount (https://docs.stripe.com/payments/payment-methods/payment-method-support).
func (a *Adapter) Keeps() []payment.Rail {
	if slices.Contains(a.rails, payment.Card) {
		return []payment.Rail{payment.Card}
	}
	return nil
}

// keep makes a session keep the card that it is paid with
// (https://docs.stripe.com/payments/save-during-payment).
func keep(p *sdk.CheckoutSessionCreateParams, holder string) {
	p.PaymentIntentData.SetupFutureUsage = sdk.String("off_session")
	if holder != "" {
		p.Customer = sdk.String(holder)
		return
	}
	p.CustomerCreation = sdk.String("always")
}

// keptOf is the card that a PaymentIntent took its money from, if Stripe keeps
// it. What identifies the card is the charge's: the session's page may have
// seen several.
func keptOf(pi *sdk.PaymentIntent) payment.Kept {
	c := pi.LatestCharge
	if pi.SetupFutureUsage == "" || pi.Customer == nil || pi.Customer.ID == "" || c == nil || c.PaymentMethod == "" ||
		c.PaymentMethodDetails == nil || c.PaymentMethodDetails.Card == nil {
		return payment.Kept{}
	}
	card := c.PaymentMethodDetails.Card
	k := payment.Kept{
		Token: payment.Token(c.PaymentMethod), Holder: pi.Customer.ID, Mark: card.Fingerprint,
		Label: strings.TrimSpace(brands[string(card.Brand)] + " •• " + card.Last4),
	}
	if card.ExpYear > 0 && card.ExpMonth >= 1 && card.ExpMonth <= 12 {
		k.Until = payment.Month{Year: int(card.ExpYear), Month: time.Month(card.ExpMonth)}
	}
	return k
}

// brands are the names of card schemes as they stand on cards.
var brands = map[string]string{
	"amex": "American Express", "diners": "Diners Club", "discover": "Discover", "eftpos_au": "eftpos", "jcb": "JCB",
	"mastercard": "Mastercard", "unionpay": "UnionPay", "visa": "Visa",
}

// withKept reports whether an attempt charges a kept card. Of one that was
// charged the identifier says so, when the token is long forgotten.
func withKept(at payment.Attempt) bool {
	return at.Saved != "" || strings.HasPrefix(at.ProviderID, "pi_")
}

// chargeEnds is when a kept card is no longer charged for an attempt: with it,
// or before Stripe may have forgotten the key.
func chargeEnds(at payment.Attempt) time.Time {
	if latest := at.CreatedAt.Add(longest); at.ExpiresAt.After(latest) {
		return latest
	}
	return at.ExpiresAt
}

// charge is Start with a kept card.
func (a *Adapter) charge(ctx context.Context, at payment.Attempt, amount int64, currency string) (payment.Observation, error) {
	asOf := a.now().UTC()
	no := func(why payment.Reason, code string) (payment.Observation, error) {
		return payment.Observation{State: payment.Dead, Reason: why, Code: code, Amount: at.Amount, AsOf: asOf}, nil
	}
	if !asOf.Before(chargeEnds(at)) {
		return a.queryCharge(ctx, at)
	}
	if at.Holder == "" || at.Saved == "" || at.Saved == payment.Forgotten || at.Rail != payment.Card {
		return no(payment.ToolGone, "no_kept_card")
	}
	pi, err := a.client.V1PaymentIntents.Create(ctx, chargeParams(at, amount, currency))
	if err != nil {
		t := judge(err)
		switch {
		case t.no == nil:
			return a.lostCharge(ctx, at, t)
		case t.no.PaymentIntent != nil && t.no.PaymentIntent.ID != "":
			// It was made, and refused. What it is now says more than this
			// answer, which may be a stored one.
			return a.readCharge(ctx, at, t.no.PaymentIntent.ID, payment.ErrUnknown)
		case t.no.Param == "payment_method" || t.no.Param == "customer":
			return no(payment.ToolGone, codeOf(t.no.Code, t.no.DeclineCode, t.no.Param))
		}
		return no(refusedStart(t.no), codeOf(t.no.Code, t.no.DeclineCode, t.no.Param))
	}
	if pi.LastResponse != nil && pi.LastResponse.Header.Get("Idempotent-Replayed") == "true" {
		return a.readCharge(ctx, at, pi.ID, payment.ErrUnknown)
	}
	obs, why := observeCharge(at, pi, a.live, asOf)
	if why != "" {
		return payment.Observation{}, strange("charge", payment.ErrUnknown, why)
	}
	return obs, nil
}

// lostCharge is for a charge without an answer. The customer is waiting, and
// Stripe keeps even a failure under the key, so the charge is looked for at once.
func (a *Adapter) lostCharge(ctx context.Context, at payment.Attempt, t trouble) (payment.Observation, error) {
	if errors.Is(t.kind, payment.ErrUnknown) {
		if id, err := a.findCharge(ctx, at); err == nil && id != "" {
			return a.readCharge(ctx, at, id, payment.ErrUnknown)
		}
	}
	return payment.Observation{}, t.acted("charge")
}

// chargeParams follow from the attempt alone, as those of a session do.
func chargeParams(at payment.Attempt, amount int64, currency string) *sdk.PaymentIntentCreateParams {
	p := &sdk.PaymentIntentCreateParams{
		Amount:             sdk.Int64(amount),
		Currency:           sdk.String(currency),
		Customer:           sdk.String(at.Holder),
		PaymentMethod:      sdk.String(string(at.Saved)),
		PaymentMethodTypes: []*string{sdk.String("card")},
		Confirm:            sdk.Bool(true),
		Metadata:           metadata(at),
	}
	if at.Description != "" {
		p.Description = sdk.String(clip(at.Description, 500))
	}
	if at.Absent {
		p.OffSession = sdk.Bool(true)
	} else {
		p.ReturnURL = sdk.String(at.ReturnURL) // with it the bank asks on a page, without scripts of Stripe's
	}
	for _, x := range chargeExpansions {
		p.AddExpand(x)
	}
	p.SetIdempotencyKey(at.Ref + ".s")
	return p
}

// chargeExpansions bring the whole story of a PaymentIntent in one answer.
var chargeExpansions = []string{"latest_charge", "latest_charge.balance_transaction"}

// queryCharge is Query for an attempt with a kept card. Without a ProviderID it
// looks through the customer's PaymentIntents since the attempt was stored.
// Finding none means Unknown as long as a charge may be under way, and Dead
// afterwards: nothing is sent after [chargeEnds].
func (a *Adapter) queryCharge(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	if at.ProviderID != "" {
		return a.readCharge(ctx, at, at.ProviderID, payment.ErrNotSent)
	}
	asOf := a.now().UTC()
	id, err := a.findCharge(ctx, at)
	if err != nil {
		return payment.Observation{}, err
	}
	if id != "" {
		return a.readCharge(ctx, at, id, payment.ErrNotSent)
	}
	obs := payment.Observation{State: payment.Unknown, Amount: at.Amount, AsOf: asOf}
	if asOf.After(chargeEnds(at).Add(a.Limits().SettlesWithin)) {
		obs.State, obs.Reason, obs.Code = payment.Dead, payment.TooLate, "no_such_payment"
	}
	return obs, nil
}

// findCharge returns the PaymentIntent that was made for at, or "".
func (a *Adapter) findCharge(ctx context.Context, at payment.Attempt) (string, error) {
	p := &sdk.PaymentIntentListParams{CreatedRange: &sdk.RangeQueryParams{
		GreaterThanOrEqual: at.CreatedAt.Add(-5 * time.Minute).Unix(), // clocks differ
		LesserThanOrEqual:  at.CreatedAt.Add(24 * time.Hour).Unix(),
	}}
	if at.Holder != "" {
		p.Customer = sdk.String(at.Holder)
	}
	p.Limit = sdk.Int64(100)
	n := 0
	for pi, err := range a.client.V1PaymentIntents.List(ctx, p).All(ctx) {
		if err != nil {
			return "", unread("look for payment", err)
		}
		if pi.Metadata["ref"] == at.Ref {
			return pi.ID, nil
		}
		if n++; n == maxListed {
			return "", strange("look for payment", payment.ErrNotSent, "there are too many payments to look through")
		}
	}
	return "", nil
}

// readCharge reads a PaymentIntent. kind is what it means that it cannot be
// read: ErrUnknown after a request that may have charged.
func (a *Adapter) readCharge(ctx context.Context, at payment.Attempt, id string, kind error) (payment.Observation, error) {
	asOf := a.now().UTC()
	p := &sdk.PaymentIntentRetrieveParams{}
	for _, x := range chargeExpansions {
		p.AddExpand(x)
	}
	pi, err := a.client.V1PaymentIntents.Retrieve(ctx, id, p)
	if err != nil {
		t := judge(err)
		t.kind = kind
		return payment.Observation{}, t.acted("read payment")
	}
	obs, why := observeCharge(at, pi, a.live, asOf)
	if why != "" {
		return payment.Observation{}, strange("read payment", kind, why)
	}
	return a.withDisputes(ctx, obs, pi)
}

// observeCharge reads the PaymentIntent of an attempt with a kept card. why is
// not empty if it is not about at or makes no sense.
func observeCharge(at payment.Attempt, pi *sdk.PaymentIntent, live bool, asOf time.Time) (obs payment.Observation, why string) {
	switch {
	case pi.ID == "":
		return obs, "Stripe answered without a payment"
	case pi.Metadata["ref"] != at.Ref, at.ProviderID != "" && pi.ID != at.ProviderID:
		return obs, "Stripe answered with a payment of another attempt"
	case pi.Livemode != live:
		return obs, "Stripe answered with a payment of the other mode"
	}
	asked, err := fromStripe(pi.Amount, pi.Currency)
	if err != nil {
		return obs, "Stripe answered with an amount we cannot read"
	}
	obs = payment.Observation{ProviderID: pi.ID, MoneyID: pi.ID, Amount: asked, AsOf: asOf}
	switch pi.Status {
	case sdk.PaymentIntentStatusSucceeded:
		obs.State = payment.Paid
		why = takings(&obs, pi)
	case sdk.PaymentIntentStatusProcessing, sdk.PaymentIntentStatusRequiresCapture:
		obs.State = payment.Pending
	case sdk.PaymentIntentStatusCanceled:
		obs.State = payment.Dead
		if obs.Reason, obs.Code = keptRefusal(pi); obs.Reason == "" {
			obs.Reason, obs.Code = payment.Abandoned, "canceled/"+string(pi.CancellationReason)
		}
	case sdk.PaymentIntentStatusRequiresAction:
		if page := bankPage(pi); page != "" && !at.Absent {
			obs.State, obs.Next.RedirectURL = payment.NeedsCustomer, page
			break
		}
		obs.State, obs.Reason, obs.Code = payment.Open, payment.NotAuthenticated, "requires_action"
	case sdk.PaymentIntentStatusRequiresPaymentMethod, sdk.PaymentIntentStatusRequiresConfirmation:
		obs.State = payment.Open
		if obs.Reason, obs.Code = keptRefusal(pi); obs.Reason == "" {
			obs.Reason, obs.Code = payment.Declined, string(pi.Status)
		}
	default:
		return obs, "Stripe answered with a payment in no state we know"
	}
	return obs, why
}

// keptRefusal is why a kept card was refused. Some of the bank's words say that
// it is of no more use (https://docs.stripe.com/declines/codes); those that hint
// at fraud are not told apart here either.
func keptRefusal(pi *sdk.PaymentIntent) (payment.Reason, string) {
	why, code := lastRefusal(pi)
	if pi.LastPaymentError != nil {
		switch string(pi.LastPaymentError.DeclineCode) {
		case "invalid_account", "new_account_information_available", "revocation_of_authorization", "revocation_of_all_authorizations":
			why = payment.ToolGone
		}
	}
	return why, code
}

// bankPage is where the customer's bank asks, "" if it asks by no page.
func bankPage(pi *sdk.PaymentIntent) string {
	if pi.NextAction == nil || pi.NextAction.RedirectToURL == nil {
		return ""
	}
	return pi.NextAction.RedirectToURL.URL
}

// abandonCharge is Abandon for an attempt with a kept card. One of which Stripe
// shows nothing may be on its way: it stays unknown.
func (a *Adapter) abandonCharge(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	if at.ProviderID == "" {
		id, err := a.findCharge(ctx, at)
		if err != nil {
			return payment.Observation{}, err
		}
		if id == "" {
			return a.queryCharge(ctx, at)
		}
		at.ProviderID = id
	}
	asOf := a.now().UTC()
	p := &sdk.PaymentIntentCancelParams{CancellationReason: sdk.String("abandoned")}
	for _, x := range chargeExpansions {
		p.AddExpand(x)
	}
	p.SetIdempotencyKey(at.Ref + ".x" + strconv.FormatInt(asOf.Unix(), 10)) // as with sessions
	pi, err := a.client.V1PaymentIntents.Cancel(ctx, at.ProviderID, p)
	if err != nil {
		t := judge(err)
		if t.no == nil {
			return payment.Observation{}, t.acted("abandon")
		}
		return a.queryCharge(ctx, at)
	}
	obs, why := observeCharge(at, pi, a.live, asOf)
	if why != "" {
		return payment.Observation{}, strange("abandon", payment.ErrUnknown, why)
	}
	return obs, nil
}

// takenBy is the PaymentIntent that took the money from a kept card, nil if
// none did.
func (a *Adapter) takenBy(ctx context.Context, at payment.Attempt) (*sdk.PaymentIntent, error) {
	id := at.ProviderID
	if id == "" {
		var err error
		if id, err = a.findCharge(ctx, at); err != nil || id == "" {
			return nil, err
		}
	}
	pi, err := a.client.V1PaymentIntents.Retrieve(ctx, id, nil)
	if err != nil {
		return nil, unread("query before refund", err)
	}
	if pi.Metadata["ref"] != at.Ref || pi.Livemode != a.live {
		return nil, strange("query before refund", payment.ErrNotSent, "Stripe answered with a payment of another attempt")
	}
	if pi.Status != sdk.PaymentIntentStatusSucceeded {
		return nil, nil
	}
	return pi, nil
}

// Forget implements [payment.Keeper]. A card that is no customer's any more is
// forgotten: nobody can charge it (https://docs.stripe.com/api/payment_methods/detach).
func (a *Adapter) Forget(ctx context.Context, k payment.Kept) error {
	_, err := a.client.V1PaymentMethods.Detach(ctx, string(k.Token), nil)
	if err == nil {
		return nil
	}
	t := judge(err)
	if t.no == nil {
		return t.acted("forget card")
	}
	// No, because there is nothing to forget? That is to be seen.
	pm, err := a.client.V1PaymentMethods.Retrieve(ctx, string(k.Token), nil)
	switch {
	case err == nil && (pm.Customer == nil || pm.Customer.ID == ""):
		return nil
	case err == nil:
		return t.acted("forget card")
	}
	if r := judge(err); r.no == nil || r.no.HTTPStatusCode != http.StatusNotFound {
		return unread("look for card", err)
	}
	return nil
}
