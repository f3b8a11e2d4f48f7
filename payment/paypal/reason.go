package paypal

import "github.com/tsuzuku/tsuzuku/payment"

// reasons are those of PayPal's codes that say more than "declined" or
// "trouble" (schemas 400, 422 and orders.capture-422 of Orders v2). What hints at
// fraud is deliberately not told apart: the customer reads no more than that the
// payment was declined.
var reasons = map[string]payment.Reason{
	"INSTRUMENT_DECLINED":                     payment.Declined,
	"REDIRECT_PAYER_FOR_ALTERNATE_FUNDING":    payment.Declined,
	"PAYER_CANNOT_PAY":                        payment.Declined,
	"TRANSACTION_REFUSED":                     payment.Declined,
	"COMPLIANCE_VIOLATION":                    payment.Declined,
	"PAYER_ACCOUNT_RESTRICTED":                payment.Declined,
	"PAYER_ACCOUNT_LOCKED_OR_CLOSED":          payment.Declined,
	"MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED": payment.Declined,
	"PAYEE_BLOCKED_TRANSACTION":               payment.Declined,
	"TRANSACTION_BLOCKED_BY_PAYEE":            payment.Declined,
	"DECLINED_DUE_TO_RELATED_TXN":             payment.Declined,
	"TRANSACTION_LIMIT_EXCEEDED":              payment.NoFunds,
	"CARD_EXPIRED":                            payment.CardExpired,
	"REFERENCED_CARD_EXPIRED":                 payment.CardExpired,
	"TOKEN_ID_NOT_FOUND":                      payment.ToolGone,
	"TOKEN_EXPIRED":                           payment.ToolGone,
	"AGREEMENT_ALREADY_CANCELLED":             payment.ToolGone,
	"PAYMENT_SOURCE_CANNOT_BE_USED":           payment.Declined,
	"PAYMENT_SOURCE_DECLINED_BY_PROCESSOR":    payment.Declined,
	"PAYER_ACTION_REQUIRED":                   payment.NotAuthenticated,
	"ORDER_NOT_APPROVED":                      payment.NotAuthenticated,
	"ORDER_IS_PENDING_APPROVAL":               payment.NotAuthenticated,
	"ORDER_EXPIRED":                           payment.TooLate,
	"CURRENCY_NOT_SUPPORTED_FOR_COUNTRY":      payment.NotAccepted,
	"CURRENCY_NOT_SUPPORTED_FOR_CARD_TYPE":    payment.NotAccepted,
	"CARD_BRAND_NOT_SUPPORTED":                payment.NotAccepted,
	"DOMESTIC_TRANSACTION_REQUIRED":           payment.NotAccepted,
	"TRANSACTION_RECEIVING_LIMIT_EXCEEDED":    payment.NotAccepted,
	"MAX_VALUE_EXCEEDED":                      payment.NotAccepted,
	"INVALID_CURRENCY_CODE":                   payment.NotAccepted,
	"DECIMAL_PRECISION":                       payment.NotAccepted,
	"DECIMALS_NOT_SUPPORTED":                  payment.NotAccepted,
	"CANNOT_BE_ZERO_OR_NEGATIVE":              payment.NotAccepted,
}

// whyRefused is why PayPal would not make an order, or not let us take what the
// customer agreed to. What is not about them or the amount is trouble between us.
func whyRefused(s said) payment.Reason {
	for _, code := range append([]string{s.name}, s.issues...) {
		if r, ok := reasons[code]; ok {
			return r
		}
	}
	return payment.ProviderTrouble
}

// takenElsewhere reports whether a refusal to take money says that it is taken
// already, or is being taken. Then only reading the order helps.
func takenElsewhere(s said) bool {
	return s.is("ORDER_ALREADY_CAPTURED") || s.is("ORDER_COMPLETION_IN_PROGRESS") ||
		s.is("ORDER_COMPLETED_OR_VOIDED") || s.is("DUPLICATE_INVOICE_ID")
}

// whyCaptureFailed is why a capture took nothing.
func whyCaptureFailed(c capture) payment.Reason {
	if c.Status == "FAILED" {
		return payment.ProviderTrouble
	}
	return payment.Declined
}
