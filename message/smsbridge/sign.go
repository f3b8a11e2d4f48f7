package smsbridge

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

// The lengths of a key, in bytes.
const keyMin, keyMax = 24, 64

// parseKeys reads keys as they are written: whsec_ and base64.
func parseKeys(texts []string) (keys [][]byte, err error) {
	for _, t := range texts {
		b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(t, "whsec_"))
		if err != nil || !strings.HasPrefix(t, "whsec_") || len(b) < keyMin || len(b) > keyMax {
			return nil, fmt.Errorf("the secret is whsec_ and the base64 of %d to %d bytes, as of: echo whsec_$(openssl rand -base64 32)", keyMin, keyMax)
		}
		keys = append(keys, b)
	}
	if len(keys) == 0 {
		return nil, errors.New("a secret is needed")
	}
	return keys, nil
}

// sign sets the three headers of the Standard Webhooks specification, 1.0, symmetric
// signatures; with one signature a key.
func sign(h http.Header, keys [][]byte, id string, now time.Time, body []byte) {
	at := strconv.FormatInt(now.Unix(), 10)
	var all []string
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + at + "."))
		mac.Write(body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", at)
	h.Set("Webhook-Signature", strings.Join(all, " "))
}
