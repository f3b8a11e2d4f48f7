package outbound

import (
	"sync"
	"time"
)

// lately is how far back [Heard] remembers, in minutes.
const lately = 15

// Lately is how far back [Heard] remembers.
const Lately = lately * time.Minute

// Heard remembers how strangers answered in the last minutes: in memory, and only
// what this process saw. It is safe for concurrent use.
type Heard struct {
	Now func() time.Time

	mu sync.Mutex
	of map[string]*minutes
}

// minutes counts calls by the minute in which they ended.
type minutes struct {
	counts [lately]struct {
		minute            int64 // since 1970
		calls, unanswered int
	}
	answered time.Time
}

// Pulse is how one stranger answered.
type Pulse struct {
	Calls      int       // that ended in the last minutes
	Unanswered int       // of them: no answer, or one that says that the stranger is broken
	Answered   time.Time // the last answer, however long ago; zero: none since this process began
}

// Note counts a call that has ended.
func (h *Heard) Note(stranger string, answered bool) {
	now := h.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of == nil {
		h.of = map[string]*minutes{}
	}
	m := h.of[stranger]
	if m == nil {
		m = &minutes{}
		h.of[stranger] = m
	}
	minute := now.Unix() / 60
	c := &m.counts[minute%lately]
	if c.minute != minute {
		c.minute, c.calls, c.unanswered = minute, 0, 0
	}
	c.calls++
	if answered {
		m.answered = now
	} else {
		c.unanswered++
	}
}

// Of is how a stranger answered; the zero Pulse of one that was not called.
func (h *Heard) Of(stranger string) (p Pulse) {
	minute := h.Now().Unix() / 60
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.of[stranger]
	if m == nil {
		return p
	}
	for _, c := range m.counts {
		if c.minute > minute-lately && c.minute <= minute {
			p.Calls, p.Unanswered = p.Calls+c.calls, p.Unanswered+c.unanswered
		}
	}
	p.Answered = m.answered
	return p
}
