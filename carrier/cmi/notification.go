package cmi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// notificationMax is how long a notification may be; real ones have some 300 bytes.
const notificationMax = 64 << 10

// notification is what arrives at our address. The figures in it are not even read,
// since they may be late, repeated or out of order.
//
//	activated  a package has begun
//	usage      so many bytes are used
//	esim       a phone has loaded, switched on or off, or removed the eSIM
type notification struct {
	ICCID        text `json:"iccid"`
	PackageID    text `json:"packageId"`
	ThirdOrderID text `json:"thirdOrderId"`
	Usage        text `json:"qtavalue"`
	Point        text `json:"notificationPointId"`
}

func (n notification) kind() string {
	switch {
	case n.Point != "":
		return "esim"
	case n.PackageID != "":
		return "activated"
	case n.Usage != "":
		return "usage"
	}
	return "other"
}

// What the operator wants to hear; the eSIM's way is that of the servers that load
// profiles.
const (
	taken     = `{"code":"0","description":"Success","msg":"Success"}`
	takenESIM = `{"header":{"functionExecutionStatus":{"status":"Executed-Success","statusCodeData":{"subjectCode":"0","reasonCode":"0","message":"success"}}},"iccid":"%"}`
)

// Notification implements [carrier.Carrier]. The operator signs what it sends as we
// sign what we send. Its notifications have no identifier, so they are recognised by
// what they say; each has a time in it.
func (a *Adapter) Notification(h http.Header, body []byte) (carrier.Doorbell, error) {
	no := func(r carrier.Reason, why string) (carrier.Doorbell, error) {
		return carrier.Doorbell{}, &carrier.Refusal{Reason: r, Text: why}
	}
	if len(body) > notificationMax {
		return no(carrier.BadRequest, "the notification is too long")
	}
	if !a.signed(h) {
		return no(carrier.Unauthorised, "the notification is not signed with our key and secret")
	}
	var n notification
	if err := json.Unmarshal(body, &n); err != nil {
		return no(carrier.BadRequest, a.quote(err.Error()))
	}
	sum := sha256.Sum256(body)
	bell := carrier.Doorbell{EventID: "sha256:" + hex.EncodeToString(sum[:]), Kind: n.kind(), Answer: taken, AnswerType: "application/json"}
	if card := cardNumber(string(n.ICCID)); card != "" {
		bell.Profile = carrier.Profile{ID: card, ICCID: card}
	}
	if bell.Kind == "esim" {
		bell.Answer = strings.Replace(takenESIM, "%", bell.Profile.ICCID, 1)
	}
	if ref := string(n.ThirdOrderID); short(ref, refMax, "_") && ref == strings.ToLower(ref) {
		bell.Ref = ref
	}
	return bell, nil
}
