package esimgosim

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// wish is an order as it is sent [3.2].
type wish struct {
	Type   string `json:"type"`
	Assign bool   `json:"assign"`
	Order  []item `json:"order"`
}

type item struct {
	Type          string   `json:"type"`
	Item          string   `json:"item"`
	Quantity      int      `json:"quantity"`
	ICCIDs        []string `json:"iccids"`
	AllowReassign bool     `json:"allowReassign"`
}

// order is one order that was accepted.
type order struct {
	ref      string
	at       time.Time
	doneAt   time.Time // from when on its eSIMs are shown
	assigned bool
	lines    []*orderLine
	total    int64
	running  int64 // the balance after it
}

type orderLine struct {
	kind     string // bundle, or bundleAssignment of an application
	item     string
	quantity int
	unit     int64
	esims    []*esim
}

const (
	itemsMax    = 50
	quantityMax = 100
)

// placeOrder serves POST orders. Nothing makes a repeated order the same one:
// there is no such key in this API [3.5].
func (s *Sim) placeOrder(q *request) *answer {
	var w wish
	if !q.read(&w) || len(w.Order) == 0 || len(w.Order) > itemsMax || w.Type != "validate" && w.Type != "transaction" {
		return no(http.StatusBadRequest, "failed to parse request body")
	}
	o := &order{ref: s.uuid(), at: s.now, doneAt: s.now, assigned: w.Assign}
	for _, i := range w.Order {
		if a := s.check(w, i); a != nil {
			return a
		}
		b := s.bundle(i.Item)
		o.lines = append(o.lines, &orderLine{kind: "bundle", item: b.Name, quantity: i.Quantity, unit: b.Price})
		o.total += b.Price * int64(i.Quantity)
	}
	balance := s.balanceAt(s.now)
	if o.total > balance {
		return no(http.StatusBadRequest, "insufficient balance")
	}
	if w.Type == "validate" {
		o.assigned = false
		return said(http.StatusOK, s.orderRow(o, s.now, true))
	}
	s.post(-o.total)
	o.running = balance - o.total
	s.orders = append(s.orders, o)
	s.fulfil(o, w)
	return said(http.StatusOK, s.orderRow(o, s.now, false))
}

// check is why an item cannot be ordered, or nil.
func (s *Sim) check(w wish, i item) *answer {
	b := s.bundle(i.Item)
	switch {
	case i.Type != "bundle":
		return no(http.StatusBadRequest, "invalid order item type")
	case i.Quantity < 1 || i.Quantity > quantityMax:
		return no(http.StatusBadRequest, "invalid quantity")
	case b == nil || b.withdrawn:
		return no(http.StatusBadRequest, fmt.Sprintf("bundle %s not found", i.Item))
	case len(i.ICCIDs) > 0 && !w.Assign:
		return no(http.StatusBadRequest, "iccids need assign")
	case len(i.ICCIDs) > 0 && len(i.ICCIDs) != i.Quantity:
		return no(http.StatusBadRequest, "quantity and number of iccids do not match")
	}
	for _, iccid := range i.ICCIDs {
		e := s.find(iccid, s.now)
		switch {
		case e == nil:
			return s.foreign()
		case e.dead(s.now):
			return no(http.StatusBadRequest, "esim "+iccid+" is deactivated")
		case e.provider != b.Provider && !i.AllowReassign:
			return no(http.StatusBadRequest, "bundle is not compatible with esim "+iccid)
		}
	}
	return nil
}

// foreign is the answer about an ICCID that is not ours.
func (s *Sim) foreign() *answer {
	if s.pick(s.cfg.Manners.Foreign, "403", "400") == "400" {
		return no(http.StatusBadRequest, "iccid not found")
	}
	return no(http.StatusForbidden, "access denied")
}

// fulfil assigns what an order is about, or puts it into the inventory. A new
// eSIM takes as long as [Config].Lag says; a bundle on an eSIM that is there is
// processing for as long.
func (s *Sim) fulfil(o *order, w wish) {
	for n, i := range w.Order {
		b, l := s.bundle(i.Item), o.lines[n]
		switch {
		case !w.Assign:
			s.inventory[b.Name] += i.Quantity
			continue
		case len(i.ICCIDs) == 0:
			deliver := func() {
				for range i.Quantity {
					e := s.newESIM("", b.Provider)
					s.assign(e, b.Bundle, o.ref)
					l.esims = append(l.esims, e)
				}
			}
			if s.cfg.Lag <= 0 {
				deliver()
				continue
			}
			o.doneAt = s.now.Add(s.cfg.Lag)
			s.later(o.doneAt, deliver)
			continue
		}
		for _, iccid := range i.ICCIDs {
			e := s.find(iccid, s.now)
			if e.provider != b.Provider || s.knobs.misplace {
				e = s.newESIM("", b.Provider)
			}
			s.assign(e, b.Bundle, o.ref)
			l.esims = append(l.esims, e)
		}
	}
}

// orderRow is an order as it is told.
func (s *Sim) orderRow(o *order, asOf time.Time, validated bool) object {
	done := !o.doneAt.After(asOf)
	rows, esims := []object{}, 0
	for _, l := range o.lines {
		row := object{"type": l.kind, "item": l.item, "quantity": l.quantity, "subTotal": decimal(l.unit * int64(l.quantity)), "pricePerUnit": decimal(l.unit)}
		if o.assigned && done {
			installs, iccids := []object{}, []string{}
			for _, e := range l.esims {
				installs = append(installs, object{"iccid": e.iccid, "matchingId": e.matching, "smdpAddress": smdp})
				iccids = append(iccids, e.iccid)
			}
			row["esims"], row["iccids"], row["allowReassign"] = installs, iccids, false
			esims += len(iccids)
		}
		rows = append(rows, row)
	}
	layout := time.RFC3339
	if s.pick(s.cfg.Manners.Created, "nanoseconds", "seconds") == "nanoseconds" {
		layout = "2006-01-02T15:04:05.000000000Z07:00"
	}
	a := object{
		"order": rows, "total": decimal(o.total), "currency": s.cfg.Currency,
		"createdDate": o.at.Format(layout), "assigned": o.assigned && done,
	}
	if validated {
		a["valid"] = true
		return a
	}
	a["orderReference"], a["runningBalance"] = o.ref, decimal(o.running)
	a["status"], a["statusMessage"] = "completed", fmt.Sprintf("Order completed: %d eSIMs assigned", esims)
	if !done {
		a["status"], a["statusMessage"] = "processing", "Order is being processed"
	}
	return a
}

// listOrders serves GET orders, newest first.
func (s *Sim) listOrders(q *request) *answer {
	rows := []object{}
	for _, o := range slices.Backward(s.orders) {
		if !o.at.After(q.asOf) {
			rows = append(rows, s.orderRow(o, q.asOf, false))
		}
	}
	return paged(q, "orders", rows, 10)
}

// getOrder serves GET orders/{reference}.
func (s *Sim) getOrder(q *request) *answer {
	for _, o := range s.orders {
		if o.ref == q.id && !o.at.After(q.asOf) {
			return said(http.StatusOK, s.orderRow(o, q.asOf, false))
		}
	}
	return no(http.StatusBadRequest, "order not found")
}

// apply serves POST esims/apply: from the inventory onto an eSIM, or onto a new
// one [3.3].
func (s *Sim) apply(q *request) *answer {
	var w struct {
		ICCID         string `json:"iccid"`
		Name          string `json:"name"`
		AllowReassign bool   `json:"allowReassign"`
	}
	if !q.read(&w) {
		return no(http.StatusBadRequest, "failed to parse request body")
	}
	b := s.bundle(w.Name)
	if b == nil || s.inventory[w.Name] == 0 {
		return no(http.StatusForbidden, "no available bundles left")
	}
	e := s.find(w.ICCID, s.now)
	switch {
	case w.ICCID == "":
		e = s.newESIM("", b.Provider)
	case e == nil:
		return s.foreign()
	case e.dead(s.now):
		return no(http.StatusBadRequest, "esim is deactivated")
	case e.provider != b.Provider && !w.AllowReassign:
		return no(http.StatusBadRequest, "bundle is not compatible with esim")
	case e.provider != b.Provider || s.knobs.misplace:
		e = s.newESIM("", b.Provider)
	}
	s.inventory[w.Name]--
	o := &order{ref: s.uuid(), at: s.now, doneAt: s.now, assigned: true, running: s.balanceAt(s.now)}
	a := s.assign(e, b.Bundle, o.ref)
	o.lines = []*orderLine{{kind: "bundleAssignment", item: a.ref, esims: []*esim{e}}}
	s.orders = append(s.orders, o)
	return said(http.StatusOK, object{
		"esims": []object{{"iccid": e.iccid, "status": "Successfully Applied Bundle", "bundle": b.Name}}, "applyReference": o.ref,
	})
}
