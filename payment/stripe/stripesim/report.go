package stripesim

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// Flaw is what is wrong with one row of the list of balance transactions. What
// really happened is not affected.
type Flaw string

// The flaws.
const (
	NoFlaw   Flaw = ""
	RowLost  Flaw = "row_lost"  // the row is not listed
	RowTwice Flaw = "row_twice" // the row is listed twice
	RowOther Flaw = "row_other" // the row has another amount: one more of the smallest unit
)

// Flaws are all but NoFlaw, for tests that try each.
var Flaws = []Flaw{RowLost, RowTwice, RowOther}

// rows are what the list shows of a movement.
func (t *transaction) rows(now time.Time) []entry {
	e := entry{t.id, t.createdAt, func() obj { return t.json(now) }}
	switch t.flaw {
	case RowLost:
		return nil
	case RowTwice:
		return []entry{e, e}
	case RowOther:
		e.show = func() obj {
			o := t.json(now)
			o["amount"], o["net"] = t.amount+1, t.amount+1-t.fee
			return o
		}
	case NoFlaw:
	}
	return []entry{e}
}

// Misreport lets the list be wrong about a balance transaction from now on, or
// right again. It fails if there is none by that identifier.
func (s *Sim) Misreport(transactionID string, flaw Flaw) error {
	s.enter()
	defer s.mu.Unlock()
	for _, t := range s.transactions {
		if t.id == transactionID {
			t.flaw = flaw
			return nil
		}
	}
	return fmt.Errorf("stripesim: no balance transaction is called %q", transactionID)
}

// DelayReports lets movements be listed that much later than Stripe knows of
// them.
func (s *Sim) DelayReports(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reportLag = d
}

// LosePages lets the next n pages of the list come empty, and as the last ones.
func (s *Sim) LosePages(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.losePages = n
}

// UpsetReports lets these troubles befall the next calls of the list of balance
// transactions, one each. It goes before [Sim.Upset].
func (s *Sim) UpsetReports(troubles ...Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.upsetReports = append(s.upsetReports, troubles...)
}

// reports reports whether a call asks for the list.
func reports(r *http.Request) bool {
	return r.Method == http.MethodGet && r.URL.Path == "/v1/balance_transactions"
}

// BillFee takes a fee of Stripe's that belongs to no payment, in the currency's
// smallest unit.
func (s *Sim) BillFee(minor int64, currency, description string) {
	s.enter()
	defer s.mu.Unlock()
	s.book(&transaction{kind: "stripe_fee", category: "fee", amount: -minor, currency: currency, description: description})
}

// Transaction is one movement of the balance as it really was, for an auditor.
type Transaction struct {
	ID       string
	Type     string
	Source   string            // identifier of a charge, refund, dispute or payout; "" for fees
	Ref      string            // client_reference_id of its session, if it has one
	Metadata map[string]string // of its payment intent
	Amount   money.Money
	Fee      money.Money
	At       time.Time
}

// Transactions returns all movements, oldest first, whatever the list shows.
func (s *Sim) Transactions() []Transaction {
	s.enter()
	defer s.mu.Unlock()
	var all []Transaction
	for _, t := range s.transactions {
		v := Transaction{
			ID: t.id, Type: t.kind, Source: t.source.id, At: t.createdAt,
			Amount: moneyOf(t.amount, t.currency), Fee: moneyOf(t.fee, t.currency),
		}
		if p := s.intentBehind(t.source.id); p != nil {
			v.Metadata = maps.Clone(p.metadata)
			if p.session != nil {
				v.Ref = p.session.ref
			}
		}
		all = append(all, v)
	}
	return all
}

// intentBehind finds the intent of a charge, a refund or a dispute.
func (s *Sim) intentBehind(source string) *intent {
	if found := s.named.intents[source]; len(found) > 0 {
		return found[0]
	}
	for _, r := range s.named.refunds[source] {
		if r.id == source {
			return r.charge.intent
		}
	}
	for _, d := range s.disputes {
		if d.id == source {
			return d.charge.intent
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
