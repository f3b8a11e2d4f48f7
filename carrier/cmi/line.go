package cmi

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// How far a subscription of a package has come. A question may be limited to some by
// numbers that mean something else; we never do.
const (
	inactive text = "1"
	expired  text = "2"
	active   text = "3"
	refunded text = "99"
)

// held is one subscription of a card: a package that was bought for it.
type held struct {
	Bundle     text     `json:"dataBundleId"`
	BundleID   text     `json:"dataBundleID"` // so the document's example
	Status     text     `json:"status"`
	Order      text     `json:"orderID"`
	Key        text     `json:"subscriptionKey"`
	ActiveTime instant  `json:"activeTime"`
	EndTime    instant  `json:"endTime"`
	Refuels    text     `json:"isSupportFuelpack"` // 2: no
	DaysLeft   quantity `json:"remainderDays"`     // of an active package with a daily amount
}

// running reports whether a package is active and not over.
func (h held) running(now time.Time) bool {
	return h.Status == active && (h.EndTime.IsZero() || now.Before(h.EndTime.Time))
}

// Paging of a card's subscriptions.
const (
	heldPage = 50
	heldMost = 20 // pages
)

// subscriptions reads what a card has and had. Orders are settled by what is new in
// it, so a row that cannot be read is no reading at all.
func (a *Adapter) subscriptions(ctx context.Context, card string) ([]held, error) {
	const what = "APP_getSubedUserDataBundle_SBO"
	var list []held
	seen := map[text]bool{}
	for page := range heldMost {
		var got struct {
			List json.RawMessage `json:"userDataBundles"`
		}
		q := map[string]any{"iccid": card, "language": "2", "beginIndex": page * heldPage, "count": heldPage}
		if err := a.ask(ctx, reads, what, q, &got); err != nil {
			return nil, err
		}
		rows, err := readSubscriptions(got.List)
		if err != nil {
			return nil, reads.silence("%s: %s", what, a.quote(err.Error()))
		}
		fresh := 0
		for _, h := range rows {
			if !seen[h.Key] {
				seen[h.Key] = true
				list = append(list, h)
				fresh++
			}
		}
		if len(rows) < heldPage || fresh == 0 {
			return list, nil
		}
	}
	return nil, reads.silence("%s: more than %d", what, heldMost*heldPage)
}

func readSubscriptions(b json.RawMessage) ([]held, error) {
	if b == nil {
		return nil, errors.New("no list of packages")
	}
	var rows []held
	if err := json.Unmarshal(b, &rows); err != nil {
		return nil, err
	}
	seen := map[text]bool{}
	for i := range rows {
		h := &rows[i]
		if h.Bundle == "" {
			h.Bundle = h.BundleID
		}
		if h.Key == "" {
			h.Key = h.Order
		}
		if !short(string(h.Key), 60, "_-") || h.Bundle == "" || seen[h.Key] {
			return nil, errors.New("a package without a name of its own")
		}
		seen[h.Key] = true
	}
	return rows, nil
}

// figures are how much of a package is used: of the whole, or of the day where its
// amount is daily. What was refuelled is not in the total.
type figures struct {
	Total          volume `json:"qtavalue"`
	Left           volume `json:"qtabalance"`
	Used           volume `json:"qtaconsumption"`
	Type           text   `json:"type"` // 1: in all; 2: a day
	RefuelingTotal volume `json:"refuelingTotal"`
}

// quota asks for the figures of a card, or of an order by our number of it. The
// table has them in a list, the example has not; both are read. Without any the
// figures are not given.
func (a *Adapter) quota(ctx context.Context, of map[string]any) (figures, error) {
	const what = "APP_getSubscriberAllQuota_SBO"
	var got struct {
		Quota *figures `json:"subscriberQuota"`
		List  []struct {
			Quota *figures `json:"subscriberQuota"`
		} `json:"quotaList"`
	}
	if err := a.ask(ctx, reads, what, of, &got); err != nil {
		return figures{}, err
	}
	if got.Quota == nil && len(got.List) == 1 {
		got.Quota = got.List[0].Quota
	}
	if got.Quota == nil {
		return figures{}, nil
	}
	return *got.Quota, nil
}

// Status implements [carrier.Carrier]: one request, and a second one for the figures
// once a package is active.
func (a *Adapter) Status(ctx context.Context, p carrier.Profile) (carrier.Status, error) {
	card, err := named(p)
	if err != nil {
		return carrier.Status{}, err
	}
	began := a.now().UTC()
	list, err := a.subscriptions(ctx, card)
	if err != nil {
		return carrier.Status{}, err
	}
	s, err := statusOf(list, began)
	if err != nil || !anyRuns(list, began) {
		return s, err
	}
	q, err := a.quota(ctx, map[string]any{"iccid": card})
	if _, refused := errors.AsType[*carrier.Refusal](err); refused {
		return s, nil // a package is active, and there are no figures of it
	}
	if err != nil {
		return carrier.Status{}, err
	}
	return q.in(s), nil
}

func anyRuns(list []held, now time.Time) bool {
	for _, h := range list {
		if h.running(now) {
			return true
		}
	}
	return false
}

// statusOf sums up what a card has. An end that has passed counts, whatever the
// status still says.
func statusOf(list []held, now time.Time) (carrier.Status, error) {
	s := carrier.Status{State: carrier.LineNew, AsOf: now}
	runs, waits, was := false, false, false
	for _, h := range list {
		switch h.Status {
		case inactive:
			waits = true
			continue
		case refunded:
			was = true
			continue
		case active, expired:
		default:
			return carrier.Status{}, &carrier.Refusal{
				Reason: carrier.OperatorRefuses, Code: carrier.Clip(string(h.Status)), Text: "a package is in a state that we do not know",
			}
		}
		was = true
		if t := h.ActiveTime.Time; !t.IsZero() && (s.StartsAt.IsZero() || t.Before(s.StartsAt)) {
			s.StartsAt = t
		}
		if h.running(now) {
			runs = true
			if h.EndTime.After(s.EndsAt) {
				s.EndsAt = h.EndTime.Time
			}
		}
	}
	switch {
	case runs, waits && !s.StartsAt.IsZero(): // of those that wait, the next begins when it is used
		s.State = carrier.LineActive
	case waits:
	case was:
		s.State = carrier.LineIsOver
	}
	if !s.EndsAt.After(s.StartsAt) {
		s.EndsAt = time.Time{}
	}
	return s, nil
}

// in writes figures into a status. Those of a daily amount are the day's, and the
// line goes on the next day. Where nothing is left, a package is slowed down or
// stopped, which the figures do not say: slowed down is what is said.
func (q figures) in(s carrier.Status) carrier.Status {
	if !q.Total.given || !q.Used.given {
		return s
	}
	s.Total = q.Total.n + q.RefuelingTotal.n
	s.Used = min(q.Used.n, s.Total)
	empty := s.Total > 0 && (q.Left.given && q.Left.n == 0 || !q.Left.given && s.Used == s.Total)
	if q.Type == "2" {
		s.Unlimited = true
	} else if empty {
		s.State = carrier.LineDepleted
	}
	s.Throttled = empty
	return s
}
