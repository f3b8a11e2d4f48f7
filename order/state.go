package order

import (
	"fmt"
	"slices"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// State is how far an order has come. The values are stored; do not rename.
type State string

// The states of an order.
const (
	Placed     State = "placed"     // the customer agreed to the price; waiting for money
	Paid       State = "paid"       // the money is ours; nothing asked of the operator yet
	Fulfilling State = "fulfilling" // the operator is asked, or about to be; we may not know what happened
	Completed  State = "completed"  // served, billed, posted, points given. Final.
	Cancelled  State = "cancelled"  // never paid. Final.
	RefundDue  State = "refund_due" // paid and cannot be served
	Refunded   State = "refunded"   // the money went back. Final.
	Held       State = "held"       // a person must decide
)

// States are all states, in the order of an order's life.
var States = []State{Placed, Paid, Fulfilling, Completed, Cancelled, RefundDue, Refunded, Held}

// moves is every change of state there is. docs/states.md is generated from
// it; the CHECK constraint of the table lists the same states.
var moves = map[State][]State{
	Placed:     {Paid, Cancelled},
	Paid:       {Fulfilling, RefundDue, Held},
	Fulfilling: {Completed, RefundDue, Held},
	Held:       {Paid, Fulfilling, RefundDue}, // ask again, look again, give up
	RefundDue:  {Refunded, Held},
	Completed:  nil,
	Cancelled:  nil,
	Refunded:   nil,
}

// Final reports whether an order in state s will never change again.
func (s State) Final() bool { return len(moves[s]) == 0 }

func (s State) allows(to State) bool { return slices.Contains(moves[s], to) }

// mustAllow panics when no order may go from one state to the other: a bug.
func mustAllow(o Order, to State) {
	if !o.State.allows(to) {
		panic(fmt.Sprintf("order: %s cannot go from %s to %s", o.ID, o.State, to))
	}
}

// addMove appends the guarded update that is the only way an order changes
// state, and writes what changes with it. The guard fails when the order is no
// longer as o says: somebody else took the step.
//
// It takes and returns a value: a transaction that runs again must find o as it
// was the first time.
func addMove(b *db.Batch, tx db.Tx, o Order, to State, change func(*Order)) Order {
	mustAllow(o, to)
	was := o.State
	o.State, o.UpdatedAt = to, tx.Now()
	if change != nil {
		change(&o)
	}
	b.GuardRow(`UPDATE orders
		   SET state = column4, snapshot = column5, asked_at = column6, operator_ref = column7, reason = column8, evidence = column9,
		       attempts = column10, due_at = column11, starts_at = column12, ends_at = column13, anchor = column14,
		       paid_at = column15, completed_at = column16, updated_at = column17
		  FROM (VALUES ($1,$2,$3,$4,$5,CAST($6 AS bigint),$7,$8,$9,CAST($10 AS bigint),CAST($11 AS bigint),CAST($12 AS bigint),
		                CAST($13 AS bigint),CAST($14 AS bigint),CAST($15 AS bigint),CAST($16 AS bigint),CAST($17 AS bigint))) AS v
		 WHERE account_id = column1 AND id = column2 AND state = column3`,
		o.Account, o.ID, was, o.State, string(o.Snapshot), db.At(o.AskedAt), o.OperatorRef, o.Reason, o.Evidence,
		o.Attempts, db.At(o.DueAt), db.At(o.StartsAt), db.At(o.EndsAt), o.Anchor,
		db.At(o.PaidAt), db.At(o.CompletedAt), db.At(o.UpdatedAt))
	return o
}

// conflict turns a failed guard into the error that says so.
func conflict(err error, id string) error {
	if isGuard(err) {
		return fault.Wrap(fault.Conflict, err, "Order %s has just been updated.", id)
	}
	return err
}

func isConflict(err error) bool { return fault.KindOf(err) == fault.Conflict }
