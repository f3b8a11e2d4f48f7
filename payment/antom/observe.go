package antom

import (
	"encoding/json"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// paid is what we read of a payment. What it says of the customer's means is not
// read.
type paid struct {
	Status           string        `json:"paymentStatus"`
	Code             string        `json:"paymentResultCode"`
	PaymentRequestID string        `json:"paymentRequestId"`
	PaymentID        string        `json:"paymentId"`
	Amount           *amount       `json:"paymentAmount"`
	PaidAt           string        `json:"paymentTime"` // only of payments that came to SUCCESS
	Transactions     []transaction `json:"transactions"`
}

// transaction is something that was done to a payment afterwards.
type transaction struct {
	Type   string  `json:"transactionType"`
	Status string  `json:"transactionStatus"`
	Amount *amount `json:"transactionAmount"`
}

// observe reads the answer to a question for a payment. why is not empty if the
// answer is not about at or makes no sense, and then says so.
func observe(at payment.Attempt, body []byte, asOf time.Time) (obs payment.Observation, why string) {
	var p paid
	if json.Unmarshal(body, &p) != nil {
		return obs, "Antom answered with a payment we cannot read"
	}
	sum, err := p.Amount.money()
	switch {
	case p.PaymentRequestID != at.Ref:
		return obs, "Antom answered with the payment of another attempt"
	case !isName(p.PaymentID), at.ProviderID != "" && p.PaymentID != at.ProviderID, at.MoneyID != "" && p.PaymentID != at.MoneyID:
		return obs, "Antom answered with another payment than before"
	case err != nil:
		return obs, "Antom answered with an amount we cannot read"
	case sum.Currency != at.Amount.Currency:
		return obs, "Antom answered with another currency"
	}
	obs = payment.Observation{ProviderID: p.PaymentID, MoneyID: at.MoneyID, Amount: sum, AsOf: asOf}
	switch p.Status {
	case "SUCCESS":
		obs.State, obs.MoneyID = payment.Paid, p.PaymentID
		obs.Refunded, why = p.refunded(sum)
		return obs, why
	case "PROCESSING":
		obs.State = payment.NeedsCustomer
	case "PENDING":
		obs.State, obs.Code = payment.Pending, p.Status
	case "FAIL", "CANCELLED":
		if at.MoneyID != "" || p.PaidAt != "" { // it was paid, and all of it went back
			obs.State, obs.MoneyID, obs.Refunded = payment.Paid, p.PaymentID, sum
			break
		}
		obs.State, obs.Reason, obs.Code = payment.Dead, endOf(at, p.Status, p.Code, asOf), p.Status
		if isCode(p.Code) && p.Code != "SUCCESS" {
			obs.Code += " " + p.Code
		}
	default:
		return obs, "Antom answered with a payment in no state we know"
	}
	if at.MoneyID != "" && obs.State != payment.Paid {
		return obs, "Antom answered with a payment that was paid before as if it were not"
	}
	return obs, ""
}

// refunded adds up what went back, or is on its way.
func (p paid) refunded(of money.Money) (sum money.Money, why string) {
	for _, t := range p.Transactions {
		if t.Type != "REFUND" || t.Status == "FAIL" || t.Status == "CANCELLED" {
			continue
		}
		m, err := t.Amount.money()
		if err != nil {
			return sum, "Antom answered with a refund in a payment that makes no sense"
		}
		if sum, err = sum.Add(m); err != nil {
			return sum, "Antom answered with refunds that do not add up"
		}
	}
	if sum.Minor > of.Minor {
		return sum, "Antom answered with refunds that do not fit the payment"
	}
	return sum, ""
}
