package linepaysim

import (
	"encoding/json"
	"time"
)

// payment is a request and the facts that followed, each with its instant, so
// that what was true at an earlier one can still be told.
type payment struct {
	order
	id      int64
	reserve string // names the page

	requestedAt time.Time
	agreedAt    time.Time
	cancelledAt time.Time
	failedAt    time.Time // the bank refused when we confirmed
	confirmedAt time.Time
	capturedAt  time.Time
	voidedAt    time.Time

	tool     tool  // the customer's, once agreed
	captured int64 // in the smallest unit of the wire
	refunds  []*refund
}

type refund struct {
	id     int64
	amount int64
	full   bool // one refund of all
	at     time.Time
}

// phase is how far a payment has come.
type phase string

const (
	unheard    phase = "unheard" // not requested yet
	waiting    phase = "waiting" // for the customer
	approved   phase = "approved"
	lapsed     phase = "lapsed" // nobody agreed, or nobody confirmed, in time
	cancelled  phase = "cancelled"
	failed     phase = "failed"
	authorised phase = "authorised"
	voided     phase = "voided"
	released   phase = "released" // authorised, and never captured
	captured   phase = "captured"
)

// phaseAt derives the phase at an instant from the facts until then.
func (s *Sim) phaseAt(p *payment, at time.Time) phase {
	until := func(t time.Time) bool { return !t.IsZero() && !t.After(at) }
	over := func(t time.Time, d time.Duration) bool { return !at.Before(t.Add(d)) }
	switch {
	case !until(p.requestedAt):
		return unheard
	case until(p.capturedAt):
		return captured
	case until(p.voidedAt):
		return voided
	case until(p.confirmedAt) && over(p.confirmedAt, authorisedFor):
		return released
	case until(p.confirmedAt):
		return authorised
	case until(p.failedAt):
		return failed
	case until(p.cancelledAt):
		return cancelled
	case until(p.agreedAt) && !over(p.agreedAt, s.cfg.ConfirmWithin):
		return approved
	case until(p.agreedAt), over(p.requestedAt, agreeWithin):
		return lapsed
	}
	return waiting
}

func (s *Sim) phase(p *payment) phase { return s.phaseAt(p, s.now) }

func (p *payment) refunded() (total int64) {
	for _, r := range p.refunds {
		total += r.amount
	}
	return total
}

// confirm takes the money the customer agreed to, or reserves it.
func (s *Sim) confirm(id int64, body []byte) reply {
	o := open(body, false)
	amount, currency := s.readConfirm(o)
	if !o.ok() {
		return o.wrong
	}
	p := s.byID[id]
	if p == nil {
		return plain(noRecord)
	}
	switch s.phase(p) {
	case unheard:
		return plain(noRecord)
	case waiting:
		return plain(notAgreed)
	case lapsed:
		return plain(expired)
	case cancelled, failed:
		return plain(noRequest)
	case authorised, voided, released, captured:
		return plain(alreadyMade)
	case approved:
	}
	if currency != string(s.cfg.Currency) {
		return plain(otherCurrency)
	}
	if amount != p.amount {
		return plain(otherAmount)
	}
	if p.tool.refusal != "" {
		p.failedAt = s.now
		return plain(p.tool.refusal)
	}
	p.confirmedAt = s.now
	info := taken{OrderID: p.ref, TransactionID: p.id, PayInfo: s.payInfo(p, p.amount), Packages: s.shownPackages(p.order)}
	if p.capture {
		p.capturedAt, p.captured = s.now, p.amount
	} else {
		info.Expires = stamp(p.confirmedAt.Add(authorisedFor))
	}
	return done(info)
}

// taken is what confirm and capture answer.
type taken struct {
	OrderID       string         `json:"orderId"`
	TransactionID int64          `json:"transactionId"`
	Expires       string         `json:"authorizationExpireDate,omitempty"`
	PayInfo       []payInfo      `json:"payInfo"`
	Packages      []shownPackage `json:"packages,omitempty"`
}

func (s *Sim) readConfirm(o object) (amount int64, currency string) {
	amount, _ = o.amount("amount", s.places, true)
	currency = o.text("currency", 3, true)
	o.end()
	if amount == 0 {
		o.fail(plain(tooLittle))
	}
	return amount, currency
}

// capture takes what confirm reserved, or less of it.
func (s *Sim) capture(id int64, body []byte) reply {
	o := open(body, false)
	amount, currency := s.readConfirm(o)
	if !o.ok() {
		return o.wrong
	}
	p, code := s.transaction(id)
	switch {
	case code != success:
		return plain(code)
	case s.phase(p) != authorised:
		return plain(wrongState)
	case currency != string(s.cfg.Currency):
		return plain(otherCurrency)
	case amount > p.amount:
		return plain(tooMuch)
	}
	p.capturedAt, p.captured = s.now, amount
	return done(taken{OrderID: p.ref, TransactionID: p.id, PayInfo: s.payInfo(p, amount)})
}

// void gives back what confirm reserved.
func (s *Sim) void(id int64, body []byte) reply {
	o := open(body, true)
	o.end()
	if !o.ok() {
		return o.wrong
	}
	p, code := s.transaction(id)
	if code != success {
		return plain(code)
	}
	switch s.phase(p) {
	case authorised:
		p.voidedAt = s.now
		return plain(success)
	case voided, released:
		return plain(alreadyBack)
	case unheard, waiting, approved, lapsed, cancelled, failed, captured:
	}
	return plain(wrongID)
}

// refund gives money back. Nothing tells one refund from another: the same call
// again is another one.
func (s *Sim) refund(id int64, body []byte) reply {
	o := open(body, true)
	amount, partly := o.amount("refundAmount", s.places, false)
	o.end()
	switch {
	case o.wrong.Code == tooLittle, o.ok() && partly && amount == 0:
		return plain(badAmount)
	case !o.ok():
		return o.wrong
	}
	p, code := s.transaction(id)
	if code != success {
		return plain(code)
	}
	if !partly {
		amount = p.captured
	}
	r, code := s.giveBack(p, amount)
	if code != success {
		return plain(code)
	}
	return done(struct {
		ID int64  `json:"refundTransactionId"`
		At string `json:"refundTransactionDate"`
	}{r.id, stamp(r.at)})
}

func (s *Sim) giveBack(p *payment, amount int64) (*refund, string) {
	switch {
	case s.phase(p) != captured:
		return nil, wrongID
	case p.refunded() == p.captured:
		return nil, alreadyBack
	case amount > p.captured-p.refunded():
		return nil, refundTooMuch
	case !s.now.Before(p.capturedAt.Add(s.cfg.RefundWithin)):
		return nil, refundTooLate
	}
	r := &refund{amount: amount, full: amount == p.captured, at: s.now}
	kind := int64(ofPartialRefund)
	if r.full {
		kind = ofFullRefund
	}
	r.id = s.newID(kind)
	p.refunds = append(p.refunds, r)
	s.refundOf[r.id] = p
	return r, success
}

// transaction finds a confirmed payment. A request that nobody confirmed is no
// transaction, and a refund is the wrong one.
func (s *Sim) transaction(id int64) (*payment, string) {
	if s.refundOf[id] != nil {
		return nil, wrongID
	}
	if p := s.byID[id]; p != nil && !p.confirmedAt.IsZero() {
		return p, success
	}
	return nil, noRecord
}

// payInfo is one of the tools that paid; the amounts of all add up.
type payInfo struct {
	Method string      `json:"method"`
	Amount json.Number `json:"amount"`
}

// payInfo tells how an amount of p was paid: a tenth of it in points where the
// customer has some.
func (s *Sim) payInfo(p *payment, amount int64) []payInfo {
	points := int64(0)
	if p.tool.points {
		points = amount / 10
	}
	all := []payInfo{{p.tool.method, s.number(amount - points)}}
	if points > 0 {
		all = append(all, payInfo{"POINT", s.number(points)})
	}
	return all
}

// stamp writes an instant as the API does, to the second.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
