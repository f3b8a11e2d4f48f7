package alipaysim

import (
	"errors"
	"time"
)

// product is how an order came about: the method that made it.
type product string

const (
	pagePay   product = "alipay.trade.page.pay"
	wapPay    product = "alipay.trade.wap.pay"
	precreate product = "alipay.trade.precreate"
)

// status is a trade_status.
type status string

const (
	waitBuyerPay  status = "WAIT_BUYER_PAY"
	tradeSuccess  status = "TRADE_SUCCESS"
	tradeFinished status = "TRADE_FINISHED"
	tradeClosed   status = "TRADE_CLOSED"
)

// offer is a cashier page or a code: what the customer has before them. It is
// not a trade yet.
type offer struct {
	id      string
	product product
	ref     string
	total   int64 // fen
	subject string
	body    string
	passed  string // passback_params

	notifyURL, returnURL, leaveURL string

	deadline deadline
	madeAt   time.Time
	asked    int // how often precreate asked for this code
}

// agrees reports whether two orders with one out_trade_no are the same.
func (o *offer) agrees(p *offer) bool {
	return o.product == p.product && o.total == p.total && o.subject == p.subject
}

// open reports whether the customer can still begin.
func (o *offer) open(now time.Time) bool {
	switch {
	case o.product == precreate && !now.Before(o.madeAt.Add(codeLasts)):
		return false
	case o.product == pagePay: // its timeout runs from the page, not from the trade
		return now.Before(o.deadline.end(o.madeAt, longest))
	case !o.deadline.at.IsZero():
		return now.Before(o.deadline.at)
	}
	return true
}

// trade is an order since its customer logged in.
type trade struct {
	*offer    // the one that made it
	no        string
	buyer     string // the customer's account
	createdAt time.Time
	expiresAt time.Time
	paidAt    time.Time // zero until paid
	finishAt  time.Time // set when paid
	closedAt  time.Time // zero unless it closed unpaid
	refunds   []*refund // oldest first
}

// refund is money on its way back. There are no pending ones.
type refund struct {
	no     string // out_request_no
	fen    int64
	at     time.Time
	cancel bool // by alipay.trade.cancel
}

// status is what the trade was at an instant.
func (t *trade) status(at time.Time) status {
	switch {
	case !t.closedAt.IsZero() && !at.Before(t.closedAt):
		return tradeClosed
	case t.paidAt.IsZero() || at.Before(t.paidAt):
		return waitBuyerPay
	case t.refunded(at) == t.total:
		return tradeClosed
	case !at.Before(t.finishAt):
		return tradeFinished
	}
	return tradeSuccess
}

// refunded is what had been returned at an instant, in fen.
func (t *trade) refunded(at time.Time) (sum int64) {
	for _, r := range t.refunds {
		if !r.at.After(at) {
			sum += r.fen
		}
	}
	return sum
}

func (t *trade) refund(no string) *refund {
	for _, r := range t.refunds {
		if r.no == no {
			return r
		}
	}
	return nil
}

// Errors of what the customer does.
var (
	// ErrDeclined says that the customer's bank refused. They may try again.
	ErrDeclined = errors.New("alipaysim: payment declined")

	// ErrNotPayable says that there is nothing, or nothing any more, to be paid
	// by that name.
	ErrNotPayable = errors.New("alipaysim: nothing to be paid")
)

// login makes the trade of an offer, or finds it.
func (s *Sim) login(o *offer) (*trade, error) {
	t := s.trades[o.ref]
	if t != nil {
		if t.status(s.now) != waitBuyerPay || !t.agrees(o) {
			return nil, ErrNotPayable
		}
		return t, nil
	}
	if !o.open(s.now) {
		return nil, ErrNotPayable
	}
	t = &trade{offer: o, no: s.tradeNo(), buyer: "2088" + s.digits(12), createdAt: s.now}
	switch o.product {
	case pagePay:
		t.expiresAt = o.deadline.end(o.madeAt, longest)
	case wapPay:
		t.expiresAt = o.deadline.end(s.now, longest)
	case precreate:
		t.expiresAt = o.deadline.end(s.now, codeTrades)
	}
	s.trades[o.ref], s.byNo[t.no] = t, t
	s.waiting = append(s.waiting, t)
	return t, nil
}

func (s *Sim) tradeNo() string {
	return s.now.In(beijing).Format("20060102") + "22001" + s.digits(15)
}

// pay takes the money of an offer.
func (s *Sim) pay(o *offer) (*trade, error) {
	t, err := s.login(o)
	if err != nil {
		return nil, err
	}
	if s.declineNext > 0 {
		s.declineNext--
		return nil, ErrDeclined
	}
	t.paidAt, t.finishAt = s.now, s.now.Add(s.cfg.FinishAfter)
	s.paid, s.ending = append(s.paid, t), append(s.ending, t)
	s.tell(Paid, t, s.now)
	return t, nil
}

// close ends an unpaid trade.
func (s *Sim) close(t *trade, at time.Time) {
	t.closedAt = at
	if t.product == wapPay {
		s.tell(Closed, t, at)
	}
}

// giveBack returns money of a paid trade. The caller has looked.
func (s *Sim) giveBack(t *trade, r *refund) {
	r.at = s.now
	t.refunds = append(t.refunds, r)
	s.tell(Refunded, t, s.now)
}
