package antomsim

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Delivery is how an event is told to the notification address.
type Delivery string

// The deliveries.
const (
	Prompt Delivery = ""       // once, within seconds
	Early  Delivery = "early"  // due at once: before the customer is back in the shop
	Late   Delivery = "late"   // an hour later
	Behind Delivery = "behind" // a minute later: after the events that follow it
	Twice  Delivery = "twice"  // the same, two times
	Never  Delivery = "never"  // lost
	Forged Delivery = "forged" // preceded by one that is not Antom's
)

// Deliveries are all but Prompt, for tests that try each.
var Deliveries = []Delivery{Early, Late, Behind, Twice, Never, Forged}

// What is told: the kinds of notifications.
const (
	Paid         = "paid"          // PAYMENT_RESULT, S
	Failed       = "failed"        // PAYMENT_RESULT, F: declined, rejected or expired
	Pending      = "pending"       // PAYMENT_PENDING, S
	Refunded     = "refunded"      // REFUND_RESULT, S
	RefundFailed = "refund_failed" // REFUND_RESULT, F
	Disputed     = "disputed"      // DISPUTE_CREATED
	Judged       = "judged"        // DISPUTE_JUDGED
)

// Notification is one POST of JSON to a notification address. Its Request-Time
// is DueAt.
type Notification struct {
	Kind    string
	URL     string
	Attempt int // 1 for the first; 0 for a forgery
	DueAt   time.Time
	Header  http.Header
	Body    []byte
}

// notice is a notification that nobody has fetched yet.
type notice struct {
	kind, url string
	attempt   int
	dueAt     time.Time
	body      []byte
	forgery   forgery
}

// forgery is why a notice is not Antom's word to this merchant.
type forgery int

const (
	genuine       forgery = iota
	otherKey              // signed by a stranger
	otherMerchant         // Antom's, to another client
	otherAmount           // changed under its signature
	otherTime             // of an old one, with a new Request-Time
	otherAddress          // signed for another address
	unsigned
	forgeries
)

// retries are the pauses after failed notifications: with the first, at once,
// that makes eight.
var retries = []time.Duration{
	2 * time.Minute, 10 * time.Minute, 10 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 15 * time.Hour,
}

// telling is what is said of a payment that failed.
func (p *payment) telling(at time.Time) members {
	told := p.named()
	told["notifyType"] = "PAYMENT_RESULT"
	told["result"] = refused(p.resultCode(at), messages[p.resultCode(at)]).result()
	return told
}

// tell queues what happened at an instant.
func (s *Sim) tell(kind, address string, said members, at time.Time) {
	if address == "" {
		return
	}
	how := Prompt
	if s.cfg.Deliver != nil {
		how = s.cfg.Deliver(kind)
	}
	n := notice{kind: kind, url: address, attempt: 1, body: said.text()}
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
	body, at, client, uri := n.body, n.dueAt.UTC().Format(time.RFC3339), s.cfg.ClientID, "/"
	if u, err := url.Parse(n.url); err == nil {
		uri = u.RequestURI()
	}
	signedAt, signedURI := at, uri
	switch n.forgery {
	case otherMerchant:
		client = "5Y" + s.letters(15, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	case otherTime:
		signedAt = n.dueAt.Add(-24 * time.Hour).UTC().Format(time.RFC3339)
	case otherAddress:
		signedURI += "/elsewhere"
	case genuine, otherKey, otherAmount, unsigned, forgeries:
	}
	a := Notification{Kind: n.kind, URL: n.url, Attempt: n.attempt, DueAt: n.dueAt, Header: http.Header{}, Body: slices.Clone(body)}
	s.header(a.Header, "Request-Time", signedURI, client, signedAt, body)
	a.Header.Set("Request-Time", at)
	switch n.forgery {
	case otherKey:
		a.Header.Set("Signature", s.signatureOf(s.strangersSign()))
	case otherAmount:
		a.Body = []byte(strings.Replace(string(body), `"value":"`, `"value":"1`, 1))
	case unsigned:
		a.Header.Del("Signature")
	case genuine, otherMerchant, otherTime, otherAddress, forgeries:
	}
	if n.forgery != genuine {
		a.Attempt = 0
	}
	return a
}

// Accepts reports whether an answer to a notification acknowledges it: 200 and
// the fixed result.
func (s *Sim) Accepts(status int, body []byte) bool {
	var said struct{ Result map[string]string }
	return status == http.StatusOK && json.Unmarshal(body, &said) == nil &&
		maps.Equal(said.Result, map[string]string{"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"})
}

// Failed says that a notification was not acknowledged. Antom posts it again,
// eight times in all within about 24 hours; the sandbox does not.
func (s *Sim) Failed(n Notification) {
	s.enter()
	defer s.mu.Unlock()
	if s.sandbox() || n.Attempt < 1 || n.Attempt > len(retries) {
		return
	}
	from := n.DueAt
	if s.now.After(from) {
		from = s.now
	}
	s.queue = append(s.queue, notice{kind: n.Kind, url: n.URL, attempt: n.Attempt + 1, dueAt: from.Add(retries[n.Attempt-1]), body: n.Body})
}

// Forge returns notifications that say that the latest payment was made and
// that this merchant must not believe: well made, but by another key, for
// another client or address, changed, or not signed.
func (s *Sim) Forge() []Notification {
	s.enter()
	defer s.mu.Unlock()
	p := s.latest
	if p == nil {
		p = &payment{order: order{ref: s.letters(26, "0123456789abcdefghijklmnopqrstuvwxyz")}, id: s.paymentID(), createdAt: s.now}
	}
	said := p.named()
	said["notifyType"], said["result"], said["paymentTime"] = "PAYMENT_RESULT", success, iso(s.now)
	var all []Notification
	for f := genuine + 1; f < forgeries; f++ {
		all = append(all, s.post(notice{kind: Paid, url: p.notifyURL, dueAt: s.now, body: said.text(), forgery: f}))
	}
	return all
}
