package paypaysim

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Why a customer cannot pay.
var (
	errRefused = errors.New("paypaysim: the balance does not suffice")
	errGone    = errors.New("paypaysim: the code cannot be paid any more")
)

// Pay is the customer's yes in the app. PayPay adds nothing to the return
// address, so the values are always empty. The customer may be refused because
// of [Sim.DeclineNext], or have to wait because of [Sim.PendNext]; that is no
// error. It fails if there is no code for ref that can be paid.
func (s *Sim) Pay(ref string) (url.Values, error) {
	s.enter()
	defer s.mu.Unlock()
	p, err := s.scan(ref)
	if err == nil {
		err = s.pay(p, "WALLET")
	}
	if errors.Is(err, errRefused) {
		err = nil
	}
	return url.Values{}, err
}

// Decline is a yes that the app refuses for want of money. Only the customer
// is told, who may try again. It fails as [Sim.Pay] does.
func (s *Sim) Decline(ref string) (url.Values, error) {
	s.enter()
	defer s.mu.Unlock()
	_, err := s.scan(ref)
	return url.Values{}, err
}

// GiveUp leaves the app without paying. Nothing changes at PayPay: the code
// can be paid until it expires. It fails if there never was a code for ref.
func (s *Sim) GiveUp(ref string) (url.Values, error) {
	s.enter()
	defer s.mu.Unlock()
	if p := s.byRef[ref]; p == nil || p.codeID == "" {
		return url.Values{}, fmt.Errorf("paypaysim: there is no code for %q", ref)
	}
	return url.Values{}, nil
}

func (s *Sim) scan(ref string) (*payment, error) {
	p := s.byRef[ref]
	if p == nil || !p.payable(s.now) {
		return nil, fmt.Errorf("%w: %q", errGone, ref)
	}
	return p, nil
}

// pay takes the money of a code that is payable.
func (s *Sim) pay(p *payment, tool string) error {
	if s.declineNext > 0 {
		s.declineNext--
		return errRefused
	}
	p.paymentID = s.unused("04739", digits, 15, s.byID)
	s.byID[p.paymentID] = p
	p.tool, p.startedAt = tool, s.now
	if s.pendNext > 0 {
		s.pendNext--
		return nil
	}
	s.complete(p)
	return nil
}

// complete takes the money; who asked for a cancellation before gets it now.
func (s *Sim) complete(p *payment) {
	p.completedAt = s.now
	if p.cancelAsked {
		p.failedAt = s.now.Add(cancelTakes)
	}
	s.taken = append(s.taken, p)
	s.tell(completed, p.noticeBody(s.cfg.MerchantID, completed))
}

// DeclineNext lets the app refuse the next n customers who pay.
func (s *Sim) DeclineNext(n int) {
	s.enter()
	defer s.mu.Unlock()
	s.declineNext = n
}

// PendNext lets the payments of the next n customers who pay stay CREATED, with
// a paymentId, until [Sim.Settle]. Their codes no longer matter.
func (s *Sim) PendNext(n int) {
	s.enter()
	defer s.mu.Unlock()
	s.pendNext = n
}

// Settle ends a payment that stayed: COMPLETED, or FAILED. It fails if none
// waits by that name.
func (s *Sim) Settle(ref string, paid bool) error {
	s.enter()
	defer s.mu.Unlock()
	p := s.byRef[ref]
	if p == nil || p.state(s.now) != created || p.startedAt.IsZero() {
		return fmt.Errorf("paypaysim: no payment %q waits", ref)
	}
	if paid {
		s.complete(p)
		return nil
	}
	p.failedAt = s.now
	s.tell(failed, p.noticeBody(s.cfg.MerchantID, failed))
	return nil
}

// HoldRefunds lets refunds stay CREATED until [Sim.SettleRefund], or not: then
// those that were held are done.
func (s *Sim) HoldRefunds(hold bool) {
	s.enter()
	defer s.mu.Unlock()
	s.holdRefunds = hold
	for _, p := range s.taken {
		for _, r := range p.refunds {
			if !hold && r.doneAt.IsZero() {
				r.doneAt = s.now
			}
		}
	}
}

// SettleRefund ends the held refunds with that merchantRefundId: PayPay's always
// succeed. It fails if there is none.
func (s *Sim) SettleRefund(merchantRefundID string) error {
	s.enter()
	defer s.mu.Unlock()
	found := false
	for _, p := range s.taken {
		if r := p.refundBy(merchantRefundID); r != nil && r.doneAt.IsZero() {
			r.doneAt, found = s.now, true
		}
	}
	if !found {
		return fmt.Errorf("paypaysim: no refund %q waits", merchantRefundID)
	}
	return nil
}

// RefundByHand returns yen at PayPay's own desk, at once. It fails where a
// refund through the API would, except that nobody is throttled there.
func (s *Sim) RefundByHand(ref string, minor int64) error {
	s.enter()
	defer s.mu.Unlock()
	p := s.byRef[ref]
	if p == nil || minor < 1 {
		return fmt.Errorf("paypaysim: %q cannot be refunded by %d", ref, minor)
	}
	if no := s.unrefundable(p, minor); no != nil && *no != refundThrottled {
		return fmt.Errorf("paypaysim: %q: %s", ref, no.code)
	}
	p.refunds = append(p.refunds, &refund{
		id: "DESK" + s.random(digits, 16), payment: p, yen: minor, requestedAt: s.now.Unix(),
		reason: "PayPay for Business", acceptedAt: s.now, doneAt: s.now,
	})
	return nil
}

// LagReads lets queries show what was true d ago.
func (s *Sim) LagReads(d time.Duration) {
	s.enter()
	defer s.mu.Unlock()
	s.lag = d
}
