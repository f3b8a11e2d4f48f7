package paypaysim

import (
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// Captured is what was taken for ref: the zero value for nothing, and for a
// payment whose cancellation has been carried out.
func (s *Sim) Captured(ref string) money.Money {
	s.enter()
	defer s.mu.Unlock()
	if p := s.byRef[ref]; p != nil {
		return jpy(p.captured(s.now))
	}
	return money.Money{}
}

// Refunded is what of that is on its way back or arrived.
func (s *Sim) Refunded(ref string) money.Money {
	s.enter()
	defer s.mu.Unlock()
	if p := s.byRef[ref]; p != nil {
		return jpy(p.refunded())
	}
	return money.Money{}
}

func jpy(n int64) money.Money {
	if n == 0 {
		return money.Money{}
	}
	return money.Of(n, "JPY")
}

// Charge is one taking of money, for an auditor.
type Charge struct {
	Ref      string // merchantPaymentId
	ID       string // paymentId
	Captured money.Money
	Refunded money.Money
	At       time.Time
}

// Charges returns all that was ever taken, oldest first. One that a
// cancellation undid has captured nothing.
func (s *Sim) Charges() []Charge {
	s.enter()
	defer s.mu.Unlock()
	var all []Charge
	for _, p := range s.taken {
		all = append(all, Charge{Ref: p.ref, ID: p.paymentID, Captured: jpy(p.captured(s.now)), Refunded: jpy(p.refunded()), At: p.completedAt})
	}
	return all
}
