package wechatpay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/tsuzuku/tsuzuku/payment"
)

// maxNotification is longer than any notification: they have about a kilobyte.
const maxNotification = 256 << 10

// notification is what is sent to our address.
type notification struct {
	ID       string `json:"id"`
	Type     string `json:"event_type"`
	Resource struct {
		sealed
		OriginalType string `json:"original_type"`
	} `json:"resource"`
}

// told is what a notification holds when decrypted: an order or a refund.
// Nothing in it is acted upon.
type told struct {
	MchID         string `json:"mchid"`
	AppID         string `json:"appid"` // of an order
	OutTradeNo    string `json:"out_trade_no"`
	TransactionID string `json:"transaction_id"`
}

// Notification implements [payment.Provider].
//
// It may download WeChat Pay's certificates. WeChat Pay wants to read nothing;
// the status 200 is enough.
func (a *Adapter) Notification(ctx context.Context, h http.Header, body []byte) (payment.Doorbell, error) {
	if len(body) == 0 || len(body) > maxNotification {
		return payment.Doorbell{}, forged("it is empty or too long")
	}
	if err := a.verify(ctx, h, body); errors.Is(err, errFalse) {
		return payment.Doorbell{}, fmt.Errorf("wechatpay: %w: %w", payment.ErrForged, err)
	} else if err != nil {
		return payment.Doorbell{}, fmt.Errorf("wechatpay: notification: not verified: %w", err)
	}
	var n notification
	if err := json.Unmarshal(body, &n); err != nil || n.Type == "" {
		return payment.Doorbell{}, forged("the body is not an event")
	}
	plain, err := n.Resource.open(a.config.APIv3Key)
	if err != nil {
		return payment.Doorbell{}, forged(err.Error())
	}
	var t told
	if err := json.Unmarshal(plain, &t); err != nil {
		return payment.Doorbell{}, forged("what it holds makes no sense")
	}
	if t.MchID != a.config.MchID || t.AppID != "" && t.AppID != a.config.AppID {
		return payment.Doorbell{}, forged("it is for another merchant or app")
	}
	bell := payment.Doorbell{EventID: n.ID, Kind: n.Type, Ref: t.OutTradeNo, MoneyID: t.TransactionID}
	if bell.EventID == "" {
		sum := sha256.Sum256(body)
		bell.EventID = hex.EncodeToString(sum[:])
	}
	return bell, nil
}

func forged(why string) error {
	return fmt.Errorf("wechatpay: %w: %s", payment.ErrForged, why)
}
