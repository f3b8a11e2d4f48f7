package audit

import (
	"context"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/order"
)

// gather adds the orders that this turn looks at, a page of each kind, and moves the
// places on. A kind whose end is reached begins anew in the next turn.
func (r *Repairer) gather(ctx context.Context, tx db.Tx, s *sight) (err error) {
	p := &s.places
	if p.Waiting, err = s.add(ctx, tx, waitingPage, waitingOrders, p.Waiting.At, p.Waiting.Account, p.Waiting.ID, waitingPage); err != nil {
		return err
	}
	if p.Forgotten, err = s.add(ctx, tx, page, forgottenOrders, p.Forgotten.At, p.Forgotten.Account, p.Forgotten.ID, page); err != nil {
		return err
	}
	if p.Refunds, err = s.add(ctx, tx, page, waitingRefunds, p.Refunds.At, p.Refunds.Account, p.Refunds.ID, page, db.At(tx.Now().Add(longestPause))); err != nil {
		return err
	}
	if _, err := s.add(ctx, tx, page, servedLate, db.At(tx.Now().Add(-time.Hour)), page); err != nil {
		return err
	}
	if _, err := s.add(ctx, tx, page, silentLate, db.At(tx.Now().Add(-time.Hour)), page); err != nil {
		return err
	}
	if err := s.paid(ctx, tx); err != nil {
		return err
	}
	if err := s.billed(ctx, tx); err != nil {
		return err
	}
	return r.sweep(ctx, tx, s)
}

// longestPause is the longest that a refund is left alone which is not done.
const longestPause = 7 * time.Hour

const (
	waitingOrders = `SELECT account_id, id, due_at, id FROM audit_orders
		WHERE due_at IS NOT NULL AND (due_at, account_id, id) > ($1, $2, $3) ORDER BY due_at, account_id, id LIMIT $4`

	forgottenOrders = `SELECT account_id, id, updated_at, id FROM audit_orders
		WHERE due_at IS NULL AND state NOT IN ('completed','cancelled','refunded')
		  AND (updated_at, account_id, id) > ($1, $2, $3) ORDER BY updated_at, account_id, id LIMIT $4`

	waitingRefunds = `SELECT account_id, order_id, due_at, id FROM audit_refunds
		WHERE due_at IS NOT NULL AND due_at <= $5 AND state <> 'done' AND (due_at, account_id, id) > ($1, $2, $3) ORDER BY due_at, account_id, id LIMIT $4`

	servedLate = `SELECT account_id, order_id, served_at, order_id FROM audit_late_looks
		WHERE served_at IS NOT NULL AND served_at > $1 ORDER BY served_at LIMIT $2`

	silentLate = `SELECT account_id, order_id, gave_up_at, order_id FROM audit_late_looks
		WHERE gave_up_at IS NOT NULL AND gave_up_at > $1 ORDER BY gave_up_at LIMIT $2`

	paidPayments = `SELECT account_id, order_id, paid_at, id FROM audit_payments
		WHERE paid_at IS NOT NULL AND paid_at > $1 ORDER BY paid_at LIMIT $2`

	numberedBills = `SELECT account_id, order_id, number, '' FROM audit_bill_numbers WHERE series = $1 AND number > $2 ORDER BY number LIMIT $3`

	allOrders = `SELECT account_id, id, 0, id FROM audit_orders WHERE (account_id, id) > ($1, $2) ORDER BY account_id, id LIMIT $3`
)

// add looks at a page of rows (account, order, what they are sorted by, identifier),
// and returns the place of the last; the zero place where there are no more.
func (s *sight) add(ctx context.Context, tx db.Tx, most int, query string, args ...any) (place, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return place{}, err
	}
	defer rows.Close() //nolint:errcheck // a read; Err says what went wrong
	var last place
	n := 0
	for rows.Next() {
		var k order.Key
		if err := rows.Scan(&k.Account, &k.ID, &last.At, &last.ID); err != nil {
			return place{}, err
		}
		last.Account = k.Account
		s.looked[k] = true
		n++
	}
	if n < most {
		last = place{}
	}
	return last, rows.Err()
}

// paid looks at orders whose payments arrived since the last turn.
func (s *sight) paid(ctx context.Context, tx db.Tx) error {
	if s.places.Paid == 0 {
		s.places.Paid = tx.Now().UnixMicro() // what was before the sweep finds
	}
	last, err := s.add(ctx, tx, 1, paidPayments, s.places.Paid, page)
	if err == nil && last.At > 0 {
		s.places.Paid = max(s.places.Paid, min(last.At, tx.Now().Add(-overlap).UnixMicro()))
	}
	return err
}

// billed looks at sales whose documents were numbered since the last turn.
func (s *sight) billed(ctx context.Context, tx db.Tx) error {
	last, err := lastNumbers(ctx, tx)
	if err != nil {
		return err
	}
	now := map[string]int64{}
	for _, n := range last {
		from, known := s.places.Bills[n.name]
		if !known && s.places.Bills == nil || n.last-from > behind {
			from = n.last // the sweep passes the others
		}
		at, err := s.add(ctx, tx, 1, numberedBills, n.name, from, page)
		if err != nil {
			return err
		}
		now[n.name] = max(from, at.At)
	}
	s.places.Bills = now
	return nil
}

// series is one of documents, and the last number in it.
type series struct {
	name string
	last int64
}

// behind is how many sales more than a turn looks at make it leave them to the sweep.
const behind = 20 * page

// mostSeries is how many series are followed: those of three kinds and some years.
const mostSeries = 30

func lastNumbers(ctx context.Context, tx db.Tx) (all []series, err error) {
	rows, err := tx.Query(ctx, `SELECT series, last FROM audit_series ORDER BY series DESC LIMIT $1`, mostSeries)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // a read; Err says what went wrong
	for rows.Next() {
		var n series
		if err := rows.Scan(&n.name, &n.last); err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, rows.Err()
}

// sweep looks at the next slice of all orders.
func (r *Repairer) sweep(ctx context.Context, tx db.Tx, s *sight) error {
	most := r.Slice
	if most <= 0 {
		most = defaultSlice
	}
	last, err := s.add(ctx, tx, most, allOrders, s.places.Sweep.Account, s.places.Sweep.ID, most)
	if err != nil {
		return err
	}
	if s.places.Sweep = last; last == (place{}) {
		s.places.Round++
		s.places.RoundAt = tx.Now().UnixMicro()
	}
	return nil
}
