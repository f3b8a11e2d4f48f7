package stripesim

import (
	"maps"
	"time"
)

// tool is one of Stripe's test payment methods, or a rail other than cards. See
// https://docs.stripe.com/testing.
type tool struct {
	kind          string // card, alipay …
	brand, last4  string
	authenticates bool   // the customer must do one more step: 3-D Secure, or the rail's own page
	later         bool   // the money comes after the session: konbini
	code, decline string // of the refusal, "" if it is charged
	says          string // the sentence of the refusal
}

var tools = map[string]tool{
	"pm_card_visa":                            {kind: "card", brand: "visa", last4: "4242"},
	"pm_card_mastercard":                      {kind: "card", brand: "mastercard", last4: "4444"},
	"pm_card_jcb":                             {kind: "card", brand: "jcb", last4: "0505"},
	"pm_card_authenticationRequired":          {kind: "card", brand: "visa", last4: "3184", authenticates: true},
	"pm_card_chargeDeclined":                  {kind: "card", brand: "visa", last4: "0002", code: "card_declined", decline: "generic_decline", says: "Your card was declined."},
	"pm_card_chargeDeclinedInsufficientFunds": {kind: "card", brand: "visa", last4: "9995", code: "card_declined", decline: "insufficient_funds", says: "Your card has insufficient funds."},
	"pm_card_chargeDeclinedExpiredCard":       {kind: "card", brand: "visa", last4: "0069", code: "expired_card", decline: "expired_card", says: "Your card has expired."},
	"pm_card_chargeDeclinedIncorrectCvc":      {kind: "card", brand: "visa", last4: "0127", code: "incorrect_cvc", decline: "incorrect_cvc", says: "Your card's security code is incorrect."},
	"pm_card_chargeDeclinedProcessingError":   {kind: "card", brand: "visa", last4: "0119", code: "processing_error", decline: "processing_error", says: "An error occurred while processing your card. Try again in a little bit."},
	"alipay":                                  {kind: "alipay", authenticates: true},
	"wechat_pay":                              {kind: "wechat_pay", authenticates: true},
	"paypay":                                  {kind: "paypay", authenticates: true},
	"paypal":                                  {kind: "paypal", authenticates: true},
	"konbini":                                 {kind: "konbini", later: true},
}

// method is a payment method that was entered once. It may be used again if a
// customer keeps it.
type method struct {
	id        string
	tool      tool
	customer  *customer
	used      bool
	createdAt time.Time
}

// enterTool makes a method of a test tool, as the customer does by typing a card.
func (s *Sim) enterTool(name string) *method {
	t, ok := tools[name]
	if !ok {
		return nil
	}
	m := &method{id: s.newID("pm_1", 23), tool: t, createdAt: s.now}
	s.methods = append(s.methods, m)
	s.methodOf[m.id] = m
	return m
}

// method finds a saved method, or makes one of a test tool's name.
func (s *Sim) method(id string) *method {
	if m := s.methodOf[id]; m != nil {
		return m
	}
	return s.enterTool(id)
}

type customer struct {
	id, email, name string
	metadata        map[string]string
	createdAt       time.Time
}

func (s *Sim) newCustomer(email, name string, metadata map[string]string) *customer {
	c := &customer{id: s.newID("cus_", 14), email: email, name: name, metadata: metadata, createdAt: s.now}
	s.customers[c.id] = c
	s.emit("customer.created", c.json())
	return c
}

func (s *Sim) createCustomer(f *form, _ string) step {
	email, name, metadata := f.text("email", 512), f.text("name", 256), f.metadata("metadata")
	f.ignore("description", "phone", "address", "shipping", "preferred_locales")
	return func() (obj, *apiError) { return s.newCustomer(email, name, metadata).json(), nil }
}

func (s *Sim) getCustomer(_ *form, id string) step {
	return func() (obj, *apiError) {
		if c := s.customers[id]; c != nil {
			return c.json(), nil
		}
		return nil, missing("customer", id, "")
	}
}

func (s *Sim) getMethod(_ *form, id string) step {
	return func() (obj, *apiError) {
		if m := s.methodOf[id]; m != nil {
			return m.json(), nil
		}
		return nil, missing("PaymentMethod", id, "")
	}
}

func (s *Sim) attachMethod(f *form, id string) step {
	customerID := f.need("customer")
	return func() (obj, *apiError) {
		m, c := s.method(id), s.customers[customerID]
		switch {
		case c == nil:
			return nil, missing("customer", customerID, "customer")
		case m == nil:
			return nil, missing("PaymentMethod", id, "")
		case m.customer != nil && m.customer != c:
			return nil, wrong("", "", "The payment method you provided has already been attached to a customer.")
		case m.tool.code != "":
			return nil, m.refusal()
		}
		m.customer = c
		s.emit("payment_method.attached", m.json())
		return m.json(), nil
	}
}

func (s *Sim) detachMethod(_ *form, id string) step {
	return func() (obj, *apiError) {
		m := s.methodOf[id]
		switch {
		case m == nil:
			return nil, missing("PaymentMethod", id, "")
		case m.customer == nil:
			return nil, wrong("", "", "The payment method you provided is not attached to a customer so detachment is impossible.")
		}
		m.customer = nil
		s.emit("payment_method.detached", m.json())
		return m.json(), nil
	}
}

func (s *Sim) listMethods(f *form, _ string) step {
	return s.listMethodsOf(f, f.need("customer"))
}

func (s *Sim) listMethodsOf(f *form, customerID string) step {
	kind, l := f.word("type", methodTypes...), f.listing()
	return func() (obj, *apiError) {
		if s.customers[customerID] == nil {
			return nil, missing("customer", customerID, "customer")
		}
		var all []entry
		for _, m := range s.methods {
			if m.customer != nil && m.customer.id == customerID && (kind == "" || kind == m.tool.kind) {
				all = append(all, entry{m.id, m.createdAt, m.json})
			}
		}
		return l.show("/v1/payment_methods", all)
	}
}

// refusal is the bank's no to this method.
func (m *method) refusal() *apiError {
	return &apiError{status: 402, kind: cardError, code: m.tool.code, decline: m.tool.decline, message: m.tool.says, method: m}
}

func (c *customer) link() link {
	if c == nil {
		return link{}
	}
	return link{id: c.id, open: c.json}
}

func (c *customer) json() obj {
	return obj{
		"id": c.id, "object": "customer", "email": orNull(c.email), "name": orNull(c.name),
		"metadata": maps.Clone(c.metadata), "created": c.createdAt.Unix(), "livemode": false,
	}
}

func (m *method) link() link {
	if m == nil {
		return link{}
	}
	return link{id: m.id, open: m.json}
}

func (m *method) json() obj {
	return obj{
		"id": m.id, "object": "payment_method", "type": m.tool.kind, m.tool.kind: m.tool.details(),
		"customer": m.customer.link(), "billing_details": obj{"email": nil, "name": nil, "phone": nil, "address": nil},
		"created": m.createdAt.Unix(), "livemode": false, "metadata": obj{},
	}
}

func (t tool) details() obj {
	if t.kind != "card" {
		return obj{}
	}
	return obj{
		"brand": t.brand, "last4": t.last4, "exp_month": 12, "exp_year": 2034,
		"country": "US", "funding": "credit", "fingerprint": "sim" + t.last4,
	}
}
