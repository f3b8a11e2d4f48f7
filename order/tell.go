package order

import (
	"cmp"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// reminders are how long before the end of service which message is due.
var reminders = []struct {
	kind   message.Kind
	before time.Duration
}{
	{message.Reminder3Days, 72 * time.Hour},
	{message.Reminder1Day, 24 * time.Hour},
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
	for _, r := range reminders {
		due := end.Add(-r.before)
		if !due.After(tx.Now()) {
			continue
		}
		if err := message.AddTo(b, tx.Now(), d.IDs.Under("msg", of.account), message.Draft{
			Account: of.account, Key: string(r.kind) + "/" + cmp.Or(of.order, of.line), Kind: r.kind, Order: of.order, Line: of.line,
			Facts: message.Facts{EndsAt: end, RenewUntil: renewal.RenewBy(plan, end, loc), Zone: op.Zone},
			DueAt: due, ExpiresAt: end,
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
