package order

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// warnings are how long before the last moment which message is due.
var warnings = []struct {
	kind   message.Kind
	before time.Duration
}{
	{message.Reminder3Days, 72 * time.Hour},
	{message.Reminder1Day, 24 * time.Hour},
	{message.Reminder3Hours, 3 * time.Hour},
}

const (
	// endedNews is for how long it is worth telling that a line has ended.
	endedNews = 3 * 24 * time.Hour

	// lastDay is how long before grace ends somebody is told once more.
	lastDay = 24 * time.Hour
)

// reminder is one message about an end of service.
type reminder struct {
	kind       message.Kind
	due, until time.Time
}

// remindersOf are the messages about an end of service. renewBy is the last moment
// to renew, zero where there is none. Where that is before the end, it is what people
// are warned of.
func remindersOf(end, renewBy time.Time) (all []reminder) {
	last := end
	if !renewBy.IsZero() && renewBy.Before(end) {
		last = renewBy
	}
	for _, w := range warnings {
		all = append(all, reminder{w.kind, last.Add(-w.before), last})
	}
	all = append(all, reminder{message.ReminderEnded, end, end.Add(endedNews)})
	if due := renewBy.Add(-lastDay); due.After(end) {
		all = append(all, reminder{message.ReminderGrace, due, renewBy})
	}
	return all
}

// addTelling queues the confirmation, and the reminders of the new end. What a
// reminder says is put together when it is sent, from the line as it is then;
// one whose line was renewed meanwhile is dropped at that moment, so renewing
// need not look for it.
//
// A new line whose clock starts with its first use has no end yet: its customer is
// reminded to install it, before installBy.
func (d *Desk) addTelling(b *db.Batch, tx db.Tx, plan catalogue.Plan, op catalogue.Operator, loc *time.Location, o Order, points int64, installBy time.Time) error {
	facts := message.Facts{
		Amount: o.Charged(), Tool: string(o.Tool), Order: o.ID, Points: points, StartsAt: o.StartsAt, EndsAt: o.EndsAt, Zone: op.Zone,
		PointsUsed: o.Parts.Points,
	}
	if wallet := o.walletBesides(); wallet > 0 {
		facts.ByTool, facts.FromWallet = o.Rest(), o.FromWallet()
	}
	if err := message.AddTo(b, tx.Now(), d.IDs.Under("msg", o.Account), message.Draft{
		Account: o.Account, Key: string(message.OrderCompleted) + "/" + o.ID, Kind: message.OrderCompleted,
		Order: o.ID, Line: o.Line, Facts: facts,
	}); err != nil {
		return err
	}
	switch {
	case o.Enlarges > 0:
		return nil // the end is where it was, and has its reminders
	case o.EndsAt.IsZero():
		return d.addInstallReminder(b, tx, op, o, installBy)
	}
	return d.addReminders(b, tx, plan, op, loc, served{o.Account, o.Line, o.ID}, o.EndsAt)
}

// AddReminders queues the reminders of the end of a line that no order of ours
// brought, an imported one.
func (d *Desk) AddReminders(b *db.Batch, tx db.Tx, plan catalogue.Plan, op catalogue.Operator, l line.Line) error {
	loc, err := op.Zone.Location()
	if err != nil {
		return err
	}
	return d.addReminders(b, tx, plan, op, loc, served{account: l.Account, line: l.ID}, l.EndsAt)
}

// addReminders queues those of an end of service.
func (d *Desk) addReminders(b *db.Batch, tx db.Tx, plan catalogue.Plan, op catalogue.Operator, loc *time.Location, of served, end time.Time) error {
	renewBy := renewal.RenewBy(plan, end, loc)
	for _, r := range remindersOf(end, renewBy) {
		if !r.due.After(tx.Now()) {
			continue
		}
		if err := message.AddTo(b, tx.Now(), d.IDs.Under("msg", of.account), message.Draft{
			Account: of.account, Key: string(r.kind) + "/" + cmp.Or(of.order, of.line), Kind: r.kind, Order: of.order, Line: of.line,
			Facts: message.Facts{EndsAt: end, RenewUntil: renewBy, Zone: op.Zone},
			DueAt: r.due, ExpiresAt: r.until,
		}); err != nil {
			return err
		}
	}
	return nil
}

// served names a line and the order that brought its service; "" where none of ours
// did.
type served struct{ account, line, order string }

// installReminder is how long before it must be in use the customer of a new line
// is reminded.
const installReminder = 7 * 24 * time.Hour

func (d *Desk) addInstallReminder(b *db.Batch, tx db.Tx, op catalogue.Operator, o Order, installBy time.Time) error {
	due := installBy.Add(-installReminder)
	if installBy.IsZero() || !due.After(tx.Now()) {
		return nil
	}
	return message.AddTo(b, tx.Now(), d.IDs.Under("msg", o.Account), message.Draft{
		Account: o.Account, Key: string(message.ReminderInstall) + "/" + o.ID, Kind: message.ReminderInstall, Order: o.ID, Line: o.Line,
		Facts: message.Facts{InstallBy: installBy, Zone: op.Zone}, DueAt: due, ExpiresAt: installBy,
	})
}

// remindUsage tells, once for an allowance, that most of it is used, and that all of
// it is. Only a plan that sells a volume has one: what is used up today of an
// unlimited line comes back.
func (d *Desk) remindUsage(ctx context.Context, tx db.Tx, l line.Line, u line.Usage) error {
	if !u.AlmostEmpty() || l.At(tx.Now()) != line.Active {
		return nil
	}
	cat, err := d.Shelf.Current(ctx, tx)
	if err != nil {
		return err
	}
	plan, ok := cat.Plan(l.Plan)
	if !ok || plan.Kind != catalogue.Volume {
		return nil
	}
	op, _ := cat.Operator(l.Operator)
	loc, err := op.Zone.Location()
	if err != nil {
		return err
	}
	kind := message.Usage80
	if u.Empty() {
		kind = message.Usage100
	}
	return message.Queue(ctx, tx, d.IDs.Under("msg", l.Account), message.Draft{
		Account: l.Account, Line: l.ID, Kind: kind, ExpiresAt: l.EndsAt,
		Key:   fmt.Sprintf("%s/%s/%d/%d", kind, l.ID, u.Total, l.EndsAt.Unix()),
		Facts: message.Facts{EndsAt: l.EndsAt, RenewUntil: renewal.RenewBy(plan, l.EndsAt, loc), Zone: op.Zone},
	})
}
