package stripesim

import (
	"fmt"
	"time"
)

// Saved is a method that a customer keeps, for an auditor.
type Saved struct {
	ID, Customer       string
	Kind, Brand, Last4 string
	ExpMonth, ExpYear  int
	Redisplay          string // allow_redisplay
	CreatedAt          time.Time
}

// Saved returns what is saved with the customers of a name, oldest first: an
// identifier, an e-mail address or a value in their metadata.
func (s *Sim) Saved(name string) []Saved {
	s.enter()
	defer s.mu.Unlock()
	var all []Saved
	for _, c := range s.holders(name) {
		for _, m := range s.methods {
			if m.customer == c {
				all = append(all, Saved{
					ID: m.id, Customer: c.id, Kind: m.tool.kind, Brand: m.tool.brand, Last4: m.tool.last4,
					ExpMonth: m.expMonth, ExpYear: m.expYear, Redisplay: m.redisplay, CreatedAt: m.createdAt,
				})
			}
		}
	}
	return all
}

// PayAndSave is [Sim.PayWith] by a customer who ticks the session page's box
// for saving the card. It fails where there is no such box: see
// saved_payment_method_options[payment_method_save].
func (s *Sim) PayAndSave(name, tool string) (Shown, error) {
	s.enter()
	defer s.mu.Unlock()
	cs := newest(s.named.sessions[name], func(cs *session) bool { return cs.status == "open" })
	if cs == nil || !cs.asksToSave() {
		return Shown{}, fmt.Errorf("stripesim: no open page of %q asks whether to save the card", name)
	}
	return s.submit(cs, tool, true)
}

// AskNext lets the bank want to see the customer for the next n tries to pay by
// card, whatever the card: on session they are asked, off session that is a
// refusal with authentication_required.
func (s *Sim) AskNext(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.askNext = n
}

// RefuseNext lets the bank refuse the next debits with these decline codes, one
// each, whatever the card: insufficient_funds, expired_card, lost_card,
// do_not_honor … It goes before [Sim.DeclineNext].
func (s *Sim) RefuseNext(declineCodes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuseNext = append(s.refuseNext, declineCodes...)
}

// Turn lets a saved card behave like one of the test cards from now on; its
// brand and digits stay. It fails for what is not saved and for no card.
func (s *Sim) Turn(methodID, tool string) error {
	return s.alter(methodID, func(m *method) error {
		t, known := tools[tool]
		if !known || t.kind != "card" {
			return fmt.Errorf("stripesim: %q is no test card", tool)
		}
		t.brand, t.last4 = m.tool.brand, m.tool.last4
		m.tool = t
		return nil
	})
}

// Expire lets a saved card's last month have been the one before this.
func (s *Sim) Expire(methodID string) error {
	return s.alter(methodID, func(m *method) error {
		last := s.now.AddDate(0, 0, -s.now.Day())
		m.expMonth, m.expYear = int(last.Month()), last.Year()
		return nil
	})
}

// Reissue lets the bank replace a saved card: Stripe keeps the method and
// learns the new digits and dates from the card network.
func (s *Sim) Reissue(methodID, last4 string, expMonth, expYear int) error {
	return s.alter(methodID, func(m *method) error {
		before := obj{"card": obj{"last4": m.tool.last4, "exp_month": m.expMonth, "exp_year": m.expYear}}
		m.tool.last4, m.expMonth, m.expYear = last4, expMonth, expYear
		s.emitChange("payment_method.automatically_updated", m.json(), before)
		return nil
	})
}

// Remove lets a saved method be detached without us: by the customer or at
// Stripe's desk.
func (s *Sim) Remove(methodID string) error {
	return s.alter(methodID, func(m *method) error {
		s.detach(m)
		return nil
	})
}

func (s *Sim) alter(methodID string, change func(*method) error) error {
	s.enter()
	defer s.mu.Unlock()
	m := s.methodOf[methodID]
	if m == nil || m.customer == nil {
		return fmt.Errorf("stripesim: no customer keeps %q", methodID)
	}
	return change(m)
}
