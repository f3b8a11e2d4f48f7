package antomsim

import (
	"errors"
	"net/url"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// Errors of what the customer does.
var (
	// ErrDeclined says that the wallet refused, for good.
	ErrDeclined = errors.New("antomsim: payment declined")

	// ErrNotPayable says that there is nothing, or nothing any more, to be paid
	// by that name.
	ErrNotPayable = errors.New("antomsim: nothing to be paid")
)

// Pay is the customer's yes in the wallet. Antom adds nothing to the return
// address, so the values are always empty. It fails with [ErrNotPayable], or
// with [ErrDeclined] because of [Sim.DeclineNext].
func (s *Sim) Pay(ref string) (url.Values, error) {
	s.enter()
	defer s.mu.Unlock()
	p, err := s.payable(s.byRef[ref])
	if err == nil {
		err = s.approve(p)
	}
	return url.Values{}, err
}

// PayLater is a yes whose money comes later: the payment is PENDING until
// [Sim.Settle], and no longer expires.
func (s *Sim) PayLater(ref string) (url.Values, error) {
	s.enter()
	defer s.mu.Unlock()
	p, err := s.payable(s.byRef[ref])
	if err != nil {
		return url.Values{}, err
	}
	s.promise(p)
	return url.Values{}, nil
}

func (s *Sim) promise(p *payment) {
	p.pendingAt = s.now
	told := p.named()
	told["notifyType"], told["result"] = "PAYMENT_PENDING", success
	s.tell(Pending, p.notifyURL, told, s.now)
}

// Decline is a yes that the wallet refuses for want of money: the payment
// FAILs.
func (s *Sim) Decline(ref string) (url.Values, error) {
	s.enter()
	defer s.mu.Unlock()
	p, err := s.payable(s.byRef[ref])
	if err == nil {
		s.fail(p, "USER_BALANCE_NOT_ENOUGH", s.now)
	}
	return url.Values{}, err
}

// Stumble is a yes that the wallet refuses and allows to be tried again. Only
// the customer is told.
func (s *Sim) Stumble(ref string) (url.Values, error) {
	s.enter()
	defer s.mu.Unlock()
	_, err := s.payable(s.byRef[ref])
	return url.Values{}, err
}

// GiveUp leaves the wallet. Nothing changes at Antom: the payment can be made
// until it expires.
func (s *Sim) GiveUp(ref string) (url.Values, error) {
	s.enter()
	defer s.mu.Unlock()
	if s.byRef[ref] == nil {
		return url.Values{}, ErrNotPayable
	}
	return url.Values{}, nil
}

// DeclineNext lets the wallet refuse the next n who pay, as [Sim.Decline] does.
func (s *Sim) DeclineNext(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.declineNext = n
}

func (s *Sim) payable(p *payment) (*payment, error) {
	if p == nil || p.status(s.now) != processing {
		return nil, ErrNotPayable
	}
	return p, nil
}

// approve takes the money of a payment that is payable, or is declined.
func (s *Sim) approve(p *payment) error {
	if s.declineNext > 0 {
		s.declineNext--
		s.fail(p, "USER_BALANCE_NOT_ENOUGH", s.now)
		return ErrDeclined
	}
	s.succeed(p)
	return nil
}

// Settle ends a PENDING payment: SUCCESS, or FAIL.
func (s *Sim) Settle(ref string, paid bool) error {
	s.enter()
	defer s.mu.Unlock()
	p := s.byRef[ref]
	switch {
	case p == nil || p.status(s.now) != pending:
		return ErrNotPayable
	case paid:
		s.succeed(p)
	default:
		s.fail(p, "PROCESS_FAIL", s.now)
	}
	return nil
}

// Expire ends a payment that nobody made before its time.
func (s *Sim) Expire(ref string) error {
	s.enter()
	defer s.mu.Unlock()
	p, err := s.payable(s.byRef[ref])
	if err == nil {
		s.fail(p, "ORDER_IS_CLOSED", s.now)
	}
	return err
}

// PayAnyway is money that was under way when the payment was cancelled: it
// arrives, is notified, and has gone back. The payment stays CANCELLED.
func (s *Sim) PayAnyway(ref string) error {
	s.enter()
	defer s.mu.Unlock()
	p := s.byRef[ref]
	if p == nil || p.cancelledAt.IsZero() || !p.paidAt.IsZero() {
		return ErrNotPayable
	}
	s.succeed(p)
	return nil
}

// FinishRefund ends a refund that is in process. It fails if there is none by
// that refundRequestId.
func (s *Sim) FinishRefund(request string, done bool) error {
	s.enter()
	defer s.mu.Unlock()
	r := s.refunds[request]
	if r == nil || r.status(s.now) != processing {
		return errors.New("antomsim: no such refund is in process")
	}
	s.finish(r, done, s.now)
	return nil
}

// RefundByHand returns part of a payment in Antom's dashboard. It fails where
// the API would refuse.
func (s *Sim) RefundByHand(ref string, minor int64) error {
	s.enter()
	defer s.mu.Unlock()
	p := s.byRef[ref]
	if p == nil || minor < 1 {
		return ErrNotPayable
	}
	r := s.giveBack(p, "DASHBOARD"+s.digits(19), money.Of(minor, p.amount.Currency), s.cfg.NotifyURL, "")
	if r.code != "" {
		return r.failure()
	}
	return nil
}

// dispute is a chargeback.
type dispute struct {
	id  string
	at  time.Time
	won bool // by the merchant
	end time.Time
}

// defendWithin is how long a merchant has to answer a dispute.
const defendWithin = 7 * 24 * time.Hour

// Dispute makes the customer dispute all of a payment, which is told at the
// dashboard's address, and by no call of the API. It fails with [ErrNotPayable]
// if the payment is not SUCCESS or is disputed already.
func (s *Sim) Dispute(ref string) error {
	s.enter()
	defer s.mu.Unlock()
	p := s.byRef[ref]
	if p == nil || p.status(s.now) != succeeded || p.disputed() {
		return ErrNotPayable
	}
	d := &dispute{id: s.now.In(pacific).Format("20060102") + "2501310115730" + s.digits(9), at: s.now}
	p.disputes = append(p.disputes, d)
	told := p.disputeText(d, "DISPUTE_CREATED")
	told["defenseDueTime"] = iso(s.now.Add(defendWithin))
	s.tell(Disputed, s.cfg.NotifyURL, told, s.now)
	return nil
}

// JudgeDispute ends a dispute: the customer keeps the money if lost, else the
// merchant gets it back.
func (s *Sim) JudgeDispute(ref string, lost bool) error {
	s.enter()
	defer s.mu.Unlock()
	p := s.byRef[ref]
	if p == nil || !p.disputed() || !p.disputes[len(p.disputes)-1].end.IsZero() {
		return ErrNotPayable
	}
	d := p.disputes[len(p.disputes)-1]
	d.won, d.end = !lost, s.now
	told := p.disputeText(d, "DISPUTE_JUDGED")
	told["disputeJudgedTime"], told["disputeJudgedAmount"] = iso(s.now), amountText(p.amount)
	told["disputeJudgedResult"] = map[bool]string{true: "ACCEPT_BY_MERCHANT", false: "ACCEPT_BY_CUSTOMER"}[lost]
	s.tell(Judged, s.cfg.NotifyURL, told, s.now)
	return nil
}

func (p *payment) disputeText(d *dispute, what string) members {
	return members{
		"disputeNotificationType": what, "disputeId": d.id, "disputeTime": iso(d.at), "disputeAmount": amountText(p.amount), "disputeType": "CHARGEBACK",
		"disputeReasonCode": "4853", "disputeReasonMsg": "Cardholder dispute", "disputeSource": "ANTOM", "paymentId": p.id, "paymentRequestId": p.ref,
	}
}

// disputed reports whether a dispute is open or was lost.
func (p *payment) disputed() bool {
	last := len(p.disputes) - 1
	return last >= 0 && !p.disputes[last].won
}

// Captured is what was taken for an order; the zero value for nothing, and for
// a payment that was cancelled.
func (s *Sim) Captured(ref string) money.Money { return s.charge(ref).Captured }

// Refunded is what of that is on its way back or arrived.
func (s *Sim) Refunded(ref string) money.Money { return s.charge(ref).Refunded }

// Disputed is what the customer took back, or wants to.
func (s *Sim) Disputed(ref string) money.Money { return s.charge(ref).Disputed }

func (s *Sim) charge(ref string) Charge {
	s.enter()
	defer s.mu.Unlock()
	if p := s.byRef[ref]; p != nil {
		return p.charge(s.now)
	}
	return Charge{}
}

// Charge is one payment that was made.
type Charge struct {
	Ref, ID                      string // paymentRequestId, paymentId
	Captured, Refunded, Disputed money.Money
	At                           time.Time // of the payment
}

// Charges returns all of them, oldest first. One that a cancel undid has
// captured nothing.
func (s *Sim) Charges() []Charge {
	s.enter()
	defer s.mu.Unlock()
	var all []Charge
	for _, p := range s.paid {
		all = append(all, p.charge(s.now))
	}
	return all
}

func (p *payment) charge(at time.Time) Charge {
	c := Charge{Ref: p.ref, ID: p.id, At: p.paidAt}
	if p.status(at) != succeeded {
		return c
	}
	c.Captured = p.amount
	if minor := p.returned(at); minor > 0 {
		c.Refunded = money.Of(minor, p.amount.Currency)
	}
	if p.disputed() {
		c.Disputed = p.amount
	}
	return c
}
