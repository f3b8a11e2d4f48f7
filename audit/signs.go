package audit

import (
	"context"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/order"
)

// sign is one way in which a kind of wrong shows in the rows of an order. Its query
// is asked about a set of orders, finds everything by a key, and returns account,
// order, subject, detail for staff, and an instant that the sign says the meaning of.
type sign struct {
	name   string
	kind   Kind
	within time.Duration // until when it must be settled, from when it was seen first
	repair repair        // what a rule can do; nil: nothing
	person bool          // who is called if it is still true then
	told   bool          // the customer hears that a person is looking
	word   string        // of package message, for what the customer hears
	stays  bool          // the case is a person's to close, also when the sign is gone
	of     trait         // orders without any of these cannot have it; 0: every order can

	query string
	since time.Duration // it counts from so long after its instant on
	until bool          // it counts only before its instant
}

// trait is what decides which signs an order can have. Most orders of a turn are
// completed, were paid from a wallet, and are as they were in the turn before.
type trait uint8

const (
	served    trait = 1 << iota // completed
	underWay                    // paid, and not at its end
	unserved                    // any other
	paidFor                     // a payment arrived for it
	returning                   // there is a refund of it
)

const traitsOf = `SELECT o.account_id, o.id, o.state,
		EXISTS (SELECT 1 FROM audit_payments p WHERE p.account_id = o.account_id AND p.order_id = o.id AND p.state = 'paid'),
		EXISTS (SELECT 1 FROM audit_refunds r WHERE r.account_id = o.account_id AND r.order_id = o.id)
	FROM (VALUES ($1,$2)) AS v JOIN audit_orders o ON o.account_id = column1 AND o.id = column2`

// traits are those of some orders. One that is not there can have every sign.
type traits map[order.Key]trait

func readTraits(ctx context.Context, tx db.Tx, rows [][]any) (all traits, err error) {
	all = make(traits, len(rows))
	err = tx.Several(ctx, traitsOf, rows, func(row db.Row) error {
		var k order.Key
		var state order.State
		var paid, back bool
		if err := row.Scan(&k.Account, &k.ID, &state, &paid, &back); err != nil {
			return err
		}
		t := unserved
		switch state {
		case order.Completed:
			t = served
		case order.Paid, order.Fulfilling, order.Held, order.RefundDue:
			t = underWay
		case order.Placed, order.Cancelled, order.Refunded:
		}
		if paid {
			t |= paidFor
		}
		if back {
			t |= returning
		}
		all[k] = t
		return nil
	})
	return all, err
}

// having are the rows, of orders, that have one of some traits.
func (all traits) having(some trait, rows [][]any) (out [][]any) {
	if some == 0 {
		return rows
	}
	for _, row := range rows {
		k := order.Key{Account: row[0].(string), ID: row[1].(string)}
		if t, known := all[k]; !known || t&some != 0 {
			out = append(out, row)
		}
	}
	return out
}

// byRule is how long a rule may take to settle what it can.
const byRule = order.SettleWithin

// signs are those that can be seen in the rows alone. Those that depend on how long
// something may last are in waits.go.
var signs = []sign{
	{
		name: "served_nowhere", of: served, kind: ChargedNotExtended, within: order.DecideWithin, person: true, told: true, stays: true,
		query: `SELECT o.account_id, o.id, o.id, 'completed, and no period, pack or line has it', o.updated_at
			FROM (VALUES ($1,$2)) AS v JOIN audit_orders o ON o.account_id = column1 AND o.id = column2
			WHERE o.state = 'completed'
			  AND (o.kind = 'term' AND o.effect <> 'adds' AND NOT EXISTS (SELECT 1 FROM audit_periods p WHERE p.account_id = o.account_id AND p.order_id = o.id)
			       OR o.kind <> 'line' AND o.effect = 'adds' AND NOT EXISTS (SELECT 1 FROM audit_packs p WHERE p.account_id = o.account_id AND p.order_id = o.id)
			       OR o.kind = 'line' AND NOT EXISTS (SELECT 1 FROM audit_esims e WHERE e.account_id = o.account_id AND e.order_id = o.id))`,
	},
	{
		name: "money_of_nobody", of: paidFor, kind: ChargedNotExtended, within: byRule, repair: returnStray, person: true, told: true,
		query: `SELECT p.account_id, p.order_id, p.id, 'a payment arrived that no order has, and it did not go back', p.paid_at` + stray + `
			  AND NOT EXISTS (SELECT 1 FROM audit_payments q WHERE q.account_id = p.account_id AND q.order_id = p.order_id AND q.id <> p.id AND q.state = 'paid')`,
	},
	{
		name: "paid_twice", of: paidFor, kind: ChargedTwice, within: byRule, repair: returnStray, person: true, told: true,
		query: `SELECT p.account_id, p.order_id, p.id, 'another payment has paid the order, and this one did not go back', p.paid_at` + stray + `
			  AND EXISTS (SELECT 1 FROM audit_payments q WHERE q.account_id = p.account_id AND q.order_id = p.order_id AND q.id <> p.id AND q.state = 'paid')`,
	},
	{
		name: "given_twice", of: served | underWay, kind: ChargedTwice, within: order.DecideWithin, person: true, told: true, stays: true,
		query: `SELECT o.account_id, o.id, o.id, 'more money was given to the order than it costs', o.updated_at
			FROM (VALUES ($1,$2)) AS v JOIN audit_orders o ON o.account_id = column1 AND o.id = column2
			WHERE o.state IN ('paid', 'fulfilling', 'completed')
			  AND o.minor - o.discount_minor - o.wallet_minor < (SELECT COALESCE(SUM(a.minor), 0) FROM audit_allocations a
			      WHERE a.account_id = o.account_id AND a.order_id = o.id
			        AND NOT EXISTS (SELECT 1 FROM audit_refunds r WHERE r.account_id = a.account_id AND r.payment_id = a.payment_id
			                           AND r.order_id = o.id AND r.why = 'double'))`,
	},
	{
		name: "served_unpaid", of: served, kind: ExtendedNotCharged, within: order.DecideWithin, person: true, stays: true,
		query: `SELECT o.account_id, o.id, o.id, 'completed, and not paid in full', o.updated_at
			FROM (VALUES ($1,$2)) AS v JOIN audit_orders o ON o.account_id = column1 AND o.id = column2
			WHERE o.state = 'completed' AND o.minor > 0
			  AND o.minor - o.discount_minor > COALESCE((SELECT SUM(t.minor) FROM audit_transfers t
			                            WHERE t.account_id = o.account_id AND t.subject = o.id AND t.step = 'paid'
			                              AND t.to_book = 'due' AND t.currency = o.currency), 0)
			               + COALESCE((SELECT SUM(a.minor) FROM audit_allocations a WHERE a.account_id = o.account_id AND a.order_id = o.id), 0)`,
	},
	{
		name: "served_unfinished", of: unserved | underWay, kind: ExtendedNotCharged, within: order.DecideWithin, person: true, stays: true,
		query: `SELECT o.account_id, o.id, o.id, o.state || ', and there is service by it', o.updated_at
			FROM (VALUES ($1,$2)) AS v JOIN audit_orders o ON o.account_id = column1 AND o.id = column2
			WHERE o.state <> 'completed'
			  AND (EXISTS (SELECT 1 FROM audit_periods p WHERE p.account_id = o.account_id AND p.order_id = o.id AND p.state <> 'cancelled')
			       OR EXISTS (SELECT 1 FROM audit_packs p WHERE p.account_id = o.account_id AND p.order_id = o.id)
			       OR EXISTS (SELECT 1 FROM audit_esims e WHERE e.account_id = o.account_id AND e.order_id = o.id))`,
	},
	{
		name: "served_after_refund", kind: ExtendedNotCharged, within: order.DecideWithin, person: true, stays: true,
		query: `SELECT l.account_id, l.order_id, l.order_id, 'the money went back, and the operator has carried it out all the same: ' || l.why, l.served_at
			FROM (VALUES ($1,$2)) AS v JOIN audit_late_looks l ON l.account_id = column1 AND l.order_id = column2
			WHERE l.served_at IS NOT NULL
			  AND NOT EXISTS (SELECT 1 FROM audit_cases c WHERE c.account_id = l.account_id AND c.order_id = l.order_id
			                     AND c.title = 'extended_not_charged' AND c.state = 'closed')`,
	},
	{
		name: "silent_after_refund", of: unserved | underWay, kind: ExtendedNotCharged, within: order.DecideWithin, person: true, stays: true,
		query: `SELECT l.account_id, l.order_id, l.order_id, 'the money went back, and the operator has not said since whether it carried it out: ' || l.why, l.gave_up_at
			FROM (VALUES ($1,$2)) AS v JOIN audit_late_looks l ON l.account_id = column1 AND l.order_id = column2
			WHERE l.gave_up_at IS NOT NULL AND l.served_at IS NULL
			  AND NOT EXISTS (SELECT 1 FROM audit_cases c WHERE c.account_id = l.account_id AND c.order_id = l.order_id
			                     AND c.title = 'extended_not_charged' AND c.state = 'closed')`,
	},
	{
		name: "no_document", of: served, kind: NoBill, within: byRule, repair: writeBill, person: true,
		query: `SELECT o.account_id, o.id, o.id, 'completed, and no bill or receipt says so', o.updated_at
			FROM (VALUES ($1,$2)) AS v JOIN audit_orders o ON o.account_id = column1 AND o.id = column2
			WHERE o.state = 'completed' AND o.minor > 0
			  AND NOT EXISTS (SELECT 1 FROM audit_bills b WHERE b.account_id = o.account_id AND b.order_id = o.id AND b.kind <> 'credit_note')`,
	},
	{
		name: "document_differs", of: served, kind: NoBill, within: order.DecideWithin, person: true, stays: true,
		query: `SELECT o.account_id, o.id, o.id, 'its document is of another amount', o.updated_at
			FROM (VALUES ($1,$2)) AS v JOIN audit_orders o ON o.account_id = column1 AND o.id = column2
			JOIN audit_bills b ON b.account_id = o.account_id AND b.order_id = o.id AND b.kind <> 'credit_note'
			WHERE b.minor <> o.minor - o.discount_minor OR b.currency <> o.currency`,
	},
	{
		name: "unnumbered", kind: NoBill, within: byRule, since: NumberLate,
		query: `SELECT b.account_id, b.order_id, b.id, 'a document waits for its number', b.issued_at
			FROM (VALUES ($1,$2)) AS v JOIN audit_bills b ON b.account_id = column1 AND b.order_id = column2
			WHERE b.number IS NULL`,
	},
	{
		name: "refund_forgotten", of: returning, kind: RefundNotArrived, within: byRule, repair: wakeRefund, person: true, told: true, word: "refund_not_arrived",
		query: `SELECT r.account_id, r.order_id, r.id, r.state || ', and nobody would look at it', r.created_at
			FROM (VALUES ($1,$2)) AS v JOIN audit_refunds r ON r.account_id = column1 AND r.order_id = column2
			WHERE r.state IN ('due', 'sent', 'unknown') AND r.due_at IS NULL` + nobodyCalled,
	},
	{
		name: "refund_failed_unseen", of: returning, kind: RefundNotArrived, within: order.DecideWithin, person: true, told: true, word: "refund_not_arrived",
		query: `SELECT r.account_id, r.order_id, r.id, 'failed, and nobody was called', r.created_at
			FROM (VALUES ($1,$2)) AS v JOIN audit_refunds r ON r.account_id = column1 AND r.order_id = column2
			WHERE r.state = 'failed'` + nobodyCalled,
	},
	{
		name: "operator_ends_sooner", kind: PeriodDiffers, within: order.DecideWithin, person: true, told: true, word: "period_differs", stays: true, until: true,
		query: `SELECT p.account_id, p.order_id, p.order_id, 'here the period ends so many minutes later than at its operator: ' || CAST((p.ends_at - p.operator_ends_at) / 60000000 AS text), p.ends_at
			FROM (VALUES ($1,$2)) AS v JOIN audit_periods p ON p.account_id = column1 AND p.order_id = column2
			WHERE p.state IN ('queued', 'active') AND p.operator_ends_at < p.ends_at - 3600000000`,
	},
	{
		name: "payment_unbooked", of: paidFor, kind: LedgerDiffers, within: order.DecideWithin, person: true, stays: true,
		query: `SELECT p.account_id, p.order_id, p.id, 'what its provider took is not what is in the books', p.paid_at
			FROM (VALUES ($1,$2)) AS v JOIN audit_payments p ON p.account_id = column1 AND p.order_id = column2
			WHERE p.state = 'paid' AND p.minor <> COALESCE((SELECT SUM(t.minor) FROM audit_transfers t
			      WHERE t.account_id = p.account_id AND t.subject = p.id AND t.step = 'paid' AND t.from_book = 'provider:' || p.provider), 0)`,
	},
	{
		name: "refund_unbooked", of: returning, kind: LedgerDiffers, within: order.DecideWithin, person: true, stays: true,
		query: `SELECT r.account_id, r.order_id, r.id, 'a refund is done and not in the books', r.done_at
			FROM (VALUES ($1,$2)) AS v JOIN audit_refunds r ON r.account_id = column1 AND r.order_id = column2
			WHERE r.state = 'done' AND NOT EXISTS (SELECT 1 FROM audit_transfers t
			      WHERE t.account_id = r.account_id AND t.subject = r.id AND t.step LIKE 'refunded%')
			  AND NOT EXISTS (SELECT 1 FROM audit_disputes d WHERE d.account_id = r.account_id AND d.payment_id = r.payment_id)`, // a bank gave it back
	},
	{
		name: "sale_unbooked", of: served, kind: LedgerDiffers, within: order.DecideWithin, person: true, stays: true,
		query: `SELECT o.account_id, o.id, o.id, 'completed, and not in the books', o.updated_at
			FROM (VALUES ($1,$2)) AS v JOIN audit_orders o ON o.account_id = column1 AND o.id = column2
			WHERE o.state = 'completed' AND o.minor > o.discount_minor AND NOT EXISTS (SELECT 1 FROM audit_transfers t
			      WHERE t.account_id = o.account_id AND t.subject = o.id AND t.step = 'completed' AND t.from_book = 'due')`,
	},
}

// stray are payments of some orders that arrived, that no order has and that did not
// go back. Money that was gone, or disputed, when it was first seen has its own case.
const stray = `
			FROM (VALUES ($1,$2)) AS v JOIN audit_payments p ON p.account_id = column1 AND p.order_id = column2
			JOIN audit_orders o ON o.account_id = p.account_id AND o.id = p.order_id
			WHERE p.state = 'paid' AND o.state <> 'placed'
			  AND NOT EXISTS (SELECT 1 FROM audit_allocations a WHERE a.account_id = p.account_id AND a.payment_id = p.id)
			  AND NOT EXISTS (SELECT 1 FROM audit_refunds r WHERE r.account_id = p.account_id AND r.payment_id = p.id)
			  AND NOT EXISTS (SELECT 1 FROM audit_disputes d WHERE d.account_id = p.account_id AND d.payment_id = p.id)
			  AND NOT EXISTS (SELECT 1 FROM audit_cases c WHERE c.account_id = p.account_id AND c.order_id = p.order_id AND c.title = 'refunded_elsewhere')`

// nobodyCalled leaves out refunds of orders of which a person has heard: what rests
// then is theirs.
const nobodyCalled = `
			  AND NOT EXISTS (SELECT 1 FROM audit_cases c WHERE c.account_id = r.account_id AND c.order_id = r.order_id AND c.title = 'refund_failed')`

// seen is what the rows of a sign say.
func (s sign) seen(ctx context.Context, tx db.Tx, rows [][]any) (all []Finding, err error) {
	err = tx.Several(ctx, s.query, rows, func(row db.Row) error {
		f := Finding{Kind: s.kind, Sign: s.name}
		var at db.Instant
		if err := row.Scan(&f.Account, &f.Order, &f.Subject, &f.Evidence, &at); err != nil {
			return err
		}
		switch {
		case s.until && !tx.Now().Before(at.Time), !s.until && tx.Now().Before(at.Add(s.since)):
			return nil
		}
		f.since = at.Add(s.since)
		f.Deadline = tx.Now().Add(s.within)
		if s.since > 0 {
			f.Deadline = at.Add(s.since + s.within)
		}
		all = append(all, f)
		return nil
	})
	return all, err
}
