package paypalsim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// Delivery is how an event is told to the webhook address.
type Delivery string

// The deliveries.
const (
	Prompt Delivery = ""       // once, within seconds
	Early  Delivery = "early"  // due at once: before the call that caused it is answered
	Late   Delivery = "late"   // an hour later
	Behind Delivery = "behind" // a minute later: after the events that follow it
	Twice  Delivery = "twice"  // two posts of one event
	Never  Delivery = "never"  // lost
	Forged Delivery = "forged" // preceded by a post that is not PayPal's
)

// Deliveries are all but Prompt, for tests that try each.
var Deliveries = []Delivery{Early, Late, Behind, Twice, Never, Forged}

// Notification is one POST to the webhook address. Its signature carries DueAt
// as its time.
type Notification struct {
	EventID string
	Kind    string
	Attempt int // 1 for the first; 0 for a forgery
	DueAt   time.Time
	Header  http.Header
	Body    []byte
}

// event is something that the merchant is told.
type event struct {
	id, kind string
	body     []byte
}

// notice is a notification that nobody has fetched yet.
type notice struct {
	event   *event
	dueAt   time.Time
	attempt int
	forgery forgery
}

// retries is how often a post is repeated: 25 posts in all, within three days.
const retries = 24

// pause is how long PayPal waits after failed posts: doubling from a minute to
// some hours.
func pause(attempt int) time.Duration {
	return min(time.Minute<<min(attempt-1, 8), 4*time.Hour)
}

// tell makes an event and queues its posts.
func (s *Sim) tell(kind, resourceType, version, summary string, resource obj) {
	e := &event{id: "WH-" + s.newID(idLetters, 17) + "-" + s.newID(idLetters, 17), kind: kind}
	path := "/v1/notifications/webhooks-events/" + e.id
	v := obj{
		"id": e.id, "event_version": "1.0", "create_time": s.now.Format("2006-01-02T15:04:05.000Z"),
		"event_type": kind, "summary": summary, "resource": resource,
		"links": []obj{self(path, "self"), link(apiBase+path+"/resend", "resend", http.MethodPost)},
	}
	if resourceType != "" {
		v["resource_type"] = resourceType
	}
	if version != "" {
		v["resource_version"] = version
	}
	e.body = say(0, v).body
	s.events[e.id], s.last = e, e
	how := Prompt
	if s.cfg.Deliver != nil {
		how = s.cfg.Deliver(kind)
	}
	s.send(e, how)
}

func (s *Sim) send(e *event, how Delivery) {
	soon := s.now.Add(time.Second + time.Duration(s.rand.IntN(3000))*time.Millisecond)
	add := func(due time.Time) { s.queue = append(s.queue, notice{event: e, dueAt: due, attempt: 1}) }
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
	case Forged:
		s.queue = append(s.queue, notice{event: e, dueAt: s.now, forgery: forgeries[s.rand.IntN(len(forgeries))]})
		add(soon)
	case Never:
	default:
		panic("paypalsim: unknown delivery " + string(how))
	}
}

// Notifications returns what is to be posted to the webhook address and was not
// fetched before, in the order of DueAt, which may be in the future.
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

// Accepts reports whether an answer of the webhook address counts as received:
// any 2xx.
func (s *Sim) Accepts(status int, _ []byte) bool { return status >= 200 && status < 300 }

// Failed says that a notification was not accepted. PayPal posts it again,
// later and later, up to 25 times in three days.
func (s *Sim) Failed(n Notification) {
	s.enter()
	defer s.mu.Unlock()
	e := s.events[n.EventID]
	if e == nil || n.Attempt < 1 || n.Attempt > retries {
		return
	}
	from := n.DueAt
	if s.now.After(from) {
		from = s.now
	}
	s.queue = append(s.queue, notice{event: e, dueAt: from.Add(pause(n.Attempt)), attempt: n.Attempt + 1})
}

// forgery is a way in which a post is not PayPal's to this merchant.
type forgery string

const (
	genuine      forgery = ""
	ownAuthority forgery = "own_authority" // their key, their certificate, which we are made to serve
	foreignHost  forgery = "foreign_host"  // their key, a certificate at an address of theirs
	notTLS       forgery = "not_tls"       // signed by PayPal, the certificate to be fetched in the clear
	otherWebhook forgery = "other_webhook" // signed by PayPal, for somebody else's webhook
	otherBody    forgery = "other_body"    // signed by PayPal, another body
	otherTime    forgery = "other_time"    // signed by PayPal, another time
	expiredLeaf  forgery = "expired_leaf"  // their key, a certificate of ours that has ended
	otherKey     forgery = "other_key"     // their key, PayPal's certificate
	unsigned     forgery = "unsigned"      // without a signature
)

var forgeries = []forgery{ownAuthority, foreignHost, notTLS, otherWebhook, otherBody, otherTime, expiredLeaf, otherKey, unsigned}

// Forge returns posts that are well made and not PayPal's to this merchant, one
// of each way. Their payload is the newest event's, or an invented one's.
func (s *Sim) Forge() []Notification {
	s.enter()
	defer s.mu.Unlock()
	e := s.last
	if e == nil {
		e = &event{id: "WH-FORGED", kind: "PAYMENT.CAPTURE.COMPLETED"}
		e.body = say(0, obj{"id": e.id, "event_type": e.kind, "resource": obj{"id": "FORGED", "status": completed}}).body
	}
	var all []Notification
	for _, how := range forgeries {
		all = append(all, s.post(notice{event: e, dueAt: s.now, forgery: how}))
	}
	return all
}

// post signs a notice, or pretends to.
func (s *Sim) post(n notice) Notification {
	p := Notification{EventID: n.event.id, Kind: n.event.kind, Attempt: n.attempt, DueAt: n.dueAt, Body: bytes.Clone(n.event.body)}
	id := s.newID(hexLetters, 8) + "-" + s.newID(hexLetters, 4) + "-11f1-" + s.newID(hexLetters, 4) + "-" + s.newID(hexLetters, 12)
	at, webhook := stamp(n.dueAt), s.cfg.WebhookID
	key, cert := s.certs.leaf.key, s.cfg.CertURL+s.certs.leaf.name
	shownAt := at
	switch n.forgery {
	case genuine, otherBody, unsigned:
	case ownAuthority:
		key, cert = s.stranger().key, s.cfg.CertURL+s.stranger().own
	case foreignHost:
		key, cert = s.stranger().key, "https://api.paypal.com.paypalsim.invalid"+certPath+s.stranger().own
	case notTLS:
		cert = "http://api.paypal.com" + certPath + s.certs.leaf.name
	case otherWebhook:
		webhook = "0" + webhook
	case otherTime:
		shownAt = stamp(n.dueAt.Add(time.Minute))
	case expiredLeaf:
		key, cert = s.stranger().key, s.cfg.CertURL+s.stranger().expired
	case otherKey:
		key = s.stranger().key
	}
	signature := sign(key, signedText(id, at, webhook, p.Body))
	p.Header = http.Header{}
	p.Header.Set("Content-Type", "application/json")
	p.Header.Set("User-Agent", "PayPal/AUHD-214.0-58000000")
	p.Header.Set("PAYPAL-TRANSMISSION-ID", id)
	p.Header.Set("PAYPAL-TRANSMISSION-TIME", shownAt)
	p.Header.Set("PAYPAL-CERT-URL", cert)
	p.Header.Set("PAYPAL-AUTH-ALGO", "SHA256withRSA")
	if n.forgery != unsigned {
		p.Header.Set("PAYPAL-TRANSMISSION-SIG", signature)
	}
	if n.forgery == otherBody {
		p.Body = forgedBody(p.Body)
	}
	return p
}

// forgedBody says the same of another event.
func forgedBody(body []byte) []byte {
	var v obj
	if err := json.Unmarshal(body, &v); err != nil {
		panic(err) // we wrote it
	}
	v["id"] = "WH-FORGED"
	return say(0, v).body
}
