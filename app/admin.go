package app

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// AdminHandler is what the seller's engineer sees, apart from the shop. Where there is
// [Config.AdminToken] it is for those who send it.
func (a *App) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", a.Metrics)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if !a.knows(r.Header.Get("Authorization")) {
			a.Env.Log.InfoContext(r.Context(), "refused", "door", "admin", "reason", "token")
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "Send the token of --admin-token, as Authorization: Bearer and the token.", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// knows reports whether the token was sent, if there is one. How long it takes says
// nothing about the token, nor about its length.
func (a *App) knows(authorization string) bool {
	if a.Config.AdminToken == "" {
		return true
	}
	scheme, token, _ := strings.Cut(authorization, " ")
	got, want := sha256.Sum256([]byte(strings.TrimSpace(token))), sha256.Sum256([]byte(a.Config.AdminToken))
	return strings.EqualFold(scheme, "bearer") && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}
