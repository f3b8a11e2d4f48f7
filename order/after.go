package order

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
)

// An operator may carry out a request later than it says it can, when the money has
// gone back already. Nobody is charged a second time for that: it is looked for, and
// shown to staff.

// operatorSilent is why an order is given up whose operator showed no trace of it.
const operatorSilent = "operator_silent"

// looksAfter are when an operator is asked once more, each from the look before.
var looksAfter = []time.Duration{time.Hour, 24 * time.Hour}

// mostSilences is how often in a row an operator that gives no reading is asked
// before a person is called: with the pauses of silentPause some 33 hours.
const mostSilences = 12

// silentPause grows with the silences: 2, 4, 8 … minutes, at most 6 hours.
func silentPause(n int) time.Duration { return min(6*time.Hour, time.Minute<<min(max(n, 1), 20)) }

// addLookAfter appends that an operator is asked once more after the money went back.
func addLookAfter(b *db.Batch, tx db.Tx, o Order) {
	b.Add(`INSERT INTO late_looks (account_id, order_id, due_at) VALUES ($1,$2,$3) ON CONFLICT (account_id, order_id) DO NOTHING`,
		o.Account, o.ID, db.At(tx.Now().Add(looksAfter[0])))
}

// AfterStep asks operators once more about orders that they showed no trace of and
// whose money went back, and notes what they have carried out all the same.
func (d *Desk) AfterStep(ctx context.Context) (worked bool, err error) {
	if any, err := d.DB.Finds(ctx, `SELECT 1 FROM late_looks WHERE due_at <= $1 LIMIT 1`, db.At(d.DB.Now())); err != nil || !any {
		return false, err
	}
	due, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]lateLook, error) {
		return takeLateLooks(ctx, tx)
	})
	if err != nil || len(due) == 0 {
		return false, err
	}
	var errs []error
	for _, l := range due {
		errs = append(errs, d.lookAfter(ctx, l))
	}
	return true, errors.Join(errs...)
}

// lateLook is one order that is looked for, for the n-th time, and how often in a
// row the operator gave no reading of it.
type lateLook struct {
	Key
	n, silences int
}

// lookedAfterAtOnce is how many are looked for at once: they are in no hurry.
const lookedAfterAtOnce = 5

func takeLateLooks(ctx context.Context, tx db.Tx) (due []lateLook, err error) {
	rows, err := tx.Query(ctx, `WITH due AS MATERIALIZED (
			SELECT account_id AS account, order_id AS row FROM late_looks WHERE due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
		UPDATE late_looks SET due_at = $2 FROM due WHERE account_id = account AND order_id = row
		RETURNING account_id, order_id, looks, silences`, db.At(tx.Now()), db.At(tx.Now().Add(lease)), lookedAfterAtOnce)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var l lateLook
		if err := rows.Scan(&l.Account, &l.ID, &l.n, &l.silences); err != nil {
			return nil, err
		}
		due = append(due, l)
	}
	return due, rows.Err()
}

// lookAfter asks about one.
func (d *Desk) lookAfter(ctx context.Context, l lateLook) error {
	t, tells, err := d.after(ctx, l.Key)
	if err != nil {
		return err
	}
	var seen reading
	if tells {
		call, cancel := d.callLimit(ctx)
		defer cancel()
		if seen, err = t.lookUp(call); err != nil {
			return d.stillSilent(ctx, l, err)
		}
	}
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		next, served := time.Time{}, time.Time{}
		switch {
		case seen.Found == carrier.FoundDone:
			served = tx.Now()
		case tells && l.n+1 < len(looksAfter):
			next = tx.Now().Add(looksAfter[l.n+1])
		}
		_, err := tx.Exec(ctx, `UPDATE late_looks SET due_at = $3, looks = $4, served_at = $5, why = $6, silences = 0
			WHERE account_id = $1 AND order_id = $2 AND looks = $7`,
			l.Account, l.ID, db.At(next), l.n+1, db.At(served), clip(seen.Why+" "+seen.Receipt.Ref), l.n)
		return err
	})
}

// stillSilent notes that the operator gave no reading. It is asked again after a pause
// that grows, and after mostSilences no more: then nobody knows, and the auditor calls a
// person.
func (d *Desk) stillSilent(ctx context.Context, l lateLook, cause error) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		next, gaveUp := tx.Now().Add(silentPause(l.silences+1)), time.Time{}
		if l.silences+1 >= mostSilences {
			next, gaveUp = time.Time{}, tx.Now()
		}
		_, err := tx.Exec(ctx, `UPDATE late_looks SET due_at = $3, silences = $4, gave_up_at = $5, why = $6
			WHERE account_id = $1 AND order_id = $2 AND looks = $7 AND silences = $8`,
			l.Account, l.ID, db.At(next), l.silences+1, db.At(gaveUp), clip(cause.Error()), l.n, l.silences)
		return err
	})
}

// after is what the operator was asked for; tells is false where a look-up says
// nothing any more, because another order has changed the line since, or staff carry
// it out.
func (d *Desk) after(ctx context.Context, k Key) (t task, tells bool, err error) {
	err = d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		t, tells = task{}, false
		o, err := Get(ctx, tx, k)
		if err != nil {
			return err
		}
		cat, err := d.Shelf.At(ctx, tx, o.Catalogue)
		if err != nil {
			return err
		}
		var l line.Line
		if o.Kind != NewLine {
			if l, err = line.Get(ctx, tx, o.Account, o.Line); err != nil {
				return err
			}
		}
		r, err := d.request(ctx, tx, cat, l, o)
		if err != nil {
			return err
		}
		t = task{o, r}
		_, hand := handTime(r.operator(), o)
		keeps := o.Kind == NewLine || r.carrier.Abilities().KeepsRef || l.Periods == o.Periods && l.Extending == ""
		tells = keeps && !hand && (o.State == RefundDue || o.State == Refunded)
		return nil
	})
	return t, tells, err
}
