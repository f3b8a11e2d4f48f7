package esimgo

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"

	"github.com/tsuzuku/tsuzuku/carrier"
)

var _ carrier.Withdrawer = (*Adapter)(nil)

// Withdraw implements [carrier.Withdrawer]. Of an eSIM that is not installed the
// operator takes the eSIM back together with its last bundle: for an eSIM that nobody
// wants that is right. What becomes of the bundle's price is up to the account.
func (a *Adapter) Withdraw(ctx context.Context, p carrier.Purchase, profile carrier.Profile) error {
	card, list, seen, err := a.unwanted(ctx, p, profile)
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
	err = a.ask(ctx, question{
		effect: changes, about: aCard, method: "DELETE", what: "esims/…/bundles/…/assignments/…", path: path + "?type=transaction&refundToBalance=true",
	}, &struct{}{})
	if no, refused := errors.AsType[*carrier.Refusal](err); refused && no.Reason != carrier.Unauthorised {
		return a.changedMeanwhile(ctx, p, profile, no)
	}
	return err
}

// changedMeanwhile says why a bundle could not be revoked that could be when it was read:
// the eSIM is in use now, or it was taken back before. Otherwise the operator has a reason
// of its own, such as the days that are over.
func (a *Adapter) changedMeanwhile(ctx context.Context, p carrier.Purchase, profile carrier.Profile, no error) error {
	seen, err := a.Withdrawal(ctx, p, profile)
	switch {
	case err == nil && seen.Fate == carrier.FateGone:
		return nil
	case err == nil && seen.Fate == carrier.FateInstalled:
		return carrier.Still(seen.Why)
	}
	return no
}

// Withdrawal implements [carrier.Withdrawer].
func (a *Adapter) Withdrawal(ctx context.Context, p carrier.Purchase, profile carrier.Profile) (carrier.Withdrawal, error) {
	_, _, seen, err := a.unwanted(ctx, p, profile)
	return seen, err
}

// unwanted reads an eSIM: whether it was ever installed, and which bundles it has. One
// that came with the purchase and is not in the account any more was taken back, and so
// was one whose bundles were all revoked.
func (a *Adapter) unwanted(ctx context.Context, p carrier.Purchase, profile carrier.Profile) (card string, live []held, w carrier.Withdrawal, err error) {
	w = carrier.Withdrawal{Fate: carrier.FateThere, AsOf: a.now().UTC()}
	if card, err = named(profile); err != nil {
		return "", nil, carrier.Withdrawal{}, err
	}
	full, err := a.profile(ctx, card)
	if no, refused := errors.AsType[*carrier.Refusal](err); refused && no.Reason == carrier.LineUnknown {
		w.Fate, w.Why = carrier.FateGone, "the eSIM is not in the account any more: "+no.Text
		return card, nil, w, a.cameWith(ctx, p, card, no)
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
	case len(list) > 0 && len(live) == 0: // a phone may have come in between: it has nothing to use there
		w.Fate, w.Why = carrier.FateGone, "all its bundles were revoked"
	case !full.Installed.IsZero():
		w.Fate, w.InstalledAt, w.Why = carrier.FateInstalled, full.Installed.Time, "it was installed"
	}
	return card, live, w, nil
}

// cameWith fails unless the account's order of a purchase has this eSIM. One that was never
// in the account, or is in another one than the key is of, is not in it either.
func (a *Adapter) cameWith(ctx context.Context, p carrier.Purchase, card string, no error) error {
	number := cmp.Or(p.Theirs, a.answers.number(p.Ref))
	if number == "" {
		return no
	}
	var got placed
	err := a.ask(ctx, question{effect: reads, about: anOrder, what: "orders/…", path: "orders/" + url.PathEscape(number)}, &got)
	if r, refused := errors.AsType[*carrier.Refusal](err); refused && r.Reason != carrier.Unauthorised {
		return no
	}
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(got.made(p.Package), func(m made) bool { return cardNumber(string(m.ICCID)) == card }) {
		return no
	}
	return nil
}
