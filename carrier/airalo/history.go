package airalo

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// held is one package of a SIM's history: the one it came with, or a further
// one.
type held struct {
	ID          text    `json:"id"`
	Status      text    `json:"status"`
	ActivatedAt instant `json:"activated_at"`
	ExpiredAt   instant `json:"expired_at"`
	FinishedAt  instant `json:"finished_at"`
	Package     struct {
		ID text `json:"id"`
	} `json:"package"`
}

// over reports whether a package feeds the SIM no more because its time is over.
// Data that is used up is no end of time.
func (h held) over(now time.Time) bool {
	return h.Status == "EXPIRED" || !h.ExpiredAt.IsZero() && !now.Before(h.ExpiredAt.Time) ||
		h.ExpiredAt.IsZero() && !h.FinishedAt.IsZero()
}

// history reads all packages that a SIM ever had. Orders are settled by what is
// new in it, so a row that cannot be read is no reading at all.
func (a *Adapter) history(ctx context.Context, card string) ([]held, error) {
	const what = "sims/…/packages"
	var answer struct {
		Data json.RawMessage `json:"data"`
	}
	q := question{effect: reads, what: what, path: "sims/" + card + "/packages", rule: historyRule, subject: card}
	if err := a.ask(ctx, q, &answer); err != nil {
		return nil, err
	}
	raw, err := rows(answer.Data)
	if err != nil {
		return nil, reads.silence("%s: %s", what, a.quote(err.Error()))
	}
	list := make([]held, len(raw))
	seen := map[text]bool{}
	for i, row := range raw {
		h := &list[i]
		if err := json.Unmarshal(row, h); err != nil {
			return nil, reads.silence("%s: %s", what, a.quote(err.Error()))
		}
		if !short(string(h.ID), 40, "-_") || h.Package.ID == "" || seen[h.ID] {
			return nil, reads.silence("%s: a row without a name of its own, or without a package", what)
		}
		seen[h.ID] = true
	}
	return list, nil
}

// ended reports whether everything that a SIM ever had is over.
func ended(list []held, now time.Time) bool {
	for _, h := range list {
		if !h.over(now) {
			return false
		}
	}
	return len(list) > 0
}

// latest is the last end of service in a history, zero where none is known.
func latest(list []held) (end time.Time) {
	for _, h := range list {
		if h.ExpiredAt.After(end) {
			end = h.ExpiredAt.Time
		}
	}
	return end
}

// identify checks that a SIM's number still names the SIM that we mean. All
// calls take the number; but the operator takes numbers back ("recycles" them),
// and does not say that it never gives them to another. A profile without the
// operator's own identifier cannot be checked.
func (a *Adapter) identify(ctx context.Context, p carrier.Profile, card string) error {
	if p.ID == "" || cardNumber(p.ID) == card {
		return nil
	}
	const what = "sims/…"
	var answer struct {
		Data struct {
			ID text `json:"id"`
		} `json:"data"`
	}
	if err := a.ask(ctx, question{effect: reads, what: what, path: "sims/" + card}, &answer); err != nil {
		return err
	}
	if number(answer.Data.ID) == "" {
		return reads.silence("%s: the SIM has no identifier", what)
	}
	if string(answer.Data.ID) != p.ID {
		return &carrier.Refusal{Reason: carrier.LineUnknown, Text: "this card's number names another SIM now: " + carrier.Clip(string(answer.Data.ID))}
	}
	return nil
}

// usage is an answer about a SIM's usage. The operator keeps it for 20 minutes.
type usage struct {
	Remaining megabytes `json:"remaining"`
	Total     megabytes `json:"total"`
	ExpiredAt instant   `json:"expired_at"`
	Unlimited flag      `json:"is_unlimited"`
	Status    text      `json:"status"`
}

// state is a SIM's state at an instant; empty for a word that says nothing.
// FINISHED is said of data that is used up and, it seems, of time too.
func (u usage) state(now time.Time) carrier.LineState {
	over := !u.ExpiredAt.IsZero() && !now.Before(u.ExpiredAt.Time)
	switch u.Status {
	case "NOT_ACTIVE":
		return carrier.LineNew
	case "ACTIVE":
		return carrier.LineActive
	case "FINISHED":
		if over {
			return carrier.LineIsOver
		}
		return carrier.LineDepleted
	case "EXPIRED":
		return carrier.LineIsOver
	case "RECYCLED":
		return carrier.LineDead
	}
	return ""
}

// Status implements [carrier.Carrier]: one request. Its figures are as old as
// they can be: the operator answers from a cache of 20 minutes, and does not say
// when it was filled.
//
// Of an unlimited plan there are no figures; the operator writes 0, which would
// be read as used up.
func (a *Adapter) Status(ctx context.Context, p carrier.Profile) (carrier.Status, error) {
	card := cardNumber(p.ICCID)
	if card == "" {
		return carrier.Status{}, unnamed()
	}
	const what = "sims/…/usage"
	began := a.now().UTC()
	var answer struct {
		Data *usage `json:"data"`
	}
	q := question{effect: reads, what: what, path: "sims/" + card + "/usage", rule: usageRule, subject: card}
	if err := a.ask(ctx, q, &answer); err != nil {
		return carrier.Status{}, err
	}
	u := answer.Data
	if u == nil || u.Status == "" || u.Status == "UNKNOWN" {
		return carrier.Status{}, reads.silence("%s: the operator does not know at the moment", what)
	}
	s := carrier.Status{State: u.state(began), EndsAt: u.ExpiredAt.Time, Unlimited: bool(u.Unlimited), AsOf: began.Add(-usageDelay)}
	if s.State == "" {
		return carrier.Status{}, &carrier.Refusal{
			Reason: carrier.OperatorRefuses, Code: carrier.Clip(string(u.Status)), Text: "the SIM is in a state that we do not know",
		}
	}
	if !s.Unlimited && u.Total.given && u.Remaining.given {
		s.Total, s.Used = u.Total.bytes(), max(0, u.Total.bytes()-u.Remaining.bytes())
	}
	return s, nil
}
