// Package hooks is the door for strangers' notifications. Each is read whole,
// verified by its adapter and stored before it is acknowledged; all it can do
// is make us look. One that is not believed is kept as evidence and moves nothing.
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
	Paths    map[string]string // by adapter: what an operator's address must end with, since few of them sign; empty: no address
	Log      *slog.Logger

	// Client names where a request comes from; nil: the other end of the connection.
	Client func(*http.Request) string

	refused refusals
}

// Handler serves everything under /hooks/.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hooks/payment/{provider}", s.payment)
	mux.HandleFunc("POST /hooks/carrier/{carrier}/{path}", s.carrier)
	mux.HandleFunc("HEAD /hooks/carrier/{carrier}/{path}", s.present)
	return mux
}

func (s *Server) payment(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("provider")
	if _, ok := s.Desk.Providers[name]; !ok {
		http.NotFound(w, r)
		return
	}
	stranger := "payment/" + name
	body, ok := s.read(w, r, stranger)
	if !ok {
		return
	}
	bell, err := s.Desk.Notify(r.Context(), name, r.Header, body)
	if errors.Is(err, payment.ErrForged) {
		s.refuse(w, r, http.StatusBadRequest, Refusal{Stranger: stranger, Reason: Forged, Why: err.Error()}, body)
		return
	}
	s.stored(w, r, name, bell, err)
}

// addressed is the operator whose address a request was sent to, or nil.
func (s *Server) addressed(r *http.Request) carrier.Carrier {
	name := r.PathValue("carrier")
	if s.Paths[name] == "" || subtle.ConstantTimeCompare([]byte(r.PathValue("path")), []byte(s.Paths[name])) != 1 {
		return nil
	}
	return s.Carriers[name]
}

// present says that an operator's address is there: some look before they take
// it into their settings.
func (s *Server) present(w http.ResponseWriter, r *http.Request) {
	if s.addressed(r) == nil {
		http.NotFound(w, r)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (s *Server) carrier(w http.ResponseWriter, r *http.Request) {
	name, c := r.PathValue("carrier"), s.addressed(r)
	if c == nil {
		http.NotFound(w, r)
		return
	}
	stranger := "carrier/" + name
	body, ok := s.read(w, r, stranger)
	if !ok {
		return
	}
	bell, err := c.Notification(r.Header, body)
	if err != nil {
		reason := Unreadable
		if no, ok := errors.AsType[*carrier.Refusal](err); ok && no.Reason == carrier.Unauthorised {
			reason = Forged
		}
		s.refuse(w, r, http.StatusBadRequest, Refusal{Stranger: stranger, Reason: reason, Why: err.Error()}, body)
		return
	}
	s.stored(w, r, name, payment.Doorbell{Answer: bell.Answer, AnswerType: bell.AnswerType}, s.Desk.Ring(r.Context(), name, bell, body))
}

// stored acknowledges a notification that is in the database, in the words that
// its sender wants. One that is not
// must come again, whatever the reason: strangers repeat what was answered with
// a server's error and may give up on any other.
func (s *Server) stored(w http.ResponseWriter, r *http.Request, stranger string, bell payment.Doorbell, err error) {
	if err == nil {
		if bell.AnswerType != "" {
			w.Header().Set("Content-Type", bell.AnswerType)
		}
		_, _ = io.WriteString(w, bell.Answer) // who hung up tells us again
		return
	}
	s.Log.ErrorContext(r.Context(), "notification not stored", "from", stranger, "err", err)
	http.Error(w, "try again later", max(http.StatusInternalServerError, fault.KindOf(err).Status()))
}

// read takes the whole body, or answers.
func (s *Server) read(w http.ResponseWriter, r *http.Request, stranger string) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		return body, true
	}
	status, reason := http.StatusBadRequest, CutOff
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		status, reason = http.StatusRequestEntityTooLarge, TooLong
	}
	s.refuse(w, r, status, Refusal{Stranger: stranger, Reason: reason, Why: err.Error()}, body)
	return nil, false
}
