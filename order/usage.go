package order

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/calls"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// lookAgain is how long to wait after an operator that did not answer.
const lookAgain = 5 * time.Minute

// LookStep asks one operator how lines stand that somebody wants to know about,
// and records what it reports, see [Desk.TakeLooks].
func (d *Desk) LookStep(ctx context.Context) (worked bool, err error) {
	do, err := d.TakeLooks(ctx)
	if do == nil {
		return false, err
	}
	return true, do(ctx)
}

// TakeLooks takes lines that are to be looked at, all of one adapter, for the length
// of a lease: of that whose line has been due longest and which has room. How many,
// the plan of its calls says. What it returns asks, and is to be called once;
// meanwhile lines of others may be claimed. It returns nil where no line is due that
// may be looked at now.
func (d *Desk) TakeLooks(ctx context.Context) (do func(context.Context) error, err error) {
	p, more, err := d.pickLooks(ctx, glance)
	if err == nil && len(p.due) == 0 && more {
		p, _, err = d.pickLooks(ctx, queueMost)
	}
	if err != nil || len(p.due) == 0 {
		return nil, err
	}
	lines, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]line.Line, error) {
		return line.TakeThese(ctx, tx, lease, p.due)
	})
	if err != nil {
		p.end()
		return nil, err
	}
	return func(ctx context.Context) error {
		defer p.end()
		ctx = p.grant.With(ctx)
		errs := make([]error, len(lines))
		d.sideBySide(len(lines), func(i int) { errs[i] = d.look(ctx, lines[i]) })
		return errors.Join(errs...)
	}, nil
}

// looks are lines of one adapter that are looked at now.
type looks struct {
	adapter string
	due     []line.Due
	grant   *calls.Grant
	end     func()
}

// pickLooks chooses among the lines that have been due longest, up to so many; more
// reports that there were as many.
func (d *Desk) pickLooks(ctx context.Context, most int) (p looks, more bool, err error) {
	queues, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (queues []looks, err error) {
		due, seen, err := line.DueLooks(ctx, tx, d.set(), most)
		if err != nil || len(due) == 0 {
			return nil, err
		}
		more = seen == most
		cat, err := d.Shelf.Current(ctx, tx)
		if err != nil {
			return nil, err
		}
		for _, l := range due {
			name := d.adapter(cat, partition{"operator", l.Operator})
			at := slices.IndexFunc(queues, func(q looks) bool { return q.adapter == name })
			if at < 0 {
				at, queues = len(queues), append(queues, looks{adapter: name})
			}
			queues[at].due = append(queues[at].due, l)
		}
		return queues, nil
	})
	for _, q := range queues {
		if !d.lookers.take(q.adapter, 1) {
			continue
		}
		n := min(len(q.due), d.set())
		if o := d.planner(q.adapter); o != nil {
			q.grant, n = o.Looks(n)
		}
		q.end = func() { q.grant.Return(); d.lookers.free(q.adapter) }
		if n > 0 {
			q.due = q.due[:n]
			return q, more, err
		}
		q.end()
	}
	return looks{}, more, err
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
	profile := carrier.Profile{ID: l.ProfileID, ICCID: l.ICCID}
	if o := d.planner(op.Carrier); o != nil {
		if room := o.LineRoom(profile); room.After(d.DB.Now()) {
			return d.looked(ctx, l, op, carrier.Status{}, room)
		}
	}
	call, cancel := d.callLimit(ctx)
	defer cancel()
	st, err := c.Status(call, profile)
	if no, refused := errors.AsType[*carrier.Refusal](err); refused {
		d.Log.WarnContext(ctx, "operator refuses to speak of a line", "line", l.ID, "reason", no.Reason)
		return d.looked(ctx, l, op, carrier.Status{}, time.Time{})
	}
	if err != nil {
		return d.looked(ctx, l, op, carrier.Status{}, d.DB.Now().Add(lookAgain))
	}
	u := line.Usage{Total: st.Total, Used: st.Used, AsOf: st.AsOf}
	return d.looked(ctx, l, op, st, l.NextLook(u, c.Abilities().UsageDelay, d.DB.Now()))
}

func (d *Desk) looked(ctx context.Context, l line.Line, op catalogue.Operator, st carrier.Status, again time.Time) error {
	loc, err := op.Zone.Location()
	if err != nil {
		loc = time.UTC // of an operator that the catalogue has no more
	}
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		again := again
		if err := d.note(ctx, tx, l, st, loc); err != nil {
			return err
		}
		if l.StartedAt.IsZero() && l.State != line.Terminal && l.State != line.Recycled {
			next, err := d.firstUse(ctx, tx, l, st)
			if err != nil {
				return err
			}
			if again.IsZero() {
				again = next
			}
		}
		return line.Looked(ctx, tx, l.Account, l.ID, again)
	})
}

// firstUse lets the first period of a bought line begin when its operator says that
// it is in use. A line that nobody used until its deadline is dead. Until one of the
// two it is looked at again and again; next is when.
func (d *Desk) firstUse(ctx context.Context, tx db.Tx, l line.Line, st carrier.Status) (next time.Time, err error) {
	e, bought, err := line.GetESIM(ctx, tx, l.Account, l.ID)
	if err != nil || !bought {
		return time.Time{}, err
	}
	switch st.State {
	case carrier.LineActive, carrier.LineDepleted:
		return time.Time{}, d.begun(ctx, tx, l, e, st)
	case carrier.LineIsOver:
		if !st.StartsAt.IsZero() {
			return time.Time{}, d.begun(ctx, tx, l, e, st)
		}
		return time.Time{}, line.SetState(ctx, tx, l.Account, l.ID, line.Terminal)
	case carrier.LineDead:
		return time.Time{}, nil
	case carrier.LineNew, carrier.LineSuspended:
	}
	return tx.Now().Add(inDrawer(tx.Now().Sub(e.CreatedAt))), nil
}

// inDrawer is how long a line that nobody has used is not looked at: the longer the
// older it is.
func inDrawer(age time.Duration) time.Duration { return max(line.FirstLook, min(day, age/40)) }

// lookedLate is how much later than that a look may be that finds a line in use: what
// ends sooner was sold for less time than we think, and is not to be hidden.
const lookedLate = 2 * time.Hour

const day = 24 * time.Hour

// begun writes the period that began with the first use, under the rules that were
// accepted, and queues the reminders of its end.
func (d *Desk) begun(ctx context.Context, tx db.Tx, l line.Line, e line.ESIM, st carrier.Status) error {
	cat, err := d.Shelf.At(ctx, tx, e.Catalogue)
	if err != nil {
		return err
	}
	plan, ok := cat.Plan(e.Plan)
	plan, _ = plan.From(l.Operator) // of a catalogue that had it, or of a card
	term, ok2 := plan.Term(e.Term)
	op, ok3 := cat.Operator(plan.Operator)
	if !ok || !ok2 || !ok3 {
		return fault.New(fault.Internal, "catalogue %d lacks plan %s, its term %s or its operator", cat.Version, e.Plan, e.Term)
	}
	loc, err := op.Zone.Location()
	if err != nil {
		return err
	}
	starts := st.StartsAt.UTC()
	if starts.IsZero() || starts.After(tx.Now()) {
		starts = tx.Now() // it has begun; when, the operator does not say, but perhaps when it ends
		late := renewal.TermEnd(term, starts, loc, calendar.Anchor(starts, loc)).Sub(st.EndsAt)
		if age := starts.Sub(e.CreatedAt); !st.EndsAt.IsZero() && late > 0 && late <= min(age, inDrawer(age)+lookedLate) {
			starts = starts.Add(-late)
		}
	}
	anchor := calendar.Anchor(starts, loc)
	ends := renewal.TermEnd(term, starts, loc, anchor)
	var b db.Batch
	line.Begin(&b, line.Period{
		Account: l.Account, Line: l.ID, Number: 1, Plan: e.Plan, Term: e.Term, Order: e.Order,
		StartsAt: starts, EndsAt: ends, Allowance: e.Allowance, State: line.PeriodActive,
		OperatorRef: e.OperatorRef, OperatorEndsAt: st.EndsAt,
	}, anchor, renewal.GraceEnd(plan, ends, loc), plan.Kind != catalogue.Volume, tx.Now())
	if err := d.addReminders(&b, tx, plan, op, loc, served{l.Account, l.ID, e.Order}, ends); err != nil {
		return err
	}
	return tx.Batch(ctx, &b)
}

// note writes down what is known of a line.
func (d *Desk) note(ctx context.Context, tx db.Tx, l line.Line, st carrier.Status, loc *time.Location) error {
	// An operator's clock may run ahead of ours.
	if asOf := st.AsOf; !asOf.IsZero() && !asOf.After(tx.Now()) && (st.Unlimited || st.Total > 0) {
		u := line.Usage{Unlimited: st.Unlimited, Total: st.Total, Used: st.Used, Throttled: st.Throttled, AsOf: asOf}
		newer, err := line.Report(ctx, tx, l.Account, l.ID, u)
		if err != nil {
			return err
		}
		if newer {
			if err := d.remindUsage(ctx, tx, l, u); err != nil {
				return err
			}
		}
		if err := line.NoteDay(ctx, tx, l.Account, l.ID, u, loc); err != nil {
			return err
		}
	}
	if st.State == carrier.LineActive && st.EndsAt.After(st.AsOf) && !st.AsOf.After(tx.Now()) {
		if err := line.NoteEnd(ctx, tx, l.Account, l.ID, st.EndsAt, st.AsOf); err != nil {
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
	return nil
}

// EnterStatus records what staff read at an operator without an API. It fails with
// [fault.Conflict] for a line that an adapter reports of, and with [fault.Invalid]
// for figures that cannot be: none is better than a wrong one.
func (d *Desk) EnterStatus(ctx context.Context, lineID string, st carrier.Status, a Act) error {
	if err := a.check(); err != nil {
		return err
	}
	account, err := id.AccountOf(lineID)
	if err != nil {
		return err
	}
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		l, err := line.Get(ctx, tx, account, lineID)
		if err != nil {
			return err
		}
		cat, err := d.Shelf.Current(ctx, tx)
		if err != nil {
			return err
		}
		switch {
		case d.HandWithin(cat, l) == 0:
			return fault.New(fault.Conflict, "The operator of line %s reports by itself.", lineID)
		case st.AsOf.IsZero() || st.AsOf.After(tx.Now()) || st.Total < 0 || st.Used < 0 || st.Total == 0 && st.Used > 0:
			return fault.New(fault.Invalid, "Figures have a time that is not in the future, are not negative, and what is used belongs to a total.")
		}
		op, _ := cat.Operator(l.Operator)
		loc, err := op.Zone.Location()
		if err != nil {
			return err
		}
		if err := d.note(ctx, tx, l, st, loc); err != nil {
			return err
		}
		if l.StartedAt.IsZero() && st.State != "" {
			if _, err := d.firstUse(ctx, tx, l, st); err != nil {
				return err
			}
		}
		var b db.Batch
		if err := AddTrail(&b, tx, d.IDs, account, a, "line status", lineID); err != nil {
			return err
		}
		return tx.Batch(ctx, &b)
	})
}
