package identity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
)

// Reason is why a check is refused, in a word that has texts for the customer. The
// values are stored; do not rename.
type Reason string

// Reasons are all that staff can give. None of them says more than the customer can
// do something about.
var Reasons = []Reason{"unreadable", "cut_off", "differs", "expired", "document", "face", "other"}

// Decision is what staff decide about a check.
type Decision struct {
	Staff  string // who
	Refuse Reason // empty: it is approved
}

// Decide approves or refuses a check that was given, tells the customer, and sets when
// it is erased. Approved, it counts for all lines that the customer has, for good, and
// for those that they buy until it is erased. It fails with [fault.NotFound], with
// [fault.Invalid] for a reason that there is not, and with [fault.Conflict] for a
// check that does not wait for a decision.
//
// What is allowed to whom, and the trail, are the caller's.
func Decide(ctx context.Context, tx db.Tx, ids *id.Source, cat *catalogue.Catalogue, k Key, d Decision) (Check, error) {
	if d.Refuse != "" && !slices.Contains(Reasons, d.Refuse) {
		return Check{}, fault.New(fault.Invalid, "%q is no reason. It is one of: %v.", d.Refuse, Reasons)
	}
	c, err := Get(ctx, tx, k)
	if err != nil {
		return c, err
	}
	to, kind := Approved, message.IdentityApproved
	if d.Refuse != "" {
		to, kind = Refused, message.IdentityRefused
	}
	if c.State != Given {
		return c, fault.New(fault.Conflict, "Check %s is %s; there is nothing to decide.", c.ID, c.State)
	}
	c, err = move(ctx, tx, c, to, func(c *Check) {
		c.Staff, c.Reason, c.DecidedAt, c.DueAt = d.Staff, d.Refuse, tx.Now(), KeptUntil(cat, c.Plan, tx.Now())
	})
	if err != nil {
		return c, err
	}
	facts := message.Facts{IdentityReason: string(c.Reason), Link: "/identity"}
	if to == Approved {
		if err := line.Identify(ctx, tx, k.Account); err != nil {
			return c, err
		}
		if _, known := cat.Plan(c.Plan); known {
			facts.Link = "/plans/" + c.Plan
		}
	}
	return c, message.Queue(ctx, tx, ids.Under("msg", k.Account), message.Draft{
		Account: k.Account, Key: fmt.Sprintf("%s/%s/%d", kind, c.ID, c.Sends), Kind: kind, Facts: facts,
	})
}

// KeptUntil is when what was given for a plan is erased, if the time for which it is
// kept begins at an instant.
func KeptUntil(cat *catalogue.Catalogue, plan string, from time.Time) time.Time {
	loc := time.UTC
	p, _ := cat.Plan(plan)
	if op, ok := cat.Operator(p.Operator); ok {
		if zone, err := op.Zone.Location(); err == nil {
			loc = zone
		}
	}
	kept, _ := p.Policy.Kept()
	return kept.End(from, loc, 0)
}
