package alipay

import (
	"encoding/json"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

// trade is what we read of the answer to a query.
type trade struct {
	OutTradeNo string `json:"out_trade_no"`
	TradeNo    string `json:"trade_no"`
	Status     string `json:"trade_status"`
	Total      yuan   `json:"total_amount"`
	PaidAt     string `json:"send_pay_date"` // only of trades that were paid

	// Paid, and the seller has nothing yet: the money is on its way, or the
	// buyer pays after use. Alipay asks to take unknown words here for a no.
	Additional string `json:"additional_status"`
	CreditMode string `json:"credit_pay_mode"`

	// Of contracts with another currency, which we do not have.
	PriceCurrency string `json:"trans_currency"`
	PayCurrency   string `json:"pay_currency"`
}

// observe reads the answer to a query.
func (a *Adapter) observe(at payment.Attempt, body []byte, asOf time.Time) (payment.Observation, error) {
	obs, why := a.observed(at, body, asOf)
	if why != "" {
		return payment.Observation{}, strange("query", payment.ErrNotSent, why)
	}
	return obs, nil
}

// observed is what a signed answer says about at; why is not empty if it is
// about something else or makes no sense.
func (a *Adapter) observed(at payment.Attempt, body []byte, asOf time.Time) (obs payment.Observation, why string) {
	var t trade
	if json.Unmarshal(body, &t) != nil {
		return obs, "Alipay answered with a trade we cannot read"
	}
	total, err := fromYuan(t.Total)
	switch {
	case t.OutTradeNo != at.Ref:
		return obs, "Alipay answered with the trade of another order"
	case t.TradeNo == "" || at.MoneyID != "" && t.TradeNo != at.MoneyID:
		return obs, "Alipay answered with another trade than before"
	case err != nil:
		return obs, "Alipay answered with an amount we cannot read"
	case t.PriceCurrency != "" && t.PriceCurrency != string(cny), t.PayCurrency != "" && t.PayCurrency != string(cny):
		return obs, "Alipay answered with another currency"
	}
	obs = payment.Observation{ProviderID: at.Ref, MoneyID: t.TradeNo, Amount: total, AsOf: asOf}
	switch t.Status {
	case "WAIT_BUYER_PAY":
		obs.State, obs.Next = payment.NeedsCustomer, a.way(at)
	case "TRADE_SUCCESS", "TRADE_FINISHED":
		obs.State = payment.Paid
		if late := t.Additional + t.CreditMode; late != "" {
			obs.State, obs.Code = payment.Pending, brief(t.Status+" "+late)
		}
	case "TRADE_CLOSED":
		if t.PaidAt != "" && t.CreditMode == "" {
			obs.State, obs.Refunded = payment.Paid, total // closed because all of it went back
			break
		}
		obs.State, obs.Reason, obs.Code, obs.Closed = payment.Dead, payment.TooLate, t.Status, true
		if asOf.Before(linkEnd(at)) {
			obs.Reason = payment.Abandoned
		}
	default:
		return obs, "Alipay answered with a trade in no state we know"
	}
	return obs, ""
}
