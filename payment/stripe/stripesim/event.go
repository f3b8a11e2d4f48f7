package stripesim

import (
	"encoding/json"
	"slices"
	"time"
)

// event is something that happened, with the object as it was then.
type event struct {
	id        string
	kind      string
	createdAt time.Time
	object    json.RawMessage
	before    obj    // previous_attributes
	request   string // the call that caused it, "" for customers and the clock
	key       string
}

const eventLife = 30 * 24 * time.Hour

// emit notes that something happened, and lets it be told.
func (s *Sim) emit(kind string, o obj) { s.emitChange(kind, o, nil) }

// emitChange is emit for what also says how it was before.
func (s *Sim) emitChange(kind string, o, before obj) {
	e := &event{id: s.newID("evt_3", 23), kind: kind, createdAt: s.now, object: render(o), before: before}
	if s.asking != nil {
		e.request, e.key = s.asking.ID, s.asking.Key
	}
	for len(s.events) > 0 && s.now.Sub(s.events[0].createdAt) > eventLife {
		s.events = s.events[1:]
	}
	s.events = append(s.events, e)
	s.tell(e)
}

func (s *Sim) listEvents(f *form, _ string) step {
	kind, kinds, l := f.text("type", 255), f.words("types"), f.listing()
	return func() (obj, *apiError) {
		var all []entry
		for _, e := range s.events {
			if (kind == "" || e.kind == kind) && (len(kinds) == 0 || slices.Contains(kinds, e.kind)) {
				all = append(all, entry{e.id, e.createdAt, e.json})
			}
		}
		return l.show("/v1/events", all)
	}
}

func (s *Sim) getEvent(_ *form, id string) step {
	return func() (obj, *apiError) {
		for _, e := range s.events {
			if e.id == id {
				return e.json(), nil
			}
		}
		return nil, missing("event", id, "")
	}
}

func (e *event) json() obj {
	data := obj{"object": e.object}
	if e.before != nil {
		data["previous_attributes"] = e.before
	}
	return obj{
		"id": e.id, "object": "event", "api_version": Version, "created": e.createdAt.Unix(), "livemode": false,
		"type": e.kind, "data": data, "pending_webhooks": 1,
		"request": obj{"id": orNull(e.request), "idempotency_key": orNull(e.key)},
	}
}
