package esimgosim

import (
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Fault is what happens to one request besides, or instead of, being served.
type Fault string

// The faults. Whoever hears nothing gets an error from [Sim.Transport], and a
// connection that is cut from the handler.
const (
	None           Fault = ""
	Silence        Fault = "silence"         // nothing happens, nothing is answered
	SilenceAfter   Fault = "silence_after"   // carried out; nothing is answered
	BreakAfter     Fault = "break_after"     // carried out; answered with 500
	Slow           Fault = "slow"            // nothing is answered; carried out minutes later, under the rules of then
	Processing     Fault = "processing"      // 503 with Retry-After; carried out minutes later
	ProcessingLost Fault = "processing_lost" // 503 with Retry-After; never carried out
	Refuse         Fault = "refuse"          // not carried out; 400
	Busy           Fault = "busy"            // not carried out; 429 with Retry-After
	Reprice        Fault = "reprice"         // the price rises by a tenth just before
	OtherESIM      Fault = "other_esim"      // the bundle goes to a new eSIM, though allowReassign forbids it
	Down           Fault = "down"            // 500 for this and all that follow, for [Config].Outage
)

// Faults are all faults but None.
var Faults = []Fault{Silence, SilenceAfter, BreakAfter, Slow, Processing, ProcessingLost, Refuse, Busy, Reprice, OtherESIM, Down}

// Manners are the ways in which the documents contradict themselves or leave
// something open. An empty field means that the seed chooses, anew for each
// occasion.
type Manners struct {
	ICCID     string // in callbacks: "number" as the sample of the notifications has it, or "string"
	Foreign   string // to an ICCID that is not ours: "403" [v2.4] or "400" [v2.2]
	Unlimited string // dataAmount of an unlimited bundle: "0" or "-1"
	Installed string // firstInstalledDateTime: "milliseconds" [v2.5] or "text" [v2.4]
	Created   string // createdDate: "nanoseconds" as the samples have it, or "seconds"
}

// knobs are what a test may turn while the simulator runs.
type knobs struct {
	faults   map[Operation][]Fault // to come, by operation; "" for any
	weights  map[Fault]int
	stale    int // percent of readings
	lag      time.Duration
	delivery Delivery
	misplace bool // what is served now goes to another eSIM
}

// Fail decides the fate of the next request of an operation ("" for any).
// Further calls queue up.
func (s *Sim) Fail(op Operation, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.faults[op] = append(s.knobs.faults[op], f)
}

// SetWeights lets the seed choose a fault for so many of a hundred orders and
// applications. nil ends it. It panics if they are more than a hundred together.
func (s *Sim) SetWeights(percent map[Fault]int) {
	sum := 0
	for _, n := range percent {
		sum += n
	}
	if sum > 100 {
		panic("esimgosim: faults of more than a hundred percent")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.weights = percent
}

// LagReads makes percent of a hundred readings of eSIMs, bundles, orders and
// balance answer what was true d ago. 0 ends it.
func (s *Sim) LagReads(percent int, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.stale, s.knobs.lag = percent, d
}

// SetDelivery changes how later callbacks are delivered.
func (s *Sim) SetDelivery(d Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.delivery = d
}

// writes are the operations that change something.
func (op Operation) writes() bool {
	return op == PlaceOrder || op == Apply || op == RevokeName || op == RevokeOne || op == UpdateESIM
}

// fate is what becomes of a request.
func (s *Sim) fate(op Operation) Fault {
	for _, key := range []Operation{op, ""} {
		if queue := s.knobs.faults[key]; len(queue) > 0 {
			s.knobs.faults[key] = queue[1:]
			return queue[0]
		}
	}
	if op != PlaceOrder && op != Apply || len(s.knobs.weights) == 0 {
		return None
	}
	n := s.cfg.Rand.IntN(100)
	for _, f := range Faults {
		if n -= s.knobs.weights[f]; n < 0 {
			return f
		}
	}
	return None
}

// reprice raises what an order is about.
func (s *Sim) reprice(q *request) {
	var w wish
	if q.operation != PlaceOrder || !q.read(&w) {
		return
	}
	for _, item := range w.Order {
		if b := s.bundle(item.Item); b != nil {
			b.Price += max(1, b.Price/10)
		}
	}
}

// reading is the instant that a reading shows.
func (s *Sim) reading(op Operation) time.Time {
	stale := []Operation{Orders, GetOrder, ESIMs, GetESIM, History, Bundles, BundleStatus, Organisation}
	if s.knobs.lag > 0 && slices.Contains(stale, op) && s.chance(s.knobs.stale) {
		return s.now.Add(-s.knobs.lag)
	}
	return s.now
}

// window counts what a caller has spent in a second.
type window struct {
	ends  time.Time
	spent int
}

const windowsMax = 10_000

// tokens is the documented number in a window [3.1].
const tokens = 10

// throttle charges a call and says whether it is one too many; the headers are
// on every answer.
func (s *Sim) throttle(q *request) (http.Header, *answer) {
	client, _, _ := net.SplitHostPort(q.r.RemoteAddr)
	w := s.windows[client]
	if w == nil || !s.now.Before(w.ends) {
		if len(s.windows) >= windowsMax {
			clear(s.windows)
		}
		w = &window{ends: s.now.Truncate(time.Second).Add(time.Second)}
		s.windows[client] = w
	}
	cost := max(1, s.cfg.Costs[q.operation])
	limit := s.cfg.PerSecond
	if limit == 0 {
		limit = tokens
	}
	over := s.cfg.PerSecond > 0 && w.spent+cost > limit
	if !over {
		w.spent += cost
	}
	h := http.Header{}
	h.Set("X-Ratelimit-Limit", strconv.Itoa(limit))
	h.Set("X-Ratelimit-Remaining", strconv.Itoa(max(0, limit-w.spent)))
	h.Set("X-Ratelimit-Reset", w.ends.Format(time.RFC3339))
	h.Set("X-Ratelimit-Cost", strconv.Itoa(cost))
	if over {
		return h, s.tooMany(w.ends.Sub(s.now))
	}
	return h, nil
}

// tooMany is the answer to one call too many [3.1].
func (s *Sim) tooMany(wait time.Duration) *answer {
	a := no(http.StatusTooManyRequests, "Rate limit exceeded")
	a.header.Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
	return a
}
