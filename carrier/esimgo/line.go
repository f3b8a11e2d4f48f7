package esimgo

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// state is how far an assignment has come.
type state string

// The states, as the document explains them.
const (
	processing state = "processing" // up to ten minutes
	queued     state = "queued"     // on the eSIM, not used yet
	active     state = "active"     // in use, with data left
	depleted   state = "depleted"   // no data left, its time not over
	expired    state = "expired"    // its time is over
	revoked    state = "revoked"    // taken back
	lapsed     state = "lapsed"     // over without having been used
)

// UnmarshalJSON implements [json.Unmarshaler].
func (s *state) UnmarshalJSON(b []byte) error {
	var t text
	err := t.UnmarshalJSON(b)
	*s = state(strings.ToLower(string(t)))
	return err
}

// held is one assignment. Quantities are of decimal bytes.
type held struct {
	Bundle    string   `json:"-"`
	ID        text     `json:"id"`
	Reference text     `json:"assignmentReference"`
	Initial   quantity `json:"initialQuantity"`
	Remaining quantity `json:"remainingQuantity"`
	StartTime instant  `json:"startTime"`
	EndTime   instant  `json:"endTime"`
	State     state    `json:"bundleState"`
	Unlimited bool     `json:"unlimited"`
}

// unused reports whether an assignment has certainly not begun.
func (h held) unused() bool {
	return (h.State == queued || h.State == processing) && h.StartTime.IsZero() && (h.Unlimited || h.Remaining == h.Initial)
}

// live reports whether an assignment feeds the eSIM, or will.
func (h held) live() bool {
	switch h.State {
	case processing, queued, active, depleted:
		return true
	case expired, revoked, lapsed:
	}
	return false
}

func othersLive(list []held, but held) bool {
	for _, h := range list {
		if h.ID != but.ID && h.live() {
			return true
		}
	}
	return false
}

// assignmentsMost is how many the operator shows at most, the newest.
const assignmentsMost = 200

// assignments reads what an eSIM has and had. Orders are settled by what is new in
// it, so a row that cannot be read is no reading at all.
func (a *Adapter) assignments(ctx context.Context, card string) ([]held, error) {
	const what = "esims/…/bundles"
	var answer struct {
		Bundles json.RawMessage `json:"bundles"`
	}
	q := question{effect: reads, about: aCard, what: what, path: "esims/" + card + "/bundles?includeUsed=true&limit=200"}
	if err := a.ask(ctx, q, &answer); err != nil {
		return nil, err
	}
	list, err := readAssignments(answer.Bundles)
	if err != nil {
		return nil, reads.silence("%s: %s", what, a.quote(err.Error()))
	}
	return list, nil
}

func readAssignments(b json.RawMessage) ([]held, error) {
	if b == nil {
		return nil, errors.New("no list of bundles")
	}
	var bundles []struct {
		Name        text   `json:"name"`
		Assignments []held `json:"assignments"`
	}
	if err := json.Unmarshal(b, &bundles); err != nil {
		return nil, err
	}
	var list []held
	seen := map[text]bool{}
	for _, bundle := range bundles {
		for _, h := range bundle.Assignments {
			h.Bundle = string(bundle.Name)
			if !short(string(h.ID), 60, "-_") || h.Bundle == "" || seen[h.ID] {
				return nil, errors.New("an assignment without a name of its own, or of no bundle")
			}
			seen[h.ID] = true
			list = append(list, h)
		}
	}
	return list, nil
}

// Status implements [carrier.Carrier]: one request. The figures are those of the
// bundles that have begun and are not over; what waits adds nothing yet.
func (a *Adapter) Status(ctx context.Context, p carrier.Profile) (carrier.Status, error) {
	card, err := named(p)
	if err != nil {
		return carrier.Status{}, err
	}
	began := a.now().UTC()
	list, err := a.assignments(ctx, card)
	if err != nil {
		return carrier.Status{}, err
	}
	return statusOf(list, began)
}

// statusOf sums an eSIM's assignments up. An end that has passed counts, whatever
// the state still says.
func statusOf(list []held, now time.Time) (carrier.Status, error) {
	s := carrier.Status{State: carrier.LineIsOver, AsOf: now}
	waits, full := false, true
	for _, h := range list {
		if t := h.StartTime.Time; !t.IsZero() && (s.StartsAt.IsZero() || t.Before(s.StartsAt)) {
			s.StartsAt = t
		}
		switch h.State {
		case processing, queued:
			waits = true
			continue
		case expired, revoked, lapsed:
			continue
		case active, depleted:
		default:
			return carrier.Status{}, &carrier.Refusal{
				Reason: carrier.OperatorRefuses, Code: carrier.Clip(string(h.State)), Text: "a bundle is in a state that we do not know",
			}
		}
		if end := h.EndTime.Time; !end.IsZero() && !now.Before(end) {
			continue
		}
		full = full && h.State == depleted
		s.State = carrier.LineActive
		s.Unlimited = s.Unlimited || h.Unlimited
		if h.EndTime.After(s.EndsAt) {
			s.EndsAt = h.EndTime.Time
		}
		if !h.Unlimited && h.Initial.given && h.Remaining.given {
			s.Total += max(0, h.Initial.n)
			s.Used += max(0, h.Initial.n-max(0, h.Remaining.n))
		}
	}
	began := !s.StartsAt.IsZero() || s.State == carrier.LineActive
	switch {
	case len(list) == 0:
		s.State = carrier.LineNew // a card that nothing was bought for yet
	case s.State == carrier.LineActive && full && !waits:
		s.State = carrier.LineDepleted
	case s.State == carrier.LineIsOver && waits && began:
		s.State = carrier.LineActive // the next one begins when it is used
	case s.State == carrier.LineIsOver && waits:
		s.State = carrier.LineNew
	}
	if s.Unlimited { // the others' figures say nothing of it
		s.Total, s.Used = 0, 0
	}
	if !s.EndsAt.After(s.StartsAt) {
		s.EndsAt = time.Time{}
	}
	return s, nil
}
