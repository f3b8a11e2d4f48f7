package calls

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// Rule is a limit: at most so many requests begin in any stretch of so much time.
type Rule struct {
	Most   int
	Within time.Duration
}

// Costs are how many requests each call of an adapter makes; the usual number,
// where that depends. 0 of Prepare: it asks nobody.
type Costs struct{ Prepare, Extend, LookUp, Status int }

// Budget is what an operator lets us do. The zero Budget is made from what the
// adapter says about itself.
type Budget struct {
	Rules    []Rule // of all requests together
	EachLine []Rule // of those about one line
	Costs    Costs
	AtOnce   int // requests under way; 0: 64

	// Reserve is how much of the first rule, in percent, looks at figures leave to
	// people who wait for an order; 0: 25.
	Reserve int
}

// usable fills in what was left out. A rule that is too small for one order's
// requests is widened, at the same rate: it could never be begun.
func (b Budget) usable(a carrier.Abilities) Budget {
	if len(b.Rules) == 0 {
		b.Rules = []Rule{{max(1, a.RatePerSecond), time.Second}}
	}
	if b.Costs == (Costs{}) {
		b.Costs = Costs{Prepare: 1, Extend: 1, LookUp: 1, Status: 1}
	}
	if b.AtOnce == 0 {
		b.AtOnce = 64
	}
	if b.Reserve == 0 {
		b.Reserve = 25
	}
	b.AtOnce = max(b.AtOnce, b.order())
	b.Rules = slices.Clone(b.Rules)
	for i, r := range b.Rules {
		if need := b.order(); r.Most < need {
			b.Rules[i] = Rule{need, r.Within * time.Duration(need) / time.Duration(max(1, r.Most))}
		}
	}
	return b
}

// order is how many requests an order takes that goes well.
func (b Budget) order() int { return b.Costs.Prepare + b.Costs.Extend }

// reserved is how many requests of the first rule, or of those that may be under way
// if these are fewer, looks leave alone: never so many that one could never be made.
func (b Budget) reserved() int {
	most := min(b.Rules[0].Most, b.AtOnce)
	return max(0, min((most*b.Reserve+99)/100, most-b.Costs.Status))
}

// few is how many requests at a time looks get while orders wait, and fast how long
// they go without in between: together a tenth of the first rule.
func (b Budget) few() int { return max(b.Costs.Status, b.Rules[0].Most/10) }

func (b Budget) fast() time.Duration {
	return 10 * b.Rules[0].Within * time.Duration(b.few()) / time.Duration(b.Rules[0].Most)
}

// meter counts what was spent. What was promised counts as spent, from the promise
// until it began, and from then on for the time of each rule.
type meter struct {
	rules    []Rule
	atOnce   int // 0: no limit
	promised int
	underWay int
	began    []time.Time // within the longest rule, oldest first
}

// room is how many requests may begin, or be promised, now.
func (m *meter) room(now time.Time) int {
	m.forget(now)
	room := 1 << 20
	if m.atOnce > 0 {
		room = m.atOnce - m.underWay - m.promised
	}
	for _, r := range m.rules {
		room = min(room, r.Most-m.promised-m.since(now.Add(-r.Within)))
	}
	return max(0, room)
}

// turn is how soon a worker looks again at what waits.
const turn = time.Second

// later is how many requests can begin in later turns and before an instant, at the
// least: whole stretches only, because what was spent may have been spent just now.
func (m *meter) later(now, then time.Time) int {
	all := 1 << 40
	for _, r := range m.rules {
		all = min(all, r.Most*int(max(0, then.Sub(now)-turn-1)/r.Within))
	}
	return all
}

func (m *meter) begin(now time.Time, n int) {
	m.underWay += n
	for range n {
		m.began = append(m.began, now)
	}
}

// since is how many requests began after an instant.
func (m *meter) since(t time.Time) int {
	at, _ := slices.BinarySearchFunc(m.began, t, func(began, t time.Time) int {
		if began.After(t) {
			return 1
		}
		return -1
	})
	return len(m.began) - at
}

func (m *meter) forget(now time.Time) {
	longest := time.Duration(0)
	for _, r := range m.rules {
		longest = max(longest, r.Within)
	}
	i := 0
	for i < len(m.began) && !m.began[i].After(now.Add(-longest)) {
		i++
	}
	m.began = m.began[i:]
}

func (m *meter) idle(now time.Time) bool {
	m.forget(now)
	return len(m.began) == 0 && m.promised == 0
}

// Grant is a number of requests to one operator that are set aside for whoever
// carries it in their context. What is left of it is given back.
type Grant struct {
	operator *Operator

	mu   sync.Mutex
	left int
}

type grantKey struct{}

// With lets calls under the returned context use a grant.
func (g *Grant) With(ctx context.Context) context.Context {
	if g == nil {
		return ctx
	}
	return context.WithValue(ctx, grantKey{}, g)
}

func grantOf(ctx context.Context) *Grant {
	g, _ := ctx.Value(grantKey{}).(*Grant)
	return g
}

// use takes n requests out of a grant, if it is of this operator and has them.
func (g *Grant) use(o *Operator, n int) bool {
	if g == nil || g.operator != o {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.left < n {
		return false
	}
	g.left -= n
	return true
}

// Return gives back what was not used.
func (g *Grant) Return() {
	if g == nil {
		return
	}
	g.operator.mu.Lock()
	defer g.operator.mu.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.operator.meter.promised -= g.left
	g.left = 0
}
