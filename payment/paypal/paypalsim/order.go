package paypalsim

import (
	"net/http"
	"time"
)

// The states of an order.
const (
	needsPayer = "PAYER_ACTION_REQUIRED"
	approved   = "APPROVED"
	voided     = "VOIDED"
	done       = "COMPLETED"
	lapsed     = "" // forgotten: PayPal shows nothing any more
)

const payerAddress = "payer@example.com"

// patience is how long an order waits to be opened, from there to be approved,
// and from there to be captured.
const patience = 3 * time.Hour

// order is one order of one purchase unit.
type order struct {
	id       string
	state    string
	units    int64 // of PayPal's smallest unit
	currency string
	request  obj

	createdAt, updatedAt time.Time
	until                time.Time // its patience ends
	opened               bool      // the payer saw the page

	payer    string // PayerID, from the first approval on
	tool     Tool   // what the payer chose
	token    *token // what pays, if it was saved; or what this order saved
	saving   string // how far saving the wallet has come, "" if it is not to be
	declined bool   // the last tool was refused at capture
	capture  *capture
}

func (o *order) unit(field string) string { return text(o.request, "purchase_units", field) }
func (o *order) wish(field string) string {
	return text(o.request, sourceOf("experience_context", field)...)
}
func (o *order) waits() bool        { return o.state == needsPayer || o.state == approved }
func (o *order) path() string       { return "/v2/checkout/orders/" + o.id }
func (o *order) invoice() string    { return o.unit("invoice_id") }
func (s *Sim) page(o *order) string { return s.cfg.PageBase + pagePath + "?token=" + o.id }
func sourceOf(fields ...string) (path []string) {
	return append([]string{"payment_source", "paypal"}, fields...)
}

// ref is the merchant's own reference.
func (o *order) ref() string {
	if custom := o.unit("custom_id"); custom != "" {
		return custom
	}
	return o.invoice()
}

func (s *Sim) createOrder(q request) (answer, func(bool) answer) {
	value, currency := text(q.fields, "purchase_units", "amount", "value"), text(q.fields, "purchase_units", "amount", "currency_code")
	units, issue := readAmount(value, currency)
	payee := text(q.fields, "purchase_units", "payee", "merchant_id")
	invoice := text(q.fields, "purchase_units", "invoice_id")
	no := s.unfitSource(q.fields)
	switch {
	case q.key == "":
		return s.refuse(bad("PAYPAL_REQUEST_ID_REQUIRED", "PayPal-Request-Id", "")), nil
	case no != nil:
		return s.refuse(no), nil
	case issue != "":
		return s.refuse(unfit(issue, "/purchase_units/0/amount", value+" "+currency)), nil
	case payee != "" && payee != s.cfg.MerchantID:
		return s.refuse(unfit("PAYEE_ACCOUNT_INVALID", "/purchase_units/0/payee", payee)), nil
	case invoice != "" && s.invoices[invoice] != nil:
		return s.refuse(unfit("DUPLICATE_INVOICE_ID", "/purchase_units/0/invoice_id", invoice)), nil
	}
	o := &order{
		id: s.newID(idLetters, 17), state: needsPayer, units: units, currency: currency, request: q.fields,
		createdAt: s.now, until: s.now.Add(patience), token: s.tokenOf[text(q.fields, sourceOf("vault_id")...)],
	}
	if o.token != nil {
		if no := s.askToken(o); no != nil {
			if no.issue != instrumentDeclined {
				return s.refuse(no), nil
			}
			return s.refuse(no), func(bool) answer { return s.refuse(no) }
		}
	}
	s.addOrder(o)
	again := func(full bool) answer {
		if o.state == lapsed {
			return s.refuse(missing())
		}
		return s.shown(http.StatusOK, o, full)
	}
	return s.shown(http.StatusCreated, o, q.full), again
}

// addOrder gives a new order its place, and pays it where a saved wallet may.
func (s *Sim) addOrder(o *order) {
	s.orders[o.id] = o
	s.waiting = append(s.waiting, o)
	s.byRef[o.ref()] = append(s.byRef[o.ref()], o)
	if i := o.invoice(); i != "" && i != o.ref() {
		s.byRef[i] = append(s.byRef[i], o)
	}
	s.changed(o)
	if o.token != nil && o.state == approved && !s.cfg.VaultedWaits {
		s.take(o)
	}
}

// lapse is the end of an order's patience.
func (s *Sim) lapse(o *order) {
	if o.state == needsPayer {
		o.state = lapsed
		s.show(o.path(), nil)
		return
	}
	o.state = voided
	s.changed(o)
	s.tell("CHECKOUT.PAYMENT-APPROVAL.REVERSED", "", "", "A payment has been reversed after approval.", obj{
		"order_id":       o.id,
		"purchase_units": []obj{o.names()},
		"payment_source": obj{"paypal": obj{}},
	})
}

// changed lets GET show the order, and what belongs to it, as they are now.
func (s *Sim) changed(o *order) {
	o.updatedAt = s.now
	s.show(o.path(), s.orderView(o))
	if c := o.capture; c != nil {
		s.show(c.path(), s.captureView(c))
		for _, r := range c.refunds {
			s.show(r.path(), s.refundView(r))
		}
		if c.dispute != nil {
			s.show(disputesPath+"?"+c.id, disputeList(c.dispute))
			s.show(c.dispute.path(), c.dispute.view(true))
		}
	}
}

// shown answers with the order: all of it, or the least.
func (s *Sim) shown(status int, o *order, full bool) answer {
	v := s.orderView(o)
	if !full {
		v = obj{"id": o.id, "status": o.state, "links": v["links"]}
	}
	return say(status, v)
}

// names are the merchant's own names for a purchase unit.
func (o *order) names() obj {
	u := obj{"reference_id": "default"}
	for _, field := range []string{"reference_id", "custom_id", "invoice_id"} {
		if t := o.unit(field); t != "" {
			u[field] = t
		}
	}
	return u
}

func (s *Sim) orderView(o *order) obj {
	u := o.names()
	u["amount"] = amountOf(o.units, o.currency)
	u["payee"] = obj{"merchant_id": s.cfg.MerchantID}
	for _, field := range []string{"description", "soft_descriptor"} {
		if t := o.unit(field); t != "" {
			u[field] = t
		}
	}
	if c := o.capture; c != nil {
		inside := s.captureView(c)
		delete(inside, "payee") // said by the purchase unit
		delete(inside, "supplementary_data")
		payments := obj{"captures": []obj{inside}}
		var refunds []obj
		for _, r := range c.refunds {
			refunds = append(refunds, s.refundView(r))
		}
		if len(refunds) > 0 {
			payments["refunds"] = refunds
		}
		u["payments"] = payments
	}
	links := []obj{self(o.path(), "self")}
	switch o.state {
	case needsPayer:
		links = append(links, link(s.page(o), "payer-action", http.MethodGet))
	case approved:
		links = append(links, link(apiBase+o.path()+"/capture", "capture", http.MethodPost))
	}
	v := obj{
		"id": o.id, "intent": "CAPTURE", "status": o.state, "purchase_units": []obj{u}, "links": links,
		"create_time": stamp(o.createdAt), "update_time": stamp(o.updatedAt), "payment_source": obj{"paypal": obj{}},
	}
	if o.payer != "" {
		v["payer"] = obj{"payer_id": o.payer, "email_address": payerAddress}
		wallet := obj{"account_id": o.payer, "account_status": "VERIFIED", "email_address": payerAddress}
		if o.saving != "" {
			wallet["attributes"] = obj{"vault": o.vaultView()}
		}
		v["payment_source"] = obj{"paypal": wallet}
	}
	return v
}
