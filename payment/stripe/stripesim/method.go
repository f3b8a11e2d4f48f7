package stripesim

import (
	"slices"
	"time"
)

// method is a payment method that was entered once. It may be used again if a
// customer keeps it.
type method struct {
	id                string
	tool              tool
	expMonth, expYear int // of a card: good until that month ends
	customer          *customer
	redisplay         string // allow_redisplay: always, limited, unspecified
	used              bool   // charged, or detached: without a customer it may not be used again
	createdAt         time.Time
}

// enterTool makes a method of a test tool, as the customer does by typing a card.
func (s *Sim) enterTool(name string) *method {
	t, ok := tools[name]
	if !ok {
		return nil
	}
	m := &method{id: s.newID("pm_1", 23), tool: t, expMonth: 12, expYear: s.now.Year() + 3, redisplay: "unspecified", createdAt: s.now}
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
		m, c := s.method(id), s.customer(customerID)
		switch {
		case c == nil:
			return nil, missing("customer", customerID, "customer")
		case m == nil:
			return nil, missing("PaymentMethod", id, "")
		case m.customer != nil && m.customer != c:
			return nil, wrong("", "", "The payment method you provided has already been attached to a customer.")
		case m.customer == nil && m.used:
			return nil, usedUp("")
		case m.tool.code != "" && !m.tool.attaches:
			return nil, m.refusal()
		}
		s.attach(m, c)
		return m.json(), nil
	}
}

// usedUp says that a method is of no use any more.
func usedUp(param string) *apiError {
	return wrong("", param, "This PaymentMethod was used without a Customer, or was detached from one, and may not be used again.")
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
		s.detach(m)
		return m.json(), nil
	}
}

func (s *Sim) attach(m *method, c *customer) {
	if m.customer == c {
		return
	}
	m.customer = c
	s.emit("payment_method.attached", m.json())
}

// detach is for good.
func (s *Sim) detach(m *method) {
	was := m.customer.id
	m.customer, m.used = nil, true
	s.emitChange("payment_method.detached", m.json(), obj{"customer": was})
}

func (s *Sim) listMethods(f *form, _ string) step {
	return s.methodsOf(f, f.need("customer"), "customer", "/v1/payment_methods")
}

func (s *Sim) listMethodsOf(f *form, customerID string) step {
	return s.methodsOf(f, customerID, "", "/v1/customers/"+customerID+"/payment_methods")
}

func (s *Sim) methodsOf(f *form, customerID, param, url string) step {
	kind, redisplay, l := f.word("type", methodTypes...), f.word("allow_redisplay", redisplays...), f.listing()
	return func() (obj, *apiError) {
		if s.customer(customerID) == nil {
			return nil, missing("customer", customerID, param)
		}
		var all []entry
		for _, m := range s.methods {
			if m.of(customerID) && (kind == "" || kind == m.tool.kind) && (redisplay == "" || redisplay == m.redisplay) {
				all = append(all, entry{m.id, m.createdAt, m.json})
			}
		}
		return l.show(url, all)
	}
}

// redisplays say whether a method may be shown to its customer again.
var redisplays = []string{"always", "limited", "unspecified"}

func (m *method) of(customerID string) bool { return m.customer != nil && m.customer.id == customerID }

// refusal is the bank's no to this method.
func (m *method) refusal() *apiError {
	return &apiError{status: 402, kind: cardError, code: m.tool.code, decline: m.tool.decline, message: m.tool.says, method: m}
}

// expired reports whether a card's last month is over.
func (m *method) expired(now time.Time) bool {
	return m.tool.kind == "card" && !now.Before(time.Date(m.expYear, time.Month(m.expMonth)+1, 1, 0, 0, 0, 0, time.UTC))
}

func (m *method) link() link {
	if m == nil {
		return link{}
	}
	return link{id: m.id, open: m.json}
}

func (m *method) json() obj {
	return obj{
		"id": m.id, "object": "payment_method", "type": m.tool.kind, m.tool.kind: m.details(),
		"customer": m.customer.link(), "billing_details": obj{"email": nil, "name": nil, "phone": nil, "address": nil},
		"allow_redisplay": m.redisplay, "created": m.createdAt.Unix(), "livemode": false, "metadata": obj{},
	}
}

func (m *method) details() obj {
	if m.tool.kind != "card" {
		return obj{}
	}
	return obj{
		"brand": m.tool.brand, "display_brand": m.tool.brand, "last4": m.tool.last4, "exp_month": m.expMonth, "exp_year": m.expYear,
		"country": "US", "funding": "credit", "fingerprint": "sim" + m.tool.last4, "generated_from": nil, "wallet": nil,
		"checks":               obj{"address_line1_check": nil, "address_postal_code_check": nil, "cvc_check": "pass"},
		"networks":             obj{"available": []any{m.tool.brand}, "preferred": nil},
		"three_d_secure_usage": obj{"supported": true},
	}
}

// chargeDetails is what a charge remembers of its method.
func (m *method) chargeDetails() obj {
	d := m.details()
	delete(d, "display_brand")
	delete(d, "generated_from")
	if m.tool.kind == "card" {
		d["network"] = m.tool.brand
		delete(d, "networks")
		delete(d, "three_d_secure_usage")
	}
	return obj{"type": m.tool.kind, m.tool.kind: d}
}

// offeredTo lists the saved methods that a session's page shows its customer.
func (s *Sim) offeredTo(cs *session) (all []*method) {
	if cs.customer == nil {
		return nil
	}
	filters := cs.saving.filters
	if len(filters) == 0 {
		filters = []string{"always"}
	}
	for _, m := range s.methods {
		if m.customer == cs.customer && slices.Contains(filters, m.redisplay) && slices.Contains(cs.methods, m.tool.kind) {
			all = append(all, m)
		}
	}
	return all
}
