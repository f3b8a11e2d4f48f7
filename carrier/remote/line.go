package remote

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/signed"
)

// states are the words for a line.
var states = []carrier.LineState{
	carrier.LineNew, carrier.LineActive, carrier.LineDepleted, carrier.LineIsOver, carrier.LineSuspended, carrier.LineDead,
}

// Status implements [carrier.Carrier]. Figures of the future are as of now where
// the operator's clock is a little ahead of ours, and not believed beyond that.
func (a *Adapter) Status(ctx context.Context, p carrier.Profile) (carrier.Status, error) {
	if err := named(p); err != nil {
		return carrier.Status{}, err
	}
	var got struct {
		State     carrier.LineState `json:"state"`
		StartsAt  instant           `json:"starts_at"`
		EndsAt    instant           `json:"ends_at"`
		Unlimited bool              `json:"unlimited"`
		Throttled bool              `json:"throttled"`
		Total     whole             `json:"total_bytes"`
		Used      whole             `json:"used_bytes"`
		AsOf      instant           `json:"as_of"`
	}
	if err := a.call(ctx, reads, question{Call: "status", Line: &profile{p.ID, p.ICCID}}, &got); err != nil {
		return carrier.Status{}, err
	}
	now := a.now().UTC()
	switch {
	case !slices.Contains(states, got.State):
		return carrier.Status{}, reads.silence("status: the state is %q", carrier.Clip(string(got.State)))
	case got.AsOf.IsZero():
		return carrier.Status{}, reads.silence("status: the answer has no as_of")
	case got.AsOf.After(now.Add(signed.Fresh)):
		return carrier.Status{}, reads.silence("status: as of %v, which has not come yet", got.AsOf.Time)
	case got.Total.given != got.Used.given:
		return carrier.Status{}, reads.silence("status: total_bytes and used_bytes go together")
	case !got.EndsAt.IsZero() && !got.EndsAt.After(got.StartsAt.Time):
		return carrier.Status{}, reads.silence("status: the line ends before it starts")
	}
	if got.AsOf.After(now) {
		got.AsOf.Time = now
	}
	return carrier.Status{
		State: got.State, StartsAt: got.StartsAt.Time, EndsAt: got.EndsAt.Time, Unlimited: got.Unlimited, Throttled: got.Throttled,
		Total: got.Total.n, Used: got.Used.n, AsOf: got.AsOf.Time,
	}, nil
}

// cost is an amount at the operator.
type cost struct {
	Units    whole  `json:"units"`
	Scale    whole  `json:"scale"`
	Currency string `json:"currency"`
}

func (c cost) read() (carrier.Cost, error) {
	if !c.Units.given || c.Scale.n < 1 || !isCurrency(c.Currency) {
		return carrier.Cost{}, reads.silence("an amount needs units, a scale of 1 or more and a currency")
	}
	return carrier.Cost{Units: c.Units.n, Scale: c.Scale.n, Currency: c.Currency}, nil
}

func isCurrency(s string) bool {
	return len(s) == 3 && !slices.ContainsFunc([]byte(s), func(b byte) bool { return b < 'A' || b > 'Z' })
}

// mostPackages bounds a list.
const mostPackages = 5000

// Packages implements [carrier.Carrier].
func (a *Adapter) Packages(ctx context.Context, p carrier.Profile) ([]carrier.Package, error) {
	q := question{Call: "packages"}
	if p != (carrier.Profile{}) {
		if err := named(p); err != nil {
			return nil, err
		}
		q.Line = &profile{p.ID, p.ICCID}
	}
	var got struct {
		Packages []struct {
			Code   string  `json:"code"`
			Name   string  `json:"name"`
			Cost   cost    `json:"cost"`
			Bytes  whole   `json:"bytes"`
			Days   whole   `json:"days"`
			PerDay bool    `json:"per_day"`
			New    bool    `json:"new"`
			AsOf   instant `json:"as_of"`
		} `json:"packages"`
	}
	if err := a.call(ctx, reads, q, &got); err != nil {
		return nil, err
	}
	if len(got.Packages) > mostPackages {
		return nil, reads.silence("packages: there are %d, and at most %d are read", len(got.Packages), mostPackages)
	}
	var all []carrier.Package
	for _, k := range got.Packages {
		c, err := k.Cost.read()
		if err != nil {
			return nil, err
		}
		if k.Code == "" || len(k.Code) > textMost || !k.Bytes.given || !k.Days.given || k.Days.n > 3660 || k.AsOf.IsZero() || k.AsOf.After(a.now().Add(signed.Fresh)) {
			return nil, reads.silence("packages: %q lacks a member, or has one out of range", carrier.Clip(k.Code))
		}
		all = append(all, carrier.Package{
			Code: k.Code, Name: carrier.Clip(k.Name), Cost: c, Bytes: k.Bytes.n, Days: int(k.Days.n), PerDay: k.PerDay, TopUp: !k.New, New: k.New, AsOfDate: k.AsOf.Time,
		})
	}
	return all, nil
}

// Balance implements [carrier.Carrier].
func (a *Adapter) Balance(ctx context.Context) (carrier.Cost, error) {
	var got struct {
		Balance cost `json:"balance"`
	}
	if err := a.call(ctx, reads, question{Call: "balance"}, &got); err != nil {
		return carrier.Cost{}, err
	}
	return got.Balance.read()
}

// Health implements [carrier.HealthTeller].
func (a *Adapter) Health(ctx context.Context) (carrier.Health, error) {
	var got struct {
		OK   *bool   `json:"ok"`
		Now  instant `json:"now"`
		Text string  `json:"text"`
	}
	if err := a.call(ctx, reads, question{Call: "health"}, &got); err != nil {
		return carrier.Health{}, err
	}
	if got.OK == nil || got.Now.IsZero() {
		return carrier.Health{}, reads.silence("health: the answer needs ok and now")
	}
	return carrier.Health{OK: *got.OK, Text: carrier.Clip(got.Text), Skew: got.Now.Sub(a.now())}, nil
}

// Notification implements [carrier.Carrier].
func (a *Adapter) Notification(h http.Header, body []byte) (carrier.Doorbell, error) {
	if err := a.keys.Verify(h, a.now(), body); err != nil {
		return carrier.Doorbell{}, &carrier.Refusal{Reason: carrier.Unauthorised, Text: err.Error()}
	}
	var got struct {
		Event string  `json:"event"`
		Ref   string  `json:"ref"`
		Line  profile `json:"line"`
	}
	if err := json.Unmarshal(body, &got); err != nil || got.Event == "" {
		return carrier.Doorbell{}, &carrier.Refusal{Reason: carrier.BadRequest, Text: "a notification is an object with an event"}
	}
	id := h.Get(signed.HeaderID)
	if len(id) > textMost { // it becomes part of a key
		sum := sha256.Sum256([]byte(id))
		id = hex.EncodeToString(sum[:])
	}
	return carrier.Doorbell{EventID: carrier.Clip(id), Kind: carrier.Clip(got.Event), Profile: carrier.Profile{ID: got.Line.ID, ICCID: got.Line.ICCID}, Ref: got.Ref}, nil
}
