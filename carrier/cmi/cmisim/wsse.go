package cmisim

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

const (
	wsseLife   = 10 * time.Minute // of a call's time, and of a token [3.2.1]
	wsseKind   = `WSSE realm="SDP", profile="UsernameToken", type="Appkey"`
	noncesMax  = 100_000
	createdFmt = "2006-01-02T15:04:05Z"
)

// Digest is the PasswordDigest of a call: base64 of SHA-256 over the three.
func Digest(nonce, created, secret string) string {
	sum := sha256.Sum256([]byte(nonce + created + secret))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// usernameToken reads the header X-WSSE.
var usernameToken = regexp.MustCompile(`(Username|PasswordDigest|Nonce|Created)="([^"]*)"`)

// admit checks a call's headers, its rate, its body, and its token where one is
// needed.
func (s *Sim) admit(q *request) *answer {
	if code := s.signed(q.header); code != "" {
		a := no(code)
		a.status = http.StatusUnauthorized
		return a
	}
	if !s.second.Equal(s.now.Truncate(time.Second)) {
		s.second, s.spent = s.now.Truncate(time.Second), 0
	}
	s.spent++
	if s.cfg.PerSecond > 0 && s.spent > s.cfg.PerSecond {
		return s.tooMany()
	}
	array := q.operation == SIMInfo && strings.HasPrefix(strings.TrimSpace(string(q.body)), "[")
	if err := json.Unmarshal(q.body, &q.fields); err != nil && !array || len(q.body) > bodyMax {
		a := no("1000007")
		a.status = http.StatusBadRequest
		return a
	}
	if forced := s.ordered(q.operation); forced != "" {
		return no(forced)
	}
	switch q.operation {
	case Token, Quota, SIMInfo: // they need none [3.2.8], [3.2.10]
		return nil
	case Catalogue, Activate, CreateOrder, UserBundles, EndPackage, Unsubscribe, ESIMInfo:
	}
	if ends, known := s.tokens[q.text("accessToken")]; !known || !s.now.Before(ends) {
		a := no("1000008")
		if s.pick(s.cfg.Manners.TokenStatus, "200", "401") == "401" {
			a.status = http.StatusUnauthorized
		}
		return a
	}
	return nil
}

// signed is what is wrong with the headers of a call; empty: nothing.
func (s *Sim) signed(h http.Header) string {
	token := h.Get("X-Wsse")
	if !strings.HasPrefix(h.Get("Authorization"), "WSSE ") || !strings.HasPrefix(token, "UsernameToken ") {
		return "1000000"
	}
	for _, part := range []string{`realm="SDP"`, `profile="UsernameToken"`, `type="Appkey"`} {
		if !strings.Contains(h.Get("Authorization"), part) {
			return "1000000"
		}
	}
	fields := map[string]string{}
	for _, m := range usernameToken.FindAllStringSubmatch(token, -1) {
		fields[m[1]] = m[2]
	}
	created, err := time.Parse(createdFmt, fields["Created"])
	nonce := fields["Nonce"]
	_, used := s.nonces[nonce]
	switch {
	case len(fields) != 4:
		return "1000000"
	case fields["Username"] != s.cfg.AppKey:
		return "1000006"
	case err != nil || s.now.Sub(created).Abs() > wsseLife:
		return "1000004"
	case nonce == "" || used:
		return "1000003"
	case subtle.ConstantTimeCompare([]byte(fields["PasswordDigest"]), []byte(Digest(nonce, fields["Created"], s.cfg.AppSecret))) != 1:
		return "1000001"
	}
	if len(s.nonces) >= noncesMax {
		for n, ends := range s.nonces {
			if !s.now.Before(ends) {
				delete(s.nonces, n)
			}
		}
	}
	s.nonces[nonce] = created.Add(2 * wsseLife)
	return ""
}

// giveToken serves the token of a channel, whose type is 106.
func (s *Sim) giveToken(q *request) *answer {
	switch {
	case q.text("id") == "" || q.text("type") == "":
		return no("1000005")
	case q.text("type") != "106":
		return no("1000007")
	case q.text("id") != s.cfg.AppKey:
		return no("1000006")
	}
	if s.cfg.OneToken {
		clear(s.tokens)
	}
	token, ends := s.hex(64), s.now.Add(s.cfg.TokenLife)
	s.tokens[token] = ends
	return ok(object{"accessToken": token, "expireTime": stamp(ends)})
}

// tooMany is the answer to one call too many [4], [5].
func (s *Sim) tooMany() *answer {
	a := no("9000004")
	if s.pick(s.cfg.Manners.Busy, "429", "9000004") == "429" {
		a.status = http.StatusTooManyRequests
	}
	return a
}

// wsse are the headers of a push that this key and secret made.
func (s *Sim) wsse(key, secret string) http.Header {
	nonce, created := s.hex(32), s.now.Format(createdFmt)
	h := http.Header{}
	h.Set("Content-Type", "application/json;charset=UTF-8")
	h.Set("Authorization", wsseKind)
	h.Set("X-WSSE", fmt.Sprintf(`UsernameToken Username="%s",PasswordDigest="%s",Nonce="%s", Created="%s"`, key, Digest(nonce, created, secret), nonce, created))
	return h
}
