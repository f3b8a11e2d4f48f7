package paypay

import "github.com/tsuzuku/tsuzuku/payment"

// The codes that are acted upon.
const (
	noPayment    = "DYNAMIC_QR_PAYMENT_NOT_FOUND"       // neither a code that can be paid nor a payment
	duplicate    = "DUPLICATE_DYNAMIC_QR_REQUEST"       // the reference was used before
	noRefund     = "NO_SUCH_REFUND_ORDER"               // nothing by that merchantRefundId
	throttled    = "THROTTLED_MULTIPLE_REFUND_REJECTED" // another refund was just made; in a minute it may be
	userInactive = "USER_STATE_IS_NOT_ACTIVE"           // of the customer, and with 401, unlike any other no
)

// refusals are the codes with which a new code is refused, by what the customer
// is told. All others are our own mistake or PayPay's trouble.
var refusals = map[string]payment.Reason{
	"LIMIT_EXCEEDED":                      payment.NotAccepted,
	"USER_DEFINED_DAILY_LIMIT_EXCEEDED":   payment.NotAccepted,
	"USER_DEFINED_MONTHLY_LIMIT_EXCEEDED": payment.NotAccepted,
	"NO_SUFFICIENT_FUND":                  payment.NoFunds,
	"UNACCEPTABLE_OP":                     payment.Declined,
	"CANCELED_USER":                       payment.Declined,
	userInactive:                          payment.Declined,
}

func reasonOf(code string) payment.Reason {
	if r, ok := refusals[code]; ok {
		return r
	}
	return payment.ProviderTrouble
}

// verdict is what a state of PayPay's means: reason is set with Dead only.
type verdict struct {
	state  payment.State
	reason payment.Reason
}

// states are those of the OpenAPI file's PaymentState. We never ask to block
// money before taking it, so AUTHORIZED and what follows from it do not occur;
// if they did, somebody else would be taking the money or letting go of it.
// CREATED is a payment under way here; a code without one is told apart before.
var states = map[string]verdict{
	"CREATED":       {payment.Pending, ""},
	"AUTHORIZED":    {payment.Pending, ""},
	"REAUTHORIZING": {payment.Pending, ""},
	"COMPLETED":     {payment.Paid, ""},
	"REFUNDED":      {payment.Paid, ""}, // also when only a part went back
	"FAILED":        {payment.Dead, payment.Declined},
	"CANCELED":      {payment.Dead, payment.Abandoned},
	"EXPIRED":       {payment.Dead, payment.TooLate},
}

// refundStates are those of the OpenAPI file's RefundState, and one that the
// help centre adds (article 4414054913423): PayPay repeats such a refund until
// it succeeds. None ever fails once it is accepted.
var refundStates = map[string]payment.RefundState{
	"CREATED":       payment.RefundSent,
	"REFUND_FAILED": payment.RefundSent,
	"REFUNDED":      payment.RefundDone,
}
