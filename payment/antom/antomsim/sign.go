package antomsim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// signedText is what is signed of a message. uri is the path, with the query if
// there is one; at is the text of Request-Time or Response-Time.
func signedText(uri, client, at string, body []byte) string {
	return "POST " + uri + "\n" + client + "." + at + "." + string(body)
}

// sign is RSA256: RSA PKCS #1 v1.5 over SHA-256, in base64, escaped for a URL.
// The same text always has the same signature.
func sign(key *rsa.PrivateKey, text string) string {
	sum := sha256.Sum256([]byte(text))
	b, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic("antomsim: sign: " + err.Error()) // the key is too short for SHA-256
	}
	return url.QueryEscape(base64.StdEncoding.EncodeToString(b))
}

func verifies(key *rsa.PublicKey, text, signature string) bool {
	plain, err := url.QueryUnescape(signature)
	if err != nil {
		return false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(plain)
	if err != nil || base64.StdEncoding.EncodeToString(b) != plain { // the decoder skips line ends
		return false
	}
	sum := sha256.Sum256([]byte(text))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], b) == nil
}

// signature is a header Signature, taken apart.
type signature struct{ algorithm, version, value string }

// readSignature reads "algorithm=RSA256, keyVersion=1, signature=…". The first
// two may be left out.
func readSignature(header string) (g signature, ok bool) {
	for _, part := range strings.Split(header, ",") {
		name, value, found := strings.Cut(strings.TrimSpace(part), "=")
		into := map[string]*string{"algorithm": &g.algorithm, "keyVersion": &g.version, "signature": &g.value}[name]
		if !found || into == nil || *into != "" || value == "" {
			return g, false
		}
		*into = value
	}
	return g, g.value != ""
}

// header is what signs a message of Antom's. time is Response-Time or
// Request-Time.
func (s *Sim) header(h http.Header, time, uri, client, at string, body []byte) {
	h.Set("Content-Type", "application/json;charset=UTF-8")
	h.Set("Client-Id", client)
	h.Set(time, at)
	h.Set("Signature", s.signatureOf(sign(s.cfg.AntomKey, signedText(uri, client, at, body))))
}

func (s *Sim) signatureOf(value string) string {
	return "algorithm=RSA256,keyVersion=" + s.cfg.KeyVersion + ",signature=" + value
}

// strangersSign looks like a signature by a key that nobody here knows.
func (s *Sim) strangersSign() string {
	b := make([]byte, s.cfg.AntomKey.Size())
	for i := range b {
		b[i] = byte(s.rand.Uint32())
	}
	return url.QueryEscape(base64.StdEncoding.EncodeToString(b))
}

// readTime reads Request-Time: milliseconds since 1970, or ISO 8601.
func readTime(text string) (time.Time, bool) {
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil && len(text) == 13 {
		return time.UnixMilli(ms), true
	}
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}

// members are a JSON object of Antom's: strings, members, and lists of them.
type members map[string]any

// text writes an answer as Antom does: sorted, without white space, and with
// nothing escaped that need not be.
func (m members) text() []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		panic("antomsim: " + err.Error()) // only strings, maps and lists of them come here
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}
