package audit

import (
	"context"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// These signs depend on how long a step may last, which the strangers' adapters know:
// see order.Limits.
var (
	signLate = sign{name: "late", kind: ChargedNotExtended, repair: wakeOrder, person: true, told: true}

	signForgotten = sign{name: "forgotten", kind: ChargedNotExtended, within: byRule, repair: wakeOrder, person: true, told: true}

	signHeldUncalled = sign{name: "held_without_case", kind: ChargedNotExtended, within: order.DecideWithin, person: true, told: true, stays: true}

	signHeldLong = sign{name: "held_long", kind: ChargedNotExtended}

	signRefundLate = sign{name: "refund_late", kind: RefundNotArrived, repair: wakeRefund, person: true, told: true, word: "refund_not_arrived"}

	// Of what a provider's report says otherwise package settlement has asked, and
	// opened the case, where it is about an order of ours.
	signReport = sign{name: "report_differs", kind: LedgerDiffers}
)

// signNamed are all signs.
var signNamed = func() map[string]sign {
	all := map[string]sign{}
	for _, s := range append([]sign{signLate, signForgotten, signHeldUncalled, signHeldLong, signRefundLate, signReport}, signs...) {
		all[s.name] = s
	}
	return all
}()

// Signs are the names of all signs, and the kind of finding that each leads to.
func Signs() map[string]Kind {
	all := map[string]Kind{}
	for n, s := range signNamed {
		all[n] = s.kind
	}
	return all
}

// unfinished are those of some orders that wait, or have a refund that does.
const unfinished = `SELECT o.account_id, o.id,
		EXISTS (SELECT 1 FROM audit_cases c WHERE c.account_id = o.account_id AND c.order_id = o.id AND c.state = 'open'),
		EXISTS (SELECT 1 FROM audit_refunds r WHERE r.account_id = o.account_id AND r.order_id = o.id)
	FROM (VALUES ($1,$2)) AS v JOIN audit_orders o ON o.account_id = column1 AND o.id = column2
	WHERE o.state IN ('paid', 'fulfilling', 'held', 'refund_due')
	   OR EXISTS (SELECT 1 FROM audit_refunds r WHERE r.account_id = o.account_id AND r.order_id = o.id AND r.state IN ('due', 'sent', 'unknown'))`

// waiting is what some orders wait for longer than they may.
func (r *Repairer) waiting(ctx context.Context, tx db.Tx, rows [][]any) (all []Finding, err error) {
	var keys []order.Key
	called, returning := map[order.Key]bool{}, map[order.Key]bool{}
	err = tx.Several(ctx, unfinished, rows, func(row db.Row) error {
		var k order.Key
		var open, back bool
		err := row.Scan(&k.Account, &k.ID, &open, &back)
		keys, called[k], returning[k] = append(keys, k), open, back
		return err
	})
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	orders, err := order.Several(ctx, tx, keys)
	if err != nil {
		return nil, err
	}
	for _, o := range orders {
		var back []order.Refund
		if returning[o.Ref()] {
			if back, err = order.Refunds(ctx, tx, o.Ref()); err != nil {
				return nil, err
			}
		}
		f, err := r.waitingOrder(ctx, tx, o, back, called[o.Ref()])
		if err != nil {
			return nil, err
		}
		all = append(all, f...)
		all = append(all, r.waitingRefunds(tx, o, back)...)
	}
	return all, nil
}

// waitingOrder is what an order itself waits for too long.
func (r *Repairer) waitingOrder(ctx context.Context, tx db.Tx, o order.Order, back []order.Refund, called bool) ([]Finding, error) {
	cat, err := r.Desk.Shelf.At(ctx, tx, o.Catalogue)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return nil, err
	}
	w, waits := r.Desk.Patience().Order(cat, o)
	late := waits && w.Late(tx.Now()) > 0
	f := Finding{Account: o.Account, Subject: o.ID, Order: o.ID, Evidence: string(o.State) + ", waits for " + w.For, Deadline: w.Deadline, since: w.Deadline}
	if !late {
		f.since = o.UpdatedAt
	}
	switch {
	case o.State == order.Held && o.Reason != "staff" && !called:
		return f.by(signHeldUncalled, tx.Now()), nil
	case o.State == order.Held && late:
		return f.by(signHeldLong, tx.Now()), nil
	case o.State == order.Held:
		return nil, nil
	case o.State == order.RefundDue && len(back) > 0:
		return nil, nil // its refund is what waits
	case o.DueAt.IsZero() && (o.State == order.Paid || o.State == order.Fulfilling || o.State == order.RefundDue):
		return f.by(signForgotten, tx.Now()), nil
	case late && o.State != order.Placed:
		return f.by(signLate, tx.Now()), nil
	}
	return nil, nil
}

// waitingRefunds are refunds that take too long and that somebody still looks at.
func (r *Repairer) waitingRefunds(tx db.Tx, o order.Order, back []order.Refund) (all []Finding) {
	for _, x := range back {
		w, waits := r.Desk.Patience().Refund(x)
		if !waits || w.Late(tx.Now()) == 0 || x.DueAt.IsZero() || x.State == payment.RefundFailed {
			continue
		}
		f := Finding{Account: o.Account, Subject: x.ID, Order: o.ID, Evidence: string(x.State) + ", waits for " + w.For + ": " + carrier.Quote(x.Code), Deadline: w.Deadline, since: w.Deadline}
		all = append(all, f.by(signRefundLate, tx.Now())...)
	}
	return all
}

const openReports = `SELECT account_id, kind, provider || ' ' || day || ' ' || kind || ' ' || subject, order_id, detail, found_at
	FROM audit_differences WHERE accepted = '' ORDER BY found_at, account_id, provider, day, kind, subject LIMIT $1`

// reports are differences between providers' reports and our books that nobody has
// accepted; whole is false where there are more than are looked at.
func reports(ctx context.Context, tx db.Tx) (all []Finding, whole bool, err error) {
	rows, err := tx.Query(ctx, openReports, mostReports)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close() //nolint:errcheck // a read; Err says what went wrong
	for rows.Next() {
		f := Finding{Kind: signReport.kind, Sign: signReport.name}
		var what string
		var found db.Instant
		if err := rows.Scan(&f.Account, &what, &f.Subject, &f.Order, &f.Evidence, &found); err != nil {
			return nil, false, err
		}
		switch what {
		case "charged_twice":
			f.Kind = ChargedTwice
		case "refund_not_there", "refund_came_back":
			f.Kind = RefundNotArrived
		}
		f.Evidence, f.Deadline, f.since = what+": "+f.Evidence, found.Add(DifferLate), found.Time
		all = append(all, f)
	}
	return all, len(all) < mostReports, rows.Err()
}
