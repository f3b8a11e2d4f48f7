package esimgo

import (
	"context"
	"errors"
	"net/url"

	"github.com/tsuzuku/tsuzuku/carrier"
)

var _ carrier.Withdrawer = (*Adapter)(nil)

// Withdraw implements [carrier.Withdrawer]. Of an eSIM that is not installed the
// operator takes the eSIM back together with its last bundle: for an eSIM that nobody
// wants that is right. What becomes of the bundle's price is up to the account.
func (a *Adapter) Withdraw(ctx context.Context, p carrier.Purchase, profile carrier.Profile) error {
	card, list, seen, err := a.unwanted(ctx, profile)
	switch {
	case err != nil:
		return err
	case seen.Fate == carrier.FateGone:
		return nil
	case seen.Fate == carrier.FateInstalled:
		return carrier.Still(seen.Why)
	case len(list) != 1 || list[0].Bundle != p.Package || !list[0].unused():
		return &carrier.Refusal{Reason: carrier.OperatorRefuses, Text: "the eSIM has other bundles than the one that it came with"}
	}
	path := "esims/" + card + "/bundles/" + url.PathEscape(list[0].Bundle) + "/assignments/" + url.PathEscape(string(list[0].ID))
	return a.ask(ctx, question{
		effect: changes, about: aCard, method: "DELETE", what: "esims/…/bundles/…/assignments/…", path: path + "?type=transaction&refundToBalance=true",
	}, &struct{}{})
}

// Withdrawal implements [carrier.Withdrawer].
func (a *Adapter) Withdrawal(ctx context.Context, _ carrier.Purchase, profile carrier.Profile) (carrier.Withdrawal, error) {
	_, _, seen, err := a.unwanted(ctx, profile)
	return seen, err
}

// unwanted reads an eSIM: whether it was ever installed, and which bundles it has. One
// that is not in the account any more was taken back, and so was one whose bundles were
// all revoked.
func (a *Adapter) unwanted(ctx context.Context, profile carrier.Profile) (card string, live []held, w carrier.Withdrawal, err error) {
	w = carrier.Withdrawal{Fate: carrier.FateThere, AsOf: a.now().UTC()}
	if card, err = named(profile); err != nil {
		return "", nil, carrier.Withdrawal{}, err
	}
	full, err := a.profile(ctx, card)
	if no, refused := errors.AsType[*carrier.Refusal](err); refused && no.Reason == carrier.LineUnknown {
		w.Fate, w.Why = carrier.FateGone, "the eSIM is not in the account any more: "+no.Text
		return card, nil, w, nil
	}
	if err != nil {
		return "", nil, carrier.Withdrawal{}, err
	}
	list, err := a.assignments(ctx, card)
	if err != nil {
		return "", nil, carrier.Withdrawal{}, err
	}
	for _, h := range list {
		if h.State != revoked {
			live = append(live, h)
		}
		if !h.unused() && h.State != revoked {
			w.Fate, w.InstalledAt, w.Why = carrier.FateInstalled, h.StartTime.Time, "a bundle has begun: "+carrier.Clip(string(h.State))
		}
	}
	switch {
	case !full.Installed.IsZero():
		w.Fate, w.InstalledAt, w.Why = carrier.FateInstalled, full.Installed.Time, "it was installed"
	case w.Fate == carrier.FateThere && len(list) > 0 && len(live) == 0:
		w.Fate, w.Why = carrier.FateGone, "all its bundles were revoked"
	}
	return card, live, w, nil
}
