package wechatpaysim

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// codeURL begins every code_url.
const codeURL = "weixin://wxpay/bizpayurl?pr="

// tool is what the customer pays with.
type tool struct {
	name, label string
	bank        string // bank_type
	refuses     string // what the phone says if it is refused, "" if it is not
}

// offered is what the phone offers, in this order.
var offered = []tool{
	{"balance", "WeChat balance", "OTHERS", ""},
	{"card", "Debit card", "CMB_DEBIT", ""},
	{"poor", "Debit card without money", "CMB_DEBIT", "The balance of this card is too low. Choose another way to pay."},
}

const saysRefused = "The payment was refused. Choose another way to pay."

// Pay lets the customer open the newest code of our order and pay. It fails if
// that is no longer possible; where the payment is refused (see
// [Sim.DeclineNext]) nothing is taken and Pay does not fail. WeChat adds
// nothing to the return address.
func (s *Sim) Pay(ref string) (url.Values, error) { return s.open(ref, offered[0]) }

// Decline lets the customer try a tool that is refused. The order stays
// NOTPAY, and they may try again.
func (s *Sim) Decline(ref string) (url.Values, error) { return s.open(ref, offered[2]) }

// GiveUp lets the customer leave. Nothing changes at WeChat. It fails if there
// is no such order.
func (s *Sim) GiveUp(ref string) (url.Values, error) {
	s.enter()
	defer s.mu.Unlock()
	if s.byRef[ref] == nil {
		return nil, fmt.Errorf("wechatpaysim: no order is called %q", ref)
	}
	return url.Values{}, nil
}

// DeclineNext lets the next n tries be refused, whatever the tool.
func (s *Sim) DeclineNext(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.declineNext = n
}

func (s *Sim) open(ref string, t tool) (url.Values, error) {
	s.enter()
	defer s.mu.Unlock()
	o := s.byRef[ref]
	if o == nil {
		return nil, fmt.Errorf("wechatpaysim: no order is called %q", ref)
	}
	if why := s.obstacle(o, o.ticket); why != "" {
		return nil, fmt.Errorf("wechatpaysim: order %q: %s", ref, why)
	}
	s.try(o, t)
	return url.Values{}, nil
}

// obstacle is why an order cannot be paid with a code, "" if it can.
func (s *Sim) obstacle(o *order, ticket string) string {
	life := codeLife
	if o.kind == mweb {
		life = h5Life
	}
	state := o.stateAt(s.now)
	switch {
	case state == success || state == inRefund:
		return "This order is paid."
	case state == closed:
		return "This order is closed."
	case !s.now.Before(o.expiresAt):
		return "The time to pay this order is over."
	case ticket != o.ticket || !s.now.Before(o.ticketAt.Add(life)):
		return "This payment request has expired. Ask the shop for a new one."
	}
	return ""
}

// try pays an order that can be paid, or returns what the phone says instead.
func (s *Sim) try(o *order, t tool) (refusal string) {
	if t.refuses != "" {
		return t.refuses
	}
	if s.declineNext > 0 {
		s.declineNext--
		return saysRefused
	}
	o.tradeID = "42000" + beijing(s.now).Format("20060102") + s.word(digits, 15)
	o.bank, o.paidAt = t.bank, s.now
	if o.openID == "" {
		o.openID = "o" + s.word(letters, 27)
	}
	s.byTrade[o.tradeID] = o
	s.tell(event{kind: "TRANSACTION.SUCCESS", original: "transaction", plain: s.trade(o, success), url: o.notifyURL, at: s.now})
	return ""
}

// PageOf is the address of the page that stands for the phone after it scanned
// a code_url; "" if no order ever had it. An h5_url is such an address itself.
func (s *Sim) PageOf(code string) string {
	s.enter()
	defer s.mu.Unlock()
	ticket, ok := strings.CutPrefix(code, codeURL)
	if o := s.byTicket[ticket]; !ok || o == nil || o.kind != native {
		return ""
	}
	return s.pageURL(ticket)
}

func (s *Sim) pageURL(ticket string) string { return s.cfg.PageBase + payPath + ticket }

// Sheet is what a page inside WeChat hands to getBrandWCPayRequest.
type Sheet struct{ AppID, TimeStamp, NonceStr, Package, SignType, PaySign string }

// Open opens the payment sheet of a JSAPI order and returns the address of its
// page. It fails as the sheet does: a wrong signature, another appid, a
// prepay_id that is void.
func (s *Sim) Open(sheet Sheet) (page string, err error) {
	s.enter()
	defer s.mu.Unlock()
	ticket, ok := strings.CutPrefix(sheet.Package, "prepay_id=")
	o := s.byTicket[ticket]
	text := lines(sheet.AppID, sheet.TimeStamp, sheet.NonceStr, sheet.Package)
	switch {
	case sheet.AppID != s.cfg.AppID || sheet.SignType != "RSA" || sheet.TimeStamp == "" || strings.Trim(sheet.TimeStamp, digits) != "" || sheet.NonceStr == "":
		return "", fmt.Errorf("wechatpaysim: the payment sheet lacks parameters")
	case verify(s.cfg.MerchantKey, text, sheet.PaySign) != nil:
		return "", fmt.Errorf("wechatpaysim: the payment sheet's signature is wrong")
	case !ok || o == nil || o.kind != jsapi:
		return "", fmt.Errorf("wechatpaysim: %q is no prepay_id of JSAPI", sheet.Package)
	}
	if why := s.obstacle(o, ticket); why != "" {
		return "", fmt.Errorf("wechatpaysim: order %q: %s", o.ref, why)
	}
	return s.pageURL(ticket), nil
}

// Captured is what was really taken for our order; the zero value if nothing.
func (s *Sim) Captured(ref string) money.Money {
	s.enter()
	defer s.mu.Unlock()
	if o := s.byRef[ref]; o != nil && o.tradeID != "" {
		return fen(o.total)
	}
	return money.Money{}
}

// Refunded is what of that is on its way back or has arrived, by whomever; not
// refunds that are abnormal or closed. The zero value if nothing.
func (s *Sim) Refunded(ref string) money.Money {
	s.enter()
	defer s.mu.Unlock()
	if o := s.byRef[ref]; o != nil {
		return fen(o.refunded(s.now))
	}
	return money.Money{}
}

func fen(n int64) money.Money {
	if n == 0 {
		return money.Money{}
	}
	return money.Of(n, "CNY")
}

// Charge is money that was taken, for an auditor.
type Charge struct {
	Ref      string // out_trade_no
	ID       string // transaction_id
	Captured money.Money
	Refunded money.Money // as in [Sim.Refunded]
	At       time.Time
}

// Charges returns all that was taken, oldest first.
func (s *Sim) Charges() []Charge {
	s.enter()
	defer s.mu.Unlock()
	var all []Charge
	for _, o := range s.orders {
		if o.tradeID != "" {
			all = append(all, Charge{o.ref, o.tradeID, fen(o.total), fen(o.refunded(s.now)), o.paidAt})
		}
	}
	slices.SortStableFunc(all, func(a, b Charge) int { return a.At.Compare(b.At) })
	return all
}
