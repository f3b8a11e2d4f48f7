package paypay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/tsuzuku/tsuzuku/payment"
)

// longestNotice is more than any notification of PayPay's has, many times over.
const longestNotice = 64 << 10

// Notification implements [payment.Provider].
//
// Nothing is signed, so what is checked keeps mistakes out and nobody else: the
// merchant, and that it is about a payment by a reference like ours. Of all it
// says only the reference is used. PayPay numbers its notifications not at all;
// the same body is the same event.
func (a *Adapter) Notification(_ context.Context, _ http.Header, body []byte) (payment.Doorbell, error) {
	if len(body) > longestNotice {
		return payment.Doorbell{}, forged("the body is too long")
	}
	var n struct {
		Kind     string `json:"notification_type"`
		Merchant text   `json:"merchant_id"`
		Ref      string `json:"merchant_order_id"`
		State    string `json:"state"`
	}
	if err := json.Unmarshal(body, &n); err != nil || n.Kind != "Transaction" || !isCode(n.State) {
		return payment.Doorbell{}, forged("the body is not about a payment")
	}
	if string(n.Merchant) != a.config.MerchantID {
		return payment.Doorbell{}, forged("the payment is another merchant's")
	}
	if !isRef(n.Ref) {
		return payment.Doorbell{}, forged("the reference is not one of ours")
	}
	sum := sha256.Sum256(body)
	return payment.Doorbell{
		EventID: hex.EncodeToString(sum[:]), Kind: n.State, Ref: n.Ref,
		Answer: "OK", AnswerType: "text/plain",
	}, nil
}

func forged(why string) error {
	return fmt.Errorf("paypay: %w: %s", payment.ErrForged, why)
}

// isRef reports whether s is a reference as package payment defines them.
func isRef(s string) bool { return len(s) == 26 && strings.Trim(s, letters+digits) == "" }

// text is a member that PayPay's documents write as a string of digits and
// others read as a number.
type text string

// UnmarshalJSON implements [json.Unmarshaler].
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err == nil {
		*t = text(s)
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	*t = text(n.String())
	return nil
}
