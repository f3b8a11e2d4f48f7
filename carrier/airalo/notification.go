package airalo

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// notificationMax is how long a notification may be. That of an order of 50
// SIMs carries instructions for each.
const notificationMax = 512 << 10

// notification is what arrives at the webhook address. The figures in it are
// not even read, since they may be late, repeated or out of order.
//
//	low_data      75 % or 90 % of the data is used, three days or one are left
//	credit_limit  so much of the seller's credit is used
//	async_order   an order that was placed for later, or has failed
//	other         a kind of next year, which is a bell like the others
type notification struct {
	Level     text `json:"level"`
	ICCID     text `json:"iccid"`
	Message   text `json:"message"`
	Left      text `json:"remaining"`
	RequestID text `json:"request_id"`
	Ref       text `json:"description"`
}

func (n notification) kind() string {
	switch {
	case n.Level != "" && n.ICCID != "":
		return "low_data"
	case n.RequestID != "":
		return "async_order"
	case n.Message != "" && n.Left != "":
		return "credit_limit"
	}
	return "other"
}

// Notification implements [carrier.Carrier]. The operator signs what it sends
// with the secret that we sign with.
//
// Its notifications have no identifier, so they are recognised by what they say.
// They say the same again when a SIM that was fed runs low again; hence the day,
// without which the second would be taken for the first. One that is repeated
// past midnight makes us look once more.
func (a *Adapter) Notification(h http.Header, body []byte) (carrier.Doorbell, error) {
	no := func(r carrier.Reason, why string) (carrier.Doorbell, error) {
		return carrier.Doorbell{}, &carrier.Refusal{Reason: r, Text: why}
	}
	if len(body) > notificationMax {
		return no(carrier.BadRequest, "the notification is too long")
	}
	if !signed(a.config.ClientSecret, h.Get(signatureHeader), body) {
		return no(carrier.Unauthorised, "the notification is not signed with our secret")
	}
	var n notification
	if err := json.Unmarshal(body, &n); err != nil {
		return no(carrier.BadRequest, a.quote(err.Error()))
	}
	day := a.now().UTC().Format(time.DateOnly)
	sum := sha256.Sum256(append([]byte(day+"\n"), body...))
	bell := carrier.Doorbell{EventID: "sha256:" + hex.EncodeToString(sum[:]), Kind: n.kind()}
	bell.Profile.ICCID = cardNumber(string(n.ICCID))
	if ref := string(n.Ref); short(ref, refMax, "_") && ref == strings.ToLower(ref) {
		bell.Ref = ref
	}
	return bell, nil
}
