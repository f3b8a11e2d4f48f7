package esimgosim

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader is the header of a callback's signature [3.4].
const SignatureHeader = "X-Signature-Sha256"

// Notification is one callback: a POST that the operator makes to us [3.4].
type Notification struct {
	DueAt  time.Time
	URL    string
	Header http.Header
	Body   []byte
}

// Delivery is how badly callbacks are delivered. The zero value delivers each
// once, at once, in order. Nothing is tried again.
type Delivery struct {
	LateMax       time.Duration // each is late by up to this much, so that they overtake each other
	RepeatPercent int           // so many of a hundred come twice
	LosePercent   int           // so many of a hundred never come
	ForgePercent  int           // after so many of a hundred comes one like it that a stranger signed
}

const outboxMax = 100_000

// Sign is the signature over a callback's body, exactly as it is sent [3.4].
func Sign(apiKey string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(apiKey))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// watch tells what has become true of an eSIM's assignments. Nothing is told
// twice.
func (s *Sim) watch(e *esim) {
	for _, st := range e.statesAt(s.now) {
		if st.started.IsZero() {
			continue
		}
		s.tell(e, st, "FirstUse", "first use")
		total := st.total()
		for _, percent := range []int64{1, 50, 80, 100} {
			if !st.bundle.Unlimited && total > 0 && (total-st.left)*100 >= percent*total {
				s.tell(e, st, "Utilisation", strconv.FormatInt(percent, 10))
			}
		}
	}
}

func (s *Sim) tell(e *esim, st state, alert, once string) {
	if st.told[once] {
		return
	}
	st.told[once] = true
	e.note(s.now, map[string]string{"FirstUse": "eSIM First Use", "Utilisation": "eSIM Utilisation Alert"}[alert], st.bundle.Name)
	if s.cfg.Webhook != "" {
		s.send(s.callback(e, st, alert))
	}
}

// callback is the body of one, in the provider's order of fields.
func (s *Sim) callback(e *esim, st state, alert string) []byte {
	var id string
	if s.cfg.Version >= 3 {
		id = fmt.Sprintf(`"id":"%d","reference":"%s",`, st.id, st.ref)
	}
	iccid := e.iccid
	if s.pick(s.cfg.Manners.ICCID, "number", "string") == "string" {
		iccid = strconv.Quote(iccid)
	}
	text := func(v string) string {
		t, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return string(t)
	}
	return fmt.Appendf(nil,
		`{"iccid":%s,"alertType":%s,"bundle":{%s"name":%s,"description":%s,"initialQuantity":%d,"remainingQuantity":%d,"startTime":"%s","endTime":"%s","unlimited":%t}}`,
		iccid, text(alert), id, text(st.bundle.Name), text(st.bundle.Title), st.total(), st.left,
		st.started.Format(time.RFC3339), st.ends.Format(time.RFC3339), st.bundle.Unlimited)
}

// send puts a callback into the outbox, as well or badly as asked.
func (s *Sim) send(body []byte) {
	d := s.knobs.delivery
	if s.chance(d.LosePercent) {
		return
	}
	key := s.cfg.APIKey
	s.enqueue(body, key, d.LateMax)
	if s.chance(d.RepeatPercent) {
		s.enqueue(body, key, d.LateMax)
	}
	if s.chance(d.ForgePercent) {
		s.enqueue(body, s.uuid(), d.LateMax)
	}
}

func (s *Sim) enqueue(body []byte, key string, lateMax time.Duration) {
	if len(s.outbox) >= outboxMax {
		s.outbox = slices.Clone(s.outbox[outboxMax/2:]) // nobody drains it: the oldest are given up
	}
	n := Notification{DueAt: s.now, URL: s.cfg.Webhook, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
	if s.cfg.Version >= 3 {
		n.Header.Set(SignatureHeader, Sign(key, body))
	}
	if lateMax > 0 {
		n.DueAt = n.DueAt.Add(time.Duration(s.cfg.Rand.Int64N(int64(lateMax))))
	}
	s.outbox = append(s.outbox, n)
}

// Forge puts a callback into the outbox that a stranger signed: body as it is.
func (s *Sim) Forge(body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.enqueue(body, s.uuid(), 0)
}

// Notifications drains what is due to be POSTed to us by now, in the order of
// delivery.
func (s *Sim) Notifications() []Notification {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	var due, rest []Notification
	for _, n := range s.outbox {
		if n.DueAt.After(s.now) {
			rest = append(rest, n)
		} else {
			due = append(due, n)
		}
	}
	s.outbox = rest
	slices.SortStableFunc(due, func(a, b Notification) int { return a.DueAt.Compare(b.DueAt) })
	return due
}

// DeliverTo posts what is due to a handler, and says how much that was.
func (s *Sim) DeliverTo(h http.Handler) int {
	due := s.Notifications()
	for _, n := range due {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, n.URL, strings.NewReader(string(n.Body)))
		r.Header = n.Header.Clone()
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	return len(due)
}

// NextDue is the next instant at which something happens by itself or a callback
// is to be delivered; false when nothing is to come.
func (s *Sim) NextDue() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	next, _ := s.agenda.Next()
	for _, n := range s.outbox {
		if next.IsZero() || n.DueAt.Before(next) {
			next = n.DueAt
		}
	}
	return next, !next.IsZero()
}
