package antomsim

import (
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// status is a paymentStatus.
type status string

const (
	processing status = "PROCESSING"
	pending    status = "PENDING" // the customer is done, the money is not there yet
	succeeded  status = "SUCCESS"
	failed     status = "FAIL"
	cancelled  status = "CANCELLED"
)

// lasts is how long a customer has where the merchant says nothing.
const lasts = 14 * time.Minute

// order is what a merchant asks a payment for.
type order struct {
	ref      string // paymentRequestId
	method   string
	amount   money.Money
	title    string
	terminal string

	backURL, notifyURL string

	expiresAt time.Time
}

// payment is one paymentRequestId.
type payment struct {
	order
	id, page  string
	createdAt time.Time

	pendingAt, paidAt, failedAt, cancelledAt time.Time // zero: not yet

	code     string // why it failed
	refunds  []*refund
	disputes []*dispute
}

// over reports whether a payment has its final status.
func (p *payment) over() bool {
	return !p.paidAt.IsZero() || !p.failedAt.IsZero() || !p.cancelledAt.IsZero()
}

// status is what the payment was at an instant.
func (p *payment) status(at time.Time) status {
	had := func(t time.Time) bool { return !t.IsZero() && !at.Before(t) }
	switch {
	case had(p.cancelledAt):
		return cancelled
	case had(p.paidAt):
		return succeeded
	case had(p.failedAt):
		return failed
	case had(p.pendingAt):
		return pending
	}
	return processing
}

// resultCode is a payment's paymentResultCode at an instant.
func (p *payment) resultCode(at time.Time) string {
	switch p.status(at) {
	case succeeded:
		return "SUCCESS"
	case failed:
		return p.code
	case cancelled:
		return "ORDER_IS_CANCELED"
	case processing, pending:
	}
	return "PAYMENT_IN_PROCESS"
}

// What the codes say.
var messages = map[string]string{
	"SUCCESS":                          "success.",
	"PAYMENT_IN_PROCESS":               "payment in process",
	"ORDER_IS_CLOSED":                  "The order is closed.",
	"ORDER_IS_CANCELED":                "The order is canceled.",
	"RISK_REJECT":                      "The request is rejected because of the risk control.",
	"USER_BALANCE_NOT_ENOUGH":          "The user balance is not enough for the payment.",
	"USER_PAYMENT_VERIFICATION_FAILED": "The user fails to pass the payment verification.",
	"PROCESS_FAIL":                     "A general business failure occurred.",
}

func inProcess() *failure { return unknown("PAYMENT_IN_PROCESS", messages["PAYMENT_IN_PROCESS"]) }

// limits are what a wallet takes, in the smallest unit.
var limits = map[string]struct{ least, most int64 }{"ALIPAY_CN": {10, 300_000_00}}

// pay makes a payment, or says what became of it.
func (s *Sim) pay(c call) (members, *failure) {
	o := s.readOrder(c.reader)
	if c.bad != nil {
		return nil, c.bad
	}
	if p := s.byRef[o.ref]; p != nil {
		return s.payAgain(p, o)
	}
	if bad := s.mayPay(o); bad != nil {
		return nil, bad
	}
	if c.trouble == Linkless {
		return nil, inProcess()
	}
	p := &payment{order: o, createdAt: s.now, id: s.paymentID(), page: s.letters(22, "0123456789abcdefghijkmnpqrstuvwxyz")}
	s.byRef[p.ref], s.byID[p.id], s.byPage[p.page], s.latest = p, p, p, p
	if c.trouble == Rejected {
		s.fail(p, "RISK_REJECT", s.now)
		return s.payAgain(p, o)
	}
	s.waiting = append(s.waiting, p)
	return s.links(p), inProcess()
}

// payAgain answers for a paymentRequestId that is known.
func (s *Sim) payAgain(p *payment, o order) (members, *failure) {
	if p.amount != o.amount || p.method != o.method {
		return nil, refused("REPEAT_REQ_INCONSISTENT", "The amount or currency is different from the previous request.")
	}
	switch p.status(s.now) {
	case processing:
		return s.links(p), inProcess()
	case succeeded:
		said := p.named()
		said["paymentTime"] = iso(p.paidAt)
		return said, nil
	case failed:
		return nil, refused(p.code, messages[p.code])
	case cancelled:
		if p.paidAt.IsZero() {
			return nil, refused("ORDER_IS_CLOSED", messages["ORDER_IS_CLOSED"])
		}
		return nil, refused("ORDER_IS_CANCELED", messages["ORDER_IS_CANCELED"])
	case pending:
	}
	return p.named(), inProcess()
}

// named is what every answer about a payment says.
func (p *payment) named() members {
	return members{
		"paymentRequestId": p.ref, "paymentId": p.id,
		"paymentAmount": amountText(p.amount), "paymentCreateTime": iso(p.createdAt),
	}
}

// readOrder reads a pay request; c.bad says what is wrong.
func (s *Sim) readOrder(r *reader) (o order) {
	r.only("productCode", "paymentRequestId", "order", "paymentAmount", "paymentMethod", "paymentExpiryTime", "paymentRedirectUrl", "paymentNotifyUrl",
		"settlementStrategy", "env", "merchantRegion", "merchantAccountId", "userRegion", "appId", "metadata", "extendInfo")
	r.oneOf("productCode", true, "CASHIER_PAYMENT")
	o.ref = r.id("paymentRequestId", true)
	o.amount = r.amount("paymentAmount")
	o.backURL = r.address("paymentRedirectUrl", 2048, true)
	if o.notifyURL = r.address("paymentNotifyUrl", 2048, false); o.notifyURL == "" {
		o.notifyURL = s.cfg.NotifyURL
	}
	if o.expiresAt = r.time("paymentExpiryTime"); o.expiresAt.IsZero() {
		o.expiresAt = s.now.Add(lasts)
	} else if s.byRef[o.ref] == nil && !s.now.Before(o.expiresAt) {
		r.wrong("paymentExpiryTime", "has passed")
	}
	m := r.object("paymentMethod")
	m.only("paymentMethodType", "paymentMethodId", "extendInfo", "paymentMethodMetaData", "customerId")
	o.method = m.text("paymentMethodType", 64, true)
	r.after(m)
	if _, given := r.o["settlementStrategy"]; given {
		st := r.object("settlementStrategy")
		st.only("settlementCurrency")
		st.text("settlementCurrency", 3, true)
		r.after(st)
	}
	r.goods(&o)
	return o
}

// goods reads the order itself, and on which terminal it is paid.
func (r *reader) goods(o *order) {
	g := r.object("order")
	g.only("referenceOrderId", "orderDescription", "orderAmount", "goods", "shipping", "buyer", "merchant", "env", "transit", "lodging", "gaming", "extendInfo")
	g.id("referenceOrderId", true)
	o.title = g.text("orderDescription", 256, true)
	if g.amount("orderAmount") != o.amount {
		g.wrong("orderAmount", "not the paymentAmount")
	}
	r.after(g)
	e := r
	if _, within := g.o["env"]; within {
		e = g
	}
	e = e.object("env")
	e.only("terminalType", "osType", "clientIp", "userAgent", "deviceTokenId", "cookieId", "storeTerminalId", "storeTerminalRequestTime", "browserInfo",
		"colorDepth", "screenHeight", "screenWidth", "timeZoneOffset", "deviceBrand", "deviceModel", "deviceLanguage", "deviceId", "osVersion", "extendInfo")
	o.terminal = e.oneOf("terminalType", true, "WEB", "WAP", "APP", "MINI_APP")
	e.oneOf("osType", o.terminal != "WEB", "IOS", "ANDROID")
	r.after(e)
}

// mayPay says why the contract does not allow an order.
func (s *Sim) mayPay(o order) *failure {
	currencies, known := s.cfg.Methods[o.method]
	within, limited := limits[o.method]
	switch {
	case !known:
		return refused("UNAVAILABLE_PAYMENT_METHOD", "The payment method is not available.")
	case !slices.Contains(currencies, o.amount.Currency):
		return refused("CURRENCY_NOT_SUPPORT", "The currency is not supported.")
	case limited && o.amount.Minor > within.most:
		return refused("PAYMENT_AMOUNT_EXCEED_LIMIT", "The payment amount exceeds the limit.")
	case limited && o.amount.Minor < within.least:
		return illegal("paymentAmount.value: less than the payment method takes")
	}
	return nil
}

// links are the ways to the wallet.
func (s *Sim) links(p *payment) members {
	said := p.named()
	normal := s.cfg.PageBase + "/cashier/" + p.page
	switch p.terminal {
	case "WEB":
		said["orderCodeForm"] = members{
			"codeDetails": []members{{"codeValue": s.cfg.PageBase + "/code/" + p.page, "displayType": "TEXT"}},
			"expireTime":  iso(p.expiresAt),
		}
	default:
		said["applinkUrl"] = s.cfg.PageBase + "/applink/" + p.page
		said["schemeUrl"] = scheme(p.method) + "://platformapi/pay?code=" + p.page
	}
	if p.terminal != "APP" {
		said["normalUrl"] = normal
		said["redirectActionForm"] = members{"method": "GET", "redirectUrl": normal}
		said["paymentActionForm"] = string(members{"method": "GET", "paymentActionFormType": "RedirectActionForm", "redirectUrl": normal}.text())
	}
	return said
}

// scheme is the app of a wallet, to a phone.
func scheme(method string) string {
	return "sim-" + strings.ToLower(strings.ReplaceAll(method, "_", "-"))
}

// PageOf is where a phone arrives that opens a schemeUrl; "" if it is none of
// ours.
func (s *Sim) PageOf(address string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	head, page, ok := strings.Cut(address, "://platformapi/pay?code=")
	if p := s.byPage[page]; ok && p != nil && head == scheme(p.method) {
		return s.cfg.PageBase + "/applink/" + page
	}
	return ""
}

func (s *Sim) paymentID() string {
	return s.now.In(pacific).Format("20060102") + "19401080010018" + s.digits(13)
}

// fail ends a payment without money.
func (s *Sim) fail(p *payment, code string, at time.Time) {
	p.failedAt, p.code = at, code
	s.tell(Failed, p.notifyURL, p.telling(at), at)
}

// succeed takes the money of a payment. What comes after a cancel goes back at
// once; the notification comes all the same.
func (s *Sim) succeed(p *payment) {
	p.paidAt = s.now
	if p.cancelledAt.IsZero() {
		s.paid = append(s.paid, p)
	}
	told := p.named()
	told["notifyType"], told["result"], told["paymentTime"] = "PAYMENT_RESULT", success, iso(p.paidAt)
	s.tell(Paid, p.notifyURL, told, s.now)
}
