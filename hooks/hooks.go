// Package hooks is the door for strangers' notifications. Each is read whole,
// verified by its adapter and stored before it is acknowledged; all it can do
// is make us look.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package hooks

import (
	"crypto/subtle"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// maxBody is how much of a notification is read: providers send kilobytes.
const maxBody = 1 << 20

// Server takes notifications.
type Server struct {
	Desk     *order.Desk
	Carriers map[string]carrier.Carrier
	Paths    map[string]string // by adapter: what an operator's address must end with
	Log      *slog.Logger
}

// Handler serves everything under /hooks/.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hooks/payment/{provider}", s.payment)
	mux.HandleFunc("POST /hooks/carrier/{carrier}/{path}", s.carrier)
	return mux
}

func (s *Server) payment(w http.ResponseWriter, r *http.Request) {
	body, ok := read(w, r)
	if !ok {
		return
	}
	err := s.Desk.Notify(r.Context(), r.PathValue("provider"), r.Header, body)
	switch {
	case err == nil:
		w.WriteHeader(http.StatusOK)
	case errors.Is(err, payment.ErrForged):
		s.Log.WarnContext(r.Context(), "forged notification", "provider", r.PathValue("provider"), "err", err)
		http.Error(w, "this notification cannot be verified", http.StatusBadRequest)
	default:
		// Not stored, so not acknowledged: the provider sends it again.
		s.Log.ErrorContext(r.Context(), "notification not stored", "provider", r.PathValue("provider"), "err", err)
		http.Error(w, "try again later", fault.KindOf(err).Status())
	}
}

func (s *Server) carrier(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("carrier")
	c, ok := s.Carriers[name]
	if !ok || s.Paths[name] == "" || subtle.ConstantTimeCompare([]byte(r.PathValue("path")), []byte(s.Paths[name])) != 1 {
		http.NotFound(w, r)
		return
	}
	body, ok := read(w, r)
	if !ok {
		return
	}
	bell, err := c.Notification(r.Header, body)
	if err != nil {
		s.Log.WarnContext(r.Context(), "unreadable notification", "carrier", name, "err", err)
		http.Error(w, "this notification cannot be read", http.StatusBadRequest)
		return
	}
	if err := s.Desk.Ring(r.Context(), name, bell, body); err != nil {
		s.Log.ErrorContext(r.Context(), "notification not stored", "carrier", name, "err", err)
		http.Error(w, "try again later", fault.KindOf(err).Status())
		return
	}
	w.WriteHeader(http.StatusOK)
}

func read(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the body is too long or was cut off", http.StatusRequestEntityTooLarge)
		return nil, false
	}
	return body, true
}
