package alipaysim

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// Open is the customer's browser on a signed link of page.pay or wap.pay, or
// their phone on a code of precreate, and returns the order's out_trade_no. A
// scanned code makes the trade; a link makes none before the customer logs in.
// It fails with what the customer would read if the gateway refuses.
func (s *Sim) Open(address string) (ref string, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	s.enter()
	defer s.mu.Unlock()
	if _, id, isCode := strings.Cut(u.Path, "/qr/"); isCode {
		o := s.offers[id]
		if o == nil {
			return "", ErrNotPayable
		}
		_, err := s.login(o)
		return o.ref, err
	}
	params, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", err
	}
	if !isLink(params) {
		return "", fmt.Errorf("alipaysim: %s is not for a browser", address)
	}
	o, bad := s.follow(params, false)
	if bad != nil {
		return "", bad
	}
	return o.ref, nil
}

// Login is the customer who signs in at the page that they opened last, or
// scans, and does not pay yet: the trade begins to exist.
func (s *Sim) Login(ref string) error {
	s.enter()
	defer s.mu.Unlock()
	o, err := s.shown(ref)
	if err != nil {
		return err
	}
	_, err = s.login(o)
	return err
}

// Pay logs in and pays, and returns what Alipay adds to the return address:
// nothing for a code. It fails with [ErrDeclined] or [ErrNotPayable].
func (s *Sim) Pay(ref string) (url.Values, error) {
	s.enter()
	defer s.mu.Unlock()
	o, err := s.shown(ref)
	if err != nil {
		return nil, err
	}
	t, err := s.pay(o)
	if err != nil {
		return nil, err
	}
	return s.returned(o, t), nil
}

// Decline logs in and tries a tool that is refused. Nothing is told to the
// merchant, and the customer may try again. It fails with [ErrNotPayable].
func (s *Sim) Decline(ref string) (url.Values, error) { return nil, s.Login(ref) }

// GiveUp leaves the page. Nothing changes at Alipay, and nothing is added to
// the address that the customer is led to.
func (s *Sim) GiveUp(ref string) (url.Values, error) {
	s.enter()
	defer s.mu.Unlock()
	_, err := s.shown(ref)
	return nil, err
}

// DeclineNext lets the bank refuse the next n who pay.
func (s *Sim) DeclineNext(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.declineNext = n
}

func (s *Sim) shown(ref string) (*offer, error) {
	if o := s.newest[ref]; o != nil {
		return o, nil
	}
	return nil, ErrNotPayable
}

// returned is what is added to the return address after payment.
func (s *Sim) returned(o *offer, t *trade) url.Values {
	if o.product == precreate {
		return nil
	}
	v := url.Values{
		"app_id": {s.cfg.AppID}, "auth_app_id": {s.cfg.AppID}, "seller_id": {s.cfg.SellerID}, "charset": {"utf-8"}, "version": {"1.0"},
		"method": {string(o.product) + ".return"}, "timestamp": {clock(s.now)},
		"out_trade_no": {t.ref}, "trade_no": {t.no}, "total_amount": {yuan(t.total)},
	}
	s.toldBy(v)
	return v
}

// RefundByHand returns fen of a paid trade at the merchant's desk at Alipay.
// It fails where [Sim]'s alipay.trade.refund would.
func (s *Sim) RefundByHand(ref string, minor int64) error {
	s.enter()
	defer s.mu.Unlock()
	t := s.trades[ref]
	if t == nil || minor < 1 {
		return ErrNotPayable
	}
	if bad := s.mayReturn(t, minor); bad != nil {
		return bad
	}
	s.giveBack(t, &refund{no: "HAND" + s.digits(16), fen: minor})
	return nil
}

// Captured is what was taken for an order; the zero value for nothing.
func (s *Sim) Captured(ref string) money.Money {
	s.enter()
	defer s.mu.Unlock()
	if t := s.trades[ref]; t != nil {
		return t.charge().Captured
	}
	return money.Money{}
}

// Refunded is what of that was returned; the zero value for nothing.
func (s *Sim) Refunded(ref string) money.Money {
	s.enter()
	defer s.mu.Unlock()
	if t := s.trades[ref]; t != nil {
		return t.charge().Refunded
	}
	return money.Money{}
}

// Charge is one trade that was paid.
type Charge struct {
	Ref, ID            string // out_trade_no, trade_no
	Captured, Refunded money.Money
	At                 time.Time // of the payment
}

// Charges returns all of them, oldest first.
func (s *Sim) Charges() []Charge {
	s.enter()
	defer s.mu.Unlock()
	var all []Charge
	for _, t := range s.paid {
		all = append(all, t.charge())
	}
	return all
}

func (t *trade) charge() Charge {
	c := Charge{Ref: t.ref, ID: t.no, At: t.paidAt}
	if !t.paidAt.IsZero() {
		c.Captured = money.Of(t.total, "CNY")
	}
	for _, r := range t.refunds {
		c.Refunded = money.Of(c.Refunded.Minor+r.fen, "CNY")
	}
	return c
}
