package airalosim

import (
	"crypto/hmac"
	"net/http"
	"strings"
	"time"
)

// tokenLife is how long a token lives [2.1].
const tokenLife = 24 * time.Hour

// giveToken serves POST token.
func (s *Sim) giveToken(r *request) (*answer, *refusal) {
	wrong := object{}
	for _, key := range []string{"client_id", "client_secret", "grant_type"} {
		if r.text(key) == "" {
			wrong = append(wrong, member{key, "The " + strings.ReplaceAll(key, "_", " ") + " field is required."})
		}
	}
	switch {
	case len(wrong) > 0:
		return nil, invalid(wrong)
	case r.text("grant_type") != "client_credentials":
		return nil, invalidField("grant_type", "The selected grant type is invalid.")
	case r.text("client_id") != s.cfg.ClientID:
		return nil, invalidField("client_id", "The selected client id is invalid.")
	case r.text("client_secret") != s.cfg.ClientSecret:
		return nil, &refusal{*said(http.StatusUnauthorized, []any{}, "Client authentication failed")}
	}
	token := s.letters(40)
	s.tokens[token] = s.now.Add(s.cfg.TokenLife)
	lasts := int64(s.cfg.TokenLife / time.Second)
	if s.pick(s.cfg.Manners.ExpiresIn, "text", "sample") == "sample" {
		lasts = 31_622_400
	}
	return ok(object{{"token_type", "Bearer"}, {"expires_in", lasts}, {"access_token", token}}), nil
}

func bearer(h http.Header) string {
	kind, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// admit checks who calls and what they signed.
func (s *Sim) admit(r *request) *refusal {
	if s.knobs.blocked {
		return refuse(89, "")
	}
	if r.operation != Token {
		if ends, known := s.tokens[bearer(r.header)]; !known || !s.now.Before(ends) {
			return s.unauthorised()
		}
	}
	given := r.header.Get("airalo-signature")
	if given == "" {
		if s.cfg.SignatureNeeded && !strings.HasPrefix(string(r.operation), "GET ") {
			return refuse(14, "the airalo-signature header is missing")
		}
		return nil
	}
	for _, text := range r.signable() {
		if hmac.Equal([]byte(given), []byte(sign(s.cfg.ClientSecret, text))) {
			return nil
		}
	}
	return refuse(14, "the airalo-signature header does not match the payload")
}

// unauthorised is the answer to a token that is missing, unknown or too old. The
// text is documented, the form around it is not.
func (s *Sim) unauthorised() *refusal {
	body := object{{"message", "Unauthenticated."}}
	if s.pick(s.cfg.Manners.Unauthorised, "reason", "message") == "reason" {
		body = object{{"code", http.StatusUnauthorized}, {
			"reason",
			"Authentication failed. This could be due to an expired token, please generate a new token. " +
				"If the issue persists, verify your client_id and client_secret are correct.",
		}}
	}
	return &refusal{*plain(http.StatusUnauthorized, body)}
}
