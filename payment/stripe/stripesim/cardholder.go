package stripesim

import (
	"maps"
	"slices"
	"time"
)

// customer is a Customer of the API: whom methods are saved with.
type customer struct {
	id, email, name string
	metadata        map[string]string
	deleted         bool
	createdAt       time.Time
}

func (s *Sim) newCustomer(email, name string, metadata map[string]string) *customer {
	c := &customer{id: s.newID("cus_", 14), email: email, name: name, metadata: metadata, createdAt: s.now}
	s.customers = append(s.customers, c)
	s.customerOf[c.id] = c
	s.emit("customer.created", c.json())
	return c
}

// customer finds a customer who was not deleted.
func (s *Sim) customer(id string) *customer {
	if c := s.customerOf[id]; c != nil && !c.deleted {
		return c
	}
	return nil
}

func (s *Sim) createCustomer(f *form, _ string) step {
	email, name, metadata := f.text("email", 512), f.text("name", 256), f.metadata("metadata")
	readCustomerRest(f)
	f.refuse("payment_method")
	return func() (obj, *apiError) { return s.newCustomer(email, name, metadata).json(), nil }
}

func readCustomerRest(f *form) {
	f.ignore("address", "business_name", "description", "individual_name", "invoice_prefix", "invoice_settings", "phone", "preferred_locales", "shipping", "tax", "tax_exempt")
	f.refuse("balance", "cash_balance", "default_source", "source", "test_clock", "tax_id_data")
}

func (s *Sim) updateCustomer(f *form, id string) step {
	email, name, metadata := f.text("email", 512), f.text("name", 256), f.metadata("metadata")
	readCustomerRest(f)
	return func() (obj, *apiError) {
		c := s.customer(id)
		if c == nil {
			return nil, missing("customer", id, "")
		}
		if email != "" {
			c.email = email
		}
		if name != "" {
			c.name = name
		}
		maps.Copy(c.metadata, metadata)
		s.emit("customer.updated", c.json())
		return c.json(), nil
	}
}

func (s *Sim) getCustomer(_ *form, id string) step {
	return func() (obj, *apiError) {
		if c := s.customerOf[id]; c != nil {
			return c.json(), nil
		}
		return nil, missing("customer", id, "")
	}
}

func (s *Sim) listCustomers(f *form, _ string) step {
	email, l := f.text("email", 512), f.listing()
	return func() (obj, *apiError) {
		var all []entry
		for _, c := range s.customers {
			if !c.deleted && (email == "" || email == c.email) {
				all = append(all, entry{c.id, c.createdAt, c.json})
			}
		}
		return l.show("/v1/customers", all)
	}
}

func (s *Sim) deleteCustomer(_ *form, id string) step {
	return func() (obj, *apiError) {
		c := s.customer(id)
		if c == nil {
			return nil, missing("customer", id, "")
		}
		s.remove(c)
		return c.json(), nil
	}
}

// remove deletes a customer, and with it all that was saved.
func (s *Sim) remove(c *customer) {
	last := c.json()
	for _, m := range s.methods {
		if m.customer == c {
			s.detach(m)
		}
	}
	c.deleted = true
	s.emit("customer.deleted", last)
}

// holders are the customers by a name: identifier, e-mail or a value in metadata.
func (s *Sim) holders(name string) (all []*customer) {
	for _, c := range s.customers {
		if slices.Contains(namesOf([]string{c.id, c.email}, c.metadata), name) {
			all = append(all, c)
		}
	}
	return all
}

func (c *customer) link() link {
	if c == nil {
		return link{}
	}
	return link{id: c.id, open: c.json}
}

func (c *customer) json() obj {
	if c.deleted {
		return obj{"id": c.id, "object": "customer", "deleted": true}
	}
	return obj{
		"id": c.id, "object": "customer", "email": orNull(c.email), "name": orNull(c.name),
		"metadata": maps.Clone(c.metadata), "created": c.createdAt.Unix(), "livemode": false,
		"address": nil, "balance": 0, "currency": nil, "default_source": nil, "delinquent": false, "description": nil,
		"discount": nil, "phone": nil, "preferred_locales": []any{}, "shipping": nil, "tax_exempt": "none", "test_clock": nil,
		"invoice_settings": obj{"custom_fields": nil, "default_payment_method": nil, "footer": nil, "rendering_options": nil},
	}
}
