package paypalsim

import (
	"errors"
	"net/url"
)

// Tool is what the customer chooses to pay with.
type Tool string

// The tools.
const (
	Balance       Tool = "balance"        // works
	ECheck        Tool = "echeck"         // the capture stays PENDING until [Sim.Settle]
	CardRefused   Tool = "card_refused"   // refused on the page: the customer chooses another
	DeclinedLater Tool = "declined_later" // approved on the page; the capture is refused with INSTRUMENT_DECLINED
	Denied        Tool = "denied"         // approved on the page; the order is COMPLETED with a DECLINED capture
)

// What the customer may hear at the page.
var (
	ErrNoSuchOrder = errors.New("paypalsim: no such order")
	ErrOver        = errors.New("paypalsim: this order is paid, or its time is over")
	ErrRefused     = errors.New("paypalsim: this way to pay was refused; choose another")
)

// Pay lets the customer approve the newest order of ref, with a tool that works,
// and returns what PayPal adds to the return address. No money moves before the
// merchant captures. A customer who has approved may do so again, with another
// tool.
func (s *Sim) Pay(ref string) (url.Values, error) { return s.PayWith(ref, Balance) }

// PayWith is Pay with a tool. The errors are [ErrNoSuchOrder], [ErrOver] and
// [ErrRefused].
func (s *Sim) PayWith(ref string, tool Tool) (url.Values, error) {
	s.enter()
	defer s.mu.Unlock()
	o := s.newest(ref)
	if o == nil {
		return nil, ErrNoSuchOrder
	}
	s.open(o)
	return s.approve(o, tool)
}

// PayFrom is Pay from a PayPal account of the customer's choice, by its PayerID.
func (s *Sim) PayFrom(ref, payer string) (url.Values, error) {
	s.enter()
	defer s.mu.Unlock()
	o := s.newest(ref)
	if o == nil {
		return nil, ErrNoSuchOrder
	}
	s.open(o)
	if o.payer == "" {
		o.payer = payer
	}
	return s.approve(o, Balance)
}

// Decline lets the customer approve with a tool that is refused when the
// merchant captures.
func (s *Sim) Decline(ref string) (url.Values, error) { return s.PayWith(ref, DeclinedLater) }

// GiveUp lets the customer leave by the way back to the shop and returns what
// PayPal adds to the cancel address. The order stays as it is.
func (s *Sim) GiveUp(ref string) (url.Values, error) {
	s.enter()
	defer s.mu.Unlock()
	o := s.newest(ref)
	switch {
	case o == nil:
		return nil, ErrNoSuchOrder
	case !o.waits():
		return nil, ErrOver
	}
	s.open(o)
	return url.Values{"token": {o.id}}, nil
}

// DeclineNext lets the next n customers who approve choose, unknowingly, a tool
// that is refused when the merchant captures.
func (s *Sim) DeclineNext(n int) {
	s.enter()
	defer s.mu.Unlock()
	s.declineNext = n
}

// newest is the newest order of ref that still waits, else the newest.
func (s *Sim) newest(ref string) (found *order) {
	for _, o := range s.byRef[ref] {
		if found == nil || o.waits() || !found.waits() {
			found = o
		}
	}
	return found
}

// open shows the customer the page: the order's patience starts anew, once.
func (s *Sim) open(o *order) {
	if o.state == needsPayer && !o.opened && !o.declined {
		o.opened, o.until = true, s.now.Add(patience)
	}
}

func (s *Sim) approve(o *order, tool Tool) (url.Values, error) {
	if !o.waits() {
		return nil, ErrOver
	}
	if s.declineNext > 0 && (tool == Balance || tool == ECheck) {
		s.declineNext--
		tool = DeclinedLater
	}
	switch tool {
	case Balance, DeclinedLater, Denied:
	case ECheck:
		if o.wish("payment_method_preference") == immediate {
			return nil, ErrRefused
		}
	case CardRefused:
		return nil, ErrRefused
	default:
		return nil, ErrRefused
	}
	if o.payer == "" {
		o.payer = s.payerOf(o)
	}
	news := o.state == needsPayer || o.declined
	if o.state == needsPayer {
		o.state, o.until = approved, s.now.Add(patience)
	}
	o.tool, o.declined = tool, false
	s.changed(o)
	if news {
		s.tell("CHECKOUT.ORDER.APPROVED", "checkout-order", "2.0", "An order has been approved by buyer", s.orderView(o))
	}
	return url.Values{"token": {o.id}, "PayerID": {o.payer}}, nil
}
