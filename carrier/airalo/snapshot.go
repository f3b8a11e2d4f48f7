package airalo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// This file decides what became of a top-up whose answer was lost.
//
// There are two things to go by. The history of the SIM's packages gets a row
// for each top-up, and every row has an identifier of its own: a new row of our
// package is ours. And our reference is the description of the order, by which
// orders can be searched; but the document's own example answers with another
// description than was sent, so an order that is not found there proves nothing
// alone.
//
// What may make a history grow: our top-up; one that the seller's staff made by
// hand at the operator's site. Never a second one of ours: they are asked for
// one after the other on each line. So:
//
//	one new row, of our package       done
//	an order with our reference       done, when it is completed
//	nothing new, no order             absent, as of the reading
//	anything else                     for a person to look at
//
// One case cannot be told apart: the same package, put on by hand while ours
// was under way and lost. The line then has what the customer paid for, once.

// picture is a [carrier.Snapshot]: what a SIM had had before a top-up.
type picture struct {
	Rows    []string  `json:"rows"`            // identifiers of its history's rows
	EndsAt  time.Time `json:"endsAt,omitzero"` // of the last of them, where known
	TakenAt time.Time `json:"takenAt"`
}

func pictureOf(list []held, at time.Time) picture {
	p := picture{Rows: make([]string, len(list)), EndsAt: latest(list), TakenAt: at}
	for i, h := range list {
		p.Rows[i] = string(h.ID)
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

// growth is how a history differs from its picture.
type growth struct {
	ours   []held // new rows of the package that was ordered
	others int    // new rows of other packages
	gone   int    // rows that are no longer there
}

func growthOf(before picture, now []held, code string) growth {
	known := map[string]bool{}
	for _, id := range before.Rows {
		known[id] = true
	}
	g := growth{gone: len(known)}
	for _, h := range now {
		switch {
		case known[string(h.ID)]:
			g.gone--
		case string(h.Package.ID) == code:
			g.ours = append(g.ours, h)
		default:
			g.others++
		}
	}
	return g
}

// shows reports whether a history has a top-up that was carried out.
func shows(list []held, e carrier.Extension) bool {
	before, err := readPicture(e.Snapshot)
	return err != nil || len(growthOf(before, list, e.Package).ours) > 0
}

// String says what was compared, for staff.
func (g growth) String() string {
	return fmt.Sprintf("new rows of this package %d, of others %d, gone %d", len(g.ours), g.others, g.gone)
}

// LookUp implements [carrier.Carrier]: the history, compared with the snapshot;
// and where that is not one new row of our package, the orders with our
// reference.
func (a *Adapter) LookUp(ctx context.Context, e carrier.Extension) (carrier.Reading, error) {
	began := a.now().UTC()
	unsure := func(why string) (carrier.Reading, error) {
		return carrier.Reading{Found: carrier.FoundUnsure, AsOf: began, Why: why}, nil
	}
	card, err := sane(e)
	if err != nil {
		return carrier.Reading{}, err
	}
	before, err := readPicture(e.Snapshot)
	if err != nil {
		return unsure("there is no snapshot to compare with: " + err.Error())
	}
	list, err := a.history(ctx, card)
	if r, ok := errors.AsType[*carrier.Refusal](err); ok && (r.Reason == carrier.LineUnknown || r.Reason == carrier.LineTerminal) {
		return unsure("the operator no longer shows this SIM: " + r.Text)
	}
	if err != nil {
		return carrier.Reading{}, err
	}
	g := growthOf(before, list, e.Package)
	reading := carrier.Reading{AsOf: began}
	if len(g.ours) == 1 {
		reading.Found, reading.Receipt, reading.Why = carrier.FoundDone, g.ours[0].receipt(began), "this package was put on the SIM ("+g.String()+")"
		return reading, nil
	}
	orders, err := a.orders(ctx, e)
	if err != nil {
		return carrier.Reading{}, err
	}
	var why string
	reading.Found, why = g.judge(orders)
	reading.Why = fmt.Sprintf("%s (%s; orders with our reference %d)", why, g, len(orders))
	if reading.Found == carrier.FoundDone {
		reading.Receipt = carrier.Receipt{Ref: orderName(orders[0].Code, orders[0].ID)}
	}
	return reading, nil
}

// receipt is what a row of a history says after an extension was found in it.
func (h held) receipt(now time.Time) carrier.Receipt {
	r := carrier.Receipt{Ref: string(h.ID), StartsAt: h.ActivatedAt.Time}
	if h.ExpiredAt.After(now) && h.ExpiredAt.After(r.StartsAt) {
		r.EndsAt = h.ExpiredAt.Time
	}
	return r
}

// judge says what became of a top-up, from the orders that bear its reference.
func (g growth) judge(orders []order) (found carrier.Found, why string) {
	switch {
	case len(orders) > 1:
		return carrier.FoundUnsure, "several orders bear our reference"
	case len(orders) == 1 && orders[0].done():
		return carrier.FoundDone, "an order bears our reference"
	case len(orders) == 1 && (orders[0].Status.in.Slug != "failed" || len(g.ours) > 0):
		return carrier.FoundUnsure, "the order that bears our reference is " + carrier.Clip(string(orders[0].Status.in.Slug))
	case len(g.ours) > 0:
		return carrier.FoundUnsure, "this package was put on the SIM more than once"
	case g.gone > 0:
		return carrier.FoundUnsure, "the SIM's history is shorter than before"
	case g.others > 0:
		return carrier.FoundUnsure, "another package was put on the SIM"
	case len(orders) == 1:
		return carrier.FoundAbsent, "the order that bears our reference failed"
	}
	return carrier.FoundAbsent, "the SIM has what it had before"
}

// order is one of the operator's list of orders.
type order struct {
	ID          text `json:"id"`
	Code        text `json:"code"`
	Description text `json:"description"`
	Package     text `json:"package_id"`
	Status      loose[struct {
		Slug text `json:"slug"`
	}] `json:"status"`
}

func (o order) done() bool {
	return (o.Status.in.Slug == "completed" || o.Status.in.Slug == "") && orderName(o.Code, o.ID) != ""
}

// ordersMax is how many orders are asked for: our references are not parts of
// each other, so one is expected.
const ordersMax = 20

// orders reads the orders that bear the reference of e, and are of its package.
func (a *Adapter) orders(ctx context.Context, e carrier.Extension) ([]order, error) {
	raw, err := a.ordersWith(ctx, url.Values{"filter[description]": {e.Ref}, "include": {"status"}})
	if err != nil {
		return nil, err
	}
	var list []order
	for _, row := range raw {
		var o order
		if err := json.Unmarshal(row, &o); err != nil {
			return nil, reads.silence("orders: %s", a.quote(err.Error()))
		}
		if string(o.Description) == e.Ref && string(o.Package) == e.Package {
			list = append(list, o)
		}
	}
	return list, nil
}

// ordersWith reads the orders that a query finds.
func (a *Adapter) ordersWith(ctx context.Context, query url.Values) ([]json.RawMessage, error) {
	const what = "orders"
	query.Set("limit", fmt.Sprint(ordersMax))
	var answer struct {
		Data json.RawMessage `json:"data"`
	}
	if err := a.ask(ctx, question{effect: reads, what: what, path: "orders?" + query.Encode()}, &answer); err != nil {
		return nil, err
	}
	raw, err := rows(answer.Data)
	if err != nil {
		return nil, reads.silence("%s: %s", what, a.quote(err.Error()))
	}
	return raw, nil
}
