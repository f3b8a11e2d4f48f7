package settlement

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

const movementColumns = `account_id, provider, id, day, kind, code, payment_id, ref, money_id, refund_ref, refund_id,
	minor, currency, settled_minor, settled_currency, fee_minor, fee_told, stated, restated, at`

func scanMovement(row db.Row) (m Movement, err error) {
	var at db.Instant
	err = row.Scan(&m.Account, &m.Provider, &m.ID, &m.Day, &m.Kind, &m.Code, &m.Payment, &m.Ref, &m.MoneyID, &m.RefundRef, &m.RefundID,
		&m.Amount.Minor, &m.Amount.Currency, &m.Settled.Minor, &m.Settled.Currency, &m.Fee.Minor, &m.FeeTold, &m.Stated, &m.Restated, &at)
	m.Fee.Currency, m.At = m.Settled.Currency, at.Time
	return m, err
}

// addMovement appends a movement that we did not have.
func addMovement(b *db.Batch, m Movement, now time.Time) {
	b.Add(`INSERT INTO movements (`+movementColumns+`, read_at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21)`,
		m.Account, m.Provider, m.ID, m.Day, m.Kind, m.Code, m.Payment, m.Ref, m.MoneyID, m.RefundRef, m.RefundID,
		m.Amount.Minor, m.Amount.Currency, m.Settled.Minor, m.Settled.Currency, m.Fee.Minor, m.FeeTold, m.Stated, m.Restated, db.At(m.At), db.At(now))
}

// atOnce is how many movements are kept in one transaction.
const atOnce = 200

// keep stores a reading of a day, and books what is new of it. Keeping it again
// changes nothing.
func (r *Room) keep(ctx context.Context, all []Movement) error {
	for len(all) > 0 {
		n := min(len(all), atOnce)
		err := r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			var b db.Batch
			refunds := map[string]order.Key{} // of this lot
			for _, m := range all[:n] {
				k, err := whose(ctx, tx, m, refunds)
				if err != nil {
					return err
				}
				m.Account, m.Payment = k.Account, k.ID
				if m.RefundID != "" && k.ID != "" {
					refunds[m.RefundID] = k
				}
				if err := addKept(ctx, &b, tx, m); err != nil {
					return err
				}
			}
			return tx.Batch(ctx, &b)
		})
		if err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// gone notes which movements of a day a whole reading does not tell any more.
// They stay, as they were booked.
func (r *Room) gone(ctx context.Context, provider string, day payment.Day, all []Movement) error {
	there := make(map[string]bool, len(all))
	for _, m := range all {
		there[m.ID] = true
	}
	return r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		had, err := list(ctx, tx, scanMovement, `SELECT `+movementColumns+` FROM movements WHERE provider = $1 AND day = $2`, provider, day)
		if err != nil {
			return err
		}
		var b db.Batch
		for _, m := range had {
			if !there[m.ID] {
				b.Add(`UPDATE movements SET restated = $4 WHERE account_id = $1 AND provider = $2 AND id = $3`, m.Account, m.Provider, m.ID, "not in the report any more")
			}
		}
		return tx.Batch(ctx, &b)
	})
}

// whose is the payment that a movement is about. A refund that came back may be
// told without it; then it is that of the refund, which was told before.
func whose(ctx context.Context, tx db.Tx, m Movement, refunds map[string]order.Key) (order.Key, error) {
	k, err := order.FindPayment(ctx, tx, m.Provider, m.Ref, m.MoneyID)
	if err != nil || k.ID != "" || m.RefundID == "" {
		return k, err
	}
	if k, ok := refunds[m.RefundID]; ok {
		return k, nil
	}
	err = tx.QueryRow(ctx, `SELECT account_id, payment_id FROM movements
		WHERE provider = $1 AND refund_id = $2 AND refund_id <> '' AND payment_id <> '' LIMIT 1`, m.Provider, m.RefundID).Scan(&k.Account, &k.ID)
	if errors.Is(err, db.ErrNoRows) {
		return order.Key{}, nil
	}
	return k, err
}

// addKept appends what is new about one movement. What a later reading says
// otherwise takes its place, unless it would have been booked otherwise: books are
// not rewritten by a report, so that is a difference.
func addKept(ctx context.Context, b *db.Batch, tx db.Tx, m Movement) error {
	was, err := kept(ctx, tx, m)
	if err != nil {
		return err
	}
	if was == nil {
		addMovement(b, m, tx.Now())
		m.posting().AddTo(b, tx.Now())
		return nil
	}
	now := m
	if !was.same(m) && !slices.Equal(was.posting().Transfers, m.posting().Transfers) {
		now = *was
		now.Account, now.Payment, now.Stated, now.Restated = m.Account, m.Payment, m.Stated, m.words()
	}
	if now == *was {
		return nil
	}
	if was.Account != "" {
		now.Account, now.Payment = was.Account, was.Payment // whose it is may become known, and stays so
	}
	b.Add(`DELETE FROM movements WHERE account_id = $1 AND provider = $2 AND id = $3`, was.Account, was.Provider, was.ID)
	addMovement(b, now, tx.Now())
	return nil
}

// kept is what we have of a movement; nil if nothing.
func kept(ctx context.Context, tx db.Tx, m Movement) (*Movement, error) {
	was, err := scanMovement(tx.QueryRow(ctx, `SELECT `+movementColumns+` FROM movements
		WHERE provider = $1 AND id = $2 AND account_id IN ('', $3)`, m.Provider, m.ID, m.Account))
	if errors.Is(err, db.ErrNoRows) {
		return nil, nil
	}
	return &was, err
}

// same reports whether two readings of a movement say the same of its money.
func (m Movement) same(n Movement) bool {
	return m.Kind == n.Kind && m.Day == n.Day && m.Amount == n.Amount && m.Settled == n.Settled && m.Fee.Minor == n.Fee.Minor && m.FeeTold == n.FeeTold
}

func (m Movement) words() string {
	return fmt.Sprintf("%s %s %s fee %s", m.Day, m.Kind, m.Settled, m.Fee)
}

// maxRows bounds what one comparison reads of anything.
const maxRows = 500_000

func list[T any](ctx context.Context, tx db.Tx, scan func(db.Row) (T, error), query string, args ...any) (all []T, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if len(all) >= maxRows {
			return nil, fault.New(fault.Invalid, "There is too much to compare at once. Take fewer days.")
		}
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// ref names a payment.
type ref struct{ account, payment string }

func scanRef(row db.Row) (r ref, err error) {
	return r, row.Scan(&r.account, &r.payment)
}

// history reads both accounts of the days from From to To.
func history(ctx context.Context, tx db.Tx, h History) (History, error) {
	days, err := list(ctx, tx, scanDay, `SELECT `+dayColumns+` FROM settlement_days WHERE provider = $1 AND whole AND day >= $2 AND day <= $3`,
		h.Provider, payment.DayOf(h.From.Start(time.UTC).AddDate(0, 0, -longestWindow), time.UTC), h.To.Next())
	if err != nil {
		return h, err
	}
	h.Whole = map[payment.Day]bool{}
	for _, d := range days {
		h.Whole[d.Day] = true
	}
	h.Movements, err = list(ctx, tx, scanMovement, `SELECT `+movementColumns+` FROM movements WHERE provider = $1 AND day >= $2 AND day <= $3`,
		h.Provider, h.From, h.To)
	if err != nil {
		return h, err
	}
	touched := map[ref]bool{}
	for _, m := range h.Movements {
		if m.Payment != "" {
			touched[ref{m.Account, m.Payment}] = true
		}
	}
	from, to := db.At(h.From.Start(h.Zone)), db.At(h.To.Next().Start(h.Zone))
	ours, err := list(ctx, tx, scanRef, `SELECT account_id, id FROM settlement_payments WHERE provider = $1 AND paid_at >= $2 AND paid_at < $3 AND state = 'paid'
		UNION SELECT account_id, payment_id FROM settlement_refunds WHERE provider = $1 AND done_at >= $2 AND done_at < $3`, h.Provider, from, to)
	if err != nil {
		return h, err
	}
	for _, k := range ours {
		touched[k] = true
	}
	return h, h.fill(ctx, tx, touched)
}

// longestWindow is how many days back a thing of ours may have happened at the
// provider before we saw it.
const longestWindow = 40

// fill reads everything about the payments that are touched.
func (h *History) fill(ctx context.Context, tx db.Tx, touched map[ref]bool) error {
	keys := make([][]any, 0, len(touched))
	for k := range touched {
		keys = append(keys, []any{k.account, k.payment})
	}
	err := tx.Several(ctx, `SELECT p.account_id, p.id, p.order_id, p.minor, p.currency, p.state, p.fee_minor, p.created_at, p.paid_at,
			EXISTS (SELECT 1 FROM settlement_cases c WHERE c.account_id = p.account_id AND c.order_id = p.order_id AND c.title = 'disputed')
		FROM (VALUES ($1, $2)) AS v JOIN settlement_payments p ON p.account_id = column1 AND p.id = column2`, keys, func(row db.Row) error {
		var p Payment
		var created, paid db.Instant
		err := row.Scan(&p.Account, &p.ID, &p.Order, &p.Amount.Minor, &p.Amount.Currency, &p.State, &p.Fee, &created, &paid, &p.Disputed)
		p.CreatedAt, p.PaidAt = created.Time, paid.Time
		h.Payments = append(h.Payments, p)
		return err
	})
	if err != nil {
		return err
	}
	err = tx.Several(ctx, `SELECT r.account_id, r.id, r.payment_id, r.ref, r.provider_id, r.minor, r.currency, r.state, r.created_at, r.asked_at, r.done_at
		FROM (VALUES ($1, $2)) AS v JOIN settlement_refunds r ON r.account_id = column1 AND r.payment_id = column2 AND r.provider <> 'wallet'`, keys, func(row db.Row) error {
		var r Refund
		var created, asked, done db.Instant
		err := row.Scan(&r.Account, &r.ID, &r.Payment, &r.Ref, &r.ProviderID, &r.Amount.Minor, &r.Amount.Currency, &r.State, &created, &asked, &done)
		r.CreatedAt, r.AskedAt, r.DoneAt = created.Time, asked.Time, done.Time
		h.Refunds = append(h.Refunds, r)
		return err
	})
	if err != nil {
		return err
	}
	return tx.Several(ctx, `SELECT m.account_id, m.provider, m.id, m.day, m.kind, m.code, m.payment_id, m.ref, m.money_id, m.refund_ref, m.refund_id,
			m.minor, m.currency, m.settled_minor, m.settled_currency, m.fee_minor, m.fee_told, m.stated, m.restated, m.at
		FROM (VALUES ($1, $2)) AS v JOIN movements m ON m.account_id = column1 AND m.payment_id = column2`, keys, func(row db.Row) error {
		m, err := scanMovement(row)
		if m.Day < h.From || m.Day > h.To { // the others are there already
			h.Movements = append(h.Movements, m)
		}
		return err
	})
}

const differenceColumns = `account_id, provider, day, kind, subject, order_id, payment_id, ours_minor, ours_currency,
	theirs_minor, theirs_currency, detail, accepted, found_at`

func scanDifference(row db.Row) (d Difference, err error) {
	var found db.Instant
	err = row.Scan(&d.Account, &d.Provider, &d.Day, &d.Kind, &d.Subject, &d.Order, &d.Payment, &d.Ours.Minor, &d.Ours.Currency,
		&d.Theirs.Minor, &d.Theirs.Currency, &d.Detail, &d.Accepted, &found)
	d.FoundAt = found.Time
	return d, err
}

// Differences reads what was found last for the days from from to to.
func Differences(ctx context.Context, tx db.Tx, provider string, from, to payment.Day) ([]Difference, error) {
	return list(ctx, tx, scanDifference, `SELECT `+differenceColumns+` FROM differences
		WHERE provider = $1 AND day >= $2 AND day <= $3 ORDER BY day, kind, account_id, subject`, provider, from, to)
}

// name is what makes a difference the same one when it is found again.
type name struct {
	account, subject string
	day              payment.Day
	kind             Kind
}

func (d Difference) name() name { return name{d.Account, d.Subject, d.Day, d.Kind} }

// record replaces what was found for some days, and returns what was not there
// before. What stays keeps when it was found and who accepted it.
func record(ctx context.Context, b *db.Batch, tx db.Tx, h History, found []Difference) (now, fresh []Difference, err error) {
	before, err := Differences(ctx, tx, h.Provider, h.From, h.To)
	if err != nil {
		return nil, nil, err
	}
	was := map[name]Difference{}
	for _, d := range before {
		was[d.name()] = d
	}
	b.Add(`DELETE FROM differences WHERE provider = $1 AND day >= $2 AND day <= $3`, h.Provider, h.From, h.To)
	for _, d := range found {
		d.FoundAt = tx.Now()
		if w, ok := was[d.name()]; ok {
			d.FoundAt, d.Accepted = w.FoundAt, w.Accepted
		} else {
			fresh = append(fresh, d)
		}
		b.Add(`INSERT INTO differences (`+differenceColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)`,
			d.Account, d.Provider, d.Day, d.Kind, d.Subject, d.Order, d.Payment, d.Ours.Minor, d.Ours.Currency,
			d.Theirs.Minor, d.Theirs.Currency, d.Detail, d.Accepted, db.At(d.FoundAt))
		now = append(now, d)
	}
	return now, fresh, nil
}
