package paypalsim

import (
	"fmt"
	"time"
)

// Saved is a wallet that can pay without its owner, for an auditor.
type Saved struct {
	ID       string // the vault_id
	Customer string
	Payer    string
	Ref      string // of the order that saved it
	At       time.Time
}

// Saved returns what is saved for a name, oldest first: a customer's identifier,
// or the ref of the order that saved it.
func (s *Sim) Saved(name string) []Saved {
	s.enter()
	defer s.mu.Unlock()
	var all []Saved
	for _, t := range s.saved {
		if t.deletedAt.IsZero() && (t.customer == name || t.order.ref() == name) {
			all = append(all, Saved{ID: t.id, Customer: t.customer, Payer: t.payer, Ref: t.order.ref(), At: t.createdAt})
		}
	}
	return all
}

// HoldVault lets wallets from now on be saved only by [Sim.FinishVault]: captures
// say APPROVED and have no token. Or not any more.
func (s *Sim) HoldVault(hold bool) {
	s.enter()
	defer s.mu.Unlock()
	s.holdVault = hold
}

// FinishVault saves the wallet that paid for ref.
func (s *Sim) FinishVault(ref string) error {
	s.enter()
	defer s.mu.Unlock()
	for _, o := range s.byRef[ref] {
		if o.saving == savingStill {
			s.finishSaving(o)
			s.changed(o)
			return nil
		}
	}
	return fmt.Errorf("paypalsim: no wallet of %s is being saved", ref)
}

// RefuseNext lets PayPal refuse the next orders that a saved wallet is to pay,
// one each, with these issues: INSTRUMENT_DECLINED, PAYER_CANNOT_PAY,
// PAYER_ACCOUNT_RESTRICTED, AGREEMENT_ALREADY_CANCELLED, TOKEN_EXPIRED …
// [Sim.DeclineNext] does the same with the first.
func (s *Sim) RefuseNext(issues ...string) {
	s.enter()
	defer s.mu.Unlock()
	s.refuseNext = append(s.refuseNext, issues...)
}

// AskNext lets PayPal want to see the payer for the next n orders that a saved
// wallet is to pay: the order waits for approval, or is refused with
// PAYER_ACTION_REQUIRED where the merchant began it.
func (s *Sim) AskNext(n int) {
	s.enter()
	defer s.mu.Unlock()
	s.askNext = n
}

// Turn lets a saved wallet pay with a tool from now on: [Balance] works, [ECheck]
// stays PENDING, [DeclinedLater] is refused, [Denied] ends in a DECLINED capture,
// and for [CardRefused] PayPal wants to see the payer.
func (s *Sim) Turn(tokenID string, tool Tool) error {
	return s.alter(tokenID, func(t *token) { t.tool = tool })
}

// Remove lets the payer end, in their own account, what was saved.
func (s *Sim) Remove(tokenID string) error { return s.alter(tokenID, s.forget) }

func (s *Sim) alter(tokenID string, change func(*token)) error {
	s.enter()
	defer s.mu.Unlock()
	t := s.tokenOf[tokenID]
	if t == nil {
		return fmt.Errorf("paypalsim: no wallet is saved as %q", tokenID)
	}
	change(t)
	return nil
}
