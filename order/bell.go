package order

import (
	"context"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
)

// What this process is told by [db.DB.Ring] when rows have become due for which
// somebody waits. Whoever hears nothing finds them a moment later.
const (
	OrdersDue   = "orders"
	PaymentsDue = "payments"
	LooksDue    = "looks"
)

// Ring takes an operator's notification, already read by its adapter: it is
// stored as evidence, and an order of the line that waits for the operator is
// looked at now. It never changes a line or an order by itself.
func (d *Desk) Ring(ctx context.Context, adapter string, bell carrier.Doorbell, body []byte) error {
	err := d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		account, lineID, err := d.lineOf(ctx, tx, adapter, bell.Profile)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO provider_events (account_id, provider, event_id, kind, subject, body, at)
			VALUES ($1,$2,$3,$4,$5,$6,$7) ON CONFLICT (account_id, provider, event_id) DO NOTHING`,
			account, adapter, bell.EventID, bell.Kind, lineID, storable(string(body), maxEvidence), db.At(tx.Now())); err != nil {
			return err
		}
		if lineID == "" {
			return wakeNewLine(ctx, tx, bell.Ref)
		}
		if err := line.LookSoon(ctx, tx, account, lineID); err != nil {
			return err
		}
		l, err := line.Get(ctx, tx, account, lineID)
		if err != nil || l.Extending == "" {
			return err
		}
		// Not an order whose call may still be under way: its lease is its own.
		_, err = tx.Exec(ctx, `UPDATE orders SET due_at = $3
			WHERE account_id = $1 AND id = $2 AND state = 'fulfilling' AND due_at > $3 AND asked_at <= $4`,
			account, l.Extending, db.At(tx.Now()), db.At(tx.Now().Add(-lease)))
		return err
	})
	if err == nil {
		d.DB.Ring(OrdersDue)
		d.DB.Ring(LooksDue)
	}
	return err
}

// wakeNewLine lets a worker look now whether the line is made that an order is
// about, if it is one of ours whose operator has accepted it: then no call of it is
// under way.
func wakeNewLine(ctx context.Context, tx db.Tx, ref string) error {
	k, err := KeyOf(ref)
	if err != nil {
		return nil //nolint:nilerr // it is not ours, and nobody waits for it
	}
	_, err = tx.Exec(ctx, `UPDATE orders SET due_at = $3
		WHERE account_id = $1 AND id = $2 AND kind = 'line' AND state = 'fulfilling' AND due_at > $3 AND (operator_ref <> '' OR asked_at <= $4)`,
		k.Account, k.ID, db.At(tx.Now()), db.At(tx.Now().Add(-lease)))
	return err
}

// lineOf finds the line that an operator speaks of, among the operators that
// the adapter serves; empty where we have no such line.
func (d *Desk) lineOf(ctx context.Context, tx db.Tx, adapter string, p carrier.Profile) (account, lineID string, err error) {
	if p.ID == "" && p.ICCID == "" {
		return "", "", nil
	}
	cat, err := d.Shelf.Current(ctx, tx)
	if err != nil {
		return "", "", err
	}
	if p.ID == "" {
		return byCard(ctx, tx, cat, adapter, p.ICCID)
	}
	for _, op := range cat.Operators {
		if op.Carrier != adapter {
			continue
		}
		account, lineID, err = db.Locate(ctx, tx, "profile:"+op.ID, p.ID)
		if fault.KindOf(err) != fault.NotFound {
			return account, lineID, err
		}
	}
	return "", "", nil
}

// byCard finds the line of an operator that names its card only. A card of
// another operator's is none of this one's business.
func byCard(ctx context.Context, tx db.Tx, cat *catalogue.Catalogue, adapter, iccid string) (account, lineID string, err error) {
	account, lineID, err = db.Locate(ctx, tx, "iccid", iccid)
	if fault.KindOf(err) == fault.NotFound {
		return "", "", nil
	}
	if err != nil {
		return "", "", err
	}
	l, err := line.Get(ctx, tx, account, lineID)
	if err != nil {
		return "", "", err
	}
	if op, _ := cat.Operator(l.Operator); op.Carrier != adapter {
		return "", "", nil
	}
	return account, lineID, nil
}
