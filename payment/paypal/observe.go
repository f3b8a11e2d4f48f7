package paypal

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

// order is schema order, as far as money depends on it.
type order struct {
	ID     string `json:"id"`
	Intent string `json:"intent"`
	Status string `json:"status"`
	Units  []unit `json:"purchase_units"`
	Links  []link `json:"links"`

	UpdateTime string `json:"update_time"`

	Source struct {
		PayPal payer `json:"paypal"`
	} `json:"payment_source"`

	alone bool // made up from a capture: it shows no refunds
}

type unit struct {
	CustomID  string  `json:"custom_id"`
	InvoiceID string  `json:"invoice_id"`
	Amount    *amount `json:"amount"`
	Payee     payee   `json:"payee"`
	Payments  struct {
		Captures []capture `json:"captures"`
		Refunds  []refund  `json:"refunds"`
	} `json:"payments"`
}

type payee struct {
	MerchantID string `json:"merchant_id"`
}

// capture is schema capture of Orders and capture-2 of Payments.
type capture struct {
	ID        string  `json:"id"`
	Status    string  `json:"status"`
	Details   details `json:"status_details"`
	CustomID  string  `json:"custom_id"`
	InvoiceID string  `json:"invoice_id"`
	Amount    *amount `json:"amount"`
	Breakdown struct {
		Fee *amount `json:"paypal_fee"`
	} `json:"seller_receivable_breakdown"`
	Payee         payee         `json:"payee"`
	Supplementary supplementary `json:"supplementary_data"`
}

type details struct {
	Reason string `json:"reason"`
}

type supplementary struct {
	Related struct {
		OrderID   string `json:"order_id"`
		CaptureID string `json:"capture_id"`
	} `json:"related_ids"`
}

type link struct {
	Rel  string `json:"rel"`
	Href string `json:"href"`
}

// read asks for the order of an attempt whose ProviderID or MoneyID is known.
// Should PayPal keep the capture longer than the order, the capture tells the
// story alone.
func (a *Adapter) read(ctx context.Context, at payment.Attempt) (o order, t *trouble) {
	if at.ProviderID != "" {
		_, t = a.ask(ctx, question{method: http.MethodGet, path: "/v2/checkout/orders/" + url.PathEscape(at.ProviderID)}, &o)
		if t == nil || t.no == nil || t.no.status != http.StatusNotFound || at.MoneyID == "" {
			return o, t
		}
	}
	var c capture
	if _, t := a.ask(ctx, question{method: http.MethodGet, path: "/v2/payments/captures/" + url.PathEscape(at.MoneyID)}, &c); t != nil {
		return o, t
	}
	u := unit{CustomID: c.CustomID, InvoiceID: c.InvoiceID, Amount: c.Amount, Payee: c.Payee}
	u.Payments.Captures = []capture{c}
	o = order{ID: c.Supplementary.Related.OrderID, Status: "COMPLETED", Units: []unit{u}, alone: true}
	if o.ID == "" {
		o.ID = at.ProviderID
	}
	return o, nil
}

// observe reads an order. why is not empty if the answer is not about at or
// makes no sense, and then says so.
func (a *Adapter) observe(at payment.Attempt, o order, asOf time.Time) (obs payment.Observation, why string) {
	if why := a.foreign(at, o); why != "" {
		return obs, why
	}
	u := o.Units[0]
	obs = payment.Observation{ProviderID: o.ID, AsOf: asOf}
	sum, why := settle(u)
	switch {
	case why != "":
		return obs, why
	case sum.taken.Minor > 0:
		obs.State, obs.MoneyID, obs.Amount = payment.Paid, sum.id, sum.taken
		obs.Refunded, obs.Disputed, obs.Fee = sum.refunded, sum.withheld, sum.fee
		if at.Keep {
			obs.Kept = o.Source.PayPal.kept()
		}
		return obs, ""
	case u.Amount == nil:
		return obs, "PayPal answered without an amount"
	}
	var err error
	if obs.Amount, err = fromPayPal(*u.Amount); err != nil {
		return obs, "PayPal answered with an amount we cannot read"
	}
	if sum.pending {
		obs.State, obs.MoneyID, obs.Code = payment.Pending, sum.id, sum.code
		return obs, ""
	}
	obs.Reason, obs.Code = sum.reason, sum.code
	switch obs.State = untaken(o, sum); obs.State {
	case payment.Unknown:
		return obs, "PayPal answered with an order in no state we know"
	case payment.NeedsCustomer, payment.Approved, payment.Open:
		if closed(at, asOf) && at.MoneyID == "" {
			obs.State, obs.Reason, obs.Code = payment.Dead, payment.TooLate, "not_captured/"+o.Status
			return obs, ""
		}
		if obs.State == payment.NeedsCustomer {
			obs.Next.RedirectURL = pageOf(o.Links)
			if obs.Next.RedirectURL == "" {
				obs.State = payment.Open // until PayPal shows where it goes on
			}
		}
	case payment.Dead:
		if obs.Reason == "" {
			obs.Reason, obs.Code = payment.TooLate, o.Status
		}
	case payment.Created, payment.Pending, payment.Paid:
	}
	return obs, ""
}

// foreign says why an order is not the attempt's.
func (a *Adapter) foreign(at payment.Attempt, o order) (why string) {
	switch {
	case word(o.ID) == "":
		return "PayPal answered without an order"
	case at.ProviderID != "" && o.ID != at.ProviderID:
		return "PayPal answered with another order"
	case o.Intent != "" && o.Intent != "CAPTURE":
		return "PayPal answered with an order of another intent"
	case len(o.Units) != 1:
		return "PayPal answered without the one purchase of an order"
	}
	u := o.Units[0]
	ours := u.CustomID == at.Ref
	for _, c := range u.Payments.Captures {
		if u.CustomID == "" && c.CustomID == at.Ref {
			ours = true // an answer to a capture may leave the rest out
		}
		if c.CustomID != "" && c.CustomID != at.Ref || c.InvoiceID != "" && c.InvoiceID != at.Ref {
			return "PayPal answered with a capture of another attempt"
		}
	}
	switch {
	case !ours, u.InvoiceID != "" && u.InvoiceID != at.Ref:
		return "PayPal answered with an order of another attempt"
	case a.config.MerchantID != "" && u.Payee.MerchantID != "" && u.Payee.MerchantID != a.config.MerchantID:
		return "PayPal answered with an order for another merchant"
	}
	return ""
}

// untaken is the state of an order of which no money is or will be taken by a
// capture that exists.
func untaken(o order, sum settlement) payment.State {
	switch o.Status {
	case "CREATED", "PAYER_ACTION_REQUIRED":
		return payment.NeedsCustomer
	case "SAVED":
		return payment.Open
	case "APPROVED":
		return payment.Approved
	case "VOIDED":
		return payment.Dead
	case "COMPLETED":
		if sum.reason != "" {
			return payment.Dead // its one capture was refused
		}
		return payment.Pending // a moment too early: it shows no capture yet
	}
	return payment.Unknown
}

// pageOf is the page where the customer agrees, "" if there is none.
func pageOf(links []link) string {
	for _, rel := range []string{"payer-action", "approve", "redirect"} {
		for _, l := range links {
			if u, err := url.Parse(l.Href); l.Rel == rel && err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
				return l.Href
			}
		}
	}
	return ""
}
