package antomsim

import (
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// refund is one refundRequestId.
type refund struct {
	p           *payment
	request, id string
	amount      money.Money
	notifyURL   string

	askedAt, doneAt, failedAt time.Time // the latter two are zero until then

	endsAt  time.Time // when it ends by itself; zero: it has, or does not
	bounces bool      // and how
	code    string    // why it failed
}

// slow is how long a refund takes that is not made at once.
const slow = 5 * time.Minute

func (r *refund) status(at time.Time) status {
	switch {
	case !r.failedAt.IsZero() && !at.Before(r.failedAt):
		return failed
	case !r.doneAt.IsZero() && !at.Before(r.doneAt):
		return succeeded
	}
	return processing
}

func (r *refund) result(at time.Time) members {
	switch r.status(at) {
	case succeeded:
		return success
	case failed:
		return r.failure().result()
	case processing, pending, cancelled:
	}
	return refundInProcess().result()
}

func (r *refund) failure() *failure { return refused(r.code, refusals[r.code]) }

func refundInProcess() *failure {
	return unknown("REFUND_IN_PROCESS", "The refund is being processed.")
}

// Why a refund is refused, or fails.
var refusals = map[string]string{
	"ORDER_STATUS_INVALID":        "The order status is invalid.",
	"REFUND_AMOUNT_EXCEED":        "The total refund amount exceeds the payment amount.",
	"REFUND_WINDOW_EXCEED":        "The refund date exceeds the refundable period.",
	"MERCHANT_BALANCE_NOT_ENOUGH": "The merchant balance is insufficient.",
	"PROCESS_FAIL":                "A general business failure occurred.",
}

// returned is what has been given back of a payment, or is about to be.
func (p *payment) returned(at time.Time) (minor int64) {
	for _, r := range p.refunds {
		if !r.askedAt.After(at) && r.status(at) != failed {
			minor += r.amount.Minor
		}
	}
	return minor
}

func (s *Sim) refund(c call) (members, *failure) {
	c.only("refundRequestId", "paymentId", "refundAmount", "referenceRefundId", "refundReason", "refundNotifyUrl", "metadata", "extendInfo")
	request, id := c.id("refundRequestId", true), c.id("paymentId", true)
	amount := c.amount("refundAmount")
	c.id("referenceRefundId", false)
	c.text("refundReason", 256, false)
	notify := c.address("refundNotifyUrl", 1024, false)
	if c.bad != nil {
		return nil, c.bad
	}
	if r := s.refunds[request]; r != nil {
		if r.amount != amount || r.p.id != id {
			return nil, refused("REPEAT_REQ_INCONSISTENT", "The amount or currency is different from the previous request.")
		}
		return s.sayRefund(r)
	}
	p := s.byID[id]
	switch {
	case p == nil:
		return nil, refused("ORDER_NOT_EXIST", "The order does not exist.")
	case amount.Currency != p.amount.Currency:
		return nil, refused("CURRENCY_NOT_SUPPORT", "The currency is not supported.")
	case notify == "":
		notify = s.cfg.NotifyURL
	}
	return s.sayRefund(s.giveBack(p, request, amount, notify, c.trouble))
}

// giveBack makes a refund, whichever way it ends.
func (s *Sim) giveBack(p *payment, request string, amount money.Money, notify string, how Trouble) *refund {
	r := &refund{p: p, request: request, id: s.refundID(), amount: amount, notifyURL: notify, askedAt: s.now}
	s.refunds[request], s.refundsID[r.id] = r, r
	p.refunds = append(p.refunds, r)
	r.code = s.mayReturn(r)
	switch {
	case how == Poor && r.code == "":
		r.code = "MERCHANT_BALANCE_NOT_ENOUGH"
		r.failedAt = s.now
	case r.code != "":
		r.failedAt = s.now
	case how == Slow || how == Bounced:
		r.endsAt, r.bounces = s.now.Add(slow), how == Bounced
		s.returning = append(s.returning, r)
	case how == Stuck:
	default:
		s.finish(r, true, s.now)
	}
	return r
}

// mayReturn says why a refund cannot be made; "" if it can.
func (s *Sim) mayReturn(r *refund) string {
	p := r.p
	switch {
	case p.status(s.now) != succeeded:
		return "ORDER_STATUS_INVALID"
	case s.now.Sub(p.paidAt) > s.cfg.RefundWithin:
		return "REFUND_WINDOW_EXCEED"
	case p.returned(s.now) > p.amount.Minor: // r is among them
		return "REFUND_AMOUNT_EXCEED"
	}
	return ""
}

// finish ends a refund and tells it.
func (s *Sim) finish(r *refund, done bool, at time.Time) {
	r.endsAt = time.Time{}
	kind := Refunded
	told := members{
		"notifyType": "REFUND_RESULT", "refundRequestId": r.request, "refundId": r.id, "refundAmount": amountText(r.amount), "refundStatus": string(succeeded),
		"result": success,
	}
	if done {
		r.doneAt = at
		told["refundTime"] = iso(at)
	} else {
		r.failedAt, r.code, kind = at, "PROCESS_FAIL", RefundFailed
		told["refundStatus"], told["result"] = string(failed), r.failure().result()
	}
	s.tell(kind, r.notifyURL, told, at)
}

func (s *Sim) sayRefund(r *refund) (members, *failure) {
	switch r.status(s.now) {
	case failed:
		return nil, r.failure()
	case succeeded:
		return members{
			"refundRequestId": r.request, "refundId": r.id, "paymentId": r.p.id, "refundAmount": amountText(r.amount), "refundTime": iso(r.doneAt),
		}, nil
	case processing, pending, cancelled:
	}
	return nil, refundInProcess()
}

func (s *Sim) inquiryRefund(c call) (members, *failure) {
	at := s.now.Add(-s.lag)
	c.only("refundRequestId", "refundId", "merchantAccountId")
	request, id := c.id("refundRequestId", false), c.id("refundId", false)
	switch {
	case c.bad != nil:
		return nil, c.bad
	case request == "" && id == "":
		return nil, illegal("refundRequestId and refundId are both missing")
	}
	r := s.refunds[request]
	if id != "" {
		r = s.refundsID[id]
	}
	if r == nil || r.askedAt.After(at) {
		return nil, refused("ORDER_NOT_EXIST", "The order does not exist.")
	}
	said := members{
		"refundRequestId": r.request, "refundId": r.id, "refundAmount": amountText(r.amount), "refundStatus": string(r.status(at)),
	}
	if r.status(at) == succeeded {
		said["refundTime"] = iso(r.doneAt)
	}
	return said, nil
}

func (s *Sim) refundID() string {
	return s.now.In(pacific).Format("20060102") + "19401080130018" + s.digits(13)
}
