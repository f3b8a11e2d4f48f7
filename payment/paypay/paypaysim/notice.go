package paypaysim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Delivery is how a state is told to the merchant's webhook address.
type Delivery string

// The deliveries.
const (
	Prompt Delivery = ""       // once, within two seconds
	Early  Delivery = "early"  // due at once
	Late   Delivery = "late"   // an hour later
	Behind Delivery = "behind" // a minute later: after those that follow it
	Twice  Delivery = "twice"  // two notifications of one state
	Never  Delivery = "never"  // lost
	Forged Delivery = "forged" // preceded by one that is not PayPay's
)

// tries is how often a notification is sent at most, and retryPause what lies
// between.
const (
	tries      = 3
	retryPause = 100 * time.Millisecond
)

// Notification is one POST to the webhook address. It carries no signature.
type Notification struct {
	Kind    string // the state it tells
	Attempt int    // 1 for the first; 0 for a forgery
	DueAt   time.Time
	Header  http.Header
	Body    []byte
}

// notice is a notification that nobody has fetched yet.
type notice struct {
	kind    string
	attempt int
	dueAt   time.Time
	body    []byte
}

func (n notice) post() Notification {
	return Notification{
		Kind: n.kind, Attempt: n.attempt, DueAt: n.dueAt, Body: bytes.Clone(n.body),
		Header: http.Header{"Content-Type": {"application/json"}},
	}
}

// noticeBody tells merchant that p has reached a state.
func (p *payment) noticeBody(merchant, state string) []byte {
	id := p.paymentID
	if id == "" { // a forger's
		id = "04739000000000000000"
	}
	v := obj{
		"notification_type": "Transaction",
		"merchant_id":       merchant,
		"store_id":          orNull(p.storeID),
		"pos_id":            orNull(p.terminalID),
		"order_id":          id,
		"merchant_order_id": p.ref,
		"order_amount":      strconv.FormatInt(p.yen, 10),
		"state":             state,
	}
	if state != failed {
		at := p.completedAt
		if at.IsZero() {
			at = p.createdAt
		}
		v["authorized_at"], v["expires_at"], v["paid_at"] = nil, nil, at.UTC().Format("2006-01-02T15:04:05Z")
	}
	body, err := json.Marshal(v)
	if err != nil {
		panic("paypaysim: " + err.Error()) // only strings are in it
	}
	return body
}

// tell queues the notifications of a state that was just reached.
func (s *Sim) tell(state string, body []byte) {
	how := Prompt
	if s.cfg.Deliver != nil {
		how = s.cfg.Deliver(state)
	}
	soon := s.now.Add(100*time.Millisecond + time.Duration(s.rand.IntN(1900))*time.Millisecond)
	add := func(due time.Time) {
		s.queue = append(s.queue, notice{kind: state, attempt: 1, dueAt: due, body: body})
	}
	switch how {
	case Prompt:
		add(soon)
	case Early:
		add(s.now)
	case Late:
		add(soon.Add(time.Hour))
	case Behind:
		add(soon.Add(time.Minute))
	case Twice:
		add(soon)
		add(soon.Add(time.Second))
	case Never:
	case Forged:
		lies := s.lies()
		lie := lies[s.rand.IntN(len(lies))]
		lie.dueAt = s.now
		s.queue = append(s.queue, lie)
		add(soon)
	}
}

// lies are notifications that are well made and untrue: every unpaid code is
// said to be paid, so is one that nobody made, and another merchant is told.
func (s *Sim) lies() []notice {
	stranger := &payment{order: order{ref: s.random(digits+"abcdefghijklmnopqrstuvwxyz", 26), yen: 100}, createdAt: s.now}
	bodies := [][]byte{
		stranger.noticeBody(s.cfg.MerchantID, completed),
		stranger.noticeBody("9"+s.cfg.MerchantID, completed),
	}
	for _, p := range s.payments {
		if p.codeID != "" && p.startedAt.IsZero() {
			bodies = append(bodies, p.noticeBody(s.cfg.MerchantID, completed))
		}
	}
	var all []notice
	for _, body := range bodies {
		all = append(all, notice{kind: completed, dueAt: s.now, body: body})
	}
	return all
}

// Forge returns notifications that anybody could have sent: they say that
// something was paid that was not.
func (s *Sim) Forge() []Notification {
	s.enter()
	defer s.mu.Unlock()
	var all []Notification
	for _, n := range s.lies() {
		all = append(all, n.post())
	}
	return all
}

// Notifications returns what is to be posted to the webhook address and was
// not fetched before, in the order of DueAt, which may be in the future.
func (s *Sim) Notifications() []Notification {
	s.enter()
	defer s.mu.Unlock()
	var all []Notification
	for _, n := range s.queue {
		all = append(all, n.post())
	}
	s.queue = nil
	slices.SortStableFunc(all, func(a, b Notification) int { return a.DueAt.Compare(b.DueAt) })
	return all
}

// Failed says that a notification was not acknowledged in time. PayPay posts it
// again a tenth of a second later, three times in all; then it is lost.
func (s *Sim) Failed(n Notification) {
	s.enter()
	defer s.mu.Unlock()
	if n.Attempt < 1 || n.Attempt >= tries {
		return
	}
	from := n.DueAt
	if s.now.After(from) {
		from = s.now
	}
	s.queue = append(s.queue, notice{kind: n.Kind, attempt: n.Attempt + 1, dueAt: from.Add(retryPause), body: bytes.Clone(n.Body)})
}

// Accepts reports whether PayPay takes an answer for an acknowledgement.
func (s *Sim) Accepts(status int, body []byte) bool {
	return status == http.StatusOK && string(bytes.TrimSpace(body)) == "OK"
}
