package order

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
)

const (
	// lease is how long a claimed row is its worker's alone. Calls to
	// strangers end after half of it, so that two workers never overlap.
	lease = 40 * time.Second

	// maxAsks bounds how often an order that certainly never reached the
	// operator is sent again; with the pauses of lookPause that is about an hour.
	maxAsks = 18

	// maxLooks bounds how often an operator that gives no reading is asked
	// what became of an order, before a person looks: with the pauses of lookPause
	// about 10 hours.
	maxLooks = 62

	// tellAfter is when a customer who paid hears that it takes longer.
	tellAfter = 2 * time.Minute
)

const defaultSet = 20

// Step takes the next step of orders that are due, up to one set, see [Desk.Take].
// It is safe to call at any time, from any number of processes.
func (d *Desk) Step(ctx context.Context) (worked bool, err error) {
	do, err := d.Take(ctx)
	if do == nil {
		return false, err
	}
	return true, do(ctx)
}

// work takes the next step of a claimed set.
func (d *Desk) work(ctx context.Context, set []Order) error {
	var ready []Order
	var errs []error
	for _, o := range set {
		if o.beginsNow() {
			ready = append(ready, o)
			continue
		}
		errs = append(errs, quiet(d.advance(ctx, o)))
	}
	tasks, err := d.begin(ctx, ready)
	errs = append(errs, err, d.askAll(ctx, tasks))
	return errors.Join(errs...)
}

func (d *Desk) set() int {
	if d.Set > 0 {
		return d.Set
	}
	return defaultSet
}

// beginsNow reports whether o is ready to be asked for: those of a set are begun
// and asked for together, see begin.go.
func (o Order) beginsNow() bool {
	return o.Kind != TopUp && (o.State == Paid || o.State == Fulfilling && o.AskedAt.IsZero())
}

// advance takes one step of a claimed order that is not begun now.
//
// This switch is the table of contents of the package.
func (d *Desk) advance(ctx context.Context, o Order) (err error) {
	switch o.State {
	case Placed:
		err = d.expire(ctx, o) // pay.go
	case Paid:
		_, err = d.credit(ctx, o) // a top-up: books.go
	case Fulfilling:
		if o.Kind == TopUp {
			_, err = d.credit(ctx, o)
		} else {
			_, err = d.lookUp(ctx, o)
		}
	case RefundDue:
		err = d.settleRefund(ctx, o) // refund.go
	case Held, Completed, Cancelled, Refunded:
		err = d.rest(ctx, o) // a person, or nobody, acts next
	}
	return err
}

// task is an order whose intent is stored and whose operator is asked next.
type task struct {
	order Order
	request
}

// callLimit bounds a call to a stranger by half a lease. It does not end with
// the customer's request: who closes the browser still wants the line extended.
func (d *Desk) callLimit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), lease/2)
}

// answer is what an operator said to one task.
type answer struct {
	task
	receipt carrier.Receipt
	issued  carrier.Issued // of a new line
	err     error
}

// done reports whether the operator said yes, and has done it.
func (a answer) done() bool { return a.err == nil && (a.issuer == nil || a.issued.Made()) }

// call asks for what was ordered, unless the worker had to wait for others of its set
// so long that its half of the lease is over: others may look up what became of
// it from the lease's end on, and must not find it absent and then have it done.
// Staff may have seen theirs on the list, and begun: it stays there.
func (d *Desk) call(ctx context.Context, t task) answer {
	if _, hand := handTime(t.operator(), t.order); !hand && !d.inTime(t.order.DueAt) {
		return answer{task: t, err: fmt.Errorf("%w: the worker had to wait too long", carrier.ErrNotSent)}
	}
	call, cancel := d.callLimit(ctx)
	defer cancel()
	a := answer{task: t}
	a.receipt, a.issued, a.err = t.send(call)
	return a
}

// ask calls the operator for one order and records what came back, even if the
// customer has left meanwhile.
func (d *Desk) ask(ctx context.Context, t task) (Order, error) {
	return d.record(context.WithoutCancel(ctx), d.call(ctx, t))
}

// askAll calls the operators for a set of orders side by side, and records all
// that was done in one transaction.
func (d *Desk) askAll(ctx context.Context, tasks []task) error {
	answers := make([]answer, len(tasks))
	d.sideBySide(len(tasks), func(i int) { answers[i] = d.call(ctx, tasks[i]) })
	var done []finished
	var errs []error
	for _, a := range answers {
		if a.done() {
			done = append(done, finished{a.order, a.receipt, a.issued})
			continue
		}
		_, err := d.record(ctx, a)
		errs = append(errs, quiet(err))
	}
	_, err := d.books(ctx, done...)
	return errors.Join(append(errs, quiet(err))...)
}

// sideBySide runs n pieces of work, at most Side at once.
func (d *Desk) sideBySide(n int, do func(int)) {
	if d.Side <= 1 {
		for i := range n {
			do(i)
		}
		return
	}
	var wg sync.WaitGroup
	free := make(chan struct{}, d.Side)
	for i := range n {
		free <- struct{}{}
		wg.Go(func() {
			do(i)
			<-free
		})
	}
	wg.Wait()
}

// record writes down one answer: done, certainly not, never sent, or unknown.
func (d *Desk) record(ctx context.Context, a answer) (Order, error) {
	if a.done() {
		done, err := d.books(ctx, finished{a.order, a.receipt, a.issued})
		if err != nil {
			return a.order, err
		}
		return done[0], nil
	}
	no, refused := errors.AsType[*carrier.Refusal](a.err)
	switch {
	case a.err == nil:
		return d.accepted(ctx, a.order, a.issued.Ref, "the operator accepted the order, and is making the line")
	case refused:
		return d.refused(ctx, a.order, no)
	case errors.Is(a.err, carrier.ErrNotSent):
		return d.notAsked(ctx, a.order, a.err)
	default:
		// Nobody knows: ErrUnknown, or an error that an adapter should have
		// wrapped. lookUp takes over.
		return d.later(ctx, a.order, pause(1), a.err.Error())
	}
}

// refused is for a certain no: a new line is asked of the next operator of its plan;
// where there is none, and of an extension, the money goes back.
func (d *Desk) refused(ctx context.Context, o Order, no *carrier.Refusal) (Order, error) {
	if o, another, err := d.nextSource(ctx, o, no); another || err != nil {
		return o, err
	}
	return d.giveUp(ctx, o, string(no.Reason), no.Error())
}

// lookUp finds out what became of a request whose answer was lost. Absence
// counts only when the operator's settling time has passed since the call could
// last have arrived, and the reading is newer than that.
func (d *Desk) lookUp(ctx context.Context, o Order) (Order, error) {
	t, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (task, error) {
		cat, err := d.Shelf.At(ctx, tx, o.Catalogue)
		if err != nil {
			return task{}, err
		}
		var l line.Line
		if o.Kind != NewLine {
			if l, err = line.Get(ctx, tx, o.Account, o.Line); err != nil {
				return task{}, err
			}
		}
		r, err := d.request(ctx, tx, cat, l, o)
		return task{o, r}, err
	})
	if err != nil {
		return o, err
	}
	if by, ok := handTime(t.operator(), o); ok {
		return d.awaitStaff(ctx, o, by)
	}
	call, cancel := d.callLimit(ctx)
	defer cancel()
	reading, err := t.lookUp(call)
	settled := o.AskedAt.Add(lease + reading.settles) // a call begins in the lease's first half and takes no more
	switch {
	case err != nil && o.Attempts >= maxLooks:
		return d.hold(ctx, o, "no_reading", err.Error())
	case err != nil:
		return d.later(ctx, o, lookPause(o.Attempts), err.Error())
	case reading.Found == carrier.FoundDone:
		done, err := d.books(ctx, finished{o, reading.Receipt, reading.issued})
		if err != nil {
			return o, err
		}
		return done[0], nil
	case reading.Found == carrier.FoundPending && o.Attempts >= maxLooks:
		return d.hold(ctx, o, "still_made", reading.Why)
	case reading.Found == carrier.FoundPending:
		return d.accepted(ctx, o, reading.Receipt.Ref, reading.Why)
	case reading.AsOf.Before(settled):
		return d.later(ctx, o, min(pause(o.Attempts), max(time.Second, settled.Sub(reading.AsOf))), reading.Why)
	case reading.Found == carrier.FoundAbsent:
		return d.giveUp(ctx, o, operatorSilent, reading.Why)
	default:
		return d.hold(ctx, o, "unclear_reading", reading.Why)
	}
}

// accepted records that the operator has an order of a new line and is making it:
// nobody may give it up any more. theirs is the operator's number of it. Who waits
// for it is a worker, sooner when the operator rings.
func (d *Desk) accepted(ctx context.Context, o Order, theirs, evidence string) (Order, error) {
	o.OperatorRef = cmp.Or(theirs, o.OperatorRef)
	return d.later(ctx, o, lookPause(o.Attempts), evidence)
}

// notAsked records that the operator certainly never saw the request, so that
// the same may be sent again; after many times the money goes back.
func (d *Desk) notAsked(ctx context.Context, o Order, cause error) (Order, error) {
	if o.Attempts >= maxAsks {
		return d.giveUp(ctx, o, "operator_away", cause.Error())
	}
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Order, error) {
		o, leaseEnds := o, o.DueAt // nobody else has taken it meanwhile
		o.AskedAt, o.DueAt, o.Evidence = time.Time{}, tx.Now().Add(lookPause(o.Attempts)), clip(cause.Error())
		var b db.Batch
		b.Guard(`UPDATE orders SET asked_at = NULL, due_at = $4, evidence = $5, updated_at = $6, snapshot = $8
			WHERE account_id = $1 AND id = $2 AND state = $3 AND due_at = $7`,
			o.Account, o.ID, o.State, db.At(o.DueAt), o.Evidence, db.At(tx.Now()), db.At(leaseEnds), string(o.Snapshot))
		line.Free(&b, o.Account, o.Line, o.ID)
		if err := d.tellWorking(&b, tx, &o); err != nil {
			return o, err
		}
		return o, conflict(tx.Batch(ctx, &b), o.ID)
	})
}

// later makes an order due again after a pause, and tells a customer who has
// waited long enough.
func (d *Desk) later(ctx context.Context, o Order, after time.Duration, evidence string) (Order, error) {
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Order, error) {
		o := o
		o.DueAt, o.Evidence = tx.Now().Add(after), clip(evidence)
		if tell := o.PaidAt.Add(tellAfter); !o.Told && tell.After(tx.Now()) && tell.Before(o.DueAt) {
			o.DueAt = tell
		}
		var b db.Batch
		b.Guard(`UPDATE orders SET due_at = $4, evidence = $5, operator_ref = $6 WHERE account_id = $1 AND id = $2 AND state = $3`,
			o.Account, o.ID, o.State, db.At(o.DueAt), o.Evidence, o.OperatorRef)
		if err := d.tellWorking(&b, tx, &o); err != nil {
			return o, err
		}
		return o, conflict(tx.Batch(ctx, &b), o.ID)
	})
}

// rest takes a row that waits for nobody off the list.
func (d *Desk) rest(ctx context.Context, o Order) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE orders SET due_at = NULL WHERE account_id = $1 AND id = $2 AND state = $3`, o.Account, o.ID, o.State)
		return err
	})
}

// pause grows with the attempts: 2, 4, 8 … seconds, at most 20 minutes.
func pause(attempt int) time.Duration {
	return min(20*time.Minute, time.Second<<min(max(attempt, 1), 20))
}

// lookPause is pause for what a customer waits for: at most five minutes for the first
// three hours, so that a stranger who was away is heard soon after they are back.
func lookPause(attempt int) time.Duration {
	if attempt < 40 {
		return min(5*time.Minute, pause(attempt))
	}
	return pause(attempt)
}

// clip bounds what strangers' words take of a row.
func clip(s string) string { return storable(s, 1000) }

// storable is as much of a stranger's words as fits, without what no database
// takes: half a character, and NUL.
func storable(s string, most int) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s[:min(len(s), most)], "?"), "\x00", "?")
}

// quiet drops the conflict of a step that somebody else took.
func quiet(err error) error {
	if err == nil || isConflict(err) {
		return nil
	}
	return err
}

// tellWorking queues, once, the message that a paid order takes longer.
func (d *Desk) tellWorking(b *db.Batch, tx db.Tx, o *Order) error {
	if o.Told || o.PaidAt.IsZero() || tx.Now().Before(o.PaidAt.Add(tellAfter)) {
		return nil
	}
	o.Told = true
	b.Add(`UPDATE orders SET told = true WHERE account_id = $1 AND id = $2`, o.Account, o.ID)
	return message.AddTo(b, tx.Now(), d.IDs.Under("msg", o.Account), message.Draft{
		Account: o.Account, Key: string(message.OrderStillWorking) + "/" + o.ID, Kind: message.OrderStillWorking,
		Order: o.ID, Line: o.Line, Facts: message.Facts{Amount: o.Charged(), NextNewsAt: o.DueAt},
	})
}
