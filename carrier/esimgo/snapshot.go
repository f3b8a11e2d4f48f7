package esimgo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// This file decides what became of a bundle whose answer was lost.
//
// The eSIM's list of assignments gets a row for each bundle that is put on it, and
// every row has an identifier of its own: a new row of our bundle is ours. Beside it
// there is the list of orders, which names bundle and eSIM, but nothing of ours: an
// order that is there while its row is not yet says that it is too early to tell.
//
// What may make the list grow: our order; one that the seller's staff made by hand.
// Never a second one of ours: they are asked for one after the other on each line.
// So:
//
//	one new row, of our bundle                     done
//	nothing new, and no order for this eSIM        absent, as of the reading
//	anything else                                  for a person to look at
//
// One case cannot be told apart: the same bundle, put on by hand while ours was
// under way and lost. The line then has what the customer paid for, once.

// picture is a [carrier.Snapshot]: what an eSIM had before an order.
type picture struct {
	Rows    []string  `json:"rows"`           // identifiers of its assignments
	Refs    []string  `json:"refs,omitempty"` // their references: an order's, and a number
	TakenAt time.Time `json:"takenAt"`
}

func pictureOf(list []held, at time.Time) picture {
	p := picture{Rows: make([]string, len(list)), TakenAt: at}
	for i, h := range list {
		p.Rows[i] = string(h.ID)
		if h.Reference != "" {
			p.Refs = append(p.Refs, string(h.Reference))
		}
	}
	return p
}

func readPicture(s carrier.Snapshot) (picture, error) {
	var p picture
	if err := json.Unmarshal(s, &p); err != nil {
		return picture{}, err
	}
	if p.TakenAt.IsZero() || p.Rows == nil {
		return picture{}, errors.New("it is not one of ours")
	}
	return p, nil
}

// has reports whether an order was on the eSIM already.
func (p picture) has(order string) bool {
	for _, ref := range p.Refs {
		if ref == order || strings.HasPrefix(ref, order+"-") {
			return true
		}
	}
	return false
}

// growth is how a list of assignments differs from its picture.
type growth struct {
	ours   []held // new rows of the bundle that was ordered
	others int    // new rows of other bundles
	gone   int    // rows that are no longer there
}

func growthOf(before picture, now []held, bundle string) growth {
	known := map[string]bool{}
	for _, id := range before.Rows {
		known[id] = true
	}
	g := growth{gone: len(known)}
	for _, h := range now {
		switch {
		case known[string(h.ID)]:
			g.gone--
		case h.Bundle == bundle:
			g.ours = append(g.ours, h)
		default:
			g.others++
		}
	}
	if len(now) >= assignmentsMost {
		g.gone = 0 // the oldest are no longer shown
	}
	return g
}

// shows reports whether a list has a bundle that was put on the eSIM.
func shows(list []held, e carrier.Extension) bool {
	before, err := readPicture(e.Snapshot)
	return err != nil || len(growthOf(before, list, e.Package).ours) > 0
}

// String says what was compared, for staff.
func (g growth) String() string {
	return fmt.Sprintf("new assignments of this bundle %d, of others %d, gone %d", len(g.ours), g.others, g.gone)
}

// judge says what became of an order; empty where the list alone does not tell.
func (g growth) judge() (found carrier.Found, why string) {
	switch {
	case len(g.ours) == 1 && g.ours[0].State == revoked:
		return carrier.FoundUnsure, "this bundle was put on the eSIM, and taken back"
	case len(g.ours) == 1:
		return carrier.FoundDone, "this bundle was put on the eSIM"
	case len(g.ours) > 1:
		return carrier.FoundUnsure, "this bundle was put on the eSIM more than once"
	case g.gone > 0:
		return carrier.FoundUnsure, "the eSIM's list is shorter than before"
	case g.others > 0:
		return carrier.FoundUnsure, "another bundle was put on the eSIM"
	}
	return "", ""
}

// LookUp implements [carrier.Carrier]: the eSIM's assignments, compared with the
// snapshot; and where nothing is new, the orders.
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
	list, err := a.assignments(ctx, card)
	if r, ok := errors.AsType[*carrier.Refusal](err); ok && r.Reason == carrier.LineUnknown {
		reading.Why = "the operator no longer shows this eSIM: " + r.Text
		return reading, nil
	}
	if err != nil {
		return carrier.Reading{}, err
	}
	g := growthOf(before, list, e.Package)
	found, why := g.judge()
	if found == "" {
		if found, why, err = a.byOrders(ctx, before, e.Package, card); err != nil {
			return carrier.Reading{}, err
		}
	}
	reading.Found, reading.Why = found, why+" ("+g.String()+")"
	if found == carrier.FoundDone {
		reading.Receipt = g.ours[0].receipt(reading.AsOf)
	}
	return reading, nil
}

// byOrders looks for an order that has not reached the eSIM yet.
func (a *Adapter) byOrders(ctx context.Context, before picture, bundle, card string) (carrier.Found, string, error) {
	orders, err := a.ordersSince(ctx, bundle, before.TakenAt)
	if err != nil {
		return "", "", err
	}
	for _, p := range orders {
		if before.has(string(p.Reference)) || !p.created().After(before.TakenAt) {
			continue
		}
		for _, m := range p.made(bundle) {
			if cardNumber(string(m.ICCID)) == card {
				return carrier.FoundUnsure, "the operator has an order " + carrier.Clip(string(p.Reference)) + " for this eSIM, which does not show it", nil
			}
		}
	}
	return carrier.FoundAbsent, "the eSIM has what it had before, and there is no order for it", nil
}

// receipt is what an assignment says after an extension was found in it.
func (h held) receipt(now time.Time) carrier.Receipt {
	r := carrier.Receipt{Ref: string(h.Reference), StartsAt: h.StartTime.Time}
	if r.Ref == "" {
		r.Ref = string(h.ID)
	}
	if h.EndTime.After(now) && h.EndTime.After(r.StartsAt) {
		r.EndsAt = h.EndTime.Time
	}
	return r
}
