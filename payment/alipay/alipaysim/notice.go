package alipaysim

import (
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Delivery is how an event is told to the notify_url.
type Delivery string

// The deliveries.
const (
	Prompt Delivery = ""       // once, within seconds
	Early  Delivery = "early"  // due at once: before the customer is back in the shop
	Late   Delivery = "late"   // an hour later
	Behind Delivery = "behind" // a minute later: after the events that follow it
	Twice  Delivery = "twice"  // the same, two times
	Never  Delivery = "never"  // lost
	Forged Delivery = "forged" // preceded by one that is not Alipay's
)

// Deliveries are all but Prompt, for tests that try each.
var Deliveries = []Delivery{Early, Late, Behind, Twice, Never, Forged}

// What is told: the kinds of notifications.
const (
	Paid     = "paid"     // trade_status TRADE_SUCCESS
	Refunded = "refunded" // TRADE_SUCCESS, or TRADE_CLOSED if nothing is left; refund_fee is the sum of all refunds
	Closed   = "closed"   // TRADE_CLOSED, unpaid; wap.pay only
	Finished = "finished" // TRADE_FINISHED; wap.pay only
)

// Notification is one POST of a form to the notify_url. Its notify_time is
// DueAt.
type Notification struct {
	Kind    string
	URL     string // the notify_url
	Attempt int    // 1 for the first; 0 for a forgery
	DueAt   time.Time
	Header  http.Header
	Body    []byte
}

// notice is a notification that nobody has fetched yet.
type notice struct {
	kind, url string
	attempt   int
	dueAt     time.Time
	params    url.Values // all but notify_time and the signature
	forgery   forgery
}

// forgery is why a notice is not Alipay's word to this merchant.
type forgery int

const (
	genuine       forgery = iota
	otherKey              // signed by a stranger
	otherMerchant         // Alipay's, to another merchant's application
	otherSeller           // Alipay's, about another seller's money
	otherAmount           // changed under its signature
	unsigned
	forgeries
)

// retries are the pauses after failed notifications.
var retries = []time.Duration{
	4 * time.Minute, 10 * time.Minute, 10 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 15 * time.Hour,
}

// tell queues what has happened to a trade at an instant.
func (s *Sim) tell(kind string, t *trade, at time.Time) {
	if t.notifyURL == "" {
		return
	}
	how := Prompt
	if s.cfg.Deliver != nil {
		how = s.cfg.Deliver(kind)
	}
	n := notice{kind: kind, url: t.notifyURL, attempt: 1, params: s.telling(kind, t, at)}
	add := func(due time.Time, f forgery) {
		n.dueAt, n.forgery = due, f
		s.queue = append(s.queue, n)
	}
	soon := at.Add(time.Second + time.Duration(s.rand.IntN(3000))*time.Millisecond)
	switch how {
	case Prompt:
		add(soon, genuine)
	case Early:
		add(at, genuine)
	case Late:
		add(soon.Add(time.Hour), genuine)
	case Behind:
		add(soon.Add(time.Minute), genuine)
	case Twice:
		add(soon, genuine)
		add(soon.Add(time.Second), genuine)
	case Forged:
		add(at, 1+forgery(s.rand.IntN(int(forgeries-1))))
		add(soon, genuine)
	case Never:
	}
}

// telling is what a notification says.
func (s *Sim) telling(kind string, t *trade, at time.Time) url.Values {
	got := yuan(t.total)
	v := url.Values{}
	set := func(pairs ...string) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i+1] != "" {
				v.Set(pairs[i], pairs[i+1])
			}
		}
	}
	set("notify_type", "trade_status_sync", "notify_id", at.In(beijing).Format("20060102")+"00222"+s.digits(21),
		"app_id", s.cfg.AppID, "auth_app_id", s.cfg.AppID, "seller_id", s.cfg.SellerID, "seller_email", "seller@example.test",
		"charset", "utf-8", "version", "1.0", "out_trade_no", t.ref, "trade_no", t.no, "trade_status", string(t.status(at)),
		"total_amount", got, "subject", t.subject, "body", t.body, "passback_params", t.passed,
		"buyer_id", t.buyer, "buyer_logon_id", loginShown, "gmt_create", clock(t.createdAt))
	if kind == Closed {
		set("gmt_close", clock(at))
		return v
	}
	set("gmt_payment", clock(t.paidAt), "receipt_amount", got, "buyer_pay_amount", got, "invoice_amount", got, "point_amount", "0.00",
		"fund_bill_list", `[{"amount":"`+got+`","fundChannel":"ALIPAYACCOUNT"}]`)
	if last := len(t.refunds) - 1; kind == Refunded {
		set("refund_fee", yuan(t.refunded(at)), "gmt_refund", at.In(beijing).Format(timeLayout+".000"), "out_biz_no", t.refunds[last].no)
		if t.status(at) == tradeClosed {
			set("gmt_close", clock(at))
		}
	}
	return v
}

// Notifications returns what is to be posted and was not fetched before, in the
// order of DueAt, which may be in the future.
func (s *Sim) Notifications() []Notification {
	s.enter()
	defer s.mu.Unlock()
	slices.SortStableFunc(s.queue, func(a, b notice) int { return a.dueAt.Compare(b.dueAt) })
	var all []Notification
	for _, n := range s.queue {
		all = append(all, s.post(n))
	}
	s.queue = nil
	return all
}

// post signs a notice, or pretends to.
func (s *Sim) post(n notice) Notification {
	p := url.Values{}
	for name := range n.params {
		p.Set(name, n.params.Get(name))
	}
	p.Set("notify_time", clock(n.dueAt))
	switch n.forgery {
	case otherMerchant:
		p.Set("app_id", "9"+s.digits(15))
		p.Set("auth_app_id", p.Get("app_id"))
		p.Set("seller_id", "2088"+s.digits(12))
	case otherSeller:
		p.Set("seller_id", "2088"+s.digits(12))
	case genuine, otherKey, otherAmount, unsigned, forgeries:
	}
	s.toldBy(p)
	switch n.forgery {
	case otherKey:
		p.Set("sign", s.strangersSign())
	case otherAmount:
		p.Set("total_amount", "1"+p.Get("total_amount"))
	case unsigned:
		p.Del("sign")
	case genuine, otherMerchant, otherSeller, forgeries:
	}
	a := Notification{
		Kind: n.kind, URL: n.url, Attempt: n.attempt, DueAt: n.dueAt,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}, Body: []byte(p.Encode()),
	}
	if n.forgery != genuine {
		a.Attempt = 0
	}
	return a
}

// Accepts reports whether an answer to a notification acknowledges it: the
// seven bytes of success, and nothing else.
func (s *Sim) Accepts(status int, body []byte) bool {
	return status == http.StatusOK && string(body) == "success"
}

// Failed says that a notification was not acknowledged. Alipay posts it again,
// eight times in all within 25 hours.
func (s *Sim) Failed(n Notification) {
	s.enter()
	defer s.mu.Unlock()
	params, err := url.ParseQuery(string(n.Body))
	if err != nil || n.Attempt < 1 || n.Attempt > len(retries) ||
		!verifies(&s.cfg.AlipayKey.PublicKey, signedText(params, "sign", "sign_type"), params.Get("sign")) {
		return
	}
	params.Del("sign")
	from := n.DueAt
	if s.now.After(from) {
		from = s.now
	}
	s.queue = append(s.queue, notice{
		kind: n.Kind, url: n.URL, attempt: n.Attempt + 1, dueAt: from.Add(retries[n.Attempt-1]), params: params,
	})
}

// Forge returns notifications that say that the latest order was paid and that
// this merchant must not believe: well made, but by another key, for another
// merchant, changed, or not signed.
func (s *Sim) Forge() []Notification {
	s.enter()
	defer s.mu.Unlock()
	o := s.latest
	if o == nil {
		o = &offer{product: pagePay, ref: s.letters(26, "0123456789abcdefghijklmnopqrstuvwxyz"), total: 1, subject: "?"}
	}
	t := &trade{offer: o, no: s.tradeNo(), buyer: "2088" + s.digits(12), createdAt: s.now, paidAt: s.now, finishAt: s.now.Add(time.Hour)}
	var all []Notification
	for f := genuine + 1; f < forgeries; f++ {
		all = append(all, s.post(notice{kind: Paid, url: o.notifyURL, dueAt: s.now, params: s.telling(Paid, t, s.now), forgery: f}))
	}
	return all
}
