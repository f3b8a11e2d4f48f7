package renewal

import (
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/money"
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
	DayOnly           Rule = "day_only"            // a term of one day: what is bought now ends today
)

// Rules are all rules, for tests that every one has its words.
var Rules = []Rule{
	PlanGone, NothingOnSale, LineDead, LineSuspended, NotRenewable, IdentityMissing, NotStarted, CurrencyRefused,
	ToolRefused, PlanChangeRefused, TooEarly, Closed, TooLate, TooLateForEver, NothingLeft, QueueFull, StackFull,
	TooFarAhead, BelowMinimum, NoPrice, PackNeedsRunning, DayOnly,
}

// Refusal is a no with its rule. What to do instead follows from the rule; the
// facts that its words need are here. [Refusal.Text] says it.
type Refusal struct {
	Rule Rule

	// At is the instant that the rule speaks of: TooEarly, QueueFull, StackFull,
	// TooFarAhead: from when it is possible, zero where it never will be for
	// this line; Closed, TooLate, TooLateForEver: since when it is not;
	// PackNeedsRunning: when the line ended. Zero for all others.
	At time.Time

	Policy   catalogue.Policy // of the line's plan; for rules about paying, of the plan that is bought
	Plan     string           // the line's
	Item     Item             // what was refused; zero where nothing was looked at
	Currency money.Currency   // in which it was asked for
	Priced   []money.Currency // CurrencyRefused, ToolRefused, NoPrice: in which it can be had
	Least    money.Money      // BelowMinimum: what an order must come to
}

func (d *decision) no(r Rule) *Refusal { return d.noAt(r, time.Time{}) }

func (d *decision) noAt(r Rule, at time.Time) *Refusal {
	return &Refusal{Rule: r, At: at, Policy: d.own.Policy, Plan: d.own.ID, Item: d.item, Currency: d.s.Currency}
}
