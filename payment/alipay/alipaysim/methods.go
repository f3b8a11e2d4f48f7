package alipaysim

import (
	"slices"
	"strings"
	"time"
)

// method is one of the gateway's.
type method struct {
	name    string
	link    bool   // opened by the customer's browser
	changes bool   // something, when called
	invalid string // what it calls a wrong parameter; "" for ACQ.INVALID_PARAMETER
	fields  []field
	act     func(*Sim, call) (object, *failure)
}

// which names a trade, one way or the other.
var which = []field{{name: "out_trade_no", max: 64}, {name: "trade_no", max: 64}}

// orderFields are those of everything that makes an order.
var orderFields = []field{
	{name: "out_trade_no", max: 64, need: true},
	{name: "total_amount", kind: amount, need: true},
	{name: "subject", max: 256, need: true},
	{name: "body", max: 128},
	{name: "timeout_express", max: 6},
	{name: "time_expire", max: 32},
	{name: "passback_params", max: 512},
	{name: "goods_detail", kind: list},
	{name: "business_params", kind: list},
	{name: "store_id", max: 32},
	{name: "merchant_order_no", max: 32},
}

func orders(more ...field) []field { return slices.Concat(orderFields, more) }
func asks(more ...field) []field   { return slices.Concat(which, more) }

func methods() []method {
	return []method{
		{name: string(pagePay), link: true, fields: orders(
			field{name: "product_code", max: 64, need: true}, field{name: "qr_pay_mode", max: 2}, field{name: "qrcode_width", max: 4},
			field{name: "integration_type", max: 16}, field{name: "request_from_url", max: 256})},
		{name: string(wapPay), link: true, fields: orders(field{name: "product_code", max: 64, need: true}, field{name: "quit_url", max: 400})},
		{name: string(precreate), changes: true, act: (*Sim).precreate, fields: orders(
			field{name: "product_code", max: 64}, field{name: "seller_id", max: 28}, field{name: "operator_id", max: 28}, field{name: "terminal_id", max: 32})},
		{name: "alipay.trade.query", act: (*Sim).query, fields: asks(field{name: "query_options", kind: list})},
		{name: "alipay.trade.close", changes: true, act: (*Sim).closeTrade, fields: asks(field{name: "operator_id", max: 28})},
		{name: "alipay.trade.cancel", changes: true, act: (*Sim).cancel, fields: which},
		{name: "alipay.trade.refund", changes: true, act: (*Sim).refund, fields: asks(
			field{name: "refund_amount", kind: amount, need: true}, field{name: "out_request_no", max: 64}, field{name: "refund_reason", max: 256},
			field{name: "refund_goods_detail", kind: list}, field{name: "query_options", kind: list},
			field{name: "operator_id", max: 30}, field{name: "store_id", max: 32}, field{name: "terminal_id", max: 32})},
		{name: "alipay.trade.fastpay.refund.query", act: (*Sim).queryRefund, fields: asks(
			field{name: "out_request_no", max: 64, need: true}, field{name: "query_options", kind: list})},
		{name: billMethod, invalid: billInvalid, act: (*Sim).queryBill, fields: []field{
			{name: "bill_type", max: 20, need: true}, {name: "bill_date", max: 15, need: true},
		}},
	}
}

// productCodes are what an order may say; the first may be left out of
// precreate.
var productCodes = map[product][]string{
	pagePay:   {"FAST_INSTANT_TRADE_PAY"},
	wapPay:    {"QUICK_WAP_WAY"},
	precreate: {"", "FACE_TO_FACE_PAYMENT", "QR_CODE_OFFLINE"},
}

// order reads the offer that a call asks for.
func (s *Sim) order(c call) (*offer, *failure) {
	t := c.content.texts
	o := &offer{
		product: product(c.name), ref: t["out_trade_no"], total: c.content.amounts["total_amount"],
		subject: t["subject"], body: t["body"], passed: t["passback_params"],
		notifyURL: c.params.Get("notify_url"), returnURL: c.params.Get("return_url"), leaveURL: t["request_from_url"] + t["quit_url"],
		madeAt: s.now,
	}
	switch {
	case strings.Trim(o.ref, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "":
		return nil, wrongParameter("out_trade_no: letters, digits and underscores only")
	case strings.ContainsAny(o.subject, "/=&"):
		return nil, wrongParameter("subject: / = and & are not allowed")
	case !slices.Contains(productCodes[o.product], t["product_code"]):
		return nil, wrongParameter("product_code: not one of this method")
	case t["seller_id"] != "" && t["seller_id"] != s.cfg.SellerID:
		return nil, wrongParameter("seller_id: not this merchant's")
	case o.leaveURL != "" && !isAddress(o.leaveURL):
		return nil, wrongParameter("the address for those who leave is not one")
	}
	var bad *failure
	if o.deadline, bad = readDeadline(c.content, c.signedAt, s.now); bad != nil {
		return nil, bad
	}
	if t := s.trades[o.ref]; t != nil {
		switch now := t.status(s.now); {
		case !t.agrees(o):
			return nil, refused("ACQ.CONTEXT_INCONSISTENT", "this out_trade_no was used with other content")
		case now == tradeClosed:
			return nil, refused("ACQ.TRADE_HAS_CLOSE", "the trade is closed")
		case now != waitBuyerPay:
			return nil, refused("ACQ.TRADE_HAS_SUCCESS", "the trade is paid")
		}
	}
	return o, nil
}

// show puts an offer before the customer.
func (s *Sim) show(o *offer) {
	o.id = s.letters(20, "abcdefghijklmnopqrstuvwxyz0123456789")
	s.offers[o.id], s.newest[o.ref], s.latest = o, o, o
}

// askMax is how often one out_trade_no may ask for a code.
const askMax = 20

func (s *Sim) precreate(c call) (object, *failure) {
	o, bad := s.order(c)
	if bad != nil {
		return nil, bad
	}
	switch old := s.codes[o.ref]; {
	case old == nil:
		s.show(o)
		s.codes[o.ref] = o
	case !old.agrees(o):
		return nil, refused("ACQ.CONTEXT_INCONSISTENT", "this out_trade_no was used with other content")
	case old.asked == askMax:
		return nil, refused("ACQ.APPLY_PC_MERCHANT_CODE_ERROR", "too many codes for this out_trade_no")
	default:
		o = old
	}
	o.asked++
	return object{{"out_trade_no", o.ref}, {"qr_code", s.cfg.PageBase + "/qr/" + o.id}}, nil
}

// find returns the trade that a call names. trade_no wins.
func (s *Sim) find(c content, at time.Time) (*trade, *failure) {
	t := s.trades[c.texts["out_trade_no"]]
	if no := c.texts["trade_no"]; no != "" {
		t = s.byNo[no]
	} else if c.texts["out_trade_no"] == "" {
		return nil, wrongParameter("out_trade_no and trade_no are both missing")
	}
	if t == nil || at.Before(t.createdAt) {
		return nil, refused("ACQ.TRADE_NOT_EXIST", "there is no such trade")
	}
	return t, nil
}

const loginShown = "tra***@example.test"

func (s *Sim) query(c call) (object, *failure) {
	at := s.now.Add(-s.lag)
	t, bad := s.find(c.content, at)
	if bad != nil {
		return nil, bad
	}
	now, got := t.status(at), "0.00"
	o := object{{"buyer_logon_id", loginShown}}
	if !t.paidAt.IsZero() && !at.Before(t.paidAt) {
		got = yuan(t.total)
		o = o.with("send_pay_date", clock(t.paidAt))
		if slices.Contains(c.content.options, "fund_bill_list") {
			o = o.with("fund_bill_list", []map[string]string{{"amount": got, "fund_channel": "ALIPAYACCOUNT"}})
		}
	}
	return append(o, object{
		{"buyer_pay_amount", got},
		{"buyer_user_id", t.buyer},
		{"buyer_user_type", "PRIVATE"},
		{"invoice_amount", got},
		{"out_trade_no", t.ref},
		{"point_amount", "0.00"},
		{"receipt_amount", got},
		{"total_amount", yuan(t.total)},
		{"trade_no", t.no},
		{"trade_status", string(now)},
	}...), nil
}

func (s *Sim) closeTrade(c call) (object, *failure) {
	t, bad := s.find(c.content, s.now)
	if bad != nil {
		return nil, bad
	}
	if t.status(s.now) != waitBuyerPay {
		return nil, refused("ACQ.TRADE_STATUS_ERROR", "only a trade that waits for its buyer can be closed")
	}
	s.close(t, s.now)
	return object{{"out_trade_no", t.ref}, {"trade_no", t.no}}, nil
}

const cancelWithin = 24 * time.Hour

// cancel closes or gives everything back, whichever it takes.
func (s *Sim) cancel(c call) (object, *failure) {
	t, bad := s.find(c.content, s.now)
	if bad != nil {
		if bad.sub == "ACQ.TRADE_NOT_EXIST" && c.content.texts["out_trade_no"] != "" {
			return object{{"out_trade_no", c.content.texts["out_trade_no"]}, {"retry_flag", "N"}}, nil
		}
		return nil, bad
	}
	action := "refund"
	switch now, last := t.status(s.now), len(t.refunds)-1; {
	case t.product != precreate:
		return nil, refused("ACQ.CANCEL_NOT_ALLOWED", "this product has no cancel")
	case now == waitBuyerPay:
		s.close(t, s.now)
		action = "close"
	case !t.closedAt.IsZero():
		action = "close"
	case last >= 0 && t.refunds[last].cancel: // said again
	case now == tradeFinished:
		return nil, refused("ACQ.TRADE_HAS_FINISHED", "the trade cannot be refunded any more")
	case last >= 0:
		return nil, refused("ACQ.REASON_TRADE_REFUND_FEE_ERR", "a refund has begun")
	case s.now.Sub(t.paidAt) > cancelWithin:
		return nil, refused("ACQ.TRADE_CANCEL_TIME_OUT", "cancel is for the day of the payment")
	default:
		s.giveBack(t, &refund{no: t.ref, fen: t.total, cancel: true})
	}
	return object{{"action", action}, {"out_trade_no", t.ref}, {"retry_flag", "N"}, {"trade_no", t.no}}, nil
}

func (s *Sim) refund(c call) (object, *failure) {
	t, bad := s.find(c.content, s.now)
	if bad != nil {
		return nil, bad
	}
	fen, no := c.content.amounts["refund_amount"], c.content.texts["out_request_no"]
	if no == "" {
		if no = t.ref; fen != t.total {
			return nil, refused("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "part of a trade needs an out_request_no")
		}
	}
	change := "N"
	if old := t.refund(no); old == nil {
		if bad := s.mayReturn(t, fen); bad != nil {
			return nil, bad
		}
		s.giveBack(t, &refund{no: no, fen: fen})
		change = "Y"
	} else if old.fen != fen {
		return nil, refused("ACQ.DISCORDANT_REPEAT_REQUEST", "this out_request_no was used with another amount")
	}
	o := object{
		{"buyer_logon_id", loginShown},
		{"buyer_user_id", t.buyer},
		{"fund_change", change},
		{"gmt_refund_pay", clock(t.refund(no).at)},
		{"out_trade_no", t.ref},
		{"refund_fee", yuan(t.refunded(s.now))},
	}
	if slices.Contains(c.content.options, "refund_detail_item_list") {
		o = o.with("send_back_fee", yuan(fen))
	}
	return o.with("trade_no", t.no), nil
}

// mayReturn says why an amount cannot be returned.
func (s *Sim) mayReturn(t *trade, fen int64) *failure {
	switch t.status(s.now) {
	case waitBuyerPay:
		return refused("ACQ.TRADE_STATUS_ERROR", "the trade is not paid")
	case tradeClosed:
		return refused("ACQ.TRADE_HAS_CLOSE", "the trade is closed")
	case tradeFinished:
		return refused("ACQ.TRADE_HAS_FINISHED", "the trade cannot be refunded any more")
	case tradeSuccess:
	}
	if fen > t.total-t.refunded(s.now) {
		return refused("ACQ.REASON_TRADE_REFUND_FEE_ERR", "more than is left of the trade")
	}
	return nil
}

func (s *Sim) queryRefund(c call) (object, *failure) {
	at := s.now.Add(-s.lag)
	t, bad := s.find(c.content, at)
	if bad != nil {
		return nil, bad
	}
	r := t.refund(c.content.texts["out_request_no"])
	if r == nil || r.at.After(at) {
		return nil, nil
	}
	o := object{
		{"out_request_no", r.no},
		{"out_trade_no", t.ref},
		{"refund_amount", yuan(r.fen)},
		{"refund_status", "REFUND_SUCCESS"},
		{"total_amount", yuan(t.total)},
		{"trade_no", t.no},
	}
	if slices.Contains(c.content.options, "gmt_refund_pay") {
		o = o.with("gmt_refund_pay", clock(r.at))
	}
	return o, nil
}
