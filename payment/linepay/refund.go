package linepay

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

// Refund implements [payment.Provider]. It reads what was refunded before it
// asks, and asks once: called again for a refund whose answer was lost, it looks
// first, and asks again only where nothing was added in the time that reads take
// to settle. Of what another process may have asked for it knows nothing: who
// asks again after a crash calls QueryRefund first.
func (a *Adapter) Refund(ctx context.Context, r payment.Refund) (payment.RefundObservation, error) {
	asOf := a.now().UTC()
	no := func(code string) (payment.RefundObservation, error) {
		return payment.RefundObservation{State: payment.RefundFailed, Amount: r.Amount, Code: code, AsOf: asOf}, nil
	}
	amount, err := a.scale.toWire(r.Amount)
	if err != nil {
		return no("not_in_limits")
	}
	s, paid, err := a.sold(ctx, "refund", r.Attempt)
	if err != nil {
		return payment.RefundObservation{}, err
	}
	if !paid {
		return no("not_paid")
	}
	again := a.asked.knows(r.Ref)
	if again || r.ProviderID != "" {
		if seen := a.findRefund(r, s, asOf); seen.Found {
			return seen, nil
		}
	}
	if r.ProviderID != "" {
		return payment.RefundObservation{}, strange("refund", payment.ErrUnknown, "it was made, and LINE Pay does not show it")
	}
	if r.Amount.Minor > s.left() {
		return no("more_than_is_left")
	}
	if !a.asked.begin(r.Ref, s, r.Amount.Minor, asOf) {
		return payment.RefundObservation{}, strange("refund", payment.ErrUnknown, "it was asked for, and it is too early to ask again")
	}
	seen, err := a.give(ctx, r, s, amount, !again, asOf)
	if err == nil && seen.State == payment.RefundFailed && (again || spent(seen.Code)) {
		// The first call for it may have come through meanwhile, or this one
		// twice.
		now, err := a.QueryRefund(ctx, r)
		if err != nil {
			return payment.RefundObservation{}, strange("refund", payment.ErrUnknown, "LINE Pay refuses it, and does not show what was refunded before")
		}
		if now.Found {
			return now, nil
		}
	}
	return seen, err
}

// give asks for a refund that is noted down. LINE Pay makes it at once or not
// at all; its answer names no amount.
func (a *Adapter) give(ctx context.Context, r payment.Refund, s sale, amount json.Number, first bool, asOf time.Time) (payment.RefundObservation, error) {
	id, certainlyNot := "", false
	defer func() { a.asked.end(r.Ref, id, certainlyNot, first) }()
	got, f := a.ask(ctx, question{
		method: http.MethodPost, path: "/v3/payments/" + s.id + "/refund",
		body: struct {
			Amount json.Number `json:"refundAmount"`
		}{amount},
	})
	switch {
	case f != nil:
		certainlyNot = errors.Is(f.kind, payment.ErrNotSent)
		return payment.RefundObservation{}, f.acted("refund")
	case got.Code != fine:
		certainlyNot = !spent(got.Code)
		return payment.RefundObservation{State: payment.RefundFailed, Amount: r.Amount, Code: got.Code, AsOf: asOf}, nil
	}
	var info struct {
		ID identifier `json:"refundTransactionId"`
	}
	if json.Unmarshal(got.Info, &info) != nil || info.ID == "" || string(info.ID) == s.id {
		return payment.RefundObservation{}, strange("refund", payment.ErrUnknown, "LINE Pay refunded without saying what")
	}
	id = string(info.ID)
	return payment.RefundObservation{State: payment.RefundDone, Found: true, ProviderID: id, Amount: r.Amount, AsOf: asOf}, nil
}

// spent reports whether LINE Pay refuses a refund because the money is back
// already: perhaps by this very request, which the network delivered twice.
func spent(code string) bool { return code == "1164" || code == "1165" }

// QueryRefund implements [payment.Provider]. Where a refund of the same amount
// is there and could be another's, it is found and Unknown, without a
// ProviderID.
func (a *Adapter) QueryRefund(ctx context.Context, r payment.Refund) (payment.RefundObservation, error) {
	asOf := a.now().UTC()
	s, paid, err := a.sold(ctx, "query refund", r.Attempt)
	if err != nil {
		return payment.RefundObservation{}, err
	}
	if !paid || r.Amount.Currency != s.amount.Currency {
		return payment.RefundObservation{AsOf: asOf}, nil
	}
	return a.findRefund(r, s, asOf), nil
}

// sold is the sale whose money can go back; paid is false if none was taken.
func (a *Adapter) sold(ctx context.Context, call string, at payment.Attempt) (s sale, paid bool, err error) {
	s, found, err := a.details(ctx, call, at)
	switch {
	case err != nil:
		return s, false, err
	case !found && at.MoneyID != "":
		return s, false, strange(call, payment.ErrNotSent, "LINE Pay does not show what was confirmed")
	}
	return s, found && s.status == "CAPTURE", nil
}

// findRefund looks for r among the refunds of its sale: by its identifier, else
// by what this process remembers, and what is known of the others.
func (a *Adapter) findRefund(r payment.Refund, s sale, asOf time.Time) payment.RefundObservation {
	done := payment.RefundObservation{State: payment.RefundDone, Found: true, ProviderID: r.ProviderID, Amount: r.Amount, AsOf: asOf}
	if r.ProviderID != "" {
		for _, g := range s.refunds {
			if g.id == r.ProviderID {
				done.Amount = g.amount
				return done
			}
		}
		return payment.RefundObservation{AsOf: asOf}
	}
	id, what := a.asked.find(r, s)
	switch what {
	case present:
		done.ProviderID = id
		return done
	case possible, busy:
		done.State, done.Code = payment.RefundUnknown, codes[what]
		return done
	case absent:
	}
	return payment.RefundObservation{AsOf: asOf}
}

// codes are for staff, of what LINE Pay does not say.
var codes = map[finding]string{
	possible: "a refund of this amount is there and may be another one",
	busy:     "a refund is being asked for",
}
