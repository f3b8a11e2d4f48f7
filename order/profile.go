package order

import (
	"context"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
)

// atInstall is the [catalogue.Activation.Start] of a line whose clock starts when it
// is installed.
const atInstall = "install"

// Profiled takes what an operator told of a profile, by a sender that has proved who
// it is: it is stored as evidence, the line's profile moves to what it says unless
// something later is known, and the operator is looked at soon. A line whose service
// begins with its installation begins. Nothing else is done: no order is touched, and
// a profile that was deleted has its service to the end.
func (d *Desk) Profiled(ctx context.Context, adapter string, e carrier.ProfileEvent, body []byte) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		cat, err := d.Shelf.Current(ctx, tx)
		if err != nil {
			return err
		}
		account, lineID, err := byCard(ctx, tx, cat, adapter, e.ICCID)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO provider_events (account_id, provider, event_id, kind, subject, body, at)
			VALUES ($1,$2,$3,$4,$5,$6,$7) ON CONFLICT (account_id, provider, event_id) DO NOTHING`,
			account, adapter, e.EventID, e.Kind, lineID, storable(string(body), maxEvidence), db.At(tx.Now())); err != nil {
			return err
		}
		if lineID == "" || e.State == "" {
			return nil
		}
		if e.At.After(tx.Now().Add(line.ClockAhead)) {
			d.Log.WarnContext(ctx, "a notification of a profile is of the future, and moves nothing", "adapter", adapter, "line", lineID, "at", e.At)
			return nil
		}
		if _, err := line.TellProfile(ctx, tx, account, lineID, line.ProfileState(e.State), e.At); err != nil {
			return err
		}
		if err := line.LookSoon(ctx, tx, account, lineID); err != nil {
			return err
		}
		return d.installed(ctx, tx, account, lineID, e.State, e.At)
	})
}

// installed lets the first period of a bought line begin whose plan says that it does
// when the line is installed.
func (d *Desk) installed(ctx context.Context, tx db.Tx, account, lineID string, s carrier.ProfileState, at time.Time) error {
	l, err := line.Get(ctx, tx, account, lineID)
	if err != nil || !l.StartedAt.IsZero() || l.State == line.Terminal || l.State == line.Recycled || s == carrier.ProfileDeleted {
		return err
	}
	e, bought, err := line.GetESIM(ctx, tx, account, lineID)
	if err != nil || !bought {
		return err
	}
	cat, err := d.Shelf.At(ctx, tx, e.Catalogue)
	if err != nil {
		return err
	}
	if plan, _ := cat.Plan(e.Plan); plan.Activation.Start != atInstall {
		return nil
	}
	return d.begun(ctx, tx, l, e, carrier.Status{State: carrier.LineActive, StartsAt: at})
}
