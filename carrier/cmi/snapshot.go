package cmi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// This file decides what became of an order whose answer was lost.
//
// A card's list of packages gets a row for each that is bought for it, with a key of
// its own: a new row of our package is ours. A refuelling has no row; the total of
// what was refuelled grows. Besides, the operator keeps figures under our number of
// the order. It is asked for those by that number alone: what it then has figures of
// is our order. That it has none says little, as there are none before a package is
// active. So, of a package:
//
//	one new row, of our package                     done
//	anything else, and figures under our number     done
//	nothing new, no figures                         absent, as of the reading
//	anything else                                   for a person to look at
//
// and of a refuelling:
//
//	figures under our number                        done
//	the total grew by what was ordered              done
//	the total is what it was                        absent, as of the reading
//	anything else                                   for a person to look at
//
// One case cannot be told apart: the same, bought by hand for the same card while
// ours was under way and lost. The line then has what the customer paid for, once.

// picture is a [carrier.Snapshot]: what a card had before an order.
type picture struct {
	Keys      []string  `json:"keys"`                // of its subscriptions
	Bundle    string    `json:"bundle,omitempty"`    // that is refuelled
	Refuelled int64     `json:"refuelled,omitempty"` // bytes, in all, before
	TakenAt   time.Time `json:"takenAt"`
}

func (p *picture) see(list []held) {
	p.Keys = make([]string, len(list))
	for i, h := range list {
		p.Keys[i] = string(h.Key)
	}
}

func readPicture(s carrier.Snapshot) (picture, error) {
	var p picture
	if err := json.Unmarshal(s, &p); err != nil {
		return picture{}, err
	}
	if p.TakenAt.IsZero() || p.Keys == nil {
		return picture{}, errors.New("it is not one of ours")
	}
	return p, nil
}

// growth is how a card's list differs from its picture.
type growth struct {
	ours   []held // new rows of the package that was ordered
	others int    // new rows of other packages
	gone   int    // rows that are no longer there
}

func growthOf(before picture, now []held, bundle string) growth {
	known := map[string]bool{}
	for _, key := range before.Keys {
		known[key] = true
	}
	g := growth{gone: len(known)}
	for _, h := range now {
		switch {
		case known[string(h.Key)]:
			g.gone--
		case string(h.Bundle) == bundle:
			g.ours = append(g.ours, h)
		default:
			g.others++
		}
	}
	return g
}

// unseen is the answer about a card that is shown as it was before our last order.
func unseen() error {
	return reads.silence("the card is shown as it was before its last order")
}

// shows reports whether a list has a package that was bought. A refuelling is in none.
func shows(list []held, e carrier.Extension) bool {
	before, err := readPicture(e.Snapshot)
	return err != nil || refuels(e.Package) || len(growthOf(before, list, e.Package).ours) > 0
}

// showsRefuelling reports whether a refuelling that was carried out is in the total.
// That of another package begins anew.
func (p picture) showsRefuelling(e carrier.Extension) bool {
	before, err := readPicture(e.Snapshot)
	return err != nil || !refuels(e.Package) || p.Bundle != before.Bundle || p.Refuelled != before.Refuelled
}

// String says what was compared, for staff.
func (g growth) String() string {
	return fmt.Sprintf("new of this package %d, of others %d, gone %d", len(g.ours), g.others, g.gone)
}

// LookUp implements [carrier.Carrier].
func (a *Adapter) LookUp(ctx context.Context, e carrier.Extension) (carrier.Reading, error) {
	reading := carrier.Reading{Found: carrier.FoundUnsure, AsOf: a.now().UTC()}
	card, err := sane(e)
	if err != nil {
		return carrier.Reading{}, err
	}
	before, err := readPicture(e.Snapshot)
	if err != nil {
		reading.Why = "there is no snapshot to compare with: " + carrier.Quote(err.Error())
		return reading, nil
	}
	if refuels(e.Package) {
		reading.Found, reading.Why, err = a.refuelled(ctx, before, e, card)
	} else {
		reading.Found, reading.Receipt, reading.Why, err = a.bought(ctx, before, e, card, reading.AsOf)
	}
	if err != nil {
		return carrier.Reading{}, err
	}
	if reading.Found == carrier.FoundDone && reading.Receipt.Ref == "" {
		reading.Receipt.Ref = e.Ref // under which the operator has it
	}
	return reading, nil
}

// bought looks for a package.
func (a *Adapter) bought(ctx context.Context, before picture, e carrier.Extension, card string, now time.Time) (carrier.Found, carrier.Receipt, string, error) {
	none := carrier.Receipt{}
	list, err := a.subscriptions(ctx, card)
	if r, ok := errors.AsType[*carrier.Refusal](err); ok && r.Reason != carrier.Unauthorised {
		return carrier.FoundUnsure, none, "the operator no longer shows this card: " + r.Code + " " + r.Text, nil
	}
	if err != nil {
		return "", none, "", err
	}
	g := growthOf(before, list, e.Package)
	if len(g.ours) == 1 && g.ours[0].Status != refunded {
		return carrier.FoundDone, g.ours[0].receipt(now), "this package was bought for the card (" + g.String() + ")", nil
	}
	known, err := a.knows(ctx, e.Ref)
	switch {
	case err != nil:
		return "", none, "", err
	case known && len(g.ours) != 1:
		return carrier.FoundDone, none, "the operator has figures under our number (" + g.String() + ")", nil
	}
	found, why := g.judge()
	return found, none, why + " (" + g.String() + ")", nil
}

// judge says what became of an order of which there is not one new row, nor figures.
func (g growth) judge() (carrier.Found, string) {
	switch {
	case len(g.ours) == 1:
		return carrier.FoundUnsure, "this package was bought for the card, and taken back"
	case len(g.ours) > 1:
		return carrier.FoundUnsure, "this package was bought for the card more than once"
	case g.gone > 0:
		return carrier.FoundUnsure, "the card's list is shorter than before"
	case g.others > 0:
		return carrier.FoundUnsure, "another package was bought for the card"
	}
	return carrier.FoundAbsent, "the card has what it had before"
}

// knows reports whether the operator has figures under our number of an order. A
// no of whatever kind says that it has not, unless it is about us.
func (a *Adapter) knows(ctx context.Context, ref string) (bool, error) {
	q, err := a.quota(ctx, map[string]any{"thirdOrderId": ref})
	if r, ok := errors.AsType[*carrier.Refusal](err); ok && r.Reason != carrier.Unauthorised {
		return false, nil
	}
	return q.Total.given && q.Type != "", err
}

// refuelled looks for a refuelling.
func (a *Adapter) refuelled(ctx context.Context, before picture, e carrier.Extension, card string) (carrier.Found, string, error) {
	known, err := a.knows(ctx, e.Ref)
	if err != nil {
		return "", "", err
	}
	if known {
		return carrier.FoundDone, "the operator has figures under our number", nil
	}
	q, err := a.quota(ctx, map[string]any{"iccid": card})
	if r, ok := errors.AsType[*carrier.Refusal](err); ok && r.Reason != carrier.Unauthorised {
		return carrier.FoundUnsure, "the operator no longer has figures of this card: " + r.Code + " " + r.Text, nil
	}
	if err != nil {
		return "", "", err
	}
	switch grew := q.RefuelingTotal.n - before.Refuelled; {
	case !q.RefuelingTotal.given:
		return carrier.FoundUnsure, "the operator no longer has figures of this card", nil
	case grew == 0:
		return carrier.FoundAbsent, "the card was not refuelled since", nil
	case grew < 0:
		return carrier.FoundUnsure, "the total of what was refuelled began anew", nil
	default:
		size, err := a.sizeOf(ctx, before.Bundle, strings.TrimPrefix(e.Package, refuelPrefix))
		if err == nil && size > 0 && grew == size*int64(max(1, e.Days)) {
			return carrier.FoundDone, fmt.Sprintf("the card was refuelled by %d bytes, which is what was ordered", grew), nil
		}
		return carrier.FoundUnsure, fmt.Sprintf("the card was refuelled by %d bytes, of %d that were ordered", grew, size*int64(max(1, e.Days))), err
	}
}

// receipt is what a subscription says after an extension was found in it.
func (h held) receipt(now time.Time) carrier.Receipt {
	r := carrier.Receipt{Ref: string(h.Order)}
	if r.Ref == "" {
		r.Ref = string(h.Key)
	}
	if h.Status == active && h.EndTime.After(now) && h.EndTime.After(h.ActiveTime.Time) {
		r.StartsAt, r.EndsAt = h.ActiveTime.Time, h.EndTime.Time
	}
	return r
}
