package airalosim

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Notification is one POST that the operator makes to us [2.5]. Its signature
// is in the header airalo-signature.
type Notification struct {
	ID     int // for [Sim.Answered]
	DueAt  time.Time
	URL    string
	Header http.Header
	Body   []byte
	Retry  int // 0 the first time
}

// Delivery is how badly notifications are delivered. The zero value delivers
// each once, at once, in order.
type Delivery struct {
	LateMax       time.Duration // each is late by up to this much, so that they overtake each other
	RepeatPercent int           // so many of a hundred come twice
	LosePercent   int           // so many of a hundred never come
	ForgePercent  int           // after so many of a hundred comes one like it that a stranger signed

	// PlainBody leaves slashes as they are in the body, while the signature
	// stays one over the form that PHP writes. Whether that happens is
	// unconfirmed; a receiver that knows both forms does not mind.
	PlainBody bool
}

const (
	outboxMax  = 100_000
	retriesMax = 20
	retryEvery = 15 * time.Minute
)

// optIn is where the notifications of a type go.
type optIn struct {
	address string
	levels  []int // percent, of the credit limit
}

// optInTypes are the types that may be opted into [2.5].
func optInTypes() []string {
	return []string{"async_orders", "webhook_low_data", "webhook_credit_limit", "email_low_data", "email_credit_limit"}
}

// optInTo serves POST notifications/opt-in. The address must answer HEAD with 200.
func (s *Sim) optInTo(r *request) (*answer, *refusal) {
	kind := r.text("type")
	switch {
	case kind == "":
		return nil, missing("type")
	case !slices.Contains(optInTypes(), kind):
		return nil, invalidField("type", "The selected type is invalid.")
	}
	key := "webhook_url"
	if strings.HasPrefix(kind, "email_") {
		key = "email"
	}
	address := r.text(key)
	if address == "" {
		return nil, missing(key)
	}
	if key == "webhook_url" {
		if no := s.alive(address); no != nil {
			return nil, no
		}
	}
	to := optIn{address: address}
	if strings.HasSuffix(kind, "_credit_limit") {
		for _, level := range []int{50, 70, 80, 90} {
			if given := r.list("levels"); len(given) == 0 || slices.Contains(given, strconv.Itoa(level)) {
				to.levels = append(to.levels, level)
			}
		}
	}
	s.optedIn[kind] = to
	s.lastOptIn = kind
	return ok(s.optInRow(kind)), nil
}

// alive asks an address with HEAD, as is done at opt-in and with the address of
// a single order; only 200 will do [2.5].
func (s *Sim) alive(address string) *refusal {
	if u, err := url.Parse(address); err != nil || u.Host == "" {
		return invalidField("webhook_url", "The webhook url format is invalid.")
	}
	if s.cfg.Head != nil && s.cfg.Head(address) != http.StatusOK {
		return invalidField("webhook_url", "The webhook url must answer a HEAD request with 200 OK.")
	}
	return nil
}

func (s *Sim) optInRow(kind string) object {
	row := object{{"type", kind}, {"contact_point", s.optedIn[kind].address}}
	if levels := s.optedIn[kind].levels; len(levels) > 0 {
		row = append(row, member{"levels", levels})
	}
	return object{{"notification", row}}
}

// getOptIn serves GET notifications/opt-in: the type that the query names, else
// the newest. How the real one chooses is unconfirmed.
func (s *Sim) getOptIn(r *request) (*answer, *refusal) {
	kind := r.query.Get("type")
	if kind == "" {
		kind = s.lastOptIn
	}
	if s.optedIn[kind].address == "" {
		return ok([]any{}), nil
	}
	return ok(s.optInRow(kind)), nil
}

// optOut serves POST notifications/opt-out.
func (s *Sim) optOut(r *request) (*answer, *refusal) {
	kind := r.text("type")
	if !slices.Contains(optInTypes(), kind) {
		return nil, invalidField("type", "The selected type is invalid.")
	}
	delete(s.optedIn, kind)
	return &answer{status: http.StatusNoContent}, nil
}

// simulate serves POST simulator/webhook, which works in the sandbox as well.
func (s *Sim) simulate(r *request) (*answer, *refusal) {
	failed := func(text string) *refusal {
		return &refusal{*plain(http.StatusBadRequest, object{{"error", text}})}
	}
	iccid := r.text("iccid")
	if iccid == "" {
		iccid = "8997212330099025334"
	}
	var kind string
	var body object
	switch r.text("event") {
	case "low_data_notification":
		levels := map[string]string{"data_75": "75%", "data_90": "90%", "expire_3": "3days", "expire_1": "1days"}
		level, known := levels[r.text("type")]
		if !known {
			return nil, invalidField("type", "Type must be one of: data_75, data_90, expire_1, expire_3")
		}
		kind, body = "webhook_low_data", object{{"level", level}, {"package_name", "bonbon-7gb-10days"}, {"remaining_percentage", 25}, {"iccid", iccid}}
	case "credit_limit_notification":
		level := r.text("level")
		if !slices.Contains([]string{"50", "70", "80", "90"}, level) {
			return nil, invalidField("level", "Level must be one of: 50, 70, 80, 90")
		}
		kind, body = "webhook_credit_limit", creditBody(level, 22_535)
	case "async_order_notification":
		kind, body = "async_orders", object{{"request_id", s.letters(25)}, {"type", "sim"}, {"sims", []object{{{"iccid", iccid}}}}}
	default:
		return nil, invalidField("event", "Event must be one of: low_data_notification, credit_limit_notification, async_order_notification")
	}
	to := r.text("webhook_url")
	if to == "" {
		to = s.optedIn[kind].address
	}
	if to == "" {
		return nil, failed("User is not opted in")
	}
	s.enqueue(s.now, to, body)
	return plain(http.StatusOK, object{{"success", "Notification sent"}}), nil
}

// watch tells what has become true of a line, and looks again when its end is
// near. It may be called at any time: nothing is told twice.
func (s *Sim) watch(l *line, at time.Time) {
	f := l.figuresAt(at)
	if f.status == recycled || f.ends.IsZero() {
		return
	}
	for _, near := range []struct {
		level string
		days  int
	}{{"3days", 3}, {"1days", 1}} {
		from := f.ends.AddDate(0, 0, -near.days)
		if from.After(at) {
			if key := "look " + stamp(from); !l.told[key] {
				l.told[key] = true
				s.later(from, func(at time.Time) { s.watch(l, at) })
			}
			continue
		}
		if f.ends.After(at) {
			s.tellLow(l, f, near.level, at)
		}
	}
	if f.unlimited || f.total == 0 {
		return
	}
	for _, level := range []int64{75, 90} {
		if (f.total-f.remaining)*100 >= level*f.total {
			s.tellLow(l, f, strconv.FormatInt(level, 10)+"%", at)
		}
	}
}

// tellLow tells a level once for each end and total that a line has had.
func (s *Sim) tellLow(l *line, f figures, level string, at time.Time) {
	key := fmt.Sprint(level, " ", stamp(f.ends), " ", f.total)
	if l.told[key] {
		return
	}
	l.told[key] = true
	percent := int64(0)
	if f.total > 0 {
		percent = f.remaining * 100 / f.total
	}
	s.notify(at, "webhook_low_data", s.optedIn["webhook_low_data"].address, object{
		{"level", level}, {"package_name", f.pack.ID}, {"remaining_percentage", percent}, {"iccid", l.iccid},
	})
}

// tellCredit tells which levels of the credit a movement has crossed.
func (s *Sim) tellCredit(at time.Time, before int64) {
	to := s.optedIn["webhook_credit_limit"]
	for _, level := range to.levels {
		crossed := func(balance int64) bool { return (s.cfg.Balance-balance)*100 >= int64(level)*s.cfg.Balance }
		if s.cfg.Balance > 0 && crossed(s.balance) && !crossed(before) {
			s.notify(at, "webhook_credit_limit", to.address, creditBody(strconv.Itoa(level), s.balance))
		}
	}
}

func creditBody(level string, balance int64) object {
	return object{{"message", "Surpassed " + level + "% of the credit limit balance"}, {"remaining", cents(balance)}}
}

// notify sends a real event, as well or badly as asked. The sandbox sends none.
func (s *Sim) notify(at time.Time, kind, to string, body object) {
	if s.cfg.Sandbox || to == "" || kind != "async_orders" && s.optedIn[kind].address == "" {
		return
	}
	s.enqueue(at, to, body)
}

func (s *Sim) enqueue(at time.Time, to string, body object) {
	d := s.knobs.delivery
	n := s.envelope(to, body, s.cfg.ClientSecret)
	if s.chance(d.LosePercent) {
		return
	}
	if len(s.outbox) >= outboxMax {
		s.outbox = slices.Clone(s.outbox[outboxMax/2:]) // nobody drains it: the oldest are given up
	}
	s.send(n, s.lateness(at, d.LateMax))
	if s.chance(d.RepeatPercent) {
		s.send(n, s.lateness(at, d.LateMax))
	}
	if s.chance(d.ForgePercent) {
		forged := s.envelope(to, body.set("remaining_percentage", 0).set("level", "90%"), s.letters(32))
		s.send(forged, s.lateness(at, d.LateMax))
	}
}

func (s *Sim) send(n Notification, at time.Time) {
	s.seq++
	n.ID, n.DueAt = s.seq, at
	s.outbox = append(s.outbox, n)
}

func (s *Sim) envelope(to string, body object, secret string) Notification {
	text := phpJSON(body)
	n := Notification{URL: to, Body: text, Header: http.Header{
		"Content-Type": {"application/json"}, "Airalo-Signature": {sign(secret, text)},
	}}
	if s.knobs.delivery.PlainBody {
		n.Body = []byte(strings.ReplaceAll(string(text), `\/`, `/`))
	}
	return n
}

// Forge puts a notification into the outbox that a stranger signed: body as it
// is, to the address of a type that was opted into.
func (s *Sim) Forge(kind string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.send(Notification{URL: s.optedIn[kind].address, Body: body, Header: http.Header{
		"Content-Type": {"application/json"}, "Airalo-Signature": {sign(s.letters(32), body)},
	}}, s.now)
}

// Notifications drains what is due to be POSTed to us by now, in the order of
// delivery. Who delivers says with [Sim.Answered] what we answered; without
// that, nothing is tried again.
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
			s.sent[n.ID] = n
		}
	}
	s.outbox = rest
	slices.SortStableFunc(due, func(a, b Notification) int { return a.DueAt.Compare(b.DueAt) })
	return due
}

// Answered says with which status a notification was answered, 0 for silence.
// Whatever is not 200 to 203 makes the operator try again in 15 minutes, 20
// times [2.5]. That includes 204.
func (s *Sim) Answered(id, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	n, known := s.sent[id]
	delete(s.sent, id)
	if !known || status >= 200 && status <= 203 || n.Retry >= retriesMax {
		return
	}
	n.Retry++
	s.send(n, s.now.Add(retryEvery))
}

// DeliverTo posts what is due to a handler, reports the answers, and says how
// much that was.
func (s *Sim) DeliverTo(h http.Handler) int {
	due := s.Notifications()
	for _, n := range due {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, n.URL, strings.NewReader(string(n.Body)))
		r.Header = n.Header.Clone()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		s.Answered(n.ID, w.Code)
	}
	return len(due)
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

func (s *Sim) chance(percent int) bool { return percent > 0 && s.cfg.Rand.IntN(100) < percent }

func (s *Sim) lateness(at time.Time, most time.Duration) time.Time {
	if most <= 0 {
		return at
	}
	return at.Add(time.Duration(s.cfg.Rand.Int64N(int64(most))))
}
