package paypalsim

import "fmt"

// PendNext lets the next n captures stay PENDING, for review, until [Sim.Settle].
func (s *Sim) PendNext(n int) {
	s.enter()
	defer s.mu.Unlock()
	s.pendNext = n
}

// Settle ends what is pending for ref: the money came, or it did not.
func (s *Sim) Settle(ref string, paid bool) error {
	s.enter()
	defer s.mu.Unlock()
	c := s.captureFor(ref, pending)
	if c == nil {
		return fmt.Errorf("paypalsim: nothing is pending for %s", ref)
	}
	if c.state = declined; paid {
		c.state = completed
	} else if i := c.order.invoice(); i != "" {
		delete(s.invoices, i)
	}
	s.settled(c)
	return nil
}

// RefundByHand returns part of what was taken for ref, in the house's minor
// units, at PayPal's own desk. It fails where PayPal's would.
func (s *Sim) RefundByHand(ref string, minor int64) error {
	s.enter()
	defer s.mu.Unlock()
	c := s.captureFor(ref, completed)
	if c == nil {
		return fmt.Errorf("paypalsim: nothing was taken for %s", ref)
	}
	units, ok := unitsOf(minor, c.order.currency)
	if !ok || units <= 0 {
		return fmt.Errorf("paypalsim: %d is no amount in %s", minor, c.order.currency)
	}
	if issue := s.giveBack(&refund{capture: c, units: units}); issue != "" {
		return fmt.Errorf("paypalsim: %s", issue)
	}
	return nil
}

// HoldRefunds lets refunds from now on stay PENDING until [Sim.SettleRefund],
// or not.
func (s *Sim) HoldRefunds(hold bool) {
	s.enter()
	defer s.mu.Unlock()
	s.holdRefunds = hold
}

// SettleRefund ends a pending refund. Its name is its identifier, its
// PayPal-Request-Id, its invoice_id or its custom_id.
func (s *Sim) SettleRefund(name string, arrived bool) error {
	s.enter()
	defer s.mu.Unlock()
	r := s.refundOf[name]
	if name == "" || r == nil || r.state != pending {
		return fmt.Errorf("paypalsim: no refund %s is pending", name)
	}
	if r.state = failed; arrived {
		r.state = completed
	}
	s.refundSettled(r)
	return nil
}

// captureFor is the newest capture of ref in a state.
func (s *Sim) captureFor(ref, state string) (found *capture) {
	for _, o := range s.byRef[ref] {
		if o.capture != nil && o.capture.state == state {
			found = o.capture
		}
	}
	return found
}
