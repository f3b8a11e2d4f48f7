package wechatpaysim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Delivery is how an event is told to the notify_url.
type Delivery string

// The deliveries.
const (
	Prompt Delivery = ""       // once, within seconds
	Early  Delivery = "early"  // due at the very instant, before the customer is back
	Late   Delivery = "late"   // an hour later
	Behind Delivery = "behind" // a minute later: after those that follow
	Twice  Delivery = "twice"  // two of one event
	Never  Delivery = "never"  // lost
	Forged Delivery = "forged" // preceded by one that is not WeChat's
)

// Deliveries are all but Prompt, for tests that try each.
var Deliveries = []Delivery{Early, Late, Behind, Twice, Never, Forged}

// AnswerWithin is how long WeChat waits for an answer before it counts as failed.
const AnswerWithin = 5 * time.Second

// retries are the pauses after failed sends.
var retries = []time.Duration{
	15 * time.Second, 15 * time.Second, 30 * time.Second, 3 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute, 30 * time.Minute,
	30 * time.Minute, time.Hour, 3 * time.Hour, 3 * time.Hour, 3 * time.Hour, 6 * time.Hour, 6 * time.Hour,
}

// Notification is one POST. Its signature carries DueAt as its time: whoever
// posts it more than five minutes later posts something stale.
type Notification struct {
	Kind    string // event_type
	Attempt int    // 1 for the first; 0 for a forgery or a probe
	DueAt   time.Time
	URL     string // the notify_url
	Header  http.Header
	Body    []byte
}

// event is something that is told. Its body is the same at every send.
type event struct {
	id       string
	kind     string
	original string // original_type, and what is authenticated beside the text
	plain    any
	url      string
	at       time.Time
	body     []byte
}

// notice is a notification that nobody has fetched yet.
type notice struct {
	event   *event
	dueAt   time.Time
	attempt int
	forgery int // 0 is genuine, else one of the ways to forge
}

// tell queues the notifications of an event.
func (s *Sim) tell(e event) {
	s.write(&e, s.cfg.APIv3Key)
	s.events = append(s.events, &e)
	how := Prompt
	if s.cfg.Deliver != nil {
		how = s.cfg.Deliver(e.kind)
	}
	soon := e.at.Add(time.Second + time.Duration(s.rand.IntN(2000))*time.Millisecond)
	add := func(due time.Time) { s.queue = append(s.queue, notice{event: &e, dueAt: due, attempt: 1}) }
	switch how {
	case Prompt:
		add(soon)
	case Early:
		add(e.at)
	case Late:
		add(soon.Add(time.Hour))
	case Behind:
		add(soon.Add(time.Minute))
	case Twice:
		add(soon)
		add(soon.Add(time.Second))
	case Forged:
		s.queue = append(s.queue, notice{event: &e, dueAt: e.at, forgery: 1 + s.rand.IntN(forgeries)})
		add(soon)
	case Never:
	}
}

// write gives an event its identifier and its body, sealed with an APIv3 key.
func (s *Sim) write(e *event, key string) {
	hex := s.word("0123456789abcdef", 32)
	e.id = strings.Join([]string{hex[:8], hex[8:12], hex[12:16], hex[16:20], hex[20:]}, "-")
	type resource struct {
		OriginalType string `json:"original_type"`
		sealed
	}
	e.body = render(struct {
		ID           string   `json:"id"`
		CreateTime   string   `json:"create_time"`
		ResourceType string   `json:"resource_type"`
		EventType    string   `json:"event_type"`
		Summary      string   `json:"summary"`
		Resource     resource `json:"resource"`
	}{
		e.id, stamp(e.at), "encrypt-resource", e.kind, summary(e.kind),
		resource{e.original, s.seal(key, e.original, string(render(e.plain)))},
	})
}

func summary(kind string) string {
	return map[string]string{
		"TRANSACTION.SUCCESS": "支付成功", "REFUND.SUCCESS": "退款成功", "REFUND.ABNORMAL": "退款异常", "REFUND.CLOSED": "退款关闭",
	}[kind]
}

// Notifications returns what is to be posted and was not fetched before, in the
// order of DueAt, which may be in the future.
func (s *Sim) Notifications() []Notification {
	s.enter()
	defer s.mu.Unlock()
	var all []Notification
	for _, n := range s.queue {
		all = append(all, s.post(n))
	}
	s.queue = nil
	slices.SortStableFunc(all, func(a, b Notification) int { return a.DueAt.Compare(b.DueAt) })
	return all
}

// forgeries is how many ways to forge there are.
const forgeries = 8

// post signs a notice, or pretends to.
func (s *Sim) post(n notice) Notification {
	e := n.event
	if n.forgery >= 7 {
		e = s.another(e, n.forgery == 8)
	}
	p := Notification{Kind: e.kind, Attempt: n.attempt, DueAt: n.dueAt, URL: e.url, Body: bytes.Clone(e.body)}
	p.Header = http.Header{"Content-Type": {"application/json"}, "Request-Id": {s.word("0123456789ABCDEF", 32) + "-0"}, "User-Agent": {"Mozilla/4.0"}}
	s.autograph(p.Header, n.dueAt, e.body)
	switch n.forgery {
	case 1: // another key: nobody without ours can do better than chance
		chance := make([]byte, 256)
		for i := 1; i < len(chance); i++ {
			chance[i] = byte(s.rand.IntN(256))
		}
		p.Header.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(chance))
	case 2: // another body under a good signature
		p.Body = bytes.Replace(e.body, []byte(`"summary":"`), []byte(`"summary":"!`), 1)
	case 3: // good, and an hour old
		s.autograph(p.Header, n.dueAt.Add(-time.Hour), e.body)
	case 4: // an old signature under a new time
		s.autograph(p.Header, n.dueAt.Add(-time.Hour), e.body)
		p.Header.Set("Wechatpay-Timestamp", strconv.FormatInt(n.dueAt.Unix(), 10))
	case 5: // good, under a name nobody has
		name := p.Header.Get("Wechatpay-Serial")
		p.Header.Set("Wechatpay-Serial", name[:len(name)-1]+"Z")
	case 6:
		p.Header.Del("Wechatpay-Signature")
	}
	return p
}

// another is the like of an event at another merchant, signed by WeChat: sealed
// with that merchant's key, or with one that both use.
func (s *Sim) another(e *event, sharedKey bool) *event {
	plain := map[string]any{}
	if err := json.Unmarshal(render(e.plain), &plain); err != nil {
		panic("wechatpaysim: " + err.Error())
	}
	plain["mchid"] = "1" + s.word(digits, len(s.cfg.MchID))
	key := s.cfg.APIv3Key
	if !sharedKey {
		key = s.word(letters, 32)
	}
	other := &event{kind: e.kind, original: e.original, plain: plain, url: e.url, at: e.at}
	s.write(other, key)
	return other
}

// newestEvent is the newest event, or one about an order that nobody made.
func (s *Sim) newestEvent() *event {
	if len(s.events) > 0 {
		return s.events[len(s.events)-1]
	}
	o := &order{ref: s.word(digits, 26), kind: native, total: 100, tradeID: "42" + s.word(digits, 26), bank: "OTHERS", openID: "o" + s.word(letters, 27), paidAt: s.now}
	e := &event{kind: "TRANSACTION.SUCCESS", original: "transaction", plain: s.trade(o, success), url: "https://shop.invalid/notify", at: s.now}
	s.write(e, s.cfg.APIv3Key)
	return e
}

// Forge returns one notification of every kind that is not WeChat's, or not
// for this merchant, though it may be well made. They are due now.
func (s *Sim) Forge() []Notification {
	s.enter()
	defer s.mu.Unlock()
	e := s.newestEvent()
	var all []Notification
	for way := 1; way <= forgeries; way++ {
		all = append(all, s.post(notice{event: e, dueAt: s.now, forgery: way}))
	}
	return all
}

// Probe returns WeChat's own test of us: a notification whose signature is
// wrong and says so, due now. Only a refusal is right: see [Sim.AcceptsFor].
func (s *Sim) Probe() Notification {
	s.enter()
	defer s.mu.Unlock()
	n := s.post(notice{event: s.newestEvent(), dueAt: s.now})
	spoil(n.Header)
	return n
}

// Accepts reports whether an answer to a genuine notification, given within
// [AnswerWithin], is an acknowledgement: 200 or 204 with an empty body.
func (s *Sim) Accepts(status int, body []byte) bool {
	return (status == http.StatusOK || status == http.StatusNoContent) && len(body) == 0
}

// AcceptsFor is [Sim.Accepts] where the notification may be a probe, to which
// the right answer is 4xx or 5xx, and 2xx is a breach.
func (s *Sim) AcceptsFor(n Notification, status int, body []byte) bool {
	if strings.HasPrefix(n.Header.Get("Wechatpay-Signature"), signTest) {
		return status >= 400 && status <= 599
	}
	return s.Accepts(status, body)
}

// Failed says that a notification was not acknowledged. WeChat posts it again,
// up to fifteen times in a little more than a day. Forgeries and probes are not
// repeated.
func (s *Sim) Failed(n Notification) {
	s.enter()
	defer s.mu.Unlock()
	if n.Attempt < 1 || n.Attempt > len(retries) {
		return
	}
	from := n.DueAt
	if s.now.After(from) {
		from = s.now
	}
	for _, e := range s.events {
		if bytes.Equal(e.body, n.Body) {
			s.queue = append(s.queue, notice{event: e, dueAt: from.Add(retries[n.Attempt-1]), attempt: n.Attempt + 1})
			return
		}
	}
	panic(fmt.Sprintf("wechatpaysim: attempt %d of something that was never sent", n.Attempt))
}
