package remotesim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// late is a request that the operator behind the server carries out later.
type late struct {
	q  question
	at time.Time
}

// RefuseNext turns the next extend away for a reason, as the operator behind the
// server would, changing nothing. Further calls queue up.
func (s *Sim) RefuseNext(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = append(s.refuse, reason)
}

// ActAfter answers the next extend with "unknown" and carries it out when d has
// passed, under the rules of that later instant: within settles_within_seconds the
// contract allows it.
func (s *Sim) ActAfter(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = append(s.slow, d)
}

// NextDue is when something happens by itself; false where nothing is to come.
func (s *Sim) NextDue() (at time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.later {
		if !ok || l.at.Before(at) {
			at, ok = l.at, true
		}
	}
	return at, ok
}

// Withdraw stops the sale of a package.
func (s *Sim) Withdraw(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Packages = slices.DeleteFunc(slices.Clone(s.Packages), func(p Package) bool { return p.Code == code })
}

// Change lets something happen to a line: its end, its use, another card under its name.
func (s *Sim) Change(line string, change func(*Line)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lines[line]
	was := *l
	change(l)
	if s.UsageDelay > 0 {
		l.known = append(l.known, figure{s.Now(), was.Used})
	}
}

// figure is what was used until an instant.
type figure struct {
	until time.Time
	used  int64
}

// measured is what the operator knows of a line's use, and as of when.
func (s *Sim) measured(l *Line) (used int64, asOf time.Time) {
	asOf = s.now().Add(-s.UsageDelay)
	for _, f := range l.known {
		if f.until.After(asOf) {
			return f.used, asOf
		}
	}
	return l.Used, asOf
}

// Bell is a notification about a line, signed.
func (s *Sim) Bell(id, event, line string) (http.Header, []byte) {
	body, err := json.Marshal(map[string]any{"event": event, "line": map[string]string{"id": line}})
	if err != nil {
		panic(err) // maps of plain values
	}
	at := strconv.FormatInt(s.now().Unix(), 10)
	return http.Header{
		"Content-Type": {"application/json"}, "Webhook-Id": {id}, "Webhook-Timestamp": {at}, "Webhook-Signature": {"v1," + signed(s.Key, id, at, body)},
	}, body
}

// troubled is the answer to an extend to which something happens; nil: nothing does.
func (s *Sim) troubled(q question) map[string]any {
	switch {
	case len(s.refuse) > 0:
		reason := s.refuse[0]
		s.refuse = s.refuse[1:]
		return refused(reason, "the operator says no")
	case len(s.slow) > 0:
		s.later = append(s.later, late{q, s.Now().Add(s.slow[0])})
		s.slow = s.slow[1:]
		return map[string]any{"outcome": "unknown"}
	}
	return nil
}

// overdue carries out what was put off until now.
func (s *Sim) overdue() {
	for len(s.later) > 0 && !s.later[0].at.After(s.Now()) {
		q := s.later[0].q
		s.later = s.later[1:]
		s.extend(q)
	}
}
