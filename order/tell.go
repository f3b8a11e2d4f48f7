package order

import (
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
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
func (d *Desk) addTelling(b *db.Batch, tx db.Tx, plan catalogue.Plan, op catalogue.Operator, loc *time.Location, o Order, points int64) error {
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
	if o.Enlarges > 0 {
		return nil // the end is where it was, and has its reminders
	}
	for _, r := range reminders {
		due := o.EndsAt.Add(-r.before)
		if !due.After(tx.Now()) {
			continue
		}
		if err := message.AddTo(b, tx.Now(), d.IDs.Under("msg", o.Account), message.Draft{
			Account: o.Account, Key: string(r.kind) + "/" + o.ID, Kind: r.kind, Order: o.ID, Line: o.Line,
			Facts: message.Facts{EndsAt: o.EndsAt, RenewUntil: renewal.RenewBy(plan, o.EndsAt, loc), Zone: op.Zone},
			DueAt: due, ExpiresAt: o.EndsAt,
		}); err != nil {
			return err
		}
	}
	return nil
}
