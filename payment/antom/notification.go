package antom

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/tsuzuku/tsuzuku/payment"
)

// maxNotice is how long a notification's body may be; real ones have one or two
// kilobytes.
const maxNotice = 64 << 10

// heard is what Antom wants to read; anything else makes it send again, eight
// times within a day. It needs no signature (ams/paymentrn_online).
const heard = `{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}`

// Notification implements [payment.Provider].
//
// The signature covers the time of sending, but Antom repeats for a day what was
// not acknowledged, and no page says how old a time may be. An old notification
// makes us ask, and no more.
//
// Those of refunds name our refund, not the payment: they wake nothing, and are
// acknowledged.
func (a *Adapter) Notification(_ context.Context, h http.Header, body []byte) (payment.Doorbell, error) {
	if len(body) == 0 || len(body) > maxNotice {
		return payment.Doorbell{}, forged("it is empty or too long")
	}
	if err := a.verify(h, "Request-Time", a.notifyPath, body); err != nil {
		return payment.Doorbell{}, forged(err.Error())
	}
	return bellOf(body)
}

// bellOf reads a notification whose signature was good.
func bellOf(body []byte) (payment.Doorbell, error) {
	var n struct {
		Type             string `json:"notifyType"`
		Dispute          string `json:"disputeNotificationType"`
		PaymentRequestID string `json:"paymentRequestId"`
		PaymentID        string `json:"paymentId"`
	}
	if json.Unmarshal(body, &n) != nil {
		return payment.Doorbell{}, forged("the body is not an event")
	}
	// Antom gives events no name. Sent again, one has the same body.
	sum := sha256.Sum256(body)
	return payment.Doorbell{
		EventID: hex.EncodeToString(sum[:]), Kind: cmp.Or(n.Type, n.Dispute, "notification"),
		Ref: n.PaymentRequestID, ProviderID: n.PaymentID, MoneyID: n.PaymentID,
		Answer: heard, AnswerType: "application/json",
	}, nil
}

func forged(why string) error {
	return fmt.Errorf("antom: %w: %s", payment.ErrForged, why)
}
