package wechatpaysim

import (
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"time"
)

// tradeType is how the customer gets to the payment.
type tradeType string

const (
	native tradeType = "NATIVE"
	mweb   tradeType = "MWEB" // H5
	jsapi  tradeType = "JSAPI"
)

// tradeState is how far an order has come.
type tradeState string

const (
	notPay   tradeState = "NOTPAY"
	success  tradeState = "SUCCESS"
	inRefund tradeState = "REFUND"
	closed   tradeState = "CLOSED"
)

// orderLife is how long an unpaid order stands at most.
const orderLife = 7 * 24 * time.Hour

// codeLife is how long a code_url or prepay_id can be used, h5Life an h5_url.
const (
	codeLife = 2 * time.Hour
	h5Life   = 5 * time.Minute
)

// order is one out_trade_no. Its state follows from its instants, so that a
// late reader can be shown an earlier one.
type order struct {
	ref         string
	kind        tradeType
	params      map[string]any // as sent, to be compared when sent again
	description string
	attach      string
	deviceID    string
	notifyURL   string
	openID      string
	total       int64 // fen

	createdAt time.Time
	expiresAt time.Time // nobody can pay after this
	closesAt  time.Time // unless it is paid by then

	ticket   string // the newest code or prepay_id; those before are void
	ticketAt time.Time

	tradeID string // transaction_id, "" until paid
	bank    string
	paidAt  time.Time
	refunds []*refund
}

// stateAt is what the order was at an instant.
func (o *order) stateAt(t time.Time) tradeState {
	switch {
	case o.tradeID != "" && !o.paidAt.After(t):
		if len(o.refunds) > 0 && !o.refunds[0].createdAt.After(t) {
			return inRefund
		}
		return success
	case !o.closesAt.After(t):
		return closed
	}
	return notPay
}

// place is the call that makes an order known, or gives a known one a new code.
func (s *Sim) place(kind tradeType) handler {
	return func(c *call) (int, any, *apiError) {
		o, e := s.readOrder(kind, c.body)
		if e != nil {
			return 0, nil, e
		}
		if known := s.byRef[o.ref]; known != nil {
			if e := s.sameAgain(known, o); e != nil {
				return 0, nil, e
			}
			o = known
		} else {
			s.orders = append(s.orders, o)
			s.byRef[o.ref] = o
		}
		return http.StatusOK, s.issue(o), nil
	}
}

// sameAgain says why a number that is known cannot be used again. Orders of two
// kinds never have the same parameters.
func (s *Sim) sameAgain(known, o *order) *apiError {
	switch state := known.stateAt(s.now); {
	case !reflect.DeepEqual(known.params, o.params):
		return invalid("the order was asked for before, with other parameters")
	case state == success || state == inRefund:
		return &apiError{status: http.StatusForbidden, code: "OUT_TRADE_NO_USED", message: "the order is paid"}
	case state == closed:
		return &apiError{status: http.StatusBadRequest, code: "ORDER_CLOSED", message: "the order is closed"}
	}
	return nil
}

// issue gives the order a new code and writes what its caller gets.
func (s *Sim) issue(o *order) map[string]any {
	o.ticketAt = s.now
	o.ticket = "wx" + beijing(s.now).Format("20060102150405") + s.word("0123456789abcdef", 20)
	if o.kind == native {
		o.ticket = s.word(letters, 9)
	}
	s.byTicket[o.ticket] = o
	switch o.kind {
	case native:
		return map[string]any{"code_url": codeURL + o.ticket}
	case mweb:
		return map[string]any{"h5_url": s.cfg.PageBase + h5Path + "?prepay_id=" + o.ticket + "&package=" + s.word(digits, 10)}
	case jsapi:
	}
	return map[string]any{"prepay_id": o.ticket}
}

func (s *Sim) readOrder(kind tradeType, body []byte) (*order, *apiError) {
	f := readObject(body)
	o := &order{kind: kind, params: f.values, createdAt: s.now, expiresAt: s.now.Add(orderLife), closesAt: s.now.Add(orderLife)}
	appID, mchID := f.text("appid", 32), f.text("mchid", 32)
	o.description, o.attach = f.text("description", 127), f.maybe("attach", 128)
	o.ref = f.number("out_trade_no", 6, 32, "_-|*")
	o.notifyURL = s.notifyURL(f)
	f.maybe("goods_tag", 32)
	f.flag("support_fapiao")
	amount := f.object("amount")
	if o.total = amount.fen("total"); amount.has("currency") {
		amount.oneOf("currency", "CNY")
	}
	amount.done()
	if f.has("time_expire") {
		o.expiresAt = s.expiry(f)
	}
	if f.has("settle_info") {
		settle := f.object("settle_info")
		if settle.flag("profit_sharing") {
			settle.refuse("profit_sharing", "is not simulated")
		}
		settle.done()
	}
	if kind == jsapi {
		payer := f.object("payer")
		o.openID = payer.text("openid", 128)
		payer.done()
	}
	if kind == mweb || f.has("scene_info") {
		o.deviceID = s.scene(f.object("scene_info"), kind)
	}
	f.done()
	switch {
	case *f.err != nil:
		return nil, *f.err
	case mchID != s.cfg.MchID:
		f.refuse("mchid", "is not the merchant who signed")
		return nil, *f.err
	case appID != s.cfg.AppID:
		return nil, &apiError{status: http.StatusBadRequest, code: "APPID_MCHID_NOT_MATCH", message: "appid is not bound to mchid"}
	}
	return o, nil
}

// expiry reads time_expire: one minute to seven days ahead.
func (s *Sim) expiry(f *object) time.Time {
	t, err := time.Parse(time.RFC3339, f.text("time_expire", 64))
	if err != nil || t.Before(s.now.Add(time.Minute)) || t.After(s.now.Add(orderLife)) {
		f.refuse("time_expire", "is not an RFC 3339 time from one minute to seven days ahead")
	}
	return t.UTC()
}

// scene reads scene_info. H5 wants to know the customer's address and device.
func (s *Sim) scene(f *object, kind tradeType) (deviceID string) {
	if kind == mweb || f.has("payer_client_ip") {
		ip, err := netip.ParseAddr(f.text("payer_client_ip", 45))
		if err != nil || ip.Zone() != "" || !s.cfg.Local && private(ip) {
			f.refuse("payer_client_ip", "is not the customer's public address")
		}
	}
	deviceID = f.maybe("device_id", 32)
	if f.has("store_info") {
		store := f.object("store_info")
		store.text("id", 32)
		store.maybe("name", 256)
		store.maybe("area_code", 32)
		store.maybe("address", 512)
		store.done()
	}
	if kind == mweb {
		info := f.object("h5_info")
		info.oneOf("type", "iOS", "Android", "Wap")
		info.maybe("app_name", 64)
		info.maybe("app_url", 128)
		info.maybe("bundle_id", 128)
		info.maybe("package_name", 128)
		info.done()
	}
	f.done()
	return deviceID
}

func private(ip netip.Addr) bool { return !ip.Unmap().IsGlobalUnicast() || ip.Unmap().IsPrivate() }

// notifyURL reads an address that WeChat can reach: https, with a path, without
// query, and not in a private network.
func (s *Sim) notifyURL(f *object) string {
	text := f.text("notify_url", 255)
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || len(u.Path) < 2 || strings.ContainsAny(text, "?# ") || u.User != nil {
		f.refuse("notify_url", "is not a full address without parameters")
		return text
	}
	ip, err := netip.ParseAddr(u.Hostname())
	near := u.Hostname() == "localhost" || err == nil && private(ip)
	if u.Scheme != "https" && (u.Scheme != "http" || !s.cfg.Local) || near && !s.cfg.Local {
		f.refuse("notify_url", "is not a public https address")
	}
	return text
}

// askedBy checks that a query names the merchant and nothing else.
func (s *Sim) askedBy(c *call) *apiError {
	if len(c.query) != 1 || len(c.query["mchid"]) != 1 {
		return badQuery("mchid", "this call takes mchid and nothing else")
	}
	if c.query.Get("mchid") != s.cfg.MchID {
		return badQuery("mchid", "is not the merchant who signed")
	}
	return nil
}

func (s *Sim) queryByRef(c *call) (int, any, *apiError) { return s.show(c, s.byRef[c.id], false) }

// queryByTrade finds an order by transaction_id, which exists once it is paid.
func (s *Sim) queryByTrade(c *call) (int, any, *apiError) { return s.show(c, s.byTrade[c.id], true) }

func (s *Sim) show(c *call, o *order, paid bool) (int, any, *apiError) {
	if e := s.askedBy(c); e != nil {
		return 0, nil, e
	}
	at := s.seen()
	if o == nil || o.createdAt.After(at) || paid && o.paidAt.After(at) {
		return 0, nil, noOrder()
	}
	return http.StatusOK, s.trade(o, o.stateAt(at)), nil
}

func noOrder() *apiError {
	return &apiError{status: http.StatusNotFound, code: "ORDER_NOT_EXIST", message: "there is no such order"}
}

// trade is an order as queries and notifications show it.
func (s *Sim) trade(o *order, state tradeState) map[string]any {
	v := map[string]any{
		"appid": s.cfg.AppID, "mchid": s.cfg.MchID, "out_trade_no": o.ref,
		"trade_state": string(state), "trade_state_desc": describe(state),
	}
	if o.deviceID != "" {
		v["scene_info"] = map[string]any{"device_id": o.deviceID}
	}
	if state == notPay || state == closed {
		return v
	}
	v["transaction_id"], v["trade_type"], v["bank_type"], v["attach"] = o.tradeID, string(o.kind), o.bank, o.attach
	v["success_time"] = stamp(o.paidAt)
	v["payer"] = map[string]any{"openid": o.openID}
	v["amount"] = map[string]any{"total": o.total, "payer_total": o.total, "currency": "CNY", "payer_currency": "CNY"}
	return v
}

func describe(state tradeState) string {
	switch state {
	case notPay:
		return "订单未支付"
	case success:
		return "支付成功"
	case inRefund:
		return "订单发生过退款，退款详情请查询退款单"
	case closed:
		return "订单已关闭"
	}
	panic("wechatpaysim: unknown state " + string(state))
}

// close ends an unpaid order; a closed one stays closed.
func (s *Sim) close(c *call) (int, any, *apiError) {
	f := readObject(c.body)
	if f.text("mchid", 32) != s.cfg.MchID {
		f.refuse("mchid", "is not the merchant who signed")
	}
	f.done()
	o := s.byRef[c.id]
	switch {
	case *f.err != nil:
		return 0, nil, *f.err
	case o == nil:
		return 0, nil, noOrder()
	case o.tradeID != "":
		return 0, nil, &apiError{status: http.StatusBadRequest, code: "ORDER_PAID", message: "the order is paid"}
	case o.stateAt(s.now) == notPay:
		o.closesAt = s.now
	}
	return http.StatusNoContent, nil, nil
}
