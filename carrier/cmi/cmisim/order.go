package cmisim

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// order is one order that was carried out.
type order struct {
	id, third, code string
	at              time.Time
	refuel          bool
	card            *card
	subs            []*sub // of a package, one for each piece
	total           int64
	refunded        bool
}

const quantityMax = 100

// wish is an order that is well-formed.
type wish struct {
	third, code string
	quantity    int
	card        *card
	offer       *offer
	pack        *pack // of a refuelling
	date        time.Time
}

// repeated is the answer to a transaction code that is known, or nil.
func (s *Sim) repeated(code string) *answer {
	switch {
	case s.pending[code]:
		return no("1000154")
	case slices.ContainsFunc(s.orders, func(o *order) bool { return o.code == code }):
		return no("1000162")
	}
	return nil
}

// createOrder serves orders. Without a transaction code nothing makes a repeated
// order the same one [3.2.5].
func (s *Sim) createOrder(q *request) *answer {
	w, a := s.readWish(q)
	if a != nil {
		return a
	}
	price := w.offer.Price
	if w.pack != nil {
		price = w.pack.Price
	}
	total := price * int64(w.quantity)
	if total > s.balance() {
		return no("1000103")
	}
	if s.knobs.misplace {
		for _, c := range s.cards {
			if c != w.card && !c.foreign {
				w.card = c
			}
		}
	}
	s.seq++
	o := &order{
		id: fmt.Sprintf("2124%08d", s.seq), third: w.third, code: w.code, at: s.now, refuel: w.pack != nil, card: w.card, total: total,
	}
	s.orders = append(s.orders, o)
	s.post(-total)
	if w.pack != nil {
		w.card.events = append(w.card.events, event{at: s.now, refuel: w.pack.MB * mega, days: w.quantity})
	} else {
		for n := range w.quantity {
			b := &sub{key: fmt.Sprintf("%s%02d", o.id, n+1), order: o, pack: w.offer.Package, at: s.now, date: w.date, told: map[string]bool{}}
			o.subs = append(o.subs, b)
			w.card.events = append(w.card.events, event{at: s.now, bought: b})
			if !w.date.IsZero() {
				s.later(w.date, func() { s.start(w.card, b) })
			}
		}
	}
	return ok(object{
		"orderID": o.id, "totalAmount": total, "quantity": w.quantity, "price": strconv.FormatInt(price, 10), "currency": s.cfg.Currency,
	})
}

// readWish checks an order, but for the deposit.
func (s *Sim) readWish(q *request) (wish, *answer) {
	w := wish{third: q.text("thirdOrderId"), code: q.text("transactionCode")}
	for _, name := range []string{"thirdOrderId", "includeCard", "is_Refuel", "quantity", "ICCID"} {
		if q.text(name) == "" {
			return w, no("1000005")
		}
	}
	var err error
	w.quantity, err = strconv.Atoi(q.text("quantity"))
	kind := q.text("is_Refuel")
	switch {
	case err != nil || w.quantity < 1 || w.quantity > quantityMax, kind != "0" && kind != "1", q.text("includeCard") != "0",
		len(w.code) > 32, len(w.third) > 200, len(q.text("ICCID")) > 20:
		return w, no("1000007")
	}
	if w.code != "" {
		if a := s.repeated(w.code); a != nil {
			return w, a
		}
	}
	var a *answer
	if w.card, a = s.usable(q.text("ICCID")); a != nil {
		return w, a
	}
	w.offer = s.offer(q.text("dataBundleId"))
	if kind == "0" {
		return w, s.readRefuel(q, &w)
	}
	switch {
	case q.text("dataBundleId") == "":
		return w, no("1000005")
	case w.offer == nil:
		return w, no("1000132")
	case w.offer.withdrawn:
		return w, no("1000105")
	}
	if given := q.text("setActiveTime"); given != "" {
		w.date, err = time.ParseInLocation("20060102", given, s.cfg.Zone)
		if err != nil || w.offer.Activation != 1 || w.date.AddDate(0, 0, 1).Before(s.now) || w.date.After(s.now.AddDate(0, 0, unusedDays)) {
			return w, no("1000087")
		}
		w.date = w.date.UTC()
		if w.date.Before(s.now) {
			w.date = s.now
		}
	}
	return w, nil
}

// usable is the card that takes an order, or why there is none.
func (s *Sim) usable(iccid string) (*card, *answer) {
	c := s.card(iccid, s.now)
	switch {
	case c == nil:
		return nil, no("1000013")
	case c.foreign:
		return nil, no("1000073")
	case c.statusAt(s.now) != 0:
		return nil, no(s.pick(s.cfg.Manners.NotNormal, "1000153", "1000029"))
	case !s.now.Before(c.expires):
		return nil, no("1000056")
	}
	return c, nil
}

// readRefuel checks what a pack needs: an active package that it belongs to.
func (s *Sim) readRefuel(q *request, w *wish) *answer {
	w.pack = s.pack(q.text("refuelingId"))
	var running *state
	states := w.card.statesAt(s.now, s.cfg.Zone)
	for i := range states {
		if states[i].status(s.now) == statusActive {
			running = &states[i]
		}
	}
	switch {
	case q.text("refuelingId") == "":
		return no("1000005")
	case w.pack == nil || w.pack.withdrawn:
		return no("1000097")
	case running == nil:
		return no(s.pick(s.cfg.Manners.NoPackage, "1000031", "1000094"))
	case !slices.Contains(running.pack.Packs, w.pack.ID):
		return no("1000158")
	case running.pack.Daily && w.quantity != 1 && w.quantity != running.daysLeft(s.now, s.cfg.Zone):
		return no("1000095")
	}
	w.offer = cmp.Or(s.offer(running.pack.ID), w.offer)
	return nil
}

// unsubscribe serves the taking back of an order: of packages, not activated,
// of this month [3.2.12].
func (s *Sim) unsubscribe(q *request) *answer {
	id, third := q.text("orderId"), q.text("thirdOrderId")
	told := func(code string) *answer {
		return said(http.StatusOK, object{"code": code, "msg": cmp.Or(texts[code], "Success")})
	}
	if id == "" && third == "" {
		return told("1000005")
	}
	i := slices.IndexFunc(s.orders, func(o *order) bool { return id != "" && o.id == id || id == "" && o.third == third })
	if i < 0 {
		return told("1000039")
	}
	o := s.orders[i]
	switch {
	case o.refuel:
		return told("1000040")
	case o.refunded:
		return told("1000044")
	case o.at.In(s.cfg.Zone).Format("200601") != s.now.In(s.cfg.Zone).Format("200601"):
		return told("1000035")
	}
	for _, st := range o.card.statesAt(s.now, s.cfg.Zone) {
		if st.order == o && st.status(s.now) != statusInactive {
			return told("1000044")
		}
	}
	o.refunded = true
	for _, b := range o.subs {
		b.refunded = s.now
	}
	s.post(o.total)
	return told(success)
}
