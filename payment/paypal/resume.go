package paypal

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

// Resume implements [payment.Provider]. It looks, and takes the money of an
// order that the customer agreed to. What the browser brings along proves
// nothing.
func (a *Adapter) Resume(ctx context.Context, at payment.Attempt, _ url.Values) (payment.Observation, error) {
	obs, o, err := a.story(ctx, at)
	if err != nil || obs.State != payment.Approved || !a.now().Before(at.CreatedAt.Add(takenWithin)) {
		return obs, err
	}
	if obs.Amount != at.Amount {
		return payment.Observation{}, strange("capture", payment.ErrNotSent, "PayPal's order is for another amount")
	}
	at.ProviderID = o.ID
	return a.capture(ctx, at, captureKey(at, o))
}

// captureKey is one for each time the customer agreed. PayPal may repeat the
// refusal of a tool under its key, and the customer may have agreed again with
// another since. Whatever the key, PayPal captures an order once
// (ORDER_ALREADY_CAPTURED).
func captureKey(at payment.Attempt, o order) string {
	when := strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, o.UpdateTime)
	if when == "" || len(when) > 32 {
		return at.Ref + ".f"
	}
	return at.Ref + ".f." + when
}

// capture takes the money, once. Whatever PayPal answers that is not the
// capture itself is compared with the order as it then stands.
func (a *Adapter) capture(ctx context.Context, at payment.Attempt, key string) (payment.Observation, error) {
	asOf := a.now().UTC()
	var got order
	_, t := a.ask(ctx, question{
		method: http.MethodPost, path: "/v2/checkout/orders/" + url.PathEscape(at.ProviderID) + "/capture", key: key, body: struct{}{},
	}, &got)
	if t == nil {
		if obs, why := a.observe(at, got, asOf); why == "" && decided(obs) {
			return obs, nil
		}
	}
	obs, now, err := a.look(ctx, at)
	switch {
	case err == nil && decided(obs):
		return obs, nil
	case t == nil:
		return payment.Observation{}, strange("capture", payment.ErrUnknown, "PayPal answered without the capture")
	case t.no == nil:
		return payment.Observation{}, t.acted("capture")
	case takenElsewhere(t.no.said):
		return payment.Observation{}, strange("capture", payment.ErrUnknown, "PayPal says that it is captured already and does not show it")
	}
	return refused(at, append(now.Links, t.no.said.links...), t.no.said, asOf), nil
}

// decided reports whether an order has gone on from the customer's agreement.
func decided(obs payment.Observation) bool {
	return obs.State == payment.Paid || obs.State == payment.Pending || obs.State == payment.Dead
}

// refused is an order whose money PayPal would not give. The customer may agree
// again, with another tool, where PayPal shows a page for it.
func refused(at payment.Attempt, links []link, s said, asOf time.Time) payment.Observation {
	obs := payment.Observation{
		State: payment.Open, ProviderID: at.ProviderID, Amount: at.Amount,
		Reason: whyRefused(s), Code: s.code(), AsOf: asOf,
	}
	if page := pageOf(links); page != "" {
		obs.State, obs.Next.RedirectURL = payment.NeedsCustomer, page
	}
	return obs
}
