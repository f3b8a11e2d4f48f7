package antom

import (
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

// The codes that are acted upon.
const (
	inProcess  = "PAYMENT_IN_PROCESS" // with U: the payment is made, and its page is in the answer
	noOrder    = "ORDER_NOT_EXIST"
	isClosed   = "ORDER_IS_CLOSED"
	isCanceled = "ORDER_IS_CANCELED"
	changed    = "REPEAT_REQ_INCONSISTENT" // the name is taken, with another amount
)

// turnedAway are the codes of calls that went no further than the gate: it does
// not know us, or the address, or the form of what was sent.
var turnedAway = map[string]bool{
	"ACCESS_DENIED": true, "CLIENT_FORBIDDEN_ACCESS_API": true, "INVALID_CLIENT": true, "INVALID_CLIENT_STATUS": true,
	"INVALID_SIGNATURE": true, "KEY_NOT_FOUND": true, "MEDIA_TYPE_NOT_ACCEPTABLE": true, "METHOD_NOT_SUPPORTED": true,
	"NO_INTERFACE_DEF": true, "OAUTH_FAILED": true, "UNKNOWN_CLIENT": true,
}

// taken reports whether a refusal of Start says that there is a payment of this
// name, even if a question does not show it yet.
func taken(code string) bool { return code == changed || code == isClosed || code == isCanceled }

// absent reports whether code says that there is no such refund. Antom's page
// also has a yes without contents for it.
func absent(code string) bool {
	return code == noOrder || code == "REFUND_NOT_EXIST" || code == "REFUND_ORDER_NOT_EXIST"
}

// reasons are the codes with which the pages of pay and inquiryPayment refuse,
// and what they mean to the customer. Others are trouble between Antom and us.
var reasons = map[string]payment.Reason{
	"USER_BALANCE_NOT_ENOUGH":          payment.NoFunds,
	"USER_PAYMENT_VERIFICATION_FAILED": payment.NotAuthenticated,
	"FRAUD_REJECT":                     payment.Declined,
	"RISK_REJECT":                      payment.Declined,
	"USER_STATUS_ABNORMAL":             payment.Declined,
	"USER_KYC_NOT_QUALIFIED":           payment.Declined,
	"USER_AMOUNT_EXCEED_LIMIT":         payment.Declined,
	"PAYMENT_COUNT_EXCEED_LIMIT":       payment.Declined,
	"PAYMENT_AMOUNT_EXCEED_LIMIT":      payment.NotAccepted,
	"CURRENCY_NOT_SUPPORT":             payment.NotAccepted,
	"PAYMENT_NOT_QUALIFIED":            payment.NotAccepted,
	"REGULATION_RESTRICTION":           payment.NotAccepted,
	"UNAVAILABLE_PAYMENT_METHOD":       payment.NotAccepted,
	"NO_PAY_OPTIONS":                   payment.NotAccepted,
	"BUSINESS_NOT_SUPPORT":             payment.NotAccepted,
}

// refusedStart is why Antom would not make a payment.
func refusedStart(code string) payment.Reason {
	if r, ok := reasons[code]; ok {
		return r
	}
	return payment.ProviderTrouble
}

// endOf is why a payment of ours ended without money.
func endOf(at payment.Attempt, state, code string, asOf time.Time) payment.Reason {
	if r, ok := reasons[code]; ok {
		return r
	}
	switch {
	case state == "FAIL" && code != isClosed && code != isCanceled:
		return payment.Declined
	case asOf.Before(pageEnd(at)):
		return payment.Abandoned
	}
	return payment.TooLate
}
