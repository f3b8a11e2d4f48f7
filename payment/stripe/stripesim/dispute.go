package stripesim

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// The states of a dispute. Those of an inquiry take no money.
const (
	needsResponse = "needs_response"
	underReview   = "under_review"
	won           = "won"
	lost          = "lost"
	inquiryPrefix = "warning_"
	inquiryOver   = inquiryPrefix + "closed"
	disputeTime   = 7 * 24 * time.Hour // how long the seller may answer
)

// dispute is a customer's bank taking money back, or asking about it.
type dispute struct {
	id          string
	charge      *charge
	amount      int64
	status      string
	reason      string
	inquiry     bool
	evidence    map[string]string
	submissions int
	metadata    map[string]string
	books       []*transaction
	createdAt   time.Time
	dueAt       time.Time
}

// Claim is what a customer's bank says. The zero value is fraud, all that is
// left of the payment, and seven days for an answer.
type Claim struct {
	Reason  string        // fraudulent, product_not_received, duplicate …
	Minor   int64         // in the smallest unit; 0 is all that the payment still holds
	Due     time.Duration // until when evidence is heard
	Inquiry bool          // a question first: no money is taken
}

// Dispute lets the customer's bank take back what a payment still holds, or
// all of it where everything was refunded. It fails if nothing by that name
// was captured, or it is disputed already.
func (s *Sim) Dispute(name string) error { return s.DisputeAs(name, Claim{}) }

// DisputeAs is Dispute with what the bank says.
func (s *Sim) DisputeAs(name string, c Claim) error {
	s.enter()
	defer s.mu.Unlock()
	p := newest(s.named.intents[name], func(p *intent) bool { return p.status == succeeded && !p.latest.disputed })
	if p == nil {
		return fmt.Errorf("stripesim: nothing called %q can be disputed", name)
	}
	ch := p.latest
	d := &dispute{
		id: s.newID("dp_1", 23), charge: ch, amount: ch.captured - ch.refunded, status: needsResponse, reason: "fraudulent", inquiry: c.Inquiry,
		evidence: map[string]string{}, metadata: map[string]string{}, createdAt: s.now, dueAt: s.now.Add(disputeTime),
	}
	if d.amount == 0 {
		d.amount = ch.captured
	}
	if c.Minor > d.amount {
		return fmt.Errorf("stripesim: %d is more than %q holds", c.Minor, name)
	}
	if c.Minor > 0 {
		d.amount = c.Minor
	}
	if c.Reason != "" {
		d.reason = c.Reason
	}
	if c.Due > 0 {
		d.dueAt = s.now.Add(c.Due)
	}
	ch.disputed = true
	s.disputes = append(s.disputes, d)
	if d.inquiry {
		d.status = inquiryPrefix + needsResponse
		s.emit("charge.dispute.created", d.json(s.now))
		return nil
	}
	s.bookDispute(d, -d.amount)
	s.emit("charge.dispute.created", d.json(s.now))
	s.emit("charge.dispute.funds_withdrawn", d.json(s.now))
	return nil
}

// Escalate lets the bank take the money after an inquiry. It fails if there is
// none by that name.
func (s *Sim) Escalate(name string) error {
	s.enter()
	defer s.mu.Unlock()
	d := s.openDispute(name)
	if d == nil || !d.inquiry {
		return fmt.Errorf("stripesim: no bank asks about %q", name)
	}
	d.inquiry, d.status, d.dueAt, d.submissions = false, needsResponse, s.now.Add(disputeTime), 0
	s.bookDispute(d, -d.amount)
	s.emit("charge.dispute.updated", d.json(s.now))
	s.emit("charge.dispute.funds_withdrawn", d.json(s.now))
	return nil
}

// CloseDispute decides the dispute of a payment, whether or not the seller
// answered. It fails if none is open.
func (s *Sim) CloseDispute(name string, forSeller bool) error {
	s.enter()
	defer s.mu.Unlock()
	d := s.openDispute(name)
	if d == nil {
		return fmt.Errorf("stripesim: nothing called %q is disputed", name)
	}
	s.decide(d, forSeller)
	return nil
}

// ReopenDispute lets the bank change its mind about the newest lost dispute: the
// seller has the money back.
func (s *Sim) ReopenDispute(name string) error {
	s.enter()
	defer s.mu.Unlock()
	d := newest(s.disputes, func(d *dispute) bool {
		return d.status == lost && slices.Contains(s.named.intents[name], d.charge.intent)
	})
	if d == nil {
		return fmt.Errorf("stripesim: no dispute of %q is lost", name)
	}
	s.decide(d, true)
	return nil
}

// decide ends a dispute.
func (s *Sim) decide(d *dispute, forSeller bool) {
	switch {
	case d.inquiry:
		d.status = inquiryOver
	case forSeller:
		d.status = won
		s.bookDispute(d, d.amount)
		s.emit("charge.dispute.funds_reinstated", d.json(s.now))
	default:
		d.status = lost
	}
	s.emit("charge.dispute.closed", d.json(s.now))
}

func (s *Sim) openDispute(name string) *dispute {
	return newest(s.disputes, func(d *dispute) bool {
		return d.open() && slices.Contains(s.named.intents[name], d.charge.intent)
	})
}

func (d *dispute) open() bool {
	return d.status != won && d.status != lost && d.status != inquiryOver
}

// answerable reports whether the bank still hears the seller.
func (d *dispute) answerable(now time.Time) bool {
	return d.open() && d.submissions == 0 && now.Before(d.dueAt)
}

// withheld is what a dispute keeps from the seller.
func (d *dispute) withheld() int64 {
	if d.inquiry || d.status == won {
		return 0
	}
	return d.amount
}

// contested reports whether a dispute stands in the way of a refund.
func (s *Sim) contested(ch *charge) bool {
	return slices.ContainsFunc(s.disputes, func(d *dispute) bool { return d.charge == ch && d.withheld() > 0 })
}

// evidenceTexts are the fields of evidence that hold text, and how much;
// evidenceFiles those that hold an uploaded file.
var (
	evidenceTexts = map[string]int{
		"access_activity_log": 20000, "billing_address": 5000, "cancellation_policy_disclosure": 20000, "cancellation_rebuttal": 20000,
		"customer_email_address": 5000, "customer_name": 5000, "customer_purchase_ip": 5000, "duplicate_charge_explanation": 20000,
		"duplicate_charge_id": 5000, "product_description": 20000, "refund_policy_disclosure": 20000, "refund_refusal_explanation": 20000,
		"service_date": 5000, "shipping_address": 5000, "shipping_carrier": 5000, "shipping_date": 5000, "shipping_tracking_number": 5000,
		"uncategorized_text": 20000,
	}
	evidenceFiles = []string{
		"cancellation_policy", "customer_communication", "customer_signature", "duplicate_charge_documentation", "receipt",
		"refund_policy", "service_documentation", "shipping_documentation", "uncategorized_file",
	}
)

// evidenceMax is how much all texts may hold together.
const evidenceMax = 150_000

func (s *Sim) updateDispute(f *form, id string) step {
	given := map[string]string{}
	for _, field := range sortedKeys(evidenceTexts) {
		if text := f.text("evidence["+field+"]", evidenceTexts[field]); text != "" {
			given[field] = text
		}
	}
	for _, field := range evidenceFiles {
		f.refuse("evidence[" + field + "]")
	}
	f.refuse("evidence[enhanced_evidence]")
	metadata := f.metadata("metadata")
	submits := !f.has("submit") || f.flag("submit")
	return func() (obj, *apiError) {
		d := s.dispute(id)
		switch {
		case d == nil:
			return nil, missing("dispute", id, "")
		case len(given) > 0 && !d.answerable(s.now):
			return nil, wrong("", "evidence", "Evidence about this dispute is not heard any more: it has a status of %s.", d.status)
		}
		evidence := maps.Clone(d.evidence)
		maps.Copy(evidence, given)
		total := 0
		for _, text := range evidence {
			total += len(text)
		}
		if total > evidenceMax {
			return nil, wrong("", "evidence", "The evidence holds more than %d characters.", evidenceMax)
		}
		d.evidence = evidence
		maps.Copy(d.metadata, metadata)
		if submits && len(d.evidence) > 0 && d.answerable(s.now) {
			d.submissions++
			d.status = underReview
			if d.inquiry {
				d.status = inquiryPrefix + underReview
			}
		}
		s.emit("charge.dispute.updated", d.json(s.now))
		return d.json(s.now), nil
	}
}

// acceptDispute is the seller giving in.
func (s *Sim) acceptDispute(_ *form, id string) step {
	return func() (obj, *apiError) {
		d := s.dispute(id)
		switch {
		case d == nil:
			return nil, missing("dispute", id, "")
		case !d.open():
			return nil, wrong("", "", "This dispute is closed already: it has a status of %s.", d.status)
		}
		s.decide(d, false)
		return d.json(s.now), nil
	}
}

func (s *Sim) dispute(id string) *dispute {
	return newest(s.disputes, func(d *dispute) bool { return d.id == id })
}

func (s *Sim) getDispute(_ *form, id string) step {
	return func() (obj, *apiError) {
		if d := s.dispute(id); d != nil {
			return d.json(s.now), nil
		}
		return nil, missing("dispute", id, "")
	}
}

func (s *Sim) listDisputes(f *form, _ string) step {
	intentID, chargeID, l := f.text("payment_intent", 255), f.text("charge", 255), f.listing()
	return func() (obj, *apiError) {
		var all []entry
		for _, d := range s.disputes {
			if (intentID == "" || d.charge.intent.id == intentID) && (chargeID == "" || d.charge.id == chargeID) {
				all = append(all, entry{d.id, d.createdAt, func() obj { return d.json(s.now) }})
			}
		}
		return l.show("/v1/disputes", all)
	}
}

func (d *dispute) link() link {
	return link{id: d.id, open: func() obj { return d.json(d.charge.sim.now) }}
}

func (d *dispute) json(now time.Time) obj {
	books := []any{}
	for _, t := range d.books {
		books = append(books, t.json(now))
	}
	evidence := obj{"enhanced_evidence": obj{}}
	for field := range evidenceTexts {
		evidence[field] = orNull(d.evidence[field])
	}
	for _, field := range evidenceFiles {
		evidence[field] = nil
	}
	o := obj{
		"id": d.id, "object": "dispute", "livemode": false, "created": d.createdAt.Unix(), "status": d.status,
		"amount": d.amount, "currency": d.charge.intent.currency, "charge": d.charge.link(), "payment_intent": d.charge.intent.link(),
		"reason": d.reason, "is_charge_refundable": d.inquiry && d.open(), "metadata": maps.Clone(d.metadata), "balance_transactions": books,
		"evidence": evidence, "enhanced_eligibility_types": []any{},
		"evidence_details": obj{
			"due_by": d.dueAt.Unix(), "has_evidence": len(d.evidence) > 0, "past_due": !now.Before(d.dueAt),
			"submission_count": d.submissions, "enhanced_eligibility": obj{},
		},
	}
	if tool := d.charge.method.tool; tool.kind == "card" {
		kind := "chargeback"
		if d.inquiry {
			kind = "inquiry"
		}
		o["payment_method_details"] = obj{"type": "card", "card": obj{"brand": tool.brand, "network": tool.brand, "case_type": kind, "network_reason_code": "10.4"}}
	}
	return o
}

// Dispute is one dispute, for an auditor.
type Dispute struct {
	ID, Charge    string
	PaymentIntent string
	Status        string
	Submitted     map[string]string // the evidence that the bank has; nil without
	DueAt         time.Time
}

// Disputes returns all disputes, oldest first.
func (s *Sim) Disputes() []Dispute {
	s.enter()
	defer s.mu.Unlock()
	var all []Dispute
	for _, d := range s.disputes {
		v := Dispute{ID: d.id, Charge: d.charge.id, PaymentIntent: d.charge.intent.id, Status: d.status, DueAt: d.dueAt}
		if d.submissions > 0 {
			v.Submitted = maps.Clone(d.evidence)
		}
		all = append(all, v)
	}
	return all
}
