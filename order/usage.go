package order

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
)

// lookAgain is how long to wait after an operator that did not answer.
const lookAgain = 5 * time.Minute

// LookStep asks operators how lines stand that somebody wants to know about,
// and records what they report.
func (d *Desk) LookStep(ctx context.Context) (worked bool, err error) {
	lines, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]line.Line, error) {
		return line.TakeLooks(ctx, tx, lease, d.set())
	})
	if err != nil || len(lines) == 0 {
		return false, err
	}
	errs := make([]error, len(lines))
	d.sideBySide(len(lines), func(i int) { errs[i] = d.look(ctx, lines[i]) })
	return true, errors.Join(errs...)
}

// look reads one line at its operator. What the operator does not say stays as
// it was, with its age.
func (d *Desk) look(ctx context.Context, l line.Line) error {
	op, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (catalogue.Operator, error) {
		cat, err := d.Shelf.Current(ctx, tx)
		if err != nil {
			return catalogue.Operator{}, err
		}
		op, _ := cat.Operator(l.Operator)
		return op, nil
	})
	if err != nil {
		return err
	}
	c := d.Carriers[op.Carrier]
	if c == nil {
		return d.looked(ctx, l, op, carrier.Status{}, time.Time{}) // nobody to ask
	}
	call, cancel := d.callLimit(ctx)
	defer cancel()
	st, err := c.Status(call, carrier.Profile{ID: l.ProfileID, ICCID: l.ICCID})
	if no, refused := errors.AsType[*carrier.Refusal](err); refused {
		d.Log.WarnContext(ctx, "operator refuses to speak of a line", "line", l.ID, "reason", no.Reason)
		return d.looked(ctx, l, op, carrier.Status{}, time.Time{})
	}
	if err != nil {
		return d.looked(ctx, l, op, carrier.Status{}, d.DB.Now().Add(lookAgain))
	}
	return d.looked(ctx, l, op, st, time.Time{})
}

func (d *Desk) looked(ctx context.Context, l line.Line, op catalogue.Operator, st carrier.Status, again time.Time) error {
	loc, err := op.Zone.Location()
	if err != nil {
		loc = time.UTC // of an operator that the catalogue has no more
	}
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		// An operator's clock may run ahead of ours.
		if asOf := st.AsOf; !asOf.IsZero() && !asOf.After(tx.Now()) && (st.Unlimited || st.Total > 0) {
			u := line.Usage{Unlimited: st.Unlimited, Total: st.Total, Used: st.Used, Throttled: st.Throttled, AsOf: asOf}
			if _, err := line.Report(ctx, tx, l.Account, l.ID, u); err != nil {
				return err
			}
			if err := line.NoteDay(ctx, tx, l.Account, l.ID, u, loc); err != nil {
				return err
			}
		}
		switch st.State {
		case carrier.LineDead:
			if err := line.SetState(ctx, tx, l.Account, l.ID, line.Terminal); err != nil {
				return err
			}
		case carrier.LineSuspended:
			if err := line.SetState(ctx, tx, l.Account, l.ID, line.Suspended); err != nil {
				return err
			}
		case carrier.LineActive:
			if l.State == line.Suspended {
				if err := line.SetState(ctx, tx, l.Account, l.ID, line.Active); err != nil {
					return err
				}
			}
		case carrier.LineNew, carrier.LineDepleted, carrier.LineIsOver: // what we know from the periods
		}
		return line.Looked(ctx, tx, l.Account, l.ID, again)
	})
}
