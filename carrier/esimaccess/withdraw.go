package esimaccess

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

var _ carrier.Withdrawer = (*Adapter)(nil)

// Withdraw implements [carrier.Withdrawer]: one query, and the cancelling, which the
// operator allows while no phone has the eSIM. Its price returns to the balance.
func (a *Adapter) Withdraw(ctx context.Context, p carrier.Purchase, profile carrier.Profile) error {
	seen, err := a.Withdrawal(ctx, p, profile)
	switch {
	case err != nil:
		return err
	case seen.Fate == carrier.FateGone:
		return nil
	case seen.Fate == carrier.FateInstalled:
		return carrier.Still(seen.Why)
	}
	err = a.call(ctx, changes, "/esim/cancel", map[string]string{"esimTranNo": profile.ID}, nil)
	if no, refused := errors.AsType[*carrier.Refusal](err); refused && wrongState(no.Code) {
		return a.changedMeanwhile(ctx, p, profile, no)
	}
	return err
}

// changedMeanwhile says why an eSIM could not be cancelled that could be when it was read:
// a phone has it now, or somebody cancelled it before. Where that is not seen the figures
// may be old, and it may be gone.
func (a *Adapter) changedMeanwhile(ctx context.Context, p carrier.Purchase, profile carrier.Profile, no *carrier.Refusal) error {
	seen, err := a.Withdrawal(ctx, p, profile)
	switch {
	case err == nil && seen.Fate == carrier.FateGone:
		return nil
	case err == nil && seen.Fate == carrier.FateInstalled:
		return carrier.Still(seen.Why)
	}
	return changes.silence("/esim/cancel: refused with %s, and the eSIM looks as before: %s", no.Code, seen.Why)
}

// Withdrawal implements [carrier.Withdrawer]: one query.
func (a *Adapter) Withdrawal(ctx context.Context, _ carrier.Purchase, profile carrier.Profile) (carrier.Withdrawal, error) {
	if profile.ID == "" {
		return carrier.Withdrawal{}, unnamed()
	}
	w := carrier.Withdrawal{Fate: carrier.FateInstalled, AsOf: a.now().UTC()}
	l, err := a.query(ctx, profile)
	if err != nil {
		return carrier.Withdrawal{}, err
	}
	w.Why = carrier.Clip(string(l.Status) + "/" + string(l.SMDP))
	switch {
	case l.Status == "CANCEL":
		w.Fate = carrier.FateGone
	case l.Status == "GOT_RESOURCE" && l.SMDP == "RELEASED":
		w.Fate = carrier.FateThere
	default:
		w.InstalledAt = installedAt(l)
	}
	return w, nil
}

// installedAt is when an eSIM was first used, which is the least that the operator says
// of when it was installed.
func installedAt(l line) time.Time { return l.ActivateTime.Time }
