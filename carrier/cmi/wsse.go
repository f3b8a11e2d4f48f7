package cmi

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// Both sides sign each request in the same way: with the time and a word that is used
// once, but not over the body. TLS has to protect that.

const (
	wsseHeader = "X-WSSE"
	wsseRealm  = `WSSE realm="SDP", profile="UsernameToken", type="Appkey"`
)

// digest is over a nonce, the time and the secret, one after the other.
func digest(nonce, created, secret string) string {
	sum := sha256.Sum256([]byte(nonce + created + secret))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// sign puts the headers on a request.
func (a *Adapter) sign(h http.Header) {
	nonce, created := a.nonce(), a.now().UTC().Format("2006-01-02T15:04:05Z")
	h.Set("Authorization", wsseRealm)
	h.Set(wsseHeader, `UsernameToken Username="`+a.config.AppKey+`",PasswordDigest="`+
		digest(nonce, created, a.config.AppSecret)+`",Nonce="`+nonce+`",Created="`+created+`"`)
}

// signed reports whether headers are signed with our key and secret. How old they
// are is not asked: in the document's example the time of a notification is not in
// the zone that it names. One that comes again is recognised by what it says.
func (a *Adapter) signed(h http.Header) bool {
	var given string
	for name, values := range h { // whatever case the name came in
		if strings.EqualFold(name, wsseHeader) && len(values) == 1 {
			given = values[0]
		}
	}
	fields, ok := strings.CutPrefix(strings.Trim(given, `" `), "UsernameToken")
	if !ok || a.config.AppSecret == "" || len(fields) > 1000 {
		return false
	}
	said := map[string]string{}
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=") // a digest has one at its end
		said[name] = strings.Trim(value, `"`)
	}
	if _, err := time.Parse(time.RFC3339, said["Created"]); err != nil || said["Nonce"] == "" {
		return false
	}
	ours := subtle.ConstantTimeCompare([]byte(said["Username"]), []byte(a.config.AppKey))
	right := subtle.ConstantTimeCompare([]byte(said["PasswordDigest"]), []byte(digest(said["Nonce"], said["Created"], a.config.AppSecret)))
	return ours&right == 1
}
