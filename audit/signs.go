package audit

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/order"
)

// sign is one way in which a kind of wrong shows in the rows of an order. Its query
// is about the set of orders that is called asked, finds everything
// by a key, and returns account, order, subject, detail for staff, and an instant that
// the sign says the meaning of.
type sign struct {
	name   string
	kind   Kind
	within time.Duration // until when it must be settled, from when it was seen first
	repair repair        // what a rule can do; nil: nothing
	person bool          // who is called if it is still true then
	told   bool          // the customer hears that a person is looking
	word   string        // of package message, for what the customer hears
	stays  bool          // the case is a person's to close, also when the sign is gone

	query string        // WITH what is asked, and one SELECT
	since time.Duration // it counts from so long after its instant on
	until bool          // it counts only before its instant
}

// byRule is how long a rule may take to settle what it can.
const byRule = order.SettleWithin

// signs are those that can be seen in the rows alone. Those that depend on how long
// something may last are in waits.go.
var signs = []sign{
	{
		name: "served_nowhere", kind: ChargedNotExtended, within: order.DecideWithin, person: true, told: true, stays: true,
		query: `WITH ` + asked + `SELECT asked.account_id, asked.id, asked.id, 'completed, and no period, pack or line has it', asked.updated_at
			FROM asked
			WHERE asked.state = 'completed'
			  AND (asked.kind = 'term' AND asked.effect <> 'adds' AND NOT EXISTS (SELECT 1 FROM audit_periods p WHERE p.account_id = asked.account_id AND p.order_id = asked.id)
			       OR asked.kind <> 'line' AND asked.effect = 'adds' AND NOT EXISTS (SELECT 1 FROM audit_packs p WHERE p.account_id = asked.account_id AND p.order_id = asked.id)
			       OR asked.kind = 'line' AND NOT EXISTS (SELECT 1 FROM audit_esims e WHERE e.account_id = asked.account_id AND e.order_id = asked.id))`,
	},
	{
		name: "money_of_nobody", kind: ChargedNotExtended, within: byRule, repair: returnStray, person: true, told: true,
		query: `WITH ` + asked + `SELECT p.account_id, p.order_id, p.id, 'a payment arrived that no order has, and it did not go back', p.paid_at` + stray + `
			  AND NOT EXISTS (SELECT 1 FROM audit_payments q WHERE q.account_id = p.account_id AND q.order_id = p.order_id AND q.id <> p.id AND q.state = 'paid')`,
	},
	{
		name: "paid_twice", kind: ChargedTwice, within: byRule, repair: returnStray, person: true, told: true,
		query: `WITH ` + asked + `SELECT p.account_id, p.order_id, p.id, 'another payment has paid the order, and this one did not go back', p.paid_at` + stray + `
			  AND EXISTS (SELECT 1 FROM audit_payments q WHERE q.account_id = p.account_id AND q.order_id = p.order_id AND q.id <> p.id AND q.state = 'paid')`,
	},
	{
		name: "given_twice", kind: ChargedTwice, within: order.DecideWithin, person: true, told: true, stays: true,
		query: `WITH ` + asked + `SELECT asked.account_id, asked.id, asked.id, 'more money was given to the order than it costs', asked.updated_at
			FROM asked
			WHERE asked.state IN ('paid', 'fulfilling', 'completed')
			  AND asked.minor - asked.discount_minor - asked.wallet_minor < (SELECT COALESCE(SUM(a.minor), 0) FROM audit_allocations a
			      WHERE a.account_id = asked.account_id AND a.order_id = asked.id
			        AND NOT EXISTS (SELECT 1 FROM audit_refunds r WHERE r.account_id = a.account_id AND r.payment_id = a.payment_id
			                           AND r.order_id = asked.id AND r.why = 'double'))`,
	},
	{
		name: "served_unpaid", kind: ExtendedNotCharged, within: order.DecideWithin, person: true, stays: true,
		query: `WITH ` + asked + `SELECT asked.account_id, asked.id, asked.id, 'completed, and not paid in full', asked.updated_at
			FROM asked
			WHERE asked.state = 'completed' AND asked.minor > 0
			  AND asked.minor - asked.discount_minor > COALESCE((SELECT SUM(t.minor) FROM audit_transfers t
			                            WHERE t.account_id = asked.account_id AND t.subject = asked.id AND t.step = 'paid'
			                              AND t.to_book = 'due' AND t.currency = asked.currency), 0)
			               + COALESCE((SELECT SUM(a.minor) FROM audit_allocations a WHERE a.account_id = asked.account_id AND a.order_id = asked.id), 0)`,
	},
	{
		name: "served_unfinished", kind: ExtendedNotCharged, within: order.DecideWithin, person: true, stays: true,
		query: `WITH ` + asked + `SELECT asked.account_id, asked.id, asked.id, asked.state || ', and there is service by it', asked.updated_at
			FROM asked
			WHERE asked.state <> 'completed'
			  AND (EXISTS (SELECT 1 FROM audit_periods p WHERE p.account_id = asked.account_id AND p.order_id = asked.id AND p.state <> 'cancelled')
			       OR EXISTS (SELECT 1 FROM audit_packs p WHERE p.account_id = asked.account_id AND p.order_id = asked.id)
			       OR EXISTS (SELECT 1 FROM audit_esims e WHERE e.account_id = asked.account_id AND e.order_id = asked.id))`,
	},
	{
		name: "served_after_refund", kind: ExtendedNotCharged, within: order.DecideWithin, person: true, stays: true,
		query: `WITH ` + asked + `SELECT l.account_id, l.order_id, l.order_id, 'the money went back, and the operator has carried it out all the same: ' || l.why, l.served_at
			FROM asked CROSS JOIN audit_late_looks l
			WHERE l.account_id = asked.account_id AND l.order_id = asked.id
			  AND l.served_at IS NOT NULL
			  AND NOT EXISTS (SELECT 1 FROM audit_cases c WHERE c.account_id = l.account_id AND c.order_id = l.order_id
			                     AND c.title = 'extended_not_charged' AND c.state = 'closed')`,
	},
	{
		name: "silent_after_refund", kind: ExtendedNotCharged, within: order.DecideWithin, person: true, stays: true,
		query: `WITH ` + asked + `SELECT l.account_id, l.order_id, l.order_id, 'the money went back, and the operator has not said since whether it carried it out: ' || l.why, l.gave_up_at
			FROM asked CROSS JOIN audit_late_looks l
			WHERE COALESCE(asked.state, '') <> 'completed' AND l.account_id = asked.account_id AND l.order_id = asked.id
			  AND l.gave_up_at IS NOT NULL AND l.served_at IS NULL
			  AND NOT EXISTS (SELECT 1 FROM audit_cases c WHERE c.account_id = l.account_id AND c.order_id = l.order_id
			                     AND c.title = 'extended_not_charged' AND c.state = 'closed')`,
	},
	{
		name: "no_document", kind: NoBill, within: byRule, repair: writeBill, person: true,
		query: `WITH ` + asked + `SELECT asked.account_id, asked.id, asked.id, 'completed, and no bill or receipt says so', asked.updated_at
			FROM asked
			WHERE asked.state = 'completed' AND asked.minor > 0
			  AND NOT EXISTS (SELECT 1 FROM audit_bills b WHERE b.account_id = asked.account_id AND b.order_id = asked.id AND b.kind <> 'credit_note')`,
	},
	{
		name: "document_differs", kind: NoBill, within: order.DecideWithin, person: true, stays: true,
		query: `WITH ` + asked + `SELECT asked.account_id, asked.id, asked.id, 'its document is of another amount', asked.updated_at
			FROM asked CROSS JOIN audit_bills b
			WHERE asked.state = 'completed' AND b.account_id = asked.account_id AND b.order_id = asked.id AND b.kind <> 'credit_note'
			  AND (b.minor <> asked.minor - asked.discount_minor OR b.currency <> asked.currency)`,
	},
	{
		name: "unnumbered", kind: NoBill, within: byRule, since: NumberLate,
		query: `WITH ` + asked + `SELECT b.account_id, b.order_id, b.id, 'a document waits for its number', b.issued_at
			FROM asked CROSS JOIN audit_bills b
			WHERE b.account_id = asked.account_id AND b.order_id = asked.id
			  AND b.number IS NULL`,
	},
	{
		name: "refund_forgotten", kind: RefundNotArrived, within: byRule, repair: wakeRefund, person: true, told: true, word: "refund_not_arrived",
		query: `WITH ` + asked + `SELECT r.account_id, r.order_id, r.id, r.state || ', and nobody would look at it', r.created_at
			FROM asked CROSS JOIN audit_refunds r
			WHERE asked.back AND r.account_id = asked.account_id AND r.order_id = asked.id
			  AND r.state IN ('due', 'sent', 'unknown') AND r.due_at IS NULL` + nobodyCalled,
	},
	{
		name: "refund_failed_unseen", kind: RefundNotArrived, within: order.DecideWithin, person: true, told: true, word: "refund_not_arrived",
		query: `WITH ` + asked + `SELECT r.account_id, r.order_id, r.id, 'failed, and nobody was called', r.created_at
			FROM asked CROSS JOIN audit_refunds r
			WHERE asked.back AND r.account_id = asked.account_id AND r.order_id = asked.id
			  AND r.state = 'failed'` + nobodyCalled,
	},
	{
		name: "operator_ends_sooner", kind: PeriodDiffers, within: order.DecideWithin, person: true, told: true, word: "period_differs", stays: true, until: true,
		query: `WITH ` + asked + `SELECT p.account_id, p.order_id, p.order_id, 'here the period ends so many minutes later than at its operator: ' || CAST((p.ends_at - p.operator_ends_at) / 60000000 AS text), p.ends_at
			FROM asked CROSS JOIN audit_periods p
			WHERE p.account_id = asked.account_id AND p.order_id = asked.id
			  AND p.state IN ('queued', 'active') AND p.operator_ends_at < p.ends_at - 3600000000`,
	},
	{
		name: "payment_unbooked", kind: LedgerDiffers, within: order.DecideWithin, person: true, stays: true,
		query: `WITH ` + asked + `SELECT p.account_id, p.order_id, p.id, 'what its provider took is not what is in the books', p.paid_at
			FROM asked CROSS JOIN audit_payments p
			WHERE asked.arrived AND p.account_id = asked.account_id AND p.order_id = asked.id
			  AND p.state = 'paid' AND p.minor <> COALESCE((SELECT SUM(t.minor) FROM audit_transfers t
			      WHERE t.account_id = p.account_id AND t.subject = p.id AND t.step = 'paid' AND t.from_book = 'provider:' || p.provider), 0)`,
	},
	{
		name: "refund_unbooked", kind: LedgerDiffers, within: order.DecideWithin, person: true, stays: true,
		query: `WITH ` + asked + `SELECT r.account_id, r.order_id, r.id, 'a refund is done and not in the books', r.done_at
			FROM asked CROSS JOIN audit_refunds r
			WHERE asked.back AND r.account_id = asked.account_id AND r.order_id = asked.id
			  AND r.state = 'done' AND NOT EXISTS (SELECT 1 FROM audit_transfers t
			      WHERE t.account_id = r.account_id AND t.subject = r.id AND t.step LIKE 'refunded%')
			  AND NOT EXISTS (SELECT 1 FROM audit_disputes d WHERE d.account_id = r.account_id AND d.payment_id = r.payment_id)`, // a bank gave it back
	},
	{
		name: "sale_unbooked", kind: LedgerDiffers, within: order.DecideWithin, person: true, stays: true,
		query: `WITH ` + asked + `SELECT asked.account_id, asked.id, asked.id, 'completed, and not in the books', asked.updated_at
			FROM asked
			WHERE asked.state = 'completed' AND asked.minor > asked.discount_minor AND NOT EXISTS (SELECT 1 FROM audit_transfers t
			      WHERE t.account_id = asked.account_id AND t.subject = asked.id AND t.step = 'completed' AND t.from_book = 'due')`,
	},
}

// stray are payments of some orders that arrived, that no order has and that did not
// go back. Money that was gone, or disputed, when it was first seen has its own case.
const stray = `
			FROM asked CROSS JOIN audit_payments p
			WHERE asked.arrived AND p.account_id = asked.account_id AND p.order_id = asked.id
			  AND p.state = 'paid' AND asked.state <> 'placed'
			  AND NOT EXISTS (SELECT 1 FROM audit_allocations a WHERE a.account_id = p.account_id AND a.payment_id = p.id)
			  AND NOT EXISTS (SELECT 1 FROM audit_refunds r WHERE r.account_id = p.account_id AND r.payment_id = p.id)
			  AND NOT EXISTS (SELECT 1 FROM audit_disputes d WHERE d.account_id = p.account_id AND d.payment_id = p.id)
			  AND NOT EXISTS (SELECT 1 FROM audit_cases c WHERE c.account_id = p.account_id AND c.order_id = p.order_id AND c.title = 'refunded_elsewhere')`

// nobodyCalled leaves out refunds of orders of which a person has heard: what rests
// then is theirs.
const nobodyCalled = `
			  AND NOT EXISTS (SELECT 1 FROM audit_cases c WHERE c.account_id = r.account_id AND c.order_id = r.order_id AND c.title = 'refund_failed')`

// asked are the orders that a sign is looked for in. What is read of an order for every
// sign is read once. A query goes on with CROSS JOIN, which says to SQLite in which order
// to read: rows are searched for by the orders, and never the other way round. That of
// which an order is not there can have a sign, too.
const asked = `asked AS MATERIALIZED (
			SELECT column1 AS account_id, column2 AS id, o.state, o.kind, o.effect, o.minor, o.discount_minor, o.wallet_minor, o.currency, o.updated_at,
			       EXISTS (SELECT 1 FROM audit_payments p WHERE p.account_id = column1 AND p.order_id = column2 AND p.state = 'paid') AS arrived,
			       EXISTS (SELECT 1 FROM audit_refunds r WHERE r.account_id = column1 AND r.order_id = column2) AS back
			  FROM (VALUES ($1,$2)) AS v LEFT JOIN audit_orders o ON o.account_id = column1 AND o.id = column2)
		`

// asking is one question for all signs: each row begins with the number of its sign.
var asking = func() string {
	all := make([]string, len(signs))
	for i, s := range signs {
		_, rest, _ := strings.Cut(s.query, asked+"SELECT")
		all[i] = strings.Join([]string{"SELECT", strconv.Itoa(i) + ",", rest}, " ")
	}
	return strings.Join([]string{"WITH", asked, strings.Join(all, "\nUNION ALL\n")}, " ")
}()

// shown are the findings that the signs of some orders lead to, sign by sign.
func shown(ctx context.Context, tx db.Tx, rows [][]any) ([]Finding, error) {
	all := make([][]Finding, len(signs))
	err := tx.Several(ctx, asking, rows, func(row db.Row) error {
		var f Finding
		var at db.Instant
		var n int
		if err := row.Scan(&n, &f.Account, &f.Order, &f.Subject, &f.Evidence, &at); err != nil {
			return err
		}
		if s := signs[n]; s.counts(at.Time, tx.Now()) {
			all[n] = append(all[n], s.finding(f, at.Time, tx.Now()))
		}
		return nil
	})
	return slices.Concat(all...), err
}

// counts reports whether the sign is one now, at being its instant.
func (s sign) counts(at, now time.Time) bool {
	if s.until {
		return now.Before(at)
	}
	return !now.Before(at.Add(s.since))
}

func (s sign) finding(f Finding, at, now time.Time) Finding {
	f.Kind, f.Sign, f.since = s.kind, s.name, at.Add(s.since)
	f.Deadline = now.Add(s.within)
	if s.since > 0 {
		f.Deadline = at.Add(s.since + s.within)
	}
	return f
}
