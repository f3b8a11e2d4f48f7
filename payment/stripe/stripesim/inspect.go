package stripesim

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// Captured is what was really taken for a name: a session, a payment intent, a
// charge, a client_reference_id or a value in metadata. It is the zero value
// if nothing was. It panics if one name paid in two currencies: that is a
// finding, and no sum can tell it.
func (s *Sim) Captured(name string) money.Money {
	return s.sum(name, func(p *intent) int64 { return p.received })
}

// Refunded is what of that is on its way back or arrived: refunds that are
// pending or succeeded, not those that failed.
func (s *Sim) Refunded(name string) money.Money {
	return s.sum(name, func(p *intent) (total int64) {
		for _, ch := range p.charges {
			if ch.captured > 0 {
				total += ch.refunded
			}
		}
		return total
	})
}

// Disputed is what the customer's bank withholds.
func (s *Sim) Disputed(name string) money.Money {
	return s.sum(name, func(p *intent) (total int64) {
		for _, d := range s.disputes {
			if d.charge.intent == p {
				total += d.withheld()
			}
		}
		return total
	})
}

func (s *Sim) sum(name string, of func(*intent) int64) money.Money {
	s.enter()
	defer s.mu.Unlock()
	var total money.Money
	for _, p := range s.named.intents[name] {
		n := of(p)
		if n == 0 {
			continue
		}
		var err error
		if total, err = total.Add(moneyOf(n, p.currency)); err != nil {
			panic(fmt.Sprintf("stripesim: %s: %v", name, err))
		}
	}
	return total
}

// Session is a Checkout Session, for an auditor.
type Session struct {
	ID            string
	Ref           string // client_reference_id
	Status        string // open, complete, expired
	PaymentStatus string // paid, unpaid
	PaymentIntent string // "" until the customer's first try
	Amount        money.Money
	Methods       []string // the payment method types
	URL           string
	Metadata      map[string]string
	CreatedAt     time.Time
	ExpiresAt     time.Time
}

// Sessions returns all sessions, oldest first.
func (s *Sim) Sessions() []Session {
	s.enter()
	defer s.mu.Unlock()
	var all []Session
	for _, cs := range s.sessions {
		all = append(all, cs.public())
	}
	return all
}

// Session returns the newest session by a name: its identifier, our
// client_reference_id or a value in its metadata.
func (s *Sim) Session(name string) (Session, bool) {
	s.enter()
	defer s.mu.Unlock()
	cs := newest(s.named.sessions[name], func(*session) bool { return true })
	if cs == nil {
		return Session{}, false
	}
	return cs.public(), true
}

func (cs *session) public() Session {
	v := Session{
		ID: cs.id, Ref: cs.ref, Status: cs.status, PaymentStatus: cs.paymentStatus, Amount: moneyOf(cs.amount, cs.currency), Methods: slices.Clone(cs.methods),
		URL: cs.url, Metadata: maps.Clone(cs.metadata), CreatedAt: cs.createdAt, ExpiresAt: cs.expiresAt,
	}
	if cs.intent != nil {
		v.PaymentIntent = cs.intent.id
	}
	return v
}

// Charge is one try to take money, for an auditor.
type Charge struct {
	ID            string
	PaymentIntent string
	Ref           string            // client_reference_id of the session, if there is one
	Metadata      map[string]string // of the payment intent
	Status        string            // succeeded, pending, failed
	Code          string            // why it failed: decline_code, else code
	Amount        money.Money
	Captured      money.Money
	Refunded      money.Money
	Fee           money.Money
	Disputed      bool
	CreatedAt     time.Time
}

// Charges returns all charges, oldest first.
func (s *Sim) Charges() []Charge {
	s.enter()
	defer s.mu.Unlock()
	var all []Charge
	for _, ch := range s.charges {
		p := ch.intent
		v := Charge{
			ID: ch.id, PaymentIntent: p.id, Metadata: maps.Clone(p.metadata), Status: ch.status, Disputed: ch.disputed, CreatedAt: ch.createdAt,
			Amount: moneyOf(ch.amount, p.currency), Captured: moneyOf(ch.captured, p.currency),
			Refunded: moneyOf(ch.refunded, p.currency), Fee: moneyOf(feeOf(ch.captured), p.currency),
		}
		if p.session != nil {
			v.Ref = p.session.ref
		}
		if e := ch.refusal; e != nil {
			if v.Code = e.decline; v.Code == "" {
				v.Code = e.code
			}
		}
		all = append(all, v)
	}
	return all
}

// Refund is one return of money, for an auditor.
type Refund struct {
	ID            string
	PaymentIntent string
	Charge        string
	Status        string // pending, succeeded, failed
	Amount        money.Money
	Metadata      map[string]string
	CreatedAt     time.Time
}

// Refunds returns all refunds, oldest first.
func (s *Sim) Refunds() []Refund {
	s.enter()
	defer s.mu.Unlock()
	var all []Refund
	for _, r := range s.refunds {
		p := r.charge.intent
		all = append(all, Refund{
			ID: r.id, PaymentIntent: p.id, Charge: r.charge.id, Status: r.status,
			Amount: moneyOf(r.amount, p.currency), Metadata: maps.Clone(r.metadata), CreatedAt: r.createdAt,
		})
	}
	return all
}

// Calls returns the calls of the API, oldest first: the last few thousand.
func (s *Sim) Calls() []Call {
	s.enter()
	defer s.mu.Unlock()
	var all []Call
	for _, c := range s.calls {
		v := *c
		v.Params = maps.Clone(c.Params)
		for k, vs := range v.Params {
			v.Params[k] = slices.Clone(vs)
		}
		all = append(all, v)
	}
	return all
}
