package paypay

import (
	"encoding/json"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// details is what we read of a payment. What it says of the customer's means is
// not read.
type details struct {
	PaymentID         string  `json:"paymentId"`
	Status            string  `json:"status"`
	MerchantPaymentID string  `json:"merchantPaymentId"`
	Amount            *amount `json:"amount"`
	Refunds           *struct {
		Data []refund `json:"data"`
	} `json:"refunds"`
}

// observe reads a payment. why is not empty if the answer is not about at or
// makes no sense, and then says so.
func observe(at payment.Attempt, data json.RawMessage, asOf time.Time) (obs payment.Observation, why string) {
	var d details
	if err := json.Unmarshal(data, &d); err != nil {
		return obs, "PayPay answered with a payment that makes no sense"
	}
	obs = payment.Observation{ProviderID: at.ProviderID, MoneyID: at.MoneyID, Amount: at.Amount, AsOf: asOf}
	if d.Status == "CREATED" && d.PaymentID == "" {
		// A code that can be paid and was not. It says no more than that.
		if d.MerchantPaymentID != "" && d.MerchantPaymentID != at.Ref {
			return obs, "PayPay answered with the code of another attempt"
		}
		if at.MoneyID != "" {
			return obs, "PayPay answered with a code that was paid before as if it were not"
		}
		obs.State = payment.NeedsCustomer
		return obs, ""
	}
	v, known := states[d.Status]
	switch {
	case !known:
		return obs, "PayPay answered with a payment in no state we know"
	case d.MerchantPaymentID != at.Ref:
		return obs, "PayPay answered with the payment of another attempt"
	case !isName(d.PaymentID), at.MoneyID != "" && d.PaymentID != at.MoneyID:
		return obs, "PayPay answered with a payment of another name"
	}
	obs.State, obs.Reason, obs.MoneyID = v.state, v.reason, d.PaymentID
	if obs.State != payment.Paid {
		obs.Code = d.Status
		return obs, ""
	}
	var err error
	if obs.Amount, err = d.Amount.money(); err != nil {
		return obs, "PayPay answered with an amount we cannot read"
	}
	obs.Refunded, why = d.refunded(obs.Amount)
	return obs, why
}

// refunded adds up what went back, or is on its way: PayPay's refunds never
// fail once they are accepted.
func (d details) refunded(of money.Money) (sum money.Money, why string) {
	if d.Refunds != nil {
		for _, r := range d.Refunds.Data {
			m, err := r.Amount.money()
			if _, known := refundStates[r.Status]; err != nil || !known || r.PaymentID != "" && r.PaymentID != d.PaymentID {
				return sum, "PayPay answered with a refund in a payment that makes no sense"
			}
			if sum, err = sum.Add(m); err != nil {
				return sum, "PayPay answered with refunds that do not add up"
			}
		}
	}
	if sum.Minor > of.Minor || sum.IsZero() && d.Status == "REFUNDED" {
		return sum, "PayPay answered with refunds that do not fit the payment"
	}
	return sum, ""
}

// absent is what it means that PayPay knows neither a code that can be paid nor
// a payment by our reference. See the package comment.
func (a *Adapter) absent(at payment.Attempt, asOf time.Time) payment.Observation {
	obs := payment.Observation{
		State: payment.Unknown, ProviderID: at.ProviderID, MoneyID: at.MoneyID, Amount: at.Amount, Code: noPayment, AsOf: asOf,
	}
	started := at.ProviderID != ""
	over := asOf.After(at.ExpiresAt.Add(settles + a.config.CodeLife))
	if at.MoneyID == "" && (started || over) {
		obs.State, obs.Reason = payment.Dead, payment.TooLate
		if asOf.Before(at.CreatedAt.Add(a.config.CodeLife)) { // too early to have lapsed
			obs.Reason = payment.Abandoned
		}
	}
	return obs
}
