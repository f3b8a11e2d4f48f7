package hooks

import (
	"net/http"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// Profiles serves what a seller's SM-DP+ tells of profiles, by ES2+ of GSMA SGP.22. It
// belongs behind a listener of its own that asks for certificates: who sends is proved
// by that, and by nothing else. Whoever comes without one is turned away here, too.
func (s *Server) Profiles(of carrier.ProfileTeller) http.Handler {
	mux := http.NewServeMux()
	for _, name := range []string{"handleDownloadProgressInfo", "handleNotification"} { // the second is version 3's
		mux.HandleFunc("POST /gsma/rsp2/es2plus/"+name, func(w http.ResponseWriter, r *http.Request) { s.profile(w, r, of) })
	}
	return mux
}

func (s *Server) profile(w http.ResponseWriter, r *http.Request, of carrier.ProfileTeller) {
	stranger := "carrier/" + of.Name()
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		s.refuse(w, r, http.StatusForbidden, Refusal{Stranger: stranger, Reason: Forged, Why: "no certificate that we trust"}, nil)
		return
	}
	body, ok := s.read(w, r, stranger)
	if !ok {
		return
	}
	event, err := of.ProfileEvent(r.Header, body)
	if err != nil {
		s.refuse(w, r, http.StatusBadRequest, Refusal{Stranger: stranger, Reason: Unreadable, Why: err.Error()}, body)
		return
	}
	if err := s.Desk.Profiled(r.Context(), of.Name(), event, body); err != nil {
		s.Log.ErrorContext(r.Context(), "notification not stored", "from", stranger, "err", err)
		http.Error(w, "try again later", http.StatusInternalServerError)
		return
	}
	w.Header().Set("X-Admin-Protocol", r.Header.Get("X-Admin-Protocol"))
	w.WriteHeader(http.StatusNoContent) // a notification has no answer (SGP.22, 6.3)
}
