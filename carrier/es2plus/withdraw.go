package es2plus

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tsuzuku/tsuzuku/carrier"
)

var _ carrier.Withdrawer = (*Adapter)(nil)

// Withdraw implements [carrier.Withdrawer]: one CancelOrder, after which the profile
// can be ordered again. It is refused once a phone has the profile.
func (a *Adapter) Withdraw(ctx context.Context, p carrier.Purchase, profile carrier.Profile) error {
	if a.config.Status {
		switch seen, err := a.Withdrawal(ctx, p, profile); {
		case err != nil:
			return err
		case seen.Fate == carrier.FateGone:
			return nil
		case seen.Fate == carrier.FateInstalled:
			return carrier.Still(seen.Why)
		}
	}
	err := a.client.CancelOrder(ctx, Taken{ICCID: profile.ICCID, MatchingID: matchingID(a.config.Secret, p.Ref)})
	no, refused := errors.AsType[*carrier.Refusal](err)
	switch {
	case refused && no.Code == otherMatching:
		return nil
	case refused && a.config.Status && (no.Code == wrongState || no.Code == otherPhone):
		return a.takenMeanwhile(ctx, p, profile, no)
	case refused && no.Code == otherPhone:
		return carrier.Still(no.Code)
	}
	return err
}

// How CancelOrder refuses a profile that was released under our matching identifier. The
// package's comment says what each proves.
const (
	otherMatching = "8.2.6/3.10"
	wrongState    = "8.2.1/3.3"
	otherPhone    = "8.1.1/3.10"
)

// takenMeanwhile looks why a profile could not be cancelled that could be when it was read.
func (a *Adapter) takenMeanwhile(ctx context.Context, p carrier.Purchase, profile carrier.Profile, no *carrier.Refusal) error {
	seen, err := a.Withdrawal(ctx, p, profile)
	switch {
	case err == nil && seen.Fate == carrier.FateGone:
		return nil
	case err == nil && seen.Fate == carrier.FateInstalled:
		return carrier.Still(seen.Why)
	}
	return changes.silence("cancelOrder: refused with %s, and the profile looks as before: %s", no.Code, seen.Why)
}

// Withdrawal implements [carrier.Withdrawer], by getProfileStatus. Without it there is
// nothing that could be read, and a look may not cancel.
func (a *Adapter) Withdrawal(ctx context.Context, p carrier.Purchase, profile carrier.Profile) (carrier.Withdrawal, error) {
	w := carrier.Withdrawal{AsOf: a.now().UTC()}
	if !a.config.Status {
		return w, fmt.Errorf("%w: es2plus: there is no getProfileStatus", carrier.ErrNotSent)
	}
	got, err := a.client.ProfileStatus(ctx, profile.ICCID)
	if err != nil {
		return carrier.Withdrawal{}, err
	}
	w.Why = "the profile is " + carrier.Clip(got.State)
	ours := got.MatchingID == "" || got.MatchingID == matchingID(a.config.Secret, p.Ref)
	switch strings.ToUpper(got.State) {
	case "AVAILABLE", "ALLOCATED", "LINKED", "UNAVAILABLE":
		w.Fate = carrier.FateGone
	case "CONFIRMED", "RELEASED":
		w.Fate = carrier.FateThere
		if !ours { // it is another purchase's now
			w.Fate = carrier.FateGone
		}
	default:
		w.Fate = carrier.FateInstalled
	}
	return w, nil
}
