package esimaccesssim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Notification is one POST that the operator makes to the saved address. No
// header proves where it comes from [1.6].
type Notification struct {
	DueAt  time.Time
	URL    string
	From   string // the operator's address that it comes from
	Header http.Header
	Body   []byte
}

// Delivery is how badly notifications are delivered. The zero value delivers
// each once, at once, in order.
type Delivery struct {
	LateMax       time.Duration // each is late by up to this much, so that they overtake each other
	RepeatPercent int           // so many of a hundred come twice, with the same notifyId
	LosePercent   int           // so many of a hundred never come
	OldShape      bool          // without notifyId, eventGenerateTime and transactionId
}

const outboxMax = 100_000

// sourceIPs are the addresses that the operator publishes for its webhooks.
func sourceIPs() []string {
	return []string{"3.1.131.226", "54.254.74.88", "18.136.190.97", "18.136.60.197", "18.136.19.137"}
}

// Notifications drains what is due to be POSTed to us by now, in the order of
// delivery. What is late stays until its time.
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

// NextDue is the next instant at which something happens by itself or a
// notification is to be delivered; false when nothing is to come.
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

// saveWebhook serves webhook/save, which fails where nobody answers.
func (s *Sim) saveWebhook(p params) (any, *refusal) {
	address, no := p.mandatory("webhook", 500)
	if no != nil {
		return nil, no
	}
	if u, err := url.Parse(address); err != nil || u.Host == "" {
		return nil, failed("000107", "webhook")
	}
	if s.knobs.unreachable {
		return nil, failed("000001", "the webhook does not answer 200")
	}
	s.webhook = address
	s.outbox = append(s.outbox, s.envelop(s.now, "CHECK_HEALTH", map[string]any{
		"orderNo": "1234567890", "orderStatus": "Test",
	}))
	return map[string]any{}, nil
}

// queryWebhook serves webhook/query.
func (s *Sim) queryWebhook(params) (any, *refusal) {
	return map[string]any{"webhook": s.webhook}, nil
}

// observe tells what has become true of a line by an instant. It may be called
// at any time: nothing is told twice.
func (s *Sim) observe(p *profile, at time.Time) {
	f := p.latest()
	if now := s.statusAt(p, f, at); now != p.toldStatus {
		p.toldStatus = now
		if now != GotResource { // never appears in ESIM_STATUS
			s.notifyStatus(p, f, now, at)
		}
	}
	alive := p.toldStatus == InUse || p.toldStatus == UsedUp
	if alive && f.ends.Sub(at) <= 24*time.Hour && !p.toldEnd.Equal(f.ends) {
		p.toldEnd = f.ends
		s.notify(at, "VALIDITY_USAGE", p, map[string]any{
			"remain": 1, "totalDuration": f.days, "durationUnit": "DAY", "expiredTime": s.say(f.ends),
		})
	}
	if p.base.DataType != 1 || f.activated.IsZero() {
		return
	}
	used := s.reportedAt(p, at)
	remain := max(0, f.volume-used)
	for _, percent := range thresholds() {
		below := remain*100 <= percent*f.volume
		if below && !p.toldRemain[percent] && alive {
			s.notify(at, "DATA_USAGE", p, map[string]any{
				"totalVolume": f.volume, "orderUsage": used, "remain": remain,
				"remainThreshold": fraction(percent), "lastUpdateTime": s.say(s.knownAt(p, at)),
			})
		}
		p.toldRemain[percent] = below // a top-up may lift it above again
	}
}

// thresholds are the percentages remaining at which usage is told.
func thresholds() []int64 { return []int64{50, 20, 10} }

// fraction writes a percentage as the operator does: 50 is 0.5.
func fraction(percent int64) json.RawMessage {
	return json.RawMessage(fmt.Sprintf("0.%d", percent/10))
}

// markTold makes a seeded line's past old news.
func (s *Sim) markTold(p *profile, f facts, at time.Time) {
	if f.ends.Sub(at) <= 24*time.Hour {
		p.toldEnd = f.ends
	}
	for _, percent := range thresholds() {
		p.toldRemain[percent] = (f.volume-s.reportedAt(p, at))*100 <= percent*f.volume
	}
}

func (s *Sim) notifyOrder(o *order, at time.Time) {
	s.enqueue(at, "ORDER_STATUS", map[string]any{
		"orderNo": o.no, "orderStatus": "GOT_RESOURCE", "transactionId": o.transactionID,
	})
}

// notifyStatus carries the data figures only sometimes.
func (s *Sim) notifyStatus(p *profile, f facts, now Status, at time.Time) {
	content := map[string]any{"esimStatus": s.spell(now, "REVOKED"), "smdpStatus": f.smdp}
	if s.cfg.Rand.IntN(2) == 0 {
		used := s.reportedAt(p, at)
		content["totalVolume"], content["orderUsage"], content["remainVolume"] = f.volume, used, max(0, f.volume-used)
	}
	s.notify(at, "ESIM_STATUS", p, content)
}

func (s *Sim) notifyPhone(p *profile, at time.Time) {
	f := p.latest()
	content := map[string]any{
		"eid": p.eid, "esimStatus": s.spell(s.statusAt(p, f, at), "REVOKED"), "smdpStatus": f.smdp,
		"timestamp": s.say(at), "seqNumber": nil,
	}
	if s.cfg.Rand.IntN(2) == 0 {
		content["seqNumber"], content["notifyStatus"] = s.cfg.Rand.IntN(200), "Executed-Success"
	}
	s.notify(at, "SMDP_EVENT", p, content)
}

// notify adds what names the line. The ICCID may be a number, of 20 digits.
func (s *Sim) notify(at time.Time, kind string, p *profile, content map[string]any) {
	content["orderNo"], content["esimTranNo"], content["transactionId"] = p.orderNo, p.tranNo, p.transactionID
	content["iccid"] = p.iccid
	if s.pick(s.cfg.Manners.ICCID, "string", "number") == "number" {
		content["iccid"] = json.RawMessage(p.iccid)
	}
	s.enqueue(at, kind, content)
}

// enqueue puts a notification into the outbox, as well or badly as asked.
func (s *Sim) enqueue(at time.Time, kind string, content map[string]any) {
	if s.webhook == "" {
		return
	}
	d := s.knobs.delivery
	n := s.envelop(at, kind, content)
	if s.chance(d.LosePercent) {
		return
	}
	if len(s.outbox) >= outboxMax {
		s.outbox = slices.Clone(s.outbox[outboxMax/2:]) // nobody drains it: the oldest are given up
	}
	n.DueAt = s.lateness(at, d.LateMax)
	s.outbox = append(s.outbox, n)
	if s.chance(d.RepeatPercent) {
		n.DueAt = s.lateness(at, d.LateMax)
		s.outbox = append(s.outbox, n)
	}
}

func (s *Sim) envelop(at time.Time, kind string, content map[string]any) Notification {
	body := map[string]any{"notifyType": kind, "content": content}
	if s.knobs.delivery.OldShape {
		delete(content, "transactionId")
	} else {
		body["notifyId"], body["eventGenerateTime"] = s.hex(32), s.say(at)
	}
	from := sourceIPs()
	return Notification{
		DueAt: at, URL: s.webhook, From: from[s.cfg.Rand.IntN(len(from))],
		Header: http.Header{"Content-Type": {"application/json"}}, Body: mustMarshal(body),
	}
}

func (s *Sim) chance(percent int) bool { return percent > 0 && s.cfg.Rand.IntN(100) < percent }

func (s *Sim) lateness(at time.Time, most time.Duration) time.Time {
	if most <= 0 {
		return at
	}
	return at.Add(time.Duration(s.cfg.Rand.Int64N(int64(most))))
}
