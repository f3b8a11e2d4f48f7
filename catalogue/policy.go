package catalogue

import (
	"cmp"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/money"
)

// Policy is an operator's (or plan's) rules for keeping a line going, as data.
// Package renewal decides by them; sentences.go says them in words.
type Policy struct {
	Renewable bool // false: this line is never extended; a new one must be bought

	// Opens is how long before the end renewing becomes possible; N 0: at any time.
	Opens calendar.Length

	// Closes is how long before the end renewing stops being possible, because
	// the operator needs time; N 0: up to the last second.
	Closes calendar.Length

	// Grace is how long after the end renewing is still possible; N 0: not
	// after the end. Calendar days run to the end of the last of them.
	Grace calendar.Length

	// TerminalAfterEnd says that a line that was not renewed in time is dead
	// for ever at the operator.
	TerminalAfterEnd bool

	Needs       []Condition // for a term
	Effect      Effect      // while the line is running and has data left
	EffectEnded Effect      // after the end, within Grace; empty: restart
	EffectEmpty Effect      // running, with nothing left; empty: as Effect

	Data DataRule // what happens to unused data

	Stack Stack // the largest amount of service bought ahead

	MinimumSpend []money.Money    // for each currency it is given in; an order below is refused
	Currencies   []money.Currency // accepted; empty: every priced one
	Tools        []Tool           // accepted; empty: every one
	Refund       RefundRule
	Identity     bool // an identity check must have been passed

	// IdentityKept is how long what customers gave for it is kept, counted as
	// IdentityFrom says; N 0: [KeptByDefault].
	IdentityKept calendar.Length
	IdentityFrom KeptFrom // empty: from the decision

	ChangeTo  []string // plans that the operator can put on the same line
	PackNeeds []Condition
}

// Tool is a payment tool as the customer knows it: the rails of package
// payment ("card", "alipay" …) and "wallet", "points".
type Tool string

// KeptFrom is what the time begins with for which something personal is kept.
type KeptFrom string

// What it begins with.
const (
	FromDecision KeptFrom = "decision" // staff approved or refused
	FromEnd      KeptFrom = "end"      // the line ended, as laws ask where they want contracts to be traced
)

// KeptByDefault is how long what was given for an identity check is kept where the
// policy does not say.
var KeptByDefault = calendar.Length{N: 90, Unit: calendar.Day}

// Kept is how long what was given for an identity check is kept, and from when on.
func (p Policy) Kept() (calendar.Length, KeptFrom) {
	kept, from := p.IdentityKept, p.IdentityFrom
	if kept.N == 0 {
		kept = KeptByDefault
	}
	return kept, cmp.Or(from, FromDecision)
}

// Condition is what must hold before something can be bought.
type Condition string

// The conditions.
const (
	NeedsStarted     Condition = "started"      // the line has been activated
	NeedsRunning     Condition = "running"      // the current period has not ended
	NeedsDataLeft    Condition = "data_left"    // the allowance is not used up
	NeedsNothingNext Condition = "nothing_next" // no period is queued
)

// Effect is what a purchase does to the line.
type Effect string

// The effects.
const (
	Append   Effect = "append"   // moves the end of service; data as Data says
	Queue    Effect = "queue"    // a period of its own that starts when the one before ends
	Restart  Effect = "restart"  // the current period ends now and the new one starts
	Parallel Effect = "parallel" // a period of its own that starts now, beside the current one
	SameDay  Effect = "same_day" // starts now and ends with the operator's day, whenever bought
	Adds     Effect = "adds"     // more data in the current period, no more time
)

// DataRule is what happens to data that is unused when new service begins.
type DataRule string

// The data rules.
const (
	DataCarried DataRule = "carried" // kept, added to the new data
	DataLost    DataRule = "lost"    // gone when the old period ends
	DataOwn     DataRule = "own"     // each period has its own; the old one's can be used to its own end
)

// Stack is the largest amount of service that can be bought ahead. Zero values
// mean no limit.
type Stack struct {
	Periods int             // queued and running periods together
	Ahead   calendar.Length // the new end may lie at most this far from now
}

// RefundRule is until when the customer may have the money back for the asking.
type RefundRule string

// The refund rules.
const (
	RefundNever       RefundRule = "never"        // only when we fail to deliver
	RefundBeforeStart RefundRule = "before_start" // while the period is queued
	RefundBeforeUse   RefundRule = "before_use"   // while nothing of it was used
)
