package renewal

import (
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
)

// Rule is the rule that refuses. The values are keys of texts; do not rename.
type Rule string

// The rules, each with what the customer can do instead.
const (
	PlanGone          Rule = "plan_gone"           // the plan is no longer in the catalogue: contact
	NothingOnSale     Rule = "nothing_on_sale"     // nothing of the plan is for sale
	LineDead          Rule = "line_dead"           // the profile is gone: a new line
	LineSuspended     Rule = "line_suspended"      // contact
	NotRenewable      Rule = "not_renewable"       // a new line of the same plan
	IdentityMissing   Rule = "identity_missing"    // pass the check first
	NotStarted        Rule = "not_started"         // switch it on first
	CurrencyRefused   Rule = "currency_refused"    // pay in another currency
	ToolRefused       Rule = "tool_refused"        // pay with another tool
	PlanChangeRefused Rule = "plan_change_refused" // a new line of that plan
	TooEarly          Rule = "too_early"           // from an instant on
	Closed            Rule = "closed"              // since an instant; a new line
	TooLate           Rule = "too_late"            // a new line
	TooLateForEver    Rule = "too_late_for_ever"   // a new line
	NothingLeft       Rule = "nothing_left"        // a new line
	QueueFull         Rule = "queue_full"          // when the queued period has begun
	StackFull         Rule = "stack_full"          // when a period has ended
	TooFarAhead       Rule = "too_far_ahead"       // a shorter term, or later
	BelowMinimum      Rule = "below_minimum"       // a longer term
	NoPrice           Rule = "no_price"            // another currency
	PackNeedsRunning  Rule = "pack_needs_running"  // renew first
)

// Rules are all rules, for tests that every one has its words.
var Rules = []Rule{
	PlanGone, NothingOnSale, LineDead, LineSuspended, NotRenewable, IdentityMissing, NotStarted, CurrencyRefused,
	ToolRefused, PlanChangeRefused, TooEarly, Closed, TooLate, TooLateForEver, NothingLeft, QueueFull, StackFull,
	TooFarAhead, BelowMinimum, NoPrice, PackNeedsRunning,
}

// Refusal is a no with its rule. What to do instead follows from the rule; the
// facts that its words need are here.
type Refusal struct {
	Rule   Rule
	At     time.Time // the instant that the rule speaks of: from when, since when; or zero
	Policy catalogue.Policy
	Plan   string
}

func (d decision) no(r Rule, at ...time.Time) *Refusal {
	out := &Refusal{Rule: r, Policy: d.policy, Plan: d.own.ID}
	switch {
	case len(at) > 0:
		out.At = at[0]
	case r == TooLate || r == TooLateForEver:
		out.At = GraceEnd(d.own, d.s.Line.EndsAt, d.loc)
	}
	return out
}

func refuse(r Rule, s Situation) *Refusal { return &Refusal{Rule: r, Plan: s.Line.Plan} }
