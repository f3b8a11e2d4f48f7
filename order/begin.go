package order

import (
	"context"
	"errors"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// candidate is a paid order on its way to its operator.
type candidate struct {
	task
	now   renewal.Offer // what the rules give now
	why   string        // why the operator is not asked; empty: it is
	known error         // the order cannot be judged
	shown error         // what Prepare failed with
}

// lineBusy is why an order waits: the line serves one at a time.
const lineBusy = "line_busy"

// effectChanged is why an order is given up: the rules give less than was accepted.
const effectChanged = "effect_changed"

// begin gets a set of paid orders ready to be asked for: are they still what was
// accepted, what do the operators show now, and then the intents. The set is read
// in one transaction and intended in one; who cannot be begun falls out of it.
func (d *Desk) begin(ctx context.Context, due []Order) ([]task, error) {
	set, next := oneOfEachLine(due)
	if len(set) == 0 {
		return nil, nil
	}
	all, err := d.reconsider(ctx, set)
	if err != nil {
		return nil, err
	}
	d.sideBySide(len(all), func(i int) { all[i] = d.prepared(ctx, all[i]) })
	var willing []candidate
	var errs []error
	for _, c := range all {
		if c.why == "" && c.known == nil && c.shown == nil {
			willing = append(willing, c)
			continue
		}
		errs = append(errs, quiet(d.turnAway(ctx, c)))
	}
	tasks, err := d.intend(ctx, willing)
	more, nextErr := d.begin(ctx, next) // finds the lines busy
	return append(tasks, more...), errors.Join(append(errs, err, nextErr)...)
}

// oneOfEachLine divides due orders into the first of each line and the others.
func oneOfEachLine(due []Order) (set, next []Order) {
	seen := map[line.Ref]bool{}
	for _, o := range due {
		ref := line.Ref{Account: o.Account, ID: o.Line}
		if seen[ref] {
			next = append(next, o)
			continue
		}
		seen[ref] = true
		set = append(set, o)
	}
	return set, next
}

// reconsider asks the rules again for each order of a set.
func (d *Desk) reconsider(ctx context.Context, set []Order) ([]candidate, error) {
	return db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]candidate, error) {
		refs := make([]line.Ref, len(set))
		for i, o := range set {
			refs[i] = line.Ref{Account: o.Account, ID: o.Line}
		}
		lines, err := line.Several(ctx, tx, refs)
		if err != nil {
			return nil, err
		}
		all := make([]candidate, len(set))
		for i, o := range set {
			all[i] = d.judge(ctx, tx, o, lines[refs[i]])
		}
		return all, nil
	})
}

// judge asks the rules as of the instant of payment: money that came late is
// honoured exactly when they still give what was quoted at no higher cost. The
// offer is as of now where the rules still allow it now.
func (d *Desk) judge(ctx context.Context, tx db.Tx, o Order, on line.Known) candidate {
	c := candidate{task: task{order: o}}
	if on.Line.ID == "" && o.Kind != NewLine {
		c.known = line.NotFound()
		return c
	}
	cat, err := d.Shelf.At(ctx, tx, o.Catalogue)
	if err != nil {
		c.known = err
		return c
	}
	if c.request, c.known = d.request(ctx, tx, cat, on.Line, o); c.known != nil {
		return c
	}
	if o.Granted() {
		c.now, c.known = given(cat, tx, o)
		return c
	}
	s := renewal.Situation{Now: tx.Now(), Line: on.Line, Periods: on.Periods, Catalogue: cat, Currency: o.Price.Currency, Rate: o.Exchange.Rate, Tool: o.Tool}
	s.Line.Identity = true // a check that was asked for was passed when the order was placed
	paid := s
	paid.Now = o.PaidAt
	offer, no := decided(paid, o.Kind, o.Plan, o.Item)
	switch {
	case s.Line.Periods != o.Periods:
		c.why = "line_changed"
	case s.Line.Extending != "" && s.Line.Extending != o.ID:
		c.why = lineBusy
	case no != nil:
		c.why = string(no.Rule)
	case !asGood(offer, o):
		c.why = effectChanged
	}
	if c.now, no = decided(s, o.Kind, o.Plan, o.Item); no != nil || c.now.Effect != o.Effect {
		c.now = offer
	}
	// An attempt that was not sent has noted when service would have begun; where
	// it begins when it is bought, its end has moved since.
	if c.why == effectChanged && asGood(c.now, o) {
		c.why = ""
	}
	return c
}

// prepared asks the operator what must be remembered before it is asked.
func (d *Desk) prepared(ctx context.Context, c candidate) candidate {
	if c.known != nil || c.why != "" {
		return c
	}
	call, cancel := d.callLimit(ctx)
	defer cancel()
	c.shown = c.prepare(call)
	return c
}

// turnAway is for an order whose operator is not asked now.
func (d *Desk) turnAway(ctx context.Context, c candidate) (err error) {
	const busy = "another order is at the operator for this line"
	no, refused := errors.AsType[*carrier.Refusal](c.shown)
	switch {
	case c.known != nil:
		return c.known
	case c.why == lineBusy && c.order.Attempts >= maxLooks:
		_, err = d.hold(ctx, c.order, c.why, busy)
	case c.why == lineBusy:
		_, err = d.later(ctx, c.order, lookPause(c.order.Attempts), busy)
	case c.why != "":
		_, err = d.giveUp(ctx, c.order, c.why, "")
	case refused:
		_, err = d.refused(ctx, c.remembering(), no)
	default:
		_, err = d.notAsked(ctx, c.remembering(), c.shown)
	}
	return err
}

// remembering is the order of a new line with who was to make it, as if it had been
// asked: the next one is chosen by that.
func (c candidate) remembering() Order {
	if c.issuer != nil {
		c.order.Snapshot = c.snapshot()
	}
	return c.order
}

// intend stores that the operators are about to be asked, and reserves the
// lines. Only the worker whose transaction this is may call them. If the set
// fails, its members are intended alone; somebody else was faster with one.
func (d *Desk) intend(ctx context.Context, set []candidate) ([]task, error) {
	if len(set) == 0 {
		return nil, nil
	}
	tasks, err := d.intendTogether(ctx, set)
	if err == nil || len(set) == 1 {
		return tasks, quiet(err)
	}
	var errs []error
	for _, c := range set {
		one, err := d.intendTogether(ctx, []candidate{c})
		errs = append(errs, quiet(err))
		tasks = append(tasks, one...)
	}
	return tasks, errors.Join(errs...)
}

func (d *Desk) intendTogether(ctx context.Context, set []candidate) ([]task, error) {
	tasks, err := db.Sent(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]task, error) {
		tasks := make([]task, len(set))
		members := make([]*db.Batch, len(set))
		for i, c := range set {
			tasks[i], members[i] = c.task, &db.Batch{}
			tasks[i].order = addIntent(members[i], tx, c)
			tasks[i].named(tasks[i].order)
		}
		var b db.Batch
		b.Join(members...) // of different lines
		return tasks, tx.Batch(ctx, &b)
	})
	return tasks, conflict(err, set[0].order.ID) // the rows are due again when the lease ends
}

func addIntent(b *db.Batch, tx db.Tx, c candidate) (asked Order) {
	change := func(o *Order) {
		o.Snapshot, o.AskedAt, o.DueAt = c.snapshot(), tx.Now(), tx.Now().Add(lease)
		o.StartsAt, o.EndsAt, o.Anchor = c.now.StartsAt, c.now.EndsAt, c.now.Anchor
	}
	o := c.order
	if o.State == Paid {
		asked = addMove(b, tx, o, Fulfilling, change)
	} else {
		asked = addIntentAgain(b, tx, o, change)
		line.Free(b, o.Account, o.Line, o.ID)
	}
	if o.Kind != NewLine {
		line.Take(b, o.Account, o.Line, o.ID, o.Periods)
	}
	return asked
}

// addIntentAgain is for an order that is fulfilling and certainly never reached
// the operator: the guard is that nobody else has asked meanwhile.
func addIntentAgain(b *db.Batch, tx db.Tx, o Order, change func(*Order)) Order {
	change(&o)
	b.Guard(`UPDATE orders SET snapshot = $3, asked_at = $4, due_at = $5, starts_at = $6, ends_at = $7, anchor = $8, updated_at = $9
		WHERE account_id = $1 AND id = $2 AND state = 'fulfilling' AND asked_at IS NULL`,
		o.Account, o.ID, string(o.Snapshot), db.At(o.AskedAt), db.At(o.DueAt), db.At(o.StartsAt), db.At(o.EndsAt), o.Anchor, db.At(tx.Now()))
	return o
}
