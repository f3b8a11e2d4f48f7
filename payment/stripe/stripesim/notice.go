package stripesim

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Delivery is how an event is told to the webhook address.
type Delivery string

// The deliveries.
const (
	Prompt   Delivery = ""         // once, within seconds
	Early    Delivery = "early"    // due at once: before the call that caused it is answered
	Late     Delivery = "late"     // an hour later
	Behind   Delivery = "behind"   // a minute later: after the events that follow it
	Twice    Delivery = "twice"    // two notices of one event
	Doubled  Delivery = "doubled"  // a second event, with an identifier of its own, says the same
	Replayed Delivery = "replayed" // followed by an older event, told again
	Forged   Delivery = "forged"   // preceded by a notice that is not Stripe's
	Never    Delivery = "never"    // lost
)

// Deliveries are all but Prompt, for tests that try each.
var Deliveries = []Delivery{Early, Late, Behind, Twice, Doubled, Replayed, Forged, Never}

// Notification is one POST to the webhook address. Its signature carries DueAt
// as its time: whoever posts it later than Stripe's tolerance of five minutes
// posts something stale.
type Notification struct {
	EventID string
	Type    string
	Attempt int // 1 for the first; 0 for a forgery
	DueAt   time.Time
	Header  http.Header
	Body    []byte
}

// notice is a notification that nobody has fetched yet.
type notice struct {
	event   *event
	dueAt   time.Time
	attempt int
	forgery int // 0 is genuine, else one of the ways to forge
	body    []byte
}

// secret signs notices until it is replaced, and a day longer.
type secret struct {
	text   string
	endsAt time.Time // zero: the present one
}

// retries are the pauses after failed notices: exponential, three days in all,
// as in live mode.
var retries = []time.Duration{
	time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 12 * time.Hour, 12 * time.Hour, 12 * time.Hour, 12 * time.Hour,
}

// Sign makes the value of the header Stripe-Signature for a body sent at an
// instant: one v1 per secret, and the v0 that test mode adds and nobody may
// trust. See https://docs.stripe.com/webhooks#verify-manually.
func Sign(at time.Time, body []byte, secrets ...string) string {
	t := digits(at.Unix())
	parts := []string{"t=" + t}
	for _, text := range secrets {
		parts = append(parts, "v1="+seal(text, t, body))
	}
	return strings.Join(append(parts, "v0="+seal("test mode", t, body)), ",")
}

func seal(text, t string, body []byte) string {
	return mac(text, append([]byte(t+"."), body...))
}

func mac(text string, payload []byte) string {
	h := hmac.New(sha256.New, []byte(text))
	h.Write(payload)
	return hex.EncodeToString(h.Sum(nil))
}

// tell queues the notices of an event.
func (s *Sim) tell(e *event) {
	how := Prompt
	if len(s.deliver) > 0 {
		how, s.deliver = s.deliver[0], s.deliver[1:]
	} else if s.cfg.Deliver != nil {
		how = s.cfg.Deliver(e.kind)
	}
	soon := s.now.Add(time.Second + time.Duration(s.rand.IntN(3000))*time.Millisecond)
	body := render(e.json())
	add := func(due time.Time) {
		s.queue = append(s.queue, notice{event: e, dueAt: due, attempt: 1, body: body})
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
	case Doubled:
		add(soon)
		twin := *e
		twin.id = s.newID("evt_3", 23)
		s.events = append(s.events, &twin)
		s.queue = append(s.queue, notice{event: &twin, dueAt: soon.Add(time.Second), attempt: 1, body: render(twin.json())})
	case Replayed:
		add(soon)
		old := s.events[s.rand.IntN(len(s.events))]
		s.queue = append(s.queue, notice{event: old, dueAt: soon.Add(time.Second), attempt: 1, body: render(old.json())})
	case Forged:
		s.queue = append(s.queue, notice{event: e, dueAt: s.now, forgery: 1 + s.rand.IntN(forgeries), body: body})
		add(soon)
	case Never:
	}
}

// Notifications returns what is to be posted to the webhook address and was
// not fetched before, in the order of DueAt, which may be in the future.
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
const forgeries = 6

// post signs a notice, or pretends to.
func (s *Sim) post(n notice) Notification {
	secrets := s.secretsAt(n.dueAt)
	p := Notification{EventID: n.event.id, Type: n.event.kind, Attempt: n.attempt, DueAt: n.dueAt, Body: n.body}
	signature := Sign(n.dueAt, n.body, secrets...)
	switch n.forgery {
	case 1: // another secret
		signature = Sign(n.dueAt, n.body, "whsec_"+"not_yours")
	case 2: // another body under a good signature
		p.Body = bytes.Replace(n.body, []byte(`"livemode":false`), []byte(`"livemode":true`), 1)
	case 3: // good, and an hour old
		signature = Sign(n.dueAt.Add(-time.Hour), n.body, secrets...)
	case 4: // good under a scheme that nobody may trust
		signature = strings.ReplaceAll(Sign(n.dueAt, n.body, secrets...), "v1=", "v0=")
	case 5: // a good signature for another time
		old := Sign(n.dueAt.Add(-time.Hour), n.body, secrets...)
		_, rest, _ := strings.Cut(old, ",")
		signature = "t=" + digits(n.dueAt.Unix()) + "," + rest
	case 6:
		signature = ""
	}
	p.Header = http.Header{"Content-Type": {"application/json; charset=utf-8"}, "User-Agent": {"Stripe/1.0 (+https://stripe.com/docs/webhooks)"}}
	if signature != "" {
		p.Header.Set("Stripe-Signature", signature)
	}
	return p
}

// Failed says that a notification was not answered with 2xx. Stripe posts it
// again, later and later, for three days.
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
	s.requeue(n.EventID, from.Add(retries[n.Attempt-1]), n.Attempt+1)
}

// Resend posts an event again at once, as staff can from Stripe's dashboard or
// a stranger who recorded it cannot: freshly signed. It reports whether there
// is such an event.
func (s *Sim) Resend(eventID string) bool {
	s.enter()
	defer s.mu.Unlock()
	return s.requeue(eventID, s.now, 1)
}

func (s *Sim) requeue(eventID string, dueAt time.Time, attempt int) bool {
	for _, e := range s.events {
		if e.id == eventID {
			s.queue = append(s.queue, notice{event: e, dueAt: dueAt, attempt: attempt, body: render(e.json())})
			return true
		}
	}
	return false
}

// secretOverlap is how long an old secret signs beside the new one.
const secretOverlap = 24 * time.Hour

// Rotate replaces the webhook secret. For a day notices carry a signature of
// each.
func (s *Sim) Rotate(text string) {
	s.enter()
	defer s.mu.Unlock()
	s.secrets[0].endsAt = s.now.Add(secretOverlap)
	s.secrets = append([]secret{{text: text}}, s.secrets...)
}

func (s *Sim) secretsAt(t time.Time) []string {
	var all []string
	for _, k := range s.secrets {
		if k.endsAt.IsZero() || t.Before(k.endsAt) {
			all = append(all, k.text)
		}
	}
	return all
}
