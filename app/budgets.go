package app

import (
	"time"

	"github.com/tsuzuku/tsuzuku/calls"
)

// budgets are what operators let us do beyond what their adapters say about
// themselves, and how many requests the adapters make; see docs/operators.md.
// Adapters that are not here have one request for each call.
var budgets = map[string]calls.Budget{
	// Airalo names no limit for all calls; of usage and history, ten a minute each for
	// one SIM, which its adapter keeps apart. An order reads what the SIM can be fed
	// with, whose it is, and what it has had.
	"airalo": {
		EachLine: []calls.Rule{{Most: 20, Within: time.Minute}},
		Costs:    calls.Costs{Prepare: 3, Extend: 1, LookUp: 2, Status: 1},
	},
	// eSIM Go: an order reads whether the bundle fits, is tried, and reads what the
	// eSIM has.
	"esimgo": {Costs: calls.Costs{Prepare: 3, Extend: 1, LookUp: 2, Status: 1}},
	// China Mobile International: figures are a question of their own, and so is what
	// stands under our number.
	"cmi": {Costs: calls.Costs{Prepare: 1, Extend: 1, LookUp: 2, Status: 2}},
	// ES2+: to set a profile aside, and to confirm it. What renews its lines has a room
	// of its own as well.
	"es2plus": {Costs: calls.Costs{Prepare: 1, Extend: 1, LookUp: 1, Status: 1}},
	// eSIM Access: the age of figures is a question of its own.
	"esimaccess": {Costs: calls.Costs{Prepare: 1, Extend: 1, LookUp: 1, Status: 2}},
}

// eachLine bounds what notifications about one line, and people who look at it, make
// us ask, where the operator has no rule of its own.
var eachLine = []calls.Rule{{Most: 10, Within: time.Minute}}

// planned puts a plan of calls around every adapter of an operator. People have no
// limit that could be planned with.
func (a *Adapters) planned(now func() time.Time) {
	for name, c := range a.Carriers {
		if c.Abilities().ByHand {
			continue
		}
		b := budgets[name]
		if b.EachLine == nil {
			b.EachLine = eachLine
		}
		a.Carriers[name] = calls.New(c, b, now)
	}
}
