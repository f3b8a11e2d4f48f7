package leaving

import (
	"context"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/identity"
	"github.com/tsuzuku/tsuzuku/order"
)

// byItself is who the trail names for what nobody did.
const byItself = "tsuzuku"

// PapersStep erases what one customer gave for an identity check, once the time has
// come that its plan's policy sets, with a line in the trail as the proof; or puts
// that off, where a line of theirs asks for longer. It is enough to call it once a
// minute.
func (o *Office) PapersStep(ctx context.Context) (worked bool, err error) {
	var found bool
	due, err := db.Seen(ctx, o.DB, func(ctx context.Context, tx db.Tx) (c identity.Check, err error) {
		c, found, err = identity.Due(ctx, tx)
		return c, err
	})
	if err != nil || !found {
		return false, err
	}
	return true, o.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		c, err := identity.Get(ctx, tx, due.Key())
		if err != nil || c.DueAt.IsZero() || c.DueAt.After(tx.Now()) { // its owner was faster
			return err
		}
		return o.erasePapers(ctx, tx, c, "its time was over: "+c.DueAt.Format(time.RFC3339))
	})
}

// erasePapers erases a check, unless the policy of a line wants it kept for longer.
func (o *Office) erasePapers(ctx context.Context, tx db.Tx, c identity.Check, why string) error {
	cat, err := o.Desk.Shelf.Current(ctx, tx)
	if err != nil {
		return err
	}
	until, err := identity.NeededUntil(ctx, tx, cat, c)
	if err != nil {
		return err
	}
	if until.After(tx.Now()) {
		return identity.PutOff(ctx, tx, c, until)
	}
	if _, err := identity.Erase(ctx, tx, c); err != nil {
		return err
	}
	var b db.Batch
	if err := order.AddTrail(&b, tx, o.Desk.IDs, c.Account, order.Act{Staff: byItself, Reason: why}, "erase identity", c.ID); err != nil {
		return err
	}
	return tx.Batch(ctx, &b)
}

// erasePapersOf erases what the owner of an account that is closed gave; what a policy
// wants kept after the end of a line is erased when that time is over.
func (o *Office) erasePapersOf(ctx context.Context, tx db.Tx, of string) error {
	c, found, err := identity.Current(ctx, tx, of)
	if err != nil || !found {
		return err
	}
	return o.erasePapers(ctx, tx, c, "the account was closed")
}
