package esimaccess

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// notificationMax is how long a notification may be; real ones have some
// hundred bytes.
const notificationMax = 64 << 10

// notification is what arrives at the webhook address. All kinds share these
// members; their figures are not even read, since they may be late, repeated
// or out of order.
//
//	CHECK_HEALTH    once, when the address is saved; names no line
//	ORDER_STATUS    eSIMs of an order are ready; names the order only
//	ESIM_STATUS     the line's state changed
//	SMDP_EVENT      the profile was downloaded, enabled, … on the phone
//	DATA_USAGE      half, a fifth, a tenth of the data is left
//	VALIDITY_USAGE  one day is left
type notification struct {
	Type    text `json:"notifyType"`
	ID      text `json:"notifyId"` // missing from older ones
	Content struct {
		TranNo        text `json:"esimTranNo"`
		ICCID         text `json:"iccid"`
		TransactionID text `json:"transactionId"`
	} `json:"content"`
}

// Notification implements [carrier.Carrier]. The operator does not sign what it
// sends, so nothing here says that it is the operator's: the webhook address
// must be one that nobody can guess, and all this may do is make us look.
// A kind that is not in the list above is a bell like the others.
func (a *Adapter) Notification(_ http.Header, body []byte) (carrier.Doorbell, error) {
	unreadable := func(why string) (carrier.Doorbell, error) {
		return carrier.Doorbell{}, &carrier.Refusal{Reason: carrier.BadRequest, Text: why}
	}
	if len(body) > notificationMax {
		return unreadable("the notification is too long")
	}
	var n notification
	if err := json.Unmarshal(body, &n); err != nil {
		return unreadable(a.quote(err.Error()))
	}
	if !short(string(n.Type), 40, "_") {
		return unreadable("the notification has no kind")
	}
	bell := carrier.Doorbell{EventID: string(n.ID), Kind: string(n.Type)}
	if !short(bell.EventID, 100, "-_") {
		sum := sha256.Sum256(body)
		bell.EventID = "sha256:" + hex.EncodeToString(sum[:])
	}
	if n.Type == "CHECK_HEALTH" {
		return bell, nil // its order number is made up
	}
	if id := string(n.Content.TranNo); short(id, 64, "-_") {
		bell.Profile.ID = id
	}
	bell.Profile.ICCID = cardNumber(string(n.Content.ICCID))
	if ref := string(n.Content.TransactionID); short(ref, refMax, "_") && ref == strings.ToLower(ref) {
		bell.Ref = ref // the line's first order; it need not be ours
	}
	return bell, nil
}

// short reports whether s is a word of 1 to most ASCII letters, digits and
// characters of also.
func short(s string, most int, also string) bool {
	const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return s != "" && len(s) <= most && strings.Trim(s, letters+also) == ""
}
