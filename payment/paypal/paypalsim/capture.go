package paypalsim

import (
	"net/http"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// The states of a capture that are stored; those after a refund are derived.
const (
	completed = "COMPLETED"
	pending   = "PENDING"
	declined  = "DECLINED"
	failed    = "FAILED"
)

const instrumentDeclined = "INSTRUMENT_DECLINED"

// capture is the money of one order.
type capture struct {
	id        string
	order     *order
	payee     string // the merchant
	state     string // completed, pending, declined
	reason    string // of pending
	amount    int64
	createdAt time.Time
	takenAt   time.Time // when it was completed
	settledAt time.Time // when it got the state that it has
	updatedAt time.Time
	refunds   []*refund
	dispute   *dispute // the newest
}

func (c *capture) path() string { return "/v2/payments/captures/" + c.id }

func (c *capture) money(units int64) money.Money { return moneyOf(units, c.order.currency) }

// refunded is what is on its way back or arrived.
func (c *capture) refunded() (total int64) {
	for _, r := range c.refunds {
		if r.state != failed {
			total += r.units
		}
	}
	return total
}

// reversed is what of refunded went back because a dispute was decided for the buyer.
func (c *capture) reversed() (units int64) {
	for _, r := range c.refunds {
		if r.reversal && r.state == completed {
			units += r.units
		}
	}
	return units
}

// disputed is what an open dispute withholds.
func (c *capture) disputed() int64 {
	if c.dispute == nil || !c.dispute.open() {
		return 0
	}
	return min(c.dispute.units, c.amount-c.refunded())
}

// status is the state as the API shows it.
func (c *capture) status() string {
	back := c.refunded()
	switch {
	case c.state != completed || back == 0:
		return c.state
	case back < c.amount:
		return "PARTIALLY_REFUNDED"
	}
	return "REFUNDED"
}

func (s *Sim) captureOrder(id string, q request) (answer, func(bool) answer) {
	o := s.orders[id]
	if o == nil || o.state == lapsed {
		return s.refuse(missing()), nil
	}
	switch o.state {
	case needsPayer:
		return s.refuse(unfit("ORDER_NOT_APPROVED", "", "")), nil
	case voided:
		return s.refuse(unfit("ORDER_EXPIRED", "", "")), nil
	case done:
		return s.refuse(unfit("ORDER_ALREADY_CAPTURED", "", "")), nil
	}
	if i := o.invoice(); i != "" && s.invoices[i] != nil {
		return s.refuse(unfit("DUPLICATE_INVOICE_ID", "/purchase_units/0/invoice_id", i)), nil
	}
	if o.tool == DeclinedLater {
		o.declined = true
		if !s.cfg.DeclinedStaysApproved {
			o.state = needsPayer
		}
		s.changed(o)
		no := unfit(instrumentDeclined, "", "")
		no.way = s.page(o)
		return s.refuse(no), func(bool) answer { return s.refuse(no) }
	}
	s.take(o)
	return s.shown(http.StatusCreated, o, q.full), func(full bool) answer { return s.shown(http.StatusOK, o, full) }
}

// take captures an approved order, as far as the payer's tool lets it.
func (s *Sim) take(o *order) {
	c := &capture{id: s.newID(idLetters, 17), order: o, payee: s.cfg.MerchantID, state: completed, amount: o.units, createdAt: s.now, updatedAt: s.now}
	switch {
	case o.tool == Denied:
		c.state = declined
	case o.tool == ECheck:
		c.state, c.reason = pending, "ECHECK"
	case s.pendNext > 0:
		s.pendNext--
		c.state, c.reason = pending, "PENDING_REVIEW"
	}
	o.state, o.capture = done, c
	s.captures = append(s.captures, c)
	s.captureOf[c.id] = c
	if i := o.invoice(); i != "" && c.state != declined {
		s.invoices[i] = o
	}
	s.settled(c)
}

// settled tells what became of a capture.
func (s *Sim) settled(c *capture) {
	c.updatedAt, c.settledAt = s.now, s.now
	kind, summary := "PAYMENT.CAPTURE.COMPLETED", "Payment completed"
	switch c.state {
	case pending:
		kind, summary = "PAYMENT.CAPTURE.PENDING", "Payment pending"
	case declined:
		kind, summary = "PAYMENT.CAPTURE.DECLINED", "Payment declined"
	default:
		c.takenAt = s.now
	}
	if c.state == completed && c.order.wantsSaving() {
		s.save(c.order)
	}
	s.changed(c.order)
	s.tell(kind, "capture", "2.0", summary, s.captureView(c))
}

func (s *Sim) captureView(c *capture) obj {
	o := c.order
	v := obj{
		"id": c.id, "status": c.status(), "amount": amountOf(c.amount, o.currency), "final_capture": true,
		"seller_protection":  obj{"status": "ELIGIBLE", "dispute_categories": []string{"ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"}},
		"disbursement_mode":  "INSTANT",
		"supplementary_data": obj{"related_ids": obj{"order_id": o.id}},
		"payee":              obj{"merchant_id": s.cfg.MerchantID},
		"create_time":        stamp(c.createdAt),
		"update_time":        stamp(c.updatedAt),
		"links":              []obj{self(c.path(), "self"), link(apiBase+c.path()+"/refund", "refund", http.MethodPost), self(o.path(), "up")},
	}
	for _, field := range []string{"custom_id", "invoice_id"} {
		if t := o.unit(field); t != "" {
			v[field] = t
		}
	}
	switch c.state {
	case pending:
		v["status_details"] = obj{"reason": c.reason}
	case completed:
		fee := feeOf(c.amount, o.currency)
		v["seller_receivable_breakdown"] = obj{
			"gross_amount": amountOf(c.amount, o.currency),
			"paypal_fee":   amountOf(fee, o.currency),
			"net_amount":   amountOf(c.amount-fee, o.currency),
		}
	}
	return v
}
