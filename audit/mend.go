package audit

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/order"
)

const (
	// patience is how long a repair has to show before a person is called.
	patience = 30 * time.Second

	// lookAgain is how soon a finding is looked at that nothing more is done about.
	lookAgain = time.Minute
)

// repair does what a rule can decide about a finding, through the function of the
// package that owns the rows, and says in words what it did; "" where there was
// nothing to do.
type repair func(context.Context, *order.Desk, Finding) (did string, err error)

func wakeOrder(ctx context.Context, d *order.Desk, f Finding) (string, error) {
	woke, err := d.Wake(ctx, order.Key{Account: f.Account, ID: f.Order})
	return said(woke, "made the order due"), err
}

func wakeRefund(ctx context.Context, d *order.Desk, f Finding) (string, error) {
	woke, err := d.WakeRefund(ctx, order.Key{Account: f.Account, ID: f.Subject})
	return said(woke, "made the refund due"), err
}

func writeBill(ctx context.Context, d *order.Desk, f Finding) (string, error) {
	err := d.WriteBill(ctx, order.Key{Account: f.Account, ID: f.Order})
	return said(err == nil, "wrote the document"), err
}

func returnStray(ctx context.Context, d *order.Desk, f Finding) (string, error) {
	err := d.ReturnStray(ctx, order.Key{Account: f.Account, ID: f.Subject})
	return said(err == nil, "gave the money back"), err
}

func said(done bool, words string) string {
	if done {
		return words
	}
	return ""
}

// mend answers the findings whose time has come: first by the rule, and where the
// sign is still there after that by calling a person.
func (r *Repairer) mend(ctx context.Context) error {
	due, err := db.Seen(ctx, r.DB, func(ctx context.Context, tx db.Tx) ([]Finding, error) {
		all, err := OpenFindings(ctx, tx, page)
		n := 0
		for _, f := range all {
			if !f.LookAt.After(tx.Now()) {
				all[n] = f
				n++
			}
		}
		return all[:n], err
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range due {
		errs = append(errs, r.answer(ctx, f))
	}
	return errors.Join(errs...)
}

func (r *Repairer) answer(ctx context.Context, f Finding) error {
	s := signNamed[f.Sign]
	switch {
	case s.repair != nil && f.RepairedAt.IsZero():
		return r.try(ctx, s, f)
	case s.person && f.CaseAt.IsZero():
		return r.call(ctx, s, f)
	}
	return r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		addSeen(&b, f, tx.Now(), tx.Now().Add(lookAgain))
		return tx.Batch(ctx, &b)
	})
}

// try lets the rule decide. What it cannot is for a person, at once; what breaks is
// tried again.
func (r *Repairer) try(ctx context.Context, s sign, f Finding) error {
	did, err := s.repair(ctx, r.Desk, f)
	if kind := fault.KindOf(err); err != nil && kind != fault.Conflict && kind != fault.NotFound {
		return err
	}
	wait := patience
	if did == "" {
		wait = 0
	} else {
		r.tally.note(f.Kind, Repaired)
		r.Log.InfoContext(ctx, "repaired", "kind", f.Kind, "sign", f.Sign, "subject", f.Subject, "order", f.Order, "did", did)
	}
	return r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		addTried(&b, f, did, tx.Now(), tx.Now().Add(wait))
		return tx.Batch(ctx, &b)
	})
}

// call opens the case with the evidence and tells the customer, once for a finding.
func (r *Repairer) call(ctx context.Context, s sign, f Finding) error {
	err := r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		k := order.Key{Account: f.Account, ID: f.Order}
		o, err := order.Get(ctx, tx, k)
		if err != nil {
			return err
		}
		waits, err := r.Desk.Patience().Waits(ctx, tx, r.Desk.Shelf, k)
		if err != nil {
			return err
		}
		trace, err := r.Desk.Patience().Trace(ctx, tx, o, waits)
		if err != nil {
			return err
		}
		var b db.Batch
		addCalled(&b, f, tx.Now(), tx.Now().Add(lookAgain))
		if s.name == signHeldUncalled.name {
			addTried(&b, f, "called a person", tx.Now(), tx.Now())
		}
		err = r.Desk.AddTrouble(&b, tx, o, order.Trouble{
			Title: string(f.Kind), Evidence: f.Sign + " " + f.Subject + ": " + f.Evidence + "\n" + trace, Tell: s.told, Word: s.word,
		})
		if err != nil {
			return err
		}
		return tx.Batch(ctx, &b)
	})
	if errors.Is(err, db.ErrGuard) || fault.KindOf(err) == fault.NotFound {
		return nil // somebody else was faster, or there is nobody to speak of
	}
	if err == nil {
		r.tally.note(f.Kind, Called)
		r.Log.WarnContext(ctx, "called a person", "kind", f.Kind, "sign", f.Sign, "subject", f.Subject, "order", f.Order)
	}
	return err
}
