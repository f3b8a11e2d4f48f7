package linepaysim

import (
	"slices"
	"strconv"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// Charge is money that was taken, for an auditor.
type Charge struct {
	Ref      string // orderId
	ID       string // transactionId
	Captured money.Money
	Refunded money.Money
	At       time.Time // of the capture
}

// Charges returns all charges, oldest first.
func (s *Sim) Charges() []Charge {
	s.enter()
	defer s.mu.Unlock()
	var all []Charge
	for _, p := range s.payments {
		if p.captured > 0 {
			all = append(all, Charge{
				Ref: p.ref, ID: strconv.FormatInt(p.id, 10), At: p.capturedAt,
				Captured: s.money(p.captured), Refunded: s.money(p.refunded()),
			})
		}
	}
	slices.SortStableFunc(all, func(a, b Charge) int { return a.At.Compare(b.At) })
	return all
}
