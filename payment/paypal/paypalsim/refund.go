package paypalsim

import (
	"net/http"
	"time"
)

// refund is one return of money from a capture.
type refund struct {
	id         string
	capture    *capture
	key        string // PayPal-Request-Id, "" for the desk's
	state      string // completed, pending, failed
	units      int64
	invoice    string
	custom     string
	note       string
	reversal   bool  // by PayPal, not by the merchant
	totalAfter int64 // returned of the capture, with this one
	createdAt  time.Time
	updatedAt  time.Time
}

// What the account allows.
const (
	refundWithin = 180 * 24 * time.Hour
	refundsMax   = 10
)

func (r *refund) path() string { return "/v2/payments/refunds/" + r.id }

func (s *Sim) refundCapture(id string, q request) (answer, func(bool) answer) {
	c := s.captureOf[id]
	if c == nil {
		return s.refuse(missing()), nil
	}
	r := &refund{
		capture: c, key: q.key, units: c.amount - c.refunded(),
		invoice: text(q.fields, "invoice_id"), custom: text(q.fields, "custom_id"), note: text(q.fields, "note_to_payer"),
	}
	if _, part := q.fields["amount"]; part {
		value, currency := text(q.fields, "amount", "value"), text(q.fields, "amount", "currency_code")
		units, issue := readAmount(value, currency)
		if issue == "" && currency != c.order.currency {
			issue = "REFUND_CAPTURE_CURRENCY_MISMATCH"
		}
		if issue != "" {
			return s.refuse(unfit(issue, "/amount", value+" "+currency)), nil
		}
		r.units = units
	}
	if issue := s.giveBack(r); issue != "" {
		return s.refuse(unfit(issue, "", "")), nil
	}
	again := func(full bool) answer { return s.refundShown(r, full) }
	return again(q.full), again
}

// giveBack makes a refund, or says by which issue PayPal refuses it.
func (s *Sim) giveBack(r *refund) (issue string) {
	c := r.capture
	made := 0
	for _, other := range c.refunds {
		if other.state != failed {
			made++
		}
	}
	left := c.amount - c.refunded()
	switch {
	case c.state == pending:
		return "PENDING_CAPTURE"
	case c.state != completed:
		return "REFUND_NOT_ALLOWED"
	case left == 0:
		return "CAPTURE_FULLY_REFUNDED"
	case s.now.Sub(c.takenAt) > refundWithin:
		return "REFUND_TIME_LIMIT_EXCEEDED"
	case r.units > left:
		return "REFUND_AMOUNT_EXCEEDED"
	case made >= refundsMax:
		return "MAX_NUMBER_OF_REFUNDS_EXCEEDED"
	case r.units < left && c.disputed() > 0:
		return "TRANSACTION_DISPUTED"
	}
	if other := s.refundOf[r.invoice]; r.invoice != "" && other != nil && other.state != failed {
		return "DUPLICATE_INVOICE_ID"
	}
	r.id, r.state, r.createdAt = s.newID(idLetters, 17), completed, s.now
	if s.holdRefunds {
		r.state = pending
	}
	c.refunds = append(c.refunds, r)
	for _, name := range []string{r.id, r.key, r.invoice, r.custom} {
		s.refundOf[name] = r
	}
	r.totalAfter = c.refunded()
	s.refundSettled(r)
	if c.refunded() == c.amount && c.dispute != nil && c.dispute.open() {
		s.resolve(c.dispute, buyerWon, c.dispute.units)
	}
	return ""
}

// refundSettled tells what became of a refund.
func (s *Sim) refundSettled(r *refund) {
	c := r.capture
	r.updatedAt, c.updatedAt = s.now, s.now
	kind, summary := "PAYMENT.CAPTURE.REFUNDED", "A refund was made"
	switch r.state {
	case pending:
		kind, summary = "PAYMENT.REFUND.PENDING", "A refund is pending"
	case failed:
		kind, summary = "PAYMENT.REFUND.FAILED", "A refund failed"
	}
	s.changed(c.order)
	s.tell(kind, "refund", "2.0", summary, s.refundView(r))
}

func (s *Sim) refundShown(r *refund, full bool) answer {
	v := s.refundView(r)
	if !full {
		v = obj{"id": r.id, "status": r.state, "links": v["links"]}
	}
	return say(http.StatusCreated, v)
}

func (s *Sim) refundView(r *refund) obj {
	currency := r.capture.order.currency
	v := obj{
		"id": r.id, "status": r.state, "amount": amountOf(r.units, currency),
		"seller_payable_breakdown": obj{
			"gross_amount": amountOf(r.units, currency), "paypal_fee": amountOf(0, currency),
			"net_amount": amountOf(r.units, currency), "total_refunded_amount": amountOf(r.totalAfter, currency),
		},
		"create_time": stamp(r.createdAt), "update_time": stamp(r.updatedAt),
		"links": []obj{self(r.path(), "self"), self(r.capture.path(), "up")},
	}
	for field, t := range map[string]string{"invoice_id": r.invoice, "custom_id": r.custom, "note_to_payer": r.note} {
		if t != "" {
			v[field] = t
		}
	}
	if r.state == pending {
		v["status_details"] = obj{"reason": "ECHECK"}
	}
	return v
}
