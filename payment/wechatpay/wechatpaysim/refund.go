package wechatpaysim

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"time"
)

// RefundStatus is how far a refund has come.
type RefundStatus string

// The states of a refund. Success and Closed are final.
const (
	Processing RefundStatus = "PROCESSING"
	Success    RefundStatus = "SUCCESS"
	Abnormal   RefundStatus = "ABNORMAL" // the customer's account does not take it; staff must act at WeChat's desk
	Closed     RefundStatus = "CLOSED"   // failed; the money is the merchant's again
)

// The rules of refunds.
const (
	refundWithin = 365 * 24 * time.Hour // of the payment
	refundsMost  = 50                   // of one payment
	refundGap    = time.Minute          // between two calls about one payment
	refundTakes  = 3 * time.Second
)

// refund is one return of money.
type refund struct {
	order     *order
	number    string // out_refund_no
	id        string // refund_id
	params    map[string]any
	amount    int64 // fen
	notifyURL string
	byHand    bool
	createdAt time.Time
	steps     []step // oldest first; the last may be in the future
}

type step struct {
	at     time.Time
	status RefundStatus
}

func (r *refund) statusAt(t time.Time) RefundStatus {
	status := Processing
	for _, p := range r.steps {
		if !p.at.After(t) {
			status = p.status
		}
	}
	return status
}

// refund is the call that returns money. The same number again, with the same
// parameters, shows the refund and changes nothing.
func (s *Sim) refund(c *call) (int, any, *apiError) {
	f := readObject(c.body)
	r := &refund{params: f.values, number: f.number("out_refund_no", 1, 64, "_-|*@")}
	var o *order
	if f.has("transaction_id") { // instead of out_trade_no, which is refused then
		o = s.byTrade[f.text("transaction_id", 32)]
	} else {
		o = s.byRef[f.number("out_trade_no", 6, 32, "_-|*")]
	}
	f.maybe("reason", 80)
	if f.has("notify_url") {
		r.notifyURL = s.notifyURL(f)
	}
	if f.has("funds_account") {
		f.oneOf("funds_account", "AVAILABLE", "UNSETTLED")
	}
	amount := f.object("amount")
	total := amount.fen("total")
	r.amount = amount.fen("refund")
	amount.oneOf("currency", "CNY")
	amount.done()
	f.done()
	if *f.err != nil {
		return 0, nil, *f.err
	}
	if known := s.refundByNo[r.number]; known != nil {
		if known.byHand || !reflect.DeepEqual(known.params, r.params) {
			return 0, nil, invalid("the refund was asked for before, with other parameters")
		}
		return http.StatusOK, known.json(known.statusAt(s.now)), nil
	}
	if e := s.mayRefund(o, total, r.amount); e != nil {
		return 0, nil, e
	}
	s.accept(r, o)
	return http.StatusOK, r.json(Processing), nil
}

// mayRefund says which rule a new refund breaks.
func (s *Sim) mayRefund(o *order, total, amount int64) *apiError {
	if o == nil || o.tradeID == "" {
		return &apiError{status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", message: "there is no such order, or it is not paid"}
	}
	recent := func(r *refund) bool { return !r.byHand && s.now.Before(r.createdAt.Add(refundGap)) }
	switch {
	case total != o.total:
		return invalid("amount.total is not what was paid")
	case s.now.After(o.paidAt.Add(refundWithin)):
		return invalid("the payment is more than a year old")
	case amount > o.total-o.reserved(s.now):
		return invalid("more than what is left of the payment")
	case len(o.refunds) >= refundsMost:
		return invalid("the payment was refunded fifty times")
	case slices.ContainsFunc(o.refunds, recent):
		return tooOften("a minute must pass between two refunds of one payment")
	}
	return nil
}

// reserved is what of a payment cannot be refunded any more.
func (o *order) reserved(t time.Time) (sum int64) {
	for _, r := range o.refunds {
		if r.statusAt(t) != Closed {
			sum += r.amount
		}
	}
	return sum
}

// refunded is what of a payment is on its way back or has arrived.
func (o *order) refunded(t time.Time) (sum int64) {
	for _, r := range o.refunds {
		if status := r.statusAt(t); status == Processing || status == Success {
			sum += r.amount
		}
	}
	return sum
}

func (s *Sim) accept(r *refund, o *order) {
	r.order, r.createdAt = o, s.now
	r.id = "5" + s.word(digits, 28)
	o.refunds = append(o.refunds, r)
	s.refundByNo[r.number] = r
	if !s.holdRefunds {
		s.end(r, s.now.Add(refundTakes), Success)
	}
}

// end takes a refund to its next state at an instant, and tells.
func (s *Sim) end(r *refund, at time.Time, status RefundStatus) {
	r.steps = append(r.steps, step{at, status})
	if r.notifyURL == "" {
		return
	}
	v := map[string]any{
		"mchid": s.cfg.MchID, "out_trade_no": r.order.ref, "transaction_id": r.order.tradeID, "out_refund_no": r.number, "refund_id": r.id,
		"refund_status": string(status), "user_received_account": receiver,
		"amount": map[string]any{"total": r.order.total, "refund": r.amount, "payer_total": r.order.total, "payer_refund": r.amount},
	}
	if status == Success {
		v["success_time"] = stamp(at)
	}
	s.tell(event{kind: "REFUND." + string(status), original: "refund", plain: v, url: r.notifyURL, at: at})
}

// receiver is where refunds go: the customer's WeChat balance.
const receiver = "支付用户零钱"

func (r *refund) json(status RefundStatus) map[string]any {
	o := r.order
	v := map[string]any{
		"refund_id": r.id, "out_refund_no": r.number, "transaction_id": o.tradeID, "out_trade_no": o.ref,
		"channel": "ORIGINAL", "user_received_account": receiver, "create_time": stamp(r.createdAt), "status": string(status), "funds_account": "AVAILABLE",
		"amount": map[string]any{
			"total": o.total, "refund": r.amount, "payer_total": o.total, "payer_refund": r.amount,
			"settlement_total": o.total, "settlement_refund": r.amount, "discount_refund": 0, "currency": "CNY",
		},
	}
	if status == Success {
		v["success_time"] = stamp(r.steps[len(r.steps)-1].at)
	}
	return v
}

func (s *Sim) queryRefund(c *call) (int, any, *apiError) {
	if len(c.query) > 0 {
		return 0, nil, badQuery("", "this call takes no query")
	}
	r := s.refundByNo[c.id]
	if at := s.seen(); r != nil && !r.createdAt.After(at) {
		return http.StatusOK, r.json(r.statusAt(at)), nil
	}
	return 0, nil, &apiError{status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", message: "there is no such refund"}
}

// HoldRefunds lets refunds from now on stay PROCESSING until
// [Sim.SettleRefund], or not.
func (s *Sim) HoldRefunds(hold bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holdRefunds = hold
}

// SettleRefund ends the refund with that out_refund_no. A held one may end in
// any state, an abnormal one in [Success] or [Closed]. It fails otherwise.
func (s *Sim) SettleRefund(number string, status RefundStatus) error {
	s.enter()
	defer s.mu.Unlock()
	r := s.refundByNo[number]
	if r == nil {
		return fmt.Errorf("wechatpaysim: no refund is called %q", number)
	}
	held := len(r.steps) == 0
	stuck := !held && r.statusAt(s.now) == Abnormal && status != Abnormal
	if !held && !stuck || status != Success && status != Abnormal && status != Closed {
		return fmt.Errorf("wechatpaysim: refund %q is %s and cannot become %s", number, r.statusAt(s.now), status)
	}
	s.end(r, s.now, status)
	return nil
}

// RefundByHand returns part of a payment at WeChat's own desk, in fen. No
// notification tells of it, and it shows under no number of ours. It fails if
// the payment does not hold that much.
func (s *Sim) RefundByHand(ref string, minor int64) error {
	s.enter()
	defer s.mu.Unlock()
	o := s.byRef[ref]
	if o == nil || o.tradeID == "" || minor < 1 || minor > o.total-o.reserved(s.now) || len(o.refunds) >= refundsMost || s.now.After(o.paidAt.Add(refundWithin)) {
		return fmt.Errorf("wechatpaysim: %d fen of %q cannot be refunded", minor, ref)
	}
	s.accept(&refund{number: "desk" + s.word(digits, 20), amount: minor, byHand: true}, o)
	return nil
}
