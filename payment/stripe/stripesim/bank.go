package stripesim

import "fmt"

// Upset lets these troubles befall the next calls, one each. A call that is
// answered from what is kept under its key uses one up.
func (s *Sim) Upset(troubles ...Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.upset = append(s.upset, troubles...)
}

// Tell decides how the next events are told, one each.
func (s *Sim) Tell(how ...Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deliver = append(s.deliver, how...)
}

// DeclineNext lets the bank refuse the next n debits, whatever the card.
func (s *Sim) DeclineNext(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.declineNext = n
}

// PendNext lets the next n debits stay in processing until [Sim.Settle].
func (s *Sim) PendNext(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pendNext = n
}

// Settle ends a debit in processing, or a konbini slip: paid or not. It fails
// if nothing by that name waits.
func (s *Sim) Settle(name string, paid bool) error {
	s.enter()
	defer s.mu.Unlock()
	p := newest(s.named.intents[name], func(p *intent) bool {
		return p.status == processing || p.status == requiresAction && p.method.tool.later
	})
	if p == nil {
		return fmt.Errorf("stripesim: nothing called %q is being processed", name)
	}
	s.settle(p, paid)
	return nil
}

// Slips are our references of the convenience store slips that can be paid at a
// till now, oldest first.
func (s *Sim) Slips() (refs []string) {
	s.enter()
	defer s.mu.Unlock()
	for _, p := range s.intents {
		if p.status == requiresAction && p.method != nil && p.method.tool.later && p.session != nil {
			refs = append(refs, p.session.ref)
		}
	}
	return refs
}

// HoldRefunds lets refunds stay pending until [Sim.SettleRefund], or not.
func (s *Sim) HoldRefunds(hold bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holdRefunds = hold
}

// SettleRefund ends the newest refund by that name: its identifier or a value
// in its metadata. A pending one succeeds or fails; one that had succeeded can
// still fail, days later. It fails if there is no such refund.
func (s *Sim) SettleRefund(name string, ok bool) error {
	s.enter()
	defer s.mu.Unlock()
	r := newest(s.named.refunds[name], func(r *refund) bool {
		return r.status == "pending" || r.status == succeeded && !ok
	})
	if r == nil {
		return fmt.Errorf("stripesim: no refund called %q can end so", name)
	}
	s.finish(r, ok)
	return nil
}
