package airalo

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// rule is a limit that the operator documents: so many calls in so much time.
// What all calls share is Abilities().RatePerSecond, kept by the client.
type rule struct {
	name   string
	most   int
	within time.Duration
}

// The rules. Those of usage and history are for each SIM.
var (
	tokenRule    = rule{"token", 3, time.Minute}
	packagesRule = rule{"packages", 80, time.Minute}
	usageRule    = rule{"usage", 10, time.Minute}
	historyRule  = rule{"history", 10, time.Minute}
)

// longestShut bounds what is believed of a Retry-After. An older document let
// a SIM's history be read once in 15 minutes.
const longestShut = 15 * time.Minute

// shutter is how many entries are kept before those that are over are dropped.
const shutter = 10_000

// budget keeps the operator's rules, for this process: whoever asks too often is
// told so here, and nothing is sent. It is safe for concurrent use.
type budget struct {
	mu   sync.Mutex
	keys map[string]*spending
}

type spending struct {
	calls []time.Time // within the rule's time, oldest first
	shut  time.Time   // nothing is sent before
}

// take spends a call under r for subject, a SIM or nothing, and reports whether
// there was one left.
func (b *budget) take(r rule, subject string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.of(r, subject, now)
	for len(s.calls) > 0 && now.Sub(s.calls[0]) >= r.within {
		s.calls = s.calls[1:]
	}
	if len(s.calls) >= r.most || now.Before(s.shut) {
		return false
	}
	s.calls = append(s.calls, now)
	return true
}

// shut lets nothing be sent until a time that the operator named.
func (b *budget) shut(r rule, subject string, now time.Time, h http.Header) {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds <= 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.of(r, subject, now).shut = now.Add(min(time.Duration(min(seconds, 1<<20))*time.Second, longestShut))
}

func (b *budget) of(r rule, subject string, now time.Time) *spending {
	if b.keys == nil {
		b.keys = map[string]*spending{}
	}
	key := r.name + " " + subject
	if s := b.keys[key]; s != nil {
		return s
	}
	if len(b.keys) >= shutter {
		for key, s := range b.keys {
			if !now.Before(s.shut) && (len(s.calls) == 0 || now.Sub(s.calls[len(s.calls)-1]) >= time.Minute) {
				delete(b.keys, key)
			}
		}
	}
	s := &spending{}
	b.keys[key] = s
	return s
}
