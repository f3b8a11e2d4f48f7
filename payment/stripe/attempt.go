package stripe

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v85"

	"github.com/tsuzuku/tsuzuku/payment"
)

const (
	// shortest is how long a session lives at least, from the attempt's
	// creation. Stripe wants 30 minutes from its own; the other half hour lets
	// a Start that had to wait be repeated with the same parameters.
	shortest = time.Hour

	// longest is how long a session lives at most, and how long a Start may be
	// repeated: Stripe allows 24 hours, and keeps an idempotency key as long.
	// Five minutes less, for clocks that differ.
	longest = 24*time.Hour - 5*time.Minute

	// maxListed bounds a search through the sessions of one attempt's time.
	maxListed = 10_000
)

// Start implements [payment.Provider].
//
// Repeated after [longest] it sends nothing, because Stripe may have forgotten
// the key; it then looks, as Query does without a ProviderID.
func (a *Adapter) Start(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	asOf := a.now().UTC()
	amount, currency, err := toStripe(at.Amount)
	m, ours := methodOf(at.Rail)
	if err != nil || !ours || !slices.Contains(m.currencies, at.Amount.Currency) {
		return payment.Observation{
			State: payment.Dead, Reason: payment.NotAccepted, Code: "not_in_limits", Amount: at.Amount, AsOf: asOf,
		}, nil
	}
	if withKept(at) {
		return a.charge(ctx, at, amount, currency)
	}
	if !asOf.Before(at.CreatedAt.Add(longest)) {
		return a.Query(ctx, at)
	}
	s, err := a.client.V1CheckoutSessions.Create(ctx, sessionParams(at, m, amount, currency))
	if err != nil {
		t := judge(err)
		if t.no == nil {
			return payment.Observation{}, t.acted("start")
		}
		return payment.Observation{
			State: payment.Dead, Reason: refusedStart(t.no), Code: codeOf(t.no.Code, t.no.DeclineCode, t.no.Param),
			Amount: at.Amount, AsOf: asOf,
		}, nil
	}
	if s.LastResponse != nil && s.LastResponse.Header.Get("Idempotent-Replayed") == "true" {
		// The answer is the first one, word for word. The session may have
		// gone on since.
		return a.retrieve(ctx, at, s.ID)
	}
	obs, why := observe(at, s, a.live, asOf)
	if why != "" {
		return payment.Observation{}, strange("start", payment.ErrUnknown, why)
	}
	return obs, nil
}

// sessionParams follow from the attempt alone, so that a repeated Start is the
// same request byte for byte, on whatever day and machine.
func sessionParams(at payment.Attempt, m method, amount int64, currency string) *sdk.CheckoutSessionCreateParams {
	name := clip(at.Description, 250)
	if name == "" {
		name = at.Ref
	}
	p := &sdk.CheckoutSessionCreateParams{
		Mode:               sdk.String("payment"),
		PaymentMethodTypes: []*string{sdk.String(m.kind)},
		ClientReferenceID:  sdk.String(at.Ref),
		LineItems: []*sdk.CheckoutSessionCreateLineItemParams{{
			Quantity: sdk.Int64(1),
			PriceData: &sdk.CheckoutSessionCreateLineItemPriceDataParams{
				Currency:    sdk.String(currency),
				UnitAmount:  sdk.Int64(amount),
				ProductData: &sdk.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: sdk.String(name)},
			},
		}},
		// The customer is charged the confirmed amount in the confirmed
		// currency, whatever the account's settings say.
		AdaptivePricing:   &sdk.CheckoutSessionCreateAdaptivePricingParams{Enabled: sdk.Bool(false)},
		SuccessURL:        sdk.String(at.ReturnURL),
		Locale:            sdk.String(pageLanguage(at.Language)),
		ExpiresAt:         sdk.Int64(sessionEnd(at, m).Unix()),
		Metadata:          metadata(at),
		PaymentIntentData: &sdk.CheckoutSessionCreatePaymentIntentDataParams{Metadata: metadata(at)},
	}
	if at.CancelURL != "" {
		p.CancelURL = sdk.String(at.CancelURL)
	}
	p.PaymentMethodOptions = m.options()
	if at.Keep && at.Rail == payment.Card {
		keep(p, at.Holder)
	}
	p.SetIdempotencyKey(at.Ref + ".c")
	return p
}

// sessionEnd is when the customer must have done their part; what takes its time
// after that must still come in time.
func sessionEnd(at payment.Attempt, m method) time.Time {
	end := at.ExpiresAt.Add(-m.slow)
	if earliest := at.CreatedAt.Add(shortest); end.Before(earliest) {
		end = earliest
	}
	if latest := at.CreatedAt.Add(longest); end.After(latest) {
		end = latest
	}
	return end
}

// metadata is what the seller sees at Stripe. Stripe takes 50 names of up to 40
// characters without brackets, and 500 characters each
// (https://docs.stripe.com/metadata); what does not fit is left out.
func metadata(at payment.Attempt) map[string]string {
	m := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(at.Tags)) {
		if k != "" && len(k) <= 40 && !strings.ContainsAny(k, "[]") && at.Tags[k] != "" && len(m) < 49 {
			m[k] = clip(at.Tags[k], 500)
		}
	}
	m["ref"] = at.Ref
	return m
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// pageLanguage is Stripe's word for a BCP 47 tag, of those in which we sell;
// anything else is left to the customer's browser
// (https://docs.stripe.com/api/checkout/sessions/create, locale).
func pageLanguage(tag string) string {
	base, rest, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(tag, "_", "-")), "-")
	switch base {
	case "en", "ja", "ko":
		return base
	case "zh":
		switch {
		case strings.Contains(rest, "hk"), strings.Contains(rest, "mo"):
			return "zh-HK"
		case strings.Contains(rest, "hant"), strings.Contains(rest, "tw"):
			return "zh-TW"
		}
		return "zh"
	}
	return "auto"
}

// Resume implements [payment.Provider]. Stripe captures by itself, and what the
// browser brings along proves nothing.
func (a *Adapter) Resume(ctx context.Context, at payment.Attempt, _ url.Values) (payment.Observation, error) {
	return a.Query(ctx, at)
}

// Query implements [payment.Provider].
//
// Without a ProviderID, when the answer to Start was lost, it looks through the
// sessions made since the attempt was stored. Finding none means Unknown as
// long as a Start that is still under way could make one, and Dead afterwards:
// Stripe refuses to make a session whose end, fixed by the attempt, is past.
func (a *Adapter) Query(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	if withKept(at) {
		return a.queryCharge(ctx, at)
	}
	if at.ProviderID != "" {
		return a.retrieve(ctx, at, at.ProviderID)
	}
	asOf := a.now().UTC()
	id, err := a.find(ctx, at)
	if err != nil {
		return payment.Observation{}, err
	}
	if id != "" {
		return a.retrieve(ctx, at, id)
	}
	obs := payment.Observation{State: payment.Unknown, Amount: at.Amount, AsOf: asOf}
	if asOf.After(at.CreatedAt.Add(longest + a.Limits().SettlesWithin)) {
		obs.State, obs.Reason, obs.Code = payment.Dead, payment.TooLate, "no_such_session"
	}
	return obs, nil
}

func (a *Adapter) retrieve(ctx context.Context, at payment.Attempt, id string) (payment.Observation, error) {
	asOf := a.now().UTC()
	p := &sdk.CheckoutSessionRetrieveParams{}
	for _, x := range expansions {
		p.AddExpand(x)
	}
	s, err := a.client.V1CheckoutSessions.Retrieve(ctx, id, p)
	if err != nil {
		return payment.Observation{}, unread("query", err)
	}
	obs, why := observe(at, s, a.live, asOf)
	if why != "" {
		return payment.Observation{}, strange("query", payment.ErrNotSent, why)
	}
	return a.withDisputes(ctx, obs, s.PaymentIntent)
}

// withDisputes adds what banks hold back of the money that pi took.
func (a *Adapter) withDisputes(ctx context.Context, obs payment.Observation, pi *sdk.PaymentIntent) (payment.Observation, error) {
	if pi == nil || pi.LatestCharge == nil || !pi.LatestCharge.Disputed {
		return obs, nil
	}
	var err error
	if obs.Disputed, obs.Disputes, err = a.disputed(ctx, pi.ID); err != nil {
		return payment.Observation{}, err
	}
	return obs, nil
}

// find returns the identifier of the session that was made for at, or "". It was
// made between the attempt and the end that the attempt gives it.
func (a *Adapter) find(ctx context.Context, at payment.Attempt) (string, error) {
	const differ = 5 * time.Minute // of clocks
	m, _ := methodOf(at.Rail)
	p := &sdk.CheckoutSessionListParams{CreatedRange: &sdk.RangeQueryParams{
		GreaterThanOrEqual: at.CreatedAt.Add(-differ).Unix(),
		LesserThanOrEqual:  sessionEnd(at, m).Add(differ).Unix(),
	}}
	p.Limit = sdk.Int64(100)
	n := 0
	for s, err := range a.client.V1CheckoutSessions.List(ctx, p).All(ctx) {
		if err != nil {
			return "", unread("look for session", err)
		}
		if s.ClientReferenceID == at.Ref {
			return s.ID, nil
		}
		if n++; n == maxListed {
			return "", strange("look for session", payment.ErrNotSent, "there are too many sessions to look through")
		}
	}
	return "", nil
}

// Abandon implements [payment.Provider]. It expires the session; where Stripe
// says that there is nothing to expire it reports how the session ended.
//
// An attempt whose Start was lost, and whose session is not found either, is
// started first, under its key: only then nothing that is still under way can
// open a session after we called it dead.
func (a *Adapter) Abandon(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	if withKept(at) {
		return a.abandonCharge(ctx, at)
	}
	if at.ProviderID == "" {
		id, err := a.find(ctx, at)
		if err != nil {
			return payment.Observation{}, err
		}
		at.ProviderID = id
	}
	if at.ProviderID == "" {
		obs, err := a.Start(ctx, at)
		if err != nil || obs.State.Final() || obs.ProviderID == "" {
			return obs, err
		}
		at.ProviderID = obs.ProviderID
	}
	asOf := a.now().UTC()
	p := &sdk.CheckoutSessionExpireParams{}
	for _, x := range expansions {
		p.AddExpand(x)
	}
	// Expiring twice does no harm, and a fixed key would repeat a stored
	// failure for a day; the SDK's own keys are random.
	p.SetIdempotencyKey(at.Ref + ".x" + strconv.FormatInt(asOf.Unix(), 10))
	s, err := a.client.V1CheckoutSessions.Expire(ctx, at.ProviderID, p)
	if err != nil {
		t := judge(err)
		if t.no == nil {
			return payment.Observation{}, t.acted("abandon")
		}
		return a.Query(ctx, at)
	}
	obs, why := observe(at, s, a.live, asOf)
	if why != "" {
		return payment.Observation{}, strange("abandon", payment.ErrUnknown, why)
	}
	return obs, nil
}
