package airalosim

import (
	"net/http"
	"strconv"
	"time"
)

// limit is so many calls within a window that begins with the first of them.
type limit struct {
	key   string
	calls int
	per   time.Duration
}

// window counts the calls of a limit.
type window struct {
	ends time.Time
	n    int
}

const windowsMax = 10_000

// limits are what an operation is held to [2.4]. The narrowest comes last: its
// figures are the ones in the headers.
func (s *Sim) limits(r *request) []limit {
	token := bearer(r.header)
	if token == "" {
		token = "from " + r.client
	}
	if s.cfg.Sandbox {
		return []limit{{"sandbox " + string(r.operation), 5, time.Second}}
	}
	return map[Operation][]limit{
		Token:    {{"token " + r.text("client_id"), 3, time.Minute}},
		Packages: {{"packages " + token, 80, time.Minute}},
		Usage:    {{"usage", 5, time.Second}, {"usage " + r.id, 10, time.Minute}},
		History:  {{"history " + r.id, 10, time.Minute}},
		Refund:   {{"refund " + r.client, 5, time.Minute}},
		Simulate: {{"simulate " + r.client, 5, time.Minute}},
	}[r.operation]
}

// throttle counts a call and says whether it is one too many. The headers are
// on answers of every status, as a probe of the real one showed.
func (s *Sim) throttle(r *request) (http.Header, *refusal) {
	h := http.Header{}
	for _, l := range s.limits(r) {
		w := s.windows[l.key]
		if w == nil || !s.now.Before(w.ends) {
			s.forgetWindows()
			w = &window{ends: s.now.Add(l.per)}
			s.windows[l.key] = w
		}
		w.n++
		h.Set("X-RateLimit-Limit", strconv.Itoa(l.calls))
		h.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, l.calls-w.n)))
		if w.n > l.calls {
			wait := int64((w.ends.Sub(s.now) + time.Second - 1) / time.Second)
			h.Set("Retry-After", strconv.FormatInt(wait, 10))
			h.Set("X-RateLimit-Reset", strconv.FormatInt(s.now.Unix()+wait, 10))
			return h, tooMany()
		}
	}
	return h, nil
}

// forgetWindows keeps what ended long ago from piling up.
func (s *Sim) forgetWindows() {
	if len(s.windows) < windowsMax {
		return
	}
	for key, w := range s.windows {
		if !s.now.Before(w.ends) {
			delete(s.windows, key)
		}
	}
}
