package wechatpay

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// trade is what we read of an order. What it says of the customer is not read.
type trade struct {
	AppID         string  `json:"appid"`
	MchID         string  `json:"mchid"`
	OutTradeNo    string  `json:"out_trade_no"`
	TransactionID string  `json:"transaction_id"`
	State         string  `json:"trade_state"`
	Amount        *amount `json:"amount"`
}

// amount is what an order asks for, or took. The customer may have paid less of
// it, with a coupon of WeChat Pay's; the merchant is given the total.
type amount struct {
	Total    *int64 `json:"total"`
	Currency string `json:"currency"`
}

// observe reads an order. why is not empty if the answer is not about at or
// makes no sense, and then says so.
func (a *Adapter) observe(at payment.Attempt, got reply, asOf time.Time) (obs payment.Observation, why string) {
	var t trade
	if got.status != http.StatusOK || json.Unmarshal(got.body, &t) != nil {
		return obs, "WeChat Pay answered with an order that makes no sense"
	}
	switch {
	case t.OutTradeNo != at.Ref:
		return obs, "WeChat Pay answered with the order of another attempt"
	case t.MchID != a.config.MchID, t.AppID != "" && t.AppID != a.config.AppID:
		return obs, "WeChat Pay answered with an order of another merchant or app"
	}
	obs = payment.Observation{State: stateOf(t.State), MoneyID: t.TransactionID, Amount: at.Amount, AsOf: asOf}
	if obs.State == payment.Unknown {
		return obs, "WeChat Pay answered with an order in no state we know"
	}
	if t.Amount != nil || obs.State == payment.Paid {
		if obs.Amount, why = t.asked(); why != "" {
			return obs, why
		}
	}
	switch obs.State {
	case payment.Paid:
		if t.TransactionID == "" || at.MoneyID != "" && t.TransactionID != at.MoneyID {
			return obs, "WeChat Pay answered with another payment's transaction"
		}
	case payment.Dead:
		obs.Reason, obs.Code, obs.Closed = payment.Abandoned, t.State, true
		if !asOf.Before(at.ExpiresAt) {
			obs.Reason = payment.TooLate
		}
	case payment.NeedsCustomer:
		if t.State == "PAYERROR" {
			obs.Reason, obs.Code = payment.Declined, t.State
		}
	case payment.Created, payment.Open, payment.Approved, payment.Pending, payment.Unknown:
	}
	return obs, ""
}

func (t trade) asked() (m money.Money, why string) {
	if t.Amount == nil {
		return m, "WeChat Pay answered with a payment without its amount"
	}
	m, err := fromFen(t.Amount.Total, t.Amount.Currency)
	if err != nil {
		return m, "WeChat Pay answered with an amount we cannot read"
	}
	return m, ""
}

// stateOf reads trade_state. A refund, of whatever part, makes REFUND of
// SUCCESS: the money was in all the same. REVOKED and the last three are for codes
// that the shop scans, which we do not; a try that failed promises nothing.
func stateOf(state string) payment.State {
	switch state {
	case "NOTPAY":
		return payment.NeedsCustomer
	case "SUCCESS", "REFUND":
		return payment.Paid
	case "CLOSED", "REVOKED":
		return payment.Dead
	case "USERPAYING", "ACCEPT":
		return payment.Pending
	case "PAYERROR":
		return payment.NeedsCustomer
	}
	return payment.Unknown
}
