package alipay

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"

	"github.com/tsuzuku/tsuzuku/payment"
)

// maxNotice is how long a notification's body may be; real ones have one or two
// kilobytes.
const maxNotice = 64 << 10

// Notification implements [payment.Provider].
//
// The signature covers the time of sending, but Alipay repeats what was not
// acknowledged for more than a day, so an old one is not refused: it makes us
// ask, and no more.
func (a *Adapter) Notification(_ context.Context, _ http.Header, body []byte) (payment.Doorbell, error) {
	params, err := notice(body)
	if err != nil {
		return payment.Doorbell{}, err
	}
	switch {
	case !a.signedNotice(params):
		return payment.Doorbell{}, forged("the signature is not Alipay's")
	case params["app_id"] != a.appID:
		return payment.Doorbell{}, forged("it is for another application")
	case params["seller_id"] != "" && params["seller_id"] != a.seller:
		return payment.Doorbell{}, forged("it is for another seller")
	}
	bell := payment.Doorbell{
		EventID: params["notify_id"], Kind: params["trade_status"],
		Ref: params["out_trade_no"], ProviderID: params["out_trade_no"], MoneyID: params["trade_no"],
		Answer: "success", AnswerType: "text/plain; charset=utf-8",
	}
	if bell.Kind == "" {
		bell.Kind = cmp.Or(params["notify_type"], "notification")
	}
	if bell.EventID == "" {
		sum := sha256.Sum256(textOf(params, "sign", "notify_time"))
		bell.EventID = hex.EncodeToString(sum[:])
	}
	return bell, nil
}

// notice reads the form that a notification is, with each parameter once.
func notice(body []byte) (map[string]string, error) {
	if len(body) > maxNotice {
		return nil, forged("it is too long")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, forged("it is not a form")
	}
	params := make(map[string]string, len(form))
	for name, values := range form {
		if len(values) != 1 {
			return nil, forged("a parameter comes twice")
		}
		params[name] = values[0]
	}
	return params, nil
}

func forged(why string) error {
	return fmt.Errorf("alipay: %w: %s", payment.ErrForged, why)
}
