package airalosim

import (
	"net/http"
	"slices"
	"time"
)

// Fault is what happens to one request besides, or instead of, being served.
type Fault string

// The faults. Whoever hears nothing gets an error from [Sim.Transport], and a
// connection that is cut from the handler.
const (
	None         Fault = ""
	Silence      Fault = "silence"       // nothing happens, nothing is answered
	SilenceAfter Fault = "silence_after" // carried out; nothing is answered
	BreakAfter   Fault = "break_after"   // carried out; answered with 500
	Slow         Fault = "slow"          // nothing is answered; carried out minutes later, under the rules of then
	Refuse       Fault = "refuse"        // not carried out; 422 with code 53
	Busy         Fault = "busy"          // not carried out; 429
	Reprice      Fault = "reprice"       // the price rises by a tenth just before
	Outage       Fault = "outage"        // 503 for this and all that follow, for [Config].OutageLasts
)

// Faults are all faults but None.
var Faults = []Fault{Silence, SilenceAfter, BreakAfter, Slow, Refuse, Busy, Reprice, Outage}

// Manners are the ways in which the document contradicts itself or leaves
// something open. An empty field means that the seed chooses, anew for each
// occasion.
type Manners struct {
	ExpiresIn    string // of a token: "text" 86400, or "sample" 31622400, while it always lives as long as TokenLife
	Unauthorised string // the body of a 401: "reason" or "message"
	Quantity     string // in answers to orders: "number" or "string"
	Gone         string // to a top-up that was withdrawn: "code" 34 or "field" package_id
	TooLate      string // to a top-up after the grace: "code" 23 or "field" package_id
}

// knobs are what a test may turn while the simulator runs.
type knobs struct {
	faults   map[Operation][]Fault // to come, by operation; "" for any
	codes    map[Operation][]int
	weights  map[Fault]int
	stale    int // percent of readings
	lag      time.Duration
	delivery Delivery
	blocked  bool
}

// Fail decides the fate of the next request of an operation ("" for any).
// Further calls queue up.
func (s *Sim) Fail(op Operation, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.faults[op] = append(s.knobs.faults[op], f)
}

// RefuseNext turns the next request of an operation ("" for any) away with one
// of the documented codes, changing nothing. It panics at an unknown code.
func (s *Sim) RefuseNext(op Operation, code int) {
	_ = refuse(code, "")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.codes[op] = append(s.knobs.codes[op], code)
}

// SetWeights lets the seed choose a fault for so many of a hundred orders and
// top-ups. nil ends it. It panics if they are more than a hundred together.
func (s *Sim) SetWeights(percent map[Fault]int) {
	sum := 0
	for _, n := range percent {
		sum += n
	}
	if sum > 100 {
		panic("airalosim: faults of more than a hundred percent")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.weights = percent
}

// LagReads makes percent of a hundred readings of eSIMs, usage, history, orders
// and balance answer what was true d ago. 0 ends it.
func (s *Sim) LagReads(percent int, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.stale, s.knobs.lag = percent, d
}

// SetDelivery changes how later notifications are delivered.
func (s *Sim) SetDelivery(d Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.delivery = d
}

// Down makes everything answer 503 until d has passed; 0 ends it.
func (s *Sim) Down(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.downUntil = s.now.Add(d)
}

// Block takes our address off the allow-list (403 with code 89), or puts it on.
func (s *Sim) Block(blocked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.blocked = blocked
}

// RevokeTokens ends every token before its time.
func (s *Sim) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// ChangePrice gives a package other prices from now on, in USD cents. It panics
// if there is no such package.
func (s *Sim) ChangePrice(id string, price, net int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.mustFind(id)
	k.Price, k.NetPrice = price, net
}

// Withdraw takes a package out of the catalogue: no longer listed, ordering it
// is refused. It panics if there is no such package.
func (s *Sim) Withdraw(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustFind(id).withdrawn = true
}

// Maintain begins or ends the maintenance of an operator (code 13). It panics
// if there is no such operator.
func (s *Sim) Maintain(operator int, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustOperator(operator).maintenance = on
}

// StopTopUps disables the top-ups of an operator (code 23), or enables them. It
// panics if there is no such operator.
func (s *Sim) StopTopUps(operator int, stopped bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustOperator(operator).topUpsOff = stopped
}

// writes are the operations whose fate [Sim.SetWeights] decides.
func (op Operation) writes() bool { return op == Order || op == AsyncOrder || op == TopUpOrder }

// fate is what becomes of a request.
func (s *Sim) fate(op Operation) Fault {
	for _, key := range []Operation{op, ""} {
		if queue := s.knobs.faults[key]; len(queue) > 0 {
			s.knobs.faults[key] = queue[1:]
			return queue[0]
		}
	}
	if !op.writes() || len(s.knobs.weights) == 0 {
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

// ordered takes the next ordered refusal of an operation, if there is one.
func (s *Sim) ordered(op Operation) *refusal {
	for _, key := range []Operation{op, ""} {
		if queue := s.knobs.codes[key]; len(queue) > 0 {
			s.knobs.codes[key] = queue[1:]
			return refuse(queue[0], "")
		}
	}
	return nil
}

// reprice raises what a request is about.
func (s *Sim) reprice(r *request) {
	if k := s.offer(r.text("package_id")); k != nil {
		k.Price += max(1, k.Price/10)
		k.NetPrice += max(1, k.NetPrice/10)
	}
}

// reading is the instant that a reading shows.
func (s *Sim) reading(op Operation) time.Time {
	stale := []Operation{Orders, GetOrder, Lines, GetLine, Usage, History, Balance}
	if s.knobs.lag > 0 && slices.Contains(stale, op) && s.chance(s.knobs.stale) {
		return s.now.Add(-s.knobs.lag)
	}
	return s.now
}

func (s *Sim) brokenGateway() *answer {
	return &answer{
		status: http.StatusServiceUnavailable,
		header: http.Header{"Content-Type": {"text/html"}},
		body:   []byte("<html><head><title>503 Service Temporarily Unavailable</title></head></html>\r\n"),
	}
}

// pick is what is given or else the seed's choice.
func (s *Sim) pick(given string, options ...string) string {
	if given != "" {
		return given
	}
	return options[s.cfg.Rand.IntN(len(options))]
}
