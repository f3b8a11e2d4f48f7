package paypal

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
)

// transmission is what PayPal says about a notification in its headers.
type transmission struct {
	id, time string
	sig      []byte
	certURL  string
}

// readTransmission reads the headers; why is not empty if they cannot be PayPal's.
func readTransmission(h http.Header) (t transmission, why string) {
	t = transmission{
		id: h.Get("Paypal-Transmission-Id"), time: h.Get("Paypal-Transmission-Time"), certURL: h.Get("Paypal-Cert-Url"),
	}
	if h.Get("Paypal-Auth-Algo") != "SHA256withRSA" {
		return t, "it is signed in no way we know"
	}
	// A separator within a part would let one text be read as another.
	if t.id == "" || len(t.id) > 100 || strings.Contains(t.id, "|") {
		return t, "it has no transmission identifier"
	}
	if t.time == "" || len(t.time) > 100 || strings.Contains(t.time, "|") {
		return t, "it has no transmission time"
	}
	sig := h.Get("Paypal-Transmission-Sig")
	if sig == "" || len(sig) > 2048 {
		return t, "it has no signature"
	}
	var err error
	if t.sig, err = base64.StdEncoding.Strict().DecodeString(sig); err != nil {
		return t, "its signature is not one"
	}
	return t, ""
}

// fits reports whether key signed body as a notification to our webhook
// (https://developer.paypal.com/api/rest/webhooks/rest/). The webhook's
// identifier is ours, never the message's: that is what refuses another app's
// notifications.
func (t transmission) fits(key *rsa.PublicKey, webhook string, body []byte) bool {
	text := t.id + "|" + t.time + "|" + webhook + "|" + strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)
	sum := sha256.Sum256([]byte(text))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], t.sig) == nil
}
