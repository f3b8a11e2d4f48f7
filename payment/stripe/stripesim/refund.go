package stripesim

import (
	"maps"
	"time"
)

// refund is money on its way back.
type refund struct {
	id        string
	charge    *charge
	amount    int64
	status    string // pending, succeeded, failed
	reason    string
	metadata  map[string]string
	createdAt time.Time

	transaction, failure *transaction // what it took, and what came back when it failed
}

func (s *Sim) createRefund(f *form, _ string) step {
	intentID, chargeID := f.text("payment_intent", 255), f.text("charge", 255)
	amount, some := f.integer("amount")
	r := &refund{
		reason:   f.word("reason", "duplicate", "fraudulent", "requested_by_customer"),
		metadata: f.metadata("metadata"),
	}
	f.ignore("instructions_email")
	f.refuse("currency", "customer", "origin", "refund_application_fee", "reverse_transfer")
	switch {
	case intentID == "" && chargeID == "":
		f.fail(wrong("parameter_missing", "payment_intent", "One of the following params should be provided for this request: payment_intent or charge."))
	case intentID != "" && chargeID != "":
		f.fail(wrong("parameters_exclusive", "charge", "You may only specify one of these parameters: charge, payment_intent."))
	case some && amount < 1:
		f.fail(wrong("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1."))
	}
	return func() (obj, *apiError) {
		ch, e := s.refundable(intentID, chargeID)
		if e != nil {
			return nil, e
		}
		left := ch.captured - ch.refunded
		if !some {
			amount = left
		}
		if amount > left {
			return nil, wrong("", "amount", "Refund amount (%d) is greater than unrefunded amount on charge (%d).", amount, left)
		}
		r.charge, r.amount = ch, amount
		s.begin(r)
		return r.json(), nil
	}
}

// refundable finds the charge that took the money.
func (s *Sim) refundable(intentID, chargeID string) (*charge, *apiError) {
	what, id, param := "payment_intent", intentID, "payment_intent"
	if chargeID != "" {
		what, id, param = "charge", chargeID, "charge"
	}
	found := s.named.intents[id]
	if len(found) == 0 || chargeID == "" && found[0].id != id {
		return nil, missing(what, id, param)
	}
	ch := found[0].latest
	for _, c := range found[0].charges {
		if c.id == chargeID {
			ch = c
		}
	}
	switch {
	case ch == nil || ch.status != "succeeded" || ch.captured == 0:
		return nil, wrong("charge_not_refundable", param, "%s has no successful charge to refund.", id)
	case s.contested(ch):
		return nil, wrong("charge_disputed", "", "Charge %s has been charged back; cannot issue a refund.", ch.id)
	case ch.refunded >= ch.captured:
		return nil, wrong("charge_already_refunded", "", "Charge %s has already been refunded.", ch.id)
	}
	return ch, nil
}

func (s *Sim) begin(r *refund) {
	r.id, r.createdAt, r.status = s.newID("re_3", 23), s.now, "succeeded"
	if s.holdRefunds {
		r.status = "pending"
	}
	ch := r.charge
	ch.refunded += r.amount
	s.refunds = append(s.refunds, r)
	s.bookRefund(r)
	for _, name := range namesOf([]string{r.id}, r.metadata) {
		s.named.refunds[name] = append(s.named.refunds[name], r)
	}
	s.emit("refund.created", r.json())
	s.emit("charge.refunded", ch.json())
	for _, d := range s.disputes {
		if d.charge == ch && d.inquiry && d.open() && ch.refunded == ch.captured {
			s.decide(d, true) // there is nothing left to ask about
		}
	}
}

// finish ends a pending refund. One that had succeeded can still come back
// days later, when the customer's bank cannot take it.
func (s *Sim) finish(r *refund, ok bool) {
	if ok {
		r.status = "succeeded"
	} else {
		r.status = "failed"
		r.charge.refunded -= r.amount
		r.failure = s.book(&transaction{kind: "refund_failure", amount: r.amount, currency: r.charge.intent.currency, source: r.link()})
		s.emit("refund.failed", r.json())
	}
	s.emit("refund.updated", r.json())
	s.emit("charge.refund.updated", r.json())
}

func (s *Sim) getRefund(_ *form, id string) step {
	return func() (obj, *apiError) {
		for _, r := range s.named.refunds[id] {
			if r.id == id {
				return r.json(), nil
			}
		}
		return nil, missing("refund", id, "")
	}
}

func (s *Sim) listRefunds(f *form, _ string) step {
	intentID, chargeID, l := f.text("payment_intent", 255), f.text("charge", 255), f.listing()
	return func() (obj, *apiError) {
		if intentID != "" && s.intent(intentID) == nil {
			return nil, missing("payment_intent", intentID, "payment_intent")
		}
		var all []entry
		for _, r := range s.refunds {
			if (intentID == "" || r.charge.intent.id == intentID) && (chargeID == "" || r.charge.id == chargeID) {
				all = append(all, entry{r.id, r.createdAt, r.json})
			}
		}
		return l.show("/v1/refunds", all)
	}
}

func (r *refund) link() link { return link{id: r.id, open: r.json} }

func (r *refund) json() obj {
	o := obj{
		"id": r.id, "object": "refund", "amount": r.amount, "currency": r.charge.intent.currency, "status": r.status,
		"charge": r.charge.link(), "payment_intent": r.charge.intent.link(), "reason": orNull(r.reason),
		"metadata": maps.Clone(r.metadata), "created": r.createdAt.Unix(), "balance_transaction": r.transaction.link(r.charge.sim.now), "receipt_number": nil,
		"destination_details": obj{"type": r.charge.method.tool.kind},
	}
	o["failure_balance_transaction"] = link{hidden: true}
	switch r.status {
	case "failed":
		o["failure_reason"] = "expired_or_canceled_card"
		o["failure_balance_transaction"] = r.failure.link(r.charge.sim.now)
	case "pending":
		o["pending_reason"] = "processing"
	}
	return o
}
