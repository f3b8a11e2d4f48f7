package linepaysim

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/tsuzuku/tsuzuku/money"
)

// tool is what a customer pays with.
type tool struct {
	label   string // on the page
	method  string // in payInfo
	points  bool   // a tenth in points
	refusal string // the code when the merchant confirms
	refused bool   // by LINE Pay itself, on the page
}

// tools are what a customer has, by the names that [Sim.PayWith] takes.
var tools = map[string]tool{
	"card":     {label: "Card •••• 1234", method: "CREDIT_CARD"},
	"points":   {label: "Card •••• 1234 and points for a tenth", method: "CREDIT_CARD", points: true},
	"balance":  {label: "Balance", method: "BALANCE"},
	"declined": {label: "Card •••• 0002, refused by its bank afterwards", method: "CREDIT_CARD", refusal: "1298"},
	"drained":  {label: "Balance, spent elsewhere in between", method: "BALANCE", refusal: "1142"},
	"blocked":  {label: "Card •••• 0069, not accepted by LINE Pay", refused: true},
}

// offered is the order of tools on the page.
var offered = []string{"card", "points", "balance", "declined", "drained", "blocked"}

// Pay agrees to an order with a good card and returns what the browser brings
// to confirmUrl. No money moves until the merchant confirms. It fails if there
// is nothing to agree to by that orderId, or no longer.
func (s *Sim) Pay(ref string) (url.Values, error) { return s.PayWith(ref, "card") }

// Decline agrees with a card whose bank will refuse when the merchant confirms.
// The request is then dead: check says 0122.
func (s *Sim) Decline(ref string) (url.Values, error) { return s.PayWith(ref, "declined") }

// PayWith is [Sim.Pay] with one of the tools: card, points (two entries in
// payInfo), balance, declined (1298 at confirm), drained (1142 at confirm), or
// blocked, which LINE Pay refuses on its page, with an error here: the customer
// may try again.
func (s *Sim) PayWith(ref, name string) (url.Values, error) {
	s.enter()
	defer s.mu.Unlock()
	p, err := s.waiting(ref)
	if err != nil {
		return nil, err
	}
	if err := s.agree(p, name); err != nil {
		return nil, err
	}
	return p.returned(), nil
}

// GiveUp cancels on the page and returns what the browser brings to cancelUrl.
// It is final: check says 0121.
func (s *Sim) GiveUp(ref string) (url.Values, error) {
	s.enter()
	defer s.mu.Unlock()
	p, err := s.waiting(ref)
	if err != nil {
		return nil, err
	}
	p.cancelledAt = s.now
	return p.returned(), nil
}

// DeclineNext makes the banks of the next n customers who agree refuse when the
// merchant confirms, whatever they pay with.
func (s *Sim) DeclineNext(n int) {
	s.enter()
	defer s.mu.Unlock()
	s.declineNext = n
}

// RefundByHand gives part of a payment back at the merchant centre. It fails
// where LINE Pay refuses, and for an amount the wire cannot express.
func (s *Sim) RefundByHand(ref string, minor int64) error {
	s.enter()
	defer s.mu.Unlock()
	p := s.byOrder[ref]
	per := s.perUnit()
	switch {
	case p == nil:
		return fmt.Errorf("linepaysim: no order is called %q", ref)
	case minor <= 0 || minor%per != 0:
		return fmt.Errorf("linepaysim: %d is no amount here", minor)
	}
	if _, code := s.giveBack(p, minor/per); code != success {
		return fmt.Errorf("linepaysim: %s %s", code, messages[code])
	}
	return nil
}

func (s *Sim) waiting(ref string) (*payment, error) {
	p := s.byOrder[ref]
	if p == nil {
		return nil, fmt.Errorf("linepaysim: no order is called %q", ref)
	}
	if now := s.phase(p); now != waiting {
		return nil, fmt.Errorf("linepaysim: %q is %s", ref, now)
	}
	return p, nil
}

// agree is the customer's password, typed in. It fails where LINE Pay itself
// refuses.
func (s *Sim) agree(p *payment, name string) error {
	t, known := tools[name]
	if !known || t.refused {
		return fmt.Errorf("linepaysim: %q cannot be used here", name)
	}
	if s.declineNext > 0 {
		s.declineNext--
		t = tools["declined"]
	}
	p.agreedAt, p.tool = s.now, t
	return nil
}

// returned is what is added to either return address.
func (p *payment) returned() url.Values {
	return url.Values{"transactionId": {strconv.FormatInt(p.id, 10)}, "orderId": {p.ref}}
}

// back is a return address with what is added to it.
func (p *payment) back(address string) string {
	address, fragment, cut := strings.Cut(address, "#")
	mark := "?"
	if strings.Contains(address, "?") {
		mark = "&"
	}
	address += mark + p.returned().Encode()
	if cut {
		address += "#" + fragment
	}
	return address
}

// Captured is what was really taken for an orderId, refunds not subtracted; the
// zero value for none.
func (s *Sim) Captured(ref string) money.Money {
	s.enter()
	defer s.mu.Unlock()
	if p := s.byOrder[ref]; p != nil {
		return s.money(p.captured)
	}
	return money.Money{}
}

// Refunded is what of that went back; the zero value for nothing.
func (s *Sim) Refunded(ref string) money.Money {
	s.enter()
	defer s.mu.Unlock()
	if p := s.byOrder[ref]; p != nil {
		return s.money(p.refunded())
	}
	return money.Money{}
}
