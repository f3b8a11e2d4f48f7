package stripesim

import (
	"fmt"
	"slices"
	"time"
)

// transaction is one movement of the account's balance at Stripe.
type transaction struct {
	id             string
	kind, category string // type and reporting_category
	description    string
	amount, fee    int64 // fee is what Stripe keeps, even of what goes back
	feeFor         string
	currency       string
	source         link
	createdAt      time.Time
	shownAt        time.Time // when Stripe has booked it: later than it happened
	availableAt    time.Time
	payout         *payout // that brought it to the bank
	flaw           Flaw
}

const (
	clearingTime = 4 * 24 * time.Hour // until a movement can be paid out
	transferTime = 2 * 24 * time.Hour // until a payout arrives
)

// book writes a movement down, as of now.
func (s *Sim) book(t *transaction) *transaction {
	t.id, t.createdAt = s.newID("txn_3", 23), s.now
	t.availableAt = s.now.Truncate(24 * time.Hour).Add(clearingTime)
	if t.category == "" {
		t.category = t.kind
	}
	if t.shownAt.IsZero() {
		t.shownAt = s.now
	}
	s.transactions = append(s.transactions, t)
	return t
}

// bookCharge books what was captured of a charge, less Stripe's fee.
func (s *Sim) bookCharge(ch *charge) {
	t := &transaction{
		kind: "charge", category: "charge", description: ch.intent.description, amount: ch.captured, fee: feeOf(ch.captured),
		feeFor: "Stripe processing fees", currency: ch.intent.currency, source: ch.link(), shownAt: s.now.Add(s.cfg.FeeDelay),
	}
	if ch.method.tool.kind != "card" {
		t.kind = "payment"
	}
	ch.transaction = s.book(t)
}

// bookRefund books what goes back; the fee stays with Stripe.
func (s *Sim) bookRefund(r *refund) {
	t := &transaction{kind: "refund", category: "refund", amount: -r.amount, currency: r.charge.intent.currency, source: r.link()}
	if r.charge.method.tool.kind != "card" {
		t.kind = "payment_refund"
	}
	r.transaction = s.book(t)
}

// bookDispute books what the customer's bank takes or gives back.
func (s *Sim) bookDispute(d *dispute, amount int64) {
	t := &transaction{kind: "adjustment", category: "dispute", description: "Chargeback withdrawal for " + d.charge.id, amount: amount, currency: d.charge.intent.currency, source: d.link()}
	if amount < 0 {
		t.fee, t.feeFor = disputeFee(t.currency), "Dispute fee"
	} else {
		t.category, t.description = "dispute_reversal", "Chargeback reversal for "+d.charge.id
	}
	d.books = append(d.books, s.book(t))
}

// feeOf is 3.6 % rounded half up: the list price of cards in Japan.
func feeOf(amount int64) int64 { return (amount*36 + 500) / 1000 }

// disputeFee is what a dispute costs, won or lost: 1300 yen, else 15 of a
// currency with cents.
func disputeFee(currency string) int64 {
	if exponent(currency) == 0 {
		return 1300
	}
	return 1500
}

func (s *Sim) getTransaction(_ *form, id string) step {
	return func() (obj, *apiError) {
		for _, t := range s.transactions {
			if t.id == id && !s.now.Before(t.shownAt) {
				return t.json(s.now), nil
			}
		}
		return nil, missing("balance transaction", id, "")
	}
}

func (s *Sim) listTransactions(f *form, _ string) step {
	kind, source, payoutID := f.text("type", 5000), f.text("source", 5000), f.text("payout", 5000)
	currency, l := f.word("currency", sortedKeys(least)...), f.listing()
	return func() (obj, *apiError) {
		if payoutID != "" && s.payout(payoutID) == nil {
			return nil, missing("payout", payoutID, "payout")
		}
		if s.losePages > 0 {
			s.losePages--
			return listing{limit: 1}.show("/v1/balance_transactions", nil)
		}
		var all []entry
		for _, t := range s.transactions {
			if kind != "" && t.kind != kind || source != "" && t.source.id != source || currency != "" && t.currency != currency ||
				payoutID != "" && (t.payout == nil || t.payout.id != payoutID) || s.now.Before(t.shownAt.Add(s.reportLag)) {
				continue
			}
			all = append(all, t.rows(s.now)...)
		}
		return l.show("/v1/balance_transactions", all)
	}
}

// link is null until Stripe has booked the movement.
func (t *transaction) link(now time.Time) link {
	if t == nil || now.Before(t.shownAt) {
		return link{}
	}
	return link{id: t.id, open: func() obj { return t.json(now) }}
}

func (t *transaction) json(now time.Time) obj {
	o := obj{
		"id": t.id, "object": "balance_transaction", "type": t.kind, "reporting_category": t.category, "source": t.source,
		"amount": t.amount, "fee": t.fee, "net": t.amount - t.fee, "currency": t.currency, "exchange_rate": nil, "fee_details": []any{},
		"created": t.createdAt.Unix(), "available_on": t.availableAt.Unix(), "status": "pending", "balance_type": "payments", "description": orNull(t.description),
	}
	if t.fee != 0 {
		o["fee_details"] = []any{obj{"amount": t.fee, "currency": t.currency, "description": t.feeFor, "type": "stripe_fee", "application": nil}}
	}
	if !now.Before(t.availableAt) {
		o["status"] = "available"
	}
	return o
}

// payout is money on its way from Stripe to the seller's bank.
type payout struct {
	id        string
	amount    int64
	currency  string
	status    string // in_transit, paid
	booked    *transaction
	createdAt time.Time
	arrivesAt time.Time
}

// Payout sends all that has cleared in a currency, in lower case, to the
// seller's bank, as Stripe does by itself on the account's days. It fails if
// that is nothing.
func (s *Sim) Payout(currency string) error {
	s.enter()
	defer s.mu.Unlock()
	p := &payout{id: s.newID("po_1", 23), currency: currency, status: "in_transit", createdAt: s.now, arrivesAt: s.now.Add(transferTime)}
	var cleared []*transaction
	for _, t := range s.transactions {
		if t.currency == currency && t.payout == nil && !s.now.Before(t.availableAt) && !s.now.Before(t.shownAt) {
			cleared = append(cleared, t)
			p.amount += t.amount - t.fee
		}
	}
	if p.amount <= 0 {
		return fmt.Errorf("stripesim: %d %s cannot be paid out", p.amount, currency)
	}
	for _, t := range cleared {
		t.payout = p
	}
	s.payouts = append(s.payouts, p)
	p.booked = s.book(&transaction{kind: "payout", amount: -p.amount, currency: currency, source: p.link(), description: "STRIPE PAYOUT", payout: p})
	p.booked.availableAt = s.now
	s.emit("payout.created", p.json())
	return nil
}

// arrive lets payouts reach the bank.
func (s *Sim) arrive() {
	for _, p := range s.payouts {
		if p.status == "in_transit" && !s.now.Before(p.arrivesAt) {
			p.status = "paid"
			s.emit("payout.paid", p.json())
		}
	}
}

func (s *Sim) payout(id string) *payout {
	i := slices.IndexFunc(s.payouts, func(p *payout) bool { return p.id == id })
	if i < 0 {
		return nil
	}
	return s.payouts[i]
}

func (s *Sim) getPayout(_ *form, id string) step {
	return func() (obj, *apiError) {
		if p := s.payout(id); p != nil {
			return p.json(), nil
		}
		return nil, missing("payout", id, "")
	}
}

func (s *Sim) listPayouts(f *form, _ string) step {
	status, l := f.word("status", "pending", "paid", "failed", "canceled", "in_transit"), f.listing()
	return func() (obj, *apiError) {
		var all []entry
		for _, p := range s.payouts {
			if status == "" || p.status == status {
				all = append(all, entry{p.id, p.createdAt, p.json})
			}
		}
		return l.show("/v1/payouts", all)
	}
}

func (p *payout) link() link { return link{id: p.id, open: p.json} }

func (p *payout) json() obj {
	return obj{
		"id": p.id, "object": "payout", "amount": p.amount, "currency": p.currency, "status": p.status, "automatic": true, "livemode": false,
		"created": p.createdAt.Unix(), "arrival_date": p.arrivesAt.Unix(), "balance_transaction": p.booked.link(p.createdAt),
		"description": "STRIPE PAYOUT", "destination": nil, "failure_balance_transaction": nil, "failure_code": nil, "failure_message": nil,
		"metadata": obj{}, "method": "standard", "original_payout": nil, "reconciliation_status": "completed", "reversed_by": nil,
		"source_type": "card", "statement_descriptor": nil, "type": "bank_account", "application_fee": nil, "application_fee_amount": nil,
	}
}
