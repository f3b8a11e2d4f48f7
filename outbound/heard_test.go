package outbound_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/outbound"
)

// What was long ago is forgotten, but not when the last answer came; calls of others
// do not count.
func TestHeardForgets(t *testing.T) {
	now := time.Date(2026, 3, 2, 3, 0, 30, 0, time.UTC)
	h := &outbound.Heard{Now: func() time.Time { return now }}
	if h.Of("bank") != (outbound.Pulse{}) {
		t.Error("something was heard of somebody who was not called")
	}
	h.Note("bank", true)
	first := now
	for range 20 {
		now = now.Add(time.Minute)
		h.Note("bank", false)
		h.Note("other", true)
	}
	if got := h.Of("bank"); got != (outbound.Pulse{Calls: 15, Unanswered: 15, Answered: first}) {
		t.Errorf("%+v", got)
	}
	now = now.Add(outbound.Lately)
	if got := h.Of("bank"); got != (outbound.Pulse{Answered: first}) {
		t.Errorf("%+v", got)
	}
}

// An answer counts whatever it says, unless it says that the stranger is broken; a
// call that our side gave up says nothing about the stranger.
func TestCallsAreCounted(t *testing.T) {
	status := http.StatusOK
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	var ended []bool
	c := outbound.New(outbound.Options{Ended: func(answered bool) { ended = append(ended, answered) }})
	call := func(ctx context.Context) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, web.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Do(ctx, r)
	}
	call(t.Context())
	status = http.StatusTooManyRequests
	call(t.Context())
	status = http.StatusBadGateway
	call(t.Context())
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	call(gone)
	web.Close()
	call(t.Context())
	if want := []bool{true, true, false, false}; len(ended) != 4 || ended[0] != want[0] || ended[1] != want[1] || ended[2] != want[2] || ended[3] != want[3] {
		t.Errorf("%v", ended)
	}
}
