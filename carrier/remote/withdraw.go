package remote

import (
	"context"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// New lines that nobody installed, taken back where the server's capabilities say so. A
// line is taken back once, by the reference that made it; asking again is the same.

var _ carrier.Withdrawer = (*Adapter)(nil)

// aboutUnwanted asks about taking a line back.
func (a *Adapter) aboutUnwanted(call string, p carrier.Purchase, profile carrier.Profile) (question, error) {
	switch {
	case !a.Abilities().Withdraws:
		return question{}, &carrier.Refusal{Reason: carrier.OperatorRefuses, Text: "this operator takes no new line back"}
	case !refs.MatchString(p.Ref):
		return question{}, &carrier.Refusal{Reason: carrier.BadRequest, Text: "the reference must be 1 to 40 of [0-9a-z_]"}
	}
	return question{Call: call, Ref: p.Ref, Line: lineNamed(profile)}, named(profile)
}

// Withdraw implements [carrier.Withdrawer]: one request, whatever comes of it.
func (a *Adapter) Withdraw(ctx context.Context, p carrier.Purchase, profile carrier.Profile) error {
	q, err := a.aboutUnwanted("withdraw", p, profile)
	if err != nil {
		return err
	}
	var got envelope
	if err := a.call(ctx, changes, q, &got); err != nil {
		return err
	}
	if got.Outcome != "done" {
		return changes.silence("withdraw: the outcome is %q", carrier.Clip(got.Outcome))
	}
	return nil
}

// Withdrawal implements [carrier.Withdrawer]. The reading is as old as the operator says,
// and never newer than when we began; one that decides nothing is none.
func (a *Adapter) Withdrawal(ctx context.Context, p carrier.Purchase, profile carrier.Profile) (carrier.Withdrawal, error) {
	q, err := a.aboutUnwanted("lookup_withdraw", p, profile)
	if err != nil {
		return carrier.Withdrawal{}, err
	}
	w := carrier.Withdrawal{AsOf: a.now().UTC()}
	var got struct {
		Fate        carrier.Fate `json:"fate"`
		InstalledAt instant      `json:"installed_at"`
		AsOf        instant      `json:"as_of"`
		Text        string       `json:"text"`
	}
	if err := a.call(ctx, reads, q, &got); err != nil {
		return carrier.Withdrawal{}, err
	}
	switch got.Fate {
	case carrier.FateGone, carrier.FateThere, carrier.FateInstalled:
	default:
		return carrier.Withdrawal{}, reads.silence("lookup_withdraw: the fate is %q: %s", carrier.Clip(string(got.Fate)), carrier.Quote(got.Text))
	}
	if got.AsOf.IsZero() {
		return carrier.Withdrawal{}, reads.silence("lookup_withdraw: the answer has no as_of")
	}
	if got.AsOf.Before(w.AsOf) {
		w.AsOf = got.AsOf.Time
	}
	w.Fate, w.Why = got.Fate, "the operator says "+string(got.Fate)+" "+carrier.Quote(got.Text)
	if w.Fate == carrier.FateInstalled {
		w.InstalledAt = got.InstalledAt.Time
	}
	return w, nil
}
