package esimgo

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// signatureHeader of what the operator sends, when version 3 of its callbacks is
// switched on in the account; what version 2 sends bears none and is not believed.
const signatureHeader = "X-Signature-SHA256"

// notificationMax is how long a notification may be; real ones have some 500 bytes.
const notificationMax = 64 << 10

// notification is what arrives at the callback address. The figures in it are not
// even read, since they may be late, repeated or out of order.
type notification struct {
	Kind   text `json:"alertType"` // Utilisation, FirstUse, FirstAttachment …
	ICCID  text `json:"iccid"`     // a bare number in some
	Bundle struct {
		ID text `json:"id"`
	} `json:"bundle"`
}

// Notification implements [carrier.Carrier].
//
// Notifications have no identifier, so they are recognised by what they say. They
// say the same again when the next bundle of the same kind runs low; hence the day.
// One that is repeated past midnight makes us look once more.
//
// In the document's own example a bare number has lost its last digits. A number that
// is no line's brings nobody to look, which is all that can come of it.
func (a *Adapter) Notification(h http.Header, body []byte) (carrier.Doorbell, error) {
	no := func(r carrier.Reason, why string) (carrier.Doorbell, error) {
		return carrier.Doorbell{}, &carrier.Refusal{Reason: r, Text: why}
	}
	if len(body) > notificationMax {
		return no(carrier.BadRequest, "the notification is too long")
	}
	if !signed(a.config.APIKey, h.Get(signatureHeader), body) {
		return no(carrier.Unauthorised, "the notification is not signed with our key")
	}
	var n notification
	if err := json.Unmarshal(body, &n); err != nil {
		return no(carrier.BadRequest, a.quote(err.Error()))
	}
	if n.Kind == "" {
		return no(carrier.BadRequest, "the notification has no type")
	}
	day := a.now().UTC().Format(time.DateOnly)
	sum := sha256.Sum256(append([]byte(day+"\n"), body...))
	bell := carrier.Doorbell{EventID: "sha256:" + hex.EncodeToString(sum[:]), Kind: carrier.Clip(string(n.Kind))}
	if card := cardNumber(string(n.ICCID)); card != "" {
		bell.Profile = carrier.Profile{ID: card, ICCID: card}
	}
	return bell, nil
}

// signed reports whether a body bears the signature of whoever knows the key: an
// HMAC with SHA-256 of the very bytes. The reference of the operator's API writes it
// in base64, its guide in hexadecimal digits; neither can be taken for the other.
func signed(key, signature string, body []byte) bool {
	if key == "" || signature == "" {
		return false
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	sum := mac.Sum(nil)
	given, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || len(given) != len(sum) {
		if given, err = hex.DecodeString(signature); err != nil {
			return false
		}
	}
	return hmac.Equal(given, sum)
}
