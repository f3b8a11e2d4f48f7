package airalosim

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// intent is an order that is to be carried out later: asynchronous or future.
type intent struct {
	wish
	future bool
	due    time.Time
	status string // pending, failed, processed, cancelled
}

// readIntent checks what asynchronous and future orders have in common.
func (s *Sim) readIntent(r *request) (*intent, *refusal) {
	w, no := s.readWish(r)
	if no != nil {
		return nil, no
	}
	if w.webhook != "" {
		if no := s.alive(w.webhook); no != nil {
			return nil, no
		}
	} else {
		w.webhook = s.optedIn["async_orders"].address
	}
	if w.webhook == "" {
		return nil, invalidField("webhook_url", "The webhook url field is required when not opted in to async orders.")
	}
	w.id = s.letters(25)
	return &intent{wish: w, status: "pending"}, nil
}

// placeAsync serves POST orders-async: 202 at once, the order and its webhook
// later.
func (s *Sim) placeAsync(r *request) (*answer, *refusal) {
	i, no := s.readIntent(r)
	if no != nil {
		return nil, no
	}
	i.due = s.now.Add(s.cfg.AsyncDelay)
	s.intents = append(s.intents, i)
	s.later(i.due, func(at time.Time) { s.process(i, at) })
	return said(http.StatusAccepted, object{{"request_id", i.id}, {"accepted_at", stamp(s.now)}}, "success"), nil
}

// process carries an intent out and tells the seller. A failure carries the
// reason, and no eSIMs [2.5].
func (s *Sim) process(i *intent, at time.Time) {
	if i.status != "pending" {
		return
	}
	o, no := s.fulfil(i.wish, at)
	if no != nil {
		i.status = "failed"
		reason := "The order could not be processed."
		if v, err := readJSON(no.body); err == nil {
			if text, isText := v.(object).get("reason").(string); isText {
				reason = text
			}
		}
		s.notify(at, "async_orders", i.webhook, object{{"request_id", i.id}, {"reason", reason}})
		return
	}
	i.status = "processed"
	s.notify(at, "async_orders", i.webhook, append(s.orderAnswer(o), member{"request_id", i.id}))
}

// placeFuture serves POST future-orders.
func (s *Sim) placeFuture(r *request) (*answer, *refusal) {
	if r.text("due_date") == "" {
		return nil, missing("due_date")
	}
	due, err := time.Parse(minute, r.text("due_date"))
	day := s.now.Truncate(24 * time.Hour)
	switch {
	case err != nil:
		return nil, invalidField("due_date", "The due date does not match the format Y-m-d H:i.")
	case due.Before(day.AddDate(0, 0, 2)):
		return nil, invalidField("due_date", "Minimum due date must be at least the day after tomorrow in UTC timezone.")
	case due.After(s.now.AddDate(1, 0, 0)):
		return nil, invalidField("due_date", "Maximum due date is one year from now.")
	}
	i, no := s.readIntent(r)
	if no != nil {
		return nil, no
	}
	i.future, i.due = true, due
	s.intents = append(s.intents, i)
	when := due
	if s.cfg.Sandbox {
		when = s.now
	}
	s.later(when, func(at time.Time) { s.process(i, at) })
	return ok(object{
		{"request_id", i.id},
		{"due_date", due.Format(minute)},
		{"latest_cancellation_date", due.AddDate(0, 0, -1).Format(minute)},
	}), nil
}

// listFuture serves GET future-orders: pending ones, or failed ones on request.
func (s *Sim) listFuture(r *request) (*answer, *refusal) {
	p, no := r.readPage(25)
	if no != nil {
		return nil, no
	}
	status := r.query.Get("status")
	if status == "" {
		status = "pending"
	}
	bounds := map[string]time.Time{}
	for _, key := range []string{"from_due_date", "to_due_date"} {
		given := r.query.Get(key)
		at, err := time.Parse(minute, given)
		if given != "" && err != nil {
			return nil, invalidField(key, "The "+key[:len(key)-9]+" due date is not a valid date.")
		}
		bounds[key] = at
	}
	rows := []object{}
	for _, i := range s.intents {
		from, to := bounds["from_due_date"], bounds["to_due_date"]
		if !i.future || i.status != status || i.due.Before(from) || !to.IsZero() && i.due.After(to) {
			continue
		}
		rows = append(rows, object{
			{"request_id", i.id},
			{"quantity", i.quantity},
			{"description", i.description},
			{"status", i.status},
			{"package_id", i.pack},
			{"due_date", i.due.Format(minute)},
			{"latest_cancellation_date", i.due.AddDate(0, 0, -1).Format(minute)},
		})
	}
	links, meta := p.about(FutureOrders, len(rows))
	from, to := p.cut(len(rows))
	return plain(http.StatusOK, object{{"data", rows[from:to]}, {"links", links}, {"meta", meta}}), nil
}

const cancelMax = 10

// cancelFuture serves POST cancel-future-orders: all of them or none, until a
// day before.
func (s *Sim) cancelFuture(r *request) (*answer, *refusal) {
	ids := r.list("request_ids")
	switch {
	case len(ids) == 0:
		return nil, missing("request_ids")
	case len(ids) > cancelMax:
		return nil, invalidField("request_ids", "The request ids may not have more than 10 items.")
	}
	wrong := object{}
	var found []*intent
	for n, id := range ids {
		at := slices.IndexFunc(s.intents, func(i *intent) bool { return i.future && i.id == id })
		text := ""
		switch {
		case len(id) != 25:
			text = "Each request ID must be exactly 25 characters long."
		case at < 0 || s.intents[at].status == "cancelled":
			text = "Request ID: " + id + " does not exist."
		case s.intents[at].status == "processed" || s.now.After(s.intents[at].due.AddDate(0, 0, -1)):
			text = "Request ID: " + id + " is already processed and can not be cancelled."
		default:
			found = append(found, s.intents[at])
			continue
		}
		wrong = append(wrong, member{fmt.Sprintf("request_ids.%d", n), text})
	}
	if len(wrong) > 0 {
		return nil, invalid(wrong)
	}
	for _, i := range found {
		i.status = "cancelled"
	}
	return said(http.StatusOK, []any{}, "Future orders cancelled successfully"), nil
}
