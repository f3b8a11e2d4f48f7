package paypaysim

import (
	"net/http"
	"time"
)

const (
	refundTakes = 5 * time.Second // from CREATED to REFUNDED
	cancelTakes = 3 * time.Second // from REQUEST_ACCEPTED to FAILED
	throttle    = time.Minute     // between two refunds of one payment
	refundDays  = 365             // after the day of the payment
)

// jst is PayPay's calendar. Japan has no summer time.
func jst() *time.Location { return time.FixedZone("JST", 9*60*60) }

// day is the midnight in Japan that begins the nth day after that of t.
func day(t time.Time, n int) time.Time {
	year, month, date := t.In(jst()).Date()
	return time.Date(year, month, date+n, 0, 0, 0, 0, jst())
}

// refund is money on its way back. It always arrives.
type refund struct {
	id          string // merchantRefundId
	payment     *payment
	yen         int64
	requestedAt int64 // epoch seconds
	reason      string
	acceptedAt  time.Time
	doneAt      time.Time // may be in the future; zero while refunds are held
}

func (r *refund) json(t time.Time) obj {
	v := obj{
		"status":           created,
		"acceptedAt":       r.acceptedAt.Unix(),
		"merchantRefundId": r.id,
		"paymentId":        r.payment.paymentID,
		"amount":           yen(r.yen),
		"requestedAt":      r.requestedAt,
		"reason":           orNull(r.reason),
	}
	if happened(r.doneAt, t) {
		v["status"], v["acceptedAt"] = refunded, r.doneAt.Unix()
	}
	return v
}

func (p *payment) refundBy(id string) *refund {
	for _, r := range p.refunds {
		if r.id == id {
			return r
		}
	}
	return nil
}

func (s *Sim) refund(body []byte) answer {
	f := parse(body)
	r := &refund{
		id:          f.id("merchantRefundId"),
		yen:         f.yen("amount"),
		requestedAt: f.whole("requestedAt", true),
		reason:      f.text("reason", false, 255),
		acceptedAt:  s.now,
	}
	paymentID := f.text("paymentId", true, 64)
	if wrong := f.end(); wrong != nil {
		return *wrong
	}
	p := s.byID[paymentID]
	if p == nil {
		if s.byRef[paymentID] != nil {
			return serverError.answer() // the merchant's identifier instead of PayPay's
		}
		return orderNotFound.answer()
	}
	if known := p.refundBy(r.id); known != nil {
		return success(http.StatusOK, known.json(s.now))
	}
	if no := s.unrefundable(p, r.yen); no != nil {
		return no.answer()
	}
	if !s.holdRefunds {
		r.doneAt = s.now.Add(refundTakes)
	}
	r.payment = p
	p.refunds = append(p.refunds, r)
	return success(http.StatusOK, r.json(s.now))
}

// unrefundable says why n yen of p cannot be returned now, nil if they can.
func (s *Sim) unrefundable(p *payment, n int64) *refusal {
	switch already := len(p.refunds); {
	case p.completedAt.IsZero() || !p.failedAt.IsZero(): // unpaid, or being cancelled
		return &notRefundable
	case !s.now.Before(day(p.completedAt, refundDays+1)):
		return &refundWindow
	case s.cfg.SingleRefund && already > 0:
		return &refundOnlyOnce
	case n > p.yen-p.refunded():
		return &tooMuch
	case already >= s.cfg.MaxRefunds:
		return &refundLimit
	case already > 0 && s.now.Before(p.refunds[already-1].acceptedAt.Add(throttle)):
		return &refundThrottled
	}
	return nil
}

func (s *Sim) refundDetails(id, paymentID string) answer {
	if !plain(id) {
		return invalidParams.answer()
	}
	if paymentID == "" {
		return missingParam.of("paymentId")
	}
	seen := s.now.Add(-s.lag)
	if p := s.byID[paymentID]; p != nil {
		if r := p.refundBy(id); r != nil && happened(r.acceptedAt, seen) {
			return success(http.StatusOK, r.json(seen))
		}
	}
	return refundNotFound.answer()
}

// cancel promises that the money goes back, if any was or will be taken.
func (s *Sim) cancel(ref string) answer {
	if !plain(ref) {
		return invalidParams.answer()
	}
	p := s.byRef[ref]
	if p == nil { // nothing was ever heard of it, and now nothing will be
		s.add(&payment{order: order{ref: ref}, cancelAsked: true})
		return accepted()
	}
	if p.completedAt.IsZero() {
		p.cancelAsked = true
		return accepted()
	}
	if !p.failedAt.IsZero() {
		return accepted()
	}
	if len(p.refunds) > 0 || !s.now.Before(cancelEnds(p.completedAt)) {
		return notReversible.answer()
	}
	p.cancelAsked = true
	p.failedAt = s.now.Add(cancelTakes)
	return accepted()
}

// cancelEnds is the first instant at which a payment can no longer be
// cancelled: a quarter past midnight, in Japan, after the day it was made.
func cancelEnds(paidAt time.Time) time.Time { return day(paidAt, 1).Add(15 * time.Minute) }
