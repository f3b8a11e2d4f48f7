package cmisim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Notification is one push: a POST that the operator makes to us.
type Notification struct {
	DueAt  time.Time
	URL    string
	Header http.Header
	Body   []byte
}

// Delivery is how badly pushes are delivered. The zero value delivers each once,
// at once, in order. Nothing is tried again.
type Delivery struct {
	LateMax       time.Duration // each is late by up to this much, so that they overtake each other
	RepeatPercent int           // so many of a hundred come twice, each with headers of its own
	LosePercent   int           // so many of a hundred never come
	ForgePercent  int           // after so many of a hundred comes one like it that a stranger signed
}

const outboxMax = 100_000

// watch tells that packages began. Nothing is told twice.
func (s *Sim) watch(c *card) {
	for _, st := range c.statesAt(s.now, s.cfg.Zone) {
		if st.started.IsZero() || st.told["active"] {
			continue
		}
		st.told["active"] = true
		body := object{
			"iccid": s.digits(c.iccid), "packageId": st.pack.ID, "mcc": st.pack.MCC, "activeTime": stamp(st.started), "endTime": stamp(st.ends),
		}
		if st.order != nil {
			body["orderId"], body["thirdOrderId"] = st.order.id, st.order.third
		}
		s.send(body)
	}
}

// tellUsed tells how much a card has used of what runs, in bytes [3.2.16].
func (s *Sim) tellUsed(c *card) {
	for _, st := range c.statesAt(s.now, s.cfg.Zone) {
		if st.status(s.now) == statusActive {
			s.send(object{
				"iccid": s.digits(c.iccid), "imsi": c.himsi, "qtavalue": strconv.FormatInt(st.all, 10), "timestamp": stamp(s.now),
			})
		}
	}
}

// tellProfile tells what a phone did with a profile, as ES2+ does [3.2.17].
func (s *Sim) tellProfile(c *card, point string) {
	s.send(object{
		"header": object{"functionRequesterIdentifier": "24a3b946405843d2a1bc69780e7ba717", "functionCallIdentifier": "handleDownloadProgressInfo"},
		"iccid":  s.digits(c.iccid), "eid": c.esim.eid, "profileType": "CMI_gds_esim_02", "timeStamp": strconv.FormatInt(s.now.Unix(), 10),
		"notificationPointId": point, "notificationPointStatus": object{"status": "Executed-Success"},
	})
}

// digits is an ICCID as a push writes it.
func (s *Sim) digits(iccid string) any {
	if s.pick(s.cfg.Manners.ICCID, "number", "string") == "number" {
		return json.Number(iccid)
	}
	return iccid
}

// send puts a push into the outbox, as well or badly as asked.
func (s *Sim) send(body object) {
	if s.cfg.Webhook == "" {
		return
	}
	d := s.knobs.delivery
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	if s.chance(d.LosePercent) {
		return
	}
	s.enqueue(text, s.cfg.AppSecret, d.LateMax)
	if s.chance(d.RepeatPercent) {
		s.enqueue(text, s.cfg.AppSecret, d.LateMax)
	}
	if s.chance(d.ForgePercent) {
		s.enqueue(text, s.hex(32), d.LateMax)
	}
}

// enqueue dates a push's headers when it is sent, which may be late.
func (s *Sim) enqueue(body []byte, secret string, lateMax time.Duration) {
	if len(s.outbox) >= outboxMax {
		s.outbox = slices.Clone(s.outbox[outboxMax/2:]) // nobody drains it: the oldest are given up
	}
	n := Notification{DueAt: s.now, URL: s.cfg.Webhook, Body: body}
	if lateMax > 0 {
		n.DueAt = n.DueAt.Add(time.Duration(s.cfg.Rand.Int64N(int64(lateMax))))
	}
	now := s.now
	s.now = n.DueAt
	n.Header = s.wsse(s.cfg.AppKey, secret)
	s.now = now
	s.outbox = append(s.outbox, n)
}

// Forge puts a push into the outbox that a stranger signed: body as it is.
func (s *Sim) Forge(body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.enqueue(body, s.hex(32), 0)
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

// NextDue is the next instant at which something happens by itself or a push is
// to be delivered; false when nothing is to come.
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
