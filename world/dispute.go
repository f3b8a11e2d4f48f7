package world

import (
	"context"
	"time"
)

// Customers who do not know a charge on their statement, or say so: their bank, or
// the provider for them, takes the money back, and decides some time after.

const (
	disputers   = 4 // of 100 who paid
	disputeMost = 10 * time.Hour
	decideMost  = 8 * time.Hour
)

// dispute plans what the bank of a customer does who has paid under a reference.
func (s *Simulation) dispute(t *ticket, ref string) {
	bank := t.bank
	if bank.Dispute == nil || s.rand.IntN(100) >= disputers {
		return
	}
	s.after(s.within(disputeMost), func(context.Context) {
		err := bank.Dispute(ref)
		s.log("%d disputes at %s: %v", t.n, bank.Name, err)
		if err != nil {
			return
		}
		s.auditor.outcomes["disputed"]++
		t.contested = true
		for _, each := range t.together {
			each.contested = true
		}
		if s.rand.IntN(4) == 0 {
			return // nobody decides before the town ends
		}
		won := s.rand.IntN(2) == 0
		s.after(s.within(decideMost), func(context.Context) {
			err := bank.Judge(ref, won)
			s.log("the dispute of %d is over, for the seller: %t: %v", t.n, won, err)
			if won && err == nil {
				s.auditor.outcomes["disputed: won"]++
			}
		})
	})
}

// within is a time of chance, a minute at least.
func (s *Simulation) within(most time.Duration) time.Duration {
	return time.Minute + time.Duration(s.rand.Int64N(int64(most)))
}
