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
	if refused && no.Code == wrongState {
		return carrier.Still(no.Code)
	}
	return err
}

// wrongState is how CancelOrder refuses a profile that is in no state in which it could
// be cancelled: of one that was released and never cancelled, because a phone has it.
const wrongState = "8.2.1/3.3"

// Withdrawal implements [carrier.Withdrawer], by getProfileStatus. Without it there is
// nothing that could be read: cancelling again would be refused alike whether a phone has
// the profile or it was cancelled before.
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
