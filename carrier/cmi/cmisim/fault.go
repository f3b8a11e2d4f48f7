package cmisim

import (
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
	BreakAfter   Fault = "break_after"   // carried out; answered with HTTP 500
	FailAfter    Fault = "fail_after"    // carried out; answered with 9000003 or 9999999
	Slow         Fault = "slow"          // nothing is answered; carried out minutes later, under the rules of then
	InFlight     Fault = "in_flight"     // answered with 1000154; carried out minutes later
	Refuse       Fault = "refuse"        // not carried out; 1000052
	Congested    Fault = "congested"     // not carried out; 1000176
	Busy         Fault = "busy"          // not carried out; 429 or 9000004
	Reprice      Fault = "reprice"       // the price rises by a tenth just before
	OtherCard    Fault = "other_card"    // the package goes to another card of ours
	TokenGone    Fault = "token_gone"    // every token ends just before
	Down         Fault = "down"          // HTTP 500 for this and all that follow, for [Config].Outage
)

// Faults are all faults but None.
var Faults = []Fault{
	Silence, SilenceAfter, BreakAfter, FailAfter, Slow, InFlight, Refuse, Congested, Busy, Reprice, OtherCard, TokenGone, Down,
}

// Manners are the ways in which the document contradicts itself or leaves
// something open. An empty field means that the seed chooses, anew for each
// occasion.
type Manners struct {
	TokenStatus string // HTTP status with 1000008: "200" or "401"
	Busy        string // to one call too many: "429", with 9000004 in the body, or "9000004" with 200
	Quota       string // "flat" as the sample has it, or "list" as the table [3.2.8]
	QuotaCode   string // of success there: "0" or "0000000"
	Card        string // "cardInfo" as the table has it, or "data" as the sample [3.2.13]
	NotNormal   string // to a card that is paused or cancelled: "1000153" or "1000029"
	NoPackage   string // to a pack without an active package: "1000031" or "1000094"
	Order       string // of a card's packages: "newest" or "oldest" first
	ICCID       string // in pushes: "number" or "string"
}

// knobs are what a test may turn while the simulator runs.
type knobs struct {
	faults   map[Operation][]Fault // to come, by operation; "" for any
	codes    map[Operation][]string
	weights  map[Fault]int
	stale    int // percent of readings
	lag      time.Duration
	delivery Delivery
	misplace bool // what is served now goes to another card
}

// Fail decides the fate of the next request of an operation ("" for any).
// Further calls queue up.
func (s *Sim) Fail(op Operation, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.faults[op] = append(s.knobs.faults[op], f)
}

// RefuseNext turns the next request of an operation ("" for any) away with a
// code, changing nothing. It panics at a code that is not among those it knows.
func (s *Sim) RefuseNext(op Operation, code string) {
	if texts[code] == "" {
		panic("cmisim: no code " + code)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.codes[op] = append(s.knobs.codes[op], code)
}

// SetWeights lets the seed choose a fault for so many of a hundred orders. nil
// ends it. It panics if they are more than a hundred together.
func (s *Sim) SetWeights(percent map[Fault]int) {
	sum := 0
	for _, n := range percent {
		sum += n
	}
	if sum > 100 {
		panic("cmisim: faults of more than a hundred percent")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.weights = percent
}

// LagReads makes percent of a hundred readings of cards, packages and quotas
// answer what was true d ago. 0 ends it.
func (s *Sim) LagReads(percent int, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.stale, s.knobs.lag = percent, d
}

// SetDelivery changes how later pushes are delivered.
func (s *Sim) SetDelivery(d Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.delivery = d
}

// RevokeTokens ends every token before its time.
func (s *Sim) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// fate is what becomes of a request.
func (s *Sim) fate(op Operation) Fault {
	for _, key := range []Operation{op, ""} {
		if queue := s.knobs.faults[key]; len(queue) > 0 {
			s.knobs.faults[key] = queue[1:]
			return queue[0]
		}
	}
	if op != CreateOrder || len(s.knobs.weights) == 0 {
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

// ordered takes the next ordered refusal of an operation; empty: there is none.
func (s *Sim) ordered(op Operation) string {
	for _, key := range []Operation{op, ""} {
		if queue := s.knobs.codes[key]; len(queue) > 0 {
			s.knobs.codes[key] = queue[1:]
			return queue[0]
		}
	}
	return ""
}

// reading is the instant that a reading shows.
func (s *Sim) reading(op Operation) time.Time {
	if s.knobs.lag > 0 && slices.Contains([]Operation{UserBundles, Quota, SIMInfo, ESIMInfo}, op) && s.chance(s.knobs.stale) {
		return s.now.Add(-s.knobs.lag)
	}
	return s.now
}
