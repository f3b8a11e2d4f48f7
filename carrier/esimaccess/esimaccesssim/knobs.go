package esimaccesssim

import (
	"time"
)

// Manners are the ways in which the operator contradicts itself. An empty
// field means that the seed chooses, anew for each occasion.
type Manners struct {
	ErrorCode string // of a success: "null" or "0"
	Times     string // "offset" 2026-01-02T03:04:05+0000, "zulu" 2026-01-02T03:04:05Z, "words" 2026-01-02 03:04:05 UTC
	Revoked   string // "REVOKE", "REVOKED", or "documented": the first in queries, the second in notifications
	ICCID     string // in notifications: "string" or "number"
	UsageList string // obj of esim/usage/query: "object", or "array" as in the older document
	EndedCode string // to a top-up that is too late: "200002" or "200009"
	PriceCode string // to a top-up with another amount than the price: "200005" or "200006"
	GoneCode  string // to a withdrawn package: "310241" or "310243"

	// AsInTables sends success as a string and calls the text errorMessage, as
	// the document's tables have it and the wire has not.
	AsInTables bool

	// TopUpOldShape answers top-ups as in 2023: with the operator's own
	// transactionId instead of ours, and without topUpEsimTranNo.
	TopUpOldShape bool
}

// Throttle is what happens to the ninth request within a second of the
// simulated clock.
type Throttle string

// The throttles; the shape of the real one is unconfirmed.
const (
	ThrottleOff    Throttle = ""
	ThrottleStatus Throttle = "status" // HTTP 429
	ThrottleBusy   Throttle = "busy"   // HTTP 200 with 900001; nothing was carried out
)

const requestsPerSecond = 8

// knobs are what a test may turn while the simulator runs.
type knobs struct {
	refusals    map[string][]string // by path; "" for any
	stumbles    map[string][]string // by path
	throttle    Throttle
	delivery    Delivery
	delays      []time.Duration // for the next top-ups
	blocked     bool
	unreachable bool
}

// Refuse turns away the next request to path ("" for any) with code, changing
// nothing. Further calls queue up.
func (s *Sim) Refuse(path, code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.refusals[path] = append(s.knobs.refusals[path], code)
}

// Stumble carries out the next well-formed request to path that would succeed, and
// answers it with code all the same: 000001 and 900001 do not say how far the
// operator's system came [1.5]. Further calls queue up.
func (s *Sim) Stumble(path, code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.stumbles[path] = append(s.knobs.stumbles[path], code)
}

// ActAfter answers the next well-formed top-up with 900001 and carries it out
// all the same when d has passed on the clock, under the rules of that later
// instant. Further calls queue up.
func (s *Sim) ActAfter(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.delays = append(s.knobs.delays, d)
}

// LagReads makes esim/query, esim/usage/query and balance/query answer what was
// true d ago. 0 ends it.
func (s *Sim) LagReads(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lagReads = d
}

// SetThrottle changes what happens to requests beyond eight a second.
func (s *Sim) SetThrottle(t Throttle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.throttle = t
}

// SetDelivery changes how later notifications are delivered.
func (s *Sim) SetDelivery(d Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.delivery = d
}

// Block puts our address on the operator's block list (101002), or off it.
func (s *Sim) Block(blocked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.blocked = blocked
}

// HideWebhook makes the operator find nobody at an address that is being saved,
// so that webhook/save fails.
func (s *Sim) HideWebhook(hidden bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.unreachable = hidden
}

// ChangePrice gives a package another price from now on, in USD × 10,000. It
// panics if there is no such package.
func (s *Sim) ChangePrice(code string, price int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustFind(code).Price = price
}

// Withdraw takes a package out of the catalogue: no longer listed, ordering it
// is refused. It panics if there is no such package.
func (s *Sim) Withdraw(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustFind(code).withdrawn = true
}

// SetBalance sets what the seller has left, in USD × 10,000, as a deposit or
// its opposite in the ledger.
func (s *Sim) SetBalance(units int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.post(s.now, units-s.balance, "deposit", "")
}

// refusal takes the next ordered refusal of path, if there is one.
func (s *Sim) refusal(path string) *refusal {
	for _, key := range []string{path, ""} {
		if queue := s.knobs.refusals[key]; len(queue) > 0 {
			s.knobs.refusals[key] = queue[1:]
			return fail(queue[0])
		}
	}
	return nil
}

// stumble takes the next ordered stumble of path, if there is one.
func (s *Sim) stumble(path string) *refusal {
	queue := s.knobs.stumbles[path]
	if len(queue) == 0 {
		return nil
	}
	s.knobs.stumbles[path] = queue[1:]
	return fail(queue[0])
}

// delay takes the next ordered delay, if there is one.
func (s *Sim) delay() (time.Duration, bool) {
	if len(s.knobs.delays) == 0 {
		return 0, false
	}
	d := s.knobs.delays[0]
	s.knobs.delays = s.knobs.delays[1:]
	return d, true
}

// throttled lets through at most eight requests within any second. Those turned
// away do not count.
func (s *Sim) throttled() *refusal {
	if s.knobs.throttle == ThrottleOff {
		return nil
	}
	if n := len(s.arrivals); n >= requestsPerSecond {
		if s.now.Sub(s.arrivals[n-requestsPerSecond]) < time.Second {
			if s.knobs.throttle == ThrottleBusy {
				return fail("900001")
			}
			return &refusal{"429", "too many requests"}
		}
		s.arrivals = s.arrivals[n-requestsPerSecond+1:]
	}
	s.arrivals = append(s.arrivals, s.now)
	return nil
}

// pick is what is given or else the seed's choice.
func (s *Sim) pick(given string, options ...string) string {
	if given != "" {
		return given
	}
	return options[s.cfg.Rand.IntN(len(options))]
}

// say writes a time in one of the operator's three formats.
func (s *Sim) say(at time.Time) string {
	switch s.pick(s.cfg.Manners.Times, "offset", "zulu", "words") {
	case "zulu":
		return at.UTC().Format("2006-01-02T15:04:05Z")
	case "words":
		return at.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	return at.UTC().Format("2006-01-02T15:04:05+0000")
}

// spell writes a status; documented is how this place spells a revoked line.
func (s *Sim) spell(status Status, documented string) string {
	if status != Revoked {
		return string(status)
	}
	if s.cfg.Manners.Revoked == "documented" {
		return documented
	}
	return s.pick(s.cfg.Manners.Revoked, "REVOKE", "REVOKED")
}
