package paypal

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/payment"
)

const (
	// takenWithin is how long after an attempt was made its money is still
	// taken. PayPal gives back what was agreed to and not captured after three
	// hours by default
	// (https://developer.paypal.com/docs/checkout/apm/reference/handle-uncaptured-payments/);
	// counted from the attempt's beginning ours are over first.
	takenWithin = 3 * time.Hour

	// keyKept is how long a create may be repeated: parameter paypal_request_id
	// of Orders says six hours. Five minutes less, for clocks that differ.
	keyKept = 6*time.Hour - 5*time.Minute

	// settles is how long a request under way may take to arrive.
	settles = 5 * time.Minute
)

// Start implements [payment.Provider].
//
// Later than [takenWithin] it sends nothing, because we would not take the
// money any more; it then looks, as Query does.
func (a *Adapter) Start(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	asOf := a.now().UTC()
	if obs, bad := notInLimits(at, asOf); bad {
		return obs, nil
	}
	if at.Saved != "" {
		return a.charge(ctx, at)
	}
	if !asOf.Before(at.CreatedAt.Add(takenWithin)) {
		return a.Query(ctx, at)
	}
	o, status, t := a.create(ctx, at)
	switch {
	case t != nil && t.no != nil:
		return notMade(at, t.no.said, asOf)
	case t != nil:
		return payment.Observation{}, t.acted("start")
	}
	obs, why := a.observe(at, o, asOf)
	switch {
	case why != "":
		return payment.Observation{}, strange("start", payment.ErrUnknown, why)
	case status == http.StatusOK:
		// Not the first answer: the order may have gone on since.
		at.ProviderID = o.ID
		obs, _, err := a.look(ctx, at)
		return obs, err
	case obs.State == payment.Open:
		return payment.Observation{}, strange("start", payment.ErrUnknown, "PayPal answered without a page for the customer")
	}
	return obs, nil
}

// notMade is the answer where PayPal would not make an order.
func notMade(at payment.Attempt, s said, asOf time.Time) (payment.Observation, error) {
	if s.is("DUPLICATE_INVOICE_ID") {
		// Our reference has been paid for, by an order that we do not know.
		return payment.Observation{}, strange("start", payment.ErrUnknown, "PayPal knows this invoice under another order")
	}
	return payment.Observation{
		State: payment.Dead, Reason: whyRefused(s), Code: s.code(), Amount: at.Amount, AsOf: asOf,
	}, nil
}

// notInLimits is the answer to an attempt that PayPal is never told of.
func notInLimits(at payment.Attempt, asOf time.Time) (obs payment.Observation, bad bool) {
	if _, err := toPayPal(at.Amount); err == nil && at.Rail == payment.PayPal {
		return obs, false
	}
	return payment.Observation{
		State: payment.Dead, Reason: payment.NotAccepted, Code: "not_in_limits", Amount: at.Amount, AsOf: asOf,
	}, true
}

// create sends the order. status is 200 where it was there already.
func (a *Adapter) create(ctx context.Context, at payment.Attempt) (o order, status int, t *trouble) {
	status, t = a.ask(ctx, question{
		method: http.MethodPost, path: "/v2/checkout/orders", key: at.Ref + ".c", body: orderRequest(at),
	}, &o)
	return o, status, t
}

// newOrder is schema order_request, as far as we use it.
type newOrder struct {
	Intent string    `json:"intent"`
	Units  []newUnit `json:"purchase_units"`
	Source source    `json:"payment_source"`
}

// source is schema payment_source.
type source struct {
	PayPal wallet `json:"paypal"`
}

// wallet is schema paypal_wallet.
type wallet struct {
	VaultID    string      `json:"vault_id,omitempty"`
	Credential *credential `json:"stored_credential,omitempty"`
	Attributes *attributes `json:"attributes,omitempty"`
	Experience *experience `json:"experience_context,omitempty"`
}

type newUnit struct {
	CustomID    string `json:"custom_id"`
	InvoiceID   string `json:"invoice_id"` // many accounts refuse a second payment of the same
	Description string `json:"description,omitempty"`
	Amount      amount `json:"amount"`
}

type experience struct {
	Locale    string `json:"locale,omitempty"`
	Shipping  string `json:"shipping_preference"`
	Action    string `json:"user_action"`
	ReturnURL string `json:"return_url"`
	CancelURL string `json:"cancel_url"`
}

// orderRequest follows from the attempt alone, so that a repeated create is the
// same request. The amount has been checked.
func orderRequest(at payment.Attempt) newOrder {
	sum, _ := toPayPal(at.Amount)
	n := newOrder{Intent: "CAPTURE", Units: []newUnit{{
		CustomID: at.Ref, InvoiceID: at.Ref, Description: clip(at.Description, 127), Amount: sum,
	}}}
	w := &n.Source.PayPal
	if at.Saved != "" {
		w.VaultID, w.Credential = string(at.Saved), credentialOf(at)
	}
	if !at.Absent {
		w.Experience = experienceOf(at)
	}
	if at.Keep && at.Saved == "" {
		w.Attributes = keeping(at.Holder)
	}
	return n
}

// experienceOf is what the customer meets on PayPal's pages.
func experienceOf(at payment.Attempt) *experience {
	e := &experience{
		Locale:    pageLanguage(at.Language),
		Shipping:  "NO_SHIPPING", // lines of data have no parcel
		Action:    "PAY_NOW",     // nothing is asked after PayPal's page
		ReturnURL: at.ReturnURL, CancelURL: at.CancelURL,
	}
	if at.CancelURL == "" {
		e.CancelURL = at.ReturnURL
	}
	return e
}

// clip bounds s to n bytes, whole characters: PayPal states its limit of a
// description for ASCII and says that other characters may count as more.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "")
	end := 0
	for i, c := range s {
		if i+utf8.RuneLen(c) > n {
			return s[:end]
		}
		end = i + utf8.RuneLen(c)
	}
	return s
}

// pageLanguage is PayPal's word for a BCP 47 tag, of those in which we sell;
// anything else is left to PayPal (schema experience_context_base, locale).
func pageLanguage(tag string) string {
	base, rest, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(tag, "_", "-")), "-")
	switch base {
	case "en":
		return "en-US"
	case "ja":
		return "ja-JP"
	case "ko":
		return "ko-KR"
	case "zh":
		switch {
		case strings.Contains(rest, "hk"), strings.Contains(rest, "mo"):
			return "zh-HK"
		case strings.Contains(rest, "hant"), strings.Contains(rest, "tw"):
			return "zh-TW"
		}
		return "zh-CN"
	}
	return ""
}

// Query implements [payment.Provider].
//
// Without a ProviderID, when the answer to Start was lost, it finds the order
// by creating it again. An order that this has made is Unknown, as long as
// nobody was told of it. Once PayPal may have forgotten the key nothing is
// created any more: an order whose page nobody ever saw is dead.
func (a *Adapter) Query(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	obs, _, err := a.story(ctx, at)
	return obs, err
}

// story is Query, with the order that was read.
func (a *Adapter) story(ctx context.Context, at payment.Attempt) (payment.Observation, order, error) {
	if at.ProviderID != "" || at.MoneyID != "" {
		return a.look(ctx, at)
	}
	asOf := a.now().UTC()
	if obs, bad := notInLimits(at, asOf); bad {
		return obs, order{}, nil
	}
	if at.Saved != "" {
		// To create it again would be to charge. Its notification names it, or
		// Start, as long as the charge is wanted.
		return payment.Observation{State: payment.Unknown, Amount: at.Amount, AsOf: asOf}, order{}, nil
	}
	id, fresh, t := a.find(ctx, at)
	switch {
	case t != nil && t.no != nil && !t.no.said.is("DUPLICATE_INVOICE_ID"):
		obs, err := notMade(at, t.no.said, asOf)
		return obs, order{}, err
	case t != nil:
		return payment.Observation{}, order{}, t.unread("look for order")
	case id == "":
		return payment.Observation{
			State: payment.Dead, Reason: payment.TooLate, Code: "no_such_order", Amount: at.Amount, AsOf: asOf,
		}, order{}, nil
	case fresh:
		return payment.Observation{State: payment.Unknown, ProviderID: id, Amount: at.Amount, AsOf: asOf}, order{}, nil
	}
	at.ProviderID = id
	return a.look(ctx, at)
}

// find returns the order that was made for at, or makes it; "" once that could
// make a second one.
func (a *Adapter) find(ctx context.Context, at payment.Attempt) (id string, fresh bool, t *trouble) {
	asOf := a.now().UTC()
	if !asOf.Before(at.CreatedAt.Add(keyKept)) {
		return "", false, nil
	}
	o, status, t := a.create(ctx, at)
	if t != nil {
		return "", false, t
	}
	if _, why := a.observe(at, o, asOf); why != "" {
		return "", false, &trouble{kind: payment.ErrUnknown, cause: fault.New(fault.Internal, "%s", why)}
	}
	return o.ID, status != http.StatusOK, nil
}

// look reads the order of an attempt whose ProviderID or MoneyID is known.
func (a *Adapter) look(ctx context.Context, at payment.Attempt) (payment.Observation, order, error) {
	asOf := a.now().UTC()
	o, t := a.read(ctx, at)
	if t != nil && t.no != nil && t.no.status == http.StatusNotFound && at.MoneyID == "" && closed(at, asOf) {
		return payment.Observation{
			State: payment.Dead, ProviderID: at.ProviderID, Reason: payment.TooLate, Code: t.no.said.code(), Amount: at.Amount, AsOf: asOf,
		}, o, nil
	}
	if t != nil {
		return payment.Observation{}, o, t.unread("query")
	}
	obs, why := a.observe(at, o, asOf)
	if why != "" {
		return payment.Observation{}, o, strange("query", payment.ErrNotSent, why)
	}
	if obs.State == payment.Paid && a.config.Disputes {
		if err := a.addDisputes(ctx, &obs, unnamed(o.Units[0], obs.Refunded)); err != nil {
			return payment.Observation{}, o, err
		}
	}
	return obs, o, nil
}

// Abandon implements [payment.Provider]. No call closes an order, so it says
// what it sees.
func (a *Adapter) Abandon(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	return a.Query(ctx, at)
}

// closed reports whether nothing of ours can take the attempt's money any more.
func closed(at payment.Attempt, asOf time.Time) bool {
	return asOf.After(at.CreatedAt.Add(takenWithin + settles))
}
