// Package signed signs what small servers of a seller's own and we say to each other, by
// the symmetric signatures of the Standard Webhooks specification, 1.0, and knows what
// was signed.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package signed

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fresh is how far a timestamp may be from the reader's clock.
const Fresh = 300 * time.Second

// The lengths of a key, in bytes.
const keyMin, keyMax = 24, 64

// The headers of a signed request or answer.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

// Keys are the shared keys; two while one is being changed. The first is the
// newest.
type Keys [][]byte

// ParseKeys reads keys as they are written: whsec_ and base64. There must be one at
// least.
func ParseKeys(texts []string) (Keys, error) {
	if len(texts) == 0 {
		return nil, errors.New("a key is needed")
	}
	var all Keys
	for _, t := range texts {
		b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(t, "whsec_"))
		if err != nil || !strings.HasPrefix(t, "whsec_") || len(b) < keyMin || len(b) > keyMax {
			return nil, fmt.Errorf("a key is whsec_ and the base64 of %d to %d bytes, as of: echo whsec_$(openssl rand -base64 32)", keyMin, keyMax)
		}
		all = append(all, b)
	}
	return all, nil
}

// Sign sets the headers of a body that leaves now: one signature for each key.
func (k Keys) Sign(h http.Header, id string, now time.Time, body []byte) {
	at := strconv.FormatInt(now.Unix(), 10)
	var all []string
	for _, key := range k {
		all = append(all, signature(key, id, at, body))
	}
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, at)
	h.Set(HeaderSignature, strings.Join(all, " "))
}

// signature is one word of the header, over id, timestamp and body.
func signature(key []byte, id, at string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

var errUnsigned = errors.New("the signature is missing or wrong")

// Verify fails unless a body was signed with one of the keys, lately.
func (k Keys) Verify(h http.Header, now time.Time, body []byte) error {
	id, at := h.Get(HeaderID), h.Get(HeaderTimestamp)
	if id == "" || !k.signed(h.Get(HeaderSignature), id, at, body) {
		return errUnsigned
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<40 {
		return errors.New("the timestamp is no number of seconds")
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > Fresh || age < -Fresh {
		return fmt.Errorf("the timestamp is %v from our clock: is one of the clocks wrong?", age.Abs().Round(time.Second))
	}
	return nil
}

// mostSignatures bounds how many a stranger can have us compare.
const mostSignatures = 10

func (k Keys) signed(header, id, at string, body []byte) bool {
	given := strings.Fields(header)
	for _, key := range k {
		want := []byte(signature(key, id, at, body))
		for _, s := range given[:min(len(given), mostSignatures)] {
			if hmac.Equal(want, []byte(s)) {
				return true
			}
		}
	}
	return false
}
