package antomsim

import "time"

// lookUp finds the payment that a request names. paymentId wins.
func (s *Sim) lookUp(r *reader, at time.Time) (*payment, *failure) {
	r.only("paymentRequestId", "paymentId", "merchantAccountId")
	ref, id := r.id("paymentRequestId", false), r.id("paymentId", false)
	switch {
	case r.bad != nil:
		return nil, r.bad
	case ref == "" && id == "":
		return nil, illegal("paymentRequestId and paymentId are both missing")
	}
	p := s.byRef[ref]
	if id != "" {
		p = s.byID[id]
	}
	if p == nil || at.Before(p.createdAt) {
		return nil, refused("ORDER_NOT_EXIST", "The order does not exist.")
	}
	return p, nil
}

func (s *Sim) inquiryPayment(c call) (members, *failure) {
	at := s.now.Add(-s.lag)
	p, bad := s.lookUp(c.reader, at)
	if bad != nil {
		return nil, bad
	}
	said, code := p.named(), p.resultCode(at)
	said["paymentStatus"] = string(p.status(at))
	said["paymentResultCode"], said["paymentResultMessage"] = code, messages[code]
	said["paymentMethodType"] = p.method
	if p.status(at) == succeeded {
		said["paymentTime"] = iso(p.paidAt)
	}
	if list := p.transactions(at); len(list) > 0 {
		said["transactions"] = list
	}
	return said, nil
}

// transactions are what followed the payment: refunds and the cancel.
func (p *payment) transactions(at time.Time) (all []members) {
	one := func(kind, id, request string, st status, amount members, result members, when time.Time) {
		m := members{
			"transactionType": kind, "transactionId": id, "transactionRequestId": request, "transactionStatus": string(st),
			"transactionAmount": amount, "transactionResult": result,
		}
		if !when.IsZero() {
			m["transactionTime"] = iso(when)
		}
		all = append(all, m)
	}
	for _, r := range p.refunds {
		if r.askedAt.After(at) {
			continue
		}
		when := time.Time{}
		if r.status(at) == succeeded {
			when = r.doneAt
		}
		one("REFUND", r.id, r.request, r.status(at), amountText(r.amount), r.result(at), when)
	}
	if p.status(at) == cancelled {
		one("CANCEL", p.id, p.ref, succeeded, amountText(p.amount), success, p.cancelledAt)
	}
	return all
}

// cancelEnds is the first instant at which a payment can no longer be
// cancelled: a quarter past midnight, in UTC+8, after the day it was made.
func cancelEnds(paidAt time.Time) time.Time {
	y, m, d := paidAt.In(beijing).Date()
	return time.Date(y, m, d+1, 0, 15, 0, 0, beijing)
}

func (s *Sim) cancel(c call) (members, *failure) {
	p, bad := s.lookUp(c.reader, s.now)
	if bad != nil {
		return nil, bad
	}
	said := members{"paymentId": p.id, "paymentRequestId": p.ref, "cancelTime": iso(s.now)}
	switch p.status(s.now) {
	case cancelled:
		said["cancelTime"] = iso(p.cancelledAt)
		return said, nil
	case failed: // nothing to do, and it stays so
		return said, nil
	case succeeded:
		if p.returned(s.now) > 0 {
			return nil, refused("PROCESS_FAIL", "A refunded payment cannot be canceled.")
		}
		if !s.now.Before(cancelEnds(p.paidAt)) {
			return nil, refused("CANCEL_WINDOW_EXCEED", "The cancel date exceeds the cancelable period.")
		}
	case processing, pending:
	}
	p.cancelledAt = s.now
	return said, nil
}
